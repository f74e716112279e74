//! One run: the instances race under a chooser. Then faults and freezes end, KiotViet sends again
//! what was not answered, one drain runs after the last retry time, and the checker judges.

use super::{
    Move, Schedule,
    act::Act,
    board::{Board, Door},
    scenario::{Scenario, Stage},
};
use crate::search::{
    checker::{self, Finding, Kind},
    run::Run,
};
use host::keyvalue::Memory;
use host_test::native::Native;
use jiff::SignedDuration;
use rand::{Rng, rngs::StdRng};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Instant, Sleep};

/// More host calls than any race here makes: a race with more does not end.
const MOST_TURNS: usize = 20_000;
/// Longer than any race takes in virtual time.
const LONGEST_RACE: Duration = Duration::from_secs(3600);
/// Longer than two slots of the lease.
const AFTER_THE_LEASE: u64 = 61;
/// How long KiotViet waits for an answer.
const KIOTVIET_WAITS: Duration = Duration::from_secs(5);

/// A decision and its result.
#[derive(Debug, Clone)]
pub(super) struct Turn {
    /// The instance whose turn it is without a departure.
    pub(super) instance: usize,
    /// Its next host call.
    pub(super) call: String,
    /// Whether it also ran before.
    pub(super) went_on: bool,
    /// Whether it has its turn by a departure just before.
    pub(super) just_switched: bool,
    /// The instances that could have the turn.
    pub(super) ready: Vec<usize>,
    /// Whether it may be frozen for longer than an upstream call takes.
    pub(super) may_sleep_long: bool,
    /// The departure that was made.
    made: Option<Move>,
}

impl Turn {
    /// The instance, if its call was made.
    pub(super) fn ran(&self) -> Option<usize> {
        self.made.is_none().then_some(self.instance)
    }

    /// The key that the call only reads.
    pub(super) fn read(&self) -> Option<&str> {
        let call = &self.call;
        call.strip_prefix("get ")
            .or_else(|| call.strip_prefix("look "))
    }

    /// The key that the call writes.
    pub(super) fn written(&self) -> Option<&str> {
        let write = ["set ", "delete ", "increment "];
        write.into_iter().find_map(|w| self.call.strip_prefix(w))
    }
}

impl fmt::Display for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (instance, call) = (self.instance, &self.call);
        match self.made {
            None => write!(f, "{instance}: {call}"),
            Some(Move::To(other)) => write!(f, "{instance} waits before {call}; {other} goes on"),
            Some(Move::Freeze(time)) => {
                write!(f, "{instance} is frozen for {time:?} before {call}")
            }
        }
    }
}

/// Chooses the departure at a decision.
pub(super) enum Chooser {
    Script(BTreeMap<usize, Move>),
    Drawn {
        rng: Box<StdRng>,
        restless: f64,
        freezes: usize,
    },
}

impl Chooser {
    pub(super) fn script(schedule: &Schedule) -> Self {
        Self::Script(schedule.iter().copied().collect())
    }

    pub(super) fn drawn(rng: Box<StdRng>, restless: f64, freezes: usize) -> Self {
        Self::Drawn {
            rng,
            restless,
            freezes,
        }
    }

    fn choose(&mut self, number: usize, turn: &Turn, lengths: &[Duration]) -> Option<Move> {
        match self {
            Self::Script(script) => script.get(&number).copied(),
            Self::Drawn {
                rng,
                restless,
                freezes,
            } => {
                if !rng.random_bool(*restless) {
                    return None;
                }
                let allowed: Vec<Duration> = lengths
                    .iter()
                    .copied()
                    .filter(|d| *d <= super::SHORT || turn.may_sleep_long)
                    .collect();
                if *freezes > 0 && !allowed.is_empty() && rng.random_bool(0.05) {
                    *freezes -= 1;
                    let n = rng.random_range(0..allowed.len());
                    return allowed.get(n).copied().map(Move::Freeze);
                }
                let others = turn.ready.iter().filter(|i| **i != turn.instance);
                let others: Vec<usize> = others.copied().collect();
                if others.is_empty() || turn.just_switched {
                    return None;
                }
                let n = rng.random_range(0..others.len());
                others.get(n).copied().map(Move::To)
            }
        }
    }
}

/// The record of a run.
pub(super) struct Told {
    /// The decisions.
    pub(super) turns: Vec<Turn>,
    /// The departures that were made.
    pub(super) schedule: Schedule,
    /// How many of them kept an instance from going on.
    pub(super) forced_switches: usize,
    /// What is wrong at the end; empty if all is well.
    pub(super) wrong: Vec<String>,
}

type Program<'p> = Pin<Box<dyn Future<Output = ()> + 'p>>;

struct Race<'p> {
    programs: Vec<Option<Program<'p>>>,
    frozen: Vec<Option<Instant>>,
    board: Board,
    chooser: Chooser,
    lengths: &'static [Duration],
    current: Option<usize>,
    just_switched: bool,
    alarm: Pin<Box<Sleep>>,
    turns: Vec<Turn>,
    /// The store from which leases are removed before every call, if there must be none.
    forgets: Option<&'p Memory>,
}

impl Race<'_> {
    fn poll_one(&mut self, instance: usize, cx: &mut Context<'_>) {
        if let Some(slot) = self.programs.get_mut(instance)
            && let Some(program) = slot
            && program.as_mut().poll(cx).is_ready()
        {
            *slot = None;
        }
    }

    fn ready(&self) -> Vec<usize> {
        let now = Instant::now();
        let instances = self.frozen.iter().enumerate();
        let awake = instances.filter(|(_, until)| until.is_none_or(|until| until <= now));
        awake
            .map(|(i, _)| i)
            .filter(|i| self.board.next_of(*i).is_some())
            .collect()
    }

    /// Runs until every instance is done or waits for time to pass.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        for instance in 0..self.programs.len() {
            self.poll_one(instance, cx);
        }
        loop {
            if self.programs.iter().all(Option::is_none) {
                return Poll::Ready(());
            }
            assert!(self.turns.len() < MOST_TURNS, "the race does not end");
            let ready = self.ready();
            if ready.is_empty() {
                let now = Instant::now();
                let frozen = self.frozen.iter().copied().flatten();
                if let Some(until) = frozen.filter(|until| *until > now).min() {
                    self.alarm.as_mut().reset(until);
                    let _ = self.alarm.as_mut().poll(cx);
                }
                return Poll::Pending;
            }
            self.turn(ready, cx);
        }
    }

    fn turn(&mut self, ready: Vec<usize>, cx: &mut Context<'_>) {
        let goes_on = self.current.filter(|current| ready.contains(current));
        let Some(instance) = goes_on.or(ready.first().copied()) else {
            return;
        };
        let mut turn = Turn {
            instance,
            call: self.board.next_of(instance).unwrap_or_default(),
            went_on: goes_on.is_some(),
            just_switched: std::mem::take(&mut self.just_switched),
            may_sleep_long: self.board.may_sleep_long(instance),
            ready,
            made: None,
        };
        turn.made = self.chooser.choose(self.turns.len(), &turn, self.lengths);
        self.current = Some(instance);
        match turn.made {
            Some(Move::To(other)) => {
                self.current = Some(other);
                self.just_switched = true;
            }
            Some(Move::Freeze(time)) => {
                if let Some(frozen) = self.frozen.get_mut(instance) {
                    *frozen = Some(Instant::now() + time);
                }
            }
            None => {
                if let Some(store) = self.forgets {
                    store.forget("/lease/");
                }
                self.board.grant(instance);
                self.poll_one(instance, cx);
            }
        }
        self.turns.push(turn);
    }
}

/// Runs one schedule in a runtime of its own.
pub(super) fn run(scenario: &Scenario, chooser: Chooser, lease: bool) -> Told {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(tokio::task::unconstrained(tell(scenario, chooser, lease))),
        Err(e) => panic!("no runtime: {e}"),
    }
}

async fn tell(scenario: &Scenario, chooser: Chooser, lease: bool) -> Told {
    let stage = (scenario.prepare)().await;
    let run = &stage.run;
    let board = Board::default();
    let instances: Vec<Native> = (0..)
        .zip(&stage.acts)
        .map(|(instance, _)| {
            let door = Door {
                board: board.clone(),
                instance,
            };
            let seed = u64::try_from(instance).unwrap_or(0) + 10;
            let app = run.shop.app.another(seed).behind(Arc::new(door));
            if let Some(ahead) = scenario.ahead.get(instance) {
                let off = SignedDuration::from_millis(*ahead);
                app.skew.set(run.shop.clock.now(), Some(off));
            }
            app
        })
        .collect();
    let programs = (0..).zip(instances.iter().zip(&stage.acts));
    let mut race = Race {
        programs: programs
            .map(|(i, (app, act))| Some(Box::pin(perform(run, app, &board, i, act)) as Program<'_>))
            .collect(),
        frozen: vec![None; stage.acts.len()],
        board: board.clone(),
        chooser,
        lengths: scenario.freezes,
        current: None,
        just_switched: false,
        alarm: Box::pin(tokio::time::sleep(Duration::ZERO)),
        turns: Vec::new(),
        forgets: (!lease).then_some(&stage.store),
    };
    let ended = tokio::time::timeout(LONGEST_RACE, poll_fn(|cx| race.poll(cx))).await;
    let turns = std::mem::take(&mut race.turns);
    drop(race);
    let (mut findings, mut others) = aftermath(&stage).await;
    if ended.is_err() {
        others.push("an instance did not end".to_owned());
    }
    if !lease {
        findings.retain(|finding| finding.kind == Kind::Doubled);
        others.clear();
    }
    let mut wrong: Vec<String> = findings.iter().map(Finding::to_string).collect();
    wrong.append(&mut others);
    if !wrong.is_empty() {
        wrong.push(format!("{:?}", run.shop.outcomes().await));
    }
    let made = turns.iter().enumerate();
    let schedule: Schedule = made.filter_map(|(n, t)| Some((n, t.made?))).collect();
    let forced = |t: &&Turn| t.went_on && matches!(t.made, Some(Move::To(_)));
    Told {
        forced_switches: turns.iter().filter(forced).count(),
        turns,
        schedule,
        wrong,
    }
}

async fn perform(run: &Run, app: &Native, board: &Board, instance: usize, act: &Act) {
    match act {
        Act::Deliver(delivery) => {
            let kiotviet = &run.shop.kiotviet;
            board.accepts(instance, true);
            let began = Instant::now();
            let (answer, after) = app.answer(kiotviet.request(delivery)).await;
            let in_time = began.elapsed() <= KIOTVIET_WAITS;
            let status = Some(answer.status).filter(|_| in_time);
            kiotviet.settle(delivery.clone(), status);
            board.accepts(instance, false);
            app.after(after).await;
        }
        Act::Ask(ask) => ask.of(app, run).await,
    }
}

/// Ends the faults and lets everything settle; returns what the checker finds then, and what else
/// is wrong.
async fn aftermath(stage: &Stage) -> (BTreeSet<Finding>, Vec<String>) {
    let shop = &stage.run.shop;
    shop.kiotviet_faults.clear();
    shop.getfly_faults.clear();
    stage.run.deliver().await;
    shop.pass(AFTER_THE_LEASE).await;
    shop.pass_last_retry().await;
    if stage.heals {
        shop.heal().await;
    } else {
        shop.drain().await;
    }
    let evidence = stage.run.evidence_twice().await;
    let findings = evidence.iter().flat_map(checker::check).collect();
    let mut wrong = shop.audit_books().await;
    wrong.extend((stage.check)(shop));
    (findings, wrong)
}
