//! A JSON value as people can read it.

use crate::{
    admin::page::{
        layout::scalar,
        words::{self as w, Lang, Text},
    },
    rules::{matching::MatchedBy, settings::GenderCodes, verdict::Reason},
    stored,
    wording::{money, reasons, times},
};
use maud::{Markup, html};
use serde::Deserialize as _;
use serde_json::Value;

/// How deep a value is drawn; our plans have five levels.
const DEEPEST: usize = 8;

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(all) => all.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

/// The only member of an object that has no other.
fn only(value: &Value) -> Option<(&String, &Value)> {
    let members = value.as_object().filter(|members| members.len() == 1)?;
    members.iter().next()
}

/// What only the application itself needs.
const INNER: [&str; 1] = ["remember"];
/// Members that are amounts.
const AMOUNTS: [&str; 9] = [
    "cash_discount",
    "discount",
    "discount_amount",
    "installation",
    "price",
    "real_amount",
    "transport",
    "vat",
    "vat_amount",
];
/// Members that are days or times.
const TIMES: [&str; 4] = ["birthday", "created_at", "date", "order_date"];

/// What an account has in common with a customer.
pub(super) fn matched(by: MatchedBy) -> Text {
    match by {
        MatchedBy::Email => w::MATCHED_EMAIL,
        MatchedBy::Phone => w::MATCHED_PHONE,
        MatchedBy::Contact => w::MATCHED_CONTACT,
        MatchedBy::ContactEmail => w::MATCHED_CONTACT_EMAIL,
    }
}

/// What a value's words depend on.
#[derive(Clone, Copy)]
pub(super) struct Reader {
    /// The language.
    pub(super) lang: Lang,
    /// Getfly's numbers for the genders.
    pub(super) genders: GenderCodes,
}

/// A gender in words; none for a number that is neither.
fn gender(Reader { lang, genders }: Reader, code: &str) -> Option<String> {
    let code: i64 = code.parse().ok()?;
    let known = [(genders.female, w::FEMALE), (genders.male, w::MALE)];
    let mut known = known.into_iter();
    let (_, words) = known.find(|(known, _)| *known == code)?;
    Some(words.of(lang).to_owned())
}

/// A single value of the member `name` in words: amounts and times in the one form.
fn single(reader: Reader, name: &str, value: &Value) -> String {
    let lang = reader.lang;
    let text = scalar(value);
    let reason = || Reason::deserialize(stored::Reader(value)).ok();
    let by = || MatchedBy::deserialize(stored::Reader(value)).ok();
    match (name, value) {
        (_, Value::Bool(true)) => w::YES.of(lang).to_owned(),
        (_, Value::Bool(false)) => w::NO.of(lang).to_owned(),
        ("reason", _) => reason().map_or(text, |one| reasons::explain(lang, one).to_owned()),
        ("gender", _) => gender(reader, &text).unwrap_or(text),
        ("by", Value::Number(event)) => format!("#{event}"),
        ("by", _) => by().map_or(text, |one| matched(one).of(lang).to_owned()),
        (name, _) if AMOUNTS.contains(&name) => money::of_text(&text),
        (name, _) if TIMES.contains(&name) => times::of_text(&text),
        _ => text,
    }
}

/// A value as people can read it: members that hold nothing are left out, a member that only leads to
/// another is named with it.
pub(super) fn tree(reader: Reader, value: &Value) -> Markup {
    of(reader, "", value, 0)
}

/// The value of the member `name`.
fn of(reader: Reader, name: &str, value: &Value, depth: usize) -> Markup {
    html! {
        @match value {
            Value::Object(members) if depth < DEEPEST => {
                dl.tree { @for (name, member) in members { (member_of(reader, name, member, depth)) } }
            }
            Value::Array(all) if depth < DEEPEST => {
                ol { @for one in all { li { (of(reader, name, one, depth + 1)) } } }
            }
            one => (single(reader, name, one)),
        }
    }
}

fn member_of(reader: Reader, name: &str, member: &Value, depth: usize) -> Markup {
    let lang = reader.lang;
    if INNER.contains(&name) {
        return html! {};
    }
    let mut title = reasons::label(lang, name).to_owned();
    let (mut name, mut member) = (name, member);
    while let Some((inner, value)) = only(member) {
        title.push_str(" › ");
        title.push_str(reasons::label(lang, inner));
        (name, member) = (inner, value);
    }
    let nested = member.is_object() || member.is_array();
    html! {
        @if !is_empty(member) {
            div class=(if nested { "nested" } else { "row" }) { dt { (title) } dd { (of(reader, name, member, depth + 1)) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(lang: Lang, value: &Value) -> String {
        let genders = GenderCodes { female: 1, male: 2 };
        tree(Reader { lang, genders }, value).into_string()
    }

    #[test]
    fn a_plans_values_are_words_amounts_and_days() {
        let plan = json!({
            "ignore": {"reason": "created_before_connection", "remember": {"old_customer": 7}},
            "link": {"by": "phone", "code": "KH1"},
            "ours": {"by": 12, "code": "KH2"},
            "order": {
                "date": "2026-10-05",
                "order_is_there": true,
                "lines": [{"price": 150000, "quantity": 2}],
                "real_amount": "300000",
            },
        });
        let drawn = read(Lang::Vi, &plan);
        for words in [
            "Được tạo trên KiotViet trước khi bật webhook",
            "Trùng số điện thoại",
            "#12",
            "05/10/2026",
            "<dd>Có</dd>",
            "150.000 đ",
            "300.000 đ",
        ] {
            assert!(drawn.contains(words), "{words}: {drawn}");
        }
        for raw in [
            "created_before",
            "phone",
            "150000",
            "2026-10",
            "old_customer",
        ] {
            assert!(!drawn.contains(raw), "{raw}: {drawn}");
        }
        for (lang, sent, words) in [
            (Lang::Vi, json!(1), "<dd>Nữ</dd>"),
            (Lang::Vi, json!("2"), "<dd>Nam</dd>"),
            (Lang::En, json!(2), "<dd>Male</dd>"),
            (Lang::En, json!(3), "<dd>3</dd>"),
        ] {
            let account = json!({"gender": sent, "name": "Hoa"});
            let drawn = read(lang, &account);
            assert!(drawn.contains(words), "{words}: {drawn}");
        }
    }
}
