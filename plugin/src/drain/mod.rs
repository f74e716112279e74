//! The loop that takes up what the journal holds: under the lease, in order, until nothing is due.

mod alerts;
mod commands;
mod due;
mod due_events;
mod due_lists;
mod event;
mod first_events;
mod hinted;
mod hints;
pub mod how;
mod new_entries;
pub mod outgoing;
mod queue;
mod read_back;
mod retention;
pub mod run;
mod state;
mod upgrade;
