//! A busy scenario full of texts that must stay hidden, the same for every host.

use super::{
    asked::{Host, May, Scenario},
    marks::{ALL, Of},
};
use bytes::Bytes;
use host_test::{
    admin::Admin,
    shop::{CONNECTION, On, hoa, sale},
    variables::{ADMIN_TOKEN, MASTER_KEY, OTHER_MASTER_KEY},
    visitor,
};
use jiff::SignedDuration;
use serde_json::json;
use sim::{
    Fault, FaultRule,
    getfly::{Account, User},
    kiotviet::{InvoiceDelivery, NewCustomer, NewInvoice},
};
use std::collections::BTreeMap;

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

impl<H: Host> Scenario<H> {
    /// From the shop's past to its last event, which waits.
    pub(crate) async fn run(&mut self) {
        self.begin();
        self.connect().await;
        self.sell().await;
        self.retry_and_dismiss().await;
        self.read_back().await;
        self.try_out().await;
        self.rotate().await;
        self.look_around().await;
    }

    /// Carries KiotViet's deliveries; each must be answered 200.
    async fn deliver(&mut self) {
        for delivery in self.kiotviet.take_deliveries() {
            let request = self.kiotviet.request(&delivery);
            let (response, _) = self.ask(May::Nothing, request).await;
            assert_eq!(response.status(), 200);
            self.kiotviet.settle(delivery, Some(200));
        }
    }

    /// Drains until no event waits, or only for longer than a test does.
    async fn settle(&mut self) {
        while self.process().await.contains_key("retrying") {
            if !self.host.pass_a_pause().await {
                return;
            }
        }
    }

    /// Processes until each event was attempted; returns their numbers by state.
    async fn process(&mut self) -> BTreeMap<String, Vec<u64>> {
        for _ in 0..1000 {
            let (_, drained) = self.drain().await;
            let states = self.states().await;
            if drained["busy"] == false && !states.contains_key("received") {
                return states;
            }
            self.host.pass_a_moment().await;
        }
        panic!("it never comes to rest");
    }

    /// The customers from before the connection.
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
        let wrong = "a-wrong-security-code-271828";
        self.marks.add(Of::Secret, wrong);
        for (name, id, secret) in [
            (CONNECTION, &*settings.client_id, wrong),
            ("new", "hoa@example.vn", "0912345678"),
        ] {
            let mut settings = settings.clone();
            settings.client_id = id.to_owned();
            settings.client_secret = secret.to_owned();
            let (status, problem) = Admin::connect(self, name, &settings).await;
            assert_eq!(status, 422, "{problem}");
        }
        self.insist(async || Admin::connect(self, CONNECTION, &settings).await)
            .await;
        for webhook in On::Both.webhooks() {
            self.insist(async || self.switch(CONNECTION, webhook, true).await)
                .await;
        }
        assert_eq!(self.kiotviet.webhooks().len(), 2);
        // The shop's next actions are later than the switches.
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
                "Anh Ba 0987654312",
                "0987.654.312 / 0944 555 666",
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

    /// One dead letter is dismissed, the others are retried; an invoice that is an order is edited.
    async fn retry_and_dismiss(&mut self) {
        let mut dead = self.states().await.remove("dead").unwrap();
        assert!(dead.len() > 1, "{dead:?}");
        let dismissed = dead.remove(0);
        for (seq, command) in dead
            .iter()
            .map(|seq| (seq, "retry"))
            .chain([(&dismissed, "dismiss")])
        {
            let (status, event) = match command {
                "retry" => self.retry(*seq).await,
                _ => self.dismiss(*seq).await,
            };
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
            let (status, answer) = self.backfill(CONNECTION, &body).await;
            assert!(matches!(status, 200 | 202), "{answer}");
        }
        self.settle().await;
        self.kiotviet.switch_off_webhooks();
        let unseen = person("Dì Tư Vắng", "0966 777 888", "tu@unseen.example");
        let unseen = self.kiotviet.create_customer(unseen);
        self.kiotviet.create_invoice(sale(Some(unseen)));
        assert!(self.kiotviet.take_deliveries().is_empty());
        self.heal().await;
        self.settle().await;
        self.note();
    }

    /// A preview by the API and on the page, which shows everything; then the delivery itself.
    async fn try_out(&mut self) {
        let person = person("Ông Năm Thử", "(0911) 222 999", "nam@tried.example");
        self.kiotviet.create_customer(person);
        self.note();
        let delivery = self.kiotviet.take_deliveries().remove(0);
        let path = format!("preview/{CONNECTION}");
        let (status, answer) = self
            .call_as(May::Records, "POST", &path, delivery.body())
            .await;
        assert_eq!(status, 200);
        // The control of the search: here the texts are.
        let told = self.marks.search(&ALL).find(answer.to_string().as_bytes());
        for text in ["911222999", "nam@tried.example", "Ông Năm Thử"] {
            assert!(told.contains(text), "{text}: {told:?}");
        }
        let cookie = self.log_in().await;
        let (_, page) = self.page(May::Nothing, &cookie, "/ui/try").await;
        let csrf = visitor::field(&page, "csrf").unwrap();
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

    /// A new `master_key` beside the former one; last a customer who waits, with the stored
    /// delivery.
    async fn rotate(&mut self) {
        let both = format!("{OTHER_MASTER_KEY},{MASTER_KEY}");
        self.host.rotate(&both).await;
        self.heal().await;
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

    /// Looks at the answers while a variable or the store is unsound, if it is.
    pub(crate) async fn look_at_what_is_wrong(&mut self) {
        let health = http::Request::get("/healthz").body(Bytes::new()).unwrap();
        self.ask(May::Nothing, health).await;
        for path in ["connections", "events/1"] {
            self.look(path).await;
        }
        let hook = self.kiotviet.webhooks()[0].url.clone();
        let request = http::Request::post(hook)
            .body("no envelope".into())
            .unwrap();
        self.ask(May::Nothing, request).await;
    }

    /// Looks at everything that can be seen.
    async fn look_around(&mut self) {
        let mut numbers: Vec<u64> = self.states().await.into_values().flatten().collect();
        numbers.sort_unstable();
        let cookie = self.log_in().await;
        for seq in numbers {
            self.event(seq).await;
            let path = format!("/ui/events/{seq}");
            self.page(May::Names, &cookie, &path).await;
        }
        for path in [
            "connections",
            "overview",
            "nowhere",
            "connections/shop/backfill",
        ] {
            self.look(path).await;
        }
        let path = "connections/shop/staff";
        self.call_as(May::Names, "GET", path, Bytes::new()).await;
        for path in [
            "/",
            "/ui/shops",
            "/ui/connect",
            "/ui/shops/shop",
            "/ui/shops/shop/backfill",
            "/ui/changed",
        ] {
            self.page(May::Nothing, &cookie, path).await;
        }
        for path in ["/ui/events", "/ui/events?state=dead"] {
            self.page(May::Names, &cookie, path).await;
        }
        for path in ["/ui/shops/shop/staff", "/ui/shops/shop/first-day"] {
            self.page(May::Records, &cookie, path).await;
        }
        for path in ["/metrics", "/healthz"] {
            let request = http::Request::get(path)
                .header("authorization", format!("Bearer {ADMIN_TOKEN}"))
                .body(Bytes::new());
            let (response, _) = self.ask(May::Nothing, request.unwrap()).await;
            assert_eq!(response.status(), 200, "{path}");
        }
        self.note();
    }
}
