//! Bringing up a store of an older format, before a worker does anything else in it. Every step may be done twice, and the
//! cursor tells the new format last: the worker after a crash begins again.

use crate::{
    drain::state::Drain,
    journal::{connections, cursor::Cursor, format::FORMAT},
    log,
    worker::failure::Stop,
    world::World,
};

impl<W: World> Drain<'_, '_, W> {
    /// Brings the store up to this version's format.
    pub(super) async fn bring_up(&mut self) -> Result<(), Stop> {
        let from = self.cursor.format;
        if from == FORMAT {
            return Ok(());
        }
        // Nothing was done in a new store; what is in it is of this format already.
        if self.cursor == Cursor::default() {
            self.cursor.format = FORMAT;
            return Ok(());
        }
        // From here on no acceptor of an older version takes a delivery.
        for name in connections::names(self.worker).await? {
            let kept = connections::load_or_damage(self.worker, &name).await?;
            // One that is damaged is made anew by a person, in this format.
            let stamped = kept.and_then(Result::ok).and_then(|c| c.in_this_format());
            if let Some(stamped) = stamped {
                connections::save(self.worker, &stamped, false).await?;
            }
        }
        self.cursor.format = FORMAT;
        self.save().await?;
        log::brought_up(self.worker, from, FORMAT);
        Ok(())
    }
}
