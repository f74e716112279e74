//! What happens until KiotViet gets its 200.

pub mod accept;
