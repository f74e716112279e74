//! Which checks notice a removed protection: every check runs with every mutant of `plugin::mutant`
//! switched on. The table of what caught what proves that the checks can fail. A check looks at the
//! simulated vendors' records and at the API, as a stranger would; it never looks at a mutant.

mod changed;
mod clock;
mod creating;
mod healing;
mod journal;
mod lease;
mod outage;
mod people;
mod polled;
mod rules;
mod store;
mod stored_forms;
mod strangers;
mod table;

pub use table::{Caught, kill_table, killer, render};

use host_test::{admin::Admin, native::Native, shop::TestShop};
use plugin::mutant::{Mutant, activate};
use std::{
    fmt::Debug,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    time::Duration,
};

/// Nothing, or what is wrong.
pub type Verdict = Result<(), String>;

type Run = fn() -> Pin<Box<dyn Future<Output = Verdict>>>;

/// A claim about the plugin, and the shops that test it.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// Its name in the table.
    pub name: &'static str,
    /// What it claims.
    pub claim: &'static str,
    run: Run,
}

macro_rules! checks {
    ($($name:literal: $run:path, $claim:literal;)*) => {
        &[$(Check { name: $name, claim: $claim, run: || Box::pin($run()) },)*]
    };
}

/// All of them.
pub const CHECKS: &[Check] = checks! {
    "two workers": lease::two_workers,
        "two drains at once push a sale once";
    "lost lease reply": lease::lost_reply,
        "a drain that does not know whether it has the lease leaves the work to its holder";
    "late worker": lease::late_worker,
        "a worker that was stopped before its create makes none after another one did the work";
    "late cursor": lease::late_cursor,
        "a worker that was stopped overwrites nothing of what another one kept meanwhile";
    "clocks apart": lease::clocks_apart,
        "a worker that comes late to its slot's end makes no create after one whose clock is almost two seconds ahead did the work";
    "given back": lease::given_back,
        "what arrives while the lease is given back is processed without a further drain";
    "store fails": journal::store_fails,
        "a delivery that could not be kept is sent again by KiotViet";
    "broken store": store::broken_store,
        "no shop is connected on a store that breaks its word, and its health says so";
    "slow acceptor": journal::slow_acceptor,
        "a delivery that is written long after its number was taken is not lost, and no entry stays unlooked at";
    "without atomics": journal::without_atomics,
        "in a store that does not count, what was answered 200 is processed";
    "crash after a retry": journal::crash_after_a_retry,
        "a worker that dies before it saved its cursor leaves nothing waiting for good";
    "crash after a command": journal::crash_after_a_command,
        "the same after a person's retry of an old dead letter";
    "counts after a crash": journal::counts_after_a_crash,
        "the counts add up when a dead letter, a person's command for it and a crash come together";
    "crash after a create": creating::crash_after_a_create,
        "an order or account whose creator died is there once";
    "stored late": creating::stored_late,
        "an order that Getfly stores long after its creator died is there once, and nobody goes on before an account that it may store shows";
    "after the retention": creating::after_the_retention,
        "what was created stays known when its event is removed, whatever becomes of it in Getfly";
    "put back": people::put_back,
        "a store that is put back from a copy doubles nothing";
    "another tenant": people::another_tenant,
        "nothing is sent to a Getfly that nobody confirmed";
    "a person's word": people::a_persons_word,
        "a dismissal holds, and a link that a person made is never dropped silently";
    "changed between attempts": changed::between_attempts,
        "R6, R7: what people change between two attempts doubles nothing, and moves no order to another account";
    "links": rules::links,
        "R7, R8: a customer is linked to the right account, or to none";
    "stored forms": stored_forms::stored_forms,
        "R7: an account is found however its phone is stored, whatever befalls the scan; what the index has is not believed unread";
    "fields": rules::fields,
        "R3, R5, R8, R9, R12: accounts and orders hold what the rules say";
    "only new": rules::only_new,
        "R2, R3, R6: what is old, edited or cancelled creates nothing";
    "healing": healing::healing,
        "what was missed comes in once, and nobody else's webhook is touched";
    "polled": polled::polled,
        "a sale of a shop whose invoices are polled comes in within minutes though KiotViet breaks down meanwhile, and within an hour where its till sends it late";
    "set right": clock::set_right,
        "what a worker wrote while its clock was a day ahead holds nothing up, and misleads nobody, once it is right";
    "outage": outage::outage,
        "three days without Getfly cost nothing, and the vendors' limits are kept";
    "strangers": strangers::strangers,
        "a forged delivery does nothing, and the store at rest tells nothing";
};

impl Check {
    /// Runs it in a runtime of its own, in virtual time, with this mutant switched on. A panic
    /// counts as wrong too.
    pub fn run(&self, mutant: Option<Mutant>) -> Verdict {
        let _active = mutant.map(activate);
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_time().start_paused(true).build();
        let runtime = runtime.map_err(|e| e.to_string())?;
        let work = AssertUnwindSafe(|| runtime.block_on((self.run)()));
        catch_unwind(work).unwrap_or_else(|_| Err("it panicked".to_owned()))
    }
}

/// Wrong unless `have` is `wanted`.
fn same<T: PartialEq + Debug>(what: &str, have: T, wanted: T) -> Verdict {
    if have == wanted {
        Ok(())
    } else {
        Err(format!("{what}: {have:?} instead of {wanted:?}"))
    }
}

/// Wrong unless Getfly has this many accounts and orders, and no event waits.
async fn in_getfly(shop: &TestShop, accounts: usize, orders: usize) -> Verdict {
    let have = (shop.getfly.accounts().len(), shop.getfly.orders().len());
    same("accounts and orders in Getfly", have, (accounts, orders))?;
    same("events that wait", shop.waiting().await.len(), 0)
}

/// An admin's drain by this instance.
async fn drain(app: &Native) {
    app.drain().await;
}

/// Longer than two slots of the lease: a worker that died holds it no longer.
const AFTER_THE_LEASE: u64 = 61;

/// An instance works until it is about to make the host call that begins so, and dies there, or
/// after twenty seconds; then its lease runs out.
async fn dies_before(shop: &TestShop, call: &str, work: impl AsyncFnOnce(&Native)) {
    let app = shop.app.another(31);
    app.hold_up(call, Duration::from_secs(3600));
    let _ = tokio::time::timeout(Duration::from_secs(20), work(&app)).await;
    shop.pass(AFTER_THE_LEASE).await;
}
