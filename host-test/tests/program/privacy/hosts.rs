//! The hosts of the scenario: the plugin natively, and the real program.

use super::asked::Host;
use crate::process::{Host as Program, start, variables};
use anyhow::Result;
use bytes::Bytes;
use host_test::admin::Carrier;
use host_test::native::Native;
use host_test::variables::MASTER_KEY;
use host_test::vendors::Vendors;
use std::time::Duration;

impl Host for Native {
    async fn pass_a_second(&self) {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }

    async fn pass_a_moment(&self) {
        tokio::time::sleep(Duration::from_secs(10)).await;
    }

    async fn pass_a_pause(&self) -> bool {
        tokio::time::sleep(Duration::from_secs(600)).await;
        true
    }

    async fn rotate(&mut self, master_key: &str) {
        self.set_variable("master_key", master_key);
    }
}

/// The real program.
pub(crate) struct Up {
    arguments: Vec<String>,
    program: Option<Program>,
    /// The output of the programs before it.
    pub(crate) wrote: String,
}

impl Up {
    pub(crate) async fn start(vendors: &Vendors, store: [&str; 2]) -> Self {
        let fixed = ["up", "--listen", "127.0.0.1:0", "--drain-every", "0"];
        let mut arguments: Vec<String> =
            fixed.into_iter().chain(store).map(str::to_owned).collect();
        arguments.extend(variables(vendors));
        let ceiling = ["--variable", "getfly_requests_per_second=100"];
        arguments.extend(ceiling.map(str::to_owned));
        let mut up = Self {
            arguments,
            program: None,
            wrote: String::new(),
        };
        up.rotate(MASTER_KEY).await;
        up
    }

    /// Stops it; its output is complete then.
    pub(crate) async fn stop(&mut self) {
        if let Some(program) = self.program.take() {
            self.wrote += &program.stop().await;
        }
    }
}

impl Carrier for Up {
    async fn carry(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>> {
        self.program.as_ref().unwrap().carry(request).await
    }
}

impl Host for Up {
    async fn pass_a_second(&self) {
        tokio::time::sleep(Duration::from_millis(1100)).await;
    }

    async fn pass_a_moment(&self) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    async fn pass_a_pause(&self) -> bool {
        false
    }

    async fn rotate(&mut self, master_key: &str) {
        self.stop().await;
        let is_key = |argument: &&mut String| argument.starts_with("master_key=");
        let key = self.arguments.iter_mut().find(is_key).unwrap();
        *key = format!("master_key={master_key}");
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        self.program = Some(start(&arguments, "Serving ").await);
    }
}
