//! The records that the rules read and the plans they make. No behaviour, no wire format: the
//! clients in `kiotviet/` and `getfly/` translate.

use super::{
    codes::{AccountCode, InvoiceCode, OrderCode},
    money::{self, Money},
};
use crate::time::{Date, DateTime, Timestamp};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// A KiotViet customer as `GET /customers/{id}` returns it (manual 2.6.2). Absent texts are empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Customer {
    /// Stable key; the code can be edited.
    pub id: i64,
    /// `KH000123`.
    pub code: String,
    /// Name.
    pub name: String,
    /// Absent when the shop did not set it.
    pub gender: Option<Gender>,
    /// Day of birth, never shifted by a time zone.
    pub birth_date: Option<Date>,
    /// Free text: none, one or several numbers.
    pub contact_number: String,
    /// Street address.
    pub address: String,
    /// Ward (phường, xã).
    pub ward: String,
    /// District (quận, huyện); there is none since July 2025.
    pub district: String,
    /// Province or city.
    pub province: String,
    /// None, one or several addresses.
    pub email: String,
    /// Tax code (mã số thuế).
    pub tax_code: String,
    /// The shop's notes.
    pub comments: String,
    /// When it was created on KiotViet.
    pub created_at: Option<Timestamp>,
    /// When it was last changed.
    pub modified_at: Option<Timestamp>,
    /// Names of optional members that cannot be read.
    pub unreadable: Vec<&'static str>,
}

/// KiotViet: `true` is male.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gender {
    /// Nữ.
    Female,
    /// Nam.
    Male,
}

/// A KiotViet invoice (hóa đơn) as `GET /invoices/{id}` returns it (manual 2.12.2).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Invoice {
    /// New with every edit.
    pub id: i64,
    /// `HD000123`, or `HD000123.01` after an edit.
    pub code: InvoiceCode,
    /// When it was created on KiotViet.
    pub created_at: Option<Timestamp>,
    /// When it was last changed.
    pub modified_at: Option<Timestamp>,
    /// The shop's day of sale (Vietnam time).
    pub purchase_date: Option<Date>,
    /// 1 completed, 2 cancelled, 3 processing, 5 undeliverable.
    pub status: i64,
    /// The seller's KiotViet user id.
    pub sold_by_id: Option<i64>,
    /// Absent or zero: walk-in.
    pub customer_id: Option<i64>,
    /// Name on the invoice.
    pub customer_name: String,
    /// Amount payable.
    pub total: Money,
    /// Discount on the whole invoice.
    pub discount: Option<Money>,
    /// The same discount in percent; used only where `discount` is absent.
    pub discount_ratio: Option<Decimal>,
    /// The same discount with its tax, where prices include tax.
    pub discount_after_tax: Option<Money>,
    /// Tax, where the shop uses it.
    pub total_tax: Option<Money>,
    /// How the shop's prices treat tax: 0 on top, 1 included, none: no tax at all.
    pub pricing_mode: Option<i64>,
    /// Lines.
    pub lines: Vec<InvoiceLine>,
    /// Surcharges (thu khác).
    pub surcharges: Vec<Surcharge>,
    /// Names of optional members that cannot be read.
    pub unreadable: Vec<&'static str>,
}

/// A line of an invoice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InvoiceLine {
    /// Mã hàng, without the mark of a deletion.
    pub product_code: String,
    /// Whether the code carried KiotViet's mark of a deletion.
    pub is_deleted: bool,
    /// Tên hàng.
    pub product_name: String,
    /// May have a fraction (kilograms).
    pub quantity: Decimal,
    /// Per unit, before discount.
    pub price: Money,
    /// Per unit.
    pub discount: Money,
    /// The unit price with its tax, where KiotViet has it.
    pub price_after_tax: Option<Money>,
    /// The unit's discount with its tax, where KiotViet has it.
    pub discount_after_tax: Option<Money>,
    /// The line total, where KiotViet has it; it is authoritative.
    pub sub_total: Option<Money>,
}

/// A surcharge of an invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surcharge {
    /// As the shop named it.
    pub name: String,
    /// What the customer pays for it; zero or less counts as nothing.
    pub amount: Money,
}

/// A KiotViet user of `GET /users` (manual 2.8). Admins are not in that list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KiotVietUser {
    /// Display name.
    pub given_name: String,
    /// `SoldById` of an invoice.
    pub id: i64,
    /// Free text, often empty.
    pub mobile_phone: String,
}

/// A Getfly user of `GET /api/v6.1/users`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetflyUser {
    /// Free text.
    pub contact_mobile: String,
    /// Display name.
    pub contact_name: String,
    /// Numeric id.
    pub user_id: i64,
    /// Login name: what orders and accounts refer to.
    pub user_name: String,
}

/// A Getfly account (customer) that a search or a read by code found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Numeric id.
    pub id: i64,
    /// Its code.
    pub code: AccountCode,
    /// Its name.
    pub name: String,
    /// As stored: any form, none, one or several.
    pub phone: String,
    /// As stored: none, one or several.
    pub email: String,
    /// Wall time of the tenant; none if Getfly sent no readable one.
    pub created_at: Option<DateTime>,
    /// The numbers of its contact persons, as stored.
    pub contacts: Vec<String>,
    /// The e-mails of its contact persons, as stored.
    pub contact_emails: Vec<String>,
}

/// The account that will be created (R2, R4, R12, R14).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewAccount {
    /// Deterministic.
    pub code: AccountCode,
    /// Never empty: the KiotViet code stands in for a missing name.
    pub name: String,
    /// R8, R9.
    pub phone: Option<String>,
    /// R8.
    pub email: Option<String>,
    /// Address.
    pub address: Option<String>,
    /// Birthday.
    pub birthday: Option<Date>,
    /// Getfly's number for the gender, by the `gender_codes` variable.
    pub gender: Option<i64>,
    /// Tax code.
    pub tax_code: Option<String>,
    /// Description.
    pub description: Option<String>,
    /// R14.
    pub source: Option<String>,
    /// R12: the manager's Getfly login name.
    pub manager: Option<String>,
}

/// The order that will be created (R3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewOrder {
    /// Deterministic.
    pub code: OrderCode,
    /// Day of sale.
    pub date: Option<Date>,
    /// The customer of the order.
    pub account: OrderAccount,
    /// R13: the executor's Getfly login name.
    pub executor: Option<String>,
    /// Lines.
    pub lines: Vec<OrderLine>,
    /// Whole-order discount.
    pub discount: Money,
    /// Tax.
    pub vat: Money,
    /// Shipping surcharges.
    pub transport: Money,
    /// Any other surcharge.
    pub installation: Money,
    /// R11.
    pub campaign_code: Option<String>,
    /// Sentences in the order's terms.
    pub terms: Vec<String>,
}

/// The customer block of an order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct OrderAccount {
    /// Absent for a walk-in without `walk_in_account_code`.
    pub code: Option<AccountCode>,
    /// Name on the order. With a code it is the account's own name, or none where that is not
    /// known: another name could rename the account (R6).
    pub name: Option<String>,
    /// As on the account.
    pub phone: Option<String>,
    /// As on the account.
    pub email: Option<String>,
    /// As on the account.
    pub address: Option<String>,
}

/// A line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OrderLine {
    /// Product code; empty for a line that is sent by name alone.
    pub product_code: String,
    /// KiotViet has deleted the product since. The code is right only if Getfly's product of this
    /// code has the same name. Not sent.
    #[serde(skip)]
    pub is_deleted: bool,
    /// Product name.
    pub product_name: String,
    /// Quantity.
    #[serde(serialize_with = "money::serialize")]
    pub quantity: Decimal,
    /// Per unit.
    pub price: Money,
    /// Money off the whole line, never negative.
    pub cash_discount: Money,
    /// What the shop's people should know about the line.
    pub note: Option<String>,
}
