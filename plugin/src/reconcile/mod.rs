//! What KiotViet did not deliver: its webhooks, their health, the scans of its lists, and backfills.

pub mod backfill;
mod healing;
pub mod list_scan;
mod lists;
pub mod upkeep;
pub mod webhook_health;
pub mod webhooks;
