//! What both systems have now of what an event is about, read when a person asks. Nothing is kept.

use crate::{
    admin::api::{
        connections::open,
        events,
        first_day::{Shown, of_event, sent},
        problem::Problem,
        request::known,
        tenant, view,
    },
    config::Ready,
    journal::{
        cursor,
        record::{Kind, Record},
        trouble::Trouble,
    },
    kiotviet::error::KiotVietError,
    rules::{
        codes::{Edition, RetailerId},
        model::{Customer, Invoice, InvoiceLine},
        money::Money,
        newness::CANCELLED,
    },
    time::Date,
    vendor::encoding::percent_encode,
    worker::{
        permit::{Permit, Worker},
        session::Session,
    },
    world::World,
};
use core::time::Duration;
use serde::Serialize;

/// Names of sellers may be this old.
const USERS_AGE: Duration = Duration::from_secs(3600);

/// `GET /api/events/{seq}/live`.
#[derive(Debug, Serialize)]
pub(in crate::admin) struct Live {
    /// The customer at KiotViet; none for a walk-in, or when KiotViet has none.
    pub(in crate::admin) customer: Option<LiveCustomer>,
    /// What Getfly has, as it answers.
    pub(in crate::admin) getfly: Vec<Shown>,
    /// The invoice at KiotViet; none when KiotViet has none.
    pub(in crate::admin) invoice: Option<LiveInvoice>,
    /// Where to see it in KiotViet and in Getfly.
    pub(in crate::admin) links: [String; 2],
    /// What was sent to Getfly and how it answered; kept of a shop's first events only.
    pub(in crate::admin) sent: Vec<Shown>,
    /// Why a side could not be read.
    pub(in crate::admin) unread: Vec<view::InWords<Trouble>>,
}

/// A customer as KiotViet has it.
#[derive(Debug, Serialize)]
pub(in crate::admin) struct LiveCustomer {
    pub(in crate::admin) address: String,
    pub(in crate::admin) code: String,
    pub(in crate::admin) email: String,
    pub(in crate::admin) name: String,
    pub(in crate::admin) phone: String,
}

/// An invoice as KiotViet has it.
#[derive(Debug, Serialize)]
pub(in crate::admin) struct LiveInvoice {
    pub(in crate::admin) code: String,
    pub(in crate::admin) customer_name: String,
    pub(in crate::admin) day: Option<Date>,
    pub(in crate::admin) discount: Option<Money>,
    pub(in crate::admin) is_cancelled: bool,
    pub(in crate::admin) lines: Vec<LiveLine>,
    /// The seller's name; none when KiotViet does not tell it.
    pub(in crate::admin) seller: Option<String>,
    /// Each surcharge by its name.
    pub(in crate::admin) surcharges: Vec<(String, Money)>,
    pub(in crate::admin) tax: Option<Money>,
    pub(in crate::admin) total: Money,
}

/// A line of it.
#[derive(Debug, Serialize)]
pub(in crate::admin) struct LiveLine {
    pub(in crate::admin) code: String,
    /// Per unit.
    pub(in crate::admin) discount: Money,
    pub(in crate::admin) name: String,
    /// Per unit, before its discount.
    pub(in crate::admin) price: Money,
    /// May have a fraction.
    pub(in crate::admin) quantity: String,
    /// The line's total; none where KiotViet does not tell it.
    pub(in crate::admin) total: Option<Money>,
}

impl From<Customer> for LiveCustomer {
    fn from(customer: Customer) -> Self {
        Self {
            address: customer.address,
            code: customer.code,
            email: customer.email,
            name: customer.name,
            phone: customer.contact_number,
        }
    }
}

impl From<InvoiceLine> for LiveLine {
    fn from(line: InvoiceLine) -> Self {
        Self {
            code: line.product_code,
            discount: line.discount,
            name: line.product_name,
            price: line.price,
            quantity: line.quantity.normalize().to_string(),
            total: line.sub_total,
        }
    }
}

impl LiveInvoice {
    fn of(invoice: Invoice, seller: Option<String>) -> Self {
        let surcharges = invoice.surcharges.into_iter();
        Self {
            code: invoice.code.as_str().to_owned(),
            customer_name: invoice.customer_name,
            day: invoice.purchase_date,
            discount: invoice.discount,
            is_cancelled: invoice.status == CANCELLED,
            lines: invoice.lines.into_iter().map(LiveLine::from).collect(),
            seller,
            surcharges: surcharges.map(|one| (one.name, one.amount)).collect(),
            tax: invoice.total_tax,
            total: invoice.total,
        }
    }
}

/// What both systems have of an event. Reads both sides; one that fails hides nothing of the other.
pub(in crate::admin) async fn of<W: World>(
    world: &W,
    ready: &Ready,
    record: &Record,
) -> Result<Live, Problem> {
    let connection = known(world, record.connection.as_str()).await?;
    tenant::check(world, ready).await?;
    let opened = open(&connection, ready)?;
    let calls = cursor::getfly_calls(world).await;
    let worker = Worker::new(world, Permit::ReadOnly, ready, calls);
    let session = Session::new(&worker, ready, &connection, &opened);
    let mut live = Live {
        customer: None,
        getfly: Vec::new(),
        invoice: None,
        links: Default::default(),
        sent: sent(ready, record),
        unread: Vec::new(),
    };
    if let Some(hint) = &record.hint
        && let Err(error) = of_kiotviet(&session, record.kind, hint.id, &mut live).await
    {
        live.unread.push(view::InWords(error.into()));
    }
    match of_event(&worker, ready, record).await {
        Ok(found) => live.getfly = found.into_iter().map(Shown::from).collect(),
        Err(error) => live.unread.push(view::InWords(error.into())),
    }
    let account = record.account_code.as_ref().and_then(|_| id(&live.getfly));
    let code = code(&live, record.kind).map(str::to_owned);
    live.links = places(
        &connection.retailer,
        ready,
        record,
        code.as_deref(),
        account,
    );
    Ok(live)
}

/// The code that KiotViet's sale or customer has now.
fn code(live: &Live, kind: Kind) -> Option<&str> {
    let invoice = live.invoice.as_ref().map(|one| one.code.as_str());
    let customer = live.customer.as_ref().map(|one| one.code.as_str());
    match kind {
        Kind::Invoice => invoice,
        Kind::Customer => customer,
        Kind::Other => None,
    }
}

/// The id of the account that was read first.
fn id(read: &[Shown]) -> Option<u64> {
    let answer = &read.first()?.answer;
    let id = answer.get("data").unwrap_or(answer).get("id")?;
    id.as_u64().or_else(|| id.as_str()?.parse().ok())
}

/// Where a person sees an event's sale or customer in KiotViet and in Getfly, as far as that is known. KiotViet's list is
/// asked for one code, and shows all of them where it does not know how; Getfly's page of an account has its id.
pub(in crate::admin) fn places(
    retailer: &RetailerId,
    ready: &Ready,
    record: &Record,
    code: Option<&str>,
    account: Option<u64>,
) -> [String; 2] {
    let hinted = record.hint.as_ref().and_then(|hint| hint.code.as_deref());
    let list = match record.kind {
        Kind::Invoice => Some("Invoices"),
        Kind::Customer => Some("Customers"),
        Kind::Other => None,
    };
    let mut kiotviet = retailer.web_address();
    if let (Edition::Retail, Some(list)) = (retailer.edition(), list) {
        kiotviet += &format!("/man/#/{list}");
        if let Some(code) = code.or(hinted) {
            kiotviet += &format!("?Code={}", percent_encode(code));
        }
    }
    let mut getfly = ready.getfly_url.clone();
    if let Some(id) = account {
        getfly += &format!("/#/crm/view_account/{id}");
    }
    [kiotviet, getfly]
}

/// `GET /api/events/{seq}/live`.
pub(in crate::admin) async fn live<W: World>(
    world: &W,
    ready: &Ready,
    seq: &str,
) -> Result<Live, Problem> {
    of(world, ready, &events::read(world, seq).await?).await
}

async fn of_kiotviet<W: World>(
    session: &Session<'_, Worker<'_, W>>,
    kind: Kind,
    id: i64,
    live: &mut Live,
) -> Result<(), KiotVietError> {
    let mut customer = (kind == Kind::Customer).then_some(id);
    if kind == Kind::Invoice {
        let invoice = session.kiotviet(async |k| k.invoice(id).await).await?;
        let seller = invoice.as_ref().and_then(|invoice| invoice.sold_by_id);
        customer = invoice.as_ref().and_then(|invoice| invoice.customer_id);
        let seller = match seller {
            // Whoever may not read the users still sees the sale.
            Some(seller) => session
                .kiotviet_users(USERS_AGE)
                .await
                .ok()
                .and_then(|all| {
                    let mut all = all.into_iter();
                    all.find(|user| user.id == seller).map(|u| u.given_name)
                }),
            None => None,
        };
        live.invoice = invoice.map(|invoice| LiveInvoice::of(invoice, seller));
    }
    if let Some(id) = customer {
        let found = session.kiotviet(async |k| k.customer(id).await).await?;
        live.customer = found.map(LiveCustomer::from);
    }
    Ok(())
}
