//! KiotViet's REST records become the model's. Strict: what decides about money, dates or identity
//! is read exactly or refused; nothing is guessed.

use super::fields::{FieldError, Fields};
use crate::rules::newness::CANCELLED;
use crate::rules::{
    codes::InvoiceCode,
    model::{Customer, Gender, Invoice, InvoiceLine, KiotVietUser, Surcharge},
    money::Money,
};
use crate::time::Timestamp;
use rust_decimal::Decimal;
use serde_json::Value;

/// The customer with the id `asked` (manual 2.6.2). Refuses another customer's record.
pub fn customer(asked: i64, value: &Value) -> Result<Customer, FieldError> {
    let fields = Fields::of(value, "customer")?;
    Ok(Customer {
        id: same_id(asked, fields)?,
        code: fields.text("code")?,
        name: fields.text("name")?,
        gender: fields.boolean("gender")?.map(gender),
        birth_date: fields.date("birthDate")?,
        contact_number: fields.text("contactNumber")?,
        address: fields.text("address")?,
        email: fields.text("email")?,
        tax_code: fields.text("taxCode")?,
        comments: fields.text("comments")?,
        created_at: fields.time("createdDate")?,
    })
}

fn gender(male: bool) -> Gender {
    if male { Gender::Male } else { Gender::Female }
}

/// The invoice with the id `asked` (manual 2.12.2). Refuses another invoice's record.
pub fn invoice(asked: i64, value: &Value) -> Result<Invoice, FieldError> {
    let fields = Fields::of(value, "invoice")?;
    same_id(asked, fields)?;
    any_invoice(value)
}

/// An invoice asked for in another way than by its id.
pub fn any_invoice(value: &Value) -> Result<Invoice, FieldError> {
    let fields = Fields::of(value, "invoice")?;
    let lines = fields.array("invoiceDetails")?;
    let lines = lines.ok_or(FieldError::missing("invoiceDetails"))?;
    let surcharges = fields.array("invoiceOrderSurcharges")?.unwrap_or_default();
    Ok(Invoice {
        id: own_id(fields)?,
        code: InvoiceCode::new(required_text(fields, "code")?),
        created_at: fields.time("createdDate")?,
        purchase_date: fields.date("purchaseDate")?,
        status: fields
            .integer("status")?
            .ok_or(FieldError::missing("status"))?,
        sold_by_id: fields.reference("soldById")?,
        customer_id: fields.reference("customerId")?,
        customer_name: fields.text("customerName")?,
        total: required_money(fields, "total")?,
        discount: fields.money("discount")?,
        discount_ratio: fields.decimal("discountRatio")?,
        discount_after_tax: fields.money("discountAfterTax").unwrap_or_default(),
        total_tax: match fields.money("totalTax")? {
            Some(tax) => Some(tax),
            None => tax_of_lines(lines),
        },
        pricing_mode: fields.integer("pricingMode").unwrap_or_default(),
        lines: lines.iter().map(line).collect::<Result<_, _>>()?,
        surcharges: surcharges.iter().map(surcharge).collect::<Result<_, _>>()?,
    })
}

fn line(value: &Value) -> Result<InvoiceLine, FieldError> {
    let fields = Fields::of(value, "invoiceDetails")?;
    let quantity = fields.decimal("quantity")?;
    let price = required_money(fields, "price")?;
    let discount = match fields.money("discount")? {
        Some(discount) => discount,
        None => by_ratio(price, fields.decimal("discountRatio")?)?,
    };
    Ok(InvoiceLine {
        product_code: fields.text("productCode")?,
        product_name: fields.text("productName")?,
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

/// An amount with tax, on the line itself or on its tax; it only serves to read the other ones.
fn with_tax(line: Fields<'_>, field: &'static str) -> Option<Money> {
    let mut places = core::iter::once(line).chain(taxes(line));
    places.find_map(|place| place.money(field).ok().flatten())
}

/// The tax of all lines together, where the invoice does not sum it up itself.
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

/// A discount per unit that is only given in percent.
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

/// `price` is the money that a surcharge came to, and without it there is none; `surValue` is its
/// rate card's.
fn surcharge(value: &Value) -> Result<Surcharge, FieldError> {
    let fields = Fields::of(value, "invoiceOrderSurcharges")?;
    let amount = fields.money("price")?.unwrap_or_default();
    let mut name = String::new();
    for field in ["surchargeName", "name", "surchargeCode"] {
        if name.is_empty() {
            name = fields.text(field)?;
        }
    }
    Ok(Surcharge { name, amount })
}

/// One user of `GET /users` (manual 2.8).
pub fn user(value: &Value) -> Result<KiotVietUser, FieldError> {
    let fields = Fields::of(value, "user")?;
    Ok(KiotVietUser {
        id: own_id(fields)?,
        given_name: fields.text("givenName")?,
        mobile_phone: fields.text("mobilePhone")?,
    })
}

/// What a list of customers or invoices tells about one of them.
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
    /// It is a cancelled invoice.
    pub cancelled: bool,
}

/// One item of `GET /customers` or `GET /invoices` (manual 2.6.1, 2.12.1).
pub fn listed(value: &Value) -> Result<Listed, FieldError> {
    let fields = Fields::of(value, "data")?;
    Ok(Listed {
        id: own_id(fields)?,
        code: fields.text("code")?,
        created_at: fields.time("createdDate")?,
        modified_at: fields.time("modifiedDate")?,
        cancelled: fields.integer("status")? == Some(CANCELLED),
    })
}

/// A webhook registered with KiotViet (manual 2.11.2). `Debug` hides the address: its path is the
/// key to our door, or to somebody else's.
#[derive(Clone, PartialEq, Eq)]
pub struct Webhook {
    /// KiotViet's id of the registration.
    pub id: i64,
    /// The type, as KiotViet writes it: `customer.update`.
    pub kind_type: String,
    /// Where it delivers.
    pub url: String,
    /// False once KiotViet has given up on it; a registration that does not tell is active.
    pub is_active: bool,
    /// What was registered with it.
    pub description: String,
    /// When it was last changed; only lists tell.
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

/// One webhook of `GET /webhooks`, or the answer to its registration.
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

fn own_id(fields: Fields<'_>) -> Result<i64, FieldError> {
    fields.reference("id")?.ok_or(FieldError::missing("id"))
}

fn same_id(asked: i64, fields: Fields<'_>) -> Result<i64, FieldError> {
    let id = own_id(fields)?;
    let problem = "is another record's";
    if id == asked {
        Ok(id)
    } else {
        Err(FieldError {
            field: "id",
            problem,
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
