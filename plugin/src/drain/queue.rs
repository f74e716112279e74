//! New events in the order in which they are attempted: live sales before live customers before what can wait
//! (backfills, and hints that anybody may have sent), and within these the shops of the tenant take turns. A customer
//! whom the sale's own delivery tells of just before it goes with it. It is in memory only; what is not attempted is read anew.

use crate::{
    journal::{
        connection_name::ConnectionName,
        record::{Kind, Record},
    },
    time::Timestamp,
};
use std::collections::VecDeque;

/// Customers of its own delivery that go before a sale.
const WITH_SALE: usize = 2;
/// Records that are kept as they were read; of others only the number is kept.
const RECORDS_KEPT: usize = 16;

/// What comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rank {
    Sale,
    Customer,
    Last,
}

impl Rank {
    fn of(record: &Record, can_wait: bool) -> Self {
        if can_wait
            || record
                .hint
                .as_ref()
                .is_some_and(|hint| hint.since.is_some())
        {
            return Self::Last;
        }
        match record.kind {
            Kind::Invoice => Self::Sale,
            Kind::Customer | Kind::Other => Self::Customer,
        }
    }
}

/// A new event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Waiting {
    /// Its number.
    pub(super) seq: u64,
    received_at: Timestamp,
    /// As it was read; none where it has to be read again.
    pub(super) record: Option<Box<Record>>,
}

/// The events of one rank, by shop; the next shop first.
#[derive(Debug, Default)]
struct Line(VecDeque<(ConnectionName, VecDeque<Waiting>)>);

impl Line {
    fn push(&mut self, shop: &ConnectionName, waiting: Waiting) {
        match self.0.iter_mut().find(|(name, _)| name == shop) {
            Some((_, events)) => events.push_back(waiting),
            None => self.0.push_back((shop.clone(), VecDeque::from([waiting]))),
        }
    }

    /// Takes the last events of this shop, at most [`WITH_SALE`], as far as they came at that moment.
    fn newest(&mut self, shop: &ConnectionName, received_at: Timestamp) -> Vec<Waiting> {
        let Some(at) = self.0.iter().position(|(name, _)| name == shop) else {
            return Vec::new();
        };
        let Some((_, events)) = self.0.get_mut(at) else {
            return Vec::new();
        };
        let same = events.iter().rev().take(WITH_SALE);
        let same = same.take_while(|e| e.received_at == received_at).count();
        let taken = events.split_off(events.len().saturating_sub(same));
        if events.is_empty() {
            self.0.remove(at);
        }
        taken.into()
    }

    fn pop(&mut self) -> Option<Waiting> {
        let (shop, mut events) = self.0.pop_front()?;
        let next = events.pop_front();
        if !events.is_empty() {
            self.0.push_back((shop, events));
        }
        next
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Queue {
    sales: Line,
    customers: Line,
    last: Line,
    len: usize,
    /// Entries up to this number are in it, or were looked at.
    pub(super) read: u64,
}

impl Queue {
    /// How many events are in it.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Whether a live event is in it.
    pub(super) fn has_live(&self) -> bool {
        !self.sales.0.is_empty() || !self.customers.0.is_empty()
    }

    /// Adds an event. It `can_wait` where it may be forged.
    pub(super) fn push(&mut self, record: Box<Record>, can_wait: bool) {
        let (shop, seq, received_at) = (record.connection.clone(), record.seq, record.received_at);
        let rank = Rank::of(&record, can_wait);
        if rank == Rank::Sale {
            for customer in self.customers.newest(&shop, received_at) {
                self.sales.push(&shop, customer);
            }
        }
        let line = match rank {
            Rank::Sale => &mut self.sales,
            Rank::Customer => &mut self.customers,
            Rank::Last => &mut self.last,
        };
        let record = (self.len < RECORDS_KEPT).then_some(record);
        let waiting = Waiting {
            seq,
            received_at,
            record,
        };
        line.push(&shop, waiting);
        self.len = self.len.saturating_add(1);
    }

    /// Takes the event that comes first.
    pub(super) fn pop(&mut self) -> Option<Waiting> {
        let lines = [&mut self.sales, &mut self.customers, &mut self.last];
        let next = lines.into_iter().find_map(Line::pop)?;
        self.len = self.len.saturating_sub(1);
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::record::Hint;

    fn event(seq: u64, shop: &str, kind: Kind, backfill: bool) -> Box<Record> {
        let shop = ConnectionName::parse(shop).unwrap();
        let now = Timestamp::from_second(i64::try_from(seq).unwrap()).unwrap();
        let mut record = Record::new(seq, now, &shop, kind, String::new());
        let since = backfill.then_some(now);
        record.hint = Some(Hint {
            code: None,
            id: 1,
            since,
            cancelled: false,
        });
        Box::new(record)
    }

    #[test]
    fn live_sales_come_before_live_customers_before_what_can_wait_and_shops_take_turns() {
        use Kind::{Customer, Invoice};
        let mut queue = Queue::default();
        for (seq, shop, kind, backfill) in [
            (1, "a", Customer, false),
            (2, "a", Invoice, true),
            (3, "a", Invoice, false),
            (4, "a", Invoice, false),
            (5, "b", Invoice, false),
            (6, "b", Customer, false),
            (7, "a", Customer, false),
            (8, "c", Invoice, false),
        ] {
            queue.push(event(seq, shop, kind, backfill), false);
        }
        assert!(queue.has_live());
        let mut order = Vec::new();
        while queue.has_live() {
            order.push(queue.pop().unwrap().seq);
        }
        assert_eq!(order, [3, 5, 8, 4, 1, 6, 7]);
        queue.push(event(9, "a", Invoice, false), true);
        assert_eq!((queue.len(), queue.has_live()), (2, false));
        let last = [2, 9].map(|_| queue.pop().unwrap().seq);
        assert_eq!(last, [2, 9]);
        assert_eq!(queue.pop(), None);
    }

    #[test]
    fn a_customer_of_the_sales_own_delivery_goes_before_it() {
        use Kind::{Customer, Invoice};
        let mut queue = Queue::default();
        let at_once = |mut record: Box<Record>| {
            record.received_at = Timestamp::UNIX_EPOCH;
            record
        };
        queue.push(event(1, "a", Customer, false), false);
        for (seq, kind) in [(2, Customer), (3, Customer), (4, Customer), (5, Invoice)] {
            queue.push(at_once(event(seq, "a", kind, false)), false);
        }
        let order: Vec<u64> = core::iter::from_fn(|| queue.pop()).map(|w| w.seq).collect();
        assert_eq!(order, [3, 4, 5, 1, 2]);
    }

    #[test]
    fn a_long_queue_keeps_numbers_only() {
        let mut queue = Queue::default();
        for seq in 1..=20 {
            queue.push(event(seq, "a", Kind::Customer, false), false);
        }
        let kept = core::iter::from_fn(|| queue.pop()).filter(|w| w.record.is_some());
        assert_eq!(kept.count(), RECORDS_KEPT);
    }
}
