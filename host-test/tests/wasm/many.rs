//! Claims that the drains of many tenants are spread over the time between two, and that a tenant that has nothing to do
//! is left alone until something comes, where nobody else uses its store; that work after an answer keeps no other
//! tenant's delivery waiting, and ends soon after its tenant is gone. How: the server's own clock in paused time, a store
//! for each tenant that counts the lease's calls, and shops whose KiotViet hangs.

use bytes::Bytes;
use host::{
    runtime::{Idle, Instances, World},
    server::{App, Bounds, Share, Tenant, serve},
};
use host_test::{
    harness::{self, Harness},
    shop::{On, WasmShop, customer},
    stores::Counting,
};
use sim::{Fault, FaultRule};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::{net::TcpListener, task::JoinHandle};

const MINUTE: Duration = Duration::from_secs(60);

struct Many {
    app: Arc<App>,
    stores: Vec<Arc<Counting>>,
    serving: JoinHandle<()>,
}

impl Drop for Many {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// A tenant n.test for each of these worlds, with this rest.
fn tenants(worlds: Vec<World>, rest: Duration) -> BTreeMap<String, Arc<Tenant>> {
    let share = Share {
        instances: 16,
        large_bodies: 2,
        requests: 128,
        rest,
    };
    let idle = Idle::at_most(16);
    let component = harness::component().expect("the component");
    let tenant = |(n, world): (usize, World)| {
        let instances = Instances::sharing(&idle, usize::MAX, component.clone(), world);
        let host = format!("{n}.test");
        (host.clone(), Tenant::new(&host, instances, share, None))
    };
    worlds.into_iter().enumerate().map(tenant).collect()
}

impl Many {
    /// So many tenants, n.test each, with this rest.
    async fn serve(many: usize, rest: Duration) -> Self {
        let mut stores = Vec::new();
        let mut worlds = Vec::new();
        for _ in 0..many {
            let store = Arc::new(Counting::default());
            stores.push(store.clone());
            let app = Harness::builder().store(store).build().expect("a harness");
            worlds.push(app.world());
        }
        let app = Arc::new(App::of_many(Bounds::default()));
        app.serve_tenants(tenants(worlds, rest));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let never = std::future::pending();
        let serving = tokio::spawn(serve(app.clone(), listener, MINUTE, never));
        Self {
            app,
            stores,
            serving,
        }
    }

    /// In which of these seconds each tenant drained.
    async fn drained(&self, seconds: usize) -> Vec<Vec<usize>> {
        let mut drained = vec![Vec::new(); self.stores.len()];
        for second in 0..seconds {
            tokio::time::sleep(Duration::from_secs(1)).await;
            for (store, seconds) in self.stores.iter().zip(&mut drained) {
                if store.take().lease > 0 {
                    seconds.push(second);
                }
            }
        }
        drained
    }
}

#[tokio::test(start_paused = true)]
async fn drains_are_spread_over_the_minute_and_each_tenant_has_one() {
    let many = Many::serve(30, Duration::ZERO).await;
    let drained = many.drained(60).await;
    let mut in_ten_seconds = [0; 6];
    for seconds in &drained {
        assert_eq!(seconds.len(), 1, "{drained:?}");
        in_ten_seconds[seconds[0] / 10] += 1;
    }
    assert!(
        in_ten_seconds.iter().all(|n| (3..=7).contains(n)),
        "{in_ten_seconds:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_tenant_with_nothing_to_do_rests_until_a_request_comes() {
    let many = Many::serve(2, 5 * MINUTE).await;
    for seconds in many.drained(20 * 60).await {
        assert!((3..=6).contains(&seconds.len()), "{seconds:?}");
    }
    let request = http::Request::post("http://1.test/hooks/shop/token");
    let request = request.body(Bytes::new()).expect("a request");
    let answer = many.app.handle(request).await.expect("answered");
    assert_eq!(answer.status(), 404);
    many.stores[1].take();
    let drained = many.drained(61).await;
    assert_eq!(drained[1].len(), 1, "{drained:?}");
}

/// So many connected shops, each a tenant n.test of `app`, whose KiotViet answers no more.
async fn shops(app: &App, shops: usize) -> Vec<WasmShop> {
    let mut connected = Vec::new();
    for _ in 0..shops {
        let shop = WasmShop::connected_in_wasm(On::Customers, |b| b).await;
        let shop = shop.expect("a shop");
        let hangs = FaultRule::new(Fault::Hang).on(http::Method::GET, "/customers");
        shop.kiotviet_faults.add(hangs);
        connected.push(shop);
    }
    let worlds = connected.iter().map(|shop| shop.app.world()).collect();
    app.serve_tenants(tenants(worlds, Duration::ZERO));
    connected
}

/// What the shop's next delivery is answered, to this tenant.
async fn deliver(app: &App, shop: &WasmShop, tenant: usize) -> u16 {
    shop.kiotviet
        .create_customer(customer("Khách", "0911111111"));
    let delivery = shop.kiotviet.take_deliveries().remove(0);
    let mut request = shop.kiotviet.request(&delivery);
    let uri = format!("http://{tenant}.test{}", request.uri().path());
    *request.uri_mut() = uri.parse().expect("a uri");
    // KiotViet waits no longer.
    let answer = tokio::time::timeout(Duration::from_secs(5), app.handle(request)).await;
    let answer = answer.map_or(0, |a| a.expect("an answer").status().as_u16());
    shop.kiotviet.settle(delivery, Some(answer));
    answer
}

#[tokio::test(start_paused = true)]
async fn work_after_an_answer_keeps_no_other_tenants_delivery_waiting() {
    let app = App::of_many(Bounds {
        instances: 2,
        after_answers: 3,
        ..Bounds::default()
    });
    let shops = shops(&app, 8).await;
    for (n, shop) in shops.iter().enumerate() {
        assert_eq!(deliver(&app, shop, n).await, 200, "{n}");
    }
    assert!(shops.iter().any(|shop| asked(shop) > 0));
}

/// How often KiotViet was asked for customers.
fn asked(shop: &WasmShop) -> usize {
    let calls = shop.kiotviet_faults.calls();
    calls
        .iter()
        .filter(|c| c.path.starts_with("/customers"))
        .count()
}

#[tokio::test(start_paused = true)]
async fn a_tenant_that_is_gone_works_no_longer() {
    let app = App::of_many(Bounds::default());
    let shops = shops(&app, 1).await;
    for _ in 0..20 {
        assert_eq!(deliver(&app, &shops[0], 0).await, 200);
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(asked(&shops[0]) > 0);
    app.serve_tenants(BTreeMap::new());
    tokio::time::sleep(Duration::from_secs(11)).await;
    let before = asked(&shops[0]);
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert_eq!(asked(&shops[0]), before);
}
