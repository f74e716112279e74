//! What a client of Getfly sees, and what the tenant has afterwards.

mod accounts;
mod manners;
mod orders;

use super::*;
use crate::{ManualClock, Response, Upstream};
use bytes::Bytes;
use serde_json::json;

struct World {
    clock: Arc<ManualClock>,
    crm: GetflySim,
}

/// Nine in the morning in Vietnam.
fn world() -> World {
    let start = "2026-10-05T02:00:00Z".parse().expect("timestamp");
    let clock = Arc::new(ManualClock::new(start));
    let crm = GetflySim::new(GetflySettings::default(), clock.clone());
    World { clock, crm }
}

impl World {
    async fn send(&self, method: &str, path: &str, body: &Value) -> Response {
        let body = match body {
            Value::Null => Bytes::new(),
            body => Bytes::from(body.to_string()),
        };
        let request = http::Request::builder()
            .method(method)
            .uri(format!("https://tenant.example/api/v6.1/{path}"))
            .header("X-API-KEY", "simulated-getfly-key-000000001")
            .header("Content-Type", "application/json")
            .header("User-Agent", "test")
            .header("Content-Length", body.len())
            .body(body)
            .expect("request");
        self.crm.handle(request).await.expect("answered")
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let response = self.send("POST", path, &body).await;
        (response.status().as_u16(), body_of(&response))
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        let response = self.send("GET", path, &Value::Null).await;
        (response.status().as_u16(), body_of(&response))
    }

    /// The codes that a search finds, as they come.
    async fn codes(&self, query: &str) -> Vec<String> {
        let path = format!("accounts?fields=id,account_code&{query}");
        let (status, body) = self.get(&path).await;
        assert_eq!(status, 200, "{path}: {body}");
        let rows = body["data"].as_array().expect("data").iter();
        rows.filter_map(|row| row["account_code"].as_str().map(ToOwned::to_owned))
            .collect()
    }

    fn seed(&self, code: &str, phone: &str, email: &str) {
        self.crm.seed_account(Account {
            account_code: code.to_owned(),
            account_name: format!("Khách {code}"),
            phone_office: phone.to_owned(),
            email: email.to_owned(),
            ..Account::default()
        });
    }
}

fn body_of(response: &Response) -> Value {
    serde_json::from_slice(response.body()).expect("JSON")
}

#[tokio::test]
async fn a_wrong_key_is_unauthorized_and_a_body_that_is_not_json_is_bad() {
    let world = world();
    let request = http::Request::get("/api/v6.1/users?fields=user_id")
        .header("X-API-KEY", "wrong")
        .header("User-Agent", "test")
        .body(Bytes::new())
        .expect("request");
    let refused = world.crm.handle(request).await.expect("answered");
    assert_eq!(refused.status(), 401);
    assert_eq!(body_of(&refused), json!({"message": "Unauthorized"}));
    let (status, _) = world.post("account", json!("not an object")).await;
    assert_eq!(status, 400);
    assert_eq!(world.crm.accounts(), []);
}

#[tokio::test]
async fn too_many_requests_in_a_second_are_refused_with_a_wait() {
    let world = world();
    world
        .crm
        .update_settings(|s| s.requests_per_second = Some(2));
    let get = || world.send("GET", "users?fields=user_id", &Value::Null);
    assert_eq!(get().await.status(), 200);
    assert_eq!(get().await.status(), 200);
    let refused = get().await;
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.headers()["retry-after"], "1");
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(get().await.status(), 200);
    let statuses: Vec<_> = world.crm.calls().iter().map(|call| call.status).collect();
    assert_eq!(statuses, [Some(200), Some(200), Some(429), Some(200)]);
}

#[tokio::test(start_paused = true)]
async fn latency_comes_before_the_request_is_looked_at() {
    let world = world();
    world
        .crm
        .update_settings(|s| s.latency = Duration::from_secs(3));
    let create = world.post("account", json!({"account_name": "Khách"}));
    let given_up = tokio::time::timeout(Duration::from_secs(2), create).await;
    assert!(given_up.is_err());
    assert_eq!(world.crm.accounts(), []);
}

#[tokio::test]
async fn users_are_listed_and_filtered_by_phone() {
    let world = world();
    world
        .crm
        .add_user(User::new(2, "nv.mot", "Nhân Viên Một", "0900000501"));
    let path = "users?fields=user_name,contact_mobile&filtering[contact_mobile]=0900000501";
    let (_, body) = world.get(path).await;
    let expected = json!([{"user_name": "nv.mot", "contact_mobile": "0900000501"}]);
    assert_eq!(body["data"], expected);
    assert_eq!(body["limited"], false);
    assert!(body.get("has_more").is_none());
}
