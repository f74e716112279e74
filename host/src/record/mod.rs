//! `kvgf record`: stores KiotViet's deliveries on their way to the bridge, as folders that `host
//! replay` reads, with all personal data replaced. It never writes the address that a delivery came
//! to (its path is the key to the bridge), nor any member that it does not know.

mod dates;
mod disguise;
mod invent;
mod proxy;
mod words;

pub use disguise::Disguise;
pub use proxy::{Recorder, Tell, serve};
