//! The records of a shop.

use jiff::{Timestamp, civil};
use rust_decimal::Decimal;

/// A KiotViet user who can sell.
#[derive(Debug, Clone, Default)]
pub struct Staff {
    /// `SoldById` of an invoice.
    pub id: i64,
    /// Login.
    pub user_name: String,
    /// Display name.
    pub given_name: String,
    /// None: absent from the answer.
    pub mobile_phone: Option<String>,
    /// Admins are left out of `GET /users`.
    pub is_admin: bool,
}

impl Staff {
    /// A user who is not an admin.
    pub fn new(id: i64, user_name: &str, given_name: &str, mobile_phone: &str) -> Self {
        Self {
            id,
            user_name: user_name.to_owned(),
            given_name: given_name.to_owned(),
            mobile_phone: Some(mobile_phone.to_owned()),
            is_admin: false,
        }
    }
}

/// A branch.
#[derive(Debug, Clone)]
pub struct Branch {
    /// Number.
    pub id: i64,
    /// Name.
    pub name: String,
}

/// What staff type in for a customer. A member that is none is absent everywhere; an empty text is
/// sent.
#[derive(Debug, Clone, Default)]
pub struct NewCustomer {
    /// None: numbered `KH000001`, …
    pub code: Option<String>,
    /// Name.
    pub name: String,
    /// `true` is male.
    pub gender: Option<bool>,
    /// Birthday.
    pub birth_date: Option<civil::Date>,
    /// Free text.
    pub contact_number: Option<String>,
    /// Street address.
    pub address: Option<String>,
    /// `province - district`.
    pub location_name: Option<String>,
    /// Ward.
    pub ward_name: Option<String>,
    /// E-mail.
    pub email: Option<String>,
    /// Company name.
    pub organization: Option<String>,
    /// Tax code.
    pub tax_code: Option<String>,
    /// Notes.
    pub comments: Option<String>,
    /// Whether `Type` is 1 (company) instead of 0.
    pub company: bool,
    /// None: now. Set it for an old customer.
    pub created_at: Option<Timestamp>,
}

/// A customer of the shop.
#[derive(Debug, Clone)]
pub struct Customer {
    /// Stable key.
    pub id: i64,
    /// What was typed in; its code is always set.
    pub content: NewCustomer,
    /// `createdDate`.
    pub created_at: Timestamp,
    /// `modifiedDate`.
    pub modified_at: Timestamp,
    /// Gone from every answer except the removed ids.
    pub deleted: bool,
}

/// A line of an invoice.
#[derive(Debug, Clone, Default)]
pub struct Line {
    /// Mã hàng.
    pub product_code: String,
    /// Tên hàng.
    pub product_name: String,
    /// May have a fraction.
    pub quantity: Decimal,
    /// Per unit, before discount.
    pub price: Decimal,
    /// Per unit.
    pub discount: Option<Decimal>,
    /// The line total in REST answers; none: absent there.
    pub sub_total: Option<Decimal>,
}

impl Line {
    /// A line without discount.
    pub fn new(product_code: &str, product_name: &str, quantity: Decimal, price: Decimal) -> Self {
        Self {
            product_code: product_code.to_owned(),
            product_name: product_name.to_owned(),
            quantity,
            price,
            ..Self::default()
        }
    }

    /// `sub_total`, or quantity × (price − discount).
    pub fn total(&self) -> Decimal {
        self.sub_total
            .unwrap_or_else(|| self.quantity * (self.price - self.discount.unwrap_or_default()))
    }
}

/// A surcharge (thu khác).
#[derive(Debug, Clone)]
pub struct Surcharge {
    /// As the shop named it.
    pub name: String,
    /// Amount.
    pub price: Decimal,
}

/// Where an invoice is delivered.
#[derive(Debug, Clone, Default)]
pub struct InvoiceDelivery {
    /// Who receives it.
    pub receiver: String,
    /// The receiver's number, not the buyer's.
    pub contact_number: String,
    /// Address.
    pub address: String,
    /// Fee.
    pub price: Option<Decimal>,
}

/// What staff type in for an invoice (or an order).
#[derive(Debug, Clone, Default)]
pub struct NewInvoice {
    /// None: numbered `HD000001`, …
    pub code: Option<String>,
    /// None is a walk-in.
    pub customer_id: Option<i64>,
    /// Seller.
    pub sold_by: Option<i64>,
    /// None: the first branch.
    pub branch_id: Option<i64>,
    /// Lines.
    pub lines: Vec<Line>,
    /// On the whole invoice.
    pub discount: Option<Decimal>,
    /// The same in percent, shown but not used.
    pub discount_ratio: Option<Decimal>,
    /// Surcharges.
    pub surcharges: Vec<Surcharge>,
    /// `totalTax`.
    pub tax: Option<Decimal>,
    /// None: computed. Set it for an invoice that does not add up.
    pub total: Option<Decimal>,
    /// None: paid in full.
    pub total_payment: Option<Decimal>,
    /// None: 1.
    pub status: Option<u8>,
    /// Description.
    pub description: Option<String>,
    /// Cash on delivery.
    pub using_cod: bool,
    /// Delivery.
    pub delivery: Option<InvoiceDelivery>,
    /// None: now. Set it for an old invoice.
    pub created_at: Option<Timestamp>,
}

impl NewInvoice {
    /// The amount that KiotViet calls payable.
    pub fn total(&self) -> Decimal {
        // ASSUMPTION: lines − discount + surcharges + tax.
        self.total.unwrap_or_else(|| {
            let lines: Decimal = self.lines.iter().map(Line::total).sum();
            let surcharges: Decimal = self.surcharges.iter().map(|s| s.price).sum();
            lines - self.discount.unwrap_or_default() + surcharges + self.tax.unwrap_or_default()
        })
    }
}

/// An invoice of the shop.
#[derive(Debug, Clone)]
pub struct Invoice {
    /// New with every edit.
    pub id: i64,
    /// `HD000001`, `HD000001.01`.
    pub code: String,
    /// The code of the invoice at the beginning of its chain of edits.
    pub family: String,
    /// What was typed in.
    pub content: NewInvoice,
    /// 1 completed, 2 cancelled, 3 processing, 5 undeliverable.
    pub status: u8,
    /// `purchaseDate`; kept by an edit.
    pub purchased_at: Timestamp,
    /// `createdDate`.
    pub created_at: Timestamp,
    /// `modifiedDate`.
    pub modified_at: Timestamp,
    /// Whether an edit replaced it.
    pub edited: bool,
}
