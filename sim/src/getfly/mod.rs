//! A simulated Getfly tenant: the part of the v6.1 API that the plugin needs, and access to the
//! stored records. Text is stored as sent. It checks, it never repairs.

mod accounts;
mod api;
mod body;
mod index;
mod list;
mod manners;
mod orders;

pub use manners::{Created, Demanded, Missing, PhoneForm, Refusals, Sums};
pub use orders::{Opportunity, Order, OrderLine};

use super::{Call, CallLog, Guard, People, SimClock, lock};
use index::Accounts;
use jiff::Timestamp;
use serde_json::Value;
use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

/// How a list handles a filter that the manual does not have for that field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UndocumentedFilter {
    /// 400 that names it.
    #[default]
    Refuse,
    /// As if it had not been sent: more records than expected are returned.
    Ignore,
    /// It works like the documented ones.
    Honour,
}

/// The settings of a tenant. Change them at any time with [`GetflySim::update_settings`].
#[derive(Debug, Clone)]
pub struct GetflySettings {
    /// `X-API-KEY`.
    pub api_key: String,
    /// What stands before the API.
    pub guard: Guard,
    /// The wait before a request is processed.
    pub latency: Duration,
    /// Requests per second before 429.
    pub requests_per_second: Option<u32>,
    /// Status of a successful create: 200 or 201.
    pub success_status: u16,
    /// Whether ids in answers are texts.
    pub ids_as_strings: bool,
    /// How a create is confirmed.
    pub created: Created,
    /// How a create is refused.
    pub refusals: Refusals,
    /// The answer about an absent record.
    pub missing: Missing,
    /// Whether JSON is sent as `text/html`, PHP's default.
    pub json_as_html: bool,
    /// A further wait before a create is stored and answered.
    pub create_latency: Duration,
    /// The largest page; more is silently cut.
    pub max_limit: usize,
    /// Whether lists ignore every filter.
    pub filters_ignored: bool,
    /// Whether `order_date:lte` is the midnight at which that day begins, so that the day is left out.
    pub last_day_left_out: bool,
    /// Undocumented filters.
    pub undocumented_filter: UndocumentedFilter,
    /// The tenant forbids a second account with the same `phone_office` text.
    pub refuse_duplicate_phone: bool,
    /// The same for `email`.
    pub refuse_duplicate_email: bool,
    /// Sources that exist.
    pub sources: Vec<String>,
    /// Whether an account source that does not exist is refused.
    pub refuse_unknown_source: bool,
    /// Whether `gender` in a create is refused.
    pub refuse_gender: bool,
    /// Whether an `assigned_username` that does not exist is refused.
    pub refuse_unknown_executor: bool,
    /// Whether an order for an `account_code` that does not exist is refused.
    pub refuse_unknown_account: bool,
    /// Whether an `order_code` that exists is refused; otherwise a second order is stored.
    pub refuse_repeated_order_code: bool,
    /// Whether an order without `account_code` creates an account, as v3 does.
    pub order_creates_account: bool,
    /// Product codes that exist; none: every code is accepted.
    pub products: Option<Vec<String>>,
    /// Whether a line without a product code is refused.
    pub lines_need_code: bool,
    /// Whether an order without `account_code` is refused.
    pub order_needs_account: bool,
    /// Whether an order without `account_code` is attached to the first account.
    pub order_takes_an_account: bool,
    /// Whether Getfly says how many orders an account has.
    pub counts_orders: bool,
    /// Whether Getfly numbers accounts and orders itself, whatever codes are sent.
    pub numbers_itself: bool,
    /// Fields of an account whose value is refused as a duplicate, besides phone and e-mail.
    pub checked_fields: Vec<String>,
    /// Fields that are refused whatever their value.
    pub refused_fields: Vec<String>,
    /// Whether the list of users is refused (403).
    pub users_refused: bool,
    /// Fields without which an account is refused.
    pub required_fields: Vec<String>,
    /// Fields of an order without which it is refused.
    pub required_order_fields: Vec<String>,
    /// How definitions of fields say that one is demanded.
    pub demanded: Demanded,
    /// Whether two phones of the same digits are duplicates, however they are written.
    pub duplicates_by_digits: bool,
    /// Whether a text with a character of four bytes (an emoji) ends in 500.
    pub fails_on_wide_text: bool,
    /// Whether an order renames the account that it names.
    pub renames_accounts: bool,
    /// How phones are stored.
    pub phones: PhoneForm,
    /// Whether `eq` and `contains` ignore Vietnamese marks.
    pub folds_marks: bool,
    /// Whether times in answers are Unix seconds.
    pub times_in_seconds: bool,
    /// How orders are summed.
    pub sums: Sums,
    /// Whether reading products is refused (403).
    pub products_refused: bool,
    /// Whether only version 3 of the API exists: 404 to everything else.
    pub old_version: bool,
    /// Whether accounts are searched by their contact persons' numbers, as version 6.0 does.
    pub searches_contacts: bool,
    /// Whether version 6.0 of the API exists beside 6.1; otherwise its addresses show a page.
    pub has_version_6_0: bool,
    /// Whether the key may not count an account's orders (403).
    pub counts_refused: bool,
    /// Whether a list begins with a row of id 0.
    pub row_of_id_0: bool,
    /// Whether a list of accounts heeds its filter by `updated_at`.
    pub heeds_updated_at: bool,
    /// Whether lists heed how they are to be sorted.
    pub heeds_sort: bool,
    /// Whether a record is found by its id.
    pub finds_by_id: bool,
    /// Whether accounts take comments, as version 6.0 does: 404 otherwise.
    pub takes_comments: bool,
    /// Whether a comment without `user_id` is refused.
    pub comments_need_user: bool,
    /// Whether reading an order shows the number of its account.
    pub orders_show_account: bool,
    /// For how long a new account or order cannot be read.
    pub shown_after: Duration,
}

impl Default for GetflySettings {
    fn default() -> Self {
        Self {
            api_key: "simulated-getfly-key-000000001".to_owned(),
            guard: Guard::default(),
            latency: Duration::ZERO,
            requests_per_second: None,
            // ASSUMPTION: 200; the manual lists 200 and 201 without saying which.
            success_status: 200,
            ids_as_strings: false,
            created: Created::default(),
            refusals: Refusals::default(),
            // ASSUMPTION: seen in clients; the body is unknown.
            missing: Missing::default(),
            json_as_html: false,
            // ASSUMPTION: no time is documented; clients wait for up to 30 s.
            create_latency: Duration::ZERO,
            // ASSUMPTION: no maximum is documented; clients got pages of 5000.
            max_limit: 5000,
            filters_ignored: false,
            // ASSUMPTION: whether the bound's own day is listed is not documented.
            last_day_left_out: false,
            undocumented_filter: UndocumentedFilter::default(),
            // Documented: refused only when the tenant has switched both checks on.
            refuse_duplicate_phone: false,
            refuse_duplicate_email: false,
            sources: vec!["KiotViet".to_owned()],
            // ASSUMPTION: unknown names of sources, executors, accounts and products are accepted,
            // unless a switch refuses them. None of it is documented.
            refuse_unknown_source: false,
            refuse_gender: false,
            refuse_unknown_executor: false,
            refuse_unknown_account: false,
            // ASSUMPTION: accepted, the harsher case: a doubled order shows.
            refuse_repeated_order_code: false,
            order_creates_account: false,
            products: None,
            lines_need_code: false,
            order_needs_account: false,
            order_takes_an_account: false,
            // ASSUMPTION: the manual lists the call.
            counts_orders: true,
            numbers_itself: false,
            checked_fields: Vec::new(),
            refused_fields: Vec::new(),
            users_refused: false,
            // Documented: a tenant may require any field.
            required_fields: Vec::new(),
            required_order_fields: Vec::new(),
            demanded: Demanded::default(),
            // ASSUMPTION: as text.
            duplicates_by_digits: false,
            // ASSUMPTION: any text is accepted.
            fails_on_wide_text: false,
            // ASSUMPTION: whether an order's `account_name` reaches the account is unknown.
            renames_accounts: false,
            // ASSUMPTION: stored as sent.
            phones: PhoneForm::default(),
            folds_marks: false,
            // Documented as text; version 6.0 had seconds.
            times_in_seconds: false,
            // ASSUMPTION: exactly.
            sums: Sums::default(),
            products_refused: false,
            old_version: false,
            // Documented for version 6.0 only.
            searches_contacts: true,
            // Seen: clients use both versions with one key.
            has_version_6_0: true,
            counts_refused: false,
            row_of_id_0: false,
            // Documented, like the sorting.
            heeds_updated_at: true,
            heeds_sort: true,
            finds_by_id: true,
            // Documented for version 6.0 only.
            takes_comments: true,
            // ASSUMPTION: the key's own user stands for it.
            comments_need_user: false,
            // Documented.
            orders_show_account: true,
            shown_after: Duration::ZERO,
        }
    }
}

/// A user of the tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct User {
    /// Number.
    pub user_id: i64,
    /// Login name.
    pub user_name: String,
    /// Display name.
    pub contact_name: String,
    /// Phone.
    pub contact_mobile: String,
    /// E-mail.
    pub email: String,
}

impl User {
    /// A user without an e-mail.
    pub fn new(user_id: i64, user_name: &str, contact_name: &str, contact_mobile: &str) -> Self {
        Self {
            user_id,
            user_name: user_name.to_owned(),
            contact_name: contact_name.to_owned(),
            contact_mobile: contact_mobile.to_owned(),
            email: String::new(),
        }
    }
}

/// A stored account. To add one, set the members that matter; `id` 0 is numbered, an empty code
/// generated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// Number, ascending.
    pub id: i64,
    /// Unique.
    pub account_code: String,
    /// Name.
    pub account_name: String,
    /// As given.
    pub phone_office: String,
    /// As given.
    pub email: String,
    /// As given.
    pub billing_address_street: String,
    /// `YYYY-MM-DD` as sent.
    pub birthday: String,
    /// Tax code.
    pub sic_code: String,
    /// Description.
    pub description: String,
    /// Number as sent.
    pub gender: Option<i64>,
    /// Login name of the person in charge.
    pub manager: Option<String>,
    /// Source names.
    pub sources: Vec<String>,
    /// Numbers and e-mails of its contact persons, as given.
    pub contacts: Vec<String>,
    /// When it was created; none: now.
    pub created_at: Option<Timestamp>,
    /// When it was last changed; as it was created when none.
    pub updated_at: Option<Timestamp>,
    /// Hidden from every read; its code stays taken.
    pub deleted: bool,
    /// The request body that created it; null if it was added by a test.
    pub request: Value,
}

/// A comment at an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// Number, ascending.
    pub id: i64,
    /// The account's number.
    pub account_id: i64,
    /// What it says.
    pub content: String,
}

/// One tenant. Share it in an `Arc`; every method takes `&self`.
pub struct GetflySim {
    clock: Arc<dyn SimClock>,
    state: Mutex<State>,
    log: CallLog,
}

struct State {
    settings: GetflySettings,
    users: People<User>,
    accounts: Accounts,
    orders: Vec<Order>,
    opportunities: Vec<Opportunity>,
    comments: Vec<Comment>,
    /// The second that is being counted, and its requests.
    second: (i64, u32),
}

impl GetflySim {
    /// A tenant with one user, the administrator (1, `admin`).
    pub fn new(settings: GetflySettings, clock: Arc<dyn SimClock>) -> Self {
        let users = vec![User::new(1, "admin", "Quản Trị", "0900000001")];
        let state = State {
            settings,
            users: People::new(clock.now(), users),
            accounts: Accounts::default(),
            orders: Vec::new(),
            opportunities: Vec::new(),
            comments: Vec::new(),
            second: (0, 0),
        };
        Self {
            clock,
            state: Mutex::new(state),
            log: CallLog::default(),
        }
    }

    /// The present settings.
    pub fn settings(&self) -> GetflySettings {
        self.state().settings.clone()
    }

    /// Changes the settings from now on.
    pub fn update_settings(&self, change: impl FnOnce(&mut GetflySettings)) {
        change(&mut self.state().settings);
    }

    /// Adds a user.
    pub fn add_user(&self, user: User) {
        self.change_users(|users| users.push(user));
    }

    /// Changes the users in any way.
    pub fn change_users(&self, change: impl FnOnce(&mut Vec<User>)) {
        let now = self.clock.now();
        self.state().users.change(now, change);
    }

    /// The users as they are and as they were.
    pub fn users(&self) -> People<User> {
        self.state().users.clone()
    }

    /// Adds an account as if the tenant's people had typed it in; returns its id. No rule is
    /// checked.
    pub fn seed_account(&self, account: Account) -> i64 {
        let now = self.clock.now();
        self.state().store_account(account, now)
    }

    /// The tenant's people change an account's phone. False when there is none.
    pub fn change_phone(&self, id: i64, phone: &str) -> bool {
        let now = self.clock.now();
        self.state().accounts.change_phone(id, phone, now)
    }

    /// Merges an account into another one: it and its code are gone, its orders become the other's.
    /// False if there is none.
    pub fn merge_account(&self, id: i64, into: &str) -> bool {
        let mut state = self.state();
        let Some(code) = state.accounts.remove(id) else {
            return false;
        };
        for order in state.orders.iter_mut().filter(|o| o.account_code == code) {
            into.clone_into(&mut order.account_code);
        }
        true
    }

    /// Deletes an account: reads no longer show it, its code stays taken. False if there is none.
    pub fn delete_account(&self, id: i64) -> bool {
        let mut state = self.state();
        let found = state.accounts.all_mut().iter_mut().find(|a| a.id == id);
        found.is_some_and(|account| !std::mem::replace(&mut account.deleted, true))
    }

    /// Every account in order of creation, deleted ones too.
    pub fn accounts(&self) -> Vec<Account> {
        self.state().accounts.all().to_vec()
    }

    /// Every order in order of creation.
    pub fn orders(&self) -> Vec<Order> {
        self.state().orders.clone()
    }

    /// Every opportunity in order of creation.
    pub fn opportunities(&self) -> Vec<Opportunity> {
        self.state().opportunities.clone()
    }

    /// Every comment in order of creation.
    pub fn comments(&self) -> Vec<Comment> {
        self.state().comments.clone()
    }

    /// The API calls that reached the tenant.
    pub fn calls(&self) -> Vec<Call> {
        self.log.all()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

#[cfg(test)]
mod tests;
