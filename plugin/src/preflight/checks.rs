//! The checks of a preflight. Each asks as little as it can, and what a side does not answer is told as that.

use crate::{
    getfly::{client::Required, error::GetflyError},
    journal::connection_name::Side,
    kiotviet::error::KiotVietError,
    preflight::{
        finding::{Finding, Of, Resource},
        report::{Check, Checked, Preflight, Unknown},
    },
    reconcile::webhooks,
    rules::{
        codes::{Edition, InvoiceCode},
        email::EmailField,
        executor::{ExecutorFinding, find_executor},
        model::{Account, Invoice},
        phone::{PhoneField, PhoneNumber},
    },
    time::Timestamp,
    worker::session::{Session, USERS_FRESH},
    world::World,
};
use std::collections::{BTreeMap, BTreeSet};

/// Product codes that are kept to be looked up: more than the calls of a run.
const MOST_CODES: usize = 80;
/// Codes that a finding names.
const NAMED: usize = 10;

/// What a check finds, or why it cannot.
type Found = Result<Vec<Finding>, Unknown>;

/// A failure of Getfly's: a finding where it is about the key, and otherwise why something is not known.
fn at_getfly(error: GetflyError, to: Option<Resource>) -> Found {
    let side = Side::Getfly;
    match (&error, to) {
        (GetflyError::KeyRefused { status: 403 }, Some(to)) => {
            Ok(vec![Finding::NoRight { side, to }])
        }
        (GetflyError::KeyRefused { .. }, _) => Ok(vec![Finding::KeyRefused { side }]),
        _ => Err(Unknown::Failed(error.into())),
    }
}

fn at_kiotviet(error: KiotVietError, to: Resource) -> Found {
    let side = Side::KiotViet;
    match error {
        KiotVietError::NoRight => Ok(vec![Finding::NoRight { side, to }]),
        KiotVietError::Unauthorized { .. } | KiotVietError::CredentialsRefused { .. } => {
            Ok(vec![Finding::KeyRefused { side }])
        }
        error => Err(Unknown::Failed(error.into())),
    }
}

/// Joins what several questions of one check came to.
#[derive(Default)]
struct All {
    findings: Vec<Finding>,
    unknown: Option<Unknown>,
}

impl All {
    fn add(&mut self, found: Found) {
        match found {
            Ok(findings) => {
                for finding in findings {
                    if !self.findings.contains(&finding) {
                        self.findings.push(finding);
                    }
                }
            }
            Err(unknown) => {
                self.unknown.get_or_insert(unknown);
            }
        }
    }
}

/// Looks at one thing; none where it takes longer than `until` and goes on with the next request.
pub(super) async fn look<W: World>(
    session: &Session<'_, W>,
    run: &mut Preflight,
    check: Check,
    until: Timestamp,
) -> Option<Checked> {
    let mut all = All::default();
    match check {
        Check::Version => all.add(version(session).await),
        Check::GetflyRights => getfly_rights(session, &mut all).await,
        Check::KiotVietRights => kiotviet_rights(session, &mut all).await,
        Check::OtherBridges => all.add(other_bridges(session).await),
        Check::Sellers => all.add(sellers(session).await),
        Check::Fields => fields(session, &mut all).await,
        Check::Accounts => all.add(accounts(session).await),
        Check::Customers => all.add(customers(session).await),
        Check::Invoices => invoices(session, run, &mut all).await,
        Check::Products => {
            let complete = products(session, run, &mut all, until).await;
            if !complete {
                return None;
            }
        }
    }
    Some(Checked {
        check,
        findings: all.findings,
        unknown: all.unknown,
    })
}

async fn version<W: World>(session: &Session<'_, W>) -> Found {
    match session.getfly().is_old_version().await {
        Ok(true) => Ok(vec![Finding::OldGetfly]),
        Ok(false) => match session.getfly().control().await {
            Ok(()) => Ok(Vec::new()),
            Err(error) => at_getfly(error, Some(Resource::Customers)),
        },
        Err(error) => at_getfly(error, None),
    }
}

async fn getfly_rights<W: World>(session: &Session<'_, W>, all: &mut All) {
    for (path, field, to) in [
        ("/users", "user_id", Resource::Users),
        ("/sale_orders", "id", Resource::Orders),
        ("/products", "product_code", Resource::Products),
    ] {
        if let Err(error) = session.getfly().may_read(path, field).await {
            all.add(at_getfly(error, Some(to)));
        }
    }
}

async fn kiotviet_rights<W: World>(session: &Session<'_, W>, all: &mut All) {
    for (path, to) in [
        ("/customers", Resource::Customers),
        ("/invoices", Resource::Invoices),
        ("/users", Resource::Users),
        ("/webhooks", Resource::Webhooks),
    ] {
        if to == Resource::Users && session.connection.retailer.edition() == Edition::Fnb {
            // The sellers tell.
            continue;
        }
        let read = session.kiotviet(async |k| k.may_read(path).await).await;
        if let Err(error) = read {
            all.add(at_kiotviet(error, to));
        }
    }
}

async fn other_bridges<W: World>(session: &Session<'_, W>) -> Found {
    match session.kiotviet(async |k| k.webhooks().await).await {
        Ok(registered) => {
            let others = webhooks::of_another_bridge(session, &registered).await;
            let others = others.into_iter();
            Ok(others
                .map(|origin| Finding::OtherBridge { origin })
                .collect())
        }
        // The rights say so already.
        Err(KiotVietError::NoRight) => Ok(Vec::new()),
        Err(error) => at_kiotviet(error, Resource::Webhooks),
    }
}

async fn sellers<W: World>(session: &Session<'_, W>) -> Found {
    let sellers = match session.kiotviet_users(USERS_FRESH).await {
        Ok(sellers) => sellers,
        Err(KiotVietError::NotOffered) => return Ok(vec![Finding::UsersNotOffered]),
        Err(error) => return at_kiotviet(error, Resource::Users),
    };
    let users = match session.getfly_users(USERS_FRESH).await {
        Ok(users) => users,
        Err(error) => return at_getfly(error, Some(Resource::Users)),
    };
    let ignored = &session.ready.rules.ignored_phones;
    let without = sellers.iter().filter(|seller| {
        let found = find_executor(Some(seller.id), &sellers, &users, ignored);
        !matches!(found, ExecutorFinding::Found(_))
    });
    let (without, of) = (without.count(), sellers.len());
    let finding = Finding::SellersWithoutUser {
        sellers: without,
        of,
    };
    Ok((without > 0).then_some(finding).into_iter().collect())
}

async fn fields<W: World>(session: &Session<'_, W>, all: &mut All) {
    for of in [Of::Account, Of::Order] {
        let kind = match of {
            Of::Account => Required::Account,
            Of::Order => Required::Order,
        };
        let found = match session.getfly().required_fields(kind).await {
            Ok(names) => {
                let names = names.into_iter().take(NAMED);
                Ok(names
                    .map(|name| Finding::RequiredField { of, name })
                    .collect())
            }
            Err(error) => at_getfly(error, None),
        };
        all.add(found);
    }
}

/// Of Getfly's newest accounts: who is there twice, and how phones are stored.
async fn accounts<W: World>(session: &Session<'_, W>) -> Found {
    let (accounts, made_by_getfly) = match session.getfly().newest_accounts().await {
        Ok(found) => found,
        Err(error) => return at_getfly(error, Some(Resource::Customers)),
    };
    let ignored = &session.ready.rules.ignored_phones;
    let mut findings = Vec::new();
    let twice = shared(&accounts, ignored);
    if twice > 0 {
        findings.push(Finding::DuplicateAccounts {
            accounts: twice,
            of: accounts.len(),
        });
    }
    let phones = accounts.iter().filter_map(|account| {
        let phone = PhoneNumber::parse(&account.phone)?;
        Some(phone.as_str() == account.phone.trim())
    });
    let phones: Vec<bool> = phones.collect();
    let otherwise = phones.iter().filter(|plain| !**plain).count();
    if otherwise > 0 {
        findings.push(Finding::PhonesStoredOtherwise {
            phones: otherwise,
            of: phones.len(),
        });
    }
    if made_by_getfly > 0 {
        findings.push(Finding::OwnIntegration {
            traces: made_by_getfly,
        });
    }
    Ok(findings)
}

/// How many accounts share a phone or an e-mail with one before them.
fn shared(accounts: &[Account], ignored: &[PhoneNumber]) -> usize {
    let mut seen = BTreeSet::new();
    let twice = accounts.iter().filter(|account| {
        let phones = PhoneField::parse(&account.phone);
        let phones = phones
            .matchable(ignored)
            .map(|phone| phone.as_str().to_owned());
        let emails = EmailField::parse(&account.email);
        let emails = emails.addresses().iter().map(|one| one.as_str().to_owned());
        let marks: Vec<String> = phones.chain(emails).collect();
        let known = marks.iter().any(|mark| seen.contains(mark));
        seen.extend(marks);
        known
    });
    twice.count()
}

async fn customers<W: World>(session: &Session<'_, W>) -> Found {
    let numbers = session.kiotviet(async |k| k.newest_phones().await).await;
    let numbers = match numbers {
        Ok(numbers) => numbers,
        Err(KiotVietError::NoRight) => return Ok(Vec::new()),
        Err(error) => return at_kiotviet(error, Resource::Customers),
    };
    let masked = numbers
        .iter()
        .filter(|text| PhoneField::parse(text).is_masked());
    let masked = masked.count();
    let finding = Finding::MaskedPhones {
        phones: masked,
        of: numbers.len(),
    };
    Ok((masked > 0).then_some(finding).into_iter().collect())
}

/// Of the shop's last invoices: their codes, deleted products, and whether Getfly has an order under an invoice's own
/// code. Their product codes are kept for the next check.
async fn invoices<W: World>(session: &Session<'_, W>, run: &mut Preflight, all: &mut All) {
    let invoices = session.kiotviet(async |k| k.newest_invoices().await).await;
    let invoices = match invoices {
        Ok(invoices) => invoices,
        Err(KiotVietError::NoRight) => return,
        Err(error) => return all.add(at_kiotviet(error, Resource::Invoices)),
    };
    let known = |code: &str| invoices.iter().any(|one| one.code.as_str() == code);
    let own = invoices
        .iter()
        .find(|one| one.code.is_edit() && !known(one.code.base()));
    all.findings.extend(own.map(|one| Finding::OwnCodes {
        example: one.code.as_str().to_owned(),
    }));
    let deleted = codes(&invoices, |deleted| deleted);
    if !deleted.is_empty() {
        all.findings.push(Finding::DeletedProducts {
            codes: deleted.into_iter().take(NAMED).collect(),
        });
    }
    run.codes = codes(&invoices, |_| true);
    run.codes.truncate(MOST_CODES);
    // The last one is looked up first.
    run.codes.reverse();
    match session.getfly().newest_order_codes().await {
        Ok(orders) => {
            let is_invoices = |order: &&String| known(InvoiceCode::new(order).as_str());
            let traces = orders.iter().filter(is_invoices).count();
            if traces > 0 {
                all.findings.push(Finding::OwnIntegration { traces });
            }
        }
        // The rights say so already.
        Err(GetflyError::KeyRefused { .. }) => {}
        Err(error) => all.add(at_getfly(error, None)),
    }
}

/// Product codes of these invoices, those of the most lines first.
fn codes(invoices: &[Invoice], wanted: impl Fn(bool) -> bool) -> Vec<String> {
    let lines = invoices.iter().flat_map(|invoice| &invoice.lines);
    let lines = lines.filter(|line| wanted(line.is_deleted) && !line.product_code.is_empty());
    let mut lines_of: BTreeMap<&str, usize> = BTreeMap::new();
    for line in lines {
        let count = lines_of.entry(&line.product_code).or_default();
        *count = count.saturating_add(1);
    }
    let mut codes: Vec<_> = lines_of.into_iter().collect();
    codes.sort_by_key(|(_, lines)| core::cmp::Reverse(*lines));
    codes.into_iter().map(|(code, _)| code.to_owned()).collect()
}

/// Looks up the product codes that are left, one call each; false where the time is over before.
async fn products<W: World>(
    session: &Session<'_, W>,
    run: &mut Preflight,
    all: &mut All,
    until: Timestamp,
) -> bool {
    while let Some(code) = run.codes.last().cloned() {
        if session.world.now() >= until {
            return false;
        }
        match session.getfly().product(&code).await {
            Ok(found) => {
                run.looked_up = run.looked_up.saturating_add(1);
                if found.is_none() {
                    run.unknown_codes.push(code);
                }
                run.codes.pop();
            }
            Err(error) => {
                run.codes.clear();
                all.add(at_getfly(error, Some(Resource::Products)));
            }
        }
    }
    if !run.unknown_codes.is_empty() {
        let codes = core::mem::take(&mut run.unknown_codes);
        all.findings.push(Finding::UnknownProducts {
            unknown: codes.len(),
            of: run.looked_up,
            codes: codes.into_iter().take(NAMED).collect(),
        });
    }
    true
}
