//! KiotViet's other editions, recognised by a shop's log-in address. Knows nothing of their API.

/// An edition without invoice webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtherEdition {
    /// KiotViet F&B: `fnb.kiotviet.vn/<shop>`.
    Fnb,
    /// KiotViet Hotel: `hotel.kiotviet.vn/<shop>`.
    Hotel,
}

impl OtherEdition {
    /// The edition whose log-in address was pasted; none for a retail shop's name or address.
    pub fn of(text: &str) -> Option<Self> {
        let text = text.trim().to_lowercase();
        let text = text.split_once("://").map_or(&*text, |(_, rest)| rest);
        let host = text.split(['/', '?', '#', ':']).next().unwrap_or_default();
        match host.trim_start_matches("www.") {
            "fnb.kiotviet.vn" => Some(Self::Fnb),
            "hotel.kiotviet.vn" => Some(Self::Hotel),
            _ => None,
        }
    }

    /// The refusal's stable word.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Fnb => "kiotviet-fnb",
            Self::Hotel => "kiotviet-hotel",
        }
    }

    /// Why such a shop is not connected, for people.
    pub fn refusal(self) -> &'static str {
        match self {
            Self::Fnb => {
                "this is the log-in address of KiotViet F&B (nhà hàng), whose API tells of no invoices by webhook; \
                 only shops of KiotViet bán lẻ, which log in at <shop>.kiotviet.vn, can be connected"
            }
            Self::Hotel => {
                "this is the log-in address of KiotViet Hotel (khách sạn), which has another API; only shops of \
                 KiotViet bán lẻ, which log in at <shop>.kiotviet.vn, can be connected"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r1_log_in_addresses_of_other_editions_are_told_apart() {
        for (text, edition) in [
            ("fnb.kiotviet.vn/quanthu", Some(OtherEdition::Fnb)),
            (
                "https://fnb.kiotviet.vn/quanthu#/login",
                Some(OtherEdition::Fnb),
            ),
            (" HTTPS://FNB.kiotviet.vn:443/ ", Some(OtherEdition::Fnb)),
            ("https://www.fnb.kiotviet.vn", Some(OtherEdition::Fnb)),
            ("https://hotel.kiotviet.vn/x", Some(OtherEdition::Hotel)),
            ("https://cuahangthu.kiotviet.vn/man/", None),
            ("fnb-thu.kiotviet.vn", None),
            ("cuahangthu", None),
            ("", None),
        ] {
            assert_eq!(OtherEdition::of(text), edition, "{text}");
        }
    }
}
