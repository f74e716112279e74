//! Ties one store to one Getfly. The store remembers the tenant's origin. If `getfly_url` changes,
//! nothing is sent until a person confirms it and known records read back there. Deliveries are
//! stored meanwhile.

use crate::{
    config::Ready,
    getfly::{client::Getfly, error::GetflyError},
    journal::{entries, keys, record::State},
    rules::codes::{AccountCode, OrderCode},
    stored,
    worker::failure::Stop,
    world::{Http, Store, StoreError, World},
};
use serde::{Deserialize, Serialize};

/// How many of the newest journal entries are searched for a known account and a known order.
const LOOKED_AT: usize = 1000;
/// How many of each are read: people may have deleted one in Getfly.
const TRIED: usize = 3;

/// What the store remembers of the tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    /// Its origin.
    pub origin: String,
    /// Another origin that waits for a person's confirmation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<String>,
}

/// The remembered tenant; none in a store that has met none. An unreadable entry counts as none.
pub async fn load(store: &impl Store) -> Result<Option<Tenant>, StoreError> {
    let bytes = store.get(keys::TENANT).await?;
    Ok(bytes.and_then(|bytes| stored::read(&bytes).ok()))
}

async fn save(store: &impl Store, tenant: &Tenant) -> Result<(), StoreError> {
    store.set(keys::TENANT, &stored::write(tenant)).await
}

/// The tenant that the store belongs to, if `getfly_url` is another one.
pub async fn other_than(store: &impl Store, ready: &Ready) -> Result<Option<String>, StoreError> {
    let kept = load(store).await?.map(|tenant| tenant.origin);
    Ok(kept.filter(|kept| !kept.eq_ignore_ascii_case(&ready.getfly_url)))
}

/// To whom the Getfly at `getfly_url` belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tenancy {
    /// The store has not met a tenant.
    First,
    /// The store's.
    Ours,
    /// Another one: nothing may be sent to it.
    Other,
}

/// Whether a worker may go on. Another tenant is noted for people.
pub async fn tenancy(store: &impl Store, ready: &Ready) -> Result<Tenancy, Stop> {
    let url = &ready.getfly_url;
    let Some(kept) = load(store).await? else {
        return Ok(Tenancy::First);
    };
    let ours = kept.origin.eq_ignore_ascii_case(url);
    let asked = (!ours).then(|| url.clone());
    if kept.asked != asked {
        save(store, &Tenant { asked, ..kept }).await?;
    }
    Ok(if ours || mutant!(AnyTenantTaken) {
        Tenancy::Ours
    } else {
        Tenancy::Other
    })
}

/// Remembers the tenant at `getfly_url` after the first create or link there, if the store had met
/// none.
pub async fn keep_first(store: &impl Store, ready: &Ready) -> Result<(), Stop> {
    let first = Tenant {
        origin: ready.getfly_url.clone(),
        asked: None,
    };
    Ok(save(store, &first).await?)
}

/// The result of a person's confirmation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Confirmed {
    /// The store belongs to it now, or already did.
    Taken,
    /// It does not have what the store knows.
    Unknown {
        /// An account that it lacks.
        account: Option<AccountCode>,
        /// An order that it lacks.
        order: Option<OrderCode>,
    },
}

/// A person confirms that the store's accounts and orders are at `getfly_url`: reads some of them
/// there.
pub async fn confirm<W: World>(world: &W, ready: &Ready) -> Result<Confirmed, ConfirmError> {
    if other_than(world, ready).await?.is_some() {
        let (accounts, orders) = known(world).await?;
        let getfly = Getfly {
            http: world,
            origin: &ready.getfly_url,
            api_key: &ready.getfly_api_key,
        };
        let account = lacks_accounts(&getfly, &accounts).await?;
        let order = lacks_orders(&getfly, &orders).await?;
        if account.is_some() || order.is_some() {
            return Ok(Confirmed::Unknown { account, order });
        }
    }
    let tenant = Tenant {
        origin: ready.getfly_url.clone(),
        asked: None,
    };
    save(world, &tenant).await?;
    Ok(Confirmed::Taken)
}

/// The newest accounts and orders that the journal knows.
async fn known(store: &impl Store) -> Result<(Vec<AccountCode>, Vec<OrderCode>), StoreError> {
    let (mut accounts, mut orders) = (Vec::new(), Vec::new());
    for seq in entries::numbers(store, None, LOOKED_AT).await? {
        if accounts.len() >= TRIED && orders.len() >= TRIED {
            break;
        }
        let event = entries::read_event(store, seq).await?;
        let Some(event) = event.filter(|event| event.state() == State::Done) else {
            continue;
        };
        let account = event.account_code.filter(|code| !accounts.contains(code));
        accounts.extend(account.filter(|_| accounts.len() < TRIED));
        let order = event.order_code.filter(|code| !orders.contains(code));
        orders.extend(order.filter(|_| orders.len() < TRIED));
    }
    Ok((accounts, orders))
}

/// The first of these accounts, if the tenant has none of them.
async fn lacks_accounts<H: Http>(
    getfly: &Getfly<'_, H>,
    codes: &[AccountCode],
) -> Result<Option<AccountCode>, GetflyError> {
    for code in codes {
        if getfly.account_by_code(code).await?.is_some() {
            return Ok(None);
        }
    }
    Ok(codes.first().cloned())
}

async fn lacks_orders<H: Http>(
    getfly: &Getfly<'_, H>,
    codes: &[OrderCode],
) -> Result<Option<OrderCode>, GetflyError> {
    for code in codes {
        if getfly.order_by_code(code).await?.is_some() {
            return Ok(None);
        }
    }
    Ok(codes.first().cloned())
}

/// Why a confirmation could not be carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfirmError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Getfly failed.
    #[error(transparent)]
    Getfly(#[from] GetflyError),
}
