//! Which accounts Getfly has, by their phones and e-mails, however these are written there: keyed marks, the accounts'
//! codes and when they were created, and nothing of a person. It only adds accounts that may match: each is read before it
//! is believed, so what is stale in it costs a call and what is missing is as if there were no index.

use crate::{
    journal::{keys, sorted_map::SortedMap, trouble::Trouble},
    rules::{codes::AccountCode, email::EmailField, model::Account, phone::PhoneField},
    seal::Sealer,
    stored,
    time::Timestamp,
    world::{Store, StoreError},
};
use core::ops::Not;
use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};

/// How many values the index is kept in. A hundred thousand accounts with two marks each make values of 70 kB.
const SHARDS: u32 = 128;
/// Largest value: hosts take a million bytes.
const MOST_BYTES: usize = 900_000;
/// Values that are written at once, so that a store that forces each commit to the disk takes them together.
const WRITTEN_AT_ONCE: usize = 16;
/// Accounts after which a list is taken to be without end.
const MOST_ACCOUNTS: u64 = 5_000_000;

/// How far the index is filled.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountIndex {
    /// Accounts that the last scan of all saw.
    #[serde(default)]
    pub accounts: u64,
    /// When the last scan of all ended.
    #[serde(default)]
    pub filled_at: Option<Timestamp>,
    /// What was changed in Getfly before this is in it.
    #[serde(default)]
    pub fresh_until: Option<Timestamp>,
    /// A value is as large as it may be, so that marks are missing.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub is_full: bool,
    /// A mark of the key and the tenant that it is of.
    pub of: String,
    /// Why the last page could not be read.
    #[serde(default)]
    pub problem: Option<Trouble>,
    /// The scan under way.
    #[serde(default)]
    pub scan: Option<AccountScan>,
    /// The last scan of all did not come by ascending numbers.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub is_unsorted: bool,
    /// Since when Getfly is known not to filter accounts by when they were changed.
    #[serde(default)]
    pub unfiltered_since: Option<Timestamp>,
}

impl AccountIndex {
    /// An empty one of this key and this tenant.
    pub fn of(sealer: &Sealer, tenant: &str) -> Self {
        Self {
            of: sealer.short_fingerprint(&format!("accounts of {tenant}")),
            ..Self::default()
        }
    }
}

/// What is kept of it; none where there is none that can be read.
pub async fn load(store: &impl Store) -> Result<Option<AccountIndex>, StoreError> {
    let bytes = store.get(keys::ACCOUNTS).await?;
    Ok(bytes.and_then(|bytes| stored::read(&bytes).ok()))
}

/// Keeps how far it is filled.
pub async fn save(store: &impl Store, index: &AccountIndex) -> Result<(), StoreError> {
    store.set(keys::ACCOUNTS, &stored::write(index)).await
}

/// Removes every mark.
pub async fn clear(store: &impl Store) -> Result<(), StoreError> {
    for shard in 0..SHARDS {
        store.delete(&keys::account_marks(shard)).await?;
    }
    Ok(())
}

/// A pass over Getfly's list of accounts, or over those that were changed since a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountScan {
    /// When it began.
    pub began: Timestamp,
    /// Of the accounts changed since then; none: of all.
    pub since: Option<Timestamp>,
    /// Where the next page begins.
    #[serde(default)]
    pub offset: u64,
    /// Accounts that were seen.
    #[serde(default)]
    pub seen: u64,
    /// The list does not come by ascending numbers, so that a page that has moved cannot be told.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub is_unsorted: bool,
    /// The first number of the last page.
    #[serde(default)]
    first: i64,
    /// The largest number, or that of an unsorted list's last page.
    #[serde(default)]
    last: i64,
    /// Accounts of the last page with which the next one begins.
    #[serde(default)]
    overlap: u64,
    /// Accounts of the last page.
    #[serde(default)]
    page: u64,
}

impl AccountScan {
    /// One that begins now.
    pub fn new(began: Timestamp, since: Option<Timestamp>) -> Self {
        Self {
            began,
            since,
            offset: 0,
            seen: 0,
            is_unsorted: false,
            first: 0,
            last: 0,
            overlap: 0,
            page: 0,
        }
    }

    /// A page with accounts of these numbers was read, and Getfly says whether there is another one. Whether the scan is
    /// over.
    ///
    /// Each page begins with the end of the one before: where it does not, accounts were deleted meanwhile and the rest has
    /// moved forward, so that half a page is read again.
    pub fn advance(&mut self, ids: &[i64], more: bool) -> bool {
        let (first, last) = (ids.first().copied(), ids.last().copied());
        let (first, last) = (first.unwrap_or_default(), last.unwrap_or_default());
        let len = u64::try_from(ids.len()).unwrap_or(u64::MAX);
        let rises = ids.iter().zip(ids.iter().skip(1)).all(|(a, b)| a < b);
        let news = ids.iter().filter(|id| **id > self.last);
        let news = u64::try_from(news.count()).unwrap_or(u64::MAX);
        let falls = self.offset > 0 && self.overlap == 0 && len > 0 && news == 0;
        self.is_unsorted |= !rises || falls;
        if self.is_unsorted {
            let is_same = (first, last) == (self.first, self.last);
            (self.first, self.last) = (first, last);
            self.seen = self.seen.saturating_add(len.saturating_sub(self.overlap));
            self.overlap = len / 10;
            self.offset = self.offset.saturating_add(len - self.overlap);
            return !more || len == 0 || is_same || self.offset > MOST_ACCOUNTS;
        }
        let joins = len > 0 && first <= self.last;
        if self.overlap > 0 && !joins && !mutant!(ShiftedPagesTrusted) {
            self.offset = self.offset.saturating_sub((self.page / 2).max(1));
            // The first page has nothing before it.
            self.overlap = self.overlap.min(self.offset);
            return false;
        }
        (self.first, self.last) = (first, last.max(self.last));
        self.seen = self.seen.saturating_add(news);
        self.overlap = u64::from(len > 1);
        self.page = len;
        self.offset = self.offset.saturating_add(len - self.overlap);
        !more || news == 0 || self.offset > MOST_ACCOUNTS
    }
}

/// Marks that were found and are not kept yet, by their shard.
#[derive(Debug, Default)]
pub struct Gathered(SortedMap<u32, Vec<String>>);

impl Gathered {
    /// Adds an account's marks; one without a code could not be read.
    pub fn add(&mut self, sealer: &Sealer, account: &Account) {
        let code = account.code.as_str();
        if code.trim().is_empty() || code.contains(char::is_control) {
            return;
        }
        let (own, contacts) = ([account.phone.clone()], [account.email.clone()]);
        let created = account.created_at.and_then(|at| at.to_timestamp(0));
        let created = created.map_or_else(String::new, |at| at.as_second().to_string());
        for (kind, phones, emails) in [
            (OWN, &own[..], &contacts[..]),
            (CONTACT, &account.contacts, &account.contact_emails),
        ] {
            let phones = phones.iter().map(|text| PhoneField::parse(text));
            let numbers = phones.flat_map(|field| {
                let numbers = field.matchable(&[]).map(|n| n.as_str().to_owned());
                numbers.collect::<Vec<_>>()
            });
            let emails = emails.iter().map(|text| EmailField::parse(text));
            let addresses = emails.flat_map(|field| {
                let addresses = field.matchable(&[]).map(|a| a.as_str().to_owned());
                addresses.collect::<Vec<_>>()
            });
            for text in numbers.chain(addresses) {
                let mark = sealer.short_fingerprint(&marked(&text));
                let shard = shard_of(&mark);
                let line = format!("{mark}{kind}{created} {code}");
                match self.0.get_mut(&shard) {
                    Some(lines) => lines.push(line),
                    None => self.0.insert(shard, vec![line]),
                }
            }
        }
    }

    /// Keeps them; false where a value had no room for all. What is kept already is not written again.
    pub async fn keep(self, store: &impl Store) -> Result<bool, StoreError> {
        let mut fits = true;
        let mut rest = self.0.into_iter();
        loop {
            let some = rest.by_ref().take(WRITTEN_AT_ONCE);
            let some: Vec<_> = some
                .map(|(shard, lines)| keep_shard(store, shard, lines))
                .collect();
            if some.is_empty() {
                return Ok(fits);
            }
            fits &= try_join_all(some).await?.into_iter().all(|fit| fit);
        }
    }
}

async fn keep_shard(
    store: &impl Store,
    shard: u32,
    lines: Vec<String>,
) -> Result<bool, StoreError> {
    let key = keys::account_marks(shard);
    let kept = store.get(&key).await?.unwrap_or_default();
    let kept = String::from_utf8_lossy(&kept);
    let new = lines.iter().map(String::as_str);
    let mut all: Vec<&str> = kept.lines().chain(new).collect();
    all.sort_unstable();
    all.dedup();
    let all = all.join("\n");
    if all.len() > MOST_BYTES {
        return Ok(false);
    }
    if all != kept {
        store.set(&key, all.as_bytes()).await?;
    }
    Ok(true)
}

/// The mark is of the account's own number or address.
const OWN: char = 'a';
/// It is of a contact person's.
const CONTACT: char = 'c';

fn marked(text: &str) -> String {
    format!("account {text}")
}

fn shard_of(mark: &str) -> u32 {
    let sum = |sum: u32, byte: u8| sum.wrapping_mul(31).wrapping_add(u32::from(byte));
    mark.bytes().fold(0, sum) % SHARDS
}

/// An account that may have a number or an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its code.
    pub code: AccountCode,
    /// A contact person has it.
    pub is_contact: bool,
    /// Its creation, by the clock of the tenant; for comparison only.
    created: Option<i64>,
}

impl Candidate {
    fn parse(line: &str) -> Option<Self> {
        let kind = line.chars().next()?;
        let (created, code) = line.strip_prefix(kind)?.split_once(' ')?;
        Some(Self {
            code: AccountCode::existing(code.to_owned()),
            is_contact: kind == CONTACT,
            created: created.parse().ok(),
        })
    }
}

/// The accounts that may have one of these canonical numbers or addresses: own ones before contact persons', the one
/// created first first. One read of the store for each text, and another one while a key is rotated.
pub async fn find(
    store: &impl Store,
    sealer: &Sealer,
    texts: impl Iterator<Item = &str>,
) -> Result<Vec<Candidate>, StoreError> {
    let mut found: Vec<Candidate> = Vec::new();
    let marks = texts.flat_map(|text| {
        let text = marked(text);
        let marks = sealer.short_fingerprints(&text);
        marks.collect::<Vec<_>>()
    });
    for mark in marks {
        let shard = store.get(&keys::account_marks(shard_of(&mark))).await?;
        let shard = shard.unwrap_or_default();
        let shard = String::from_utf8_lossy(&shard);
        let lines = shard.lines().filter_map(|line| line.strip_prefix(&*mark));
        found.extend(lines.filter_map(Candidate::parse));
    }
    found.sort_by_key(|c| (c.is_contact, c.created.is_none(), c.created));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::SHORT_CHARS;
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    fn scan() -> AccountScan {
        AccountScan::new(Timestamp::UNIX_EPOCH, None)
    }

    /// Scans a list that `list` shows at each page, with pages of `len`; what was seen.
    fn scanned(len: usize, mut list: impl FnMut(usize) -> Vec<i64>) -> (Vec<i64>, AccountScan) {
        let (mut scan, mut seen) = (scan(), Vec::new());
        for page in 0..1000 {
            let all = list(page);
            let offset = usize::try_from(scan.offset).unwrap();
            let ids: Vec<i64> = all.iter().copied().skip(offset).take(len).collect();
            seen.extend(&ids);
            if scan.advance(&ids, offset + len < all.len()) {
                seen.sort_unstable();
                seen.dedup();
                return (seen, scan);
            }
        }
        panic!("it does not end");
    }

    #[test]
    fn a_scan_sees_every_account_of_a_list_that_stands_still() {
        let all: Vec<i64> = (1..=250).collect();
        for len in [1, 2, 3, 99, 100, 250, 300] {
            let (seen, scan) = scanned(len, |_| all.clone());
            assert_eq!((seen, scan.seen), (all.clone(), 250), "pages of {len}");
            assert!(!scan.is_unsorted);
        }
        assert_eq!(scanned(100, |_| Vec::new()).0, [0; 0]);
    }

    #[test]
    fn accounts_that_are_deleted_or_made_meanwhile_hide_no_other() {
        for len in [2, 3, 10, 100] {
            for deleted in [1, 2, 49, 50, 51, 99, 100, 101, 150] {
                let (seen, scan) = scanned(len, |page| {
                    let from = if page < 2 { 1 } else { deleted + 1 };
                    let to = if page < 2 { 400 } else { 420 };
                    (from..=to).collect()
                });
                let left: Vec<i64> = (deleted + 1..=420).collect();
                let missed: Vec<_> = left.iter().filter(|id| !seen.contains(id)).collect();
                assert!(missed.is_empty(), "{len} {deleted}: {missed:?}");
                assert!(!scan.is_unsorted);
            }
        }
    }

    #[test]
    fn a_list_that_heeds_no_order_is_seen_too_and_known_for_it() {
        for len in [1, 2, 10, 100] {
            let newest_first: Vec<i64> = (1..=250).rev().collect();
            let (seen, scan) = scanned(len, |_| newest_first.clone());
            assert_eq!(seen, (1..=250).collect::<Vec<_>>(), "pages of {len}");
            assert!(scan.is_unsorted);
        }
    }

    #[test]
    fn a_server_that_shows_the_same_page_for_ever_ends_the_scan() {
        for ids in [&[1, 2, 3][..], &[3, 2, 1], &[7]] {
            let mut scan = scan();
            let over = (0..5).any(|_| scan.advance(ids, true));
            assert!(over, "{ids:?}");
        }
        let mut empty = scan();
        assert!(empty.advance(&[1, 2], true) || !empty.advance(&[], true));
        let over = (0..9).any(|n| empty.advance(if n % 2 == 0 { &[1, 2] } else { &[] }, true));
        assert!(over);
    }

    #[test]
    fn a_mark_tells_nothing_and_a_line_is_read_as_it_is_written() {
        let sealer = Sealer::from_base64(&STANDARD.encode([1; 32])).unwrap();
        let mut gathered = Gathered::default();
        let account = Account {
            id: 1,
            code: AccountCode::existing("KH 1/2".to_owned()),
            name: "An".to_owned(),
            phone: "0912.345.678".to_owned(),
            email: "An@x.vn; 0000@".to_owned(),
            created_at: "2024-01-01 08:00:00".parse().ok(),
            contacts: vec!["0000000000 / +84 987 654 312".to_owned()],
            contact_emails: vec!["b@x.vn".to_owned()],
        };
        gathered.add(&sealer, &account);
        let lines: Vec<String> = gathered
            .0
            .into_iter()
            .flat_map(|(_, lines)| lines)
            .collect();
        assert_eq!(lines.len(), 4, "{lines:?}");
        for line in &lines {
            assert!(!line.contains("912") && !line.contains("x.vn"), "{line}");
            let candidate = Candidate::parse(&line[SHORT_CHARS..]).unwrap();
            assert_eq!(candidate.code, account.code);
            assert_eq!(candidate.created, Some(1_704_096_000));
        }
    }
}
