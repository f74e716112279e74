//! What is done about one event: the lease and the permit to act, the plan, its execution, the retry schedule.

pub mod attempt;
pub mod execute;
pub mod failure;
pub mod inline;
pub mod lease;
pub mod pauses;
pub mod permit;
pub mod plan;
pub mod retry;
pub mod session;
