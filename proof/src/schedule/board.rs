//! Where instances wait for their turns: one list of the host calls that they are about to make.

use host_test::native::Gate;
use sim::{Boxed, lock};
use std::{
    collections::BTreeSet,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

/// A host call that waits.
struct Waiting {
    ticket: u64,
    instance: usize,
    call: String,
}

#[derive(Default)]
struct Calls {
    waiting: Vec<Waiting>,
    granted: BTreeSet<u64>,
    issued: u64,
    accepting: BTreeSet<usize>,
}

/// See the module. Clones are the same board.
#[derive(Clone, Default)]
pub(super) struct Board(Arc<Mutex<Calls>>);

impl Board {
    /// The next call of `instance`. Concurrent calls of one instance are made in the order in which
    /// they were begun.
    pub(super) fn next_of(&self, instance: usize) -> Option<String> {
        let calls = lock(&self.0);
        let mut own = calls.waiting.iter().filter(|w| w.instance == instance);
        own.next().map(|w| w.call.clone())
    }

    /// Whether `instance` may be frozen for any time: no call that it is about to make relies on
    /// the lease.
    pub(super) fn may_sleep_long(&self, instance: usize) -> bool {
        let calls = lock(&self.0);
        let mut own = calls.waiting.iter().filter(|w| w.instance == instance);
        let harmless = |call: &str| {
            let is = |prefix| call.starts_with(prefix);
            ["get ", "look ", "list ", "increment kvgf/lease/"]
                .into_iter()
                .any(is)
                || call.contains(" GET ")
        };
        calls.accepting.contains(&instance) || own.all(|w| harmless(&w.call))
    }

    /// Notes whether `instance` is answering a delivery.
    pub(super) fn accepts(&self, instance: usize, is: bool) {
        let mut calls = lock(&self.0);
        if is {
            calls.accepting.insert(instance);
        } else {
            calls.accepting.remove(&instance);
        }
    }

    /// Grants the next call of `instance`.
    pub(super) fn grant(&self, instance: usize) {
        let mut calls = lock(&self.0);
        if let Some(at) = calls.waiting.iter().position(|w| w.instance == instance) {
            let ticket = calls.waiting.remove(at).ticket;
            calls.granted.insert(ticket);
        }
    }
}

/// One instance's access to the board.
pub(super) struct Door {
    /// The board.
    pub(super) board: Board,
    /// The instance.
    pub(super) instance: usize,
}

impl Gate for Door {
    fn pass<'a>(&'a self, call: &str) -> Boxed<'a, ()> {
        let mut calls = lock(&self.board.0);
        calls.issued += 1;
        let ticket = calls.issued;
        calls.waiting.push(Waiting {
            ticket,
            instance: self.instance,
            call: call.to_owned(),
        });
        Box::pin(Ticket {
            board: self.board.clone(),
            ticket,
        })
    }
}

struct Ticket {
    board: Board,
    ticket: u64,
}

impl Future for Ticket {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        // The board grants it and polls the instance at once: no waker is needed.
        if lock(&self.board.0).granted.remove(&self.ticket) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

impl Drop for Ticket {
    /// A cancelled call waits no longer.
    fn drop(&mut self) {
        let mut calls = lock(&self.board.0);
        calls.waiting.retain(|w| w.ticket != self.ticket);
        calls.granted.remove(&self.ticket);
    }
}
