//! The simulated vendors on sockets of loopback, in real time, for the real host.

use crate::variables::MASTER_KEY;
use anyhow::Result;
use sim::{
    GetflySim, KiotVietSim, Server, SimClock, TokioClock, Upstream, getfly::GetflySettings,
    kiotviet::Settings, serve,
};
use std::{collections::BTreeMap, net::Ipv4Addr, sync::Arc};
use tokio::net::TcpListener;

/// See the module.
pub struct Vendors {
    /// KiotViet.
    pub kiotviet: Arc<KiotVietSim>,
    /// Getfly.
    pub getfly: Arc<GetflySim>,
    /// Time.
    pub clock: Arc<dyn SimClock>,
    servers: Vec<Server>,
}

impl Vendors {
    /// Two vendors that are not served yet.
    pub fn new(kiotviet: Settings, getfly: GetflySettings) -> Self {
        let clock: Arc<dyn SimClock> = Arc::new(TokioClock::starting_at(jiff::Timestamp::now()));
        Self {
            kiotviet: Arc::new(KiotVietSim::new(kiotviet, clock.clone())),
            getfly: Arc::new(GetflySim::new(getfly, clock.clone())),
            clock,
            servers: Vec::new(),
        }
    }

    /// Serves both.
    ///
    /// # Errors
    /// If there is no free socket.
    pub async fn serve(self) -> Result<Self> {
        let fronts: [Arc<dyn Upstream>; 2] = [self.kiotviet.clone(), self.getfly.clone()];
        self.serve_behind(fronts).await
    }

    /// Serves these fronts of KiotViet and of Getfly.
    ///
    /// # Errors
    /// If there is no free socket.
    pub async fn serve_behind(mut self, fronts: [Arc<dyn Upstream>; 2]) -> Result<Self> {
        for front in fronts {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            self.servers.push(serve(front, listener)?);
        }
        Ok(self)
    }

    /// Where KiotViet and Getfly are served.
    pub fn origins(&self) -> [String; 2] {
        [0, 1].map(|at| self.servers.get(at).map(Server::origin).unwrap_or_default())
    }

    /// The variables of a valid configuration that calls these vendors.
    pub fn variables(&self, public_url: &str, admin_token: &str) -> BTreeMap<String, String> {
        let [kiotviet, getfly] = self.origins();
        let variables = [
            ("getfly_url", getfly),
            ("getfly_api_key", self.getfly.settings().api_key),
            ("public_url", public_url.to_owned()),
            ("admin_token", admin_token.to_owned()),
            ("master_key", MASTER_KEY.to_owned()),
            ("kiotviet_api_url", kiotviet.clone()),
            ("kiotviet_fnb_api_url", kiotviet.clone()),
            ("kiotviet_fnb_auth_url", kiotviet.clone()),
            ("kiotviet_auth_url", kiotviet),
        ];
        variables
            .map(|(name, value)| (name.to_owned(), value))
            .into()
    }

    /// The same as arguments of the host.
    pub fn arguments(&self, public_url: &str, admin_token: &str) -> Vec<String> {
        let variables = self.variables(public_url, admin_token).into_iter();
        let arguments = variables.flat_map(|(n, v)| ["--variable".to_owned(), format!("{n}={v}")]);
        arguments.collect()
    }
}
