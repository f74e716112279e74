//! Logging in with the admin token. Never says more about a wrong token than that it is wrong.

use crate::{
    admin::{
        api::{
            guard::{self, Door},
            problem::Problem,
            security::{self, By},
        },
        page::{
            layout::{View, alert},
            reply::Reply,
            session::Signer,
            words as w,
            words::Text,
        },
    },
    config::Config,
    journal::{acts::Act, sessions},
    secret::Secret,
    world::World,
};
use maud::{Markup, html};

/// What is said above the form.
pub(super) enum Said {
    /// No error.
    Plain(Text),
    /// The token is wrong.
    Wrong,
}

fn said(view: &View, said: &Said) -> Markup {
    match said {
        Said::Plain(text) => alert("good", &html! { p { (view.t(*text)) } }),
        Said::Wrong => alert("bad", &html! { p { (view.t(w::WRONG_TOKEN)) } }),
    }
}

/// A log-in form that was sent.
pub(super) struct LogIn<'r> {
    /// The token that was typed.
    pub(super) token: &'r str,
    /// Where to go afterwards.
    pub(super) next: &'r str,
    /// Where the request comes from.
    pub(super) client: Option<&'r str>,
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

/// `POST /ui/login`: the right token opens, however often others failed.
pub(super) async fn submit<W: World>(
    world: &W,
    config: &Config,
    signer: &Signer,
    view: &View,
    form: &LogIn<'_>,
) -> Result<Reply, Problem> {
    let next = safe(form.next);
    let offered = Secret::new(form.token.trim());
    if config.admin_token.as_ref() != Some(&offered) {
        guard::failed(world, config, Door::Page, form.client).await;
        return Ok(form_again(view, next));
    }
    // A stranger may read this: not in the store's own words, which may name its address.
    let epoch = sessions::epoch(world).await.map_err(|_| {
        let title = "The key-value store does not answer";
        Problem::new(503, "store-unavailable", title, title)
    })?;
    let mut reply = Reply::to(next);
    if let Some(cookie) = signer.begin(world.now(), &epoch, world) {
        reply.headers.push(("set-cookie", cookie));
    }
    let by = By {
        token: "admin_token",
        client: form.client,
    };
    security::done(world, by, Act::LogIn, None).await;
    Ok(reply)
}

fn form_again(view: &View, next: &str) -> Reply {
    form(view, 403, Some(Said::Wrong), next)
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
