//! A shop, a CRM and the application between them on loopback, for a person in a browser.

use crate::webdriver::Browser;
use anyhow::{Context, Result, anyhow};
use host::{
    keyvalue::{Backend, Memory},
    manifest::Manifest,
    server::{App, serve},
};
use host_test::{harness, variables::ADMIN_TOKEN, vendors::Vendors};
use plugin::{
    journal::{
        connection_name::ConnectionName,
        cursor::Cursor,
        keys,
        stats::{self, Day, Tally},
    },
    stored,
    time::Timestamp,
};
use sim::{
    Faulty, HttpDeliverer, Upstream,
    getfly::{GetflySettings, User},
    kiotviet::{Settings, Staff},
};
use std::{net::Ipv4Addr, path::PathBuf, sync::Arc, time::Duration};
use tokio::{net::TcpListener, task::JoinHandle};

/// A shop, a CRM and the application between them.
pub(crate) struct Town {
    pub(crate) vendors: Vendors,
    pub(crate) getfly_faults: Arc<Faulty>,
    origin: String,
    _host: JoinHandle<()>,
}

pub(crate) async fn town() -> Result<Town> {
    let vendors = Vendors::new(Settings::default(), GetflySettings::default());
    let lan = User::new(11, "lan.nguyen", "Nguyễn Thị Lan", "0900000011");
    vendors.getfly.add_user(lan);
    for (id, login, name, mobile) in [
        (5001, "lan", "Lan", "+84 900 000 011"),
        (5002, "minh", "Minh", "0900000012"),
        (5003, "moi", "Người mới", ""),
    ] {
        let staff = Staff::new(id, login, name, mobile);
        vendors.kiotviet.add_staff(staff);
    }
    let clock = vendors.clock.clone();
    let getfly_faults = Arc::new(Faulty::new(vendors.getfly.clone(), clock, 1));
    let fronts: [Arc<dyn Upstream>; 2] = [vendors.kiotviet.clone(), getfly_faults.clone()];
    let vendors = vendors.serve_behind(fronts).await?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let origin = format!("http://{}", listener.local_addr()?);
    let mut variables = vendors.variables(&origin, ADMIN_TOKEN);
    variables.insert("getfly_requests_per_second".to_owned(), "50".to_owned());
    let file = xtask::workspace_root().join("spin.toml");
    let manifest = Manifest::load(&file, &variables, |_| None)?;
    let runtime = tokio::task::spawn_blocking(harness::component).await??;
    let store = Memory::new();
    history(&store).await?;
    let app = App::new(runtime, manifest, Arc::new(store), Arc::new(|_| {}));
    let every = Duration::from_secs(1);
    let host = tokio::spawn(serve(
        Arc::new(app),
        listener,
        every,
        std::future::pending(),
    ));
    Ok(Town {
        vendors,
        getfly_faults,
        origin,
        _host: host,
    })
}

/// The shop's last month, invented: only its counts, for the chart.
async fn history(store: &Memory) -> Result<()> {
    let now = jiff::Timestamp::now().as_second();
    let mut cursor = Cursor::default();
    let shop = ConnectionName::parse("cuahangthu").context("a name")?;
    for ago in (1..30).rev() {
        let then = Timestamp::from_second(now - ago * 86_400).context("a day")?;
        let date = stats::date(then).context("a date")?;
        let n = u64::try_from(ago)?;
        let tally = Tally {
            created: 8 + n * 7 % 13,
            linked: n * 5 % 4,
            ignored: 3 + n * 11 % 7,
            dead: u64::from(n == 12),
        };
        let counts = &mut cursor.counts;
        counts.created += tally.created;
        counts.linked += tally.linked;
        counts.ignored += tally.ignored;
        counts.dismissed += tally.dead;
        counts.received += tally.created + tally.linked + tally.ignored + tally.dead;
        let mut day = Day::default();
        day.insert(shop.clone(), tally);
        let set = store.set(&keys::day(date), stored::write(&day)).await;
        set.map_err(|e| anyhow!("{e:?}"))?;
        cursor.stats.days.push(date);
    }
    let set = store.set(keys::CURSOR, stored::write(&cursor)).await;
    set.map_err(|e| anyhow!("{e:?}"))
}

impl Town {
    /// KiotViet delivers what happened at the till.
    pub(crate) async fn deliver(&self) {
        self.vendors
            .kiotviet
            .deliver_due(&HttpDeliverer::default())
            .await;
    }

    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }
}

pub(crate) fn picture(name: &str) -> PathBuf {
    xtask::workspace_root().join(format!("target/screenshots/{name}.png"))
}

/// Waits until this many events are in a state. The page is opened repeatedly, as by a person.
pub(crate) async fn wait_for(
    town: &Town,
    browser: &Browser,
    state: &str,
    count: u64,
) -> Result<()> {
    for _ in 0..300 {
        browser
            .go(&town.at(&format!("/ui/events?state={state}")))
            .await?;
        if browser
            .eval("document.querySelectorAll('a.event').length")
            .await?
            == count
        {
            return Ok(());
        }
    }
    browser.see(&format!("{count} × {state}")).await
}

/// Does this in a browser; not where there is none, unless `CI` is set.
pub(crate) async fn in_a_browser(story: impl AsyncFnOnce(&Browser) -> Result<()>) {
    let Some(browser) = Browser::start().await.expect("a browser") else {
        assert!(
            std::env::var_os("CI").is_none(),
            "chromedriver is missing: apt-get install chromium chromium-driver"
        );
        println!("not run: apt-get install chromium chromium-driver fonts-noto-core");
        return;
    };
    let told = story(&browser).await;
    if told.is_err() {
        // What it looked like when it went wrong.
        let _ = browser.picture(&picture("failure")).await;
    }
    let quit = browser.quit().await;
    told.expect("the story");
    quit.expect("the browser ends");
}
