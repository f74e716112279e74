//! A person at the page, without a browser: keeps cookies, fills in forms, follows no link by
//! itself.

use crate::{
    admin::Carrier,
    native::Native,
    variables::{ADMIN_TOKEN, PUBLIC},
};
use bytes::Bytes;
use std::collections::BTreeMap;

/// An answer of the page.
#[derive(Debug, Clone)]
pub struct Shown {
    /// HTTP status.
    pub status: u16,
    /// Header fields.
    pub headers: http::HeaderMap,
    /// The document.
    pub html: String,
}

impl Shown {
    /// The first header field of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Where a redirect leads.
    pub fn location(&self) -> &str {
        self.header("location").unwrap_or_default()
    }

    /// The value of the first field of this name, as it stands in the document.
    pub fn field(&self, name: &str) -> Option<&str> {
        field(&self.html, name)
    }
}

/// The value of the first field of this name in a document, as it stands there.
pub fn field<'a>(html: &'a str, name: &str) -> Option<&'a str> {
    let tag = html.split(&format!("name=\"{name}\"")).nth(1)?;
    let tag = tag.split('>').next()?;
    tag.split("value=\"").nth(1)?.split('"').next()
}

/// See the module.
pub struct Visitor<'a, A = Native> {
    app: &'a A,
    /// Cookies by name.
    pub cookies: BTreeMap<String, String>,
    /// The token that is sent with each form.
    pub csrf: String,
    /// The browser's statement about a request's origin.
    pub fetch_site: Option<&'static str>,
}

impl<'a, A: Carrier> Visitor<'a, A> {
    /// A person who is not logged in.
    pub fn new(app: &'a A) -> Self {
        Self {
            app,
            cookies: BTreeMap::new(),
            csrf: String::new(),
            fetch_site: Some("same-origin"),
        }
    }

    /// A person who is logged in.
    pub async fn inside(app: &'a A) -> Self {
        let mut visitor = Self::new(app);
        visitor.log_in(ADMIN_TOKEN).await;
        let first = visitor.get("/").await;
        visitor.csrf = first.field("csrf").unwrap_or_default().to_owned();
        visitor
    }

    /// Sends the log-in form.
    pub async fn log_in(&mut self, token: &str) -> Shown {
        self.send("POST", "/ui/login", &[("token", token)]).await
    }

    /// Opens an address.
    pub async fn get(&mut self, path: &str) -> Shown {
        self.send("GET", path, &[]).await
    }

    /// Sends a form with its token.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Shown {
        let csrf = self.csrf.clone();
        let mut fields = fields.to_vec();
        fields.push(("csrf", &csrf));
        self.send("POST", path, &fields).await
    }

    /// Sends a form as it is.
    pub async fn send(&mut self, method: &str, path: &str, fields: &[(&str, &str)]) -> Shown {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let mut request = http::Request::builder()
            .method(method)
            .uri(format!("{PUBLIC}{path}"))
            .header("content-type", "application/x-www-form-urlencoded");
        if !self.cookies.is_empty() {
            let pairs: Vec<String> = self
                .cookies
                .iter()
                .map(|(n, v)| format!("{n}={v}"))
                .collect();
            request = request.header("cookie", pairs.join("; "));
        }
        if let Some(site) = self.fetch_site {
            request = request.header("sec-fetch-site", site);
        }
        let request = request.body(Bytes::from(body)).unwrap_or_default();
        let answer = self.app.carry(request).await;
        let answer = answer.expect("an answer");
        for cookie in answer.headers().get_all("set-cookie") {
            let pair = cookie.to_str().unwrap_or_default().split(';').next();
            if let Some((name, value)) = pair.unwrap_or_default().split_once('=') {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Shown {
            status: answer.status().as_u16(),
            headers: answer.headers().clone(),
            html: String::from_utf8_lossy(answer.body()).into_owned(),
        }
    }
}
