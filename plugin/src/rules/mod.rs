//! The sync rules R1 to R14, pure: facts in, a plan out.

pub mod account;
pub mod address;
pub mod codes;
pub mod email;
pub mod executor;
pub mod matching;
pub mod model;
pub mod money;
pub mod newness;
pub mod order;
pub mod phone;
pub mod remark;
pub mod sale;
pub mod settings;
pub(crate) mod text;
pub mod total;
pub mod verdict;
