//! `kvgf record`: keeps KiotViet's deliveries on their way to the bridge, as folders that
//! `host replay` reads, with everything about persons replaced. It never writes the address a
//! delivery came to (its path is the key to the bridge) nor anything that it does not know.

mod dates;
mod disguise;
mod invent;
mod proxy;
mod words;

pub use disguise::Disguise;
pub use proxy::{Recorder, Tell, serve};
