//! Claims that one host serves many tenants, each alone: its host name decides who a request is for, each has its own
//! variables, keys and log; a file that comes, changes or goes is taken up while it runs, and a broken one harms nobody.
//! How: the real program on several addresses of loopback, with vendors for each tenant.

use crate::process::{run, vendors};
use bytes::Bytes;
use host_test::{
    admin::{Admin, Carrier, Remote, listed},
    program::{Program, free_port},
    redis_server::redis,
    shop::{ba, customer, hoa},
    tenants::{Folder, Tenant, token, up},
    vendors::Vendors,
};
use sha2::{Digest, Sha256};
use sim::getfly::GetflySettings;
use std::{collections::BTreeSet, fs, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

const HOST: &str = env!("CARGO_BIN_EXE_host");

/// Two tenants' files and vendors.
struct Two {
    folder: Folder,
    minhs: Vendors,
    lans: Vendors,
}

impl Two {
    async fn new() -> Self {
        let folder = Folder::new().expect("a folder");
        let (minhs, lans) = (vendors().await, vendors().await);
        folder.write("minh", 2, &minhs, "").expect("written");
        folder.write("lan", 3, &lans, "").expect("written");
        Self {
            folder,
            minhs,
            lans,
        }
    }

    async fn up(&self, more: &[&str]) -> (Program, Tenant, Tenant) {
        let (host, port) = up(HOST, &self.folder, more).await.expect("it serves");
        let minh = Tenant::at(2, port, "minh");
        (host, minh, Tenant::at(3, port, "lan"))
    }

    fn state(&self) -> String {
        self.folder.path().join("state").display().to_string()
    }
}

/// A customer is created at KiotViet, its webhook answered 200, and it is in Getfly after a drain.
async fn sells(tenant: &Tenant, vendors: &Vendors) {
    let before = vendors.getfly.accounts().len();
    vendors.kiotviet.create_customer(hoa());
    let delivery = vendors.kiotviet.take_deliveries().pop();
    let request = vendors.kiotviet.request(&delivery.expect("a delivery"));
    assert_eq!(tenant.send(request).await.expect("answered").0, 200);
    assert_eq!(tenant.drain().await.0, 200);
    let after = vendors.getfly.accounts().len();
    assert!(after > before || before > 0, "{after} accounts");
}

/// What a raw request is answered, whole.
async fn raw(port_of: &Tenant, text: &str) -> String {
    let address = port_of.address().to_owned();
    let mut stream = TcpStream::connect(address).await.expect("connected");
    stream.write_all(text.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("answered");
    answer
}

async fn alone_over(store: &[&str]) {
    let two = Two::new().await;
    let arguments = [&["--drain-every", "0"], store].concat();
    let (host, minh, lan) = two.up(&arguments).await;
    for (tenant, vendors) in [(&minh, &two.minhs), (&lan, &two.lans)] {
        tenant.connect_with(vendors).await.expect("connected");
        sells(tenant, vendors).await;
        assert_eq!(vendors.getfly.accounts().len(), 1);
        assert_eq!(listed(tenant.events("").await).len(), 1);
    }
    let log = host.kill().await.expect("killed");
    for name in ["minh", "lan"] {
        let own = format!(r#""tenant":"{name}""#);
        assert!(log.lines().any(|line| line.contains(&own)), "{log}");
    }
    let (host, minh, lan) = two.up(&arguments).await;
    for tenant in [&minh, &lan] {
        assert_eq!(listed(tenant.events("").await).len(), 1, "it is kept");
    }
    let (code, _) = host.stop().await.expect("it ends");
    assert_eq!(code, Some(0));
}

#[tokio::test]
async fn two_tenants_in_one_file_have_their_own_shops_and_keys() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().to_str().expect("text");
    alone_over(&["--state-dir", state]).await;
}

#[tokio::test]
async fn two_tenants_in_one_redis_have_their_own_shops_and_keys() {
    let Some(server) = redis(&["--appendonly", "yes", "--appendfsync", "always"]).await else {
        return;
    };
    alone_over(&["--store", &server.url()]).await;
}

/// Several hosts over one store: each tenant's hosts take turns by its lease.
#[tokio::test(flavor = "multi_thread")]
async fn four_hosts_on_one_redis_share_their_tenants_and_each_event_ends_once() {
    const CUSTOMERS: usize = 12;
    let Some(server) = redis(&["--appendonly", "yes", "--appendfsync", "always"]).await else {
        return;
    };
    let two = Two::new().await;
    let quick = "getfly_requests_per_second = \"100\"\n";
    for (name, last, vendors) in [("minh", 2, &two.minhs), ("lan", 3, &two.lans)] {
        let written = two.folder.write(name, last, vendors, quick);
        written.expect("written");
    }
    let url = server.url();
    let arguments = ["--store", &url, "--drain-every", "1s"];
    let mut hosts = Vec::new();
    for _ in 0..4 {
        hosts.push(two.up(&arguments).await);
    }
    let of_minh: Vec<&Tenant> = hosts.iter().map(|(_, minh, _)| minh).collect();
    let of_lan: Vec<&Tenant> = hosts.iter().map(|(_, _, lan)| lan).collect();
    for (at_hosts, vendors) in [(&of_minh, &two.minhs), (&of_lan, &two.lans)] {
        at_hosts[0].connect_with(vendors).await.expect("connected");
    }
    // The shop's next actions are later than the switches.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    for (at_hosts, vendors) in [(&of_minh, &two.minhs), (&of_lan, &two.lans)] {
        for n in 0..CUSTOMERS {
            let new = customer(&format!("Khách {n}"), &format!("09123400{n:02}"));
            vendors.kiotviet.create_customer(new);
        }
        let deliveries = vendors.kiotviet.take_deliveries();
        let everywhere = deliveries.iter().flat_map(|delivery| {
            let request = vendors.kiotviet.request(delivery);
            at_hosts.iter().map(move |host| host.send(request.clone()))
        });
        for answer in futures_util::future::join_all(everywhere).await {
            assert_eq!(answer.expect("answered").0, 200);
        }
    }
    for (at_hosts, vendors) in [(&of_minh, &two.minhs), (&of_lan, &two.lans)] {
        let all = within_looks(|| async {
            let events = listed(at_hosts[0].events("limit=200").await);
            events.len() >= 4 * CUSTOMERS && events.iter().all(|event| event["state"] == "done")
        });
        all.await;
        let events = listed(at_hosts[1].events("limit=200").await);
        let created = events.iter().filter(|e| e["outcome"] == "created").count();
        let accounts = vendors.getfly.accounts();
        let codes: BTreeSet<_> = accounts.iter().map(|a| a.account_code.clone()).collect();
        let counts = (created, accounts.len(), codes.len());
        assert_eq!(counts, (CUSTOMERS, CUSTOMERS, CUSTOMERS));
    }
}

#[tokio::test]
async fn the_host_name_decides_and_no_other_name_finds_anybody() {
    let two = Two::new().await;
    let (_host, minh, lan) = two.up(&["--state-dir", &two.state()]).await;
    minh.connect_with(&two.minhs).await.expect("connected");
    two.minhs.kiotviet.create_customer(hoa());
    let delivery = two.minhs.kiotviet.take_deliveries().remove(0);
    let delivery = || two.minhs.kiotviet.request(&delivery);
    let at_another = lan.send(delivery()).await.expect("answered").0;
    assert_eq!(at_another, 404, "its path is minh's alone");
    assert_eq!(minh.send(delivery()).await.expect("answered").0, 200);
    let minhs_token = Tenant::at(3, lan.port(), "minh");
    assert_eq!(minhs_token.connections().await.0, 401, "{}", token("minh"));

    let nobody = Tenant::at(9, lan.port(), "nobody");
    assert_eq!(nobody.get("/healthz").await.expect("answered"), 404);
    let webhook = http::Request::post("/hooks/shop/token").body(Bytes::new());
    let unknown = nobody.send(webhook.expect("a request")).await;
    assert_eq!(unknown.expect("answered").0, 503, "KiotViet must not stop");
    let other_name = "GET / HTTP/1.1\r\nhost: else.example\r\nconnection: close\r\n\r\n";
    let answer = raw(&nobody, other_name).await;
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    for name in ["minh", "lan", "tenant"] {
        assert!(!answer.contains(name), "{answer}");
    }
    for authority in ["127.0.0.2", "127.0.0.2:443", "127.0.0.2.:80"] {
        let text =
            format!("GET /healthz HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n\r\n");
        let answer = raw(&nobody, &text).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{authority}: {answer}");
    }
}

/// Waits until `holds`, for three looks at the folder.
async fn within_looks<F: Future<Output = bool>>(holds: impl Fn() -> F) {
    within(150, holds).await;
}

async fn within<F: Future<Output = bool>>(tenths: u32, holds: impl Fn() -> F) {
    for _ in 0..tenths {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("not within {tenths} tenths of a second");
}

#[tokio::test]
async fn a_broken_file_is_refused_alone_and_files_come_change_and_go() {
    let two = Two::new().await;
    fs::write(two.folder.file("hoa"), "getfly_url = \"geheim").expect("written");
    let twin = "retention_days = \"soon\"\n";
    two.folder
        .write("twin", 4, &two.minhs, twin)
        .expect("written");
    let (host, minh, lan) = two.up(&["--state-dir", &two.state()]).await;
    for tenant in [&minh, &lan] {
        assert_eq!(tenant.get("/healthz").await.expect("answered"), 200);
    }
    lan.connect_with(&two.lans).await.expect("connected");

    // A broken change, while a request of another tenant is open.
    let slow = |getfly: &mut GetflySettings| getfly.latency = Duration::from_secs(4);
    two.lans.getfly.update_settings(slow);
    two.lans.kiotviet.create_customer(hoa());
    let delivery = two.lans.kiotviet.take_deliveries().remove(0);
    let request = two.lans.kiotviet.request(&delivery);
    assert_eq!(lan.send(request).await.expect("answered").0, 200);
    let open = async {
        let drained = lan.drain().await;
        assert_eq!(drained.0, 200, "{drained:?}");
    };
    let changes = async {
        let sound = fs::read(two.folder.file("minh")).expect("read");
        fs::write(two.folder.file("minh"), "getfly_url = \"geheim").expect("written");
        host.signal("HUP").await.expect("sent");
        tokio::time::sleep(Duration::from_secs(1)).await;
        let health = minh.get("/healthz").await.expect("answered");
        assert_eq!(health, 200, "the former stays");
        fs::write(two.folder.file("minh"), sound).expect("written");
        let third = vendors().await;
        two.folder.write("hoa", 5, &third, "").expect("written");
        let hoa = Tenant::at(5, lan.port(), "hoa");
        within_looks(async || hoa.get("/healthz").await.expect("answered") == 200).await;
        hoa.connect_with(&third).await.expect("connected");
        sells(&hoa, &third).await;
        fs::remove_file(two.folder.file("hoa")).expect("removed");
        within_looks(async || hoa.get("/healthz").await.expect("answered") == 404).await;
    };
    tokio::join!(open, changes);
    let log = host.kill().await.expect("killed");
    assert_eq!(two.lans.getfly.accounts().len(), 1, "{log}");
    let about = |name: &str| {
        let own = format!(r#""tenant":"{name}""#);
        let lines = log.lines().filter(|line| line.contains(&own));
        lines.collect::<Vec<_>>().join("\n")
    };
    assert!(about("hoa").contains("line 1: it is no table"), "{log}");
    assert!(about("twin").contains("retention_days must be"), "{log}");
    assert!(about("minh").contains("is served as before"), "{log}");
    assert!(about("hoa").contains("a tenant is gone"), "{log}");
    assert!(!log.contains("geheim"), "{log}");
}

#[tokio::test]
async fn one_host_name_or_one_getfly_belongs_to_one_tenant() {
    let two = Two::new().await;
    let other = vendors().await;
    two.folder.write("other", 2, &other, "").expect("written");
    two.folder.write("same", 4, &two.lans, "").expect("written");
    let (host, minh, lan) = two.up(&["--state-dir", &two.state()]).await;
    assert_eq!(minh.connections().await.0, 200);
    assert_eq!(lan.connections().await.0, 200);
    let log = host.kill().await.expect("killed");
    for why in [
        "the host name 127.0.0.2, which is minh's",
        "its getfly_url is lan's",
    ] {
        assert!(log.contains(why), "{why}: {log}");
    }
}

#[tokio::test]
async fn what_keeps_many_from_starting_is_told() {
    let gone = run(&["up", "--tenants", "/no/such/folder"]).await;
    assert_eq!(gone.code, Some(1));
    assert!(
        gone.err.contains("cannot read the tenants' folder"),
        "{}",
        gone.err
    );
    let both = run(&["up", "--tenants", "x", "--variable", "a=b"]).await;
    assert_eq!(both.code, Some(2));
    assert!(both.err.contains("cannot be used with"), "{}", both.err);
}

/// What the hostile component got.
async fn loot(tenant: &Tenant, target: &str) -> String {
    let request = http::Request::get(target).body(Bytes::new());
    let answer = tenant.carry(request.expect("a request")).await;
    let answer = answer.expect("answered");
    let loot = answer.headers().get("loot").map(|loot| loot.as_bytes());
    String::from_utf8_lossy(loot.expect("its loot")).into_owned()
}

#[tokio::test]
async fn a_hostile_component_reaches_no_key_variable_or_origin_of_another_tenant() {
    let (two, mallorys, _host, mallory, lan) = beside_mallory("").await;
    sells(&lan, &two.lans).await;

    assert_eq!(loot(&mallory, "/set?own=3").await, "got:");
    assert_eq!(loot(&mallory, "/get?own").await, "got:xxx");
    assert_eq!(loot(&mallory, "/list").await, "got:own");
    for key in [
        "kvgf/journal/cursor",
        "tenant/lan/kvgf/journal/cursor",
        "../lan/kvgf/journal/cursor",
        "/tenant/lan/kvgf/journal/cursor",
    ] {
        let got = loot(&mallory, &format!("/get?{key}")).await;
        assert_eq!(got, "got:nothing", "{key}");
        loot(&mallory, &format!("/set?{key}")).await;
        loot(&mallory, "/count?tenant/lan/kvgf/journal/tail").await;
    }
    for label in ["", "lan", "tenant/lan", "tenant/lan/default"] {
        let got = loot(&mallory, &format!("/open?{label}")).await;
        assert!(got.starts_with("refused"), "{label}: {got}");
    }

    let variables = loot(&mallory, "/variables").await;
    assert!(variables.contains(&token("mallory")), "{variables}");
    assert!(!variables.contains(&token("lan")), "{variables}");
    let [_, own] = mallorys.origins();
    let got = loot(&mallory, &format!("/call?{own}/x")).await;
    assert!(got.starts_with("got:"), "{got}");
    let [kiotviet, getfly] = two.lans.origins();
    let host = format!("http://{}", lan.address());
    let this = format!("http://127.0.0.1:{}", lan.port());
    for origin in [kiotviet, getfly, host, this] {
        let got = loot(&mallory, &format!("/call?{origin}/healthz")).await;
        assert_eq!(got, "denied", "{origin}");
    }

    assert_eq!(listed(lan.events("").await).len(), 1);
    two.lans.kiotviet.create_customer(ba());
    let delivery = two.lans.kiotviet.take_deliveries().remove(0);
    let request = two.lans.kiotviet.request(&delivery);
    assert_eq!(lan.send(request).await.expect("answered").0, 200);
    assert_eq!(lan.drain().await.0, 200);
    let events = listed(lan.events("").await);
    assert_eq!(events[0]["seq"], 2, "nobody counted for it");
}

/// Mallory's own component and bounds beside the two; both are connected.
async fn beside_mallory(bounds: &str) -> (Two, Vendors, Program, Tenant, Tenant) {
    let two = Two::new().await;
    let mallorys = vendors().await;
    let component = xtask::build(xtask::HOSTILE, xtask::Install::AsRoot).expect("it builds");
    let path = component.path.display();
    let own = format!("[host]\ncomponent = \"{path}\"\n{bounds}\n");
    let written = two.folder.write("mallory", 4, &mallorys, &own);
    written.expect("written");
    let (host, _, lan) = two.up(&["--state-dir", &two.state()]).await;
    lan.connect_with(&two.lans).await.expect("connected");
    let mallory = Tenant::at(4, lan.port(), "mallory");
    (two, mallorys, host, mallory, lan)
}

#[tokio::test]
async fn a_flooded_tenant_is_refused_what_is_beyond_its_share_and_others_sell() {
    let bounds = "instances = 2\nrequests = 5";
    let (two, _mallorys, _host, mallory, lan) = beside_mallory(bounds).await;
    let mallory = Arc::new(mallory);
    let mut flood = JoinSet::new();
    // Two of these run until the host stops them, which takes minutes.
    for _ in 0..40 {
        let mallory = mallory.clone();
        flood.spawn(async move { mallory.get("/loop").await.expect("answered") });
    }
    let mut refused = 0;
    while refused < 35 {
        let answer = flood.join_next().await.expect("there are more");
        assert_eq!(answer.expect("no panic"), 503);
        refused += 1;
    }
    sells(&lan, &two.lans).await;
    assert_eq!(two.lans.getfly.accounts().len(), 1);
    assert_eq!(flood.len(), 5, "those are within its share");
}

#[tokio::test]
async fn a_tenants_memory_and_store_have_bounds_of_their_own() {
    let bounds = "memory_mib = 40\nstore_mib = 1";
    let (two, _mallorys, _host, mallory, lan) = beside_mallory(bounds).await;
    assert_eq!(loot(&mallory, "/grow?8").await, "got8MiB");
    let grown = loot(&mallory, "/grow?80").await;
    assert!(grown.starts_with("refusedafter"), "{grown}");
    assert_eq!(mallory.get("/flood?8").await.expect("answered"), 200);
    let flood = mallory.get("/flood?1000").await;
    assert_eq!(flood.expect("answered"), 503, "no answer is so long");
    let mut written = 0;
    while loot(&mallory, &format!("/set?key-{written}=100000")).await == "got:" {
        written += 1;
        assert!(written < 20, "1 MiB and an eighth");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(written >= 10, "{written}");
    let webhook = http::Request::post("/hooks/shop/token").body(Bytes::new());
    let refused = mallory.send(webhook.expect("a request")).await;
    assert_eq!(refused.expect("answered").0, 503, "it is full");
    sells(&lan, &two.lans).await;
}

#[tokio::test]
async fn an_operator_sees_the_metrics_of_all_and_which_files_are_refused() {
    let two = Two::new().await;
    fs::write(two.folder.file("hoa"), "getfly_url = 1").expect("written");
    let admin = format!("127.0.0.1:{}", free_port().expect("a port"));
    let state = two.state();
    let arguments = ["--admin-listen", &admin, "--state-dir", &state];
    let (_host, _, lan) = two.up(&arguments).await;
    lan.connect_with(&two.lans).await.expect("connected");
    sells(&lan, &two.lans).await;
    let operator = Remote::new(format!("http://{admin}"), "no token");
    let page = async |path: &str| {
        let request = http::Request::get(path).body(Bytes::new());
        let answer = operator.carry(request.expect("a request")).await;
        let answer = answer.expect("answered");
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
        String::from_utf8(answer.body().to_vec()).expect("text")
    };
    let metrics = page("/metrics").await;
    for line in [
        "kvgf_host_tenants 2",
        "kvgf_host_refused_files 1",
        r#"kvgf_host_tenant_up{tenant="minh"} 1"#,
        r#"kvgf_configuration_problems{tenant="minh"} 0"#,
    ] {
        assert!(metrics.lines().any(|l| l == line), "{line}: {metrics}");
    }
    let heads = metrics.matches("# TYPE kvgf_events_total ").count();
    assert_eq!(heads, 1, "{metrics}");
    let lans = r#"kvgf_build_info{tenant="lan",version=""#;
    assert!(metrics.contains(lans), "{metrics}");
    let health = page("/healthz").await;
    assert!(health.contains(r#""refused_files":1"#), "{health}");
}

#[tokio::test]
async fn files_are_checked_and_a_tenant_moves_to_another_store_with_all_it_has() {
    let two = Two::new().await;
    let folder = two.folder.path().to_str().expect("text");
    let sound = run(&["tenants", "check", folder]).await;
    assert_eq!(sound.code, Some(0), "{}", sound.err);
    assert!(sound.out.contains("served at 127.0.0.3"), "{}", sound.out);
    let state = two.state();
    let (host, _, lan) = two.up(&["--state-dir", &state]).await;
    lan.connect_with(&two.lans).await.expect("connected");
    sells(&lan, &two.lans).await;
    host.kill().await.expect("killed");

    let keys = two.folder.path().join("lan.keys");
    let keys = keys.to_str().expect("text");
    let export = [
        "tenants",
        "export",
        "lan",
        "--to",
        keys,
        "--state-dir",
        &state,
    ];
    let exported = run(&export).await;
    assert_eq!(exported.code, Some(0), "{}", exported.err);
    let again = run(&export).await;
    assert_eq!(again.code, Some(1), "a file that is there is kept");
    let other = two.folder.path().join("other").display().to_string();
    let import = [
        "tenants",
        "import",
        "lan",
        "--in",
        keys,
        "--state-dir",
        &other,
    ];
    let imported = run(&import).await;
    assert_eq!(imported.code, Some(0), "{}", imported.err);
    let again = run(&import).await;
    assert!(
        again.err.contains("an import begins with none"),
        "{}",
        again.err
    );

    let (_host, minh, lan) = two.up(&["--state-dir", &other]).await;
    assert_eq!(listed(lan.events("").await).len(), 1);
    assert_eq!(listed(minh.events("").await).len(), 0);
    sells(&lan, &two.lans).await;
    let events = listed(lan.events("").await);
    assert_eq!(events[0]["seq"], 2, "{events:?}");

    let same = "not a line";
    fs::write(two.folder.file("minh"), same).expect("written");
    let broken = run(&["tenants", "check", folder]).await;
    assert_eq!(broken.code, Some(1));
    assert!(broken.out.contains("REFUSED"), "{}", broken.out);
}

/// The application with a component of its own: a file that can be replaced.
struct Application {
    folder: tempfile::TempDir,
    bytes: Vec<u8>,
}

impl Application {
    fn new() -> Self {
        let built = xtask::build_component(xtask::Install::AsRoot).expect("it builds");
        let bytes = fs::read(&built.path).expect("read");
        let folder = tempfile::tempdir().expect("a folder");
        let manifest = fs::read_to_string(xtask::workspace_root().join("spin.toml"));
        let manifest = manifest.expect("spin.toml");
        let own = manifest.replace(xtask::COMPONENT, "common.wasm");
        fs::write(folder.path().join("spin.toml"), own).expect("written");
        let new = Self { folder, bytes };
        new.component("common.wasm", "first");
        new
    }

    fn path(&self, file: &str) -> String {
        self.folder.path().join(file).display().to_string()
    }

    /// Writes a component that differs from others by this mark alone, a custom section; and its digest.
    fn component(&self, file: &str, mark: &str) -> String {
        let name = u8::try_from(mark.len()).expect("a short one");
        let section = [&[0, name + 1, name], mark.as_bytes()].concat();
        let bytes = [&self.bytes[..], &section].concat();
        fs::write(self.path(file), &bytes).expect("written");
        let digest = Sha256::digest(&bytes);
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The operator's page of metrics.
struct Operator(Remote);

impl Operator {
    /// Waits until the page is so. Unoptimised, a component takes long to compile.
    async fn page(&self, holds: impl Fn(&str) -> bool) {
        within(1500, || async {
            let request = http::Request::get("/metrics").body(Bytes::new());
            let answer = self.0.carry(request.expect("a request")).await;
            let page = String::from_utf8(answer.expect("answered").body().to_vec());
            holds(&page.expect("text"))
        })
        .await;
    }

    /// Waits until each tenant's component has this digest.
    async fn sees(&self, expected: &[(&str, &str)]) {
        let holds = |page: &str| {
            expected.iter().all(|(tenant, digest)| {
                let own = format!(r#"kvgf_build_info{{tenant="{tenant}""#);
                let told = |line: &str| line.starts_with(&own) && line.contains(digest);
                page.lines().any(told)
            })
        };
        self.page(holds).await;
    }

    /// Waits until so many files are refused.
    async fn sees_refused(&self, files: usize) {
        let line = format!("kvgf_host_refused_files {files}");
        self.page(|page| page.lines().any(|l| l == line)).await;
    }
}

#[tokio::test]
async fn a_component_is_taken_for_one_tenant_first_by_its_digest_and_then_for_all() {
    let two = Two::new().await;
    let application = Application::new();
    let first = application.component("common.wasm", "first");
    let next = application.component("next.wasm", "next");
    application.component("twin.wasm", "next");
    fs::write(application.path("broken.wasm"), "no component").expect("written");
    let minh = |file: &str, digest: &str| {
        let path = application.path(file);
        let own = format!("[host]\ncomponent = \"{path}\"\n{digest}\n");
        two.folder
            .write("minh", 2, &two.minhs, &own)
            .expect("written");
    };
    let broken = format!(
        "[host]\ncomponent = \"{}\"\n",
        application.path("broken.wasm")
    );
    let others = [vendors().await, vendors().await];
    for (n, name) in [(0, "mai"), (1, "nam")] {
        let last = 6 + u8::try_from(n).expect("small");
        two.folder
            .write(name, last, &others[n], &broken)
            .expect("written");
    }
    let admin = format!("127.0.0.1:{}", free_port().expect("a port"));
    let (from, state) = (application.path("spin.toml"), two.state());
    let arguments = [
        "--from",
        &from,
        "--admin-listen",
        &admin,
        "--state-dir",
        &state,
    ];
    let (host, _, lan) = two.up(&arguments).await;
    let operator = Operator(Remote::new(format!("http://{admin}"), "no token"));
    operator.sees(&[("minh", &first), ("lan", &first)]).await;

    // Another digest than the file has: refused, and the former stays.
    minh("next.wasm", &format!("component_digest = \"{first}\""));
    host.signal("HUP").await.expect("sent");
    operator.sees_refused(3).await;
    operator.sees(&[("minh", &first), ("lan", &first)]).await;
    minh(
        "next.wasm",
        &format!("component_digest = \"sha256:{next}\""),
    );
    operator.sees(&[("minh", &next), ("lan", &first)]).await;
    minh("twin.wasm", "");
    host.signal("HUP").await.expect("sent");
    tokio::time::sleep(Duration::from_secs(1)).await;

    // A common file that does not load leaves all as they are; the next one is taken for all.
    fs::write(application.path("common.wasm"), "no component").expect("written");
    host.signal("HUP").await.expect("sent");
    operator.sees_refused(3).await;
    operator.sees(&[("minh", &next), ("lan", &first)]).await;
    application.component("common.wasm", "next");
    host.signal("HUP").await.expect("sent");
    operator.sees(&[("minh", &next), ("lan", &next)]).await;
    assert_eq!(lan.get("/healthz").await.expect("answered"), 200);

    let log = host.kill().await.expect("killed");
    let told = format!("has the digest {next}, and [host] component_digest is {first}");
    assert!(log.contains(&told), "{log}");
    let compiled = |file: &str| {
        let lines = log
            .lines()
            .filter(|line| line.contains("a component is compiled"));
        lines.filter(|line| line.contains(file)).count()
    };
    let files = ["common.wasm", "next.wasm", "twin.wasm", "broken.wasm"];
    assert_eq!(files.map(compiled), [2, 1, 0, 1], "{log}");
}

#[tokio::test]
async fn two_tenants_swap_their_host_names() {
    let two = Two::new().await;
    let (host, minh, lan) = two.up(&["--state-dir", &two.state()]).await;
    assert_eq!(
        (minh.connections().await.0, lan.connections().await.0),
        (200, 200)
    );
    two.folder
        .write("minh", 3, &two.minhs, "")
        .expect("written");
    two.folder.write("lan", 2, &two.lans, "").expect("written");
    host.signal("HUP").await.expect("sent");
    let (minh, lan) = (
        Tenant::at(3, lan.port(), "minh"),
        Tenant::at(2, lan.port(), "lan"),
    );
    within_looks(async || minh.connections().await.0 == 200 && lan.connections().await.0 == 200)
        .await;
}

#[tokio::test]
async fn a_check_refuses_a_bare_secret_a_name_that_is_none_and_one_getfly_written_twice() {
    let two = Two::new().await;
    let kiotviet = || two.minhs.origins()[0].clone();
    for (name, last, getfly) in [
        ("ann", 4, "https://x.example"),
        ("bao", 5, "https://X.example:443"),
    ] {
        let (public, origins) = (
            format!("http://127.0.0.{last}:1"),
            [kiotviet(), getfly.to_owned()],
        );
        two.folder
            .write_at(name, &public, &two.minhs, origins, "")
            .expect("written");
    }
    for name in ["Minh", "a_b"] {
        fs::copy(two.folder.file("minh"), two.folder.file(name)).expect("copied");
    }
    let lan = fs::read_to_string(two.folder.file("lan")).expect("read");
    let bare = lan.replace("@lan/admin_token", "geheim-geheim-geheim-geheim");
    fs::write(two.folder.file("lan"), bare).expect("written");
    let checked = run(&[
        "tenants",
        "check",
        two.folder.path().to_str().expect("text"),
    ])
    .await;
    assert_eq!(checked.code, Some(1));
    let words: Vec<&str> = checked
        .out
        .split(|c: char| c.is_whitespace() || "│┆".contains(c))
        .collect();
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    let words = words.join(" ");
    for told in [
        "ok ann served at",
        "REFUSED bao its getfly_url is ann's",
        "REFUSED lan admin_token is a secret: give it as",
        "REFUSED Minh.toml its file's name is no tenant's",
        "REFUSED a_b.toml its file's name is no tenant's",
    ] {
        assert!(words.contains(told), "{told}: {words}");
    }
    assert!(!checked.out.contains("geheim"), "{}", checked.out);
    let (host, ..) = two.up(&["--state-dir", &two.state()]).await;
    let log = host.kill().await.expect("killed");
    assert!(log.contains(r#""file":"Minh.toml""#), "{log}");
}
