//! The search, the schedules, the mutants and the load tests, in the size that each change can afford.

mod histories;
mod interleavings;
mod mutants;
mod proof;
mod proof_stores;
mod soak;
mod wasm_traps;
