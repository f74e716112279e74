use super::*;
use crate::ManualClock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts what it processes.
#[derive(Default)]
struct Counter(AtomicU64);

impl Upstream for Counter {
    fn handle<'a>(&'a self, _: Request) -> Boxed<'a, Result<Response, Broken>> {
        Box::pin(async move {
            let n = self.0.fetch_add(1, Ordering::SeqCst) + 1;
            Ok(wire::json(200, &json!({ "n": n })))
        })
    }
}

fn layer(seed: u64) -> (Arc<Counter>, Faulty) {
    let counter = Arc::new(Counter::default());
    let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
    (counter.clone(), Faulty::new(counter, clock, seed))
}

async fn get(layer: &Faulty, path: &str) -> Option<u16> {
    let request = http::Request::get(path).body(Bytes::new()).expect("get");
    let answer = layer.handle(request).await.ok()?;
    Some(answer.status().as_u16())
}

fn processed(counter: &Counter) -> u64 {
    counter.0.load(Ordering::SeqCst)
}

#[tokio::test]
async fn without_rules_everything_passes() {
    let (counter, layer) = layer(1);
    assert_eq!(get(&layer, "/a").await, Some(200));
    assert_eq!(processed(&counter), 1);
}

#[tokio::test]
async fn nth_and_first_count_only_what_matches() {
    let (_, layer) = layer(1);
    let rule = FaultRule::new(Fault::Status(503, None)).on(Method::GET, "/a");
    layer.add(rule.clone().when(When::Nth(2)));
    let mut seen = Vec::new();
    for path in ["/a", "/b", "/a", "/a"] {
        seen.push(get(&layer, path).await);
    }
    assert_eq!(seen, [Some(200), Some(200), Some(503), Some(200)]);

    layer.clear();
    layer.add(rule.when(When::First(2)));
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(get(&layer, "/a/x").await);
    }
    assert_eq!(seen, [Some(503), Some(503), Some(200)]);
}

#[tokio::test]
async fn another_method_does_not_match() {
    let (_, layer) = layer(1);
    layer.add(FaultRule::new(Fault::DropBefore).on(Method::POST, "/"));
    assert_eq!(get(&layer, "/a").await, Some(200));
}

#[tokio::test]
async fn a_removed_rule_no_longer_fires() {
    let (_, layer) = layer(1);
    let id = layer.add(FaultRule::new(Fault::HtmlError(502)));
    assert_eq!(get(&layer, "/a").await, Some(502));
    layer.remove(id);
    assert_eq!(get(&layer, "/a").await, Some(200));
}

#[tokio::test]
async fn the_same_seed_fails_the_same_calls() {
    let mut runs = Vec::new();
    for seed in [7, 7, 8] {
        let (_, layer) = layer(seed);
        layer.add(FaultRule::new(Fault::Status(500, None)).when(When::Probability(0.5)));
        let mut run = Vec::new();
        for _ in 0..64 {
            run.push(get(&layer, "/a").await);
        }
        runs.push(run);
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
}

#[tokio::test]
async fn each_fault_processes_exactly_when_it_says() {
    let cases = [
        (Fault::Status(429, Some(3)), 0, Some(429)),
        (Fault::HtmlError(502), 0, Some(502)),
        (Fault::EmptyBody, 0, Some(200)),
        (Fault::HtmlBody200, 0, Some(200)),
        (Fault::ErrorsIn200, 0, Some(200)),
        (Fault::DropBefore, 0, None),
        (Fault::Garbled, 1, Some(200)),
        (Fault::StoredButReplyLost, 1, None),
        (Fault::StoredThen500, 1, Some(500)),
        (Fault::StoredThenEmpty, 1, Some(200)),
    ];
    for (fault, expected, status) in cases {
        let (counter, layer) = layer(1);
        layer.add(FaultRule::new(fault.clone()));
        assert_eq!(get(&layer, "/a?b=c").await, status, "{fault:?}");
        assert_eq!(processed(&counter), expected, "{fault:?}");
        let calls = layer.calls();
        assert_eq!(calls.len(), 1);
        assert_eq!(calls[0].path, "/a?b=c");
        assert_eq!(calls[0].status, status, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_hang_never_answers_and_a_delay_answers_late() {
    let limit = Duration::from_secs(3600);
    for (fault, expected) in [(Fault::Hang, 0), (Fault::StoredThenHang, 1)] {
        let (counter, layer) = layer(1);
        layer.add(FaultRule::new(fault));
        assert!(
            tokio::time::timeout(limit, get(&layer, "/a"))
                .await
                .is_err()
        );
        assert_eq!(processed(&counter), expected);
    }
    let (counter, layer) = layer(1);
    layer.add(FaultRule::new(Fault::Delay(Duration::from_secs(10))));
    let early = tokio::time::timeout(Duration::from_secs(9), get(&layer, "/a")).await;
    assert!(early.is_err());
    assert_eq!(processed(&counter), 0);
    assert_eq!(get(&layer, "/a").await, Some(200));
}

#[tokio::test(start_paused = true)]
async fn what_is_late_is_processed_although_its_caller_gave_up() {
    let (counter, layer) = layer(1);
    layer.add(FaultRule::new(Fault::Late(Duration::from_secs(20))));
    let gave_up = tokio::time::timeout(Duration::from_secs(8), get(&layer, "/a")).await;
    assert!(gave_up.is_err());
    assert_eq!(processed(&counter), 0);
    tokio::time::sleep(Duration::from_secs(13)).await;
    assert_eq!(processed(&counter), 1);
}
