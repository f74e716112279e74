//! Claims: everything the API can do, a person can do on the page; every refusal says what was
//! wrong and keeps what was typed, except secrets; a page that only shows something writes nothing.
//! How: a person with the plugin running natively between the simulated vendors.

use host_test::{
    admin::Admin,
    shop::{On, TestShop, hoa, sale},
    variables::PUBLIC,
    visitor::Visitor,
};
use plugin::worker::lease::Lease;
use serde_json::{Value, json};
use sim::{
    Fault, FaultRule,
    getfly::User,
    kiotviet::{Settings, Staff},
};

#[tokio::test(start_paused = true)]
async fn a_hotels_log_in_address_is_refused_in_the_persons_language() {
    let shop = TestShop::unconnected();
    let mut visitor = Visitor::inside(&shop.app).await;
    for (address, words) in [
        ("hotel.kiotviet.vn/nhanghi", "KiotViet Hotel (khách sạn)"),
        (
            "https://www.hotel.kiotviet.vn:443/x",
            "KiotViet Hotel (khách sạn)",
        ),
    ] {
        let typed = [
            ("retailer", address),
            ("client_id", "id"),
            ("client_secret", "secret"),
        ];
        let shown = visitor.post("/ui/connect", &typed).await;
        assert_eq!(shown.status, 422, "{address}");
        assert!(shown.html.contains(words), "{}", shown.html);
    }
    assert!(shop.app.take_calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_fnb_shop_is_connected_by_its_address_and_its_page_says_when_invoices_were_last_read() {
    let (shop, others) = TestShop::of_settings(Settings::fnb(), [Settings::default()]);
    let (fnb, retail) = (shop.kiotviet.settings(), others[0].settings());
    let mut visitor = Visitor::inside(&shop.app).await;
    let of_retail = [
        ("retailer", retail.retailer.as_str()),
        ("edition", "fnb"),
        ("client_id", &retail.client_id),
        ("client_secret", &retail.client_secret),
    ];
    let shown = visitor.post("/ui/connect", &of_retail).await;
    assert_eq!(shown.status, 422);
    assert!(
        shown.html.contains("là của một cửa hàng KiotViet bán lẻ"),
        "{}",
        shown.html
    );
    assert!(
        shown.html.contains("value=\"fnb\" selected"),
        "{}",
        shown.html
    );
    let typed = [
        ("retailer", "https://fnb.kiotviet.vn/quanthu#/login"),
        ("client_id", &fnb.client_id),
        ("client_secret", &fnb.client_secret),
    ];
    let done = visitor.post("/ui/connect", &typed).await;
    assert_eq!(done.status, 303, "{}", done.html);
    let page = visitor.get("/ui/shops/fnb-quanthu").await.html;
    assert!(page.contains("quanthu (F&amp;B)"), "{page}");
    assert!(
        page.contains("KiotViet F&amp;B không có webhook hóa đơn"),
        "{page}"
    );
    let on = visitor
        .post("/ui/shops/fnb-quanthu/webhooks/order/on", &[])
        .await;
    assert_eq!(on.status, 303, "{}", on.html);
    shop.minutes(1).await;
    for (address, words) in [
        ("/ui/shops/fnb-quanthu", "đọc hóa đơn mỗi phút, lần cuối"),
        ("/", "đọc hóa đơn mỗi phút, lần cuối"),
        ("/ui/shops", "đọc hóa đơn mỗi phút, lần cuối"),
        (
            "/ui/shops/fnb-quanthu?lang=en",
            "invoices are read every minute, last at",
        ),
        (
            "/ui/shops/fnb-quanthu/staff",
            "KiotViet F&amp;B has no list of users",
        ),
        ("/ui/shops/fnb-quanthu/preflight", "quanthu (F&amp;B)"),
    ] {
        let page = visitor.get(address).await;
        assert_eq!(page.status, 200, "{address}");
        assert!(page.html.contains(words), "{address} {}", page.html);
    }
    let again = visitor.get("/ui/connect?retailer=fnb.quanthu").await.html;
    assert!(again.contains("value=\"fnb.quanthu\""), "{again}");
}

#[tokio::test(start_paused = true)]
async fn a_shop_is_connected_in_the_guides_words() {
    let shop = TestShop::unconnected();
    let settings = shop.kiotviet.settings();
    let mut visitor = Visitor::inside(&shop.app).await;
    let first = visitor.get("/").await;
    assert!(first.html.contains("Kết nối cửa hàng đầu tiên"));
    let form = visitor.get("/ui/connect").await.html;
    let order = [
        "Tên cửa hàng",
        "ClientId",
        "Mã bảo mật",
        ">Kết nối</button>",
        "Các bước trên KiotViet",
        "Cho phép truy xuất thông tin khách hàng, hóa đơn, đặt hàng từ gian hàng của bạn",
        "mỗi khách hàng và đơn hàng được tạo hai lần",
    ];
    let places: Vec<_> = order
        .iter()
        .map(|words| form.find(words).expect(words))
        .collect();
    assert!(places.is_sorted(), "{places:?}");

    let address = format!("https://{}.kiotviet.vn/man/#/", settings.retailer);
    let typed = [
        ("retailer", address.as_str()),
        ("client_id", "another-id"),
        ("client_secret", "another-secret"),
    ];
    let shown = visitor.post("/ui/connect", &typed).await;
    assert_eq!(shown.status, 422);
    assert!(
        shown.html.contains("KiotViet từ chối Tên cửa hàng")
            && shown.html.contains("invalid_client"),
        "{}",
        shown.html
    );
    assert_eq!(shown.html.matches("another-id").count(), 1);
    assert!(shown.html.contains(&address) && !shown.html.contains("another-secret"));
    assert!(shown.html.contains("hãy nhập lại"));

    for (typed, wrong) in [
        (
            vec![
                ("retailer", ""),
                ("client_id", "kept"),
                ("client_secret", "s3cret"),
            ],
            "Hãy điền mục này.",
        ),
        (
            vec![
                ("retailer", "cửa hàng"),
                ("client_id", "kept"),
                ("client_secret", "s3cret"),
            ],
            "Tên cửa hàng là phần đứng trước",
        ),
        (
            vec![
                ("retailer", "shop"),
                ("client_id", "kept"),
                ("client_secret", ""),
            ],
            "Hãy điền mục này.",
        ),
    ] {
        shop.app.take_calls();
        let shown = visitor.post("/ui/connect", &typed).await;
        assert_eq!(shown.status, 400);
        assert!(
            shown.html.contains(wrong) && shown.html.contains("value=\"kept\""),
            "{typed:?}"
        );
        assert!(!shown.html.contains("s3cret"));
        assert!(shop.app.take_calls().is_empty());
    }

    let right = [
        ("retailer", settings.retailer.as_str()),
        ("client_id", settings.client_id.as_str()),
        ("client_secret", settings.client_secret.as_str()),
    ];
    let shown = visitor.post("/ui/connect", &right).await;
    assert_eq!(
        (shown.status, shown.location()),
        (303, "/ui/shops/cuahangthu?done=connected")
    );
    let page = visitor.get(shown.location()).await.html;
    for words in [
        "Đăng ký Webhook tạo khách hàng",
        "không có người phụ trách",
        "người thực hiện hóa đơn trở thành người phụ trách khách hàng",
        "Đăng ký Webhook tạo đơn hàng",
    ] {
        assert!(page.contains(words), "{words}");
    }
    assert!(
        shop.kiotviet.webhooks().is_empty(),
        "each is switched on on its own"
    );
}

#[tokio::test(start_paused = true)]
async fn an_expired_form_is_shown_again_with_what_was_typed() {
    let shop = TestShop::connected(On::Both).await;
    let mut visitor = Visitor::inside(&shop.app).await;
    let right = std::mem::replace(&mut visitor.csrf, "expired".to_owned());
    let typed = [
        ("retailer", "hoa"),
        ("client_id", "kept-id"),
        ("client_secret", "s3cret"),
    ];
    let shown = visitor.post("/ui/connect", &typed).await;
    assert_eq!(shown.status, 403);
    assert!(shown.html.contains("value=\"hoa\"") && shown.html.contains("value=\"kept-id\""));
    assert!(!shown.html.contains("s3cret"));
    assert_eq!(
        shown.field("csrf"),
        Some(right.as_str()),
        "pressing again works"
    );
    let typed = [("connection", "shop"), ("payload", "kept payload")];
    let shown = visitor.post("/ui/try", &typed).await;
    assert!(shown.status == 403 && shown.html.contains("kept payload"));
    let days = [("from", "2026-10-01"), ("do", "run")];
    let shown = visitor.post("/ui/shops/shop/backfill", &days).await;
    assert!(shown.status == 403 && shown.html.contains("value=\"2026-10-01\""));
    assert_eq!(shop.app.backfill_state("shop").await.1["state"], "none");
}

#[tokio::test(start_paused = true)]
async fn webhooks_are_switched_each_on_its_own_and_waiting_events_are_warned_of() {
    let shop = TestShop::connected(On::Neither).await;
    let mut visitor = Visitor::inside(&shop.app).await;
    let kinds = || -> Vec<String> {
        shop.kiotviet
            .webhooks()
            .into_iter()
            .map(|w| w.kind)
            .collect()
    };
    let shown = visitor.post("/ui/shops/shop/webhooks/order/on", &[]).await;
    assert_eq!(shown.location(), "/ui/shops/shop?done=switched");
    assert_eq!(kinds(), ["invoice.update"]);
    visitor
        .post("/ui/shops/shop/webhooks/customer/on", &[])
        .await;
    let page = visitor.get("/ui/shops/shop").await.html;
    assert_eq!(page.matches("Đang hoạt động").count(), 2, "{page}");
    assert!(!page.contains("Còn sự kiện đang chờ"));

    shop.getfly_faults
        .add(FaultRule::new(Fault::Status(503, None)));
    shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    let page = visitor.get("/ui/shops/shop").await.html;
    assert!(page.contains("Còn sự kiện đang chờ xử lý"), "{page}");

    // As KiotViet reports it.
    let hook = shop.kiotviet.webhooks()[0].id;
    shop.kiotviet.set_webhook_active(hook, false);
    let page = visitor.get("/ui/shops/shop").await.html;
    assert!(
        page.contains("KiotViet đã tắt") && page.contains("Đăng ký lại"),
        "{page}"
    );
    shop.kiotviet.remove_webhook(hook);
    let page = visitor.get("/ui/shops").await.html;
    assert!(page.contains("KiotViet không còn webhook này"), "{page}");

    shop.kiotviet_faults
        .add(FaultRule::new(Fault::HtmlError(502)));
    let shown = visitor.post("/ui/shops/shop/webhooks/order/on", &[]).await;
    assert_eq!(shown.status, 502);
    assert!(shown.html.contains("KiotViet không trả lời như mong đợi"));
    assert!(
        shown.html.contains("Đăng ký Webhook tạo đơn hàng"),
        "the shop is still there"
    );
    shop.kiotviet_faults.clear();
    visitor
        .post("/ui/shops/shop/webhooks/customer/off", &[])
        .await;
    visitor.post("/ui/shops/shop/webhooks/order/off", &[]).await;
    assert!(kinds().is_empty());
    assert_eq!(
        visitor
            .post("/ui/shops/shop/webhooks/stock/on", &[])
            .await
            .status,
        404
    );
    assert_eq!(
        visitor
            .post("/ui/shops/nobody/webhooks/order/on", &[])
            .await
            .status,
        404
    );
}

#[tokio::test(start_paused = true)]
async fn a_switch_off_that_kiotviet_did_not_carry_out_is_shown_and_finished() {
    let shop = TestShop::connected(On::Orders).await;
    let mut visitor = Visitor::inside(&shop.app).await;
    let refuse = FaultRule::new(Fault::Status(503, None)).on(http::Method::DELETE, "/webhooks/");
    shop.kiotviet_faults.add(refuse);
    let off = "/ui/shops/shop/webhooks/order/off";
    let shown = visitor.post(off, &[]).await;
    assert_eq!(shown.status, 502);
    shop.kiotviet_faults.clear();
    for page in ["/ui/shops", "/ui/shops/shop"] {
        let page = visitor.get(page).await.html;
        assert!(page.contains("KiotViet vẫn còn đăng ký"), "{page}");
    }
    let page = visitor.get("/ui/shops/shop").await.html;
    assert!(page.contains(&format!("action=\"{off}\"")), "{page}");
    let shown = visitor.post(off, &[]).await;
    assert_eq!(shown.location(), "/ui/shops/shop?done=switched");
    assert!(shop.kiotviet.webhooks().is_empty());
    let page = visitor.get("/ui/shops/shop").await.html;
    assert!(!page.contains("vẫn còn đăng ký") && !page.contains(off));
}

#[tokio::test(start_paused = true)]
async fn leaving_is_asked_for_twice() {
    let shop = TestShop::connected(On::Both).await;
    let mut visitor = Visitor::inside(&shop.app).await;
    let sure = visitor.get("/ui/shops/shop/disconnect").await;
    assert!(sure.html.contains("Ngắt kết nối cửa hàng này?"));
    assert_eq!(shop.kiotviet.webhooks().len(), 2);
    let shown = visitor.post("/ui/shops/shop/disconnect", &[]).await;
    assert_eq!(shown.location(), "/ui/shops?done=gone");
    assert!(shop.kiotviet.webhooks().is_empty());
    assert!(
        visitor
            .get(shown.location())
            .await
            .html
            .contains("Đã ngắt kết nối.")
    );
    assert_eq!(visitor.get("/ui/shops/shop").await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn trying_shows_the_plan_and_writes_nothing() {
    let shop = TestShop::connected(On::Both).await;
    let id = shop.kiotviet.create_customer(hoa());
    shop.kiotviet.take_deliveries();
    let mut visitor = Visitor::inside(&shop.app).await;
    let payload = json!({"Id": "1", "Attempt": 1, "Notifications": [
        {"Action": "customer.update.500123456", "Data": [{"Id": id}]}
    ]});
    let payload = payload.to_string();
    shop.app.take_stored();
    let typed = [("connection", "shop"), ("payload", payload.as_str())];
    let shown = visitor.post("/ui/try", &typed).await;
    assert_eq!(shown.status, 200);
    for words in [
        "Sẽ tạo mới",
        "Chị Hoa",
        "0912345678",
        "hoa@example.vn",
        "Số điện thoại",
    ] {
        assert!(shown.html.contains(words), "{words}");
    }
    let written = shop.app.take_stored().into_iter().filter(|s| s.is_write());
    assert_eq!(written.count(), 0);
    assert!(shop.getfly.accounts().is_empty());
    for (typed, status, words) in [
        (
            [("connection", "shop"), ("payload", "{\"kept\":")],
            422,
            "không phải là webhook của KiotViet",
        ),
        (
            [("connection", "shop"), ("payload", " ")],
            400,
            "Hãy nhập một mã hoặc số điện thoại",
        ),
        (
            [("connection", ""), ("payload", "{\"kept\":")],
            400,
            "Hãy chọn một cửa hàng",
        ),
        (
            [("connection", "gone"), ("payload", "{\"kept\":")],
            404,
            "Không có cửa hàng này",
        ),
    ] {
        let shown = visitor.post("/ui/try", &typed).await;
        assert_eq!(shown.status, status, "{words}");
        assert!(shown.html.contains(words), "{words}");
        assert!(
            typed[1].1.trim().is_empty() || shown.html.contains("{&quot;kept&quot;:"),
            "{}",
            shown.html
        );
    }
}

#[tokio::test(start_paused = true)]
async fn older_data_is_previewed_run_and_watched() {
    let shop = TestShop::unconnected();
    shop.kiotviet.create_customer(hoa());
    shop.connect().await;
    shop.switch("customer", true).await;
    let mut visitor = Visitor::inside(&shop.app).await;
    let place = "/ui/shops/shop/backfill";
    for (from, to, words) in [
        ("", "", "Hãy nhập ngày"),
        ("01/10/2026", "", "Hãy nhập ngày"),
        ("2026-10-02", "2026-10-01", "Ngày kết thúc phải"),
    ] {
        let shown = visitor
            .post(place, &[("from", from), ("to", to), ("do", "run")])
            .await;
        assert_eq!(shown.status, 400);
        assert!(
            shown.html.contains(words) && shown.html.contains(&format!("value=\"{from}\"")),
            "{words}"
        );
    }
    let shown = visitor
        .post(place, &[("from", "2036-10-02"), ("do", "run")])
        .await;
    assert!(
        shown.status == 400 && shown.html.contains("không ở tương lai"),
        "{}",
        shown.html
    );

    let shown = visitor
        .post(place, &[("from", "2026-10-01"), ("do", "preview")])
        .await;
    assert_eq!(shown.status, 200);
    assert!(
        shown.html.contains("Sẽ lấy (chưa ghi gì)") && shown.html.contains("value=\"2026-10-01\""),
        "{}",
        shown.html
    );
    assert!(shop.getfly.accounts().is_empty());
    let shown = visitor
        .post(place, &[("from", "2026-10-01"), ("do", "run")])
        .await;
    let started = "/ui/shops/shop/backfill?done=started&command=";
    assert!(shown.location().starts_with(started), "{shown:?}");
    let state = visitor.get(shown.location()).await.html;
    assert!(state.contains("Tiến độ"), "{state}");
    assert!(
        state.contains("<title>Lấy dữ liệu cũ · cuahangthu · Cửa hàng"),
        "{state}"
    );
    shop.settle().await;
    let state = visitor.get(place).await.html;
    assert!(
        state.contains("Đã xong") && !state.contains("http-equiv"),
        "{state}"
    );
    assert_eq!(shop.getfly.accounts().len(), 1);
    let shown = visitor.post("/ui/shops/shop/backfill/stop", &[]).await;
    assert_eq!(shown.status, 303);
}

#[tokio::test(start_paused = true)]
async fn a_second_backfill_is_queued_until_it_begins_and_at_work_until_nothing_waits() {
    let shop = TestShop::unconnected();
    shop.kiotviet.create_customer(hoa());
    shop.connect().await;
    shop.switch("customer", true).await;
    let mut visitor = Visitor::inside(&shop.app).await;
    let place = "/ui/shops/shop/backfill";
    let days = [("from", "2026-10-01"), ("do", "run")];
    shop.getfly_faults
        .add(FaultRule::new(Fault::Status(503, None)));
    visitor.post(place, &days).await;
    shop.drain().await;
    let state = visitor.get(place).await.html;
    assert!(state.contains("Đang xử lý"), "{state}");
    assert!(!state.contains("badge good"), "{state}");
    assert!(state.contains("http-equiv"), "{state}");
    shop.getfly_faults.clear();
    shop.settle().await;
    let state = visitor.get(place).await.html;
    assert!(state.contains("badge good\">Đã xong"), "{state}");
    assert!(!state.contains("http-equiv"), "{state}");

    // A command that the worker has not come to, which the address names.
    let lease = Lease::acquire(&shop.app).await.expect("a store");
    let shown = visitor.post(place, &days).await;
    let state = visitor.get(shown.location()).await.html;
    assert!(state.contains("Đang xếp hàng"), "{state}");
    assert!(state.contains("http-equiv"), "{state}");
    lease.expect("a lease").release().await;
    shop.settle().await;
    let state = visitor.get(shown.location()).await.html;
    assert!(!state.contains("Đang xếp hàng"), "{state}");
    assert!(!state.contains("http-equiv"), "{state}");
    // One that was never given is not waited for.
    let state = visitor.get(&format!("{place}?command=999999")).await.html;
    assert!(!state.contains("Đang xếp hàng"), "{state}");
}

#[tokio::test(start_paused = true)]
async fn sellers_without_a_getfly_user_are_named_with_what_to_mend() {
    let shop = TestShop::connected(On::Both).await;
    shop.getfly
        .add_user(User::new(7, "nva", "Nguyễn Văn A", "0900000501"));
    for (id, name, phone) in [
        (1, "Khớp", "+84 900 000 501"),
        (2, "Không ai", "0900000502"),
        (3, "Trống", ""),
    ] {
        shop.kiotviet.add_staff(Staff::new(id, "x", name, phone));
    }
    let (status, staff) = shop.app.look("connections/shop/staff").await;
    assert_eq!(status, 200);
    let staff = staff["staff"].as_array().expect("a list");
    let of = |name: &str| {
        staff
            .iter()
            .find(|s| s["name"] == name)
            .expect("he is listed")
    };
    let user = json!({"id": 7, "login": "nva", "name": "Nguyễn Văn A"});
    assert_eq!(
        (&of("Khớp")["getfly_user"], &of("Khớp")["problem"]),
        (&user, &Value::Null)
    );
    assert_eq!(of("Không ai")["problem"], "nobody_with_that_phone");
    assert_eq!(of("Trống")["problem"], "seller_without_phone");
    let wrong = staff.iter().filter(|s| s["problem"].is_string()).count();
    let title = format!("Nhân viên chưa khớp ({wrong})");
    let mut visitor = Visitor::inside(&shop.app).await;
    let page = visitor.get("/ui/shops/shop/staff").await.html;
    assert!(
        page.contains(&title) && page.contains("0900000502"),
        "{page}"
    );
    assert!(page.contains("Người dùng Getfly: Nguyễn Văn A (nva)"));

    shop.pass(601).await;
    shop.getfly_faults
        .add(FaultRule::new(Fault::Status(503, None)));
    let page = visitor.get("/ui/shops/shop/staff").await;
    assert_eq!(page.status, 502);
    assert!(page.html.contains("Getfly không trả lời như mong đợi"));
    let (status, problem) = shop.app.look("connections/shop/staff").await;
    assert_eq!(
        (status, &problem["type"]),
        (502, &"getfly-unreachable".into())
    );
    assert_eq!(shop.app.look("connections/nobody/staff").await.0, 404);
}

#[tokio::test(start_paused = true)]
async fn a_page_that_is_not_there_is_a_page_and_the_api_stays_json() {
    let shop = TestShop::connected(On::Both).await;
    let mut visitor = Visitor::inside(&shop.app).await;
    for (method, path, status) in [
        ("GET", "/ui/nowhere", 404),
        ("GET", "/ui/shops/shop/webhooks/order/on", 404),
        ("PUT", "/ui/connect", 405),
        ("DELETE", "/", 405),
        ("HEAD", "/ui/events", 200),
    ] {
        let shown = visitor.send(method, path, &[]).await;
        assert_eq!(shown.status, status, "{method} {path}");
        assert_eq!(
            shown.header("content-type"),
            Some("text/html; charset=utf-8")
        );
    }
    let request = http::Request::get(format!("{PUBLIC}/api/nowhere")).body("".into());
    let answer = shop.app.request(request.expect("a request")).await;
    assert_eq!(answer.content_type, Some("application/problem+json"));
}

#[tokio::test(start_paused = true)]
async fn the_webhooks_address_is_changed_by_a_button() {
    let shop = TestShop::connected(On::Both).await;
    let mut visitor = Visitor::inside(&shop.app).await;
    let url = || shop.kiotviet.webhooks()[0].url.clone();
    let mut before = url();
    let page = visitor.get("/ui/shops/shop").await.html;
    assert!(page.contains("Đổi địa chỉ webhook") && !page.contains("Địa chỉ cũ hiện vẫn còn"));
    for (button, still_valid) in [("rotate", true), ("rotate-now", false)] {
        let path = format!("/ui/shops/shop/{button}");
        let shown = visitor.post(&path, &[]).await;
        assert_eq!(shown.location(), "/ui/shops/shop?done=rotated");
        let page = visitor.get(shown.location()).await.html;
        assert!(page.contains("Đã đổi địa chỉ webhook."), "{page}");
        assert_eq!(
            page.contains("Địa chỉ cũ hiện vẫn còn"),
            still_valid,
            "{button}"
        );
        assert_ne!(url(), before);
        let token = url().rsplit('/').next().expect("a token").to_owned();
        assert!(!page.contains(&token), "never shown");
        before = url();
    }
    shop.kiotviet_faults
        .add(FaultRule::new(Fault::Status(503, None)));
    let shown = visitor.post("/ui/shops/shop/rotate", &[]).await;
    assert_eq!(shown.location(), "/ui/shops/shop?done=rotated-partly");
}

#[tokio::test(start_paused = true)]
async fn a_code_or_a_phone_is_tried_without_any_json() {
    let shop = TestShop::connected(On::Both).await;
    let id = shop.kiotviet.create_customer(hoa());
    shop.kiotviet.create_invoice(sale(Some(id)));
    let customer = shop.kiotviet.customers()[0].content.code.clone();
    let customer = customer.expect("a code");
    let mut visitor = Visitor::inside(&shop.app).await;
    for (code, shown) in [
        ("hd000001", "Hóa đơn HD000001"),
        (customer.as_str(), "Sẽ tạo mới"),
        ("0912 345 678", "Chị Hoa"),
        ("HD999999", "KiotViet không có hóa đơn hay khách hàng nào"),
    ] {
        let typed = [("connection", "shop"), ("code", code)];
        let tried = visitor.post("/ui/try", &typed).await;
        assert_eq!(tried.status, 200, "{code}");
        assert!(tried.html.contains(shown), "{code}: {}", tried.html);
    }
    assert_eq!(shop.in_getfly(), (0, 0));
}
