//! What people are to be told: found out under the lease at the end of a drain, and announced with the cursor.

use crate::{
    assumption::Assumption,
    drain::{outgoing::ToSend, state::Drain},
    journal::{
        alerts::Cause,
        connection_name::{ConnectionName, Upstream},
        connections::{self, Switches},
        cursor::Counts,
        dead_reason::DeadReason,
        entries,
        record::Status,
        rhythm::Rhythm,
        trouble::Trouble,
        webhook::Webhook,
    },
    time::Timestamp,
    world::{Clock, Store, StoreError, World},
};
use core::time::Duration;

/// An upstream that fails for less than this may have recovered before anybody reads of it.
const STEADY: Duration = Duration::from_secs(20);

impl<W: World> Drain<'_, '_, W> {
    /// Finds out what stands, and announces what is to be told. `is_good`: nothing stopped this drain.
    pub(super) async fn alerts(&mut self, is_good: bool) -> Result<ToSend, StoreError> {
        self.end_what_is_off().await?;
        let Some(settings) = &self.ready.alerts else {
            return Ok(ToSend::default());
        };
        let now = self.worker.now();
        let mut to_send = ToSend::default();
        if settings.path.is_some() {
            self.find_out(now).await?;
            let dead = self.cursor.counts.dead;
            let alerts = &mut self.cursor.alerts;
            alerts.settle(self.worker, now).await?;
            to_send.message = alerts.announce(self.worker, now, dead).await?;
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
        let mut fails = Vec::new();
        for (upstream, pause) in self.cursor.pauses.iter() {
            let since = pause.since.unwrap_or(now);
            if pause.matters(now) && now.saturating_since(since) >= STEADY {
                fails.push((Cause::fails(upstream), since, pause.why.clone()));
            }
        }
        let silent = self.silent_shops(now).await?;
        let silent = silent
            .into_iter()
            .map(|(cause, since)| (cause, since, None));
        let cursor = &mut self.cursor;
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
        self.end_dead_letters().await?;
        let cursor = &mut self.cursor;
        let seen = self.worker.seen();
        let all = Assumption::ALL.iter().copied();
        for assumption in all.filter(|one| seen.times(*one, false) > 0) {
            let cause = Cause::Contradicted { assumption };
            cursor.alerts.stands(cause, now, None);
        }
        Ok(())
    }

    /// The shops that push nothing at hours at which they usually do, and when the last push came.
    async fn silent_shops(
        &mut self,
        now: Timestamp,
    ) -> Result<Vec<(Cause, Timestamp)>, StoreError> {
        let mut silent = Vec::new();
        for (name, rhythm) in self.cursor.stats.rhythm.iter() {
            let last_event = self.cursor.stats.last_event.get(name).copied();
            let Some(last) = rhythm.pushed_at().or(last_event) else {
                continue;
            };
            let connection = name.clone();
            let cause = Cause::Silence { connection };
            // Closing time does not end it.
            let goes_on = self.cursor.alerts.causes.get(&cause);
            let goes_on = goes_on.is_some_and(|s| s.count > 0 && s.since == last);
            if goes_on || rhythm.is_silent(last, now) {
                silent.push((name.clone(), cause, last));
            }
        }
        let mut stands = Vec::new();
        for (name, cause, last) in silent {
            let switches = switches(self.worker, &name).await?;
            let rhythm = self.cursor.stats.rhythm.get(&name);
            let pushed = rhythm.map_or(&[][..], Rhythm::pushed);
            if switches == Switches::default()
                || pushed.iter().any(|one| switches.since(*one).is_none())
            {
                // What is left has other hours; they are learnt anew.
                self.cursor.stats.rhythm.remove(&name);
            } else {
                stands.push((cause, last));
            }
        }
        Ok(stands)
    }

    /// Ends the dead letters that people were told of, where none of their shop and reason is open any more.
    async fn end_dead_letters(&mut self) -> Result<(), StoreError> {
        let has_risen = core::mem::take(&mut self.cursor.alerts.dead_letter_has_risen);
        let told = self.cursor.alerts.causes.iter();
        let told = told.filter_map(|(cause, standing)| match cause {
            Cause::DeadLetters { connection, reason } if standing.believed && !standing.over => {
                Some((connection.clone(), *reason))
            }
            _ => None,
        });
        let told: Vec<(ConnectionName, DeadReason)> = told.collect();
        if told.is_empty() {
            return Ok(());
        }
        let is_all_listed = self.cursor.counts.dead <= self.cursor.dead.len() as u64;
        let mut open = Vec::new();
        if has_risen && is_all_listed {
            for seq in self.cursor.dead.iter().copied() {
                let record = entries::read_event(self.worker, seq).await?;
                if let Some(record) = record
                    && let Status::Dead { reason, .. } = record.status
                {
                    open.push((record.connection, reason));
                }
            }
        }
        for one in told {
            let none_here = self
                .cursor
                .shops
                .get(&one.0)
                .is_none_or(|shop| shop.dead == 0);
            let none_of_it = has_risen && is_all_listed && !open.contains(&one);
            if self.cursor.counts.dead == 0 || none_here || none_of_it {
                let (connection, reason) = one;
                let cause = Cause::DeadLetters { connection, reason };
                self.cursor.alerts.dead_letters_end(&cause);
            }
        }
        Ok(())
    }

    /// Ends the causes and pauses of shops that are gone, and of webhooks that a person switched off.
    pub(super) async fn end_what_is_off(&mut self) -> Result<(), StoreError> {
        let stands = self.cursor.alerts.causes.iter();
        let stands = stands.filter(|(_, standing)| standing.count > 0);
        let stands: Vec<Cause> = stands.map(|(cause, _)| cause.clone()).collect();
        for cause in stands {
            let (name, webhooks) = match &cause {
                Cause::WebhookInactive {
                    connection,
                    webhook,
                } => (connection, vec![*webhook]),
                Cause::PollFails { connection } => (connection, vec![Webhook::Order]),
                Cause::AnotherBridge { connection } => (connection, Webhook::ALL.to_vec()),
                _ => continue,
            };
            let switches = switches(self.worker, name).await?;
            if webhooks.iter().all(|one| switches.since(*one).is_none()) {
                self.cursor.alerts.ends(&cause);
            }
        }
        let paused = self.cursor.pauses.iter();
        let paused = paused.filter_map(|(upstream, _)| match upstream {
            Upstream::KiotViet(name) => Some(name.clone()),
            Upstream::Getfly => None,
        });
        for name in paused.collect::<Vec<_>>() {
            let open = self.cursor.shops.get(&name).map_or(0, Counts::open);
            if open == 0 && switches(self.worker, &name).await? == Switches::default() {
                self.cursor.pauses.clear(Upstream::KiotViet(&name));
            }
        }
        Ok(())
    }
}

/// A shop's switches; both are off where it is gone, and on where they cannot be read.
async fn switches(store: &impl Store, name: &ConnectionName) -> Result<Switches, StoreError> {
    if connections::load_bytes(store, name).await?.is_none() {
        return Ok(Switches::default());
    }
    let always = Some(Timestamp::UNIX_EPOCH);
    let unreadable = Switches {
        customer: always,
        order: always,
    };
    let read = connections::switches_or_damage(store, name).await?;
    Ok(read.unwrap_or(unreadable))
}
