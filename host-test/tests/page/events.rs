//! Claims: the page explains an event completely; a dead letter says why and what to do, and is
//! retried or dismissed, alone or with all others. How: a person with the plugin running natively
//! between the simulated vendors.

use host::keyvalue::Backend;
use host_test::{
    admin::Admin,
    shop::{On, TestShop, ba, customer, hoa, sale},
    variables::{ADMIN_TOKEN, PUBLIC},
    visitor::Visitor,
};
use http::Method;
use plugin::{journal::keys, worker::lease::SLOT_SECONDS};
use serde_json::{Value, json};
use sim::{
    Fault, FaultRule, When,
    getfly::{Account, User},
    kiotviet::{NewInvoice, Settings, Staff},
};

/// Three dead letters: two of a refusal, one of garbage.
async fn dead_letters() -> TestShop {
    let shop = TestShop::connected(On::Both).await;
    shop.refuse_accounts(2);
    shop.kiotviet.create_customer(hoa());
    shop.kiotviet.create_customer(ba());
    shop.deliver().await;
    let hook = shop.kiotviet.webhooks()[0].url.clone();
    let garbage = http::Request::post(hook).body("garbage".into());
    shop.app.request(garbage.expect("a request")).await;
    shop
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_says_why_and_is_retried_or_dismissed() {
    let shop = dead_letters().await;
    let mut visitor = Visitor::inside(&shop.app).await;
    let overview = visitor.get("/").await.html;
    assert!(
        overview.contains("3 sự kiện cần anh/chị xử lý"),
        "{overview}"
    );
    let dead = visitor.get("/ui/events/1").await.html;
    for words in [
        "Getfly từ chối tạo bản ghi này",
        "Cần làm gì",
        "Thử lại",
        "Getfly POST /account",
    ] {
        assert!(dead.contains(words), "{words}: {dead}");
    }
    let shown = visitor.post("/ui/events/1/retry", &[]).await;
    assert_eq!(shown.location(), "/ui/events/1?done=tried");
    let done = visitor.get(shown.location()).await.html;
    assert!(
        done.contains("Đã thử lại: xong.") && done.contains("R2 · Khách hàng mới"),
        "{done}"
    );
    assert!(done.contains("KV-cuahangthu-20000001"));
    visitor.post("/ui/events/3/dismiss", &[]).await;
    let dismissed = visitor.get("/ui/events/3").await.html;
    assert!(dismissed.contains("Đã đóng") && !dismissed.contains("Cần làm gì"));
    let again = visitor.post("/ui/events/3/retry", &[]).await;
    assert_eq!(again.status, 409);
    assert!(again.html.contains("Sự kiện này không còn cần xử lý"));
    assert_eq!(visitor.post("/ui/events/99/retry", &[]).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn all_dead_letters_are_retried_at_once() {
    let shop = dead_letters().await;
    let mut visitor = Visitor::inside(&shop.app).await;
    let list = visitor.get("/ui/events?state=dead").await.html;
    assert!(list.contains("Thử lại tất cả"));
    let shown = visitor
        .post("/ui/events/retry-dead", &[("connection", "other")])
        .await;
    assert_eq!(
        shown.location(),
        "/ui/events?state=dead&done=retried&connection=other"
    );
    assert_eq!(shop.getfly.accounts().len(), 0);
    let shown = visitor
        .post("/ui/events/retry-dead", &[("connection", "shop")])
        .await;
    assert_eq!(
        shown.location(),
        "/ui/events?state=dead&done=retried&connection=shop"
    );
    assert_eq!(shop.getfly.accounts().len(), 2);
    // Garbage is garbage again.
    let (_, list) = shop.app.events("state=dead").await;
    assert_eq!(list["events"].as_array().map(Vec::len), Some(1), "{list}");
    let (status, asked) = shop
        .app
        .call("POST", "events/retry-dead?connection=shop", &Value::Null)
        .await;
    assert_eq!(
        (status, asked),
        (202, json!({"retried": 0, "next_before": null})),
        "what may be forged is retried by its reason only"
    );
    let of_reason = [("connection", "shop"), ("reason", "bad_signature")];
    let shown = visitor
        .get("/ui/events?state=dead&reason=bad_signature")
        .await;
    assert!(shown.html.contains("Đóng tất cả"), "{}", shown.html);
    assert!(
        shown
            .html
            .contains("name=\"reason\" value=\"bad_signature\"")
    );
    let done = "&connection=shop&reason=bad_signature";
    let shown = visitor.post("/ui/events/retry-dead", &of_reason).await;
    let expected = format!("/ui/events?state=dead&done=retried{done}");
    assert_eq!(shown.location(), expected);
    let (_, list) = shop.app.events("state=dead").await;
    let event = &list["events"][0];
    assert!(
        event["notes"]
            .to_string()
            .contains("it still cannot be read"),
        "{event}"
    );
    let shown = visitor.post("/ui/events/dismiss-dead", &of_reason).await;
    let expected = format!("/ui/events?state=dead&done=dismissed{done}");
    assert_eq!(shown.location(), expected);
    assert!(
        visitor
            .get(shown.location())
            .await
            .html
            .contains("Đã đóng. Danh")
    );
    let (_, list) = shop.app.events("state=dead").await;
    assert_eq!(list["events"], json!([]));
    let (status, problem) = shop
        .app
        .call("GET", "events/retry-dead", &Value::Null)
        .await;
    assert_eq!((status, &problem["type"]), (404, &"unknown-event".into()));
}

#[tokio::test(start_paused = true)]
async fn two_hundred_dead_letters_are_retried_in_a_click_and_the_rest_in_the_next() {
    let shop = TestShop::connected(On::Both).await;
    let hook = shop.kiotviet.webhooks()[0].url.clone();
    for n in 0..205 {
        // Twenty an hour are stored.
        if n % 20 == 0 {
            shop.pass(3600).await;
        }
        let garbage = http::Request::post(&hook).body("garbage".into());
        shop.app.request(garbage.expect("a request")).await;
    }
    let mut visitor = Visitor::inside(&shop.app).await;
    let reason = ("reason", "unreadable");
    let shown = visitor.post("/ui/events/retry-dead", &[reason]).await;
    assert_eq!(
        shown.location(),
        "/ui/events?state=dead&done=retried&reason=unreadable&rest=6"
    );
    let next = visitor.get(shown.location()).await;
    assert!(next.html.contains("Vẫn còn sự kiện cũ hơn") && next.field("before") == Some("6"));
    let shown = visitor
        .post("/ui/events/retry-dead", &[reason, ("before", "6")])
        .await;
    assert_eq!(
        shown.location(),
        "/ui/events?state=dead&done=retried&reason=unreadable"
    );
}

#[tokio::test(start_paused = true)]
async fn an_event_is_explained_in_vietnamese_to_the_last_sentence() {
    let shop = TestShop::connected(On::Both).await;
    shop.getfly
        .add_user(User::new(7, "nva", "Nguyễn Văn A", "0900000501"));
    shop.kiotviet
        .add_staff(Staff::new(5001, "nv1", "Nhân Viên Một", "0900 000 501"));
    let id = shop.kiotviet.create_customer(hoa());
    shop.kiotviet
        .create_customer(customer("Chị Hoa nữa", "0912345678"));
    shop.kiotviet.create_invoice(sale(Some(id)));
    shop.kiotviet.create_invoice(sale(None));
    let edited = shop.kiotviet.create_invoice(sale(Some(id)));
    shop.deliver().await;
    shop.kiotviet
        .edit_customer(id, |c| c.comments = Some("khách quen".to_owned()));
    shop.kiotviet
        .edit_invoice(edited, |i| i.description = Some("giao chiều".to_owned()));
    shop.deliver().await;
    shop.settle().await;
    let count = shop.events().await.len();
    assert!(count >= 7, "{count}");
    let mut visitor = Visitor::inside(&shop.app).await;
    let mut all = String::new();
    for seq in 1..=count {
        let html = visitor.get(&format!("/ui/events/{seq}")).await.html;
        let english = html
            .split("lang=\"en\">")
            .nth(1)
            .map(|rest| rest.split('<').next());
        assert_eq!(english, None, "event {seq}");
        all.push_str(&html);
    }
    for words in [
        "Khách hàng trùng trên Getfly",
        "Trùng số điện thoại",
        "Được chọn",
        "Người thực hiện: người dùng Getfly số 7",
        "R7 · Liên kết",
    ] {
        assert!(all.contains(words), "{words}");
    }
    let list = visitor
        .get("/ui/events?connection=shop&state=done")
        .await
        .html;
    assert!(list.contains("HD000001") && list.contains("Đã liên kết"));
}

#[tokio::test(start_paused = true)]
async fn what_may_be_an_edit_is_told_with_two_buttons() {
    let shop = TestShop::connected(On::Both).await;
    let original = shop.kiotviet.create_invoice(sale(None));
    shop.deliver().await;
    shop.pass(2 * 86_400).await;
    shop.kiotviet.cancel_invoice(original);
    let code = shop.kiotviet.invoice(original).expect("an invoice").code;
    shop.kiotviet.create_invoice(NewInvoice {
        code: Some(format!("{code}.01")),
        ..sale(None)
    });
    shop.deliver().await;
    let mut visitor = Visitor::inside(&shop.app).await;
    let asks = visitor.get("/ui/events/3").await.html;
    for words in [
        "Đây là bản sửa",
        "Đây là đơn bán riêng",
        "/ui/events/3/edit",
    ] {
        assert!(asks.contains(words), "{words}: {asks}");
    }
    let told = visitor.post("/ui/events/3/sale", &[]).await;
    let done = visitor.get(told.location()).await.html;
    assert!(
        done.contains("người dùng xác nhận đây là đơn bán riêng"),
        "{done}"
    );
    assert_eq!(shop.getfly.orders().len(), 2);
    assert_eq!(visitor.post("/ui/events/3/edit", &[]).await.status, 409);
}

#[tokio::test(start_paused = true)]
async fn a_customer_is_linked_by_hand_and_the_link_is_undone() {
    let shop = TestShop::connected(On::Both).await;
    shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    shop.getfly.seed_account(Account {
        account_code: "KH-7".to_owned(),
        account_name: "Công ty".to_owned(),
        ..Account::default()
    });
    let mut visitor = Visitor::inside(&shop.app).await;
    let before = visitor.get("/ui/events/1").await.html;
    assert!(before.contains("Liên kết thủ công") && !before.contains("Bỏ liên kết"));
    let wrong = visitor
        .post("/ui/events/1/link", &[("account_code", "KH-8")])
        .await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.html.contains("Getfly không có khách hàng với mã này"));
    let done = visitor
        .post("/ui/events/1/link", &[("account_code", "KH-7")])
        .await;
    let linked = visitor.get(done.location()).await.html;
    assert!(
        linked.contains("được liên kết với khách hàng Getfly <strong>KH-7"),
        "{linked}"
    );
    let undone = visitor.post("/ui/events/1/unlink", &[]).await;
    let undone = visitor.get(undone.location()).await.html;
    assert!(!undone.contains("Bỏ liên kết"), "{undone}");
}

#[tokio::test(start_paused = true)]
async fn a_new_address_of_getfly_is_confirmed_with_a_button() {
    const NEW: &str = "https://crm.example.test";
    let mut shop = TestShop::connected(On::Both).await;
    shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    let getfly = shop.getfly.clone();
    shop.app = shop.app.serving(NEW, getfly);
    shop.app.set_variable("getfly_url", NEW);
    shop.kiotviet.create_customer(ba());
    shop.deliver().await;
    let mut visitor = Visitor::inside(&shop.app).await;
    let asks = visitor.get("/").await.html;
    assert!(
        asks.contains("Đây là cùng một Getfly") && asks.contains(NEW),
        "{asks}"
    );
    let done = visitor.post("/ui/getfly", &[]).await;
    assert_eq!(done.location(), "/?done=wish");
    shop.drain().await;
    let after = visitor.get("/").await.html;
    assert!(!after.contains("Đây là cùng một Getfly"), "{after}");
    assert_eq!(shop.getfly.accounts().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_event_is_looked_for_by_phone_on_the_page() {
    let shop = TestShop::connected(On::Both).await;
    shop.kiotviet.create_customer(hoa());
    shop.kiotviet.create_customer(ba());
    shop.deliver().await;
    let mut visitor = Visitor::inside(&shop.app).await;
    let found = visitor.get("/ui/events?q=0912345678").await.html;
    assert!(
        found.contains("/ui/events/1\"") && !found.contains("/ui/events/2\""),
        "{found}"
    );
    assert!(found.contains("Mã HD…, KH…, mã đơn hoặc số điện thoại"));
}

#[tokio::test(start_paused = true)]
async fn lists_and_events_show_code_name_and_total_which_are_sealed_in_the_store() {
    let shop = TestShop::connected(On::Both).await;
    let id = shop.kiotviet.create_customer(hoa());
    shop.kiotviet.create_invoice(sale(Some(id)));
    shop.deliver().await;
    let code = shop.kiotviet.customers()[0].content.code.clone();
    let code = code.expect("a code");
    let mut visitor = Visitor::inside(&shop.app).await;
    let list = visitor.get("/ui/events").await.html;
    for words in [code.as_str(), "Chị Hoa", "Chị Hoa · 300.000 đ"] {
        assert!(list.contains(words), "{words}: {list}");
    }
    let event = visitor.get("/ui/events/2").await.html;
    assert!(event.contains("<title>Hóa đơn HD000001 · "), "{event}");
    assert!(event.contains("300.000 đ") && event.contains("Chị Hoa"));
    for (key, cell) in shop.app.store.dump() {
        let text = format!("{cell:?}");
        assert!(!text.contains("Hoa"), "{key}: {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_keep_names_nobody_is_named() {
    let shop = TestShop::connected(On::Both).await;
    shop.app.set_variable("keep_names", "false");
    shop.kiotviet.create_customer(hoa());
    shop.kiotviet.create_invoice(sale(None));
    shop.deliver().await;
    let mut visitor = Visitor::inside(&shop.app).await;
    let list = visitor.get("/ui/events").await.html;
    assert!(
        !list.contains("Chị Hoa") && !list.contains("300.000 đ"),
        "{list}"
    );
    assert!(list.contains("HD000001"));
}

#[tokio::test(start_paused = true)]
async fn a_retry_says_what_came_of_it_and_every_attempt_is_kept() {
    let shop = TestShop::connected(On::Both).await;
    shop.refuse_accounts(2);
    shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    let mut visitor = Visitor::inside(&shop.app).await;
    let shown = visitor.post("/ui/events/1/retry", &[]).await;
    let again = visitor.get(shown.location()).await.html;
    assert!(
        again.contains("Đã thử lại, nhưng vẫn chưa được: Getfly"),
        "{again}"
    );
    assert!(!again.contains("alert good"), "{again}");
    let (_, event) = shop.app.event(1).await;
    assert_eq!(event["tried"].as_array().map(Vec::len), Some(2), "{event}");
    let english = visitor.get("/ui/events/1?done=tried&lang=en").await.html;
    assert!(
        english.contains("It was tried again, and still fails: Getfly"),
        "{english}"
    );
    let shown = visitor.post("/ui/events/1/retry", &[]).await;
    let done = visitor.get(shown.location()).await.html;
    assert!(done.contains("It was tried again, and is done."), "{done}");
    assert!(done.contains("<h3>Attempts</h3>"), "{done}");
}

const NOT_TRIED: &str = "Đã xếp hàng, chưa thử lại.";
const STILL_FAILS: &str = "Đã thử lại, nhưng vẫn chưa được";

#[tokio::test(start_paused = true)]
async fn a_retry_that_waits_for_getfly_is_not_answered_by_the_former_refusal() {
    let shop = TestShop::connected(On::Both).await;
    shop.refuse_accounts(1);
    shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    let busy = FaultRule::new(Fault::Status(429, Some(3600)));
    let busy = shop.getfly_faults.add(busy);
    shop.kiotviet.create_invoice(sale(None));
    shop.deliver().await;
    let mut visitor = Visitor::inside(&shop.app).await;
    let shown = visitor.post("/ui/events/1/retry", &[]).await;
    let place = shown.location();
    let queued = visitor.get(place).await.html;
    assert!(queued.contains(NOT_TRIED), "{queued}");
    assert!(!queued.contains("Đã thử lại"), "{queued}");
    let said = queued.split("</section>").next().expect("a part");
    assert!(!said.contains("số điện thoại"), "{said}");
    // Also where nobody asks what came of it.
    let list = visitor.get("/ui/events").await.html;
    assert!(list.contains(NOT_TRIED), "{list}");

    shop.getfly_faults.remove(busy);
    shop.refuse_accounts(1);
    shop.pass(3600).await;
    shop.minutes(2).await;
    let came = visitor.get(place).await.html;
    assert!(came.contains(STILL_FAILS), "{came}");
    assert!(!came.contains(NOT_TRIED), "{came}");
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_waits_for_its_worker_is_not_answered_by_the_former_refusal() {
    let shop = TestShop::connected(On::Both).await;
    shop.refuse_accounts(2);
    shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    // Another worker holds the lease.
    let slot = shop.clock.now().as_second().div_euclid(SLOT_SECONDS);
    for slot in slot..slot + 3 {
        let held = shop.app.store.increment(&keys::lease(slot), 1).await;
        held.expect("the lease is held");
    }
    let mut visitor = Visitor::inside(&shop.app).await;
    let shown = visitor.post("/ui/events/1/retry", &[]).await;
    let place = shown.location();
    let queued = visitor.get(place).await.html;
    assert!(queued.contains(NOT_TRIED), "{queued}");
    assert!(!queued.contains("Đã thử lại"), "{queued}");
    shop.pass(600).await;
    shop.minutes(1).await;
    let came = visitor.get(place).await.html;
    assert!(came.contains(STILL_FAILS), "{came}");
    visitor.post("/ui/events/1/retry", &[]).await;
    let done = visitor.get(place).await.html;
    assert!(done.contains("Đã thử lại: xong."), "{done}");
}

#[tokio::test(start_paused = true)]
async fn an_order_that_getfly_refused_is_tried_again_at_once() {
    let shop = TestShop::connected(On::Both).await;
    let refuse = FaultRule::new(Fault::ErrorsIn200).on(Method::POST, "/api/v6.1/sale_order");
    shop.getfly_faults.add(refuse.when(When::First(1)));
    shop.kiotviet.create_invoice(sale(None));
    shop.deliver().await;
    let mut visitor = Visitor::inside(&shop.app).await;
    let shown = visitor.post("/ui/events/1/retry", &[]).await;
    let done = visitor.get(shown.location()).await.html;
    assert!(done.contains("Đã thử lại: xong."), "{done}");
    assert_eq!(shop.getfly.orders().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_changed_after_its_order_is_listed_with_both_totals_until_a_person_corrected_it() {
    let shop = TestShop::connected(On::Both).await;
    let edited = shop.kiotviet.create_invoice(sale(None));
    let cancelled = shop.kiotviet.create_invoice(sale(None));
    let other = shop.kiotviet.create_invoice(sale(None));
    shop.deliver().await;
    shop.kiotviet.edit_invoice(edited, |invoice| {
        invoice.lines[0].quantity = 3.into();
    });
    shop.kiotviet.cancel_invoice(cancelled);
    shop.kiotviet.set_invoice_status(other, 1);
    shop.app.take_calls();
    shop.deliver().await;
    shop.settle().await;
    let mut visitor = Visitor::inside(&shop.app).await;
    let overview = visitor.get("/").await.html;
    assert!(
        overview.contains("2 đơn đã sửa hoặc hủy trên KiotViet sau khi đẩy"),
        "{overview}"
    );
    let list = visitor.get("/ui/changed").await.html;
    for words in [
        "300.000 đ",
        "450.000 đ",
        "Đã hủy",
        "HD000001.01",
        "HD000002",
    ] {
        assert!(list.contains(words), "{words}: {list}");
    }
    assert!(!list.contains("HD000003"), "{list}");
    let english = visitor.get("/ui/changed?lang=en").await.html;
    assert!(english.contains("Corrected in Getfly") && english.contains("Cancelled"));
    let seqs: Vec<String> = (1..=12).map(|seq: u64| seq.to_string()).collect();
    for seq in &seqs {
        let order = ("order", "cuahangthu-HD000001");
        let fields = [order, ("seq", seq.as_str())];
        let done = visitor.post("/ui/changed/shop", &fields).await;
        assert_eq!(done.location(), "/ui/changed?done=wish");
    }
    let list = visitor.get("/ui/changed").await.html;
    assert!(
        !list.contains("450.000 đ") && list.contains("HD000002"),
        "{list}"
    );
    assert_eq!(
        shop.getfly.orders().len(),
        3,
        "nothing is changed in Getfly"
    );
    let request = http::Request::get(format!("{PUBLIC}/metrics"));
    let request = request.header("authorization", format!("Bearer {ADMIN_TOKEN}"));
    let request = request.body(bytes::Bytes::new()).expect("a request");
    let metrics = shop.app.request(request).await;
    let metrics = String::from_utf8_lossy(&metrics.body).into_owned();
    let counted = "kvgf_orders_changed_total{connection=\"shop\"} 2";
    assert!(metrics.contains(counted), "{metrics}");
}

#[tokio::test(start_paused = true)]
async fn the_chart_counts_what_still_needs_a_person() {
    let shop = dead_letters().await;
    let mut visitor = Visitor::inside(&shop.app).await;
    visitor.get("/?lang=en").await;
    let before = visitor.get("/").await.html;
    assert!(before.contains("Needs attention 3."), "{before}");
    visitor.post("/ui/events/1/retry", &[]).await;
    visitor.post("/ui/events/3/dismiss", &[]).await;
    let after = visitor.get("/").await.html;
    assert!(after.contains("Needs attention 1."), "{after}");
    assert!(after.contains("1 event needs a person"), "{after}");
}

#[tokio::test(start_paused = true)]
async fn a_shop_without_a_webhook_is_told_in_three_steps() {
    let shop = TestShop::connected(On::Neither).await;
    let mut visitor = Visitor::inside(&shop.app).await;
    let overview = visitor.get("/").await.html;
    assert!(overview.contains("chưa bật webhook nào") && overview.contains("Bật webhook</a>"));
    shop.switch("order", true).await;
    let overview = visitor.get("/").await.html;
    assert!(!overview.contains("chưa bật webhook nào"), "{overview}");
}

#[tokio::test(start_paused = true)]
async fn a_kiotviet_that_is_down_is_not_to_be_checked_and_has_no_button_that_cannot_help() {
    let shop = TestShop::connected(On::Both).await;
    shop.heal().await;
    let down = FaultRule::new(Fault::Status(503, None)).on(Method::GET, "/webhooks");
    shop.kiotviet_faults.add(down);
    shop.pass(1800).await;
    shop.heal().await;
    let mut visitor = Visitor::inside(&shop.app).await;
    for place in ["/", "/ui/shops/shop"] {
        let page = visitor.get(place).await.html;
        assert!(page.contains("Không kiểm tra được từ"), "{place}: {page}");
        assert!(!page.contains("/webhooks/order/on"), "{place}: {page}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_orders_of_a_getfly_that_numbers_them_itself_are_found_by_the_codes_that_it_gave() {
    let shop = TestShop::connected(On::Both).await;
    shop.getfly.update_settings(|s| s.numbers_itself = true);
    for _ in 0..2 {
        shop.kiotviet.create_invoice(sale(None));
    }
    shop.deliver().await;
    let sold: Vec<i64> = shop.kiotviet.invoices().iter().map(|one| one.id).collect();
    shop.kiotviet.edit_invoice(sold[1], |invoice| {
        invoice.lines[0].quantity = 3.into();
    });
    shop.deliver().await;
    shop.pass(400).await;
    shop.drain().await;
    let orders = shop.getfly.orders();
    let changed = &orders[1].order_code;
    assert!(!changed.contains("HD000002"), "it has a code of its own");
    let mut visitor = Visitor::inside(&shop.app).await;
    let page = visitor.get("/ui/changed").await.html;
    assert!(page.contains(changed.as_str()), "{changed}: {page}");
    for days in [0, 100] {
        // The ledger still knows it when its event is removed.
        shop.pass(days * 24 * 3600).await;
        shop.drain().await;
        let day = "reconciliation?day=2026-10-05";
        let (status, found) = shop.app.call("GET", day, &Value::Null).await;
        assert_eq!(status, 200, "{found}");
        let here = &found["shops"][0];
        assert_eq!(here["getfly"]["count"], 2, "{days}: {found}");
        let differences = here["differences"].as_array().expect("a list");
        assert_eq!(differences.len(), 1, "{days}: {found}");
        assert_eq!(differences[0]["differs"], "total", "{found}");
        assert_eq!(differences[0]["order_code"], changed.as_str(), "{found}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_days_sales_are_compared_with_getflys_orders_on_the_page_by_the_api_and_as_a_table() {
    let shop = TestShop::connected(On::Both).await;
    for _ in 0..3 {
        shop.kiotviet.create_invoice(sale(None));
    }
    shop.deliver().await;
    let refuse = FaultRule::new(Fault::ErrorsIn200).on(Method::POST, "/api/v6.1/sale_order");
    shop.getfly_faults.add(refuse.when(When::First(1)));
    shop.kiotviet.create_invoice(sale(None));
    let sold: Vec<i64> = shop.kiotviet.invoices().iter().map(|one| one.id).collect();
    shop.kiotviet.cancel_invoice(sold[1]);
    shop.kiotviet.edit_invoice(sold[2], |invoice| {
        invoice.lines[0].quantity = 3.into();
    });
    shop.deliver().await;
    let day = "2026-10-05";
    let (status, found) = shop.app.look(&format!("reconciliation?day={day}")).await;
    assert_eq!(status, 200, "{found}");
    let here = &found["shops"][0];
    assert_eq!(here["kiotviet"], json!({"count": 3, "sum": 1_050_000}));
    assert_eq!(here["getfly"], json!({"count": 3, "sum": 900_000}));
    let differences = here["differences"].as_array().expect("a list");
    let told: Vec<(&str, &str)> = differences
        .iter()
        .map(|one| {
            let invoice = one["invoice_code"].as_str();
            let code = invoice.or(one["order_code"].as_str());
            (
                one["differs"].as_str().unwrap_or_default(),
                code.unwrap_or_default(),
            )
        })
        .collect();
    for difference in [
        ("missing_in_getfly", "HD000004"),
        ("total", "HD000003.01"),
        ("not_on_kiotviet", "HD000002"),
    ] {
        assert!(told.contains(&difference), "{difference:?}: {found}");
    }
    assert_eq!(told.len(), 3, "{found}");
    let mut visitor = Visitor::inside(&shop.app).await;
    let page = visitor
        .get(&format!("/ui/reconciliation?day={day}"))
        .await
        .html;
    for words in [
        "không có đơn của ngày này",
        "1.050.000 đ",
        "900.000 đ",
        "khác tổng tiền",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let english = visitor
        .get(&format!("/ui/reconciliation?day={day}&lang=en"))
        .await
        .html;
    assert!(
        english.contains("has no order of this day in Getfly"),
        "{english}"
    );
    let table = visitor
        .get(&format!("/ui/reconciliation.csv?day={day}"))
        .await;
    assert_eq!(
        table.header("content-type"),
        Some("text/csv; charset=utf-8")
    );
    let row = "HD000003.01,cuahangthu-HD000003,450000,300000";
    let english = "\u{feff}Day,Shop,Difference,Invoice code,Getfly order,KiotViet total,";
    assert!(table.html.starts_with(english), "{}", table.html);
    assert!(table.html.contains(row), "{}", table.html);
    visitor.get("/?lang=vi").await;
    let table = visitor
        .get(&format!("/ui/reconciliation.csv?day={day}"))
        .await;
    let vietnamese = "\u{feff}Ngày,Cửa hàng,Khác nhau,Mã hóa đơn,Mã đơn hàng Getfly,";
    assert!(table.html.starts_with(vietnamese), "{}", table.html);
    let row = format!("2026-10-05,shop,khác tổng tiền,{row}");
    assert!(table.html.contains(&row), "{}", table.html);
    visitor.get("/?lang=en").await;
    // A row of sums names no invoice, and an invoice that cannot be read costs no other its comparison.
    shop.kiotviet.update_settings(|s| s.pages.summary = true);
    let (status, again) = shop.app.look(&format!("reconciliation?day={day}")).await;
    assert_eq!((status, &again), (200, &found));
    let quiet = visitor.get("/ui/reconciliation?day=2026-10-01").await.html;
    assert!(quiet.contains("Both sides agree."), "{quiet}");
    let (status, _) = shop
        .app
        .call("GET", "reconciliation?day=soon", &Value::Null)
        .await;
    assert_eq!(status, 400);
}

#[tokio::test(start_paused = true)]
async fn a_day_is_compared_whether_or_not_a_bound_by_day_lists_that_day() {
    for left_out in [false, true] {
        let shop = TestShop::connected(On::Both).await;
        shop.kiotviet
            .update_settings(|s| s.last_day_left_out = left_out);
        shop.getfly
            .update_settings(|s| s.last_day_left_out = left_out);
        shop.kiotviet.create_invoice(sale(None));
        shop.deliver().await;
        shop.pass(24 * 3600).await;
        shop.kiotviet.create_invoice(sale(None));
        shop.deliver().await;
        let (status, found) = shop.app.look("reconciliation?day=2026-10-05").await;
        assert_eq!(status, 200, "{found}");
        let here = &found["shops"][0];
        for side in ["kiotviet", "getfly"] {
            assert_eq!(here[side]["count"], 1, "{left_out}: {found}");
        }
        assert_eq!(here["differences"], json!([]), "{found}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_day_that_is_too_large_says_so() {
    let shop = TestShop::connected(On::Both).await;
    shop.kiotviet.update_settings(|s| s.pages.largest = 1);
    for _ in 0..110 {
        shop.kiotviet.create_invoice(sale(None));
    }
    let day = "reconciliation?day=2026-10-05";
    let (status, problem) = shop.app.call("GET", day, &Value::Null).await;
    assert_eq!((status, &problem["type"]), (409, &json!("day-too-large")));
    let mut visitor = Visitor::inside(&shop.app).await;
    let page = visitor.get(&format!("/ui/{day}")).await.html;
    assert!(page.contains("chưa đọc hết"), "{page}");
}

#[tokio::test(start_paused = true)]
async fn the_order_of_a_cancelled_sale_is_told_by_its_invoice_also_where_getfly_numbers_it() {
    for numbers_itself in [false, true] {
        let shop = TestShop::connected(On::Both).await;
        shop.getfly
            .update_settings(|s| s.numbers_itself = numbers_itself);
        shop.kiotviet.create_invoice(sale(None));
        shop.deliver().await;
        let sold = shop.kiotviet.invoices()[0].id;
        shop.kiotviet.cancel_invoice(sold);
        let (_, found) = shop.app.look("reconciliation?day=2026-10-05").await;
        let here = &found["shops"][0];
        assert_eq!(here["kiotviet"]["count"], 0, "{found}");
        assert_eq!(here["getfly"]["count"], 1, "{found}");
        let differences = here["differences"].as_array().expect("a list");
        assert_eq!(differences.len(), 1, "{found}");
        assert_eq!(differences[0]["differs"], "not_on_kiotviet", "{found}");
        assert_eq!(differences[0]["invoice_code"], "HD000001", "{found}");
        assert!(differences[0]["order_code"].is_string(), "{found}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_shop_that_cannot_be_read_hides_no_other_from_the_reconciliation() {
    let (shop, others) = TestShop::of_settings(Settings::default(), [Settings::fnb()]);
    for (name, one) in [("shop", &shop.kiotviet), ("quan", &others[0])] {
        let (status, answer) = shop.connect_as(name, one).await;
        assert_eq!(status, 200, "{answer}");
    }
    shop.switch("order", true).await;
    shop.pass(1).await;
    shop.kiotviet.create_invoice(sale(None));
    shop.deliver().await;
    // The F&B shop's ClientId is taken from it.
    others[0].update_settings(|s| s.client_secret = "another".to_owned());
    others[0].revoke_tokens();
    shop.pass(3 * 3600).await;
    let day = "2026-10-05";
    let (status, found) = shop.app.look(&format!("reconciliation?day={day}")).await;
    assert_eq!(status, 200, "{found}");
    assert_eq!(found["shops"][0]["connection"], "shop", "{found}");
    assert_eq!(found["unread"][0]["connection"], "quan", "{found}");
    let mut visitor = Visitor::inside(&shop.app).await;
    let place = format!("/ui/reconciliation?day={day}");
    let page = visitor.get(&place).await.html;
    for words in [
        "Chưa đọc được hóa đơn",
        "/ui/shops/quan",
        "300.000 đ",
        "Hãy so lại với trang",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let table = visitor.get(&place.replace('?', ".csv?")).await.html;
    assert!(table.contains("2026-10-05,quan,\"Chưa đọc được"), "{table}");
}

#[tokio::test(start_paused = true)]
async fn every_waiting_event_says_what_it_waits_for_and_the_overview_counts_them_all() {
    let shop = TestShop::connected(On::Both).await;
    shop.getfly_faults
        .add(FaultRule::new(Fault::Status(401, None)));
    shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    shop.kiotviet
        .create_customer(customer("Lê Thị Chờ", "0912345601"));
    shop.deliver().await;
    // Of the last one the worker knows nothing yet.
    shop.kiotviet.create_customer(ba());
    for delivery in shop.kiotviet.take_deliveries() {
        let (answer, _) = shop.app.answer(shop.kiotviet.request(&delivery)).await;
        shop.kiotviet.settle(delivery, Some(answer.status));
    }
    let (_, overview) = shop.app.look("overview").await;
    assert_eq!(overview["counts"]["waiting"], 2, "{overview}");
    assert_eq!(overview["unread"], 1, "{overview}");
    assert_eq!(overview["paused"][0]["waiting"], 3, "{overview}");
    let mut visitor = Visitor::inside(&shop.app).await;
    let page = visitor.get("/").await.html;
    assert!(page.contains("3 sự kiện đang chờ"), "{page}");
    let list = visitor.get("/ui/events").await.html;
    let why = "class=\"danger\">Getfly từ chối API Key (401)";
    assert_eq!(list.matches(why).count(), 3, "{list}");
    for seq in 1..=3 {
        let event = visitor.get(&format!("/ui/events/{seq}")).await.html;
        assert!(event.contains("Getfly từ chối API Key (401)"), "{event}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_a_kiotviet_that_is_paused_is_counted() {
    let shop = TestShop::connected(On::Both).await;
    shop.kiotviet_faults
        .add(FaultRule::new(Fault::Status(503, None)));
    for n in 0..3 {
        let new = customer("Lê Thị Chờ", &format!("091234560{n}"));
        shop.kiotviet.create_customer(new);
        shop.deliver().await;
    }
    let (_, overview) = shop.app.look("overview").await;
    assert_eq!(overview["paused"][0]["side"], "shop", "{overview}");
    assert_eq!(overview["paused"][0]["waiting"], 3, "{overview}");
}
