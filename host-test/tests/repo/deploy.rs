//! Claims that the deployment files match the application and each other: they parse, hold no
//! secret, set every required variable by its right name, request existing paths, and run nothing
//! as root. How: each file of `deploy/` is read and compared with `spin.toml` and the plugin's own
//! routes.

use bytes::Bytes;
use host_test::{shop::TestShop, variables::PUBLIC};
use serde::Deserialize;
use serde_json::Value;
use std::{collections::BTreeSet, fs, path::PathBuf};

const KUBERNETES: [&str; 7] = [
    "host.yaml",
    "networkpolicy.yaml",
    "podmonitor.yaml",
    "secret.example.yaml",
    "spinapp.yaml",
    "store.yaml",
    "tenants.yaml",
];

fn path(name: &str) -> PathBuf {
    xtask::workspace_root().join(name)
}

fn text(name: &str) -> String {
    fs::read_to_string(path(name)).expect(name)
}

/// The documents of a Kubernetes file.
fn documents(file: &str) -> Vec<Value> {
    yaml_serde::Deserializer::from_str(&text(&format!("deploy/kubernetes/{file}")))
        .map(|document| Value::deserialize(document).expect(file))
        .collect()
}

fn of_kind(file: &str, kind: &str) -> Value {
    let found = documents(file).into_iter().find(|d| d["kind"] == kind);
    found.unwrap_or_else(|| panic!("{file} has no {kind}"))
}

/// Every object and list inside `value`, itself included.
fn parts(value: &Value) -> Vec<&Value> {
    let inner: Vec<&Value> = match value {
        Value::Object(members) => members.values().collect(),
        Value::Array(items) => items.iter().collect(),
        _ => Vec::new(),
    };
    let mut all = vec![value];
    all.extend(inner.into_iter().flat_map(parts));
    all
}

fn manifest() -> toml::Table {
    text("spin.toml").parse().expect("spin.toml")
}

#[test]
fn the_manifest_for_spin_4_0_is_the_usual_one_with_the_twin_and_inline() {
    let changes = [
        (r#"default = "background""#, r#"default = "inline""#),
        ("plugin.component.wasm", "plugin.rc.component.wasm"),
        (r#""cargo xtask build""#, r#""cargo xtask build --rc""#),
    ];
    let usual = changes.iter().fold(text("spin.toml"), |text, (from, to)| {
        assert_eq!(text.matches(from).count(), 1, "{from}");
        text.replace(from, to)
    });
    let candidate = text("spin.rc.toml");
    let begins = candidate.find("spin_manifest_version").expect("a manifest");
    assert_eq!(candidate[begins..], usual, "change spin.rc.toml likewise");
}

/// The names of the variables for which `is` holds.
fn variables(is: impl Fn(&toml::Value) -> bool) -> BTreeSet<String> {
    let manifest = manifest();
    let all = manifest["variables"].as_table().expect("a table");
    let wanted = all.iter().filter(|(_, declared)| is(declared));
    wanted.map(|(name, _)| name.clone()).collect()
}

fn flag(declared: &toml::Value, name: &str) -> bool {
    declared.get(name).and_then(toml::Value::as_bool) == Some(true)
}

fn required() -> BTreeSet<String> {
    variables(|v| flag(v, "required"))
}

fn secrets() -> BTreeSet<String> {
    variables(|v| flag(v, "secret"))
}

/// `given` holds known variables only, and every required one.
fn fits(what: &str, given: &BTreeSet<String>) {
    let known = variables(|_| true);
    let unknown: Vec<_> = given.difference(&known).collect();
    assert!(unknown.is_empty(), "{what} gives unknown {unknown:?}");
    let required = required();
    let missing: Vec<_> = required.difference(given).collect();
    assert!(missing.is_empty(), "{what} does not give {missing:?}");
}

/// `name` of `SPIN_VARIABLE_NAME`.
fn from_environment(name: &str) -> Option<String> {
    name.strip_prefix("SPIN_VARIABLE_").map(str::to_lowercase)
}

/// `(name, value)` of each `--variable name=value` among `words`.
fn from_arguments<'w>(words: &[&'w str]) -> Vec<(&'w str, &'w str)> {
    let pairs = words.windows(2).filter(|pair| pair[0] == "--variable");
    pairs.filter_map(|pair| pair[1].split_once('=')).collect()
}

fn strings(list: &Value) -> Vec<&str> {
    let items = list.as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().filter_map(Value::as_str).collect()
}

#[test]
fn the_list_above_is_the_folder() {
    let folder = fs::read_dir(path("deploy/kubernetes")).expect("the folder");
    let there: BTreeSet<String> = folder
        .map(|entry| entry.expect("an entry").file_name().into_string())
        .map(|name| name.expect("UTF-8"))
        .collect();
    assert_eq!(there, KUBERNETES.map(str::to_owned).into());
}

#[test]
fn no_file_holds_a_secret_and_every_one_that_is_named_is_in_the_example() {
    let secret = of_kind("secret.example.yaml", "Secret");
    let example = secret["stringData"].as_object().expect("stringData");
    for (key, value) in example {
        let value = value.as_str().expect("a text");
        assert!(value.contains("CHANGE-ME"), "{key} looks like a real one");
    }
    for file in KUBERNETES {
        for document in documents(file) {
            assert!(
                document["kind"] != "Secret" || file == "secret.example.yaml",
                "{file} holds a Secret"
            );
            for part in parts(&document) {
                let named = [&part["secretKeyRef"], &part["credentials"]];
                for reference in named.into_iter().filter(|r| r.is_object()) {
                    assert_eq!(reference["name"], secret["metadata"]["name"], "{file}");
                    let key = reference["key"].as_str().expect("a key");
                    assert!(example.contains_key(key), "{file} names {key}");
                }
            }
        }
    }
}

/// Each opens one route and nothing else.
#[test]
fn who_reads_metrics_or_drains_gets_the_token_for_that_alone() {
    let monitor = of_kind("podmonitor.yaml", "PodMonitor");
    let credentials = &monitor["spec"]["podMetricsEndpoints"][0]["authorization"]["credentials"];
    assert_eq!(credentials["key"], "metrics_token");
    let drain = of_kind("spinapp.yaml", "CronJob");
    let named: Vec<&str> = parts(&drain)
        .into_iter()
        .filter_map(|part| part["secretKeyRef"]["key"].as_str())
        .collect();
    assert_eq!(named, ["drain_token"]);
    for (file, token) in [
        ("deploy/systemd/kvgf-drain.service", "drain_token"),
        ("deploy/prometheus/prometheus.example.yaml", "metrics_token"),
    ] {
        let file_text = text(file);
        assert!(file_text.contains(token), "{file}");
        assert!(!file_text.contains("admin_token"), "{file}");
    }
}

#[test]
fn the_spin_app_gives_every_variable_by_its_name_and_secrets_by_reference() {
    let app = of_kind("spinapp.yaml", "SpinApp");
    let given = app["spec"]["variables"].as_array().expect("variables");
    let name = |v: &Value| v["name"].as_str().expect("a name").to_owned();
    fits("spinapp.yaml", &given.iter().map(name).collect());
    for variable in given {
        let by_reference = variable["valueFrom"]["secretKeyRef"].is_object();
        assert_eq!(
            secrets().contains(&name(variable)),
            by_reference,
            "{variable}"
        );
    }
    let stores = app["spec"]["runtimeConfig"]["keyValueStores"].as_array();
    let labels: Vec<&Value> = stores.expect("stores").iter().map(|s| &s["name"]).collect();
    assert_eq!(labels, ["default"], "the label in spin.toml");
}

#[test]
fn the_deployment_gives_every_variable_and_secrets_as_files_only() {
    let deployment = of_kind("host.yaml", "Deployment");
    let pod = &deployment["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    let mut given = BTreeSet::new();
    for variable in container["env"].as_array().expect("env") {
        let name = variable["name"].as_str().and_then(from_environment);
        let name = name.expect("a variable of Spin");
        assert!(
            !secrets().contains(&name),
            "{name} stands in the environment"
        );
        given.insert(name);
    }
    let words = strings(&container["args"]);
    let mount = container["volumeMounts"][0]["mountPath"]
        .as_str()
        .expect("a path");
    let secret = of_kind("secret.example.yaml", "Secret");
    let is_file = |value: &str| {
        let key = value.strip_prefix('@').and_then(|v| v.strip_prefix(mount));
        let key = key.and_then(|v| v.strip_prefix('/')).unwrap_or_default();
        secret["stringData"].get(key).is_some()
    };
    for (name, value) in from_arguments(&words) {
        assert!(is_file(value), "{name}: {value} is no file of the Secret");
        given.insert(name.to_owned());
    }
    let store = words.iter().position(|w| *w == "--store").expect("--store");
    assert!(
        is_file(words[store + 1]),
        "the store's password is in the file"
    );
    fits("host.yaml", &given);
}

#[test]
fn many_tenants_are_served_by_pods_that_keep_nothing_and_are_asked_at_the_hosts_own_address() {
    let files = documents("tenants.yaml");
    let kinds: BTreeSet<&str> = files.iter().filter_map(|d| d["kind"].as_str()).collect();
    let expected = [
        "Deployment",
        "HorizontalPodAutoscaler",
        "PodDisruptionBudget",
        "Service",
    ];
    assert_eq!(kinds, expected.into());
    let pod = &of_kind("tenants.yaml", "Deployment")["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    let words = strings(&container["args"]);
    let after = |name: &str| {
        let at = words.iter().position(|word| *word == name);
        words[at.unwrap_or_else(|| panic!("no {name}")) + 1]
    };
    let mounts = container["volumeMounts"].as_array().expect("mounts");
    let mounted = |path: &str| mounts.iter().any(|m| m["mountPath"].as_str() == Some(path));
    assert!(mounted(after("--tenants")));
    assert_eq!(after("--store"), "@/run/kvgf/store_url");
    let port = after("--admin-listen").rsplit(':').next().expect("a port");
    for probe in ["startupProbe", "readinessProbe"] {
        let asked = &container[probe]["httpGet"]["port"];
        assert_eq!(asked.to_string(), port, "no tenant has a probe's host name");
    }
    let scaled = &of_kind("tenants.yaml", "HorizontalPodAutoscaler")["spec"];
    assert_eq!(scaled["scaleTargetRef"]["name"], "kvgf-tenants");
}

/// Each replica tells the same count, because it stands in the store that they share.
#[test]
fn deliveries_are_summed_over_tenants_and_not_over_replicas() {
    let mut asked = 0;
    let deployed = [
        "kubernetes/tenants.yaml",
        "prometheus/alerts.yaml",
        "grafana/dashboard.json",
    ];
    for file in deployed {
        for line in text(&format!("deploy/{file}")).lines() {
            for (at, _) in line.match_indices("rate(kvgf_events_received_total") {
                let before = line
                    .get(..at)
                    .unwrap_or_default()
                    .trim_end_matches(['(', ' ']);
                let bare = before.ends_with("sum") || before.ends_with("sum by (tenant)");
                assert!(!bare, "{file}: {line}");
                asked += 1;
            }
        }
    }
    assert!(asked > 0);
    let tenants = text("deploy/kubernetes/tenants.yaml");
    assert!(tenants.contains("sum(max by (tenant) (rate(kvgf_events_received_total"));
}

#[test]
fn the_tenants_pods_may_be_reached_and_are_watched_and_may_reach_the_store() {
    let among = |selector: &Value| {
        let named = &selector["matchExpressions"][0]["values"];
        named.is_array() && strings(named).contains(&"kvgf-tenants")
    };
    let policies = documents("networkpolicy.yaml");
    let policy = |name: &str| {
        let found = policies.iter().find(|d| d["metadata"]["name"] == name);
        &found.expect("a policy")["spec"]
    };
    assert!(among(&policy("kvgf")["podSelector"]));
    let to_store = &policy("kvgf-store")["ingress"][0]["from"][0]["podSelector"];
    assert!(among(to_store));
    let watched = documents("podmonitor.yaml");
    let label = "app.kubernetes.io/name";
    let watches = |d: &Value| d["spec"]["selector"]["matchLabels"][label] == "kvgf-tenants";
    assert!(watched.iter().any(watches));
    let unit = text("deploy/systemd/kvgf.service");
    assert!(unit.lines().any(|line| line == "LimitNOFILE=65536"));
}

#[test]
fn pods_run_without_root_on_a_read_only_file_system_with_limits() {
    let mut pods = 0;
    for document in KUBERNETES.into_iter().flat_map(documents) {
        for pod in parts(&document)
            .into_iter()
            .filter(|p| p["containers"].is_array())
        {
            pods += 1;
            let name = &document["metadata"]["name"];
            let security = &pod["securityContext"];
            assert_eq!(security["runAsNonRoot"], true, "{name}");
            assert!(
                security["runAsUser"].as_u64() > Some(0),
                "{name}: by number"
            );
            assert_eq!(
                security["seccompProfile"]["type"], "RuntimeDefault",
                "{name}"
            );
            assert_eq!(pod["automountServiceAccountToken"], false, "{name}");
            for container in pod["containers"].as_array().expect("containers") {
                let security = &container["securityContext"];
                assert_eq!(security["readOnlyRootFilesystem"], true, "{name}");
                assert_eq!(security["allowPrivilegeEscalation"], false, "{name}");
                assert_eq!(
                    strings(&security["capabilities"]["drop"]),
                    ["ALL"],
                    "{name}"
                );
                assert!(
                    container["resources"]["limits"]["memory"].is_string(),
                    "{name}"
                );
            }
        }
    }
    assert_eq!(pods, 4, "the store, both hosts and the drain");
}

/// Kubernetes finds ports by these names and pods by these labels.
#[test]
fn what_selects_a_pod_or_a_port_finds_one() {
    let (mut names, mut ports) = (BTreeSet::new(), BTreeSet::from(["http-app".to_owned()]));
    let all: Vec<Value> = KUBERNETES.into_iter().flat_map(documents).collect();
    let label = "app.kubernetes.io/name";
    for part in all.iter().flat_map(parts) {
        names.extend(part["template"]["metadata"]["labels"][label].as_str());
        names.extend(part["podLabels"][label].as_str());
        let of_container = part["containers"][0]["ports"].as_array();
        let named = of_container.into_iter().flatten();
        ports.extend(named.filter_map(|port| port["name"].as_str().map(str::to_owned)));
    }
    for part in all.iter().flat_map(parts) {
        let selected = [&part["matchLabels"][label], &part["selector"][label]];
        for name in selected.into_iter().filter_map(Value::as_str) {
            assert!(names.contains(name), "nothing is called {name}");
        }
        let asked = [&part["targetPort"], &part["port"]];
        for port in asked.into_iter().filter_map(Value::as_str) {
            assert!(ports.contains(port), "no port is called {port}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_path_that_is_asked_for_is_a_route() {
    // Spin answers this one itself.
    let mut asked = BTreeSet::new();
    let spins_own = "/.well-known/spin/health";
    for document in KUBERNETES.into_iter().flat_map(documents) {
        for part in parts(&document) {
            asked.extend(
                part["httpGet"]["path"]
                    .as_str()
                    .map(|p| ("GET", p.to_owned())),
            );
            let scraped = part["podMetricsEndpoints"][0]["path"].as_str();
            asked.extend(scraped.map(|p| ("GET", p.to_owned())));
            let called = strings(&part["args"]).into_iter().filter_map(|word| {
                let rest = word.strip_prefix("http://kvgf")?;
                Some(("POST", rest.to_owned()))
            });
            asked.extend(called);
        }
    }
    let timer = text("deploy/systemd/kvgf-drain.service");
    // systemd undoes escapes within single quotes too, so the shell would see other quotes.
    assert!(!timer.contains("\\\""), "an escaped quote");
    let (_, rest) = timer.split_once("http://127.0.0.1:3000").expect("a call");
    let end = rest.find('\'').expect("the command's end");
    asked.insert(("POST", rest[..end].to_owned()));
    asked.remove(&("GET", spins_own.to_owned()));
    assert!(asked.len() >= 3, "{asked:?}");
    let shop = TestShop::unconnected();
    for (method, path) in asked {
        let request = http::Request::builder()
            .method(method)
            .uri(format!("{PUBLIC}{path}"))
            .body(Bytes::new());
        let answer = shop.app.request(request.expect("a request")).await;
        assert!(!matches!(answer.status, 404 | 405), "{method} {path}");
    }
}

#[test]
fn the_image_has_a_numeric_user_and_the_manifest_it_is_started_with() {
    let file = text("deploy/Dockerfile");
    let instruction = |name: &str| {
        let line = file.lines().rev().find(|line| line.starts_with(name));
        line.unwrap_or_else(|| panic!("no {name}"))[name.len()..].trim()
    };
    let user: Vec<u32> = instruction("USER ")
        .split(':')
        .map(|id| id.parse().expect("a number"))
        .collect();
    let deployment = of_kind("host.yaml", "Deployment");
    let security = &deployment["spec"]["template"]["spec"]["securityContext"];
    assert_eq!(security["runAsUser"], user[0]);
    assert_eq!(security["runAsGroup"], user[1]);
    assert!(user[0] > 0);
    let command: Vec<String> = serde_json::from_str(instruction("CMD ")).expect("a list");
    assert_eq!(command[..3], ["up", "--from", "/app/spin.toml"]);
    assert!(file.contains(&format!("/image/app/{}", xtask::COMPONENT)));
    let ignored = text(".dockerignore");
    let rules: Vec<&str> = ignored.lines().filter(|l| !l.starts_with('#')).collect();
    assert_eq!(rules[0], "*", "only what is named gets into the build");
    for rule in &rules[1..] {
        let kept = rule.strip_prefix('!').expect("an exception");
        assert!(path(kept).exists(), "{kept}");
    }
}

#[test]
fn the_image_holds_its_licences_and_its_bill_and_its_bases_can_be_pinned() {
    let file = text("deploy/Dockerfile");
    for part in [
        "cargo auditable build --release --locked --package host ",
        "cargo xtask licences > /image/app/",
        "cargo xtask sbom > /image/app/",
    ] {
        assert!(file.contains(part), "{part}");
    }
    let bases: Vec<&str> = file.lines().filter(|l| l.starts_with("FROM ")).collect();
    assert_eq!(bases.len(), 2);
    for (base, digest) in bases.iter().zip(["RUST_DIGEST", "BASE_DIGEST"]) {
        let (name, pin) = base["FROM ".len()..].split_once("${").expect("a digest");
        assert!(
            pin.starts_with(&format!("{digest}:+@${{{digest}}}}}")),
            "{base}"
        );
        assert!(
            file.contains(&format!("ARG {digest}=\n")),
            "none is invented"
        );
        let asked = format!("imagetools inspect --format '{{{{.Manifest.Digest}}}}' {name}\n");
        assert!(file.contains(&asked), "how to look it up: {asked}");
    }
}

#[test]
fn the_service_gives_every_variable_and_secrets_as_credentials_only() {
    let unit = text("deploy/systemd/kvgf.service").replace("\\\n", " ");
    let start = unit.lines().find_map(|l| l.strip_prefix("ExecStart="));
    let words: Vec<&str> = start.expect("ExecStart").split_whitespace().collect();
    let mut given = BTreeSet::new();
    for (name, value) in from_arguments(&words) {
        assert_eq!(value, format!("@${{CREDENTIALS_DIRECTORY}}/{name}"));
        let credential = format!("LoadCredential={name}:/etc/kvgf/secrets/{name}");
        assert!(unit.lines().any(|line| line == credential), "{credential}");
        given.insert(name.to_owned());
    }
    assert!(given.is_subset(&secrets()));
    for line in text("deploy/systemd/kvgf.env.example").lines() {
        let assigned = line.strip_prefix('#').unwrap_or(line).split_once('=');
        let Some(name) = assigned.and_then(|(name, _)| from_environment(name)) else {
            continue;
        };
        assert!(!secrets().contains(&name), "{name} is a secret");
        assert!(variables(|_| true).contains(&name), "{name}");
        if !line.starts_with('#') {
            given.insert(name);
        }
    }
    fits("kvgf.service with kvgf.env", &given);
}

#[test]
fn spins_runtime_configuration_names_the_manifests_store() {
    let labels = &manifest()["component"]["plugin"]["key_value_stores"];
    let labels: Vec<&str> = labels
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(toml::Value::as_str)
        .collect();
    for (file, kind) in [
        ("runtime-config.toml", "spin"),
        ("runtime-config.redis.toml", "redis"),
    ] {
        let config: toml::Table = text(&format!("deploy/spin/{file}")).parse().expect(file);
        let stores = config["key_value_store"].as_table().expect(file);
        assert_eq!(stores.keys().collect::<Vec<_>>(), labels, "{file}");
        assert_eq!(stores["default"]["type"].as_str(), Some(kind), "{file}");
    }
}

#[test]
fn the_stores_memory_is_bounded_below_its_containers_limit() {
    let set = of_kind("store.yaml", "StatefulSet");
    let container = &set["spec"]["template"]["spec"]["containers"][0];
    let arguments = container["args"].as_array().expect("arguments");
    let at = arguments
        .iter()
        .position(|argument| argument == "--maxmemory");
    let most = arguments[at.expect("--maxmemory") + 1]
        .as_str()
        .expect("text");
    let most: u64 = most.trim_end_matches("mb").parse().expect("megabytes");
    let limit = container["resources"]["limits"]["memory"]
        .as_str()
        .expect("a limit");
    let limit: u64 = limit.trim_end_matches("Mi").parse().expect("mebibytes");
    // Room for the append-only file's buffers.
    assert!(most + 96 <= limit && most >= 128, "{most} of {limit}");
}
