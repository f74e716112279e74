//! The app's API over HTTP, as an integrator would call it; for `cargo demo` and `cargo soak`.

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};

/// A running app.
pub struct App {
    client: Client<HttpConnector, Full<Bytes>>,
    port: u16,
    token: &'static str,
}

impl App {
    /// The application on this port of loopback; `token` is its admin token.
    pub fn new(port: u16, token: &'static str) -> Self {
        Self {
            client: Client::builder(TokioExecutor::new()).build_http(),
            port,
            token,
        }
    }

    /// An admin's request; an error unless it is answered 2xx.
    pub async fn call(&self, method: &str, path: &str, body: &Value) -> Result<Value> {
        let request = http::Request::builder()
            .method(method)
            .uri(format!("http://127.0.0.1:{}/api/{path}", self.port))
            .header("authorization", format!("Bearer {}", self.token))
            .body(Full::new(Bytes::from(body.to_string())))?;
        let response = self
            .client
            .request(request)
            .await
            .with_context(|| format!("{method} /api/{path}"))?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        if !status.is_success() {
            bail!(
                "{method} /api/{path} answered {status}: {}",
                String::from_utf8_lossy(&body)
            );
        }
        Ok(serde_json::from_slice(&body)?)
    }

    /// Connects a shop and proves its credentials.
    ///
    /// # Errors
    /// When the application refuses.
    pub async fn connect(&self, name: &str, retailer: &str, id: &str, secret: &str) -> Result<()> {
        let body = json!({ "retailer": retailer, "client_id": id, "client_secret": secret });
        self.call("PUT", &format!("connections/{name}"), &body)
            .await?;
        for webhook in ["customer", "order"] {
            self.call(
                "PUT",
                &format!("connections/{name}/webhooks/{webhook}"),
                &Value::Null,
            )
            .await?;
        }
        Ok(())
    }

    /// Has the webhooks looked after at once, as soon as no other drain is at work.
    pub async fn heal(&self) -> Result<()> {
        while self.call("POST", "drain?heal=now", &Value::Null).await?["busy"] == true {}
        Ok(())
    }

    /// Every event, oldest first.
    pub async fn events(&self) -> Result<Vec<Value>> {
        let mut all = Vec::new();
        let mut before = String::new();
        loop {
            let mut page = self
                .call("GET", &format!("events?limit=200{before}"), &Value::Null)
                .await?;
            if let Some(events) = page.get_mut("events").and_then(Value::as_array_mut) {
                all.append(events);
            }
            match page["next_before"].as_u64() {
                Some(next) => before = format!("&before={next}"),
                None => break,
            }
        }
        all.reverse();
        Ok(all)
    }
}
