//! The work on one event: the lease and the permit to act, the plan, its execution, the retry
//! schedule.

pub mod answer;
pub mod attempt;
pub mod changed;
pub mod details;
pub mod dismissed;
pub mod execute;
pub mod failure;
pub mod forms;
pub mod gone;
pub mod held;
pub mod inline;
pub mod lease;
pub mod memory;
pub mod observe;
pub mod outside;
pub mod pauses;
pub mod permit;
pub mod plan;
pub mod products;
pub mod retry;
pub mod session;
pub mod tenant;
pub mod walk_in;
