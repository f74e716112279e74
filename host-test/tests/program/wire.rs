//! Claims that every request of the component to a vendor states its sender and its length, as
//! bytes on a socket and not only in memory. How: the real program on loopback, before vendors that
//! keep every request's head as it came.

use crate::process::{Host, ok, up};
use host_test::{
    admin::Admin,
    shop::{CONNECTION, On, hoa, sale},
    vendors::Vendors,
};
use http::{HeaderMap, Method};
use sim::{Boxed, Broken, Request, Response, Upstream, getfly::GetflySettings, kiotviet::Settings};
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
    host.connect_with(vendors, On::Both).await;
    let id = vendors.kiotviet.create_customer(hoa());
    vendors.kiotviet.create_invoice(sale(Some(id)));
    for delivery in vendors.kiotviet.take_deliveries() {
        ok(host.send(vendors.kiotviet.request(&delivery)).await);
    }
    ok(host.drain().await);
    ok(host.disconnect(CONNECTION).await);
    assert_eq!(vendors.getfly.accounts().len(), 1);
    assert_eq!(vendors.getfly.orders().len(), 1);
}

#[tokio::test]
async fn every_request_tells_its_length_and_its_sender_on_a_real_socket() {
    let folder = tempfile::tempdir().expect("a folder");
    let heads = Heads::default();
    let vendors = Vendors::new(Settings::default(), GetflySettings::default());
    let inners: [Arc<dyn Upstream>; 2] = [vendors.kiotviet.clone(), vendors.getfly.clone()];
    let fronts = inners.map(|inner| {
        let heads = heads.clone();
        Arc::new(Seen { inner, heads }) as Arc<dyn Upstream>
    });
    let vendors = vendors.serve_behind(fronts).await.expect("served");
    let host = up(folder.path(), &vendors).await;
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
