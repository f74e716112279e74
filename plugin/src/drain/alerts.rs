//! Telling people: what stands is found out under the lease, at the end of a drain, and announced with the cursor;
//! the message goes out after the lease was given back, so that no event waits for its receiver.

use crate::{
    config::{AlertFormat, AlertSettings, Ready},
    drain::state::Drain,
    journal::{
        alerts::{self, Cause, Outcome, Outgoing, Sent},
        connections,
        trouble::Trouble,
    },
    json, log,
    secret::Secret,
    time::Timestamp,
    wording::{alerts as words, text::Lang},
    world::{Clock, Http, HttpError, Method, Request, StoreError, World},
};
use core::time::Duration;
use serde::Serialize;

/// Longest wait for the receiver.
const TIMEOUT: Duration = Duration::from_secs(5);
/// An upstream that fails for less than this may have recovered before anybody reads of it.
const STEADY: Duration = Duration::from_secs(20);

/// What goes out once the lease was given back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ToSend {
    /// A message.
    pub message: Option<Outgoing>,
    /// Whether the heartbeat is asked for.
    pub beats: bool,
}

impl<W: World> Drain<'_, '_, W> {
    /// Finds out what stands, and announces what is to be told. `is_good`: nothing stopped this drain.
    pub(super) async fn alerts(&mut self, is_good: bool) -> Result<ToSend, StoreError> {
        let Some(settings) = &self.ready.alerts else {
            return Ok(ToSend::default());
        };
        let now = self.worker.now();
        let mut to_send = ToSend::default();
        if settings.path.is_some() {
            self.find_out(now).await?;
            let alerts = &mut self.cursor.alerts;
            alerts.settle(self.worker, now).await?;
            to_send.message = alerts.announce(self.worker, now).await?;
        }
        let has_heart = settings.heartbeat_path.is_some();
        to_send.beats = is_good && has_heart && self.cursor.alerts.beats(now);
        Ok(to_send)
    }

    /// Keeps whether `cause` stands, where people are told.
    pub(super) fn stands_if(&mut self, stands: bool, cause: Cause, why: Option<Trouble>) {
        if self.ready.alerts.is_some() {
            self.cursor
                .alerts
                .set(cause, stands.then(|| self.worker.now()), why);
        }
    }

    async fn find_out(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let cursor = &mut self.cursor;
        let mut fails = Vec::new();
        for (upstream, pause) in cursor.pauses.iter() {
            let since = pause.since.unwrap_or(now);
            if pause.matters(now) && now.saturating_since(since) >= STEADY {
                fails.push((Cause::fails(upstream), since, pause.why.clone()));
            }
        }
        let mut silent = Vec::new();
        for (name, rhythm) in cursor.stats.rhythm.iter() {
            let Some(last) = cursor.stats.last_event.get(name).copied() else {
                continue;
            };
            let connection = name.clone();
            let cause = Cause::Silence { connection };
            // Closing time does not end it.
            let goes_on = cursor.alerts.causes.get(&cause);
            let goes_on = goes_on.is_some_and(|s| s.count > 0 && s.since == last);
            if goes_on || rhythm.is_silent(last, now) {
                silent.push((cause, last));
            }
        }
        // A shop that was disconnected is silent for good.
        if !silent.is_empty() {
            let names = connections::names(self.worker).await?;
            silent.retain(|(cause, _)| {
                matches!(cause, Cause::Silence { connection } if names.contains(connection))
            });
        }
        let silent = silent.into_iter().map(|(cause, last)| (cause, last, None));
        let stands: Vec<_> = fails.into_iter().chain(silent).collect();
        let known: Vec<Cause> = cursor.alerts.causes.keys().cloned().collect();
        for cause in known {
            let is_found_here = matches!(
                cause,
                Cause::GetflyFails | Cause::KiotVietFails { .. } | Cause::Silence { .. }
            );
            if is_found_here && !stands.iter().any(|(stands, ..)| *stands == cause) {
                cursor.alerts.ends(&cause);
            }
        }
        for (cause, since, why) in stands {
            cursor.alerts.stands(cause, since, why);
        }
        Ok(())
    }
}

/// Sends what was announced; the next drain looks at what became of it.
pub async fn send<W: World>(world: &W, ready: &Ready, to_send: ToSend) {
    let Some(settings) = &ready.alerts else {
        return;
    };
    if let Some(message) = &to_send.message {
        let outcome = deliver(world, settings, body(settings, ready, Some(message))).await;
        if let Some(why) = outcome.why() {
            log::alert_not_sent(world, why);
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
        let outcome = ask(world, settings, Method::Get, path, Vec::new()).await;
        if let Some(why) = outcome.why() {
            log::alert_not_sent(world, why);
        }
    }
}

/// Sends a test message at once; what became of it.
pub async fn send_test<W: World>(world: &W, ready: &Ready) -> Outcome {
    let Some(settings) = &ready.alerts else {
        return Outcome::Refused("alert_origin is not set".to_owned());
    };
    deliver(world, settings, body(settings, ready, None)).await
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
    let [vi, en] = [Lang::Vi, Lang::En].map(|lang| match message {
        Some(message) => words::message(lang, message, &ready.public_url),
        None => words::test(lang).to_owned(),
    });
    let items = message.into_iter().flat_map(|message| &message.items);
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

async fn deliver<H: Http>(http: &H, settings: &AlertSettings, body: Vec<u8>) -> Outcome {
    match &settings.path {
        Some(path) => ask(http, settings, Method::Post, path, body).await,
        None => Outcome::Refused("alert_path is not set".to_owned()),
    }
}

async fn ask<H: Http>(
    http: &H,
    settings: &AlertSettings,
    method: Method,
    path: &Secret,
    body: Vec<u8>,
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
        timeout: TIMEOUT,
    };
    match http.send(request).await {
        Ok(answer) if (200..300).contains(&answer.status) => Outcome::Arrived,
        Ok(answer) => {
            let status = answer.status;
            Outcome::Refused(format!("the receiver at alert_origin answered {status}"))
        }
        Err(HttpError::Denied) => Outcome::Refused(
            "the host does not allow calls to alert_origin: allow this origin in \
             allowed_outbound_hosts ({{ alert_origin }} in spin.toml)"
                .to_owned(),
        ),
        Err(_) => Outcome::NoAnswer("the receiver at alert_origin did not answer".to_owned()),
    }
}
