//! For people: the API, and the page over it.

pub mod api;
pub mod page;
