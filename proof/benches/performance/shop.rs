//! A connected shop with deliveries of its customers, and the host that gets them.

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
    shop::WasmShop,
    shop::{On, customer},
};
use proof::load::wire;
use sim::KiotVietSim;
use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::{net::TcpListener, task::JoinHandle};

/// A connected shop, and its deliveries.
pub(crate) struct Shop {
    /// With both vendors.
    pub(crate) shop: WasmShop,
    /// One for each customer.
    pub(crate) deliveries: Vec<Bytes>,
}

impl Shop {
    /// A shop over this store; `changed` may change variables. Every customer has a delivery.
    pub(crate) async fn connected(
        backend: Arc<dyn Backend>,
        customers: usize,
        changed: impl FnOnce(Builder) -> Builder,
    ) -> Result<Self> {
        let over = |builder: Builder| changed(builder.store(backend));
        let shop = WasmShop::connected_in_wasm(On::Customers, over).await?;
        tell(&shop.kiotviet, customers);
        let deliveries = shop.kiotviet.take_deliveries();
        let raw = deliveries.iter().map(|d| wire(&shop.kiotviet.request(d)));
        Ok(Self {
            deliveries: raw.collect(),
            shop,
        })
    }

    /// The surroundings of a host's instances: calls are not logged, and randomness is the
    /// system's.
    pub(crate) fn world(&self) -> World {
        World {
            calls: CallLog::default(),
            log: Arc::new(|_| {}),
            seed: None,
            ..self.shop.app.world()
        }
    }
}

/// Creates this many new customers, each delivered if a webhook is on.
pub(crate) fn tell(shop: &KiotVietSim, customers: usize) {
    for number in 0..customers {
        let phone = format!("09{number:08}");
        shop.create_customer(customer("Khách", &phone));
    }
}

/// Serves on loopback; no clock drains.
pub(crate) async fn host(app: Arc<App>) -> Result<(SocketAddr, JoinHandle<()>)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let to = listener.local_addr()?;
    let never = std::future::pending();
    let serving = tokio::spawn(serve(app, listener, Duration::ZERO, never));
    Ok((to, serving))
}
