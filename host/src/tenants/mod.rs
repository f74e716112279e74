//! Many tenants in one host: a folder with a file for each, and who is served because of it.

mod file;
mod log;
pub mod moving;
mod register;

pub use file::{Name, Said};
pub use register::{Components, Loaded, Register, Surroundings, Told, read_all};
