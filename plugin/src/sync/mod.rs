//! The journal, the lease, retries and the drain.

pub mod world;
