//! Everything that the sync takes for granted about KiotViet, with the evidence. "Manual" is
//! KiotViet's "Public API"; "seen" means in public clients' code or captured bodies.

use crate::time::Timestamp;

/// Times without an offset are Vietnam's wall time: UTC plus this many hours. Seen: REST answers
/// carry no offset, webhooks `+07:00`.
pub const SHOP_HOURS_AHEAD: i8 = 7;

/// Scope of a token. Manual, section 2.
pub const TOKEN_SCOPE: &str = "PublicApi.Access";

/// The form field that carries the scope. Manual: plural, unlike OAuth's. Both were seen working.
pub const TOKEN_SCOPE_FIELD: &str = "scopes";

/// Scope of a token of KiotViet F&B. Seen in public clients.
pub const FNB_TOKEN_SCOPE: &str = "PublicApi.Access.FNB";

/// The form fields that carry it. Seen: `scope` in most clients, `scopes` in some; what a server does
/// not know it ignores (RFC 6749, 3.2).
pub const FNB_TOKEN_SCOPE_FIELDS: [&str; 2] = ["scope", "scopes"];

/// Where a token of KiotViet F&B is fetched. Seen in public clients.
pub const FNB_TOKEN_PATH: &str = "/identity/connect/token";

/// The life of a token whose answer does not state it, in seconds: the manual's example.
pub const TOKEN_SECONDS: u64 = 86_400;

/// The header that names the shop, on every call. Manual, section 2.
pub const RETAILER_HEADER: &str = "retailer";

/// Records asked for per page. Manual: 100 at most. Seen: KiotViet silently returns 100 when more
/// are asked for.
pub const PAGE_SIZE: u64 = 100;

/// A list with more pages than this (50,000 records) is taken to have no end.
pub const MAX_PAGES: u32 = 500;

/// The error code of an unusable token. Seen in KiotViet's own WooCommerce plugin, next to 401.
pub const TOKEN_ERROR_CODE: &str = "TokenException";

/// The status of a refused validation. Seen also for a deleted record.
pub const VALIDATION_STATUS: u16 = 420;

/// How a refusal names a customer, lower case.
pub const CUSTOMER_WORDS: [&str; 2] = ["khách hàng", "customer"];

/// How a refusal names an invoice, lower case.
pub const INVOICE_WORDS: [&str; 3] = ["hóa đơn", "hoá đơn", "invoice"];

/// What a refusal says of a deleted record when only its error code names the kind, lower case.
pub const GONE_WORDS: [&str; 5] = [
    "không tồn tại",
    "không tìm thấy",
    "đã bị xóa",
    "not found",
    "does not exist",
];

/// What a refusal for a missing right says, lower case. Such a refusal never means that a record is
/// deleted.
pub const RIGHT_WORDS: [&str; 2] = ["quyền", "permission"];

/// Writes `lastModifiedFrom`: whole seconds, UTC with `Z`. The manual does not say which zone
/// applies. If KiotViet reads the digits as Vietnam's wall time, the window starts seven hours
/// earlier, which is harmless. Written as wall time and read as UTC, it would start seven hours
/// late.
pub fn modified_from(moment: Timestamp) -> String {
    moment.whole_second().to_string()
}

/// The order of the lists of changed records. Seen in clients, next to `name`, `createdDate` and
/// `modifiedDate`. In id order, a record that changes between two pages only pushes others back. In
/// `modifiedDate` order it would jump to the end, and a record would cross the page's edge unseen.
pub const LIST_ORDER: &str = "id";

/// The webhook type for customers, created or edited. Manual, 2.11.3.
pub const CUSTOMER_UPDATE: &str = "customer.update";

/// The webhook type for invoices, created, edited, paid or cancelled. Manual, 2.11.7.
pub const INVOICE_UPDATE: &str = "invoice.update";

/// A delivery with more items than this is stored whole, so that its answer stays within a second;
/// a retry takes it apart later. Seen: bursts of 144 items in all.
pub const MAX_ITEMS: usize = 200;

/// The header with a delivery's signature. Manual, 2.11.
pub const SIGNATURE_HEADER: &str = "x-hub-signature";

/// Prefixes of the signature header. Seen: `sha1=` before a SHA-256 digest, so the label proves
/// nothing.
pub const SIGNATURE_LABELS: [&str; 2] = ["sha1=", "sha256="];

/// One of these words is in the `statusValue` of a cancelled F&B invoice ("Đã hủy"), lower case, without marks. The first is
/// seen in public clients.
pub const CANCELLED_WORDS: [&str; 4] = ["huy", "cancelled", "canceled", "void"];

/// The status of a completed invoice.
pub const COMPLETED: i64 = 1;

/// A wall date of this year means "no date": .NET's smallest date.
pub const NO_DATE_YEAR: i32 = 1;

/// Calls an hour that KiotViet allows a shop (manual).
pub const MOST_CALLS_AN_HOUR: u64 = 5_000;
