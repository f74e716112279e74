//! The plan for an invoice event: whether the sale is new, whether its order is there already, whose
//! it is and who sold it.

use crate::{
    journal::{
        backfill,
        connections::{Switches, Webhook},
        dead_reason::DeadReason,
        evidence::Evidence,
        ledger::{self, CustomerKnown, InvoiceFamily},
        note::Note,
        record::Hint,
        trouble::{Source, Trouble},
    },
    rules::{
        account::{manager_from_invoice, new_account, unreadable},
        codes::{AccountCode, InvoiceCode, OrderCode},
        model::{Customer, GetflyUser, Invoice, OrderAccount},
        money::AbsurdAmount,
        newness::{self, Newness},
        order::{new_order, walk_in_account},
        verdict::Reason,
    },
    time::Timestamp,
    worker::{
        failure::{Failure, no_creation_date},
        gone, memory,
        plan::{
            account::{of_earlier_attempt, resolve},
            decision::{AccountPlan, Action, Explanation, Plan, Remember, new_since},
            executor::executor,
        },
        session::Session,
    },
    world::World,
};

/// R3 to R6, R10, R12, R13: the plan for an invoice event.
pub async fn invoice<W: World>(
    session: &Session<'_, W>,
    switches: Switches,
    hint: &Hint,
) -> Result<Plan, Failure> {
    let mut why = Explanation::default();
    let retailer = &session.connection.retailer;
    let hinted = hint.code.as_deref().map(InvoiceCode::new);
    let mut family = match &hinted {
        Some(code) => Some(family_of(session, code, hint).await?),
        None => None,
    };
    let known = family.as_ref().and_then(|f| f.known);
    if let Some(reason) = newness::invoice_before_reading(switches.order, known, hint.id) {
        return Ok(why.ignore(reason));
    }
    let Some(on_since) = switches.order else {
        return Ok(why.ignore(Reason::OrderWebhookOff));
    };
    let record = session.kiotviet(async |k| k.invoice(hint.id).await).await?;
    let Some(invoice) = record else {
        gone::confirm(session).await?;
        return Ok(why.ignore(Reason::DeletedOnKiotviet));
    };
    why.evidence.push(Evidence::InvoiceCreated {
        code: invoice.code.clone(),
        at: invoice.created_at,
        since: new_since(Webhook::Order, on_since, hint),
    });
    if hinted.as_ref().map(InvoiceCode::base) != Some(invoice.code.base()) {
        // The delivery had no code, or another one: the record's own decides.
        family = Some(family_of(session, &invoice.code, hint).await?);
    }
    let known = family.as_ref().and_then(|f| f.known);
    if let Some(reason) = newness::invoice_in_family(&invoice, known) {
        return Ok(why.ignore(reason));
    }
    // Before its age is looked at, which depends on switches that people may have turned since: an
    // order that is there, or may still come, must not be forgotten.
    let perhaps = family.and_then(|f| f.perhaps);
    if let Some(code) = order_of_earlier_attempt(session, &invoice, perhaps).await? {
        let by = perhaps.map(|p| p.by);
        return Ok(why.plan(Action::OrderIsThere {
            invoice_id: invoice.id,
            invoice_code: invoice.code,
            code,
            by,
        }));
    }
    let original = original_of(session, &invoice).await?;
    let original = original.as_ref();
    let mut newness = newness::invoice_after_reading(on_since, Some(&invoice), original, known);
    if newness.is_too_old()
        && !mutant!(BackfillForgetsEdits)
        && let Some(from) = wanted_from(session, &invoice, original).await?
    {
        why.evidence.push(Evidence::Wanted { from });
        newness = newness::invoice_after_reading(from, Some(&invoice), original, None);
    }
    match newness {
        Newness::Ignore(reason) => {
            let remember = match reason {
                Reason::CreatedBeforeConnection | Reason::InvoiceEdited => Remember::OldInvoice {
                    code: invoice.code.clone(),
                    invoice_id: invoice.id,
                    edited: reason == Reason::InvoiceEdited,
                },
                _ => Remember::Nothing,
            };
            return Ok(why.plan(Action::Ignore { reason, remember }));
        }
        Newness::NoCreationDate => return Err(no_creation_date(Source::Invoice)),
        Newness::New => {}
    }
    let executor = executor(session, &invoice, &mut why).await?;
    let (account, block) =
        customer_of(session, switches, &invoice, executor.as_ref(), &mut why).await?;
    let planned = new_order(
        retailer,
        &invoice,
        block,
        executor.as_ref(),
        &session.ready.rules,
    )
    .map_err(|AbsurdAmount| Failure::dead(DeadReason::AbsurdAmount, Trouble::AbsurdAmount))?;
    let remarks = unreadable(&invoice.unreadable).into_iter();
    let remarks = remarks.chain(planned.notes);
    remarks.for_each(|remark| why.note(remark));
    Ok(why.plan(Action::Order {
        invoice_id: invoice.id,
        invoice_code: invoice.code,
        account,
        order: Box::new(planned.order),
    }))
}

async fn family_of<W: World>(
    session: &Session<'_, W>,
    code: &InvoiceCode,
    hint: &Hint,
) -> Result<InvoiceFamily, Failure> {
    let retailer = &session.connection.retailer;
    let family = ledger::invoice(session.world, retailer, code.base()).await?;
    Ok(if hint.since.is_some() {
        family.without_age()
    } else {
        family
    })
}

/// The invoice that `HD000123.01` is an edit of.
async fn original_of<W: World>(
    session: &Session<'_, W>,
    invoice: &Invoice,
) -> Result<Option<Invoice>, Failure> {
    if !invoice.code.is_edit() {
        return Ok(None);
    }
    Ok(session
        .kiotviet(async |k| k.invoice_by_code(invoice.code.base()).await)
        .await?)
}

/// From when on the shop's backfill wants invoices, if this one's family is among them. Its list shows
/// an invoice that is edited before its turn as cancelled, and the edit as younger than its window.
async fn wanted_from<W: World>(
    session: &Session<'_, W>,
    invoice: &Invoice,
    original: Option<&Invoice>,
) -> Result<Option<Timestamp>, Failure> {
    let Some(created) = original.unwrap_or(invoice).created_at else {
        return Ok(None);
    };
    let backfill = backfill::load(session.world, &session.connection.name).await?;
    Ok(backfill.and_then(|backfill| backfill.wants(Webhook::Order, created)))
}

/// Whether an earlier attempt, which nobody saw the end of, created the order.
async fn order_of_earlier_attempt<W: World>(
    session: &Session<'_, W>,
    invoice: &Invoice,
    perhaps: Option<ledger::EarlierAttempt>,
) -> Result<Option<OrderCode>, Failure> {
    let Some(earlier) = perhaps.filter(|_| !mutant!(RetryWithoutReadingBack)) else {
        return Ok(None);
    };
    let code = OrderCode::for_invoice(&session.connection.retailer, &invoice.code);
    if session.getfly().order_by_code(&code).await?.is_some() {
        return Ok(Some(code));
    }
    match ledger::unsettled_until(earlier.since, session.world.now()) {
        Some(settled) => Err(Failure::Later(settled)),
        None => memory::order_by_text(session, &code, earlier.since).await,
    }
}

/// R4, R5, R12: the customer of an invoice and its block in the order.
async fn customer_of<W: World>(
    session: &Session<'_, W>,
    switches: Switches,
    invoice: &Invoice,
    executor: Option<&GetflyUser>,
    why: &mut Explanation,
) -> Result<(Option<(i64, AccountPlan)>, OrderAccount), Failure> {
    let Some(id) = invoice.customer_id else {
        if mutant!(WalkInCreatesAccount) {
            let rules = &session.ready.rules;
            let block = walk_in_account(rules);
            let walk_in = Customer {
                name: block.name.clone(),
                ..Customer::default()
            };
            let account = new_account(&session.connection.retailer, &walk_in, None, rules);
            return Ok((Some((0, AccountPlan::Create(Box::new(account)))), block));
        }
        why.note(Note::WalkIn);
        return Ok((None, walk_in_account(&session.ready.rules)));
    };
    let known = ledger::customer(session.world, &session.connection.retailer, id).await?;
    let block = |code: AccountCode| OrderAccount {
        code: Some(code),
        name: invoice.customer_name.clone(),
        ..OrderAccount::default()
    };
    if let CustomerKnown::Synced(code) = known {
        return Ok((Some((id, AccountPlan::Known(code.clone()))), block(code)));
    }
    let Some(customer) = session.kiotviet(async |k| k.customer(id).await).await? else {
        gone::control(session).await?;
        let forgets = mutant!(DeletedForgetsAccount);
        if !forgets && let Some(account) = of_earlier_attempt(session, id, &known).await? {
            let block = block(account.code().clone());
            return Ok((Some((id, account)), block));
        }
        why.note(Note::CustomerGone);
        return Ok((
            None,
            OrderAccount {
                name: invoice.customer_name.clone(),
                ..OrderAccount::default()
            },
        ));
    };
    let manager = manager_from_invoice(switches.customer.is_some(), executor);
    if switches.customer.is_some() {
        why.note(Note::NoManagerWhileOn);
    }
    let account = resolve(session, &customer, &known, manager, why).await?;
    let block = match &account {
        AccountPlan::Create(new) => OrderAccount {
            code: Some(new.code.clone()),
            name: new.name.clone(),
            phone: new.phone.clone(),
            email: new.email.clone(),
            address: new.address.clone(),
        },
        other => {
            let mut block = block(other.code().clone());
            if block.name.is_empty() {
                block.name = customer.name.clone();
            }
            block
        }
    };
    Ok((Some((id, account)), block))
}
