//! What a pair of vendors refuses for good, whatever is sent. Then only a dead letter with the
//! vendor's words is owed, for that record and for no other.

use super::customers;
use crate::search::{
    evidence::{Evidence, Shop, Unfinished},
    model,
};
use sim::{
    Habit,
    kiotviet::{Customer, Invoice},
};

/// The words of which a dead letter's notes must hold one; empty if nothing is refused.
pub(super) type Words = Vec<&'static str>;

/// Getfly's words about a missing field.
const REQUIRED: [&str; 2] = ["bắt buộc", "required"];
/// Its words about a product that it does not have.
const UNKNOWN: [&str; 2] = ["không hợp lệ", "invalid"];
/// Its words about an emoji.
const FAILS: [&str; 1] = ["500"];

/// Why this customer can have no account of its own, in some version.
pub(super) fn of_customer(evidence: &Evidence, shop: &Shop, id: i64) -> Words {
    let versions = customers::versions(shop, id);
    versions.flat_map(|c| of_version(evidence, c)).collect()
}

fn of_version(evidence: &Evidence, customer: &Customer) -> Words {
    let has = |habit| evidence.personality.has(habit);
    let content = &customer.content;
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    let phones = model::phones(&text(&content.contact_number));
    let mut words = Words::new();
    if has(Habit::FailsOnEmoji) && model::is_wide(&content.name) {
        words.extend(FAILS);
    }
    let lacks_phone = phones.iter().all(|number| model::is_placeholder(number));
    if (has(Habit::PhonesRequired) && lacks_phone)
        || (has(Habit::EmailsRequired) && text(&content.email).is_empty())
    {
        words.extend(REQUIRED);
    }
    words
}

/// Why this invoice can have no order: itself, or its customer.
pub(super) fn of_invoice(evidence: &Evidence, shop: &Shop, invoice: &Invoice) -> Words {
    let has = |habit| evidence.personality.has(habit);
    let mut words = Words::new();
    let mut lines = invoice.content.lines.iter();
    if lines.any(|line| may_lack_code(evidence, &line.product_code)) {
        if has(Habit::LinesNeedProducts) {
            words.extend(REQUIRED);
        }
        if has(Habit::ProductsHidden) {
            words.extend(UNKNOWN);
        }
    }
    let customer = invoice.content.customer_id;
    let is_gone = |id| customers::versions(shop, id).any(|version| version.deleted);
    let wants_account = has(Habit::OrdersNeedAccounts) || has(Habit::OrdersTakeAnAccount);
    let wants_more = has(Habit::PhonesRequired) || has(Habit::EmailsRequired);
    if wants_account && wants_more && customer.is_none_or(is_gone) {
        words.extend(REQUIRED);
    }
    words.extend(
        customer
            .map(|id| of_customer(evidence, shop, id))
            .unwrap_or_default(),
    );
    words
}

/// R3: whether a line may go without its product's code: Getfly does not have it, or KiotViet marks
/// it as deleted.
pub(super) fn may_lack_code(evidence: &Evidence, code: &str) -> bool {
    let has = |habit| evidence.personality.has(habit);
    let must_exist = [
        Habit::ProductsMustExist,
        Habit::ProductsHidden,
        Habit::LinesNeedProducts,
    ];
    let (is_known, must_exist) = (code == "SP1", must_exist.into_iter().any(has));
    (must_exist && !is_known) || (has(Habit::ProductsDeleted) && is_known)
}

/// Why this event can end without a record.
pub(super) fn of_event(evidence: &Evidence, event: &Unfinished) -> Words {
    let mut shops = evidence.shops.iter();
    let Some(shop) = shops.find(|shop| shop.connection == event.connection) else {
        return Words::new();
    };
    if let ("customer", Ok(id)) = (event.kind.as_str(), event.key.parse()) {
        return of_customer(evidence, shop, id);
    }
    let invoices = shop.kiotviet.invoices.iter();
    let its = invoices.filter(|i| is_of(event, shop, "invoice", &i.code, i.id));
    its.flat_map(|i| of_invoice(evidence, shop, i)).collect()
}

/// Whether a dead letter names this customer.
pub(super) fn customer_is_told(evidence: &Evidence, shop: &Shop, id: i64) -> bool {
    let dead = || evidence.unfinished.iter().filter(|event| event.is_dead);
    let mut invoices = shop.kiotviet.invoices.iter();
    dead().any(|event| is_of(event, shop, "customer", "", id))
        || invoices.any(|invoice| {
            invoice.content.customer_id == Some(id) && invoice_is_told(evidence, shop, invoice)
        })
}

/// Whether a dead letter names this invoice.
pub(super) fn invoice_is_told(evidence: &Evidence, shop: &Shop, invoice: &Invoice) -> bool {
    let mut dead = evidence.unfinished.iter().filter(|event| event.is_dead);
    dead.any(|event| is_of(event, shop, "invoice", &invoice.code, invoice.id))
}

fn is_of(event: &Unfinished, shop: &Shop, kind: &str, code: &str, id: i64) -> bool {
    let key = &event.key;
    event.connection == shop.connection
        && event.kind == kind
        && (key == code || *key == id.to_string())
}
