//! Claims that whatever the component sends to a vendor says who sends it and how long it is, as bytes
//! on a socket and not only in memory. How: the real program on loopback, before vendors that keep
//! every request's head as it came.

use crate::{
    process::{Host, up},
    vendors::{Vendors, vendors_behind},
};
use http::{HeaderMap, Method};
use serde_json::Value;
use sim::{
    Boxed, Broken, Request, Response, Upstream,
    kiotviet::{Line, NewCustomer, NewInvoice},
};
use std::sync::{Arc, Mutex};

type Heads = Arc<Mutex<Vec<(Method, String, HeaderMap, usize)>>>;

/// A vendor whose requests' heads are kept.
struct Seen {
    inner: Arc<dyn Upstream>,
    heads: Heads,
}

impl Upstream for Seen {
    fn handle<'a>(&'a self, request: Request) -> Boxed<'a, Result<Response, Broken>> {
        let head = (
            request.method().clone(),
            request.uri().path().to_owned(),
            request.headers().clone(),
            request.body().len(),
        );
        self.heads.lock().expect("a lock").push(head);
        self.inner.handle(request)
    }
}

/// Connects the shop, switches its webhooks on and one off again, and syncs a customer and a sale.
async fn everything_that_is_ever_sent(host: &Host, vendors: &Vendors) {
    host.connect_with(vendors, &["customer", "order"]).await;
    let id = vendors.kiotviet.create_customer(NewCustomer {
        name: "Anh Bền".into(),
        contact_number: Some("0912345678".into()),
        ..NewCustomer::default()
    });
    vendors.kiotviet.create_invoice(NewInvoice {
        customer_id: Some(id),
        lines: vec![Line::new("SP1", "Áo", 1.into(), 150_000.into())],
        ..NewInvoice::default()
    });
    for delivery in vendors.kiotviet.take_deliveries() {
        let (parts, body) = vendors.kiotviet.request(&delivery).into_parts();
        let signature = parts.headers["x-hub-signature"].to_str().expect("text");
        let headers = [("x-hub-signature", signature)];
        let (status, _) = host.send("POST", parts.uri.path(), &headers, body).await;
        assert_eq!(status, 200);
    }
    host.api("POST", "drain", Value::Null).await;
    host.api("DELETE", "connections/shop", Value::Null).await;
    assert_eq!(vendors.getfly.accounts().len(), 1);
    assert_eq!(vendors.getfly.orders().len(), 1);
}

#[tokio::test]
async fn every_request_tells_its_length_and_its_sender_on_a_real_socket() {
    let folder = tempfile::tempdir().expect("a folder");
    let heads = Heads::default();
    let vendors = vendors_behind(|kiotviet, getfly, _| {
        [kiotviet, getfly].map(|inner| {
            let heads = heads.clone();
            Arc::new(Seen { inner, heads }) as Arc<dyn Upstream>
        })
    })
    .await;
    let host = up(folder.path(), &vendors, "0").await;
    everything_that_is_ever_sent(&host, &vendors).await;

    let heads = heads.lock().expect("a lock").clone();
    let agent = concat!("kiotviet-getfly/", env!("CARGO_PKG_VERSION"));
    for (method, path, headers, length) in &heads {
        let one = |name: &str| {
            let mut values = headers.get_all(name).iter();
            let first = values.next().map(|v| v.to_str().expect("text").to_owned());
            assert!(values.next().is_none(), "{method} {path}: {name} twice");
            first
        };
        assert_eq!(one("user-agent").as_deref(), Some(agent), "{method} {path}");
        assert_eq!(one("transfer-encoding"), None, "{method} {path}");
        if *method != Method::GET {
            let told = one("content-length");
            assert_eq!(told, Some(length.to_string()), "{method} {path}");
        }
    }
    let sent = |method: Method, end: &str| {
        let mut all = heads.iter();
        all.any(|(m, path, ..)| *m == method && path.contains(end))
    };
    for (method, end) in [
        (Method::POST, "/connect/token"),
        (Method::POST, "/webhooks"),
        (Method::DELETE, "/webhooks/"),
        (Method::POST, "/account"),
        (Method::POST, "/sale_order"),
    ] {
        assert!(sent(method.clone(), end), "no {method} {end} was sent");
    }
}
