//! Counts what people did. The counts are one value, because they are read together and written
//! seldom. Two acts at the very same moment may be counted as one; the log has a line for each.

use crate::{
    journal::{keys, sorted_map::SortedMap, stats},
    stored,
    world::{Store, StoreError},
};

/// What a person, or a token, did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Logged in to the page.
    LogIn,
    /// Logged out of it.
    LogOut,
    /// Ended every session.
    LogOutEverywhere,
    /// Connected a shop, or gave it new credentials.
    Connect,
    /// Disconnected a shop.
    Disconnect,
    /// Switched a webhook on or off.
    Switch,
    /// Rotated a webhook's path and secret.
    Rotate,
    /// Had a dead letter, or all of them, attempted again.
    Retry,
    /// Dismissed a dead letter, or all of a reason.
    Dismiss,
    /// Said what the invoice of a dead letter is.
    Answer,
    /// Linked a customer by hand, or undid it.
    Link,
    /// Began or stopped a backfill.
    Backfill,
    /// Confirmed that `getfly_url` is the store's Getfly.
    Getfly,
}

impl Act {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::LogIn,
        Self::LogOut,
        Self::LogOutEverywhere,
        Self::Connect,
        Self::Disconnect,
        Self::Switch,
        Self::Rotate,
        Self::Retry,
        Self::Dismiss,
        Self::Answer,
        Self::Link,
        Self::Backfill,
        Self::Getfly,
    ];

    /// The word in the log and in the metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LogIn => "log_in",
            Self::LogOut => "log_out",
            Self::LogOutEverywhere => "log_out_everywhere",
            Self::Connect => "connect",
            Self::Disconnect => "disconnect",
            Self::Switch => "switch",
            Self::Rotate => "rotate",
            Self::Retry => "retry",
            Self::Dismiss => "dismiss",
            Self::Answer => "answer",
            Self::Link => "link",
            Self::Backfill => "backfill",
            Self::Getfly => "getfly",
        }
    }
}

/// How often each act was done; unreadable counts start again at zero.
pub async fn counts(store: &impl Store) -> Result<SortedMap<String, u64>, StoreError> {
    let bytes = store.get(keys::ACTS).await?;
    let read = bytes.and_then(|bytes| stored::read(&bytes).ok());
    Ok(read.unwrap_or_default())
}

/// Counts an act.
pub async fn count(store: &impl Store, act: Act) -> Result<(), StoreError> {
    let mut counts = counts(store).await?;
    stats::add(&mut counts, act.as_str().to_owned(), 1);
    store.set(keys::ACTS, &stored::write(&counts)).await
}
