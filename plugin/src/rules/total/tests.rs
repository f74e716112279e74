//! Known answers, and the property that matters: an exact Getfly computes the total that KiotViet's
//! own formula makes.

use super::*;
use proptest::prelude::*;

fn dong(amount: i64) -> Money {
    Money::dong(amount).unwrap()
}

fn money(text: &str) -> Money {
    Money::new(text.parse().unwrap()).unwrap()
}

fn line(quantity: &str, price: &str, sub_total: Option<i64>) -> InvoiceLine {
    InvoiceLine {
        product_code: "SP1".into(),
        quantity: quantity.parse().unwrap(),
        price: money(price),
        sub_total: sub_total.map(dong),
        ..InvoiceLine::default()
    }
}

fn invoice(total: i64, lines: Vec<InvoiceLine>) -> Invoice {
    Invoice {
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

/// The total that an exact Getfly computes.
fn getfly_total(sum: &Sum) -> Decimal {
    let line = |l: &OrderLine| l.price.amount() * l.quantity - l.cash_discount.amount();
    let lines: Decimal = sum.lines.iter().map(line).sum();
    lines - sum.discount.amount()
        + sum.vat.amount()
        + sum.transport.amount()
        + sum.installation.amount()
}

#[test]
fn r3_goods_by_weight_keep_their_price_and_the_rest_is_a_surcharge() {
    for sub_total in [None, Some(92_628)] {
        let sum = nearest(&invoice(92_628, vec![line("2.345", "39500", sub_total)])).unwrap();
        assert_eq!(sum.lines[0].price, dong(39_500), "{sub_total:?}");
        assert_eq!(sum.lines[0].cash_discount, Money::ZERO, "{sub_total:?}");
        assert_eq!(sum.installation, money("0.5"), "{sub_total:?}");
        assert_eq!((sum.difference, sum.computed), (None, dong(92_628)));
        assert_eq!(
            sum.notes.iter().map(Remark::to_string).collect::<Vec<_>>(),
            [
                "Rounding: KiotViet's total is 92628, this order added up to 92627.5; 0.5 went into the order's surcharge."
            ]
        );
    }
}

#[test]
fn r3_what_was_rounded_down_goes_into_the_discount() {
    let rounded = Invoice {
        discount: Some(dong(1_000)),
        ..invoice(91_627, vec![line("2.345", "39500", None)])
    };
    let sum = nearest(&rounded).unwrap();
    assert_eq!((sum.discount, sum.difference), (money("1000.5"), None));
    assert!(
        sum.notes[0]
            .to_string()
            .ends_with("-0.5 went into the order's discount.")
    );
}

#[test]
fn r3_what_was_rounded_up_goes_into_the_tax_where_there_is_some() {
    let taxed = Invoice {
        total_tax: Some(dong(9_263)),
        ..invoice(101_891, vec![line("2.345", "39500", None)])
    };
    let sum = nearest(&taxed).unwrap();
    assert_eq!((sum.vat, sum.installation), (money("9263.5"), Money::ZERO));
    assert!(
        sum.notes[0]
            .to_string()
            .ends_with("0.5 went into the order's tax.")
    );
}

#[test]
fn r3_rounding_is_one_dong_an_amount_and_ten_at_most() {
    let lines = |count: usize| vec![line("1", "1000", None); count];
    for (count, off, difference) in [
        (1, 1, None),
        (1, 2, Some(2)),
        (3, -3, None),
        (3, -4, Some(-4)),
        (10, 10, None),
        (30, 10, None),
        (30, 11, Some(11)),
    ] {
        let total = i64::try_from(count).unwrap() * 1_000 + off;
        let sum = nearest(&invoice(total, lines(count))).unwrap();
        assert_eq!(sum.difference, difference.map(dong), "{count} {off}");
        assert_eq!(sum.notes.len(), usize::from(difference.is_none()));
    }
}

#[test]
fn r3_a_line_sold_above_its_price_raises_it_but_rounding_does_not() {
    for (total, price, off) in [
        (200_001, "100000", 0),
        (200_002, "100001", 0),
        (200_003, "100001.5", 0),
    ] {
        let sum = nearest(&invoice(total, vec![line("2", "100000", Some(total))])).unwrap();
        assert_eq!(sum.lines[0].price, money(price), "{total}");
        assert_eq!(sum.lines[0].cash_discount, dong(off));
        assert_eq!(getfly_total(&sum), Decimal::from(total));
        assert_eq!(sum.notes.len(), 1, "{total}");
    }
}

#[test]
fn r3_only_surcharges_above_zero_count() {
    let charged = Invoice {
        surcharges: vec![
            surcharge("Phí ship", 30_000),
            surcharge("Phí ship", 0),
            surcharge("Lắp đặt", -5_000),
        ],
        ..invoice(40_000, vec![line("1", "10000", None)])
    };
    let sum = nearest(&charged).unwrap();
    assert_eq!(
        (sum.transport, sum.installation, sum.difference),
        (dong(30_000), Money::ZERO, None)
    );
}

#[test]
fn r3_tax_is_on_top_or_inside_whichever_comes_nearer() {
    for (mode, total, vat, difference) in [
        (None, 110_000, 10_000, None),
        (None, 100_000, 0, None),
        (None, 109_998, 10_000, None),
        (None, 100_002, 0, None),
        (None, 107_000, 10_000, Some(-3_000)),
        (None, 103_000, 0, Some(3_000)),
        (None, 105_000, 0, Some(5_000)),
        (Some(0), 105_000, 10_000, Some(-5_000)),
        (Some(0), 100_000, 0, None),
        (Some(1), 110_000, 10_000, None),
    ] {
        let taxed = Invoice {
            total_tax: Some(dong(10_000)),
            pricing_mode: mode,
            ..invoice(total, vec![line("1", "100000", None)])
        };
        let sum = nearest(&taxed).unwrap();
        assert_eq!(
            (sum.vat, sum.difference),
            (dong(vat), difference.map(dong)),
            "{mode:?} {total}"
        );
    }
}

#[test]
fn r3_prices_with_their_tax_are_taken_where_the_line_totals_have_it() {
    let with_tax = InvoiceLine {
        price_after_tax: Some(dong(100_000)),
        ..line("2", "90909.0909090909", Some(200_000))
    };
    let taxed = Invoice {
        total_tax: Some(dong(18_182)),
        pricing_mode: Some(1),
        discount: Some(money("9090.9090909091")),
        discount_after_tax: Some(dong(10_000)),
        ..invoice(190_000, vec![with_tax])
    };
    let sum = nearest(&taxed).unwrap();
    assert_eq!((sum.lines[0].price, sum.vat), (dong(100_000), Money::ZERO));
    assert_eq!((sum.discount, sum.difference), (dong(10_000), None));
    assert!(sum.notes.is_empty(), "{:?}", sum.notes);
}

#[test]
fn r3_ten_decimals_times_a_weight_lose_no_digit() {
    let sum = nearest(&Invoice {
        total_tax: Some(dong(21_318)),
        pricing_mode: Some(1),
        ..invoice(234_500, vec![line("2.345", "90909.0909090909", None)])
    })
    .unwrap();
    assert_eq!(sum.lines[0].price, money("90909.0909090909"));
    assert_eq!(getfly_total(&sum), Decimal::from(234_500));
    assert_eq!(sum.vat, money("21318.1818181818395"));
}

#[test]
fn r3_absurd_amounts_are_refused() {
    let huge = line("10", "1000000000000000000", None);
    assert_eq!(nearest(&invoice(0, vec![huge])), Err(AbsurdAmount));
}

#[test]
fn r3_shipping_is_recognised_by_its_words() {
    for name in [
        "Vận chuyển",
        "van_chuyen",
        "Giao hàng",
        "GIAO HANG",
        "Shipping",
        "Phí ship",
        "Cước xe",
        "Phí giao",
        "Chuyển phát nhanh",
        "Va\u{323}\u{302}n chuyê\u{309}n",
        "Delivery fee",
    ] {
        assert!(is_shipping(name), "{name}");
    }
    for name in [
        "Lắp đặt",
        "Membership",
        "Đặt cọc",
        "VAT",
        "Phí dịch vụ",
        "Gói quà",
        "",
    ] {
        assert!(!is_shipping(name), "{name}");
    }
}

/// Where KiotViet puts an invoice's tax.
#[derive(Debug, Clone, Copy)]
enum Taxed {
    /// No tax, or tax that is stated and included in the prices.
    Inside,
    /// On top of what is left after the discount.
    AfterDiscount,
    /// On top of the lines before the discount.
    BeforeDiscount,
    /// The shop types prices with tax; KiotViet sends them without, to ten decimals.
    PricesWithTax,
    /// The same, and the total is the sum of the typed prices.
    TypedTotal,
}

/// One line as the shop types it.
#[derive(Debug, Clone)]
struct Typed {
    quantity: Decimal,
    price: i64,
    /// Discount on each unit, in hundredths of the price.
    off: i64,
}

#[derive(Debug, Clone)]
struct Shop {
    taxed: Taxed,
    rate: i64,
    lines: Vec<Typed>,
    /// Discount on the invoice, in hundredths of the lines.
    off: i64,
    off_as_ratio: bool,
    surcharges: Vec<i64>,
    tells_line_totals: bool,
    tells_prices_with_tax: bool,
}

fn whole(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero)
}

fn exact(amount: Decimal) -> Money {
    Money::new(amount).unwrap()
}

impl Shop {
    /// A typed amount without its tax.
    fn before_tax(&self, amount: Decimal) -> Decimal {
        match self.taxed {
            Taxed::PricesWithTax | Taxed::TypedTotal => {
                (amount * Decimal::ONE_HUNDRED / Decimal::from(100 + self.rate)).round_dp(10)
            }
            _ => amount,
        }
    }

    /// KiotViet's invoice by its own formula: each amount rounded by itself.
    fn invoice(&self) -> Invoice {
        let with_tax = matches!(self.taxed, Taxed::PricesWithTax | Taxed::TypedTotal);
        let rate = Decimal::new(self.rate, 2);
        let (mut lines, mut sum, mut typed_sum, mut tax) =
            (Vec::new(), Decimal::ZERO, Decimal::ZERO, Decimal::ZERO);
        for typed in &self.lines {
            let price = Decimal::from(typed.price);
            let off = whole(price * Decimal::new(typed.off, 2));
            let (before, off_before) = (self.before_tax(price), self.before_tax(off));
            let line_total = whole((before - off_before) * typed.quantity);
            sum += line_total;
            typed_sum += whole((price - off) * typed.quantity);
            tax += whole(line_total * rate);
            lines.push(InvoiceLine {
                product_code: "SP1".into(),
                quantity: typed.quantity,
                price: exact(before),
                discount: exact(off_before),
                price_after_tax: (with_tax && self.tells_prices_with_tax).then(|| exact(price)),
                discount_after_tax: (with_tax && self.tells_prices_with_tax).then(|| exact(off)),
                sub_total: self.tells_line_totals.then(|| exact(line_total)),
                ..InvoiceLine::default()
            });
        }
        let typed_off = whole(typed_sum * Decimal::new(self.off, 2));
        let off = whole(self.before_tax(typed_off));
        let surcharges: Decimal = self.surcharges.iter().copied().map(Decimal::from).sum();
        let (total, tax) = match self.taxed {
            Taxed::Inside => (sum - off + surcharges, tax),
            Taxed::BeforeDiscount => (sum - off + surcharges + tax, tax),
            Taxed::AfterDiscount | Taxed::PricesWithTax => {
                let tax = whole((sum - off) * rate);
                (sum - off + surcharges + tax, tax)
            }
            Taxed::TypedTotal => {
                let payable = typed_sum - typed_off;
                (payable + surcharges, payable - (sum - off))
            }
        };
        let as_ratio = self.off_as_ratio && !with_tax && self.tells_line_totals;
        Invoice {
            total: exact(total),
            discount: (!as_ratio).then(|| exact(off)),
            discount_ratio: as_ratio.then(|| Decimal::from(self.off)),
            discount_after_tax: (with_tax && self.tells_prices_with_tax).then(|| exact(typed_off)),
            total_tax: (self.rate > 0).then(|| exact(tax)),
            pricing_mode: match self.taxed {
                Taxed::Inside => None,
                Taxed::AfterDiscount | Taxed::BeforeDiscount => Some(0),
                Taxed::PricesWithTax | Taxed::TypedTotal => Some(1),
            },
            lines,
            surcharges: self
                .surcharges
                .iter()
                .map(|a| surcharge("Phí", *a))
                .collect(),
            ..Invoice::default()
        }
    }
}

fn shops() -> impl Strategy<Value = Shop> {
    let taxed = prop_oneof![
        Just(Taxed::Inside),
        Just(Taxed::AfterDiscount),
        Just(Taxed::BeforeDiscount),
        Just(Taxed::PricesWithTax),
        Just(Taxed::TypedTotal),
    ];
    let typed = (1i64..100_000, 0u32..=3, 0i64..20_000_000, 0i64..=60).prop_map(
        |(quantity, scale, price, off)| Typed {
            quantity: Decimal::new(quantity, scale),
            price,
            off,
        },
    );
    (
        (taxed, prop::sample::select(vec![0i64, 1, 5, 8, 10])),
        prop::collection::vec(typed, 1..9),
        (0i64..=50, any::<bool>()),
        prop::collection::vec(0i64..1_000_000, 0..3),
        (any::<bool>(), any::<bool>()),
    )
        .prop_map(|((taxed, rate), lines, off, surcharges, tells)| Shop {
            taxed,
            rate,
            lines,
            off: off.0,
            off_as_ratio: off.1,
            surcharges,
            tells_line_totals: tells.0,
            tells_prices_with_tax: tells.1,
        })
}

proptest! {
    #[test]
    fn r3_getflys_total_is_kiotviets_for_any_invoice_of_kiotviets_formula(shop in shops()) {
        let invoice = shop.invoice();
        let sum = nearest(&invoice).unwrap();
        prop_assert_eq!(sum.difference, None);
        prop_assert_eq!(getfly_total(&sum), invoice.total.amount());
        prop_assert_eq!(sum.computed, invoice.total);
        for (made, told) in sum.lines.iter().zip(&invoice.lines) {
            prop_assert!(!made.cash_discount.is_negative());
            let own = made.price == told.price || Some(made.price) == told.price_after_tax;
            prop_assert!(own, "{:?} bends {:?}", made, told);
        }
    }

    #[test]
    fn r3_any_difference_is_told_and_the_rest_adds_up(
        quantity in 1i64..100_000, scale in 0u32..4, price in 0i64..100_000_000,
        discount in -1_000_000i64..1_000_000, sub_total in prop::option::of(0i64..1_000_000_000),
        total in 0i64..1_000_000_000,
    ) {
        let line = InvoiceLine {
            quantity: Decimal::new(quantity, scale),
            price: dong(price),
            discount: dong(discount),
            sub_total: sub_total.map(dong),
            ..InvoiceLine::default()
        };
        let sum = nearest(&invoice(total, vec![line])).unwrap();
        prop_assert!(!sum.lines[0].cash_discount.is_negative());
        prop_assert_eq!(getfly_total(&sum), sum.computed.amount());
        let told = sum.difference.unwrap_or_default();
        prop_assert_eq!(sum.computed.checked_add(told).unwrap(), dong(total));
    }
}
