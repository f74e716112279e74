//! Carries a plan out at Getfly: each create is announced in the ledger first, and one whose answer
//! was lost is settled by reading the code back, never by a second create.

use super::{
    keys,
    ledger::{self, CustomerEntry, InvoiceEntry, SETTLE},
    plan::{self, AccountPlan, Action, Failure, Plan, Remember, SaleClaim},
    record::{Record, State},
    session::Session,
    world::{HttpError, World},
};
use crate::{
    getfly::{error::GetflyError, refusal::Detail, wire::NewOpportunity},
    rules::{
        codes::AccountCode,
        model::{Customer, NewAccount, NewOrder, OrderAccount},
        phone::PhoneField,
        verdict::Reason,
    },
    time::Timestamp,
};

/// Details that Getfly may refuse by name before the record itself is given up: manager, executor,
/// source and gender.
const REFUSABLE_DETAILS: usize = 4;

/// Executes `plan` for `record` and ends it. On a failure the record is as before, but for notes of
/// what was already done.
pub async fn execute<W: World>(
    session: &Session<'_, W>,
    record: &mut Record,
    plan: Plan,
) -> Result<(), Failure> {
    record.evidence = plan.evidence;
    record.alternatives = plan.alternatives;
    for text in &plan.notes {
        note(record, text);
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
            record.order_code = Some(code);
            if by == Some(record.seq) {
                keep_ordered(session, claim, invoice_id).await?;
                note(
                    record,
                    "the order's reply was lost; it was found by its code",
                );
                Reason::OrderCreated
            } else {
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
            if let Some((customer_id, account)) = account {
                let (code, reason) = ensure_account(session, record, customer_id, account).await?;
                note(record, &format!("account {code}: {}", reason.as_str()));
                if order.account.code.as_ref() != Some(&code) {
                    // Linked after all: what was planned is not that account's own.
                    order.account = OrderAccount {
                        code: Some(code.clone()),
                        ..OrderAccount::default()
                    };
                }
                record.account_code = Some(code);
            }
            let code = order.code.clone();
            create_order(session, record, &claim, invoice_id, *order).await?;
            record.order_code = Some(code);
            Reason::OrderCreated
        }
    };
    finish(record, reason, session.world.now());
    Ok(())
}

/// Ends `record` with `reason`.
pub fn finish(record: &mut Record, reason: Reason, now: crate::time::Timestamp) {
    record.state = State::Done;
    record.outcome = Some(reason.outcome());
    record.reason = Some(reason.as_str().to_owned());
    record.rule = Some(reason.rule().to_owned());
    record.evidence.push(reason.explain().to_owned());
    record.next_attempt_at = None;
    record.finished_at = Some(now);
    record.body = None;
}

/// Adds a remark once. What an earlier try remarked stays: it may have created something.
pub fn note(record: &mut Record, text: &str) {
    if !record.notes.iter().any(|n| n == text) {
        record.notes.push(text.to_owned());
    }
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
    let entry = CustomerEntry::Synced(code.clone());
    Ok(ledger::keep_customer(session.world, &session.connection.retailer, id, &entry).await?)
}

/// Makes sure that the customer's account exists; gives its code and how it came about.
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
        AccountPlan::Ours { code, by, .. } if by == Some(record.seq) => {
            note(
                record,
                "the account's reply was lost; it was found by its code",
            );
            enrol_found(session, record, customer_id, &code).await?;
            keep_synced(session, customer_id, &code).await?;
            Ok((code, Reason::CustomerCreated))
        }
        // The other event, if it is still waiting, must go on finding its claim.
        AccountPlan::Ours {
            code, by: Some(_), ..
        } => Ok((code, Reason::AlreadySynced)),
        AccountPlan::Ours { code, by: None, .. } => {
            keep_synced(session, customer_id, &code).await?;
            Ok((code, Reason::AlreadySynced))
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
    let code = account.code.clone();
    let phones = PhoneField::parse(account.phone.as_deref().unwrap_or_default());
    if phones.numbers().len() > 1 && !mutant!(MergedNumbersForgotten) {
        let sealer = &session.ready.sealer;
        ledger::keep_numbers(session.world, sealer, phones.numbers(), &code).await?;
    }
    let seq = record.seq;
    let retailer = &session.connection.retailer;
    let announce = async |since| {
        let code = code.clone();
        let claim = CustomerEntry::Creating { seq, code, since };
        ledger::keep_customer(session.world, retailer, customer_id, &claim).await
    };
    announce(session.world.now()).await?;
    record.account_claim = Some(keys::customer(retailer.as_str(), customer_id));
    for _ in 0..=REFUSABLE_DETAILS {
        let Err(error) = session.getfly().create_account(&account).await else {
            enrol(session, record, &account).await?;
            return Ok((code, Reason::CustomerCreated));
        };
        if let Some(detail) = error.refused_detail()
            && !error.is_duplicate()
        {
            if drop_from_account(&mut account, detail) {
                note(record, &without(detail, &error));
                announce(session.world.now()).await?;
                continue;
            }
            announce(Timestamp::UNIX_EPOCH).await?;
            return Err(error.into());
        }
        if !error.maybe_stored() && !error.is_duplicate() {
            // Nobody needs to wait for it.
            announce(Timestamp::UNIX_EPOCH).await?;
            return Err(error.into());
        }
        if session.getfly().account_by_code(&code).await?.is_some() {
            note(
                record,
                "the account's reply was lost; it was found by its code",
            );
            enrol(session, record, &account).await?;
            return Ok((code, Reason::CustomerCreated));
        }
        if error.is_duplicate() {
            return link_after_refusal(session, record, customer_id, &account, error).await;
        }
        return Err(unknown(error));
    }
    Err(Failure::Dead {
        reason: "getfly_refused",
        words: "Getfly refuses every form of this account".to_owned(),
    })
}

/// Getfly refused the account as a duplicate that the search did not show: somebody created it in
/// between, or Getfly compares in another way than its search.
async fn link_after_refusal<W: World>(
    session: &Session<'_, W>,
    record: &mut Record,
    customer_id: i64,
    account: &NewAccount,
    error: GetflyError,
) -> Result<(AccountCode, Reason), Failure> {
    let customer = Customer {
        id: customer_id,
        contact_number: account.phone.clone().unwrap_or_default(),
        email: account.email.clone().unwrap_or_default(),
        ..Customer::default()
    };
    let (choice, _) = plan::search(session, &customer, &account.code).await?;
    let Some((found, by)) = choice.linked else {
        return Err(error.into());
    };
    note(
        record,
        "Getfly refused a second account with this phone or e-mail; the first one was linked",
    );
    keep_synced(session, customer_id, &found.code).await?;
    Ok((found.code, by.reason()))
}

async fn create_order<W: World>(
    session: &Session<'_, W>,
    record: &mut Record,
    claim: &SaleClaim,
    invoice_id: i64,
    mut order: NewOrder,
) -> Result<(), Failure> {
    let seq = record.seq;
    let announce = async || {
        if mutant!(ClaimNotAnnounced) {
            return Ok(());
        }
        let since = session.world.now();
        let entry = InvoiceEntry::Ordering {
            seq,
            invoice_id,
            since,
            sold: claim.sold.clone(),
        };
        ledger::keep_invoice(session.world, &claim.key, &entry).await
    };
    announce().await?;
    record.order_claim = Some(claim.key.clone());
    for _ in 0..=REFUSABLE_DETAILS {
        let Err(error) = session.getfly().create_order(&order).await else {
            return Ok(());
        };
        match error.refused_detail() {
            Some(Detail::Executor) if order.executor.take().is_some() => {
                note(record, &without(Detail::Executor, &error));
                announce().await?;
                continue;
            }
            Some(_) => return Err(error.into()),
            None => {}
        }
        if !error.maybe_stored() && !error.is_duplicate() {
            return Err(error.into());
        }
        if session.getfly().order_by_code(&order.code).await?.is_some() {
            note(
                record,
                "the order's reply was lost; it was found by its code",
            );
            return Ok(());
        }
        return Err(if error.is_duplicate() {
            error.into()
        } else {
            unknown(error)
        });
    }
    Err(Failure::Dead {
        reason: "getfly_refused",
        words: "Getfly refuses every form of this order".to_owned(),
    })
}

/// A create without an answer, whose record is not there: it may still come.
fn unknown(error: GetflyError) -> Failure {
    match Failure::from(error) {
        Failure::Retry { side, words, after } => Failure::Retry {
            side,
            words,
            after: Some(after.unwrap_or_default().max(SETTLE)),
        },
        other => other,
    }
}

/// Takes the detail out; false when the account does not have it.
fn drop_from_account(account: &mut NewAccount, detail: Detail) -> bool {
    match detail {
        Detail::Manager => account.manager.take().is_some(),
        Detail::Source => account.source.take().is_some(),
        Detail::Gender => account.gender.take().is_some(),
        Detail::Executor => false,
    }
}

fn without(detail: Detail, error: &GetflyError) -> String {
    let detail = match detail {
        Detail::Manager => "manager",
        Detail::Executor => "executor",
        Detail::Source => "source",
        Detail::Gender => "gender",
    };
    format!("created without the {detail}: {error}")
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
        note(
            record,
            "R11: not enrolled in the campaign, because the customer has no phone",
        );
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
        Ok(_) => note(record, "R11: enrolled in the campaign"),
        // Not created for sure: the whole event is tried again and finds the account by its code.
        Err(error @ GetflyError::Busy { status: 429, .. }) => return Err(error.into()),
        Err(error @ GetflyError::Unreachable(HttpError::LeaseEnded)) => return Err(error.into()),
        Err(error) => note(
            record,
            &format!("R11: whether it was enrolled in the campaign is unknown: {error}"),
        ),
    }
    Ok(())
}

/// R11 for an account that an earlier try created: that try may have stopped before enrolling it.
async fn enrol_found<W: World>(
    session: &Session<'_, W>,
    record: &mut Record,
    customer_id: i64,
    code: &AccountCode,
) -> Result<(), Failure> {
    if session.ready.rules.customer_campaign_code.is_none()
        || record.notes.iter().any(|n| n.starts_with("R11"))
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
