//! What would go wrong with a connection's first sales, found out before they come: by questions only, at most
//! [`MOST_CALLS`](report::MOST_CALLS) of them, within both vendors' ceilings. A run goes on from request to request, so that
//! each is short.

mod checks;
pub mod finding;
pub mod report;
pub mod run;
