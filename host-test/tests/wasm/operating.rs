//! Claims that the component heals, backfills, shows its metrics and its page, and works on a store without
//! atomics in WebAssembly as it does natively. How: a simulated shop over the host's runtime, in
//! virtual time; nothing leaves this process.

use bytes::Bytes;
use host_test::{
    harness::START,
    native::{ADMIN_TOKEN, PUBLIC},
    scene::{On, hoa, sale},
    stores::broken::{Broken, How},
    wasm_scene::WasmScene,
};
use serde_json::{Value, json};
use std::{ops::Deref, sync::Arc, time::Duration};

struct Shop(WasmScene);

impl Deref for Shop {
    type Target = WasmScene;

    fn deref(&self) -> &WasmScene {
        &self.0
    }
}

async fn pass(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

impl Shop {
    /// A shop that has sold before it is connected.
    async fn connected(edge: bool) -> Self {
        let scene = WasmScene::unconnected(|builder| {
            if !edge {
                return builder;
            }
            let store = Broken::new(How::WithoutAtomics);
            builder
                .variable("processing", "inline")
                .store(Arc::new(store))
        });
        let scene = scene.expect("the component builds");
        scene.kiotviet.create_invoice(sale(None));
        pass(60).await;
        scene.connect(On::Both).await.expect("it is connected");
        Self(scene)
    }

    async fn api(&self, method: &str, path: &str, body: Value) -> Value {
        let outcome = self.app.api(method, path, &body).await;
        assert!((200..300).contains(&outcome.status), "{}", outcome.json());
        outcome.json()
    }

    async fn drain(&self, path: &str) {
        self.api("POST", path, Value::Null).await;
    }

    async fn page(&self, request: http::request::Builder, body: &'static str) -> (u16, String) {
        let request = request.body(Bytes::from_static(body.as_bytes())).unwrap();
        let outcome = self.app.request(request).await;
        (
            outcome.status,
            String::from_utf8_lossy(&outcome.body).into_owned(),
        )
    }
}

async fn heals_and_backfills(edge: bool) {
    let shop = Shop::connected(edge).await;
    for hook in shop.kiotviet.webhooks() {
        shop.kiotviet.set_webhook_active(hook.id, false);
    }
    let id = shop.kiotviet.create_customer(hoa());
    shop.kiotviet.create_invoice(sale(Some(id)));
    shop.drain("drain?heal=now").await;
    pass(70).await;
    shop.drain("drain").await;
    assert_eq!(shop.in_getfly(), (1, 1));
    assert!(shop.kiotviet.webhooks().iter().all(|h| h.is_active));

    let body = json!({"from": START});
    let begun = shop.api("POST", "connections/shop/backfill", body).await;
    assert_eq!(begun["state"], "running");
    for _ in 0..3 {
        pass(70).await;
        shop.drain("drain").await;
    }
    assert_eq!(shop.in_getfly(), (1, 2));
    let state = shop
        .api("GET", "connections/shop/backfill", Value::Null)
        .await;
    assert_eq!(state["state"], "done");

    // And live sales go on.
    shop.kiotviet.create_invoice(sale(Some(id)));
    shop.deliver().await;
    assert_eq!(shop.in_getfly(), (1, 3));
    pass(70).await;
    shop.drain("drain").await;
    let overview = shop.api("GET", "overview", Value::Null).await;
    assert_eq!(overview["balanced"], true);
    // Two webhooks, the customer and three sales.
    assert_eq!(overview["counts"]["received"], 6, "{overview}");
    assert_eq!(overview["counts"]["waiting"], 0, "{overview}");
    assert_eq!(overview["weaker"].is_string(), edge);
}

#[tokio::test(start_paused = true)]
async fn it_heals_and_backfills() {
    heals_and_backfills(false).await;
}

#[tokio::test(start_paused = true)]
async fn it_does_so_on_a_store_without_atomics_too() {
    heals_and_backfills(true).await;
}

#[tokio::test(start_paused = true)]
async fn it_shows_its_page_and_its_metrics() {
    let shop = Shop::connected(false).await;
    let metrics = http::Request::get(format!("{PUBLIC}/metrics"))
        .header("authorization", format!("Bearer {ADMIN_TOKEN}"));
    let (status, text) = shop.page(metrics, "").await;
    assert_eq!(status, 200);
    assert!(text.contains("\nkvgf_dead_letters 0\n"), "{text}");
    let (status, page) = shop
        .page(http::Request::get(format!("{PUBLIC}/")), "")
        .await;
    assert_eq!(status, 200);
    assert!(page.starts_with("<!DOCTYPE html>"), "{page}");
    assert!(!page.contains("<script"));
}
