//! What a drain has read of Getfly's accounts and not kept yet.

use crate::{
    journal::account_index::{AccountIndex, Gathered},
    time::Timestamp,
};

/// See the module.
#[derive(Debug, Default)]
pub struct Filling {
    /// How far the scan is; none before the store was asked.
    pub(super) index: Option<AccountIndex>,
    /// What was found.
    pub(super) gathered: Gathered,
    /// On so many pages.
    pub(super) pages: usize,
    /// When the first of them was read.
    pub(super) since: Option<Timestamp>,
    /// When the first page of this drain was asked for.
    pub(super) began: Option<Timestamp>,
    /// When the last page was asked for.
    pub(super) asked_at: Option<Timestamp>,
}
