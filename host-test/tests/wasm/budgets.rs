//! Claims the cost of ordinary events in WebAssembly (`host_test::budget`), as budgets of counts. A
//! budget is an upper bound. One far above the cost proves nothing, so it fails too.

use host_test::budget::{COUNTED, Cost, costs};

#[tokio::test(start_paused = true)]
async fn what_happens_costs_what_its_budget_says() {
    let mut wrong = Vec::new();
    for Cost {
        what,
        counts,
        budget,
    } in costs().await.expect("it runs")
    {
        println!("{what}: {counts:?} of {budget:?}");
        for ((of, count), budget) in COUNTED.into_iter().zip(counts).zip(budget) {
            if count > budget || count * 2 < budget {
                wrong.push(format!("{what}: {count} {of}, budget {budget}"));
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
}
