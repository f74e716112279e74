//! Puts the records that a payload mentions into the simulated shop, as plausible ones: with the
//! payload's values, and invented ones where it has none.

use jiff::Timestamp;
use plugin::kiotviet::{
    envelope::{Item, Kind},
    fields::Fields,
};
use rust_decimal::Decimal;
use serde_json::Value;
use sim::{
    GetflySim, KiotVietSim,
    getfly::User,
    kiotviet::{
        Customer, Invoice, InvoiceDelivery, Line, NewCustomer, NewInvoice, Staff, Surcharge,
    },
    wire,
};

/// Before any webhook was switched on: a customer whom only an invoice mentions is an old one.
const LONG_AGO: &str = "2025-01-02T02:00:00Z";

/// Puts every customer and invoice that the items mention into the shop, created now, and every
/// seller into both systems with one phone.
pub(super) fn exist(kiotviet: &KiotVietSim, getfly: &GetflySim, items: &[Item], now: Timestamp) {
    for item in items {
        let raw: Value = serde_json::from_slice(&item.raw).unwrap_or_default();
        let (Some(id), Ok(fields)) = (item.id, Fields::of(&raw, "item")) else {
            continue;
        };
        match item.kind {
            Kind::Customer => kiotviet.put_customer(customer(id, fields, now)),
            Kind::Invoice => {
                let invoice = invoice(id, fields, now);
                parties(kiotviet, getfly, fields, &invoice);
                kiotviet.put_invoice(invoice);
            }
            Kind::Other => {}
        }
    }
}

fn text(fields: Fields<'_>, name: &'static str) -> Option<String> {
    let text = fields.text(name).unwrap_or_default();
    (!text.is_empty()).then_some(text)
}

fn decimal(fields: Fields<'_>, name: &'static str) -> Option<Decimal> {
    fields.get(name).and_then(wire::decimal)
}

fn customer(id: i64, fields: Fields<'_>, now: Timestamp) -> Customer {
    let birth_date = fields.date("birthDate").ok().flatten();
    let content = NewCustomer {
        code: Some(text(fields, "code").unwrap_or_else(|| format!("KH{id}"))),
        name: text(fields, "name").unwrap_or_else(|| format!("Khách {id}")),
        gender: fields.boolean("gender").ok().flatten(),
        birth_date: birth_date.and_then(|date| date.to_string().parse().ok()),
        contact_number: text(fields, "contactNumber"),
        address: text(fields, "address"),
        location_name: text(fields, "locationName"),
        email: text(fields, "email"),
        organization: text(fields, "organization"),
        tax_code: text(fields, "taxCode"),
        comments: text(fields, "comments"),
        company: matches!(fields.integer("type"), Ok(Some(1))),
        ..NewCustomer::default()
    };
    Customer {
        id,
        content,
        created_at: now,
        modified_at: now,
        deleted: false,
    }
}

fn invoice(id: i64, fields: Fields<'_>, now: Timestamp) -> Invoice {
    let lines = fields.array("invoiceDetails").ok().flatten();
    let status = fields.integer("status").ok().flatten();
    let mut content = NewInvoice {
        code: text(fields, "code"),
        customer_id: fields.reference("customerId").ok().flatten(),
        sold_by: fields.reference("soldById").ok().flatten(),
        lines: lines.unwrap_or_default().iter().filter_map(line).collect(),
        discount: decimal(fields, "discount"),
        discount_ratio: decimal(fields, "discountRatio"),
        total_payment: decimal(fields, "totalPayment"),
        description: text(fields, "description"),
        using_cod: matches!(fields.boolean("usingCod"), Ok(Some(true))),
        delivery: delivery(fields),
        ..NewInvoice::default()
    };
    if let Some(total) = decimal(fields, "total") {
        // Payloads leave surcharges out; the missing amount is one.
        let rest = total - content.total();
        if rest > Decimal::ZERO {
            let name = "Thu khác".to_owned();
            content.surcharges.push(Surcharge { name, price: rest });
        }
        content.total = Some(total);
    }
    let purchased = fields.time("purchaseDate").ok().flatten();
    let purchased = purchased.and_then(|at| at.to_string().parse().ok());
    let code = content.code.clone().unwrap_or_else(|| format!("HD{id}"));
    Invoice {
        id,
        family: code.split('.').next().unwrap_or_default().to_owned(),
        code,
        edited: false,
        status: status.and_then(|s| u8::try_from(s).ok()).unwrap_or(1),
        purchased_at: purchased.unwrap_or(now),
        created_at: now,
        modified_at: now,
        content,
    }
}

fn line(value: &Value) -> Option<Line> {
    let fields = Fields::of(value, "line").ok()?;
    Some(Line {
        product_code: text(fields, "productCode").unwrap_or_default(),
        product_name: text(fields, "productName").unwrap_or_default(),
        quantity: decimal(fields, "quantity").unwrap_or(Decimal::ONE),
        price: decimal(fields, "price").unwrap_or_default(),
        discount: decimal(fields, "discount"),
        sub_total: None,
    })
}

fn delivery(fields: Fields<'_>) -> Option<InvoiceDelivery> {
    let told = fields.object("invoiceDelivery").ok().flatten()?;
    Some(InvoiceDelivery {
        receiver: text(told, "receiver").unwrap_or_default(),
        contact_number: text(told, "contactNumber").unwrap_or_default(),
        address: text(told, "address").unwrap_or_default(),
        price: decimal(told, "price"),
    })
}

/// The invoice's customer and seller, if no item has named them yet.
fn parties(kiotviet: &KiotVietSim, getfly: &GetflySim, fields: Fields<'_>, invoice: &Invoice) {
    let known = |id: &i64| kiotviet.knows_customer(*id);
    if let Some(id) = invoice.content.customer_id.filter(|id| !known(id)) {
        let long_ago = LONG_AGO.parse().unwrap_or_default();
        let content = NewCustomer {
            code: Some(text(fields, "customerCode").unwrap_or_else(|| format!("KH{id}"))),
            name: text(fields, "customerName").unwrap_or_else(|| format!("Khách {id}")),
            contact_number: Some(phone("090", id)),
            ..NewCustomer::default()
        };
        kiotviet.put_customer(Customer {
            id,
            content,
            created_at: long_ago,
            modified_at: long_ago,
            deleted: false,
        });
    }
    let known = |id: &i64| kiotviet.knows_staff(*id);
    if let Some(id) = invoice.content.sold_by.filter(|id| !known(id)) {
        let name = text(fields, "soldByName").unwrap_or_else(|| format!("Nhân viên {id}"));
        let (login, phone) = (format!("user{id}"), phone("091", id));
        kiotviet.add_staff(Staff::new(id, &login, &name, &phone));
        getfly.add_user(User::new(id, &login, &name, &phone));
    }
}

/// An invented number for an id, different for each.
fn phone(prefix: &str, id: i64) -> String {
    format!("{prefix}{:07}", id.unsigned_abs() % 10_000_000)
}
