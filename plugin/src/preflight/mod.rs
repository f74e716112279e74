//! What would go wrong with a connection's first sales, found out before they come: by questions only, at most
//! [`MOST_CALLS`] of them, within both vendors' ceilings. A run goes on from request to request, so that each is short.

mod checks;
mod finding;

pub use finding::{Finding, Of, Resource, Told};

use crate::{
    config::Ready,
    journal::{
        connections::{Connection, Opened},
        cursor, keys,
        trouble::Trouble,
    },
    stored,
    time::Timestamp,
    worker::{
        permit::{Permit, Worker},
        session::Session,
    },
    world::{StoreError, World},
};
use core::time::Duration;
use serde::{Deserialize, Serialize};

/// Most calls of one run, to both vendors together.
pub const MOST_CALLS: u64 = 80;
/// No check is begun when a request has gone on for so long.
const AT_ONCE: Duration = Duration::from_secs(8);
/// A result that is older is found out anew.
const FRESH: Duration = Duration::from_secs(3600);

/// One thing that is looked at, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// Whether Getfly has this version of its API, and takes the key.
    Version,
    /// What the key may read at Getfly.
    GetflyRights,
    /// What the connection may read at KiotViet.
    KiotVietRights,
    /// Whether another bridge delivers for this shop.
    OtherBridges,
    /// Whether each seller is a Getfly user.
    Sellers,
    /// Which fields Getfly demands.
    Fields,
    /// How phones stand in Getfly, and who is there twice.
    Accounts,
    /// What the shop's customers look like.
    Customers,
    /// What its last invoices look like, and whether Getfly's own integration has carried them.
    Invoices,
    /// Whether Getfly knows the products of these.
    Products,
}

impl Check {
    /// All of them, in their order.
    pub const ALL: [Self; 10] = [
        Self::Version,
        Self::GetflyRights,
        Self::KiotVietRights,
        Self::OtherBridges,
        Self::Sellers,
        Self::Fields,
        Self::Accounts,
        Self::Customers,
        Self::Invoices,
        Self::Products,
    ];
}

/// Why something could not be found out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unknown {
    /// A side failed.
    Failed(Trouble),
    /// The calls of the run are used up.
    CallsUsedUp,
}

/// What a check came to: nothing, where all is well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// Which.
    pub check: Check,
    /// What was found.
    #[serde(default)]
    pub findings: Vec<Finding>,
    /// Why it could not be found out, or not all of it.
    pub unknown: Option<Unknown>,
}

/// A run, as far as it has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preflight {
    /// When it began.
    pub began_at: Timestamp,
    /// Calls that it has made.
    pub calls: u64,
    /// What it has looked at.
    pub checked: Vec<Checked>,
    /// Starts of its last calls to Getfly, for the ceiling.
    #[serde(default)]
    getfly_calls: Vec<Timestamp>,
    /// Product codes of the last invoices that are still to be looked up.
    #[serde(default)]
    codes: Vec<String>,
    /// How many were looked up.
    #[serde(default)]
    looked_up: usize,
    /// Those that Getfly does not have.
    #[serde(default)]
    unknown_codes: Vec<String>,
}

impl Preflight {
    fn beginning(now: Timestamp) -> Self {
        Self {
            began_at: now,
            calls: 0,
            checked: Vec::new(),
            getfly_calls: Vec::new(),
            codes: Vec::new(),
            looked_up: 0,
            unknown_codes: Vec::new(),
        }
    }

    /// Whether everything was looked at.
    pub fn is_complete(&self) -> bool {
        self.checked.len() >= Check::ALL.len()
    }

    fn next(&self) -> Option<Check> {
        Check::ALL.get(self.checked.len()).copied()
    }
}

async fn load<W: World>(
    world: &W,
    connection: &Connection,
) -> Result<Option<Preflight>, StoreError> {
    let kept = world.get(&keys::preflight(&connection.name)).await?;
    // One of another version begins anew.
    Ok(kept.and_then(|bytes| stored::read(&bytes).ok()))
}

/// Goes on with the connection's run for some seconds, or begins one where there is none, it is old, or `anew` is
/// asked for; returns how far it has come.
pub async fn go_on<W: World>(
    world: &W,
    ready: &Ready,
    (connection, opened): (&Connection, &Opened),
    anew: bool,
) -> Result<Preflight, StoreError> {
    let began = world.now();
    let kept = load(world, connection).await?.filter(|run| {
        let age = began.saturating_since(run.began_at);
        !(anew || age > FRESH)
    });
    let mut run = kept.unwrap_or_else(|| Preflight::beginning(began));
    if run.is_complete() {
        return Ok(run);
    }
    let mut calls = cursor::getfly_calls(world).await;
    calls.extend(run.getfly_calls.iter().copied());
    calls.sort_unstable();
    let worker = Worker::new(world, Permit::ReadOnly, ready, calls);
    worker.limit_calls(MOST_CALLS.saturating_sub(run.calls));
    let session = Session::new(&worker, ready, connection, opened);
    while let Some(check) = run.next() {
        if world.now().saturating_since(began) >= AT_ONCE {
            break;
        }
        let until = began.checked_add(AT_ONCE).unwrap_or(began);
        let Some(checked) = checks::look(&session, &mut run, check, until).await else {
            continue;
        };
        let used_up = worker.calls_left() == 0;
        let unknown = match checked.unknown {
            Some(_) if used_up => Some(Unknown::CallsUsedUp),
            unknown => unknown,
        };
        run.checked.push(Checked { unknown, ..checked });
    }
    run.calls = MOST_CALLS.saturating_sub(worker.calls_left());
    run.getfly_calls = worker.getfly_calls();
    let key = keys::preflight(&connection.name);
    world.set(&key, &stored::write(&run)).await?;
    Ok(run)
}
