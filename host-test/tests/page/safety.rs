//! Claims: whatever a shop, a vendor or an attacker writes, the page shows it as text; no page holds a
//! secret, a script or anything from elsewhere; every answer carries the headers that keep a browser
//! to that. How: a shop full of hostile names and secrets, every page in both languages, and a search
//! in each answer.

use host_test::{
    admin::Admin,
    shop::{On, TestShop, hoa, sale},
    variables::{ADMIN_TOKEN, GETFLY, KIOTVIET, MASTER_KEY, PUBLIC},
    visitor::{Shown, Visitor},
};
use sim::{
    getfly::User,
    kiotviet::{NewCustomer, NewInvoice, Staff},
};

const HOSTILE: &str = r#"<script>alert(1)</script>"'><img src=x onerror=alert(2)>&amp;"#;

const PAGES: [&str; 18] = [
    "/",
    "/ui/shops",
    "/ui/connect",
    "/ui/connect?retailer=%22%3E%3Cscript%3E",
    "/ui/shops/shop",
    "/ui/shops/shop?done=%3Cscript%3E",
    "/ui/shops/shop/disconnect",
    "/ui/shops/shop/staff",
    "/ui/shops/shop/backfill",
    "/ui/events",
    "/ui/events?state=dead&connection=%22%3E%3Cscript%3E&back=%22%3E%3Cscript%3E",
    "/ui/events?before=2&back=%22%3E%3Cscript%3E.%22",
    "/ui/events/1",
    "/ui/events/2",
    "/ui/events/3",
    "/ui/events/%3Cscript%3E",
    "/ui/try",
    "/ui/%22%3E%3Cscript%3E",
];

/// Customers, invoices, sellers and refusals, all with hostile texts.
async fn hostile() -> TestShop {
    let shop = TestShop::connected(On::Both).await;
    shop.refuse_accounts(1);
    shop.kiotviet.create_customer(NewCustomer {
        name: HOSTILE.to_owned(),
        comments: Some(HOSTILE.to_owned()),
        code: Some(HOSTILE.to_owned()),
        ..hoa()
    });
    shop.kiotviet.create_invoice(NewInvoice {
        code: Some(HOSTILE.to_owned()),
        ..sale(None)
    });
    for (id, phone) in [
        (5001, HOSTILE),
        (5002, "0900 000 501"),
        (5003, "0900 000 502"),
    ] {
        shop.kiotviet.add_staff(Staff::new(id, "x", HOSTILE, phone));
    }
    shop.getfly
        .add_user(User::new(7, HOSTILE, HOSTILE, "0900000501"));
    shop.deliver().await;
    shop
}

/// Marks that only our own markup may hold.
fn only_text(shown: &Shown, what: &str) {
    let html = &shown.html;
    for part in [
        "<script",
        "<img",
        "onerror=alert(2)>",
        "javascript:",
        " onload",
        " onclick",
        " style=",
    ] {
        assert!(!html.contains(part), "{part} in {what}: {html}");
    }
    // Only an event leads elsewhere: to both vendors.
    let ways = ["https://cuahangthu.kiotviet.vn/man/#/", GETFLY];
    let way = ways.map(|way| format!("<a href=\"{way}"));
    let mut rest = html.clone();
    for way in &way {
        rest = rest.replace(way.as_str(), "");
    }
    assert!(
        !rest.contains("=\"http"),
        "something from elsewhere in {what}"
    );
}

/// Every page and every form's answer, in both languages.
async fn everything(shop: &TestShop) -> Vec<(String, Shown)> {
    let mut seen = Vec::new();
    for lang in ["vi", "en"] {
        let mut outside = Visitor::new(&shop.app);
        seen.push((
            format!("log-in {lang}"),
            outside
                .get(&format!("/?lang={lang}&next=%22%3E%3Cscript%3E"))
                .await,
        ));
        seen.push((
            format!("wrong token {lang}"),
            outside
                .send(
                    "POST",
                    "/ui/login",
                    &[("token", HOSTILE), ("next", HOSTILE)],
                )
                .await,
        ));
        let mut visitor = Visitor::inside(&shop.app).await;
        visitor.get(&format!("/?lang={lang}")).await;
        for path in PAGES {
            seen.push((format!("{path} {lang}"), visitor.get(path).await));
        }
        let payload = r#"{"Id":"x","Attempt":1,"Notifications":[{"Action":"customer.update.500123456","Data":[{"Id":20000001}]},{"Action":"<script>","Data":[{"Id":1}]}]}"#;
        for (path, fields) in [
            (
                "/ui/connect",
                vec![
                    ("retailer", HOSTILE),
                    ("client_id", HOSTILE),
                    ("client_secret", HOSTILE),
                ],
            ),
            (
                "/ui/connect",
                vec![
                    ("retailer", "cuahangthu"),
                    ("client_id", HOSTILE),
                    ("client_secret", "wrong"),
                ],
            ),
            (
                "/ui/try",
                vec![("connection", "shop"), ("payload", HOSTILE)],
            ),
            (
                "/ui/try",
                vec![("connection", "shop"), ("payload", payload)],
            ),
            (
                "/ui/try",
                vec![("connection", HOSTILE), ("payload", payload)],
            ),
            (
                "/ui/shops/shop/backfill",
                vec![("from", HOSTILE), ("to", HOSTILE)],
            ),
            ("/ui/shops/%3Cscript%3E/webhooks/order/on", vec![]),
            ("/ui/events/%22%3E%3Cscript%3E/retry", vec![]),
            ("/ui/nowhere", vec![]),
        ] {
            seen.push((
                format!("POST {path} {fields:?} {lang}"),
                visitor.post(path, &fields).await,
            ));
        }
        visitor.csrf = HOSTILE.to_owned();
        seen.push((
            format!("expired {lang}"),
            visitor.post("/ui/connect", &[("retailer", HOSTILE)]).await,
        ));
    }
    seen
}

#[tokio::test(start_paused = true)]
async fn hostile_texts_are_shown_as_text_on_every_page() {
    let shop = hostile().await;
    let seen = everything(&shop).await;
    for (what, shown) in &seen {
        only_text(shown, what);
    }
    // The control: the texts are there.
    let shows = |what: &str| {
        let escaped = "&lt;script&gt;alert(1)&lt;/script&gt;";
        let (_, shown) = seen
            .iter()
            .find(|(w, _)| w.starts_with(what))
            .expect("it was seen");
        assert!(shown.html.contains(escaped), "{what}: {}", shown.html);
    };
    shows("/ui/shops/shop/staff vi");
    shows("POST /ui/connect");
    shows("POST /ui/try");
    shows("/ui/events vi");
}

#[tokio::test(start_paused = true)]
async fn no_page_holds_a_secret() {
    let shop = hostile().await;
    let settings = shop.kiotviet.settings();
    let hooks = shop.kiotviet.webhooks();
    let mut secrets = vec![
        ADMIN_TOKEN.to_owned(),
        MASTER_KEY.to_owned(),
        settings.client_secret.clone(),
        shop.getfly.settings().api_key,
    ];
    for hook in hooks {
        secrets.extend(hook.url.rsplit('/').next().map(str::to_owned));
        secrets.extend(hook.secret);
    }
    let mut seen = everything(&shop).await;
    let mut visitor = Visitor::inside(&shop.app).await;
    let right = [
        ("retailer", settings.retailer.as_str()),
        ("client_id", settings.client_id.as_str()),
        ("client_secret", settings.client_secret.as_str()),
    ];
    seen.push(("connect".into(), visitor.post("/ui/connect", &right).await));
    visitor.csrf.clear();
    seen.push(("expired".into(), visitor.post("/ui/connect", &right).await));
    for (what, shown) in &seen {
        let all = format!("{} {:?}", shown.html, shown.headers);
        for secret in &secrets {
            assert!(!all.contains(secret.as_str()), "{secret} in {what}");
        }
        // Phones are only on the staff page, and in a plan that a person asked for.
        if !what.contains("staff") && !what.contains("/ui/try") {
            assert!(
                !all.contains("0900 000 50") && !all.contains("912345678"),
                "{what}"
            );
        }
    }
    let api = shop.app.look("connections/shop/staff").await.1.to_string();
    assert!(
        api.contains("nobody_with_that_phone") && !api.contains("0900"),
        "{api}"
    );
}

#[tokio::test(start_paused = true)]
async fn every_answer_tells_the_browser_what_it_may_not_do() {
    let shop = hostile().await;
    let mut seen = everything(&shop).await;
    seen.push((
        "redirect".into(),
        Visitor::new(&shop.app).get("/ui/events").await,
    ));
    seen.push((
        "style".into(),
        Visitor::new(&shop.app).get("/ui/style.css").await,
    ));
    shop.app.set_variable("admin_token", "");
    seen.push(("setup".into(), Visitor::new(&shop.app).get("/").await));
    for (what, shown) in &seen {
        let csp = shown
            .header("content-security-policy")
            .unwrap_or_else(|| panic!("{what}"));
        assert_eq!(
            csp,
            "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        );
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("x-frame-options", "DENY"),
            ("strict-transport-security", "max-age=31536000"),
        ] {
            assert_eq!(shown.header(name), Some(value), "{what}");
        }
        assert!(shown.header("permissions-policy").is_some(), "{what}");
        let kept = if what == "style" {
            "public, max-age=31536000, immutable"
        } else {
            "no-store"
        };
        assert_eq!(shown.header("cache-control"), Some(kept), "{what}");
        let html = Some("text/html; charset=utf-8");
        match what.as_str() {
            "style" => assert_eq!(
                shown.header("content-type"),
                Some("text/css; charset=utf-8")
            ),
            "redirect" => assert_eq!(shown.header("content-type"), None),
            _ => assert!(
                shown.status == 303 || shown.header("content-type") == html,
                "{what}"
            ),
        }
    }
    shop.app.set_variable("public_url", "http://bridge.test");
    let plain = Visitor::new(&shop.app).get("/").await;
    assert_eq!(plain.header("strict-transport-security"), None);
}

#[tokio::test(start_paused = true)]
async fn pages_come_in_both_languages_and_the_choice_is_kept() {
    let shop = hostile().await;
    let mut visitor = Visitor::inside(&shop.app).await;
    let vietnamese = visitor.get("/ui/events").await.html;
    assert!(vietnamese.contains("<html lang=\"vi\">") && vietnamese.contains("Sự kiện"));
    let link = "href=\"/ui/events?state=dead&amp;lang=en\"";
    let filtered = visitor.get("/ui/events?state=dead&done=wish").await.html;
    assert!(filtered.contains(link), "{filtered}");
    let english = visitor.get("/ui/events?state=dead&lang=en").await.html;
    assert!(english.contains("<html lang=\"en\">") && english.contains("Needs attention"));
    let kept = visitor.get("/").await.html;
    assert!(kept.contains("<html lang=\"en\">") && kept.contains("Nothing is lost"));
    visitor.get("/?lang=fr").await;
    assert!(visitor.get("/").await.html.contains("<html lang=\"en\">"));
    visitor.get("/?lang=vi").await;
    assert!(
        visitor
            .get("/")
            .await
            .html
            .contains("Không mất sự kiện nào")
    );
}

#[tokio::test(start_paused = true)]
async fn a_redirect_leads_nowhere_else() {
    let shop = hostile().await;
    for next in [
        "https://evil.test/",
        "//evil.test",
        "/ui/\r\nx-evil: 1",
        "/ui/\\evil",
    ] {
        let mut visitor = Visitor::new(&shop.app);
        let fields = [("token", ADMIN_TOKEN), ("next", next)];
        let shown = visitor.send("POST", "/ui/login", &fields).await;
        assert_eq!((shown.status, shown.location()), (303, "/"), "{next}");
    }
    for origin in [GETFLY, KIOTVIET, PUBLIC] {
        assert!(origin.starts_with("https://"));
    }
}
