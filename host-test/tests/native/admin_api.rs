//! Claims: `/api` opens to the admin token alone, and every refusal is a problem (RFC 9457) with its
//! stable type. How: a table of requests.

use bytes::Bytes;
use host_test::{
    admin::Admin,
    shop::{On, TestShop},
    variables::{ADMIN_TOKEN, PUBLIC},
};
use serde_json::Value;
use sim::{Fault, FaultRule};

#[tokio::test(start_paused = true)]
async fn without_the_admin_token_everything_is_401() {
    let shop = TestShop::connected(On::Both).await;
    let wrong = [
        None,
        Some(String::new()),
        Some("Bearer".to_owned()),
        Some("Bearer ".to_owned()),
        Some(ADMIN_TOKEN.to_owned()),
        Some(format!("Basic {ADMIN_TOKEN}")),
        Some(format!("Bearer {ADMIN_TOKEN}x")),
        Some(format!("Bearer {}", &ADMIN_TOKEN[1..])),
        Some(format!("Bearer {}", ADMIN_TOKEN.to_uppercase())),
    ];
    for (method, path) in [
        ("GET", "connections"),
        ("PUT", "connections/shop"),
        ("DELETE", "connections/shop"),
        ("PUT", "connections/shop/webhooks/customer"),
        ("GET", "events"),
        ("GET", "events/1"),
        ("POST", "events/1/retry"),
        ("POST", "preview/shop"),
        ("POST", "drain"),
        ("GET", "nowhere"),
        ("GET", ""),
    ] {
        for authorization in &wrong {
            let mut request = http::Request::builder()
                .method(method)
                .uri(format!("{PUBLIC}/api/{path}"));
            if let Some(value) = authorization {
                request = request.header("authorization", value);
            }
            let answer = shop.app.request(request.body(Bytes::new()).unwrap()).await;
            assert_eq!(answer.status, 401, "{method} {path} {authorization:?}");
            assert_eq!(answer.content_type, Some("application/problem+json"));
            assert!(
                answer
                    .headers
                    .contains(&("www-authenticate", "Bearer".to_owned()))
            );
            let problem: Value = serde_json::from_slice(&answer.body).unwrap();
            assert_eq!(problem["type"], "unauthorized");
        }
    }
    assert_eq!(shop.kiotviet.webhooks().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn refusals_have_stable_types() {
    let shop = TestShop::connected(On::Both).await;
    let put = r#"{"retailer": "cuahangthu", "client_id": "x", "client_secret": "y"}"#;
    let blank = put.replace("cuahangthu", " ");
    let spaced = put.replace("cuahangthu", "a b");
    let long = "x".repeat(65);
    for row in [
        "GET nowhere 404 not-found null",
        "POST connections 405 method-not-allowed null",
        "GET connections/shop 405 method-not-allowed null",
        "GET drain 405 method-not-allowed null",
        "GET preview/shop 405 method-not-allowed null",
        "GET events/1/retry 405 method-not-allowed null",
        "DELETE events/1 405 method-not-allowed null",
        &format!("PUT connections/Shop 400 invalid-request {put}"),
        &format!("PUT connections/{long} 400 invalid-request {put}"),
        "PUT connections/new 400 invalid-request {}",
        "PUT connections/new 400 invalid-request [1]",
        &format!("PUT connections/new 400 invalid-request {blank}"),
        &format!("PUT connections/new 400 invalid-request {spaced}"),
        &format!("PUT connections/new 422 kiotviet-refused-credentials {put}"),
        "DELETE connections/nobody 404 unknown-connection null",
        "PUT connections/nobody/webhooks/order 404 unknown-connection null",
        "PUT connections/shop/webhooks/stock 404 not-found null",
        "GET events/7 404 unknown-event null",
        "GET events/x 404 unknown-event null",
        "POST events/7/retry 404 unknown-event null",
        "GET events?limit=0 400 invalid-request null",
        "GET events?state=lost 400 invalid-request null",
        "GET events?before=x 400 invalid-request null",
        "POST preview/nobody 404 unknown-connection {}",
        "POST preview/shop 422 unreadable {}",
    ] {
        let [method, path, status, kind, body] =
            <[&str; 5]>::try_from(row.splitn(5, ' ').collect::<Vec<_>>()).unwrap();
        let (status, body) = (status.parse().unwrap(), serde_json::from_str(body).unwrap());
        let (got, problem) = shop.app.call(method, path, &body).await;
        assert_eq!(
            (got, problem["type"].as_str()),
            (status, Some(kind)),
            "{method} {path}"
        );
        assert_eq!(problem["status"], status);
        assert!(problem["title"].is_string() && problem["detail"].is_string());
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_too_large_or_no_json_is_refused() {
    let shop = TestShop::connected(On::Both).await;
    for (body, status) in [("{", 400), ("", 400), ("\u{0}", 400)] {
        let request = http::Request::put(format!("{PUBLIC}/api/connections/new"))
            .header("authorization", format!("Bearer {ADMIN_TOKEN}"))
            .body(Bytes::from(body))
            .unwrap();
        assert_eq!(shop.app.request(request).await.status, status);
    }
    let request = http::Request::post(format!("{PUBLIC}/api/preview/shop"))
        .header("authorization", format!("Bearer {ADMIN_TOKEN}"))
        .body(Bytes::from(vec![b' '; 5 * 1024 * 1024 + 1]))
        .unwrap();
    assert_eq!(shop.app.request(request).await.status, 413);
}

#[tokio::test(start_paused = true)]
async fn a_failing_store_and_a_failing_kiotviet_are_told_apart() {
    let shop = TestShop::connected(On::Both).await;
    shop.kiotviet_faults
        .add(FaultRule::new(Fault::HtmlError(502)));
    let (status, problem) = shop.switch("order", true).await;
    assert_eq!(
        (status, &problem["type"]),
        (502, &"kiotviet-unreachable".into())
    );
    // The list is for reading: it says what it does not know.
    let (status, list) = shop.app.connections().await;
    assert_eq!(status, 200);
    let order = &list["connections"][0]["webhooks"]["order"];
    assert!(order["kiotviet"]["error"].is_string(), "{order}");

    shop.app.break_store(true);
    for (method, path) in [
        ("GET", "events"),
        ("GET", "connections"),
        ("DELETE", "connections/shop"),
    ] {
        let (status, problem) = shop.app.call(method, path, &Value::Null).await;
        assert_eq!(
            (status, &problem["type"]),
            (503, &"store-unavailable".into())
        );
    }
    let (status, drained) = shop.app.drain().await;
    assert_eq!(status, 503, "{drained}");
}

#[tokio::test(start_paused = true)]
async fn events_are_listed_newest_first_in_pages_and_by_state() {
    let shop = TestShop::connected(On::Both).await;
    let hook = shop.kiotviet.webhooks()[0].url.clone();
    for n in 0..7 {
        let body = if n % 3 == 0 {
            "garbage"
        } else {
            r#"{"RemoveId":[1]}"#
        };
        let request = http::Request::post(&hook).body(Bytes::from(body)).unwrap();
        shop.app.request(request).await;
    }
    let seqs = |list: &Value| -> Vec<u64> {
        let events = list["events"].as_array().unwrap().iter();
        events.filter_map(|e| e["seq"].as_u64()).collect()
    };
    let (_, page) = shop.app.events("limit=3").await;
    assert_eq!(
        (seqs(&page), &page["next_before"]),
        (vec![7, 6, 5], &5.into())
    );
    let (_, page) = shop.app.events("limit=4&before=5").await;
    assert_eq!(
        (seqs(&page), &page["next_before"]),
        (vec![4, 3, 2, 1], &Value::Null)
    );
    let (_, page) = shop.app.events("state=dead").await;
    assert_eq!(seqs(&page), [7, 4, 1]);
    let (_, page) = shop.app.events("connection=other").await;
    assert_eq!(seqs(&page), [0; 0]);
}

/// The status of a request with this token.
async fn asked(shop: &TestShop, method: &str, path: &str, token: &str) -> u16 {
    let request = http::Request::builder()
        .method(method)
        .uri(format!("{PUBLIC}{path}"))
        .header("authorization", format!("Bearer {token}"));
    let request = request.body(Bytes::new()).expect("a request");
    shop.app.request(request).await.status
}

#[tokio::test(start_paused = true)]
async fn a_routes_own_token_opens_that_route_only_and_the_admin_token_opens_all() {
    let (metrics, drain) = ("a-token-for-metrics-only", "a-token-for-drains-only");
    let shop = TestShop::connected(On::Both).await;
    assert_eq!(asked(&shop, "GET", "/metrics", metrics).await, 401);
    shop.app.set_variable("metrics_token", metrics);
    shop.app.set_variable("drain_token", drain);
    for (method, path, opened_by) in [
        ("GET", "/metrics", vec![ADMIN_TOKEN, metrics]),
        ("POST", "/api/drain", vec![ADMIN_TOKEN, drain]),
        ("GET", "/api/events", vec![ADMIN_TOKEN]),
        ("GET", "/api/overview", vec![ADMIN_TOKEN]),
    ] {
        for token in [ADMIN_TOKEN, metrics, drain] {
            let expected = if opened_by.contains(&token) { 200 } else { 401 };
            let status = asked(&shop, method, path, token).await;
            assert_eq!(status, expected, "{method} {path} {token}");
        }
    }
}
