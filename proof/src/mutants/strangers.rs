//! Senders that are not KiotViet, and readers of the store.

use super::{Verdict, in_getfly, same};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use host_test::{
    admin::Admin,
    native::Cell,
    shop::{CONNECTION, On, TestShop, hoa},
    variables::PUBLIC,
};
use sim::{Fault, FaultRule, kiotviet::Signature};

pub(super) async fn strangers() -> Verdict {
    a_wrong_signature_does_nothing().await?;
    a_wrong_path_opens_no_connection().await?;
    the_store_tells_nothing().await?;
    an_event_tells_nothing().await
}

async fn a_wrong_signature_does_nothing() -> Verdict {
    let shop = TestShop::connected(On::Customers).await;
    shop.app.set_variable("signature_policy", "enforce");
    let wrong = |s: &mut sim::kiotviet::Settings| s.signature = Signature::Wrong;
    shop.kiotviet.update_settings(wrong);
    shop.kiotviet.create_customer(hoa());
    same("answers", shop.deliver().await, vec![200])?;
    in_getfly(&shop, 0, 0).await
}

async fn a_wrong_path_opens_no_connection() -> Verdict {
    let shop = TestShop::connected(On::Customers).await;
    shop.kiotviet.create_customer(hoa());
    for delivery in shop.kiotviet.take_deliveries() {
        let mut request = shop.kiotviet.request(&delivery);
        let guessed = format!("{PUBLIC}/hooks/{CONNECTION}/guessed").parse();
        *request.uri_mut() = guessed.map_err(|e| format!("{e}"))?;
        same("answer", shop.app.request(request).await.status, 404)?;
    }
    in_getfly(&shop, 0, 0).await
}

async fn the_store_tells_nothing() -> Verdict {
    let shop = TestShop::connected(On::Customers).await;
    // The delivery's body is kept while its event waits.
    shop.getfly_faults
        .add(FaultRule::new(Fault::Status(503, None)));
    shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    let secret = shop.kiotviet.settings().client_secret;
    for needle in [&*secret, "0912 345 678", "hoa@example.vn"] {
        for (key, cell) in shop.app.store.dump() {
            let found = matches!(&cell, Cell::Value(value) if tells(value, needle));
            same(&format!("{key} tells {needle}"), found, false)?;
        }
    }
    Ok(())
}

/// Getfly's refusal repeats the text that was sent.
async fn an_event_tells_nothing() -> Verdict {
    let shop = TestShop::connected(On::Customers).await;
    let words = Fault::Refusal("0912 345 678, hoa@example.vn: không nhận");
    let refusal = FaultRule::new(words).on(http::Method::POST, "/api/v6.1/account");
    shop.getfly_faults.add(refusal);
    shop.kiotviet.create_customer(hoa());
    shop.deliver().await;
    shop.settle().await;
    let shown = shop.app.event(1).await.1.to_string() + &shop.app.log().join("\n");
    for needle in ["0912 345 678", "hoa@example.vn"] {
        let found = shown.contains(needle);
        same(
            &format!("the event or the log tells {needle}"),
            found,
            false,
        )?;
    }
    Ok(())
}

/// Whether the value holds the text, as it is or in Base64.
fn tells(value: &[u8], needle: &str) -> bool {
    let text = String::from_utf8_lossy(value);
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
    let decoded = text
        .split(|c| !is_base64(c))
        .filter_map(|part| STANDARD.decode(part).ok());
    text.contains(needle)
        || decoded
            .into_iter()
            .any(|bytes| String::from_utf8_lossy(&bytes).contains(needle))
}
