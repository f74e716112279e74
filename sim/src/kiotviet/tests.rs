//! What a client and a receiver of KiotViet see.

mod api;
mod deliveries;
mod manners;

use super::*;
use crate::{ManualClock, Request, Response, Upstream};
use bytes::Bytes;
use rust_decimal::Decimal;
use serde_json::Value;

struct World {
    clock: Arc<ManualClock>,
    shop: Arc<KiotVietSim>,
}

/// Nine in the morning in Vietnam.
fn world() -> World {
    let start = "2026-10-05T02:00:00.123Z".parse().expect("timestamp");
    let clock = Arc::new(ManualClock::new(start));
    let shop = Arc::new(KiotVietSim::new(Settings::default(), clock.clone()));
    World { clock, shop }
}

fn request(method: &str, path: &str, body: impl Into<Bytes>) -> Request {
    let body = body.into();
    http::Request::builder()
        .method(method)
        .uri(path)
        .header("User-Agent", "test")
        .header("Content-Length", body.len())
        .body(body)
        .expect("request")
}

fn body_of(response: &Response) -> Value {
    serde_json::from_slice(response.body()).expect("JSON")
}

impl World {
    async fn form(&self, form: &'static str) -> (u16, Value) {
        let mut request = request("POST", "/connect/token", form);
        request.headers_mut().insert(
            "content-type",
            http::HeaderValue::from_static("application/x-www-form-urlencoded"),
        );
        let response = self.shop.handle(request).await.expect("answered");
        (response.status().as_u16(), body_of(&response))
    }

    async fn token(&self) -> String {
        let (status, body) = self
            .form(concat!(
                "scopes=PublicApi.Access&grant_type=client_credentials",
                "&client_id=11111111-2222-4333-8444-555555555555",
                "&client_secret=0123456789ABCDEF0123456789ABCDEF01234567"
            ))
            .await;
        assert_eq!(status, 200);
        body["access_token"].as_str().expect("token").to_owned()
    }

    async fn with(&self, token: &str, mut request: Request) -> Response {
        let bearer = format!("Bearer {token}").parse().expect("header");
        request.headers_mut().insert("authorization", bearer);
        let retailer = http::HeaderValue::from_static("cuahangthu");
        request.headers_mut().insert("retailer", retailer);
        self.shop.handle(request).await.expect("answered")
    }

    async fn call(&self, method: &str, path: &str, body: &'static str) -> (u16, Value) {
        let token = self.token().await;
        let response = self.with(&token, request(method, path, body)).await;
        (response.status().as_u16(), body_of(&response))
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.call("GET", path, "").await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }
}

fn dong(amount: i64) -> Decimal {
    Decimal::from(amount)
}

fn named(name: &str) -> NewCustomer {
    NewCustomer {
        name: name.to_owned(),
        contact_number: Some("0900 000 001 - 0900000002".to_owned()),
        ..NewCustomer::default()
    }
}

fn sale(customer_id: Option<i64>) -> NewInvoice {
    NewInvoice {
        customer_id,
        sold_by: Some(5001),
        lines: vec![Line {
            discount: Some(dong(187_000)),
            sub_total: Some(dong(5_100_000)),
            ..Line::new("SP000033", "Sản phẩm thử", dong(2), dong(2_737_000))
        }],
        ..NewInvoice::default()
    }
}
