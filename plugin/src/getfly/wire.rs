//! Getfly's JSON (version 6.1): what is sent, with absent parts left out, and what is read. Reading
//! is lenient where types are undocumented (ids as numbers or texts, records in `data` or at the
//! top) and never guesses an identity.

use super::assumptions::{
    CONTACT_EMAIL_NAME, CONTACT_PHONE_NAMES, REQUIRED_NAMES, RULES_NAMES, TENANT_HOURS_AHEAD,
};
use crate::rules::{
    codes::AccountCode,
    model::{Account, GetflyUser, NewAccount, NewOrder, OrderLine},
    money::{self, Money},
};
use crate::time::{Date, DateTime, Timestamp};
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::Value;

/// A customer to be enrolled in a campaign (R11; manual, opportunity create).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOpportunity {
    /// The campaign.
    pub campaign_code: String,
    /// The account, which exists.
    pub account_code: AccountCode,
    /// Its name; also the contact's.
    pub account_name: String,
    /// Its phone; also the contact's.
    pub phone: Option<String>,
    /// Its e-mail; also the contact's.
    pub email: Option<String>,
    /// Login name of the Getfly user who gets it.
    pub recipient: Option<String>,
}

/// What Getfly returned about a record that it has just stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Numeric id.
    pub id: Option<i64>,
    /// The code under which it is stored, which should be the one that was sent; none if only an id
    /// came (version 6.0's answer).
    pub code: Option<String>,
}

/// An order that was read back by its code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredOrder {
    /// Numeric id.
    pub id: i64,
    /// Its code, the one that was asked for.
    pub code: String,
    /// The code of its account; empty if Getfly does not return it.
    pub account_code: String,
    /// The number of its account.
    pub account_id: Option<i64>,
    /// 1 waits for approval, 2 is approved.
    pub status: Option<i64>,
    /// Its day, if readable.
    pub date: Option<Date>,
    /// Its total, if readable.
    pub total: Option<Money>,
}

/// A product that was read by its code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// Its code, the one that was asked for.
    pub code: String,
    /// Its name.
    pub name: String,
}

/// The body of `POST /account` (manual, account create; R2, R14). Members of all bodies stand in alphabetical
/// order.
#[derive(Debug, Serialize)]
pub(super) struct AccountBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) account_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_manager_username: Option<&'a str>,
    account_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_source_names: Option<[&'a str; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    billing_address_street: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    birthday: Option<Date>,
    /// It ends in our code, so that the account is found by it where Getfly numbers accounts
    /// itself.
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gender: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_office: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sic_code: Option<&'a str>,
}

/// What is sent to create `account`.
pub(super) fn account_body(account: &NewAccount) -> AccountBody<'_> {
    let code = account.code.as_str();
    AccountBody {
        account_code: Some(code),
        account_manager_username: account.manager.as_deref(),
        account_name: &account.name,
        account_source_names: account.source.as_deref().map(|name| [name]),
        billing_address_street: account.address.as_deref(),
        birthday: account.birthday,
        description: match account.description.as_deref() {
            Some(text) => format!("{text}\n{code}"),
            None => code.to_owned(),
        },
        email: account.email.as_deref(),
        gender: account.gender,
        phone_office: account.phone.as_deref(),
        sic_code: account.tax_code.as_deref(),
    }
}

/// The body of `POST /sale_order` (manual, sale order create; R3). Amounts keep their digits; those of the
/// whole order are left out when zero.
#[derive(Debug, Serialize)]
pub(super) struct OrderBody<'a> {
    account: OrderAccountBody<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    assigned_username: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    campaign_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    discount_amount: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    installation_amount: Option<Money>,
    order_code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_date: Option<Date>,
    /// Our code is the first term.
    order_terms: Vec<Term<'a>>,
    saved_order_details: Vec<LineBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transport_amount: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vat_amount: Option<Money>,
}

#[derive(Debug, Serialize)]
struct OrderAccountBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    account_address: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_phone: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Term<'a> {
    term_content: &'a str,
}

#[derive(Debug, Serialize)]
struct LineBody<'a> {
    cash_discount: Money,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a str>,
    price: Money,
    #[serde(skip_serializing_if = "str::is_empty")]
    product_code: &'a str,
    product_name: &'a str,
    #[serde(serialize_with = "money::serialize")]
    quantity: Decimal,
}

/// What is sent to create `order`.
pub(super) fn order_body(order: &NewOrder) -> OrderBody<'_> {
    let terms = core::iter::once(order.code.as_str()).chain(order.terms.iter().map(String::as_str));
    OrderBody {
        account: OrderAccountBody {
            account_address: order.account.address.as_deref(),
            account_code: order.account.code.as_ref().map(AccountCode::as_str),
            account_email: order.account.email.as_deref(),
            account_name: order.account.name.as_deref(),
            account_phone: order.account.phone.as_deref(),
        },
        assigned_username: order.executor.as_deref(),
        campaign_code: order.campaign_code.as_deref(),
        discount_amount: unless_zero(order.discount),
        installation_amount: unless_zero(order.installation),
        order_code: order.code.as_str(),
        order_date: order.date,
        order_terms: terms.map(|term_content| Term { term_content }).collect(),
        saved_order_details: order.lines.iter().map(line_body).collect(),
        transport_amount: unless_zero(order.transport),
        vat_amount: unless_zero(order.vat),
    }
}

fn unless_zero(money: Money) -> Option<Money> {
    Some(money).filter(|money| !money.is_zero())
}

fn line_body(line: &OrderLine) -> LineBody<'_> {
    LineBody {
        cash_discount: line.cash_discount,
        note: line.note.as_deref(),
        price: line.price,
        product_code: &line.product_code,
        product_name: &line.product_name,
        quantity: line.quantity,
    }
}

/// The body of `POST /accounts/{id}/comments`.
#[derive(Debug, Serialize)]
pub(super) struct CommentBody<'a> {
    pub(super) content: &'a str,
}

/// The body of `POST /opportunity`.
#[derive(Debug, Serialize)]
pub(super) struct OpportunityBody<'a> {
    account_code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_email: Option<&'a str>,
    account_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_phone: Option<&'a str>,
    campaign_code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    contact_email: Option<&'a str>,
    contact_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    contact_phone: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recipient_username: Option<&'a str>,
}

/// What is sent to enrol an account.
pub(super) fn opportunity_body(opportunity: &NewOpportunity) -> OpportunityBody<'_> {
    let (email, phone) = (opportunity.email.as_deref(), opportunity.phone.as_deref());
    OpportunityBody {
        account_code: opportunity.account_code.as_str(),
        account_email: email,
        account_name: &opportunity.account_name,
        account_phone: phone,
        campaign_code: &opportunity.campaign_code,
        contact_email: email,
        contact_name: &opportunity.account_name,
        contact_phone: phone,
        recipient_username: opportunity.recipient.as_deref(),
    }
}

/// The records of a list: `data`, or the top level when that is a list. None when there is no list,
/// which is never "nothing found".
pub(super) fn records(answer: &Value) -> Option<&Vec<Value>> {
    answer.as_array().or_else(|| answer.get("data")?.as_array())
}

/// Whether a row of a list stands for no record: its id is a number below 1.
pub(super) fn is_placeholder(row: &Value) -> bool {
    let ids = ["id", "account_id", "order_id", "user_id"];
    let id = ids.into_iter().find_map(|name| row.get(name));
    id.and_then(integer).is_some_and(|id| id < 1)
}

/// The one record of an answer: at the top level, in `data`, or the only item of a list. `Ok(None)`
/// if the answer is empty (`{}`, `[]`, or such a `data`): not documented, but PHP writes nothing
/// this way. An error if it is none of these.
pub(super) fn record(answer: &Value) -> Result<Option<&Value>, &'static str> {
    let inside = answer.get("data");
    let data = inside.unwrap_or(answer);
    match data {
        Value::Object(fields) if fields.is_empty() => Ok(None),
        Value::Object(_) => Ok(Some(data)),
        Value::Array(items) => match &items[..] {
            [] => Ok(None),
            [one @ Value::Object(_)] => Ok(Some(one)),
            _ => Err("several records for one code"),
        },
        Value::Null => Ok(None),
        _ => Err("no record"),
    }
}

/// An account of a list or of a read by code. None when its id or its type is not readable.
pub(super) fn account(value: &Value) -> Option<Account> {
    Some(Account {
        id: whole(value.get("id").or_else(|| value.get("account_id")))?,
        code: AccountCode::existing(text(value, "account_code")),
        name: text(value, "account_name"),
        phone: text(value, "phone_office"),
        email: text(value, "email"),
        created_at: value.get("created_at").and_then(wall_time),
        contacts: contact_texts(value, &CONTACT_PHONE_NAMES),
        contact_emails: contact_texts(value, &[CONTACT_EMAIL_NAME]),
    })
}

/// These fields of an account's contact persons, as they are stored; none where the answer does not show them.
fn contact_texts(account: &Value, names: &[&str]) -> Vec<String> {
    let contacts = account.get("contacts").and_then(Value::as_array);
    let contacts = contacts.into_iter().flatten();
    let texts = contacts.flat_map(|contact| names.iter().map(|name| text(contact, name)));
    texts.filter(|text| !text.trim().is_empty()).collect()
}

/// An account of a list, and when it was last changed.
pub(super) fn changed_account(value: &Value) -> Option<(Account, Option<Timestamp>)> {
    let changed = value.get("updated_at").and_then(wall_time);
    let changed = changed.and_then(|wall| wall.to_timestamp(TENANT_HOURS_AHEAD));
    account(value).map(|account| (account, changed))
}

/// An order that was read by its code.
pub(super) fn order(value: &Value) -> Option<StoredOrder> {
    Some(StoredOrder {
        id: whole(value.get("id").or_else(|| value.get("order_id")))?,
        code: text(value, "order_code"),
        account_code: text(value, "account_code"),
        account_id: whole(value.get("account_id")),
        status: whole(value.get("status")),
        date: value
            .get("order_date")
            .and_then(wall_time)
            .map(DateTime::date),
        total: value.get("real_amount").and_then(amount),
    })
}

/// A product that was read by its code.
pub(super) fn product(value: &Value) -> Product {
    Product {
        code: text(value, "product_code"),
        name: text(value, "product_name"),
    }
}

/// How many orders an account has, from the counts by their status.
pub(super) fn orders_of(value: &Value) -> Option<i64> {
    let value = value.get("data").unwrap_or(value);
    let counts = ["pending", "approved", "canceled"]
        .map(|status| value.get(format!("total_orders_{status}")));
    let known = counts.into_iter().flatten().filter_map(integer);
    known.reduce(i64::saturating_add)
}

/// Whether a record's text, or a text somewhere inside it, holds `code` as a word of its own.
pub(super) fn holds(value: &Value, code: &str) -> bool {
    let inside = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    match value {
        Value::String(text) => text.match_indices(code).any(|(start, found)| {
            let before = text.get(..start).and_then(|t| t.chars().next_back());
            let end = start.saturating_add(found.len());
            let after = text.get(end..).and_then(|t| t.chars().next());
            !before.is_some_and(inside) && !after.is_some_and(inside)
        }),
        Value::Array(items) => items.iter().any(|item| holds(item, code)),
        Value::Object(fields) => fields.values().any(|field| holds(field, code)),
        _ => false,
    }
}

/// A user. None when its id is not readable.
pub(super) fn user(value: &Value) -> Option<GetflyUser> {
    Some(GetflyUser {
        user_id: whole(value.get("user_id").or_else(|| value.get("id")))?,
        user_name: text(value, "user_name"),
        contact_name: text(value, "contact_name"),
        contact_mobile: text(value, "contact_mobile"),
    })
}

/// What a create's answer returns: the first of these id and code fields in `data` or at the top
/// level. None if it has neither, so that the record may or may not be stored.
pub(super) fn stored(answer: &Value, ids: &[&str], code: &str) -> Option<Stored> {
    let places = [answer.get("data"), Some(answer)];
    for place in places.into_iter().flatten() {
        let id = ids.iter().find_map(|name| whole(place.get(*name)));
        let code = Some(text(place, code)).filter(|code| !code.is_empty());
        if id.is_some() || code.is_some() {
            return Some(Stored { id, code });
        }
    }
    let id = whole(answer.get("data"));
    id.map(|_| Stored { id, code: None })
}

/// A text; a number's digits; the texts of a list, joined. Empty for anything else.
pub(super) fn text(value: &Value, name: &str) -> String {
    fn plain(value: &Value) -> String {
        match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join("; "),
            Value::Null | Value::Bool(_) | Value::Object(_) => String::new(),
        }
    }
    value.get(name).map(plain).unwrap_or_default()
}

/// A whole number, or a text of one.
fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A positive whole number, or a text of one.
fn whole(value: Option<&Value>) -> Option<i64> {
    integer(value?).filter(|&number| number > 0)
}

/// An amount as a number, or as a plain text of one.
fn amount(value: &Value) -> Option<Money> {
    match value {
        Value::Number(number) => Money::parse(number).ok(),
        Value::String(text) => Money::new(money::parse_text(text.trim())?).ok(),
        _ => None,
    }
}

/// The name of a field whose definition says that it is required.
pub(super) fn required(definition: &Value) -> Option<String> {
    let is_set = |value: &Value| match value {
        Value::Bool(set) => *set,
        Value::Number(number) => number.as_i64() == Some(1),
        Value::String(text) => matches!(text.trim(), "1" | "true" | "yes"),
        _ => false,
    };
    // `"required|max:50"`, `["required"]`, or `{"required": true}`.
    let is_rule =
        |rules: &Value| holds(rules, "required") || rules.get("required").is_some_and(is_set);
    let mut names = REQUIRED_NAMES.into_iter();
    let mut rules = RULES_NAMES.into_iter();
    let demanded = names.any(|name| definition.get(name).is_some_and(is_set))
        || rules.any(|name| definition.get(name).is_some_and(is_rule));
    demanded.then(|| text(definition, "field_name"))
}

/// Whether an account has the source of Getfly's own KiotViet integration and is not one of ours.
pub(super) fn is_of_own_integration(account: &Value) -> bool {
    let source = account.get("account_source_details");
    let ours = |name| text(account, name).contains(OUR_CODES);
    source.is_some_and(|source| holds(source, OWN_SOURCE))
        && !ours("account_code")
        && !ours("description")
}

/// How the codes of our accounts begin.
const OUR_CODES: &str = "KV-";
/// The source that Getfly's own integration writes.
const OWN_SOURCE: &str = "KiotViet";

/// Whether a time is written as text, and not as Unix seconds.
pub(super) fn is_wall_text(value: &Value) -> bool {
    whole(Some(value)).is_none() && value.is_string()
}

/// `YYYY-MM-DD HH:MM:SS`, a bare date, or Unix seconds, as the tenant's wall time.
fn wall_time(value: &Value) -> Option<DateTime> {
    if let Some(seconds) = whole(Some(value)) {
        return Timestamp::from_second(seconds)?.to_wall(TENANT_HOURS_AHEAD);
    }
    let text = value.as_str()?.trim();
    text.parse().ok()
}

#[cfg(test)]
pub(super) mod tests;
