//! A connected shop whose customers are told, and the host that is told.

use anyhow::Result;
use bytes::Bytes;
use host::{
    keyvalue::Backend,
    outbound::CallLog,
    runtime::World,
    server::{App, serve},
};
use host_test::{
    harness::Builder,
    scene::{On, customer},
    wasm_scene::WasmScene,
};
use sim::KiotVietSim;
use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::{net::TcpListener, task::JoinHandle};

/// A connected shop, and deliveries that it is told.
pub(crate) struct Shop {
    /// With both vendors.
    pub(crate) scene: WasmScene,
    /// One for each customer.
    pub(crate) deliveries: Vec<Bytes>,
}

impl Shop {
    /// Over this store; `changed` may change variables. Every customer is told.
    pub(crate) async fn connected(
        backend: Arc<dyn Backend>,
        customers: usize,
        changed: impl FnOnce(Builder) -> Builder,
    ) -> Result<Self> {
        let over = |builder: Builder| changed(builder.store(backend));
        let scene = WasmScene::connected(On::Customers, over).await?;
        tell(&scene.kiotviet, customers);
        let deliveries = scene.kiotviet.take_deliveries();
        let raw = deliveries.iter().map(|d| raw(&scene.kiotviet.request(d)));
        Ok(Self {
            deliveries: raw.collect(),
            scene,
        })
    }

    /// What surrounds a host's instances: nothing is noted, and randomness is the system's.
    pub(crate) fn world(&self) -> World {
        World {
            calls: CallLog::default(),
            log: Arc::new(|_| {}),
            seed: None,
            ..self.scene.app.world()
        }
    }
}

/// So many new customers, each told where a webhook is on.
pub(crate) fn tell(shop: &KiotVietSim, customers: usize) {
    for number in 0..customers {
        let phone = format!("09{number:08}");
        shop.create_customer(customer("Khách", &phone));
    }
}

/// The request as it goes over the wire.
pub(crate) fn raw(request: &http::Request<Bytes>) -> Bytes {
    let mut head = format!("{} {} HTTP/1.1\r\n", request.method(), request.uri().path());
    head.push_str("host: bridge.test\r\n");
    for (name, value) in request.headers() {
        let value = value.to_str().unwrap_or_default();
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", request.body().len()));
    [head.as_bytes(), request.body()].concat().into()
}

/// Serves on loopback and drains by no clock.
pub(crate) async fn host(app: Arc<App>) -> Result<(SocketAddr, JoinHandle<()>)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let to = listener.local_addr()?;
    let never = std::future::pending();
    let serving = tokio::spawn(serve(app, listener, Duration::ZERO, never));
    Ok((to, serving))
}
