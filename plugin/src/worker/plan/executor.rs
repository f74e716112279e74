//! Finds who sold an invoice (R13). Executor and manager are not worth a sale: if a list of users
//! cannot be read, the order goes without them.

use crate::{
    getfly::error::GetflyError,
    journal::{connection_name::Upstream, keys, note::Note, trouble::Trouble},
    kiotviet::error::KiotVietError,
    rules::{
        executor::{ExecutorFinding, find_executor},
        model::{GetflyUser, Invoice},
    },
    stored,
    time::Timestamp,
    worker::{
        failure::Failure,
        plan::decision::Explanation,
        session::{Session, USERS_AGAIN, USERS_FRESH},
    },
    world::{StoreError, World},
};
use core::time::Duration;

/// How long an order waits for a list of users that fails.
const WAIT: Duration = Duration::from_secs(300);
/// A failure this long after the last one starts a new series.
const APART: Duration = Duration::from_secs(1800);

/// Why a list of users cannot be read.
enum Unread {
    /// It is refused: a person must grant the right.
    Refused(Trouble),
    /// The edition has none: nobody can mend that.
    NotOffered,
    /// It fails.
    Failing(Failure),
}

/// R13: the Getfly user who is the seller of `invoice`.
pub(super) async fn executor<W: World>(
    session: &Session<'_, W>,
    invoice: &Invoice,
    why: &mut Explanation,
) -> Result<Option<GetflyUser>, Failure> {
    let mut finding = ExecutorFinding::NoSeller;
    if let Some(seller) = invoice.sold_by_id {
        finding = match look(session, seller, USERS_FRESH).await {
            Ok(finding) => finding,
            Err(note) => {
                why.note(note?);
                return Ok(None);
            }
        };
        let may_be_new = finding.user().is_none() && !mutant!(UsersNotReadAnew);
        if may_be_new && session.is_first_miss(seller).await {
            // The shop may have just added the seller, or a number. R6 mends no order later.
            match look(session, seller, USERS_AGAIN).await {
                Ok(again) => finding = again,
                // If the lists are refused now, the earlier result stands.
                Err(Ok(_)) => {}
                Err(Err(failure)) => return Err(failure),
            }
        }
    }
    why.note(&finding);
    Ok(match finding {
        ExecutorFinding::Found(user) => Some(user),
        _ => None,
    })
}

/// Looks for a seller among users that were read within `age`. The error is the note with which the
/// order goes without an executor, or the failure that it waits for.
async fn look<W: World>(
    session: &Session<'_, W>,
    seller: i64,
    age: Duration,
) -> Result<ExecutorFinding, Result<Note, Failure>> {
    let kiotviet_users = Upstream::KiotViet(&session.connection.name);
    let sellers = session.kiotviet_users(age).await.map_err(kiotviet);
    let sellers = read(session, kiotviet_users, sellers).await?;
    let users = session.getfly_users(age).await.map_err(getfly);
    let users = read(session, Upstream::Getfly, users).await?;
    let ignored = &session.ready.rules.ignored_phones;
    Ok(find_executor(Some(seller), &sellers, &users, ignored))
}

/// A list that was read, or what to do without it.
async fn read<W: World, T>(
    session: &Session<'_, W>,
    upstream: Upstream<'_>,
    list: Result<T, Unread>,
) -> Result<T, Result<Note, Failure>> {
    let unread = match list {
        Ok(list) => return Ok(list),
        Err(Unread::NotOffered) => return Err(Ok(Note::UsersNotOffered)),
        // Waiting for this list ends neither.
        Err(Unread::Failing(failure @ (Failure::Abandoned(_) | Failure::Outside { .. }))) => {
            return Err(Err(failure));
        }
        Err(unread) => unread,
    };
    let now = session.world.now();
    let since = unread_since(session, upstream, now).await;
    let since = since.map_err(|e| Err(e.into()))?;
    match unread {
        Unread::NotOffered => Err(Ok(Note::UsersNotOffered)),
        Unread::Refused(why) => Err(Ok(Note::UsersRefused {
            side: upstream.side(),
            why,
        })),
        Unread::Failing(failure) if now.saturating_since(since) < WAIT => Err(Err(failure)),
        Unread::Failing(failure) => Err(Ok(Note::UsersFailing { why: failure.why() })),
    }
}

/// Since when this side's list cannot be read. It is stored for the next order, and for people to
/// see.
async fn unread_since<W: World>(
    session: &Session<'_, W>,
    upstream: Upstream<'_>,
    now: Timestamp,
) -> Result<Timestamp, StoreError> {
    let key = keys::users_unread(upstream);
    let kept = session.world.get(&key).await?;
    let kept = kept.and_then(|bytes| stored::read::<(Timestamp, Timestamp)>(&bytes).ok());
    let since = match kept {
        Some((since, last)) if now.saturating_since(last) < APART => since,
        _ => now,
    };
    session
        .world
        .set(&key, &stored::write(&(since, now)))
        .await?;
    Ok(since)
}

fn kiotviet(error: KiotVietError) -> Unread {
    match error {
        KiotVietError::NotOffered => Unread::NotOffered,
        KiotVietError::NoRight | KiotVietError::Refused { .. } => Unread::Refused(error.into()),
        other => Unread::Failing(other.into()),
    }
}

fn getfly(error: GetflyError) -> Unread {
    match error {
        GetflyError::KeyRefused { status: 403 } | GetflyError::Refused(_) => {
            Unread::Refused(error.into())
        }
        other => Unread::Failing(other.into()),
    }
}
