//! Everything that is taken for granted about KiotViet, in one place, with the evidence. "Manual"
//! is KiotViet's "Public API"; "seen" means in public clients' code or captured bodies.

use crate::time::Timestamp;

/// Times without an offset are Vietnam's wall time, so many hours ahead of UTC. Seen: REST answers carry none, webhooks `+07:00`.
pub const SHOP_HOURS_AHEAD: i8 = 7;

/// Scope of a token. Manual, section 2.
pub const TOKEN_SCOPE: &str = "PublicApi.Access";

/// The form field that carries the scope. Manual: plural, unlike OAuth's; both are seen working.
pub const TOKEN_SCOPE_FIELD: &str = "scopes";

/// Life of a token whose answer does not tell it: what the manual's example says, in seconds.
pub const TOKEN_SECONDS: u64 = 86_400;

/// The header naming the shop, on every call. Manual, section 2.
pub const RETAILER_HEADER: &str = "retailer";

/// Records asked for per page. Manual: 100 at most; seen: more is cut to 100 without a word.
pub const PAGE_SIZE: u64 = 100;

/// Pages after which a list is taken to have no end (50,000 records).
pub const MAX_PAGES: u32 = 500;

/// The error code of an unusable token. Seen in KiotViet's own WooCommerce plugin, next to 401.
pub const TOKEN_ERROR_CODE: &str = "TokenException";

/// The status of a validation's refusal. Seen, also for a record that is gone.
pub const VALIDATION_STATUS: u16 = 420;

/// How a refusal names a customer, lower case.
pub const CUSTOMER_WORDS: [&str; 2] = ["khách hàng", "customer"];

/// How a refusal names an invoice, lower case.
pub const INVOICE_WORDS: [&str; 3] = ["hóa đơn", "hoá đơn", "invoice"];

/// What a refusal says of a record that is gone, where only its error code names the kind, lower case.
pub const GONE_WORDS: [&str; 5] = [
    "không tồn tại",
    "không tìm thấy",
    "đã bị xóa",
    "not found",
    "does not exist",
];

/// What a refusal for a missing right says, lower case: never that a record is gone.
pub const RIGHT_WORDS: [&str; 2] = ["quyền", "permission"];

/// How `lastModifiedFrom` is written: whole seconds, UTC with `Z`. Its zone rule is not documented. Should KiotViet
/// read the digits as Vietnam's wall time, the window only starts seven hours earlier; the other
/// way round it would start seven hours late.
pub fn modified_from(moment: Timestamp) -> String {
    moment.whole_second().to_string()
}

/// Order of the lists of changed records. Seen in clients, next to `name`, `createdDate` and
/// `modifiedDate`. By id, a record that changes while pages are read only pushes others back; by
/// `modifiedDate` it would jump to the end and pull one of them over the page's edge, unseen.
pub const LIST_ORDER: &str = "id";

/// The webhook type for customers, created or edited. Manual, 2.11.3.
pub const CUSTOMER_UPDATE: &str = "customer.update";

/// The webhook type for invoices, created, edited, paid or cancelled. Manual, 2.11.7.
pub const INVOICE_UPDATE: &str = "invoice.update";

/// Items after which one delivery is kept whole instead of item by item, so that its answer stays
/// within a second; a retry takes it apart without that hurry. Seen: bursts of some 144 items in all.
pub const MAX_ITEMS: usize = 200;

/// The header with a delivery's signature. Manual, 2.11.
pub const SIGNATURE_HEADER: &str = "x-hub-signature";

/// Prefixes of the signature header. Seen: `sha1=` before what is in truth a SHA-256 digest, so the
/// label says nothing.
pub const SIGNATURE_LABELS: [&str; 2] = ["sha1=", "sha256="];

/// A wall date of this year stands for "none": .NET's smallest date.
pub const NO_DATE_YEAR: i32 = 1;

/// Calls an hour that KiotViet allows a shop (manual).
pub const MOST_CALLS_AN_HOUR: u64 = 5_000;
