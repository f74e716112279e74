//! Carries out a plan at Getfly. The ledger announces each create first. If a create's answer is
//! lost, reading the code back settles it, never a second create.

use crate::{
    assumption::Assumption,
    getfly::{error::GetflyError, refusal::DuplicateField, wire::NewOpportunity},
    journal::{
        keys,
        ledger::{self, CustomerEntry, InvoiceEntry},
        note::Note,
        record::{ReadBack, Record},
        trouble::Target,
    },
    rules::{
        codes::{AccountCode, OrderCode},
        model::{Customer, NewAccount, NewOrder, OrderAccount},
        phone::PhoneField,
        remark::Remark,
        verdict::Reason,
    },
    time::Timestamp,
    worker::{
        details,
        failure::Failure,
        forms::{LAST_NUMBER, MOST_FORMS, every_form_refused, numbered, unknown},
        held, memory,
        plan::{
            account::{Why, search},
            decision::{AccountPlan, Action, Plan, Remember, SaleClaim},
        },
        products,
        session::Session,
        walk_in,
    },
    world::{HttpError, World},
};

/// How the execution of a plan ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carried {
    /// The event ended.
    Out,
    /// A fact that the plan relies on proved wrong and was forgotten: plan again.
    Anew,
}

/// Executes `plan` for `record` and ends it. After a failure the record is as before, except for
/// notes of what was already done.
pub async fn execute<W: World>(
    session: &Session<'_, W>,
    record: &mut Record,
    plan: Plan,
) -> Result<Carried, Failure> {
    record.evidence = plan.evidence;
    record.alternatives = plan.alternatives;
    for note in plan.notes {
        record.note(note);
    }
    let reason = match plan.action {
        Action::Ignore { reason, remember } => {
            remember_ignored(session, remember).await?;
            reason
        }
        Action::Customer {
            customer_id,
            account,
        } => {
            let (code, reason) = ensure_account(session, record, customer_id, account).await?;
            record.account_code = Some(code);
            reason
        }
        Action::OrderIsThere {
            invoice_id,
            code,
            by,
            claim,
            ..
        } => {
            record.order_code = Some(code.clone());
            let claim = SaleClaim {
                sold: claim.sold.under(Some(code)),
                ..claim
            };
            if by == Some(record.seq) {
                keep_ordered(session, claim, invoice_id).await?;
                record.note(Note::OrderReplyLost);
                Reason::OrderCreated
            } else {
                if by.is_none() {
                    keep_ordered(session, claim, invoice_id).await?;
                    record.note(Note::OrderWasThere);
                }
                Reason::AlreadySynced
            }
        }
        Action::Order {
            invoice_id,
            account,
            mut order,
            claim,
            ..
        } => {
            let customer_id = account.as_ref().map(|(id, _)| *id);
            record.customer_id = customer_id;
            if let Some((customer_id, account)) = account {
                let (code, reason) = ensure_account(session, record, customer_id, account).await?;
                record.note(Note::OrdersAccount {
                    code: code.clone(),
                    reason,
                });
                let is_new = reason == Reason::CustomerCreated;
                if order.account.code.as_ref() != Some(&code) && !is_new {
                    // Linked after all: the planned values are not that account's own.
                    order.account = OrderAccount::default();
                }
                order.account.code = Some(code.clone());
                record.account_code = Some(code);
            }
            let sale = (&claim, invoice_id);
            match create_order(session, record, sale, customer_id, *order).await? {
                Some(code) => record.order_code = Some(code),
                None => {
                    record.account_code = None;
                    return Ok(Carried::Anew);
                }
            }
            Reason::OrderCreated
        }
    };
    record.finish(reason, session.world.now());
    Ok(Carried::Out)
}

async fn remember_ignored<W: World>(
    session: &Session<'_, W>,
    remember: Remember,
) -> Result<(), Failure> {
    let retailer = &session.connection.retailer;
    match remember {
        Remember::Nothing => {}
        Remember::OldCustomer(id) => {
            ledger::keep_customer(session.world, retailer, id, &CustomerEntry::Before).await?;
        }
        Remember::Invoice { key, entry, .. } => {
            ledger::keep_invoice(session.world, &key, &entry).await?;
        }
    }
    Ok(())
}

async fn keep_ordered<W: World>(
    session: &Session<'_, W>,
    claim: SaleClaim,
    invoice_id: i64,
) -> Result<(), Failure> {
    let entry = InvoiceEntry::Ordered {
        invoice_id,
        sold: claim.sold,
    };
    Ok(ledger::keep_invoice(session.world, &claim.key, &entry).await?)
}

async fn keep_synced<W: World>(
    session: &Session<'_, W>,
    id: i64,
    code: &AccountCode,
) -> Result<(), Failure> {
    let entry = CustomerEntry::Linked {
        code: code.clone(),
        since: session.world.now(),
    };
    Ok(ledger::keep_customer(session.world, &session.connection.retailer, id, &entry).await?)
}

/// Makes sure that the customer's account exists; returns its code and how it came about.
async fn ensure_account<W: World>(
    session: &Session<'_, W>,
    record: &mut Record,
    customer_id: i64,
    account: AccountPlan,
) -> Result<(AccountCode, Reason), Failure> {
    match account {
        AccountPlan::Known(code) => Ok((code, Reason::AlreadySynced)),
        AccountPlan::Link { code, by, .. } => {
            keep_synced(session, customer_id, &code).await?;
            Ok((code, by.reason()))
        }
        // The other event, if it is still waiting, must still find its claim.
        AccountPlan::Ours {
            code, by: Some(by), ..
        } if by != record.seq => Ok((code, Reason::AlreadySynced)),
        AccountPlan::Ours {
            code, phone, by, ..
        } => {
            let mut reason = Reason::AlreadySynced;
            if by.is_some() {
                record.note(Note::AccountReplyLost);
                enrol_found(session, record, customer_id, &code).await?;
                reason = Reason::CustomerCreated;
            }
            let announced = AccountCode::for_customer(&session.codes, customer_id);
            if code != announced {
                keep_numbers(session, Some(&phone), &code).await?;
            }
            keep_synced(session, customer_id, &code).await?;
            Ok((code, reason))
        }
        AccountPlan::Create(account) => {
            create_account(session, record, customer_id, *account).await
        }
    }
}

async fn create_account<W: World>(
    session: &Session<'_, W>,
    record: &mut Record,
    customer_id: i64,
    mut account: NewAccount,
) -> Result<(AccountCode, Reason), Failure> {
    keep_numbers(session, account.phone.as_deref(), &account.code).await?;
    announce_account(session, record, customer_id, &account).await?;
    let retailer = &session.connection.retailer;
    record.account_claim = Some(keys::customer(retailer, customer_id));
    let mut used_codes = 0;
    for _ in 0..MOST_FORMS {
        let answer = session.getfly().create_account(&account).await;
        let error = match memory::code_told(answer) {
            Ok(code) => {
                let code = AccountCode::existing(code);
                stored_under(session, record, customer_id, &mut account, code).await?;
                enrol(session, record, &account).await?;
                return Ok((account.code, Reason::CustomerCreated));
            }
            Err(error) => error,
        };
        if error.is_duplicate() || error.maybe_stored() {
            let perhaps = (&mut account, &mut used_codes);
            let ended = account_perhaps_there(session, record, customer_id, perhaps, error).await?;
            if let Some(ended) = ended {
                return Ok(ended);
            }
        } else {
            let detail = error.refused_detail();
            let Some(detail) = detail.filter(|d| details::drop_from_account(&mut account, *d))
            else {
                release_account(session, record, customer_id, &account).await?;
                return Err(error.into());
            };
            record.note(details::without(detail, &error));
        }
        announce_account(session, record, customer_id, &account).await?;
    }
    Err(every_form_refused(Target::Account))
}

/// Getfly has `account` under `code`, which the account takes over if it differs from the one that
/// was sent.
async fn stored_under<W: World>(
    session: &Session<'_, W>,
    record: &mut Record,
    customer_id: i64,
    account: &mut NewAccount,
    code: AccountCode,
) -> Result<(), Failure> {
    if memory::is_stored_under(record, account.code.as_str(), code.as_str()) {
        // If this write is lost, the account is found by the text that it carries.
        account.code = code;
        announce_account(session, record, customer_id, account).await?;
        keep_numbers(session, account.phone.as_deref(), &account.code).await?;
    }
    Ok(())
}

/// The outcome of a create that Getfly refused as a duplicate, or whose answer was lost. None: send
/// it again, without a placeholder or under the next code, because `used_codes` codes are used.
async fn account_perhaps_there<W: World>(
    session: &Session<'_, W>,
    record: &mut Record,
    customer_id: i64,
    (account, used_codes): (&mut NewAccount, &mut u32),
    error: GetflyError,
) -> Result<Option<(AccountCode, Reason)>, Failure> {
    let unsettled = !error.is_duplicate();
    if unsettled {
        let now = session.world.now();
        claim_account(session, record, customer_id, account, now).await?;
    }
    let brings = || unsettled.then(|| held::brings(session, account));
    let stored = match memory::account_stored(session, &account.code, &error).await {
        Err(e) if unsettled => return Err(unknown(e, brings())),
        stored => stored?,
    };
    if let Some(code) = stored {
        if !matches!(error, GetflyError::Untold { .. }) {
            record.note(Note::AccountReplyLost);
        }
        stored_under(session, record, customer_id, account, code).await?;
        enrol(session, record, account).await?;
        return Ok(Some((account.code.clone(), Reason::CustomerCreated)));
    }
    if unsettled {
        return Err(unknown(error, brings()));
    }
    if error.duplicate_field() == Some(DuplicateField::Code) {
        *used_codes += 1;
        if *used_codes >= LAST_NUMBER {
            release_account(session, record, customer_id, account).await?;
            return Err(error.into());
        }
        let first = AccountCode::for_customer(&session.codes, customer_id);
        let next = numbered(&first, *used_codes + 1);
        record.note(Note::CodeUsed {
            used: account.code.clone(),
            next: next.clone(),
        });
        account.code = next;
        keep_numbers(session, account.phone.as_deref(), &account.code).await?;
        return Ok(None);
    }
    let linked = link_after_refusal(session, record, customer_id, account).await?;
    if linked.is_some() {
        return Ok(linked);
    }
    let rules = &session.ready.rules;
    let Some(detail) = details::drop_placeholder(account, &error, rules) else {
        release_account(session, record, customer_id, account).await?;
        return Err(error.into());
    };
    record.note(details::without(detail, &error));
    Ok(None)
}

/// Stores in the ledger that `account` is about to be created for this customer.
async fn announce_account<W: World>(
    session: &Session<'_, W>,
    record: &Record,
    customer_id: i64,
    account: &NewAccount,
) -> Result<(), Failure> {
    let since = ledger::call_ends(session.world.now());
    claim_account(session, record, customer_id, account, since).await
}

/// Keeps in the ledger that Getfly has refused to create `account`: whoever retries it need not wait.
async fn release_account<W: World>(
    session: &Session<'_, W>,
    record: &Record,
    customer_id: i64,
    account: &NewAccount,
) -> Result<(), Failure> {
    claim_account(session, record, customer_id, account, Timestamp::UNIX_EPOCH).await
}

/// Stores in the ledger that the call which creates `account` for this customer has ended by
/// `since`.
async fn claim_account<W: World>(
    session: &Session<'_, W>,
    record: &Record,
    customer_id: i64,
    account: &NewAccount,
    since: Timestamp,
) -> Result<(), Failure> {
    let (seq, code) = (record.seq, account.code.clone());
    let claim = CustomerEntry::Creating { seq, code, since };
    let retailer = &session.connection.retailer;
    Ok(ledger::keep_customer(session.world, retailer, customer_id, &claim).await?)
}

/// Stores which account has the numbers of a phone field (R7, R8). Getfly's search finds neither
/// every number of such a field, nor one that Getfly stores in a form of its own.
async fn keep_numbers<W: World>(
    session: &Session<'_, W>,
    phone: Option<&str>,
    code: &AccountCode,
) -> Result<(), Failure> {
    let phones = PhoneField::parse(phone.unwrap_or_default());
    if !mutant!(MergedNumbersForgotten) {
        let sealer = &session.ready.sealer;
        ledger::keep_numbers(session.world, sealer, phones.numbers(), code).await?;
    }
    Ok(())
}

/// Links after Getfly refused the account as a duplicate that the search did not show: another
/// program created it in between, or Getfly compares in another way than it searches.
async fn link_after_refusal<W: World>(
    session: &Session<'_, W>,
    record: &mut Record,
    customer_id: i64,
    account: &NewAccount,
) -> Result<Option<(AccountCode, Reason)>, Failure> {
    let customer = Customer {
        id: customer_id,
        contact_number: account.phone.clone().unwrap_or_default(),
        email: account.email.clone().unwrap_or_default(),
        ..Customer::default()
    };
    let found = search(session, &customer, &account.code, Why::Refused).await?;
    let Some((found, by)) = found.choice.linked else {
        return Ok(None);
    };
    record.note(Note::SecondAccountRefused);
    keep_synced(session, customer_id, &found.code).await?;
    Ok(Some((found.code, by.reason())))
}

/// Creates the order of `sale`, its claim and its invoice's id; returns the order's code. None if
/// its customer's account is gone from Getfly and was forgotten: plan the event again.
async fn create_order<W: World>(
    session: &Session<'_, W>,
    record: &mut Record,
    sale: (&SaleClaim, i64),
    customer_id: Option<i64>,
    mut order: NewOrder,
) -> Result<Option<OrderCode>, Failure> {
    let (claim, invoice_id) = sale;
    let seq = record.seq;
    // The call has ended by `since`.
    let claim_order = async |since| {
        if mutant!(ClaimNotAnnounced) {
            return Ok(());
        }
        let entry = InvoiceEntry::Ordering {
            seq,
            invoice_id,
            since,
            sold: claim.sold.clone(),
        };
        ledger::keep_invoice(session.world, &claim.key, &entry).await
    };
    let announce = async || claim_order(ledger::call_ends(session.world.now())).await;
    products::replace_deleted(session, record, &mut order).await?;
    let owes_read_back = match customer_id {
        Some(_) => false,
        None => walk_in::prepare(session, record, &mut order).await?,
    };
    announce().await?;
    record.order_claim = Some(claim.key.clone());
    for _ in 0..MOST_FORMS {
        let answer = session.getfly().create_order(&order).await;
        let error = match memory::code_told(answer) {
            Ok(code) => {
                let code = OrderCode::existing(code);
                memory::is_stored_under(record, order.code.as_str(), code.as_str());
                if owes_read_back && order.account.code.is_none() {
                    walk_in::read_back(session, record, &code).await;
                }
                record.read_back = to_read_back(session, record, claim);
                return Ok(Some(code));
            }
            Err(error) => error,
        };
        if error.maybe_stored() || error.is_duplicate() {
            let unsettled = !error.is_duplicate();
            if unsettled {
                claim_order(session.world.now()).await?;
            }
            let stored = match memory::order_stored(session, &order.code, &error).await {
                Err(e) if unsettled => return Err(unknown(e, None)),
                stored => stored?,
            };
            if let Some(code) = stored {
                memory::is_stored_under(record, order.code.as_str(), code.as_str());
                if !matches!(error, GetflyError::Untold { .. }) {
                    record.note(Note::OrderReplyLost);
                } else if owes_read_back && order.account.code.is_none() {
                    walk_in::read_back(session, record, &code).await;
                }
                return Ok(Some(code));
            }
            return Err(if unsettled {
                unknown(error, None)
            } else {
                error.into()
            });
        }
        match refused(session, record, customer_id, &mut order, &error).await? {
            Refused::SendAgain => announce().await?,
            Refused::PlanAnew => {
                claim_order(Timestamp::UNIX_EPOCH).await?;
                return Ok(None);
            }
            Refused::ForGood => {
                // Whoever retries it need not wait.
                claim_order(Timestamp::UNIX_EPOCH).await?;
                // An account that was given to it is the next walk-in's too.
                if owes_read_back && order.account.code.is_none() {
                    walk_in::never_stored(session).await?;
                }
                return Err(error.into());
            }
        }
    }
    Err(every_form_refused(Target::Order))
}

/// How many of a tenant's first orders are read back; after these, one in how many.
const READ_BACK_FIRST: u64 = 20;
const READ_BACK_EVERY: u64 = 100;

/// The order's total, if it is one of the orders whose total is read back later.
fn to_read_back<W: World>(
    session: &Session<'_, W>,
    record: &Record,
    claim: &SaleClaim,
) -> Option<ReadBack> {
    let orders = session.world.times_seen(Assumption::OrderAnswer);
    if orders > READ_BACK_FIRST && !orders.is_multiple_of(READ_BACK_EVERY) {
        return None;
    }
    let differs = record.notes.iter().find_map(|note| match note {
        Note::Rules(Remark::Difference { computed, .. }) => Some(*computed),
        _ => None,
    });
    let ours = differs.or(claim.sold.total)?.to_string();
    Some(ReadBack::Owed { ours })
}

/// What to do about an order that Getfly plainly refuses.
enum Refused {
    /// A detail was left out or replaced: send the order again.
    SendAgain,
    /// A fact that the plan relies on is wrong.
    PlanAnew,
    /// Nothing helps.
    ForGood,
}

async fn refused<W: World>(
    session: &Session<'_, W>,
    record: &mut Record,
    customer_id: Option<i64>,
    order: &mut NewOrder,
    error: &GetflyError,
) -> Result<Refused, Failure> {
    if let Some(detail) = error.refused_detail() {
        let dropped = details::drop_from_order(order, detail);
        if dropped {
            record.note(details::without(detail, error));
            return Ok(Refused::SendAgain);
        }
    }
    if error.is_about_products() && products::replace_unknown(session, record, order).await? {
        return Ok(Refused::SendAgain);
    }
    if !error.is_about_accounts() && !error.is_404() {
        return Ok(Refused::ForGood);
    }
    match (customer_id, order.account.code.clone()) {
        (Some(id), Some(code)) => {
            let gone = memory::drop_if_gone(session, record, id, &code).await?;
            Ok(if gone {
                Refused::PlanAnew
            } else {
                Refused::ForGood
            })
        }
        (None, code) if code.is_some() || error.is_about_accounts() => {
            let given = walk_in::give_account(session, record, order).await?;
            Ok(if given {
                Refused::SendAgain
            } else {
                Refused::ForGood
            })
        }
        _ => Ok(Refused::ForGood),
    }
}

/// R11: the new account's opportunity in the configured campaign.
async fn enrol<W: World>(
    session: &Session<'_, W>,
    record: &mut Record,
    account: &NewAccount,
) -> Result<(), Failure> {
    let rules = &session.ready.rules;
    let (Some(campaign), Some(recipient)) = (
        &rules.customer_campaign_code,
        &rules.campaign_recipient_username,
    ) else {
        return Ok(());
    };
    let Some(phone) = &account.phone else {
        record.note(Note::NotEnrolled);
        return Ok(());
    };
    let opportunity = NewOpportunity {
        campaign_code: campaign.clone(),
        account_code: account.code.clone(),
        account_name: account.name.clone(),
        phone: Some(phone.clone()),
        email: account.email.clone(),
        recipient: Some(recipient.clone()),
    };
    match session.getfly().create_opportunity(&opportunity).await {
        Ok(_) => record.note(Note::Enrolled),
        // Certainly not created: the whole event is attempted again and finds the account by its
        // code.
        Err(error @ GetflyError::Busy { status: 429, .. }) => return Err(error.into()),
        Err(error @ GetflyError::Unreachable(HttpError::LeaseEnded)) => return Err(error.into()),
        Err(error) => record.note(Note::EnrolmentUnknown { why: error.into() }),
    }
    Ok(())
}

/// R11 for an account that an earlier attempt created: that attempt may have stopped before it
/// enrolled the account.
async fn enrol_found<W: World>(
    session: &Session<'_, W>,
    record: &mut Record,
    customer_id: i64,
    code: &AccountCode,
) -> Result<(), Failure> {
    if session.ready.rules.customer_campaign_code.is_none()
        || record.notes.iter().any(Note::is_about_campaign)
    {
        return Ok(());
    }
    let Some(customer) = session
        .kiotviet(async |k| k.customer(customer_id).await)
        .await?
    else {
        return Ok(());
    };
    let rules = &session.ready.rules;
    let account = NewAccount {
        code: code.clone(),
        ..crate::rules::account::new_account(&session.codes, &customer, None, rules)
    };
    enrol(session, record, &account).await
}
