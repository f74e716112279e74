//! What goes out to people, after the lease was given back, so that no event waits for its receiver. A long drain tells them
//! in between, and waits for the receiver briefly.

use crate::{
    config::{AlertFormat, AlertSettings, Ready},
    journal::alerts::{self, Cause, Outcome, Outgoing, Sent},
    json, log,
    secret::Secret,
    time::Timestamp,
    wording::{alerts as words, text::Lang},
    world::{Http, HttpError, Method, Request, World},
};
use core::time::Duration;
use serde::Serialize;

/// Longest wait for the receiver.
pub(super) const TIMEOUT: Duration = Duration::from_secs(5);
/// The same in the middle of a drain: events wait meanwhile.
pub(super) const BRIEF: Duration = Duration::from_secs(1);

/// What goes out once the lease was given back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ToSend {
    /// A message.
    pub message: Option<Outgoing>,
    /// Whether the heartbeat is asked for.
    pub beats: bool,
}

impl ToSend {
    /// Whether nothing goes out.
    pub(super) fn is_empty(&self) -> bool {
        self.message.is_none() && !self.beats
    }
}

/// Sends what was announced, and waits `longest` for each answer; the next drain looks at what became of it.
pub(super) async fn send<W: World>(world: &W, ready: &Ready, to_send: ToSend, longest: Duration) {
    let Some(settings) = &ready.alerts else {
        return;
    };
    if let Some(message) = &to_send.message {
        let outcome = {
            let body = body(settings, ready, Some(message));
            deliver(world, settings, body, longest).await
        };
        if let Some(why) = outcome.why() {
            log::alert_not_sent(world, &why);
        }
        let sent = Sent {
            number: message.number,
            at: world.now(),
            outcome,
        };
        // Were this lost, the message would be sent once more.
        let _ = alerts::keep_sent(world, &sent).await;
    }
    if let Some(path) = settings.heartbeat_path.as_ref().filter(|_| to_send.beats) {
        let outcome = ask(world, settings, Method::Get, path, Vec::new(), longest).await;
        if let Some(why) = outcome.why() {
            log::alert_not_sent(world, &why);
        }
    }
}

/// Sends a test message at once; what became of it.
pub async fn send_test<W: World>(world: &W, ready: &Ready) -> Outcome {
    let Some(settings) = &ready.alerts else {
        return Outcome::Refused("alert_origin is not set".to_owned());
    };
    deliver(world, settings, body(settings, ready, None), TIMEOUT).await
}

/// A message in its receiver's form.
#[derive(Serialize)]
#[serde(untagged)]
enum Body<'m> {
    /// Our own.
    Json {
        all_well: bool,
        bridge: &'m str,
        causes: Vec<Told<'m>>,
        text: String,
        text_en: String,
    },
    /// Slack's.
    Slack { text: String },
    /// Telegram's.
    Telegram { chat_id: &'m str, text: String },
}

/// A cause in our own form.
#[derive(Serialize)]
struct Told<'m> {
    cause: &'m Cause,
    count: u64,
    over: bool,
    since: Timestamp,
}

/// `message`, or with none a test, in the form of `settings`.
fn body(settings: &AlertSettings, ready: &Ready, message: Option<&Outgoing>) -> Vec<u8> {
    // In both languages: Telegram takes 4,096 characters, Slack 40,000.
    let most = match settings.format {
        AlertFormat::Json => usize::MAX,
        AlertFormat::Slack => 19_000,
        AlertFormat::Telegram => 2_000,
    };
    let [vi, en] = [Lang::Vi, Lang::En].map(|lang| match message {
        Some(message) => words::message(lang, message, &ready.public_url, most),
        None => words::test(lang).to_owned(),
    });
    let items = message.into_iter().filter(|message| !message.brief);
    let items = items.flat_map(|message| &message.items);
    let causes = items.map(|item| Told {
        cause: &item.cause,
        count: item.count,
        over: item.is_over(),
        since: item.since,
    });
    json::text(&match settings.format {
        AlertFormat::Json => Body::Json {
            all_well: message.is_some_and(|message| message.all_well),
            bridge: &ready.public_url,
            causes: causes.collect(),
            text: vi,
            text_en: en,
        },
        AlertFormat::Slack => Body::Slack {
            text: format!("{vi}\n\n{en}"),
        },
        AlertFormat::Telegram => Body::Telegram {
            chat_id: &settings.chat,
            text: format!("{vi}\n\n{en}"),
        },
    })
}

async fn deliver<H: Http>(
    http: &H,
    settings: &AlertSettings,
    body: Vec<u8>,
    timeout: Duration,
) -> Outcome {
    match &settings.path {
        Some(path) => ask(http, settings, Method::Post, path, body, timeout).await,
        None => Outcome::Refused("alert_path is not set".to_owned()),
    }
}

async fn ask<H: Http>(
    http: &H,
    settings: &AlertSettings,
    method: Method,
    path: &Secret,
    body: Vec<u8>,
    timeout: Duration,
) -> Outcome {
    let headers = match method {
        Method::Post => vec![("content-type", "application/json; charset=utf-8".to_owned())],
        Method::Get | Method::Delete => Vec::new(),
    };
    let request = Request {
        method,
        url: format!("{}{}", settings.origin, path.reveal()),
        endpoint: "alert receiver",
        headers,
        body,
        timeout,
    };
    match http.send(request).await {
        Ok(answer) if (200..300).contains(&answer.status) => Outcome::Arrived,
        Ok(answer) => Outcome::Answered(answer.status),
        Err(HttpError::Denied) => Outcome::NotAllowed,
        Err(_) => Outcome::NoAnswer("the receiver at alert_origin did not answer".to_owned()),
    }
}
