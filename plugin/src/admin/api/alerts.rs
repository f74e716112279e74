//! What people are told of, whether it arrived, and what they do not want to be told of.

use crate::{
    admin::api::{
        problem::{self, Problem},
        view,
    },
    config::Ready,
    drain::outgoing::send_test,
    journal::{
        alerts::{self, Cause},
        cursor,
    },
    stored,
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
    let causes = cursor.alerts.causes.iter().filter(|(_, s)| s.count > 0);
    let causes = causes.map(|(cause, standing)| view::StandingCause {
        cause: cause.clone(),
        count: standing.count,
        since: standing.since,
        told_at: standing.told_at,
    });
    let settings = ready.alerts.as_ref().filter(|s| s.path.is_some());
    let last = alerts::last_sent(world).await?;
    Ok(view::Alerts {
        causes: causes.collect(),
        format: settings.map(|settings| settings.format.as_str().to_owned()),
        last_sent: last.map(|last| view::LastAlert {
            at: last.at,
            failed: last.outcome.why().map(str::to_owned),
        }),
        muted: alerts::muted(world).await?,
    })
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
