//! Requests to the app's router, over a store in memory with one connected shop, one waiting
//! customer and one dead letter. Both vendors are dead. Input: requests in the form of HTTP/1.1 (a
//! line with method and target, header lines, a blank line, the body), separated by lines of `---`.
//!
//! `{token}` stands for the admin token, `{cookie}` for a session's cookie, `{csrf}` for its form
//! token, `{hook}` for the path of the shop's webhook. Three more header lines describe what
//! happens around a request: `store: down`, `body: broken`, and `body-length: 6000000` for a body
//! that is longer than it looks.

use super::memory::{Kept, Memory, now};
use plugin::{
    app,
    config::Config,
    drain::how::Waits,
    intake::accept::MAX_BODY_BYTES,
    journal::{connection_name::ConnectionName, connections},
    kiotviet::client::Credentials,
    rules::codes::RetailerId,
    secret::Secret,
    web::{After, Answer, Body, BodyError, Inbound},
};
use std::{cell::Cell, collections::BTreeMap, rc::Rc, sync::OnceLock};

const ADMIN_TOKEN: &str = "an-admin-token-for-fuzzing";
const MASTER_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const GETFLY_KEY: &str = "getfly-key-for-fuzzing";
const CLIENT_SECRET: &str = "client-secret-for-fuzzing";
/// Texts that only people with the token may see.
const INSIDE: [&str; 2] = ["cuahangthu", "HDFUZZ01"];
const MOST_REQUESTS: usize = 6;

/// The headers of every answer to a browser.
const SECURITY_HEADERS: [&str; 9] = [
    "cache-control",
    "content-security-policy",
    "x-content-type-options",
    "x-frame-options",
    "referrer-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "permissions-policy",
    "strict-transport-security",
];

/// The app's variables, all of them valid.
pub(super) fn variable(name: &str) -> Option<String> {
    let [getfly, api, auth] = super::memory::ORIGINS;
    let value = match name {
        "getfly_url" => getfly,
        "getfly_api_key" => GETFLY_KEY,
        "public_url" => "https://bridge.test",
        "admin_token" => ADMIN_TOKEN,
        "master_key" => MASTER_KEY,
        "kiotviet_api_url" => api,
        "kiotviet_auth_url" => auth,
        _ => return None,
    };
    Some(value.to_owned())
}

/// No request without the token gets in, no secret gets out, KiotViet gets no status that ends its
/// deliveries, and each answer to a browser carries the security headers.
pub fn check(data: &[u8]) {
    let start = start();
    let world = Memory::over(start.store.clone());
    let config = Config::load(variable);
    for part in split(data, b"\n---\n").into_iter().take(MOST_REQUESTS) {
        let Some(request) = Asked::read(part, start) else {
            continue;
        };
        world
            .store_is_down
            .set(request.header("store") == Some("down"));
        let before = world.store.borrow().clone();
        let (answer, after) = now(app::handle(&world, &config, request.inbound()));
        // The first request for the health or for connecting a shop tests the store once.
        let touched = without_trial(&world.store.borrow()) != without_trial(&before);
        is_well_formed(&answer);
        has_no_secret(&request, &answer, start);
        match request.segments().as_slice() {
            ["hooks", rest @ ..] => hook(&request, rest, &answer, touched, start),
            ["healthz"] => assert!(matches!(answer.status, 200 | 503) && !touched),
            ["metrics"] | ["api", ..] => api(&request, &answer, after, touched),
            [""] | ["ui", ..] => page(&request, &answer, after, touched, start),
            _ => assert_eq!((answer.status, touched), (404, false)),
        }
        now(app::process(&world, &config, after, Waits::No));
        for line in world.log.borrow().iter() {
            for secret in start.secrets() {
                assert!(!line.contains(secret), "a secret in the log: {line}");
            }
        }
    }
}

fn without_trial(store: &BTreeMap<String, Kept>) -> Vec<(&String, &Kept)> {
    let tried = |key: &str| key.starts_with("kvgf/store");
    store.iter().filter(|(key, _)| !tried(key)).collect()
}

/// The start of every input, made once.
struct Start {
    store: BTreeMap<String, Kept>,
    hook: String,
    webhook_secret: String,
    cookie: String,
    csrf: String,
}

impl Start {
    /// Texts that must never leave the app. The session's marks go to its owner's browser only.
    fn secrets(&self) -> [&str; 6] {
        let path_token = self.hook.rsplit('/').next().unwrap_or_default();
        let secret = &self.webhook_secret;
        [
            ADMIN_TOKEN,
            MASTER_KEY,
            GETFLY_KEY,
            CLIENT_SECRET,
            path_token,
            secret,
        ]
    }
}

fn start() -> &'static Start {
    static START: OnceLock<Start> = OnceLock::new();
    START.get_or_init(|| {
        let world = Memory::over(BTreeMap::new());
        let config = Config::load(variable);
        // Connecting a shop tests the store first.
        let fit = now(plugin::journal::probe::look(&world));
        assert_eq!(fit, Ok(None));
        let sealer = config.sealer.clone().expect("a key");
        let credentials = Credentials {
            retailer: RetailerId::parse("cuahangthu").expect("a shop's name"),
            client_id: "client-id".to_owned(),
            client_secret: Secret::new(CLIENT_SECRET),
        };
        let at = plugin::world::Clock::now(&world);
        let name = ConnectionName::parse("shop").expect("a name");
        let connection = connections::Connection::make(&name, &credentials, None, at, &sealer, &world);
        let connection = connection.expect("a connection");
        now(connections::save(&world, &connection, true)).expect("a store that works");
        for webhook in connections::Webhook::ALL {
            now(connections::set_switch(&world, &name, webhook, Some(at))).expect("a store that works");
        }
        let opened = connection.open(&sealer).expect("its own secrets");
        let hook = connection.hook_path(&opened);
        let send = |method: &str, path: &str, cookie: Option<&str>, body: &[u8]| {
            let asked = Asked {
                method: method.to_owned(),
                target: path.to_owned(),
                headers: cookie.map(|c| ("cookie".to_owned(), c.to_owned())).into_iter().collect(),
                body: body.to_vec(),
            };
            let (answer, _) = now(app::handle(&world, &config, asked.inbound()));
            answer
        };
        let deliveries: [&[u8]; 2] = [
            br#"{"Notifications":[{"Action":"invoice.update.1","Data":[{"Id":7,"Code":"HDFUZZ01"}]}]}"#,
            b"no envelope",
        ];
        for delivery in deliveries {
            assert_eq!(send("POST", &hook, None, delivery).status, 200);
        }
        let login = format!("token={ADMIN_TOKEN}");
        let answer = send("POST", "/ui/login", None, login.as_bytes());
        let cookie = answer.headers.iter().find(|(name, _)| *name == "set-cookie");
        let cookie = cookie.expect("a session").1.split(';').next().unwrap_or_default().to_owned();
        let form = send("GET", "/ui/connect", Some(&cookie), b"");
        let form = String::from_utf8(form.body).expect("a page");
        let csrf = form.split("name=\"csrf\" value=\"").nth(1).expect("a form");
        let csrf = csrf.split('"').next().unwrap_or_default().to_owned();
        let store = world.store.borrow().clone();
        Start {
            store,
            hook,
            webhook_secret: opened.webhook_secret.reveal().to_owned(),
            cookie,
            csrf,
        }
    })
}

/// Sends a form, from a person who is logged in or from a stranger. Returns the answer, how much of
/// the body was read, and whether the store was touched. `{csrf}` in the body stands for the form
/// token.
pub(super) fn form(path: &str, inside: bool, body: &[u8]) -> (Answer, Option<usize>, bool) {
    let start = start();
    let world = Memory::over(start.store.clone());
    let config = Config::load(variable);
    let cookie = inside.then(|| ("cookie".to_owned(), start.cookie.clone()));
    let body = match std::str::from_utf8(body) {
        Ok(text) => text.replace("{csrf}", &start.csrf).into_bytes(),
        Err(_) => body.to_vec(),
    };
    let asked = Asked {
        method: "POST".to_owned(),
        target: path.to_owned(),
        headers: cookie.into_iter().collect(),
        body,
    };
    let request = asked.inbound();
    let limit = Rc::clone(&request.body.limit);
    let (answer, _) = now(app::handle(&world, &config, request));
    let touched = without_trial(&world.store.borrow()) != without_trial(&start.store);
    is_well_formed(&answer);
    has_no_secret(&asked, &answer, start);
    (answer, limit.get(), touched)
}

/// One request as it was written.
struct Asked {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Asked {
    /// None for a request that no HTTP server would pass on.
    fn read(part: &[u8], start: &Start) -> Option<Self> {
        let whole = match std::str::from_utf8(part) {
            Ok(text) => text
                .replace("{token}", ADMIN_TOKEN)
                .replace("{cookie}", &start.cookie)
                .replace("{csrf}", &start.csrf)
                .replace("{hook}", &start.hook)
                .into_bytes(),
            Err(_) => part.to_vec(),
        };
        let (head, body) = match split(&whole, b"\n\n").as_slice() {
            [head] => (*head, &[][..]),
            [head, ..] => (*head, whole.get(head.len() + 2..)?),
            [] => return None,
        };
        let head = String::from_utf8_lossy(head);
        let mut lines = head.split('\n');
        let (method, target) = lines.next()?.split_once(' ')?;
        let method: http::Method = method.parse().ok()?;
        let target: http::Uri = target.parse().ok()?;
        let headers = lines.filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            let value = http::HeaderValue::from_str(value.trim()).ok()?;
            Some((name.trim().to_lowercase(), value.to_str().ok()?.to_owned()))
        });
        Some(Self {
            method: method.to_string(),
            target: target.path_and_query()?.to_string(),
            headers: headers.collect(),
            body: body.to_vec(),
        })
    }

    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_str())
    }

    fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    fn segments(&self) -> Vec<&str> {
        self.path().split('/').skip(1).collect()
    }

    fn body_length(&self) -> usize {
        let told = self
            .header("body-length")
            .and_then(|text| text.parse().ok());
        told.unwrap_or(0).max(self.body.len())
    }

    fn body_is_broken(&self) -> bool {
        self.header("body") == Some("broken")
    }

    fn inbound(&self) -> Inbound<Sent> {
        let header = |name| self.header(name).map(str::to_owned);
        let query = self.target.split_once('?');
        Inbound {
            method: self.method.clone(),
            path: self.path().to_owned(),
            query: query.map(|(_, query)| query.to_owned()),
            authorization: header("authorization"),
            signature: header("x-hub-signature"),
            cookie: header("cookie"),
            fetch_site: header("sec-fetch-site"),
            client: header("spin-client-addr"),
            body: Sent {
                bytes: self.body.clone(),
                length: self.body_length(),
                broken: self.body_is_broken(),
                limit: Rc::default(),
            },
        }
    }

    fn has_token(&self) -> bool {
        let offered = self
            .header("authorization")
            .and_then(|text| text.split_once(' '));
        offered.is_some_and(|(scheme, token)| {
            scheme.eq_ignore_ascii_case("bearer") && token.trim() == ADMIN_TOKEN
        })
    }

    fn has_session(&self, start: &Start) -> bool {
        let cookies = self.header("cookie").unwrap_or_default();
        cookies
            .split(';')
            .any(|cookie| cookie.trim() == start.cookie)
    }

    /// Whether the request itself contains `text` where an answer may repeat it.
    fn says(&self, text: &str) -> bool {
        let said = |bytes: &[u8]| {
            let decoded: Vec<u8> = form_urlencoded::parse(bytes)
                .flat_map(|(name, value)| {
                    [name.into_owned(), value.into_owned()]
                        .concat()
                        .into_bytes()
                })
                .collect();
            [bytes, &decoded].iter().any(|bytes| holds(bytes, text))
        };
        said(self.target.as_bytes()) || said(&self.body)
    }
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}

/// The parts of `bytes` between `mark`s.
fn split<'b>(bytes: &'b [u8], mark: &[u8]) -> Vec<&'b [u8]> {
    let (mut parts, mut rest) = (Vec::new(), bytes);
    while let Some(at) = rest.windows(mark.len()).position(|window| window == mark) {
        let (part, more) = rest.split_at(at);
        parts.push(part);
        rest = &more[mark.len()..];
    }
    parts.push(rest);
    parts
}

struct Sent {
    bytes: Vec<u8>,
    length: usize,
    broken: bool,
    /// The largest limit with which it was read.
    limit: Rc<Cell<Option<usize>>>,
}

impl Body for Sent {
    async fn read(self, limit: usize) -> Result<Vec<u8>, BodyError> {
        self.limit.set(Some(limit));
        match self.length {
            length if length > limit => Err(BodyError::TooLarge),
            _ if self.broken => Err(BodyError::Broken),
            _ => Ok(self.bytes),
        }
    }
}

/// The answer can be sent by every host, and read by every reader.
fn is_well_formed(answer: &Answer) {
    assert!(
        matches!(answer.status, 200..=499 | 502 | 503),
        "{}: {}",
        answer.status,
        String::from_utf8_lossy(&answer.body)
    );
    for (name, value) in &answer.headers {
        assert!(
            http::HeaderName::from_bytes(name.as_bytes()).is_ok(),
            "{name}"
        );
        let sound = value.bytes().all(|b| matches!(b, b' '..=b'~'));
        assert!(sound, "{name}: {value:?}");
    }
    assert_eq!(answer.content_type.is_none(), answer.body.is_empty());
    match answer.content_type {
        Some("application/json") => {
            let _: serde_json::Value = serde_json::from_slice(&answer.body).expect("JSON");
        }
        Some("application/problem+json") => {
            let problem: serde_json::Value = serde_json::from_slice(&answer.body).expect("JSON");
            assert_eq!(problem["status"].as_u64(), Some(u64::from(answer.status)));
            assert!(
                problem["type"]
                    .as_str()
                    .is_some_and(|kind| !kind.is_empty())
            );
        }
        Some("text/html; charset=utf-8") => {
            let page = String::from_utf8(answer.body.clone()).expect("text");
            for part in [
                "<script",
                "<img",
                "javascript:\"",
                " onload=\"",
                " style=\"",
            ] {
                assert!(!page.contains(part), "{part} in {page}");
            }
            for (at, _) in page.match_indices("=\"http") {
                leads_to_a_vendor(&page, at);
            }
        }
        _ => {}
    }
}

/// What a page has from elsewhere is a link to one of the two systems.
fn leads_to_a_vendor(page: &str, at: usize) {
    let (before, address) = page.split_at(at);
    let address = address.trim_start_matches("=\"");
    let origin = address
        .trim_start_matches("https://")
        .split(['/', '"'])
        .next();
    let origin = origin.unwrap_or_default();
    let known = origin == "shop.getfly.test" || origin.ends_with(".kiotviet.vn");
    assert!(before.ends_with("<a href") && known, "{address}");
}

fn has_no_secret(request: &Asked, answer: &Answer, start: &Start) {
    let headers: String = answer
        .headers
        .iter()
        .map(|(_, value)| format!("{value}\n"))
        .collect();
    let said = |text: &str| holds(&answer.body, text) || headers.contains(text);
    for secret in start.secrets() {
        assert!(
            !said(secret) || request.says(secret),
            "{} tells a secret",
            request.target
        );
    }
    if !request.has_session(start) && !request.has_token() {
        for inside in INSIDE
            .into_iter()
            .chain([start.csrf.as_str(), &start.cookie])
        {
            assert!(
                !said(inside) || request.says(inside),
                "{} tells {inside}",
                request.target
            );
        }
    }
}

/// The contract's "Answers to KiotViet".
fn hook(request: &Asked, rest: &[&str], answer: &Answer, touched: bool, start: &Start) {
    let down = request.header("store") == Some("down");
    assert!(answer.body.is_empty() || rest.len() != 2);
    if request.path() != start.hook {
        let unknown = if rest.len() == 2 && down { 503 } else { 404 };
        assert!(
            answer.status == 404 || answer.status == unknown,
            "{}",
            answer.status
        );
        assert!(!touched, "a stranger's delivery is kept");
        return;
    }
    let reads = matches!(request.method.as_str(), "GET" | "HEAD");
    let expected = if down {
        503
    } else if reads {
        200
    } else if request.body_length() > MAX_BODY_BYTES {
        413
    } else if request.body_is_broken() {
        503
    } else {
        200
    };
    assert_eq!(
        answer.status, expected,
        "{} {}",
        request.method, request.target
    );
    assert!(!(touched && reads));
}

/// `/api` and `/metrics` need a token.
fn api(request: &Asked, answer: &Answer, after: After, touched: bool) {
    if !request.has_token() {
        assert_eq!(answer.status, 401, "{} {}", request.method, request.target);
        assert!(
            answer
                .headers
                .iter()
                .any(|(name, _)| *name == "www-authenticate")
        );
        assert!(!touched && after == After::Nothing);
        return;
    }
    assert_ne!(answer.status, 401);
    assert!(after == After::Nothing || answer.status == 202);
    if request.header("store") == Some("down") {
        assert!(
            !(200..300).contains(&answer.status),
            "{} without a store",
            answer.status
        );
    }
    // A read changes nothing. (A shop's staff and webhooks are read from the vendors, and such
    // calls are counted.)
    if request.method == "GET"
        && matches!(
            request.segments().get(1),
            None | Some(&"events" | &"overview")
        )
    {
        assert!(!touched, "{} changes something", request.target);
    }
}

/// The page needs a session, and every answer of it carries the headers that prevent harm.
fn page(request: &Asked, answer: &Answer, after: After, touched: bool, start: &Start) {
    for name in SECURITY_HEADERS {
        let found = answer.headers.iter().filter(|(n, _)| *n == name).count();
        assert_eq!(found, 1, "{name} on {}", request.target);
    }
    for (_, place) in answer
        .headers
        .iter()
        .filter(|(name, _)| *name == "location")
    {
        let ours = place.starts_with('/') && !place.starts_with("//") && !place.contains('\\');
        assert!(ours, "{} leads to {place}", request.target);
    }
    assert_eq!(
        answer.status == 303,
        answer.headers.iter().any(|(name, _)| *name == "location")
    );
    let login = request.method == "POST" && request.path() == "/ui/login";
    let begins = answer.headers.iter().any(|(name, value)| {
        *name == "set-cookie" && value.starts_with("__Host-kvgf=") && !value.contains("Max-Age=0")
    });
    assert!(
        !begins || (login && request.says(ADMIN_TOKEN)),
        "a session without the token"
    );
    if request.has_session(start) {
        // A form of another site, or of unknown origin, changes nothing.
        let elsewhere = !matches!(
            request.header("sec-fetch-site"),
            None | Some("same-origin" | "none")
        );
        let genuine = request.says(&start.csrf) && !elsewhere;
        if request.method != "GET" && !genuine && !login {
            assert!(
                !touched && after == After::Nothing,
                "a forged form was taken"
            );
        }
        return;
    }
    let (open, path) = ([200, 303, 400, 403, 413, 503], request.path());
    assert!(open.contains(&answer.status), "{}", answer.status);
    assert!(
        answer.status != 200 || matches!(path, "/" | "/ui/style.css"),
        "{path} is open"
    );
    assert!(
        after == After::Nothing && (!touched || login && request.says(ADMIN_TOKEN)),
        "a stranger changed something"
    );
}
