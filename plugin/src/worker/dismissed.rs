//! A dismissal of an invoice holds for good. A dismissal of a customer holds until the members that
//! would be pushed change; it does not keep the customer's invoices from creating the account.

use crate::{
    journal::{
        connections,
        dead_reason::DeadReason,
        keys,
        note::Note,
        record::{Hint, Kind, Record},
    },
    json,
    rules::{
        account::new_account,
        model::{Customer, NewAccount},
    },
    seal::Sealer,
    stored,
    worker::{failure::Failure, session::Session},
    world::{Store, StoreError, World},
};
use serde::{Deserialize, Serialize};

/// A dismissal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Dismissal {
    /// The event that was dismissed.
    event: u64,
    /// The reason of its dead letter.
    reason: DeadReason,
    /// A keyed mark of the customer as it would have been pushed; none for a customer that was
    /// never read.
    members: Option<String>,
}

/// Whether a dead letter of this reason is about the record that it names. A refused delivery
/// proves nothing: any sender can name any record.
fn is_about_record(reason: DeadReason) -> bool {
    !matches!(
        reason,
        DeadReason::BadSignature
            | DeadReason::Unreadable
            | DeadReason::TooManyItems
            | DeadReason::DamagedEntry
    )
}

/// Stores that a person dismisses `record`, a dead letter for `reason`.
pub async fn keep(
    store: &impl Store,
    record: &Record,
    reason: DeadReason,
) -> Result<(), StoreError> {
    let Some(hint) = record.hint.as_ref().filter(|_| is_about_record(reason)) else {
        return Ok(());
    };
    let Some(connection) = connections::load(store, &record.connection).await? else {
        return Ok(());
    };
    let dismissal = Dismissal {
        event: record.seq,
        reason,
        members: record.members.clone(),
    };
    let key = keys::dismissed(&connection.retailer, record.kind, hint.id);
    store.set(&key, &stored::write(&dismissal)).await
}

/// Ends `record` as dismissed if a person dismissed its customer or invoice before and the
/// dismissal still holds. An event that a person retries is attempted all the same.
pub async fn applies<W: World>(
    session: &Session<'_, W>,
    record: &mut Record,
    hint: &Hint,
) -> Result<bool, Failure> {
    if record.commanded_by.is_some() || mutant!(DismissalForgotten) {
        return Ok(false);
    }
    let key = keys::dismissed(&session.connection.retailer, record.kind, hint.id);
    let bytes = session.world.get(&key).await?;
    let Some(Ok(dismissal)) = bytes.map(|bytes| stored::read::<Dismissal>(&bytes)) else {
        return Ok(false);
    };
    if record.kind == Kind::Customer && !is_unchanged(session, hint, &dismissal).await? {
        return Ok(false);
    }
    let note = Note::DismissedBefore {
        event: dismissal.event,
    };
    record.dismiss(dismissal.reason, note, session.world.now());
    record.body = None;
    Ok(true)
}

async fn is_unchanged<W: World>(
    session: &Session<'_, W>,
    hint: &Hint,
    dismissal: &Dismissal,
) -> Result<bool, Failure> {
    let Some(members) = &dismissal.members else {
        return Ok(false);
    };
    let Some(customer) = session
        .kiotviet(async |k| k.customer(hint.id).await)
        .await?
    else {
        return Ok(false);
    };
    let text = pushed(session, &customer);
    let mut marks = session.ready.sealer.fingerprints(&text);
    Ok(marks.any(|mark| mark == *members))
}

/// A keyed mark of what would be pushed of a customer.
pub fn mark<W: World>(session: &Session<'_, W>, customer: &Customer) -> String {
    let sealer: &Sealer = &session.ready.sealer;
    sealer.fingerprint(&pushed(session, customer))
}

/// The members of an account that KiotViet decides: not the source, which is the operator's, nor
/// the manager.
fn pushed<W: World>(session: &Session<'_, W>, customer: &Customer) -> String {
    let account = NewAccount {
        source: None,
        ..new_account(&session.codes, customer, None, &session.ready.rules)
    };
    format!("members {}", String::from_utf8_lossy(&json::text(&account)))
}
