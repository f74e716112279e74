//! Logging in with the admin token, and how often that may fail. Never says more about a wrong token
//! than that it is wrong.

use crate::{
    admin::{
        api::problem::Problem,
        page::{
            layout::{View, alert},
            reply::Reply,
            session::Signer,
            words as w,
            words::Text,
        },
    },
    config::Config,
    secret::Secret,
    world::{StoreError, World},
};
use maud::{Markup, html};

/// Failed attempts in a window after which nobody can log in until it ends. A component does not know
/// its client's address (a proxy's headers can be forged), so attempts are counted for all together.
/// Somebody who guesses can therefore shut the log-in form for a window's length; that is why the
/// window is short, and why sessions and the API, which do not come this way, are not concerned. The
/// token has at least 16 characters: 20 guesses in five minutes lead nowhere.
const ATTEMPTS: i64 = 20;
/// Length of a window, seconds.
const WINDOW: i64 = 300;

/// The window in which somebody last tried to log in.
const LAST_WINDOW: &str = "kvgf/login/last";

/// Counter: attempts in a window.
fn attempts(window: &str) -> String {
    format!("kvgf/login/{window}")
}

/// What is said above the form.
pub(super) enum Said {
    /// No error.
    Plain(Text),
    /// The token is wrong.
    Wrong,
    /// The limit is reached, for so many seconds.
    TooMany(i64),
}

fn said(view: &View, said: &Said) -> Markup {
    match said {
        Said::Plain(text) => alert("good", &html! { p { (view.t(*text)) } }),
        Said::Wrong => alert("bad", &html! { p { (view.t(w::WRONG_TOKEN)) } }),
        Said::TooMany(seconds) => alert(
            "bad",
            &html! {
                p { (view.t(w::TOO_MANY)) " " strong { (seconds) } }
                p { (view.t(w::TOO_MANY_MORE)) }
            },
        ),
    }
}

/// The log-in form; `next` is where to go afterwards.
pub(super) fn form(view: &View, status: u16, above: Option<Said>, next: &str) -> Reply {
    let body = html! {
        section.card.narrow {
            h1 { (view.t(w::LOG_IN)) }
            p.muted { (view.t(w::TAGLINE)) }
            @if let Some(above) = &above { (said(view, above)) }
            form method="post" action="/ui/login" {
                input type="hidden" name="next" value=(next);
                label for="token" { (view.t(w::ADMIN_TOKEN)) }
                input #token type="password" name="token" autocomplete="current-password" required autofocus;
                p.hint { (view.t(w::ADMIN_TOKEN_HINT)) }
                button.primary type="submit" { (view.t(w::LOG_IN)) }
            }
        }
    };
    Reply::page(status, w::LOG_IN, body)
}

/// Where to go after logging in: a page of our own, else the first one.
fn safe(next: &str) -> &str {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/_-.?=&%".contains(&b);
    if next.starts_with("/ui/") && next.bytes().all(plain) {
        next
    } else {
        "/"
    }
}

/// Counts an attempt and says how many there were in this window. Counted before the token is looked
/// at, so that many attempts at once cannot slip past the limit. Keys of earlier windows are removed.
async fn count<W: World>(world: &W, window: i64) -> Result<i64, StoreError> {
    let last = world.get(LAST_WINDOW).await?;
    let now = window.to_string();
    if last.as_deref() != Some(now.as_bytes()) {
        if let Some(last) = last {
            let last = String::from_utf8_lossy(&last);
            world.delete(&attempts(&last)).await?;
        }
        world.set(LAST_WINDOW, now.as_bytes()).await?;
    }
    world.increment(&attempts(&now), 1).await
}

/// `POST /ui/login`.
pub(super) async fn submit<W: World>(
    world: &W,
    config: &Config,
    signer: &Signer,
    view: &View,
    token: &str,
    next: &str,
) -> Result<Reply, Problem> {
    let next = safe(next);
    let now = world.now();
    let window = now.as_second().div_euclid(WINDOW);
    // A stranger reads this: not in the store's own words, which may name its address.
    let count = count(world, window).await.map_err(|_| {
        let title = "The key-value store does not answer";
        Problem::new(503, "store-unavailable", title, title)
    })?;
    if count > ATTEMPTS {
        let seconds = WINDOW - now.as_second().rem_euclid(WINDOW);
        let mut reply = form(view, 429, Some(Said::TooMany(seconds)), next);
        reply.headers.push(("retry-after", seconds.to_string()));
        return Ok(reply);
    }
    let right = config
        .admin_token
        .as_ref()
        .is_some_and(|t| *t == Secret::new(token.trim()));
    if !right {
        return Ok(form(view, 403, Some(Said::Wrong), next));
    }
    // Only failures count.
    world.increment(&attempts(&window.to_string()), -1).await?;
    let mut reply = Reply::to(next);
    if let Some(cookie) = signer.begin(now, world) {
        reply.headers.push(("set-cookie", cookie));
    }
    Ok(reply)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_pages_are_gone_to_after_logging_in() {
        for ours in ["/ui/events", "/ui/events?state=dead", "/ui/shops/a-b_c"] {
            assert_eq!(safe(ours), ours);
        }
        for other in [
            "",
            "/",
            "//evil.test",
            "https://evil.test/ui/",
            "/ui/\\evil",
            "/ui/a\r\nx: y",
            "/ui/ a",
        ] {
            assert_eq!(safe(other), "/", "{other}");
        }
    }
}
