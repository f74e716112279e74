//! Embeds the component in another host: compile it once, provide a store, variables and outbound
//! calls, and hand it requests.

use bytes::Bytes;
use host::keyvalue::Memory;
use host::origins::OutboundPolicy;
use host::outbound::{CallLog, Outbound};
use host::runtime::{Metering, Runtime, World};
use std::{path::Path, sync::Arc};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let component = Path::new("target/component/plugin.component.wasm");
    let runtime = Runtime::load(component, Metering::Epochs)?;
    let variables = [
        ("getfly_url", "https://shop.getflycrm.com"),
        ("admin_token", "a-long-random-token"),
    ];
    let world = World {
        variables: Arc::new(variables.map(|(n, v)| (n.to_owned(), v.to_owned())).into()),
        backend: Arc::new(Memory::new()), // your own store: implement `keyvalue::Backend`
        store_labels: Arc::new(vec!["default".to_owned()]),
        policy: Arc::new(OutboundPolicy::new(["https://shop.getflycrm.com"])?),
        outbound: Outbound::Network,
        log: Arc::new(|line| eprintln!("{line}")),
        clock: None,
        seed: None,
        calls: CallLog::default(),
        limit: None,
    };
    let request = http::Request::get("http://localhost/healthz").body(Bytes::new())?;
    let handled = runtime.handle(&world, request).await?;
    println!("{}", String::from_utf8_lossy(handled.response.body()));
    handled.after.await?; // whatever the guest still does after its answer
    Ok(())
}
