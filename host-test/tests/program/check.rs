//! Claims that `kvgf check` finds errors in the configuration, the upstreams and the store, says
//! how to mend them, and never shows a secret. How: the real program against simulated vendors on
//! loopback.

use crate::process::{Run, run, up, variables, vendors};
use host::keyvalue::{Backend, Embedded};
use host_test::redis_server::{PASSWORD, redis};
use host_test::shop::{CONNECTION, On};
use host_test::variables::{ADMIN_TOKEN, MASTER_KEY};
use host_test::vendors::Vendors;
use serde_json::Value;
use std::path::Path;

/// Runs it with these variables changed, and as JSON.
async fn check(vendors: &Vendors, changed: &[(&str, &str)], store: [&str; 2]) -> (Run, Value) {
    let mut arguments = variables(vendors);
    for (name, value) in changed {
        let prefix = format!("{name}=");
        let at = arguments.iter().position(|a| a.starts_with(&prefix));
        arguments[at.expect("a variable")] = format!("{name}={value}");
    }
    let mut all = vec!["check", "--json"];
    all.extend(store);
    all.extend(arguments.iter().map(String::as_str));
    let run = run(&all).await;
    for secret in [
        ADMIN_TOKEN,
        MASTER_KEY,
        &vendors.getfly.settings().api_key,
        PASSWORD,
    ] {
        assert!(
            !run.out.contains(secret) && !run.err.contains(secret),
            "{secret} is shown"
        );
    }
    let told = serde_json::from_str(&run.out).expect("one JSON object");
    (run, told)
}

fn state(folder: &Path) -> [&str; 2] {
    ["--state-dir", folder.to_str().expect("text")]
}

/// What must be mended, as `subject: words`.
fn failed(told: &Value) -> Vec<String> {
    let all = told["findings"].as_array().expect("findings").iter();
    let failed = all.filter(|f| f["verdict"] == "failed");
    let text = |f: &Value, name: &str| f[name].as_str().expect("text").to_owned();
    failed
        .map(|f| format!("{}: {}", text(f, "subject"), text(f, "words")))
        .collect()
}

#[tokio::test]
async fn a_sound_configuration_is_told_in_a_table_and_as_json() {
    let folder = tempfile::tempdir().expect("a folder");
    let vendors = vendors().await;
    let (run_, told) = check(&vendors, &[], state(folder.path())).await;
    assert_eq!((run_.code, failed(&told)), (Some(0), Vec::new()));
    assert_eq!(told["ok"], true);
    let parts = told["findings"].as_array().expect("findings").iter();
    let parts: Vec<_> = parts.map(|f| f["part"].as_str().expect("text")).collect();
    assert_eq!(
        parts,
        [
            "configuration",
            "upstream",
            "upstream",
            "upstream",
            "upstream",
            "upstream",
            "store"
        ]
    );

    let mut arguments = vec!["check"];
    arguments.extend(state(folder.path()));
    let variables = variables(&vendors);
    arguments.extend(variables.iter().map(String::as_str));
    let table = run(&arguments).await;
    assert_eq!(table.code, Some(0), "{}", table.err);
    assert!(
        table.out.contains("answers, and takes the key"),
        "{}",
        table.out
    );
    assert!(table.out.contains("all 11 claims"), "{}", table.out);
}

#[tokio::test]
async fn every_problem_is_named_with_how_to_mend_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let vendors = vendors().await;
    let origin = vendors.origins()[1].clone();
    let with_path = format!("{origin}/api");
    let encrypted = origin.replace("http://", "https://");
    for (changed, told) in [
        (("admin_token", ""), "SPIN_VARIABLE_ADMIN_TOKEN"),
        (("admin_token", "geheim"), "shorter than 16 characters"),
        (("master_key", "geheim"), "--variable master_key=@FILE"),
        (("getfly_url", with_path.as_str()), "has a path"),
        (("getfly_api_key", "geheim"), "Getfly refuses the key"),
        (
            ("getfly_url", "http://127.0.0.1:1"),
            "nothing listens at 127.0.0.1",
        ),
        (
            ("getfly_url", encrypted.as_str()),
            "no encrypted connection to 127.0.0.1",
        ),
        (
            ("kiotviet_api_url", "http://127.0.0.1:1"),
            "kiotviet_api_url",
        ),
    ] {
        let (run, found) = check(&vendors, &[changed], state(folder.path())).await;
        let failed = failed(&found);
        assert_eq!(
            (run.code, &found["ok"]),
            (Some(1), &Value::Bool(false)),
            "{changed:?}"
        );
        assert!(
            failed.iter().any(|f| f.contains(told)),
            "{changed:?}: {failed:?}"
        );
        assert!(!run.out.contains("geheim"), "{}", run.out);
    }
}

#[tokio::test]
async fn an_fnb_origin_that_does_not_answer_is_a_warning_for_its_shops_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let vendors = vendors().await;
    for name in ["kiotviet_fnb_api_url", "kiotviet_fnb_auth_url"] {
        let changed = [(name, "http://127.0.0.1:1")];
        let (run, found) = check(&vendors, &changed, state(folder.path())).await;
        assert_eq!((run.code, failed(&found)), (Some(0), Vec::new()), "{name}");
        let all = found["findings"].as_array().expect("findings").iter();
        let warned: Vec<_> = all.filter(|f| f["verdict"] == "warning").collect();
        let [warning] = warned[..] else {
            panic!("{name}: {warned:?}");
        };
        let text = |member: &str| warning[member].as_str().expect("text");
        assert!(text("subject").starts_with(name), "{warning}");
        assert!(text("words").contains("nothing listens"), "{warning}");
        assert!(text("words").contains("F&B"), "{warning}");
    }
}

#[tokio::test]
async fn a_tenant_with_the_old_version_of_the_api_only_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let vendors = vendors().await;
    vendors.getfly.update_settings(|s| s.old_version = true);
    let (run, told) = check(&vendors, &[], state(folder.path())).await;
    assert_eq!(run.code, Some(1));
    let failed = failed(&told);
    assert!(
        failed[0].contains("Getfly 4.x with API v3 only"),
        "{failed:?}"
    );
}

#[tokio::test]
async fn a_token_that_is_easily_guessed_is_warned_about_and_not_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let vendors = vendors().await;
    let weak = [("admin_token", "aaaaaaaaaaaaaaaaaaaaaaaa")];
    let (run, told) = check(&vendors, &weak, state(folder.path())).await;
    assert_eq!((run.code, failed(&told)), (Some(0), Vec::new()));
    let all = told["findings"].as_array().expect("findings").iter();
    let warned: Vec<_> = all.filter(|f| f["verdict"] == "warning").collect();
    assert_eq!(warned.len(), 1, "{told}");
    assert_eq!(warned[0]["subject"], "admin_token");
    assert!(!run.out.contains("aaaa"));
}

#[tokio::test]
async fn a_store_that_cannot_be_used_is_told_and_a_host_that_runs_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let vendors = vendors().await;
    let (run, told) = check(&vendors, &[], state(Path::new("/dev/null/x"))).await;
    assert_eq!(run.code, Some(1));
    assert!(
        failed(&told)[0].contains("cannot create the state directory"),
        "{told}"
    );

    let host = up(folder.path(), &vendors).await;
    let (run, told) = check(&vendors, &[], state(folder.path())).await;
    assert_eq!(run.code, Some(0), "{told}");
    let store = told["findings"]
        .as_array()
        .and_then(|all| all.last())
        .expect("one");
    assert_eq!(
        (&store["part"], &store["verdict"]),
        (&"store".into(), &"skipped".into())
    );
    drop(host);
}

#[tokio::test]
async fn a_redis_is_tried_and_its_durability_told() {
    let Some(server) = redis(&[]).await else {
        return;
    };
    let vendors = vendors().await;
    let url = server.url();
    let (run, told) = check(&vendors, &[], ["--store", &url]).await;
    assert_eq!((run.code, failed(&told)), (Some(0), Vec::new()));
    let warned = told["findings"].as_array().expect("findings").iter();
    let warned: Vec<_> = warned.filter(|f| f["verdict"] == "warning").collect();
    let words = warned[0]["words"].as_str().expect("text");
    assert!(words.contains("appendonly yes"), "{words}");

    let (run, told) = check(&vendors, &[], ["--store", "redis://:geheim@127.0.0.1:1"]).await;
    assert_eq!(run.code, Some(1));
    assert!(failed(&told)[0].contains("connection refused"), "{told}");
    assert!(!run.out.contains("geheim"), "{}", run.out);
}

#[tokio::test]
async fn what_would_go_wrong_with_a_shops_first_sales_is_asked_of_the_running_application() {
    let folder = tempfile::tempdir().expect("a folder");
    let vendors = vendors().await;
    let demanded = vec!["phone_office".to_owned()];
    vendors
        .getfly
        .update_settings(|s| s.required_fields = demanded);
    let host = up(folder.path(), &vendors).await;
    host.connect_with(&vendors, On::Neither).await;
    let more = |name| {
        let [option, folder] = state(folder.path());
        [option, folder, "--connection", name, "--at", host.origin()]
    };
    let variables = variables(&vendors);
    let asked = async |name| {
        let mut all = vec!["check", "--json"];
        all.extend(more(name));
        all.extend(variables.iter().map(String::as_str));
        let run = run(&all).await;
        assert!(!run.out.contains(ADMIN_TOKEN), "{}", run.out);
        let told: Value = serde_json::from_str(&run.out).expect("one JSON object");
        (run.code, told)
    };
    let (code, told) = asked(CONNECTION).await;
    assert_eq!(code, Some(1));
    let wrong = failed(&told);
    assert!(
        wrong.len() == 1 && wrong[0].contains("Getfly demands the field phone_office"),
        "{told}"
    );
    let of_preflight = |f: &&Value| f["part"] == "preflight";
    let all = told["findings"].as_array().expect("findings").iter();
    assert_eq!(all.filter(of_preflight).count(), 10, "{told}");
    let (code, told) = asked("nobody").await;
    assert_eq!(code, Some(1));
    assert!(failed(&told)[0].contains("answers 404"), "{told}");
}

#[tokio::test]
async fn a_store_of_a_newer_version_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let vendors = vendors().await;
    let store = Embedded::open(folder.path()).expect("a store");
    let cursor = br#"{"format":1000}"#.to_vec();
    let written = store.set("kvgf/journal/cursor", cursor).await;
    written.expect("it is written");
    drop(store);
    let (run, told) = check(&vendors, &[], state(folder.path())).await;
    let failed = failed(&told);
    assert_eq!((run.code, failed.len()), (Some(1), 1), "{failed:?}");
    assert!(
        failed[0].contains("belongs to a newer version")
            && failed[0].contains("Start the newer version again"),
        "{failed:?}"
    );
}
