//! The figures as a table, and `docs/proof.md`.

use super::{
    Options, STRIDE,
    faults::Tally,
    findings::FINDINGS,
    personalities::{self, FAULTS, Met},
    races,
    stores::{self, StoreTally},
    traps::{self, Trapped},
};
use crate::schedule::Report;
use std::{fmt::Write, num::NonZero, time::Duration};

/// How long each part of a run took.
#[derive(Default)]
pub(super) struct Took {
    /// The scenarios under faults.
    pub(super) scenarios: Duration,
    /// Several instances at once.
    pub(super) races: Duration,
    /// The scenarios over every store.
    pub(super) stores: Duration,
    /// The component trapped.
    pub(super) traps: Duration,
    /// The scenarios at vendors of many personalities.
    pub(super) personalities: Duration,
}

/// Everything that a run found.
pub(super) struct Found {
    /// Of the scenarios under faults.
    pub(super) scenarios: Vec<Tally>,
    /// Of several instances at once.
    pub(super) races: Vec<Report>,
    /// Of the scenarios over every store.
    pub(super) stores: Vec<StoreTally>,
    /// Of the component trapped.
    pub(super) traps: Vec<Trapped>,
    /// Of the scenarios at vendors of many personalities.
    pub(super) met: Met,
    /// How long it took.
    pub(super) took: Took,
}

impl Found {
    /// Runs with a finding.
    pub(super) fn failures(&self) -> usize {
        let scenarios = self.scenarios.iter().map(|tally| tally.failures);
        let races = self.races.iter().map(|race| race.broken_in_all);
        let stores = self.stores.iter().map(|store| store.failures);
        let traps = self.traps.iter().map(|trapped| trapped.failures);
        let all = scenarios.chain(races).chain(stores).chain(traps);
        all.sum::<usize>() + self.met.failures
    }

    /// The findings, in words.
    pub(super) fn told(&self) -> Vec<String> {
        let races = self.races.iter().filter(|race| race.broken_in_all > 0);
        let scenarios = self.scenarios.iter().flat_map(|tally| &tally.told);
        let stores = self.stores.iter().flat_map(|store| &store.told);
        let traps = self.traps.iter().flat_map(|trapped| &trapped.told);
        let told = scenarios.chain(stores).chain(traps).chain(&self.met.told);
        let told = told.cloned();
        told.chain(races.map(ToString::to_string)).collect()
    }
}

const HEAD: &str = "\
# The proof

Written by `cargo proof`; the figures are those of its last run over all scenarios. Nothing but the duration depends on the
machine, and, under a `--budget`, how many pairs were tried in it.

## What is proved

For every scenario below, whatever befalls any one of the plugin's host calls, or two of them
({pairs}), once faults are over and a scheduler drains:

- **nothing lost**: each customer and invoice whose delivery was answered 200, or that a backfill or healing was to bring in,
  stands in Getfly if the rules owe it;
- **nothing doubled**: no account of a person who had one, no second order of a family, and no create that was sent again
  after Getfly had stored it;
- **nothing stuck**: the public list shows no event that waits, and none that needs a person; the run comes to rest;
- **nothing wrong**: every account and order is as the rules make it of KiotViet's record at that time: phone form, source,
  manager, executor, lines, total; nothing else is created, changed or removed; the webhooks that people switched on are
  active, once.

## How

The plugin sees the world through its host calls only. Those to the store and to the two vendors are what can go wrong here; its
variables, clocks, random numbers and log always answer. Each run is the plugin's own code over a store in memory and the simulated
vendors, in virtual time, with seeded draws. Runs are counted out, not drawn: one for each fault at each host call of the
scenario. A store that is slow is in the races and the histories.

| at a host call | to the store | to a vendor |
|---|---|---|
| the instance is stopped before it | × | × |
| the instance is stopped after its effect, before its reply | × | × |
| the instance is stopped during it, and it takes effect 28 s after it began | | × |
| it fails without effect | × | × |
| it takes effect and its reply is lost | × | × |
| it takes effect and no reply comes before the timeout | | × |
| no reply comes before the timeout, and it takes effect after that | | × |
| 429 with `Retry-After` | | × |
| 500 without effect | | × |
| 500 after its effect | | × |
| half of its answer | | × |

Of a pair, the second fault is one at a later call of the run that the first befell, its retries and redeliveries included. In pairs,
what leaves everything as another fault does counts once: of a call that only reads it makes no difference whether it took effect
before the instance was stopped or its reply was lost, nor how long after the timeout. KiotViet
delivers again what was not answered 2xx, a scheduler drains, people repeat a command that was not answered. Then faults are over.
Where a scenario has nothing for people to do, one drain after the last retry time must end every event. When nothing waits the
checker looks, and looks again after a healing that reads KiotViet's lists back; the plugin's own books must balance, and a further
drain must find nothing to do. Where the scenario is
about deliveries, KiotViet's lists are empty until the first look, so that reading back cannot hide a loss.

The checker (`proof/src/search/checker`, `model.rs`) is separate code: it sees which deliveries were answered, the vendors'
records, Getfly's own log of creates, and the public list of events to see what waits; never the plugin's store or code. Its
tests plant faults into sound evidence (a doubled account, a lost order, a wrong manager, a wrong total, and others), and each
is found.

Two and three instances at once are run by a scheduler (`proof/src/schedule`) that decides at every host call who goes on, and
may let one stand still for 8, 35 or 65 seconds there: every order within the stated bounds, each run anew. Before a worker's write
and before a call that is no GET it is 8, since README takes it that such a call takes no longer. When the instances are
done KiotViet delivers again what was not answered, and there is one drain (a healing, where the race is about webhooks that must be
mended). Then the same checker judges each schedule from the same evidence, and again after a healing that reads KiotViet's lists
back; it makes no allowance for an instance that stood still: what is stored must still be right for a record that was fetched at
most a minute before. Beside it the plugin's own books must balance, and a further drain must find nothing to do. Where a person
switches a webhook on beside a healing, it can be registered twice until the next healing, a quarter of an hour later, has removed
one. Controls show that the checker notices what goes wrong: without the lease the same search finds a doubled order, and with a
protection taken away something doubled, lost or stuck, or a wrong manager, each in a schedule that is sound with the protection
(`proof/tests/proof/interleavings.rs`).

The component itself, as WebAssembly, runs the same scenarios, counted in wasmtime's fuel, which is instructions: it is trapped after
each so much of it, over the whole run, and, at places that are drawn, twice in one run. What ends then is one request with
what follows its answer; the same checker looks after each (`proof/src/search/traps.rs`). The [mutants](mutants.md), each a protection taken away, are all caught.

The same scenarios run over each store that the plugin is for: memory, the embedded file, models of Spin's SQLite and Redis
stores, and a real Redis. Beside the checker the store is looked at: no key without `kvgf/`, no other application's key changed, no counter
used as a value. Of `atomics` the component imports `increment` alone, so `cas` cannot be called; a test holds that. A store that
breaks its word is refused by `kvgf check` and `/healthz` in plain words (`host-test/tests/native/healthz.rs`).

Whole histories of one shop, or of two that write into one Getfly, are drawn at random: sales, customers who share phones, whose name,
phone or e-mail is edited, or who are deleted, sellers and Getfly's users who come, go, become admins or change their phones, people
who switch webhooks off and on, ask for backfills, retry and dismiss, faults at both vendors and at host calls. The same checker judges them, with faults
without an end (nothing doubled or wrong) and after they stopped (nothing lost or stuck). Of what is edited or deleted it accepts what
is right for a version that KiotViet's own log says was fetched, and the account that a customer once had for all later orders; an
executor or a manager must follow from lists of people that both vendors' logs say were fetched within the ten minutes before.

No two vendors are alike: the manuals leave open how Getfly refuses, what a create answers, whether it numbers records itself or keeps
phones in a form of its own, how long it takes, how KiotViet cuts its lists or marks what was deleted, and more. Each such difference
is a *habit* of the simulated vendors (`sim/src/personality.rs`), a *personality* is up to five of them that do not exclude each other. Three histories of four
draw one, and so do runs of every scenario, with single faults that are drawn too. The checker knows what each owes: everything arrives; or, where these
vendors refuse a record whatever is sent (an account without a phone, a product that they do not have, an emoji that ends in 500), a dead letter of that record
says why in the vendor's words; and nothing else waits, is doubled or wrong. What is not mended yet is a history whose name begins with
`open-`; its habit is drawn again once it is.

Clocks are in them in two ways. Two instances have clocks that differ by less than two seconds and may be set, within that, before any
host call; they work by turns and at once, with store calls of up to seven seconds: everything must hold. Or the one clock goes ahead by
an hour or a day, between two requests and after a quiet minute (why is among the limits below), or back by a minute, in the middle
of a request too: then nothing may be doubled or wrong, and once it is right again nothing lost or stuck. What counts as new follows the clock of the instance that switched the webhook on, so the checker knows what that
clock can have shown, and takes a record of the time in between either way.

A failing history is made small and kept in `proof/histories` (`proof/tests/proof/histories.rs`). The search notices fourteen
mutants, the lists of people believed for good and the missing lease among them. `KVGF_HISTORIES=1500 KVGF_SEED=171 cargo test -p proof --test
proof histories:: -- --skip the_search`: 1,500 histories of each of the four kinds; three kinds found nothing, and the fourth, of wrong clocks that are set
right, ended at a limit of clocks that is told below.

Eight fuzz targets assert what must hold for any bytes ([fuzzing.md](fuzzing.md)); `cargo test` tries them on readable seeds and a
hundred changes of each. The host itself, as a process on loopback, is flooded and killed with `kill -9`, two hundred times on each
of two stores ([soak.md](soak.md)).

What this does not cover: three faults at once but where they are drawn, several calls of one instance in another order than it made them, effects at a vendor that come later than
eight seconds after a worker stood still, an acceptor that stands still for more than eighty hours, a store that loses everything at
once (it looks like a new one; Getfly's side is then searched as for any new customer), a real KiotViet or Getfly. That the simulated
vendors are like the real ones is README's list of assumptions.

Limits, where a clock is wrong by more than README allows:

- Set forwards within half a minute of a create without an answer, it makes the worker take that time for over: an order that comes all
  the same is a second one (`proof/histories/limit-clock-forwards-after-a-create.json`).
- Of two instances whose clocks differ by two seconds or more, both may work at once.
- What is put off while it is ahead (an attempt, a pause of a vendor that failed, a look back at a create without an answer) waits until the
  time has come that it showed.
- A webhook that is switched on while it is wrong counts as new what was created from the time that it showed; a backfill brings in
  the rest.
- What was not delivered is read back if one look at the webhooks comes after it was set right and ten minutes or more before the
  time that it showed at the last one (`proof/histories/limit-clock-right-too-late.json`). Lists of people that were fetched while it was ahead and not asked for until that time are believed once more then, for ten
  minutes.
";

/// The table, in Markdown.
pub(super) fn table(tallies: &[Tally]) -> String {
    let mut table = String::from(
        "| scenario | what happens | host calls | single faults | pairs there are | pairs tried | failures |\n\
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
        "{}: {} single faults at {} host calls, {} of {} pairs, {} failures",
        tally.scenario,
        tally.singles,
        tally.host_calls,
        tally.pairs_tried,
        tally.pairs,
        tally.failures
    )
}

/// How many runs there were, and how long they took.
fn counts(found: &Found) -> String {
    let ended = found.scenarios.iter();
    let ended: usize = ended.map(|t| 1 + t.singles + t.pairs_tried).sum();
    let raced: usize = found.races.iter().map(|race| race.runs).sum();
    let schedules: usize = found.races.iter().map(|race| race.schedules).sum();
    let stores = found.stores.iter();
    let over_stores: usize = stores.map(|s| s.scenarios + s.singles).sum();
    let trapped: usize = found.traps.iter().map(|t| t.traps + t.twice).sum();
    let met = found.met.runs;
    let all = ended + raced + over_stores + trapped + met;
    let minutes = |time: Duration| format!("{:.1} minutes", time.as_secs_f64() / 60.0);
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let took = &found.took;
    format!(
        "{all} runs in {} on {cores} cores:

- the scenarios under faults: {ended} runs in {};
- several instances at once: {raced} runs of {schedules} schedules in {};
- the scenarios over every store: {over_stores} runs in {};
- the component trapped: {trapped} runs in {};
- the scenarios at vendors of many personalities: {met} runs in {}.",
        minutes(took.scenarios + took.races + took.stores + took.traps + took.personalities),
        minutes(took.scenarios),
        minutes(took.races),
        minutes(took.stores),
        minutes(took.traps),
        minutes(took.personalities)
    )
}

/// Whether all the pairs that there are were tried.
fn is_whole(tally: &Tally) -> bool {
    tally.pairs > 0 && tally.pairs_tried == tally.pairs
}

/// Which faults were tried.
fn tried(tallies: &[Tally], seed: u64) -> String {
    let (whole, of) = (
        tallies.iter().filter(|t| is_whole(t)).count(),
        tallies.len(),
    );
    if whole == of {
        return "Every single fault was tried, and every pair of faults at every pair of host calls.".to_owned();
    }
    format!(
        "Every single fault was tried, and every pair in {whole} of the {of} scenarios. Seed {seed} decides which pairs are \
         tried, and in which order; `--pairs` bounds those of a scenario, and `--budget` ends them after so many minutes."
    )
}

/// `docs/proof.md`.
pub(super) fn document(found: &Found, options: &Options) -> String {
    let tallies = &found.scenarios;
    let mut command = format!("cargo proof --seed {}", options.seed);
    if let Some(pairs) = options.pairs {
        let _ = write!(command, " --pairs {pairs}");
    }
    if let Some(minutes) = options.budget {
        let _ = write!(command, " --budget {minutes}");
    }
    if options.stride != STRIDE {
        let _ = write!(command, " --stride {}", options.stride);
    }
    if let Some(redis) = &options.redis {
        let _ = write!(command, " --redis {redis}");
    }
    let counts = counts(found);
    let tried = tried(tallies, options.seed);
    let pairs = match tallies.iter().all(is_whole) {
        true => "every pair of host calls",
        false => "those pairs that the table counts as tried",
    };
    let head = HEAD.replace("{pairs}", pairs);
    let table = table(tallies);
    let races_table = races::table(&found.races);
    let stores_table = stores::table(&found.stores);
    let stride = options.stride;
    let traps_table = traps::table(&found.traps);
    let met_table = personalities::table(&found.met);
    let (personalities, failures) = (found.met.personalities, found.met.failures);
    let mut document = format!(
        "{head}
## The last run

```sh
{command}
```

{counts}

{tried}

{table}
`cargo test` tries every single fault of each scenario and a small sample of pairs (`proof/tests/proof/proof.rs`). It also searches with
a protection taken away, five times, and must find what is doubled, lost, stuck or wrong then.
With the races, stores, histories, mutants, traps and the small soak that takes some seven minutes on 2 cores.

Several instances at once:

{races_table}

The same scenarios over every store, with every single fault:

{stores_table}

The same scenarios ended by the component, trapped after every {stride} units of fuel:

{traps_table}
The same scenarios at {personalities} personalities of the two vendors, each without a fault and with {FAULTS} single ones that are drawn, {failures} with
a finding:

{met_table}
## Findings

What the search found, and the tests that it grew from, and how it was mended:

"
    );
    for (found, mended) in FINDINGS {
        let _ = writeln!(document, "- {found} {mended}");
    }
    for told in found.told() {
        let _ = writeln!(document, "- Not mended: {told}");
    }
    if found.failures() == 0 {
        document.push_str("\nThe run above found nothing further.\n");
    }
    document
}

#[cfg(test)]
mod tests;
