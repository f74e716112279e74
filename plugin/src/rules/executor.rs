//! R13: finds the Getfly user who carried out an order, by the phone number of the KiotViet seller.
//! It never guesses by name alone.

use super::{
    model::{GetflyUser, KiotVietUser},
    phone::{self, PhoneField, PhoneNumber},
};

/// The result of the search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExecutorFinding {
    /// The executor.
    Found(GetflyUser),
    /// The invoice names no seller.
    NoSeller,
    /// KiotViet does not list the seller: an admin, or a removed user.
    AdminOrUnknown,
    /// KiotViet has no usable phone number of the seller.
    SellerWithoutPhone,
    /// No Getfly user has the seller's number.
    NobodyWithThatPhone,
}

impl ExecutorFinding {
    /// The executor, if there is one.
    pub fn user(&self) -> Option<&GetflyUser> {
        match self {
            Self::Found(user) => Some(user),
            _ => None,
        }
    }
}

/// Looks the seller up among KiotViet's users, and the seller's number among Getfly's. If several
/// Getfly users have that number, the one with the seller's name wins, else the one with the
/// smallest id.
pub fn find_executor(
    sold_by_id: Option<i64>,
    kiotviet_users: &[KiotVietUser],
    getfly_users: &[GetflyUser],
    ignored: &[PhoneNumber],
) -> ExecutorFinding {
    let Some(id) = sold_by_id.filter(|id| *id > 0) else {
        return ExecutorFinding::NoSeller;
    };
    let Some(seller) = kiotviet_users.iter().find(|user| user.id == id) else {
        return ExecutorFinding::AdminOrUnknown;
    };
    let phones = PhoneField::parse(&seller.mobile_phone);
    if phones.matchable(ignored).next().is_none() {
        return ExecutorFinding::SellerWithoutPhone;
    }
    let name = comparable(&seller.given_name);
    getfly_users
        .iter()
        .filter(|user| {
            phone::fields_match(&phones, &PhoneField::parse(&user.contact_mobile), ignored)
        })
        .min_by_key(|user| {
            let other = comparable(&user.contact_name) != name && !mutant!(NamesakeIgnored);
            (other, user.user_id)
        })
        .map_or(ExecutorFinding::NobodyWithThatPhone, |user| {
            ExecutorFinding::Found(user.clone())
        })
}

fn comparable(name: &str) -> String {
    name.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seller(mobile_phone: &str) -> KiotVietUser {
        KiotVietUser {
            id: 7,
            given_name: " Lan ".into(),
            mobile_phone: mobile_phone.into(),
        }
    }

    fn getfly(user_id: i64, contact_name: &str, contact_mobile: &str) -> GetflyUser {
        GetflyUser {
            user_id,
            user_name: format!("u{user_id}"),
            contact_name: contact_name.into(),
            contact_mobile: contact_mobile.into(),
        }
    }

    fn find(sold_by: Option<i64>, phone: &str, users: &[GetflyUser]) -> ExecutorFinding {
        let ignored = [PhoneNumber::parse("0900111222").unwrap()];
        find_executor(sold_by, &[seller(phone)], users, &ignored)
    }

    fn found_id(phone: &str, users: &[GetflyUser]) -> Option<i64> {
        find(Some(7), phone, users).user().map(|user| user.user_id)
    }

    #[test]
    fn r13_the_getfly_user_with_the_sellers_phone_is_the_executor() {
        let users = [
            getfly(1, "Hoa", "0987654321"),
            getfly(2, "Khác tên", "+84 912 345 678"),
        ];
        assert_eq!(found_id("912345678", &users), Some(2));
    }

    #[test]
    fn r13_of_two_with_one_phone_the_sellers_name_wins() {
        let phone = "0912345678";
        let users = [
            getfly(1, "Hoa", phone),
            getfly(3, "LAN", phone),
            getfly(2, "lan ", phone),
        ];
        assert_eq!(found_id(phone, &users), Some(2));
    }

    #[test]
    fn r13_of_two_with_one_phone_and_other_names_the_smallest_id_wins() {
        let phone = "0912345678";
        assert_eq!(
            found_id(phone, &[getfly(3, "Hoa", phone), getfly(2, "Mai", phone)]),
            Some(2)
        );
    }

    #[test]
    fn r13_without_a_match_there_is_no_executor() {
        let users = [getfly(1, "Lan", "0912345679"), getfly(2, "Lan", "")];
        let phone = "0912345678";
        assert_eq!(find(None, phone, &users), ExecutorFinding::NoSeller);
        assert_eq!(find(Some(0), phone, &users), ExecutorFinding::NoSeller);
        assert_eq!(
            find(Some(8), phone, &users),
            ExecutorFinding::AdminOrUnknown
        );
        assert_eq!(
            find(Some(7), "", &users),
            ExecutorFinding::SellerWithoutPhone
        );
        assert_eq!(
            find(Some(7), phone, &users),
            ExecutorFinding::NobodyWithThatPhone
        );
    }

    #[test]
    fn r13_placeholders_name_no_executor() {
        for phone in ["0000000000", "0900111222"] {
            assert_eq!(
                find(Some(7), phone, &[getfly(1, "Lan", phone)]),
                ExecutorFinding::SellerWithoutPhone
            );
        }
    }
}
