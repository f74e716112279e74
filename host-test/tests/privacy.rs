//! Claims guarantee 4: no secret, phone or e-mail is in a log line, an error, an event, a health
//! report or a metric, nor in plain or Base64 anywhere in the store, even when both vendors throw it back at us
//! in their refusals. How: a busy story full of marked texts, then a search for every one of them in
//! everything that can be seen.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use bytes::Bytes;
use host_test::{
    native::{ADMIN_TOKEN, Cell, MASTER_KEY, Native, PUBLIC, test_variables},
    scene::{On, Scene, hoa, sale},
    sim::{
        Boxed, Broken, Fault, FaultRule, Request, Response, Upstream, When,
        getfly::User,
        kiotviet::{NewCustomer, Staff},
    },
};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// Refuses the first creates in words that repeat all it was told.
struct Parrot {
    inner: Arc<dyn Upstream>,
    refusals: Mutex<u32>,
    statuses: &'static [u16],
}

impl Upstream for Parrot {
    fn handle<'a>(&'a self, request: Request) -> Boxed<'a, Result<Response, Broken>> {
        let status = (request.method() == http::Method::POST
            && request.uri().path() != "/connect/token")
            .then(|| {
                let mut refusals = self.refusals.lock().unwrap();
                *refusals += 1;
                self.statuses.get(usize::try_from(*refusals - 1).unwrap())
            })
            .flatten();
        let Some(status) = status else {
            return self.inner.handle(request);
        };
        let said = String::from_utf8_lossy(request.body()).into_owned();
        let headers = format!("{:?}", request.headers());
        let words = format!("Không nhận {said} {headers} 0912 345 678 +84912345678 hoa@example.vn");
        let body = json!({
            "message": words,
            "errors": {"phone_office": [said]},
            "responseStatus": {"errorCode": "0912345678", "message": words},
        });
        let response = http::Response::builder()
            .status(*status)
            .body(Bytes::from(body.to_string()));
        Box::pin(async move { response.map_err(|_| Broken) })
    }
}

fn told_to_nobody(scene: &Scene) -> Vec<String> {
    let settings = scene.kiotviet.settings();
    let hook = scene.kiotviet.webhooks().remove(0);
    let path_token = hook.url.rsplit('/').next().unwrap().to_owned();
    [
        "0912 345 678",
        "0912345678",
        "912345678",
        "0987.654.321",
        "0987654321",
        "987654321",
        "0900000501",
        "900000501",
        "hoa@example.vn",
        "example.vn",
        "sim.500123456",
        ADMIN_TOKEN,
        MASTER_KEY,
        "nguyenvana@",
    ]
    .map(str::to_owned)
    .into_iter()
    .chain([
        settings.client_secret,
        scene.getfly.settings().api_key,
        path_token,
        hook.secret.unwrap(),
    ])
    .collect()
}

fn find(secrets: &[String], place: &str, text: &str) {
    let lower = text.to_lowercase();
    for secret in secrets {
        assert!(
            !lower.contains(&secret.to_lowercase()),
            "{secret} in {place}: {text}"
        );
    }
}

async fn busy_scene() -> Scene {
    let mut scene = Scene::unconnected();
    let parrot = |inner: &Arc<dyn Upstream>, statuses| {
        Arc::new(Parrot {
            inner: inner.clone(),
            refusals: Mutex::default(),
            statuses,
        })
    };
    let kiotviet: Arc<dyn Upstream> = scene.kiotviet_faults.clone();
    let getfly: Arc<dyn Upstream> = scene.getfly_faults.clone();
    scene.app = Native::new(
        test_variables(&scene.getfly.settings().api_key),
        parrot(&kiotviet, &[420, 400]),
        parrot(&getfly, &[400, 422, 404, 409, 400, 400]),
        scene.clock.clone(),
        7,
    );
    scene.getfly.add_user(User {
        email: "nguyenvana@getfly.example".to_owned(),
        ..User::new(7, "nva", "Nguyễn Văn A", "0900000501")
    });
    scene
        .kiotviet
        .add_staff(Staff::new(5001, "nv1", "Nhân Viên Một", "0900 000 501"));
    scene
}

#[tokio::test(start_paused = true)]
async fn nothing_of_a_person_and_no_secret_is_shown_or_kept_in_plain() {
    let scene = busy_scene().await;
    let mut seen: Vec<(String, String)> = Vec::new();
    let mut see =
        |place: &str, answer: (u16, Value)| seen.push((place.to_owned(), answer.1.to_string()));
    see("connect", scene.connect().await);
    for webhook in ["customer", "customer", "order", "order"] {
        see("switch", scene.switch("PUT", webhook).await);
    }
    scene.pass(1).await;
    let wrong =
        json!({"retailer": "x", "client_id": "hoa@example.vn", "client_secret": "0912345678"});
    see(
        "wrong credentials",
        scene.app.api("PUT", "connections/new", &wrong).await,
    );

    let id = scene.kiotviet.create_customer(hoa());
    scene.kiotviet.create_invoice(sale(Some(id)));
    scene.kiotviet.create_customer(NewCustomer {
        name: "Anh Ba 0987654321".to_owned(),
        contact_number: Some("0987.654.321 / 0912 345 678".to_owned()),
        ..NewCustomer::default()
    });
    scene.deliver().await;
    let lost = FaultRule::new(Fault::StoredButReplyLost).when(When::Nth(3));
    scene.getfly_faults.add(lost);
    scene.settle().await;
    for seq in 1..=3 {
        let path = format!("events/{seq}/retry");
        see("retry", scene.app.api("POST", &path, &Value::Null).await);
    }
    scene.kiotviet.create_invoice(sale(Some(id)));
    scene.deliver().await;
    scene.settle().await;
    let garbage = r#"{"phone":"0912345678","mail":"hoa@example.vn"}"#;
    let hook = scene.kiotviet.webhooks()[0].url.clone();
    let request = http::Request::post(hook)
        .body(Bytes::from(garbage))
        .unwrap();
    scene.app.request(request).await;

    see("events", scene.app.get("events?limit=200").await);
    for seq in 1..=8 {
        see("event", scene.app.get(&format!("events/{seq}")).await);
    }
    see("connections", scene.app.get("connections").await);
    see("overview", scene.app.get("overview").await);
    see("unknown", scene.app.get("nowhere").await);
    let request = http::Request::get(format!("{PUBLIC}/metrics"))
        .header("authorization", format!("Bearer {ADMIN_TOKEN}"))
        .body(Bytes::new())
        .unwrap();
    let metrics = scene.app.request(request).await;
    assert_eq!(metrics.status, 200);
    let metrics = String::from_utf8(metrics.body).unwrap();
    seen.push(("metrics".to_owned(), metrics));
    for bad in ["", "0912345678", "hoa@example.vn"] {
        scene.app.set_variable("getfly_url", bad);
        let request = http::Request::get(format!("{PUBLIC}/healthz"))
            .body(Bytes::new())
            .unwrap();
        let health = scene.app.request(request).await;
        assert_eq!(health.status, 503);
        seen.push((
            "healthz".to_owned(),
            String::from_utf8(health.body).unwrap(),
        ));
        seen.push((
            "api".to_owned(),
            scene.app.get("connections").await.1.to_string(),
        ));
    }

    let secrets = told_to_nobody(&scene);
    assert!(
        seen.iter().any(|(_, text)| text.contains("Không nhận")),
        "{seen:?}"
    );
    for (place, text) in &seen {
        find(&secrets, place, text);
    }
    for line in scene.app.log() {
        find(&secrets, "the log", &line);
    }
    for (key, cell) in scene.app.store.dump() {
        find(&secrets, "a key", &key);
        if let Cell::Value(value) = cell {
            let text = String::from_utf8_lossy(&value);
            find(&secrets, &key, &text);
            for part in text.split(|c: char| !c.is_ascii_alphanumeric() && !"+/=-_".contains(c)) {
                for decoded in [STANDARD.decode(part), URL_SAFE_NO_PAD.decode(part)]
                    .into_iter()
                    .flatten()
                {
                    let in_base64 = format!("{key} in Base64");
                    find(&secrets, &in_base64, &String::from_utf8_lossy(&decoded));
                }
            }
        }
    }
}

/// The control: the story does carry those texts to where they belong.
#[tokio::test(start_paused = true)]
async fn the_marked_texts_do_pass_through() {
    let scene = Scene::connected(On::Both).await;
    scene.kiotviet.create_customer(hoa());
    let delivery = scene.kiotviet.take_deliveries().remove(0);
    assert!(String::from_utf8_lossy(&delivery.body()).contains("0912 345 678"));
    scene.app.request(scene.kiotviet.request(&delivery)).await;
    let account = &scene.getfly.accounts()[0];
    assert_eq!(
        (&*account.phone_office, &*account.email),
        ("0912345678", "hoa@example.vn")
    );
}
