//! What is in the shop and what its staff do. Every action that KiotViet tells the world about
//! queues deliveries; seeding before a webhook is registered therefore stays silent.

use super::{DeleteShape, KiotVietSim, People, State, view};
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
    /// Absent from the answer when none.
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

/// What staff type in for a customer. What is none is absent everywhere; an empty text is sent.
#[derive(Debug, Clone, Default)]
pub struct NewCustomer {
    /// Numbered `KH000001`, … when none.
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
    /// Now when none; set it to have an old customer.
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
    /// The line total as REST answers give it; absent there when none.
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
    /// Numbered `HD000001`, … when none.
    pub code: Option<String>,
    /// None is a walk-in.
    pub customer_id: Option<i64>,
    /// Seller.
    pub sold_by: Option<i64>,
    /// The first branch when none.
    pub branch_id: Option<i64>,
    /// Lines.
    pub lines: Vec<Line>,
    /// On the whole invoice.
    pub discount: Option<Decimal>,
    /// The same in percent, shown and not computed with.
    pub discount_ratio: Option<Decimal>,
    /// Surcharges.
    pub surcharges: Vec<Surcharge>,
    /// `totalTax`.
    pub tax: Option<Decimal>,
    /// Computed when none; set it to have an invoice that does not add up.
    pub total: Option<Decimal>,
    /// Paid in full when none.
    pub total_payment: Option<Decimal>,
    /// 1 when none.
    pub status: Option<u8>,
    /// Description.
    pub description: Option<String>,
    /// Cash on delivery.
    pub using_cod: bool,
    /// Delivery.
    pub delivery: Option<InvoiceDelivery>,
    /// Now when none; set it to have an old invoice.
    pub created_at: Option<Timestamp>,
}

impl NewInvoice {
    /// What KiotViet says is payable.
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
}

impl Invoice {
    /// The code without `.01`.
    pub fn base_code(&self) -> &str {
        self.code.split('.').next().unwrap_or_default()
    }
}

impl KiotVietSim {
    /// Adds a user; one with the same id is replaced.
    pub fn add_staff(&self, staff: Staff) {
        self.change_staff(|all| {
            all.retain(|known| known.id != staff.id);
            all.push(staff);
        });
    }

    /// The staff are changed in any way.
    pub fn change_staff(&self, change: impl FnOnce(&mut Vec<Staff>)) {
        let now = self.clock.now();
        self.state().staff.change(now, change);
    }

    /// Adds a branch.
    pub fn add_branch(&self, branch: Branch) {
        self.state().branches.push(branch);
    }

    /// A new customer, told as `customer.update`.
    pub fn create_customer(&self, mut customer: NewCustomer) -> i64 {
        let now = self.clock.now();
        let state = &mut *self.state();
        state.numbers.customer += 1;
        let number = state.numbers.customer;
        let id = 20_000_000 + number;
        let code = customer.code.take();
        customer.code = Some(code.unwrap_or_else(|| format!("KH{number:06}")));
        let created_at = customer.created_at.unwrap_or(now);
        let customer = Customer {
            id,
            content: customer,
            created_at,
            modified_at: created_at,
            deleted: false,
        };
        state.customers.insert(id, customer);
        state.tell_customer(id, now);
        id
    }

    /// Changes a customer, told as `customer.update`; false when there is none. An empty change
    /// tells it again all the same.
    pub fn edit_customer(&self, id: i64, change: impl FnOnce(&mut NewCustomer)) -> bool {
        let now = self.clock.now();
        let state = &mut *self.state();
        let Some(customer) = state.customers.get_mut(&id).filter(|c| !c.deleted) else {
            return false;
        };
        change(&mut customer.content);
        customer.modified_at = now;
        state.tell_customer(id, now);
        true
    }

    /// Deletes a customer, told as `customer.delete`; false when there is none.
    pub fn delete_customer(&self, id: i64) -> bool {
        let now = self.clock.now();
        let state = &mut *self.state();
        let Some(customer) = state.customers.get_mut(&id).filter(|c| !c.deleted) else {
            return false;
        };
        customer.deleted = true;
        customer.modified_at = now;
        let bare = state.settings.delete_shape == DeleteShape::RemoveId;
        state.queue("customer.delete", id, id.to_string(), bare, now);
        true
    }

    /// A new invoice, told as `invoice.update`.
    pub fn create_invoice(&self, invoice: NewInvoice) -> i64 {
        let now = self.clock.now();
        let state = &mut *self.state();
        let id = state.store_invoice(invoice, now);
        state.tell_invoice(id, now);
        id
    }

    /// Edits an invoice the way KiotViet does: the old one is cancelled, a new one with the next
    /// `.NN` takes its place, and both are told. Answers the new id; none when there is no such
    /// invoice or it is cancelled.
    pub fn edit_invoice(&self, id: i64, change: impl FnOnce(&mut NewInvoice)) -> Option<i64> {
        let now = self.clock.now();
        let state = &mut *self.state();
        let old = state.invoices.get_mut(&id).filter(|i| i.status != 2)?;
        old.status = 2;
        old.modified_at = now;
        let old = old.clone();
        let family = old.base_code().to_owned();
        let edits = state
            .invoices
            .values()
            .filter(|invoice| invoice.base_code() == family)
            .count();
        let mut content = old.content.clone();
        change(&mut content);
        content.code = Some(format!("{family}.{edits:02}"));
        content.created_at = state
            .settings
            .edit_keeps_created_date
            .then_some(old.created_at);
        let new_id = state.store_invoice(content, now);
        if let Some(invoice) = state.invoices.get_mut(&new_id) {
            invoice.purchased_at = old.purchased_at;
            invoice.modified_at = now;
        }
        state.tell_invoice(id, now);
        state.tell_invoice(new_id, now);
        Some(new_id)
    }

    /// Cancels an invoice (status 2), told as `invoice.update`.
    pub fn cancel_invoice(&self, id: i64) -> bool {
        self.set_invoice_status(id, 2)
    }

    /// Moves an invoice to another status, or to the same (a payment, a delivery note): told as
    /// `invoice.update`. False when there is none.
    pub fn set_invoice_status(&self, id: i64, status: u8) -> bool {
        let now = self.clock.now();
        let state = &mut *self.state();
        let Some(invoice) = state.invoices.get_mut(&id) else {
            return false;
        };
        invoice.status = status;
        invoice.modified_at = now;
        state.tell_invoice(id, now);
        true
    }

    /// A new order (đặt hàng), told as `order.update` only; it is no invoice.
    pub fn create_order(&self, order: NewInvoice) -> i64 {
        let now = self.clock.now();
        let state = &mut *self.state();
        state.numbers.order += 1;
        let number = state.numbers.order;
        let code = order.code.clone();
        let order = Invoice {
            id: 400_000_000 + number,
            code: code.unwrap_or_else(|| format!("DH{number:06}")),
            status: order.status.unwrap_or(1),
            purchased_at: now,
            created_at: now,
            modified_at: now,
            content: order,
        };
        let payload = view::order_payload(state, &order);
        state.queue("order.update", order.id, payload, false, now);
        order.id
    }

    /// Every user, admins too, as they are and as they were.
    pub fn staff(&self) -> People<Staff> {
        self.state().staff.clone()
    }

    /// Every customer, deleted ones too.
    pub fn customers(&self) -> Vec<Customer> {
        self.state().customers.values().cloned().collect()
    }

    /// Every invoice, cancelled ones too.
    pub fn invoices(&self) -> Vec<Invoice> {
        self.state().invoices.values().cloned().collect()
    }

    /// One invoice.
    pub fn invoice(&self, id: i64) -> Option<Invoice> {
        self.state().invoices.get(&id).cloned()
    }
}

impl State {
    fn store_invoice(&mut self, content: NewInvoice, now: Timestamp) -> i64 {
        self.numbers.invoice += 1;
        let number = self.numbers.invoice;
        let id = 300_000_000 + number;
        let created_at = content.created_at.unwrap_or(now);
        let code = content.code.clone();
        let invoice = Invoice {
            id,
            code: code.unwrap_or_else(|| format!("HD{number:06}")),
            status: content.status.unwrap_or(1),
            purchased_at: created_at,
            created_at,
            modified_at: created_at,
            content,
        };
        self.invoices.insert(id, invoice);
        id
    }

    fn tell_customer(&mut self, id: i64, now: Timestamp) {
        if let Some(customer) = self.customers.get(&id) {
            let payload = view::customer_payload(customer);
            self.queue("customer.update", id, payload, false, now);
        }
    }

    fn tell_invoice(&mut self, id: i64, now: Timestamp) {
        if let Some(invoice) = self.invoices.get(&id) {
            let payload = view::invoice_payload(self, invoice);
            self.queue("invoice.update", id, payload, false, now);
        }
    }
}
