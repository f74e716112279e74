//! The kill table: every mutant against every check.

use super::{CHECKS, Verdict};
use plugin::mutant::Mutant;
use std::{
    fmt::Write as _,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

/// The check that was made for this mutant; others may catch it too. A new mutant does not compile
/// without one.
pub fn killer(mutant: Mutant) -> &'static str {
    use Mutant as M;
    match mutant {
        M::NoLease => "two workers",
        M::LeaseErrorIsMine => "lost lease reply",
        M::LeaseNotCheckedBeforeCall | M::LeaseTakenBackLate => "late worker",
        M::LeaseNotCheckedBeforeWrite => "late cursor",
        M::ClocksAgree => "clocks apart",
        M::NoLookAfterRelease => "given back",
        M::AckBeforeStore => "store fails",
        M::SlowAcceptorAnswers | M::HoleForgotten | M::NoLastLook => "slow acceptor",
        M::UnlookedNotMarked => "without atomics",
        M::StoreNotTried | M::StoreNotOpenedAgain => "broken store",
        M::DueKeysDeletedEarly => "crash after a retry",
        M::CommandRemovedEarly => "crash after a command",
        M::WishCountedTwice => "counts after a crash",
        M::ClaimNotAnnounced | M::RetryWithoutReadingBack => "crash after a create",
        M::SettleTimeIgnored | M::HeldIgnored | M::CrashForgotten | M::OpenCreateForgotten => {
            "stored late"
        }
        M::RemovedClaimForgotten => "after the retention",
        M::StoreKnowsAll => "put back",
        M::AnyTenantTaken => "another tenant",
        M::DismissalForgotten | M::LinkDropped => "a person's word",
        M::OldForgetsClaim
        | M::DeletedForgetsAccount
        | M::OrderMeansAccount
        | M::CreateWithoutCode => "changed between attempts",
        M::FirstSearchHit
        | M::OnlyFirstPage
        | M::PhoneBeforeEmail
        | M::EmailBySubstring
        | M::PlaceholderMatches
        | M::MergedNumbersForgotten => "links",
        M::IndexBelieved
        | M::IndexPlaceFirst
        | M::ShiftedPagesTrusted
        | M::ChangesFilterTrusted => "stored forms",
        M::MergedPhonesSplit
        | M::LeadingZeroNotAdded
        | M::ManagerAlways
        | M::UsersNotReadAnew
        | M::UsersBelievedForGood
        | M::NamesakeIgnored
        | M::WalkInCreatesAccount
        | M::MoneyAsFloat => "fields",
        M::EditCreates | M::CancelledCreates | M::OrderIsInvoice | M::OldIsNew => "only new",
        M::UnfinishedNotMarked
        | M::TriedIsSettled
        | M::BackfillForgetsEdits
        | M::ForeignWebhookTouched
        | M::GapNotReadBack => "healing",
        M::PollPlaceFirst | M::LateSalesNotSwept => "polled",
        M::FutureUsersBelieved | M::FutureLookCounts | M::FutureCallsCount => "set right",
        M::GivesUpEarly
        | M::RetryAfterIgnored
        | M::PauseIgnored
        | M::CeilingIgnored
        | M::TokenNotRenewed => "outage",
        M::SignatureIgnored | M::PathTokenIgnored | M::NotSealed | M::WordsNotMasked => "strangers",
    }
}

/// What was caught with one mutant, or none, switched on.
#[derive(Debug, Clone)]
pub struct Caught {
    /// The mutant; none for the plugin as it is.
    pub mutant: Option<Mutant>,
    /// The checks that failed, by name, and why.
    pub by: Vec<(&'static str, String)>,
}

/// Runs every check with every mutant, and with none, on every core.
pub fn kill_table() -> Vec<Caught> {
    let mutants: Vec<Option<Mutant>> = [None]
        .into_iter()
        .chain(Mutant::ALL.iter().copied().map(Some))
        .collect();
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(mutant) = mutants.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let caught = Caught {
                        mutant: *mutant,
                        by: caught_by(*mutant),
                    };
                    sim::lock(&done).push(caught);
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_default();
    done.sort_by_key(|caught| caught.mutant);
    done
}

fn caught_by(mutant: Option<Mutant>) -> Vec<(&'static str, String)> {
    let verdict = |verdict: Verdict| verdict.err();
    let run = CHECKS
        .iter()
        .filter_map(|check| Some((check.name, verdict(check.run(mutant))?)));
    run.collect()
}

/// The table for `docs/mutants.md`.
pub fn render(table: &[Caught]) -> String {
    let mut page = HEAD.to_owned();
    for check in CHECKS {
        let _ = writeln!(page, "| {} | {} |", check.name, check.claim);
    }
    page.push_str(TABLE);
    for caught in table {
        let Some(mutant) = caught.mutant else {
            continue;
        };
        let by: Vec<&str> = caught.by.iter().map(|(name, _)| *name).collect();
        let by = by.join(", ");
        let _ = writeln!(page, "| `{mutant:?}` | {} | {by} |", mutant.removes());
    }
    page
}

const HEAD: &str = "# Mutants

A test proves something only if it can fail. So each protection below is taken away in turn (`plugin/src/mutant.rs`, a
feature that the component never has), and every check is run against the plugin without it. A mutant that no check catches
fails the build. Written by `BLESS=1 cargo test -p proof --test proof mutants::`, and compared with what really happens by the
same test without `BLESS`. A `cas` on an absent key needs no mutant: the component does not import it, and a test holds that.

## Checks

Each looks only at the simulated KiotViet's and Getfly's records, at the API's answers, and (the last) at the store at rest.

| check | claims that |
|---|---|
";

const TABLE: &str = "
## What caught what

| mutant | the protection that is gone | caught by |
|---|---|---|
";
