//! Claims that alerts reach people who do not look: about a dead letter, a side that fails and why,
//! a webhook that stays off, silence in business hours, and recovery. An alert comes within a
//! minute, once in ten minutes for each cause, is repeated until it arrives, and holds nothing up.

use host_test::{
    admin::Admin as _,
    shop::{On, TestShop, ba, customer, hoa, sale},
    visitor::Visitor,
};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use sim::{Fault, FaultRule, Habit, Receiver, kiotviet::Settings, receiver::Received};
use std::sync::Arc;

const RECEIVER: &str = "https://alerts.test";
const LIMIT: i64 = 60;

/// A shop with both webhooks on, and the receiver of its alerts.
async fn told(changed: &[(&str, &str)]) -> (TestShop, Arc<Receiver>) {
    let mut shop = TestShop::unconnected();
    let receiver = Arc::new(Receiver::new(shop.clock.clone()));
    shop.app = shop.app.serving(RECEIVER, receiver.clone());
    let variables = [("alert_origin", RECEIVER), ("alert_path", "/secret-path")];
    for (name, value) in variables.iter().chain(changed) {
        shop.app.set_variable(name, value);
    }
    shop.connect().await;
    shop.connect_with(On::Both).await;
    (shop, receiver)
}

fn messages(receiver: &Receiver) -> Vec<(Received, Value)> {
    let received = receiver.take().into_iter();
    let posts = received.filter(|r| r.asked.starts_with("POST "));
    posts
        .map(|r| {
            assert_eq!(r.asked, "POST /secret-path");
            let body = serde_json::from_str(&r.body).expect("JSON");
            (r, body)
        })
        .collect()
}

/// The cause of each message, and whether it is over.
fn causes(messages: &[(Received, Value)]) -> Vec<(String, bool)> {
    let all = messages
        .iter()
        .flat_map(|(_, body)| body["causes"].as_array().cloned());
    all.flatten()
        .map(|cause| (cause["cause"].to_string(), cause["over"] == json!(true)))
        .collect()
}

fn refuses(shop: &TestShop) {
    shop.getfly_faults
        .add(FaultRule::new(Fault::Status(401, None)));
}

#[tokio::test(start_paused = true)]
async fn a_refused_key_is_told_within_a_minute_with_its_reason_and_its_end() {
    let (shop, receiver) = told(&[]).await;
    refuses(&shop);
    let broken_at = shop.clock.now();
    shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    shop.minutes(1).await;
    let told = messages(&receiver);
    assert_eq!(causes(&told), [(r#""getfly_fails""#.to_owned(), false)]);
    let (received, body) = &told[0];
    assert!(received.at.duration_since(broken_at).as_secs() <= LIMIT);
    assert!(
        body["text"].as_str().expect("text").contains("401"),
        "{body}"
    );
    assert!(
        body["text_en"]
            .as_str()
            .expect("text")
            .contains("refuses the API key (401)"),
        "{body}"
    );
    let (_, overview) = shop.app.look("overview").await;
    assert_eq!(overview["paused"][0]["side"], "Getfly");
    assert_eq!(
        overview["paused"][0]["why"],
        "Getfly refuses the API key (401)"
    );
    // Hours of it cause one alert.
    shop.minutes(90).await;
    assert_eq!(messages(&receiver), []);
    shop.getfly_faults.clear();
    shop.minutes(120).await;
    let told = messages(&receiver);
    assert_eq!(causes(&told), [(r#""getfly_fails""#.to_owned(), true)]);
    assert_eq!(told[0].1["all_well"], true);
    assert!(
        told[0].1["text"]
            .as_str()
            .expect("text")
            .contains("Mọi thứ lại ổn.")
    );
    assert_eq!(shop.in_getfly(), (1, 0));
    let log = shop.app.log().join("\n");
    assert_eq!(
        log.matches("Getfly does not do what it is asked").count(),
        1
    );
    assert_eq!(log.matches("Getfly works again").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn dead_letters_of_one_reason_are_one_message_in_ten_minutes_without_a_persons_data() {
    let (shop, receiver) = told(&[]).await;
    shop.refuse_accounts(u64::MAX);
    for n in 0..30_u32 {
        let new = customer("Nguyễn Văn Kín", &format!("09123456{n:02}"));
        shop.kiotviet.create_customer(new);
        shop.deliver().await;
        shop.minutes(1).await;
    }
    shop.minutes(15).await;
    let told = messages(&receiver);
    let counts: Vec<u64> = told
        .iter()
        .map(|(_, b)| b["causes"][0]["count"].as_u64().unwrap())
        .collect();
    assert_eq!(counts.iter().sum::<u64>(), 30, "{counts:?}");
    assert!(told.len() <= 4, "{counts:?}");
    for pair in told.windows(2) {
        let apart = pair[1].0.at.duration_since(pair[0].0.at).as_secs();
        assert!(apart >= 600, "{apart}");
    }
    for (received, body) in &told {
        assert!(
            !received.body.contains("Kín") && !received.body.contains("0912"),
            "{body}"
        );
        assert!(
            body["text"].as_str().expect("text").contains("shop:"),
            "{body}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_fails_gets_it_later_and_holds_nothing_up() {
    let (shop, receiver) = told(&[]).await;
    let regular = shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    receiver.answer(Some(StatusCode::INTERNAL_SERVER_ERROR));
    shop.refuse_accounts(1);
    shop.kiotviet.create_customer(ba());
    shop.deliver().await;
    for _ in 0..5 {
        shop.kiotviet.create_invoice(sale(Some(regular)));
        let before = shop.clock.now();
        shop.deliver().await;
        assert!(shop.clock.now().duration_since(before).as_secs() < 15);
        shop.minutes(1).await;
    }
    assert_eq!(shop.in_getfly(), (1, 5));
    let refused = messages(&receiver);
    assert!((2..=5).contains(&refused.len()), "{}", refused.len());
    receiver.answer(Some(StatusCode::NO_CONTENT));
    shop.minutes(15).await;
    let told = messages(&receiver);
    let dead = r#"{"dead_letters":{"connection":"shop","reason":"getfly_refused"}}"#;
    // It is told in a 200, which is not as assumed.
    let in_200 = r#"{"contradicted":{"assumption":"refusal_status"}}"#;
    assert_eq!(
        causes(&told),
        [(dead.to_owned(), false), (in_200.to_owned(), false)]
    );
    assert!(shop.app.log().iter().any(|l| l.contains("alert not sent")));
    assert!(!shop.app.log().iter().any(|l| l.contains("secret-path")));
}

#[tokio::test(start_paused = true)]
async fn a_message_that_may_have_arrived_is_not_told_again_within_ten_minutes() {
    let (shop, receiver) = told(&[]).await;
    receiver.answer(None);
    shop.refuse_accounts(1);
    shop.kiotviet.create_customer(ba());
    shop.deliver().await;
    shop.minutes(25).await;
    let told = messages(&receiver);
    assert!(told.len() >= 2, "{}", told.len());
    for pair in told.windows(2) {
        assert!(pair[1].0.at.duration_since(pair[0].0.at).as_secs() >= 600);
    }
}

#[tokio::test(start_paused = true)]
async fn a_webhook_that_stays_off_is_told() {
    let (shop, receiver) = told(&[]).await;
    let refused = FaultRule::new(Fault::Status(500, None)).on(Method::POST, "/webhooks");
    shop.kiotviet_faults.add(refused);
    shop.kiotviet.switch_off_webhooks();
    shop.minutes(20).await;
    let told = causes(&messages(&receiver));
    for webhook in ["customer", "order"] {
        let cause = json!({"webhook_inactive": {"connection": "shop", "webhook": webhook}});
        assert!(told.contains(&(cause.to_string(), false)), "{told:?}");
    }
    shop.kiotviet_faults.clear();
    shop.minutes(30).await;
    assert!(causes(&messages(&receiver)).iter().all(|(_, over)| *over));
}

#[tokio::test(start_paused = true)]
async fn silence_at_hours_at_which_the_shop_sells_is_told_and_closing_days_are_not() {
    let (shop, receiver, regular) = with_a_rhythm().await;
    for _ in 0..24 {
        shop.pass(3600).await;
        shop.drain().await;
    }
    let silence = json!({"silence": {"connection": "shop"}}).to_string();
    assert_eq!(causes(&messages(&receiver))[0], (silence.clone(), false));
    shop.kiotviet.create_invoice(sale(Some(regular)));
    shop.deliver().await;
    shop.minutes(1).await;
    assert!(causes(&messages(&receiver)).contains(&(silence, true)));
}

#[tokio::test(start_paused = true)]
async fn the_heartbeat_stops_when_drains_stop_being_good() {
    let (shop, receiver) = told(&[("heartbeat_path", "/ping/abc")]).await;
    receiver.take();
    shop.minutes(10).await;
    let beats = receiver.take();
    assert!((9..=11).contains(&beats.len()), "{beats:?}");
    assert!(beats.iter().all(|beat| beat.asked == "GET /ping/abc"));
    shop.app.break_store(true);
    shop.minutes(10).await;
    assert_eq!(receiver.take(), []);
}

#[tokio::test(start_paused = true)]
async fn slack_and_telegram_get_their_own_form() {
    for (format, key) in [("slack", None), ("telegram", Some("chat_id"))] {
        let (shop, receiver) = told(&[("alert_format", format), ("alert_chat", "-1001")]).await;
        shop.refuse_accounts(1);
        shop.kiotviet.create_customer(ba());
        shop.deliver().await;
        shop.minutes(1).await;
        let told = messages(&receiver);
        let body = told[0].1.as_object().expect("an object");
        assert_eq!(body.len(), 1 + usize::from(key.is_some()), "{body:?}");
        assert!(body["text"].as_str().expect("text").contains("shop: 1 "));
        if let Some(key) = key {
            assert_eq!(body[key], "-1001");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_person_tests_the_receiver_and_mutes_a_cause() {
    let (shop, receiver) = told(&[]).await;
    let (status, answer) = shop.app.call("POST", "alerts/test", &json!({})).await;
    assert_eq!((status, answer), (200, json!({"arrived": true})));
    assert_eq!(messages(&receiver).len(), 1);
    receiver.answer(Some(StatusCode::NOT_FOUND));
    let (status, problem) = shop.app.call("POST", "alerts/test", &json!({})).await;
    assert_eq!((status, &problem["type"]), (502, &json!("alert-not-sent")));
    assert!(
        problem["detail"]
            .as_str()
            .expect("text")
            .contains("answered 404")
    );
    receiver.answer(Some(StatusCode::OK));
    receiver.take();
    let muted = json!({"cause": "getfly_fails"});
    assert_eq!(shop.app.call("POST", "alerts/mute", &muted).await.0, 200);
    assert_eq!(
        shop.app
            .call("POST", "alerts/mute", &json!({"cause": "x"}))
            .await
            .0,
        400
    );
    refuses(&shop);
    shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    shop.minutes(30).await;
    assert_eq!(messages(&receiver), []);
    let (_, state) = shop.app.look("alerts").await;
    assert_eq!(state["causes"][0]["cause"], "getfly_fails");
    assert_eq!(state["muted"], json!(["getfly_fails"]));
    assert_eq!(
        shop.app.call("POST", "alerts/unmute", &muted).await.1,
        json!([])
    );
}

#[tokio::test(start_paused = true)]
async fn a_contradicted_assumption_is_told_once_without_a_persons_data_and_can_be_muted() {
    let (shop, receiver) = told(&[]).await;
    let muted = json!({"cause": {"contradicted": {"assumption": "details"}}});
    assert_eq!(shop.app.call("POST", "alerts/mute", &muted).await.0, 200);
    let unknown = json!({"cause": {"contradicted": {"assumption": "x"}}});
    assert_eq!(shop.app.call("POST", "alerts/mute", &unknown).await.0, 400);
    shop.take_on(&[Habit::DetailsRefused]);
    let sell = async |name: &str, phone: &str| {
        shop.kiotviet.create_customer(sim::kiotviet::NewCustomer {
            gender: Some(true),
            ..customer(name, phone)
        });
        shop.deliver().await;
        shop.minutes(30).await;
    };
    sell("Anh Kín", "0912345678").await;
    let first = messages(&receiver);
    let gender = json!({"contradicted": {"assumption": "gender"}}).to_string();
    assert_eq!(causes(&first), [(gender, false)]);
    let (received, body) = &first[0];
    for (text, words) in [
        ("text", "Giả định không đúng ở đây: API 6.1 nhận giới tính"),
        (
            "text_en",
            "does not hold here: Version 6.1 takes the gender",
        ),
    ] {
        assert!(body[text].as_str().expect("text").contains(words), "{body}");
    }
    for person in ["Kín", "0912"] {
        assert!(!received.body.contains(person), "{body}");
    }
    let (_, state) = shop.app.look("alerts").await;
    assert!(state["causes"].to_string().contains("gender"), "{state}");
    // Shown again and again, it is told no more; and what can be mended is over all the same.
    sell("Anh Hai", "0912345679").await;
    assert_eq!(messages(&receiver), []);
    refuses(&shop);
    sell("Anh Ba", "0912345670").await;
    shop.getfly_faults.clear();
    shop.minutes(90).await;
    let after = messages(&receiver);
    let of_side = |over| (r#""getfly_fails""#.to_owned(), over);
    assert_eq!(causes(&after), [of_side(false), of_side(true)]);
    assert_eq!(after[1].1["all_well"], true);
}

/// Where invoices are polled there is no webhook that could be seen inactive.
#[tokio::test(start_paused = true)]
async fn invoices_of_an_fnb_shop_that_cannot_be_read_are_told_once_and_so_is_their_end() {
    let (mut shop, _) = TestShop::of_settings(Settings::fnb(), []);
    let receiver = Arc::new(Receiver::new(shop.clock.clone()));
    shop.app = shop.app.serving(RECEIVER, receiver.clone());
    for (name, value) in [("alert_origin", RECEIVER), ("alert_path", "/secret-path")] {
        shop.app.set_variable(name, value);
    }
    shop.connect_with(On::Both).await;
    shop.minutes(30).await;
    assert_eq!(causes(&messages(&receiver)), [], "all is well");
    let down = FaultRule::new(Fault::Status(503, None)).on(Method::GET, "/invoices");
    shop.kiotviet_faults.add(down);
    shop.minutes(60).await;
    let told = messages(&receiver);
    let cause = r#"{"poll_fails":{"connection":"shop"}}"#.to_owned();
    assert_eq!(causes(&told), [(cause.clone(), false)]);
    let text = told[0].1["text"].as_str().expect("text");
    assert!(text.contains("không đọc được hóa đơn"), "{text}");
    shop.kiotviet_faults.clear();
    shop.minutes(30).await;
    let over = causes(&messages(&receiver));
    assert_eq!(over, [(cause, true)]);
}

#[tokio::test(start_paused = true)]
async fn dead_letters_that_were_told_are_listed_until_dismissed_and_nothing_is_well_meanwhile() {
    let (shop, receiver) = told(&[]).await;
    shop.refuse_accounts(1);
    shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    shop.minutes(2).await;
    assert_eq!(messages(&receiver).len(), 1);
    let (_, state) = shop.app.look("alerts").await;
    let cause = json!({"dead_letters": {"connection": "shop", "reason": "getfly_refused"}});
    assert_eq!(state["causes"][0]["cause"], cause, "{state}");
    assert_eq!(state["causes"][0]["count"], 1);
    assert!(state["causes"][0]["told_at"].is_string(), "{state}");
    let mut visitor = Visitor::inside(&shop.app).await;
    let page = visitor.get("/ui/alerts").await.html;
    assert!(page.contains("1 sự kiện cần anh/chị xử lý"), "{page}");
    assert!(page.contains("Không báo việc này nữa"), "{page}");

    refuses(&shop);
    shop.kiotviet.create_customer(ba());
    shop.deliver().await;
    shop.minutes(2).await;
    shop.getfly_faults.clear();
    shop.minutes(120).await;
    let told = messages(&receiver);
    let over = told.last().expect("a message");
    assert_eq!(over.1["causes"][0]["over"], true, "{told:?}");
    assert_eq!(over.1["all_well"], false, "{told:?}");

    visitor.post("/ui/events/1/dismiss", &[]).await;
    shop.minutes(2).await;
    let (_, state) = shop.app.look("alerts").await;
    assert!(!state.to_string().contains("dead_letters"), "{state}");
    let told = messages(&receiver);
    let cause = cause.to_string();
    assert_eq!(causes(&told), [(cause, true)]);
    assert_eq!(told[0].1["all_well"], true, "{told:?}");
    let text = told[0].1["text"].as_str().expect("text");
    assert!(text.contains("không còn sự kiện nào như thế này"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn the_page_says_why_the_last_message_did_not_arrive() {
    let (shop, receiver) = told(&[]).await;
    receiver.answer(Some(StatusCode::NOT_FOUND));
    refuses(&shop);
    shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    shop.minutes(1).await;
    let mut visitor = Visitor::inside(&shop.app).await;
    let page = visitor.get("/ui/alerts").await.html;
    assert!(
        page.contains("chưa đến nơi, sẽ tự gửi lại: nơi nhận ở alert_origin trả lời 404"),
        "{page}"
    );
}

#[tokio::test(start_paused = true)]
async fn dead_letters_of_a_reason_are_over_once_all_are_retried_while_others_are_open() {
    let (shop, receiver) = told(&[]).await;
    shop.refuse_accounts(2);
    for customer in [hoa(), ba()] {
        shop.kiotviet.create_customer(customer);
    }
    shop.deliver().await;
    assert_eq!(shop.post("no delivery").await, 200);
    shop.minutes(15).await;
    let cause = |reason: &str| {
        json!({"dead_letters": {"connection": "shop", "reason": reason}}).to_string()
    };
    let told = causes(&messages(&receiver));
    assert!(told.contains(&(cause("getfly_refused"), false)), "{told:?}");
    assert!(told.contains(&(cause("bad_signature"), false)), "{told:?}");
    shop.app.call("POST", "events/1/retry", &json!({})).await;
    shop.minutes(15).await;
    assert_eq!(causes(&messages(&receiver)), [], "one is still open");
    shop.app.call("POST", "events/2/retry", &json!({})).await;
    shop.minutes(15).await;
    let told = messages(&receiver);
    assert_eq!(causes(&told), [(cause("getfly_refused"), true)]);
    assert_eq!(told[0].1["all_well"], false);
}

/// A shop whose KiotViet is down, and people were told.
async fn down() -> (TestShop, Arc<Receiver>) {
    let (shop, receiver) = told(&[]).await;
    let down = FaultRule::new(Fault::Status(503, None)).on(Method::GET, "/customers/");
    shop.kiotviet_faults.add(down);
    for n in 0..4 {
        shop.kiotviet
            .create_customer(customer("Hoa", &format!("091234567{n}")));
        shop.deliver().await;
    }
    shop.minutes(3).await;
    let fails = json!({"kiotviet_fails": {"connection": "shop"}}).to_string();
    assert_eq!(causes(&messages(&receiver)), [(fails, false)]);
    (shop, receiver)
}

#[tokio::test(start_paused = true)]
async fn a_shop_that_is_gone_or_switched_off_fails_no_more() {
    for gone in [true, false] {
        let (shop, receiver) = down().await;
        let refused = FaultRule::new(Fault::Status(500, None)).on(Method::POST, "/webhooks");
        shop.kiotviet_faults.add(refused);
        shop.kiotviet.switch_off_webhooks();
        shop.minutes(20).await;
        let told = causes(&messages(&receiver));
        assert_eq!(told.len(), 2, "both webhooks are off: {told:?}");
        if gone {
            let path = "connections/shop";
            assert_eq!(shop.app.call("DELETE", path, &json!({})).await.0, 200);
        } else {
            for webhook in ["customer", "order"] {
                assert_eq!(shop.switch(webhook, false).await.0, 200);
            }
        }
        // Past the last retry of what waits.
        shop.pass_last_retry().await;
        shop.minutes(15).await;
        let told = causes(&messages(&receiver));
        for webhook in ["customer", "order"] {
            let cause = json!({"webhook_inactive": {"connection": "shop", "webhook": webhook}});
            assert!(told.contains(&(cause.to_string(), true)), "{told:?}");
        }
        let fails = json!({"kiotviet_fails": {"connection": "shop"}}).to_string();
        assert!(told.contains(&(fails, true)), "{told:?}");
        let (_, overview) = shop.app.look("overview").await;
        assert_eq!(overview["paused"], json!([]), "{overview}");
    }
}

/// Three weeks of sales in each hour from 9 to 18, from a Monday on.
async fn with_a_rhythm() -> (TestShop, Arc<Receiver>, i64) {
    let (shop, receiver) = told(&[]).await;
    let regular = shop.kiotviet.create_customer(hoa());
    for hour in 0..24 * 21_u32 {
        if (9..18).contains(&(hour % 24)) {
            shop.kiotviet.create_invoice(sale(Some(regular)));
            shop.deliver().await;
        }
        shop.pass(3600).await;
        shop.drain().await;
    }
    assert_eq!(causes(&messages(&receiver)), []);
    (shop, receiver, regular)
}

#[tokio::test(start_paused = true)]
async fn a_shop_whose_orders_are_switched_off_is_not_silent() {
    let (shop, receiver, _) = with_a_rhythm().await;
    assert_eq!(shop.switch("order", false).await.0, 200);
    for _ in 0..24 * 7 {
        shop.pass(3600).await;
        shop.drain().await;
    }
    assert_eq!(causes(&messages(&receiver)), []);
}

#[tokio::test(start_paused = true)]
async fn what_a_list_scan_finds_is_no_sign_of_life() {
    let (shop, receiver, regular) = with_a_rhythm().await;
    for hour in 0..24_u32 {
        if (9..18).contains(&(hour % 24)) {
            shop.kiotviet.create_invoice(sale(Some(regular)));
            // KiotViet loses the delivery.
            drop(shop.kiotviet.take_deliveries());
        }
        shop.pass(3600).await;
        shop.heal().await;
    }
    let silence = json!({"silence": {"connection": "shop"}}).to_string();
    assert_eq!(causes(&messages(&receiver)), [(silence, false)]);
}

#[tokio::test(start_paused = true)]
async fn a_text_that_the_receiver_refuses_is_told_in_short() {
    let changed = [("alert_format", "telegram"), ("alert_chat", "-1001")];
    let (shop, receiver) = told(&changed).await;
    receiver.take_at_most(150);
    shop.refuse_accounts(1);
    shop.kiotviet.create_customer(ba());
    shop.deliver().await;
    shop.minutes(10).await;
    let told = messages(&receiver);
    let texts: Vec<&str> = told
        .iter()
        .filter_map(|(_, b)| b["text"].as_str())
        .collect();
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(texts[1].contains("… và 2 việc nữa"), "{texts:?}");
    assert!(texts[1].contains("… and 2 more"), "{texts:?}");
    // What follows is told as ever.
    receiver.take_at_most(4096);
    refuses(&shop);
    shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    shop.minutes(2).await;
    let told = messages(&receiver);
    let text = told[0].1["text"].as_str().expect("text");
    assert!(text.contains("401"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_long_drain_tells_people_meanwhile() {
    let (shop, receiver) = told(&[("heartbeat_path", "/ping/abc")]).await;
    shop.refuse_accounts(1);
    for n in 0..3700_u32 {
        let new = customer("Nguyễn Văn An", &format!("09123{n:05}"));
        shop.kiotviet.create_customer(new);
    }
    shop.accept().await;
    receiver.take();
    let began = shop.clock.now();
    shop.drain().await;
    let took = shop.clock.now().duration_since(began).as_secs();
    assert!(took > 3600, "{took} s is no backlog of an hour");
    assert_eq!(shop.in_getfly().0, 3699);
    let received = receiver.take();
    let beats = received.iter().filter(|one| one.asked.starts_with("GET "));
    let beats: Vec<i64> = beats
        .map(|one| one.at.duration_since(began).as_secs())
        .collect();
    let ends = beats.iter().copied().chain([took]);
    let longest = ends.scan(0, |last, at| Some(at - std::mem::replace(last, at)));
    assert!(longest.max() <= Some(100), "{beats:?}");
    let told = received.iter().find(|one| one.asked.starts_with("POST "));
    let told = told.expect("an alert").at.duration_since(began).as_secs();
    assert!(told <= LIMIT, "told after {told} s");
}
