//! The table of events, and both sides counted against each other. It reads the simulated vendors'
//! own records, never the app's word for what it did.

use crate::sim::{GetflySim, KiotVietSim, getfly};
use anyhow::{Result, bail};
use comfy_table::{Table, presets::UTF8_FULL_CONDENSED};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

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
}

fn count(kiotviet: &KiotVietSim, getfly: &GetflySim, since: Timestamp) -> Counts {
    let customers: Vec<_> = kiotviet
        .customers()
        .into_iter()
        .filter(|c| c.created_at >= since)
        .collect();
    // One person per phone number, and per customer without one.
    let people: BTreeSet<String> = customers
        .iter()
        .map(|c| {
            c.content
                .contact_number
                .as_deref()
                .map_or_else(|| c.id.to_string(), number)
        })
        .collect();
    let accounts = getfly.accounts();
    let reaches = |a: &getfly::Account, c: &crate::sim::kiotviet::Customer| {
        let phone = c.content.contact_number.as_deref().map(number);
        a.account_code.ends_with(&format!("-{}", c.id))
            || phone.is_some_and(|p| p == number(&a.phone_office))
    };
    let lost_customers = customers
        .iter()
        .filter(|c| !accounts.iter().any(|a| reaches(a, c)))
        .count();

    let invoices: Vec<_> = kiotviet
        .invoices()
        .into_iter()
        .filter(|i| i.created_at >= since)
        .collect();
    // A family of which every invoice was cancelled owes no order.
    let mut families: BTreeMap<String, bool> = BTreeMap::new();
    for invoice in &invoices {
        *families.entry(invoice.base_code().to_owned()).or_default() |= invoice.status != 2;
    }
    let orders = getfly.orders();
    let has_order = |base: &str| {
        orders
            .iter()
            .any(|o| o.order_code.ends_with(&format!("-{base}")))
    };
    let lost_orders = families
        .iter()
        .filter(|(base, owed)| **owed && !has_order(base))
        .count();
    let cancelled = families
        .iter()
        .filter(|(base, owed)| !**owed && !has_order(base))
        .count();
    let codes: BTreeSet<_> = orders.iter().map(|o| o.order_code.clone()).collect();
    Counts {
        customers: customers.len(),
        people: people.len(),
        accounts: accounts.len(),
        invoices: invoices.len(),
        families: families.len(),
        cancelled,
        orders: orders.len(),
        lost: lost_customers + lost_orders,
        doubled: accounts.len().saturating_sub(people.len()) + (orders.len() - codes.len()),
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
    println!("lost {}, doubled {}", counts.lost, counts.doubled);
    if counts.lost + counts.doubled > 0 {
        bail!("something was lost or doubled");
    }
    Ok(())
}
