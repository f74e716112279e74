//! R6: a sale that KiotViet changed after its order was made. It is listed for people. With `note_changes` a comment at
//! the order's account in Getfly tells of it: at most one for each change, tried once, and whatever becomes of it, the
//! event goes on.

use crate::{
    getfly::error::GetflyError,
    journal::{
        changes::{self, Change, Kept},
        keys, life,
        note::Note,
        record::Record,
    },
    kiotviet::error::KiotVietError,
    wording::money,
    worker::{
        failure::Failure,
        session::{Changed, Session},
    },
    world::{HttpError, World},
};

/// Keeps what became of the invoice with this id.
pub async fn keep<W: World>(
    session: &Session<'_, W>,
    record: &mut Record,
    invoice_id: i64,
    changed: Changed,
) -> Result<(), Failure> {
    let change = &changed.change;
    record.note(Note::ChangedAfter {
        order: change.order_code.clone(),
        pushed: change.pushed.map(|total| total.to_string()),
        now: change.now.map(|total| total.to_string()),
    });
    // The comment comes first: a cancellation is asked about only as long as it is not listed.
    if session.ready.note_changes {
        let key = keys::change_told(&session.connection.retailer, invoice_id, change.now);
        let told = tell(session, record.seq, &key, &changed).await?;
        told.into_iter().for_each(|note| record.note(note));
    }
    let kept = Kept {
        at: session.world.now(),
        change: changed.change,
        seq: record.seq,
    };
    Ok(changes::keep(session.world, &record.connection, kept).await?)
}

/// Tells the order's account of the change, as event `seq`; returns what came of it. None: another event tells.
async fn tell<W: World>(
    session: &Session<'_, W>,
    seq: u64,
    key: &str,
    changed: &Changed,
) -> Result<Option<Note>, Failure> {
    let (world, getfly) = (session.world, session.getfly());
    let perhaps = Ok(Some(Note::ChangePerhapsTold { why: None }));
    let ours = seq.to_string().into_bytes();
    if let Some(by) = world.get(key).await? {
        return if by == ours { perhaps } else { Ok(None) };
    }
    // A store that was restored may have lost the mark.
    if life::is_in_doubt(world, changed.since).await? {
        return perhaps;
    }
    match is_being_edited(session, changed)
        .await
        .map_err(Failure::from)
    {
        Ok(true) => return Ok(None),
        Ok(false) => {}
        Err(failure) => return not_told(failure),
    }
    let order = getfly.order_by_code(&changed.change.order_code).await;
    let account = match order.map_err(Failure::from) {
        Ok(order) => order.and_then(|order| order.account_id),
        Err(failure) => return not_told(failure),
    };
    let Some(account) = account else {
        return Ok(Some(Note::ChangeWithoutAccount));
    };
    world.set(key, &ours).await?;
    match getfly.comment(account, &words(&changed.change)).await {
        Ok(()) => Ok(Some(Note::ChangeTold)),
        // Not sent: the next attempt does.
        Err(e @ GetflyError::Unreachable(HttpError::LeaseEnded)) => {
            world.delete(key).await?;
            Err(e.into())
        }
        Err(e) if e.maybe_stored() && !e.is_404() => {
            let why = Some(e.into());
            Ok(Some(Note::ChangePerhapsTold { why }))
        }
        Err(e) => Ok(Some(Note::ChangeNotTold { why: e.into() })),
    }
}

/// Nothing was sent. Only a worker that may not go on leaves it to the next one.
fn not_told(failure: Failure) -> Result<Option<Note>, Failure> {
    match failure {
        Failure::Abandoned(_) => Err(failure),
        other => Ok(Some(Note::ChangeNotTold { why: other.why() })),
    }
}

/// Whether the invoice was cancelled because KiotViet edits it so: the edit's own event tells of that.
async fn is_being_edited<W: World>(
    session: &Session<'_, W>,
    changed: &Changed,
) -> Result<bool, KiotVietError> {
    if changed.change.now.is_some() {
        return Ok(false);
    }
    let code = changed.change.invoice_code.next_edit();
    let edit = session.kiotviet(async |k| k.invoice_by_code(code.as_str()).await);
    let edit = edit.await?;
    Ok(edit.is_some_and(|edit| edit.purchase_date == changed.day))
}

/// What the comment says.
fn words(change: &Change) -> String {
    let (invoice, order) = (&change.invoice_code, &change.order_code);
    let pushed = change
        .pushed
        .map_or_else(|| "không rõ".to_owned(), money::shown);
    let what = match change.now {
        None => format!("{invoice} đã hủy sau khi đẩy: tổng lúc đẩy {pushed}"),
        Some(now) => {
            let becomes = match change.pushed {
                Some(same) if same == now => format!("vẫn {pushed}"),
                _ => format!("{pushed} → {}", money::shown(now)),
            };
            let base = invoice.base();
            format!("{base} đã sửa sau khi đẩy, nay là {invoice}: tổng {becomes}")
        }
    };
    format!("KiotViet: hóa đơn {what}. Đơn hàng {order} trên Getfly không đổi.")
}
