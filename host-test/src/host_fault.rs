//! Faults at host calls, by script: the n-th host call of the plugin fails, or the run dies there,
//! before the call took effect or after. Anything that a real host can do to the plugin between two
//! of its calls looks like one of these four. An upstream's wrong answer is a [`Reply`].

use sim::{Fault, lock};
use std::{
    collections::BTreeMap,
    future::{Future, pending},
    sync::Mutex,
    time::Duration,
};
use tokio::sync::Notify;

/// How long an upstream still works on a call whose caller died; README states half a minute for
/// the longest.
pub const LATE: Duration = Duration::from_secs(28);

/// A fault at a host call (one of the store, or one to an upstream).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub enum HostFault {
    /// The run ends before the call has any effect.
    DiesBefore,
    /// The call takes effect, then the run ends.
    DiesAfter,
    /// The run ends while an upstream works on the call, which takes effect [`LATE`] after it was
    /// made. (A store call has no effect.)
    DiesDuring,
    /// The call fails and had no effect.
    FailsBefore,
    /// The call takes effect and fails: its reply was lost.
    FailsAfter,
    /// The upstream replies this. (A store call fails and has no effect.)
    Replies(Reply),
}

/// An upstream's reply in place of its answer.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub enum Reply {
    /// Nothing, after the call took effect: the caller gives up at its timeout.
    Never,
    /// Nothing before the caller's timeout; the call takes effect long after it.
    TooLate,
    /// 429 with `Retry-After`; no effect.
    Busy,
    /// 500; no effect.
    Error,
    /// 500, after the call took effect.
    ErrorAfter,
    /// The first half of its answer.
    Garbled,
}

impl Reply {
    /// This reply as a fault of the simulated vendors.
    pub(crate) fn fault(self) -> Fault {
        match self {
            Self::Never => Fault::StoredThenHang,
            Self::TooLate => Fault::Late(Duration::from_secs(50)),
            Self::Busy => Fault::Status(429, Some(40)),
            Self::Error => Fault::Status(500, None),
            Self::ErrorAfter => Fault::StoredThen500,
            Self::Garbled => Fault::Garbled,
        }
    }
}

impl HostFault {
    /// The four faults that any call can have.
    pub const ALL: [Self; 4] = [
        Self::DiesBefore,
        Self::DiesAfter,
        Self::FailsBefore,
        Self::FailsAfter,
    ];

    /// All faults that a call to an upstream can have.
    pub const UPSTREAM: [Self; 11] = [
        Self::DiesBefore,
        Self::DiesAfter,
        Self::DiesDuring,
        Self::FailsBefore,
        Self::FailsAfter,
        Self::Replies(Reply::Never),
        Self::Replies(Reply::TooLate),
        Self::Replies(Reply::Busy),
        Self::Replies(Reply::Error),
        Self::Replies(Reply::ErrorAfter),
        Self::Replies(Reply::Garbled),
    ];

    /// Those of [`Self::ALL`] that differ for a call that only reads: whether it took effect makes
    /// no difference.
    const READ: [Self; 2] = [Self::DiesBefore, Self::FailsBefore];

    /// Those of [`Self::UPSTREAM`] that differ for such a call.
    const UPSTREAM_READ: [Self; 6] = [
        Self::DiesBefore,
        Self::FailsBefore,
        Self::Replies(Reply::Never),
        Self::Replies(Reply::Busy),
        Self::Replies(Reply::Error),
        Self::Replies(Reply::Garbled),
    ];

    /// All faults that the host call of this name can have.
    pub fn of(call: &str) -> &'static [Self] {
        match is_upstream(call) {
            true => &Self::UPSTREAM,
            false => &Self::ALL,
        }
    }

    /// The faults that differ for this call.
    pub fn distinct(call: &str) -> &'static [Self] {
        let reads = ["get ", "look ", "list ", "KiotViet GET ", "Getfly GET "];
        match (
            is_upstream(call),
            reads.iter().any(|read| call.starts_with(read)),
        ) {
            (true, true) => &Self::UPSTREAM_READ,
            (false, true) => &Self::READ,
            (_, false) => Self::of(call),
        }
    }
}

fn is_upstream(call: &str) -> bool {
    ["KiotViet ", "Getfly "]
        .iter()
        .any(|vendor| call.starts_with(vendor))
}

/// The faults of a run by script, and how far it has come. Calls count from 1, over deaths too.
#[derive(Default)]
pub struct HostFaults {
    state: Mutex<State>,
    death: Notify,
}

/// A change of the world at a host call.
type Happens = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct State {
    armed: bool,
    script: BTreeMap<usize, HostFault>,
    world: BTreeMap<usize, Happens>,
    calls: Vec<String>,
    befallen: Vec<String>,
    dead: bool,
}

impl HostFaults {
    /// Counts from here on, with these faults.
    pub fn arm(&self, script: impl IntoIterator<Item = (usize, HostFault)>) {
        *lock(&self.state) = State {
            armed: true,
            script: script.into_iter().collect(),
            ..State::default()
        };
    }

    /// Adds a fault at the n-th host call from here on to the present script.
    pub fn befall_later(&self, n: usize, fault: HostFault) {
        let mut state = lock(&self.state);
        let number = state.calls.len() + n.max(1);
        state.script.insert(number, fault);
    }

    /// Makes this change of the world at the n-th host call from here on; the call goes on.
    pub fn happens_later(&self, n: usize, what: impl FnOnce() + Send + 'static) {
        let mut state = lock(&self.state);
        let number = state.calls.len() + n.max(1);
        state.world.insert(number, Box::new(what));
    }

    /// The calls that had a fault since [`HostFaults::arm`], by name.
    pub fn befallen(&self) -> Vec<String> {
        lock(&self.state).befallen.clone()
    }

    /// Ends the faults; returns the calls since [`HostFaults::arm`], by name.
    pub fn disarm(&self) -> Vec<String> {
        let mut state = lock(&self.state);
        state.armed = false;
        state.dead = false;
        state.world.clear();
        std::mem::take(&mut state.calls)
    }

    /// Runs `run` until it ends, or until it dies (none), with everything it had in memory.
    pub async fn live<T>(&self, run: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.death.notified() => {
                lock(&self.state).dead = false;
                None
            }
            value = run => Some(value),
        }
    }

    /// Makes one host call to the store.
    pub(crate) async fn befall<T, E>(
        &self,
        name: impl FnOnce() -> String,
        failure: impl FnOnce() -> E,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let fault = self.next(name).await;
        self.carry_out(fault, failure, call).await
    }

    /// Makes a call with this fault.
    pub(crate) async fn carry_out<T, E>(
        &self,
        fault: Option<HostFault>,
        failure: impl FnOnce() -> E,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        match fault {
            None => call.await,
            Some(HostFault::DiesBefore | HostFault::DiesDuring) => self.die().await,
            Some(HostFault::DiesAfter) => {
                let _ = call.await;
                self.die().await
            }
            Some(HostFault::FailsBefore | HostFault::Replies(_)) => Err(failure()),
            Some(HostFault::FailsAfter) => {
                let _ = call.await;
                Err(failure())
            }
        }
    }

    /// Counts a call and returns its fault.
    pub(crate) async fn next(&self, name: impl FnOnce() -> String) -> Option<HostFault> {
        if lock(&self.state).dead {
            // Whatever ran beside the call that died is dead too.
            pending::<()>().await;
        }
        let mut state = lock(&self.state);
        if !state.armed {
            return None;
        }
        state.calls.push(name());
        let number = state.calls.len();
        if let Some(happens) = state.world.remove(&number) {
            happens();
        }
        let fault = state.script.get(&number).copied();
        if fault.is_some() {
            let call = state.calls.last().cloned();
            state.befallen.extend(call);
        }
        fault
    }

    async fn die<T>(&self) -> T {
        lock(&self.state).dead = true;
        self.death.notify_one();
        pending().await
    }
}
