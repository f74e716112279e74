//! The simulated vendors on loopback sockets, in real time.

use host_test::sim::{
    GetflySim, KiotVietSim, Server, TokioClock, getfly::GetflySettings, kiotviet::Settings, serve,
};
use std::{sync::Arc, time::Duration};
use tokio::net::TcpListener;

pub struct Vendors {
    pub kiotviet: Arc<KiotVietSim>,
    pub getfly: Arc<GetflySim>,
    pub kiotviet_server: Server,
    pub getfly_server: Server,
}

pub async fn vendors() -> Vendors {
    slow_vendors(Duration::ZERO).await
}

/// Getfly takes `latency` for each call.
pub async fn slow_vendors(latency: Duration) -> Vendors {
    let clock = Arc::new(TokioClock::starting_at(jiff::Timestamp::now()));
    let kiotviet = Arc::new(KiotVietSim::new(Settings::default(), clock.clone()));
    let settings = GetflySettings {
        latency,
        ..GetflySettings::default()
    };
    let getfly = Arc::new(GetflySim::new(settings, clock));
    let listener = || TcpListener::bind("127.0.0.1:0");
    let kiotviet_server =
        serve(kiotviet.clone(), listener().await.expect("a port")).expect("serving");
    let getfly_server = serve(getfly.clone(), listener().await.expect("a port")).expect("serving");
    Vendors {
        kiotviet,
        getfly,
        kiotviet_server,
        getfly_server,
    }
}
