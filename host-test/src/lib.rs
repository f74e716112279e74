//! spike

pub mod sim;
