//! What happened to each event, newest first, and the commands about dead letters.

use crate::{
    admin::api::{
        problem::{self, Problem},
        view,
    },
    config::Ready,
    drain::{
        how::{How, Waits},
        run::drain_for,
    },
    journal::{
        cursor,
        dead_reason::DeadReason,
        entries,
        finding::Wanted,
        index, ledger,
        record::{Command, Record, State},
        refused,
    },
    reconcile::upkeep::Upkeep,
    rules::sale::EditOrSale,
    seal::Sealer,
    worker::lease::Patience,
    world::World,
};
use core::time::Duration;

/// Events in an answer, unless `limit` says otherwise.
const LIMIT: usize = 50;
/// Most events in an answer.
const LIMIT_MOST: usize = 200;
/// Journal entries looked at for one answer, so that its cost does not grow with the history; where
/// a filter leaves fewer, `next_before` goes on.
const LOOKED_AT: usize = 1000;

/// Entries that are not indexed yet, looked at for one answer to what a person looks for: more than the span that is being
/// filled.
const UNINDEXED_MOST: usize = 4000;

/// The parameters of a list.
const NAMES: [&str; 6] = ["q", "connection", "state", "reason", "limit", "before"];
/// Most events in an answer to what a person looks for.
const FOUND_MOST: usize = 20;

struct Query {
    wanted: Option<Wanted>,
    connection: Option<String>,
    state: Option<State>,
    reason: Option<DeadReason>,
    /// Without what may be forged, unless `reason` names it.
    without_forged: bool,
    limit: usize,
    before: Option<u64>,
}

impl Query {
    fn wants(&self, record: &Record) -> bool {
        let of = |wanted: &str| wanted == record.connection.as_str();
        self.wanted.as_ref().is_none_or(|wanted| wanted.is(record))
            && self.connection.as_deref().is_none_or(of)
            && self.state.is_none_or(|state| state == record.state())
            && match self.reason {
                Some(reason) => record.status.dead() == Some(reason),
                None => !(self.without_forged && record.may_be_forged()),
            }
    }
}

fn parse(query: Option<&str>, sealer: Option<&Sealer>) -> Result<Query, Problem> {
    let mut parsed = Query {
        wanted: None,
        connection: None,
        state: None,
        reason: None,
        without_forged: false,
        limit: LIMIT,
        before: None,
    };
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        if !NAMES.contains(&&*name) {
            return Err(problem::invalid(format!(
                "“{}” is no parameter of this route; those are {}.",
                name.chars().take(64).collect::<String>(),
                NAMES.join(", ")
            )));
        }
        if value.is_empty() {
            continue;
        }
        let wrong = |what: &str| problem::invalid(format!("{name} must be {what}."));
        match name.as_ref() {
            "q" => {
                let wanted = Wanted::parse(&value, sealer);
                parsed.wanted =
                    Some(wanted.ok_or_else(|| wrong("a code, an id or a phone number"))?);
            }
            "connection" => parsed.connection = Some(value.into_owned()),
            "state" => {
                let state = State::parse(&value);
                parsed.state = Some(
                    state.ok_or_else(|| wrong("received, retrying, done, dead or dismissed"))?,
                );
            }
            "reason" => {
                let reason = DeadReason::parse(&value);
                let words = DeadReason::ALL.map(DeadReason::as_str).join(", ");
                parsed.reason = Some(reason.ok_or_else(|| wrong(&format!("one of {words}")))?);
            }
            "limit" => {
                let limit = value.parse().ok().filter(|n| (1..=LIMIT_MOST).contains(n));
                parsed.limit = limit.ok_or_else(|| wrong("a whole number from 1 to 200"))?;
            }
            "before" => {
                parsed.before = Some(value.parse().map_err(|_| wrong("an event's number"))?)
            }
            _ => {}
        }
    }
    if parsed.wanted.is_some() {
        parsed.limit = parsed.limit.min(FOUND_MOST);
    }
    Ok(parsed)
}

/// Most dead letters that are retried in one request.
const RETRIED_MOST: usize = 200;
/// Most that are dismissed in one.
const DISMISSED_MOST: usize = 1000;
/// What is processed before a command is answered: a person waits, perhaps behind a long queue. The rest
/// goes on after the answer.
pub(in crate::admin) const AT_ONCE: How = How {
    patience: Patience::None,
    time: Some(Duration::from_secs(2)),
    upkeep: Upkeep::None,
    waits: Waits::No,
};

/// The events that a query asks for, newest first, and where to go on. Who looks for a customer's code or phone finds his
/// sales too.
async fn find<W: World>(
    world: &W,
    sealer: Option<&Sealer>,
    query: &mut Query,
) -> Result<(Vec<Record>, Option<u64>), Problem> {
    let mut learnt = false;
    if let Some(wanted) = &mut query.wanted
        && let Some((phone, sealer)) = wanted.phone().zip(sealer)
        && let Some(account) = ledger::account_with_number(world, sealer, phone).await?
    {
        wanted.also(&account);
    }
    let found = find_once(world, query).await?;
    if let Some(wanted) = &mut query.wanted {
        for record in &found.0 {
            learnt |= wanted.learn(record);
        }
    }
    if learnt {
        return find_once(world, query).await;
    }
    Ok(found)
}

async fn find_once<W: World>(
    world: &W,
    query: &Query,
) -> Result<(Vec<Record>, Option<u64>), Problem> {
    let mut found = Vec::new();
    let (numbers, whole) = match &query.wanted {
        Some(wanted) if world.is_atomic() => looked_up(world, wanted, query.before).await?,
        _ => {
            let numbers = if query.state == Some(State::Dead) {
                dead(world, query.before).await?
            } else {
                entries::numbers(world, query.before, LOOKED_AT).await?
            };
            let whole = numbers.len() < LOOKED_AT;
            (numbers, whole)
        }
    };
    let mut last = None;
    for seq in numbers {
        if found.len() >= query.limit {
            return Ok((found, last));
        }
        last = Some(seq);
        let record = entries::read_event(world, seq).await?;
        if let Some(mut record) = record.filter(|record| query.wants(record)) {
            refused::with_count(world, &mut record).await?;
            found.push(record);
        }
    }
    Ok((found, last.filter(|_| !whole)))
}

/// The numbers below `before` that may be about what is looked for, newest first: those that are not indexed yet, those
/// that the index tells, and dead letters, which may be older than what is indexed. And whether these are all.
async fn looked_up<W: World>(
    world: &W,
    wanted: &Wanted,
    before: Option<u64>,
) -> Result<(Vec<u64>, bool), Problem> {
    let cursor = cursor::load(world).await.unwrap_or_default();
    let mut numbers = entries::numbers(world, before, UNINDEXED_MOST).await?;
    let is_indexed = |seq: &u64| index::span_of(*seq) < cursor.indexed.1;
    let whole = numbers.len() < UNINDEXED_MOST || numbers.iter().any(is_indexed);
    if !whole {
        return Ok((numbers, false));
    }
    numbers.retain(|seq| !is_indexed(seq));
    numbers.extend(index::numbers(world, cursor.indexed, cursor.folded, &wanted.hashes()).await?);
    numbers.extend(cursor.dead);
    numbers.retain(|seq| before.is_none_or(|before| *seq < before));
    numbers.sort_unstable_by(|a, b| b.cmp(a));
    numbers.dedup();
    Ok((numbers, true))
}

/// The numbers below `before` that may be dead letters', newest first, at most [`LOOKED_AT`]: those that the
/// worker has not looked at, those that it lists, and where there are more of them the older ones.
async fn dead<W: World>(world: &W, before: Option<u64>) -> Result<Vec<u64>, Problem> {
    let all = || entries::numbers(world, before, LOOKED_AT);
    let Ok(cursor) = cursor::load(world).await else {
        return Ok(all().await?);
    };
    let oldest = cursor.dead.first().copied();
    let more = cursor.counts.dead > cursor.dead.len() as u64;
    let mut numbers = all().await?;
    let unlooked = |seq: u64| cursor.is_to_come(seq);
    numbers.retain(|seq| unlooked(*seq));
    let listed = cursor.dead.iter().copied();
    numbers.extend(listed.filter(|seq| before.is_none_or(|before| *seq < before)));
    numbers.sort_unstable_by(|a, b| b.cmp(a));
    numbers.dedup();
    if more && numbers.len() < LOOKED_AT {
        let below = before.into_iter().chain(oldest).min();
        let left = LOOKED_AT.saturating_sub(numbers.len());
        numbers.extend(entries::numbers(world, below, left).await?);
    }
    numbers.truncate(LOOKED_AT);
    Ok(numbers)
}

/// The events of a list, newest first, and where to go on.
pub(in crate::admin) async fn listed<W: World>(
    world: &W,
    sealer: Option<&Sealer>,
    query: Option<&str>,
) -> Result<(Vec<Record>, Option<u64>), Problem> {
    find(world, sealer, &mut parse(query, sealer)?).await
}

/// `GET /api/events`.
pub(in crate::admin) async fn list<W: World>(
    world: &W,
    sealer: Option<&Sealer>,
    query: Option<&str>,
) -> Result<view::Events, Problem> {
    let (found, next_before) = listed(world, sealer, query).await?;
    Ok(view::Events {
        events: found.into_iter().map(view::Event::from).collect(),
        next_before,
    })
}

/// The event of this number.
pub(in crate::admin) async fn read<W: World>(world: &W, seq: &str) -> Result<Record, Problem> {
    let missing = || {
        Problem::new(
            404,
            "unknown-event",
            "Unknown event",
            "There is no event of this number.",
        )
    };
    let seq: u64 = seq.parse().map_err(|_| missing())?;
    let record = entries::read_event(world, seq).await?;
    let mut record = record.ok_or_else(missing)?;
    refused::with_count(world, &mut record).await?;
    Ok(record)
}

/// `GET /api/events/{seq}`.
pub(in crate::admin) async fn one<W: World>(
    world: &W,
    seq: &str,
) -> Result<view::EventDetail, Problem> {
    Ok(read(world, seq).await?.into())
}

/// What a person can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::admin) enum Asked {
    /// Try it again.
    Retry,
    /// It needs nothing more.
    Dismiss,
    /// The invoice is this, which could not be told.
    Answer(EditOrSale),
}

impl Asked {
    /// By the last word of its route.
    pub(in crate::admin) fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "retry" => Self::Retry,
            "dismiss" => Self::Dismiss,
            "edit" => Self::Answer(EditOrSale::Edit),
            "sale" => Self::Answer(EditOrSale::Sale),
            _ => return None,
        })
    }
}

/// A person's command about an event.
pub(in crate::admin) struct Commanded {
    /// 200 when it was carried out, 202 when another worker is about to.
    pub(in crate::admin) status: u16,
    /// The event.
    pub(in crate::admin) record: Record,
    /// The command's own number.
    pub(in crate::admin) number: u64,
}

/// `POST /api/events/{seq}/retry`, `/dismiss`, `/edit` and `/sale`.
pub(in crate::admin) async fn command<W: World>(
    world: &W,
    ready: &Ready,
    seq: &str,
    asked: Asked,
) -> Result<Commanded, Problem> {
    let record = read(world, seq).await?;
    if record.state() != State::Dead {
        return Err(Problem::new(
            409,
            "not-a-dead-letter",
            "This event is not a dead letter",
            "Only dead letters can be retried or dismissed.",
        ));
    }
    if matches!(asked, Asked::Answer(_)) && record.status.dead() != Some(DeadReason::EditOrSale) {
        return Err(Problem::new(
            409,
            "nothing-asked",
            "This event does not ask that",
            "Only a dead letter of the reason edit_or_sale is told what its invoice is.",
        ));
    }
    let command = match asked {
        Asked::Answer(is) => Command::Answer {
            event: record.seq,
            is,
        },
        Asked::Retry => Command::Retry(record.seq),
        Asked::Dismiss => Command::Dismiss(record.seq),
    };
    let number = entries::reserve(world, 1).await?;
    entries::write_command(world, number, &command).await?;
    let commands = number..number.saturating_add(1);
    drain_for(world, ready, AT_ONCE, commands).await;
    let record = read(world, seq).await?;
    let status = if record.commanded_by == Some(number) {
        200
    } else {
        202
    };
    Ok(Commanded {
        status,
        record,
        number,
    })
}

/// `POST /api/events/retry-dead`: asks for another attempt of dead letters, newest first, at most 200 of
/// them. The query is that of the list; what may be forged is among them only where `reason` names it. Returns how many,
/// and where to go on if there may be more.
pub(in crate::admin) async fn retry_dead<W: World>(
    world: &W,
    ready: &Ready,
    query: Option<&str>,
) -> Result<view::Retried, Problem> {
    let query = Query {
        without_forged: true,
        ..parse(query, Some(&ready.sealer))?
    };
    let (retried, next_before) = command_dead(world, ready, query, Command::Retry).await?;
    Ok(view::Retried {
        next_before,
        retried,
    })
}

/// `POST /api/events/dismiss`: dismisses all dead letters of one `reason`, of one `connection` where it is named, newest
/// first, at most 1,000 of them. Returns how many, and where to go on if there may be more.
pub(in crate::admin) async fn dismiss_dead<W: World>(
    world: &W,
    ready: &Ready,
    query: Option<&str>,
) -> Result<view::Dismissed, Problem> {
    let query = parse(query, Some(&ready.sealer))?;
    if query.reason.is_none() {
        let example = "reason must be named, e.g. ?reason=bad_signature.";
        return Err(problem::invalid(example));
    }
    let (dismissed, next_before) = command_dead(world, ready, query, Command::Dismiss).await?;
    Ok(view::Dismissed {
        dismissed,
        next_before,
    })
}

/// Gives this command for each dead letter that the query asks for.
async fn command_dead<W: World>(
    world: &W,
    ready: &Ready,
    mut query: Query,
    command: impl Fn(u64) -> Command,
) -> Result<(usize, Option<u64>), Problem> {
    query.state = Some(State::Dead);
    query.limit = match command(0) {
        Command::Dismiss(_) => DISMISSED_MOST,
        _ => RETRIED_MOST,
    };
    let (found, next_before) = find(world, Some(&ready.sealer), &mut query).await?;
    let first = entries::reserve(world, found.len()).await?;
    let mut number = first;
    for record in &found {
        entries::write_command(world, number, &command(record.seq)).await?;
        number = number.saturating_add(1);
    }
    drain_for(world, ready, AT_ONCE, first..number).await;
    Ok((found.len(), next_before))
}
