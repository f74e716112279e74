//! A simulated KiotViet shop: its public API (an [`Upstream`](super::Upstream)), the actions of its
//! staff at the till, and the webhook deliveries that follow from them. It knows nothing of the
//! receiver but the status of its answers.

mod api;
mod deliver;
mod fnb;
mod hooks;
mod put;
mod records;
mod shop;
mod sign;
mod view;

pub use api::Clouds;
pub use deliver::{Answered, Chaos, Deliverer, Delivery, Item, Notification};
pub use fnb::{ChangedSince, Edition, FNB_TYPES, Fnb, ScopeField};
pub use hooks::{TYPES, Webhook};
pub use records::{
    Branch, Customer, Invoice, InvoiceDelivery, Line, NewCustomer, NewInvoice, Staff, Surcharge,
};
pub use sign::Signature;

use super::{Call, CallLog, Guard, People, SimClock, lock};
use jiff::Timestamp;
use rand::{SeedableRng, rngs::StdRng};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

/// The casing of the names of an `invoice.update` payload's members.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Casing {
    /// `purchaseDate`, as measured on a live shop.
    #[default]
    Camel,
    /// `PurchaseDate`, as the manual prints it.
    Pascal,
}

/// The body of a `customer.delete` delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeleteShape {
    /// An envelope whose `Data` holds bare ids, as integrations read it.
    #[default]
    Notifications,
    /// `{"RemoveId":[…]}`, as the manual prints it.
    RemoveId,
}

/// The form of times in REST answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Times {
    /// Seven digits of fraction, no offset: seen on a live shop.
    #[default]
    Bare,
    /// The same with `+07:00`, as deliveries have it.
    WithOffset,
    /// Whole seconds, no offset, as the manual prints some.
    WholeSeconds,
    /// UTC without an offset.
    Utc,
}

/// How lists of customers and invoices are split into pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pages {
    /// Largest page; more is silently cut.
    pub largest: usize,
    /// Rows after the first page that count but are not shown: an empty page in the middle.
    pub hidden: usize,
    /// Whether the first page begins with a row of id -1, a summary.
    pub summary: bool,
}

impl Default for Pages {
    fn default() -> Self {
        Self {
            largest: 100,
            hidden: 0,
            summary: false,
        }
    }
}

/// The shop's names and its KiotViet's behaviour. Change it at any time with
/// [`KiotVietSim::update_settings`].
#[derive(Debug, Clone)]
pub struct Settings {
    /// What stands before the API.
    pub guard: Guard,
    /// Its edition.
    pub edition: Edition,
    /// How it behaves if it is an F&B shop.
    pub fnb: Fnb,
    /// Shop name: the `Retailer` header.
    pub retailer: String,
    /// Its number: the third part of an `Action`.
    pub retailer_id: i64,
    /// `client_id` of the API connection.
    pub client_id: String,
    /// `client_secret` of the API connection.
    pub client_secret: String,
    /// Where a token is fetched.
    pub token_path: String,
    /// Life of a token.
    pub token_life: Duration,
    /// GETs answered per hour before 429.
    pub gets_per_hour: u32,
    /// How deliveries are signed.
    pub signature: Signature,
    /// Casing of invoice payloads.
    pub invoice_casing: Casing,
    /// Casing of customer payloads.
    pub customer_casing: Casing,
    /// Whether records have no `createdDate`.
    pub no_created_date: bool,
    /// Shape of delete payloads.
    pub delete_shape: DeleteShape,
    /// Time from an action to its first delivery.
    pub delivery_delay: Duration,
    /// The wait for an answer to a delivery.
    pub delivery_timeout: Duration,
    /// Wait before a second attempt; the n-th retry waits n times as long.
    pub retry_wait: Duration,
    /// A delivery that failed this often switches its webhook off.
    pub max_attempts: u32,
    /// Whether a retry carries the `Id` of the first attempt.
    pub retry_keeps_id: bool,
    /// The most deliveries on their way at the same time.
    pub parallel_deliveries: usize,
    /// Whether the `.01` invoice of an edit keeps the original's `createdDate`.
    pub edit_keeps_created_date: bool,
    /// Whether an absent record is refused with 420 instead of 404.
    pub missing_is_420: bool,
    /// Whether the 404 for an absent record is plain words, and no JSON.
    pub missing_is_text: bool,
    /// Whether the list of users is refused (403).
    pub users_refused: bool,
    /// How lists are cut.
    pub pages: Pages,
    /// The form of times.
    pub times: Times,
    /// Codes of deleted products: invoices show them, and the products' names, with `{DEL}`.
    pub deleted_products: Vec<String>,
    /// Whether a deleted customer's code and name, and the code of an invoice that was cancelled
    /// for an edit, have `{DEL}` on invoices.
    pub marks_deleted: bool,
    /// Whether the phone of every second customer is masked: `09123***78`.
    pub masks_phones: bool,
    /// Whether a second webhook of one type is refused.
    pub one_webhook_a_type: bool,
    /// The beginning of the shop's own codes: `8.` makes `8.01`, `8.02`; none: `HD000001`.
    pub own_codes: Option<String>,
    /// How long a new record cannot be read, though it is delivered.
    pub shown_after: Duration,
    /// Whether the lists of customers and of invoices are empty, so that only deliveries name
    /// records. Single records can still be read.
    pub lists_are_empty: bool,
    /// Whether `toPurchaseDate` is the midnight at which that day begins, so that the day is left out.
    pub last_day_left_out: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            guard: Guard::default(),
            edition: Edition::Retail,
            fnb: Fnb::default(),
            retailer: "cuahangthu".to_owned(),
            retailer_id: 500_123_456,
            client_id: "11111111-2222-4333-8444-555555555555".to_owned(),
            client_secret: "0123456789ABCDEF0123456789ABCDEF01234567".to_owned(),
            token_path: "/connect/token".to_owned(),
            token_life: Duration::from_secs(86_400),
            gets_per_hour: 5000,
            signature: Signature::default(),
            invoice_casing: Casing::default(),
            customer_casing: Casing::Pascal,
            no_created_date: false,
            delete_shape: DeleteShape::default(),
            delivery_delay: Duration::ZERO,
            delivery_timeout: Duration::from_secs(5),
            // ASSUMPTION: neither the waits nor the number of attempts is documented.
            retry_wait: Duration::from_secs(60),
            max_attempts: 5,
            // ASSUMPTION: whether `Id` repeats across attempts is unknown.
            retry_keeps_id: true,
            parallel_deliveries: 1,
            // ASSUMPTION: the moment of the edit; not documented, not captured.
            edit_keeps_created_date: false,
            missing_is_420: false,
            missing_is_text: false,
            users_refused: false,
            pages: Pages::default(),
            times: Times::default(),
            deleted_products: Vec::new(),
            // ASSUMPTION: seen on lines and cancelled receipts; inferred for invoices.
            marks_deleted: false,
            // ASSUMPTION: masked names are seen, masked phones only reported.
            masks_phones: false,
            // ASSUMPTION: several may exist side by side.
            one_webhook_a_type: false,
            own_codes: None,
            shown_after: Duration::ZERO,
            lists_are_empty: false,
            // ASSUMPTION: whether the bound's own day is listed is not documented.
            last_day_left_out: false,
        }
    }
}

/// One shop. Share it in an `Arc`; every method takes `&self`.
pub struct KiotVietSim {
    clock: Arc<dyn SimClock>,
    state: Mutex<State>,
    log: CallLog,
}

struct State {
    settings: Settings,
    staff: People<Staff>,
    branches: Vec<Branch>,
    customers: BTreeMap<i64, Customer>,
    invoices: BTreeMap<i64, Invoice>,
    webhooks: BTreeMap<i64, Webhook>,
    /// Token and the end of its life.
    tokens: BTreeMap<String, Timestamp>,
    /// Start of the counted hour, and the GETs in it.
    gets: (Timestamp, u32),
    /// The source of every new number: ids, codes, tokens.
    numbers: Numbers,
    outbox: Vec<Delivery>,
    answered: Vec<Answered>,
    undelivered: Vec<(String, i64)>,
    chaos: Chaos,
    rng: StdRng,
}

#[derive(Default)]
struct Numbers {
    customer: i64,
    invoice: i64,
    order: i64,
    webhook: i64,
    token: u64,
    delivery: u64,
}

impl KiotVietSim {
    /// An empty shop with one branch (1001) and two users: staff 5001 and the admin 5000, who is
    /// not in `GET /users`.
    pub fn new(settings: Settings, clock: Arc<dyn SimClock>) -> Self {
        let now = clock.now();
        let staff = vec![
            Staff {
                is_admin: true,
                ..Staff::new(5000, "admin", "Chủ Cửa Hàng", "0900000500")
            },
            Staff::new(5001, "nhanvien1", "Nhân Viên Một", "0900000501"),
        ];
        let state = State {
            settings,
            staff: People::new(now, staff),
            branches: vec![Branch {
                id: 1001,
                name: "Chi nhánh trung tâm".to_owned(),
            }],
            customers: BTreeMap::new(),
            invoices: BTreeMap::new(),
            webhooks: BTreeMap::new(),
            tokens: BTreeMap::new(),
            gets: (now, 0),
            numbers: Numbers::default(),
            outbox: Vec::new(),
            answered: Vec::new(),
            undelivered: Vec::new(),
            chaos: Chaos::default(),
            rng: StdRng::seed_from_u64(0),
        };
        Self {
            clock,
            state: Mutex::new(state),
            log: CallLog::default(),
        }
    }

    /// The present settings.
    pub fn settings(&self) -> Settings {
        self.state().settings.clone()
    }

    /// Changes the settings from now on.
    pub fn update_settings(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.state().settings);
    }

    /// Refuses every token issued so far, from now on.
    pub fn revoke_tokens(&self) {
        self.state().tokens.clear();
    }

    /// The tokens that are valid, or have only expired.
    pub fn tokens(&self) -> Vec<String> {
        self.state().tokens.keys().cloned().collect()
    }

    /// The API calls that reached the shop.
    pub fn calls(&self) -> Vec<Call> {
        self.log.all()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

#[cfg(test)]
mod tests;
