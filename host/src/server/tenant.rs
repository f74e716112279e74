//! Who is served: the only application, or each of many tenants under the host name of its `public_url`.

use super::{
    places::{Place, Places},
    proxies::subscriber,
};
use crate::{keyvalue::Quota, runtime::Instances};
use bytes::Bytes;
use http::Method;
use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::{Semaphore, SemaphorePermit};

/// How much of the host one tenant may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Instances alive at once.
    pub instances: usize,
    /// Large bodies in memory at once.
    pub large_bodies: usize,
    /// Requests at once that are being read, wait or are answered; further ones are answered 503.
    pub requests: usize,
    /// After a drain that found nothing to do, and as long as no request came that could change that, none is made for
    /// so long. Zero where others may use the same store.
    pub rest: Duration,
}

/// One application with its own instances, variables, origins, log and keys.
pub struct Tenant {
    name: String,
    instances: Arc<Instances>,
    places: Arc<Places<IpAddr>>,
    large: Arc<Places<IpAddr>>,
    requests: Semaphore,
    quota: Option<Arc<Quota>>,
    rest: Duration,
    /// Whether a request came since the last drain began that may have left something to do.
    touched: AtomicBool,
}

/// A place among the tenant's own, and one among those of all.
pub(super) type Both = (Place<IpAddr>, Place<u64>);

impl Tenant {
    /// These instances, within this share.
    pub fn new(
        name: &str,
        instances: Arc<Instances>,
        share: Share,
        quota: Option<Arc<Quota>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            name: name.to_owned(),
            instances,
            places: Places::new(share.instances),
            large: Places::new(share.large_bodies),
            requests: Semaphore::new(share.requests.min(Semaphore::MAX_PERMITS)),
            quota,
            rest: share.rest,
            touched: AtomicBool::new(true),
        })
    }

    pub(super) fn within(&self, share: Share) -> Arc<Self> {
        let (instances, quota) = (self.instances.clone(), self.quota.clone());
        Self::new(&self.name, instances, share, quota)
    }

    /// Its name; empty for an only one.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// A number of its own, from 1 on.
    pub(super) fn number(&self) -> u64 {
        self.instances.number()
    }

    pub(super) fn instances(&self) -> &Arc<Instances> {
        &self.instances
    }

    /// One further request with this head, if so many are allowed, and the store is not full where it would keep
    /// something.
    pub(super) fn admit(&self, method: &Method, path: &str) -> Option<SemaphorePermit<'_>> {
        let full = || self.quota.as_ref().is_some_and(|quota| quota.is_full());
        if path.starts_with("/hooks/") && full() {
            return None;
        }
        let admitted = self.requests.try_acquire().ok()?;
        self.touch(method);
        Some(admitted)
    }

    /// A request by this method comes.
    pub(super) fn touch(&self, method: &Method) {
        if !method.is_safe() {
            self.touched.store(true, Ordering::Relaxed);
        }
    }

    /// How long none may be made after a drain that found nothing to do.
    pub(super) fn rest(&self) -> Duration {
        self.rest
    }

    /// Whether a request came since this was last asked that may have left something to do.
    pub(super) fn was_touched(&self) -> bool {
        self.touched.swap(false, Ordering::Relaxed)
    }

    /// An instance's place for `client`, by turns among the tenant's clients and then among tenants.
    pub(super) async fn place(&self, all: &Arc<Places<u64>>, client: IpAddr) -> Both {
        let own = self.places.take(subscriber(client)).await;
        (own, all.take(self.number()).await)
    }

    /// The same for a large body.
    pub(super) async fn large_place(&self, all: &Arc<Places<u64>>, client: IpAddr) -> Both {
        let own = self.large.take(subscriber(client)).await;
        (own, all.take(self.number()).await)
    }

    /// What any scheduler sends: `POST /api/drain` with the admin token.
    pub(super) fn drain_request(&self) -> Option<http::Request<Bytes>> {
        self.own(http::Request::post("http://localhost/api/drain"))
    }

    /// What a scraper sends.
    pub(super) fn metrics_request(&self) -> Option<http::Request<Bytes>> {
        self.own(http::Request::get("http://localhost/metrics"))
    }

    fn own(&self, request: http::request::Builder) -> Option<http::Request<Bytes>> {
        let token = self.instances.world().variables.get("admin_token");
        let token = token.cloned().unwrap_or_default();
        let authorization = format!("Bearer {token}");
        let request = request.header("authorization", authorization);
        request.body(Bytes::new()).ok()
    }
}

/// Who is served.
pub(super) enum Tenants {
    /// One, whatever host name a request has.
    One(Arc<Tenant>),
    /// Each under its host name ([`host_name`]).
    ByHost(BTreeMap<String, Arc<Tenant>>),
}

impl Tenants {
    /// Who a request to this absolute URI is for.
    pub(super) fn of(&self, uri: &http::Uri) -> Option<Arc<Tenant>> {
        match self {
            Self::One(tenant) => Some(tenant.clone()),
            Self::ByHost(tenants) => tenants.get(&host_name(uri.host()?)).cloned(),
        }
    }

    /// All of them.
    pub(super) fn all(&self) -> Vec<Arc<Tenant>> {
        match self {
            Self::One(tenant) => vec![tenant.clone()],
            Self::ByHost(tenants) => tenants.values().cloned().collect(),
        }
    }

    /// Those that came after the one with this number, with how many parts of `parts` each waits before its first
    /// drain, so that drains are spread evenly. The only tenant does not wait.
    pub(super) fn since(&self, number: u64, parts: u64) -> Vec<(u64, Weak<Tenant>, u64)> {
        match self {
            Self::One(tenant) if tenant.number() <= number => Vec::new(),
            Self::One(tenant) => vec![(tenant.number(), Arc::downgrade(tenant), 0)],
            Self::ByHost(tenants) => {
                let new = tenants.values().filter(|t| t.number() > number);
                new.map(|tenant| {
                    let waits = spread(tenant.number(), parts);
                    (tenant.number(), Arc::downgrade(tenant), waits)
                })
                .collect()
            }
        }
    }
}

/// How many parts of `parts` a tenant waits: multiples of the golden ratio lie evenly however many there are.
fn spread(number: u64, parts: u64) -> u64 {
    const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
    let share = u128::from(number.wrapping_mul(GOLDEN)) * u128::from(parts);
    u64::try_from(share >> 64).unwrap_or(0)
}

/// A host name as it is compared: without case, and without the dot that may end it.
pub fn host_name(host: &str) -> String {
    host.trim_end_matches('.').to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::{host_name, spread};

    #[test]
    fn a_host_name_has_no_case_and_no_last_dot() {
        assert_eq!(host_name("Bridge.Example.VN."), "bridge.example.vn");
        assert_eq!(host_name("[2001:DB8::1]"), "[2001:db8::1]");
    }

    #[test]
    fn drains_lie_evenly_however_many_tenants_there_are() {
        for tenants in [60, 1000] {
            let mut in_a_second = [0_u64; 60];
            for number in 1..=tenants {
                let second = usize::try_from(spread(number, 60)).expect("small");
                in_a_second[second] += 1;
            }
            let most = in_a_second.iter().max();
            let even = tenants / 60;
            assert!(most <= Some(&(even + 2)), "{tenants}: {in_a_second:?}");
        }
    }
}
