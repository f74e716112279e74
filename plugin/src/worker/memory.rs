//! A remembered account is a memory (R4, R7): it may have been merged or deleted in Getfly since. What
//! was created under a code of Getfly's own is found by the text that it carries.

use crate::{
    getfly::error::GetflyError,
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

/// Getfly refused an order for `code`, the account that customer `id` is remembered as. Whether it is
/// gone, and the memory with it, unless a person made the link; not before the memory is older than what may still settle.
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

/// Whether Getfly has no account with this code, while it answers other questions.
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

/// The account that an earlier attempt at `since` created under a code of Getfly's own, which nobody saw; none
/// where what was sent was refused.
pub async fn account_by_text<W: World>(
    session: &Session<'_, W>,
    code: &AccountCode,
    since: Timestamp,
) -> Result<Option<Account>, Failure> {
    if since == Timestamp::UNIX_EPOCH {
        return Ok(None);
    }
    let until = since.checked_add(SETTLE).unwrap_or(since);
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
    let until = since.checked_add(SETTLE).unwrap_or(since);
    let found = session.getfly().order_with_text(code, since, until).await;
    Ok(unless_refused(found)?.map(|order| OrderCode::existing(order.code)))
}

/// The code under which Getfly stored what was sent as `sent`: the one it answers, where it is another one.
pub fn code_answered(record: &mut Record, sent: &str, answered: Option<String>) -> Option<String> {
    let answered = answered.filter(|code| code != sent)?;
    record.note(Note::StoredUnder {
        sent: sent.to_owned(),
        code: answered.clone(),
    });
    Some(answered)
}

/// A Getfly that does not take this list's filter cannot be asked so: the code alone decides.
fn unless_refused<T>(found: Result<Option<T>, GetflyError>) -> Result<Option<T>, Failure> {
    match found {
        Err(GetflyError::Refused(_)) => Ok(None),
        found => Ok(found?),
    }
}
