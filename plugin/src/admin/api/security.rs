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
        ("POST", ["getfly"]) => (Act::Getfly, None),
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
        ["ui", "getfly"] => (Act::Getfly, None),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_act_is_told_of_the_api_and_of_the_page() {
        for (method, api, form, act, about) in [
            ("PUT", "connections/a", "connect", Act::Connect, Some("a")),
            (
                "DELETE",
                "connections/a",
                "shops/a/disconnect",
                Act::Disconnect,
                Some("a"),
            ),
            (
                "PUT",
                "connections/a/webhooks/order",
                "shops/a/webhooks/order/on",
                Act::Switch,
                Some("a"),
            ),
            (
                "POST",
                "connections/a/rotate",
                "shops/a/rotate",
                Act::Rotate,
                Some("a"),
            ),
            (
                "POST",
                "connections/a/rotate",
                "shops/a/rotate-now",
                Act::Rotate,
                Some("a"),
            ),
            (
                "POST",
                "connections/a/backfill",
                "shops/a/backfill",
                Act::Backfill,
                Some("a"),
            ),
            (
                "POST",
                "events/7/retry",
                "events/7/retry",
                Act::Retry,
                Some("7"),
            ),
            (
                "POST",
                "events/retry-dead",
                "events/retry-dead",
                Act::Retry,
                None,
            ),
            (
                "POST",
                "events/7/dismiss",
                "events/7/dismiss",
                Act::Dismiss,
                Some("7"),
            ),
            (
                "POST",
                "events/dismiss",
                "events/dismiss-dead",
                Act::Dismiss,
                None,
            ),
            (
                "POST",
                "events/7/sale",
                "events/7/edit",
                Act::Answer,
                Some("7"),
            ),
            (
                "POST",
                "events/7/link",
                "events/7/unlink",
                Act::Link,
                Some("7"),
            ),
            ("POST", "getfly", "getfly", Act::Getfly, None),
        ] {
            let path: Vec<&str> = api.split('/').collect();
            assert_eq!(of_api(method, &path), Some((act, about)), "{api}");
            assert_eq!(of_api("GET", &path), None);
            let path: Vec<&str> = ["ui"].into_iter().chain(form.split('/')).collect();
            // The shop that is connected stands in the reply.
            let about = about.filter(|_| act != Act::Connect);
            assert_eq!(of_form(&path), Some((act, about)), "{form}");
        }
    }
}
