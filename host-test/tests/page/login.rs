//! Claims: nothing of the page opens without the admin token; a session is bound to that token and to
//! its time; no form changes anything without the session's own mark; wrong tokens are slowed, and the right
//! one always opens. How: a person at the natively run plugin, with forged, expired and
//! missing cookies and marks, and a look at the store and at both vendors.

use bytes::Bytes;
use host_test::{
    admin::Admin,
    shop::{On, TestShop},
    variables::{ADMIN_TOKEN, GETFLY, PUBLIC},
    visitor::Visitor,
};
use plugin::web::{Body, BodyError, Inbound};
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
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
const FORMS: [&str; 16] = [
    "/ui/logout",
    "/ui/logout-everywhere",
    "/ui/connect",
    "/ui/shops/shop/webhooks/customer/on",
    "/ui/shops/shop/webhooks/customer/off",
    "/ui/shops/shop/webhooks/order/off",
    "/ui/shops/shop/disconnect",
    "/ui/shops/shop/backfill",
    "/ui/shops/shop/backfill/stop",
    "/ui/shops/shop/rotate",
    "/ui/shops/shop/rotate-now",
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

/// Panics if the last request wrote anything or called a vendor.
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

/// `/metrics`, as the admin sees it.
async fn metrics(shop: &TestShop) -> String {
    let asked = http::Request::get(format!("{PUBLIC}/metrics"))
        .header("authorization", format!("Bearer {ADMIN_TOKEN}"));
    let asked = asked.body(Bytes::new()).expect("a request");
    let (answer, _) = shop.app.answer(asked).await;
    String::from_utf8(answer.body).expect("text")
}

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
async fn an_expired_session_is_told_and_leads_back_to_the_form_with_what_was_typed() {
    let shop = shop().await;
    let mut visitor = Visitor::inside(&shop.app).await;
    let cookie = visitor.cookies.clone();
    shop.pass(12 * 3600 + 1).await;
    // The browser still sends the cookie.
    let shown = visitor.get("/ui/events").await;
    assert_eq!(shown.location(), "/?next=%2Fui%2Fevents");
    let form = visitor.get("/?next=%2Fui%2Fevents").await;
    assert!(form.html.contains("Phiên đăng nhập đã hết hạn"));
    assert_eq!(form.field("next"), Some("/ui/events"));

    let typed = [
        ("retailer", "\"><script>"),
        ("client_id", "typed-id"),
        ("client_secret", "s3cret"),
    ];
    shop.app.take_stored();
    let form = visitor.post("/ui/connect", &typed).await;
    untouched(&shop, "/ui/connect");
    assert_eq!(form.status, 403);
    assert!(form.html.contains("Phiên đăng nhập đã hết hạn"));
    assert!(!form.html.contains("<script") && !form.html.contains("s3cret"));
    assert!(!form.html.contains("name=\"csrf\"") && !form.html.contains(&visitor.csrf));
    assert_eq!(form.field("next"), Some("/ui/connect"));
    assert_eq!(form.field("kept-client_id"), Some("typed-id"));
    let again = [
        ("token", "wrong"),
        ("next", "/ui/connect"),
        ("kept-retailer", "\"><script>"),
        ("kept-client_id", "typed-id"),
        ("kept-csrf", "x"),
        ("kept-client_secret", "s3cret"),
    ];
    let form = visitor.send("POST", "/ui/login", &again).await;
    assert_eq!(form.status, 403);
    assert_eq!(form.field("kept-client_id"), Some("typed-id"));
    assert!(!form.html.contains("s3cret"));
    let mut again = again;
    again[0].1 = ADMIN_TOKEN;
    let page = visitor.send("POST", "/ui/login", &again).await;
    assert_eq!(page.status, 200);
    assert_eq!(page.field("client_id"), Some("typed-id"), "{}", page.html);
    assert!(page.html.contains("action=\"/ui/connect\"") && page.html.contains("/ui/logout"));
    assert!(!page.html.contains("<script") && !page.html.contains("s3cret"));
    // Its token is the new session's.
    visitor.csrf = page.field("csrf").expect("a token").to_owned();
    let shown = visitor.post("/ui/shops/shop/webhooks/order/off", &[]).await;
    assert_eq!(shown.location(), "/ui/shops/shop?done=switched");

    // An address of another site is not gone to, and a stranger's form is not read.
    again[1].1 = "//evil.test";
    let page = visitor.send("POST", "/ui/login", &again).await;
    assert!(page.html.contains("<h1>Tổng quan</h1>"), "{}", page.html);
    let mut forged = Visitor::new(&shop.app);
    forged
        .cookies
        .insert("__Host-kvgf".into(), "1.0.x.y".into());
    let shown = forged.send("POST", "/ui/connect", &typed).await;
    assert_eq!((shown.status, shown.location()), (303, "/"));
    // More than the log-in form holds is not carried.
    visitor.cookies = cookie;
    let long = "x".repeat(5000);
    let form = visitor
        .post("/ui/try", &[("payload", &long), ("code", "HD1")])
        .await;
    assert!(form.html.contains("Phiên đăng nhập đã hết hạn"));
    assert!(!form.html.contains("kept-"), "{}", form.html);
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
    // Old browsers do not state a request's origin.
    visitor.fetch_site = None;
    let shown = visitor.post("/ui/shops/shop/webhooks/order/off", &[]).await;
    assert_eq!(shown.location(), "/ui/shops/shop?done=switched");
    assert_eq!(shop.kiotviet.webhooks().len(), 1);
}

/// Failed log-ins over page, API and metrics, and the time of the last answer.
async fn guess(shop: &TestShop, times: usize) -> Duration {
    let mut took = Duration::ZERO;
    for n in 0..times {
        let began = tokio::time::Instant::now();
        let wrong = format!("a-wrong-token-of-some-length-{n}");
        let path = match n % 3 {
            0 => {
                let shown = Visitor::new(&shop.app).log_in(&wrong).await;
                assert_eq!(shown.status, 403);
                assert!(shown.html.contains("Mã quản trị không đúng"));
                assert!(!shown.html.contains("a-wrong-token"), "never given back");
                took = began.elapsed();
                continue;
            }
            1 => "/api/events",
            _ => "/metrics",
        };
        let request = http::Request::get(format!("{PUBLIC}{path}"))
            .header("authorization", format!("Bearer {wrong}"))
            .header("spin-client-addr", "203.0.113.7:4711");
        let request = request.body(Bytes::new()).expect("a request");
        assert_eq!(shop.app.answer(request).await.0.status, 401);
        took = began.elapsed();
    }
    took
}

#[tokio::test(start_paused = true)]
async fn failed_log_ins_are_slowed_wherever_they_are_tried_and_the_right_token_always_opens() {
    let shop = shop().await;
    let mut inside = Visitor::inside(&shop.app).await;
    shop.app.take_stored();
    assert_eq!(guess(&shop, 5).await, Duration::ZERO, "people mistype");
    assert_eq!(guess(&shop, 300).await, Duration::from_millis(250));
    untouched(&shop, "a failed log-in");
    let began = tokio::time::Instant::now();
    for _ in 0..50 {
        assert_eq!(
            Visitor::new(&shop.app).log_in(ADMIN_TOKEN).await.status,
            303
        );
    }
    assert_eq!(inside.get("/ui/events").await.status, 200);
    assert_eq!(shop.app.look("events").await.0, 200);
    assert_eq!(began.elapsed(), Duration::ZERO);
    shop.pass(60).await;
    assert_eq!(guess(&shop, 5).await, Duration::ZERO);

    let lines: Vec<String> = shop.app.log();
    let told: Vec<&String> = lines
        .iter()
        .filter(|line| line.contains("failed log-in"))
        .collect();
    assert!((10..=30).contains(&told.len()), "{}", told.len());
    assert!(
        told.iter()
            .any(|line| line.contains("\"client\":\"203.0.113.7:4711\""))
    );
    assert!(
        told.iter()
            .any(|line| line.contains("\"door\":\"metrics\""))
    );
    assert!(told.iter().all(|line| !line.contains("a-wrong-token")));
    let page = metrics(&shop).await;
    assert!(page.contains("\nkvgf_failed_log_ins_total 310\n"), "{page}");
}

#[tokio::test(start_paused = true)]
async fn what_is_no_address_is_not_told_as_the_clients() {
    let shop = shop().await;
    let request = http::Request::get(format!("{PUBLIC}/api/events"))
        .header("authorization", "Bearer wrong")
        .header("spin-client-addr", "0912345678 says hello");
    shop.app
        .answer(request.body(Bytes::new()).expect("a request"))
        .await;
    let lines = shop.app.log();
    let told = lines
        .iter()
        .find(|line| line.contains("failed log-in"))
        .expect("a line");
    assert!(!told.contains("client"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn a_weak_token_opens_and_is_warned_about() {
    let shop = shop().await;
    let warned = "dễ bị đoán";
    let mut visitor = Visitor::inside(&shop.app).await;
    assert!(!visitor.get("/").await.html.contains(warned));
    let weak = "aaaaaaaaaaaaaaaaaaaa";
    shop.app.set_variable("admin_token", weak);
    let mut visitor = Visitor::new(&shop.app);
    assert_eq!(visitor.log_in(weak).await.status, 303);
    let first = visitor.get("/").await;
    assert!(first.html.contains(warned) && first.html.contains("<code>admin_token</code>"));
    assert!(!first.html.contains(weak));
}

#[tokio::test(start_paused = true)]
async fn of_many_session_cookies_only_the_first_few_are_looked_at() {
    let shop = shop().await;
    let inside = Visitor::inside(&shop.app).await;
    let ours = &inside.cookies["__Host-kvgf"];
    for (before, status) in [(3, 200), (4, 303)] {
        let junk = "__Host-kvgf=junk; ".repeat(before);
        let request = http::Request::get(format!("{PUBLIC}/ui/events"))
            .header("cookie", format!("{junk}__Host-kvgf={ours}"));
        let (answer, _) = shop
            .app
            .answer(request.body(Bytes::new()).expect("a request"))
            .await;
        assert_eq!(answer.status, status, "behind {before}");
    }
}

/// A form's body that records how much of it was read.
struct Asked(Arc<Mutex<Vec<usize>>>, Vec<u8>);

impl Body for Asked {
    async fn read(self, limit: usize) -> Result<Vec<u8>, BodyError> {
        self.0.lock().expect("no panic").push(limit);
        if self.1.len() > limit {
            return Err(BodyError::TooLarge);
        }
        Ok(self.1)
    }
}

#[tokio::test(start_paused = true)]
async fn a_form_is_read_as_far_as_its_sender_is_trusted_and_one_from_elsewhere_not_at_all() {
    let shop = shop().await;
    let inside = Visitor::inside(&shop.app).await;
    let cookie = format!("__Host-kvgf={}", inside.cookies["__Host-kvgf"]);
    let send = async |path: &str, cookie: Option<&str>, site: &str, body: &[u8]| {
        let asked = Arc::default();
        let request = Inbound {
            method: "POST".to_owned(),
            path: path.to_owned(),
            query: None,
            authorization: None,
            signature: None,
            cookie: cookie.map(str::to_owned),
            fetch_site: Some(site.to_owned()),
            client: None,
            body: Asked(Arc::clone(&asked), body.to_vec()),
        };
        let (answer, _) = plugin::app::handle(&shop.app, &shop.app.config(), request).await;
        let asked = asked.lock().expect("no panic").clone();
        (answer.status, asked)
    };
    let (ours, kib) = (Some(cookie.as_str()), 1024);
    for (path, cookie, most) in [
        ("/ui/login", None, 4 * kib),
        ("/ui/login", ours, 4 * kib),
        ("/ui/connect", ours, 64 * kib),
        ("/ui/events/1/retry", ours, 64 * kib),
        ("/ui/try", ours, 5 * kib * kib),
    ] {
        let (status, asked) = send(path, cookie, "same-origin", b"csrf=x").await;
        assert_eq!((status, asked), (403, vec![most]), "{path}");
        let large = vec![b'a'; most + 1];
        assert_eq!(
            send(path, cookie, "same-origin", &large).await.0,
            413,
            "{path}"
        );
        let fields = "a&".repeat(201);
        let sent = send(path, cookie, "same-origin", fields.as_bytes()).await;
        assert_eq!(sent.0, 400, "{path}: more fields than any form has");
        for site in ["cross-site", "same-site"] {
            let sent = send(path, cookie, site, b"csrf=x").await;
            assert_eq!(sent, (403, Vec::new()), "{path} from elsewhere");
        }
    }
    assert_eq!(
        send("/ui/connect", None, "same-origin", b"").await,
        (303, Vec::new())
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
async fn logging_out_ends_the_session_and_everywhere_ends_all() {
    let shop = shop().await;
    let mut first = Visitor::inside(&shop.app).await;
    let mut second = Visitor::inside(&shop.app).await;
    // What a thief has copied.
    let mut copied = Visitor::new(&shop.app);
    copied.cookies = first.cookies.clone();
    assert_eq!(copied.get("/ui/events").await.status, 200);
    first.post("/ui/logout", &[]).await;
    assert_eq!(copied.get("/ui/events").await.status, 303);
    assert_eq!(second.get("/ui/events").await.status, 200);

    let mut third = Visitor::inside(&shop.app).await;
    copied.cookies = third.cookies.clone();
    let page = second.get("/").await.html;
    assert!(page.contains("Đăng xuất mọi nơi"), "{page}");
    let shown = second.post("/ui/logout-everywhere", &[]).await;
    assert_eq!(shown.location(), "/?done=out");
    for gone in [&mut second, &mut third, &mut copied] {
        assert_eq!(gone.get("/ui/events").await.status, 303);
    }
    // Another instance knows it too, and a new log-in is inside.
    let other = shop.app.another(99);
    let mut there = Visitor::new(&other);
    there.cookies = copied.cookies.clone();
    assert_eq!(there.get("/ui/events").await.status, 303);
    assert_eq!(
        Visitor::inside(&shop.app)
            .await
            .get("/ui/events")
            .await
            .status,
        200
    );
}

#[tokio::test(start_paused = true)]
async fn sessions_that_were_logged_out_of_leave_little() {
    let shop = shop().await;
    for hours in 0..30 {
        let mut visitor = Visitor::inside(&shop.app).await;
        visitor.post("/ui/logout", &[]).await;
        shop.pass(3600).await;
        let kept = shop.app.store.dump();
        let kept = kept
            .keys()
            .filter(|key| key.starts_with("kvgf/sessions/ended/"));
        assert!(kept.count() <= 13, "after {hours} hours");
    }
}

#[tokio::test(start_paused = true)]
async fn what_people_do_is_told_and_counted_without_the_token() {
    let shop = shop().await;
    let mut visitor = Visitor::inside(&shop.app).await;
    visitor.post("/ui/events/1/dismiss", &[]).await;
    visitor.post("/ui/shops/shop/webhooks/order/off", &[]).await;
    visitor.post("/ui/events/99/dismiss", &[]).await;
    visitor.post("/ui/logout", &[]).await;
    let rotate = http::Request::post(format!("{PUBLIC}/api/connections/shop/rotate"))
        .header("authorization", format!("Bearer {ADMIN_TOKEN}"))
        .header("spin-client-addr", "203.0.113.7:4711");
    shop.app
        .request(rotate.body(Bytes::new()).expect("a request"))
        .await;
    let (status, _) = shop
        .app
        .call("POST", "connections/other/rotate", &json!({}))
        .await;
    assert_eq!(status, 404);
    let getfly = json!({"getfly_url": GETFLY});
    assert_eq!(shop.app.call("POST", "getfly", &getfly).await.0, 200);

    let told: Vec<Value> = shop
        .app
        .log()
        .iter()
        .filter_map(|line| {
            let line: Value = serde_json::from_str(line).expect("JSON");
            (line["message"] == "security").then_some(line)
        })
        .collect();
    let acts: Vec<_> = told
        .iter()
        .map(|line| (&line["act"], &line["token"], &line["about"]))
        .collect();
    let expected = json!([
        ["connect", "admin_token", "shop"],
        ["switch", "admin_token", "shop"],
        ["switch", "admin_token", "shop"],
        ["log_in", "admin_token", null],
        ["dismiss", "session", "1"],
        ["switch", "session", "shop"],
        ["log_out", "session", null],
        ["rotate", "admin_token", "shop"],
        ["getfly", "admin_token", null],
    ]);
    assert_eq!(json!(acts), expected);
    assert_eq!(told[7]["client"], "203.0.113.7:4711");
    let whole = shop.app.log().join("\n");
    assert!(!whole.contains(ADMIN_TOKEN) && !whole.contains(&visitor.csrf));
    let page = metrics(&shop).await;
    for line in [
        "{act=\"switch\"} 3",
        "{act=\"rotate\"} 1",
        "{act=\"dismiss\"} 1",
    ] {
        assert!(
            page.contains(&format!("kvgf_security_events_total{line}\n")),
            "{page}"
        );
    }
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
async fn everyone_sees_that_the_admin_token_is_missing_and_the_rest_is_only_inside() {
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
    // Pages that need no upstream are shown; all others say what is missing.
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
