//! The client of Getfly's open API, version 6.1. One method is one question or one create. It never
//! retries, because only its caller knows whether a second create is safe.

use crate::{
    assumption::Assumption,
    getfly::{
        assumptions::{
            ACCOUNT_FIELDS, API_PATH, COMMENTS_API_PATH, CONTACTS_API_PATH, INDEXED_ACCOUNT_FIELDS,
            KEY_HEADER, LISTED_ACCOUNT_FIELDS, LISTED_ORDER_FIELDS, MAX_PAGES, MAX_PART_PAGES,
            NEWEST_ACCOUNT_FIELDS, OLD_API_PATH, ORDER_FIELDS, PAGE_SIZE, PRODUCT_FIELDS,
            SEARCHED_ACCOUNT_FIELDS, SHOWN_ACCOUNT_FIELDS, SHOWN_ORDER_FIELDS, TENANT_HOURS_AHEAD,
            USER_FIELDS,
        },
        error::{GetflyError, read, read_created, read_existing},
        wire::{self, NewOpportunity, Product, Stored, StoredOrder},
    },
    json,
    rules::{
        codes::{AccountCode, OrderCode},
        email::EmailAddress,
        model::{Account, GetflyUser, NewAccount, NewOrder},
        phone::PhoneNumber,
    },
    secret::Secret,
    time::{Date, Timestamp},
    vendor::{body::is_page_for_nothing, encoding::form},
    world::{CREATE_TIMEOUT, Http, HttpError, Method, OUTBOUND_TIMEOUT, Request, Response},
};
use core::time::Duration;
use serde_json::Value;
use std::collections::BTreeSet;

/// How far Getfly's clock may be behind ours.
const CLOCK_SKEW: Duration = Duration::from_secs(600);

/// Reads a row of a list: its id, its record, and the text that may hold our code.
type ItemWithText<T> = fn(&Value) -> Option<(i64, (T, Value))>;

/// The result of a search that may end before the last page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hits {
    /// By e-mail: every account whose field is the address, and some whose field contains it. By
    /// contact person: those on the first page.
    pub accounts: Vec<Account>,
    /// Whether there are more accounts than were read.
    pub cut: bool,
}

/// A page of all accounts, or of those that were changed since a moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountPage {
    /// The accounts, in Getfly's order.
    pub accounts: Vec<Account>,
    /// There is another page.
    pub more: bool,
    /// Each of them says that it was changed since the moment that was asked for.
    pub is_filtered: bool,
}

/// The records whose required fields are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Required {
    /// Accounts.
    Account,
    /// Orders.
    Order,
}

/// One tenant's API.
#[derive(Debug)]
pub struct Getfly<'a, H> {
    /// The way out.
    pub http: &'a H,
    /// `https://<tenant>.getflycrm.com`, without a trailing slash.
    pub origin: &'a str,
    /// The tenant's key.
    pub api_key: &'a Secret,
}

impl<H: Http> Getfly<'_, H> {
    /// The accounts whose e-mail field contains this address (manual, account list). The caller
    /// compares whole addresses. Usually the first page holds them all. If not, the accounts whose
    /// field *is* the address are searched for, and only some further pages of the others are read.
    pub async fn accounts_by_email(&self, email: &EmailAddress) -> Result<Hits, GetflyError> {
        const ENDPOINT: &str = "Getfly GET /accounts?email";
        let part = ("filtering[email:contains]", email.as_str());
        let mut parts = self.account_pages(ENDPOINT, vec![part]);
        let mut accounts = parts.next().await?;
        for account in &accounts {
            let held = account.email.to_lowercase().contains(email.as_str());
            self.http.saw(Assumption::SearchByText, held);
        }
        self.saw_phones(&accounts);
        if parts.is_over() {
            let cut = false;
            return Ok(Hits { accounts, cut });
        }
        let whole = vec![
            ("filtering[email]", email.as_str()),
            // The account that was created first decides.
            ("sort", "id"),
            ("direction", "asc"),
        ];
        accounts.extend(
            self.account_pages(ENDPOINT, whole)
                .up_to(MAX_PART_PAGES)
                .await?,
        );
        let all_hold_it = |accounts: &[Account]| {
            let held = |a: &Account| a.email.to_lowercase().contains(email.as_str());
            accounts.iter().all(held)
        };
        // A server that ignores the filter is read to its end, up to the bound.
        let bound = if all_hold_it(&accounts) {
            MAX_PART_PAGES
        } else {
            MAX_PAGES
        };
        accounts.extend(parts.up_to(bound).await?);
        if bound == MAX_PAGES && !parts.is_over() {
            return Err(GetflyError::garbled("the list does not end"));
        }
        let cut = !parts.is_over();
        Ok(Hits { accounts, cut })
    }

    /// Every account whose phone field holds the number's search key (manual, account list). The
    /// caller compares canonical numbers. The search does not find numbers stored with spaces
    /// inside.
    pub async fn accounts_by_phone(
        &self,
        phone: &PhoneNumber,
    ) -> Result<Vec<Account>, GetflyError> {
        let key = phone.search_key();
        if key.is_empty() {
            // Every account would contain it; a number of zeros only matches no account (R7).
            return Ok(Vec::new());
        }
        let filter = ("filtering[phone_office:contains]", key);
        let found = self.accounts("Getfly GET /accounts?phone", filter).await?;
        for account in &found {
            let held = account.phone.contains(key);
            self.http.saw(Assumption::SearchByText, held);
        }
        self.saw_phones(&found);
        Ok(found)
    }

    /// Reports how Getfly stores the phones of these accounts.
    fn saw_phones(&self, accounts: &[Account]) {
        for account in accounts {
            if !account.contacts.is_empty() {
                self.http.saw(Assumption::ContactNumbers, true);
            }
            if let Some(phone) = PhoneNumber::parse(&account.phone) {
                let plain = account.phone.trim() == phone.as_str();
                self.http.saw(Assumption::PhoneStored, plain);
            }
        }
    }

    /// The accounts on the first page with a contact person whose number holds this one's search
    /// key (manual, version 6.0, account list). None if the tenant does not have that search: how it
    /// says so is not known, so any answer but a failure of the whole tenant counts.
    pub async fn accounts_by_contact(&self, phone: &PhoneNumber) -> Result<Hits, GetflyError> {
        let key = phone.search_key();
        if key.is_empty() {
            return Ok(Hits::default());
        }
        let limit = PAGE_SIZE.to_string();
        let query = [
            ("fields", SEARCHED_ACCOUNT_FIELDS),
            ("filtering[contact_phone:contains]", key),
            ("limit", &limit),
        ];
        let endpoint = "Getfly GET /accounts?contact";
        let mut request = self.request(Method::Get, endpoint, "/accounts", &query);
        request.url = format!(
            "{}{CONTACTS_API_PATH}/accounts?{}",
            self.origin,
            form(&query)
        );
        let answer = read_existing(&self.http.send(request).await?);
        let answer = match answer {
            Err(e) if e.may_be_of_this_address_alone() => None,
            answer => Some(answer?),
        };
        let Some((answer, page)) = answer
            .as_ref()
            .and_then(|answer| Some((answer, wire::records(answer)?)))
        else {
            self.http.saw(Assumption::ContactNumbers, false);
            return Ok(Hits::default());
        };
        Ok(Hits {
            accounts: page.iter().filter_map(wire::account).collect(),
            cut: has_more(answer, page.len()),
        })
    }

    async fn accounts(
        &self,
        endpoint: &'static str,
        filter: (&str, &str),
    ) -> Result<Vec<Account>, GetflyError> {
        self.account_pages(endpoint, vec![filter]).every().await
    }

    fn account_pages<'s>(
        &'s self,
        endpoint: &'static str,
        filter: Vec<(&'s str, &'s str)>,
    ) -> Pages<'s, H, Account> {
        let mut query = vec![("fields", SEARCHED_ACCOUNT_FIELDS)];
        query.extend(filter);
        self.pages(endpoint, "/accounts", query, |value| {
            wire::account(value).map(|account| (account.id, account))
        })
    }

    fn pages<'s, T>(
        &'s self,
        endpoint: &'static str,
        path: &'static str,
        query: Vec<(&'s str, &'s str)>,
        item: fn(&Value) -> Option<(i64, T)>,
    ) -> Pages<'s, H, T> {
        Pages {
            getfly: self,
            endpoint,
            path,
            query,
            item,
            seen: BTreeSet::new(),
            offset: 0,
            is_over: false,
        }
    }

    /// Every active user (manual, users list). A user without a login name is left out: no record
    /// can refer to it.
    pub async fn users(&self) -> Result<Vec<GetflyUser>, GetflyError> {
        let query = [("fields", USER_FIELDS), ("filtering[valid]", "1")];
        let read = |value: &Value| wire::user(value).map(|user| (user.user_id, user));
        let pages = self.pages("Getfly GET /users", "/users", query.to_vec(), read);
        let mut users = pages.every().await?;
        users.retain(|user| !user.user_name.trim().is_empty());
        Ok(users)
    }

    /// The account with this code, or none (manual, account detail).
    pub async fn account_by_code(
        &self,
        code: &AccountCode,
    ) -> Result<Option<Account>, GetflyError> {
        self.account(code, ACCOUNT_FIELDS).await
    }

    async fn account(
        &self,
        code: &AccountCode,
        fields: &str,
    ) -> Result<Option<Account>, GetflyError> {
        let query = [("account_code", code.as_str()), ("fields", fields)];
        let found = self
            .one("Getfly GET /account", "/account", &query, wire::account)
            .await?;
        let found = found.map(|account| (account.code.as_str().to_owned(), account));
        same_code(code.as_str(), found)
    }

    /// The account with this code and its contact persons, or none.
    pub async fn account_with_contacts(
        &self,
        code: &AccountCode,
    ) -> Result<Option<Account>, GetflyError> {
        self.account(code, SEARCHED_ACCOUNT_FIELDS).await
    }

    /// A page of the accounts, those with the smallest numbers first (manual, account list); with `since`, of those that
    /// were changed since then.
    pub async fn account_page(
        &self,
        since: Option<Timestamp>,
        offset: u64,
    ) -> Result<AccountPage, GetflyError> {
        let from = since.map(|since| since.saturating_sub(CLOCK_SKEW));
        let from = from.map(Timestamp::whole_second);
        let from_text = from.map(listed_at).unwrap_or_default();
        let (limit, offset) = (PAGE_SIZE.to_string(), offset.to_string());
        let mut query = vec![
            ("fields", INDEXED_ACCOUNT_FIELDS),
            ("sort", "id"),
            ("direction", "asc"),
            ("limit", &limit),
            ("offset", &offset),
        ];
        let mut endpoint = "Getfly GET /accounts?all";
        if from.is_some() {
            endpoint = "Getfly GET /accounts?updated";
            query.push(("filtering[updated_at:gte]", &from_text));
        }
        let request = self.request(Method::Get, endpoint, "/accounts", &query);
        let answer = read_existing(&self.http.send(request).await?)?;
        let page =
            wire::records(&answer).ok_or_else(|| GetflyError::garbled("a list without data"))?;
        let rows = page.iter().filter(|row| !wire::is_placeholder(row));
        let accounts: Option<Vec<_>> = rows.map(wire::changed_account).collect();
        let accounts = accounts.ok_or_else(|| GetflyError::garbled("a record without an id"))?;
        let is_filtered = accounts.iter().all(|(_, changed)| *changed >= from);
        Ok(AccountPage {
            more: has_more(&answer, page.len()),
            accounts: accounts.into_iter().map(|(account, _)| account).collect(),
            is_filtered,
        })
    }

    /// The account with this number, or none.
    pub async fn account_by_id(&self, id: i64) -> Result<Option<Account>, GetflyError> {
        let id_text = id.to_string();
        let filter = ("filtering[id]", id_text.as_str());
        let found = self.accounts("Getfly GET /accounts?id", filter).await?;
        Ok(found.into_iter().find(|account| account.id == id))
    }

    /// The account whose description holds `code`, whatever its own code is. It is searched among
    /// the newest, which depends on no clock, then among those created between `since` and `until`.
    /// If several hold it, the first one counts.
    pub async fn account_with_text(
        &self,
        code: &AccountCode,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Account>, GetflyError> {
        let item = |value: &Value| {
            let description = value.get("description").cloned().unwrap_or_default();
            wire::account(value).map(|account| (account.id, (account, description)))
        };
        let fields = LISTED_ACCOUNT_FIELDS;
        let found = self
            .with_text(
                "/accounts",
                (
                    "Getfly GET /accounts?newest",
                    "Getfly GET /accounts?created",
                ),
                fields,
                item,
                code.as_str(),
                (since, until),
            )
            .await?;
        Ok(found.into_iter().min_by_key(|account| account.id))
    }

    /// The order one of whose terms holds `code`, whatever its own code is; searched like an
    /// account.
    pub async fn order_with_text(
        &self,
        code: &OrderCode,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Option<StoredOrder>, GetflyError> {
        let item = |value: &Value| {
            let terms = value.get("order_terms").cloned().unwrap_or_default();
            wire::order(value).map(|order| (order.id, (order, terms)))
        };
        let fields = LISTED_ORDER_FIELDS;
        let found = self
            .with_text(
                "/sale_orders",
                (
                    "Getfly GET /sale_orders?newest",
                    "Getfly GET /sale_orders?created",
                ),
                fields,
                item,
                code.as_str(),
                (since, until),
            )
            .await?;
        Ok(found.into_iter().min_by_key(|order| order.id))
    }

    /// The records of a list whose text holds `code`: on the page of the newest, else among those
    /// of that time.
    async fn with_text<T>(
        &self,
        path: &'static str,
        (newest, of_a_time): (&'static str, &'static str),
        fields: &'static str,
        item: ItemWithText<T>,
        code: &str,
        (since, until): (Timestamp, Timestamp),
    ) -> Result<Vec<T>, GetflyError> {
        let holding = |records: Vec<(T, Value)>| -> Vec<T> {
            let held = records
                .into_iter()
                .filter(|(_, text)| wire::holds(text, code));
            held.map(|(record, _)| record).collect()
        };
        let query = vec![("fields", fields), ("sort", "id"), ("direction", "desc")];
        let page = self.pages(newest, path, query, item).next().await?;
        let found = holding(page);
        if !found.is_empty() {
            return Ok(found);
        }
        let (from, to) = (listed_from(since), listed_to(until));
        let query = vec![
            ("fields", fields),
            ("filtering[created_at:gte]", from.as_str()),
            ("filtering[created_at:lte]", to.as_str()),
        ];
        Ok(holding(
            self.pages(of_a_time, path, query, item).every().await?,
        ))
    }

    /// How many orders the account with this number has; none if Getfly does not say, whatever the
    /// reason: its caller has another way to find out.
    pub async fn orders_of(&self, account_id: i64) -> Result<Option<i64>, GetflyError> {
        let id = account_id.to_string();
        let query = [("account_id", id.as_str())];
        let request = self.request(
            Method::Get,
            "Getfly GET /account/count_orders_status",
            "/account/count_orders_status",
            &query,
        );
        let answer = match read(&self.http.send(request).await?) {
            Err(e) if e.may_be_of_this_address_alone() => None,
            Err(GetflyError::Busy { status, .. }) if status >= 500 => None,
            other => other?,
        };
        let orders = answer.and_then(|value| wire::orders_of(&value));
        self.http.saw(Assumption::OrdersCounted, orders.is_some());
        Ok(orders)
    }

    /// The product with this code, or none (manual, products).
    pub async fn product(&self, code: &str) -> Result<Option<Product>, GetflyError> {
        let query = [("product_code", code), ("fields", PRODUCT_FIELDS)];
        let read = |value: &Value| Some(wire::product(value));
        let found = self
            .one("Getfly GET /product", "/product", &query, read)
            .await?;
        same_code(code, found.map(|product| (product.code.clone(), product)))
    }

    /// A question that every tenant with this API answers for every key that may read accounts. Its
    /// error is about the tenant or the way to it.
    pub async fn control(&self) -> Result<(), GetflyError> {
        let query = [("fields", "id"), ("limit", "1")];
        let request = self.request(
            Method::Get,
            "Getfly GET /accounts?limit=1",
            "/accounts",
            &query,
        );
        read_existing(&self.http.send(request).await?).map(|_| ())
    }

    /// Whether the key may read this list; reads `field` of one record.
    pub async fn may_read(
        &self,
        path: &'static str,
        field: &'static str,
    ) -> Result<(), GetflyError> {
        let endpoint = match path {
            "/users" => "Getfly GET /users?limit=1",
            "/sale_orders" => "Getfly GET /sale_orders?limit=1",
            _ => "Getfly GET /products?limit=1",
        };
        let query = [("fields", field), ("limit", "1")];
        let request = self.request(Method::Get, endpoint, path, &query);
        read_existing(&self.http.send(request).await?).map(|_| ())
    }

    /// The fields that the tenant requires of new records, as far as its field definitions say so
    /// (manual, custom fields).
    pub async fn required_fields(&self, of: Required) -> Result<Vec<String>, GetflyError> {
        let (endpoint, path) = match of {
            Required::Account => (
                "Getfly GET /account/custom_fields",
                "/account/custom_fields",
            ),
            Required::Order => (
                "Getfly GET /sale_order/custom_fields",
                "/sale_order/custom_fields",
            ),
        };
        let request = self.request(Method::Get, endpoint, path, &[]);
        let answer = read(&self.http.send(request).await?)?;
        let fields = answer.as_ref().and_then(wire::records);
        Ok(fields
            .into_iter()
            .flatten()
            .filter_map(wire::required)
            .collect())
    }

    /// The newest accounts on the first page, and how many of them Getfly's own KiotViet
    /// integration made.
    pub async fn newest_accounts(&self) -> Result<(Vec<Account>, usize), GetflyError> {
        let query = vec![("fields", NEWEST_ACCOUNT_FIELDS)];
        let mut pages = self.pages("Getfly GET /accounts?newest", "/accounts", query, |value| {
            let made = wire::is_of_own_integration(value);
            wire::account(value).map(|account| (account.id, (account, made)))
        });
        let found = pages.next().await?;
        let made = found.iter().filter(|(_, made)| *made).count();
        Ok((
            found.into_iter().map(|(account, _)| account).collect(),
            made,
        ))
    }

    /// The orders of `day`.
    pub async fn orders_of_day(&self, day: Date) -> Result<Vec<StoredOrder>, GetflyError> {
        // Its upper bound may be the midnight at which that day begins.
        let [from, to] = [day, day.next().unwrap_or(day)].map(|day| day.to_string());
        let query = vec![
            ("fields", "id,order_code,real_amount,order_date"),
            ("filtering[order_date:gte]", from.as_str()),
            ("filtering[order_date:lte]", to.as_str()),
        ];
        let endpoint = "Getfly GET /sale_orders?day";
        let pages = self.pages(endpoint, "/sale_orders", query, |value| {
            wire::order(value).map(|order| (order.id, order))
        });
        let mut orders = pages.every().await?;
        orders.retain(|order| order.date.is_none_or(|date| date == day));
        Ok(orders)
    }

    /// The codes of the newest orders on the first page.
    pub async fn newest_order_codes(&self) -> Result<Vec<String>, GetflyError> {
        let query = vec![("fields", "id,order_code")];
        let endpoint = "Getfly GET /sale_orders?newest";
        let mut pages = self.pages(endpoint, "/sale_orders", query, |value| {
            wire::order(value).map(|order| (order.id, order.code))
        });
        pages.next().await
    }

    /// Whether the tenant has only the oldest version of the API: it answers 404 to this version's
    /// list of users, and answers the old one's.
    pub async fn is_old_version(&self) -> Result<bool, GetflyError> {
        if self.first_user(API_PATH).await?.status != 404 {
            return Ok(false);
        }
        let old = self.first_user(OLD_API_PATH).await?;
        Ok(matches!(read(&old), Ok(Some(_))))
    }

    async fn first_user(&self, api: &str) -> Result<Response, HttpError> {
        let query = [("limit", "1"), ("fields", "user_id")];
        let mut request = self.request(Method::Get, "Getfly GET /users?limit=1", "/users", &query);
        if api != API_PATH {
            request.endpoint = "Getfly GET /api/v3/users";
            request.url = format!("{}{api}/users?limit=1", self.origin);
        }
        self.http.send(request).await
    }

    /// The order with this number, or none (manual, sale order detail).
    pub async fn order_by_id(&self, id: i64) -> Result<Option<StoredOrder>, GetflyError> {
        let id_text = id.to_string();
        let query = [("order_id", id_text.as_str()), ("fields", ORDER_FIELDS)];
        let found = self
            .one(
                "Getfly GET /sale_order?id",
                "/sale_order",
                &query,
                wire::order,
            )
            .await?;
        Ok(found.filter(|order| order.id == id))
    }

    /// The order with this code, or none (manual, sale order detail).
    pub async fn order_by_code(
        &self,
        code: &OrderCode,
    ) -> Result<Option<StoredOrder>, GetflyError> {
        let query = [("order_code", code.as_str()), ("fields", ORDER_FIELDS)];
        let found = self
            .one("Getfly GET /sale_order", "/sale_order", &query, wire::order)
            .await?;
        let found = found.map(|order| (order.code.clone(), order));
        same_code(code.as_str(), found)
    }

    /// Reads an account for people, who see the answer as it came.
    pub async fn show_account(&self, code: &AccountCode) -> Result<(), GetflyError> {
        let call = ("Getfly GET /account", "/account");
        let code = ("account_code", code.as_str());
        self.show(call, code, [SHOWN_ACCOUNT_FIELDS, ACCOUNT_FIELDS])
            .await
    }

    /// The same of an order.
    pub async fn show_order(&self, code: &OrderCode) -> Result<(), GetflyError> {
        let call = ("Getfly GET /sale_order", "/sale_order");
        let code = ("order_code", code.as_str());
        self.show(call, code, [SHOWN_ORDER_FIELDS, ORDER_FIELDS])
            .await
    }

    /// Asks for all these fields; where Getfly does not take them, for the second ones, which it has to have.
    async fn show(
        &self,
        (endpoint, path): (&'static str, &str),
        code: (&str, &str),
        fields: [&str; 2],
    ) -> Result<(), GetflyError> {
        let mut last = Ok(());
        for fields in fields {
            let request = self.request(Method::Get, endpoint, path, &[code, ("fields", fields)]);
            last = read(&self.http.send(request).await?).map(|_| ());
            if !matches!(last, Err(GetflyError::Refused(_))) {
                break;
            }
        }
        last
    }

    /// Creates an account (manual, account create). After an error for which
    /// [`GetflyError::maybe_stored`] is true, the outcome is unknown.
    pub async fn create_account(&self, account: &NewAccount) -> Result<Stored, GetflyError> {
        let mut body = wire::account_body(account);
        if mutant!(CreateWithoutCode) {
            body.account_code = None;
        }
        let sent = (Assumption::AccountAnswer, account.code.as_str());
        let stored = self
            .create(
                ("Getfly POST /account", "/account"),
                json::text(&body),
                &["account_id", "id"],
                "account_code",
                Some(sent),
            )
            .await;
        if stored.is_ok() && account.gender.is_some() {
            self.http.saw(Assumption::Gender, true);
        }
        stored
    }

    /// Creates an order (manual, sale order create). Errors as for an account.
    pub async fn create_order(&self, order: &NewOrder) -> Result<Stored, GetflyError> {
        let body = wire::order_body(order);
        let sent = (Assumption::OrderAnswer, order.code.as_str());
        self.create(
            ("Getfly POST /sale_order", "/sale_order"),
            json::text(&body),
            &["order_id", "id"],
            "order_code",
            Some(sent),
        )
        .await
    }

    /// Enrols an account in a campaign (R11; manual, opportunity create). Errors as for an account.
    /// Getfly cannot read an opportunity back by a code of ours.
    pub async fn create_opportunity(
        &self,
        opportunity: &NewOpportunity,
    ) -> Result<Stored, GetflyError> {
        let body = wire::opportunity_body(opportunity);
        self.create(
            ("Getfly POST /opportunity", "/opportunity"),
            json::text(&body),
            &["id"],
            "opportunity_code",
            None,
        )
        .await
    }

    /// Puts a comment at an account (manual, version 6.0). Errors as for an account; Getfly cannot show whether a
    /// comment without an answer was stored.
    pub async fn comment(&self, account_id: i64, content: &str) -> Result<(), GetflyError> {
        let endpoint = "Getfly POST /accounts/comments";
        let mut request = self.request(Method::Post, endpoint, "", &[]);
        request.url = format!(
            "{}{COMMENTS_API_PATH}/accounts/{account_id}/comments",
            self.origin
        );
        request.body = json::text(&wire::CommentBody { content });
        match read_created(&self.http.send(request).await?, &["id"], ("", None)) {
            // Nothing needs its number.
            Err(GetflyError::Untold { .. }) => Ok(()),
            read => read.map(|_| ()),
        }
    }

    /// Creates a record. `sent` holds its code and the assumptions about the answer.
    async fn create(
        &self,
        (endpoint, path): (&'static str, &str),
        body: Vec<u8>,
        ids: &[&str],
        code: &str,
        sent: Option<(Assumption, &str)>,
    ) -> Result<Stored, GetflyError> {
        let mut request = self.request(Method::Post, endpoint, path, &[]);
        request.body = body;
        request.timeout = CREATE_TIMEOUT;
        let response = self.http.send(request).await;
        match &response {
            Ok(_) => self.http.saw(Assumption::StoredInTime, true),
            Err(HttpError::Timeout) => self.http.saw(Assumption::StoredInTime, false),
            Err(_) => {}
        }
        let response = response?;
        let read = read_created(&response, ids, (code, sent.map(|(_, code)| code)));
        self.saw_create(response.status, &read, sent);
        read
    }

    /// Reports what the answer to a create shows.
    fn saw_create(
        &self,
        status: u16,
        read: &Result<Stored, GetflyError>,
        sent: Option<(Assumption, &str)>,
    ) {
        let saw = |assumption, holds| self.http.saw(assumption, holds);
        match (read, sent) {
            (Ok(stored), Some((answer, sent))) => {
                saw(Assumption::ApiVersion, true);
                saw(Assumption::GetflyRate, true);
                saw(answer, status == 200 && stored.code.is_some());
                if let Some(code) = &stored.code {
                    saw(Assumption::CodeKept, code == sent);
                }
            }
            (Err(GetflyError::Garbled { .. } | GetflyError::Untold { .. }), Some((answer, _)))
                if (200..=299).contains(&status) =>
            {
                saw(answer, false);
            }
            (Err(GetflyError::Refused(refusal)), _) => {
                let named = !refusal.fields.is_empty() && !refusal.message.is_empty();
                saw(Assumption::RefusalStatus, refusal.status >= 400);
                saw(Assumption::RefusalForm, named);
                if refusal.is_duplicate() {
                    saw(Assumption::DuplicateWords, refusal.status == 400);
                }
            }
            _ => {}
        }
    }

    async fn one<T>(
        &self,
        endpoint: &'static str,
        path: &str,
        query: &[(&str, &str)],
        item: impl Fn(&Value) -> Option<T>,
    ) -> Result<Option<T>, GetflyError> {
        let request = self.request(Method::Get, endpoint, path, query);
        let response = self.http.send(request).await?;
        if is_page_for_nothing(&response) {
            // A server may show a page where a record is missing; so does a proxy where the whole
            // tenant is.
            self.control().await?;
            return Ok(None);
        }
        let Some(answer) = read(&response)? else {
            return Ok(None);
        };
        let Some(record) = wire::record(&answer).map_err(GetflyError::garbled)? else {
            return Ok(None);
        };
        let item = item(record).ok_or_else(|| GetflyError::garbled("a record without an id"))?;
        Ok(Some(item))
    }

    fn request(
        &self,
        method: Method,
        endpoint: &'static str,
        path: &str,
        query: &[(&str, &str)],
    ) -> Request {
        let mark = if query.is_empty() { "" } else { "?" };
        Request {
            method,
            url: format!("{}{API_PATH}{path}{mark}{}", self.origin, form(query)),
            endpoint,
            headers: vec![
                (KEY_HEADER, self.api_key.reveal().to_owned()),
                ("content-type", "application/json".to_owned()),
                ("accept", "application/json".to_owned()),
            ],
            body: Vec::new(),
            timeout: OUTBOUND_TIMEOUT,
        }
    }
}

/// The pages of a list, one after another; each record once.
struct Pages<'s, H, T> {
    getfly: &'s Getfly<'s, H>,
    endpoint: &'static str,
    path: &'static str,
    query: Vec<(&'s str, &'s str)>,
    item: fn(&Value) -> Option<(i64, T)>,
    seen: BTreeSet<i64>,
    offset: usize,
    is_over: bool,
}

impl<H: Http, T> Pages<'_, H, T> {
    /// Whether the last page was read. A page without a new record is the last, whatever `has_more`
    /// says.
    fn is_over(&self) -> bool {
        self.is_over
    }

    /// The records of the next page that no earlier one had.
    async fn next(&mut self) -> Result<Vec<T>, GetflyError> {
        let (limit, start) = (PAGE_SIZE.to_string(), self.offset.to_string());
        let mut query = self.query.clone();
        query.extend([("limit", limit.as_str()), ("offset", start.as_str())]);
        let getfly = self.getfly;
        let request = getfly.request(Method::Get, self.endpoint, self.path, &query);
        let answer = read_existing(&getfly.http.send(request).await?)?;
        let page =
            wire::records(&answer).ok_or_else(|| GetflyError::garbled("a list without data"))?;

        let more = has_more(&answer, page.len());
        if more {
            let whole = page.len() >= PAGE_SIZE;
            getfly.http.saw(Assumption::GetflyPages, whole);
        }
        if let Some(created) = page.first().and_then(|record| record.get("created_at")) {
            getfly
                .http
                .saw(Assumption::GetflyTimes, wire::is_wall_text(created));
        }
        let mut items = Vec::new();
        for value in page.iter().filter(|row| !wire::is_placeholder(row)) {
            let (id, item) =
                (self.item)(value).ok_or_else(|| GetflyError::garbled("a record without an id"))?;
            if self.seen.insert(id) {
                items.push(item);
            }
        }
        self.is_over = items.is_empty() || mutant!(OnlyFirstPage) || !more;
        // Counts the records that came, not those that were asked for: Getfly may return shorter
        // pages.
        self.offset = self.offset.saturating_add(page.len());
        Ok(items)
    }

    /// The records of the next `pages` pages, or of fewer if the list ends before.
    async fn up_to(&mut self, pages: usize) -> Result<Vec<T>, GetflyError> {
        let mut items = Vec::new();
        for _ in 0..pages {
            if self.is_over {
                break;
            }
            items.extend(self.next().await?);
        }
        Ok(items)
    }

    /// All records.
    async fn every(mut self) -> Result<Vec<T>, GetflyError> {
        let items = self.up_to(MAX_PAGES).await?;
        if self.is_over {
            Ok(items)
        } else {
            Err(GetflyError::garbled("the list does not end"))
        }
    }
}

/// The lower bound of a list by creation, some minutes earlier than `since`.
fn listed_from(since: Timestamp) -> String {
    listed_at(since.saturating_sub(CLOCK_SKEW))
}

/// The upper bound, some minutes later than `until`.
fn listed_to(until: Timestamp) -> String {
    listed_at(until.saturating_add(CLOCK_SKEW))
}

/// Writes a bound: the tenant's wall time, as its answers print it.
fn listed_at(moment: Timestamp) -> String {
    let wall = moment.whole_second().to_wall(TENANT_HOURS_AHEAD);
    wall.map_or_else(String::new, |wall| wall.to_string().replacen('T', " ", 1))
}

/// `has_more`. If it is missing, whether the page is full: as long as was asked for, or as long as
/// the limit that Getfly states.
fn has_more(answer: &Value, records: usize) -> bool {
    match answer.get("has_more") {
        Some(Value::Bool(more)) => *more,
        Some(Value::Number(more)) => more.as_i64() != Some(0),
        _ => {
            let own = answer.get("limited").and_then(Value::as_u64);
            let own = own.and_then(|limit| usize::try_from(limit).ok());
            let limit = own
                .filter(|&limit| limit > 0)
                .map_or(PAGE_SIZE, |limit| limit.min(PAGE_SIZE));
            records >= limit
        }
    }
}

/// The record, if it has the code that was asked for. A record with another code would settle the
/// wrong create.
fn same_code<T>(asked: &str, found: Option<(String, T)>) -> Result<Option<T>, GetflyError> {
    match found {
        None => Ok(None),
        Some((code, record)) if code.trim().eq_ignore_ascii_case(asked.trim()) => Ok(Some(record)),
        Some(_) => Err(GetflyError::garbled(
            "another record than the one asked for",
        )),
    }
}

#[cfg(test)]
mod tests;
