//! What people are told of, whether it arrived, and what they do not want to be told of.

use crate::{
    admin::api::{
        overview,
        problem::{self, Problem},
        view,
    },
    config::Ready,
    drain::outgoing::send_test,
    journal::{
        alerts::{self, Cause},
        cursor::{self, Cursor},
        record::Status,
        sorted_map::SortedMap,
    },
    stored,
    time::Timestamp,
    world::World,
};
use serde::Deserialize as _;
use serde_json::Value;

/// Causes that may be muted at once.
const MUTED_AT_MOST: usize = 100;

/// `GET /api/alerts`.
pub(in crate::admin) async fn alerts<W: World>(
    world: &W,
    ready: &Ready,
) -> Result<view::Alerts, Problem> {
    let cursor = cursor::load(world).await?;
    let causes = standing(world, &cursor).await?;
    let settings = ready.alerts.as_ref().filter(|s| s.path.is_some());
    let last = alerts::last_sent(world).await?;
    Ok(view::Alerts {
        causes,
        format: settings.map(|settings| settings.format.as_str().to_owned()),
        last_sent: last.map(|last| view::LastAlert {
            at: last.at,
            failed: last.outcome.why(),
        }),
        muted: alerts::muted(world).await?,
    })
}

/// What stands now, and the listed dead letters that are open, also where people were told of them.
async fn standing<W: World>(
    world: &W,
    cursor: &Cursor,
) -> Result<Vec<view::StandingCause>, Problem> {
    let mut open: SortedMap<Cause, (u64, Timestamp)> = SortedMap::default();
    for record in overview::open_dead(world, cursor).await? {
        let Status::Dead {
            reason,
            finished_at,
        } = record.status
        else {
            continue;
        };
        let connection = record.connection;
        let cause = Cause::DeadLetters { connection, reason };
        let (count, since) = open.get(&cause).copied().unwrap_or((0, finished_at));
        open.insert(cause, (count.saturating_add(1), since.min(finished_at)));
    }
    let told = |cause: &Cause| cursor.alerts.causes.get(cause)?.told_at;
    let dead = open
        .iter()
        .map(|(cause, (count, since))| (cause, *count, *since));
    let other = cursor.alerts.causes.iter();
    let other = other.filter(|(cause, s)| s.count > 0 && open.get(*cause).is_none());
    let other = other.map(|(cause, s)| (cause, s.count, s.since));
    let causes = dead
        .chain(other)
        .map(|(cause, count, since)| view::StandingCause {
            cause: cause.clone(),
            count,
            since,
            told_at: told(cause),
        });
    Ok(causes.collect())
}

/// The cause in `{"cause": …}`, as `GET /api/alerts` shows it.
pub(in crate::admin) fn asked(body: &Value) -> Result<Cause, Problem> {
    let cause = body.get("cause").unwrap_or(&Value::Null);
    Cause::deserialize(stored::Reader(cause)).map_err(|_| {
        problem::invalid("Send {\"cause\":…} with a cause as GET /api/alerts shows it.")
    })
}

/// `POST /api/alerts/mute` and `/unmute`: whether people are told of `cause`.
pub(in crate::admin) async fn mute<W: World>(
    world: &W,
    cause: Cause,
    mute: bool,
) -> Result<Vec<Cause>, Problem> {
    let mut muted = alerts::muted(world).await?;
    muted.retain(|one| *one != cause);
    if mute {
        if muted.len() >= MUTED_AT_MOST {
            return Err(problem::invalid(
                "Too many causes are muted; unmute some first.",
            ));
        }
        muted.push(cause);
    }
    alerts::keep_muted(world, &muted).await?;
    Ok(muted)
}

/// `POST /api/alerts/test`: sends a test message now.
pub(in crate::admin) async fn test<W: World>(
    world: &W,
    ready: &Ready,
) -> Result<view::Told, Problem> {
    match send_test(world, ready).await.why() {
        None => Ok(view::Told { arrived: true }),
        Some(why) => Err(Problem::new(
            502,
            "alert-not-sent",
            "The test message did not arrive",
            format!("{why}. Look at alert_origin, alert_path, alert_format and alert_chat."),
        )),
    }
}
