//! Claims: nothing of the page opens without the admin token; a session is bound to that token and to
//! its time; no form changes anything without the session's own mark; wrong tokens are limited and
//! a person inside goes on. How: a person at the natively run plugin, with forged, expired and
//! missing cookies and marks, and a look at the store and at both vendors.

use host_test::{
    admin::Admin,
    native::Cell,
    shop::{On, TestShop},
    variables::ADMIN_TOKEN,
    visitor::Visitor,
};

/// Every address that shows something.
const PAGES: [&str; 11] = [
    "/ui/shops",
    "/ui/connect",
    "/ui/shops/shop",
    "/ui/shops/shop/disconnect",
    "/ui/shops/shop/staff",
    "/ui/shops/shop/backfill",
    "/ui/events",
    "/ui/events?state=dead",
    "/ui/events/1",
    "/ui/try",
    "/ui/nowhere",
];

/// Every address that changes something, or could.
const FORMS: [&str; 13] = [
    "/ui/logout",
    "/ui/connect",
    "/ui/shops/shop/webhooks/customer/on",
    "/ui/shops/shop/webhooks/customer/off",
    "/ui/shops/shop/webhooks/order/off",
    "/ui/shops/shop/disconnect",
    "/ui/shops/shop/backfill",
    "/ui/shops/shop/backfill/stop",
    "/ui/events/retry-dead",
    "/ui/events/1/retry",
    "/ui/events/1/dismiss",
    "/ui/try",
    "/ui/nowhere",
];

/// A shop with one dead letter.
async fn shop() -> TestShop {
    let shop = TestShop::connected(On::Both).await;
    let hook = shop.kiotviet.webhooks()[0].url.clone();
    let garbage = http::Request::post(&hook).body("garbage".into());
    shop.app.request(garbage.expect("a request")).await;
    shop.app.take_stored();
    shop.app.take_calls();
    shop
}

/// Panics when the last request wrote anything or called anybody.
fn untouched(shop: &TestShop, what: &str) {
    let written: Vec<_> = shop
        .app
        .take_stored()
        .into_iter()
        .filter(|s| s.is_write())
        .collect();
    assert!(written.is_empty(), "{what}: {written:?}");
    let calls = shop.app.take_calls();
    assert!(calls.is_empty(), "{what}: {calls:?}");
}

const CONNECT: [(&str, &str); 3] = [
    ("retailer", "other"),
    ("client_id", "id"),
    ("client_secret", "secret"),
];

#[tokio::test(start_paused = true)]
async fn without_a_session_every_page_leads_to_the_log_in_and_nothing_is_written() {
    let shop = shop().await;
    let mut visitor = Visitor::new(&shop.app);
    for path in PAGES {
        let shown = visitor.get(path).await;
        assert_eq!(shown.status, 303, "{path}");
        assert!(shown.location().starts_with("/?next=%2Fui%2F"), "{path}");
        assert!(shown.html.is_empty());
        untouched(&shop, path);
    }
    for path in FORMS {
        let shown = visitor.send("POST", path, &CONNECT).await;
        assert_eq!((shown.status, shown.location()), (303, "/"), "{path}");
        untouched(&shop, path);
    }
    let first = visitor.get("/").await;
    assert_eq!(first.status, 200);
    assert!(first.html.contains("action=\"/ui/login\"") && !first.html.contains("cuahangthu"));
    assert_eq!(shop.kiotviet.webhooks().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_admin_token_opens_and_logging_out_closes() {
    let shop = shop().await;
    let mut visitor = Visitor::new(&shop.app);
    visitor.get("/ui/events").await;
    let form = visitor.get("/?next=%2Fui%2Fevents").await;
    assert_eq!(form.field("next"), Some("/ui/events"));
    let fields = [("token", ADMIN_TOKEN), ("next", "/ui/events")];
    let entered = visitor.send("POST", "/ui/login", &fields).await;
    assert_eq!((entered.status, entered.location()), (303, "/ui/events"));
    // The tests' address is https.
    let cookie = entered.header("set-cookie").expect("a cookie");
    assert!(
        cookie.starts_with("__Host-kvgf=") && cookie.ends_with("; Secure"),
        "{cookie}"
    );
    assert!(!cookie.contains(ADMIN_TOKEN));

    let mut visitor = Visitor::inside(&shop.app).await;
    for path in PAGES {
        let shown = visitor.get(path).await;
        let expected = if path == "/ui/nowhere" { 404 } else { 200 };
        assert_eq!(shown.status, expected, "{path}");
    }
    let out = visitor.post("/ui/logout", &[]).await;
    assert_eq!(out.status, 303);
    assert!(
        out.header("set-cookie")
            .expect("a cookie")
            .contains("Max-Age=0")
    );
    assert_eq!(visitor.get("/ui/events").await.status, 303);
}

#[tokio::test(start_paused = true)]
async fn a_session_ends_with_its_time_and_with_its_token() {
    let shop = shop().await;
    let mut visitor = Visitor::inside(&shop.app).await;
    shop.pass(12 * 3600 - 5).await;
    assert_eq!(visitor.get("/ui/events").await.status, 200);
    // Another instance knows it too.
    let other = shop.app.another(99);
    let mut there = Visitor::new(&other);
    there.cookies = visitor.cookies.clone();
    assert_eq!(there.get("/ui/events").await.status, 200);
    shop.pass(6).await;
    assert_eq!(visitor.get("/ui/events").await.status, 303);

    let mut visitor = Visitor::inside(&shop.app).await;
    shop.app
        .set_variable("admin_token", "quite-another-admin-token");
    assert_eq!(visitor.get("/ui/events").await.status, 303);
    shop.app.set_variable("admin_token", ADMIN_TOKEN);
    assert_eq!(visitor.get("/ui/events").await.status, 200);
    for forged in ["", "x", "9999999999.AAAA.AAAA", "9999999999.AAAA."] {
        visitor.cookies.insert("__Host-kvgf".into(), forged.into());
        assert_eq!(visitor.get("/ui/events").await.status, 303, "{forged}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_form_does_anything_without_this_sessions_mark() {
    let shop = shop().await;
    let other = Visitor::inside(&shop.app).await.csrf;
    let mut visitor = Visitor::inside(&shop.app).await;
    let right = visitor.csrf.clone();
    assert_ne!(other, right);
    let backwards: String = right.chars().rev().collect();
    shop.app.take_stored();
    for csrf in ["", "x", &other, &backwards, &right[1..]] {
        visitor.csrf = csrf.to_owned();
        for path in FORMS.iter().filter(|p| !p.ends_with("nowhere")) {
            let shown = visitor.post(path, &CONNECT).await;
            assert_eq!(shown.status, 403, "{path} {csrf}");
            assert!(shown.html.contains("Biểu mẫu đã hết hạn"), "{path}");
            untouched(&shop, path);
        }
    }
    visitor.csrf = right;
    for site in ["cross-site", "same-site", "none of these"] {
        visitor.fetch_site = Some(site);
        for path in FORMS.iter().filter(|p| !p.ends_with("nowhere")) {
            let shown = visitor.post(path, &CONNECT).await;
            assert_eq!(shown.status, 403, "{path} {site}");
            untouched(&shop, path);
        }
    }
    // Old browsers do not say where they come from.
    visitor.fetch_site = None;
    let shown = visitor.post("/ui/shops/shop/webhooks/order/off", &[]).await;
    assert_eq!(shown.location(), "/ui/shops/shop?done=switched");
    assert_eq!(shop.kiotviet.webhooks().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn wrong_tokens_are_limited_and_whoever_is_inside_goes_on() {
    let shop = shop().await;
    let mut inside = Visitor::inside(&shop.app).await;
    // A window of its own.
    shop.pass(300 - 4).await;
    let mut visitor = Visitor::new(&shop.app);
    for _ in 0..20 {
        let shown = visitor.log_in("a-wrong-token-of-some-length").await;
        assert_eq!(shown.status, 403);
        assert!(shown.html.contains("Mã quản trị không đúng"));
        assert!(!shown.html.contains("a-wrong-token"), "never given back");
    }
    // Even the right one now, or guessing would go on.
    let shown = visitor.log_in(ADMIN_TOKEN).await;
    assert_eq!(shown.status, 429);
    let wait: u64 = shown
        .header("retry-after")
        .expect("when")
        .parse()
        .expect("seconds");
    assert!((1..=300).contains(&wait), "{wait}");
    assert!(shown.html.contains(&wait.to_string()));
    assert_eq!(inside.get("/ui/events").await.status, 200);
    assert_eq!(shop.app.look("events").await.0, 200);

    shop.pass(wait).await;
    assert_eq!(visitor.log_in(ADMIN_TOKEN).await.status, 303);
}

#[tokio::test(start_paused = true)]
async fn right_tokens_do_not_count_and_old_windows_leave_nothing() {
    let shop = shop().await;
    for _ in 0..50 {
        let mut visitor = Visitor::new(&shop.app);
        assert_eq!(visitor.log_in(ADMIN_TOKEN).await.status, 303);
    }
    for wait in [300, 300, 86_400, 300] {
        shop.pass(wait).await;
        Visitor::new(&shop.app).log_in("wrong").await;
    }
    let kept = shop.app.store.dump();
    let kept: Vec<_> = kept
        .iter()
        .filter(|(key, _)| key.starts_with("kvgf/login/"))
        .collect();
    assert_eq!(kept.len(), 2, "{kept:?}");
    assert!(
        kept.iter().any(|(_, cell)| **cell == Cell::Counter(1)),
        "{kept:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_log_in_from_another_website_does_not_count() {
    let shop = shop().await;
    let mut visitor = Visitor::new(&shop.app);
    visitor.fetch_site = Some("cross-site");
    for _ in 0..30 {
        assert_eq!(visitor.log_in("wrong").await.status, 403);
    }
    visitor.fetch_site = Some("same-origin");
    assert_eq!(visitor.log_in(ADMIN_TOKEN).await.status, 303);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_is_said_in_words() {
    let shop = shop().await;
    let mut visitor = Visitor::inside(&shop.app).await;
    shop.app.break_store(true);
    for path in ["/", "/ui/events", "/ui/shops"] {
        let shown = visitor.get(path).await;
        assert_eq!(shown.status, 503, "{path}");
        assert!(shown.html.contains("Kho lưu trữ không trả lời"), "{path}");
    }
    let shown = Visitor::new(&shop.app).log_in(ADMIN_TOKEN).await;
    assert_eq!(shown.status, 503);
}

#[tokio::test(start_paused = true)]
async fn a_missing_admin_token_is_said_to_anybody_and_the_rest_only_inside() {
    let shop = shop().await;
    let mut visitor = Visitor::inside(&shop.app).await;
    shop.app.set_variable("getfly_api_key", "");
    shop.app
        .set_variable("public_url", "ftp://user:password@example.vn");
    for lang in ["vi", "en"] {
        let shown = Visitor::new(&shop.app).get(&format!("/?lang={lang}")).await;
        assert_eq!(shown.status, 200);
        assert!(!shown.html.contains("getfly_api_key"));
    }
    // What needs no upstream is shown, everything else says what is missing.
    visitor.cookies.clear();
    let mut visitor = Visitor::inside(&shop.app).await;
    for path in ["/", "/ui/shops", "/ui/shops/shop", "/ui/try"] {
        let shown = visitor.get(path).await;
        assert_eq!(shown.status, if path == "/" { 200 } else { 503 });
        assert!(
            shown.html.contains("getfly_api_key") && shown.html.contains("public_url"),
            "{path}"
        );
        assert!(shown.html.contains("Getfly API Key"), "{path}");
        assert!(!shown.html.contains("password@"), "{path}");
    }
    assert_eq!(visitor.get("/ui/events").await.status, 200);

    shop.app.set_variable("admin_token", "too-short");
    for (lang, words) in [
        ("vi", "Cần hoàn tất cài đặt"),
        ("en", "The installation needs attention"),
    ] {
        for path in ["/", "/ui/events"] {
            let shown = Visitor::new(&shop.app)
                .get(&format!("{path}?lang={lang}"))
                .await;
            assert_eq!(shown.status, 503);
            assert!(
                shown.html.contains(words) && shown.html.contains("admin_token"),
                "{path}"
            );
            assert!(!shown.html.contains("too-short") && !shown.html.contains("password@"));
        }
    }
}
