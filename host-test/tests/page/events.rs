//! Claims: an event is explained on the page to its last sentence; a dead letter says why and what to do,
//! and is retried or dismissed, alone or with all others. How: a person at the natively run plugin
//! between the simulated vendors.

use host_test::{
    scene::{On, Scene, customer, hoa, sale},
    visitor::Visitor,
};
use serde_json::{Value, json};
use sim::{Fault, FaultRule, When, getfly::User, kiotviet::Staff};

/// Three dead letters: two of a refusal, one of garbage.
async fn dead_letters() -> Scene {
    let scene = Scene::connected(On::Both).await;
    let refused = FaultRule::new(Fault::ErrorsIn200).on(http::Method::POST, "/api/v6.1/account");
    scene.getfly_faults.add(refused.when(When::First(2)));
    scene.kiotviet.create_customer(hoa());
    scene
        .kiotviet
        .create_customer(customer("Anh Ba", "0987654312"));
    scene.deliver().await;
    let hook = scene.kiotviet.webhooks()[0].url.clone();
    let garbage = http::Request::post(hook).body("garbage".into());
    scene.app.request(garbage.expect("a request")).await;
    scene
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_says_why_and_is_retried_or_dismissed() {
    let scene = dead_letters().await;
    let mut visitor = Visitor::inside(&scene.app).await;
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
    assert_eq!(shown.location(), "/ui/events/1?done=wish");
    let done = visitor.get(shown.location()).await.html;
    assert!(
        done.contains("Đã thực hiện.") && done.contains("R2 · Khách hàng mới"),
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
    let scene = dead_letters().await;
    let mut visitor = Visitor::inside(&scene.app).await;
    let list = visitor.get("/ui/events?state=dead").await.html;
    assert!(list.contains("Thử lại tất cả"));
    let shown = visitor
        .post("/ui/events/retry-dead", &[("connection", "other")])
        .await;
    assert_eq!(
        shown.location(),
        "/ui/events?state=dead&done=retried&connection=other"
    );
    assert_eq!(scene.getfly.accounts().len(), 0);
    let shown = visitor
        .post("/ui/events/retry-dead", &[("connection", "shop")])
        .await;
    assert_eq!(
        shown.location(),
        "/ui/events?state=dead&done=retried&connection=shop"
    );
    assert_eq!(scene.getfly.accounts().len(), 2);
    // Garbage is garbage again.
    let (_, list) = scene.app.get("events?state=dead").await;
    assert_eq!(list["events"].as_array().map(Vec::len), Some(1), "{list}");
    let (status, asked) = scene
        .app
        .api("POST", "events/retry-dead?connection=shop", &Value::Null)
        .await;
    assert_eq!(
        (status, asked),
        (202, json!({"retried": 1, "next_before": null}))
    );
    let (status, problem) = scene
        .app
        .api("GET", "events/retry-dead", &Value::Null)
        .await;
    assert_eq!((status, &problem["type"]), (404, &"unknown-event".into()));
}

#[tokio::test(start_paused = true)]
async fn two_hundred_dead_letters_are_retried_in_a_click_and_the_rest_in_the_next() {
    let scene = Scene::connected(On::Both).await;
    let hook = scene.kiotviet.webhooks()[0].url.clone();
    for _ in 0..205 {
        let garbage = http::Request::post(&hook).body("garbage".into());
        scene.app.request(garbage.expect("a request")).await;
    }
    let mut visitor = Visitor::inside(&scene.app).await;
    let shown = visitor.post("/ui/events/retry-dead", &[]).await;
    assert_eq!(
        shown.location(),
        "/ui/events?state=dead&done=retried&rest=6"
    );
    let next = visitor.get(shown.location()).await;
    assert!(next.html.contains("Vẫn còn sự kiện cũ hơn") && next.field("before") == Some("6"));
    let shown = visitor
        .post("/ui/events/retry-dead", &[("before", "6")])
        .await;
    assert_eq!(shown.location(), "/ui/events?state=dead&done=retried");
}

#[tokio::test(start_paused = true)]
async fn an_event_is_explained_in_vietnamese_to_the_last_sentence() {
    let scene = Scene::connected(On::Both).await;
    scene
        .getfly
        .add_user(User::new(7, "nva", "Nguyễn Văn A", "0900000501"));
    scene
        .kiotviet
        .add_staff(Staff::new(5001, "nv1", "Nhân Viên Một", "0900 000 501"));
    let id = scene.kiotviet.create_customer(hoa());
    scene
        .kiotviet
        .create_customer(customer("Chị Hoa nữa", "0912345678"));
    scene.kiotviet.create_invoice(sale(Some(id)));
    scene.kiotviet.create_invoice(sale(None));
    let edited = scene.kiotviet.create_invoice(sale(Some(id)));
    scene.deliver().await;
    scene
        .kiotviet
        .edit_customer(id, |c| c.comments = Some("khách quen".to_owned()));
    scene
        .kiotviet
        .edit_invoice(edited, |i| i.description = Some("giao chiều".to_owned()));
    scene.deliver().await;
    scene.settle().await;
    let count = scene.events().await.len();
    assert!(count >= 7, "{count}");
    let mut visitor = Visitor::inside(&scene.app).await;
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
