//! KiotViet F&B: how its API differs from retail's. What is not proven there is a member of [`Fnb`].

use std::time::Duration;

use super::Settings;

/// An edition of KiotViet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Edition {
    /// Bán lẻ.
    #[default]
    Retail,
    /// Nhà hàng.
    Fnb,
}

/// What `lastModifiedFrom` does at `GET /invoices`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ChangedSince {
    /// It filters.
    #[default]
    Honoured,
    /// It filters, its digits read as Vietnam's wall time whatever the zone.
    AsWallTime,
    /// It is ignored.
    Ignored,
    /// It is refused.
    Refused,
    /// It filters, and leaves out what was never changed.
    ChangedOnly,
    /// It is answered 500.
    Fails,
}

/// The field that must carry the scope of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ScopeField {
    /// `scope` or `scopes`.
    #[default]
    Either,
    /// `scope`.
    Scope,
    /// `scopes`.
    Scopes,
}

/// What is not proven of an F&B shop.
#[derive(Debug, Clone, Default)]
pub struct Fnb {
    /// How `lastModifiedFrom` filters invoices.
    pub changed_since: ChangedSince,
    /// Where the scope of a token must stand.
    pub scope_field: ScopeField,
    /// Whether invoices come in the order of their ids, whatever order is asked for.
    pub order_ignored: bool,
    /// Whether each further page of a list begins with the last row of the one before.
    pub pages_overlap: bool,
    /// Whether its list of users can be read, as retail's.
    pub has_users: bool,
    /// Whether the answer that there is no such list is a page for people.
    pub missing_as_page: bool,
    /// Whether there is no list of branches.
    pub has_no_branches: bool,
    /// Whether rows of the list of invoices show every one as completed.
    pub rows_look_sold: bool,
    /// Whether an invoice's `status` is words, and no number.
    pub status_in_words: bool,
    /// Whether rows of invoices have no `modifiedDate`.
    pub no_modified_date: bool,
    /// The number of the status of a completed invoice; 0: retail's.
    pub completed_status: u8,
    /// The number of the status of a cancelled invoice; 0: retail's.
    pub cancelled_status: u8,
}

/// The webhooks of F&B: none of invoices.
pub const FNB_TYPES: [&str; 5] = [
    "customer.update",
    "customer.delete",
    "product.update",
    "product.delete",
    "stock.update",
];

/// The scope of a token.
pub(super) const FNB_SCOPE: &str = "PublicApi.Access.FNB";

impl Settings {
    /// An F&B shop.
    pub fn fnb() -> Self {
        Self {
            edition: Edition::Fnb,
            retailer: "quanthu".to_owned(),
            retailer_id: 500_654_321,
            client_id: "66666666-7777-4888-8999-aaaaaaaaaaaa".to_owned(),
            client_secret: "FEDCBA9876543210FEDCBA9876543210FEDCBA98".to_owned(),
            token_path: "/identity/connect/token".to_owned(),
            // ASSUMPTION: not documented.
            token_life: Duration::from_secs(3600),
            fnb: Fnb {
                // ASSUMPTION: other numbers than retail's.
                cancelled_status: 4,
                ..Fnb::default()
            },
            ..Self::default()
        }
    }
}
