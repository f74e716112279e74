//! Filling the index of Getfly's accounts: a page at a time, only when nothing else is due, slowly enough to leave
//! Getfly's ceiling free for a sale. First all accounts, then those that were changed, and all again at long intervals.

use crate::{
    assumption::Assumption,
    getfly::{
        client::{AccountPage, Getfly},
        error::GetflyError,
    },
    journal::{
        account_index::{self, AccountIndex, AccountScan},
        connection_name::Upstream,
        keys,
    },
    log,
    reconcile::upkeep::{Reconciler, Upkeep},
    time::Timestamp,
    world::{Clock, Http, Store, StoreError, World},
};
use core::time::Duration;

/// What was changed is asked for this often.
const CHANGES_EVERY: Duration = Duration::from_secs(900);
/// All accounts are read again this often, for what a change did not tell.
const ALL_EVERY: Duration = Duration::from_hours(7 * 24);
/// The same where Getfly does not tell of changes, or in no certain order.
const ALL_EVERY_DAY: Duration = Duration::from_hours(24);
/// A page at most this often: half of the ordinary ceiling.
const PAGE_EVERY: Duration = Duration::from_secs(1);
/// The journal is looked at this often between two pages.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// A drain reads for at most this long: what people are to be told waits for its end.
const READ_FOR: Duration = Duration::from_secs(30);
/// What was found is kept at the latest after so many pages, or so long: some hosts stop a drain after half a minute.
const KEPT_EVERY_PAGES: usize = 20;
/// See [`KEPT_EVERY_PAGES`].
const KEPT_EVERY: Duration = Duration::from_secs(10);

/// Whether so much time is over since `then`; also where `then` was written by a clock that was ahead.
fn is_over(then: Timestamp, wait: Duration, now: Timestamp) -> bool {
    now.saturating_since(then) >= wait || then.saturating_since(now) > CHANGES_EVERY
}

/// The scan that is due; none when nothing is.
fn due_scan(index: &AccountIndex, now: Timestamp) -> Option<AccountScan> {
    let unfiltered = index.unfiltered_since;
    let again = if unfiltered.is_some() || index.is_unsorted {
        ALL_EVERY_DAY
    } else {
        ALL_EVERY
    };
    let all = AccountScan::new(now, None);
    let (Some(filled_at), Some(fresh_until)) = (index.filled_at, index.fresh_until) else {
        return Some(all);
    };
    if is_over(filled_at, again, now) {
        return Some(all);
    }
    let is_asked = unfiltered.is_none_or(|since| is_over(since, ALL_EVERY, now));
    is_asked.then(|| AccountScan::new(now, Some(fresh_until.min(now))))
}

impl<W: World> Reconciler<'_, '_, W> {
    /// Reads a page of Getfly's accounts, when it is time; false when there is nothing to read now.
    pub async fn fill_account_index(&mut self) -> Result<bool, StoreError> {
        let now = self.worker.now();
        let fails = self.cursor.pauses.get(Upstream::Getfly);
        let later = |at: Timestamp| now < at && at.saturating_since(now) <= CHANGES_EVERY;
        if self.upkeep == Upkeep::None
            || self.lists_until.is_none_or(|until| now >= until)
            || self.cursor.accounts_at.is_some_and(later)
            || self
                .filling
                .began
                .is_some_and(|at| is_over(at, READ_FOR, now))
            || fails.is_some_and(|pause| pause.matters(now))
        {
            return Ok(false);
        }
        let next = self
            .filling
            .asked_at
            .map(|at| at.saturating_add(PAGE_EVERY));
        let wait = next.map(|next| next.saturating_since(now).min(LOOK_EVERY));
        if let Some(wait) = wait.filter(|wait| !wait.is_zero()) {
            self.worker.sleep(wait).await;
            return Ok(true);
        }
        let mut index = match self.filling.index.take() {
            Some(index) => index,
            // Before a shop is connected there is nobody to be found.
            None if self.worker.increment(keys::CONNECTION_COUNT, 0).await? == 0 => {
                return Ok(false);
            }
            None => self.load_index().await?,
        };
        let scan = index.scan.take().or_else(|| due_scan(&index, now));
        let Some(mut scan) = scan else {
            self.cursor.accounts_at = Some(now.saturating_add(CHANGES_EVERY));
            return Ok(false);
        };
        if scan.since.is_none() && scan.offset == 0 {
            index.is_full = false;
        }
        self.filling.asked_at = Some(now);
        self.filling.began.get_or_insert(now);
        let getfly = Getfly {
            http: self.worker,
            origin: &self.ready.getfly_url,
            api_key: &self.ready.getfly_api_key,
        };
        let page = getfly.account_page(scan.since, scan.offset).await;
        // They are no event's.
        self.worker.take_calls();
        self.worker.take_reached();
        let is_over = match page {
            Ok(page) => {
                index.problem = None;
                self.take_page(&mut index, &mut scan, &page)
            }
            // It would be so with every page of this scan.
            Err(GetflyError::Refused(_)) if scan.since.is_some() => {
                self.unfiltered(&mut index);
                true
            }
            Err(e) => {
                index.problem = Some(e.into());
                index.scan = Some(scan);
                return self.rest(index).await;
            }
        };
        if is_over {
            return self.rest(index).await;
        }
        index.scan = Some(scan);
        self.filling.index = Some(index);
        self.filling.pages = self.filling.pages.saturating_add(1);
        let since = *self.filling.since.get_or_insert(now);
        let waited = self.worker.now().saturating_since(since);
        if self.filling.pages >= KEPT_EVERY_PAGES || waited >= KEPT_EVERY {
            self.keep_accounts().await?;
        }
        Ok(true)
    }

    async fn load_index(&self) -> Result<AccountIndex, StoreError> {
        let empty = AccountIndex::of(&self.ready.sealer, &self.ready.getfly_url);
        match account_index::load(self.worker).await? {
            Some(kept) if kept.of == empty.of => Ok(kept),
            Some(_) => {
                // Of another key or another tenant.
                account_index::clear(self.worker).await?;
                Ok(empty)
            }
            None => Ok(empty),
        }
    }

    /// Gathers what a page tells; whether it ends the scan.
    fn take_page(
        &mut self,
        index: &mut AccountIndex,
        scan: &mut AccountScan,
        page: &AccountPage,
    ) -> bool {
        for account in &page.accounts {
            self.filling.gathered.add(&self.ready.sealer, account);
        }
        if !page.is_filtered && !mutant!(ChangesFilterTrusted) {
            self.unfiltered(index);
            return true;
        }
        if scan.since.is_some() && !page.accounts.is_empty() {
            self.worker.saw(Assumption::ChangesListed, true);
        }
        let ids: Vec<i64> = page.accounts.iter().map(|account| account.id).collect();
        let is_over = scan.advance(&ids, page.more);
        if is_over {
            index.fresh_until = Some(scan.began);
            if scan.since.is_none() {
                index.accounts = scan.seen;
                index.is_unsorted = scan.is_unsorted;
                if scan.seen > 1 {
                    let rises = !scan.is_unsorted;
                    self.worker.saw(Assumption::AccountsSorted, rises);
                }
                index.filled_at = Some(self.worker.now());
            } else if !page.accounts.is_empty() {
                index.unfiltered_since = None;
            }
        }
        is_over
    }

    /// Getfly does not tell which accounts were changed since a moment.
    fn unfiltered(&self, index: &mut AccountIndex) {
        index.unfiltered_since = Some(self.worker.now());
        self.worker.saw(Assumption::ChangesListed, false);
        log::changes_unfiltered(self.worker);
    }

    /// Keeps what was found, and leaves the index alone for a while.
    async fn rest(&mut self, index: AccountIndex) -> Result<bool, StoreError> {
        self.filling.index = Some(index);
        self.filling.pages = self.filling.pages.saturating_add(1);
        self.keep_accounts().await?;
        self.cursor.accounts_at = Some(self.worker.now().saturating_add(CHANGES_EVERY));
        Ok(false)
    }

    /// Keeps what was found since the last time: first the marks, then how far the scan is.
    pub async fn keep_accounts(&mut self) -> Result<(), StoreError> {
        let filling = core::mem::take(self.filling);
        self.filling.asked_at = filling.asked_at;
        self.filling.began = filling.began;
        let Some(mut index) = filling.index.filter(|_| filling.pages > 0) else {
            return Ok(());
        };
        if mutant!(IndexPlaceFirst) {
            account_index::save(self.worker, &index).await?;
        }
        let fits = filling.gathered.keep(self.worker).await?;
        index.is_full |= !fits;
        account_index::save(self.worker, &index).await?;
        self.filling.index = Some(index);
        Ok(())
    }
}
