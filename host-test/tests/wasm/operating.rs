//! Claims that the component heals, backfills, shows its metrics and its page, and works on a store without
//! atomics in WebAssembly as it does natively. How: a simulated shop over the host's runtime, in
//! virtual time; nothing leaves this process.

use bytes::Bytes;
use host_test::{
    admin::{Admin, successful},
    harness::START,
    shop::{CONNECTION, On, WasmShop, hoa, sale},
    stores::broken::{Broken, How},
    variables::{ADMIN_TOKEN, PUBLIC},
};
use serde_json::json;
use std::sync::Arc;

/// Who cannot count.
#[derive(Clone, Copy, PartialEq)]
enum Without {
    Nobody,
    Store,
    Component,
}

/// A shop that has sold before it is connected.
async fn shop(without: Without) -> WasmShop {
    let shop = WasmShop::in_wasm(|builder| match without {
        Without::Nobody => builder,
        Without::Store => builder
            .variable("processing", "inline")
            .store(Arc::new(Broken::new(How::WithoutAtomics))),
        Without::Component => builder.variable("processing", "inline").without_atomics(),
    });
    let shop = shop.expect("the component builds");
    shop.kiotviet.create_invoice(sale(None));
    shop.pass(60).await;
    shop.connect_with(On::Both).await;
    shop
}

async fn page(shop: &WasmShop, request: http::request::Builder) -> (u16, String) {
    let request = request.body(Bytes::new()).expect("a request");
    let outcome = shop.app.request(request).await;
    let text = String::from_utf8_lossy(&outcome.body).into_owned();
    (outcome.status, text)
}

async fn heals_and_backfills(without: Without) {
    let shop = shop(without).await;
    shop.kiotviet.switch_off_webhooks();
    let id = shop.kiotviet.create_customer(hoa());
    shop.kiotviet.create_invoice(sale(Some(id)));
    successful(shop.app.heal().await).expect("it heals");
    shop.pass(70).await;
    successful(shop.app.drain().await).expect("it drains");
    assert_eq!(shop.in_getfly(), (1, 1));
    assert!(shop.kiotviet.webhooks().iter().all(|h| h.is_active));

    let begun = shop.backfill(json!({"from": START})).await;
    let begun = successful(begun).expect("a backfill");
    assert_eq!(begun["state"], "running");
    shop.minutes(4).await;
    assert_eq!(shop.in_getfly(), (1, 2));
    let (_, state) = shop.app.backfill_state(CONNECTION).await;
    assert_eq!(state["state"], "done");

    // And live sales go on.
    shop.kiotviet.create_invoice(sale(Some(id)));
    shop.deliver().await;
    assert_eq!(shop.in_getfly(), (1, 3));
    shop.minutes(2).await;
    let (_, overview) = shop.app.overview().await;
    assert_eq!(overview["balanced"], true);
    // Two webhooks, the customer and three sales.
    assert_eq!(overview["counts"]["received"], 6, "{overview}");
    assert_eq!(overview["counts"]["waiting"], 0, "{overview}");
    assert_eq!(
        overview["weaker"].is_string(),
        without != Without::Nobody,
        "{overview}"
    );
}

#[tokio::test(start_paused = true)]
async fn it_heals_and_backfills() {
    heals_and_backfills(Without::Nobody).await;
}

#[tokio::test(start_paused = true)]
async fn it_does_so_on_a_store_without_atomics_too() {
    heals_and_backfills(Without::Store).await;
}

#[tokio::test(start_paused = true)]
async fn the_build_without_atomics_does_so_on_any_store() {
    heals_and_backfills(Without::Component).await;
}

/// Counting decides who may work: without it `background` is refused, and each delivery is answered 503.
#[tokio::test(start_paused = true)]
async fn the_build_without_atomics_says_that_it_needs_inline() {
    let shop = WasmShop::in_wasm(|builder| builder.without_atomics()).expect("it builds");
    let (status, told) = page(&shop, http::Request::get(format!("{PUBLIC}/healthz"))).await;
    assert_eq!(status, 503);
    assert!(told.contains("set processing to inline"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn it_shows_its_page_and_its_metrics() {
    let shop = shop(Without::Nobody).await;
    let metrics = http::Request::get(format!("{PUBLIC}/metrics"))
        .header("authorization", format!("Bearer {ADMIN_TOKEN}"));
    let (status, text) = page(&shop, metrics).await;
    assert_eq!(status, 200);
    assert!(
        text.contains("\nkvgf_dead_letters{connection=\"shop\"} 0\n"),
        "{text}"
    );
    let first = http::Request::get(format!("{PUBLIC}/"));
    let (status, page) = page(&shop, first).await;
    assert_eq!(status, 200);
    assert!(page.starts_with("<!DOCTYPE html>"), "{page}");
    assert!(!page.contains("<script"));
}
