//! The simulated vendors on loopback sockets, in real time.

use sim::{
    GetflySim, KiotVietSim, Server, SimClock, TokioClock, Upstream, getfly::GetflySettings,
    kiotviet::Settings, serve,
};
use std::{sync::Arc, time::Duration};
use tokio::net::TcpListener;

pub(crate) struct Vendors {
    pub(crate) kiotviet: Arc<KiotVietSim>,
    pub(crate) getfly: Arc<GetflySim>,
    pub(crate) kiotviet_server: Server,
    pub(crate) getfly_server: Server,
}

pub(crate) async fn vendors() -> Vendors {
    slow_vendors(Duration::ZERO).await
}

/// Getfly takes `latency` for each call.
pub(crate) async fn slow_vendors(latency: Duration) -> Vendors {
    let vendors = vendors_behind(|kiotviet, getfly, _| [kiotviet, getfly]).await;
    let slow = |getfly: &mut GetflySettings| getfly.latency = latency;
    vendors.getfly.update_settings(slow);
    vendors
}

/// What stands before KiotViet and before Getfly, of `fronts`, is what answers.
pub(crate) async fn vendors_behind(
    fronts: impl FnOnce(
        Arc<dyn Upstream>,
        Arc<dyn Upstream>,
        Arc<dyn SimClock>,
    ) -> [Arc<dyn Upstream>; 2],
) -> Vendors {
    let clock = Arc::new(TokioClock::starting_at(jiff::Timestamp::now()));
    let kiotviet = Arc::new(KiotVietSim::new(Settings::default(), clock.clone()));
    let getfly = Arc::new(GetflySim::new(GetflySettings::default(), clock.clone()));
    let [kiotviet_front, getfly_front] = fronts(kiotviet.clone(), getfly.clone(), clock);
    let listener = || TcpListener::bind("127.0.0.1:0");
    let kiotviet_server =
        serve(kiotviet_front, listener().await.expect("a port")).expect("serving");
    let getfly_server = serve(getfly_front, listener().await.expect("a port")).expect("serving");
    Vendors {
        kiotviet,
        getfly,
        kiotviet_server,
        getfly_server,
    }
}
