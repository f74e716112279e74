//! The shop's records and its staff's actions. Every action that KiotViet delivers queues
//! deliveries; records added before a webhook is registered therefore cause none.

use super::{
    DeleteShape, KiotVietSim, People, State,
    records::{Branch, Customer, Invoice, NewCustomer, NewInvoice, Staff},
    view,
};
use jiff::Timestamp;

impl KiotVietSim {
    /// Adds a user; one with the same id is replaced.
    pub fn add_staff(&self, staff: Staff) {
        self.change_staff(|all| {
            all.retain(|known| known.id != staff.id);
            all.push(staff);
        });
    }

    /// Changes the staff in any way.
    pub fn change_staff(&self, change: impl FnOnce(&mut Vec<Staff>)) {
        let now = self.clock.now();
        self.state().staff.change(now, change);
    }

    /// Adds a branch.
    pub fn add_branch(&self, branch: Branch) {
        self.state().branches.push(branch);
    }

    /// A new customer, delivered as `customer.update`.
    pub fn create_customer(&self, mut customer: NewCustomer) -> i64 {
        let now = self.clock.now();
        let state = &mut *self.state();
        state.numbers.customer += 1;
        let number = state.numbers.customer;
        let id = 20_000_000 + number;
        let code = customer.code.take();
        customer.code = Some(code.unwrap_or_else(|| format!("KH{number:06}")));
        if state.settings.masks_phones && number % 2 == 0 {
            customer.contact_number = customer.contact_number.as_deref().map(masked);
        }
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

    /// Changes a customer, delivered as `customer.update`; false if there is none. An empty change
    /// is delivered too.
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

    /// Deletes a customer, delivered as `customer.delete`; false if there is none.
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

    /// A new invoice, delivered as `invoice.update`.
    pub fn create_invoice(&self, invoice: NewInvoice) -> i64 {
        let now = self.clock.now();
        let state = &mut *self.state();
        let id = state.store_invoice(invoice, now);
        state.tell_invoice(id, now);
        id
    }

    /// An invoice that a till made without a connection and sends now: it has a new id, and the times of the till.
    pub fn sync_late(&self, invoice: NewInvoice, made_at: Timestamp) -> i64 {
        let invoice = NewInvoice {
            created_at: Some(made_at),
            ..invoice
        };
        self.create_invoice(invoice)
    }

    /// Edits an invoice the way KiotViet does: the old one is cancelled, a new one with the next
    /// `.NN` replaces it, and both are delivered. Returns the new id; none if there is no such
    /// invoice or it is cancelled.
    pub fn edit_invoice(&self, id: i64, change: impl FnOnce(&mut NewInvoice)) -> Option<i64> {
        let now = self.clock.now();
        let state = &mut *self.state();
        let old = state.invoices.get_mut(&id).filter(|i| i.status != 2)?;
        old.status = 2;
        old.modified_at = now;
        old.edited = true;
        let old = old.clone();
        let family = old.family.clone();
        let of_family = state.invoices.values().filter(|i| i.family == family);
        let edits = of_family.count();
        let mut content = old.content.clone();
        change(&mut content);
        content.code = Some(format!("{family}.{edits:02}"));
        content.created_at = state
            .settings
            .edit_keeps_created_date
            .then_some(old.created_at);
        let new_id = state.store_invoice(content, now);
        if let Some(invoice) = state.invoices.get_mut(&new_id) {
            invoice.family = family;
            invoice.purchased_at = old.purchased_at;
            invoice.modified_at = now;
        }
        state.tell_invoice(id, now);
        state.tell_invoice(new_id, now);
        Some(new_id)
    }

    /// Cancels an invoice (status 2), delivered as `invoice.update`.
    pub fn cancel_invoice(&self, id: i64) -> bool {
        self.set_invoice_status(id, 2)
    }

    /// Moves an invoice to another status, or to the same (a payment, a delivery note), delivered
    /// as `invoice.update`. False if there is none.
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

    /// A new order (đặt hàng), delivered as `order.update` only; it is not an invoice.
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
            edited: false,
            family: String::new(),
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

/// A phone field with three digits of its first number hidden.
fn masked(phone: &str) -> String {
    let mut digits = 0;
    let hide = |c: char| {
        digits += usize::from(c.is_ascii_digit());
        let is_hidden = c.is_ascii_digit() && (5..8).contains(&digits);
        if is_hidden { '*' } else { c }
    };
    phone.chars().map(hide).collect()
}

impl State {
    fn store_invoice(&mut self, content: NewInvoice, now: Timestamp) -> i64 {
        self.numbers.invoice += 1;
        let number = self.numbers.invoice;
        let id = 300_000_000 + number;
        let created_at = content.created_at.unwrap_or(now);
        let own = self.settings.own_codes.as_ref();
        let code = content.code.clone();
        let code = code.unwrap_or_else(|| match own {
            Some(prefix) => format!("{prefix}{number:02}"),
            None => format!("HD{number:06}"),
        });
        let invoice = Invoice {
            id,
            family: code.clone(),
            code,
            edited: false,
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
            let casing = self.settings.customer_casing;
            let payload = view::customer_payload(customer, casing);
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
