//! A shop's story told to the plugin while mishaps befall it, and the audit of what is left when
//! they are over: nothing lost, nothing doubled, nothing stuck, and counts that add up. The script
//! may hold any number of mishaps, so that one point, every point or every pair can be tried.

use crate::{
    mishap::Mishap,
    scene::{On, Scene},
};
use jiff::Timestamp;
use plugin::journal::{
    cursor::{self, Counts},
    entries,
    record::{Entry, Record, State},
};
use sim::{KiotVietSim, kiotviet::Chaos};
use std::collections::BTreeMap;

/// Longer than two slots of the lease: a worker that died holds it no longer.
const AFTER_THE_LEASE: u64 = 61;

/// What happens in a shop.
#[derive(Clone, Copy)]
pub struct Story {
    /// Which webhooks are on.
    pub on: On,
    /// What is in the shop and in Getfly before, told without mishaps.
    pub before: fn(&Scene),
    /// What happens under mishaps.
    pub act: fn(&Scene),
    /// Drains under mishaps, each after the last retry time.
    pub drains: usize,
    /// Accounts that Getfly must have in the end.
    pub accounts: usize,
    /// Orders that Getfly must have in the end.
    pub orders: usize,
}

/// How it went.
#[derive(Debug)]
pub struct Told {
    /// The host calls that mishaps could befall, by name.
    pub calls: Vec<String>,
    /// What is wrong in the end; empty when all is well.
    pub wrong: Vec<String>,
}

impl Story {
    /// Tells it under these mishaps (the number of a host call, and what befalls it): KiotViet
    /// delivers and delivers again, drains follow while mishaps still happen, then they and all faults
    /// are over and there is one drain after the last retry time.
    pub async fn tell(&self, script: &[(usize, Mishap)]) -> Told {
        let scene = Scene::connected(self.on).await;
        (self.before)(&scene);
        scene.deliver().await;
        scene.kiotviet.set_chaos(Chaos {
            merge_items: 3,
            merge_notifications: 2,
            ..Chaos::default()
        });
        (self.act)(&scene);
        scene.app.mishaps.arm(script.iter().copied());
        scene.deliver_mortally().await;
        for _ in 0..self.drains {
            scene.pass(AFTER_THE_LEASE).await;
            scene.pass_last_retry().await;
            scene.app.mishaps.live(scene.drain()).await;
        }
        let calls = scene.app.mishaps.disarm();
        scene.kiotviet_faults.clear();
        scene.getfly_faults.clear();

        scene.pass(AFTER_THE_LEASE).await;
        scene.pass_last_retry().await;
        scene.drain().await;
        let mut wrong = scene.audit().await;
        let have = (scene.getfly.accounts().len(), scene.getfly.orders().len());
        let wanted = (self.accounts, self.orders);
        if have != wanted {
            wrong.push(format!("accounts and orders: {have:?}, not {wanted:?}"));
        }
        if !wrong.is_empty() {
            wrong.push(format!("{:?}", scene.outcomes().await));
        }
        Told { calls, wrong }
    }
}

impl Scene {
    /// Carries every delivery as [`Scene::deliver`] does, to a plugin that may die at it; KiotViet
    /// sends again, at its own times, what was not answered 2xx.
    pub async fn deliver_mortally(&self) {
        self.deliver_mortally_of(&self.kiotviet).await;
    }

    /// The same of any shop.
    pub async fn deliver_mortally_of(&self, kiotviet: &KiotVietSim) {
        while let Some(due) = kiotviet.next_due() {
            self.pass_to(due).await;
            for delivery in kiotviet.take_deliveries() {
                let request = kiotviet.request(&delivery);
                let answered = self.app.mishaps.live(self.app.answer(request)).await;
                let status = answered.as_ref().map(|(answer, _)| answer.status);
                kiotviet.settle(delivery, status);
                if let Some((_, after)) = answered {
                    self.app.mishaps.live(self.app.after(after)).await;
                }
            }
        }
    }

    /// Waits for this moment.
    pub async fn pass_to(&self, moment: Timestamp) {
        let wait = moment.duration_since(self.clock.now());
        if let Ok(wait) = wait.try_into() {
            tokio::time::sleep(wait).await;
        }
    }

    /// Every event in the journal.
    pub async fn journal(&self) -> Vec<Record> {
        let reader = self.app.another(0);
        let tail = entries::tail(&reader).await.unwrap_or_default();
        let mut records = Vec::new();
        for seq in 1..=tail {
            match entries::read(&reader, seq).await {
                Ok(Some(Entry::Event(record))) => records.push(*record),
                Ok(_) => {}
                Err(e) => panic!("entry {seq}: {e}"),
            }
        }
        records
    }

    /// Waits until every retry time is over.
    pub async fn pass_last_retry(&self) {
        let times = self.journal().await.into_iter();
        let last = times.filter_map(|r| r.status.next_attempt_at()).max();
        let last = last.and_then(|t| t.to_string().parse().ok());
        if let Some(last) = last {
            self.pass_to(last).await;
        }
    }

    /// What is wrong once faults are over and everything was drained. Nothing may have been removed
    /// by then.
    pub async fn audit(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let journal = self.journal().await;
        for record in journal.iter().filter(|r| r.state() != State::Done) {
            let (seq, state, reason) = (record.seq, record.state(), record.status.reason());
            wrong.push(format!("event {seq} is {state:?} {reason:?}"));
        }
        self.audit_loss(&journal, &mut wrong);
        self.audit_doubles(&mut wrong);

        // KiotViet's whole lists are read back: whatever was lost would come again.
        self.heal().await;
        let after = self.journal().await.len();
        if after != journal.len() {
            let n = after - journal.len();
            wrong.push(format!("{n} event(s) were only found by reading back"));
        }
        wrong.extend(self.audit_books().await);
        wrong
    }

    /// Of this what no vendor's record tells: counts that do not add up, due lists that are left, and a
    /// drain that finds something to do.
    pub async fn audit_books(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        self.audit_counts(&mut wrong).await;
        self.app.take_calls();
        self.app.take_stored();
        self.drain().await;
        let calls = self.app.take_calls();
        let writes = self.app.take_stored();
        let idle = |key: &str| key.starts_with("kvgf/lease/");
        let writes = writes.iter().filter(|s| s.is_write() && !idle(&s.key));
        let writes: Vec<String> = writes.map(|s| format!("{} {}", s.call, s.key)).collect();
        if !(calls.is_empty() && writes.is_empty()) {
            wrong.push(format!("an idle drain did {calls:?} {writes:?}"));
        }
        wrong
    }

    async fn audit_counts(&self, wrong: &mut Vec<String>) {
        let journal = self.journal().await;
        let cursor = cursor::load(&self.app).await.unwrap_or_default();
        let mut recount = Counts::default();
        for record in &journal {
            recount.received += 1;
            recount.enter(record);
        }
        if cursor.counts != recount {
            wrong.push(format!("counts {:?}, recount {recount:?}", cursor.counts));
        }
        // What is listed for later is only there to be removed.
        let soon = self.clock.now().as_second() + 86_000;
        if cursor.due.keys().any(|start| *start < soon) {
            wrong.push(format!("due lists are left: {:?}", cursor.due));
        }
    }

    /// Every item that KiotViet had a 200 for has its event.
    fn audit_loss(&self, journal: &[Record], wrong: &mut Vec<String>) {
        let answered = self.kiotviet.answered();
        for (action, id) in answered
            .iter()
            .filter(|a| a.accepted())
            .flat_map(|a| &a.items)
        {
            if !journal
                .iter()
                .any(|r| r.hint.as_ref().is_some_and(|h| h.id == *id))
            {
                wrong.push(format!("{action} {id} was answered 200 and is lost"));
            }
        }
        let given_up = self.kiotviet.undelivered();
        if !given_up.is_empty() {
            wrong.push(format!("KiotViet gave up on {given_up:?}"));
        }
    }

    fn audit_doubles(&self, wrong: &mut Vec<String>) {
        let accounts = self.getfly.accounts();
        let orders = self.getfly.orders();
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for account in &accounts {
            let of = |text| Some(text).filter(|t: &&str| !t.is_empty());
            let marks = [of(&account.phone_office), of(&account.email)];
            for mark in marks.into_iter().flatten() {
                *seen.entry(mark).or_default() += 1;
            }
        }
        for order in &orders {
            *seen.entry(&order.order_code).or_default() += 1;
            let code = &order.account_code;
            if !code.is_empty() && accounts.iter().all(|a| a.account_code != *code) {
                wrong.push(format!("order {} is of nobody: {code}", order.order_code));
            }
        }
        for (mark, times) in seen.into_iter().filter(|(_, times)| *times > 1) {
            wrong.push(format!("{times} times in Getfly: {mark}"));
        }
    }

    /// The deliveries' outcomes by how often, for a picture of many events.
    pub async fn tally(&self) -> BTreeMap<String, usize> {
        let mut tally = BTreeMap::new();
        for record in self.journal().await {
            let word = record
                .status
                .reason()
                .map_or_else(|| format!("{:?}", record.state()), str::to_owned);
            *tally.entry(word).or_default() += 1;
        }
        tally
    }
}
