//! KiotViet's editions: where the API of each is, and the edition that cannot be connected, recognised
//! by a shop's log-in address.

use crate::{kiotviet::client::Settings, rules::codes::Edition};

/// Where the API of each edition is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Editions {
    /// KiotViet bán lẻ.
    pub retail: Settings,
    /// KiotViet F&B.
    pub fnb: Settings,
}

impl Editions {
    /// That of `edition`.
    pub fn of(&self, edition: Edition) -> &Settings {
        match edition {
            Edition::Retail => &self.retail,
            Edition::Fnb => &self.fnb,
        }
    }

    /// Whether a token is fetched at this address.
    pub fn is_token(&self, url: &str) -> bool {
        [&self.retail, &self.fnb].into_iter().any(|at| {
            let path = url.strip_prefix(at.auth_url.as_str());
            path == Some(at.token_path.as_str())
        })
    }
}

/// Whether this is a log-in address of KiotViet Hotel, which has another API.
pub fn is_hotel(text: &str) -> bool {
    let text = text.trim().to_lowercase();
    let text = text.split_once("://").map_or(&*text, |(_, rest)| rest);
    let host = text.split(['/', '?', '#', ':']).next().unwrap_or_default();
    host.trim_start_matches("www.") == "hotel.kiotviet.vn"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r1_log_in_addresses_of_hotels_are_told_apart() {
        for (text, hotel) in [
            ("https://hotel.kiotviet.vn/x", true),
            (" HTTPS://www.HOTEL.kiotviet.vn:443/ ", true),
            ("https://fnb.kiotviet.vn/quanthu", false),
            ("hotel-thu.kiotviet.vn", false),
            ("hotel", false),
            ("", false),
        ] {
            assert_eq!(is_hotel(text), hotel, "{text}");
        }
    }
}
