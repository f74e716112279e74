//! Orders: each family of invoices that is owed one has exactly one, each that is there is explained
//! by an invoice as KiotViet had it then: lines, total, executor, account (R3, R5, R6, R13).

use super::{Findings, Kind, current};
use crate::{
    proof::{evidence::Evidence, model},
    sim::{
        getfly::{Order, OrderLine},
        kiotviet::{Invoice, Line},
    },
};
use jiff::Timestamp;
use rust_decimal::Decimal;
use std::collections::BTreeSet;

/// KiotViet's status of a cancelled invoice.
const CANCELLED: u8 = 2;

pub(super) fn check(evidence: &Evidence, findings: &mut Findings) {
    let mut codes = BTreeSet::new();
    for order in &evidence.orders {
        let code = &order.order_code;
        if !codes.insert(code) {
            findings.add(Kind::Doubled, format!("there are two orders {code}"));
        }
        check_order(evidence, order, findings);
    }
    for invoice in owed_invoices(evidence).filter(|i| is_final(evidence, i)) {
        let code = order_code(evidence, invoice);
        if !codes.contains(&code) {
            findings.add(Kind::Lost, format!("order {code} is not there"));
        }
    }
}

fn order_code(evidence: &Evidence, invoice: &Invoice) -> String {
    format!("{}-{}", evidence.retailer, model::family(invoice))
}

/// R3, R6: versions of invoices that were told, are not cancelled, and may have been new to whoever
/// stored something then: themselves, and the original where they are an edit.
pub(super) fn new_invoices(evidence: &Evidence, at: Timestamp) -> impl Iterator<Item = &Invoice> {
    told(evidence).filter(move |invoice| {
        let switched = &evidence.since.invoices;
        first_of(evidence, invoice).is_some_and(|first| switched.perhaps_new(first, at))
    })
}

/// The same of those that surely are new at the end, and that nobody dismissed.
fn owed_invoices(evidence: &Evidence) -> impl Iterator<Item = &Invoice> {
    let since = evidence.since.invoices.new_since();
    told(evidence).filter(move |invoice| {
        let first = first_of(evidence, invoice);
        !evidence.dismissed.invoices.contains(&invoice.id)
            && since.is_some_and(|since| first.is_some_and(|first| first >= since))
    })
}

fn told(evidence: &Evidence) -> impl Iterator<Item = &Invoice> {
    let versions = evidence.kiotviet.invoices.iter();
    versions.filter(|i| i.status != CANCELLED && evidence.told_invoices.contains(&i.id))
}

/// When it was created, or its original where that was earlier.
fn first_of(evidence: &Evidence, invoice: &Invoice) -> Option<Timestamp> {
    let of_family = |i: &&Invoice| i.id == invoice.id || i.code == model::family(invoice);
    let family = evidence.kiotviet.invoices.iter().filter(of_family);
    family.map(|i| i.created_at).min()
}

/// Whether KiotViet has it like that at the end.
fn is_final(evidence: &Evidence, invoice: &Invoice) -> bool {
    let mut later = evidence.kiotviet.invoices.iter();
    !later.any(|i| i.id == invoice.id && i.modified_at > invoice.modified_at)
}

fn check_order(evidence: &Evidence, order: &Order, findings: &mut Findings) {
    let code = &order.order_code;
    let all = &evidence.kiotviet.invoices;
    let ids: BTreeSet<i64> = new_invoices(evidence, order.created_at)
        .filter(|invoice| order_code(evidence, invoice) == *code)
        .map(|invoice| invoice.id)
        .collect();
    let candidates = ids.iter().flat_map(|id| {
        let versions: Vec<&Invoice> = all.iter().filter(|i| i.id == *id).collect();
        current(&versions, |i| i.modified_at, order.created_at)
    });
    let differences: Vec<Vec<&str>> = candidates
        .filter(|invoice| invoice.status != CANCELLED)
        .map(|invoice| differences(evidence, order, invoice))
        .collect();
    match differences.iter().min_by_key(|different| different.len()) {
        None => findings.add(Kind::Wrong, format!("order {code} is not owed")),
        Some(least) if least.is_empty() => {}
        Some(least) => {
            let what = format!("order {code}: not as on KiotViet: {}", least.join(", "));
            findings.add(Kind::Wrong, what);
        }
    }
}

/// In what the order is not what the rules make of this invoice.
fn differences(evidence: &Evidence, order: &Order, invoice: &Invoice) -> Vec<&'static str> {
    let mut different = Vec::new();
    let mut must = |holds: bool, what: &'static str| {
        if !holds {
            different.push(what);
        }
    };
    let lines = |line: &Line| {
        let names = (line.product_code.clone(), line.product_name.clone());
        (names, line.quantity, line.price, line.total())
    };
    let stored = |line: &OrderLine| {
        let names = (line.product_code.clone(), line.product_name.clone());
        (names, line.quantity, line.price, line.amount())
    };
    let content = &invoice.content;
    let should: Vec<_> = content.lines.iter().map(lines).collect();
    let is: Vec<_> = order.lines.iter().map(stored).collect();
    must(is == should, "lines");
    must(order.total() == content.total(), "total");
    must(
        order.discount_amount == content.discount.unwrap_or(Decimal::ZERO),
        "discount",
    );
    let executor = model::executor(invoice, &evidence.staff, &evidence.users);
    must(order.assigned_username == executor, "executor");
    let customers = evidence.kiotviet.customers.iter();
    let mut customers = customers.filter(|c| Some(c.id) == content.customer_id);
    let (account, name) = (&order.account_code, &order.account_name);
    must(
        match content.customer_id {
            None => account.is_empty() && name == "Khách lẻ",
            Some(_) => customers.any(|customer| {
                let owner = model::account_of(&evidence.retailer, customer, &evidence.accounts);
                owner.is_some_and(|owner| owner.account_code == *account)
            }),
        },
        "account",
    );
    different
}
