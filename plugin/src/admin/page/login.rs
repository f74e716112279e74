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
            visit::Fields,
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
    /// The session is over.
    Over,
    /// The token is wrong.
    Wrong,
}

/// Where a person goes back to after logging in.
#[derive(Default)]
pub(super) struct Back {
    /// A page of ours.
    pub(super) next: String,
    /// What was typed there when the session was over.
    pub(super) kept: Fields,
}

/// What the log-in form puts before the names of the fields that it carries.
const KEPT: &str = "kept-";
/// The fields of our forms that are no secret and that a person types or chooses.
const CARRIED: [&str; 10] = [
    "account_code",
    "client_id",
    "code",
    "connection",
    "day",
    "edition",
    "from",
    "payload",
    "retailer",
    "to",
];
/// The most that they take as they are sent, in bytes: the log-in form has 4 KiB, with the token.
const CARRIED_MOST: usize = 3 * 1024;

/// How many bytes a field takes in a form that is sent.
fn sent_bytes(text: &str) -> usize {
    form_urlencoded::byte_serialize(text.as_bytes())
        .map(str::len)
        .sum()
}

/// What of a form is carried through the log-in: no secret, and no more than [`CARRIED_MOST`].
pub(super) fn carried(form: Fields) -> Fields {
    let mut bytes: usize = 0;
    let kept = form.0.into_iter().filter(|(name, value)| {
        if !CARRIED.contains(&name.as_str()) || value.is_empty() {
            return false;
        }
        let more = KEPT.len() + name.len() + sent_bytes(value) + 2;
        let fits = bytes.saturating_add(more) <= CARRIED_MOST;
        if fits {
            bytes = bytes.saturating_add(more);
        }
        fits
    });
    Fields(kept.collect())
}

/// The page of the form that is sent to this path.
pub(super) fn page_of(path: &[&str]) -> String {
    let page = match path {
        ["ui", one @ ("connect" | "try" | "alerts" | "changed"), ..] => format!("/ui/{one}"),
        ["ui", "events", "retry-dead" | "dismiss-dead"] => "/ui/events?state=dead".to_owned(),
        ["ui", "events", seq, _] => format!("/ui/events/{seq}"),
        [
            "ui",
            "shops",
            name,
            tab @ ("backfill" | "first-day" | "disconnect"),
            ..,
        ] => format!("/ui/shops/{name}/{tab}"),
        ["ui", "shops", name, ..] => format!("/ui/shops/{name}"),
        _ => String::new(),
    };
    safe(&page).to_owned()
}

fn said(view: &View, said: &Said) -> Markup {
    match said {
        Said::Plain(text) => alert("good", &html! { p { (view.t(*text)) } }),
        Said::Over => alert("warn", &html! { p { (view.t(w::SESSION_OVER)) } }),
        Said::Wrong => alert("bad", &html! { p { (view.t(w::WRONG_TOKEN)) } }),
    }
}

/// A log-in form that was sent.
pub(super) struct LogIn<'r> {
    /// The token that was typed.
    pub(super) token: &'r str,
    /// Where to go afterwards.
    pub(super) back: Back,
    /// Where the request comes from.
    pub(super) client: Option<&'r str>,
}

impl<'r> LogIn<'r> {
    /// The form as it was sent.
    pub(super) fn read(form: &'r Fields, client: Option<&'r str>) -> Self {
        let kept = form.0.iter().filter_map(|(name, value)| {
            let name = name.strip_prefix(KEPT)?;
            Some((name.to_owned(), value.clone()))
        });
        let kept = carried(Fields(kept.collect()));
        let next = safe(form.get("next")).to_owned();
        Self {
            token: form.get("token"),
            back: Back { next, kept },
            client,
        }
    }
}

/// The log-in form; it leads `back` afterwards.
pub(super) fn form(view: &View, status: u16, above: Option<Said>, back: &Back) -> Reply {
    let body = html! {
        section.card.narrow {
            h1 { (view.t(w::LOG_IN)) }
            p.muted { (view.t(w::TAGLINE)) }
            @if let Some(above) = &above { (said(view, above)) }
            form method="post" action="/ui/login" {
                input type="hidden" name="next" value=(back.next);
                @for (name, value) in &back.kept.0 { input type="hidden" name={ (KEPT) (name) } value=(value); }
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
    let offered = Secret::new(form.token.trim());
    if config.admin_token.as_ref() != Some(&offered) {
        guard::failed(world, config, Door::Page, form.client).await;
        return Ok(self::form(view, 403, Some(Said::Wrong), &form.back));
    }
    // A stranger may read this: not in the store's own words, which may name its address.
    let epoch = sessions::epoch(world).await.map_err(|_| {
        let title = "The key-value store does not answer";
        Problem::new(503, "store-unavailable", title, title)
    })?;
    let mut reply = Reply::to(&form.back.next);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_leads_back_to_its_page() {
        for (path, page) in [
            (&["ui", "connect"][..], "/ui/connect"),
            (&["ui", "events", "7", "retry"], "/ui/events/7"),
            (&["ui", "events", "retry-dead"], "/ui/events?state=dead"),
            (
                &["ui", "shops", "a", "webhooks", "order", "on"],
                "/ui/shops/a",
            ),
            (
                &["ui", "shops", "a", "backfill", "stop"],
                "/ui/shops/a/backfill",
            ),
            (&["ui", "shops", "\"><script>", "rotate"], "/"),
            (&["ui", "shops", "\\evil.test", "rotate"], "/"),
            (&["ui", "logout"], "/"),
        ] {
            assert_eq!(page_of(path), page);
        }
    }

    #[test]
    fn no_secret_and_no_more_than_the_form_holds_is_carried() {
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let typed = Fields(vec![
            field("csrf", "x"),
            field("token", "x"),
            field("client_secret", "x"),
            field("getfly_api_key", "x"),
            field("payload", &"ă".repeat(600)),
            field("retailer", "hoa"),
            field("from", ""),
        ]);
        assert_eq!(carried(typed).0, [field("retailer", "hoa")]);
        let typed = Fields(vec![field("payload", &"x".repeat(2900))]);
        assert_eq!(carried(typed).0.len(), 1);
    }

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
