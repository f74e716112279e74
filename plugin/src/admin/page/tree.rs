//! A JSON value as people can read it.

use crate::{
    admin::page::{layout::scalar, words::Lang},
    wording::reasons,
};
use maud::{Markup, html};
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

/// A value as people can read it: members that hold nothing are left out, a member that only leads to
/// another is named with it.
pub(super) fn tree(lang: Lang, value: &Value, depth: usize) -> Markup {
    html! {
        @match value {
            Value::Object(members) if depth < DEEPEST => {
                dl.tree { @for (name, member) in members { (member_of(lang, name, member, depth)) } }
            }
            Value::Array(all) if depth < DEEPEST => {
                ol { @for one in all { li { (tree(lang, one, depth + 1)) } } }
            }
            single => (scalar(single)),
        }
    }
}

fn member_of(lang: Lang, name: &str, member: &Value, depth: usize) -> Markup {
    let mut title = reasons::label(lang, name).to_owned();
    let mut member = member;
    while let Some((inner, value)) = only(member) {
        title.push_str(" › ");
        title.push_str(reasons::label(lang, inner));
        member = value;
    }
    let nested = member.is_object() || member.is_array();
    html! {
        @if !is_empty(member) {
            div class=(if nested { "nested" } else { "row" }) { dt { (title) } dd { (tree(lang, member, depth + 1)) } }
        }
    }
}
