//! Mishaps by script: the n-th host call of the plugin fails, or the run dies there, before the
//! call took effect or after. Whatever a real host can do to the plugin between two of its calls
//! looks like one of the four.

use crate::sim::lock;
use std::{
    collections::BTreeMap,
    future::{Future, pending},
    sync::Mutex,
};
use tokio::sync::Notify;

/// What befalls a host call (one of the store, or one to an upstream).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mishap {
    /// The run ends before the call has any effect.
    DiesBefore,
    /// The call takes effect, then the run ends.
    DiesAfter,
    /// The call fails and had no effect.
    FailsBefore,
    /// The call takes effect and fails: its reply was lost.
    FailsAfter,
}

impl Mishap {
    /// All four.
    pub const ALL: [Self; 4] = [
        Self::DiesBefore,
        Self::DiesAfter,
        Self::FailsBefore,
        Self::FailsAfter,
    ];
}

/// The script of a run, and how far it has come. Calls count from 1, over deaths too.
#[derive(Debug, Default)]
pub struct Mishaps {
    state: Mutex<State>,
    death: Notify,
}

#[derive(Debug, Default)]
struct State {
    armed: bool,
    script: BTreeMap<usize, Mishap>,
    calls: Vec<String>,
    dead: bool,
}

impl Mishaps {
    /// Counts from here on, and lets this happen.
    pub fn arm(&self, script: impl IntoIterator<Item = (usize, Mishap)>) {
        *lock(&self.state) = State {
            armed: true,
            script: script.into_iter().collect(),
            calls: Vec::new(),
            dead: false,
        };
    }

    /// Nothing happens any more; gives the calls since [`Mishaps::arm`], by name.
    pub fn disarm(&self) -> Vec<String> {
        std::mem::take(&mut *lock(&self.state)).calls
    }

    /// Runs `run` until it ends, or until it dies (none). What it had in memory is gone then.
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

    /// One host call.
    pub(crate) async fn befall<T, E>(
        &self,
        name: impl FnOnce() -> String,
        failure: impl FnOnce() -> E,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        match self.next(name).await {
            None => call.await,
            Some(Mishap::DiesBefore) => self.die().await,
            Some(Mishap::DiesAfter) => {
                let _ = call.await;
                self.die().await
            }
            Some(Mishap::FailsBefore) => Err(failure()),
            Some(Mishap::FailsAfter) => {
                let _ = call.await;
                Err(failure())
            }
        }
    }

    async fn next(&self, name: impl FnOnce() -> String) -> Option<Mishap> {
        let dead = {
            let mut state = lock(&self.state);
            if !state.armed {
                return None;
            }
            if !state.dead {
                state.calls.push(name());
                let number = state.calls.len();
                return state.script.get(&number).copied();
            }
            state.dead
        };
        // What ran beside the call that died is dead too.
        debug_assert!(dead);
        pending().await
    }

    async fn die<T>(&self) -> T {
        lock(&self.state).dead = true;
        self.death.notify_one();
        pending().await
    }
}
