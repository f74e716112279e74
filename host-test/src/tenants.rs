//! A folder of tenants' files, and the real host over it, where each tenant has a host name of its own: an address of
//! loopback.

use crate::{
    admin::{Admin, Carrier, Remote, Reply},
    program::Program,
    shop::{CONNECTION, On},
    vendors::Vendors,
};
use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use std::{fs, path::Path, path::PathBuf};
use tempfile::TempDir;

/// The folder.
pub struct Folder(TempDir);

impl Folder {
    /// An empty one.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn new() -> Result<Self> {
        Ok(Self(tempfile::tempdir()?))
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// A tenant's file.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path().join(format!("{name}.toml"))
    }

    /// Writes a file whose tenant calls these vendors and is reached at 127.0.0.`last`; its secrets are in files beside
    /// it. `more` stands at its end.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, name: &str, last: u8, vendors: &Vendors, more: &str) -> Result<()> {
        let public = format!("http://127.0.0.{last}:1");
        self.write_at(name, &public, vendors, vendors.origins(), more)
    }

    /// The same for a tenant that is reached at `public_url`, with KiotViet and Getfly at these origins.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write_at(
        &self,
        name: &str,
        public_url: &str,
        vendors: &Vendors,
        [kiotviet, getfly]: [String; 2],
        more: &str,
    ) -> Result<()> {
        let mut variables = vendors.variables(public_url, &token(name));
        for (variable, value) in &mut variables {
            match variable.as_str() {
                "getfly_url" => getfly.clone_into(value),
                "kiotviet_api_url" | "kiotviet_auth_url" => kiotviet.clone_into(value),
                _ => {}
            }
        }
        let secrets = self.path().join(name);
        fs::create_dir_all(&secrets)?;
        let mut text = String::new();
        for (variable, value) in variables {
            let value = match variable.as_str() {
                "getfly_api_key" | "admin_token" | "master_key" => {
                    fs::write(secrets.join(&variable), format!("{value}\n"))?;
                    format!("@{name}/{variable}")
                }
                _ => value,
            };
            text.push_str(&format!("{variable} = \"{value}\"\n"));
        }
        Ok(fs::write(self.file(name), text + more)?)
    }
}

/// A tenant's admin token.
pub fn token(name: &str) -> String {
    format!("the-admin-token-of-{name}")
}

/// One tenant of a running host.
pub struct Tenant(Remote);

impl Tenant {
    /// The tenant that is reached at 127.0.0.`last`.
    pub fn at(last: u8, port: u16, name: &str) -> Self {
        Self::reached_at(&format!("127.0.0.{last}"), port, name)
    }

    /// The tenant that is reached at this address.
    pub fn reached_at(address: &str, port: u16, name: &str) -> Self {
        Self(Remote::new(
            format!("http://{address}:{port}"),
            &token(name),
        ))
    }

    /// Where it is reached, as `host:port`.
    pub fn address(&self) -> &str {
        self.0.origin.trim_start_matches("http://")
    }

    /// The host's port.
    pub fn port(&self) -> u16 {
        let port = self.address().rsplit(':').next();
        port.and_then(|port| port.parse().ok()).unwrap_or_default()
    }

    /// Connects the shop and switches its customers' webhook on.
    ///
    /// # Errors
    /// If an answer is not 200.
    pub async fn connect_with(&self, vendors: &Vendors) -> Result<()> {
        let settings = vendors.kiotviet.settings();
        let connected = self.connect(CONNECTION, &settings).await;
        ensure!(connected.0 == 200, "{connected:?}");
        for webhook in On::Customers.webhooks() {
            let switched = self.switch(CONNECTION, webhook, true).await;
            ensure!(switched.0 == 200, "{switched:?}");
        }
        Ok(())
    }

    /// The status of an answer, and its body as JSON.
    ///
    /// # Errors
    /// If there is none.
    pub async fn send(&self, request: http::Request<Bytes>) -> Result<Reply> {
        let answer = self.carry(request).await?;
        let body = serde_json::from_slice(answer.body()).unwrap_or_default();
        Ok((answer.status().as_u16(), body))
    }

    /// The status of a GET.
    ///
    /// # Errors
    /// If there is none.
    pub async fn get(&self, path: &str) -> Result<u16> {
        let request = http::Request::get(path).body(Bytes::new())?;
        Ok(self.send(request).await?.0)
    }
}

impl Carrier for Tenant {
    async fn carry(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>> {
        self.0.carry(request).await
    }

    fn token(&self) -> &str {
        self.0.token()
    }
}

/// `PROGRAM up --tenants` on all addresses of loopback, with these further arguments; and the port.
///
/// # Errors
/// If it does not serve.
pub async fn up(program: &str, folder: &Folder, more: &[&str]) -> Result<(Program, u16)> {
    let tenants = folder.path().to_str().context("text")?;
    let words = ["up", "--listen", "0.0.0.0:0", "--tenants", tenants];
    let words = [&[program], &words[..], more].concat();
    let mut host = Program::start(&words)?;
    let origin = host.serves().await?;
    let port = origin.rsplit(':').next().context("a port")?.parse()?;
    Ok((host, port))
}
