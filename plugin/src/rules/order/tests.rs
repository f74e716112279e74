//! Known answers and properties of orders.

use super::*;
use crate::rules::{
    codes::{AccountCode, InvoiceCode},
    model::{InvoiceLine, Surcharge},
};
use proptest::prelude::*;
use rust_decimal::Decimal;

fn code() -> OrderCode {
    OrderCode::existing("datta-HD000123".into())
}

fn dong(amount: i64) -> Money {
    Money::dong(amount).unwrap()
}

fn line(quantity: Decimal, price: i64, discount: i64, sub_total: Option<i64>) -> InvoiceLine {
    InvoiceLine {
        product_code: "SP1".into(),
        product_name: "Áo".into(),
        quantity,
        price: dong(price),
        discount: dong(discount),
        sub_total: sub_total.map(dong),
        ..InvoiceLine::default()
    }
}

fn invoice(total: i64, lines: Vec<InvoiceLine>) -> Invoice {
    Invoice {
        id: 9,
        code: InvoiceCode::new("HD000123.01"),
        purchase_date: Some(crate::time::tests::date(2026, 1, 2)),
        status: 1,
        total: dong(total),
        lines,
        ..Invoice::default()
    }
}

fn surcharge(name: &str, amount: i64) -> Surcharge {
    Surcharge {
        name: name.into(),
        amount: dong(amount),
    }
}

/// The total that an exact Getfly computes for the order.
fn getfly_total(order: &NewOrder) -> Decimal {
    let line = |l: &OrderLine| l.price.amount() * l.quantity - l.cash_discount.amount();
    let lines: Decimal = order.lines.iter().map(line).sum();
    lines - order.discount.amount()
        + order.vat.amount()
        + order.transport.amount()
        + order.installation.amount()
}

fn plan(invoice: &Invoice) -> PlannedOrder {
    let code = code();
    let settings = RuleSettings::default();
    new_order(code, invoice, walk_in_account(&settings), None, &settings).unwrap()
}

#[test]
fn r3_line_discount_is_per_unit_and_the_total_agrees() {
    let planned = plan(&invoice(
        5_100_000,
        vec![line(Decimal::TWO, 2_737_000, 187_000, None)],
    ));
    assert_eq!(planned.order.lines[0].cash_discount, dong(374_000));
    assert_eq!((planned.difference, planned.notes), (None, vec![]));
    assert_eq!(planned.order.code.as_str(), "datta-HD000123");
    assert_eq!(
        planned.order.date,
        Some(crate::time::tests::date(2026, 1, 2))
    );
    assert!(planned.order.terms.is_empty());
}

#[test]
fn r3_kiotviets_line_total_is_authoritative() {
    let planned = plan(&invoice(
        99_000,
        vec![line(Decimal::ONE, 100_000, 0, Some(99_000))],
    ));
    assert_eq!(planned.order.lines[0].cash_discount, dong(1_000));
    assert_eq!(planned.difference, None);
}

#[test]
fn r3_fractional_quantities_are_exact() {
    let planned = plan(&invoice(
        171_250,
        vec![line(Decimal::new(1250, 3), 137_000, 0, None)],
    ));
    assert_eq!(planned.difference, None);
    let json = serde_json::to_value(&planned.order).unwrap();
    assert_eq!(json["lines"][0]["quantity"].to_string(), "1.25");
    assert_eq!(json["lines"][0]["price"].to_string(), "137000");
}

#[test]
fn r3_a_dearer_line_raises_the_unit_price() {
    for (quantity, total, price, off) in [
        (2, 210_000, "105000", 0),
        (4, 400_002, "100000.5", 0),
        (3, 400_000, "133334", 2),
    ] {
        let quantity = Decimal::from(quantity);
        let planned = plan(&invoice(
            total,
            vec![line(quantity, 100_000, 0, Some(total))],
        ));
        let line = &planned.order.lines[0];
        assert_eq!(
            (line.price.to_string().as_str(), line.cash_discount),
            (price, dong(off))
        );
        assert_eq!(planned.difference, None);
        assert_eq!(planned.notes.len(), 1);
    }
}

#[test]
fn r3_a_line_that_cannot_be_told_is_noted_with_its_difference() {
    let planned = plan(&invoice(
        1_000,
        vec![line(Decimal::ZERO, 500, 0, Some(1_000))],
    ));
    assert_eq!(planned.difference, Some(dong(1_000)));
    assert_eq!(planned.notes.len(), 2);
}

#[test]
fn r3_invoice_discount_as_amount_or_as_ratio() {
    let lines = || vec![line(Decimal::ONE, 100_000, 0, None)];
    let amount = Invoice {
        discount: Some(dong(10_000)),
        ..invoice(90_000, lines())
    };
    assert_eq!(
        (plan(&amount).order.discount, plan(&amount).difference),
        (dong(10_000), None)
    );
    let ratio = Invoice {
        discount_ratio: Some(Decimal::new(75, 1)),
        ..invoice(92_500, lines())
    };
    assert_eq!(
        (plan(&ratio).order.discount, plan(&ratio).difference),
        (dong(7_500), None)
    );
    let both = Invoice {
        discount_ratio: Some(Decimal::TEN),
        ..amount.clone()
    };
    assert_eq!(plan(&both).order.discount, dong(10_000));
    let zero = Invoice {
        discount_ratio: Some(Decimal::ZERO),
        ..invoice(100_000, lines())
    };
    assert_eq!(
        (plan(&zero).order.discount, plan(&zero).difference),
        (Money::ZERO, None)
    );
}

#[test]
fn r3_surcharges_go_to_transport_or_installation() {
    let planned = plan(&Invoice {
        surcharges: vec![
            surcharge("Phí VẬN CHUYỂN", 1_000),
            surcharge("phi ship", 2_000),
            surcharge("Lắp đặt", 400),
            surcharge("", 50),
        ],
        ..invoice(13_450, vec![line(Decimal::ONE, 10_000, 0, None)])
    });
    assert_eq!(
        (planned.order.transport, planned.order.installation),
        (dong(3_000), dong(450))
    );
    assert_eq!(planned.difference, None);
}

#[test]
fn r3_tax_goes_on_top_only_where_the_total_says_so() {
    for (total, vat, difference) in [
        (110_000, 10_000, None),
        (100_000, 0, None),
        (105_000, 0, Some(dong(5_000))),
    ] {
        let lines = vec![line(Decimal::ONE, 100_000, 0, None)];
        let planned = plan(&Invoice {
            total_tax: Some(dong(10_000)),
            ..invoice(total, lines)
        });
        assert_eq!(
            (planned.order.vat, planned.difference),
            (dong(vat), difference),
            "{total}"
        );
    }
}

#[test]
fn r3_a_difference_is_written_in_the_terms_and_the_notes() {
    for (total, term) in [
        (
            500_000,
            "KiotViet: tổng 500000, tính lại 499000, chênh lệch 1000",
        ),
        (
            498_000,
            "KiotViet: tổng 498000, tính lại 499000, chênh lệch -1000",
        ),
    ] {
        let planned = plan(&invoice(total, vec![line(Decimal::ONE, 499_000, 0, None)]));
        assert_eq!(planned.difference, Some(dong(total - 499_000)));
        assert_eq!(planned.order.terms, [term]);
        assert_eq!(planned.notes.len(), 1);
    }
}

#[test]
fn r3_absurd_amounts_are_refused() {
    let huge = 1_000_000_000_000_000_000;
    let invoice = invoice(0, vec![line(Decimal::TEN, huge, 0, None)]);
    let settings = RuleSettings::default();
    let code = code();
    let planned = new_order(code, &invoice, walk_in_account(&settings), None, &settings);
    assert_eq!(planned, Err(AbsurdAmount));
}

#[test]
fn r3_a_deleted_product_keeps_its_code_only_under_the_same_name() {
    let deleted = InvoiceLine {
        is_deleted: true,
        ..line(Decimal::ONE, 1_000, 0, None)
    };
    let planned = plan(&invoice(
        2_000,
        vec![deleted, line(Decimal::ONE, 1_000, 0, None)],
    ));
    let [deleted, living] = &planned.order.lines[..] else {
        panic!("two lines")
    };
    assert!(keeps_code(deleted, " ÁO "));
    assert!(keeps_code(deleted, "Áo{DEL}"));
    assert!(!keeps_code(deleted, "Áo khoác"));
    assert!(!keeps_code(deleted, ""));
    assert!(keeps_code(living, "Áo khoác"));
}

#[test]
fn r5_a_walk_in_order_has_a_name_and_nothing_else() {
    let account = walk_in_account(&RuleSettings::default());
    assert_eq!(
        account,
        OrderAccount {
            name: Some("Khách lẻ".into()),
            ..OrderAccount::default()
        }
    );
    let code = Some(AccountCode::existing("KL".into()));
    let settings = RuleSettings {
        walk_in_account_code: code.clone(),
        ..RuleSettings::default()
    };
    assert_eq!(walk_in_account(&settings).code, code);
}

#[test]
fn r11_r13_campaign_and_executor_are_on_the_order() {
    let settings = RuleSettings {
        order_campaign_code: Some("SALE".into()),
        ..RuleSettings::default()
    };
    let user = GetflyUser {
        user_id: 5,
        user_name: "lan".into(),
        contact_name: "Lan".into(),
        contact_mobile: String::new(),
    };
    let code = code();
    let invoice = invoice(0, vec![]);
    let account = walk_in_account(&settings);
    let order = new_order(code, &invoice, account, Some(&user), &settings)
        .unwrap()
        .order;
    assert_eq!(order.campaign_code.as_deref(), Some("SALE"));
    assert_eq!(order.executor.as_deref(), Some("lan"));
}

proptest! {
    #[test]
    fn r3_what_getfly_computes_and_the_difference_make_the_total(
        total in -1_000_000i64..1_000_000, prices in prop::collection::vec(0i64..1_000_000, 0..5),
        discount in prop::option::of(0i64..1_000), ratio in prop::option::of(0i64..101),
        tax in prop::option::of(0i64..1_000), extra in prop::collection::vec(0i64..1_000, 0..3),
    ) {
        let lines = prices.iter().map(|price| line(Decimal::ONE, *price, 0, None)).collect();
        let planned = plan(&Invoice {
            discount: discount.map(dong),
            discount_ratio: ratio.map(Decimal::from),
            total_tax: tax.map(dong),
            surcharges: extra.iter().map(|amount| surcharge("ship", *amount)).collect(),
            ..invoice(total, lines)
        });
        let told = planned.difference.unwrap_or_default().amount();
        prop_assert_eq!(getfly_total(&planned.order) + told, Decimal::from(total));
        prop_assert_eq!(planned.order.terms.is_empty(), planned.difference.is_none());
    }
}
