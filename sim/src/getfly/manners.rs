//! How a tenant words and frames its answers. The manual leaves all of it open, so each form is an
//! ASSUMPTION: one that servers of this kind use.

use super::body::label;
use crate::{Response, wire};
use serde_json::{Map, Value, json};

/// How a create, or a question that Getfly does not understand, is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Refusals {
    /// 400, `errors` with a list of texts for each field, and `message` that repeats them.
    #[default]
    Listed,
    /// 400, `errors` with one text for each field and no message.
    Texts,
    /// 400 with a sentence under `msg` that holds the field's label.
    Sentence,
    /// 422 in English, as PHP's usual validator writes it.
    English,
    /// 200 with the key `error` and a sentence.
    In200,
    /// 200 with `success: false` and `errors`.
    Unsuccessful,
    /// 200 with `success: false` and a sentence.
    UnsuccessfulSentence,
    /// 200 with `status: "error"` and a sentence.
    ErrorStatus,
}

/// How a create is confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Created {
    /// Id and code under `data`.
    #[default]
    Data,
    /// Id and code at the top.
    TopLevel,
    /// `message` and `id`, as in version 6.0.
    IdOnly,
    /// A message and nothing else.
    MessageOnly,
}

/// The answer about an absent record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Missing {
    /// 404.
    #[default]
    NotFound,
    /// 200 with `[]`, as PHP writes nothing.
    Empty,
    /// 404 with a page for people.
    Page,
}

/// How the phone of a create is stored if it is one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PhoneForm {
    /// As it was sent.
    #[default]
    AsSent,
    /// `0912 345 678`.
    Spaced,
    /// `+84912345678`.
    International,
    /// `0912.345.678`.
    Dotted,
}

/// How the definition of a field says that it is demanded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Demanded {
    /// By a flag.
    #[default]
    Flag,
    /// By a rule among others.
    Rule,
    /// Not at all.
    Untold,
}

/// How an order's total is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sums {
    /// Exactly.
    #[default]
    Exact,
    /// Each line rounded to a đồng.
    LinesRounded,
    /// Quantities without their fraction.
    WholeQuantities,
    /// The tax counts only if it is a percentage.
    NoTaxAmount,
}

impl PhoneForm {
    /// A Vietnamese number of ten digits in this form; anything else as it is.
    pub(super) fn of(self, phone: String) -> String {
        let is_one = phone.len() == 10
            && phone.starts_with('0')
            && phone.bytes().all(|byte| byte.is_ascii_digit());
        match self {
            Self::Spaced if is_one => format!("{} {} {}", &phone[..4], &phone[4..7], &phone[7..]),
            Self::Dotted if is_one => format!("{}.{}.{}", &phone[..4], &phone[4..7], &phone[7..]),
            Self::International if is_one => format!("+84{}", &phone[1..]),
            _ => phone,
        }
    }
}

impl Refusals {
    /// A refusal (400 with `message` and `errors`) in this form; any other answer unchanged.
    pub(super) fn of(self, answer: Response) -> Response {
        let body: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
        let Some(errors) = body.get("errors").and_then(Value::as_object) else {
            return answer;
        };
        let message = body.get("message").cloned().unwrap_or_default();
        let text = |text: &Value| text.get(0).and_then(Value::as_str).map(ToOwned::to_owned);
        let each = |of: &dyn Fn(&str, String) -> Value| -> Map<String, Value> {
            let texts = errors.iter();
            let texts = texts.map(|(field, t)| (field, text(t).unwrap_or_default()));
            texts
                .map(|(field, t)| (field.clone(), of(field, t)))
                .collect()
        };
        match self {
            Self::Listed => answer,
            Self::Texts => wire::json(400, &json!({"errors": each(&|_, text| json!(text))})),
            Self::Sentence => wire::json(400, &json!({"msg": message})),
            Self::English => {
                let errors = each(&|field, text| json!([english(field, &text)]));
                wire::json(
                    422,
                    &json!({"message": "The given data was invalid.", "errors": errors}),
                )
            }
            Self::In200 => wire::json(200, &json!({"error": true, "message": message})),
            Self::Unsuccessful => {
                let errors = each(&|_, text| json!(text));
                wire::json(200, &json!({"success": false, "errors": errors}))
            }
            Self::UnsuccessfulSentence => {
                wire::json(200, &json!({"success": false, "message": message}))
            }
            Self::ErrorStatus => wire::json(200, &json!({"status": "error", "message": message})),
        }
    }
}

/// The words of PHP's validator about a field, for these words of Getfly.
fn english(field: &str, text: &str) -> String {
    let name = field.replace('_', " ");
    match text {
        text if text.ends_with("tồn tại") && !text.contains("không tồn tại") => {
            format!("The {name} has already been taken.")
        }
        text if text.contains("trùng") => format!("The {name} has already been taken."),
        text if text.contains("bắt buộc") || text.contains("để trống") => {
            format!("The {name} field is required.")
        }
        _ => format!("The selected {name} is invalid."),
    }
}

/// A refusal of a field in Getfly's language: its label, and what is wrong with it.
pub(super) fn says(field: &str, what: &str) -> String {
    format!("{} {what}", label(field))
}
