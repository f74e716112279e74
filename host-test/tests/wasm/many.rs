//! Claims that the drains of many tenants are spread over the time between two, and that a tenant that has nothing to do
//! is left alone until something comes, where nobody else uses its store. How: the server's own clock in paused time,
//! and a store for each tenant that counts the lease's calls.

use bytes::Bytes;
use host::{
    runtime::{Idle, Instances},
    server::{App, Bounds, Share, Tenant, serve},
};
use host_test::{
    harness::{self, Harness},
    stores::Counting,
};
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

impl Many {
    /// So many tenants, n.test each, with this rest.
    async fn serve(tenants: usize, rest: Duration) -> Self {
        let share = Share {
            instances: 16,
            large_bodies: 2,
            requests: 128,
            rest,
        };
        let idle = Idle::at_most(16);
        let component = harness::component().expect("the component");
        let mut stores = Vec::new();
        let mut by_host = BTreeMap::new();
        for n in 0..tenants {
            let store = Arc::new(Counting::default());
            stores.push(store.clone());
            let app = Harness::builder().store(store).build().expect("a harness");
            let component = component.clone();
            let instances = Instances::sharing(&idle, usize::MAX, component, app.world());
            let host = format!("{n}.test");
            let tenant = Tenant::new(&host, instances, share, None);
            by_host.insert(host, tenant);
        }
        let app = Arc::new(App::of_many(Bounds::default()));
        app.serve_tenants(by_host);
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
