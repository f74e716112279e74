//! Claims: with `note_changes` a comment at the order's account tells of each sale that KiotViet edited or cancelled after
//! its order was made, once, whoever tells again, whatever answer is lost and wherever a worker dies; what became of it is
//! a note, and never holds up the event, changes an order or makes a dead letter; without it Getfly is not called. Every
//! such sale is listed, through a crash at any host call. How: the same edit and cancellation under each fault.

use host_test::{
    admin::Admin,
    host_fault::{HostFault, Reply},
    shop::{On, TestShop, hoa, sale},
    visitor::Visitor,
};
use http::Method;
use serde_json::Value;
use sim::{Fault, FaultRule, getfly::GetflySettings};
use std::{sync::Arc, time::Duration};

/// What is done to a sale that has its order.
#[derive(Debug, Clone, Copy)]
enum Done {
    Edited,
    Cancelled,
}

const BOTH: [Done; 2] = [Done::Edited, Done::Cancelled];

const COMMENT: &str = "Getfly POST /accounts/comments";
const EDITED: &str = "KiotViet: hóa đơn HD000001 đã sửa sau khi đẩy, nay là HD000001.01: \
    tổng 300.000 đ → 450.000 đ. Đơn hàng cuahangthu-HD000001 trên Getfly không đổi.";
const CANCELLED: &str = "KiotViet: hóa đơn HD000001 đã hủy sau khi đẩy: tổng lúc đẩy 300.000 đ. \
    Đơn hàng cuahangthu-HD000001 trên Getfly không đổi.";

fn words(done: Done) -> &'static str {
    match done {
        Done::Edited => EDITED,
        Done::Cancelled => CANCELLED,
    }
}

/// A shop that notes changes; `edge`: over a store without atomics. One sale has its order.
async fn sold(edge: bool) -> TestShop {
    let shop = TestShop::unconnected();
    shop.app.set_variable("note_changes", "true");
    if edge {
        shop.app.set_variable("processing", "inline");
        shop.app.break_atomics();
    }
    shop.connect_with(On::Both).await;
    let who = shop.kiotviet.create_customer(hoa());
    shop.kiotviet.create_invoice(sale(Some(who)));
    shop.deliver().await;
    assert_eq!(shop.in_getfly(), (1, 1));
    shop.pass(5).await;
    shop.app.take_calls();
    shop
}

/// Edits or cancels the sale on KiotViet.
fn change(shop: &TestShop, done: Done) {
    let first = shop.kiotviet.invoices()[0].id;
    match done {
        Done::Edited => {
            let change = |invoice: &mut sim::kiotviet::NewInvoice| {
                invoice.lines[0].quantity = 3.into();
            };
            shop.kiotviet.edit_invoice(first, change);
        }
        Done::Cancelled => {
            shop.kiotviet.cancel_invoice(first);
        }
    }
}

fn comments(shop: &TestShop) -> Vec<String> {
    let comments = shop.getfly.comments().into_iter();
    comments.map(|comment| comment.content).collect()
}

/// How often each call to Getfly was made since this was last asked.
fn to_getfly(shop: &TestShop) -> Vec<&'static str> {
    let calls = shop.app.take_calls().into_iter();
    let calls = calls.map(|call| call.endpoint);
    // The index of accounts has its own.
    let is_ours = |call: &&str| call.starts_with("Getfly") && !call.contains("/accounts?");
    calls.filter(is_ours).collect()
}

async fn notes(shop: &TestShop) -> String {
    Value::from(shop.events().await).to_string()
}

/// Everything ended well, the order is as it was, and people see the change.
async fn is_well(shop: &TestShop, what: &str) {
    shop.settle().await;
    assert_eq!(shop.waiting().await, Vec::<Value>::new(), "{what}");
    assert_eq!(shop.in_getfly(), (1, 1), "{what}");
    let total = shop.getfly.orders()[0].total();
    assert_eq!(total, 300_000.into(), "{what}");
    let (_, overview) = shop.app.overview().await;
    assert_eq!(overview["counts"]["dead"], 0, "{what}");
    let list = Visitor::inside(&shop.app).await.get("/ui/changed").await;
    assert!(list.html.contains("HD000001"), "{what}: {}", list.html);
}

#[tokio::test(start_paused = true)]
async fn r6_a_comment_at_the_account_tells_of_each_change_once() {
    for done in BOTH {
        let shop = sold(false).await;
        change(&shop, done);
        shop.deliver().await;
        shop.settle().await;
        assert_eq!(to_getfly(&shop), ["Getfly GET /sale_order", COMMENT]);
        assert_eq!(comments(&shop), [words(done)]);
        let account = shop.getfly.accounts()[0].id;
        assert_eq!(shop.getfly.comments()[0].account_id, account);
        let english = notes(&shop).await;
        assert!(english.contains("tells of the change (note_changes)"));
        let seq = shop.events().await.last().expect("an event")["seq"].to_string();
        let mut visitor = Visitor::inside(&shop.app).await;
        let page = visitor.get(&format!("/ui/events/{seq}")).await.html;
        assert!(page.contains("Đã ghi trao đổi"), "{page}");
        let page = visitor.get(&format!("/ui/events/{seq}?lang=en")).await.html;
        assert!(page.contains("tells of the change"), "{page}");
        // KiotViet tells of all of it again.
        for invoice in shop.kiotviet.invoices() {
            shop.kiotviet.set_invoice_status(invoice.id, invoice.status);
        }
        shop.deliver().await;
        shop.drain().await;
        assert_eq!(to_getfly(&shop), [""; 0]);
        shop.minutes(60).await;
        is_well(&shop, "told again").await;
        assert_eq!(comments(&shop), [words(done)]);
    }
}

#[tokio::test(start_paused = true)]
async fn r6_each_further_edit_is_told_and_a_total_that_stays_is_said_to() {
    let shop = sold(false).await;
    change(&shop, Done::Edited);
    shop.deliver().await;
    shop.settle().await;
    let second = shop.kiotviet.invoices().last().expect("the edit").id;
    shop.kiotviet.edit_invoice(second, |invoice| {
        invoice.lines[0].quantity = 2.into();
    });
    shop.deliver().await;
    is_well(&shop, "edited twice").await;
    let comments = comments(&shop);
    assert_eq!(comments[0], EDITED);
    let stays = "nay là HD000001.02: tổng vẫn 300.000 đ.";
    assert!(comments[1].contains(stays), "{comments:?}");
    assert_eq!(comments.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn r6_without_note_changes_getfly_is_not_called() {
    for done in BOTH {
        let shop = sold(false).await;
        shop.app.set_variable("note_changes", "");
        change(&shop, done);
        shop.app.take_stored();
        shop.deliver().await;
        is_well(&shop, "off").await;
        assert_eq!(to_getfly(&shop), [""; 0], "{done:?}");
        let stored = shop.app.take_stored();
        let marks = stored.iter().filter(|one| one.key.contains("change-told"));
        assert_eq!(marks.count(), 0);
        assert_eq!(comments(&shop), [""; 0]);
    }
}

/// A Getfly that answers a comment so; what the note says; how many comments are there then.
type Getfly = (fn(&TestShop), &'static str, usize);

fn settings(shop: &TestShop, change: impl FnOnce(&mut GetflySettings)) {
    shop.getfly.update_settings(change);
}

fn faulty(shop: &TestShop, fault: Fault) {
    let rule = FaultRule::new(fault).on(Method::POST, "/api/v6/accounts/");
    shop.getfly_faults.add(rule);
}

const GETFLYS: [Getfly; 13] = [
    (
        |shop| settings(shop, |s| s.takes_comments = false),
        "no comment in Getfly tells of the change: Getfly refuses (404)",
        0,
    ),
    (
        |shop| settings(shop, |s| s.comments_need_user = true),
        "Người trao đổi là bắt buộc",
        0,
    ),
    (
        |shop| {
            settings(shop, |s| {
                s.comments_need_user = true;
                s.refusals = sim::getfly::Refusals::In200;
            });
        },
        "Người trao đổi là bắt buộc",
        0,
    ),
    (
        |shop| settings(shop, |s| s.orders_show_account = false),
        "Getfly shows no account of the order",
        0,
    ),
    (
        |shop| faulty(shop, Fault::HtmlError(404)),
        "no comment in Getfly tells of the change: there is nothing at this address",
        0,
    ),
    (
        |shop| faulty(shop, Fault::Status(403, None)),
        "no comment in Getfly tells of the change",
        0,
    ),
    (
        |shop| faulty(shop, Fault::Status(401, None)),
        "no comment in Getfly tells of the change: Getfly refuses the API key (401)",
        0,
    ),
    (
        |shop| faulty(shop, Fault::Status(429, Some(1))),
        "no comment in Getfly tells of the change: Getfly is busy or down (429)",
        0,
    ),
    (
        |shop| faulty(shop, Fault::Status(500, None)),
        "is unknown: Getfly is busy or down (500)",
        0,
    ),
    (
        |shop| faulty(shop, Fault::StoredThen500),
        "is unknown: Getfly is busy or down (500)",
        1,
    ),
    (
        |shop| faulty(shop, Fault::StoredButReplyLost),
        "is unknown: Getfly could not be reached",
        1,
    ),
    (
        |shop| faulty(shop, Fault::Late(Duration::from_secs(50))),
        "is unknown: Getfly could not be reached",
        1,
    ),
    (
        |shop| faulty(shop, Fault::Delay(Duration::from_secs(3))),
        "tells of the change (note_changes)",
        1,
    ),
];

#[tokio::test(start_paused = true)]
async fn r6_whatever_getfly_answers_a_comment_the_event_is_done_and_says_so() {
    for (nth, (make, says, there)) in GETFLYS.into_iter().enumerate() {
        for done in BOTH {
            let shop = sold(false).await;
            make(&shop);
            change(&shop, done);
            shop.deliver().await;
            let at_once = shop.waiting().await;
            assert_eq!(at_once, Vec::<Value>::new(), "{nth}: held up");
            let (_, overview) = shop.app.overview().await;
            assert_eq!(overview["paused"], Value::Array(vec![]), "{nth}");
            let notes = notes(&shop).await;
            assert!(notes.contains(says), "{nth}: {says}: {notes}");
            // It is not tried again, also by a Getfly that takes it now.
            settings(&shop, |s| s.takes_comments = true);
            settings(&shop, |s| s.comments_need_user = false);
            let made = to_getfly(&shop);
            let made = made.iter().filter(|call| **call == COMMENT).count();
            assert!(made <= 1 || says.contains("429"), "{nth}: {made}");
            for invoice in shop.kiotviet.invoices() {
                shop.kiotviet.set_invoice_status(invoice.id, invoice.status);
            }
            shop.deliver().await;
            shop.minutes(10).await;
            is_well(&shop, says).await;
            assert_eq!(comments(&shop).len(), there, "{nth}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn r6_an_order_that_cannot_be_read_gets_no_comment() {
    let shop = sold(false).await;
    let down = FaultRule::new(Fault::Status(503, None)).on(Method::GET, "/api/v6.1/sale_order");
    shop.getfly_faults.add(down);
    change(&shop, Done::Edited);
    shop.deliver().await;
    is_well(&shop, "unread").await;
    assert_eq!(comments(&shop), [""; 0]);
    let notes = notes(&shop).await;
    let says = "no comment in Getfly tells of the change: Getfly is busy or down (503)";
    assert!(notes.contains(says), "{notes}");
}

#[tokio::test(start_paused = true)]
async fn r6_a_store_that_was_put_back_tells_nothing_twice() {
    for done in BOTH {
        let shop = sold(false).await;
        shop.minutes(20).await;
        let copy = shop.app.store.copy();
        shop.minutes(30).await;
        change(&shop, done);
        let deliveries = shop.kiotviet.take_deliveries();
        let carry = async |shop: &TestShop| {
            for delivery in &deliveries {
                shop.app.request(shop.kiotviet.request(delivery)).await;
            }
        };
        carry(&shop).await;
        shop.settle().await;
        assert_eq!(comments(&shop), [words(done)]);
        let shop = shop.over(Arc::new(copy));
        shop.minutes(2).await;
        carry(&shop).await;
        is_well(&shop, "put back").await;
        assert_eq!(comments(&shop), [words(done)], "{done:?}");
        let notes = notes(&shop).await;
        assert!(notes.contains("or the store was restored"), "{notes}");
    }
}

/// The change comes while this host call has this fault; returns the calls there were.
async fn crash_at(edge: bool, done: Done, script: Option<(usize, HostFault)>) -> Vec<String> {
    let shop = sold(edge).await;
    change(&shop, done);
    shop.app.host_faults.arm(script);
    shop.deliver_under_faults().await;
    shop.pass(61).await;
    shop.app.host_faults.live(shop.drain()).await;
    let befallen = shop.app.host_faults.befallen();
    let calls = shop.app.host_faults.disarm();
    shop.minutes(12).await;
    // All of it is told again.
    for invoice in shop.kiotviet.invoices() {
        shop.kiotviet.set_invoice_status(invoice.id, invoice.status);
    }
    shop.deliver().await;
    shop.minutes(12).await;
    let what = format!("{edge} {done:?} {script:?} {befallen:?}");
    is_well(&shop, &what).await;
    let comments = comments(&shop);
    assert!(comments.len() <= 1, "{what}: {comments:?}");
    // Only what befalls the comment itself, its marks, or what is read for it costs the comment.
    let read = [
        "Getfly GET /sale_order",
        "KiotViet GET /invoices/code/{code}",
    ];
    let marks = ["change-told", "open-create"];
    let costs = |call: &String| {
        call == COMMENT || read.contains(&&**call) || marks.iter().any(|mark| call.contains(mark))
    };
    let spared = !befallen.iter().any(costs);
    let after_mark = script.is_some_and(|(n, _)| calls.iter().take(n).any(|call| call == COMMENT));
    assert!(!spared || after_mark || comments.len() == 1, "{what}");
    calls
}

/// The same at each host call, with each of the faults that `faults` has for it.
async fn crash_anywhere(edge: bool, faults: impl Fn(&str) -> Vec<HostFault>) {
    for done in BOTH {
        let calls = crash_at(edge, done, None).await;
        assert!(calls.iter().any(|call| call == COMMENT), "{calls:?}");
        for (number, call) in (1..).zip(&calls) {
            for fault in faults(call) {
                crash_at(edge, done, Some((number, fault))).await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn r6_a_crash_anywhere_tells_nothing_twice_and_loses_no_change_from_the_list() {
    crash_anywhere(false, |call| HostFault::distinct(call).to_vec()).await;
}

#[tokio::test(start_paused = true)]
async fn r6_without_atomics_a_crash_anywhere_tells_nothing_twice() {
    let faults = |call: &str| {
        let mut faults = HostFault::distinct(call).to_vec();
        if call == COMMENT {
            faults.push(HostFault::Replies(Reply::Never));
        }
        faults
    };
    crash_anywhere(true, faults).await;
}
