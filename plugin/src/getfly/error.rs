//! How a call to Getfly can fail, and what its answers mean. No text here ever holds the key, a
//! query or an unmasked word of Getfly's.

use crate::{
    getfly::{
        assumptions::MISSING_ROUTE_WORD,
        refusal::{Detail, DuplicateField, Refusal, has_errors},
        wire::{self, Stored},
    },
    vendor::{
        body::Body,
        fate::{Fate, parse_retry_after},
    },
    world::{HttpError, Response},
};
use core::time::Duration;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A call to Getfly that failed, or whose outcome is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GetflyError {
    /// 401, or 403 for a read. It is about the key and not the record, so the record waits until
    /// the key is mended.
    #[error("Getfly refuses the API key ({status})")]
    KeyRefused {
        /// HTTP status.
        status: u16,
    },
    /// Getfly understood and refuses.
    #[error("Getfly refuses ({}): {}", .0.status, .0.words())]
    Refused(Refusal),
    /// 429, 5xx and the like: retry later.
    #[error("Getfly is busy or down ({status})")]
    Busy {
        /// HTTP status.
        status: u16,
        /// What `Retry-After` asks for; not kept.
        #[serde(skip)]
        retry_after: Option<Duration>,
    },
    /// No answer.
    #[error("Getfly could not be reached: {0}")]
    Unreachable(HttpError),
    /// A 404 that is not about a record: a list, or a page that is not Getfly's.
    #[error("there is nothing at this address of Getfly's (404)")]
    NothingThere,
    /// The host does not let calls to the tenant out.
    #[error(
        "the host does not allow calls to getfly_url: allow this origin in allowed_outbound_hosts \
         ({{{{ getfly_url }}}} in spin.toml)"
    )]
    Denied,
    /// An answer that is not Getfly's, or not what the manual says. After a create the outcome is
    /// unknown: see [`GetflyError::maybe_stored`].
    #[error("Getfly's answer cannot be read: {what}")]
    Garbled {
        /// What is wrong with it, without its values.
        what: String,
    },
    /// A create that was not refused, but whose answer holds no code: the record must be read back.
    #[error("Getfly does not tell under which code it stored the record")]
    Untold {
        /// The record's number, if the answer holds it.
        id: Option<i64>,
    },
}

impl GetflyError {
    /// Only a plain refusal is final. Everything else passes, or a person can mend it.
    pub fn fate(&self) -> Fate {
        match self {
            Self::Refused(_) => Fate::Dead,
            Self::Busy { retry_after, .. } => Fate::Retry {
                after: *retry_after,
            },
            Self::KeyRefused { .. }
            | Self::Unreachable(_)
            | Self::NothingThere
            | Self::Denied
            | Self::Garbled { .. }
            | Self::Untold { .. } => Fate::RETRY,
        }
    }

    /// Whether a create that ended so may have stored the record. It must then be read back by its
    /// code before anything else.
    pub fn maybe_stored(&self) -> bool {
        match self {
            Self::KeyRefused { .. } | Self::Refused(_) | Self::Denied => false,
            Self::Busy { status, .. } => *status >= 500,
            Self::Unreachable(
                HttpError::Denied | HttpError::LeaseEnded | HttpError::NotSent(_),
            ) => false,
            Self::Unreachable(
                HttpError::Timeout | HttpError::Connection(_) | HttpError::TooLarge,
            ) => true,
            Self::Garbled { .. } | Self::Untold { .. } | Self::NothingThere => true,
        }
    }

    /// Whether the answer was a 404 of any kind: the tenant may lack this version of the API.
    pub fn is_404(&self) -> bool {
        match self {
            Self::NothingThere => true,
            Self::Refused(refusal) => refusal.status == 404,
            _ => false,
        }
    }

    /// Whether the answer may be about this address of Getfly's alone, so that a question that can be
    /// done without is left: a refusal, a missing address, a missing right, or a page.
    pub(super) fn may_be_of_this_address_alone(&self) -> bool {
        matches!(
            self,
            Self::Refused(_)
                | Self::NothingThere
                | Self::KeyRefused { status: 403 }
                | Self::Garbled { .. }
        )
    }

    /// Whether Getfly refuses an order's account: it was merged or deleted, or Getfly demands one.
    pub fn is_about_accounts(&self) -> bool {
        self.refusal().is_some_and(Refusal::is_about_accounts)
    }

    /// Whether Getfly refuses a line's product.
    pub fn is_about_products(&self) -> bool {
        self.refusal().is_some_and(Refusal::is_about_products)
    }

    /// Whether Getfly refuses because it has a record with the same code, e-mail or phone.
    pub fn is_duplicate(&self) -> bool {
        self.refusal().is_some_and(Refusal::is_duplicate)
    }

    /// Which of them it is, if Getfly says so.
    pub fn duplicate_field(&self) -> Option<DuplicateField> {
        self.refusal().and_then(Refusal::duplicate_field)
    }

    /// The detail that Getfly refuses by name, if the record can do without it.
    pub fn refused_detail(&self) -> Option<Detail> {
        self.refusal().and_then(Refusal::refused_detail)
    }

    /// The refusal, if it is one.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// An answer that cannot be read.
    pub(super) fn garbled(what: impl Into<String>) -> Self {
        Self::Garbled { what: what.into() }
    }
}

impl From<HttpError> for GetflyError {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Denied => Self::Denied,
            other => Self::Unreachable(other),
        }
    }
}

/// Whether a 2xx answer is a refusal all the same: in `errors`, or in `error`.
fn refuses(value: &Value) -> bool {
    let error = value.get("error").is_some_and(|error| match error {
        Value::Number(number) => number.as_i64() != Some(0),
        other => has_errors(other),
    });
    error || value.get("errors").is_some_and(has_errors)
}

/// The words for "no" in an answer's own verdict.
const NO: [&str; 7] = ["false", "0", "no", "error", "fail", "failed", "failure"];

/// Whether the answer to a create says that it failed: ASSUMPTION: `success`, `ok`, `result` or
/// `status` says no, or `status` holds a 4xx.
fn says_no(value: &Value) -> bool {
    let no = |name| match value.get(name) {
        Some(Value::Bool(yes)) => !yes,
        Some(Value::String(word)) => NO.contains(&word.trim().to_lowercase().as_str()),
        _ => false,
    };
    let number = |name| value.get(name).and_then(Value::as_i64);
    ["success", "ok", "result", "status"].into_iter().any(no)
        || number("success") == Some(0)
        || number("status").is_some_and(|status| matches!(status, 400..=499))
}

/// What an answer means. None is "Getfly has no such record": a 404 with JSON or an empty body that
/// is not about the address.
pub(super) fn read(response: &Response) -> Result<Option<Value>, GetflyError> {
    let status = response.status;
    let body = Body::read(&response.body);
    let refused = |body: &Body| Err(GetflyError::Refused(Refusal::read(status, body.json())));
    match (status, &body) {
        (200..=299, Body::Json(value)) if refuses(value) => refused(&body),
        (401 | 403, _) => Err(GetflyError::KeyRefused { status }),
        (408 | 425 | 429 | 500..=599, _) => Err(GetflyError::Busy {
            status,
            retry_after: response.retry_after.as_deref().and_then(parse_retry_after),
        }),
        (404, Body::Json(_) | Body::Empty) if !is_missing_route(&body) => Ok(None),
        // A proxy's page says nothing about the record.
        (404, _) => Err(GetflyError::NothingThere),
        (400..=499, Body::Html) => Err(not_getflys(status)),
        (400..=499, _) => refused(&body),
        (200..=299, _) => match body {
            Body::Json(value) => Ok(Some(value)),
            Body::Empty | Body::Html | Body::Other => Err(not_getflys(status)),
        },
        _ => Err(not_getflys(status)),
    }
}

/// What an answer about a list means, where "no such record" makes no sense.
pub(super) fn read_existing(response: &Response) -> Result<Value, GetflyError> {
    read(response)?.ok_or(GetflyError::NothingThere)
}

/// What the answer to a create means: the stored record's id, under one of the names `ids`, and its
/// `code`, given the code's name and the code that was sent. An answer that refuses, but names the
/// record that was sent, stored it. One that refuses and names another record means that other one,
/// if it speaks of a duplicate; otherwise the record must be read back. A 404 is a refusal of
/// something that the record refers to. So is a 403 in Getfly's words: its manual says "Request
/// Method not accepted".
pub(super) fn read_created(
    response: &Response,
    ids: &[&str],
    (name, sent): (&str, Option<&str>),
) -> Result<Stored, GetflyError> {
    let body = Body::read(&response.body);
    let refusal = || Refusal::read(response.status, body.json());
    let stored = || wire::stored(body.json()?, ids, name);
    let accepted = matches!(response.status, 200..=299);
    match (read(response), body.json()) {
        (answer, Some(value)) if accepted => {
            let refuses = answer.is_err() || says_no(value);
            match stored() {
                Some(stored) if !refuses => Ok(stored),
                Some(stored) if stored.code.as_deref() == sent || sent.is_none() => Ok(stored),
                Some(_) if !refusal().is_duplicate() => Err(GetflyError::Untold { id: None }),
                None if !refuses => Err(GetflyError::Untold { id: None }),
                _ => Err(GetflyError::Refused(refusal())),
            }
        }
        (Err(GetflyError::KeyRefused { status: 403 }), Some(_)) | (Ok(_), _) => {
            Err(GetflyError::Refused(refusal()))
        }
        (Err(e), _) => Err(e),
    }
}

fn is_missing_route(body: &Body) -> bool {
    let message = Refusal::read(404, body.json()).message;
    message.to_lowercase().contains(MISSING_ROUTE_WORD)
}

fn not_getflys(status: u16) -> GetflyError {
    GetflyError::garbled(format!("HTTP {status} with a body that is not Getfly's"))
}
