//! The variables that tests start from: keys, tokens and addresses, all invented.

use std::collections::BTreeMap;

/// An admin token for tests.
pub const ADMIN_TOKEN: &str = "an-admin-token-for-tests";
/// 32 bytes in Base64, for tests.
pub const MASTER_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
/// The `master_key` that it is rotated to.
pub const OTHER_MASTER_KEY: &str = "IB8eHRwbGhkYFxYVFBMSERAPDg0MCwoJCAcGBQQDAgE=";
/// Getfly's origin in tests.
pub const GETFLY: &str = "https://shop.getfly.test";
/// KiotViet's API origin in tests.
pub const KIOTVIET: &str = "https://kiotviet-api.test";
/// KiotViet's token origin in tests.
pub const KIOTVIET_ID: &str = "https://kiotviet-id.test";
/// The API origin of KiotViet F&B: the variable's default.
pub const KIOTVIET_FNB: &str = "https://publicfnb.kiotapi.com";
/// The token origin of KiotViet F&B: the variable's default.
pub const KIOTVIET_FNB_ID: &str = "https://api.fnb.kiotviet.vn";
/// Where KiotViet reaches the app in tests.
pub const PUBLIC: &str = "https://bridge.test";

/// The variables that every test starts from.
pub fn test_variables(getfly_api_key: &str) -> BTreeMap<String, String> {
    [
        ("getfly_url", GETFLY),
        ("getfly_api_key", getfly_api_key),
        ("public_url", PUBLIC),
        ("admin_token", ADMIN_TOKEN),
        ("master_key", MASTER_KEY),
        ("kiotviet_api_url", KIOTVIET),
        ("kiotviet_auth_url", KIOTVIET_ID),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect()
}
