//! Turns KiotViet's REST records into the model's. A member that decides about money, dates or
//! identity is read exactly or refused, never guessed. A detail that cannot be read is left out and
//! named.

use super::fields::{ANOTHER_RECORD, FieldError, Fields};
use crate::kiotviet::assumptions::{CANCELLED_WORDS, COMPLETED};
use crate::rules::newness::CANCELLED;
use crate::rules::{
    codes::{Edition, InvoiceCode},
    model::{Customer, Gender, Invoice, InvoiceLine, KiotVietUser, Surcharge},
    money::Money,
    text::{fold, undeleted},
};
use crate::time::{Date, Timestamp};
use rust_decimal::Decimal;
use serde_json::Value;

/// No living customer was born before this year.
const EARLIEST_BIRTH: i32 = 1850;

/// Collects the details of one record. An unreadable detail counts as absent, and its name is
/// remembered.
#[derive(Default)]
struct Details {
    unreadable: Vec<&'static str>,
}

impl Details {
    fn take<T: Default>(&mut self, detail: Result<T, FieldError>) -> T {
        detail.unwrap_or_else(|error| {
            self.unreadable.push(error.field);
            T::default()
        })
    }
}

/// The customer with the id `asked` (manual 2.6.2). Refuses another customer's record. Members that
/// find the account are read strictly; the rest are details.
pub fn customer(asked: i64, value: &Value) -> Result<Customer, FieldError> {
    let fields = Fields::of(value, "customer")?;
    let id = same_id(asked, fields)?;
    let mut details = Details::default();
    let location = details.take(fields.text("locationName"));
    let (province, district) = areas(&location);
    Ok(Customer {
        id,
        code: undeleted(&details.take(fields.text("code"))).0.to_owned(),
        name: undeleted(&details.take(fields.text("name"))).0.to_owned(),
        gender: details.take(fields.boolean("gender")).map(gender),
        birth_date: details.take(birth_date(fields)),
        contact_number: fields.text("contactNumber")?,
        address: details.take(fields.text("address")),
        ward: details.take(fields.text("wardName")),
        district,
        province,
        email: fields.text("email")?,
        tax_code: details.take(fields.text("taxCode")),
        comments: details.take(fields.text("comments")),
        created_at: fields.time("createdDate")?,
        // It only shows how soon a delivery came.
        modified_at: fields.time("modifiedDate").unwrap_or_default(),
        unreadable: details.unreadable,
    })
}

/// Province and district of a `locationName`: `Hà Nội - Quận Hai Bà Trưng` (manual 2.6.1), or the
/// province alone. Two provinces have such a dash in their own names.
fn areas(location: &str) -> (String, String) {
    let mut parts = location.split(" - ").map(str::trim);
    let mut province = parts.next().unwrap_or_default().to_owned();
    let mut rest = parts.clone();
    if let Some(second) = rest.next() {
        let both = format!("{province} - {second}");
        if matches!(
            fold(&both).as_str(),
            "ba ria - vung tau" | "thua thien - hue"
        ) {
            province = both;
            parts = rest;
        }
    }
    (province, parts.collect::<Vec<_>>().join(" - "))
}

/// A plausible birthday. Years like 0 come from dates that were only half typed.
fn birth_date(fields: Fields<'_>) -> Result<Option<Date>, FieldError> {
    let field = "birthDate";
    let date = fields.date(field)?;
    if date.is_some_and(|date| date.year() < EARLIEST_BIRTH) {
        let problem = "is no birthday";
        return Err(FieldError { field, problem });
    }
    Ok(date)
}

fn gender(male: bool) -> Gender {
    if male { Gender::Male } else { Gender::Female }
}

/// The invoice with the id `asked` (manual 2.12.2). Refuses another invoice's record.
pub fn invoice(asked: i64, value: &Value, edition: Edition) -> Result<Invoice, FieldError> {
    let fields = Fields::of(value, "invoice")?;
    same_id(asked, fields)?;
    any_invoice(value, edition)
}

/// An invoice that was not asked for by its id.
pub fn any_invoice(value: &Value, edition: Edition) -> Result<Invoice, FieldError> {
    let fields = Fields::of(value, "invoice")?;
    let lines = fields.array("invoiceDetails")?;
    let lines = lines.ok_or(FieldError::missing("invoiceDetails"))?;
    let surcharges = fields.array("invoiceOrderSurcharges")?.unwrap_or_default();
    let mut details = Details::default();
    let surcharges = surcharges
        .iter()
        .map(|value| surcharge(value, &mut details));
    let surcharges = surcharges.collect::<Result<_, _>>()?;
    let discount = fields.money("discount")?;
    Ok(Invoice {
        id: own_id(fields)?,
        code: InvoiceCode::new(required_text(fields, "code")?),
        created_at: fields.time("createdDate")?,
        modified_at: fields.time("modifiedDate").unwrap_or_default(),
        purchase_date: fields.date("purchaseDate")?,
        status: status(fields, edition)?.ok_or(FieldError::missing("status"))?,
        sold_by_id: details.take(fields.reference("soldById")),
        customer_id: fields.reference("customerId")?,
        customer_name: undeleted(&details.take(fields.text("customerName")))
            .0
            .to_owned(),
        total: required_money(fields, "total")?,
        discount,
        // It decides only where there is no amount.
        discount_ratio: match fields.decimal("discountRatio") {
            Err(error) if discount.is_none() => return Err(error),
            ratio => details.take(ratio),
        },
        discount_after_tax: details.take(fields.money("discountAfterTax")),
        total_tax: match fields.money("totalTax")? {
            Some(tax) => Some(tax),
            None => tax_of_lines(lines),
        },
        pricing_mode: details.take(fields.integer("pricingMode")),
        lines: lines.iter().map(line).collect::<Result<_, _>>()?,
        surcharges,
        unreadable: details.unreadable,
    })
}

/// The code, or else the id, of an invoice that cannot be read; none for a row that names no invoice, such as one of
/// sums.
pub fn code_of_invoice(value: &Value) -> Option<String> {
    let fields = Fields::of(value, "invoice").ok()?;
    let id = fields.reference("id").ok()??;
    let code = fields.text("code").ok().filter(|code| !code.is_empty());
    Some(code.unwrap_or_else(|| id.to_string()))
}

/// The number of an invoice's status. Of F&B it is not proven: where there are words, they tell whether the
/// invoice is cancelled.
fn status(fields: Fields<'_>, edition: Edition) -> Result<Option<i64>, FieldError> {
    let (number, words) = match edition {
        Edition::Retail => (fields.integer("status")?, String::new()),
        Edition::Fnb => {
            let words = fold(&fields.text("statusValue")?);
            match fields.integer("status") {
                Ok(number) => (number, words),
                // The words may stand there alone.
                Err(_) if words.is_empty() => (None, fold(&fields.text("status")?)),
                Err(_) => (None, words),
            }
        }
    };
    Ok(match number {
        number if words.is_empty() => number,
        _ if is_cancelled(&words) => Some(CANCELLED),
        Some(CANCELLED) | None => Some(COMPLETED),
        other => other,
    })
}

/// Whether one of the words says so, not a part of one: "chuyển" without its marks has "huy" in it.
fn is_cancelled(words: &str) -> bool {
    let mut words = words.split(|c: char| !c.is_alphanumeric());
    words.any(|word| CANCELLED_WORDS.contains(&word))
}

fn line(value: &Value) -> Result<InvoiceLine, FieldError> {
    let fields = Fields::of(value, "invoiceDetails")?;
    let quantity = fields.decimal("quantity")?;
    let price = required_money(fields, "price")?;
    let discount = match fields.money("discount")? {
        Some(discount) => discount,
        None => by_ratio(price, fields.decimal("discountRatio")?)?,
    };
    let code = fields.text("productCode")?;
    let (code, is_deleted) = undeleted(&code);
    Ok(InvoiceLine {
        product_code: code.to_owned(),
        is_deleted,
        product_name: undeleted(&fields.text("productName")?).0.to_owned(),
        quantity: quantity.ok_or(FieldError::missing("quantity"))?,
        price,
        discount,
        price_after_tax: with_tax(fields, "priceAfterTax"),
        discount_after_tax: with_tax(fields, "discountAfterTax"),
        sub_total: fields.money("subTotal")?,
    })
}

/// The taxes of a line (manual 2.12.3): a list, or none.
fn taxes(line: Fields<'_>) -> impl Iterator<Item = Fields<'_>> {
    let taxes = line.array("invoiceDetailTaxs").ok().flatten();
    let taxes = taxes.unwrap_or_default().iter();
    taxes.filter_map(|tax| Fields::of(tax, "invoiceDetailTaxs").ok())
}

/// An amount with tax, from the line or its tax. It only serves to read the other amounts.
fn with_tax(line: Fields<'_>, field: &'static str) -> Option<Money> {
    let mut places = core::iter::once(line).chain(taxes(line));
    places.find_map(|place| place.money(field).ok().flatten())
}

/// The tax of all lines together, where the invoice itself has no sum of it.
fn tax_of_lines(lines: &[Value]) -> Option<Money> {
    let lines = lines
        .iter()
        .filter_map(|line| Fields::of(line, "invoiceDetails").ok());
    let mut amounts = lines
        .flat_map(taxes)
        .filter_map(|tax| tax.money("detailTax").ok().flatten());
    let first = amounts.next()?;
    amounts.try_fold(first, Money::checked_add).ok()
}

/// A discount per unit that is only known in percent.
fn by_ratio(price: Money, percent: Option<Decimal>) -> Result<Money, FieldError> {
    let ratio = percent
        .unwrap_or_default()
        .checked_div(Decimal::ONE_HUNDRED);
    let discount = ratio.and_then(|r| price.checked_mul(r).ok());
    discount.ok_or(FieldError {
        field: "discountRatio",
        problem: "gives no amount",
    })
}

/// A surcharge that was charged. `price` is its money, and without `price` there is no surcharge;
/// `surValue` only belongs to its rate card.
fn surcharge(value: &Value, details: &mut Details) -> Result<Surcharge, FieldError> {
    let fields = Fields::of(value, "invoiceOrderSurcharges")?;
    let amount = fields.money("price")?.unwrap_or_default();
    let mut name = String::new();
    for field in ["surchargeName", "name", "surchargeCode"] {
        if name.is_empty() {
            name = details.take(fields.text(field));
        }
    }
    Ok(Surcharge { name, amount })
}

/// One user of `GET /users` (manual 2.8); none for a row whose id names no user.
pub fn user(value: &Value) -> Result<Option<KiotVietUser>, FieldError> {
    let fields = Fields::of(value, "user")?;
    let Some(id) = fields.reference("id")? else {
        return Ok(None);
    };
    Ok(Some(KiotVietUser {
        id,
        given_name: undeleted(&fields.text("givenName")?).0.to_owned(),
        mobile_phone: fields.text("mobilePhone")?,
    }))
}

/// What a list of customers or invoices says about one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The record's id.
    pub id: i64,
    /// Its code; a customer's may be empty.
    pub code: String,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// When it was last changed.
    pub modified_at: Option<Timestamp>,
    /// Whether it is a cancelled invoice.
    pub cancelled: bool,
}

impl Listed {
    /// When it was last changed, as far as KiotViet tells.
    pub fn changed_at(&self) -> Option<Timestamp> {
        self.modified_at.or(self.created_at)
    }

    /// Its id, and when it was changed: what the row shows of the record's present state.
    pub fn state(&self) -> (i64, Option<Timestamp>) {
        (self.id, self.changed_at())
    }
}

/// One item of `GET /customers` or `GET /invoices` (manual 2.6.1, 2.12.1). None for a row whose id
/// names no record, such as the sums at the head of one list. An unreadable member counts as absent
/// and stops no page: the record itself is read by its id.
pub fn listed(value: &Value, edition: Edition) -> Option<Listed> {
    let fields = Fields::of(value, "data").ok()?;
    let mut details = Details::default();
    Some(Listed {
        id: fields.reference("id").ok()??,
        code: details.take(fields.text("code")),
        created_at: details.take(fields.time("createdDate")),
        modified_at: details.take(fields.time("modifiedDate")),
        cancelled: details.take(status(fields, edition)) == Some(CANCELLED),
    })
}

/// Whether a row of a list names something by an id that cannot be read.
pub fn has_unreadable_id(value: &Value) -> bool {
    let of_row = |fields: Fields<'_>| fields.integer("id").map_or(true, |id| id.is_none());
    Fields::of(value, "data").map_or(true, of_row)
}

/// A webhook registered with KiotViet (manual 2.11.2). `Debug` hides the address: its path is the
/// key to our endpoint, or to another system's.
#[derive(Clone, PartialEq, Eq)]
pub struct Webhook {
    /// KiotViet's id of the registration.
    pub id: i64,
    /// The type, as KiotViet writes it: `customer.update`.
    pub kind_type: String,
    /// Where KiotViet delivers.
    pub url: String,
    /// False once KiotViet has given up on it. Absent means active.
    pub is_active: bool,
    /// The text that was registered with it.
    pub description: String,
    /// When it was last changed; only lists have it.
    pub modified_at: Option<Timestamp>,
}

impl core::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Webhook")
            .field("id", &self.id)
            .field("kind_type", &self.kind_type)
            .field("is_active", &self.is_active)
            .finish_non_exhaustive()
    }
}

/// The answer to a webhook's registration, or one webhook of a list.
pub fn webhook(value: &Value) -> Result<Webhook, FieldError> {
    let fields = Fields::of(value, "webhook")?;
    Ok(Webhook {
        id: own_id(fields)?,
        kind_type: fields.text("type")?,
        url: fields.text("url")?,
        is_active: fields.boolean("isActive")?.unwrap_or(true),
        description: fields.text("description")?,
        modified_at: fields.time("modifiedDate")?,
    })
}

/// One webhook of `GET /webhooks`; none for a row whose id is below 1, which stands for none.
pub fn listed_webhook(value: &Value) -> Result<Option<Webhook>, FieldError> {
    let id = Fields::of(value, "webhook")?.integer("id")?;
    if id.is_some_and(|id| id < 1) {
        return Ok(None);
    }
    webhook(value).map(Some)
}

fn own_id(fields: Fields<'_>) -> Result<i64, FieldError> {
    fields.reference("id")?.ok_or(FieldError::missing("id"))
}

fn same_id(asked: i64, fields: Fields<'_>) -> Result<i64, FieldError> {
    let id = own_id(fields)?;
    if id == asked {
        Ok(id)
    } else {
        Err(FieldError {
            field: "id",
            problem: ANOTHER_RECORD,
        })
    }
}

fn required_text(fields: Fields<'_>, field: &'static str) -> Result<String, FieldError> {
    let text = fields.text(field)?;
    if text.trim().is_empty() {
        Err(FieldError::missing(field))
    } else {
        Ok(text)
    }
}

fn required_money(fields: Fields<'_>, field: &'static str) -> Result<Money, FieldError> {
    fields.money(field)?.ok_or(FieldError::missing(field))
}

#[cfg(test)]
mod tests;
