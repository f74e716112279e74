//! Everything that the sync takes for granted about Getfly, with the evidence. "Manual" is
//! developer.getfly.vn, version 6.1; "seen" means in public clients' code.

/// The version's path on the tenant's host. Manual, introduction.
pub const API_PATH: &str = "/api/v6.1";

/// The oldest version's path. A live tenant answered 404 to every later one (seen, April 2026).
pub const OLD_API_PATH: &str = "/api/v3";

/// The header that carries the tenant's key. Manual, introduction.
pub const KEY_HEADER: &str = "x-api-key";

/// Records asked for per page. No maximum is documented; other clients use 100 to 5000.
pub const PAGE_SIZE: usize = 100;

/// A search with more pages than this counts as unfiltered or endless.
pub const MAX_PAGES: usize = 200;

/// How many pages of accounts whose e-mail field *contains* an address are read, besides those
/// whose field is that address: thousands of addresses contain `a@gmail.com`.
pub const MAX_PART_PAGES: usize = 5;

/// Times carry no zone. A tenant's times are taken to be Vietnam's: UTC plus this many hours.
/// Needed only for times in Unix seconds.
pub const TENANT_HOURS_AHEAD: i8 = 7;

/// The fields of an account that are read. Seen: Getfly refuses a list without `fields`.
pub const ACCOUNT_FIELDS: &str = "id,account_code,account_name,phone_office,email,created_at";

/// The fields of an account that a search reads. Seen: a list includes the contact persons too.
pub const SEARCHED_ACCOUNT_FIELDS: &str =
    "id,account_code,account_name,phone_office,email,created_at,contacts";

/// Fields of an account that the index of accounts needs. Manual: a list shows `updated_at`.
pub const INDEXED_ACCOUNT_FIELDS: &str =
    "id,account_code,phone_office,email,created_at,updated_at,contacts";

/// Where accounts are searched by their contact persons' numbers. Only the manual of version 6.0
/// (account list) documents such a filter. Seen: clients use both versions with one key.
pub const CONTACTS_API_PATH: &str = "/api/v6";

/// Where an account's comments ("trao đổi") are. Only the manual of version 6.0 documents them: a POST to
/// `/accounts/{id}/comments` with `content`, answered with `message` and `id`. It documents no comments of orders, nor in
/// whose name one stands without `user_id`.
pub const COMMENTS_API_PATH: &str = "/api/v6";

/// Where a contact person's number is. Seen: `phone_home`, `phone_mobile`.
pub const CONTACT_PHONE_NAMES: [&str; 3] = ["phone_home", "phone_mobile", "phone"];

/// Where a contact person's e-mail is. Manual, version 6.0, account create.
pub const CONTACT_EMAIL_NAME: &str = "email";

/// Fields of an account whose code Getfly may have chosen itself.
pub const LISTED_ACCOUNT_FIELDS: &str =
    "id,account_code,account_name,phone_office,email,created_at,description";

/// Fields of the newest accounts, which are looked at before the first sale.
pub const NEWEST_ACCOUNT_FIELDS: &str = "id,account_code,account_name,phone_office,email,created_at,contacts,description,account_source_details";

/// How a field's definition says that the field is required. Not documented: names that servers of
/// this kind use.
pub const REQUIRED_NAMES: [&str; 4] = ["is_required", "required", "field_required", "is_require"];

/// Where a definition's rules are, one of which may be that the field is demanded. Not documented, like these names.
pub const RULES_NAMES: [&str; 4] = ["rules", "rule", "validate", "validation"];

/// Fields of an order that are read. Manual, sale order detail.
pub const ORDER_FIELDS: &str =
    "id,order_code,account_code,account_id,status,order_date,real_amount";

/// Fields of an order whose code Getfly may have chosen itself.
pub const LISTED_ORDER_FIELDS: &str =
    "id,order_code,account_code,account_id,status,order_date,real_amount,order_terms";

/// Fields of an account that people compare with what was sent. Manual, account detail.
pub const SHOWN_ACCOUNT_FIELDS: &str = "id,account_code,account_name,phone_office,email,billing_address_street,birthday,gender,sic_code,description,account_source_details,mgr_display_name,created_at";

/// Fields of an order that people compare with what was sent. Manual, sale order detail, and seen.
pub const SHOWN_ORDER_FIELDS: &str = "id,order_code,account_code,account_name,account_phone,account_email,order_date,order_details,discount_amount,vat_amount,transport_amount,installation_amount,real_amount,order_terms,assigned_user_name,status_label,created_at";

/// Fields of a product that are read. Manual, products.
pub const PRODUCT_FIELDS: &str = "product_code,product_name";

/// Fields of a user that are read. Manual, users.
pub const USER_FIELDS: &str = "user_id,user_name,contact_name,contact_mobile";

/// Words that make a refusal one of a duplicate, lower case. Seen: "không cho phép trùng" with
/// status 400, and the same list in clients. A 422 alone is not a duplicate (seen).
pub const DUPLICATE_WORDS: [&str; 8] = [
    "trùng",
    "đã được sử dụng",
    "already in use",
    "tồn tại",
    "đã có",
    "exists",
    "already been taken",
    "duplicate",
];

/// The words for "exist" among them.
pub const EXIST_WORDS: [&str; 2] = ["tồn tại", "exists"];

/// Words that turn "exist" into its contrary, at most [`NOT_WITHIN`] words before it: "không còn tồn tại".
pub const NOT_WORDS: [&str; 7] = ["không", "chưa", "ko", "chẳng", "no", "not", "never"];

/// See [`NOT_WORDS`].
pub const NOT_WITHIN: usize = 3;

/// The word that turns it back: "không lưu vì đã tồn tại".
pub const ALREADY_WORDS: [&str; 2] = ["đã", "already"];

/// Phrases that contain a duplicate's words but mean something else: "does not match", and the
/// everyday "đã có lỗi xảy ra" (an error has occurred). They are removed before the words are
/// searched.
pub const NOT_DUPLICATE_PHRASES: [&str; 6] = [
    "không trùng khớp",
    "không trùng với",
    "đã có lỗi",
    "đã có sự cố",
    "đã có vấn đề",
    "tồn tại lỗi",
];

/// How a refusal names the manager. Keys: manual, account create; the words are Getfly's own labels.
pub const MANAGER_NAMES: [&str; 3] = [
    "account_manager_username",
    "account_manager",
    "người phụ trách",
];

/// How a refusal names the executor. Keys: manual, sale order create, and v6.0's.
pub const EXECUTOR_NAMES: [&str; 3] = ["assigned_username", "assigned_user", "người thực hiện"];

/// How a refusal names the account source. Seen: `source_code` and `source_name` for a source that
/// collides.
pub const SOURCE_NAMES: [&str; 7] = [
    "account_source_names",
    "account_sources",
    "account_source",
    "source_code",
    "source_name",
    "nguồn khách hàng",
    "nguồn khách",
];

/// How a refusal names the gender. v6.1's create table does not list the field.
pub const GENDER_NAMES: [&str; 2] = ["gender", "giới tính"];

/// How a refusal names the birthday.
pub const BIRTHDAY_NAMES: [&str; 3] = ["birthday", "birth_date", "ngày sinh"];

/// How a refusal names the tax code. Manual, help desk: Getfly may check it for duplicates by
/// itself.
pub const TAX_CODE_NAMES: [&str; 4] = ["sic_code", "tax_code", "mã số thuế", "mst"];

/// How a refusal names the address. "Địa chỉ email" is not an address.
pub const ADDRESS_NAMES: [&str; 5] = [
    "billing_address_street",
    "account_address",
    "billing_address",
    "address",
    "địa chỉ",
];

/// How a refusal of an order names its account.
pub const ACCOUNT_NAMES: [&str; 7] = [
    "account_code",
    "account",
    "account.account_code",
    "mã khách hàng",
    "mã kh",
    "khách hàng",
    "customer",
];

/// How a refusal names a line's product.
pub const PRODUCT_NAMES: [&str; 14] = [
    "product_code",
    "product_id",
    "product",
    "products",
    "order_details",
    "saved_order_details",
    "mã sản phẩm",
    "sản phẩm",
    "mã sp",
    "sp",
    "mã hàng",
    "mặt hàng",
    "hàng hóa",
    "hàng hoá",
];

/// Words that make a refusal of a phone or an e-mail one of its format.
pub const FORMAT_WORDS: [&str; 11] = [
    "không hợp lệ",
    "định dạng",
    "không đúng",
    "sai",
    "quá dài",
    "ký tự",
    "invalid",
    "not valid",
    "valid",
    "format",
    "too long",
];

/// How a refusal names the record's own code.
pub const CODE_NAMES: [&str; 7] = [
    "account_code",
    "order_code",
    "mã khách hàng",
    "mã kh",
    "mã đơn hàng",
    "mã đơn",
    "mã đã",
];

/// How a refusal names the e-mail.
pub const EMAIL_NAMES: [&str; 4] = ["email", "account_email", "e-mail", "thư điện tử"];

/// How a refusal names the phone.
pub const PHONE_NAMES: [&str; 5] = [
    "phone_office",
    "account_phone",
    "phone",
    "điện thoại",
    "sđt",
];

/// A 404 whose message holds this word is about the address, not about a record. Seen in one client.
pub const MISSING_ROUTE_WORD: &str = "route";
