//! The application's variables, read for each request and checked when one has changed. A missing
//! or malformed variable is named for people, with the remedy. Deliveries are still accepted, and
//! nothing is processed until it is mended.

use crate::{
    address::Address,
    failed_log_ins::FailedLogIns,
    journal::{connection_cache, probe},
    kiotviet::{
        assumptions::FNB_TOKEN_PATH, client::Settings as KiotVietSettings, edition::Editions,
    },
    rules::{
        codes::{AccountCode, Edition},
        email::EmailAddress,
        money,
        phone::PhoneField,
        settings::{GenderCodes, RuleSettings},
    },
    seal::Sealer,
    secret::Secret,
};
use core::time::Duration;
use rust_decimal::{Decimal, prelude::ToPrimitive};
use std::sync::Arc;

/// Shortest acceptable token, in characters.
pub const ADMIN_TOKEN_MIN: usize = 16;

/// A variable that is missing or malformed. Never holds the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The variable's name.
    pub variable: &'static str,
    /// What is wrong and how to set it.
    pub problem: String,
}

/// What happens to a delivery whose signature is missing or wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SignaturePolicy {
    /// Observe until this connection's first valid signature, enforce from then on.
    #[default]
    Auto,
    /// A dead letter.
    Enforce,
    /// It is accepted as a hint, with a note.
    Observe,
}

/// When events are processed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Processing {
    /// After the answer.
    #[default]
    Background,
    /// Before the answer, for hosts that stop a guest at its answer.
    Inline,
}

/// The rate limit towards Getfly: at most `calls` in any `window`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallRate {
    /// Calls per window.
    pub calls: usize,
    /// The window.
    pub window: Duration,
}

/// Everything that processing needs; exists only if every variable is valid.
#[derive(Debug, Clone)]
pub struct Ready {
    /// Origin of the Getfly tenant.
    pub getfly_url: String,
    /// `X-API-KEY`.
    pub getfly_api_key: Secret,
    /// The rate limit towards Getfly.
    pub getfly_rate: CallRate,
    /// Where KiotViet reaches this app, without a trailing slash.
    pub public_url: String,
    /// KiotViet's origins.
    pub kiotviet: Editions,
    /// What the rules need.
    pub rules: RuleSettings,
    /// Seals secrets at rest.
    pub sealer: Sealer,
    /// How often invoices are polled where KiotViet has no webhook for them.
    pub poll_every: Duration,
    /// Finished events older than this many days are removed.
    pub retention_days: i64,
    /// Whether the customer's name, his code and a sale's total are kept with its event, sealed.
    pub keep_names: bool,
    /// R6: whether a comment at its account tells of a sale that changed after its order was made.
    pub note_changes: bool,
    /// Where alerts are sent; none: nowhere.
    pub alerts: Option<AlertSettings>,
    /// R3: the product code for lines whose own product Getfly does not know.
    pub fallback_product_code: Option<String>,
}

/// Where alerts are sent.
#[derive(Debug, Clone)]
pub struct AlertSettings {
    /// The receiver's origin.
    pub origin: String,
    /// The path that takes messages; often a password. None: only the heartbeat is sent.
    pub path: Option<Secret>,
    /// The form of the messages.
    pub format: AlertFormat,
    /// The chat, for Telegram.
    pub chat: String,
    /// The path that is requested after each good drain.
    pub heartbeat_path: Option<Secret>,
}

/// The form of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AlertFormat {
    /// An object of our own, for relays.
    #[default]
    Json,
    /// `{"text"}`, as Slack and similar receivers take it.
    Slack,
    /// `{"chat_id","text"}`, Telegram's `sendMessage`.
    Telegram,
}

impl AlertFormat {
    /// The variable's word for this form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Slack => "slack",
            Self::Telegram => "telegram",
        }
    }
}

/// The value of `alert_origin` that sends nothing: Spin requires an origin for every variable in
/// its allow-list.
const NO_ALERTS: &str = "https://alerts.invalid";

/// The configuration, as far as it is valid.
#[derive(Debug, Clone)]
pub struct Config {
    /// Opens `/api`; none if missing or too short.
    pub admin_token: Option<Secret>,
    /// Opens `GET /metrics` only, besides the admin token.
    pub metrics_token: Option<Secret>,
    /// Opens `POST /api/drain` only, besides the admin token.
    pub drain_token: Option<Secret>,
    /// Seals personal data and secrets in the store; none if `master_key` is missing or malformed.
    pub sealer: Option<Sealer>,
    /// What to do with unsigned deliveries.
    pub signature_policy: SignaturePolicy,
    /// When to process.
    pub processing: Processing,
    /// Whether people reach the page by HTTPS, as `public_url` says.
    pub public_https: bool,
    /// Present when there is no problem.
    pub ready: Option<Ready>,
    /// Every variable that needs attention.
    pub problems: Vec<Problem>,
    /// SHA-256 of the component's file, where its host or its manifest tells.
    pub component_digest: Option<String>,
    /// The tokens that are weak enough to be guessed. They still open their routes.
    pub weak_tokens: Vec<&'static str>,
    /// The connections that deliveries came for.
    pub connections: connection_cache::ConnectionCache,
    /// The failed log-ins of this instance.
    pub failed_log_ins: Arc<FailedLogIns>,
    /// What this instance has just seen of the store.
    pub store_seen: Arc<probe::Lately>,
}

struct Reader<F> {
    get: F,
    problems: Vec<Problem>,
}

impl<F: Fn(&str) -> Option<String>> Reader<F> {
    fn text(&self, name: &str) -> Option<String> {
        (self.get)(name)
            .map(|v| v.trim().to_owned())
            .filter(|v| !v.is_empty())
    }

    fn complain(&mut self, variable: &'static str, problem: impl Into<String>) {
        self.problems.push(Problem {
            variable,
            problem: problem.into(),
        });
    }

    fn required(&mut self, name: &'static str, how: &str) -> Option<String> {
        let value = self.text(name);
        if value.is_none() {
            self.complain(name, format!("is not set. {how}"));
        }
        value
    }

    /// An optional secret that opens one route. A short one opens nothing, and is reported.
    fn one_routes_token(&mut self, name: &'static str) -> Option<Secret> {
        let token = self.text(name)?;
        if token.chars().count() < ADMIN_TOKEN_MIN {
            self.complain(
                name,
                "is shorter than 16 characters. Choose a longer random text, or leave it empty.",
            );
            return None;
        }
        Some(Secret::new(token))
    }

    fn parsed<T>(
        &mut self,
        name: &'static str,
        default: T,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> T {
        match self.text(name).map(|v| parse(&v)) {
            None => default,
            Some(Ok(value)) => value,
            Some(Err(why)) => {
                self.complain(name, why);
                default
            }
        }
    }

    fn path(&mut self, name: &'static str) -> Option<Secret> {
        let path = self.text(name)?;
        if !path.starts_with('/') {
            self.complain(
                name,
                "must begin with a slash: what follows alert_origin in the receiver's address.",
            );
        }
        Some(Secret::new(path))
    }

    fn alerts(&mut self) -> Option<AlertSettings> {
        let format = self.parsed("alert_format", AlertFormat::Json, |v| match v {
            "json" => Ok(AlertFormat::Json),
            "slack" => Ok(AlertFormat::Slack),
            "telegram" => Ok(AlertFormat::Telegram),
            _ => Err("must be json, slack or telegram.".to_owned()),
        });
        let chat = self.text("alert_chat").unwrap_or_default();
        let (path, heartbeat_path) = (self.path("alert_path"), self.path("heartbeat_path"));
        let origin = self
            .text("alert_origin")
            .filter(|o| !o.eq_ignore_ascii_case(NO_ALERTS));
        let Some(origin) = origin else {
            if path.is_some() || heartbeat_path.is_some() {
                self.complain("alert_origin", "is not set, though alert_path or heartbeat_path is. Set the receiver's origin, e.g. https://hooks.slack.com.");
            }
            return None;
        };
        let origin = self.origin("alert_origin", Some(origin));
        if path.is_none() && heartbeat_path.is_none() {
            self.complain("alert_path", "is not set, though alert_origin is. Set the path of the receiver's address, e.g. /services/T000/B000/XXXX, or heartbeat_path.");
        }
        if format == AlertFormat::Telegram && chat.is_empty() && path.is_some() {
            self.complain(
                "alert_chat",
                "is not set: Telegram needs the number of the chat that gets the messages.",
            );
        }
        Some(AlertSettings {
            origin,
            path,
            format,
            chat,
            heartbeat_path,
        })
    }

    /// An origin that has a default.
    fn origin_or(&mut self, name: &'static str, default: &str) -> String {
        match self.text(name) {
            None => default.to_owned(),
            set => self.origin(name, set),
        }
    }

    fn origin(&mut self, name: &'static str, value: Option<String>) -> String {
        let Some(value) = value else {
            return String::new();
        };
        if let Err(why) = check_origin(&value) {
            self.complain(name, why);
        }
        value
    }
}

fn check_origin(value: &str) -> Result<(), String> {
    let how =
        "Set an origin only, e.g. https://shop.getflycrm.com, without a path or trailing slash.";
    let address =
        Address::parse(value).ok_or_else(|| format!("is not an http(s) address. {how}"))?;
    if !address.path.is_empty() {
        return Err(format!("has a path, a query or a trailing slash. {how}"));
    }
    Ok(())
}

fn public_url(value: &str) -> Result<(), String> {
    let how = "Set the address where KiotViet reaches this app, e.g. https://bridge.example.vn, without a trailing slash.";
    let address =
        Address::parse(value).ok_or_else(|| format!("is not an http(s) address. {how}"))?;
    if value.ends_with('/') || address.path.contains(['?', '#']) {
        return Err(format!(
            "has a trailing slash, a query or a fragment. {how}"
        ));
    }
    Ok(())
}

fn yes_or_no(value: &str) -> Result<bool, String> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("must be true or false.".to_owned()),
    }
}

fn rate(value: &str) -> Result<CallRate, String> {
    // At a slower rate, an event with several searches would take minutes.
    let slowest = Decimal::new(2, 1);
    let wrong = || "is not a number from 0.2 to 100, e.g. 2 or 0.5.".to_owned();
    let per_second = money::parse_text(value).ok_or_else(wrong)?;
    if per_second < slowest || per_second > Decimal::from(100) {
        return Err(wrong());
    }
    let calls = per_second.ceil().to_usize().ok_or_else(wrong)?;
    let millis = Decimal::from(calls)
        .checked_mul(Decimal::from(1000))
        .and_then(|m| m.checked_div(per_second));
    let millis = millis.and_then(|m| m.ceil().to_u64()).ok_or_else(wrong)?;
    Ok(CallRate {
        calls,
        window: Duration::from_millis(millis),
    })
}

impl Config {
    /// Reads and checks every variable of the contract's table through `get`. An unset or blank
    /// variable takes its default.
    pub fn load(get: impl Fn(&str) -> Option<String>) -> Self {
        let mut read = Reader {
            get,
            problems: Vec::new(),
        };
        let getfly_url = read.required(
            "getfly_url",
            "Set your tenant's origin, e.g. https://shop.getflycrm.com.",
        );
        let getfly_url = read.origin("getfly_url", getfly_url);
        let getfly_api_key = read.required(
            "getfly_api_key",
            "In Getfly: Cài đặt › Tích hợp › Tích hợp phần mềm khác › Getfly API Key.",
        );
        let public = read.required(
            "public_url",
            "Set the address where KiotViet reaches this app.",
        );
        if let Some(Err(why)) = public.as_deref().map(public_url) {
            read.complain("public_url", why);
        }
        let public_https = public.as_deref().is_some_and(|u| u.starts_with("https://"));
        let admin_token = read
            .required(
                "admin_token",
                "Choose a random text of at least 16 characters; it opens the page.",
            )
            .map(Secret::new);
        let admin_token = admin_token.filter(|t| t.reveal().chars().count() >= ADMIN_TOKEN_MIN);
        if admin_token.is_none() && read.text("admin_token").is_some() {
            read.complain(
                "admin_token",
                "is shorter than 16 characters. Choose a longer random text.",
            );
        }
        let metrics_token = read.one_routes_token("metrics_token");
        let drain_token = read.one_routes_token("drain_token");
        let tokens = [
            ("admin_token", &admin_token),
            ("metrics_token", &metrics_token),
            ("drain_token", &drain_token),
        ];
        let is_weak = |token: &Option<Secret>| token.as_ref().is_some_and(Secret::is_weak);
        let weak = tokens.into_iter().filter(|(_, token)| is_weak(token));
        let weak_tokens = weak.map(|(name, _)| name).collect();
        let sealer = read
            .required(
                "master_key",
                "Set 32 random bytes in Base64, e.g. the output of: openssl rand -base64 32",
            )
            .map(|key| Sealer::from_base64(&key));
        let sealer = match sealer {
            Some(Ok(sealer)) => Some(sealer),
            Some(Err(why)) => {
                read.complain("master_key", why);
                None
            }
            None => None,
        };
        let fnb = KiotVietSettings {
            api_url: read.origin_or("kiotviet_fnb_api_url", "https://publicfnb.kiotapi.com"),
            auth_url: read.origin_or("kiotviet_fnb_auth_url", "https://api.fnb.kiotviet.vn"),
            token_path: FNB_TOKEN_PATH.to_owned(),
            edition: Edition::Fnb,
        };
        let retail = KiotVietSettings {
            api_url: read.origin_or("kiotviet_api_url", "https://public.kiotapi.com"),
            auth_url: read.origin_or("kiotviet_auth_url", "https://id.kiotviet.vn"),
            edition: Edition::Retail,
            token_path: read.parsed("kiotviet_token_path", "/connect/token".to_owned(), |v| {
                if v.starts_with('/') {
                    Ok(v.to_owned())
                } else {
                    Err("must begin with a slash, e.g. /connect/token.".to_owned())
                }
            }),
        };
        let getfly_rate = read.parsed(
            "getfly_requests_per_second",
            CallRate {
                calls: 2,
                window: Duration::from_secs(1),
            },
            rate,
        );
        let gender_codes = read.parsed("gender_codes", GenderCodes::default(), GenderCodes::parse);
        let signature_policy =
            read.parsed("signature_policy", SignaturePolicy::Auto, |v| match v {
                "auto" => Ok(SignaturePolicy::Auto),
                "enforce" => Ok(SignaturePolicy::Enforce),
                "observe" => Ok(SignaturePolicy::Observe),
                _ => Err("must be auto, enforce or observe.".to_owned()),
            });
        let processing = read.parsed("processing", Processing::Background, |v| match v {
            "background" => Ok(Processing::Background),
            "inline" => Ok(Processing::Inline),
            _ => Err("must be background or inline.".to_owned()),
        });
        let retention_days = read.parsed("retention_days", 30, |v| {
            v.parse()
                .ok()
                .filter(|d| (1..=3650).contains(d))
                .ok_or_else(|| "must be a whole number of days from 1 to 3650.".to_owned())
        });
        let poll_every = read.parsed("poll_seconds", Duration::from_secs(60), |v| {
            let seconds = v.parse().ok().filter(|s| (30..=3600).contains(s));
            let seconds = seconds.map(Duration::from_secs);
            seconds.ok_or_else(|| "must be a whole number of seconds from 30 to 3600.".to_owned())
        });
        let keep_names = read.parsed("keep_names", true, yes_or_no);
        let note_changes = read.parsed("note_changes", false, yes_or_no);
        let ignored_phones = read
            .text("ignored_phones")
            .map(|list| {
                list.split(',')
                    .flat_map(|p| PhoneField::parse(p).numbers().to_vec())
                    .collect()
            })
            .unwrap_or_default();
        let ignored_emails = read.parsed("ignored_emails", Vec::new(), |list| {
            let parts = list.split(',').filter(|part| !part.trim().is_empty());
            let read: Option<_> = parts.map(EmailAddress::parse).collect();
            read.ok_or_else(|| {
                "must be a comma list of e-mail addresses, like khongco@gmail.com.".to_owned()
            })
        });
        let rules = RuleSettings {
            customer_source: Some(
                read.text("customer_source")
                    .unwrap_or_else(|| "KiotViet".to_owned()),
            ),
            gender_codes,
            walk_in_account_code: read.text("walk_in_account_code").map(AccountCode::existing),
            ignored_phones,
            ignored_emails,
            customer_campaign_code: read.text("customer_campaign_code"),
            order_campaign_code: read.text("order_campaign_code"),
            campaign_recipient_username: read.text("campaign_recipient_username"),
        };
        if rules.customer_campaign_code.is_some() && rules.campaign_recipient_username.is_none() {
            read.complain(
                "campaign_recipient_username",
                "is not set, and Getfly's campaign enrolment (customer_campaign_code) needs the login name of whoever receives the opportunity.",
            );
        }
        let fallback_product_code = read.text("fallback_product_code");
        let alerts = read.alerts();
        let component_digest = read.text("component_digest");
        let problems = read.problems;
        let ready = match (&sealer, getfly_api_key, public) {
            (Some(sealer), Some(key), Some(public_url)) if problems.is_empty() => Some(Ready {
                getfly_url,
                getfly_api_key: Secret::new(key),
                getfly_rate,
                public_url,
                kiotviet: Editions { retail, fnb },
                rules,
                sealer: sealer.clone(),
                poll_every,
                retention_days,
                keep_names,
                note_changes,
                fallback_product_code,
                alerts,
            }),
            _ => None,
        };
        Self {
            admin_token,
            metrics_token,
            drain_token,
            sealer,
            signature_policy,
            processing,
            public_https,
            ready,
            problems,
            component_digest,
            weak_tokens,
            connections: connection_cache::ConnectionCache::default(),
            failed_log_ins: Arc::default(),
            store_seen: Arc::default(),
        }
    }
}
