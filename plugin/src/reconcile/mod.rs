//! What KiotViet did not deliver: its webhooks, their health, and the scans of its lists.

pub mod list_scan;
pub mod webhook_health;
pub mod webhooks;
