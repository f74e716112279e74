//! Checks the remembered account codes (R4, R7): an account may have been merged or deleted in
//! Getfly since. A record that Getfly stored under a code of its own is found by the text that it
//! carries.

use crate::{
    assumption::Assumption,
    getfly::{
        error::GetflyError,
        wire::{Stored, StoredOrder},
    },
    journal::{
        dead_reason::DeadReason,
        ledger::{self, CustomerEntry, SETTLE},
        note::Note,
        record::Record,
        trouble::Trouble,
    },
    rules::{
        codes::{AccountCode, OrderCode},
        model::Account,
    },
    time::Timestamp,
    worker::{failure::Failure, session::Session},
    world::World,
};
use core::time::Duration;

/// Getfly refused an order for `code`, the remembered account of customer `id`. Drops the memory if
/// the account is gone, unless a person made the link; never before the memory is older than the
/// time in which a create may still settle. Returns whether it did.
pub async fn drop_if_gone<W: World>(
    session: &Session<'_, W>,
    record: &mut Record,
    id: i64,
    code: &AccountCode,
) -> Result<bool, Failure> {
    if !is_gone(session, code).await? {
        return Ok(false);
    }
    let retailer = &session.connection.retailer;
    let since = ledger::linked_since(session.world, retailer, id).await?;
    let settled = since.and_then(|since| ledger::unsettled_until(since, session.world.now()));
    if let Some(settled) = settled {
        return Err(Failure::Later(settled));
    }
    let entry = ledger::customer_entry(session.world, retailer, id).await?;
    if matches!(entry, Some(CustomerEntry::LinkedByHand { .. })) && !mutant!(LinkDropped) {
        let why = Trouble::LinkedAccountGone { code: code.clone() };
        return Err(Failure::dead(DeadReason::LinkedAccountGone, why));
    }
    ledger::forget_customer(session.world, retailer, id).await?;
    record.note(Note::AccountGone { code: code.clone() });
    Ok(true)
}

/// Whether Getfly has no account with this code although it answers other questions.
pub async fn is_gone<W: World>(
    session: &Session<'_, W>,
    code: &AccountCode,
) -> Result<bool, Failure> {
    if session.getfly().account_by_code(code).await?.is_some() {
        return Ok(false);
    }
    session.getfly().control().await?;
    Ok(true)
}

/// The account that an earlier attempt at `since` created under a code of Getfly's own, and whose
/// answer was lost; none if the create was refused.
pub async fn account_by_text<W: World>(
    session: &Session<'_, W>,
    code: &AccountCode,
    since: Timestamp,
) -> Result<Option<Account>, Failure> {
    if since == Timestamp::UNIX_EPOCH {
        return Ok(None);
    }
    let until = since.saturating_add(SETTLE);
    let found = session.getfly().account_with_text(code, since, until).await;
    unless_refused(found)
}

/// The order that an earlier attempt at `since` created under a code of Getfly's own.
pub async fn order_by_text<W: World>(
    session: &Session<'_, W>,
    code: &OrderCode,
    since: Timestamp,
) -> Result<Option<OrderCode>, Failure> {
    if since == Timestamp::UNIX_EPOCH {
        return Ok(None);
    }
    let until = since.saturating_add(SETTLE);
    let found = session.getfly().order_with_text(code, since, until).await;
    Ok(unless_refused(found)?.map(|order| OrderCode::existing(order.code)))
}

/// How long after KiotViet's record its account or order is created in Getfly, at the most: the
/// attempts last 75 hours.
const CREATED_WITHIN: Duration = Duration::from_hours(96);

/// The account that was created for KiotViet's customer of this moment without this store's
/// knowledge: under `code`, or, given a moment, with it in its text, where Getfly may choose codes
/// itself.
pub async fn account_in_doubt<W: World>(
    session: &Session<'_, W>,
    code: &AccountCode,
    created: Option<Timestamp>,
) -> Result<Option<Account>, Failure> {
    let getfly = session.getfly();
    if let Some(account) = getfly.account_by_code(code).await? {
        return Ok(Some(account));
    }
    let Some(created) = created.filter(|_| may_choose_codes(session)) else {
        return Ok(None);
    };
    let until = created.saturating_add(CREATED_WITHIN);
    unless_refused(getfly.account_with_text(code, created, until).await)
}

/// The order that was created for a sale of this moment without this store's knowledge, and its
/// code; found in the same way.
pub async fn order_in_doubt<W: World>(
    session: &Session<'_, W>,
    code: &OrderCode,
    created: Option<Timestamp>,
) -> Result<Option<(OrderCode, StoredOrder)>, Failure> {
    let getfly = session.getfly();
    if let Some(order) = getfly.order_by_code(code).await? {
        return Ok(Some((code.clone(), order)));
    }
    let Some(created) = created.filter(|_| may_choose_codes(session)) else {
        return Ok(None);
    };
    let until = created.saturating_add(CREATED_WITHIN);
    let found = unless_refused(getfly.order_with_text(code, created, until).await)?;
    Ok(found.map(|order| (OrderCode::existing(order.code.clone()), order)))
}

fn may_choose_codes<W: World>(session: &Session<'_, W>) -> bool {
    !session.world.is_confirmed(Assumption::CodeKept)
}

/// The code in the answer to a create. If the answer holds only an id or nothing, the code must be
/// read back: it may differ from the one that was sent.
pub fn code_told(answer: Result<Stored, GetflyError>) -> Result<String, GetflyError> {
    let Stored { id, code } = answer?;
    code.ok_or(GetflyError::Untold { id })
}

/// The code under which Getfly stores the account that was sent as `sent` and whose create ended
/// with `error`. It is `sent`; if Getfly accepted the account without returning a code, it is read
/// back by the account's id, or by the text that the account carries.
pub async fn account_stored<W: World>(
    session: &Session<'_, W>,
    sent: &AccountCode,
    error: &GetflyError,
) -> Result<Option<AccountCode>, Failure> {
    let getfly = session.getfly();
    if getfly.account_by_code(sent).await?.is_some() {
        return Ok(Some(sent.clone()));
    }
    let GetflyError::Untold { id } = *error else {
        return Ok(None);
    };
    if let Some(id) = id
        && let Some(account) = unless_refused(getfly.account_by_id(id).await)?
        && !account.code.as_str().is_empty()
    {
        session.world.saw(Assumption::ListedByCreation, true);
        return Ok(Some(account.code));
    }
    let found = account_by_text(session, sent, session.world.now()).await?;
    if id.is_some() && found.is_some() {
        session.world.saw(Assumption::ListedByCreation, false);
    }
    Ok(found.map(|account| account.code))
}

/// The code under which Getfly stores an order, found in the same way.
pub async fn order_stored<W: World>(
    session: &Session<'_, W>,
    sent: &OrderCode,
    error: &GetflyError,
) -> Result<Option<OrderCode>, Failure> {
    let getfly = session.getfly();
    if getfly.order_by_code(sent).await?.is_some() {
        return Ok(Some(sent.clone()));
    }
    let GetflyError::Untold { id } = *error else {
        return Ok(None);
    };
    if let Some(id) = id
        && let Some(order) = unless_refused(getfly.order_by_id(id).await)?
        && !order.code.is_empty()
    {
        session.world.saw(Assumption::ListedByCreation, true);
        return Ok(Some(OrderCode::existing(order.code)));
    }
    let found = order_by_text(session, sent, session.world.now()).await?;
    if id.is_some() && found.is_some() {
        session.world.saw(Assumption::ListedByCreation, false);
    }
    Ok(found)
}

/// Notes that Getfly stored the record `sent` under another code; returns whether it did.
pub fn is_stored_under(record: &mut Record, sent: &str, code: &str) -> bool {
    if sent == code {
        return false;
    }
    record.note(Note::StoredUnder {
        sent: sent.to_owned(),
        code: code.to_owned(),
    });
    true
}

/// For a Getfly that refuses this question, the code alone decides.
fn unless_refused<T>(found: Result<Option<T>, GetflyError>) -> Result<Option<T>, Failure> {
    match found {
        Err(GetflyError::Refused(_)) => Ok(None),
        found => Ok(found?),
    }
}
