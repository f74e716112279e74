//! What the simulated shop does all day: invented people and goods only.

use rand::{Rng, rngs::StdRng};
use rust_decimal::Decimal;
use sim::{
    KiotVietSim,
    kiotviet::{Line, NewCustomer, NewInvoice, Surcharge},
};
use std::sync::Arc;

const FIRST: [&str; 8] = [
    "Hoa", "Bình", "Châu", "Dũng", "Giang", "Hạnh", "Khánh", "Linh",
];
const FAMILY: [&str; 5] = ["Nguyễn", "Trần", "Lê", "Phạm", "Hoàng"];
const GOODS: [(&str, &str, i64); 4] = [
    ("SP000001", "Áo thun", 150_000),
    ("SP000002", "Quần vải", 320_000),
    ("SP000003", "Mũ", 90_000),
    ("SP000004", "Trà (kg)", 265_000),
];

pub(super) struct Shop {
    kiotviet: Arc<KiotVietSim>,
    rng: StdRng,
    people: u32,
    customers: Vec<i64>,
    invoices: Vec<i64>,
}

impl Shop {
    pub(super) fn new(kiotviet: Arc<KiotVietSim>, rng: StdRng) -> Self {
        Self {
            kiotviet,
            rng,
            people: 0,
            customers: Vec::new(),
            invoices: Vec::new(),
        }
    }

    fn pick(&mut self, ids: &[i64]) -> Option<i64> {
        if ids.is_empty() {
            None
        } else {
            Some(ids[self.rng.random_range(0..ids.len())])
        }
    }

    /// One action; says what it was.
    pub(super) fn act(&mut self) -> &'static str {
        let customers = self.customers.clone();
        let invoices = self.invoices.clone();
        let (customer, invoice) = (self.pick(&customers), self.pick(&invoices));
        match (self.rng.random_range(0..100), customer, invoice) {
            (0..25, _, _) | (_, None, _) => self.new_customer(None),
            (25..32, Some(same_phone_as), _) => self.new_customer(Some(same_phone_as)),
            (32..42, Some(id), _) => {
                self.kiotviet
                    .edit_customer(id, |c| c.comments = Some("khách quen".to_owned()));
                "a customer is edited"
            }
            (42..52, _, Some(id)) => {
                let new = self
                    .kiotviet
                    .edit_invoice(id, |i| i.discount = Some(Decimal::from(10_000)));
                self.invoices.retain(|known| *known != id);
                self.invoices.extend(new);
                "an invoice is edited (HD….01)"
            }
            (52..57, _, Some(id)) => {
                self.kiotviet.cancel_invoice(id);
                self.invoices.retain(|known| *known != id);
                "an invoice is cancelled"
            }
            (57..62, _, _) => {
                let lines = self.lines();
                self.kiotviet.create_order(NewInvoice {
                    lines,
                    ..NewInvoice::default()
                });
                "an order (đặt hàng) is taken"
            }
            (62..72, _, _) => self.sell(None, "a walk-in buys"),
            _ => self.sell(customer, "a customer buys"),
        }
    }

    fn new_customer(&mut self, same_phone_as: Option<i64>) -> &'static str {
        self.people += 1;
        let n = self.people;
        let name = format!(
            "{} {}",
            FAMILY[self.rng.random_range(0..FAMILY.len())],
            FIRST[self.rng.random_range(0..FIRST.len())]
        );
        let known =
            same_phone_as.and_then(|id| self.kiotviet.customers().into_iter().find(|c| c.id == id));
        let phone = match &known {
            Some(known) => known.content.contact_number.clone(),
            None if n.is_multiple_of(9) => None,
            None if n.is_multiple_of(5) => Some(format!("+84 90 000 {n:04}")),
            None => Some(format!("09387{n:05}")),
        };
        let email =
            (n.is_multiple_of(3) && known.is_none()).then(|| format!("khach{n}@example.vn"));
        let customer = NewCustomer {
            name,
            contact_number: phone,
            email,
            gender: Some(n.is_multiple_of(2)),
            ..NewCustomer::default()
        };
        self.customers.push(self.kiotviet.create_customer(customer));
        if known.is_some() {
            "somebody gives a phone that is known"
        } else {
            "a new customer"
        }
    }

    fn lines(&mut self) -> Vec<Line> {
        let count = self.rng.random_range(1..4);
        (0..count)
            .map(|_| {
                let (code, name, price) = GOODS[self.rng.random_range(0..GOODS.len())];
                let quantity = if code == "SP000004" {
                    Decimal::new(15, 1)
                } else {
                    Decimal::from(self.rng.random_range(1..4))
                };
                let mut line = Line::new(code, name, quantity, Decimal::from(price));
                if self.rng.random_bool(0.3) {
                    line.discount = Some(Decimal::from(5_000));
                }
                line
            })
            .collect()
    }

    /// Somebody buys: one who is known, or a walk-in; says who.
    pub(super) fn sell_something(&mut self) -> &'static str {
        let customers = self.customers.clone();
        match self.pick(&customers) {
            Some(customer) => self.sell(Some(customer), "a customer buys"),
            None => self.sell(None, "a walk-in buys"),
        }
    }

    fn sell(&mut self, customer_id: Option<i64>, said: &'static str) -> &'static str {
        let lines = self.lines();
        let surcharges = if self.rng.random_bool(0.2) {
            vec![Surcharge {
                name: "Phí vận chuyển".to_owned(),
                price: Decimal::from(30_000),
            }]
        } else {
            Vec::new()
        };
        let seller = [5101, 5102, 5103, 5000][self.rng.random_range(0..4)];
        let invoice = NewInvoice {
            customer_id,
            sold_by: Some(seller),
            lines,
            surcharges,
            ..NewInvoice::default()
        };
        self.invoices.push(self.kiotviet.create_invoice(invoice));
        said
    }
}
