//! Shared by the properties of both vendors' replies. Input: the status, a line with `Retry-After`,
//! and the body.

use plugin::{
    vendor::body::Body,
    world::{Http, HttpError, Request, Response},
};
use serde_json::Value;
use std::{cell::Cell, time::Duration};

/// A vendor that answers twice in the same way and then no more, so that lists end.
pub(super) struct Vendor {
    pub(super) reply: Response,
    left: Cell<u8>,
    /// Words that must not be shown: those that were planted and are not in the reply without it.
    hidden: Vec<&'static str>,
}

/// A person's e-mail and phone, to be planted into every text of a reply.
const PLANTED: &str = " an.planted@shop.test 0912 345 678";
/// Parts of it, by which it is recognised.
const TELLING: [&str; 2] = ["planted", "345 678"];

impl Vendor {
    /// The reply as it is, and the same with personal data in each of its texts.
    pub(super) fn both(data: &[u8]) -> Vec<Self> {
        let mut lines = data.splitn(3, |byte| *byte == b'\n');
        let mut line = || lines.next().unwrap_or_default();
        let status = String::from_utf8_lossy(line())
            .trim()
            .parse()
            .unwrap_or(200);
        let retry_after = String::from_utf8_lossy(line()).into_owned();
        let body = line().to_vec();
        let planted = serde_json::from_slice(&body).map(|mut json: Value| {
            let said = json.to_string();
            plant(&mut json);
            let hidden = TELLING.into_iter().filter(|word| !said.contains(word));
            (json.to_string().into_bytes(), hidden.collect())
        });
        let bodies = [Some((body, Vec::new())), planted.ok()];
        let made = bodies.into_iter().flatten().map(|(body, hidden)| Self {
            reply: Response {
                status,
                retry_after: Some(retry_after.clone()).filter(|text| !text.is_empty()),
                body,
            },
            left: Cell::new(2),
            hidden,
        });
        made.collect()
    }

    /// Answers twice more.
    pub(super) fn again(&self) -> &Self {
        self.left.set(2);
        self
    }

    /// Whether `status` means success.
    pub(super) fn is_success(&self) -> bool {
        matches!(self.reply.status, 200..=299)
    }

    /// A reply that was taken for an answer is one: a success, or a 404 where that is an answer
    /// (`absent`).
    pub(super) fn is_an_answer(&self, absent: bool) {
        let status = self.reply.status;
        assert!(
            self.is_success() || (absent && status == 404),
            "{status} is a success"
        );
    }

    /// Whether the reply is JSON with one of these words, whatever stands between their letters.
    pub(super) fn says(&self, words: &[&str]) -> bool {
        let letters = |text: &str| {
            let letters = text.chars().filter(|c| c.is_alphanumeric());
            letters.collect::<String>().to_lowercase()
        };
        let body = Body::read(&self.reply.body);
        let said = body.json().map(|json| letters(&json.to_string()));
        said.is_some_and(|said| words.iter().any(|word| said.contains(&letters(word))))
    }

    /// A text made from the reply shows no personal data, least of all what was planted.
    pub(super) fn shows_no_personal_data(&self, text: &str) {
        shows_no_personal_data(text);
        assert!(
            !self.hidden.iter().any(|word| text.contains(word)),
            "{text}"
        );
    }

    /// Whether this status may be the record's own fault. Any other passes by itself, or a person
    /// mends it.
    pub(super) fn may_be_final(&self) -> bool {
        let status = self.reply.status;
        matches!(status, 200..=299 | 400..=499) && !matches!(status, 401 | 408 | 425 | 429)
    }
}

impl Http for Vendor {
    async fn send(&self, request: Request) -> Result<Response, HttpError> {
        assert!(
            http::Uri::try_from(&request.url).is_ok(),
            "no address: {}",
            request.url
        );
        let left = self.left.get().checked_sub(1).ok_or(HttpError::Timeout)?;
        self.left.set(left);
        Ok(self.reply.clone())
    }
}

fn plant(json: &mut Value) {
    match json {
        Value::String(text) => text.push_str(PLANTED),
        Value::Array(items) => items.iter_mut().for_each(plant),
        Value::Object(members) => members.values_mut().for_each(plant),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// An error's text is short and shows no address, no phone number and nothing like a key.
fn shows_no_personal_data(text: &str) {
    assert!(text.chars().count() < 1000, "{text}");
    assert!(!text.contains(['@', '＠', '\n', '\r']), "{text}");
    let (mut digits, mut key, mut key_has_digit) = (0, 0, false);
    for c in text.chars() {
        digits = if c.is_numeric() { digits + 1 } else { 0 };
        assert!(digits < 8, "a number in: {text}");
        if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') {
            key += 1;
            key_has_digit |= c.is_ascii_digit();
        } else {
            (key, key_has_digit) = (0, false);
        }
        assert!(!(key >= 24 && key_has_digit), "a key in: {text}");
    }
}

/// No vendor makes an event wait for more than a day.
pub(super) fn is_short(wait: Option<Duration>) {
    assert!(wait.is_none_or(|wait| wait <= Duration::from_hours(24)));
}
