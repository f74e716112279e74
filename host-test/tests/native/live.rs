//! Claims: an event's page and the API show what both systems have now of its sale or customer, with lines, seller and
//! links, read only when a person asks; a side that fails hides nothing of the other; nothing is written anywhere, and
//! strangers see nothing.

use host_test::{
    admin::Admin,
    shop::{On, TestShop, hoa, sale},
    visitor::Visitor,
};
use serde_json::Value;
use sim::{Fault, FaultRule};

async fn sold() -> (TestShop, u64) {
    let shop = TestShop::connected(On::Both).await;
    let hoa = shop.kiotviet.create_customer(hoa());
    shop.kiotviet.create_invoice(sale(Some(hoa)));
    shop.deliver().await;
    let events = shop.events().await;
    let event = events.iter().find(|event| event["kind"] == "invoice");
    let seq = event.expect("the sale")["seq"].as_u64().expect("a number");
    shop.app.take_calls();
    shop.app.take_stored();
    (shop, seq)
}

async fn live(shop: &TestShop, seq: u64) -> Value {
    let (status, live) = shop.app.live(seq).await;
    assert_eq!(status, 200, "{live}");
    live
}

#[tokio::test(start_paused = true)]
async fn a_sale_is_shown_as_both_systems_have_it_now() {
    let (shop, seq) = sold().await;
    let mut page = Visitor::inside(&shop.app).await;
    let before = page.get(&format!("/ui/events/{seq}?lang=en")).await.html;
    assert!(before.contains("Read it now"), "{before}");
    assert_eq!(shop.app.take_calls(), [], "nobody is asked before");

    shop.app.take_stored();
    let told = live(&shop, seq).await;
    let sold = &shop.kiotviet.invoices()[0];
    assert_eq!(told["invoice"]["code"], sold.code);
    let line = &told["invoice"]["lines"][0];
    assert_eq!(line["code"], sold.content.lines[0].product_code, "{told}");
    assert!(told["invoice"]["seller"].is_string(), "{told}");
    assert_eq!(told["customer"]["phone"], "0912 345 678", "{told}");
    assert_eq!(told["getfly"].as_array().map(Vec::len), Some(2), "{told}");
    let link = "https://cuahangthu.kiotviet.vn/man/#/Invoices?Code=HD000001";
    assert_eq!(told["links"][0], link);
    let link = told["links"][1].as_str().expect("a link");
    assert!(link.contains("/#/crm/view_account/"), "{told}");
    assert_eq!(told["sent"].as_array().map(Vec::len), Some(1), "{told}");
    let stored = shop.app.take_stored();
    let written = stored.into_iter().filter(|stored| stored.is_write());
    let written: Vec<String> = written.map(|stored| stored.key).collect();
    assert_eq!(written, [""; 0], "nothing is kept");

    let place = format!("/ui/events/{seq}?live=true&lang=en");
    let html = page.get(&place).await.html;
    for words in [
        "Seller",
        "Quantity",
        &sold.content.lines[0].product_name,
        "0912 345 678",
        "https://cuahangthu.kiotviet.vn",
    ] {
        assert!(html.contains(words), "{words}: {html}");
    }
    let mut stranger = Visitor::new(&shop.app);
    assert_eq!(stranger.get(&place).await.status, 303);
}

#[tokio::test(start_paused = true)]
async fn a_side_that_fails_hides_nothing_of_the_other() {
    let (shop, seq) = sold().await;
    let down = || FaultRule::new(Fault::Status(503, None));
    shop.getfly_faults.add(down());
    let told = live(&shop, seq).await;
    assert!(
        told["invoice"].is_object() && told["unread"].as_array().map(Vec::len) == Some(1),
        "{told}"
    );
    shop.getfly_faults.clear();
    shop.kiotviet_faults.add(down());
    let told = live(&shop, seq).await;
    assert!(told["invoice"].is_null(), "{told}");
    assert_eq!(told["getfly"].as_array().map(Vec::len), Some(2), "{told}");
}
