//! Errors for people, as RFC 9457 `application/problem+json` with a stable `type`.

use crate::{
    admin::api::view, config::Config, getfly::error::GetflyError, journal::trouble::Trouble,
    kiotviet::error::KiotVietError, web::Answer, world::StoreError,
};
use core::fmt;
use serde::{Serialize, Serializer};

/// What was wrong and how to mend it.
#[derive(Debug, Clone, PartialEq)]
pub enum Detail {
    /// In words of the request that failed.
    Words(String),
    /// What a vendor answered, or why it did not.
    Trouble(Trouble),
    /// The same, where it may pass.
    Passing(Trouble),
    /// A backfill's days are the wrong way round.
    FromTooLate,
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Words(words) => f.write_str(words),
            Self::Trouble(trouble) => write!(f, "{trouble}"),
            Self::Passing(trouble) => write!(f, "{trouble}. Try again in a minute."),
            Self::FromTooLate => f.write_str("from must be earlier than to, and than now."),
        }
    }
}

impl From<String> for Detail {
    fn from(words: String) -> Self {
        Self::Words(words)
    }
}

impl From<&str> for Detail {
    fn from(words: &str) -> Self {
        Self::Words(words.to_owned())
    }
}

/// An error answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    pub(in crate::admin) status: u16,
    pub(in crate::admin) kind: &'static str,
    pub(in crate::admin) title: &'static str,
    pub(in crate::admin) detail: Box<Detail>,
    variables: Option<Vec<view::Variable>>,
}

impl Problem {
    /// A problem of a stable `kind`; `detail` says what was wrong and how to mend it.
    pub fn new(
        status: u16,
        kind: &'static str,
        title: &'static str,
        detail: impl Into<Detail>,
    ) -> Self {
        Self {
            status,
            kind,
            title,
            detail: Box::new(detail.into()),
            variables: None,
        }
    }

    fn details(&self) -> view::ProblemDetails {
        view::ProblemDetails {
            detail: self.detail.to_string(),
            status: self.status,
            title: self.title.to_owned(),
            kind: self.kind.to_owned(),
            variables: self.variables.clone(),
        }
    }

    /// The answer.
    pub fn answer(&self) -> Answer {
        let mut answer = Answer::json(self.status, &self.details());
        answer.content_type = Some("application/problem+json");
        if self.status == 401 {
            answer
                .headers
                .push(("www-authenticate", "Bearer".to_owned()));
        }
        answer
    }
}

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.details().serialize(serializer)
    }
}

/// 404 for anything that is not there.
pub fn not_found(detail: &str) -> Problem {
    Problem::new(404, "not-found", "Not found", detail)
}

/// 404 for a connection.
pub fn unknown_connection(name: &str) -> Problem {
    let name: String = name.chars().take(64).collect();
    Problem::new(
        404,
        "unknown-connection",
        "Unknown connection",
        format!("There is no connection “{name}”."),
    )
}

/// 400 for a request that cannot be understood.
pub fn invalid(detail: impl Into<Detail>) -> Problem {
    Problem::new(
        400,
        "invalid-request",
        "The request cannot be understood",
        detail,
    )
}

/// 405.
pub fn method_not_allowed(allowed: &str) -> Problem {
    Problem::new(
        405,
        "method-not-allowed",
        "Method not allowed",
        format!("Use {allowed} here."),
    )
}

/// 401.
pub fn unauthorized() -> Problem {
    Problem::new(
        401,
        "unauthorized",
        "The admin token is missing or wrong",
        "Send Authorization: Bearer <admin_token>.",
    )
}

/// 503 while variables are missing or malformed.
pub fn not_configured(config: &Config) -> Problem {
    let variables = config.problems.iter().map(|p| view::Variable {
        problem: p.problem.to_string(),
        variable: p.variable.to_owned(),
    });
    let variables = Some(variables.collect());
    let names: Vec<&str> = config.problems.iter().map(|p| p.variable).collect();
    Problem {
        variables,
        ..Problem::new(
            503,
            "not-configured",
            "The application is not configured",
            format!("These variables need attention: {}.", names.join(", ")),
        )
    }
}

impl From<StoreError> for Problem {
    fn from(e: StoreError) -> Self {
        let (kind, title) = match &e {
            StoreError::Newer { .. } => ("newer-store", "The store belongs to a newer version"),
            StoreError::Failed(_) | StoreError::LeaseEnded | StoreError::Damaged { .. } => {
                ("store-unavailable", "The key-value store does not answer")
            }
        };
        Self::new(503, kind, title, e.to_string())
    }
}

impl From<GetflyError> for Problem {
    fn from(e: GetflyError) -> Self {
        match &e {
            GetflyError::Refused(_) | GetflyError::KeyRefused { .. } => {
                let detail = Detail::Trouble(e.into());
                Self::new(502, "getfly-refused", "Getfly refused", detail)
            }
            GetflyError::Denied => Self::new(
                502,
                "host-denies-call",
                "The host does not allow calls to Getfly",
                Detail::Trouble(e.into()),
            ),
            GetflyError::Busy { .. }
            | GetflyError::Unreachable(_)
            | GetflyError::NothingThere
            | GetflyError::Garbled { .. }
            | GetflyError::Untold { .. } => Self::new(
                502,
                "getfly-unreachable",
                "Getfly does not answer as it should",
                Detail::Passing(e.into()),
            ),
        }
    }
}

impl From<KiotVietError> for Problem {
    fn from(e: KiotVietError) -> Self {
        let refused = "KiotViet refused the shop name, ClientId or security code (Mã bảo mật)";
        match &e {
            KiotVietError::CredentialsRefused { .. } | KiotVietError::Unauthorized { .. } => {
                let detail = Detail::Trouble(e.into());
                Self::new(422, "kiotviet-refused-credentials", refused, detail)
            }
            KiotVietError::NoRight => Self::new(
                422,
                "kiotviet-no-right",
                "KiotViet does not give this connection the right",
                "In KiotViet, Thiết lập kết nối API: tick \"Cho phép truy xuất thông tin khách hàng, hóa đơn, đặt hàng từ gian hàng của bạn\" and Hoạt động, then save.",
            ),
            KiotVietError::Refused { .. } => {
                let detail = Detail::Trouble(e.into());
                Self::new(422, "kiotviet-refused", "KiotViet refused", detail)
            }
            KiotVietError::Denied { .. } => Self::new(
                502,
                "host-denies-call",
                "The host does not allow calls to KiotViet",
                Detail::Trouble(e.into()),
            ),
            KiotVietError::Busy { .. }
            | KiotVietError::NotOffered
            | KiotVietError::Unreachable(_)
            | KiotVietError::Unreadable { .. }
            | KiotVietError::Garbled { .. } => Self::new(
                502,
                "kiotviet-unreachable",
                "KiotViet does not answer as it should",
                Detail::Passing(e.into()),
            ),
        }
    }
}
