//! Keeps the webhooks registered. KiotViet switches a webhook off after one bad answer, other tools
//! delete it, and no one is notified. So the worker asks KiotViet, registers ours again, makes an
//! event of it, and has the lists scanned for what may have been missed. It removes what a
//! switch-off has left registered. It never touches another system's webhook.

use crate::{
    journal::{
        alerts::Cause,
        connection_name::ConnectionName,
        connections::{self, Connection, Switches, Webhook},
        entries,
        list_scan::ListScan,
        note::{Broken, Note},
        record::{Kind, Record},
        refused, stats,
        trouble::Trouble,
    },
    kiotviet::{error::KiotVietError, records::Webhook as Registered},
    log,
    reconcile::{
        list_scan::OVERLAP,
        upkeep::{Reconciler, Upkeep},
        webhook_health::{self, EVERY, GRACE, Seen, WebhookHealth},
        webhooks::{self, Standing},
    },
    rules::verdict::Reason,
    time::Timestamp,
    worker::{permit::Worker, session::Session},
    world::{Clock, StoreError, World},
};

/// Whether that moment is no further ahead than another instance's clock may be. The scanned
/// windows overlap by more.
fn is_past(at: Timestamp, now: Timestamp) -> bool {
    at.saturating_since(now) <= OVERLAP
}

impl<W: World> Reconciler<'_, '_, W> {
    /// Looks at every connection's webhooks when it is time.
    pub async fn look_after_webhooks(&mut self) -> Result<(), StoreError> {
        let now = self.worker.now();
        match (self.upkeep, self.cursor.watched_at) {
            (Upkeep::None, _) => return Ok(()),
            (Upkeep::Now, _) => {}
            // The request that switched the first webhook on has just seen it.
            (Upkeep::Due, None) => {
                self.cursor.watched_at = Some(now);
                return Ok(());
            }
            // A look in the future was made while the clock was ahead, and proves nothing.
            (Upkeep::Due, Some(last))
                if now.saturating_since(last) < EVERY
                    && (is_past(last, now) || mutant!(FutureLookCounts)) =>
            {
                return Ok(());
            }
            (Upkeep::Due, Some(_)) => {}
        }
        for name in connections::names(self.worker).await? {
            self.look_after(&name).await?;
        }
        self.cursor.watched_at = Some(now);
        Ok(())
    }

    async fn look_after(&mut self, name: &ConnectionName) -> Result<(), StoreError> {
        let (worker, ready) = (self.worker, self.ready);
        // A connection that cannot be read stops no other one; its own events say so.
        let (Ok(Some(connection)), Ok(switches)) = (
            connections::load(worker, name).await,
            connections::switches(worker, name).await,
        ) else {
            return Ok(());
        };
        let opened = connection.open(&ready.sealer);
        if let Ok(opened) = &opened
            && let Some(anew) = connection.sealed_anew(opened, &ready.sealer, worker)
        {
            self.keep_sealed_anew(&connection, &anew).await?;
        }
        let mut health = webhook_health::load(worker, name).await?;
        let mut read_back = false;
        match opened {
            Err(e) => health.problem = Some(e.into()),
            Ok(opened) => {
                let session = Session::new(worker, ready, &connection, &opened);
                match webhooks::registered(&session).await {
                    Err(e) => health.problem = Some(e.into()),
                    Ok(registered) => {
                        health.checked_at = Some(worker.now());
                        health.problem = None;
                        self.mend(&session, switches, &registered, &mut health)
                            .await?;
                        webhooks::end_rotation(&session, &registered, switches).await?;
                        let others = webhooks::of_another_bridge(&session, &registered).await;
                        health.other_bridges = u64::try_from(others.len()).unwrap_or(u64::MAX);
                        let first = others.into_iter().next();
                        let problem = first.map(|origin| Trouble::AnotherBridge { origin });
                        health.problem = health.problem.take().or(problem);
                    }
                }
                read_back = self.set_back(name, &mut health).await?;
                self.plan_scans(&connection, switches, &mut health);
            }
        }
        if let Some(problem) = &health.problem {
            log::webhooks_not_sound(worker, name.as_str(), &problem.to_string());
        }
        webhook_health::save(worker, name, &health).await?;
        if ready.alerts.is_some() {
            self.tell_people(&connection, switches, &health);
        }
        if read_back {
            refused::is_read_back(worker, name).await?;
        }
        Ok(())
    }

    /// The part of the webhook health that people see without looking.
    fn tell_people(&mut self, shop: &Connection, switches: Switches, health: &WebhookHealth) {
        let name = &shop.name;
        let (now, alerts) = (self.worker.now(), &mut self.cursor.alerts);
        for webhook in Webhook::ALL {
            let on = switches.since(webhook).is_some();
            if shop.polls(webhook) {
                // A poll tells by itself that it fails, and nobody polls one that is off.
                if !on {
                    let connection = name.clone();
                    alerts.set(Cause::PollFails { connection }, None, None);
                }
                continue;
            }
            let off = on && health.of(webhook).active == Some(false);
            let connection = name.clone();
            let cause = Cause::WebhookInactive {
                connection,
                webhook,
            };
            alerts.set(cause, off.then_some(now), health.problem.clone());
        }
        let connection = name.clone();
        let is_on = switches != Switches::default();
        let another = (is_on && health.other_bridges > 0).then_some(now);
        alerts.set(Cause::AnotherBridge { connection }, another, None);
    }

    /// Refused deliveries that were only counted may have named records: the lists are scanned from
    /// then on, minus the time that a delivery may be late. While a list scan is running, this
    /// waits for the next look. Returns whether it did so.
    async fn set_back(
        &self,
        name: &ConnectionName,
        health: &mut WebhookHealth,
    ) -> Result<bool, StoreError> {
        let reads = Webhook::ALL
            .iter()
            .any(|webhook| health.of(*webhook).reading.is_some());
        let since = refused::dropped_since(self.worker, name).await?;
        let Some(since) = since.filter(|_| !reads) else {
            return Ok(false);
        };
        let since = since.saturating_sub(GRACE);
        for webhook in Webhook::ALL {
            let read_until = &mut health.of_mut(webhook).read_until;
            *read_until = read_until.map(|until| until.min(since));
        }
        Ok(true)
    }

    /// Stores the connection sealed under the new `master_key` after a rotation. It replaces only
    /// what was read: a person's request may have connected the shop again before this lease; under
    /// it none does.
    async fn keep_sealed_anew(
        &self,
        before: &Connection,
        anew: &Connection,
    ) -> Result<(), StoreError> {
        let now = connections::load(self.worker, &before.name).await;
        if now.is_ok_and(|now| now.as_ref() == Some(before)) {
            connections::save(self.worker, anew, false).await?;
        }
        Ok(())
    }

    async fn mend(
        &mut self,
        session: &Session<'_, Worker<'_, W>>,
        switches: Switches,
        registered: &[Registered],
        health: &mut WebhookHealth,
    ) -> Result<(), StoreError> {
        for webhook in Webhook::ALL {
            if session.connection.polls(webhook) {
                if switches.since(webhook).is_none() {
                    *health.of_mut(webhook) = Seen::default();
                } else if self.cursor.polled.get(&session.connection.name).is_none() {
                    // The cursor was lost, or the command is still to come.
                    let name = session.connection.name.clone();
                    self.cursor.polled.insert(name, None);
                }
                continue;
            }
            if switches.since(webhook).is_none() {
                *health.of_mut(webhook) = Seen::default();
                if let Err(e) = finish_switch_off(session, registered, webhook).await {
                    health.problem = Some(e.into());
                }
                continue;
            }
            let standing = webhooks::standing(session, registered, webhook);
            if standing == Standing::Sound {
                let removed = webhooks::remove_broken(session, registered, webhook).await;
                health.problem = removed.err().map(Trouble::from).or(health.problem.take());
            } else {
                let seen = health.of_mut(webhook);
                seen.active = Some(false);
                seen.mending = Some(broken(standing, seen.sound_at));
                // Written first: if the worker dies in between, the next one still makes the event.
                webhook_health::save(session.world, &session.connection.name, health).await?;
                match again(session, registered, webhook).await {
                    Err(e) => {
                        health.problem = Some(e.into());
                        continue;
                    }
                    Ok(false) => {
                        *health.of_mut(webhook) = Seen::default();
                        continue;
                    }
                    Ok(true) => {}
                }
            }
            let seen = health.of_mut(webhook);
            seen.active = Some(true);
            seen.sound_at = Some(self.worker.now());
            if let Some(what) = seen.mending.take() {
                seen.gap = true;
                if mutant!(GapNotReadBack) {
                    (seen.gap, seen.read_until) = (false, seen.sound_at);
                }
                self.tell(&session.connection.name, webhook, what).await?;
            }
        }
        Ok(())
    }

    /// The events say what happened.
    async fn tell(
        &mut self,
        name: &ConnectionName,
        webhook: Webhook,
        what: Note,
    ) -> Result<(), StoreError> {
        let now = self.worker.now();
        let seq = entries::reserve(self.worker, 1).await?;
        let key = webhook.kiotviet_type().to_owned();
        let mut record = Record::new(seq, now, name, Kind::Other, key);
        record.finish(Reason::WebhookRegisteredAgain, now);
        record.note(what);
        let again = &mut self.cursor.stats.registered_again;
        stats::add(again, name.clone(), 1);
        entries::write_event(self.worker, &record).await
    }

    /// Plans scans of the lists that may hold what did not arrive.
    fn plan_scans(
        &mut self,
        connection: &Connection,
        switches: Switches,
        health: &mut WebhookHealth,
    ) {
        let now = self.worker.now();
        let at_once = self.upkeep == Upkeep::Now;
        for webhook in Webhook::ALL {
            let on_since = switches.since(webhook);
            let Some(on_since) = on_since.filter(|_| !connection.polls(webhook)) else {
                continue;
            };
            let seen = health.of_mut(webhook);
            // While KiotViet does not deliver at all, no delivery is on its way.
            let broken = seen.active != Some(true) || core::mem::take(&mut seen.gap);
            let to = if broken || at_once {
                now
            } else {
                now.saturating_sub(GRACE)
            };
            // While the clock was ahead, records that did not exist yet counted as read.
            let read = seen
                .read_until
                .filter(|until| is_past(*until, now) || mutant!(FutureLookCounts));
            let from = read.unwrap_or(on_since).max(on_since);
            if seen.reading.is_none() && from < to {
                seen.reading = Some(ListScan::new(webhook, from, to));
            }
            if seen.reading.is_some() {
                self.begin_scan(&connection.name);
            }
        }
    }
}

/// Registers `webhook` again and removes broken registrations; false if a person has switched it
/// off meanwhile.
async fn again<W: World>(
    session: &Session<'_, Worker<'_, W>>,
    registered: &[Registered],
    webhook: Webhook,
) -> Result<bool, KiotVietError> {
    webhooks::register_beside(session, registered, webhook).await?;
    webhooks::remove_broken(session, registered, webhook).await?;
    let off = is_off(session, webhook).await;
    if off {
        webhooks::unregister(session, &[webhook]).await?;
    }
    Ok(!off)
}

/// Removes what an interrupted switch-off has left registered. A request that switches `webhook` on
/// looks at KiotViet after that: either it finds the registration gone and registers again, or the
/// webhook is on here.
async fn finish_switch_off<W: World>(
    session: &Session<'_, Worker<'_, W>>,
    registered: &[Registered],
    webhook: Webhook,
) -> Result<(), KiotVietError> {
    let standing = webhooks::standing(session, registered, webhook);
    if standing == Standing::Missing || !is_off(session, webhook).await {
        return Ok(());
    }
    webhooks::remove_all(session, registered, webhook).await?;
    if !is_off(session, webhook).await {
        webhooks::make_sound(session, webhook).await?;
    }
    Ok(())
}

/// Whether `webhook` is certainly off now: a person may have switched it since it was last read.
async fn is_off<W: World>(session: &Session<'_, Worker<'_, W>>, webhook: Webhook) -> bool {
    let switches = connections::switches(session.world, &session.connection.name).await;
    switches.is_ok_and(|s| s.since(webhook).is_none())
}

/// The note about a webhook that was found so.
fn broken(standing: Standing, sound_at: Option<Timestamp>) -> Note {
    let how = match standing {
        Standing::Off => Broken::SwitchedOff,
        Standing::Elsewhere => Broken::Elsewhere,
        Standing::Missing | Standing::Sound => Broken::Deleted,
    };
    Note::WebhookBroken { how, sound_at }
}
