//! A store in Redis (or Valkey), so that several hosts can share one. Like Spin's Redis store: one
//! key space, `increment` is `INCRBY`, a counter is a number in text.
//!
//! It reconnects by itself. A call that Redis does not answer in time is an error and never a hang.
//! No text of this module ever holds the password. An answered write is as durable as Redis is
//! configured to be: see [`Redis::durability`].

use super::{Backend, Reply};
use anyhow::{Context, Result, bail, ensure};
use redis::{
    AsyncCommands, Client, ConnectionInfo, ErrorKind, IntoConnectionInfo, RedisError, RedisResult,
    ServerErrorKind, TlsCertificates,
    aio::{ConnectionManager, ConnectionManagerConfig},
    io::tcp::TcpSettings,
};
use std::{
    collections::BTreeSet,
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// The longest time of a call, whatever Redis does: the plugin relies on less than ten seconds.
const CALL_TIME: Duration = Duration::from_secs(8);
/// Longest wait for one answer.
const RESPONSE_TIME: Duration = Duration::from_secs(5);
/// Longest wait for one connection.
const CONNECTION_TIME: Duration = Duration::from_secs(2);
/// Further attempts to connect within one call.
const CONNECTION_RETRIES: usize = 2;
/// Longest pause between two attempts.
const CONNECTION_PAUSE: Duration = Duration::from_millis(500);
/// Keys requested at once when everything is listed.
const SCAN: usize = 1000;

/// The address of a Redis: `redis://[[user]:password@]host[:port][/db]`, with TLS `rediss://…`. It
/// is shown without the password.
#[derive(Clone)]
pub struct RedisAddress {
    info: ConnectionInfo,
    shown: String,
    encrypted: bool,
    /// The authority that signed its certificate, as PEM; none: the public ones.
    authority: Option<Vec<u8>>,
}

impl fmt::Debug for RedisAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Display for RedisAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl RedisAddress {
    /// Reads an address. The error says what is wrong without repeating the text, which may hold a
    /// password.
    pub fn parse(text: &str) -> Result<Self> {
        const FORM: &str = "expected redis://[:password@]host:port[/db], or rediss://… for an encrypted connection";
        let url = url::Url::parse(text.trim()).ok();
        let url = url.with_context(|| format!("it is no address; {FORM}"))?;
        let encrypted = match url.scheme() {
            "redis" => false,
            "rediss" => true,
            _ => bail!("its scheme is neither redis nor rediss; {FORM}"),
        };
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.with_context(|| format!("it has no host; {FORM}"))?;
        ensure!(
            url.query().is_none() && url.fragment().is_none(),
            "it has a query or a fragment; {FORM}"
        );
        let database = match url.path().trim_matches('/') {
            "" => 0,
            number => number
                .parse::<u16>()
                .ok()
                .with_context(|| format!("the database behind the slash is no number; {FORM}"))?,
        };
        let (scheme, port) = (url.scheme(), url.port().unwrap_or(6379));
        let shown = format!("{scheme}://{host}:{port}/{database}");
        let info = url.into_connection_info();
        let info = info.map_err(|_| anyhow::anyhow!("it cannot be understood; {FORM}"))?;
        // The system notices a peer that disappears silently; then the client reconnects.
        let tcp = TcpSettings::default().set_user_timeout(CALL_TIME);
        Ok(Self {
            info: info.set_tcp_settings(tcp),
            shown,
            encrypted,
            authority: None,
        })
    }

    /// Accepts a certificate only from this authority (PEM), in place of the public ones. Refuses
    /// an address without encryption, which has no certificate.
    pub fn signed_by(self, authority: Vec<u8>) -> Result<Self> {
        ensure!(
            self.encrypted,
            "a certificate's authority is for an encrypted connection only; begin the address with rediss://"
        );
        Ok(Self {
            authority: Some(authority),
            ..self
        })
    }

    fn client(&self) -> RedisResult<Client> {
        if !self.encrypted {
            return Client::open(self.info.clone());
        }
        let certificates = TlsCertificates {
            client_tls: None,
            root_cert: self.authority.clone(),
        };
        Client::build_with_tls(self.info.clone(), certificates)
    }
}

/// The store.
pub struct Redis {
    client: Client,
    connection: Mutex<ConnectionManager>,
    address: RedisAddress,
}

impl Redis {
    /// Connects. The error says in words whether no server answers there or the password is
    /// refused.
    pub async fn open(address: RedisAddress) -> Result<Self> {
        let client = address
            .client()
            .map_err(|e| anyhow::anyhow!("{address}: {}", words(&e)))?;
        let connection = lazy(&client).map_err(|e| anyhow::anyhow!("{address}: {}", words(&e)))?;
        let store = Self {
            client,
            connection: Mutex::new(connection),
            address,
        };
        let pong = store.call(async |mut c| c.ping::<String>().await).await;
        pong.map_err(anyhow::Error::msg)
            .context("the store cannot be used")?;
        Ok(store)
    }

    /// The address without the password.
    pub fn address(&self) -> &RedisAddress {
        &self.address
    }

    /// Warnings for the operator about Redis' configuration that endangers deliveries answered 200;
    /// empty if there are none.
    pub async fn durability(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let [appendonly, fsync, maxmemory, policy] =
            ["appendonly", "appendfsync", "maxmemory", "maxmemory-policy"]
                .map(|name| self.setting(name));
        match (appendonly.await, fsync.await) {
            (Some(appendonly), _) if appendonly != "yes" => warnings.push(
                "Redis keeps nothing on disk at once (appendonly is off): when it ends, deliveries \
                 answered 200 since its last snapshot are lost. Set appendonly yes and appendfsync always"
                    .to_owned(),
            ),
            (Some(_), Some(fsync)) if fsync == "everysec" => warnings.push(
                "Redis flushes once a second (appendfsync everysec): a power cut loses up to two \
                 seconds of deliveries answered 200. Set appendfsync always to lose none"
                    .to_owned(),
            ),
            (Some(_), Some(fsync)) if fsync != "always" => warnings.push(
                "Redis leaves flushing to the system (appendfsync no): a power cut loses half a \
                 minute or more of deliveries answered 200. Set appendfsync always"
                    .to_owned(),
            ),
            (None, _) | (_, None) => warnings.push(
                "Redis does not tell how it is configured (CONFIG GET is refused): see to it that \
                 appendonly is yes and appendfsync always"
                    .to_owned(),
            ),
            _ => {}
        }
        let bounded = maxmemory.await.is_some_and(|bytes| bytes != "0");
        let evicts = policy.await.filter(|policy| policy.starts_with("allkeys"));
        if let (true, Some(policy)) = (bounded, evicts) {
            warnings.push(format!(
                "Redis throws keys away when its memory is full (maxmemory-policy {policy}): events \
                 are lost then. Set maxmemory-policy noeviction"
            ));
        }
        warnings
    }

    async fn setting(&self, name: &str) -> Option<String> {
        let mut command = redis::cmd("CONFIG");
        command.arg("GET").arg(name);
        let pair = self
            .call(async |mut c| command.query_async::<Vec<String>>(&mut c).await)
            .await;
        pair.ok()?.into_iter().nth(1)
    }

    async fn call<T>(
        &self,
        command: impl AsyncFnOnce(ConnectionManager) -> RedisResult<T>,
    ) -> Result<T, String> {
        let connection = self.lock().clone();
        let result = tokio::time::timeout(CALL_TIME, command(connection)).await;
        let error = match result {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) => error,
            Err(_) => return Err(self.failed("no answer in time")),
        };
        if stale(&error)
            && let Ok(fresh) = lazy(&self.client)
        {
            *self.lock() = fresh;
        }
        Err(self.failed(&words(&error)))
    }

    fn failed(&self, why: &str) -> String {
        format!("Redis at {}: {why}", self.address)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, ConnectionManager> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    async fn keys(&self, prefix: &str) -> Result<Vec<String>, String> {
        // A scan may return a key twice.
        let mut keys = BTreeSet::new();
        let mut cursor = 0_u64;
        loop {
            let mut scan = redis::cmd("SCAN");
            scan.arg(cursor).arg("COUNT").arg(SCAN);
            if !prefix.is_empty() {
                scan.arg("MATCH").arg(format!("{}*", literal(prefix)));
            }
            let (next, some): (u64, Vec<String>) = self
                .call(async |mut c| scan.query_async(&mut c).await)
                .await?;
            keys.extend(some);
            if next == 0 {
                return Ok(keys.into_iter().collect());
            }
            cursor = next;
        }
    }
}

/// A pattern that matches this text only.
fn literal(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '^' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

fn lazy(client: &Client) -> RedisResult<ConnectionManager> {
    let config = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(CONNECTION_TIME))
        .set_response_timeout(Some(RESPONSE_TIME))
        .set_number_of_retries(CONNECTION_RETRIES)
        .set_max_delay(CONNECTION_PAUSE);
    ConnectionManager::new_lazy_with_config(client.clone(), config)
}

/// Whether the connection manager would return this error for ever: it reconnects only after broken
/// connections, and not after a refused password or a master that has become a replica.
fn stale(error: &RedisError) -> bool {
    matches!(
        error.kind(),
        ErrorKind::AuthenticationFailed | ErrorKind::Server(ServerErrorKind::ReadOnly)
    )
}

/// Redis' own words hold neither values nor the password.
fn words(error: &RedisError) -> String {
    if error.is_timeout() {
        "no answer in time".to_owned()
    } else if error.is_connection_refusal() {
        "nobody listens there (connection refused)".to_owned()
    } else if error.kind() == ErrorKind::AuthenticationFailed {
        "the password is refused".to_owned()
    } else {
        error.to_string()
    }
}

impl Backend for Redis {
    fn get<'a>(&'a self, key: &'a str) -> Reply<'a, Option<Vec<u8>>> {
        Box::pin(self.call(async move |mut c| c.get(key).await))
    }

    fn set<'a>(&'a self, key: &'a str, value: Vec<u8>) -> Reply<'a, ()> {
        Box::pin(self.call(async move |mut c| c.set(key, value).await))
    }

    fn delete<'a>(&'a self, key: &'a str) -> Reply<'a, ()> {
        Box::pin(self.call(async move |mut c| c.del(key).await))
    }

    fn exists<'a>(&'a self, key: &'a str) -> Reply<'a, bool> {
        Box::pin(self.call(async move |mut c| c.exists(key).await))
    }

    fn list_keys(&self) -> Reply<'_, Vec<String>> {
        Box::pin(self.keys(""))
    }

    fn list_keys_below<'a>(&'a self, prefix: &'a str) -> Reply<'a, Vec<String>> {
        Box::pin(self.keys(prefix))
    }

    fn increment<'a>(&'a self, key: &'a str, delta: i64) -> Reply<'a, i64> {
        Box::pin(async move {
            if delta == 0 {
                // INCRBY 0 would create the key and write to the disk.
                let count = self.call(async |mut c| c.get::<_, Option<i64>>(key).await);
                return Ok(count.await?.unwrap_or(0));
            }
            self.call(async move |mut c| c.incr(key, delta).await).await
        })
    }

    fn dump(&self) -> Reply<'_, Vec<(String, Vec<u8>)>> {
        Box::pin(async move {
            let mut all = Vec::new();
            for key in self.keys("").await? {
                // A key that was removed meanwhile is left out.
                if let Some(value) = self.get(&key).await? {
                    all.push((key, value));
                }
            }
            Ok(all)
        })
    }
}
