//! The checker's positive control: sound evidence passes, and every planted fault is found.

use super::{
    super::{
        evidence::{Since, Unfinished},
        run::Run,
        scenario,
        switched::Switched,
    },
    people::BELIEVED,
    *,
};
use host::keyvalue::Memory;
use sim::getfly::Account;
use std::sync::Arc;

/// The evidence of a scenario without any fault.
async fn sound(name: &str) -> Evidence {
    let scenarios = scenario::all();
    let scenario = scenarios.iter().find(|s| s.name == name).expect(name);
    let run = Run::new(scenario.lists, Arc::new(Memory::new()));
    run.past(scenario).await;
    (scenario.act)(&run).await;
    assert_eq!(run.rest(scenario).await, BTreeSet::new(), "{name}");
    run.evidence().await
}

#[tokio::test(start_paused = true)]
async fn a_sound_run_of_each_scenario_passes() {
    for scenario in scenario::all() {
        sound(scenario.name).await;
    }
}

type Plant = fn(&mut Evidence);

fn another(account: &Account, id: i64) -> Account {
    Account {
        id: account.id + id,
        account_code: format!("KV-cuahangthu-{}", 20_000_000 + id),
        ..account.clone()
    }
}

#[tokio::test(start_paused = true)]
async fn every_planted_fault_is_found() {
    let plants: [(&str, Kind, Plant); 32] = [
        ("accept-many", Kind::Doubled, |e| {
            // The second account's customer, with the first one's phone.
            let phone = e.accounts[0].phone_office.clone();
            e.accounts[1].phone_office = phone.clone();
            let code = e.accounts[1].account_code.clone();
            let mut customers = e.shops[0].kiotviet.customers.iter_mut();
            let his = customers.find(|c| code.ends_with(&c.id.to_string()));
            his.expect("of one").content.contact_number = Some(phone);
        }),
        ("both-at-once", Kind::Doubled, |e| {
            let doubled = another(&e.accounts[0], 1);
            e.accounts.push(doubled);
        }),
        ("both-at-once", Kind::Doubled, |e| {
            e.orders.push(e.orders[0].clone());
        }),
        ("both-at-once", Kind::Doubled, |e| {
            e.writes.push(e.writes[0].clone());
        }),
        ("new-customer", Kind::Lost, |e| e.accounts.clear()),
        ("invoice-walk-in", Kind::Lost, |e| e.orders.clear()),
        ("invoice-walk-in", Kind::Lost, |e| {
            e.shops[0].given_up.push(("invoice.update.1".to_owned(), 1));
        }),
        ("new-customer", Kind::Stuck, |e| {
            e.unfinished.push(Unfinished::default());
        }),
        ("invoice-new-customer", Kind::Wrong, |e| {
            e.accounts[0].manager = Some("mai".to_owned());
        }),
        ("both-at-once", Kind::Wrong, |e| {
            e.accounts[0].manager = Some("lan".to_owned());
        }),
        ("invoice-new-customer", Kind::Wrong, |e| {
            e.orders[0].assigned_username = None;
        }),
        ("invoice-known-customer", Kind::Wrong, |e| {
            e.orders[0].transport_amount += rust_decimal::Decimal::new(1, 2);
        }),
        ("invoice-known-customer", Kind::Wrong, |e| {
            e.orders[0].account_code.clear();
        }),
        ("invoice-known-customer", Kind::Wrong, |e| {
            let order = &mut e.orders[0];
            std::mem::swap(&mut order.transport_amount, &mut order.installation_amount);
        }),
        ("invoice-known-customer", Kind::Wrong, |e| {
            e.orders[0].terms.push("Khác tổng tiền".to_owned());
        }),
        ("invoice-known-customer", Kind::Wrong, |e| {
            e.orders[0].order_date = "2026-10-04".to_owned();
        }),
        ("invoice-walk-in", Kind::Wrong, |e| {
            e.orders[0].account_phone = "0912000111".to_owned();
        }),
        ("conflict", Kind::Wrong, |e| {
            // The account with the phone, not the one with the e-mail.
            e.orders[0].account_code = e.accounts[0].account_code.clone();
        }),
        ("conflict", Kind::Wrong, |e| {
            e.accounts[0].manager = None;
        }),
        ("new-customer", Kind::Wrong, |e| {
            e.accounts[0].phone_office = "+84 912 000 111".to_owned();
        }),
        ("new-customer", Kind::Wrong, |e| {
            e.accounts[0].sources.clear()
        }),
        ("new-customer", Kind::Wrong, |e| {
            // The customer was never fetched.
            e.shops[0].readings.clear();
        }),
        ("conflict", Kind::Wrong, |e| {
            e.shops[0].readings.clear();
        }),
        ("invoice-new-customer", Kind::Wrong, |e| {
            // The number that the customer got after the account was created.
            let mut edited = e.shops[0].kiotviet.customers[0].clone();
            edited.content.contact_number = Some("0933003333".to_owned());
            edited.modified_at += UNDER_WAY;
            e.shops[0].kiotviet.customers.push(edited);
            e.accounts[0].phone_office = "0933003333".to_owned();
        }),
        ("invoice-known-customer", Kind::Wrong, |e| {
            e.orders[0].account_name = "Ai đó".to_owned();
        }),
        ("duplicates", Kind::Wrong, |e| {
            // A second order of the customer, with an unknown account's code.
            let mut invoice = e.shops[0].kiotviet.invoices[0].clone();
            (invoice.id, invoice.code) = (1, "HD9".to_owned());
            e.shops[0].told_invoices.insert(1);
            e.shops[0].kiotviet.invoices.push(invoice);
            let mut order = e.orders[0].clone();
            (order.order_code, order.account_code) = ("cuahangthu-HD9".to_owned(), String::new());
            e.orders.push(order);
        }),
        ("invoice-known-customer", Kind::Wrong, |e| {
            // The shop's order stands under another shop's name.
            e.orders[0].order_code = e.orders[0].order_code.replace("thu", "hai");
        }),
        ("backfill", Kind::Wrong, |e| {
            e.shops[0].since = Since::default();
        }),
        ("invoice-new-customer", Kind::Wrong, |e| {
            // Getfly's users were never fetched.
            e.users.fetched.clear();
        }),
        ("invoice-new-customer", Kind::Wrong, |e| {
            // The list from which its executor follows was cached for too long.
            let created = e.orders[0].created_at;
            e.users.fetched = vec![created - BELIEVED - UNDER_WAY - UNDER_WAY];
        }),
        ("invoice-new-customer", Kind::Wrong, |e| {
            // By the clock of the instance that switched the webhook on, the invoice is old.
            let created = e.shops[0].kiotviet.invoices[0].created_at;
            e.shops[0].since.invoices = Switched::on(created - UNDER_WAY, created + UNDER_WAY);
        }),
        ("healing", Kind::Wrong, |e| {
            e.shops[0].webhooks[0].is_active = false
        }),
    ];
    for (number, (name, kind, plant)) in plants.into_iter().enumerate() {
        let mut evidence = sound(name).await;
        plant(&mut evidence);
        let findings = check(&evidence);
        let found = findings.iter().any(|finding| finding.kind == kind);
        assert!(found, "fault {number}, {name}, {kind:?}: {findings:?}");
    }
}
