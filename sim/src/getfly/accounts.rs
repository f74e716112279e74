//! Creating, restoring and showing accounts.

use super::{
    Account, State, User,
    body::{given, not_found, printed, refuse, text},
    manners::says,
};
use crate::{Response, wire};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

impl State {
    /// Stores without checks; numbers an account without a number.
    pub(super) fn store_account(&mut self, mut account: Account, now: Timestamp) -> i64 {
        if account.id == 0 {
            account.id = self.accounts.last_id().unwrap_or(10_000) + 1;
        }
        if account.account_code.is_empty() {
            account.account_code = format!("KH{}", account.id);
        }
        account.created_at.get_or_insert(now);
        let id = account.id;
        self.accounts.push(account);
        id
    }

    pub(super) fn create_account(
        &mut self,
        body: Value,
        now: Timestamp,
    ) -> Result<Response, Response> {
        self.check_account(&body)?;
        let sources = names(&body, "account_source_names");
        let numbers_itself = self.settings.numbers_itself;
        let sent = Some(text(&body, "account_code")).filter(|_| !numbers_itself);
        let account = Account {
            id: 0,
            account_code: sent.unwrap_or_default(),
            account_name: text(&body, "account_name"),
            phone_office: self.settings.phones.of(text(&body, "phone_office")),
            email: text(&body, "email"),
            billing_address_street: text(&body, "billing_address_street"),
            birthday: text(&body, "birthday"),
            sic_code: text(&body, "sic_code"),
            description: text(&body, "description"),
            gender: given(&body, "gender").and_then(|code| code.parse().ok()),
            manager: given(&body, "account_manager_username"),
            sources,
            contacts: Vec::new(),
            created_at: Some(now),
            updated_at: None,
            deleted: false,
            request: body,
        };
        let id = self.store_account(account, now);
        let code = self.accounts.all().last().map(|a| &a.account_code);
        let mut data = Map::new();
        data.insert("account_id".to_owned(), self.id(id));
        data.insert("account_code".to_owned(), json!(code));
        Ok(self.created(data))
    }

    /// Why Getfly would refuse an account.
    fn check_account(&self, body: &Value) -> Result<(), Response> {
        if given(body, "account_name").is_none() {
            return Err(refuse("account_name", "Tên khách hàng không được để trống"));
        }
        for field in &self.settings.required_fields {
            if given(body, field).is_none() {
                return Err(refuse(field, &says(field, "là bắt buộc")));
            }
        }
        let code = given(body, "account_code");
        if code.is_some_and(|code| self.accounts.with_code(&code).next().is_some()) {
            // ASSUMPTION: status and words; a deleted account keeps its code (seen).
            return Err(refuse("account_code", "Mã khách hàng đã tồn tại"));
        }
        let settings = &self.settings;
        if settings.duplicates_by_digits
            && given(body, "phone_office").is_some_and(|phone| self.has_digits(&phone))
        {
            return Err(refuse("phone_office", "Số điện thoại không cho phép trùng"));
        }
        // ASSUMPTION: the same text is the same phone or e-mail; the sentence is not known.
        let taken = |field: fn(&Account) -> &str, value: Option<String>| {
            value.is_some_and(|value| {
                let mut present = self.accounts.all().iter().filter(|a| !a.deleted);
                present.any(|account| field(account).to_lowercase() == value.to_lowercase())
            })
        };
        if settings.refuse_duplicate_phone
            && taken(|account| &account.phone_office, given(body, "phone_office"))
        {
            return Err(refuse("phone_office", "Số điện thoại không cho phép trùng"));
        }
        if settings.refuse_duplicate_email && taken(|account| &account.email, given(body, "email"))
        {
            return Err(refuse("email", "Email không cho phép trùng"));
        }
        for field in &settings.checked_fields {
            let value = given(body, field);
            let same = |account: &Account| given(&account.request, field) == value;
            let mut present = self.accounts.all().iter().filter(|a| !a.deleted);
            if value.is_some() && present.any(same) {
                return Err(refuse(field, &says(field, "đã tồn tại")));
            }
        }
        self.check_refused_fields(body)?;
        let manager = given(body, "account_manager_username");
        if manager.is_some_and(|manager| !self.is_user(&manager)) {
            // ASSUMPTION: the refusal is seen; its field and words are not.
            let text = "Người phụ trách không tồn tại";
            return Err(refuse("account_manager_username", text));
        }
        let unknown = |source: &String| !settings.sources.contains(source);
        if settings.refuse_unknown_source && names(body, "account_source_names").iter().any(unknown)
        {
            return Err(refuse("source_name", "Nguồn khách hàng không hợp lệ"));
        }
        if settings.refuse_gender && body.get("gender").is_some() {
            return Err(refuse("gender", "The gender field is not allowed"));
        }
        Ok(())
    }

    /// Why Getfly would refuse a field that this tenant refuses.
    pub(super) fn check_refused_fields(&self, body: &Value) -> Result<(), Response> {
        let refused = self.settings.refused_fields.iter();
        let mut present = refused.filter(|field| given(body, field).is_some());
        let first = present.next();
        first.map_or(Ok(()), |field| {
            Err(refuse(field, &says(field, "không hợp lệ")))
        })
    }

    /// Whether an account has this phone, however it is written.
    fn has_digits(&self, phone: &str) -> bool {
        let digits = |text: &str| -> String {
            let digits: String = text.chars().filter(char::is_ascii_digit).collect();
            let national = digits.strip_prefix("84").unwrap_or(&digits);
            national.trim_start_matches('0').to_owned()
        };
        let (wanted, all) = (digits(phone), self.accounts.all().iter());
        !wanted.is_empty()
            && all
                .filter(|account| !account.deleted)
                .any(|account| digits(&account.phone_office) == wanted)
    }

    pub(super) fn restore_account(&mut self, body: &Value) -> Result<Response, Response> {
        let code = text(body, "account_code");
        let accounts = self.accounts.all_mut().iter_mut();
        let mut deleted = accounts.filter(|account| account.deleted);
        let found = deleted.find(|account| account.account_code == code);
        found.ok_or_else(not_found)?.deleted = false;
        Ok(wire::json(200, &json!({"message": "Khôi phục thành công"})))
    }

    /// A time as this tenant shows it.
    pub(super) fn shown_time(&self, at: Timestamp) -> Value {
        if self.settings.times_in_seconds {
            json!(at.as_second())
        } else {
            json!(printed(at))
        }
    }

    pub(super) fn show_account(&self, account: &Account) -> Value {
        let created = account.created_at.map(|at| self.shown_time(at));
        let updated = account.updated_at.map(|at| self.shown_time(at));
        let contacts = account.contacts.iter().map(|text| {
            let field = if text.contains('@') {
                "email"
            } else {
                "phone_home"
            };
            json!({"first_name": "Người liên hệ", field: text})
        });
        let contacts: Vec<Value> = contacts.collect();
        let manager = account.manager.as_ref();
        let manager =
            manager.and_then(|name| self.users.now().iter().find(|u| u.user_name == *name));
        json!({
            "id": self.id(account.id),
            "account_code": account.account_code,
            "account_name": account.account_name,
            "description": account.description,
            "billing_address_street": account.billing_address_street,
            "phone_office": account.phone_office,
            "email": account.email,
            "website": "",
            "birthday": account.birthday,
            "sic_code": account.sic_code,
            "gender": account.gender,
            "created_at": &created,
            "updated_at": updated.as_ref().or(created.as_ref()),
            "account_source_details": account.sources,
            "account_manager": manager.map(|user| self.id(user.user_id)),
            "mgr_display_name": manager.map(|user| &user.contact_name),
            "mgr_email": manager.map(|user| &user.email),
            "relation_name": "",
            "contacts": contacts,
        })
    }

    pub(super) fn show_user(&self, user: &User) -> Value {
        json!({
            "user_id": self.id(user.user_id),
            "contact_id": self.id(user.user_id),
            "contact_name": user.contact_name,
            "user_name": user.user_name,
            "dept_id": self.id(2),
            "dept_name": "Phòng kinh doanh",
            "email": user.email,
            "contact_mobile": user.contact_mobile,
            "extensions": {},
            "valid": 1,
        })
    }
}

/// A list of names; a single text counts as a list of one.
fn names(body: &Value, key: &str) -> Vec<String> {
    let one = |value: &Value| value.as_str().map(ToOwned::to_owned);
    match body.get(key) {
        Some(Value::Array(names)) => names.iter().filter_map(one).collect(),
        Some(value) => one(value).into_iter().collect(),
        None => Vec::new(),
    }
}
