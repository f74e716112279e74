//! The plan for a customer event: whether the customer is new, and which account it leads to.

use crate::{
    journal::{
        connections::Switches,
        evidence::Evidence,
        ledger::{self, CustomerKnown},
        note::Note,
        record::Hint,
        shown::Shown,
        trouble::Source,
        webhook::Webhook,
    },
    rules::{
        newness::{self, Newness},
        verdict::Reason,
    },
    vendor::redaction::redact,
    worker::{
        dismissed,
        failure::{Failure, no_creation_date},
        gone,
        plan::{
            account::{self, of_earlier_attempt, resolve},
            decision::{AccountPlan, Action, Explanation, Plan, Remember, new_since},
        },
        session::Session,
    },
    world::World,
};

/// R2, R4, R6, R7: the plan for a customer event.
pub async fn customer<W: World>(
    session: &Session<'_, W>,
    switches: Switches,
    hint: &Hint,
) -> Result<Plan, Failure> {
    let mut why = Explanation::default();
    let mut known = ledger::customer(session.world, &session.connection.retailer, hint.id).await?;
    if hint.since.is_some() {
        known = known.without_age();
    }
    if let Some(reason) = newness::customer_before_reading(switches.customer, known.for_rules()) {
        return Ok(why.ignore(reason));
    }
    let Some(on_since) = switches.customer else {
        return Ok(why.ignore(Reason::CustomerWebhookOff));
    };
    let record = session
        .kiotviet(async |k| k.customer(hint.id).await)
        .await?;
    if let Some(customer) = &record {
        account::mark(session, customer);
        session.shown.replace(Shown {
            // Some shops take the phone for the code.
            code: redact(&customer.code),
            name: customer.name.clone(),
            total: None,
        });
        session.modified_at.set(customer.modified_at);
        let mark = dismissed::mark(session, customer);
        session.members.replace(Some(mark));
        why.evidence.push(Evidence::CustomerCreated {
            at: customer.created_at,
            since: new_since(Webhook::Customer, on_since, hint),
        });
    }
    let newness = newness::customer_after_reading(on_since, record.as_ref());
    let forgets = mutant!(OldForgetsClaim);
    if matches!(newness, Newness::Ignore(_))
        && !forgets
        && let Some(account) = of_earlier_attempt(session, hint.id, &known).await?
    {
        // Deleted since, or older than a webhook that was switched on again.
        let code = account.code().clone();
        why.evidence.push(Evidence::AccountIsThere { code });
        return Ok(why.plan(Action::Customer {
            customer_id: hint.id,
            account,
        }));
    }
    match (newness, record) {
        (Newness::Ignore(reason), _) => {
            if reason == Reason::DeletedOnKiotviet {
                gone::confirm(session).await?;
            }
            let remember = match reason {
                // An announced create may still take effect: the next attempt must read it back.
                Reason::CreatedBeforeConnection if known == CustomerKnown::Nothing || forgets => {
                    Remember::OldCustomer(hint.id)
                }
                _ => Remember::Nothing,
            };
            Ok(why.plan(Action::Ignore { reason, remember }))
        }
        (Newness::NoCreationDate, _) => Err(no_creation_date(Source::Customer)),
        (Newness::New, None) => Ok(why.ignore(Reason::DeletedOnKiotviet)),
        (Newness::New, Some(customer)) => {
            let account = resolve(session, &customer, &known, None, &mut why).await?;
            match &account {
                AccountPlan::Ours { code, .. } => {
                    let code = code.clone();
                    why.evidence.push(Evidence::AccountIsThere { code });
                }
                AccountPlan::Create(_) => {
                    why.note(Note::NoManagerOwnEvent);
                }
                AccountPlan::Known(_) | AccountPlan::Link { .. } => {}
            }
            Ok(why.plan(Action::Customer {
                customer_id: customer.id,
                account,
            }))
        }
    }
}
