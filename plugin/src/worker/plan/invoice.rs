//! The plan for an invoice event: whether the sale is new, whether its order exists already, whose
//! it is and who sold it.

use crate::{
    journal::{
        backfill,
        changes::{self, Change},
        connections::{Switches, Webhook},
        dead_reason::DeadReason,
        evidence::Evidence,
        ledger::{self, CustomerKnown, InvoiceEntry, InvoiceKnown},
        note::Note,
        record::Hint,
        shown::Shown,
        trouble::{Source, Trouble},
    },
    rules::{
        account::{manager_from_invoice, new_account, unreadable},
        codes::{InvoiceCode, OrderCode},
        model::{Customer, GetflyUser, Invoice, OrderAccount},
        money::AbsurdAmount,
        newness::{self, CANCELLED, Newness},
        order::{new_order, walk_in_account},
        verdict::Reason,
    },
    time::Timestamp,
    worker::{
        failure::{Failure, no_creation_date},
        gone, memory, observe,
        plan::{
            account::{self, of_earlier_attempt, resolve},
            decision::{AccountPlan, Action, Explanation, Plan, Remember, new_since},
            executor::executor,
            sale::{self, Decided, Decision},
        },
        session::{Changed, Session},
    },
    world::World,
};

/// R3 to R6, R10, R12, R13: the plan for an invoice event that was received at `received`.
pub async fn invoice<W: World>(
    session: &Session<'_, W>,
    switches: Switches,
    hint: &Hint,
    received: Timestamp,
) -> Result<Plan, Failure> {
    let mut why = Explanation::default();
    let hinted = hint.code.as_deref().map(InvoiceCode::new);
    let mut known = match &hinted {
        Some(code) => known_of(session, code, hint).await?,
        None => InvoiceKnown::default(),
    };
    let is_known = |known: &InvoiceKnown| {
        newness::invoice_before_reading(switches.order, &known.for_rules(), hint.id)
    };
    if let Some(reason) = is_known(&known) {
        if hint.cancelled && switches.order.is_some() {
            cancelled_after(session, hint, &known).await?;
        }
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
    session.modified_at.set(invoice.modified_at);
    session.shown.replace(Shown {
        code: invoice.code.as_str().to_owned(),
        name: invoice.customer_name.clone(),
        total: Some(invoice.total),
    });
    observe::lines(session.world, &invoice);
    why.evidence.push(Evidence::InvoiceCreated {
        code: invoice.code.clone(),
        at: invoice.created_at,
        since: new_since(Webhook::Order, on_since, hint),
    });
    if hinted.as_ref() != Some(&invoice.code) {
        // The delivery had no code, or another one: the record's own code decides.
        known = known_of(session, &invoice.code, hint).await?;
        if let Some(reason) = is_known(&known) {
            return Ok(why.ignore(reason));
        }
    }
    let decision = sale::decide(session, &invoice, &known, on_since, received, &mut why).await?;
    let mut decided = match decision {
        Decision::Ignore(reason, remember) => {
            return Ok(why.plan(Action::Ignore { reason, remember }));
        }
        Decision::Sale(decided) => *decided,
    };
    // This comes before the record's age, which depends on switches that people may have turned
    // since: an order that exists, or may still take effect, must not be forgotten.
    if let Some(code) = order_of_earlier_attempt(session, &decided).await? {
        return Ok(why.plan(Action::OrderIsThere {
            claim: decided.claim(&invoice),
            invoice_id: invoice.id,
            invoice_code: invoice.code,
            code,
            by: decided.perhaps.map(|tried| tried.by),
        }));
    }
    if let Some(plan) = too_old(session, on_since, &invoice, &decided, &mut why).await? {
        return Ok(core::mem::take(&mut why).plan(plan));
    }
    if let Some(code) = sale::order_in_getfly(session, &invoice, &mut decided, &mut why).await? {
        return Ok(why.plan(Action::OrderIsThere {
            claim: decided.claim(&invoice),
            invoice_id: invoice.id,
            invoice_code: invoice.code,
            code,
            by: None,
        }));
    }
    let claim = decided.claim(&invoice);
    let executor = executor(session, &invoice, &mut why).await?;
    let (account, block) =
        customer_of(session, switches, &invoice, executor.as_ref(), &mut why).await?;
    let planned = new_order(
        decided.code,
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
        claim,
    }))
}

/// R6: the order of this invoice is made, and a delivery says that it is cancelled. Notes it where KiotViet says so too. An
/// order is asked about once.
async fn cancelled_after<W: World>(
    session: &Session<'_, W>,
    hint: &Hint,
    known: &InvoiceKnown,
) -> Result<(), Failure> {
    let Some(code) = hint.code.as_deref().map(InvoiceCode::new) else {
        return Ok(());
    };
    let Some((order_code, pushed)) = known.order(&session.codes, hint.id, &code) else {
        return Ok(());
    };
    let all = changes::load(session.world, &session.connection.name).await?;
    let earlier = all.of(&order_code).map(|kept| &kept.change);
    // An edit that came since has taken this invoice's place.
    let is_over = |change: &Change| change.invoice_code != code || change.now.is_none();
    if earlier.is_some_and(is_over) {
        return Ok(());
    }
    let invoice = session.kiotviet(async |k| k.invoice(hint.id).await).await?;
    if let Some(invoice) = invoice.filter(|invoice| invoice.status == CANCELLED) {
        session.changed.replace(Some(Changed {
            since: invoice.modified_at.or(invoice.created_at),
            day: invoice.purchase_date,
            change: Change {
                order_code,
                invoice_code: invoice.code,
                pushed,
                now: None,
            },
        }));
    }
    Ok(())
}

/// R2, R6: the plan for an invoice that is not new; none for a new one.
async fn too_old<W: World>(
    session: &Session<'_, W>,
    on_since: Timestamp,
    invoice: &Invoice,
    decided: &Decided,
    why: &mut Explanation,
) -> Result<Option<Action>, Failure> {
    let original = decided.original.as_ref();
    let known = decided.known_original;
    let mut newness = newness::invoice_after_reading(on_since, invoice, original, known);
    if newness.is_too_old()
        && !mutant!(BackfillForgetsEdits)
        && let Some(from) = wanted_from(session, invoice, original).await?
    {
        why.evidence.push(Evidence::Wanted { from });
        newness = newness::invoice_after_reading(from, invoice, original, None);
    }
    let reason = match newness {
        Newness::New => return Ok(None),
        Newness::NoCreationDate => return Err(no_creation_date(Source::Invoice)),
        Newness::Ignore(reason) => reason,
    };
    let remember = Remember::Invoice {
        code: invoice.code.clone(),
        key: decided.own_key.clone(),
        entry: InvoiceEntry::Old {
            invoice_id: invoice.id,
            edited: reason == Reason::InvoiceEdited,
            day: invoice.purchase_date,
        },
    };
    Ok(Some(Action::Ignore { reason, remember }))
}

async fn known_of<W: World>(
    session: &Session<'_, W>,
    code: &InvoiceCode,
    hint: &Hint,
) -> Result<InvoiceKnown, Failure> {
    let retailer = &session.connection.retailer;
    let known = ledger::invoices(session.world, retailer, code, hint.id).await?;
    Ok(if hint.since.is_some() {
        known.without_age()
    } else {
        known
    })
}

/// The moment from which the shop's backfill wants invoices, if this one's family is among them.
/// KiotViet's list shows an invoice that is edited before its turn as cancelled, and the edit as
/// younger than its window.
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

/// The order's code, if an earlier attempt whose end was lost created the order.
async fn order_of_earlier_attempt<W: World>(
    session: &Session<'_, W>,
    decided: &Decided,
) -> Result<Option<OrderCode>, Failure> {
    let perhaps = decided.perhaps.as_ref();
    let Some(earlier) = perhaps.filter(|_| !mutant!(RetryWithoutReadingBack)) else {
        return Ok(None);
    };
    let code = &decided.code;
    if session.getfly().order_by_code(code).await?.is_some() {
        return Ok(Some(code.clone()));
    }
    match ledger::unsettled_until(earlier.since, session.world.now()) {
        Some(settled) => Err(Failure::Later(settled)),
        None => memory::order_by_text(session, code, earlier.since).await,
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
                name: block.name.clone().unwrap_or_default(),
                ..Customer::default()
            };
            let account = new_account(&session.codes, &walk_in, None, rules);
            return Ok((Some((0, AccountPlan::Create(Box::new(account)))), block));
        }
        why.note(Note::WalkIn);
        return Ok((None, walk_in_account(&session.ready.rules)));
    };
    let known = ledger::customer(session.world, &session.connection.retailer, id).await?;
    if let CustomerKnown::Synced(code) = known {
        let account = AccountPlan::Known(code);
        let block = account.order_block();
        return Ok((Some((id, account)), block));
    }
    let Some(customer) = session.kiotviet(async |k| k.customer(id).await).await? else {
        gone::confirm(session).await?;
        let forgets = mutant!(DeletedForgetsAccount);
        if !forgets && let Some(account) = of_earlier_attempt(session, id, &known).await? {
            let block = account.order_block();
            return Ok((Some((id, account)), block));
        }
        why.note(Note::CustomerGone);
        return Ok((
            None,
            OrderAccount {
                name: Some(invoice.customer_name.clone()),
                ..OrderAccount::default()
            },
        ));
    };
    account::mark(session, &customer);
    let manager = manager_from_invoice(switches.customer.is_some(), executor);
    if switches.customer.is_some() {
        why.note(Note::NoManagerWhileOn);
    }
    let account = resolve(session, &customer, &known, manager, why).await?;
    let block = account.order_block();
    Ok((Some((id, account)), block))
}
