//! Claims: never more than `getfly_requests_per_second` calls to Getfly begin in any second, over
//! any number of drains, instances and crashes, and a preview or the list of staff right after them;
//! and the ceiling is used, not only kept. How: the simulated Getfly writes down when each call arrives.

use host_test::{
    mishap::Mishap,
    scene::{On, Scene, customer, sale},
};
use jiff::SignedDuration;
use serde_json::json;
use std::rc::Rc;
use tokio::task::LocalSet;

fn millis(scene: &Scene) -> Vec<i128> {
    let calls = scene.getfly.calls().into_iter();
    calls.map(|c| c.at.as_nanosecond() / 1_000_000).collect()
}

/// Most calls in any window of so many milliseconds.
fn most_within(window: i128, at: &[i128]) -> usize {
    let from = |start: i128| {
        at.iter()
            .filter(|t| (start..start + window).contains(t))
            .count()
    };
    at.iter().map(|start| from(*start)).max().unwrap_or(0)
}

fn open_shop(scene: &Scene, customers: usize) {
    for n in 0..customers {
        let new = customer(&format!("Khách {n}"), &format!("09123456{n:02}"));
        let id = scene.kiotviet.create_customer(new);
        scene.kiotviet.create_invoice(sale(Some(id)));
    }
}

#[tokio::test(start_paused = true)]
async fn no_second_has_more_calls_than_allowed() {
    for (rate, calls, window) in [
        ("2", 2, 1000),
        ("5", 5, 1000),
        ("0.5", 1, 2000),
        ("1", 1, 1000),
    ] {
        let scene = Scene::connected(On::Both).await;
        scene.app.set_variable("getfly_requests_per_second", rate);
        open_shop(&scene, 12);
        scene.deliver().await;
        scene.settle().await;
        let at = millis(&scene);
        assert!(at.len() >= 36, "{}", at.len());
        assert_eq!(most_within(window, &at), calls, "{rate} a second");
        let took = at.last().unwrap() - at.first().unwrap();
        let needed = i128::try_from(at.len() / calls).unwrap() * window;
        assert!(
            took <= needed + window,
            "{rate}: {took} ms, {needed} were needed"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn instances_at_once_keep_it_together() {
    let scene = Rc::new(Scene::connected(On::Both).await);
    open_shop(&scene, 12);
    let deliveries = scene.kiotviet.take_deliveries();
    let local = LocalSet::new();
    for (instance, delivery) in (0..).zip(deliveries) {
        let app = scene.app.another(instance);
        let request = scene.kiotviet.request(&delivery);
        local.spawn_local(async move {
            tokio::time::sleep(std::time::Duration::from_millis(130 * instance)).await;
            assert_eq!(app.request(request).await.status, 200);
        });
    }
    local.await;
    scene.settle().await;
    assert_eq!(scene.getfly.orders().len(), 12);
    assert_eq!(most_within(1000, &millis(&scene)), 2);
}

/// Whoever comes next, just after a second's calls were made at once, may be almost two seconds behind.
#[tokio::test(start_paused = true)]
async fn instances_whose_clocks_differ_keep_it_together() {
    let scene = Scene::connected(On::Both).await;
    scene.app.set_variable("getfly_requests_per_second", "19");
    let ahead = scene.app.another(7);
    let off = SignedDuration::from_millis(1_900);
    ahead.skew.set(scene.clock.now(), Some(off));
    open_shop(&scene, 20);
    for (n, delivery) in scene.kiotviet.take_deliveries().into_iter().enumerate() {
        // A customer takes two calls, an invoice one, the first one the list of users too.
        let app = if n < 12 { &ahead } else { &scene.app };
        let answer = app.request(scene.kiotviet.request(&delivery)).await;
        assert_eq!(answer.status, 200);
    }
    scene.settle().await;
    assert_eq!(scene.in_getfly(), (20, 20));
    assert_eq!(most_within(1000, &millis(&scene)), 19);
}

#[tokio::test(start_paused = true)]
async fn a_crash_does_not_forget_it() {
    for dies_at in (20..200).step_by(7) {
        let scene = Scene::connected(On::Both).await;
        open_shop(&scene, 4);
        scene.app.mishaps.arm([(dies_at, Mishap::DiesAfter)]);
        scene.deliver_mortally().await;
        scene.app.mishaps.disarm();
        scene.drain().await;
        scene.settle().await;
        assert_eq!(scene.getfly.orders().len(), 4);
        assert!(most_within(1000, &millis(&scene)) <= 2, "died at {dies_at}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_person_asks_for_right_after_the_worker_keeps_it_too() {
    for rate in ["1", "2"] {
        let scene = Scene::connected(On::Customers).await;
        scene.app.set_variable("getfly_requests_per_second", rate);
        open_shop(&scene, 3);
        scene.deliver().await;
        let previewed = scene
            .kiotviet
            .create_customer(customer("Chị Hoa", "0987654312"));
        scene.kiotviet.take_deliveries();
        let item = json!({"Action": "customer.update.1", "Data": [{"Id": previewed}]});
        let body = json!({"Notifications": [item]});
        let calls = scene.getfly.calls().len();
        let (status, preview) = scene.app.api("POST", "preview/shop", &body).await;
        assert_eq!(status, 200);
        assert_eq!(preview["items"][0]["reason"], "customer_created");
        assert_eq!(scene.getfly.calls().len(), calls + 1, "the search");
        let allowed: usize = rate.parse().unwrap();
        assert_eq!(most_within(1000, &millis(&scene)), allowed, "{rate}");

        // What a person asked for is not known to the worker after it.
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        scene
            .kiotviet
            .edit_customer(previewed, |c| c.contact_number = Some("0911222333".into()));
        scene.deliver().await;
        let (status, _) = scene.app.get("connections/shop/staff").await;
        assert_eq!(status, 200);
        assert_eq!(most_within(1000, &millis(&scene)), allowed, "{rate}");
    }
}
