//! Puts records into the shop without a delivery.

use super::{Customer, Invoice, KiotVietSim};

impl KiotVietSim {
    /// Puts a customer into the shop; one with the same id is replaced.
    pub fn put_customer(&self, customer: Customer) {
        self.state().customers.insert(customer.id, customer);
    }

    /// Puts an invoice into the shop; one with the same id is replaced.
    pub fn put_invoice(&self, invoice: Invoice) {
        self.state().invoices.insert(invoice.id, invoice);
    }

    /// Whether there is a customer, deleted or not.
    pub fn knows_customer(&self, id: i64) -> bool {
        self.state().customers.contains_key(&id)
    }

    /// Whether a user with this id sells in the shop.
    pub fn knows_staff(&self, id: i64) -> bool {
        self.state().staff.now().iter().any(|user| user.id == id)
    }
}
