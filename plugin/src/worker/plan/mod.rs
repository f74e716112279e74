//! Plans what an event should lead to: reads both sides, asks the rules, writes nothing. The
//! preview shows a plan; the worker executes it.

pub mod account;
pub mod customer;
pub mod decision;
pub mod executor;
pub mod invoice;
pub mod sale;
