//! A busy story full of what must be told to nobody, the same for every host: what it answers is kept,
//! whatever it is.

use crate::marks::{ALL, GUARDED, Marks, Of};
use bytes::Bytes;
use host_test::{
    native::{ADMIN_TOKEN, MASTER_KEY, OTHER_MASTER_KEY},
    scene::{CONNECTION, hoa, sale},
    sim::{
        Fault, FaultRule, Faulty, GetflySim, KiotVietSim,
        getfly::{Account, User},
        kiotviet::{InvoiceDelivery, NewCustomer, NewInvoice},
    },
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The application, somewhere.
pub trait Host {
    /// Answers a request; only path and query of its address count.
    async fn exchange(&self, request: http::Request<Bytes>) -> http::Response<Bytes>;
    /// Lets more than a second pass.
    async fn pass_a_second(&self);
    /// Lets the worker go on for a moment.
    async fn pass_a_moment(&self);
    /// Lets ten minutes pass; false where nobody waits for so long.
    async fn pass_a_pause(&self) -> bool;
    /// Goes on with this `master_key`.
    async fn rotate(&mut self, master_key: &str);
}

/// What an answer may tell its reader, who is the owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum May {
    Nothing,
    /// The sellers' names, so that somebody can be found.
    Names,
    /// What would be written to Getfly, and the page's list of sellers.
    Records,
}

/// See the module.
pub struct Story<H> {
    pub host: H,
    pub kiotviet: Arc<KiotVietSim>,
    pub getfly: Arc<GetflySim>,
    pub getfly_faults: Arc<Faulty>,
    pub now: Timestamp,
    pub marks: Marks,
    seen: Vec<(String, May, Vec<u8>)>,
}

fn person(name: &str, phones: &str, email: &str) -> NewCustomer {
    NewCustomer {
        name: name.to_owned(),
        contact_number: Some(phones.to_owned()),
        email: Some(email.to_owned()),
        address: Some(format!("7 Ngõ của {name}, Hà Nội")),
        comments: Some(format!("{name} thích màu xanh")),
        ..NewCustomer::default()
    }
}

impl<H: Host> Story<H> {
    pub fn new(
        host: H,
        kiotviet: &Arc<KiotVietSim>,
        getfly: &Arc<GetflySim>,
        faults: &Arc<Faulty>,
        now: Timestamp,
    ) -> Self {
        let mut marks = Marks::default();
        for secret in [ADMIN_TOKEN, MASTER_KEY, OTHER_MASTER_KEY] {
            marks.add(Of::Secret, secret);
        }
        Self {
            host,
            kiotviet: kiotviet.clone(),
            getfly: getfly.clone(),
            getfly_faults: faults.clone(),
            now,
            marks,
            seen: Vec::new(),
        }
    }

    /// From the shop's past to its last event, which waits.
    pub async fn tell(&mut self) {
        self.begin();
        self.connect().await;
        self.sell().await;
        self.wish().await;
        self.read_back().await;
        self.try_out().await;
        self.rotate().await;
        self.look_around().await;
    }

    /// Answers that tell more than they may, and which text each of them tells.
    pub fn leaks(&self, what: &[Of]) -> BTreeSet<String> {
        let mut leaks = BTreeSet::new();
        for (may, of) in [
            (May::Nothing, &ALL[..]),
            (May::Names, &GUARDED[..]),
            (May::Records, &[Of::Secret][..]),
        ] {
            let of: Vec<Of> = of.iter().copied().filter(|o| what.contains(o)).collect();
            let search = self.marks.search(&of);
            for (place, _, answer) in self.seen.iter().filter(|seen| seen.1 == may) {
                let told = search.find(answer).into_iter();
                leaks.extend(told.map(|text| format!("{place}: {text}")));
            }
        }
        leaks
    }

    /// Whether some answer holds this text.
    pub fn was_shown(&self, text: &str) -> bool {
        let shown = |answer: &[u8]| String::from_utf8_lossy(answer).contains(text);
        self.seen.iter().any(|(_, _, answer)| shown(answer))
    }

    fn note(&mut self) {
        self.marks.note(&self.kiotviet, &self.getfly);
    }

    /// A request whose answer is kept, with its header fields.
    async fn ask(
        &mut self,
        may: May,
        request: http::Request<Bytes>,
    ) -> (http::Response<Bytes>, String) {
        let place = format!("{} {}", request.method(), request.uri().path());
        let response = self.host.exchange(request).await;
        let body = String::from_utf8_lossy(response.body()).into_owned();
        let whole = format!("{:?}\n{body}", response.headers());
        self.seen.push((place, may, whole.into_bytes()));
        (response, body)
    }

    async fn api_body(&mut self, may: May, method: &str, path: &str, body: Bytes) -> (u16, Value) {
        let request = http::Request::builder()
            .method(method)
            .uri(format!("/api/{path}"))
            .header("authorization", format!("Bearer {ADMIN_TOKEN}"));
        let (response, body) = self.ask(may, request.body(body).unwrap()).await;
        let json = serde_json::from_str(&body).unwrap_or_default();
        (response.status().as_u16(), json)
    }

    async fn api(&mut self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = body.to_string().into();
        self.api_body(May::Nothing, method, path, body).await
    }

    /// Until it is no longer refused.
    async fn insist(&mut self, method: &str, path: &str, body: &Value) {
        for _ in 0..5 {
            if self.api(method, path, body).await.0 == 200 {
                return;
            }
        }
        panic!("{method} {path} is refused for good");
    }

    pub async fn get(&mut self, path: &str) -> Value {
        self.api("GET", path, &Value::Null).await.1
    }

    /// Carries what KiotViet sends; each must be answered 200.
    async fn deliver(&mut self) {
        for delivery in self.kiotviet.take_deliveries() {
            let request = self.kiotviet.request(&delivery);
            let (response, _) = self.ask(May::Nothing, request).await;
            assert_eq!(response.status(), 200);
            self.kiotviet.settle(delivery, Some(200));
        }
    }

    /// Until nothing waits, or only for longer than anybody does.
    async fn settle(&mut self) {
        while self.process().await.contains_key("retrying") {
            if !self.host.pass_a_pause().await {
                return;
            }
        }
    }

    /// Until each event was tried; gives their numbers by state.
    async fn process(&mut self) -> BTreeMap<String, Vec<u64>> {
        for _ in 0..1000 {
            let (_, drained) = self.api("POST", "drain", &Value::Null).await;
            let states = self.states().await;
            if drained["busy"] == false && !states.contains_key("received") {
                return states;
            }
            self.host.pass_a_moment().await;
        }
        panic!("it never comes to rest");
    }

    /// The events' numbers by state.
    pub async fn states(&mut self) -> BTreeMap<String, Vec<u64>> {
        let list = self.get("events?limit=200").await;
        let mut states: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for event in list["events"].as_array().into_iter().flatten() {
            let state = event["state"].as_str().unwrap().to_owned();
            states
                .entry(state)
                .or_default()
                .push(event["seq"].as_u64().unwrap());
        }
        states
    }

    /// Who was there before the shop was connected.
    fn begin(&mut self) {
        self.getfly.add_user(User {
            email: "nguyenvana@getfly.example".to_owned(),
            ..User::new(7, "nva", "Nguyễn Văn A", "0900000501")
        });
        let account = |code: &str| Account {
            account_code: code.to_owned(),
            account_name: format!("Khách cũ {code}"),
            ..Account::default()
        };
        self.getfly.seed_account(Account {
            email: "chung@two.example".to_owned(),
            ..account("A-EMAIL")
        });
        self.getfly.seed_account(Account {
            phone_office: "0955444333".to_owned(),
            ..account("A-PHONE")
        });
        let hour_ago = Some(self.now - SignedDuration::from_hours(1));
        let old = self.kiotviet.create_customer(NewCustomer {
            created_at: hour_ago,
            ..person("Chú Cường Xưa", "0933 222 111", "cuong@past.example")
        });
        self.kiotviet.create_invoice(NewInvoice {
            created_at: hour_ago,
            ..sale(Some(old))
        });
    }

    /// With wrong credentials, with those of others, with the right ones.
    async fn connect(&mut self) {
        let settings = self.kiotviet.settings();
        let (shop, id, secret) = (
            &settings.retailer,
            &settings.client_id,
            &settings.client_secret,
        );
        let wrong = "a-wrong-security-code-271828";
        self.marks.add(Of::Secret, wrong);
        for (name, id, secret) in [
            (CONNECTION, &**id, wrong),
            ("new", "hoa@example.vn", "0912345678"),
        ] {
            let body = json!({"retailer": shop, "client_id": id, "client_secret": secret});
            let path = format!("connections/{name}");
            let (status, problem) = self.api("PUT", &path, &body).await;
            assert_eq!(status, 422, "{problem}");
        }
        let body = json!({"retailer": shop, "client_id": id, "client_secret": secret});
        let path = format!("connections/{CONNECTION}");
        self.insist("PUT", &path, &body).await;
        for webhook in ["customer", "order"] {
            let path = format!("connections/{CONNECTION}/webhooks/{webhook}");
            self.insist("PUT", &path, &Value::Null).await;
        }
        assert_eq!(self.kiotviet.webhooks().len(), 2);
        // Whatever the shop does next is later than the switches.
        self.host.pass_a_second().await;
    }

    /// A sale that is sent, merged phones, an e-mail and a phone of two accounts, edits, garbage.
    async fn sell(&mut self) {
        let hoa = self.kiotviet.create_customer(hoa());
        self.kiotviet.create_invoice(NewInvoice {
            description: Some("giao trước bữa trưa".to_owned()),
            delivery: Some(InvoiceDelivery {
                receiver: "Bà Nhận Hàng".to_owned(),
                contact_number: "0977-111-222".to_owned(),
                address: "12 phố Người Nhận".to_owned(),
                price: None,
            }),
            ..sale(Some(hoa))
        });
        for (name, phones, email) in [
            (
                "Anh Ba 0987654321",
                "0987.654.321 / 0944 555 666",
                "ba@ba.example",
            ),
            (
                "Cô Hoa Hai Số",
                "0966–777–888, 0912 345 678",
                "hai@so.example",
            ),
            ("Em Hai Nơi", "0955 444 333", "chung@two.example"),
        ] {
            let id = self.kiotviet.create_customer(person(name, phones, email));
            self.kiotviet.create_invoice(sale(Some(id)));
        }
        self.kiotviet.create_invoice(sale(None));
        self.note();
        self.deliver().await;
        self.kiotviet
            .edit_customer(hoa, |c| c.contact_number = Some("0912 345 679".to_owned()));
        self.deliver().await;
        for _ in 0..2 {
            let hook = self.kiotviet.webhooks()[0].url.clone();
            let garbage = r#"{"phone":"0912345678","mail":"hoa@example.vn"}"#;
            let request = http::Request::post(hook).body(garbage.into()).unwrap();
            self.ask(May::Nothing, request).await;
        }
        self.settle().await;
        self.note();
    }

    /// One dead letter is dismissed, the others are tried again; an invoice is edited that is an order.
    async fn wish(&mut self) {
        let mut dead = self.states().await.remove("dead").unwrap();
        assert!(dead.len() > 1, "{dead:?}");
        let dismissed = dead.remove(0);
        for (seq, wish) in dead
            .iter()
            .map(|seq| (seq, "retry"))
            .chain([(&dismissed, "dismiss")])
        {
            let path = format!("events/{seq}/{wish}");
            let (status, event) = self.api("POST", &path, &Value::Null).await;
            assert!(matches!(status, 200 | 202), "{event}");
        }
        self.settle().await;
        let ordered = self.kiotviet.invoices().into_iter();
        let ordered = ordered.filter(|invoice| invoice.content.delivery.is_some());
        for invoice in ordered {
            let words =
                |typed: &mut NewInvoice| typed.description = Some("giao sau sáu giờ".to_owned());
            self.kiotviet.edit_invoice(invoice.id, words);
        }
        self.deliver().await;
        self.settle().await;
    }

    /// Of the shop's past, and of what KiotViet never delivered.
    async fn read_back(&mut self) {
        let from = self.now - SignedDuration::from_hours(2);
        for dry_run in [true, false] {
            let body = json!({"from": from, "dry_run": dry_run});
            let path = format!("connections/{CONNECTION}/backfill");
            let (status, answer) = self.api("POST", &path, &body).await;
            assert!(matches!(status, 200 | 202), "{answer}");
        }
        self.settle().await;
        for hook in self.kiotviet.webhooks() {
            self.kiotviet.set_webhook_active(hook.id, false);
        }
        let unseen = person("Dì Tư Vắng", "0966 777 888", "tu@unseen.example");
        let unseen = self.kiotviet.create_customer(unseen);
        self.kiotviet.create_invoice(sale(Some(unseen)));
        assert!(self.kiotviet.take_deliveries().is_empty());
        self.api("POST", "drain?heal=now", &Value::Null).await;
        self.settle().await;
        self.note();
    }

    /// A preview by the API and on the page, which tells all; then the delivery itself.
    async fn try_out(&mut self) {
        let person = person("Ông Năm Thử", "(0911) 222 999", "nam@tried.example");
        self.kiotviet.create_customer(person);
        self.note();
        let delivery = self.kiotviet.take_deliveries().remove(0);
        let path = format!("preview/{CONNECTION}");
        let (status, answer) = self
            .api_body(May::Records, "POST", &path, delivery.body())
            .await;
        assert_eq!(status, 200);
        // The control of the search: here the texts are.
        let told = self.marks.search(&ALL).find(answer.to_string().as_bytes());
        for text in ["911222999", "nam@tried.example", "Ông Năm Thử"] {
            assert!(told.contains(text), "{text}: {told:?}");
        }
        let cookie = self.log_in().await;
        let (_, page) = self.page(May::Nothing, &cookie, "/ui/try").await;
        let csrf = page.split("name=\"csrf\"").nth(1).unwrap();
        let csrf = csrf.split('"').nth(1).unwrap();
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("csrf", csrf)
            .append_pair("connection", CONNECTION)
            .append_pair("payload", &String::from_utf8_lossy(&delivery.body()))
            .finish();
        let request = http::Request::post("/ui/try").header("cookie", cookie);
        let request = request.header("sec-fetch-site", "same-origin");
        let (response, page) = self
            .ask(May::Records, request.body(form.into()).unwrap())
            .await;
        assert!(
            response.status() == 200 && page.contains("nam@tried.example"),
            "{page}"
        );
        let request = self.kiotviet.request(&delivery);
        self.ask(May::Nothing, request).await;
        self.settle().await;
    }

    /// A new `master_key` beside the former one; last a customer who waits, with his delivery kept.
    async fn rotate(&mut self) {
        let both = format!("{OTHER_MASTER_KEY},{MASTER_KEY}");
        self.host.rotate(&both).await;
        self.api("POST", "drain?heal=now", &Value::Null).await;
        for (name, phone, email) in [
            ("Bác Sáu Khóa", "0918 273 645", "sau@key.example"),
            ("Cậu Bảy Chờ", "0919 283 746", "bay@waits.example"),
        ] {
            if email == "bay@waits.example" {
                let out = FaultRule::new(Fault::Status(503, None));
                let out = out.on(http::Method::POST, "/api/v6.1/account");
                self.getfly_faults.add(out);
            }
            self.kiotviet.create_customer(person(name, phone, email));
            self.deliver().await;
            self.process().await;
        }
        self.note();
    }

    /// At what is said while a variable or the store is unsound, if it is.
    pub async fn look_at_what_is_wrong(&mut self) {
        let health = http::Request::get("/healthz").body(Bytes::new()).unwrap();
        self.ask(May::Nothing, health).await;
        for path in ["connections", "events/1"] {
            self.get(path).await;
        }
        let hook = self.kiotviet.webhooks()[0].url.clone();
        let request = http::Request::post(hook)
            .body("no envelope".into())
            .unwrap();
        self.ask(May::Nothing, request).await;
    }

    async fn log_in(&mut self) -> String {
        let form = format!("token={ADMIN_TOKEN}");
        let request = http::Request::post("/ui/login").body(form.into()).unwrap();
        let (response, _) = self.ask(May::Nothing, request).await;
        let cookie = response.headers()["set-cookie"].to_str().unwrap();
        cookie.split(';').next().unwrap().to_owned()
    }

    async fn page(
        &mut self,
        may: May,
        cookie: &str,
        path: &str,
    ) -> (http::Response<Bytes>, String) {
        let request = http::Request::get(path).header("cookie", cookie);
        let (response, page) = self.ask(may, request.body(Bytes::new()).unwrap()).await;
        assert_eq!(response.status(), 200, "{path}: {page}");
        (response, page)
    }

    /// At all that can be seen.
    async fn look_around(&mut self) {
        let mut numbers: Vec<u64> = self.states().await.into_values().flatten().collect();
        numbers.sort_unstable();
        let cookie = self.log_in().await;
        for seq in numbers {
            self.get(&format!("events/{seq}")).await;
            let path = format!("/ui/events/{seq}");
            self.page(May::Nothing, &cookie, &path).await;
        }
        for path in [
            "connections",
            "overview",
            "nowhere",
            "connections/shop/backfill",
        ] {
            self.get(path).await;
        }
        let path = "connections/shop/staff";
        self.api_body(May::Names, "GET", path, Bytes::new()).await;
        for path in [
            "/",
            "/ui/shops",
            "/ui/connect",
            "/ui/shops/shop",
            "/ui/shops/shop/backfill",
            "/ui/events",
            "/ui/events?state=dead",
        ] {
            self.page(May::Nothing, &cookie, path).await;
        }
        let path = "/ui/shops/shop/staff";
        self.page(May::Records, &cookie, path).await;
        for path in ["/metrics", "/healthz"] {
            let request = http::Request::get(path)
                .header("authorization", format!("Bearer {ADMIN_TOKEN}"))
                .body(Bytes::new());
            let (response, _) = self.ask(May::Nothing, request.unwrap()).await;
            assert_eq!(response.status(), 200, "{path}");
        }
    }
}
