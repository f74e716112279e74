//! The open connections, and which of them are closed when there are too many: those whose clients let the host
//! wait. A client that has sent its request is never closed here.

use super::proxies::subscriber;
use crate::lock::lock;
use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{sync::oneshot, time::Instant};

/// What the host waits for on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Awaits {
    /// Its first head.
    FirstHead,
    /// The next head, after an answer.
    NextHead,
    /// The rest of a body.
    Body,
    /// Nothing: the host works.
    Nothing,
}

#[derive(Debug)]
struct Open {
    /// The client, or the proxy until a head tells the client.
    from: IpAddr,
    awaits: Awaits,
    /// Grows with each connection and each answer: the smallest has been waited for longest.
    since: u64,
    /// When that was.
    at: Instant,
    /// Closes the connection when it is dropped.
    _close: oneshot::Sender<()>,
}

#[derive(Debug, Default)]
struct Table {
    open: BTreeMap<u64, Open>,
    /// Of connections and of changes.
    counted: u64,
}

/// All open connections.
#[derive(Debug)]
pub(super) struct Connections {
    table: Mutex<Table>,
    /// Most connections of one client whose first head or whose body is not complete.
    unfinished: usize,
    /// None is closed for that bound before it has had so much time: many may come at once and be sound.
    patience: Duration,
}

impl Connections {
    pub(super) fn new(unfinished: usize, patience: Duration) -> Arc<Self> {
        Arc::new(Self {
            table: Mutex::default(),
            unfinished,
            patience,
        })
    }

    /// A new connection from `from`. The receiver ends when it is to be closed. A trusted proxy's own address is not
    /// bounded: heads come from it whole, and it has bounds of its own.
    pub(super) fn enter(
        self: &Arc<Self>,
        from: IpAddr,
        trusted: bool,
    ) -> (Entry, oneshot::Receiver<()>) {
        let from = subscriber(from);
        let (close, closed) = oneshot::channel();
        let mut table = lock(&self.table);
        let number = table.count();
        let open = Open {
            from,
            awaits: Awaits::FirstHead,
            since: number,
            at: Instant::now(),
            _close: close,
        };
        table.open.insert(number, open);
        if !trusted {
            table.bound(from, self.unfinished, self.patience);
        }
        drop(table);
        let entry = Entry {
            connections: self.clone(),
            number,
        };
        (entry, closed)
    }

    /// Closes one connection whose client lets the host wait: of the client with most of them, the one that has been
    /// waited for longest. None is closed when the host works on all.
    pub(super) fn make_room(&self) {
        lock(&self.table).make_room();
    }
}

impl Table {
    fn count(&mut self) -> u64 {
        self.counted += 1;
        self.counted
    }

    /// Closes the oldest unfinished connections of `from` as long as it has more than `most` of them.
    fn bound(&mut self, from: IpAddr, most: usize, patience: Duration) {
        let unfinished = |open: &Open| {
            open.from == from && matches!(open.awaits, Awaits::FirstHead | Awaits::Body)
        };
        let many = self.open.values().filter(|open| unfinished(open)).count();
        for _ in most..many {
            let closed =
                self.close_oldest(|open| unfinished(open) && open.at.elapsed() >= patience);
            if !closed {
                return;
            }
        }
    }

    fn make_room(&mut self) {
        let mut waiting: BTreeMap<IpAddr, (usize, u64)> = BTreeMap::new();
        for open in self.open.values() {
            if open.awaits != Awaits::Nothing {
                let (many, since) = waiting.entry(open.from).or_insert((0, open.since));
                *many += 1;
                *since = open.since.min(*since);
            }
        }
        let most = waiting
            .into_iter()
            .max_by_key(|(_, (many, since))| (*many, u64::MAX - since));
        if let Some((from, _)) = most {
            self.close_oldest(|open| open.from == from && open.awaits != Awaits::Nothing);
        }
    }

    /// Closes the connection for which `is` holds longest; false where there is none.
    fn close_oldest(&mut self, is: impl Fn(&Open) -> bool) -> bool {
        let chosen = self.open.iter().filter(|(_, open)| is(open));
        let oldest = chosen.min_by_key(|(_, open)| open.since);
        let oldest = oldest.map(|(number, _)| *number);
        oldest.is_some_and(|number| self.open.remove(&number).is_some())
    }
}

/// One open connection; it is forgotten when this is dropped.
#[derive(Debug)]
pub(super) struct Entry {
    connections: Arc<Connections>,
    number: u64,
}

impl Entry {
    /// A body is awaited from `client`, whom the head tells.
    pub(super) fn awaits_body(&self, client: IpAddr) {
        let client = subscriber(client);
        self.change(Awaits::Body, Some(client));
        let Connections {
            unfinished,
            patience,
            ..
        } = *self.connections;
        lock(&self.connections.table).bound(client, unfinished, patience);
    }

    /// The request is complete.
    pub(super) fn awaits_nothing(&self) {
        self.change(Awaits::Nothing, None);
    }

    /// The answer is on its way. A client that does not read it lets the host wait too.
    pub(super) fn awaits_next_head(&self) {
        self.change(Awaits::NextHead, None);
    }

    fn change(&self, awaits: Awaits, from: Option<IpAddr>) {
        let mut table = lock(&self.connections.table);
        let now = table.count();
        if let Some(open) = table.open.get_mut(&self.number) {
            // A first request is waited for since its connection came, whatever of it is there.
            if open.awaits != Awaits::FirstHead {
                (open.since, open.at) = (now, Instant::now());
            }
            open.awaits = awaits;
            open.from = from.unwrap_or(open.from);
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        lock(&self.connections.table).open.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::{Connections, Entry};
    use std::{net::IpAddr, sync::Arc, time::Duration};
    use tokio::sync::oneshot::Receiver;

    const MOST: usize = 3;

    struct Client(Entry, Receiver<()>);

    impl Client {
        fn is_closed(&mut self) -> bool {
            self.1.try_recv() == Err(tokio::sync::oneshot::error::TryRecvError::Closed)
        }
    }

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    fn enter(connections: &Arc<Connections>, last: u8) -> Client {
        let (entry, closed) = connections.enter(address(last), false);
        Client(entry, closed)
    }

    fn closed(clients: &mut [Client]) -> Vec<bool> {
        clients.iter_mut().map(Client::is_closed).collect()
    }

    #[test]
    fn the_oldest_unfinished_connection_of_an_address_gives_way_to_a_further_one() {
        let connections = Connections::new(MOST, Duration::ZERO);
        let mut other = enter(&connections, 9);
        let mut crowd: Vec<Client> = (0..MOST).map(|_| enter(&connections, 1)).collect();
        assert_eq!(closed(&mut crowd), [false; MOST]);
        crowd.push(enter(&connections, 1));
        assert_eq!(closed(&mut crowd), [true, false, false, false]);
        // One that is worked on, or idle after an answer, is finished.
        crowd[1].0.awaits_nothing();
        crowd[2].0.awaits_next_head();
        crowd.push(enter(&connections, 1));
        crowd.push(enter(&connections, 1));
        assert_eq!(
            closed(&mut crowd),
            [true, false, false, false, false, false]
        );
        // A body that is not complete is not.
        crowd[1].0.awaits_body(address(1));
        assert_eq!(closed(&mut crowd), [true, false, false, true, false, false]);
        assert!(!other.is_closed(), "another address has its own");
    }

    #[tokio::test(start_paused = true)]
    async fn many_that_come_at_once_have_a_moment_each() {
        let patience = Duration::from_secs(1);
        let connections = Connections::new(MOST, patience);
        let mut burst: Vec<Client> = (0..6).map(|_| enter(&connections, 1)).collect();
        assert_eq!(closed(&mut burst), [false; 6], "their heads are on the way");
        tokio::time::sleep(patience).await;
        burst.push(enter(&connections, 1));
        let expected: Vec<bool> = (0..7).map(|at| at < 4).collect();
        assert_eq!(closed(&mut burst), expected, "back within the bound");
    }

    #[test]
    fn behind_a_trusted_proxy_bodies_count_for_the_client_that_it_tells() {
        let connections = Connections::new(MOST, Duration::ZERO);
        let mut all: Vec<Client> = (0..10)
            .map(|_| {
                let (entry, closed) = connections.enter(address(1), true);
                Client(entry, closed)
            })
            .collect();
        assert_eq!(closed(&mut all), [false; 10], "the proxy is not bounded");
        for (at, client) in all.iter().enumerate() {
            client
                .0
                .awaits_body(address(if at < 5 { 50 } else { 60 + at as u8 }));
        }
        let expected: Vec<bool> = (0..10).map(|at| at < 2).collect();
        assert_eq!(closed(&mut all), expected, "two above the bound");
    }

    #[test]
    fn room_is_made_by_the_address_that_keeps_most_waiting_and_never_by_who_is_worked_for() {
        let connections = Connections::new(MOST, Duration::ZERO);
        let mut working = [enter(&connections, 1), enter(&connections, 1)];
        let mut idle = [enter(&connections, 2), enter(&connections, 2)];
        let mut single = [enter(&connections, 3)];
        for client in working.iter().chain(&idle) {
            client.0.awaits_nothing();
        }
        for client in idle.iter().rev() {
            client.0.awaits_next_head();
        }
        connections.make_room();
        assert_eq!(closed(&mut idle), [false, true], "the one idle for longest");
        connections.make_room();
        assert_eq!(closed(&mut single), [true], "of equal ones the older");
        connections.make_room();
        assert_eq!(closed(&mut idle), [true, true]);
        connections.make_room();
        assert_eq!(closed(&mut working), [false, false]);
    }

    #[test]
    fn a_connection_that_ended_is_forgotten() {
        let connections = Connections::new(1, Duration::ZERO);
        drop(enter(&connections, 1));
        let mut next = enter(&connections, 1);
        assert!(!next.is_closed());
    }
}
