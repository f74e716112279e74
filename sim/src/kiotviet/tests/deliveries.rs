use super::*;
use crate::{Boxed, Broken};
use serde_json::json;
use std::collections::BTreeSet;

const URL: &str = "https://app.example/hooks/a/b";
const SECRET: &str = "plain-secret";

/// Answers as it is told to, and records its requests.
#[derive(Default)]
struct Receiver {
    answers: Mutex<Vec<Result<u16, Broken>>>,
    got: Mutex<Vec<Request>>,
}

impl Receiver {
    /// Returns these answers in turn, then 200.
    fn answering(answers: &[Result<u16, Broken>]) -> Self {
        let answers = answers.iter().rev().copied().collect();
        Self {
            answers: Mutex::new(answers),
            got: Mutex::default(),
        }
    }

    fn bodies(&self) -> Vec<Value> {
        let parse = |r: &Request| serde_json::from_slice(r.body()).expect("JSON");
        lock(&self.got).iter().map(parse).collect()
    }
}

impl Deliverer for Receiver {
    fn deliver<'a>(&'a self, request: Request) -> Boxed<'a, Result<u16, Broken>> {
        Box::pin(async move {
            lock(&self.got).push(request);
            lock(&self.answers).pop().unwrap_or(Ok(200))
        })
    }
}

/// Never answers.
struct Silent;

impl Deliverer for Silent {
    fn deliver<'a>(&'a self, _: Request) -> Boxed<'a, Result<u16, Broken>> {
        Box::pin(std::future::pending())
    }
}

fn hooked() -> World {
    let world = world();
    world.shop.add_webhook("customer.update", URL, Some(SECRET));
    world.shop.add_webhook("invoice.update", URL, Some(SECRET));
    world
}

fn active(world: &World) -> Vec<bool> {
    let hooks = world.shop.webhooks();
    hooks.iter().map(|hook| hook.is_active).collect()
}

#[tokio::test]
async fn a_customer_is_told_in_pascal_case_with_offset_dates_and_no_created_date() {
    let world = hooked();
    let id = world.shop.create_customer(NewCustomer {
        gender: Some(false),
        birth_date: Some(jiff::civil::date(1995, 5, 20)),
        ..named("Khách Thử")
    });
    let receiver = Receiver::default();
    assert_eq!(world.shop.deliver_due(&receiver).await, 1);
    let body = &receiver.bodies()[0];
    assert_eq!(body["Attempt"], 1);
    let told = &body["Notifications"][0];
    assert_eq!(told["Action"], "customer.update.500123456");
    let data = &told["Data"][0];
    assert_eq!(data["Id"], id);
    assert_eq!(data["Gender"], false);
    assert_eq!(data["BirthDate"], "1995-05-20T00:00:00.0000000+07:00");
    assert_eq!(data["ModifiedDate"], "2026-10-05T09:00:00.1230000+07:00");
    assert!(data.get("CreatedDate").is_none() && data.get("Email").is_none());
    let raw = lock(&receiver.got)[0].body().clone();
    let raw = String::from_utf8(raw.to_vec()).expect("UTF-8");
    assert!(raw.contains(r#""Data":[{"__type":"KiotViet."#), "{raw}");
}

#[tokio::test]
async fn an_invoice_is_told_in_either_casing() {
    for (casing, id, details, code) in [
        (Casing::Camel, "id", "invoiceDetails", "productCode"),
        (Casing::Pascal, "Id", "InvoiceDetails", "ProductCode"),
    ] {
        let world = hooked();
        world.shop.update_settings(|s| s.invoice_casing = casing);
        let invoice = world.shop.create_invoice(sale(None));
        let receiver = Receiver::default();
        world.shop.deliver_due(&receiver).await;
        let body = &receiver.bodies()[0];
        let data = &body["Notifications"][0]["Data"][0];
        assert_eq!(data[id], invoice);
        assert_eq!(data[details][0][code], "SP000033");
        assert!(data["__type"].is_string());
        assert!(!data.to_string().to_lowercase().contains("createddate"));
    }
}

#[tokio::test]
async fn only_the_webhooks_of_a_type_hear_of_it() {
    let world = hooked();
    world.shop.create_order(sale(None));
    assert_eq!(world.shop.outbox(), []);
    world.shop.add_webhook("order.update", URL, None);
    world.shop.create_order(sale(None));
    let told: Vec<_> = world.shop.outbox().iter().map(Delivery::items).collect();
    let action = "order.update.500123456".to_owned();
    assert_eq!(told, [[(action, 400_000_002)]]);
}

#[tokio::test]
async fn an_edit_tells_both_invoices() {
    let world = hooked();
    let old = world.shop.create_invoice(sale(None));
    let new = world.shop.edit_invoice(old, |_| ()).expect("edited");
    let ids: Vec<i64> = world.shop.outbox().iter().map(|d| d.items()[0].1).collect();
    assert_eq!(ids, [old, old, new]);
}

#[tokio::test]
async fn a_deleted_customer_is_told_in_either_shape() {
    let expected = [
        (DeleteShape::RemoveId, "/RemoveId/0"),
        (DeleteShape::Notifications, "/Notifications/0/Data/0"),
    ];
    for (shape, pointer) in expected {
        let world = world();
        world.shop.add_webhook("customer.delete", URL, None);
        world.shop.update_settings(|s| s.delete_shape = shape);
        let id = world.shop.create_customer(named("Xóa"));
        world.shop.delete_customer(id);
        let receiver = Receiver::default();
        world.shop.deliver_due(&receiver).await;
        assert_eq!(receiver.bodies()[0].pointer(pointer), Some(&json!(id)));
    }
}

#[tokio::test]
async fn the_signature_covers_the_raw_body() {
    let world = hooked();
    world.shop.create_customer(named("Khách"));
    let delivery = world.shop.take_deliveries().remove(0);
    let request = world.shop.request(&delivery);
    let expected = Signature::Sha256LabelledSha1.header(SECRET, request.body());
    let sent = request.headers()["x-hub-signature"].to_str().ok();
    assert_eq!(sent, expected.as_deref());
    world
        .shop
        .update_settings(|s| s.signature = Signature::Missing);
    let request = world.shop.request(&delivery);
    assert!(request.headers().get("x-hub-signature").is_none());
}

#[tokio::test]
async fn each_of_the_five_codes_switches_the_webhook_off_at_once() {
    for status in [400, 401, 403, 404, 405] {
        let world = hooked();
        world.shop.create_customer(named("Khách"));
        world.shop.create_customer(named("Sau"));
        let receiver = Receiver::answering(&[Ok(status)]);
        world
            .shop
            .update_settings(|s| s.retry_wait = Duration::ZERO);
        world.shop.deliver_due(&receiver).await;
        assert_eq!(active(&world), [false, true], "{status}");
        world.shop.create_customer(named("Không ai nghe"));
        assert_eq!(world.shop.outbox(), []);
    }
}

#[tokio::test]
async fn other_failures_are_retried_with_the_next_attempt_and_the_same_id() {
    for failure in [Ok(500), Ok(503), Ok(302), Ok(402), Ok(429), Err(Broken)] {
        let world = hooked();
        world.shop.create_customer(named("Khách"));
        let receiver = Receiver::answering(&[failure]);
        world.shop.deliver_due(&receiver).await;
        assert_eq!(active(&world), [true, true], "{failure:?}");
        assert_eq!(world.shop.deliver_due(&receiver).await, 0);
        world.clock.advance(Duration::from_secs(60));
        assert_eq!(world.shop.deliver_due(&receiver).await, 1);
        let bodies = receiver.bodies();
        assert_eq!(bodies[1]["Attempt"], 2);
        assert_eq!(bodies[0]["Id"], bodies[1]["Id"]);
        assert_eq!(world.shop.next_due(), None);
        let accepted: Vec<_> = world
            .shop
            .answered()
            .iter()
            .map(Answered::accepted)
            .collect();
        assert_eq!(accepted, [false, true]);
    }
}

#[tokio::test(start_paused = true)]
async fn no_answer_in_five_seconds_is_a_failure() {
    let world = hooked();
    world.shop.create_customer(named("Khách"));
    let start = tokio::time::Instant::now();
    world.shop.deliver_due(&Silent).await;
    assert_eq!(start.elapsed(), Duration::from_secs(5));
    assert_eq!(world.shop.answered()[0].status, None);
    assert_eq!(world.shop.outbox()[0].attempt, 2);
}

#[tokio::test]
async fn after_the_last_attempt_the_webhook_is_off_and_the_item_lost() {
    let world = hooked();
    world.shop.update_settings(|s| s.max_attempts = 3);
    let id = world.shop.create_customer(named("Khách"));
    let receiver = Receiver::answering(&[Ok(500); 3]);
    for _ in 0..3 {
        assert_eq!(active(&world), [true, true]);
        world.shop.deliver_due(&receiver).await;
        world.clock.advance(Duration::from_secs(3600));
    }
    assert_eq!(active(&world), [false, true]);
    let lost = ("customer.update.500123456".to_owned(), id);
    assert_eq!(world.shop.undelivered(), [lost]);
}

#[tokio::test]
async fn bursts_wait_and_then_come_at_once() {
    let world = hooked();
    world.shop.set_chaos(Chaos {
        burst: Some(Duration::from_secs(300)),
        ..Chaos::default()
    });
    let receiver = Receiver::default();
    for n in 0..5 {
        world.shop.create_customer(named(&format!("Khách {n}")));
        assert_eq!(world.shop.deliver_due(&receiver).await, 0);
        world.clock.advance(Duration::from_secs(50));
    }
    world.clock.advance(Duration::from_secs(50));
    assert_eq!(world.shop.deliver_due(&receiver).await, 5);
}

#[tokio::test]
async fn items_and_notifications_share_a_delivery_when_merged() {
    let world = hooked();
    world.shop.set_chaos(Chaos {
        merge_items: 3,
        merge_notifications: 2,
        ..Chaos::default()
    });
    for n in 0..3 {
        world.shop.create_customer(named(&format!("Khách {n}")));
    }
    world.shop.create_invoice(sale(None));
    let deliveries = world.shop.take_deliveries();
    assert_eq!(deliveries.len(), 1);
    assert_eq!(deliveries[0].items().len(), 4);
    let body: Value = serde_json::from_slice(&deliveries[0].body()).expect("JSON");
    let sizes = body["Notifications"].as_array().expect("notifications");
    let sizes: Vec<_> = sizes
        .iter()
        .map(|n| n["Data"].as_array().map(Vec::len))
        .collect();
    assert_eq!(sizes, [Some(3), Some(1)]);
}

#[tokio::test]
async fn chaos_doubles_and_shuffles_but_loses_nothing_and_repeats_itself() {
    let run = || {
        let world = hooked();
        world.shop.set_chaos(Chaos {
            seed: 42,
            duplicates: 0.5,
            out_of_order: true,
            ..Chaos::default()
        });
        for n in 0..40 {
            world.shop.create_customer(named(&format!("Khách {n}")));
        }
        let sent = world.shop.take_deliveries();
        sent.iter().map(|d| d.items()[0].1).collect::<Vec<_>>()
    };
    let sent = run();
    assert!(sent.len() > 45 && !sent.is_sorted());
    assert_eq!(sent.iter().collect::<BTreeSet<_>>().len(), 40);
    assert_eq!(sent, run());
}

#[tokio::test]
async fn a_failed_duplicate_is_not_retried() {
    let world = hooked();
    world.shop.set_chaos(Chaos {
        duplicates: 1.0,
        ..Chaos::default()
    });
    world.shop.create_customer(named("Khách"));
    let receiver = Receiver::answering(&[Ok(500), Ok(200)]);
    assert_eq!(world.shop.deliver_due(&receiver).await, 2);
    assert_eq!(world.shop.outbox(), []);
}

#[tokio::test(start_paused = true)]
async fn parallel_deliveries_wait_together() {
    let world = hooked();
    world.shop.update_settings(|s| s.parallel_deliveries = 4);
    for n in 0..4 {
        world.shop.create_customer(named(&format!("Khách {n}")));
    }
    let start = tokio::time::Instant::now();
    assert_eq!(world.shop.deliver_due(&Silent).await, 4);
    assert_eq!(start.elapsed(), Duration::from_secs(5));
}
