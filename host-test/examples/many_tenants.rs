//! Measures a host with many tenants: how long it takes to start, its memory and processor time when all are idle, how
//! long the first delivery for a tenant takes, and what accepting costs beside a host with one application.
//!
//! ```sh
//! cargo build --release -p host
//! cargo run -p host-test --example many_tenants -- target/release/kvgf 1000
//! ```

use anyhow::{Context, Result, ensure};
use host_test::{
    admin::Carrier,
    program::{Program, free_port},
    shop::hoa,
    tenants::{Folder, Tenant, token},
    vendors::Vendors,
};
use sim::{Server, getfly::GetflySettings, kiotviet::Settings, serve};
use std::{
    fs,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{net::TcpListener, task::JoinSet};

/// Tenants that are connected at once, and connections of the load.
const AT_ONCE: usize = 16;
/// Deliveries of one load.
const DELIVERIES: usize = 20_000;

#[tokio::main]
async fn main() -> Result<()> {
    let mut words = std::env::args().skip(1);
    let program = words.next().context("the program kvgf")?;
    let count: usize = words.next().context("how many tenants")?.parse()?;
    idle(&program, count).await?;
    accept(&program).await
}

/// A host whose tenants are served, with the vendors of all.
struct Many {
    folder: Folder,
    vendors: Vendors,
    servers: [Server; 2],
    host: Program,
    port: u16,
}

fn name(n: usize) -> String {
    format!("t{n}")
}

/// The address of a tenant, and of its Getfly.
fn address(n: usize) -> String {
    format!("127.1.{}.{}", n / 250, n % 250 + 1)
}

impl Many {
    async fn start(program: &str, count: usize) -> Result<Self> {
        let settings = Settings {
            gets_per_hour: u32::MAX,
            ..Settings::default()
        };
        let vendors = Vendors::new(settings, GetflySettings::default());
        let kiotviet = TcpListener::bind("0.0.0.0:0").await?;
        let getfly = TcpListener::bind("0.0.0.0:0").await?;
        let ports = [kiotviet.local_addr()?.port(), getfly.local_addr()?.port()];
        let servers = [
            serve(vendors.kiotviet.clone(), kiotviet)?,
            serve(vendors.getfly.clone(), getfly)?,
        ];
        let folder = Folder::new()?;
        for n in 0..count {
            let at = address(n);
            folder.write_at(
                &name(n),
                &format!("http://{at}:1"),
                &vendors,
                [
                    format!("http://127.0.0.1:{}", ports[0]),
                    format!("http://{at}:{}", ports[1]),
                ],
                "",
            )?;
        }
        let state = folder.path().join("state");
        let state = state.to_str().context("text")?.to_owned();
        let began = Instant::now();
        let more = ["--state-dir", &state];
        let (host, port) = host_test::tenants::up(program, &folder, &more).await?;
        println!(
            "{count} tenants: serves after {:.1} s",
            began.elapsed().as_secs_f64()
        );
        Ok(Self {
            folder,
            vendors,
            servers,
            host,
            port,
        })
    }

    /// The same vendors and first tenant's variables, in a host with one application.
    async fn alone(self, program: &str) -> Result<Self> {
        self.host.kill().await?;
        let port = free_port()?;
        let mut words = vec![program.to_owned(), "up".to_owned()];
        let state = self.folder.path().join("alone").display().to_string();
        words.extend(["--listen".to_owned(), format!("0.0.0.0:{port}")]);
        words.extend(["--state-dir".to_owned(), state]);
        let [kiotviet, getfly] = self.servers.each_ref().map(Server::origin);
        let name = name(0);
        for (variable, value) in self.vendors.variables("http://127.1.0.1:1", &token(&name)) {
            let value = match variable.as_str() {
                "getfly_url" => getfly.clone(),
                "kiotviet_api_url" | "kiotviet_auth_url" => kiotviet.clone(),
                _ => value,
            };
            words.extend(["--variable".to_owned(), format!("{variable}={value}")]);
        }
        let mut host = Program::start(&words)?;
        host.serves().await?;
        Ok(Self { host, port, ..self })
    }

    fn tenant(&self, n: usize) -> Tenant {
        Tenant::reached_at(&address(n), self.port, &name(n))
    }

    async fn connect(&self, count: usize) -> Result<()> {
        for some in (0..count).collect::<Vec<_>>().chunks(AT_ONCE) {
            let connecting = some.iter().map(|n| {
                let tenant = self.tenant(*n);
                async move { tenant.connect_with(&self.vendors).await }
            });
            futures_util::future::try_join_all(connecting).await?;
        }
        Ok(())
    }

    fn resident(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.host.id()?))?;
        let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"));
        let kilobytes = line.context("VmRSS")?.trim().trim_end_matches(" kB");
        Ok(kilobytes.parse::<u64>()? / 1024)
    }

    /// Processor time so far, in ticks of 10 ms.
    fn processor(&self) -> Result<u64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.host.id()?))?;
        let (_, fields) = stat.rsplit_once(") ").context("its fields")?;
        let fields: Vec<&str> = fields.split(' ').collect();
        Ok(fields[11].parse::<u64>()? + fields[12].parse::<u64>()?)
    }
}

async fn idle(program: &str, count: usize) -> Result<()> {
    let many = Many::start(program, count).await?;
    println!("  resident at once: {} MiB", many.resident()?);
    let mut slowest = Duration::ZERO;
    for n in (0..count).step_by(count.div_ceil(100)) {
        let began = Instant::now();
        ensure!(many.tenant(n).get("/healthz").await? == 200, "it is well");
        slowest = slowest.max(began.elapsed());
    }
    println!("  slowest first touch of 100: {} ms", slowest.as_millis());
    if count <= 1000 {
        many.connect(count).await?;
        many.vendors.kiotviet.create_customer(hoa());
        let mut slowest = Duration::ZERO;
        let deliveries = many.vendors.kiotviet.take_deliveries();
        for delivery in deliveries.iter().take(100) {
            let host: http::Uri = delivery.url.parse()?;
            let host = host.host().context("a host")?.to_owned();
            let tenant = Tenant::reached_at(&host, many.port, "");
            let request = many.vendors.kiotviet.request(delivery);
            let began = Instant::now();
            let answer = tenant.send(request).await?;
            slowest = slowest.max(began.elapsed());
            ensure!(answer.0 == 200, "{answer:?}");
        }
        println!(
            "  all are connected; slowest delivery of {}: {} ms",
            deliveries.len().min(100),
            slowest.as_millis()
        );
    }
    tokio::time::sleep(Duration::from_secs(20)).await;
    let (before, began) = (many.processor()?, Instant::now());
    tokio::time::sleep(Duration::from_secs(60)).await;
    let ticks = many.processor()? - before;
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let percent = ticks as f64 / began.elapsed().as_secs_f64();
    println!(
        "  idle: {} MiB resident, {percent:.1} % of a core",
        many.resident()?
    );
    many.host.kill().await?;
    Ok(())
}

/// Processor time of a host for each accepted delivery: with one application, and with one tenant among ten.
async fn accept(program: &str) -> Result<()> {
    for round in 0..3 {
        for tenants in [0, 10] {
            let many = Many::start(program, tenants.max(1)).await?;
            let many = if tenants == 0 {
                many.alone(program).await?
            } else {
                many
            };
            let tenant = Arc::new(many.tenant(0));
            tenant.connect_with(&many.vendors).await?;
            many.vendors.kiotviet.create_customer(hoa());
            let delivery = many
                .vendors
                .kiotviet
                .take_deliveries()
                .pop()
                .context("one")?;
            let before = many.processor()?;
            let mut load = JoinSet::new();
            for _ in 0..AT_ONCE {
                let (tenant, request) = (tenant.clone(), many.vendors.kiotviet.request(&delivery));
                load.spawn(async move {
                    for _ in 0..DELIVERIES / AT_ONCE {
                        let answer = tenant.carry(request.clone()).await?;
                        ensure!(answer.status() == 200, "{answer:?}");
                    }
                    Ok(())
                });
            }
            while let Some(done) = load.join_next().await {
                done??;
            }
            let ticks = many.processor()? - before;
            let each = ticks * 10_000 / DELIVERIES as u64;
            println!(
                "  round {round}, {tenants} tenants: {each} µs of processor time for a delivery with its processing"
            );
            many.host.kill().await?;
        }
    }
    Ok(())
}
