//! What the checker may know: what people did, what KiotViet was answered, and the records of the
//! two simulated vendors. Of the plugin it knows only the public list of events, to see what waits.

use super::switched::Switched;
use anyhow::Result;
use host_test::admin::Admin;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use sim::{
    Call, GetflySim, Habit, KiotVietSim, People, Personality,
    getfly::{Account, Order, User},
    kiotviet::{Customer, Edition, Invoice, Settings, Staff, Webhook},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// How people switched the webhooks, and the backfills they asked for.
#[derive(Debug, Clone, Default)]
pub struct Since {
    /// Of customers.
    pub customers: Switched,
    /// Of invoices.
    pub invoices: Switched,
}

impl Since {
    /// Of the webhook with this word in our routes, `customer` or `order`.
    pub fn of_mut(&mut self, webhook: &str) -> &mut Switched {
        match webhook {
            "customer" => &mut self.customers,
            _ => &mut self.invoices,
        }
    }
}

/// Records whose dead letter people dismissed, by id: nothing more is owed for them.
#[derive(Debug, Clone, Default)]
pub struct Dismissed {
    /// Customers.
    pub customers: BTreeSet<i64>,
    /// Invoices.
    pub invoices: BTreeSet<i64>,
}

/// Every version of KiotViet's records, by the time of its change.
#[derive(Debug, Clone, Default)]
pub struct Versions {
    /// Of customers.
    pub customers: Vec<Customer>,
    /// Of invoices.
    pub invoices: Vec<Invoice>,
}

impl Versions {
    /// Adds the versions that are not known yet.
    pub fn note(&mut self, customers: Vec<Customer>, invoices: Vec<Invoice>) {
        for new in customers {
            let key = |c: &Customer| (c.id, c.modified_at);
            if !self.customers.iter().any(|known| key(known) == key(&new)) {
                self.customers.push(new);
            }
        }
        for new in invoices {
            let key = |i: &Invoice| (i.id, i.modified_at, i.status);
            if !self.invoices.iter().any(|known| key(known) == key(&new)) {
                self.invoices.push(new);
            }
        }
    }
}

/// A fetch of a customer's record by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// When.
    pub at: Timestamp,
    /// Whether KiotViet had it; a deleted one is absent.
    pub found: bool,
}

/// A vendor's list of users, and when it was fetched.
#[derive(Debug, Clone)]
pub struct Listed<T> {
    /// As it is and as it was.
    pub people: People<T>,
    /// By the vendor's own log.
    pub fetched: Vec<Timestamp>,
    /// Whether some call for it had a fault: then an order may go without its executor.
    pub failed: bool,
}

impl<T> Listed<T> {
    /// The list that is fetched at this path.
    pub fn of(people: People<T>, calls: &[Call], path: &str) -> Self {
        let is_path = |call: &&Call| call.path.split('?').next() == Some(path);
        let fetches = calls.iter().filter(is_path);
        let fetches = fetches.filter(|call| call.status == Some(200));
        Self {
            people,
            fetched: fetches.map(|call| call.at).collect(),
            failed: false,
        }
    }

    /// The same list, if the fault layer before the vendors logged these calls.
    pub fn behind(mut self, calls: &[Call], path: &str) -> Self {
        let is_path = |call: &&Call| call.path.split('?').next() == Some(path);
        let mut asked = calls.iter().filter(is_path);
        self.failed = asked.any(|call| call.befallen);
        self
    }
}

/// One KiotViet shop. See the module.
#[derive(Debug, Clone)]
pub struct Shop {
    /// Its name; with `fnb.` before it in that edition.
    pub retailer: String,
    /// Whether KiotViet has no invoice webhook for it.
    pub polled: bool,
    /// The name of its connection; empty if it is not needed.
    pub connection: String,
    /// What people asked for.
    pub since: Since,
    /// What people dismissed.
    pub dismissed: Dismissed,
    /// Customers whose delivery was answered 2xx, or that a list should bring in.
    pub told_customers: BTreeSet<i64>,
    /// Such invoices.
    pub told_invoices: BTreeSet<i64>,
    /// What KiotViet gave up delivering.
    pub given_up: Vec<(String, i64)>,
    /// KiotViet's customers and invoices.
    pub kiotviet: Versions,
    /// When each customer's record was fetched, by KiotViet's own log.
    pub readings: BTreeMap<i64, Vec<Reading>>,
    /// KiotViet's users.
    pub staff: Listed<Staff>,
    /// KiotViet's webhooks at the end.
    pub webhooks: Vec<Webhook>,
}

impl Shop {
    /// The shop as this KiotViet has it now; its versions were recorded from the beginning.
    pub fn of(
        kiotviet: &KiotVietSim,
        since: Since,
        dismissed: Dismissed,
        versions: Versions,
    ) -> Self {
        let answered = kiotviet.answered().into_iter();
        let told: Vec<(String, i64)> = answered
            .filter(|a| a.accepted())
            .flat_map(|a| a.items)
            .collect();
        let told = |kind: &str| {
            let of_kind = told.iter().filter(|(action, _)| action.starts_with(kind));
            of_kind.map(|(_, id)| *id).collect()
        };
        Self {
            retailer: named(&kiotviet.settings()),
            polled: kiotviet.settings().edition == Edition::Fnb,
            connection: String::new(),
            since,
            dismissed,
            told_customers: told("customer.update"),
            told_invoices: told("invoice.update"),
            given_up: kiotviet.undelivered(),
            kiotviet: versions,
            readings: readings(&kiotviet.calls()),
            staff: Listed::of(kiotviet.staff(), &kiotviet.calls(), "/users"),
            webhooks: kiotviet.webhooks(),
        }
    }

    /// Counts every record of KiotViet's as delivered.
    pub fn all_is_told(&mut self) {
        let (customers, invoices) = (&self.kiotviet.customers, &self.kiotviet.invoices);
        self.told_customers.extend(customers.iter().map(|c| c.id));
        self.told_invoices.extend(invoices.iter().map(|i| i.id));
    }
}

/// How keys and codes name the shop.
fn named(settings: &Settings) -> String {
    let retailer = &settings.retailer;
    match settings.edition {
        Edition::Retail => retailer.clone(),
        Edition::Fnb => format!("fnb.{retailer}"),
    }
}

fn readings(calls: &[Call]) -> BTreeMap<i64, Vec<Reading>> {
    let mut readings = BTreeMap::<i64, Vec<Reading>>::new();
    for call in calls {
        let id = call.path.strip_prefix("/customers/");
        let id = id.and_then(|id| id.parse().ok());
        let found = match call.status {
            Some(200) => true,
            Some(404 | 420) => false,
            _ => continue,
        };
        if let Some(id) = id {
            let at = call.at;
            readings.entry(id).or_default().push(Reading { at, found });
        }
    }
    readings
}

/// The deviations of the instances' clocks, with each change; see [`sim::Skew`].
#[derive(Debug, Clone, Default)]
pub struct Clocks(pub Vec<Vec<(Timestamp, Option<SignedDuration>)>>);

impl Clocks {
    /// The deviations that a clock may have had at some moment from `from` to `to`.
    pub fn off(&self, from: Timestamp, to: Timestamp) -> BTreeSet<SignedDuration> {
        let mut all = BTreeSet::new();
        for log in &self.0 {
            // A clock that was set at this very moment had another deviation just before.
            let before = log.iter().rev().find(|(at, _)| *at < from);
            let within = log.iter().filter(|(at, _)| from <= *at && *at <= to);
            all.extend(before.into_iter().chain(within).filter_map(|(_, off)| *off));
        }
        if all.is_empty() {
            all.insert(SignedDuration::ZERO);
        }
        all
    }
}

/// An event of the public list that waits, or that needs a person.
#[derive(Debug, Clone, Default)]
pub struct Unfinished {
    /// Its connection.
    pub connection: String,
    /// `customer`, `invoice` or `other`.
    pub kind: String,
    /// The customer's id, or the invoice's code.
    pub key: String,
    /// Whether it needs a person.
    pub is_dead: bool,
    /// `3 retrying getfly_unavailable`.
    pub shown: String,
    /// Its notes, one a line.
    pub notes: String,
}

impl fmt::Display for Unfinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// Getfly's people removed an account.
#[derive(Debug, Clone)]
pub struct Gone {
    /// As it was.
    pub account: Account,
    /// When.
    pub at: Timestamp,
    /// It was merged into the account of this code, which has its orders now.
    pub into: Option<String>,
}

/// See the module.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// The vendors' personality.
    pub personality: Personality,
    /// The shops that write into this Getfly.
    pub shops: Vec<Shop>,
    /// Getfly's users.
    pub users: Listed<User>,
    /// The clocks of the instances that wrote there.
    pub clocks: Clocks,
    /// The accounts that Getfly's people had typed in, as they were before.
    pub seeded: Vec<Account>,
    /// Every account that Getfly ever had, in order of creation.
    pub accounts: Vec<Account>,
    /// When Getfly's people removed which of them, by its number.
    pub gone: BTreeMap<i64, Timestamp>,
    /// Getfly's orders at the end.
    pub orders: Vec<Order>,
    /// Getfly's own log of every call that was not a read.
    pub writes: Vec<Call>,
    /// The public list's events that wait, or that need a person.
    pub unfinished: Vec<Unfinished>,
}

impl Evidence {
    /// The evidence of these shops, and of Getfly as it is now, whose people had typed in `seeded`.
    /// All clocks are right.
    pub fn of(
        shops: Vec<Shop>,
        getfly: &GetflySim,
        seeded: Vec<Account>,
        unfinished: Vec<Unfinished>,
    ) -> Self {
        let calls = getfly.calls();
        Self {
            personality: Personality::default(),
            shops,
            users: Listed::of(getfly.users(), &calls, "/api/v6.1/users"),
            clocks: Clocks::default(),
            seeded,
            accounts: getfly.accounts(),
            gone: BTreeMap::new(),
            orders: getfly.orders(),
            writes: calls
                .into_iter()
                .filter(|c| c.method != http::Method::GET)
                .collect(),
            unfinished,
        }
    }

    /// The same where Getfly's people removed these accounts. An order that moved with a merged account is shown as it
    /// was before.
    #[must_use]
    pub fn without(mut self, gone: &[Gone]) -> Self {
        for removed in gone {
            let account = &removed.account;
            self.gone.insert(account.id, removed.at);
            let Some(into) = &removed.into else {
                continue;
            };
            let mut accounts = self.accounts.iter_mut();
            if let Some(here) = accounts.find(|other| other.id == account.id) {
                here.account_code.clone_from(&account.account_code);
            }
            let moved = self.orders.iter_mut().filter(|order| {
                order.account_code == *into
                    && order.request["account"]["account_code"] == account.account_code.as_str()
            });
            moved.for_each(|order| order.account_code.clone_from(&account.account_code));
        }
        self
    }

    /// Whether Getfly had this account at this moment.
    pub fn is_there(&self, account: &Account, at: Timestamp) -> bool {
        let gone = self.gone.get(&account.id);
        account.created_at.unwrap_or_default() <= at && gone.is_none_or(|gone| *gone > at)
    }

    /// The records of vendors of this personality, as they were sent to them: under the codes that
    /// the plugin asked for, and in the form that it sent.
    #[must_use]
    pub fn of_vendors(mut self, personality: Personality) -> Self {
        let sent =
            |request: &Value, key: &str| request[key].as_str().unwrap_or_default().to_owned();
        let mut codes = BTreeMap::new();
        for account in self.accounts.iter_mut().filter(|a| !a.request.is_null()) {
            let code = sent(&account.request, "account_code");
            let stored = std::mem::replace(&mut account.account_code, code.clone());
            codes.insert(stored, code);
            account.phone_office = sent(&account.request, "phone_office");
        }
        for order in &mut self.orders {
            order.order_code = sent(&order.request, "order_code");
            let account = sent(&order.request["account"], "account_code");
            if account.is_empty() && personality.has(Habit::OrdersTakeAnAccount) {
                // Getfly's own choice.
                order.account_code.clear();
            } else if let Some(code) = codes.get(&order.account_code) {
                order.account_code.clone_from(code);
            } else if codes.values().any(|code| *code == order.account_code) {
                order.account_code.push_str(" (not Getfly's)");
            }
        }
        self.users.failed |= personality.has(Habit::UsersRefused);
        for shop in &mut self.shops {
            shop.staff.failed |= personality.has(Habit::SellersRefused);
        }
        self.personality = personality;
        self
    }
}

/// The public list's unfinished events.
///
/// # Errors
/// If the list is refused.
pub async fn unfinished(app: &impl Admin) -> Result<Vec<Unfinished>> {
    let mut unfinished = Vec::new();
    for state in ["received", "retrying", "dead"] {
        let events = app.events_after(0, &format!("&state={state}")).await?;
        unfinished.extend(events.iter().map(|event| unfinished_event(event, state)));
    }
    Ok(unfinished)
}

fn unfinished_event(event: &Value, state: &str) -> Unfinished {
    let text = |key: &str| event[key].as_str().unwrap_or_default().to_owned();
    let notes = event["notes"].as_array().into_iter().flatten();
    let notes: Vec<&str> = notes.filter_map(Value::as_str).collect();
    Unfinished {
        connection: text("connection"),
        kind: text("kind"),
        key: text("key"),
        is_dead: state == "dead",
        shown: format!("{} {state} {}", event["seq"], event["reason"]),
        notes: notes.join("\n"),
    }
}
