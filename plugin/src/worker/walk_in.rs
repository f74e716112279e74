//! Orders without a customer (R5): walk-ins, and sales whose customer is gone from KiotViet. They
//! create at most one account a shop, whatever Getfly does with an order that names no account.
//!
//! The first such order goes without an account code, and what Getfly made of it is read back.
//! Until then the ledger owes the read-back, and the next order does it first.

use crate::{
    assumption::Assumption,
    getfly::{
        assumptions::TENANT_HOURS_AHEAD, error::GetflyError, refusal::DuplicateField,
        wire::StoredOrder,
    },
    journal::{keys, ledger, note::Note, record::Record, trouble::Target},
    rules::{
        codes::{AccountCode, OrderCode},
        model::{Account, NewAccount, NewOrder},
        text::filled,
    },
    stored,
    time::Timestamp,
    worker::{details, failure::Failure, forms, memory, session::Session},
    world::World,
};
use core::time::Duration;
use serde::{Deserialize, Serialize};

/// The name on such orders, and of their account.
const NAME: &str = "Khách lẻ";
/// An account that is older than the order by more than this was not created for it.
const CLOCK_SKEW: Duration = Duration::from_secs(600);

/// What the ledger knows of how Getfly handles a shop's orders without a customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WalkIns {
    /// This order was sent without an account code, in a call that has ended by `since`. What
    /// Getfly made of it is not read back yet.
    Owed { order: OrderCode, since: Timestamp },
    /// Getfly stores them without an account.
    Bare,
    /// This account was about to be created, in a call that has ended by `since`.
    Creating { code: AccountCode, since: Timestamp },
    /// They belong to this account.
    Account(AccountCode),
}

/// What the ledger knows. An unreadable entry counts as none, and the next order finds out again.
async fn load<W: World>(session: &Session<'_, W>) -> Result<Option<WalkIns>, Failure> {
    let key = keys::walk_ins(&session.connection.retailer);
    let bytes = session.world.get(&key).await?;
    Ok(bytes.and_then(|bytes| stored::read(&bytes).ok()))
}

async fn keep<W: World>(session: &Session<'_, W>, known: &WalkIns) -> Result<(), Failure> {
    let key = keys::walk_ins(&session.connection.retailer);
    Ok(session.world.set(&key, &stored::write(known)).await?)
}

/// Makes `order`, which names no account, ready to be sent: sets the name, and the account if there
/// is one for such orders. True if what Getfly makes of it must be read back.
pub async fn prepare<W: World>(
    session: &Session<'_, W>,
    record: &mut Record,
    order: &mut NewOrder,
) -> Result<bool, Failure> {
    let name = order.account.name.replace(NAME.to_owned());
    if let Some(customer) = name.as_deref().and_then(filled).filter(|name| name != NAME) {
        order.terms.push(format!("Khách hàng: {customer}"));
    }
    if let Some(code) = &session.ready.rules.walk_in_account_code {
        order.account.code = Some(code.clone());
        return Ok(false);
    }
    let known = match load(session).await? {
        Some(WalkIns::Owed { order: sent, since }) if sent != order.code => {
            settle(session, record, &sent, since).await?
        }
        Some(WalkIns::Creating { code, since }) => Some(WalkIns::Account(
            create(session, record, code, Some(since)).await?,
        )),
        known => known,
    };
    match known {
        Some(WalkIns::Account(code)) => {
            order.account.code = Some(code);
            Ok(false)
        }
        Some(WalkIns::Bare) => Ok(false),
        _ => {
            let owed = WalkIns::Owed {
                order: order.code.clone(),
                since: ledger::call_ends(session.world.now()),
            };
            keep(session, &owed).await?;
            Ok(true)
        }
    }
}

/// The order that was to be read back is refused for good: the ledger owes nothing.
pub async fn never_stored<W: World>(session: &Session<'_, W>) -> Result<(), Failure> {
    let key = keys::walk_ins(&session.connection.retailer);
    Ok(session.world.delete(&key).await?)
}

/// Reads back what Getfly made of the order that was just stored under `code`. A failure, or a Getfly that does
/// not show it yet, leaves it owed: the order exists, and its event must not wait for this.
pub async fn read_back<W: World>(session: &Session<'_, W>, record: &mut Record, code: &OrderCode) {
    let since = session.world.now();
    let Ok(order) = session.getfly().order_by_code(code).await else {
        return;
    };
    session
        .world
        .saw(Assumption::ReadsSeeWrites, order.is_some());
    if let Some(order) = order {
        let _ = judge(session, record, &order, since).await;
    }
}

/// Does the read-back that is owed for the order `sent` at `since`; none if that order was never
/// stored.
async fn settle<W: World>(
    session: &Session<'_, W>,
    record: &mut Record,
    sent: &OrderCode,
    since: Timestamp,
) -> Result<Option<WalkIns>, Failure> {
    let getfly = session.getfly();
    let mut order = getfly.order_by_code(sent).await?;
    if order.is_none() {
        if let Some(settled) = ledger::unsettled_until(since, session.world.now()) {
            return Err(Failure::Later(settled));
        }
        if let Some(code) = memory::order_by_text(session, sent, since).await? {
            order = getfly.order_by_code(&code).await?;
        }
    }
    match order {
        Some(order) => Ok(Some(judge(session, record, &order, since).await?)),
        None => Ok(None),
    }
}

/// What follows from an order that was sent at `since` without an account code.
async fn judge<W: World>(
    session: &Session<'_, W>,
    record: &mut Record,
    order: &StoredOrder,
    since: Timestamp,
) -> Result<WalkIns, Failure> {
    let getfly = session.getfly();
    let account = match (filled(&order.account_code), order.account_id) {
        (Some(code), _) => {
            let code = AccountCode::existing(code);
            getfly.account_by_code(&code).await?
        }
        (None, Some(id)) => getfly.account_by_id(id).await?,
        (None, None) => None,
    };
    let bare = account.is_none();
    session.world.saw(Assumption::OrderWithoutAccount, bare);
    let Some(account) = account else {
        keep(session, &WalkIns::Bare).await?;
        return Ok(WalkIns::Bare);
    };
    if is_its_own(session, &account, since).await? {
        record.note(Note::WalkInAccountMade {
            code: account.code.clone(),
        });
        let known = WalkIns::Account(account.code);
        keep(session, &known).await?;
        return Ok(known);
    }
    record.note(Note::WalkInAttached { code: account.code });
    let code = AccountCode::for_walk_ins(&session.codes);
    Ok(WalkIns::Account(create(session, record, code, None).await?))
}

/// Whether Getfly made this account for an order that was sent at `since`, and not for a person.
async fn is_its_own<W: World>(
    session: &Session<'_, W>,
    account: &Account,
    since: Timestamp,
) -> Result<bool, Failure> {
    let plain = account.name.trim() == NAME
        && filled(&account.phone).is_none()
        && filled(&account.email).is_none();
    if !plain {
        return Ok(false);
    }
    if let Some(orders) = session.getfly().orders_of(account.id).await? {
        return Ok(orders <= 1);
    }
    // Getfly does not say: then the account must be as young as the order.
    let created = account
        .created_at
        .and_then(|at| at.to_timestamp(TENANT_HOURS_AHEAD));
    let earliest = since.checked_sub(CLOCK_SKEW);
    Ok(created
        .zip(earliest)
        .is_some_and(|(created, earliest)| created >= earliest))
}

/// Handles an order that Getfly refused for its account. If the order has no account, or its
/// walk-in account is gone, the shop's own walk-in account is created and used; false if neither is
/// so.
pub async fn give_account<W: World>(
    session: &Session<'_, W>,
    record: &mut Record,
    order: &mut NewOrder,
) -> Result<bool, Failure> {
    if order.account.code.is_none() {
        session.world.saw(Assumption::OrderWithoutAccount, false);
    }
    if let Some(code) = &order.account.code {
        if session.ready.rules.walk_in_account_code.is_some()
            || !memory::is_gone(session, code).await?
        {
            return Ok(false);
        }
        record.note(Note::WalkInAccountGone { code: code.clone() });
    }
    let code = create(
        session,
        record,
        AccountCode::for_walk_ins(&session.codes),
        None,
    )
    .await?;
    order.account.code = Some(code);
    Ok(true)
}

/// Makes sure that the walk-in account exists; returns its code. `since` is when an earlier attempt
/// was about to create it.
async fn create<W: World>(
    session: &Session<'_, W>,
    record: &mut Record,
    code: AccountCode,
    since: Option<Timestamp>,
) -> Result<AccountCode, Failure> {
    let mut found = session
        .getfly()
        .account_by_code(&code)
        .await?
        .map(|a| a.code);
    if found.is_none()
        && let Some(since) = since
    {
        if let Some(settled) = ledger::unsettled_until(since, session.world.now()) {
            return Err(Failure::Later(settled));
        }
        let account = memory::account_by_text(session, &code, since).await?;
        found = account.map(|account| account.code);
    }
    let code = match found {
        Some(code) => code,
        None => create_new(session, record, code).await?,
    };
    keep(session, &WalkIns::Account(code.clone())).await?;
    Ok(code)
}

/// The walk-in account: a name, and the source that all accounts carry (R14).
fn new_account<W: World>(session: &Session<'_, W>, code: AccountCode) -> NewAccount {
    let source = session.ready.rules.customer_source.as_deref();
    NewAccount {
        code,
        name: NAME.to_owned(),
        phone: None,
        email: None,
        address: None,
        birthday: None,
        gender: None,
        tax_code: None,
        description: None,
        source: source.and_then(filled),
        manager: None,
    }
}

fn stored_under(record: &mut Record, sent: &NewAccount, code: AccountCode) -> AccountCode {
    memory::is_stored_under(record, sent.code.as_str(), code.as_str());
    code
}

async fn create_new<W: World>(
    session: &Session<'_, W>,
    record: &mut Record,
    first: AccountCode,
) -> Result<AccountCode, Failure> {
    let mut account = new_account(session, first.clone());
    let mut number = 1;
    for _ in 0..forms::MOST_FORMS {
        let claim = WalkIns::Creating {
            code: account.code.clone(),
            since: ledger::call_ends(session.world.now()),
        };
        keep(session, &claim).await?;
        let answer = session.getfly().create_account(&account).await;
        let error = match memory::code_told(answer) {
            Ok(code) => return Ok(stored_under(record, &account, AccountCode::existing(code))),
            Err(error) => error,
        };
        if matches!(error, GetflyError::Untold { .. }) {
            let stored = memory::account_stored(session, &account.code, &error).await;
            if let Some(code) = stored.map_err(|e| forms::unknown(e, None))? {
                return Ok(stored_under(record, &account, code));
            }
        }
        if let Some(detail) = error.refused_detail()
            && details::drop_from_account(&mut account, detail)
        {
            record.note(details::without(detail, &error));
            continue;
        }
        if error.duplicate_field() == Some(DuplicateField::Code) {
            number += 1;
            account.code = forms::numbered(&first, number);
            continue;
        }
        if error.maybe_stored() {
            return Err(forms::unknown(error, None));
        }
        let refused = WalkIns::Creating {
            code: first,
            since: Timestamp::UNIX_EPOCH,
        };
        keep(session, &refused).await?;
        return Err(error.into());
    }
    Err(forms::every_form_refused(Target::Account))
}
