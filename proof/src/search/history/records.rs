//! The pools of a history's records: customers and sales.

use rust_decimal::Decimal;
use sim::kiotviet::{Line, NewCustomer, NewInvoice, Surcharge};

/// Phone fields of customers; several belong to one person, and one is a placeholder.
pub(super) const PHONES: [&str; 10] = [
    "",
    "0912 345 678",
    "+84912345678",
    "987654312",
    "0987.654.312",
    "0912345678 / 0987654312",
    "0933 003 333; 84944004444",
    "0944004444",
    "0933003333",
    "0999999999",
];
/// E-mail fields of customers.
pub(super) const EMAILS: [&str; 4] = ["", "hoa@example.vn", "HOA@example.vn", "oa@example.vn"];
/// Sellers: one that Getfly knows, one that it does not, one without a phone, the admin, none.
pub(super) const SELLERS: [Option<i64>; 5] = [Some(5001), Some(5002), Some(5003), Some(5000), None];

/// The pool's entry of this number, whatever its size.
pub(super) fn pick<T: Copy>(pool: &[T], index: u8) -> T {
    pool[usize::from(index) % pool.len()]
}

/// The customer of this number.
pub(super) fn new_customer(number: usize, phone: &str, email: &str) -> NewCustomer {
    let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    NewCustomer {
        name: format!("Khách {number}"),
        contact_number: text(phone),
        email: text(email),
        ..NewCustomer::default()
    }
}

/// What is sold: whole and broken quantities, discounts, a surcharge.
pub(super) fn content(index: u8, customer_id: Option<i64>, sold_by: Option<i64>) -> NewInvoice {
    let plain = NewInvoice {
        customer_id,
        sold_by,
        lines: vec![Line::new("SP1", "Áo", 2.into(), 150_000.into())],
        ..NewInvoice::default()
    };
    let cloth = Line {
        discount: Some(Decimal::new(3_333, 0)),
        ..Line::new("SP2", "Vải", Decimal::new(15, 1), Decimal::new(99_999, 0))
    };
    let coffee = Line::new("SP4", "Cà phê", Decimal::new(3, 1), 199_990.into());
    match index % 4 {
        0 => plain,
        1 => NewInvoice {
            lines: vec![coffee],
            ..plain
        },
        2 => NewInvoice {
            lines: vec![cloth, coffee],
            discount: Some(10_000.into()),
            ..plain
        },
        _ => NewInvoice {
            lines: vec![cloth],
            surcharges: vec![Surcharge {
                name: "Phí giao hàng".to_owned(),
                price: 25_000.into(),
            }],
            ..plain
        },
    }
}
