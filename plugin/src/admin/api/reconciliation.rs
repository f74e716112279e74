//! KiotViet's sales of a day against Getfly's orders of that day, read from both: counts, sums, and each difference. It
//! only reads.

use crate::{
    admin::api::{
        connections::open,
        problem::{self, Problem},
        tenant,
    },
    config::Ready,
    getfly::wire::StoredOrder,
    journal::{
        connection_name::ConnectionName,
        connections::{self, Connection},
        cursor,
        ledger::{self, InvoiceKnown},
    },
    rules::{
        codes::OrderCode,
        model::Invoice,
        money::Money,
        newness::{CANCELLED, KnownInvoice},
    },
    time::Date,
    worker::{
        permit::{Permit, Worker},
        session::Session,
    },
    world::World,
};
use serde::Serialize;
use std::collections::BTreeSet;

/// Calls that one answer may take.
const MOST_CALLS: u64 = 100;

/// How many there are, and what they come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(in crate::admin) struct Sum {
    pub(in crate::admin) count: u64,
    pub(in crate::admin) sum: Money,
}

impl Sum {
    fn add(&mut self, amount: Money) {
        self.count = self.count.saturating_add(1);
        self.sum = self.sum.checked_add(amount).unwrap_or(self.sum);
    }
}

/// In what KiotViet and Getfly differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::admin) enum Differs {
    /// The sale was there before its webhook was switched on.
    BeforeConnection,
    /// Getfly has no order of this day for the sale.
    MissingInGetfly,
    /// Both have it, with different totals.
    Total,
    /// Getfly has an order that is no living sale of the day: cancelled, deleted, or sold on another day.
    NotOnKiotviet,
    /// KiotViet's invoice cannot be read, so it is not compared.
    Unreadable,
}

impl Differs {
    /// Its word in the API.
    fn as_str(self) -> &'static str {
        match self {
            Self::BeforeConnection => "before_connection",
            Self::MissingInGetfly => "missing_in_getfly",
            Self::Total => "total",
            Self::NotOnKiotviet => "not_on_kiotviet",
            Self::Unreadable => "unreadable",
        }
    }
}

/// A difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in crate::admin) struct Difference {
    pub(in crate::admin) differs: Differs,
    pub(in crate::admin) getfly: Option<Money>,
    pub(in crate::admin) invoice_code: Option<String>,
    pub(in crate::admin) kiotviet: Option<Money>,
    pub(in crate::admin) order_code: Option<String>,
}

/// One shop's day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in crate::admin) struct Shop {
    pub(in crate::admin) connection: ConnectionName,
    pub(in crate::admin) differences: Vec<Difference>,
    pub(in crate::admin) getfly: Sum,
    pub(in crate::admin) kiotviet: Sum,
}

/// A shop whose sales could not be read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(in crate::admin) struct Unread {
    pub(in crate::admin) connection: ConnectionName,
    pub(in crate::admin) problem: Problem,
}

/// `GET /api/reconciliation?day=`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(in crate::admin) struct Day {
    pub(in crate::admin) day: Date,
    pub(in crate::admin) shops: Vec<Shop>,
    pub(in crate::admin) unread: Vec<Unread>,
}

/// The day that a query asks for.
pub(in crate::admin) fn asked(query: Option<&str>) -> Result<Date, Problem> {
    let mut day = None;
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        match name.as_ref() {
            "day" => day = value.parse().ok(),
            _ => return Err(problem::invalid("day is the only parameter of this route.")),
        }
    }
    day.ok_or_else(|| problem::invalid("day must be a day, e.g. ?day=2026-10-05."))
}

/// Each shop's sales of `day` against its orders. A shop that cannot be read hides no other; where none can be, that is
/// the answer.
pub(in crate::admin) async fn of_day<W: World>(
    world: &W,
    ready: &Ready,
    day: Date,
) -> Result<Day, Problem> {
    tenant::check(world, ready).await?;
    let (all, damaged) = connections::list(world).await?;
    let calls = cursor::getfly_calls(world).await;
    let worker = Worker::new(world, Permit::ReadOnly, ready, calls);
    worker.limit_calls(MOST_CALLS);
    let (mut shops, mut unread, mut orders) = (Vec::new(), Vec::new(), None);
    for connection in &all {
        let mut pass_over = |problem| {
            unread.push(Unread {
                connection: connection.name.clone(),
                problem,
            });
        };
        let opened = match open(connection, ready) {
            Ok(opened) => opened,
            Err(problem) => {
                pass_over(problem);
                continue;
            }
        };
        let session = Session::new(&worker, ready, connection, &opened);
        let sales = match session.kiotviet(async |k| k.invoices_of(day).await).await {
            Ok(sales) => sales,
            Err(error) => {
                pass_over(not_whole(&worker, error.into()));
                continue;
            }
        };
        let orders = match &orders {
            Some(orders) => orders,
            None => match session.getfly().orders_of_day(day).await {
                Ok(read) => orders.insert(read),
                Err(error) => return Err(not_whole(&worker, error.into())),
            },
        };
        shops.push(shop(&session, connection, &sales, orders).await?);
    }
    unread.extend(damaged.into_iter().map(|connection| Unread {
        connection,
        problem: Problem::new(
            409,
            "damaged-connection",
            "The connection's record cannot be read",
            "Connect the shop again with PUT, then switch its webhooks on again.",
        ),
    }));
    match unread.first() {
        Some(first) if shops.is_empty() => Err(first.problem.clone()),
        _ => Ok(Day { day, shops, unread }),
    }
}

/// What stopped a read: that the day has more than one answer may read, where it is that.
fn not_whole<W: World>(worker: &Worker<'_, W>, problem: Problem) -> Problem {
    if worker.calls_left() > 0 {
        return problem;
    }
    let detail = format!("One answer makes at most {MOST_CALLS} calls to KiotViet and Getfly.");
    let title = "This day has more sales and orders than one answer reads";
    Problem::new(409, "day-too-large", title, detail)
}

async fn shop<W: World>(
    session: &Session<'_, Worker<'_, W>>,
    connection: &Connection,
    (sales, unreadable): &(Vec<Invoice>, BTreeSet<String>),
    orders: &[StoredOrder],
) -> Result<Shop, Problem> {
    let of_shop = OrderCode::for_sale(&session.codes, "");
    let mut left: Vec<&StoredOrder> = orders
        .iter()
        .filter(|order| order.code.starts_with(of_shop.as_str()))
        .collect();
    let (mut getfly, mut kiotviet) = (Sum::default(), Sum::default());
    for order in &left {
        getfly.add(order.total.unwrap_or_default());
    }
    let mut differences = Vec::new();
    let mut taken = BTreeSet::new();
    for sale in sales.iter().filter(|sale| sale.status != CANCELLED) {
        kiotviet.add(sale.total);
        let code = sale.code.as_str();
        let again = format!("{code}-{}", sale.id);
        let words = [again.as_str(), code, sale.code.base()];
        let codes = words.map(|word| OrderCode::for_sale(&session.codes, word));
        let place = codes.iter().find_map(|code| {
            let mut left = left.iter();
            left.position(|order| order.code == code.as_str())
        });
        let mut order = place.map(|place| left.swap_remove(place));
        let mut why = Differs::MissingInGetfly;
        if order.is_none() {
            let known = ledger::invoices(session.world, &connection.retailer, &sale.code, sale.id);
            let known = known.await?;
            why = missing(&known);
            // A Getfly that numbers orders itself keeps it under a code of its own.
            let kept = known.order(&session.codes, sale.id, &sale.code);
            order = kept.and_then(|(code, _)| orders.iter().find(|o| o.code == code.as_str()));
            if let Some(order) = order {
                getfly.add(order.total.unwrap_or_default());
            }
        }
        taken.extend(order.map(|order| order.code.as_str()));
        let differs = match order {
            Some(order) if order.total.is_none_or(|total| total == sale.total) => continue,
            Some(_) => Differs::Total,
            None => why,
        };
        differences.push(Difference {
            differs,
            getfly: order.and_then(|order| order.total),
            invoice_code: Some(code.to_owned()),
            kiotviet: Some(sale.total),
            order_code: order.map(|order| order.code.clone()),
        });
    }
    // The orders of sales that were cancelled since, also where Getfly numbered them itself.
    for sale in sales.iter().filter(|sale| sale.status == CANCELLED) {
        let known = ledger::invoices(session.world, &connection.retailer, &sale.code, sale.id);
        let kept = known.await?.order(&session.codes, sale.id, &sale.code);
        let order = kept.and_then(|(code, _)| orders.iter().find(|o| o.code == code.as_str()));
        let Some(order) = order.filter(|order| taken.insert(order.code.as_str())) else {
            continue;
        };
        match left.iter().position(|one| one.code == order.code) {
            Some(place) => drop(left.swap_remove(place)),
            None => getfly.add(order.total.unwrap_or_default()),
        }
        differences.push(Difference {
            differs: Differs::NotOnKiotviet,
            getfly: order.total,
            invoice_code: Some(sale.code.as_str().to_owned()),
            kiotviet: None,
            order_code: Some(order.code.clone()),
        });
    }
    for code in unreadable {
        let order_code = OrderCode::for_sale(&session.codes, code);
        let place = left
            .iter()
            .position(|order| order.code == order_code.as_str());
        let order = place.map(|place| left.swap_remove(place));
        differences.push(Difference {
            differs: Differs::Unreadable,
            getfly: order.and_then(|order| order.total),
            invoice_code: Some(code.clone()),
            kiotviet: None,
            order_code: order.map(|order| order.code.clone()),
        });
    }
    differences.extend(left.into_iter().map(|order| Difference {
        differs: Differs::NotOnKiotviet,
        getfly: order.total,
        invoice_code: None,
        kiotviet: None,
        order_code: Some(order.code.clone()),
    }));
    Ok(Shop {
        connection: connection.name.clone(),
        differences,
        getfly,
        kiotviet,
    })
}

/// Why Getfly has no order of a sale of which this is known.
fn missing(known: &InvoiceKnown) -> Differs {
    let is_old = |known: &KnownInvoice| matches!(known, KnownInvoice::Old { .. });
    if known.for_rules().iter().any(is_old) {
        Differs::BeforeConnection
    } else {
        Differs::MissingInGetfly
    }
}

/// A cell that no table program takes for a formula.
fn cell(text: &str) -> String {
    let guarded = if text.starts_with(['=', '+', '-', '@']) {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    if guarded.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", guarded.replace('"', "\"\""))
    } else {
        guarded
    }
}

/// The API's table: its words are stable.
pub(in crate::admin) fn csv(day: &Day) -> String {
    let heads = [
        "day",
        "connection",
        "differs",
        "invoice_code",
        "order_code",
        "kiotviet_total",
        "getfly_total",
    ];
    table(day, heads, |differs| {
        differs.map_or("unread", Differs::as_str)
    })
}

/// The differences as a table, totals as plain numbers; a shop that could not be read has a row, too. `word` names a
/// difference, and none such a shop.
pub(in crate::admin) fn table(
    day: &Day,
    heads: [&str; 7],
    word: impl Fn(Option<Differs>) -> &'static str,
) -> String {
    let row = |cells: [&str; 7]| cells.map(cell).join(",") + "\r\n";
    let date = day.day.to_string();
    let mut out = row(heads);
    for shop in &day.shops {
        for one in &shop.differences {
            let total = |total: Option<Money>| total.map_or_else(String::new, |t| t.to_string());
            out += &row([
                &date,
                shop.connection.as_str(),
                word(Some(one.differs)),
                one.invoice_code.as_deref().unwrap_or_default(),
                one.order_code.as_deref().unwrap_or_default(),
                &total(one.kiotviet),
                &total(one.getfly),
            ]);
        }
    }
    for one in &day.unread {
        let name = one.connection.as_str();
        out += &row([&date, name, word(None), "", "", "", ""]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_no_formula_and_keeps_its_place() {
        for (text, written) in [
            ("HD1", "HD1"),
            ("=1+1", "'=1+1"),
            ("a,b", "\"a,b\""),
            ("a\"b", "\"a\"\"b\""),
        ] {
            assert_eq!(cell(text), written);
        }
    }
}
