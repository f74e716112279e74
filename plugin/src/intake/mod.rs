//! What happens until KiotViet gets its 200.

pub mod accept;
pub mod known;
mod signature_policy;
