//! The table of events, and both sides counted against each other. It reads the simulated vendors'
//! own records, never the app's word for what it did.

use anyhow::{Result, bail};
use comfy_table::{Table, presets::UTF8_FULL_CONDENSED};
use jiff::Timestamp;
use serde_json::Value;
use sim::{GetflySim, KiotVietSim, getfly, kiotviet};
use std::collections::BTreeMap;

fn text(event: &Value, name: &str) -> String {
    event[name].as_str().unwrap_or("–").to_owned()
}

/// Digits of a number without country code or leading zero; the demo's numbers need no more.
fn number(phone: &str) -> String {
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    let digits = if phone.trim_start().starts_with("+84") {
        digits[2..].to_owned()
    } else {
        digits
    };
    digits.trim_start_matches('0').to_owned()
}

struct Counts {
    customers: usize,
    people: usize,
    accounts: usize,
    invoices: usize,
    families: usize,
    cancelled: usize,
    orders: usize,
    lost: usize,
    doubled: usize,
    wrong_totals: usize,
}

/// An order's code without the shop's name and without `.01`.
fn family_of(order_code: &str) -> &str {
    let code = order_code.rsplit('-').next().unwrap_or_default();
    code.split('.').next().unwrap_or_default()
}

fn count(kiotviet: &KiotVietSim, getfly: &GetflySim, since: Timestamp) -> Counts {
    let customers: Vec<_> = kiotviet
        .customers()
        .into_iter()
        .filter(|c| c.created_at >= since)
        .collect();
    // One person per phone number, and per customer without one.
    let mut people: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for customer in &customers {
        let id = customer.id.to_string();
        let phone = customer.content.contact_number.as_deref().map(number);
        people
            .entry(phone.unwrap_or_else(|| id.clone()))
            .or_default()
            .push(id);
    }
    let accounts = getfly.accounts();
    // Each person on its own, so that one that is missing hides no one that is doubled.
    let of = |person: &String, ids: &Vec<String>| {
        let is_his = |a: &&getfly::Account| {
            let id = a.account_code.rsplit('-').next().unwrap_or_default();
            number(&a.phone_office) == *person || ids.iter().any(|known| known == id)
        };
        accounts.iter().filter(is_his).count()
    };
    let reached: Vec<usize> = people.iter().map(|(person, ids)| of(person, ids)).collect();

    let mut families: BTreeMap<String, Vec<kiotviet::Invoice>> = BTreeMap::new();
    for invoice in kiotviet.invoices() {
        if invoice.created_at >= since {
            let base = invoice.family.clone();
            families.entry(base).or_default().push(invoice);
        }
    }
    let orders = getfly.orders();
    let (mut lost, mut doubled, mut cancelled, mut wrong_totals) = (0, 0, 0, 0);
    for (base, invoices) in &families {
        let mine: Vec<_> = orders
            .iter()
            .filter(|o| family_of(&o.order_code) == base)
            .collect();
        // A family of which every invoice was cancelled owes no order.
        let owed = invoices.iter().any(|i| i.status != 2);
        lost += usize::from(owed && mine.is_empty());
        cancelled += usize::from(!owed && mine.is_empty());
        doubled += mine.len().saturating_sub(1);
        let totals: Vec<_> = invoices.iter().map(|i| i.content.total()).collect();
        wrong_totals += mine.iter().filter(|o| !totals.contains(&o.total())).count();
    }
    Counts {
        customers: customers.len(),
        people: people.len(),
        accounts: accounts.len(),
        invoices: families.values().map(Vec::len).sum(),
        families: families.len(),
        cancelled,
        orders: orders.len(),
        lost: lost + reached.iter().filter(|n| **n == 0).count(),
        doubled: doubled + reached.iter().map(|n| n.saturating_sub(1)).sum::<usize>(),
        wrong_totals,
    }
}

/// Prints the table and the counts; an error when anything was lost or doubled.
pub(super) fn print(
    events: &[Value],
    kiotviet: &KiotVietSim,
    getfly: &GetflySim,
    since: Timestamp,
) -> Result<()> {
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED);
    table.set_header(["#", "kind", "key", "outcome", "reason", "account", "order"]);
    for event in events {
        let outcome = event["outcome"]
            .as_str()
            .or(event["state"].as_str())
            .unwrap_or("–")
            .to_owned();
        table.add_row([
            event["seq"].to_string(),
            text(event, "kind"),
            text(event, "key"),
            outcome,
            text(event, "reason"),
            text(event, "account_code"),
            text(event, "order_code"),
        ]);
    }
    println!("{table}");
    let mut by_reason: BTreeMap<String, usize> = BTreeMap::new();
    for event in events {
        *by_reason.entry(text(event, "reason")).or_default() += 1;
    }
    let reasons: Vec<String> = by_reason
        .iter()
        .map(|(reason, n)| format!("{n} {reason}"))
        .collect();
    println!("{} events: {}", events.len(), reasons.join(", "));

    let counts = count(kiotviet, getfly, since);
    let mut sides = Table::new();
    sides.load_preset(UTF8_FULL_CONDENSED);
    sides.set_header(["", "KiotViet", "Getfly"]);
    sides.add_row([
        "customers".to_owned(),
        format!("{} ({} people by phone)", counts.customers, counts.people),
        format!("{} accounts", counts.accounts),
    ]);
    sides.add_row([
        "invoices".to_owned(),
        format!(
            "{} ({} before edits, {} cancelled at once)",
            counts.invoices, counts.families, counts.cancelled
        ),
        format!("{} orders", counts.orders),
    ]);
    println!("{sides}");
    println!(
        "lost {}, doubled {} (orders with another total than KiotViet's: {})",
        counts.lost, counts.doubled, counts.wrong_totals
    );
    if counts.lost + counts.doubled + counts.wrong_totals > 0 {
        bail!("something was lost, doubled or wrong");
    }
    Ok(())
}
