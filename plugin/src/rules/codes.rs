//! The names of shops, invoices, accounts and orders on both sides. Codes for Getfly are
//! deterministic, so that a read settles a lost reply, never a second create. Nothing here looks
//! anything up.

use super::text::undeleted;
use core::fmt;
use serde::{Deserialize, Serialize};

/// The longest accepted shop name.
const MAX_RETAILER_LEN: usize = 64;

/// An edition of KiotViet whose shops can be connected. Each has shop names of its own.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Edition {
    /// KiotViet bán lẻ: `<shop>.kiotviet.vn`.
    #[default]
    Retail,
    /// KiotViet F&B: `fnb.kiotviet.vn/<shop>`.
    Fnb,
}

impl Edition {
    /// Its name for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Retail => "KiotViet bán lẻ",
            Self::Fnb => "KiotViet F&B",
        }
    }

    /// Where the people of this shop log in.
    pub fn address_of(self, shop: &str) -> String {
        match self {
            Self::Retail => format!("{shop}.kiotviet.vn"),
            Self::Fnb => format!("fnb.kiotviet.vn/{shop}"),
        }
    }

    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Self::Retail => Self::Fnb,
            Self::Fnb => Self::Retail,
        }
    }
}

/// Stands before the name of an F&B shop in keys and codes. No shop's name has a dot.
const FNB: &str = "fnb.";

/// A KiotViet shop: its edition, and its name there (retailer), the `datta` of `https://datta.kiotviet.vn`
/// or of `https://fnb.kiotviet.vn/datta`. Names are lower case, 1 to 64 of `a-z 0-9 _ -`.
/// As text: the name, and before it `fnb.` for an F&B shop.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RetailerId {
    edition: Edition,
    text: String,
}

/// A text that is no shop name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a KiotViet shop name: it is the part before `.kiotviet.vn` in the address you log in at, or \
     the part behind `fnb.kiotviet.vn/` (1 to 64 letters a-z, digits, `-` or `_`)"
)]
pub struct BadRetailer;

impl RetailerId {
    /// Takes a shop name, or a pasted address of the shop (with or without `https://`). A bare name is
    /// a retail shop's.
    pub fn parse(text: &str) -> Result<Self, BadRetailer> {
        Self::parse_as(text, None)
    }

    /// The same for a person who said which edition it is. An address of another edition is refused.
    pub fn parse_as(text: &str, said: Option<Edition>) -> Result<Self, BadRetailer> {
        let text = text.trim().to_lowercase();
        let text = text
            .strip_prefix("https://")
            .or_else(|| text.strip_prefix("http://"))
            .unwrap_or(&text);
        let mut parts = text.split(['/', '?', '#']);
        let host = parts.next().unwrap_or_default();
        let site = host.split(':').next().unwrap_or_default();
        let (told, name) = if matches!(site, "fnb.kiotviet.vn" | "www.fnb.kiotviet.vn") {
            (Some(Edition::Fnb), parts.next().unwrap_or_default())
        } else if let Some(name) = host.strip_suffix(".kiotviet.vn") {
            (Some(Edition::Retail), name)
        } else if let Some(name) = host.strip_prefix(FNB) {
            (Some(Edition::Fnb), name)
        } else {
            (None, host)
        };
        let edition = said.or(told).unwrap_or_default();
        let fits = (1..=MAX_RETAILER_LEN).contains(&name.len());
        let clean = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
        if fits && name.bytes().all(clean) && told.is_none_or(|told| told == edition) {
            let text = match edition {
                Edition::Retail => name.to_owned(),
                Edition::Fnb => format!("{FNB}{name}"),
            };
            Ok(Self { edition, text })
        } else {
            Err(BadRetailer)
        }
    }

    /// The shop's edition.
    pub fn edition(&self) -> Edition {
        self.edition
    }

    /// The name alone, as the `Retailer` header wants it.
    pub fn name(&self) -> &str {
        match self.edition {
            Edition::Retail => &self.text,
            Edition::Fnb => self.text.strip_prefix(FNB).unwrap_or(&self.text),
        }
    }

    /// Where people log in.
    pub fn web_address(&self) -> String {
        format!("https://{}", self.edition.address_of(self.name()))
    }

    /// The name for people, with the edition where it is not retail.
    pub fn title(&self) -> String {
        match self.edition {
            Edition::Retail => self.text.clone(),
            Edition::Fnb => format!("{} (F&B)", self.name()),
        }
    }

    /// Whether this name begins like another shop's codes: `thu-hn` like `thu-`. With a `-` behind
    /// both names, invoice `hn-HD1` of `thu` and invoice `HD1` of `thu-hn` would share one code.
    pub fn runs_into(&self, other: &Self) -> bool {
        let rest = self.text.strip_prefix(&other.text);
        rest.is_some_and(|rest| rest.starts_with('-'))
    }

    /// The text in keys and codes.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl From<RetailerId> for String {
    fn from(shop: RetailerId) -> Self {
        shop.text
    }
}

impl fmt::Display for RetailerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

/// The beginning of one shop's account and order codes. Two shops' codes never meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShopCodes(String);

impl ShopCodes {
    /// The shop's name and `-`. A shop that stands `apart` ([`RetailerId::runs_into`]) gets `.`
    /// instead, which no shop's name contains.
    pub fn of(shop: &RetailerId, apart: bool) -> Self {
        let separator = if apart { '.' } else { '-' };
        Self(format!("{shop}{separator}"))
    }
}

impl TryFrom<String> for RetailerId {
    type Error = BadRetailer;

    fn try_from(text: String) -> Result<Self, BadRetailer> {
        Self::parse(&text)
    }
}

/// A KiotViet invoice code: `HD000123`, or `HD000123.01` after an edit.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InvoiceCode(String);

impl InvoiceCode {
    /// Takes the code from KiotViet. Surrounding white space and the mark of a deletion are
    /// removed: `HD000123{DEL}` is the original `HD000123`.
    pub fn new(code: impl AsRef<str>) -> Self {
        Self(undeleted(code.as_ref()).0.to_owned())
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The code of the invoice's family: without one trailing `.` and one or two digits. KiotViet numbers
    /// repeated edits `.01`, `.02`, … on the same base; a longer number is a shop's own (`2026.0001`).
    pub fn base(&self) -> &str {
        self.split_edit().unwrap_or(&self.0)
    }

    /// Whether KiotViet may have made this invoice by editing another one (the code ends in `.NN`).
    pub fn is_edit(&self) -> bool {
        self.split_edit().is_some()
    }

    /// The code of KiotViet's next edit of this invoice.
    pub fn next_edit(&self) -> Self {
        let base = self.base();
        let number = self.0.strip_prefix(base).unwrap_or_default();
        let number: u8 = number.trim_matches('.').parse().unwrap_or(0);
        Self(format!("{base}.{:02}", number.saturating_add(1)))
    }

    fn split_edit(&self) -> Option<&str> {
        let (base, number) = self.0.rsplit_once('.')?;
        let edited = (1..=2).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
        (edited && !base.is_empty()).then_some(base)
    }
}

/// The code of a Getfly account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountCode(String);

impl AccountCode {
    /// The code under which KiotViet's customer `id` of a shop is created.
    pub fn for_customer(shop: &ShopCodes, id: i64) -> Self {
        Self(format!("KV-{}{id}", shop.0))
    }

    /// The code of a shop's account for walk-ins (R5). A customer's code never equals it, because
    /// that ends in a number.
    pub fn for_walk_ins(shop: &ShopCodes) -> Self {
        Self(format!("KV-{}KHACHLE", shop.0))
    }

    /// The code of an account that Getfly already has, unchanged.
    pub fn existing(code: String) -> Self {
        Self(code)
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The code of a Getfly order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrderCode(String);

impl OrderCode {
    /// The order's code for the sale of invoice `code`.
    pub fn for_sale(shop: &ShopCodes, code: &str) -> Self {
        Self(format!("{}{code}", shop.0))
    }

    /// The code of an order that Getfly already has, unchanged.
    pub fn existing(code: String) -> Self {
        Self(code)
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

macro_rules! display_as_text {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    )*};
}

display_as_text!(InvoiceCode, AccountCode, OrderCode);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stored;
    use proptest::prelude::*;

    #[test]
    fn r1_shop_names_and_pasted_addresses_are_accepted() {
        for text in [
            "datta",
            " Datta ",
            "https://datta.kiotviet.vn",
            "https://datta.kiotviet.vn/man/#/Invoices?x=1",
            "HTTP://DATTA.kiotviet.vn/",
            "datta.kiotviet.vn",
        ] {
            assert_eq!(
                RetailerId::parse(text).map(|id| id.to_string()),
                Ok("datta".into()),
                "{text}"
            );
        }
        assert!(RetailerId::parse("shop_2-hn").is_ok());
    }

    #[test]
    fn r1_other_texts_are_refused() {
        for text in [
            "",
            "  ",
            "two words",
            "đatta",
            "a.b",
            "https://",
            "https://evil.vn/datta",
            "a/",
        ] {
            let ok = text == "a/";
            assert_eq!(RetailerId::parse(text).is_ok(), ok, "{text}");
        }
        assert!(RetailerId::parse(&"a".repeat(64)).is_ok());
        assert!(RetailerId::parse(&"a".repeat(65)).is_err());
    }

    #[test]
    fn r1_a_pasted_fnb_address_is_a_shop_of_that_edition() {
        for (text, said, shop) in [
            ("https://fnb.kiotviet.vn/lan#/login", None, Some("fnb.lan")),
            ("www.fnb.kiotviet.vn:443/Lan/", None, Some("fnb.lan")),
            (
                "fnb.kiotviet.vn/lan?x=1",
                Some(Edition::Fnb),
                Some("fnb.lan"),
            ),
            ("lan", Some(Edition::Fnb), Some("fnb.lan")),
            ("lan", Some(Edition::Retail), Some("lan")),
            ("fnb.kiotviet.vn", None, None),
            ("fnb.kiotviet.vn/", None, None),
            ("fnb.kiotviet.vn/lan", Some(Edition::Retail), None),
            ("lan.kiotviet.vn", Some(Edition::Fnb), None),
        ] {
            let read = RetailerId::parse_as(text, said).ok();
            assert_eq!(read.as_ref().map(RetailerId::as_str), shop, "{text}");
        }
        let (fnb, retail) = (
            RetailerId::parse("fnb.lan").unwrap(),
            RetailerId::parse("lan").unwrap(),
        );
        assert_eq!((fnb.name(), fnb.edition()), ("lan", Edition::Fnb));
        assert_eq!((retail.name(), retail.edition()), ("lan", Edition::Retail));
        let code = |shop| OrderCode::for_sale(&ShopCodes::of(shop, false), "HD1").to_string();
        assert_eq!(
            (code(&fnb), code(&retail)),
            ("fnb.lan-HD1".into(), "lan-HD1".into())
        );
        assert_eq!(stored::read::<RetailerId>(&stored::write(&fnb)), Ok(fnb));
    }

    #[test]
    fn shop_names_are_checked_when_read_back() {
        let id: RetailerId = stored::read(b"\"Datta\"").unwrap();
        assert_eq!(stored::write(&id), b"\"datta\"");
        assert!(stored::read::<RetailerId>(b"\"a b\"").is_err());
    }

    #[test]
    fn r6_one_edit_suffix_is_taken_off() {
        for (code, base, edit) in [
            ("HD000123", "HD000123", false),
            ("HD000123.01", "HD000123", true),
            ("HD000123.1", "HD000123", true),
            ("HD000123.01.02", "HD000123.01", true),
            ("2026.0001", "2026.0001", false),
            ("2026.0001.01", "2026.0001", true),
            ("HD000123.", "HD000123.", false),
            ("HD000123.a1", "HD000123.a1", false),
            (".01", ".01", false),
            ("", "", false),
            (" HD000123.02 ", "HD000123", true),
            ("HD000123{DEL}", "HD000123", false),
            ("HD000123.02{del}1", "HD000123", true),
        ] {
            let code = InvoiceCode::new(code);
            assert_eq!((code.base(), code.is_edit()), (base, edit), "{code}");
        }
    }

    #[test]
    fn r6_the_next_edit_has_the_next_number() {
        for (code, next) in [
            ("HD000123", "HD000123.01"),
            ("HD000123.01", "HD000123.02"),
            ("HD000123.9", "HD000123.10"),
            ("2026.0001", "2026.0001.01"),
            ("HD000123{DEL}", "HD000123.01"),
        ] {
            assert_eq!(InvoiceCode::new(code).next_edit().as_str(), next);
        }
    }

    #[test]
    fn codes_for_getfly_are_deterministic() {
        let shop = ShopCodes::of(&RetailerId::parse("datta").unwrap(), false);
        assert_eq!(
            AccountCode::for_customer(&shop, 1_009_707_292).as_str(),
            "KV-datta-1009707292"
        );
        let order = OrderCode::for_sale(&shop, "HD000123");
        assert_eq!(order.as_str(), "datta-HD000123");
    }

    #[test]
    fn a_shop_whose_name_begins_like_anothers_codes_stands_apart() {
        let shop = |name: &str| RetailerId::parse(name).unwrap();
        for (name, other, runs) in [
            ("thu-hn", "thu", true),
            ("thu-hn-2", "thu-hn", true),
            ("thu", "thu-hn", false),
            ("thu", "thu", false),
            ("thuhn", "thu", false),
            ("thu_hn", "thu", false),
        ] {
            assert_eq!(shop(name).runs_into(&shop(other)), runs, "{name} {other}");
        }
        let apart = ShopCodes::of(&shop("thu-hn"), true);
        assert_eq!(OrderCode::for_sale(&apart, "HD1").as_str(), "thu-hn.HD1");
        assert_eq!(AccountCode::for_customer(&apart, 7).as_str(), "KV-thu-hn.7");
    }

    proptest! {
        #[test]
        fn the_codes_of_two_shops_never_meet(
            names in (("(fnb\\.)?[a-z][a-z0-9_]{0,2}(-[a-z0-9]{1,2}){0,2}"), ("(fnb\\.)?[a-z][a-z0-9_]{0,2}(-[a-z0-9]{1,2}){0,2}")),
            codes in ("[A-Za-z0-9-]{1,8}", "[A-Za-z0-9-]{1,8}"), ids in (1i64..99, 1i64..99),
        ) {
            let shops = (RetailerId::parse(&names.0).unwrap(), RetailerId::parse(&names.1).unwrap());
            prop_assume!(shops.0 != shops.1);
            let first = ShopCodes::of(&shops.0, shops.0.runs_into(&shops.1));
            let second = ShopCodes::of(&shops.1, shops.1.runs_into(&shops.0));
            prop_assert_ne!(OrderCode::for_sale(&first, &codes.0), OrderCode::for_sale(&second, &codes.1));
            prop_assert_ne!(AccountCode::for_customer(&first, ids.0), AccountCode::for_customer(&second, ids.1));
        }

        #[test]
        fn r6_every_edit_shares_its_family_code(base in "[A-Z]{1,4}[0-9]{1,9}", n in 1u32..100) {
            let edit = InvoiceCode::new(format!("{base}.{n:02}"));
            prop_assert_eq!(edit.base(), &base);
            prop_assert!(edit.is_edit());
        }

        #[test]
        fn any_text_is_a_shop_name_or_an_error(text in any::<String>()) {
            if let Ok(id) = RetailerId::parse(&text) {
                prop_assert_eq!(RetailerId::parse(id.as_str()), Ok(id));
            }
            let code = InvoiceCode::new(&text);
            prop_assert_eq!(InvoiceCode::new(code.as_str()), code.clone());
            prop_assert!(code.as_str().starts_with(code.base()));
        }
    }
}
