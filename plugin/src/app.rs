//! The routes: KiotViet's deliveries, the health check, and the page and the API for people.

use crate::{
    admin::{
        api::{self, view::Health},
        page,
    },
    config::{Config, Processing, Ready},
    drain::{
        how::{How, Waits},
        run::drain,
    },
    intake::{
        accept::{self, MAX_BODY_BYTES},
        known,
    },
    journal::{cursor, entries, keys, no_atomics, probe},
    log,
    reconcile::upkeep::Upkeep,
    web::{After, Answer, Body, BodyError, Inbound},
    worker::{inline, lease, outside, tenant},
    world::{StoreError, World},
};
use core::{ops::Range, time::Duration};
use futures_util::future::{Either, select};

/// Under `processing = inline` a delivery is processed for at most this long before its answer:
/// KiotViet waits five seconds.
const INLINE_TIME: Duration = Duration::from_secs(3);
/// Under `processing = inline` no further event begins after this.
const INLINE_BEGIN: Duration = Duration::from_secs(2);

/// Answers a request. A delivery never waits for KiotViet's or Getfly's API, unless `processing =
/// inline`.
pub async fn handle<W: World, B: Body>(
    world: &W,
    config: &Config,
    request: Inbound<B>,
) -> (Answer, After) {
    if config.processing == Processing::Inline {
        // If the store does not answer, the next step fails and shows it.
        let _ = probe::find_out(world).await;
    }
    let path = request.path.clone();
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    match segments.as_slice() {
        ["hooks", connection, token] => hook(world, config, request, connection, token).await,
        ["healthz"] => (health(world, config).await, After::Nothing),
        [""] | ["ui", ..] => page::page(world, config, request, &segments).await,
        ["metrics"] => (api::metrics(world, config, request).await, After::Nothing),
        ["api", rest @ ..] => {
            let answer = api::api(world, config, request, rest).await;
            let after = match (answer.status, rest) {
                (202, ["connections", _, "backfill"]) => After::ReadLists,
                (202, _) => After::Drain,
                _ => After::Nothing,
            };
            (answer, after)
        }
        _ => (
            api::problem::not_found("no such page").answer(),
            After::Nothing,
        ),
    }
}

async fn hook<W: World, B: Body>(
    world: &W,
    config: &Config,
    request: Inbound<B>,
    name: &str,
    token: &str,
) -> (Answer, After) {
    let opens = match known::authenticate(world, config, name, token).await {
        Ok(Some(opens)) => opens,
        Ok(None) => return (unknown(world, config, name).await, After::Nothing),
        Err(e) => return (not_kept(world, name, e), After::Nothing),
    };
    if matches!(request.method.as_str(), "GET" | "HEAD") {
        return (Answer::empty(200), After::Nothing);
    }
    let body = match request.body.read(MAX_BODY_BYTES).await {
        Ok(body) => body,
        Err(BodyError::TooLarge) => return (Answer::empty(413), After::Nothing),
        Err(BodyError::Broken) => return (Answer::empty(503), After::Nothing),
    };
    let signature = request.signature.as_deref();
    let sealer = config.sealer.as_ref();
    let kept = accept::accept(
        world,
        sealer,
        config.signature_policy,
        (&opens.known, opens.token),
        signature,
        &body,
    )
    .await;
    let kept = match kept {
        Ok(kept) => kept,
        Err(_) if mutant!(AckBeforeStore) => return (Answer::empty(200), After::Drain),
        Err(e) => return (not_kept(world, name, e), After::Nothing),
    };
    let Some(ready) = &config.ready else {
        return (Answer::empty(200), After::Nothing);
    };
    // A delivery that was only counted needs no processing.
    if kept.is_empty() {
        return (Answer::empty(200), After::Nothing);
    }
    if config.processing == Processing::Inline {
        process_inline(world, ready, kept).await;
        return (Answer::empty(200), After::Nothing);
    }
    (Answer::empty(200), After::Drain)
}

/// Answers a path that opens no connection. On a store that forgets, it may have opened one, and
/// KiotViet never sends again after a 404.
async fn unknown<W: World>(world: &W, config: &Config, name: &str) -> Answer {
    match probe::look_again(world, &config.store_seen).await {
        Ok(None) => Answer::empty(404),
        Ok(Some(unfit)) => not_kept(world, name, unfit.words()),
        Err(e) => not_kept(world, name, e),
    }
}

fn not_kept<W: World>(world: &W, connection: &str, why: impl ToString) -> Answer {
    let name: String = connection.chars().take(64).collect();
    log::not_kept(world, &name, &why.to_string());
    Answer::empty(503)
}

async fn process_inline<W: World>(world: &W, ready: &Ready, kept: Range<u64>) {
    let how = How {
        time: Some(INLINE_BEGIN),
        ..How::QUICK
    };
    let drain = core::pin::pin!(async {
        if world.is_atomic() {
            drain(world, ready, how).await;
        } else {
            let until = world.now().checked_add(INLINE_BEGIN);
            // A failure is in the journal, for the next drain.
            let _ = inline::process(world, ready, kept, until).await;
        }
    });
    let time = core::pin::pin!(world.sleep(INLINE_TIME));
    // What is not done in time is in the journal and goes on with the next drain.
    match select(drain, time).await {
        Either::Left(_) | Either::Right(_) => {}
    }
}

/// Does what follows an answer, and then what `waits` says.
pub async fn process<W: World>(world: &W, config: &Config, after: After, waits: Waits) {
    let upkeep = match after {
        After::Nothing => return,
        After::Drain => Upkeep::None,
        After::ReadLists => Upkeep::Due,
    };
    if let Some(ready) = &config.ready {
        // In a busy shop most deliveries come while a worker is running, which looks at the journal
        // once more after it releases the lease: a read is enough, and costs no durable write.
        if after == After::Drain && matches!(lease::is_held(world).await, Ok(true)) {
            return;
        }
        let how = How {
            upkeep,
            waits,
            ..How::QUICK
        };
        drain(world, ready, how).await;
    }
}

async fn health<W: World>(world: &W, config: &Config) -> Answer {
    let mut reasons: Vec<String> = config
        .problems
        .iter()
        .map(|p| format!("variable {} {}", p.variable, p.problem))
        .collect();
    if let Some(reason) = store_problem(world, config).await {
        reasons.push(reason);
    }
    let cursor = cursor::load(world).await;
    if let Err(newer @ StoreError::Newer { .. }) = &cursor {
        reasons.push(newer.to_string());
    }
    if let Some(words) = outside::old_getfly(world).await {
        reasons.push(words.to_owned());
    }
    if let Some(ready) = &config.ready
        && let Ok(Some(_)) = tenant::other_than(world, ready).await
    {
        reasons.push(ANOTHER_GETFLY.to_owned());
    }
    let well = reasons.is_empty();
    let status = if well { "ok" } else { "unavailable" };
    let weaker = (well && !world.is_atomic()).then(|| no_atomics::WEAKER.to_owned());
    let is_inline = config.processing == Processing::Inline;
    let health = Health {
        advice: cursor
            .ok()
            .and_then(|cursor| cursor.late_starts.advice(is_inline)),
        reasons: (!well).then_some(reasons),
        status: status.to_owned(),
        weaker,
    };
    Answer::json(if well { 200 } else { 503 }, &health)
}

/// Why nothing is sent. The addresses are only for people who have logged in.
const ANOTHER_GETFLY: &str = "getfly_url is another Getfly than the one this store belongs to: nothing is sent, deliveries are kept; confirm it on the page, or set it back";

/// What is wrong with the store. Its own words are in the log only: they may contain its address.
async fn store_problem<W: World>(world: &W, config: &Config) -> Option<String> {
    let looked = probe::look_again(world, &config.store_seen).await;
    if let Ok(Some(unfit)) = looked {
        return Some(unfit.words());
    }
    let counted = config.store_seen.counted(world.now());
    if looked.is_ok() && (counted || entries::tail(world).await.is_ok()) {
        return None;
    }
    let words = match world.get(keys::STORE_KIND).await {
        Ok(_) => {
            "the key-value store cannot count (increment fails); on a host without atomics set processing to inline"
        }
        Err(_) => "the key-value store does not answer",
    };
    Some(words.to_owned())
}
