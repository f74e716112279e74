//! One connection's access to both APIs, with the cached KiotViet token, which is renewed once when
//! KiotViet refuses it, and the cached lists of users. Everything cached is sealed. A cache that
//! cannot be read or written only costs time.

use crate::{
    assumption::Assumption,
    config::Ready,
    getfly::{client::Getfly, error::GetflyError},
    journal::{
        changes::Change,
        connection_name::Upstream,
        connections::{Connection, Opened},
        held::Held,
        keys,
        shown::Shown,
    },
    kiotviet::{
        client::{KiotViet, Settings, fetch_token},
        error::KiotVietError,
    },
    rules::{
        codes::{Edition, ShopCodes},
        model::{GetflyUser, KiotVietUser},
    },
    secret::Secret,
    stored,
    time::{Date, Timestamp},
    world::World,
};
use core::{
    cell::{Cell, RefCell},
    time::Duration,
};
use serde::{Serialize, de::DeserializeOwned};

/// How long a cached list of users counts as fresh.
pub const USERS_FRESH: Duration = Duration::from_secs(600);
/// How long an edition counts as one without a list of users.
const USERS_NOT_OFFERED: Duration = Duration::from_secs(3600);
/// A seller who is not among the users may be new. Lists older than this are then read again, once
/// in ten minutes for each seller.
pub const USERS_AGAIN: Duration = Duration::from_secs(60);
/// How many sellers that were not found are remembered.
const MISSED_AT_MOST: usize = 50;
/// A token is not used in the last hour of its life, or in the last tenth of a shorter one.
pub const TOKEN_SPARE: Duration = Duration::from_secs(3600);

/// A sale that changed after its order was made.
#[derive(Debug)]
pub struct Changed {
    /// What became of it.
    pub change: Change,
    /// When it changed, or before that.
    pub since: Option<Timestamp>,
    /// Its day of sale.
    pub day: Option<Date>,
}

/// See the module.
#[derive(Debug)]
pub struct Session<'a, W> {
    /// The world to act in.
    pub world: &'a W,
    /// The configuration.
    pub ready: &'a Ready,
    /// The connection.
    pub connection: &'a Connection,
    /// Its secrets.
    pub opened: &'a Opened,
    /// How its codes in Getfly begin.
    pub codes: ShopCodes,
    /// Until when a create of a crashed worker may still take effect.
    pub left_open: Option<Timestamp>,
    /// Creates whose outcome is not known.
    pub held: &'a [Held],
    /// See [`super::gone::asked_in_vain`].
    pub asked_in_vain: Option<usize>,
    /// A keyed mark of the event's customer as it would be pushed, once it was read.
    pub members: RefCell<Option<String>>,
    /// When the event's record was last changed at KiotViet, once it was read.
    pub modified_at: Cell<Option<Timestamp>>,
    /// Keyed marks by which people find the event, once its customer was read.
    pub marks: RefCell<Vec<String>>,
    /// What people see of the event, once its record was read.
    pub shown: RefCell<Shown>,
    /// A change of the event's sale after its order was made, once that was seen.
    pub changed: RefCell<Option<Changed>>,
    token: RefCell<Option<Secret>>,
}

impl<'a, W: World> Session<'a, W> {
    /// A session; nothing is called yet.
    pub fn new(
        world: &'a W,
        ready: &'a Ready,
        connection: &'a Connection,
        opened: &'a Opened,
    ) -> Self {
        Self {
            world,
            ready,
            connection,
            opened,
            codes: ShopCodes::of(&connection.retailer, connection.apart),
            left_open: None,
            held: &[],
            asked_in_vain: None,
            members: RefCell::new(None),
            modified_at: Cell::new(None),
            marks: RefCell::new(Vec::new()),
            shown: RefCell::default(),
            changed: RefCell::new(None),
            token: RefCell::new(None),
        }
    }

    /// The Getfly client.
    pub fn getfly(&self) -> Getfly<'_, W> {
        Getfly {
            http: self.world,
            origin: &self.ready.getfly_url,
            api_key: &self.ready.getfly_api_key,
        }
    }

    async fn cached<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        let (until, value) = self.cached_until(key).await?;
        (self.world.now() < until).then_some(value)
    }

    /// Cached users, or the sellers missed among them, younger than `age`.
    async fn cached_users<T: DeserializeOwned>(&self, key: &str, age: Duration) -> Option<T> {
        let (until, value) = self.cached_until(key).await?;
        let left = until.saturating_since(self.world.now());
        let young = left > USERS_FRESH.saturating_sub(age);
        // A list that was read while a clock was ahead would count as fresh for that much longer.
        let ahead = left > USERS_FRESH && !mutant!(FutureUsersBelieved);
        ((young && !ahead) || mutant!(UsersBelievedForGood)).then_some(value)
    }

    async fn cached_until<T: DeserializeOwned>(&self, key: &str) -> Option<(Timestamp, T)> {
        let sealed = String::from_utf8(self.world.get(key).await.ok()??).ok()?;
        let plain = self.ready.sealer.open(key, &sealed).ok()?;
        stored::read(&plain).ok()
    }

    async fn cache(&self, key: &str, value: &impl Serialize, fresh: Duration) {
        let Some(until) = self.world.now().checked_add(fresh) else {
            return;
        };
        let plain = stored::write(&(until, value));
        if let Ok(sealed) = self.ready.sealer.seal(key, &plain, self.world) {
            // A cache that was not written only costs time.
            let _ = self.world.set(key, sealed.as_bytes()).await;
        }
    }

    async fn new_token(&self) -> Result<Secret, KiotVietError> {
        let credentials = self.connection.credentials(self.opened);
        let token = fetch_token(self.world, self.settings(), &credentials).await?;
        let life = Duration::from_secs(token.expires_in_seconds);
        self.world.saw(Assumption::TokenLife, life >= TOKEN_SPARE);
        let fresh = life.saturating_sub(TOKEN_SPARE.min(life / 10));
        if !fresh.is_zero() {
            let key = keys::token(&self.connection.name);
            self.cache(&key, &token.access_token.reveal(), fresh).await;
        }
        *self.token.borrow_mut() = Some(token.access_token.clone());
        Ok(token.access_token)
    }

    async fn token(&self) -> Result<Secret, KiotVietError> {
        let held = self.token.borrow().clone();
        if let Some(token) = held {
            return Ok(token);
        }
        match self
            .cached::<String>(&keys::token(&self.connection.name))
            .await
        {
            Some(token) => {
                let token = Secret::new(token);
                *self.token.borrow_mut() = Some(token.clone());
                Ok(token)
            }
            None => self.new_token().await,
        }
    }

    fn settings(&self) -> &Settings {
        self.ready.kiotviet.of(self.connection.retailer.edition())
    }

    fn client(&self, token: Secret) -> KiotViet<'_, W> {
        KiotViet {
            http: self.world,
            settings: self.settings(),
            retailer: &self.connection.retailer,
            token,
        }
    }

    /// Runs `call` with a client; if KiotViet refuses the token, once more with a new one.
    pub async fn kiotviet<T>(
        &self,
        call: impl AsyncFn(KiotViet<'_, W>) -> Result<T, KiotVietError>,
    ) -> Result<T, KiotVietError> {
        let (mut token, mut renewed) = (self.token().await?, false);
        loop {
            match call(self.client(token)).await {
                Err(KiotVietError::Unauthorized { .. })
                    if !renewed && !mutant!(TokenNotRenewed) =>
                {
                    token = self.new_token().await?;
                    renewed = true;
                }
                answer => return answer,
            }
        }
    }

    /// KiotViet's users, at most `age` old.
    pub async fn kiotviet_users(&self, age: Duration) -> Result<Vec<KiotVietUser>, KiotVietError> {
        let key = keys::kiotviet_users(&self.connection.name);
        if let Some(users) = self.cached_users(&key, age).await {
            return Ok(users);
        }
        let missing = keys::users_not_offered(&self.connection.name);
        let is_fnb = self.connection.retailer.edition() == Edition::Fnb;
        if is_fnb && self.cached::<bool>(&missing).await == Some(true) {
            return Err(KiotVietError::NotOffered);
        }
        let users = self.kiotviet(async |k| k.users().await).await;
        if users == Err(KiotVietError::NotOffered) {
            self.cache(&missing, &true, USERS_NOT_OFFERED).await;
        }
        match &users {
            Ok(_) => self.world.saw(Assumption::KiotVietUsers, true),
            Err(KiotVietError::NoRight) => self.world.saw(Assumption::KiotVietUsers, false),
            Err(_) => {}
        }
        let users = users?;
        self.cache(&key, &users, USERS_FRESH).await;
        self.users_were_read(Upstream::KiotViet(&self.connection.name))
            .await;
        Ok(users)
    }

    /// Clears the mark that this upstream's list of users cannot be read.
    async fn users_were_read(&self, upstream: Upstream<'_>) {
        let key = keys::users_unread(upstream);
        // If this is lost, an order goes without its executor sooner than necessary.
        if matches!(self.world.exists(&key).await, Ok(true)) {
            let _ = self.world.delete(&key).await;
        }
    }

    /// Whether this is the first time in ten minutes that this seller is not found; remembers it.
    pub async fn is_first_miss(&self, seller: i64) -> bool {
        let key = keys::missed_sellers(&self.connection.name);
        let mut missed: Vec<i64> = self
            .cached_users(&key, USERS_FRESH)
            .await
            .unwrap_or_default();
        if missed.contains(&seller) {
            return false;
        }
        missed.truncate(MISSED_AT_MOST);
        missed.insert(0, seller);
        self.cache(&key, &missed, USERS_FRESH).await;
        true
    }

    /// Getfly's users, at most `age` old.
    pub async fn getfly_users(&self, age: Duration) -> Result<Vec<GetflyUser>, GetflyError> {
        if let Some(users) = self.cached_users(keys::GETFLY_USERS, age).await {
            return Ok(users);
        }
        let users = self.getfly().users().await;
        match &users {
            Ok(_) => self.world.saw(Assumption::GetflyUsers, true),
            Err(GetflyError::KeyRefused { status: 403 }) => {
                self.world.saw(Assumption::GetflyUsers, false);
            }
            Err(_) => {}
        }
        let users = users?;
        self.cache(keys::GETFLY_USERS, &users, USERS_FRESH).await;
        self.users_were_read(Upstream::Getfly).await;
        Ok(users)
    }
}
