//! Which account a customer is: the ledger's, an earlier attempt's, one that Getfly finds by e-mail
//! or phone, or a new one.

use crate::{
    getfly::assumptions::{MAX_PART_PAGES, PAGE_SIZE},
    journal::{
        account_index::{self, Candidate},
        dead_reason::DeadReason,
        evidence::Evidence,
        finding, keys,
        ledger::{self, CustomerKnown},
        life,
        note::Note,
        record::Alternative,
        trouble::Trouble,
    },
    rules::{
        account::{left_out, new_account},
        codes::AccountCode,
        email::{EmailAddress, EmailField},
        matching::{Choice, MatchedBy, choose, has_contact_numbers},
        model::{Account, Customer, GetflyUser},
        phone::{PhoneField, PhoneNumber},
    },
    worker::{
        failure::Failure,
        held, memory,
        plan::decision::{AccountPlan, Explanation},
        session::Session,
    },
    world::World,
};
use futures_util::future::{join, try_join_all};

/// The most numbers and addresses of one customer. A customer with more needs a person: one that
/// was not searched for could be another account's.
const SEARCHED_AT_MOST: usize = 100;
/// How many accounts are read whose e-mail field contains an address.
const PARTS_READ: usize = (MAX_PART_PAGES + 1) * PAGE_SIZE;
/// Accounts of the index that are read for one customer, besides those that a search shows.
const CANDIDATES_READ: usize = 20;
/// How many numbers, and addresses, are searched for at once. The rate limit makes the last of them
/// wait less than the worker's longest wait.
const AT_ONCE: usize = 6;

/// R7: which account `customer` is, or the one to create with `manager`.
pub(super) async fn resolve<W: World>(
    session: &Session<'_, W>,
    customer: &Customer,
    known: &CustomerKnown,
    manager: Option<&GetflyUser>,
    why: &mut Explanation,
) -> Result<AccountPlan, Failure> {
    let rules = &session.ready.rules;
    let own = own_code(session, customer.id, known);
    if let CustomerKnown::Synced(code) = known {
        return Ok(AccountPlan::Known(code.clone()));
    }
    if let Some(ours) = of_earlier_attempt(session, customer.id, known).await? {
        return Ok(ours);
    }
    held::wait(session, customer, &own)?;
    let by = match known {
        CustomerKnown::Perhaps { by, .. } => *by,
        _ => None,
    };
    let Found {
        choice,
        ours,
        is_searchable,
        is_cut,
        contacts_cut,
        by_index,
    } = search(session, customer, &own, Why::New).await?;
    if is_cut {
        why.note(Note::PartsCut {
            compared: PARTS_READ,
        });
    }
    if let Some(account) = ours {
        return Ok(made_earlier(account, by));
    }
    if by_index {
        why.note(Note::FoundInIndex);
    }
    match &choice.linked {
        Some((_, by)) if by.is_of_contact() => why.note(Note::LinkedByContact),
        None if contacts_cut || !choice.alternatives.is_empty() => why.note(Note::ContactsShared),
        _ => {}
    }
    let matches = choice.alternatives.len() + usize::from(choice.linked.is_some());
    why.evidence.push(Evidence::Matches { accounts: matches });
    explain_choice(&choice, why);
    Ok(match choice.linked {
        Some((account, by)) => AccountPlan::Link {
            code: account.code,
            name: account.name,
            by,
        },
        None => {
            // It may be another customer's with the same phone or e-mail.
            let open = session.left_open;
            if let Some(until) = open.filter(|until| session.world.now() < *until) {
                return Err(Failure::Later(until));
            }
            if life::is_in_doubt(session.world, customer.created_at).await? {
                // A search by a phone or an e-mail would have shown an account under another code.
                let created = customer.created_at.filter(|_| !is_searchable);
                if let Some(account) = memory::account_in_doubt(session, &own, created).await? {
                    return Ok(made_earlier(account, by));
                }
            }
            left_out(customer)
                .into_iter()
                .for_each(|left| why.note(left));
            AccountPlan::Create(Box::new(new_account(
                &session.codes,
                customer,
                manager,
                rules,
            )))
        }
    })
}

/// The account that an earlier attempt, whose end was lost, created for KiotViet's customer `id`.
pub(super) async fn of_earlier_attempt<W: World>(
    session: &Session<'_, W>,
    id: i64,
    known: &CustomerKnown,
) -> Result<Option<AccountPlan>, Failure> {
    let CustomerKnown::Perhaps { by, since, .. } = *known else {
        return Ok(None);
    };
    let code = own_code(session, id, known);
    if let Some(account) = session.getfly().account_by_code(&code).await? {
        return Ok(Some(made_earlier(account, by)));
    }
    if let Some(settled) = ledger::unsettled_until(since, session.world.now()) {
        return Err(Failure::Later(settled));
    }
    let found = memory::account_by_text(session, &code, since).await?;
    Ok(found.map(|account| made_earlier(account, by)))
}

fn made_earlier(account: Account, by: Option<u64>) -> AccountPlan {
    let Account {
        code, name, phone, ..
    } = account;
    AccountPlan::Ours {
        code,
        name,
        phone,
        by,
    }
}

/// The code under which KiotViet's customer `id` was, or was about to be, created.
fn own_code<W: World>(session: &Session<'_, W>, id: i64, known: &CustomerKnown) -> AccountCode {
    match known {
        CustomerKnown::Perhaps {
            code: Some(code), ..
        } => code.clone(),
        _ => AccountCode::for_customer(&session.codes, id),
    }
}

fn explain_choice(choice: &Choice, why: &mut Explanation) {
    let chosen = choice.linked.as_ref().map(|(account, _)| account.id);
    let all = choice.linked.iter().chain(&choice.alternatives);
    why.alternatives
        .extend(all.map(|(account, by)| Alternative {
            account_code: account.code.clone(),
            account_id: account.id,
            matched_by: *by,
            created_at: account.created_at.map(|t| t.to_string()),
            chosen: chosen == Some(account.id),
        }));
}

/// What a search for a customer's account found.
#[derive(Debug)]
pub struct Found {
    /// Which account to link.
    pub choice: Choice,
    /// The account under our own code, if it was found.
    pub ours: Option<Account>,
    /// Whether the customer has any number or address that an account can be found by.
    pub is_searchable: bool,
    /// Whether some accounts whose e-mail field contains the address were not read.
    pub is_cut: bool,
    /// Whether too many accounts to read have a contact person with the number.
    pub contacts_cut: bool,
    /// Whether the account to link is one that no search showed.
    pub by_index: bool,
}

/// Why a customer's account is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The customer is new.
    New,
    /// Getfly refused the account as a duplicate of one that no search showed.
    Refused,
}

/// Lets people find the event by the customer's code and phones.
pub(super) fn mark<W: World>(session: &Session<'_, W>, customer: &Customer) {
    let phones = PhoneField::parse(&customer.contact_number);
    let marks = finding::marks(&session.ready.sealer, &customer.code, &phones);
    session.marks.replace(marks);
}

/// Searches Getfly by every e-mail and phone of the customer. The found accounts include their
/// contact persons. A search by contact persons follows only for a reason: a refusal, or an account
/// whose contact person was seen to have a number of its own.
pub async fn search<W: World>(
    session: &Session<'_, W>,
    customer: &Customer,
    own: &AccountCode,
    reason: Why,
) -> Result<Found, Failure> {
    let getfly = session.getfly();
    let rules = &session.ready.rules;
    let emails = EmailField::parse(&customer.email);
    let phones = PhoneField::parse(&customer.contact_number);
    let addresses: Vec<&EmailAddress> = emails.matchable(&rules.ignored_emails).collect();
    let numbers: Vec<&PhoneNumber> = phones.matchable(&rules.ignored_phones).collect();
    if addresses.len().saturating_add(numbers.len()) > SEARCHED_AT_MOST || phones.is_cut() {
        return Err(too_many());
    }
    let (mut email_hits, mut phone_hits) = (Vec::<Account>::new(), Vec::<Account>::new());
    let mut is_cut = false;
    let (mut next_addresses, mut next_numbers) =
        (addresses.chunks(AT_ONCE), numbers.chunks(AT_ONCE));
    loop {
        let (addresses, numbers) = (next_addresses.next(), next_numbers.next());
        if addresses.is_none() && numbers.is_none() {
            break;
        }
        let addresses = addresses.unwrap_or_default().iter();
        let by_email = try_join_all(addresses.map(|e| getfly.accounts_by_email(e)));
        let numbers = numbers.unwrap_or_default().iter();
        let by_phone = try_join_all(numbers.map(|p| getfly.accounts_by_phone(p)));
        let (by_email, by_phone) = join(by_email, by_phone).await;
        for hits in by_email? {
            email_hits.extend(hits.accounts);
            is_cut |= hits.cut;
        }
        phone_hits.extend(by_phone?.into_iter().flatten());
    }
    for number in &numbers {
        let kept =
            ledger::account_with_number(session.world, &session.ready.sealer, number).await?;
        // The ledger was asked before whether our own exists.
        let kept = kept.filter(|code| code != own);
        if let Some(code) = kept.filter(|c| phone_hits.iter().all(|a| a.code != *c)) {
            phone_hits.extend(getfly.account_by_code(&code).await?);
        }
    }
    let mut choice = choose(&email_hits, &phone_hits, &emails, &phones, rules);
    let is_sure = |choice: &Choice| {
        let sure = |(_, by): &(Account, MatchedBy)| !by.is_of_contact();
        choice.linked.as_ref().is_some_and(sure)
    };
    let (mut contacts_cut, mut indexed) = (false, Vec::new());
    let searched = phone_hits.len();
    if !is_sure(&choice) {
        for (candidate, is_by_email) in candidates(session, &addresses, &numbers).await? {
            let has_it = |a: &Account| a.code == candidate.code;
            if email_hits.iter().chain(&phone_hits).any(has_it) || indexed.contains(&candidate.code)
            {
                continue;
            }
            if indexed.len() >= CANDIDATES_READ {
                contacts_cut = true;
                break;
            }
            phone_hits.extend(read_candidate(session, &candidate, customer).await?);
            indexed.push(candidate.code);
            choice = choose(&email_hits, &phone_hits, &emails, &phones, rules);
            // Those that follow were created later or have less in common with the customer.
            let by = choice.linked.as_ref().map(|(_, by)| *by);
            if by == Some(MatchedBy::Email) || (by == Some(MatchedBy::Phone) && !is_by_email) {
                break;
            }
        }
    }
    // That the index knows contact persons is no reason: it knows their numbers too.
    let shown = phone_hits.get(..searched).unwrap_or_default();
    if !is_sure(&choice) && asks_contacts(session, &email_hits, shown, reason).await? {
        for number in &numbers {
            let hits = getfly.accounts_by_contact(number).await?;
            contacts_cut |= hits.cut;
            phone_hits.extend(hits.accounts);
        }
        choice = choose(&email_hits, &phone_hits, &emails, &phones, rules);
    }
    if contacts_cut && !is_sure(&choice) {
        choice.linked = None;
    }
    if let Some((account, _)) = &choice.linked
        && account.code.as_str().trim().is_empty()
    {
        let why = Trouble::AccountWithoutCode { id: account.id };
        return Err(Failure::dead(DeadReason::GetflyRefused, why));
    }
    let mut hits = email_hits.iter().chain(&phone_hits);
    let ours = hits.find(|account| account.code == *own).cloned();
    let linked = choice.linked.as_ref().map(|(account, _)| &account.code);
    let by_index = linked.is_some_and(|code| indexed.contains(code));
    Ok(Found {
        choice,
        ours,
        is_searchable: !(addresses.is_empty() && numbers.is_empty()),
        is_cut,
        contacts_cut,
        by_index,
    })
}

/// The accounts that the index has for these addresses and numbers, and whether it is by an address: first by addresses,
/// then by numbers, then contact persons'.
async fn candidates<W: World>(
    session: &Session<'_, W>,
    addresses: &[&EmailAddress],
    numbers: &[&PhoneNumber],
) -> Result<Vec<(Candidate, bool)>, Failure> {
    let (store, sealer) = (session.world, &session.ready.sealer);
    let addresses = addresses.iter().map(|address| address.as_str());
    let numbers = numbers.iter().map(|number| number.as_str());
    let by_email = account_index::find(store, sealer, addresses).await?;
    let by_phone = account_index::find(store, sealer, numbers).await?;
    let by_email = by_email.into_iter().map(|candidate| (candidate, true));
    let by_phone = by_phone.into_iter().map(|candidate| (candidate, false));
    let mut all: Vec<_> = by_email.chain(by_phone).collect();
    all.sort_by_key(|(candidate, _)| candidate.is_contact);
    Ok(all)
}

/// The account as Getfly has it now; none where it is gone.
async fn read_candidate<W: World>(
    session: &Session<'_, W>,
    candidate: &Candidate,
    customer: &Customer,
) -> Result<Option<Account>, Failure> {
    if mutant!(IndexBelieved) {
        return Ok(Some(Account {
            id: i64::MAX,
            code: candidate.code.clone(),
            name: String::new(),
            phone: customer.contact_number.clone(),
            email: customer.email.clone(),
            created_at: None,
            contacts: Vec::new(),
            contact_emails: Vec::new(),
        }));
    }
    Ok(session
        .getfly()
        .account_with_contacts(&candidate.code)
        .await?)
}

/// Whether there is a reason to search by contact persons. Once this tenant has shown a number
/// there, the store remembers it.
async fn asks_contacts<W: World>(
    session: &Session<'_, W>,
    email_hits: &[Account],
    phone_hits: &[Account],
    reason: Why,
) -> Result<bool, Failure> {
    let known = session.world.exists(keys::CONTACT_NUMBERS).await?;
    let mut hits = email_hits.iter().chain(phone_hits);
    if !known && hits.any(has_contact_numbers) {
        // A preview writes nothing. If this is lost, the next such account shows it again.
        let _ = session.world.set(keys::CONTACT_NUMBERS, b"1").await;
        return Ok(true);
    }
    Ok(known || reason == Why::Refused)
}

fn too_many() -> Failure {
    Failure::dead(
        DeadReason::TooManyNumbers,
        Trouble::TooManyNumbers {
            most: SEARCHED_AT_MOST,
        },
    )
}
