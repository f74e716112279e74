//! What people are to be told: found out under the lease at the end of a drain, and announced with the cursor.

use crate::{
    assumption::Assumption,
    drain::{outgoing::ToSend, state::Drain},
    journal::{alerts::Cause, connections, trouble::Trouble},
    time::Timestamp,
    world::{Clock, StoreError, World},
};
use core::time::Duration;

/// An upstream that fails for less than this may have recovered before anybody reads of it.
const STEADY: Duration = Duration::from_secs(20);

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
        let seen = self.worker.seen();
        let all = Assumption::ALL.iter().copied();
        for assumption in all.filter(|one| seen.times(*one, false) > 0) {
            let cause = Cause::Contradicted { assumption };
            cursor.alerts.stands(cause, now, None);
        }
        Ok(())
    }
}
