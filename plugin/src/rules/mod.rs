//! The sync rules R1 to R14, pure: facts in, a plan out.

pub mod model;
