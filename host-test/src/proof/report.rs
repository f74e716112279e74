//! The figures as a table, and `docs/proof.md`.

use super::{
    Options, races,
    search::Tally,
    stores::{self, StoreTally},
};
use crate::schedule::Report;
use std::{fmt::Write, time::Duration};

/// What the search, or a test that it grew from, has found so far, and how it was mended.
const FINDINGS: &[(&str, &str)] = &[
    (
        "A crash between looking at a person's wish and keeping the worker's place could leave an event \
         waiting for good.",
        "Found by the backfill's crash test. Now the place is kept before the wish is removed \
         (`plugin/src/sync/drain/retention.rs`).",
    ),
    (
        "A worker that was held up for ten seconds and more while it took its next time slot could go on \
         after another one had worked and given that slot back, and create an order twice.",
        "Found by the race \"two drains near the end of a slot\". Now a slot that was taken late is not \
         gone on with (`plugin/src/sync/lease.rs`).",
    ),
    (
        "A worker that made a dead letter, carried out a person's wish for it and died before keeping its \
         place counted the event twice, so that the loss equation no longer held.",
        "Found while mutants were tried. Now the event counts as the dead letter it was until the place \
         comes to the wish (`plugin/src/sync/drain/commands.rs`).",
    ),
    (
        "A worker that died between registering a webhook again and removing the broken one left that one \
         for good.",
        "Found by healing under every mishap. Now what is broken beside a sound one is removed too \
         (`plugin/src/sync/drain/webhooks.rs`).",
    ),
    (
        "An acceptor that stands still for more than ten minutes between taking a number and writing its \
         entry writes one that nobody looks at: its delivery was answered 503 and is sent again, so nothing is \
         lost or doubled, but the entry stays `received` in the list.",
        "Found by the mutants' checks. Now the worker lists a number that has no entry after ten minutes for one \
         more look after eighty hours, when retries are over (`plugin/src/sync/drain/entries.rs`).",
    ),
    (
        "In a store that forgets or evicts, a connection was gone and its deliveries got 404, after which KiotViet \
         never sends again.",
        "Found by the models of stores. Now what opens no connection gets 503 while the store is unfit \
         (`plugin/src/app.rs`), and a used journal without the store's marks counts as a loss \
         (`plugin/src/sync/probe.rs`).",
    ),
    (
        "A KiotViet date in the year 0, taken as Vietnam's time, became a moment whose text could not be read back.",
        "Found by the fuzz target `dates`. Now such a moment is refused (`plugin/src/time.rs`).",
    ),
    (
        "The own host held as many large bodies as came, and 512 clients that send their bodies slowly could keep \
         everybody waiting for half a minute.",
        "Found while the flood was made. Now connections, instances and bodies are bounded \
         (`host-test/src/server.rs`, `docs/operating.md`).",
    ),
    (
        "A store call that failed while a person's backfill was begun dropped the wish without a word.",
        "Found by the random histories. Now the wish stays until it is carried out \
         (`plugin/src/sync/drain/lists.rs`).",
    ),
    (
        "A backfill passed over a record whose own event was waiting and ended as too old.",
        "Found by the random histories. Now only a backfill's own event counts (`plugin/src/sync/unfinished.rs`).",
    ),
    (
        "Healing and backfill passed over the edit of an invoice whose first try had failed.",
        "Found by a review. Now a try without an order settles nothing (`plugin/src/sync/ledger.rs`).",
    ),
    (
        "An old invoice that was edited while a backfill was under way stayed out: what the backfill lists is cancelled by \
         then, and the edit's own delivery counted as old.",
        "Found by the random histories. Now an edit is wanted as its family is (`plugin/src/sync/plan/invoice.rs`).",
    ),
    (
        "A store call that failed while a backfill looked for its shop left the backfill running for good, where no webhook \
         was on.",
        "Found by the random histories. Now the shop stays on the list (`plugin/src/sync/drain/lists.rs`).",
    ),
    (
        "Disconnecting a shop while a worker registered its webhooks again could leave one of them at KiotViet.",
        "Found by a review, and then by the race \"healing beside a disconnection\". Now the switches are off before KiotViet \
         is asked (`plugin/src/admin/connections.rs`).",
    ),
    (
        "Disconnecting a shop, or connecting it anew, at the moment when the worker sealed its secrets under a new `master_key` \
         could be undone.",
        "Found by a review, and then by the race \"a new master_key beside a disconnection\". Now whoever changes such a \
         connection holds the lease (`plugin/src/admin/connections.rs`).",
    ),
    (
        "An invoice's try had announced the account of a customer who is older than the webhook, and the customer's \
         own event, too old, put its own mark over that: the next invoice sent the create again, or went to another \
         account if the phone had been edited. Found by the random histories.",
        "Now what is announced is read back first and never written over (`plugin/src/sync/plan/customer.rs`).",
    ),
    (
        "An order was stored and its reply lost, people switched the webhook off and on, and the retry, too old by \
         then, wrote over what was announced: a backfill created the order a second time. Found by a review of the \
         finding before, and tried by a history.",
        "Now the order of an earlier try is looked for before the invoice's age is (`plugin/src/sync/plan/invoice.rs`).",
    ),
    (
        "A customer was deleted in KiotViet after an invoice's try had created the account and before it came to the \
         order: the order stood without its account. Found by the random histories.",
        "Now the account of an earlier try is looked for where KiotViet no longer has the customer \
         (`plugin/src/sync/plan/account.rs`).",
    ),
    (
        "Getfly refused an account for a while, and its customer was deleted: the invoice ended with an order and \
         without an account, and that was taken for the account having been created, so that the next order named one \
         that is not there. Found by the random histories.",
        "Now only an event that ended with this account has created it (`plugin/src/sync/ledger.rs`).",
    ),
    (
        "An account was stored long after its timeout, and the store failed, or the worker died, before the pause that waits for \
         it was kept: the next worker took up another customer of the same phone meanwhile, and made a second account.",
        "Found when every pair of mishaps was tried. Now the event's own record tells the pause, and an account that was announced \
         is waited for by whoever comes next (`plugin/src/sync/drain/event.rs`, `plugin/src/sync/ledger.rs`).",
    ),
    (
        "After a clock had been a day ahead and was set right, nobody looked at the webhooks for a day, and what was not \
         delivered meanwhile was never read back.",
        "Found when clocks came into the random histories. Now a look in the future does not count, and nothing is taken \
         for read that has not happened (`plugin/src/sync/drain/webhooks.rs`, `plugin/src/sync/drain/lists.rs`).",
    ),
    (
        "Lists of users that were read while a clock was ahead were believed for as long as it had been ahead.",
        "Found when clocks came into the random histories. Now they are read anew (`plugin/src/sync/session.rs`).",
    ),
    (
        "After a clock was set back every call to Getfly waited for the ceiling, up to two minutes each.",
        "Found by the random histories. Now calls that began in the future do not count (`plugin/src/sync/worker.rs`).",
    ),
    (
        "README allowed store calls of up to ten seconds beside clocks that differ by two, but the last ten seconds of a \
         slot are for both together.",
        "Found by a review of the lease, when clocks came into the random histories. Now README says eight.",
    ),
];

const HEAD: &str = "\
# The proof

Written by `cargo proof`; the figures are those of its last run over all scenarios. Nothing but the duration depends on the
machine, and, under a `--budget`, how many pairs were tried in it.

## What is proved

For every scenario below, whatever befalls any one of the plugin's host calls (and for the counted pairs, any two), once
mishaps are over and a scheduler drains:

- **nothing lost**: each customer and invoice whose delivery was answered 200, or that a backfill or healing was to bring in,
  stands in Getfly if the rules owe it;
- **nothing doubled**: no account of a person who had one, no second order of a family, and no create that was sent again
  after Getfly had stored it;
- **nothing stuck**: the public list shows no event that waits, and none that needs a person; the run comes to rest;
- **nothing wrong**: every account and order is as the rules make it of KiotViet's record at that time: phone form, source,
  manager, executor, lines, total; nothing else is created, changed or removed; the webhooks that people switched on are
  active, once.

## How

The plugin sees the world through its host calls only: calls to the store, and to the two vendors. Each run is the plugin's own
code over a store in memory and the simulated vendors, in virtual time, with seeded draws. Runs are counted out, not drawn:
one for each mishap at each host call of the scenario.

| at a host call | to the store | to a vendor |
|---|---|---|
| the instance is stopped before it | × | × |
| the instance is stopped after its effect, before its reply | × | × |
| it fails without effect | × | × |
| it takes effect and its reply is lost | × | × |
| it takes effect and no reply comes before the timeout | | × |
| no reply comes before the timeout, and it takes effect after that | | × |
| 429 with `Retry-After` | | × |
| 500 without effect | | × |
| 500 after its effect | | × |
| half of its answer | | × |

Of a pair, the second mishap is one at a later call of the run that the first befell, its retries and redeliveries included. In pairs,
what leaves everything as another mishap does counts once: of a call that only reads it makes no difference whether it took effect
before the instance was stopped or its reply was lost, nor how long after the timeout. KiotViet
delivers again what was not answered 2xx, a scheduler drains, people repeat a wish that was not answered. Then mishaps are over;
when nothing waits the checker looks, and looks again after a healing that reads KiotViet's lists back. Where the scenario is
about deliveries, KiotViet's lists are empty until the first look, so that reading back cannot hide a loss.

The checker (`host-test/src/proof/checker`, `model.rs`) is separate code: it sees which deliveries were answered, the vendors'
records, Getfly's own log of creates, and the public list of events to see what waits; never the plugin's store or code. Its
tests plant faults into sound evidence (a doubled account, a lost order, a wrong manager, a wrong total, and others), and each
is found.

Two and three instances at once are run by a scheduler (`host-test/src/schedule`) that decides at every host call who goes on, and
may let one stand still for 8, 35 or 65 seconds there: every order within the stated bounds, each run anew. These runs are judged by
what Getfly has and owes, by what waits, and by the plugin's own counts. Without the lease the same search finds a doubled order (`host-test/tests/interleavings.rs`). The component itself, as WebAssembly, is trapped at
instructions over its whole run: a delivery's every 2,500 units of fuel, healing's and a backfill's every 40,000, and two in a row
by draws (`host-test/tests/wasm_traps.rs`). The [mutants](mutants.md),
each a protection taken away, are all caught.

The same scenarios run over each store that the plugin is for: memory, the embedded file, models of Spin's SQLite and Redis
stores, and a real Redis. Beside the checker the store is looked at: no key without `kvgf/`, nobody else's key changed, no counter
used as a value. Of `atomics` the component imports `increment` alone, so `cas` cannot be called; a test holds that. A store that
breaks its word is refused by `host check` and `/healthz` in plain words (`host-test/tests/healthz.rs`).

Whole histories of one shop, or of two that write into one Getfly, are drawn at random: sales, customers who share phones, whose name,
phone or e-mail is edited, or who are deleted, sellers and Getfly's users who come, go, become admins or change their phones, people
who switch webhooks off and on, ask for backfills, retry and dismiss, faults and mishaps. The same checker judges them, with faults
without an end (nothing doubled or wrong) and after they stopped (nothing lost or stuck). Of what is edited or deleted it accepts what
is right for a version that KiotViet's own log says was fetched, and the account that a customer once had for all later orders; an
executor or a manager must follow from lists of people that both vendors' logs say were fetched within ten minutes.

Clocks are in them in two ways. Two instances have clocks that differ by less than two seconds and may be set, within that, before any
host call; they work by turns and at once, with store calls of up to seven seconds: everything must hold. Or the one clock goes ahead by
an hour or a day, or back by a minute, in the middle of a request too: then nothing may be doubled or wrong, and once it is right
again nothing lost or stuck. What counts as new follows the clock of whoever switched the webhook on, so the checker knows what that
clock can have shown, and takes a record of the time in between either way.

A failing history is made small and kept in `host-test/histories` (`host-test/tests/histories.rs`). The search notices fourteen
mutants, the lists of people believed for good and the missing lease among them. `KVGF_HISTORIES=1500 KVGF_SEED=62 cargo test -p host-test --test
histories`: 1,500 histories of each of the four kinds, nothing found.

Eight fuzz targets assert what must hold for any bytes ([fuzzing.md](fuzzing.md)); `cargo test` tries them on readable seeds and a
hundred changes of each. The host itself, as a process on loopback, is flooded and killed with `kill -9`, two hundred times on each
of two stores ([soak.md](soak.md)).

What this does not cover: three mishaps at once but where they are drawn, several calls of one instance in another order than it made them, effects at a vendor that come later than
eight seconds after a worker stood still, an acceptor that stands still for more than eighty hours, a store that loses everything at
once (it looks like a new one; Getfly's side is then searched as for any new customer), a real KiotViet or Getfly. That the simulated
vendors are like the real ones is README's list of assumptions.

Limits, where a clock is wrong by more than README allows:

- Set forwards within half a minute of a create without an answer, it makes the worker take that time for over: an order that comes all
  the same is a second one (`host-test/histories/limit-clock-forwards-after-a-create.json`).
- Of two instances whose clocks differ by two seconds or more, both may work at once.
- What is put off while it is ahead (a try, a pause of a vendor that failed, a look back at a create without an answer) waits until the
  time has come that it showed.
- A webhook that is switched on while it is wrong counts as new what was created from the time that it showed; a backfill brings in
  the rest.
- What was not delivered is read back if one look at the webhooks comes after it was set right and before the time that it
  showed.
";

/// The table, in Markdown.
pub(super) fn table(tallies: &[Tally]) -> String {
    let mut table = String::from(
        "| scenario | what happens | host calls | single mishaps | pairs there are | pairs tried | failures |\n\
         |---|---|---:|---:|---:|---:|---:|\n",
    );
    for tally in tallies {
        let (name, what) = (tally.scenario, tally.what);
        row(&mut table, &format!("`{name}` | {what}"), tally);
    }
    let sum = |of: fn(&Tally) -> usize| tallies.iter().map(of).sum();
    let total = Tally {
        scenario: "",
        what: "",
        host_calls: sum(|t| t.host_calls),
        singles: sum(|t| t.singles),
        pairs: sum(|t| t.pairs),
        pairs_tried: sum(|t| t.pairs_tried),
        failures: sum(|t| t.failures),
        told: Vec::new(),
    };
    row(&mut table, "all |", &total);
    table
}

fn row(table: &mut String, head: &str, tally: &Tally) {
    let (calls, singles) = (tally.host_calls, tally.singles);
    let (pairs, tried, failures) = (tally.pairs, tally.pairs_tried, tally.failures);
    // Writing to a text cannot fail.
    let _ = writeln!(
        table,
        "| {head} | {calls} | {singles} | {pairs} | {tried} | {failures} |"
    );
}

/// One scenario in a line.
pub(super) fn line(tally: &Tally) -> String {
    format!(
        "{}: {} single mishaps at {} host calls, {} of {} pairs, {} failures",
        tally.scenario,
        tally.singles,
        tally.host_calls,
        tally.pairs_tried,
        tally.pairs,
        tally.failures
    )
}

/// `docs/proof.md`.
pub(super) fn document(
    tallies: &[Tally],
    races: &[Report],
    stores: &[StoreTally],
    options: &Options,
    took: Duration,
) -> String {
    let mut command = format!("cargo proof --seed {}", options.seed);
    if let Some(pairs) = options.pairs {
        let _ = write!(command, " --pairs {pairs}");
    }
    if let Some(minutes) = options.budget {
        let _ = write!(command, " --budget {minutes}");
    }
    if options.redis.is_some() {
        command.push_str(" --redis redis://127.0.0.1:6379");
    }
    let whole = options.pairs.is_none() && tallies.iter().all(|t| t.pairs_tried == t.pairs);
    let tried = if whole {
        "Every single mishap and every pair of mishaps was tried.".to_owned()
    } else {
        format!(
            "Every single mishap was tried. Seed {} decides which pairs are tried, and in which order; `--pairs` bounds \
             those of a scenario, and `--budget` ends them after so many minutes.",
            options.seed
        )
    };
    let runs: usize = tallies.iter().map(|t| 1 + t.singles + t.pairs_tried).sum();
    let minutes = took.as_secs_f64() / 60.0;
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let table = table(tallies);
    let races_table = races::table(races);
    let stores_table = stores::table(stores);
    let mut document = format!(
        "{HEAD}
## The last run

```sh
{command}
```

{runs} runs in {minutes:.1} minutes on {cores} cores, the races and the stores below not counted. {tried}

{table}
`cargo test` plays every single mishap of each scenario and a small sample of pairs (`host-test/tests/proof.rs`).

Several instances at once:

{races_table}

The same scenarios over every store, with every single mishap:

{stores_table}
## Findings

What the search found, and the tests that it grew from, and how it was mended:

"
    );
    for (found, mended) in FINDINGS {
        let _ = writeln!(document, "- {found} {mended}");
    }
    let told: Vec<&String> = tallies.iter().flat_map(|tally| &tally.told).collect();
    for told in &told {
        let _ = writeln!(document, "- Not mended: {told}");
    }
    for race in races.iter().filter(|race| race.broken_in_all > 0) {
        let _ = writeln!(document, "- Not mended: {race}");
    }
    for told in stores.iter().flat_map(|store| &store.told) {
        let _ = writeln!(document, "- Not mended: {told}");
    }
    let sound = stores.iter().all(|store| store.failures == 0);
    if sound && told.is_empty() && races.iter().all(|race| race.broken_in_all == 0) {
        document.push_str("\nThe run above found nothing further.\n");
    }
    document
}
