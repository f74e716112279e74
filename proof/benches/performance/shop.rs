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

/// A connected shop, and deliveries that it is told.
pub(crate) struct Shop {
    /// With both vendors.
    pub(crate) shop: WasmShop,
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
        let shop = WasmShop::connected_in_wasm(On::Customers, over).await?;
        tell(&shop.kiotviet, customers);
        let deliveries = shop.kiotviet.take_deliveries();
        let raw = deliveries.iter().map(|d| wire(&shop.kiotviet.request(d)));
        Ok(Self {
            deliveries: raw.collect(),
            shop,
        })
    }

    /// What surrounds a host's instances: nothing is noted, and randomness is the system's.
    pub(crate) fn world(&self) -> World {
        World {
            calls: CallLog::default(),
            log: Arc::new(|_| {}),
            seed: None,
            ..self.shop.app.world()
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

/// Serves on loopback and drains by no clock.
pub(crate) async fn host(app: Arc<App>) -> Result<(SocketAddr, JoinHandle<()>)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let to = listener.local_addr()?;
    let never = std::future::pending();
    let serving = tokio::spawn(serve(app, listener, Duration::ZERO, never));
    Ok((to, serving))
}
