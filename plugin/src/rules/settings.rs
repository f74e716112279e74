//! The variables that the rules depend on. The caller reads them once; nothing here reads
//! variables.

use super::{codes::AccountCode, email::EmailAddress, phone::PhoneNumber};

/// The operator's choices, with the defaults of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleSettings {
    /// R14: `customer_source`.
    pub customer_source: Option<String>,
    /// `gender_codes`.
    pub gender_codes: GenderCodes,
    /// R5: `walk_in_account_code`.
    pub walk_in_account_code: Option<AccountCode>,
    /// R7: `ignored_phones`; they match no account.
    pub ignored_phones: Vec<PhoneNumber>,
    /// R7: `ignored_emails`; they match no account.
    pub ignored_emails: Vec<EmailAddress>,
    /// R11: `customer_campaign_code`.
    pub customer_campaign_code: Option<String>,
    /// R11: `order_campaign_code`.
    pub order_campaign_code: Option<String>,
    /// R11: `campaign_recipient_username`.
    pub campaign_recipient_username: Option<String>,
}

impl Default for RuleSettings {
    fn default() -> Self {
        Self {
            customer_source: Some("KiotViet".to_owned()),
            gender_codes: GenderCodes::default(),
            walk_in_account_code: None,
            ignored_phones: Vec::new(),
            ignored_emails: Vec::new(),
            customer_campaign_code: None,
            order_campaign_code: None,
            campaign_recipient_username: None,
        }
    }
}

/// Getfly's numbers for the genders; its manual and its clients disagree, so the operator decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GenderCodes {
    /// Nữ.
    pub female: i64,
    /// Nam.
    pub male: i64,
}

impl Default for GenderCodes {
    fn default() -> Self {
        Self { female: 1, male: 2 }
    }
}

impl GenderCodes {
    /// Reads `female=1,male=2`: both, once each, in any order, with two different numbers. The
    /// error says what is expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        Self::read(text).ok_or_else(|| {
            "gender_codes must name both genders with two different numbers, like female=1,male=2"
                .to_owned()
        })
    }

    fn read(text: &str) -> Option<Self> {
        let (mut female, mut male) = (None, None);
        for part in text.split(',') {
            let (name, number) = part.split_once('=')?;
            let number: i64 = number.trim().parse().ok()?;
            let slot = match name.trim() {
                "female" => &mut female,
                "male" => &mut male,
                _ => return None,
            };
            if slot.replace(number).is_some() {
                return None;
            }
        }
        let codes = Self {
            female: female?,
            male: male?,
        };
        (codes.female != codes.male).then_some(codes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gender_codes_are_read_in_any_order() {
        assert_eq!(
            GenderCodes::parse("female=1,male=2"),
            Ok(GenderCodes::default())
        );
        assert_eq!(
            GenderCodes::parse(" male = 1 , female = 2 "),
            Ok(GenderCodes { female: 2, male: 1 })
        );
    }

    #[test]
    fn other_gender_codes_are_refused() {
        for text in [
            "",
            "female=1",
            "female=1,male=1",
            "female=1,male=x",
            "female=1,male=2,male=3",
            "f=1,m=2",
        ] {
            assert!(GenderCodes::parse(text).is_err(), "{text}");
        }
    }
}
