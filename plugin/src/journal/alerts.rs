//! What people are told of without looking: which causes stand, what they were told already, and the message that is on
//! its way. Kept in the cursor, so that after a crash the same causes are told once.
//!
//! A message is announced here before it is sent, and the lease is given back first, so that nothing waits for it. Its
//! sender keeps what became of it under a key of its own. A message whose outcome nobody kept may have arrived: its
//! causes are told again only after [`AGAIN`].

use crate::{
    assumption::Assumption,
    journal::{
        connection_name::{ConnectionName, Upstream},
        dead_reason::DeadReason,
        keys,
        sorted_map::SortedMap,
        trouble::Trouble,
        webhook::Webhook,
    },
    stored,
    time::Timestamp,
    world::{Store, StoreError},
};
use core::time::Duration;
use serde::{Deserialize, Serialize};

/// One cause is told at most once in this time.
pub const AGAIN: Duration = Duration::from_secs(600);
/// The same for dead letters that a stranger may have sent.
const FORGED_AGAIN: Duration = Duration::from_hours(24);
/// A message that its sender kept nothing of is taken for lost after this.
const LOST: Duration = Duration::from_secs(60);
/// First wait after a message that was refused; each further one doubles it, up to [`AGAIN`].
const FIRST_WAIT: Duration = Duration::from_secs(60);
/// The heartbeat is sent at most once in this time.
const BEAT: Duration = Duration::from_secs(55);
/// Causes in one message; further ones follow in the next.
const AT_MOST: usize = 20;

/// Why people are told.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A shop has new dead letters.
    DeadLetters {
        /// The shop.
        connection: ConnectionName,
        /// For what.
        reason: DeadReason,
    },
    /// Getfly does not do what it is asked.
    GetflyFails,
    /// KiotViet does not do what it is asked for a shop.
    #[serde(rename = "kiotviet_fails")]
    KiotVietFails {
        /// The shop.
        connection: ConnectionName,
    },
    /// A webhook is off at KiotViet and could not be switched on again.
    WebhookInactive {
        /// The shop.
        connection: ConnectionName,
        /// Which of them.
        webhook: Webhook,
    },
    /// A shop's invoices, which are polled, cannot be read.
    PollFails {
        /// The shop.
        connection: ConnectionName,
    },
    /// Another bridge is registered for a shop.
    AnotherBridge {
        /// The shop.
        connection: ConnectionName,
    },
    /// `getfly_url` is another tenant than the store's.
    AnotherGetfly,
    /// Nothing comes from a shop at a time when it usually does.
    Silence {
        /// The shop.
        connection: ConnectionName,
    },
    /// Traffic showed that an assumption about the vendors does not hold. It is told once, and does not end.
    Contradicted {
        /// Which.
        assumption: Assumption,
    },
}

impl Cause {
    /// That `upstream` fails.
    pub fn fails(upstream: Upstream<'_>) -> Self {
        match upstream {
            Upstream::Getfly => Self::GetflyFails,
            Upstream::KiotViet(name) => Self::KiotVietFails {
                connection: name.clone(),
            },
        }
    }

    /// Whether all can be well while it stands: nobody can mend it.
    fn is_for_good(&self) -> bool {
        matches!(self, Self::Contradicted { .. })
    }

    fn again(&self) -> Duration {
        match self {
            Self::DeadLetters { reason, .. } if reason.may_be_forged() => FORGED_AGAIN,
            _ => AGAIN,
        }
    }
}

/// How it stands with a cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Since when.
    pub since: Timestamp,
    /// New dead letters that nobody was told of; one for any other cause that stands.
    pub count: u64,
    /// What it is about, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Trouble>,
    /// When people were last told of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_at: Option<Timestamp>,
    /// Whether they believe that it stands; of dead letters, that some are open.
    #[serde(default)]
    pub believed: bool,
    /// None of the dead letters that people were told of is open.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub over: bool,
}

/// One line of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// The cause.
    pub cause: Cause,
    /// Since when it stands, or stood.
    pub since: Timestamp,
    /// How many dead letters; zero where the cause is over.
    pub count: u64,
    /// What it is about, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Trouble>,
    /// When people were told of it before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) told_before: Option<Timestamp>,
}

impl Item {
    /// Whether the cause is over.
    pub fn is_over(&self) -> bool {
        self.count == 0
    }
}

/// A message on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outgoing {
    /// Its number.
    pub number: u64,
    /// When it was announced.
    pub at: Timestamp,
    /// What it tells.
    pub items: Vec<Item>,
    /// Whether nothing stands any more.
    pub all_well: bool,
    /// Whether it tells only how much there is, as the receiver refused the words.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub brief: bool,
}

/// What became of a message, as its sender keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// Its number.
    pub number: u64,
    /// When it was sent.
    pub at: Timestamp,
    /// What became of it.
    pub outcome: Outcome,
}

/// See [`Sent`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The receiver took it.
    Arrived,
    /// The receiver answered with this status.
    Answered(u16),
    /// The host does not let it out.
    NotAllowed,
    /// The receiver refused it, or the host did not let it out, in an earlier version's words; or a variable is not set.
    Refused(String),
    /// Nobody knows: there was no answer.
    NoAnswer(String),
}

impl Outcome {
    /// Why it is not known to have arrived, in English.
    pub fn why(&self) -> Option<String> {
        Some(match self {
            Self::Arrived => return None,
            Self::Answered(status) => format!("the receiver at alert_origin answered {status}"),
            Self::NotAllowed => {
                "the host does not allow calls to alert_origin: allow this origin in \
                                 allowed_outbound_hosts ({{ alert_origin }} in spin.toml)"
                    .to_owned()
            }
            Self::Refused(why) | Self::NoAnswer(why) => why.clone(),
        })
    }
}

/// What was sent last; none in a store that never sent anything.
pub async fn last_sent(store: &impl Store) -> Result<Option<Sent>, StoreError> {
    let bytes = store.get(keys::ALERT_SENT).await?;
    Ok(bytes.and_then(|bytes| stored::read(&bytes).ok()))
}

/// Keeps what became of a message.
pub async fn keep_sent(store: &impl Store, sent: &Sent) -> Result<(), StoreError> {
    store.set(keys::ALERT_SENT, &stored::write(sent)).await
}

/// The causes that a person does not want to be told of.
pub async fn muted(store: &impl Store) -> Result<Vec<Cause>, StoreError> {
    let bytes = store.get(keys::ALERTS_MUTED).await?;
    let muted = bytes.and_then(|bytes| stored::read(&bytes).ok());
    Ok(muted.unwrap_or_default())
}

/// Keeps them.
pub async fn keep_muted(store: &impl Store, muted: &[Cause]) -> Result<(), StoreError> {
    store.set(keys::ALERTS_MUTED, &stored::write(&muted)).await
}

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Alerts {
    /// Every cause that stands or was told of lately.
    pub causes: SortedMap<Cause, Standing>,
    /// The message on its way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outgoing: Option<Outgoing>,
    /// The last message's number.
    pub number: u64,
    /// Messages in a row that did not arrive.
    pub failures: u32,
    /// A dead letter became none since it was last looked which are left.
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    pub dead_letter_has_risen: bool,
    /// The receiver refused the last message for what is in it.
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    pub refused: bool,
    /// No message before this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// The last heartbeat.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beat_at: Option<Timestamp>,
}

impl Alerts {
    fn enter(&mut self, cause: Cause, now: Timestamp) -> Option<&mut Standing> {
        if self.causes.get(&cause).is_none() {
            let standing = Standing {
                since: now,
                count: 0,
                why: None,
                told_at: None,
                believed: false,
                over: false,
            };
            self.causes.insert(cause.clone(), standing);
        }
        self.causes.get_mut(&cause)
    }

    /// An event became a dead letter.
    pub fn died(&mut self, connection: &ConnectionName, reason: DeadReason, now: Timestamp) {
        let connection = connection.clone();
        let cause = Cause::DeadLetters { connection, reason };
        if let Some(standing) = self.enter(cause, now) {
            if standing.count == 0 {
                standing.since = now;
            }
            standing.count = standing.count.saturating_add(1);
            standing.over = false;
        }
    }

    /// None of these dead letters is open any more.
    pub fn dead_letters_end(&mut self, cause: &Cause) {
        if let Some(standing) = self.causes.get_mut(cause) {
            standing.count = 0;
            standing.over = true;
        }
    }

    /// `cause` stands since then, unless it stood before.
    pub fn stands(&mut self, cause: Cause, since: Timestamp, why: Option<Trouble>) {
        if let Some(standing) = self.enter(cause, since) {
            if standing.count == 0 {
                standing.since = since;
            }
            standing.count = 1;
            standing.why = why;
        }
    }

    /// `cause` is found to stand at this moment, or not to.
    pub fn set(&mut self, cause: Cause, now: Option<Timestamp>, why: Option<Trouble>) {
        match now {
            Some(now) => self.stands(cause, now, why),
            None => self.ends(&cause),
        }
    }

    /// `cause` does not stand.
    pub fn ends(&mut self, cause: &Cause) {
        if let Some(standing) = self.causes.get_mut(cause) {
            standing.count = 0;
        }
    }

    /// Whether a message is to be written now.
    fn is_due(&self, now: Timestamp) -> bool {
        let open = self.outgoing.is_none() && self.not_before.is_none_or(|at| at <= now);
        open && self.causes.iter().any(|(c, s)| is_news(c, s, now))
    }

    /// Announces a message of what is to be told now, without the `muted` causes; none where there is nothing. `dead` is
    /// how many dead letters are open: while there is one, not all is well.
    pub async fn announce(
        &mut self,
        store: &impl Store,
        now: Timestamp,
        dead: u64,
    ) -> Result<Option<Outgoing>, StoreError> {
        self.forget(now);
        if !self.is_due(now) {
            return Ok(None);
        }
        let muted = muted(store).await?;
        let mut items = Vec::new();
        let news = self.causes.iter().filter(|(c, s)| is_news(c, s, now));
        let news: Vec<Cause> = news.map(|(c, _)| c.clone()).collect();
        for cause in news {
            let is_muted = muted.contains(&cause);
            let Some(standing) = self.causes.get_mut(&cause) else {
                continue;
            };
            if !is_muted && items.len() >= AT_MOST {
                break;
            }
            let item = Item {
                since: standing.since,
                count: standing.count,
                why: standing.why.clone(),
                told_before: standing.told_at,
                cause,
            };
            standing.believed = standing.count > 0;
            standing.over = false;
            standing.told_at = Some(now);
            if is_dead_letters(&item.cause) {
                standing.count = 0;
            }
            if !is_muted {
                items.push(item);
            }
        }
        if items.is_empty() {
            return Ok(None);
        }
        let stands =
            |(c, s): (&Cause, &Standing)| s.count > 0 && !c.is_for_good() && !muted.contains(c);
        let is_calm = dead == 0 && !self.causes.iter().any(stands);
        let all_well = is_calm && items.iter().any(Item::is_over);
        self.number = self.number.saturating_add(1);
        let outgoing = Outgoing {
            number: self.number,
            at: now,
            items,
            all_well,
            brief: self.refused,
        };
        self.outgoing = Some(outgoing.clone());
        Ok(Some(outgoing))
    }

    /// Looks at what became of the message on its way.
    pub async fn settle(&mut self, store: &impl Store, now: Timestamp) -> Result<(), StoreError> {
        let Some(outgoing) = &self.outgoing else {
            return Ok(());
        };
        let (number, at) = (outgoing.number, outgoing.at);
        let sent = last_sent(store).await?;
        let sent = sent.filter(|sent| sent.number == number);
        match sent.map(|sent| (sent.outcome, sent.at)) {
            Some((Outcome::Arrived, _)) => {
                self.outgoing = None;
                self.refused = false;
                self.failures = 0;
                self.not_before = None;
            }
            Some((Outcome::NoAnswer(_), at)) => self.take_back(|_| Some(at)),
            Some((outcome, at)) => {
                self.refused = matches!(outcome, Outcome::Answered(400 | 413 | 422));
                self.take_back(|item| item.told_before);
                let wait = FIRST_WAIT
                    .saturating_mul(1 << self.failures.min(4))
                    .min(AGAIN);
                self.failures = self.failures.saturating_add(1);
                self.not_before = at.checked_add(wait);
            }
            None if now.saturating_since(at) >= LOST => self.take_back(|_| Some(at)),
            None => {}
        }
        Ok(())
    }

    /// The message did not arrive: its causes are news again.
    fn take_back(&mut self, told_at: impl Fn(&Item) -> Option<Timestamp>) {
        for item in self.outgoing.take().into_iter().flat_map(|o| o.items) {
            let told_at = told_at(&item);
            let (over, dead) = (item.is_over(), is_dead_letters(&item.cause));
            let Some(standing) = self.enter(item.cause, item.since) else {
                continue;
            };
            standing.told_at = told_at;
            standing.believed = over;
            standing.over = over && dead && standing.count == 0;
            if dead {
                standing.count = standing.count.saturating_add(item.count);
                standing.since = item.since;
            }
        }
    }

    /// Forgets what is over and was told long ago.
    fn forget(&mut self, now: Timestamp) {
        self.causes.retain(|cause, standing| {
            let fresh = |at: Timestamp| now.saturating_since(at) < cause.again();
            standing.count > 0 || standing.believed || standing.told_at.is_some_and(fresh)
        });
    }

    /// Whether a heartbeat is due; from now on it was sent.
    pub fn beats(&mut self, now: Timestamp) -> bool {
        let fresh = |at: Timestamp| at <= now && now.saturating_since(at) < BEAT;
        let due = !self.beat_at.is_some_and(fresh);
        if due {
            self.beat_at = Some(now);
        }
        due
    }
}

fn is_dead_letters(cause: &Cause) -> bool {
    matches!(cause, Cause::DeadLetters { .. })
}

/// Whether people are to be told of it now.
fn is_news(cause: &Cause, standing: &Standing, now: Timestamp) -> bool {
    let stands = standing.count > 0;
    let is_news = if is_dead_letters(cause) {
        stands || standing.over
    } else {
        stands != standing.believed
    };
    let rested = |at: Timestamp| now.saturating_since(at) >= cause.again();
    is_news && standing.told_at.is_none_or(rested)
}
