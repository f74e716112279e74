//! The open connections, and which of them are closed when there are too many: those whose clients let the host
//! wait. A connection counts as waited for only while nothing comes, so one that is slow because the host is busy, or
//! that goes on sending, outlives one that is silent. A client that has sent its request is never closed here.

use super::proxies::subscriber;
use crate::lock::lock;
use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{sync::oneshot, time::Instant};

/// What comes next on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Its first head.
    FirstHead,
    /// A further head, after the client has taken an answer.
    FurtherHead,
    /// The rest of a body.
    Body,
    /// The host's answer.
    Answer,
}

impl Next {
    /// Whether a request has begun, or should have, and is not complete.
    fn is_unfinished(self) -> bool {
        matches!(self, Self::FirstHead | Self::Body)
    }
}

#[derive(Debug)]
struct Open {
    /// The client, or the proxy until a head tells the client.
    from: IpAddr,
    /// Whether the bound for an address holds for it.
    bounded: bool,
    next: Next,
    waited: Arc<Waited>,
    /// Closes the connection when it is dropped.
    _close: oneshot::Sender<()>,
}

impl Open {
    /// Since when its client lets the host wait.
    fn waited_since(&self) -> Option<u64> {
        self.waited.since().filter(|_| self.next != Next::Answer)
    }
}

/// Since when nothing has come on a connection, in microseconds of [`Connections`]'s own time, and one more; 0:
/// something has just come, or the host has not looked since.
#[derive(Debug, Default)]
struct Waited(AtomicU64);

impl Waited {
    fn since(&self) -> Option<u64> {
        self.0.load(Ordering::Relaxed).checked_sub(1)
    }
}

#[derive(Debug, Default)]
struct Table {
    open: BTreeMap<u64, Open>,
    /// Connections so far.
    counted: u64,
}

/// All open connections.
#[derive(Debug)]
pub(super) struct Connections {
    table: Mutex<Table>,
    /// Most connections of one client on which the host waits for the rest of a request.
    unfinished: usize,
    /// None is closed for that bound before it has had so much time.
    patience: Duration,
    began: Instant,
}

impl Connections {
    pub(super) fn new(unfinished: usize, patience: Duration) -> Arc<Self> {
        Arc::new(Self {
            table: Mutex::default(),
            unfinished,
            patience,
            began: Instant::now(),
        })
    }

    /// A new connection from `from`. The receiver ends when it is to be closed. A trusted proxy's own address is not
    /// bounded: heads come from it whole, and it has bounds of its own.
    pub(super) fn enter(
        self: &Arc<Self>,
        from: IpAddr,
        trusted: bool,
    ) -> (Entry, oneshot::Receiver<()>) {
        let (close, closed) = oneshot::channel();
        let waited = Arc::new(Waited::default());
        let open = Open {
            from: subscriber(from),
            bounded: !trusted,
            next: Next::FirstHead,
            waited: waited.clone(),
            _close: close,
        };
        let mut table = lock(&self.table);
        table.counted += 1;
        let number = table.counted;
        table.open.insert(number, open);
        drop(table);
        let entry = Entry {
            connections: self.clone(),
            number,
            waited,
        };
        (entry, closed)
    }

    /// Closes one connection whose client lets the host wait: of the client with most of them, the one that has been
    /// waited for longest. None is closed when the host works on all.
    pub(super) fn make_room(&self) {
        lock(&self.table).make_room();
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Closes the connections of `number`'s client that have been waited for longest, as long as it has too many.
    fn bound(&self, number: u64) {
        let patience = u64::try_from(self.patience.as_micros()).unwrap_or(u64::MAX);
        let Some(until) = self.now().checked_sub(patience) else {
            return;
        };
        let mut table = lock(&self.table);
        let Some(from) = table.open.get(&number).map(|open| open.from) else {
            return;
        };
        let counts = |open: &Open| open.bounded && open.from == from && open.next.is_unfinished();
        let waited = |open: &Open| counts(open).then(|| open.waited_since()).flatten();
        let many = table.open.values().filter_map(waited).count();
        for _ in self.unfinished..many {
            if !table.close_longest(|open| waited(open).filter(|since| *since <= until)) {
                return;
            }
        }
    }
}

impl Table {
    fn make_room(&mut self) {
        let mut waited: BTreeMap<IpAddr, (usize, u64)> = BTreeMap::new();
        for open in self.open.values() {
            if let Some(since) = open.waited_since() {
                let (many, first) = waited.entry(open.from).or_insert((0, since));
                *many += 1;
                *first = since.min(*first);
            }
        }
        let most = waited
            .into_iter()
            .max_by_key(|(_, (many, first))| (*many, u64::MAX - first));
        if let Some((from, _)) = most {
            self.close_longest(|open| open.waited_since().filter(|_| open.from == from));
        }
    }

    /// Closes the connection for which `since` is smallest; false where there is none.
    fn close_longest(&mut self, since: impl Fn(&Open) -> Option<u64>) -> bool {
        let waited = self.open.iter();
        let waited = waited.filter_map(|(number, open)| Some((since(open)?, *number)));
        let longest = waited.min();
        longest.is_some_and(|(_, number)| self.open.remove(&number).is_some())
    }
}

/// One open connection; it is forgotten when this is dropped.
#[derive(Debug)]
pub(super) struct Entry {
    connections: Arc<Connections>,
    number: u64,
    waited: Arc<Waited>,
}

impl Entry {
    /// A body comes from `client`, whom the head tells.
    pub(super) fn next_is_body(&self, client: IpAddr) {
        let client = subscriber(client);
        self.change(|open| {
            (open.next, open.from, open.bounded) = (Next::Body, client, true);
        });
    }

    /// The request is complete, or the host lets its client wait.
    pub(super) fn next_is_answer(&self) {
        self.change(|open| open.next = Next::Answer);
    }

    /// The answer is given. A client that does not take it lets the host wait too.
    pub(super) fn next_is_further_head(&self) {
        self.change(|open| open.next = Next::FurtherHead);
    }

    /// Something came from the client, or it took something.
    pub(super) fn moves(&self) {
        self.waited.0.store(0, Ordering::Relaxed);
    }

    /// Nothing comes from the client.
    pub(super) fn rests(&self) {
        let now = self.connections.now().saturating_add(1);
        let began = self
            .waited
            .0
            .compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
        if began.is_ok() && self.is_unfinished() {
            self.connections.bound(self.number);
        }
    }

    fn is_unfinished(&self) -> bool {
        let table = lock(&self.connections.table);
        let open = table.open.get(&self.number);
        open.is_some_and(|open| open.next.is_unfinished())
    }

    fn change(&self, how: impl FnOnce(&mut Open)) {
        // Nothing was waited for until now.
        self.moves();
        if let Some(open) = lock(&self.connections.table).open.get_mut(&self.number) {
            how(open);
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
    use tokio::{
        sync::oneshot::{Receiver, error::TryRecvError},
        time::sleep,
    };

    const MOST: usize = 3;
    const PATIENCE: Duration = Duration::from_secs(1);
    const MOMENT: Duration = Duration::from_millis(1);

    struct Client(Entry, Receiver<()>);

    impl Client {
        fn is_closed(&mut self) -> bool {
            self.1.try_recv() == Err(TryRecvError::Closed)
        }
    }

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    fn enter(connections: &Arc<Connections>, last: u8) -> Client {
        let (entry, closed) = connections.enter(address(last), false);
        Client(entry, closed)
    }

    /// Comes, and then nothing comes from it.
    async fn silent(connections: &Arc<Connections>, last: u8) -> Client {
        let client = enter(connections, last);
        client.0.rests();
        sleep(MOMENT).await;
        client
    }

    fn closed(clients: &mut [Client]) -> Vec<bool> {
        clients.iter_mut().map(Client::is_closed).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn the_longest_silent_unfinished_connection_of_an_address_gives_way_to_a_further_one() {
        let connections = Connections::new(MOST, Duration::ZERO);
        let mut other = silent(&connections, 9).await;
        let mut crowd = Vec::new();
        for _ in 0..MOST {
            crowd.push(silent(&connections, 1).await);
        }
        assert_eq!(closed(&mut crowd), [false; MOST]);
        crowd.push(silent(&connections, 1).await);
        assert_eq!(closed(&mut crowd), [true, false, false, false]);
        // One that is worked on, or idle after an answer, is finished.
        crowd[1].0.next_is_answer();
        crowd[2].0.next_is_further_head();
        crowd.push(silent(&connections, 1).await);
        crowd.push(silent(&connections, 1).await);
        assert_eq!(closed(&mut crowd)[1..], [false; 5]);
        // A body that does not come on is not.
        crowd[1].0.next_is_body(address(1));
        crowd[1].0.moves();
        crowd[1].0.rests();
        assert_eq!(closed(&mut crowd)[1..], [false, false, true, false, false]);
        assert!(!other.is_closed(), "another address has its own");
    }

    #[tokio::test(start_paused = true)]
    async fn who_goes_on_sending_outlives_who_is_silent() {
        let connections = Connections::new(MOST, PATIENCE);
        let mut upload = enter(&connections, 1);
        upload.0.next_is_body(address(1));
        let mut halves = Vec::new();
        for _ in 0..10 {
            upload.0.moves();
            upload.0.rests();
            halves.push(silent(&connections, 1).await);
            sleep(PATIENCE).await;
        }
        let expected: Vec<bool> = (0..10).map(|at| at < 8).collect();
        assert_eq!(closed(&mut halves), expected, "the oldest");
        assert!(!upload.is_closed());
    }

    #[tokio::test(start_paused = true)]
    async fn many_that_come_at_once_have_a_moment_each() {
        let connections = Connections::new(MOST, PATIENCE);
        let mut burst = Vec::new();
        for _ in 0..6 {
            burst.push(silent(&connections, 1).await);
        }
        assert_eq!(closed(&mut burst), [false; 6], "their heads are on the way");
        sleep(PATIENCE).await;
        // The host has not looked at this one yet, so it has let nobody wait.
        let mut unread = enter(&connections, 1);
        burst.push(silent(&connections, 1).await);
        let expected: Vec<bool> = (0..7).map(|at| at < 4).collect();
        assert_eq!(closed(&mut burst), expected, "back within the bound");
        assert!(!unread.is_closed());
    }

    #[tokio::test(start_paused = true)]
    async fn behind_a_trusted_proxy_bodies_count_for_the_client_that_it_tells() {
        let connections = Connections::new(MOST, Duration::ZERO);
        let mut all = Vec::new();
        for _ in 0..10 {
            let (entry, closed) = connections.enter(address(1), true);
            entry.rests();
            all.push(Client(entry, closed));
        }
        assert_eq!(closed(&mut all), [false; 10], "the proxy is not bounded");
        for (at, client) in (0_u8..).zip(&all) {
            let told = address(if at < 5 { 50 } else { 60 + at });
            client.0.moves();
            client.0.next_is_body(told);
            client.0.rests();
            sleep(MOMENT).await;
        }
        let expected: Vec<bool> = (0..10).map(|at| at < 2).collect();
        assert_eq!(closed(&mut all), expected, "two above the bound");
    }

    #[tokio::test(start_paused = true)]
    async fn room_is_made_by_the_address_that_keeps_most_waiting_and_never_by_who_is_worked_for() {
        let connections = Connections::new(MOST, PATIENCE);
        let mut working = [silent(&connections, 1).await, silent(&connections, 1).await];
        let mut single = [silent(&connections, 3).await];
        let mut idle = [silent(&connections, 2).await, silent(&connections, 2).await];
        for client in &working {
            client.0.next_is_answer();
        }
        for client in idle.iter().rev() {
            client.0.moves();
            client.0.next_is_further_head();
            client.0.rests();
            sleep(MOMENT).await;
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

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_ended_is_forgotten() {
        let connections = Connections::new(1, Duration::ZERO);
        drop(silent(&connections, 1).await);
        let mut next = silent(&connections, 1).await;
        assert!(!next.is_closed());
    }
}
