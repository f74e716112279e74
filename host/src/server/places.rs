//! Places of which there are only so many, given by turns among clients, or among tenants: however many requests one
//! of them has waiting, another's next one waits behind one of each at most.

use crate::lock::lock;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};
use tokio::sync::oneshot;

/// Who waits, by client; the next client first.
type Waiting<K> = VecDeque<(K, VecDeque<oneshot::Sender<Place<K>>>)>;

#[derive(Debug)]
struct Table<K> {
    free: usize,
    waiting: Waiting<K>,
}

impl<K> Table<K> {
    /// Who gets the place that is given back. Where nobody waits it is free.
    fn next(&mut self) -> Option<oneshot::Sender<Place<K>>> {
        while let Some((client, mut line)) = self.waiting.pop_front() {
            line.retain(|waits| !waits.is_closed());
            let next = line.pop_front();
            if !line.is_empty() {
                self.waiting.push_back((client, line));
            }
            if next.is_some() {
                return next;
            }
        }
        self.free += 1;
        None
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Places<K>(Mutex<Table<K>>);

impl<K: PartialEq> Places<K> {
    /// So many.
    pub(super) fn new(free: usize) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Table {
            free,
            waiting: Waiting::new(),
        })))
    }

    /// A place for a request of `client`, when its turn has come.
    pub(super) async fn take(self: &Arc<Self>, client: K) -> Place<K>
    where
        K: Copy,
    {
        loop {
            let turn = {
                let mut table = lock(&self.0);
                if table.free > 0 {
                    table.free -= 1;
                    return Place(self.clone());
                }
                let (sender, turn) = oneshot::channel();
                match table.waiting.iter_mut().find(|(who, _)| *who == client) {
                    Some((_, line)) => line.push_back(sender),
                    None => table.waiting.push_back((client, [sender].into())),
                }
                turn
            };
            if let Ok(place) = turn.await {
                return place;
            }
        }
    }
}

/// One place. It goes to the next who waits when it is dropped.
#[derive(Debug)]
pub(super) struct Place<K>(Arc<Places<K>>);

impl<K> Drop for Place<K> {
    fn drop(&mut self) {
        let next = lock(&self.0.0).next();
        if let Some(next) = next {
            // One who has just stopped waiting drops it, and it goes on.
            let _ = next.send(Self(self.0.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Place, Places};
    use std::{net::IpAddr, sync::Arc};
    use tokio::{
        sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
        task::{JoinHandle, yield_now},
    };

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    /// Waits for a place from now on, and tells whose it is.
    async fn waits(
        places: &Arc<Places<IpAddr>>,
        client: u8,
        got: &UnboundedSender<(u8, Place<IpAddr>)>,
    ) -> JoinHandle<()> {
        let (places, got) = (places.clone(), got.clone());
        let waiting = tokio::spawn(async move {
            let place = places.take(address(client)).await;
            let _ = got.send((client, place));
        });
        yield_now().await;
        waiting
    }

    /// Gives the places back one after another; returns whose they were.
    async fn in_turn(got: &mut UnboundedReceiver<(u8, Place<IpAddr>)>, many: usize) -> Vec<u8> {
        let mut order = Vec::new();
        for _ in 0..many {
            let (client, place) = got.recv().await.expect("a place");
            order.push(client);
            drop(place);
        }
        order
    }

    #[tokio::test]
    async fn a_client_with_many_requests_lets_others_take_their_turns() {
        let places = Places::new(1);
        let (got, mut seen) = unbounded_channel();
        let first = places.take(address(9)).await;
        for client in [1, 1, 1, 1, 2, 2, 3] {
            waits(&places, client, &got).await;
        }
        drop(first);
        assert_eq!(in_turn(&mut seen, 7).await, [1, 2, 3, 1, 2, 1, 1]);
        places.take(address(1)).await;
    }

    #[tokio::test]
    async fn one_who_no_longer_waits_takes_no_place() {
        let places = Places::new(1);
        let (got, mut seen) = unbounded_channel();
        let first = places.take(address(9)).await;
        let mut gone = Vec::new();
        for _ in 0..3 {
            gone.push(waits(&places, 1, &got).await);
        }
        waits(&places, 2, &got).await;
        for one in gone {
            one.abort();
            let _ = one.await;
        }
        drop(first);
        assert_eq!(in_turn(&mut seen, 1).await, [2]);
        let again = places.take(address(1)).await;
        // It was given one just as it stopped waiting.
        let last = waits(&places, 1, &got).await;
        drop(again);
        last.abort();
        let _ = last.await;
        while let Ok(late) = seen.try_recv() {
            drop(late);
        }
        places.take(address(2)).await;
    }
}
