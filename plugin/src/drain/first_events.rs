//! A new connection's first events: what is sent for them is kept, and which they are.

use crate::{
    drain::state::Drain,
    journal::{
        first_events::{self, FIRST},
        record::Record,
    },
    worker::failure::Stop,
    world::World,
};

impl<W: World> Drain<'_, '_, W> {
    /// Whether people are asked to look at what is sent for this event.
    pub(super) fn is_shown(&self, record: &Record) -> bool {
        let is_new = self.cursor.first_events.get(&record.connection).is_some();
        is_new || record.sheet.is_some()
    }

    /// Keeps what was sent in the last attempt.
    pub(super) fn keep_sheet(&self, record: &mut Record) {
        let new = self.worker.take_exchanges();
        record.sheet = first_events::add(&self.ready.sealer, self.worker, record, new);
    }

    /// Lists an event that ended among its connection's first.
    pub(super) async fn list_first(&mut self, record: &Record) -> Result<(), Stop> {
        let name = &record.connection;
        let Some(mut list) = self.cursor.first_events.get(name).cloned() else {
            return Ok(());
        };
        if list.contains(&record.seq) || !first_events::is_worth_a_look(record) {
            return Ok(());
        }
        list.push(record.seq);
        if list.len() < FIRST {
            self.cursor.first_events.insert(name.clone(), list);
        } else {
            first_events::keep_list(self.worker, name, &list).await?;
            self.cursor.first_events.remove(name);
        }
        Ok(())
    }
}
