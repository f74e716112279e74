//! The journal, the lease, retries and the drain: nothing lost, nothing doubled, nothing stuck.

pub mod accept;
pub mod attempt;
pub mod backfill;
pub mod connections;
pub mod cursor;
pub mod drain;
pub mod execute;
pub mod few;
pub mod journal;
pub mod keys;
pub mod lease;
pub mod ledger;
pub mod plain;
pub mod plan;
pub mod preview;
pub mod probe;
pub mod reading;
pub mod record;
pub mod retry;
pub mod session;
pub mod stats;
pub mod unfinished;
pub mod watch;
pub mod webhooks;
pub mod worker;
pub mod world;
