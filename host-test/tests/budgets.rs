//! Claims what an ordinary event costs in WebAssembly, as budgets that are counts: fuel (wasmtime's
//! measure of instructions), peak memory of the guest, calls to the store besides the lease, bytes
//! written, calls to the vendors. How: one event of each kind in a shop whose tokens and users are
//! cached, counted behind the interfaces of the component.

use host_test::{
    keyvalue::{Backend, Memory, Reply},
    scene::{On, customer, hoa, sale},
    wasm_scene::WasmScene,
};
use serde_json::Value;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// Counts what is asked of a store, besides the lease.
#[derive(Default)]
struct Counting {
    memory: Memory,
    reads: AtomicUsize,
    writes: AtomicUsize,
    bytes: AtomicUsize,
    lease: AtomicUsize,
}

impl Counting {
    fn count(&self, key: &str, of: &AtomicUsize, bytes: usize) {
        let of = if key.contains("/lease/") {
            &self.lease
        } else {
            of
        };
        of.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl Backend for Counting {
    fn get<'a>(&'a self, key: &'a str) -> Reply<'a, Option<Vec<u8>>> {
        self.count(key, &self.reads, 0);
        self.memory.get(key)
    }
    fn set<'a>(&'a self, key: &'a str, value: Vec<u8>) -> Reply<'a, ()> {
        self.count(key, &self.writes, key.len() + value.len());
        self.memory.set(key, value)
    }
    fn delete<'a>(&'a self, key: &'a str) -> Reply<'a, ()> {
        self.count(key, &self.writes, key.len());
        self.memory.delete(key)
    }
    fn exists<'a>(&'a self, key: &'a str) -> Reply<'a, bool> {
        self.count(key, &self.reads, 0);
        self.memory.exists(key)
    }
    fn list_keys(&self) -> Reply<'_, Vec<String>> {
        self.count("", &self.reads, 0);
        self.memory.list_keys()
    }
    fn increment<'a>(&'a self, key: &'a str, delta: i64) -> Reply<'a, i64> {
        let of = if delta == 0 {
            &self.reads
        } else {
            &self.writes
        };
        self.count(key, of, 0);
        self.memory.increment(key, delta)
    }
    fn dump(&self) -> Reply<'_, Vec<(String, Vec<u8>)>> {
        self.memory.dump()
    }
}

/// What something costs.
struct Cost([usize; 7]);

/// What a [`Cost`] counts.
const OF: [&str; 7] = [
    "fuel",
    "bytes of memory",
    "store reads",
    "store writes",
    "lease calls",
    "bytes written",
    "vendor calls",
];

impl Cost {
    /// Fails where it is above the budget, and where it is so far below that the budget says nothing.
    fn is_within(&self, what: &str, budget: [usize; 7]) {
        println!("{what}: {:?} of {budget:?}", self.0);
        for ((of, cost), budget) in OF.into_iter().zip(self.0).zip(budget) {
            assert!(
                cost <= budget,
                "{what}: {cost} {of}, the budget is {budget}"
            );
            assert!(
                cost * 2 >= budget,
                "{what}: {cost} {of}, the budget of {budget} is too wide"
            );
        }
    }
}

struct Shop {
    scene: WasmScene,
    store: Arc<Counting>,
}

impl Shop {
    async fn connected() -> Self {
        let store = Arc::new(Counting::default());
        let scene = WasmScene::connected(On::Both, |builder| builder.store(store.clone())).await;
        let scene = scene.expect("the component connects a shop");
        // Tokens and lists of users are cached from here on; the first signature is kept.
        let id = scene
            .kiotviet
            .create_customer(customer("Khách", "0911111111"));
        scene.kiotviet.create_invoice(sale(Some(id)));
        scene.deliver().await;
        Self { scene, store }
    }

    /// What a delivery, or a drain where nothing is to be delivered, costs.
    async fn cost(&self) -> Cost {
        // Away from a slot's end, where the next one is taken too.
        tokio::time::sleep(Duration::from_secs(30)).await;
        let store = &self.store;
        let all = [&store.reads, &store.writes, &store.lease, &store.bytes];
        for count in all {
            count.store(0, Ordering::Relaxed);
        }
        self.scene.app.take_calls();
        let outcome = match self.scene.deliver().await.pop() {
            Some(outcome) => outcome,
            None => self.scene.app.api("POST", "drain", &Value::Null).await,
        };
        assert_eq!((outcome.status, outcome.finished.trap), (200, None));
        let [reads, writes, lease, bytes] = all.map(|count| count.load(Ordering::Relaxed));
        let calls = self.scene.app.take_calls().len();
        let fuel = usize::try_from(outcome.finished.fuel).unwrap_or(usize::MAX);
        let memory = outcome.finished.memory;
        Cost([fuel, memory, reads, writes, lease, bytes, calls])
    }
}

#[tokio::test(start_paused = true)]
async fn what_happens_costs_what_its_budget_says() {
    const MEMORY: usize = 2 << 20;
    let shop = Shop::connected().await;
    let kiotviet = &shop.scene.kiotviet;
    let hoa = kiotviet.create_customer(hoa());
    let budget = [3_000_000, MEMORY, 15, 5, 2, 4_000, 4];
    shop.cost().await.is_within("a new customer", budget);

    let sold = kiotviet.create_invoice(sale(Some(hoa)));
    let budget = [4_200_000, MEMORY, 17, 5, 2, 5_000, 2];
    shop.cost()
        .await
        .is_within("an invoice of a known customer", budget);

    kiotviet.create_invoice(sale(None));
    let budget = [3_900_000, MEMORY, 15, 5, 2, 5_000, 2];
    shop.cost()
        .await
        .is_within("an invoice without a customer", budget);

    kiotviet.edit_customer(hoa, |_| {});
    let budget = [2_500_000, MEMORY, 13, 4, 2, 3_500, 0];
    shop.cost().await.is_within("a customer told again", budget);

    kiotviet.set_invoice_status(sold, 1);
    let budget = [3_200_000, MEMORY, 13, 4, 2, 4_500, 0];
    shop.cost().await.is_within("an invoice told again", budget);

    // The first one also notes how old the oldest event is.
    shop.cost().await;
    let budget = [800_000, MEMORY, 3, 0, 2, 30, 0];
    shop.cost()
        .await
        .is_within("a drain with nothing due", budget);
}
