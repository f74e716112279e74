//! How a call to KiotViet can fail, and what its answers mean. No text here ever holds a token, a
//! query or an unmasked word of KiotViet's.

use crate::{
    kiotviet::{
        assumptions::{GONE_WORDS, RIGHT_WORDS, TOKEN_ERROR_CODE, VALIDATION_STATUS},
        fields::{FieldError, Fields},
    },
    rules::codes::Edition,
    vendor::{
        body::Body,
        fate::{Fate, parse_retry_after},
        redaction::redact,
    },
    world::{HttpError, Response},
};
use core::{fmt, time::Duration};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The variable that holds an origin of KiotViet's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// `kiotviet_api_url`.
    Api,
    /// `kiotviet_auth_url`.
    Auth,
    /// `kiotviet_fnb_api_url`.
    FnbApi,
    /// `kiotviet_fnb_auth_url`.
    FnbAuth,
}

impl Origin {
    /// The API of an edition.
    pub(super) fn api(edition: Edition) -> Self {
        match edition {
            Edition::Retail => Self::Api,
            Edition::Fnb => Self::FnbApi,
        }
    }

    /// Where an edition's tokens are fetched.
    pub(super) fn auth(edition: Edition) -> Self {
        match edition {
            Edition::Retail => Self::Auth,
            Edition::Fnb => Self::FnbAuth,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Api => "kiotviet_api_url",
            Self::Auth => "kiotviet_auth_url",
            Self::FnbApi => "kiotviet_fnb_api_url",
            Self::FnbAuth => "kiotviet_fnb_auth_url",
        })
    }
}

/// A call to KiotViet that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KiotVietError {
    /// 401 or `TokenException`: a new token may help, once.
    #[error("KiotViet does not accept the token: {reason}")]
    Unauthorized {
        /// KiotViet's own words.
        reason: String,
    },
    /// The token endpoint refuses the ClientId, the security code or the shop.
    #[error("KiotViet refuses the credentials: {reason}")]
    CredentialsRefused {
        /// KiotViet's own words.
        reason: String,
    },
    /// KiotViet understood and refuses: 420 (validation) and other 4xx (manual, section 5).
    #[error("KiotViet refuses ({status} {code}): {message}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// `responseStatus.errorCode`, may be empty.
        code: String,
        /// KiotViet's own words, may be empty.
        message: String,
    },
    /// 403: the connection has no right to this in KiotViet's settings.
    #[error("KiotViet's settings do not let this connection do that (403)")]
    NoRight,
    /// 404 to a list that an edition does not have.
    #[error("this edition of KiotViet has no such list (404)")]
    NotOffered,
    /// 429, 5xx and the like: retry later.
    #[error("KiotViet is busy or down ({status})")]
    Busy {
        /// HTTP status.
        status: u16,
        /// What `Retry-After` asks for; not kept.
        #[serde(skip)]
        retry_after: Option<Duration>,
    },
    /// No answer.
    #[error("KiotViet could not be reached: {0}")]
    Unreachable(HttpError),
    /// The record exists, but a member that decides about it cannot be read.
    #[error("KiotViet's record cannot be read: {what}")]
    Unreadable {
        /// What is wrong with it, without its values.
        what: String,
        /// KiotViet's name of the member; an earlier version did not keep it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        field: Option<String>,
    },
    /// The host does not let calls to KiotViet out.
    #[error(
        "the host does not allow calls to {variable}: allow this origin in allowed_outbound_hosts \
         ({{{{ {variable} }}}} in spin.toml)"
    )]
    Denied {
        /// The variable that holds the origin.
        variable: Origin,
    },
    /// An answer that is not KiotViet's, or not what the manual says.
    #[error("KiotViet's answer cannot be read: {what}")]
    Garbled {
        /// What is wrong with it, without its values.
        what: String,
    },
}

impl KiotVietError {
    /// A plain refusal and an unreadable record are final. Everything else passes, or a person can
    /// mend it.
    pub fn fate(&self) -> Fate {
        match self {
            Self::Refused { .. } | Self::Unreadable { .. } => Fate::Dead,
            Self::Busy { retry_after, .. } => Fate::Retry {
                after: *retry_after,
            },
            Self::Unauthorized { .. }
            | Self::CredentialsRefused { .. }
            | Self::NoRight
            | Self::NotOffered
            | Self::Unreachable(_)
            | Self::Denied { .. }
            | Self::Garbled { .. } => Fate::RETRY,
        }
    }

    /// A call to the origin in `variable` that got no answer.
    pub(super) fn unanswered(error: HttpError, variable: Origin) -> Self {
        match error {
            HttpError::Denied => Self::Denied { variable },
            other => Self::Unreachable(other),
        }
    }

    /// Whether this is a refused validation that names this kind of record. Some shops answer so
    /// for a deleted record.
    fn names_a_record(&self, words: &[&str]) -> bool {
        let Self::Refused {
            status: VALIDATION_STATUS,
            code,
            message,
        } = self
        else {
            return false;
        };
        let (code, message) = (code.to_lowercase(), message.to_lowercase());
        let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
        let coded = words.iter().any(|word| code.contains(word));
        (says(words) || (coded && says(&GONE_WORDS))) && !says(&RIGHT_WORDS)
    }

    /// An answer that cannot be read.
    pub(super) fn garbled(what: impl Into<String>) -> Self {
        Self::Garbled { what: what.into() }
    }
}

impl From<FieldError> for KiotVietError {
    fn from(error: FieldError) -> Self {
        Self::garbled(error.to_string())
    }
}

/// What an API answer means. None is "KiotViet has no such record": a 404 with JSON or an empty
/// body.
pub(super) fn read(response: &Response) -> Result<Option<Value>, KiotVietError> {
    let status = response.status;
    let body = Body::read(&response.body);
    let (code, message) = response_status(&body);
    if status == 401 || code == TOKEN_ERROR_CODE {
        let words = [message, code, format!("HTTP {status}")];
        let words = words.into_iter().find(|words| !words.is_empty());
        return Err(KiotVietError::Unauthorized {
            reason: redact(&words.unwrap_or_default()),
        });
    }
    let refused = KiotVietError::Refused {
        status,
        code: redact(&code),
        message: redact(&message),
    };
    match (status, body) {
        (200..=299, Body::Json(_)) if !code.is_empty() => Err(refused),
        (200..=299, Body::Json(value @ Value::Object(_))) => Ok(Some(value)),
        (403, _) => Err(KiotVietError::NoRight),
        (408 | 425 | 429 | 500..=599, _) => Err(busy(response)),
        (404, Body::Json(_) | Body::Empty) => Ok(None),
        // A proxy's page says nothing about the record.
        (404, _) | (400..=499, Body::Html) => Err(not_kiotviets(status)),
        (400..=499, _) => Err(refused),
        _ => Err(not_kiotviets(status)),
    }
}

/// What an answer about one record means. `words` name its kind: a refused validation that says one
/// of them also means that there is no such record.
pub(super) fn read_record(
    response: &Response,
    words: &[&str],
) -> Result<Option<Value>, KiotVietError> {
    match read(response) {
        Err(refused) if refused.names_a_record(words) => Ok(None),
        answer => answer,
    }
}

/// What the answer to a list means that an edition may not have.
pub(super) fn read_offered(response: &Response) -> Result<Value, KiotVietError> {
    // ASSUMPTION: of an address that is not there, a page for people says no more than JSON.
    if matches!(response.status, 404 | 405 | 501) {
        return Err(KiotVietError::NotOffered);
    }
    read_existing(response)
}

/// What an answer means where "no such record" makes no sense.
pub(super) fn read_existing(response: &Response) -> Result<Value, KiotVietError> {
    read(response)?.ok_or_else(|| KiotVietError::garbled("there is nothing at this address (404)"))
}

/// What an answer of the token endpoint means (OAuth 2.0, RFC 6749, 5.2).
pub(super) fn read_token_answer(response: &Response) -> Result<Value, KiotVietError> {
    let status = response.status;
    let body = Body::read(&response.body);
    let reason = body.json().map(oauth_error).unwrap_or_default();
    match (status, body) {
        (200..=299 | 400 | 401, Body::Json(_)) if !reason.is_empty() => {
            let reason = redact(&reason);
            Err(KiotVietError::CredentialsRefused { reason })
        }
        (200..=299, Body::Json(value)) => Ok(value),
        (400 | 401, Body::Json(_) | Body::Empty) => {
            let reason = format!("HTTP {status}");
            Err(KiotVietError::CredentialsRefused { reason })
        }
        (403, _) => Err(KiotVietError::NoRight),
        (408 | 425 | 429 | 500..=599, _) => Err(busy(response)),
        _ => Err(not_kiotviets(status)),
    }
}

fn busy(response: &Response) -> KiotVietError {
    KiotVietError::Busy {
        status: response.status,
        retry_after: response.retry_after.as_deref().and_then(parse_retry_after),
    }
}

fn not_kiotviets(status: u16) -> KiotVietError {
    KiotVietError::garbled(format!("HTTP {status} with a body that is not KiotViet's"))
}

/// `error` and `error_description`, if present.
fn oauth_error(value: &Value) -> String {
    let Ok(fields) = Fields::of(value, "answer") else {
        return String::new();
    };
    let words = ["error", "error_description"].map(|name| fields.text(name).unwrap_or_default());
    let [error, description] = words;
    match (error.is_empty(), description.is_empty()) {
        (_, true) => error,
        (true, false) => description,
        (false, false) => format!("{error}: {description}"),
    }
}

/// `errorCode` and `message` of `responseStatus`; empty if absent.
fn response_status(body: &Body) -> (String, String) {
    let status = body.json().and_then(|value| {
        let fields = Fields::of(value, "answer").ok()?;
        fields.object("responseStatus").ok()?
    });
    status.map_or_else(Default::default, |status| {
        let text = |name| status.text(name).unwrap_or_default();
        (text("errorCode"), text("message"))
    })
}
