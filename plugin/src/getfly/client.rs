//! The client of Getfly's open API, version 6.1. One method is one question or one create; it never
//! retries, because only its caller knows whether a second create is safe.

use crate::{
    getfly::{
        assumptions::{
            ACCOUNT_FIELDS, API_PATH, KEY_HEADER, MAX_PAGES, ORDER_FIELDS, PAGE_SIZE, USER_FIELDS,
        },
        error::{GetflyError, read, read_created, read_existing},
        wire::{self, NewOpportunity, Stored, StoredOrder},
    },
    json,
    rules::{
        codes::{AccountCode, OrderCode},
        email::EmailAddress,
        model::{Account, GetflyUser, NewAccount, NewOrder},
        phone::PhoneNumber,
    },
    secret::Secret,
    vendor::encoding::form,
    world::{Http, Method, Request},
};
use serde_json::Value;
use std::collections::BTreeSet;

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
    /// Every account whose e-mail field holds this address as a part (manual, account list). The
    /// caller compares whole addresses.
    pub async fn accounts_by_email(
        &self,
        email: &EmailAddress,
    ) -> Result<Vec<Account>, GetflyError> {
        let filter = ("filtering[email:contains]", email.as_str());
        self.accounts("Getfly GET /accounts?email", filter).await
    }

    /// Every account whose phone field holds the number's search key (manual, account list). The
    /// caller compares canonical numbers. Numbers stored with spaces inside are not found so.
    pub async fn accounts_by_phone(
        &self,
        phone: &PhoneNumber,
    ) -> Result<Vec<Account>, GetflyError> {
        let key = phone.search_key();
        if key.is_empty() {
            // Every account would contain it; a number of zeros only matches nobody (R7).
            return Ok(Vec::new());
        }
        let filter = ("filtering[phone_office:contains]", key);
        self.accounts("Getfly GET /accounts?phone", filter).await
    }

    async fn accounts(
        &self,
        endpoint: &'static str,
        filter: (&str, &str),
    ) -> Result<Vec<Account>, GetflyError> {
        let query = [("fields", ACCOUNT_FIELDS), filter];
        self.every(endpoint, "/accounts", &query, |value| {
            wire::account(value).map(|account| (account.id, account))
        })
        .await
    }

    /// Every active user (manual, users list). One without a login name cannot be referred to and
    /// is left out.
    pub async fn users(&self) -> Result<Vec<GetflyUser>, GetflyError> {
        let query = [("fields", USER_FIELDS), ("filtering[valid]", "1")];
        let read = |value: &Value| wire::user(value).map(|user| (user.user_id, user));
        let mut users = self
            .every("Getfly GET /users", "/users", &query, read)
            .await?;
        users.retain(|user| !user.user_name.trim().is_empty());
        Ok(users)
    }

    /// The account with this code, or none (manual, account detail).
    pub async fn account_by_code(
        &self,
        code: &AccountCode,
    ) -> Result<Option<Account>, GetflyError> {
        let query = [("account_code", code.as_str()), ("fields", ACCOUNT_FIELDS)];
        let found = self
            .one("Getfly GET /account", "/account", &query, wire::account)
            .await?;
        let found = found.map(|account| (account.code.as_str().to_owned(), account));
        same_code(code.as_str(), found)
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

    /// Creates an account (manual, account create). An error that [`GetflyError::maybe_stored`] calls
    /// so leaves the outcome unknown.
    pub async fn create_account(&self, account: &NewAccount) -> Result<Stored, GetflyError> {
        let mut body = wire::account_json(account);
        if mutant!(CreateWithoutCode)
            && let Some(members) = body.as_object_mut()
        {
            members.remove("account_code");
        }
        self.create(
            "Getfly POST /account",
            "/account",
            &body,
            &["account_id", "id"],
            "account_code",
        )
        .await
    }

    /// Creates an order (manual, sale order create). Errors as for an account.
    pub async fn create_order(&self, order: &NewOrder) -> Result<Stored, GetflyError> {
        let body = wire::order_json(order);
        self.create(
            "Getfly POST /sale_order",
            "/sale_order",
            &body,
            &["order_id", "id"],
            "order_code",
        )
        .await
    }

    /// Enrols an account in a campaign (R11; manual, opportunity create). Errors as for an account;
    /// Getfly has no way to read an opportunity back by a code of ours.
    pub async fn create_opportunity(
        &self,
        opportunity: &NewOpportunity,
    ) -> Result<Stored, GetflyError> {
        let body = wire::opportunity_json(opportunity);
        self.create(
            "Getfly POST /opportunity",
            "/opportunity",
            &body,
            &["id"],
            "opportunity_code",
        )
        .await
    }

    async fn create(
        &self,
        endpoint: &'static str,
        path: &str,
        body: &Value,
        ids: &[&str],
        code: &str,
    ) -> Result<Stored, GetflyError> {
        let mut request = self.request(Method::Post, endpoint, path, &[]);
        request.body = json::text(body);
        let answer = read_created(&self.http.send(request).await?)?;
        wire::stored(&answer, ids, code)
            .ok_or_else(|| GetflyError::garbled("it does not tell what was stored"))
    }

    async fn one<T>(
        &self,
        endpoint: &'static str,
        path: &str,
        query: &[(&str, &str)],
        item: impl Fn(&Value) -> Option<T>,
    ) -> Result<Option<T>, GetflyError> {
        let request = self.request(Method::Get, endpoint, path, query);
        let Some(answer) = read(&self.http.send(request).await?)? else {
            return Ok(None);
        };
        let Some(record) = wire::record(&answer).map_err(GetflyError::garbled)? else {
            return Ok(None);
        };
        let item = item(record).ok_or_else(|| GetflyError::garbled("a record without an id"))?;
        Ok(Some(item))
    }

    /// Every page of a list, each record once. A page that brings none that is new is the last,
    /// whatever `has_more` says.
    async fn every<T>(
        &self,
        endpoint: &'static str,
        path: &str,
        filter: &[(&str, &str)],
        item: impl Fn(&Value) -> Option<(i64, T)>,
    ) -> Result<Vec<T>, GetflyError> {
        let (mut items, mut seen, mut offset) = (Vec::new(), BTreeSet::new(), 0_usize);
        for _ in 0..MAX_PAGES {
            let (limit, start) = (PAGE_SIZE.to_string(), offset.to_string());
            let mut query = filter.to_vec();
            query.extend([("limit", limit.as_str()), ("offset", start.as_str())]);
            let request = self.request(Method::Get, endpoint, path, &query);
            let answer = read_existing(&self.http.send(request).await?)?;
            let page = wire::records(&answer)
                .ok_or_else(|| GetflyError::garbled("a list without data"))?;

            let known = seen.len();
            for value in page {
                let (id, item) =
                    item(value).ok_or_else(|| GetflyError::garbled("a record without an id"))?;
                if seen.insert(id) {
                    items.push(item);
                }
            }
            if seen.len() == known || mutant!(OnlyFirstPage) || !has_more(&answer, page.len()) {
                return Ok(items);
            }
            // By what came, not by what was asked for: Getfly may give shorter pages.
            offset = offset.saturating_add(page.len());
        }
        Err(GetflyError::garbled("the list does not end"))
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
        }
    }
}

/// `has_more`, or where it is missing whether the page is full: as long as what was asked for, or as
/// what Getfly says it limited itself to.
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

/// The record, if it has the code that was asked for. Another one would settle the wrong create.
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
