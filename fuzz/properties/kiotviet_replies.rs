//! KiotViet's replies to every question that the plugin asks. Input: see `replies`.

use super::{
    memory::{ORIGINS, now},
    replies::{Vendor, is_short},
};
use plugin::{
    kiotviet::{
        assumptions::{CUSTOMER_WORDS, INVOICE_WORDS, VALIDATION_STATUS},
        client::{Credentials, KiotViet, Settings, fetch_token},
        error::KiotVietError,
    },
    rules::{
        account::new_account,
        codes::{Edition, OrderCode, RetailerId, ShopCodes},
        model::Invoice,
        order::{new_order, walk_in_account},
        settings::RuleSettings,
    },
    secret::Secret,
    time::Timestamp,
    vendor::fate::Fate,
};
use std::collections::BTreeSet;

/// No fact is invented that a reply does not hold, no passing failure ends an event, and no error
/// shows personal data.
pub fn check(data: &[u8]) {
    for vendor in Vendor::both(data) {
        let [_, api_url, auth_url] = ORIGINS.map(str::to_owned);
        let settings = Settings {
            api_url,
            auth_url,
            token_path: "/connect/token".to_owned(),
            edition: Edition::Retail,
        };
        let retailer = RetailerId::parse("cuahangthu").expect("a shop's name");
        let kiotviet = KiotViet {
            http: &vendor,
            settings: &settings,
            retailer: &retailer,
            token: Secret::new("token"),
        };
        let ask = || vendor.again();

        ask();
        let found = record(&vendor, now(kiotviet.customer(1001)), &CUSTOMER_WORDS);
        if let Some(customer) = found {
            assert_eq!(customer.id, 1001);
            let account = new_account(&ShopCodes::of(&retailer, false), &customer, None, &rules());
            assert!(!account.name.trim().is_empty());
        }
        ask();
        let found = record(&vendor, now(kiotviet.invoice(2001)), &INVOICE_WORDS);
        if let Some(invoice) = found {
            assert_eq!(invoice.id, 2001);
            is_ordered(&retailer, &invoice);
        }
        ask();
        let found = record(
            &vendor,
            now(kiotviet.invoice_by_code("HD000001")),
            &INVOICE_WORDS,
        );
        if let Some(invoice) = found {
            assert!(invoice.code.as_str().eq_ignore_ascii_case("HD000001"));
        }
        ask();
        if let Some(users) = judged(&vendor, now(kiotviet.users()), false) {
            let ids: BTreeSet<i64> = users.iter().map(|user| user.id).collect();
            assert_eq!(ids.len(), users.len());
            assert!(!ids.contains(&0));
        }
        ask();
        judged(&vendor, now(kiotviet.branches()), false);
        ask();
        if let Some(webhooks) = judged(&vendor, now(kiotviet.webhooks()), false) {
            let ids: BTreeSet<i64> = webhooks.iter().map(|webhook| webhook.id).collect();
            assert_eq!(ids.len(), webhooks.len());
        }
        ask();
        let (url, secret) = ("https://bridge.test/hooks/shop/t", Secret::new("secret"));
        let registered = kiotviet.register_webhook("customer.update", url, &secret, "");
        judged(&vendor, now(registered), false);
        ask();
        judged(&vendor, now(kiotviet.delete_webhook(1)), true);
        for offset in [0, 100, u64::MAX] {
            ask();
            let from = Timestamp::UNIX_EPOCH;
            let pages = [
                judged(
                    &vendor,
                    now(kiotviet.customers_modified_since(from, offset)),
                    false,
                ),
                judged(
                    &vendor,
                    now(kiotviet.invoices_modified_since(from, offset)),
                    false,
                ),
            ];
            for page in pages.into_iter().flatten() {
                assert!(
                    page.next_offset.is_none_or(|next| next > offset),
                    "no way on"
                );
                assert!(page.items.iter().all(|item| item.id != 0));
            }
        }
        ask();
        let credentials = Credentials {
            retailer: retailer.clone(),
            client_id: "client-id".to_owned(),
            client_secret: Secret::new("client-secret"),
        };
        if let Some(token) = judged(
            &vendor,
            now(fetch_token(&vendor, &settings, &credentials)),
            false,
        ) {
            assert!(
                http::HeaderValue::try_from(format!("Bearer {}", token.access_token.reveal()))
                    .is_ok()
            );
        }
    }
}

/// The same for one record, whose kind `words` name: a refused validation that has one of them
/// means that there is no record.
fn record<T>(
    vendor: &Vendor,
    result: Result<Option<T>, KiotVietError>,
    words: &[&str],
) -> Option<T> {
    let refused = vendor.reply.status == VALIDATION_STATUS && vendor.says(words);
    if refused && matches!(result, Ok(None)) {
        return None;
    }
    judged(vendor, result, true).flatten()
}

/// The result of a question, checked against the reply. `absent` if a 404 is an answer.
fn judged<T>(vendor: &Vendor, result: Result<T, KiotVietError>, absent: bool) -> Option<T> {
    match result {
        Ok(found) => {
            vendor.is_an_answer(absent);
            Some(found)
        }
        Err(error) => {
            vendor.shows_no_personal_data(&error.to_string());
            match error.fate() {
                Fate::Retry { after } => is_short(after),
                Fate::Dead => assert!(
                    vendor.may_be_final() && vendor.reply.status != 403,
                    "{error}"
                ),
            }
            None
        }
    }
}

fn rules() -> RuleSettings {
    let config = plugin::config::Config::load(super::admin_routes::variable);
    config.ready.expect("every variable is sound").rules
}

/// R3: whatever the amounts, an invoice is refused or becomes an order with all of its lines.
fn is_ordered(retailer: &RetailerId, invoice: &Invoice) {
    let settings = rules();
    let account = walk_in_account(&settings);
    if let Ok(planned) = new_order(
        OrderCode::for_sale(&ShopCodes::of(retailer, false), invoice.code.base()),
        invoice,
        account,
        None,
        &settings,
    ) {
        assert_eq!(planned.order.lines.len(), invoice.lines.len());
        assert!(
            planned
                .order
                .lines
                .iter()
                .all(|line| !line.cash_discount.is_negative())
        );
    }
}
