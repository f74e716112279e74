//! Orders: each family of invoices that is owed an order has exactly one, and an invoice as
//! KiotViet had it then explains each existing order: lines, total, executor, account (R3, R5, R6,
//! R13).

use super::{Findings, Kind, current, customers, excuses, people};
use crate::search::{
    evidence::{Evidence, Shop},
    model,
};
use jiff::Timestamp;
use rust_decimal::Decimal;
use sim::{
    getfly::{Order, OrderLine},
    kiotviet::{Customer, Invoice, Line},
};
use std::collections::{BTreeMap, BTreeSet};

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
    for shop in &evidence.shops {
        for invoice in owed_invoices(shop).filter(|i| is_final(shop, i)) {
            let code = order_code(shop, invoice);
            let is_told = !excuses::of_invoice(evidence, shop, invoice).is_empty()
                && excuses::invoice_is_told(evidence, shop, invoice);
            if !is_told && !codes.contains(&code) {
                findings.add(Kind::Lost, format!("order {code} is not there"));
            }
        }
        check_accounts(evidence, shop, findings);
    }
}

fn order_code(shop: &Shop, invoice: &Invoice) -> String {
    format!("{}-{}", shop.retailer, invoice.family)
}

/// R6, R7: a customer with an account keeps it, unless people deleted it in Getfly.
fn check_accounts(evidence: &Evidence, shop: &Shop, findings: &mut Findings) {
    let invoices = shop.kiotviet.invoices.iter();
    let customers: BTreeMap<String, i64> = invoices
        .filter_map(|i| Some((order_code(shop, i), i.content.customer_id?)))
        .collect();
    let mut orders: Vec<&Order> = evidence.orders.iter().collect();
    orders.sort_by_key(|order| order.created_at);
    let mut accounts = BTreeMap::new();
    let is_gone = |code: &String| {
        let mut all = evidence.accounts.iter();
        all.any(|a| a.account_code == *code && a.deleted)
    };
    for order in orders {
        let Some(customer) = customers.get(&order.order_code) else {
            continue;
        };
        let account = &order.account_code;
        match accounts.get(customer) {
            None if account.is_empty() => {}
            None => {
                accounts.insert(customer, account);
            }
            Some(first) if *first == account => {}
            Some(first) if is_gone(first) => {
                accounts.insert(customer, account);
            }
            Some(first) => {
                let code = &order.order_code;
                let what = format!("order {code} is of {account:?}, an earlier one of {first}");
                findings.add(Kind::Wrong, what);
            }
        }
    }
}

/// R3, R6: versions of invoices that were delivered, are not cancelled, and may have been new to
/// the worker that stored something then: themselves, and, for an edit, the original.
pub(super) fn new_invoices(shop: &Shop, at: Timestamp) -> impl Iterator<Item = &Invoice> {
    told(shop).filter(move |invoice| {
        let switched = &shop.since.invoices;
        first_of(shop, invoice).is_some_and(|first| switched.perhaps_new(first, at))
    })
}

/// The versions that are certainly new at the end and were not dismissed.
fn owed_invoices(shop: &Shop) -> impl Iterator<Item = &Invoice> {
    told(shop).filter(move |invoice| {
        let first = first_of(shop, invoice);
        !shop.dismissed.invoices.contains(&invoice.id)
            && first.is_some_and(|first| shop.since.invoices.surely_new(first, invoice.created_at))
    })
}

fn told(shop: &Shop) -> impl Iterator<Item = &Invoice> {
    let versions = shop.kiotviet.invoices.iter();
    versions.filter(|i| i.status != CANCELLED && shop.told_invoices.contains(&i.id))
}

/// When it was created, or when its original was, if that was earlier.
fn first_of(shop: &Shop, invoice: &Invoice) -> Option<Timestamp> {
    let of_family = |i: &&Invoice| i.id == invoice.id || i.code == invoice.family;
    let family = shop.kiotviet.invoices.iter().filter(of_family);
    family.map(|i| i.created_at).min()
}

/// Whether KiotViet has this version at the end.
fn is_final(shop: &Shop, invoice: &Invoice) -> bool {
    let mut later = shop.kiotviet.invoices.iter();
    !later.any(|i| i.id == invoice.id && i.modified_at > invoice.modified_at)
}

fn check_order(evidence: &Evidence, order: &Order, findings: &mut Findings) {
    let code = &order.order_code;
    let mut differences: Vec<Vec<&str>> = Vec::new();
    for shop in &evidence.shops {
        let all = &shop.kiotviet.invoices;
        let ids: BTreeSet<i64> = new_invoices(shop, order.created_at)
            .filter(|invoice| order_code(shop, invoice) == *code)
            .map(|invoice| invoice.id)
            .collect();
        let candidates = ids.iter().flat_map(|id| {
            let versions: Vec<&Invoice> = all.iter().filter(|i| i.id == *id).collect();
            current(&versions, |i| i.modified_at, order.created_at)
        });
        let candidates = candidates.filter(|invoice| invoice.status != CANCELLED);
        differences.extend(candidates.map(|i| self::differences(evidence, shop, order, i)));
    }
    match differences.iter().min_by_key(|different| different.len()) {
        None => findings.add(Kind::Wrong, format!("order {code} is not owed")),
        Some(least) if least.is_empty() => {}
        Some(least) => {
            let what = format!("order {code}: not as on KiotViet: {}", least.join(", "));
            findings.add(Kind::Wrong, what);
        }
    }
}

/// R3: whether a line matches the invoice's.
fn is_line_of(evidence: &Evidence, is: &OrderLine, of: &Line) -> bool {
    let lacks_code =
        is.product_code.is_empty() && excuses::may_lack_code(evidence, &of.product_code);
    (is.product_code == of.product_code || lacks_code)
        && is.product_name == of.product_name
        && (is.quantity, is.price) == (of.quantity, of.price)
        && is.amount() == of.total()
}

/// In what the order differs from what the rules make of this invoice.
fn differences(
    evidence: &Evidence,
    shop: &Shop,
    order: &Order,
    invoice: &Invoice,
) -> Vec<&'static str> {
    let mut different = Vec::new();
    let mut must = |holds: bool, what: &'static str| {
        if !holds {
            different.push(what);
        }
    };
    let content = &invoice.content;
    let mut lines = order.lines.iter().zip(&content.lines);
    let are_all = order.lines.len() == content.lines.len();
    must(
        are_all && lines.all(|(is, of)| is_line_of(evidence, is, of)),
        "lines",
    );
    must(order.total() == content.total(), "total");
    must(
        order.discount_amount == content.discount.unwrap_or(Decimal::ZERO),
        "discount",
    );
    let (transport, other) = model::surcharges(invoice);
    must(order.transport_amount == transport, "transport");
    must(order.installation_amount == other, "installation");
    must(order.vat_amount == Decimal::ZERO, "tax");
    // Nothing differs from KiotViet's total here, and no campaign is set.
    let (code, terms) = match order.terms.split_first() {
        Some((code, terms)) => (code.as_str(), terms),
        None => ("", &[][..]),
    };
    must(code == order.order_code, "terms");
    must(order.campaign_code.is_none(), "campaign");
    must(order.order_date == model::day(invoice.purchased_at), "date");
    let executors = people::executors(evidence, shop, invoice, order.created_at);
    must(executors.contains(&order.assigned_username), "executor");
    let (account, name) = (&order.account_code, &order.account_name);
    let mut accounts = evidence.accounts.iter();
    let of_walk_ins = accounts.any(|a| {
        a.account_code == *account
            && a.account_name == model::WALK_IN
            && a.created_at <= Some(order.created_at)
    });
    let Some(id) = content.customer_id else {
        must(account.is_empty() || of_walk_ins, "account");
        must(name == model::WALK_IN, "name");
        let contact = [&order.account_phone, &order.account_email];
        must(contact.iter().all(|text| text.is_empty()), "contact");
        must(terms.is_empty(), "terms");
        return different;
    };
    let mut accounts = evidence.accounts.iter();
    let is_there =
        accounts.any(|a| a.account_code == *account && a.created_at <= Some(order.created_at));
    let owners = customers::owners(evidence, shop, id, order.created_at);
    let as_walk_in = account.is_empty() || of_walk_ins;
    // An empty code means that the customer was gone.
    let owner = if as_walk_in { "" } else { account };
    must(
        owners.contains(owner) && (as_walk_in || is_there),
        "account",
    );
    let mut versions = customers::versions(shop, id);
    if as_walk_in {
        // R5: the terms name a customer who is gone from KiotViet.
        let named = |c: &Customer| terms == [format!("Khách hàng: {}", c.content.name)];
        must(name == model::WALK_IN && versions.any(named), "name");
        return different;
    }
    must(terms.is_empty(), "terms");
    let mut all = evidence.accounts.iter();
    let owner = all.find(|a| a.account_code == *account);
    must(
        match owner {
            // R6: any other name could rename the account.
            Some(owner) => name.is_empty() || *name == owner.account_name,
            None => versions.any(|customer| customer.content.name == *name),
        },
        "name",
    );
    different
}
