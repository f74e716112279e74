//! Claims: a new connection's first ten events are shown one under the other with what was sent, as Getfly answered it,
//! and what Getfly has now; a person is asked once how they are; it costs no call until somebody looks, and later events
//! nothing at all; what is kept is sealed and goes with the events; and only who is logged in sees it.
//! How: sales at simulated vendors, and a person at the page and the API.

use host::keyvalue::Cell;
use host_test::{
    admin::Admin,
    shop::{CONNECTION, On, TestShop, customer, hoa, sale},
    visitor::Visitor,
};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use sim::{Fault, FaultRule, Habit, When, getfly::Account};

const API: &str = "connections/shop/first-day";
const PAGE: &str = "/ui/shops/shop/first-day";

async fn look(shop: &TestShop) -> Value {
    let (status, seen) = shop.app.look(API).await;
    assert_eq!(status, 200, "{seen}");
    seen
}

/// Everything, request after request.
async fn whole(shop: &TestShop) -> Value {
    for _ in 0..10 {
        let seen = look(shop).await;
        if seen["complete"] == true {
            return seen;
        }
    }
    panic!("it does not end");
}

fn events(seen: &Value) -> &Vec<Value> {
    seen["events"].as_array().expect("events")
}

/// So many customers with an invoice each.
async fn sell(shop: &TestShop, numbers: std::ops::Range<u32>) {
    for n in numbers {
        let new = customer(&format!("Khách {n}"), &format!("09770001{n:02}"));
        let id = shop.kiotviet.create_customer(new);
        shop.kiotviet.create_invoice(sale(Some(id)));
        shop.deliver().await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_ten_are_shown_with_what_was_sent_answered_and_read_back() {
    let shop = TestShop::connected(On::Both).await;
    assert_eq!(events(&look(&shop).await), &[] as &[Value]);
    shop.getfly.seed_account(Account {
        account_code: "KH-1".to_owned(),
        account_name: "Khách cũ".to_owned(),
        phone_office: "0988777666".to_owned(),
        ..Account::default()
    });
    let hoa = shop.kiotviet.create_customer(hoa());
    shop.kiotviet.create_invoice(sale(Some(hoa)));
    shop.deliver().await;
    // Told again: it leads to nothing, and takes no place.
    shop.kiotviet.edit_customer(hoa, |_| {});
    shop.kiotviet
        .create_customer(customer("Khách quen", "0988 777 666"));
    shop.deliver().await;
    let read = || {
        let calls = shop.app.take_calls().into_iter();
        let singles = ["Getfly GET /account", "Getfly GET /sale_order"];
        calls
            .filter(|call| singles.contains(&call.endpoint))
            .count()
    };
    read();
    shop.drain().await;
    assert_eq!(read(), 0, "nobody has looked");
    let seen = whole(&shop).await;
    assert_eq!((&seen["of"], &seen["answer"]), (&10.into(), &Value::Null));
    let [created, ordered, linked] = &events(&seen)[..] else {
        panic!("{seen}");
    };
    assert_eq!(created["event"]["reason"], "customer_created");
    let sent = &created["sent"][0];
    assert_eq!(
        (&sent["call"], &sent["status"]),
        (&"Getfly POST /account".into(), &200.into())
    );
    assert_eq!(sent["sent"]["phone_office"], "0912345678");
    assert_eq!(
        sent["answer"]["data"]["account_code"],
        created["event"]["account_code"]
    );
    let account = &created["read_back"][0]["answer"];
    assert_eq!(account["account_name"], "Chị Hoa");
    assert_eq!(account["email"], "hoa@example.vn");
    assert_eq!(created["differs"], json!([]));
    assert_eq!(ordered["event"]["kind"], "invoice");
    let lines = &ordered["sent"][0]["sent"]["saved_order_details"];
    assert_eq!(lines[0]["product_code"], "SP1");
    let read = ordered["read_back"].as_array().expect("both");
    assert_eq!(read.len(), 2, "account and order: {read:?}");
    assert_eq!(read[1]["answer"]["real_amount"], 300_000);
    assert_eq!(ordered["differs"], json!([]));
    assert_eq!(linked["event"]["reason"], "linked_by_phone");
    assert_eq!(linked["sent"], json!([]));
    assert_eq!(linked["read_back"][0]["answer"]["account_code"], "KH-1");
    // What was read is kept.
    shop.app.take_calls();
    assert_eq!(whole(&shop).await, seen);
    assert_eq!(shop.app.take_calls(), []);

    sell(&shop, 0..8).await;
    let seen = whole(&shop).await;
    let keys: Vec<&Value> = events(&seen)
        .iter()
        .map(|one| &one["event"]["seq"])
        .collect();
    assert_eq!(keys.len(), 10);
    assert_eq!(keys[..4], [1, 2, 4, 5]);
    // The calls of one look keep Getfly's ceiling, and none writes.
    let calls = shop.app.take_calls().into_iter();
    let writes = calls.filter(|call| !call.endpoint.contains(" GET "));
    let writes: Vec<&str> = writes.map(|call| call.endpoint).collect();
    assert!(
        writes
            .iter()
            .all(|call| call.contains("POST /account") || call.contains("POST /sale_order"))
    );
    assert_eq!(writes.len(), 16, "the sales' own: {writes:?}");
    // Read again on demand.
    let id = account["id"].as_i64().expect("an id");
    assert!(shop.getfly.delete_account(id));
    assert_eq!(
        events(&whole(&shop).await)[0]["read_back"],
        created["read_back"]
    );
    assert_eq!(shop.app.look(&format!("{API}?again=true")).await.0, 200);
    let seen = whole(&shop).await;
    let gone = &events(&seen)[0]["read_back"];
    assert_eq!(gone[0]["status"], 404, "{gone}");
}

#[tokio::test(start_paused = true)]
async fn a_person_is_asked_once_and_told_what_to_do_where_something_is_wrong() {
    let shop = TestShop::connected(On::Both).await;
    let mut visitor = Visitor::inside(&shop.app).await;
    let link = "/ui/shops/shop/first-day";
    assert!(!visitor.get("/").await.html.contains(link));
    shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    assert!(visitor.get("/").await.html.contains(link));
    let page = visitor.get(&format!("{PAGE}?lang=en")).await.html;
    for words in [
        "Is what came to Getfly right?",
        "Looked at, all right",
        "What was sent",
        "As Getfly answered it",
        "What was read back",
        "Chị Hoa",
        "0912345678",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let page = visitor.get(&format!("{PAGE}?lang=vi")).await.html;
    assert!(
        page.contains("Đã gửi") && page.contains("Getfly trả lời"),
        "{page}"
    );
    assert!(!page.contains("Tắt hai webhook"));

    assert_eq!(
        visitor.post(&format!("{PAGE}/wrong"), &[]).await.location(),
        PAGE
    );
    let page = visitor.get(PAGE).await.html;
    assert!(
        page.contains("Tắt hai webhook") && page.contains("/ui/assumptions"),
        "{page}"
    );
    assert!(!visitor.get("/").await.html.contains(link), "asked once");
    let answer = look(&shop).await["answer"].clone();
    assert_eq!(answer["all_right"], false);
    assert!(answer["at"].is_string());

    visitor.post(&format!("{PAGE}/right"), &[]).await;
    let page = visitor.get(PAGE).await.html;
    assert!(
        page.contains("Đã xem, mọi thứ đúng:") && !page.contains("Có gì đó sai"),
        "{page}"
    );
    let said = shop
        .app
        .call("POST", API, &json!({"all_right": true}))
        .await;
    assert_eq!((said.0, &said.1["all_right"]), (200, &true.into()));
    assert_eq!(shop.app.call("POST", API, &json!({})).await.0, 400);
    assert_eq!(shop.app.call("PUT", API, &json!({})).await.0, 405);
    assert_eq!(shop.app.look("connections/other/first-day").await.0, 404);
}

#[tokio::test(start_paused = true)]
async fn a_strangers_form_and_look_are_refused() {
    let shop = TestShop::connected(On::Both).await;
    shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    let mut stranger = Visitor::new(&shop.app);
    assert_eq!(stranger.get(PAGE).await.status, 303);
    assert_eq!(
        stranger
            .post(&format!("{PAGE}/right"), &[])
            .await
            .location(),
        "/"
    );
    let mut visitor = Visitor::inside(&shop.app).await;
    visitor.csrf = "another".to_owned();
    assert_eq!(
        visitor.post(&format!("{PAGE}/right"), &[]).await.status,
        403
    );
    assert_eq!(look(&shop).await["answer"], Value::Null);
    let request = http::Request::get("https://bridge.test/api/connections/shop/first-day");
    let answer = shop
        .app
        .request(request.body("".into()).expect("a request"))
        .await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED.as_u16());
    assert!(!String::from_utf8_lossy(&answer.body).contains("Hoa"));
}

#[tokio::test(start_paused = true)]
async fn what_getfly_refused_is_shown_and_so_is_what_it_took_later() {
    let shop = TestShop::connected(On::Both).await;
    shop.refuse_accounts(1);
    shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    let seen = whole(&shop).await;
    let dead = &events(&seen)[0];
    assert_eq!(dead["event"]["state"], "dead");
    assert_eq!(dead["read_back"], Value::Null);
    assert!(!dead["sent"][0]["answer"].is_null());
    // The list is whole before a person has it attempted again.
    sell(&shop, 0..6).await;
    assert_eq!(shop.app.retry(1).await.0, 200);
    shop.drain().await;
    let seen = whole(&shop).await;
    assert_eq!(events(&seen).len(), 10);
    let mended = &events(&seen)[0];
    assert_eq!(mended["event"]["state"], "done");
    assert_eq!(mended["sent"].as_array().map(Vec::len), Some(2), "{mended}");
    assert_eq!(mended["read_back"][0]["answer"]["account_name"], "Chị Hoa");
}

#[tokio::test(start_paused = true)]
async fn what_getfly_has_otherwise_than_it_was_sent_is_named() {
    let shop = TestShop::connected(On::Both).await;
    shop.take_on(&[Habit::PhonesInternational]);
    shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    let seen = whole(&shop).await;
    assert_eq!(events(&seen)[0]["differs"], json!(["phone_office"]));
    let mut visitor = Visitor::inside(&shop.app).await;
    let page = visitor.get(PAGE).await.html;
    assert!(
        page.contains("Getfly có khác với những gì đã gửi:"),
        "{page}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_getfly_that_cannot_be_read_is_said_and_asked_again() {
    let shop = TestShop::connected(On::Both).await;
    shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    let down = FaultRule::new(Fault::Status(503, None)).on(Method::GET, "/api/v6.1/account");
    shop.getfly_faults.add(down.when(When::First(1)));
    let seen = look(&shop).await;
    assert_eq!(
        (&seen["complete"], &events(&seen)[0]["read_back"]),
        (&false.into(), &Value::Null)
    );
    assert!(
        seen["unread"].as_str().expect("why").contains("503"),
        "{seen}"
    );
    assert!(events(&seen)[0]["sent"][0]["sent"].is_object());
    assert_eq!(look(&shop).await["complete"], true);
    // One that knows fewer fields is asked for those that every order has.
    let refused = FaultRule::new(Fault::Status(400, None)).on(Method::GET, "/api/v6.1/account");
    shop.getfly_faults.add(refused.when(When::First(1)));
    shop.app.look(&format!("{API}?again=true")).await;
    let seen = whole(&shop).await;
    let read = &events(&seen)[0]["read_back"][0];
    assert_eq!(
        (&read["status"], &read["answer"]["account_name"]),
        (&200.into(), &"Chị Hoa".into())
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_kept_is_sealed_and_goes_with_the_events() {
    let shop = TestShop::connected(On::Both).await;
    shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    whole(&shop).await;
    let part = |part: &str| {
        let all = shop.app.store.dump().into_keys();
        all.filter(|key| key.contains(part)).count()
    };
    assert_eq!(part("first-event/"), 1);
    for (key, cell) in shop.app.store.dump() {
        let Cell::Value(value) = cell else { continue };
        let text = String::from_utf8_lossy(&value);
        for person in ["0912345678", "hoa@example.vn", "Chị Hoa"] {
            assert!(!text.contains(person), "{person} in {key}");
        }
    }
    shop.pass(31 * 86_400).await;
    shop.drain().await;
    assert_eq!((part("first-event/"), shop.events().await.len()), (0, 0));
    assert_eq!(events(&whole(&shop).await), &[] as &[Value]);
}

#[tokio::test(start_paused = true)]
async fn later_events_cost_nothing_more() {
    let shop = TestShop::connected(On::Both).await;
    // What a customer costs the store: every call, and the size of his event.
    let cost = async |n: u32| {
        shop.app.take_stored();
        let new = customer("Khách", &format!("09660001{n:02}"));
        shop.kiotviet.create_customer(new);
        shop.deliver().await;
        let stored = shop.app.take_stored().into_iter();
        let calls: Vec<String> = stored.map(|s| format!("{} {}", s.call, s.key)).collect();
        let record = shop.journal().await.pop().expect("an event");
        (calls, record.sheet.is_some())
    };
    let mut first = Vec::new();
    for n in 0..12 {
        first.push(cost(n).await);
    }
    let listed: Vec<bool> = first.iter().map(|(_, sheet)| *sheet).collect();
    assert_eq!(listed, [[true; 10].as_slice(), &[false; 2]].concat());
    // The tenth writes the list; no other has a call for it.
    let writes =
        |(calls, _): &(Vec<String>, bool)| calls.iter().filter(|c| c.contains("first-ev")).count();
    let writes: Vec<usize> = first.iter().map(writes).collect();
    assert_eq!(writes, [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0]);
    let cursor = plugin::journal::cursor::load(&shop.app)
        .await
        .expect("a cursor");
    assert!(cursor.first_events.is_empty());
    // Connecting it anew begins no other first day.
    shop.app.disconnect(CONNECTION).await;
    shop.connect_with(On::Both).await;
    assert!(!cost(12).await.1);
}
