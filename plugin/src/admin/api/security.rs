//! What is told of acts that matter for security: one log line and one count each. Which token, from where as far as the
//! host knows, and what it was about; no person's data, and never the token.

use crate::{
    journal::acts::{self, Act},
    log,
    world::World,
};

/// Who did something.
#[derive(Debug, Clone, Copy)]
pub(in crate::admin) struct By<'a> {
    /// The token: `admin_token` itself, or the `session` that it began.
    pub(in crate::admin) token: &'static str,
    /// Where the request came from, as the host says.
    pub(in crate::admin) client: Option<&'a str>,
}

/// Tells and counts what was done. `about`: a connection's name, or an event's number.
pub(in crate::admin) async fn done<W: World>(world: &W, by: By<'_>, act: Act, about: Option<&str>) {
    log::act(world, act, by.token, by.client, about);
    // The line stands; a store that fails says so elsewhere.
    let _ = acts::count(world, act).await;
}

/// What a request to the API does, and about what.
pub(in crate::admin) fn of_api<'p>(
    method: &str,
    path: &[&'p str],
) -> Option<(Act, Option<&'p str>)> {
    Some(match (method, path) {
        ("PUT", ["connections", name]) => (Act::Connect, Some(*name)),
        ("DELETE", ["connections", name]) => (Act::Disconnect, Some(*name)),
        ("PUT" | "DELETE", ["connections", name, "webhooks", _]) => (Act::Switch, Some(*name)),
        ("POST", ["connections", name, "rotate"]) => (Act::Rotate, Some(*name)),
        ("POST" | "DELETE", ["connections", name, "backfill"]) => (Act::Backfill, Some(*name)),
        ("POST", ["events", "retry-dead"]) => (Act::Retry, None),
        ("POST", ["events", "dismiss"]) => (Act::Dismiss, None),
        ("POST", ["events", seq, asked]) => (of_event(asked)?, Some(*seq)),
        _ => return None,
    })
}

/// What a form of the page does, and about what.
pub(in crate::admin) fn of_form<'p>(path: &[&'p str]) -> Option<(Act, Option<&'p str>)> {
    Some(match path {
        ["ui", "connect"] => (Act::Connect, None),
        ["ui", "shops", name, "disconnect"] => (Act::Disconnect, Some(*name)),
        ["ui", "shops", name, "webhooks", _, _] => (Act::Switch, Some(*name)),
        ["ui", "shops", name, "rotate" | "rotate-now"] => (Act::Rotate, Some(*name)),
        ["ui", "shops", name, "backfill", ..] => (Act::Backfill, Some(*name)),
        ["ui", "events", "retry-dead"] => (Act::Retry, None),
        ["ui", "events", "dismiss-dead"] => (Act::Dismiss, None),
        ["ui", "logout"] => (Act::LogOut, None),
        ["ui", "logout-everywhere"] => (Act::LogOutEverywhere, None),
        ["ui", "events", seq, asked] => (of_event(asked)?, Some(*seq)),
        _ => return None,
    })
}

fn of_event(asked: &str) -> Option<Act> {
    Some(match asked {
        "retry" => Act::Retry,
        "dismiss" => Act::Dismiss,
        "edit" | "sale" => Act::Answer,
        "link" | "unlink" => Act::Link,
        _ => return None,
    })
}
