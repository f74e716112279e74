//! Protections that a test can take away, one at a time, to see that something notices: `mutant!(NoLease)`
//! is true only while a test has that one switched on. Without the feature `mutants` it is the literal
//! `false` and nothing else of this file is compiled; the component never has the feature.

#[cfg(all(feature = "mutants", target_arch = "wasm32"))]
compile_error!("the component is built without the feature `mutants`");

/// Whether this mutant is switched on in this thread.
#[cfg(feature = "mutants")]
macro_rules! mutant {
    ($name:ident) => {
        $crate::mutant::is_active($crate::mutant::Mutant::$name)
    };
}

/// No mutant is ever switched on.
#[cfg(not(feature = "mutants"))]
macro_rules! mutant {
    ($name:ident) => {
        false
    };
}

#[cfg(feature = "mutants")]
pub use listed::{Active, Mutant, activate, active, is_active};

#[cfg(feature = "mutants")]
mod listed {
    use std::cell::Cell;

    macro_rules! mutants {
        ($($(#[doc = $line:literal])+ $name:ident,)+) => {
            /// A protection that is taken away.
            #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
            pub enum Mutant {
                $($(#[doc = $line])+ $name,)+
            }

            impl Mutant {
                /// All of them.
                pub const ALL: &[Self] = &[$(Self::$name),+];

                /// Which protection it removes, in a sentence.
                pub fn removes(self) -> &'static str {
                    match self {
                        $(Self::$name => concat!($($line),+).trim(),)+
                    }
                }
            }
        };
    }

    mutants! {
        /// Whoever asks has the lease, also while somebody else holds it.
        NoLease,
        /// An `increment` without an answer counts as the lease.
        LeaseErrorIsMine,
        /// A worker that comes after a crash does not wait for what may have been sent.
        CrashForgotten,
        /// A worker whose store failed after a create gives its lease back all the same.
        OpenCreateForgotten,
        /// What an event's claim came to is not kept when its record is removed.
        RemovedClaimForgotten,
        /// What was created before the store was new, or put back from a copy, is not looked for by its code.
        StoreKnowsAll,
        /// Any Getfly is taken for the store's.
        AnyTenantTaken,
        /// What a person dismissed is attempted again when it is told again.
        DismissalForgotten,
        /// A link that a person made is dropped when its account is gone.
        LinkDropped,
        /// The lease is not asked for again before a call to a vendor.
        LeaseNotCheckedBeforeCall,
        /// The lease is not asked for again before a write to the store.
        LeaseNotCheckedBeforeWrite,
        /// A worker that woke after its slot's end takes the present slot if that is free.
        LeaseTakenBackLate,
        /// A slot is taken until its very end, as if all clocks agreed.
        ClocksAgree,
        /// Nobody looks at the journal's tail once more after the lease was given back.
        NoLookAfterRelease,
        /// KiotViet gets its 200 although the delivery could not be kept.
        AckBeforeStore,
        /// An acceptor that took longer than ten seconds to write answers 200 all the same.
        SlowAcceptorAnswers,
        /// A store that breaks its word is used all the same.
        StoreNotTried,
        /// A store is tried through one handle only.
        StoreNotOpenedAgain,
        /// The low-water mark moves past a reserved number without remembering the hole.
        HoleForgotten,
        /// A number without an entry is given up for good after ten minutes.
        NoLastLook,
        /// Without atomics an entry gets no mark that says nobody has looked at it.
        UnlookedNotMarked,
        /// The keys of a consumed due list are deleted before the place is saved.
        DueKeysDeletedEarly,
        /// A person's wish is removed before the place that tells its effect is saved.
        CommandRemovedEarly,
        /// After a crash an event is counted where a wish has put it, before the place has come to that wish.
        WishCountedTwice,
        /// A create is not announced in the ledger before it is sent.
        ClaimNotAnnounced,
        /// An earlier try of an order, whose end nobody saw, is not read back by its code.
        RetryWithoutReadingBack,
        /// A create without an answer may be sent again at once, though Getfly may still store it.
        SettleTimeIgnored,
        /// A customer whose phone or e-mail an unsettled create may bring is created all the same.
        HeldIgnored,
        /// Accounts are created without the deterministic code.
        CreateWithoutCode,
        /// Whose account was announced is forgotten once the customer's own event is too old.
        OldForgetsClaim,
        /// The account that an earlier try created is forgotten once KiotViet has deleted the customer.
        DeletedForgetsAccount,
        /// An event that ended with an order counts as having created the account that it announced.
        OrderMeansAccount,
        /// R7: the first search hit is linked instead of the account created first.
        FirstSearchHit,
        /// R7: only the first page of a search is read.
        OnlyFirstPage,
        /// R7: a phone match decides before an e-mail match.
        PhoneBeforeEmail,
        /// R7: an e-mail address matches as a part of another.
        EmailBySubstring,
        /// R7: a placeholder number matches like any other.
        PlaceholderMatches,
        /// R7: the numbers of a merged field, which Getfly's search cannot find, are not kept.
        MergedNumbersForgotten,
        /// R7: an account of the index is linked without being read.
        IndexBelieved,
        /// R7: how far the index is filled is kept before what was found.
        IndexPlaceFirst,
        /// R7: a page of accounts that does not join the one before is taken for the next one.
        ShiftedPagesTrusted,
        /// R7: accounts that were changed are asked for by a filter that nobody looks after.
        ChangesFilterTrusted,
        /// R8: of several phones in one field only the first is written.
        MergedPhonesSplit,
        /// R9: the missing leading zero is not added.
        LeadingZeroNotAdded,
        /// R12: the executor becomes the manager although the customer webhook is on.
        ManagerAlways,
        /// R13: a seller who is not in the cached lists is nobody.
        UsersNotReadAnew,
        /// R13: the lists of users of both sides are believed for good.
        UsersBelievedForGood,
        /// R13: of two users with the seller's phone the first one listed is the executor, whatever his name.
        NamesakeIgnored,
        /// R13: lists of users that were read while the clock was ahead are believed when it is right again.
        FutureUsersBelieved,
        /// Webhooks that were looked at while the clock was ahead are not looked at until it comes to that time.
        FutureLookCounts,
        /// Calls to Getfly that were made while the clock was ahead count towards its ceiling.
        FutureCallsCount,
        /// R5: a walk-in's invoice creates an account.
        WalkInCreatesAccount,
        /// R6: the edit of an invoice that has its order creates another one.
        EditCreates,
        /// R3: a cancelled invoice becomes an order.
        CancelledCreates,
        /// R10: what KiotViet tells of its orders is taken for an invoice.
        OrderIsInvoice,
        /// R2: a customer older than the webhook counts as new.
        OldIsNew,
        /// R3: decimals are read as binary floating point.
        MoneyAsFloat,
        /// What waits or is a dead letter is not marked, so that reading back cannot pass over it.
        UnfinishedNotMarked,
        /// An invoice family that somebody once tried to order needs no more reading back.
        TriedIsSettled,
        /// An old invoice's edit stays out though a backfill wants the invoice.
        BackfillForgetsEdits,
        /// Healing takes every webhook of the type for its own.
        ForeignWebhookTouched,
        /// What changed while a webhook was off is not read back once it is mended.
        GapNotReadBack,
        /// How far a shop was polled is kept before all of it was read.
        PollPlaceFirst,
        /// What a till of a polled shop sends late is not looked for.
        LateSalesNotSwept,
        /// Retries end after a few failures.
        GivesUpEarly,
        /// The vendor's `Retry-After` is not read.
        RetryAfterIgnored,
        /// A vendor that asked for a pause is called by the next event all the same.
        PauseIgnored,
        /// Calls to Getfly are made as fast as they come.
        CeilingIgnored,
        /// A refused KiotViet token is not renewed.
        TokenNotRenewed,
        /// Under `enforce` a wrong signature is taken for a right one.
        SignatureIgnored,
        /// Any path token opens a connection.
        PathTokenIgnored,
        /// Secrets and persons' data are kept as they are, under the name of sealed.
        NotSealed,
        /// A vendor's words are shown as they came.
        WordsNotMasked,
    }

    thread_local! {
        static ACTIVE: Cell<Option<Mutant>> = const { Cell::new(None) };
    }

    /// Keeps a mutant switched on in this thread until it is dropped.
    #[derive(Debug)]
    #[must_use = "dropping it switches the mutant off"]
    pub struct Active(());

    /// Switches `mutant` on in this thread, instead of any other.
    pub fn activate(mutant: Mutant) -> Active {
        ACTIVE.set(Some(mutant));
        Active(())
    }

    impl Drop for Active {
        fn drop(&mut self) {
            ACTIVE.set(None);
        }
    }

    /// The mutant that is switched on in this thread.
    pub fn active() -> Option<Mutant> {
        ACTIVE.get()
    }

    /// Whether `mutant` is switched on in this thread.
    pub fn is_active(mutant: Mutant) -> bool {
        ACTIVE.get() == Some(mutant)
    }
}
