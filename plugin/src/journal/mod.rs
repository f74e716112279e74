//! What is kept: the entries and bodies of the journal, the worker's cursor in it, the ledger, the connections.

pub mod backfill;
pub mod connection_cache;
pub mod connection_name;
pub mod connections;
pub mod cursor;
pub mod dead_reason;
pub mod entries;
pub mod evidence;
pub mod finding;
pub mod keys;
pub mod kind;
pub mod ledger;
pub mod life;
pub mod links;
pub mod list_scan;
pub mod no_atomics;
pub mod note;
pub mod pauses;
pub mod probe;
pub mod record;
pub mod refused;
pub mod sorted_map;
pub mod stats;
mod tagged;
pub mod trouble;
pub mod unfinished;
pub mod webhook;
