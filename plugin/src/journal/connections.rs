//! The connected shops: their names, their sealed secrets, and which webhooks are on. Only people's
//! requests write here. Each switch has a key of its own, so that of two requests at once neither
//! loses the other's change.

use crate::{
    journal::{
        connection_name::ConnectionName,
        format::{self, FORMAT, Formatted},
        keys,
    },
    kiotviet::client::Credentials,
    rules::codes::{Edition, RetailerId},
    seal::{SealError, Sealer},
    secret::Secret,
    stored::{self, Damaged},
    time::Timestamp,
    world::{Random, Store, StoreError},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use core::ops::Not;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

pub use crate::journal::webhook::Webhook;

/// A connection as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// Whether its name begins like the codes of another shop that was connected at some time, so
    /// that its own codes have a `.` after it.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub apart: bool,
    /// KiotViet's ClientId.
    pub client_id: String,
    /// When it was connected.
    pub connected_at: Timestamp,
    /// SHA-256 of the former path tokens, the last one first ([`former_are_valid`]).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    former_hashes: Vec<String>,
    /// In which format it and what it stands for are kept ([`format`]); 0 of a version before the first release.
    #[serde(default, skip_serializing_if = "is_zero")]
    format: u32,
    /// Our name for it, in our routes.
    pub name: ConnectionName,
    /// KiotViet's shop name.
    pub retailer: RetailerId,
    /// Sealed [`Secrets`].
    sealed: String,
    /// SHA-256 of the path token, so that a delivery is authenticated without `master_key`.
    token_hash: String,
}

impl Formatted for Connection {
    fn format(&self) -> u32 {
        self.format
    }
}

fn is_zero(format: &u32) -> bool {
    *format == 0
}

/// What is sealed.
#[derive(Clone, Serialize, Deserialize)]
struct Secrets {
    client_secret: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    former: Vec<FormerSecrets>,
    path_token: String,
    webhook_secret: String,
}

/// What a rotation replaced.
#[derive(Clone, Serialize, Deserialize)]
struct FormerSecrets {
    path_token: String,
    webhook_secret: String,
}

impl From<&Opened> for Secrets {
    fn from(opened: &Opened) -> Self {
        let text = |secret: &Secret| secret.reveal().to_owned();
        let former = opened.former.iter().map(|former| FormerSecrets {
            path_token: text(&former.path_token),
            webhook_secret: text(&former.webhook_secret),
        });
        Self {
            client_secret: text(&opened.client_secret),
            former: former.collect(),
            path_token: text(&opened.path_token),
            webhook_secret: text(&opened.webhook_secret),
        }
    }
}

/// The opened secrets of a connection.
#[derive(Debug, Clone)]
pub struct Opened {
    /// KiotViet's security code.
    pub client_secret: Secret,
    /// Authenticates deliveries, in the webhook's URL.
    pub path_token: Secret,
    /// Signs deliveries.
    pub webhook_secret: Secret,
    /// What rotations replaced, the last one first.
    pub former: Vec<Former>,
}

/// A path token and webhook secret that a rotation replaced.
#[derive(Debug, Clone)]
pub struct Former {
    /// Authenticated deliveries.
    pub path_token: Secret,
    /// Signed deliveries.
    pub webhook_secret: Secret,
}

/// How many former path tokens and secrets are kept, so that their registrations are found at
/// KiotViet.
const FORMER_MOST: usize = 8;

fn hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token.as_bytes()))
}

fn random_text(random: &impl Random) -> String {
    let mut bytes = [0u8; 32];
    random.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A plain ASCII secret that is not valid Base64, so that there is only one way to read it as the
/// key of KiotViet's signature.
fn webhook_secret(random: &impl Random) -> String {
    let mut bytes = [0u8; 24];
    random.fill(&mut bytes);
    let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    format!("kvgf-{hex}")
}

fn seal(
    name: &ConnectionName,
    secrets: &Secrets,
    sealer: &Sealer,
    random: &impl Random,
) -> Result<String, StoreError> {
    let plain = stored::write(secrets);
    sealer
        .seal(&keys::connection(name), &plain, random)
        .map_err(StoreError::failed)
}

impl Connection {
    /// A new connection with fresh tokens, or the same one with new credentials: its path token and
    /// webhook secret stay, so that its webhooks keep working.
    pub fn make(
        name: &ConnectionName,
        credentials: &Credentials,
        previous: Option<(&Self, &Opened)>,
        now: Timestamp,
        sealer: &Sealer,
        random: &impl Random,
    ) -> Result<Self, StoreError> {
        let fresh = || Secrets {
            client_secret: String::new(),
            former: Vec::new(),
            path_token: random_text(random),
            webhook_secret: webhook_secret(random),
        };
        let mut secrets = previous.map_or_else(fresh, |(_, opened)| opened.into());
        secrets.client_secret = credentials.client_secret.reveal().to_owned();
        let before = previous.map(|(connection, _)| connection);
        let connected_at = before.map_or(now, |connection| connection.connected_at);
        let token_hash = hash(&secrets.path_token);
        Ok(Self {
            former_hashes: before.map_or_else(Vec::new, |c| c.former_hashes.clone()),
            format: FORMAT,
            name: name.clone(),
            retailer: credentials.retailer.clone(),
            client_id: credentials.client_id.clone(),
            connected_at,
            apart: previous.is_some_and(|(connection, _)| connection.apart),
            token_hash,
            sealed: seal(name, &secrets, sealer, random)?,
        })
    }

    /// Whether it is in this version's format and sealed under the present key; while it is not, the worker may write it.
    pub fn is_current(&self, sealer: &Sealer) -> bool {
        self.format == FORMAT && sealer.is_current(&self.sealed)
    }

    /// The same in this version's format, where it is in an older one.
    pub fn in_this_format(&self) -> Option<Self> {
        (self.format != FORMAT).then(|| Self {
            format: FORMAT,
            ..self.clone()
        })
    }

    /// The connection sealed under the present key, if it is under a former one.
    pub fn sealed_anew(
        &self,
        opened: &Opened,
        sealer: &Sealer,
        random: &impl Random,
    ) -> Option<Self> {
        if sealer.is_current(&self.sealed) {
            return None;
        }
        let sealed = seal(&self.name, &opened.into(), sealer, random).ok()?;
        Some(Self {
            sealed,
            ..self.clone()
        })
    }

    /// The connection with a new path token and webhook secret; the present ones become former
    /// ones.
    pub fn rotated(
        &self,
        opened: &Opened,
        sealer: &Sealer,
        random: &impl Random,
    ) -> Result<Self, StoreError> {
        let mut secrets: Secrets = opened.into();
        let replaced = FormerSecrets {
            path_token: core::mem::replace(&mut secrets.path_token, random_text(random)),
            webhook_secret: core::mem::replace(&mut secrets.webhook_secret, webhook_secret(random)),
        };
        secrets.former.insert(0, replaced);
        secrets.former.truncate(FORMER_MOST);
        let former = secrets.former.iter();
        Ok(Self {
            former_hashes: former.map(|former| hash(&former.path_token)).collect(),
            format: FORMAT,
            token_hash: hash(&secrets.path_token),
            sealed: seal(&self.name, &secrets, sealer, random)?,
            ..self.clone()
        })
    }

    /// Whether there is no such webhook in its edition, so that the list is polled instead.
    pub fn polls(&self, webhook: Webhook) -> bool {
        self.retailer.edition() == Edition::Fnb && webhook == Webhook::Order
    }

    /// Whether its path token was rotated, so that there are former ones.
    pub fn has_former(&self) -> bool {
        !self.former_hashes.is_empty()
    }

    /// Opens its secrets.
    pub fn open(&self, sealer: &Sealer) -> Result<Opened, SealError> {
        let plain = sealer.open(&keys::connection(&self.name), &self.sealed)?;
        let secrets: Secrets = stored::read(&plain).map_err(|_| SealError::Damaged)?;
        Ok(Opened {
            client_secret: Secret::new(secrets.client_secret),
            path_token: Secret::new(secrets.path_token),
            webhook_secret: Secret::new(secrets.webhook_secret),
            former: secrets
                .former
                .into_iter()
                .map(|former| Former {
                    path_token: Secret::new(former.path_token),
                    webhook_secret: Secret::new(former.webhook_secret),
                })
                .collect(),
        })
    }

    /// What proves it to KiotViet.
    pub fn credentials(&self, opened: &Opened) -> Credentials {
        Credentials {
            retailer: self.retailer.clone(),
            client_id: self.client_id.clone(),
            client_secret: opened.client_secret.clone(),
        }
    }

    /// The path of its webhooks; unguessable, so a webhook whose URL ends in it is ours.
    pub fn hook_path(&self, opened: &Opened) -> String {
        self.path(&opened.path_token)
    }

    /// The paths of its former path tokens, the last one first.
    pub fn former_paths(&self, opened: &Opened) -> Vec<String> {
        let former = opened.former.iter();
        former.map(|former| self.path(&former.path_token)).collect()
    }

    fn path(&self, token: &Secret) -> String {
        format!("/hooks/{}/{}", self.name, token.reveal())
    }
}

/// Which of a connection's path tokens a request carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathToken {
    /// The present one.
    Present,
    /// A former one; how many rotations before the last one it was replaced.
    Former(usize),
}

/// Which of `connection`'s path tokens `token` is, if any. Takes the same time for an unknown
/// connection. A former token opens it only while [`former_are_valid`].
pub fn path_token(connection: Option<&Connection>, token: &str) -> Option<PathToken> {
    let offered = hash(token);
    let is_offered =
        |expected: &str| -> bool { offered.as_bytes().ct_eq(expected.as_bytes()).into() };
    let expected = connection.map_or_else(|| hash(""), |c| c.token_hash.clone());
    let present = is_offered(&expected) || mutant!(PathTokenIgnored);
    let connection = connection?;
    if present {
        return Some(PathToken::Present);
    }
    let mut former = connection.former_hashes.iter();
    former
        .position(|hash| is_offered(hash))
        .map(PathToken::Former)
}

/// Whether former path tokens still open the connection: until nothing is registered to them, and
/// an hour longer.
pub async fn former_are_valid(
    store: &impl Store,
    name: &ConnectionName,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let until = former_until(store, name).await?;
    Ok(until.is_none_or(|until| now < until))
}

/// Until when former path tokens open the connection; none while this is not known.
pub async fn former_until(
    store: &impl Store,
    name: &ConnectionName,
) -> Result<Option<Timestamp>, StoreError> {
    let until = store.get(&keys::former_until(name)).await?;
    Ok(until.map(|until| {
        let until = core::str::from_utf8(&until)
            .ok()
            .and_then(|text| text.parse().ok());
        // An unreadable value must not keep a leaked path open.
        until.unwrap_or(Timestamp::UNIX_EPOCH)
    }))
}

/// Former path tokens open the connection until `until`; none: until it is set again.
pub async fn set_former_until(
    store: &impl Store,
    name: &ConnectionName,
    until: Option<Timestamp>,
) -> Result<(), StoreError> {
    let key = keys::former_until(name);
    match until {
        None => store.delete(&key).await,
        Some(until) => store.set(&key, until.to_string().as_bytes()).await,
    }
}

/// A webhook's switch while it is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Switch {
    /// The moment it was switched on: records created before it are not new.
    pub on_since: Timestamp,
}

/// Both switches; none is off.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Switches {
    /// The customer webhook is on since.
    pub customer: Option<Timestamp>,
    /// The order webhook is on since.
    pub order: Option<Timestamp>,
}

impl Switches {
    /// The switches for a backfill that reaches back to `since`.
    pub fn reaching(self, since: Option<Timestamp>) -> Self {
        let reach = |on: Option<Timestamp>| on.map(|on| since.map_or(on, |s| s.min(on)));
        Self {
            customer: reach(self.customer),
            order: reach(self.order),
        }
    }

    /// Since when `webhook` is on.
    pub fn since(self, webhook: Webhook) -> Option<Timestamp> {
        match webhook {
            Webhook::Customer => self.customer,
            Webhook::Order => self.order,
        }
    }
}

/// The error for a caller who needs a stored value that cannot be read.
pub fn damaged(what: &'static str) -> impl Fn(Damaged) -> StoreError {
    move |e| StoreError::Damaged {
        what,
        why: e.to_string(),
    }
}

/// Reads a connection; a damaged one is an error.
pub async fn load(
    store: &impl Store,
    name: &ConnectionName,
) -> Result<Option<Connection>, StoreError> {
    let read = load_or_damage(store, name).await?.transpose();
    read.map_err(damaged("a connection"))
}

/// The same; the inner error is a connection that cannot be read. One of a newer format is the outer one.
pub async fn load_or_damage(
    store: &impl Store,
    name: &ConnectionName,
) -> Result<Option<Result<Connection, Damaged>>, StoreError> {
    let bytes = load_bytes(store, name).await?;
    bytes.map(|bytes| format::read(&bytes)).transpose()
}

/// Its record as it is stored.
pub async fn load_bytes(
    store: &impl Store,
    name: &ConnectionName,
) -> Result<Option<Vec<u8>>, StoreError> {
    store.get(&keys::connection(name)).await
}

/// Whether the codes of `shop`, which connects as `name`, must stand apart from those of another
/// shop. Marks the shops whose codes must stand apart from this one's.
pub async fn set_apart(
    store: &impl Store,
    name: &ConnectionName,
    shop: &RetailerId,
) -> Result<bool, StoreError> {
    let mut apart = false;
    for other in list(store).await?.0 {
        if other.name == *name {
            apart |= other.apart;
        } else if shop.runs_into(&other.retailer) {
            apart = true;
        } else if other.retailer.runs_into(shop) && !other.apart {
            let other = Connection {
                apart: true,
                ..other
            };
            save(store, &other, false).await?;
        }
    }
    Ok(apart)
}

/// Writes a connection, and lists its name if it is new.
pub async fn save(
    store: &impl Store,
    connection: &Connection,
    is_new: bool,
) -> Result<(), StoreError> {
    let bytes = stored::write(connection);
    if is_new {
        let n = store.increment(keys::CONNECTION_COUNT, 1).await?;
        store
            .set(
                &keys::connection_name(n),
                connection.name.as_str().as_bytes(),
            )
            .await?;
    }
    store.set(&keys::connection(&connection.name), &bytes).await
}

/// Whether this connection has seen a valid signature.
pub async fn has_signed(store: &impl Store, name: &ConnectionName) -> Result<bool, StoreError> {
    store.exists(&keys::signed(name)).await
}

/// Removes a connection and its secrets; its events stay.
pub async fn remove(store: &impl Store, name: &ConnectionName) -> Result<(), StoreError> {
    for webhook in Webhook::ALL {
        store.delete(&keys::switch(name, webhook)).await?;
    }
    for key in [
        keys::token(name),
        keys::kiotviet_users(name),
        keys::users_not_offered(name),
        keys::signed(name),
        keys::missed_sellers(name),
        keys::not_there(name),
        keys::webhook_health(name),
        keys::backfill(name),
        keys::refused_since(name),
        keys::former_until(name),
        keys::connection(name),
    ] {
        store.delete(&key).await?;
    }
    Ok(())
}

/// The names of all connections that ever existed, in the order of their making.
pub async fn names(store: &impl Store) -> Result<Vec<ConnectionName>, StoreError> {
    let count = store.increment(keys::CONNECTION_COUNT, 0).await?;
    let mut names = Vec::new();
    for n in 1..=count {
        let name = store.get(&keys::connection_name(n)).await?;
        let name = name.and_then(|name| ConnectionName::parse(core::str::from_utf8(&name).ok()?));
        names.extend(name.filter(|name| !names.contains(name)));
    }
    Ok(names)
}

/// All readable connections, in the order in which they were made, and the names of the others.
pub async fn list(
    store: &impl Store,
) -> Result<(Vec<Connection>, Vec<ConnectionName>), StoreError> {
    let (mut sound, mut damaged) = (Vec::new(), Vec::new());
    for name in names(store).await? {
        match load_or_damage(store, &name).await? {
            Some(Ok(connection)) => sound.push(connection),
            Some(Err(_)) => damaged.push(name),
            None => {}
        }
    }
    Ok((sound, damaged))
}

/// Reads a connection's switches.
pub async fn switches(store: &impl Store, name: &ConnectionName) -> Result<Switches, StoreError> {
    let read = switches_or_damage(store, name).await?;
    read.map_err(damaged("a webhook switch"))
}

/// Reads a connection's switches; the inner error is a switch that cannot be read.
pub async fn switches_or_damage(
    store: &impl Store,
    name: &ConnectionName,
) -> Result<Result<Switches, Damaged>, StoreError> {
    let customer = switch(store, name, Webhook::Customer).await?;
    let order = switch(store, name, Webhook::Order).await?;
    let both = |customer| order.map(|order| Switches { customer, order });
    Ok(customer.and_then(both))
}

/// Reads the switches for people to see, and to mend by switching: an unreadable one counts as off.
pub async fn readable_switches(
    store: &impl Store,
    name: &ConnectionName,
) -> Result<Switches, StoreError> {
    let customer = switch(store, name, Webhook::Customer).await?;
    let order = switch(store, name, Webhook::Order).await?;
    Ok(Switches {
        customer: customer.unwrap_or_default(),
        order: order.unwrap_or_default(),
    })
}

/// Since when a webhook is on; the inner error is a switch that cannot be read.
async fn switch(
    store: &impl Store,
    name: &ConnectionName,
    webhook: Webhook,
) -> Result<Result<Option<Timestamp>, Damaged>, StoreError> {
    let bytes = store.get(&keys::switch(name, webhook)).await?;
    let read = bytes.map(|bytes| stored::read::<Switch>(&bytes));
    Ok(read.transpose().map(|s| s.map(|s| s.on_since)))
}

/// Turns a switch on or off.
pub async fn set_switch(
    store: &impl Store,
    name: &ConnectionName,
    webhook: Webhook,
    on_since: Option<Timestamp>,
) -> Result<(), StoreError> {
    let key = keys::switch(name, webhook);
    match on_since {
        None => store.delete(&key).await,
        Some(on_since) => {
            let bytes = stored::write(&Switch { on_since });
            store.set(&key, &bytes).await
        }
    }
}
