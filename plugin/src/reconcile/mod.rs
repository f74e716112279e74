//! What KiotViet did not deliver: its webhooks, their health, the scans of its lists, and backfills; and
//! the scan of Getfly's accounts.

pub mod accounts;
pub mod backfill;
pub mod filling;
mod healing;
pub mod list_scan;
mod lists;
mod polls;
pub mod upkeep;
pub mod webhook_health;
pub mod webhooks;
