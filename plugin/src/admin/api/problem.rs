//! Errors for people, as RFC 9457 `application/problem+json` with a stable `type`.

use crate::{
    config::Config,
    getfly::error::GetflyError,
    json::{ToJson, object},
    kiotviet::error::KiotVietError,
    web::Answer,
    world::StoreError,
};
use serde_json::Value;

/// An error answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    pub(in crate::admin) status: u16,
    pub(in crate::admin) kind: &'static str,
    pub(in crate::admin) title: &'static str,
    pub(in crate::admin) detail: String,
    more: Option<(&'static str, Value)>,
}

impl Problem {
    /// A problem of a stable `kind`; `detail` says what was wrong and how to mend it.
    pub fn new(
        status: u16,
        kind: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            status,
            kind,
            title,
            detail: detail.into(),
            more: None,
        }
    }

    /// Adds a member.
    pub fn with(mut self, name: &'static str, value: Value) -> Self {
        self.more = Some((name, value));
        self
    }

    /// The answer.
    pub fn answer(&self) -> Answer {
        let mut members = vec![
            ("type", self.kind.to_json()),
            ("title", self.title.to_json()),
            ("status", self.status.to_json()),
            ("detail", self.detail.to_json()),
        ];
        members.extend(self.more.clone());
        let mut answer = Answer::json(self.status, &object(members));
        answer.content_type = Some("application/problem+json");
        if self.status == 401 {
            answer
                .headers
                .push(("www-authenticate", "Bearer".to_owned()));
        }
        answer
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
pub fn invalid(detail: impl Into<String>) -> Problem {
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
    let problems: Vec<Value> = config
        .problems
        .iter()
        .map(|p| {
            object(vec![
                ("variable", p.variable.to_json()),
                ("problem", p.problem.to_json()),
            ])
        })
        .collect();
    let names: Vec<&str> = config.problems.iter().map(|p| p.variable).collect();
    Problem::new(
        503,
        "not-configured",
        "The application is not configured",
        format!("These variables need attention: {}.", names.join(", ")),
    )
    .with("variables", Value::Array(problems))
}

impl From<StoreError> for Problem {
    fn from(e: StoreError) -> Self {
        Self::new(
            503,
            "store-unavailable",
            "The key-value store does not answer",
            e.to_string(),
        )
    }
}

impl From<GetflyError> for Problem {
    fn from(e: GetflyError) -> Self {
        match &e {
            GetflyError::Refused(_) | GetflyError::KeyRefused { .. } => {
                Self::new(502, "getfly-refused", "Getfly refused", e.to_string())
            }
            GetflyError::Denied => Self::new(
                502,
                "host-denies-call",
                "The host does not allow calls to Getfly",
                e.to_string(),
            ),
            GetflyError::Busy { .. }
            | GetflyError::Unreachable(_)
            | GetflyError::NothingThere
            | GetflyError::Garbled { .. } => Self::new(
                502,
                "getfly-unreachable",
                "Getfly does not answer as it should",
                format!("{e}. Try again in a minute."),
            ),
        }
    }
}

impl From<KiotVietError> for Problem {
    fn from(e: KiotVietError) -> Self {
        let refused = "KiotViet refused the shop name, ClientId or security code (Mã bảo mật)";
        match &e {
            KiotVietError::CredentialsRefused { .. } | KiotVietError::Unauthorized { .. } => {
                Self::new(422, "kiotviet-refused-credentials", refused, e.to_string())
            }
            KiotVietError::NoRight => Self::new(
                422,
                "kiotviet-no-right",
                "KiotViet does not give this connection the right",
                "In KiotViet, Thiết lập kết nối API: tick \"Cho phép truy xuất thông tin khách hàng, hóa đơn, đặt hàng từ gian hàng của bạn\" and Hoạt động, then save.",
            ),
            KiotVietError::Refused { .. } => {
                Self::new(422, "kiotviet-refused", "KiotViet refused", e.to_string())
            }
            KiotVietError::Denied { .. } => Self::new(
                502,
                "host-denies-call",
                "The host does not allow calls to KiotViet",
                e.to_string(),
            ),
            KiotVietError::Busy { .. }
            | KiotVietError::Unreachable(_)
            | KiotVietError::Unreadable { .. }
            | KiotVietError::Garbled { .. } => Self::new(
                502,
                "kiotviet-unreachable",
                "KiotViet does not answer as it should",
                format!("{e}. Try again in a minute."),
            ),
        }
    }
}
