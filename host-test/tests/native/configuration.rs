//! Claims: `/healthz` and `/api` name a missing or malformed variable, with the remedy; deliveries
//! are stored all the same, and processed once it is mended. How: each variable of the contract,
//! missing and malformed.

use bytes::Bytes;
use host_test::{
    admin::Admin,
    shop::{On, TestShop, hoa},
    variables::PUBLIC,
};

const WRONG: [(&str, &str); 40] = [
    ("getfly_url", ""),
    ("getfly_url", "shop.getfly.test"),
    ("getfly_url", "https://shop.getfly.test/"),
    ("getfly_url", "https://shop.getfly.test/api"),
    ("getfly_url", "https://me@shop.getfly.test"),
    ("getfly_url", "ftp://shop.getfly.test"),
    ("getfly_api_key", ""),
    ("getfly_api_key", "  "),
    ("public_url", ""),
    ("public_url", "https://bridge.test/"),
    ("public_url", "bridge"),
    ("admin_token", ""),
    ("admin_token", "fifteen-letters"),
    ("metrics_token", "fifteen-letters"),
    ("drain_token", "fifteen-letters"),
    ("master_key", ""),
    ("master_key", "not base64 at all"),
    ("master_key", "AAECAw=="),
    ("kiotviet_api_url", "https://kiotviet-api.test/"),
    (
        "kiotviet_auth_url",
        "https://kiotviet-id.test/connect/token",
    ),
    ("kiotviet_token_path", "connect/token"),
    ("getfly_requests_per_second", "0"),
    ("getfly_requests_per_second", "-1"),
    ("getfly_requests_per_second", "fast"),
    ("getfly_requests_per_second", "101"),
    ("gender_codes", "female"),
    ("signature_policy", "strict"),
    ("processing", "later"),
    ("retention_days", "0"),
    ("retention_days", "3.5"),
    ("retention_days", "99999999999999999999"),
    ("customer_campaign_code", "C1"),
    ("ignored_emails", "shop@example.vn, shop"),
    ("kiotviet_token_path", " x"),
    ("kiotviet_fnb_api_url", "https://a.test/"),
    ("kiotviet_fnb_auth_url", "a.test"),
    ("poll_seconds", "29"),
    ("poll_seconds", "often"),
    ("keep_names", "no"),
    ("note_changes", "yes"),
];

async fn health(shop: &TestShop) -> (u16, String) {
    let request = http::Request::get(format!("{PUBLIC}/healthz"));
    let answer = shop.app.request(request.body(Bytes::new()).unwrap()).await;
    (answer.status, String::from_utf8(answer.body).unwrap())
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_is_named_and_deliveries_are_kept_until_it_is_mended() {
    for (variable, value) in WRONG {
        let shop = TestShop::connected(On::Both).await;
        let right = host_test::variables::test_variables(&shop.getfly.settings().api_key);
        let right = right.get(variable).cloned().unwrap_or_default();
        assert_eq!(health(&shop).await.0, 200);
        shop.app.set_variable(variable, value);
        let named = match variable {
            "customer_campaign_code" => "campaign_recipient_username",
            other => other,
        };

        let (status, reasons) = health(&shop).await;
        assert_eq!(status, 503, "{variable}={value}");
        assert!(reasons.contains(&format!("variable {named} ")), "{reasons}");
        let (status, problem) = shop.app.drain().await;
        assert_eq!((status, &problem["type"]), (503, &"not-configured".into()));
        assert!(problem["detail"].to_string().contains(named), "{problem}");

        shop.app.take_calls();
        shop.kiotviet.create_customer(hoa());
        assert_eq!(shop.deliver().await, [200], "{variable}={value}");
        assert_eq!(shop.app.take_calls(), [], "nothing is processed meanwhile");
        if variable != "admin_token" {
            assert_eq!(shop.outcomes().await, ["received -"], "people can look");
        }

        shop.app.set_variable(variable, &right);
        assert_eq!(health(&shop).await, (200, r#"{"status":"ok"}"#.to_owned()));
        shop.drain().await;
        assert_eq!(shop.getfly.accounts().len(), 1, "{variable}={value}");
        assert_eq!(shop.audit().await, [""; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn everything_that_is_wrong_is_named_at_once() {
    let shop = TestShop::connected(On::Both).await;
    for variable in ["getfly_url", "getfly_api_key", "public_url", "master_key"] {
        shop.app.set_variable(variable, "");
    }
    let (_, problem) = shop.app.connections().await;
    let names: Vec<&str> = problem["variables"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|v| v["variable"].as_str())
        .collect();
    assert_eq!(
        names,
        ["getfly_url", "getfly_api_key", "public_url", "master_key"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_failing_store_is_a_reason_too() {
    let shop = TestShop::connected(On::Both).await;
    shop.app.break_store(true);
    let (status, reasons) = health(&shop).await;
    assert_eq!(status, 503);
    assert!(reasons.contains("key-value store"), "{reasons}");
}
