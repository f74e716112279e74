//! Shows that nothing is lost, doubled or held up, and what it costs.
//!
//! `search` tries every fault at every host call of its scenarios (`cargo proof`) and draws
//! histories. `schedule` runs several instances in every order of their calls. `mutants` shows that
//! the checks can fail. `load` sends requests over many connections. `soak` floods and kills the
//! real program (`cargo soak`).

pub mod load;
pub mod mutants;
pub mod schedule;
pub mod search;
pub mod soak;
