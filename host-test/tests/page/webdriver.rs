//! A headless Chromium over WebDriver (W3C), as far as the tests need it. WebDriver is JSON over
//! HTTP, for which everything is here; the crates for it would add two dozen others. The driver
//! itself waits (`implicit`), so nothing here sleeps.

use anyhow::{Context, Result, anyhow, bail};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};
use std::{path::Path, process::Stdio};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

/// How long an element may take to appear, milliseconds.
const PATIENCE: u64 = 20_000;

/// How a browser is isolated: no sandbox (tests may run as root), no network of its own.
const ARGUMENTS: [&str; 10] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--hide-scrollbars",
];

/// The member under which WebDriver returns elements.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// See the module.
pub(crate) struct Browser {
    client: Client<HttpConnector, Full<Bytes>>,
    session: String,
    _driver: Child,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts the driver and a browser with a profile of its own; none when there is no driver.
    pub(crate) async fn start() -> Result<Option<Self>> {
        let started = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn();
        let mut driver = match started {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            started => started.context("starting chromedriver")?,
        };
        let output = driver.stdout.take().context("its output")?;
        let mut lines = BufReader::new(output).lines();
        let port = loop {
            let line = lines.next_line().await?.context("chromedriver ended")?;
            if let Some((_, port)) = line.split_once("started successfully on port ") {
                break port.trim_end_matches('.').to_owned();
            }
        };
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let profile = tempfile::tempdir()?;
        let mut arguments = ARGUMENTS.map(str::to_owned).to_vec();
        arguments.push(format!("--user-data-dir={}", profile.path().display()));
        let mut browser = Self {
            client: Client::builder(TokioExecutor::new()).build_http(),
            session: format!("http://127.0.0.1:{port}/session"),
            _driver: driver,
            _profile: profile,
        };
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": { "args": arguments },
            "timeouts": { "implicit": PATIENCE },
        } } });
        let made = browser.call("POST", "", wanted).await?;
        let id = made["sessionId"].as_str().context("no session")?;
        browser.session = format!("{}/{id}", browser.session);
        Ok(Some(browser))
    }

    async fn call(&self, method: &str, path: &str, body: Value) -> Result<Value> {
        let body = if method == "POST" {
            body.to_string()
        } else {
            String::new()
        };
        let request = http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.session))
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(body)))?;
        let response = self.client.request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        let mut answer: Value = serde_json::from_slice(&body)?;
        if !status.is_success() {
            bail!("{method} {path}: {}", answer["value"]["message"]);
        }
        Ok(answer["value"].take())
    }

    /// Ends the browser.
    pub(crate) async fn quit(self) -> Result<()> {
        self.call("DELETE", "", Value::Null).await.map(|_| ())
    }

    /// Opens an address.
    pub(crate) async fn go(&self, url: &str) -> Result<()> {
        self.call("POST", "/url", json!({ "url": url })).await?;
        Ok(())
    }

    /// Its address.
    pub(crate) async fn url(&self) -> Result<String> {
        let url = self.call("GET", "/url", Value::Null).await?;
        Ok(url.as_str().unwrap_or_default().to_owned())
    }

    /// The result of a script.
    pub(crate) async fn eval(&self, script: &str) -> Result<Value> {
        self.run("sync", &format!("return {script}")).await
    }

    /// The result of a whole script, which returns it (`sync`) or calls its last argument with it (`async`).
    pub(crate) async fn run(&self, how: &str, script: &str) -> Result<Value> {
        let body = json!({ "script": script, "args": [] });
        self.call("POST", &format!("/execute/{how}"), body).await
    }

    /// The element of this XPath, once it is there.
    async fn find(&self, xpath: &str) -> Result<String> {
        let body = json!({ "using": "xpath", "value": xpath });
        let found = self.call("POST", "/element", body).await?;
        let id = found[ELEMENT].as_str().context("no element")?;
        Ok(id.to_owned())
    }

    /// Waits until a visible text is on the page.
    pub(crate) async fn see(&self, words: &str) -> Result<()> {
        let path = format!("//main//*[contains(normalize-space(.), {words:?})]");
        if let Err(e) = self.find(&path).await {
            let url = self.url().await.unwrap_or_default();
            let shown = self.eval("document.querySelector('main')?.innerText").await;
            bail!(
                "{words:?} is not on {url}: {e:#}\n{}",
                shown.unwrap_or_default()
            );
        }
        Ok(())
    }

    /// Clicks what this XPath names, and waits for the page that follows.
    pub(crate) async fn click(&self, xpath: &str) -> Result<()> {
        let id = self.find(xpath).await?;
        let script = json!({
            "script": "arguments[0].scrollIntoView({block: 'center'})",
            "args": [{ ELEMENT: id }],
        });
        self.call("POST", "/execute/sync", script).await?;
        self.call("POST", &format!("/element/{id}/click"), json!({}))
            .await?;
        Ok(())
    }

    /// Presses the button or follows the link with this text.
    pub(crate) async fn press(&self, words: &str) -> Result<()> {
        let of = |tag: &str| format!("//main//{tag}[normalize-space(.)={words:?}]");
        self.click(&format!("{} | {}", of("button"), of("a"))).await
    }

    /// Types into the field of this name, in place of what is there.
    pub(crate) async fn fill(&self, name: &str, text: &str) -> Result<()> {
        let id = self
            .find(&format!("//*[@name={name:?} and not(@type='hidden')]"))
            .await?;
        self.call("POST", &format!("/element/{id}/clear"), json!({}))
            .await?;
        let keys = json!({ "text": text });
        self.call("POST", &format!("/element/{id}/value"), keys)
            .await?;
        Ok(())
    }

    /// The content of the field of this name.
    pub(crate) async fn field(&self, name: &str) -> Result<String> {
        let value = self
            .eval(&format!("document.querySelector('[name={name}]').value"))
            .await?;
        Ok(value.as_str().unwrap_or_default().to_owned())
    }

    async fn devtools(&self, command: &str, parameters: Value) -> Result<Value> {
        let body = json!({ "cmd": command, "params": parameters });
        self.call("POST", "/goog/cdp/execute", body).await
    }

    /// Shows pages as a screen of this width does.
    pub(crate) async fn screen(&self, width: u32, height: u32, mobile: bool) -> Result<()> {
        let metrics =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics)
            .await?;
        Ok(())
    }

    /// Lets pages be shown in the dark.
    pub(crate) async fn dark(&self, dark: bool) -> Result<()> {
        let scheme = if dark { "dark" } else { "light" };
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.devtools("Emulation.setEmulatedMedia", media).await?;
        Ok(())
    }

    /// Writes a picture of the whole page.
    pub(crate) async fn picture(&self, file: &Path) -> Result<()> {
        let size = self
            .eval("[document.documentElement.clientWidth, document.documentElement.scrollHeight]")
            .await?;
        let clip = json!({ "x": 0, "y": 0, "width": size[0], "height": size[1], "scale": 1 });
        let shot = self
            .devtools(
                "Page.captureScreenshot",
                json!({ "format": "png", "captureBeyondViewport": true, "clip": clip }),
            )
            .await?;
        let data = shot["data"].as_str().context("no picture")?;
        let data = STANDARD
            .decode(data)
            .map_err(|e| anyhow!("no picture: {e}"))?;
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(file, data).with_context(|| format!("writing {}", file.display()))
    }
}
