//! The Getfly account that a KiotViet customer becomes (R2, R8, R9, R12, R14). Pure: `newness` and
//! `matching` decide whether one is due.

use super::{
    address,
    codes::{AccountCode, ShopCodes},
    email::EmailField,
    model::{Customer, Gender, GetflyUser, NewAccount},
    phone::PhoneField,
    remark::Remark,
    settings::RuleSettings,
    text::filled,
};
use std::borrow::Cow;

/// R12: the manager of an account that is about to be created from an invoice: the invoice's
/// executor while the customer webhook is off, none while it is on. (From a customer event: none.)
pub fn manager_from_invoice(
    customer_webhook_on: bool,
    executor: Option<&GetflyUser>,
) -> Option<&GetflyUser> {
    executor.filter(|_| !customer_webhook_on || mutant!(ManagerAlways))
}

/// The account that `customer` becomes, whole, for one create call (R2, R11). Blank texts are left
/// out; phone and e-mail stay one field each (R8). `manager` comes from [`manager_from_invoice`].
pub fn new_account(
    shop: &ShopCodes,
    customer: &Customer,
    manager: Option<&GetflyUser>,
    settings: &RuleSettings,
) -> NewAccount {
    NewAccount {
        code: AccountCode::for_customer(shop, customer.id),
        name: name(customer),
        phone: PhoneField::parse(&customer.contact_number).as_written(&settings.ignored_phones),
        email: EmailField::parse(&customer.email).as_written(),
        address: address::one_line(customer),
        birthday: customer.birth_date,
        gender: customer.gender.map(|gender| match gender {
            Gender::Female => settings.gender_codes.female,
            Gender::Male => settings.gender_codes.male,
        }),
        tax_code: filled(&customer.tax_code),
        description: filled(&customer.comments),
        source: settings.customer_source.as_deref().and_then(filled),
        manager: manager.and_then(|user| filled(&user.user_name)),
    }
}

/// What of `customer` the account leaves out, for the audit record.
pub fn left_out(customer: &Customer) -> Vec<Remark> {
    let mut notes = unreadable(&customer.unreadable);
    if PhoneField::parse(&customer.contact_number).is_masked() {
        notes.push(Remark::MaskedPhone);
    }
    if EmailField::parse(&customer.email).is_masked() {
        notes.push(Remark::MaskedEmail);
    }
    notes
}

/// The remarks about optional members that cannot be read, for the audit record.
pub fn unreadable(members: &[&'static str]) -> Vec<Remark> {
    let members = members.iter().map(|member| Cow::Borrowed(*member));
    members
        .map(|member| Remark::Unreadable { member })
        .collect()
}

/// Getfly needs a name: the KiotViet code stands in for a missing name, the id for a missing code.
fn name(customer: &Customer) -> String {
    filled(&customer.name)
        .or_else(|| filled(&customer.code))
        .unwrap_or_else(|| format!("KiotViet {}", customer.id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{codes::RetailerId, settings::GenderCodes};

    fn customer() -> Customer {
        Customer {
            id: 77,
            code: "KH000077".into(),
            name: " Trần Thị An ".into(),
            gender: Some(Gender::Female),
            birth_date: Some(crate::time::tests::date(1990, 2, 28)),
            contact_number: "+84 912 345 678".into(),
            address: " 12 Phố Huế ".into(),
            ward: "Phường Ngô Thì Nhậm".into(),
            district: "Quận Hai Bà Trưng".into(),
            province: "Hà Nội".into(),
            email: "An@x.vn; b@x.vn".into(),
            tax_code: "0101234567".into(),
            comments: "Khách quen".into(),
            ..Customer::default()
        }
    }

    fn user() -> GetflyUser {
        GetflyUser {
            user_id: 5,
            user_name: "lan".into(),
            contact_name: "Lan".into(),
            contact_mobile: String::new(),
        }
    }

    fn account(
        customer: &Customer,
        manager: Option<&GetflyUser>,
        settings: &RuleSettings,
    ) -> NewAccount {
        new_account(
            &ShopCodes::of(&RetailerId::parse("datta").unwrap(), false),
            customer,
            manager,
            settings,
        )
    }

    #[test]
    fn r2_every_field_is_carried() {
        let account = account(&customer(), None, &RuleSettings::default());
        let json = serde_json::to_value(&account).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "code": "KV-datta-77", "name": "Trần Thị An", "phone": "0912345678",
                "email": "An@x.vn; b@x.vn", "address": "12 Phố Huế, Phường Ngô Thì Nhậm, Quận Hai Bà Trưng, Hà Nội", "birthday": "1990-02-28",
                "gender": 1, "tax_code": "0101234567", "description": "Khách quen",
                "source": "KiotViet", "manager": null,
            })
        );
    }

    #[test]
    fn r2_absent_details_are_left_out() {
        let bare = Customer {
            id: 7,
            name: "An".into(),
            comments: " ".into(),
            ..Customer::default()
        };
        let account = account(&bare, None, &RuleSettings::default());
        assert_eq!(
            (account.phone, account.email, account.address),
            (None, None, None)
        );
        assert_eq!(
            (account.birthday, account.gender, account.tax_code),
            (None, None, None)
        );
        assert_eq!(account.description, None);
    }

    #[test]
    fn r2_a_missing_name_is_replaced_by_the_code() {
        let unnamed = Customer {
            name: "  ".into(),
            ..customer()
        };
        assert_eq!(
            account(&unnamed, None, &RuleSettings::default()).name,
            "KH000077"
        );
        let nothing = Customer {
            code: String::new(),
            ..unnamed
        };
        assert_eq!(
            account(&nothing, None, &RuleSettings::default()).name,
            "KiotViet 77"
        );
    }

    #[test]
    fn r2_gender_codes_follow_the_settings() {
        let swapped = RuleSettings {
            gender_codes: GenderCodes { female: 2, male: 1 },
            ..RuleSettings::default()
        };
        assert_eq!(account(&customer(), None, &swapped).gender, Some(2));
        let man = Customer {
            gender: Some(Gender::Male),
            ..customer()
        };
        assert_eq!(account(&man, None, &swapped).gender, Some(1));
        assert_eq!(
            account(&man, None, &RuleSettings::default()).gender,
            Some(2)
        );
    }

    #[test]
    fn r8_r9_several_phones_stay_one_field() {
        let two = Customer {
            contact_number: "912345678 - 0903 596 729".into(),
            ..customer()
        };
        let account = account(&two, None, &RuleSettings::default());
        assert_eq!(account.phone.as_deref(), Some("0912345678 - 0903 596 729"));
    }

    #[test]
    fn r7_placeholders_are_written_as_they_are_and_masked_ones_left_out_with_a_note() {
        let with = |phone: &str, email: &str| {
            let customer = Customer {
                contact_number: phone.into(),
                email: email.into(),
                ..customer()
            };
            let made = account(&customer, None, &RuleSettings::default());
            (made.phone, made.email, left_out(&customer))
        };
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(
            with("123456", "khongco@gmail.com"),
            (text("123456"), text("khongco@gmail.com"), vec![])
        );
        assert_eq!(
            with("0903 596 729 (chị Xuân)", ""),
            (text("0903596729"), None, vec![])
        );
        let (phone, email, notes) = with("09****5678 / 912345678", "n*@x.vn");
        assert_eq!((phone, email), (text("0912345678"), None));
        assert_eq!(notes, [Remark::MaskedPhone, Remark::MaskedEmail]);
    }

    #[test]
    fn r12_only_an_invoice_with_the_customer_webhook_off_gives_a_manager() {
        let user = user();
        assert_eq!(manager_from_invoice(false, Some(&user)), Some(&user));
        assert_eq!(manager_from_invoice(true, Some(&user)), None);
        assert_eq!(manager_from_invoice(false, None), None);
        let managed = account(&customer(), Some(&user), &RuleSettings::default());
        assert_eq!(managed.manager.as_deref(), Some("lan"));
    }

    #[test]
    fn r14_the_source_is_the_operators() {
        let with = |source: Option<&str>| {
            let source = source.map(str::to_owned);
            let settings = RuleSettings {
                customer_source: source,
                ..RuleSettings::default()
            };
            account(&customer(), None, &settings).source
        };
        assert_eq!(with(Some("POS")).as_deref(), Some("POS"));
        assert_eq!(with(Some(" ")), None);
        assert_eq!(with(None), None);
    }
}
