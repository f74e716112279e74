//! Which account a customer is: the ledger's, an earlier try's, one that Getfly finds by e-mail or
//! phone, or a new one.

use super::{AccountPlan, Explanation, Failure};
use crate::{
    rules::{
        account::new_account,
        codes::AccountCode,
        email::EmailField,
        matching::{Choice, choose},
        model::{Account, Customer, GetflyUser},
        phone::{PhoneField, PhoneNumber},
    },
    sync::{
        ledger::{self, CustomerKnown},
        record::Alternative,
        session::Session,
        world::World,
    },
    together,
};
use futures_util::future::join;

/// Numbers or addresses of one field that are searched for; a field with more is somebody's notes.
const SEARCHED_AT_MOST: usize = 6;

/// R7: which account `customer` is, or the one to create with `manager`.
pub(super) async fn resolve<W: World>(
    session: &Session<'_, W>,
    customer: &Customer,
    known: &CustomerKnown,
    manager: Option<&GetflyUser>,
    why: &mut Explanation,
) -> Result<AccountPlan, Failure> {
    let retailer = &session.connection.retailer;
    let rules = &session.ready.rules;
    let own = AccountCode::for_customer(retailer, customer.id);
    let by = match known {
        CustomerKnown::Synced(code) => return Ok(AccountPlan::Known(code.clone())),
        CustomerKnown::Perhaps { by } => {
            if session.getfly().account_by_code(&own).await?.is_some() {
                return Ok(AccountPlan::Ours { code: own, by: *by });
            }
            *by
        }
        CustomerKnown::Nothing | CustomerKnown::Before => None,
    };
    let (choice, ours) = search(session, customer, &own).await?;
    if ours {
        return Ok(AccountPlan::Ours { code: own, by });
    }
    let matches = choice.alternatives.len() + usize::from(choice.linked.is_some());
    why.evidence.push(format!(
        "accounts in Getfly with the same e-mail or phone: {matches}"
    ));
    explain_choice(&choice, why);
    Ok(match choice.linked {
        Some((account, by)) => AccountPlan::Link {
            code: account.code,
            by,
        },
        None => AccountPlan::Create(Box::new(new_account(retailer, customer, manager, rules))),
    })
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

/// Searches Getfly by every e-mail and phone of the customer, all at once; also tells whether the
/// account under our own code is among the finds.
pub async fn search<W: World>(
    session: &Session<'_, W>,
    customer: &Customer,
    own: &AccountCode,
) -> Result<(Choice, bool), Failure> {
    let getfly = session.getfly();
    let ignored = &session.ready.rules.ignored_phones;
    let emails = EmailField::parse(&customer.email);
    let phones = PhoneField::parse(&customer.contact_number);
    let by_email = together::try_all(
        emails
            .addresses()
            .iter()
            .take(SEARCHED_AT_MOST)
            .map(|e| getfly.accounts_by_email(e)),
    );
    let numbers: Vec<&PhoneNumber> = phones.matchable(ignored).take(SEARCHED_AT_MOST).collect();
    let by_phone = together::try_all(numbers.iter().map(|p| getfly.accounts_by_phone(p)));
    let (email_hits, phone_hits) = join(by_email, by_phone).await;
    let email_hits: Vec<Account> = email_hits?.into_iter().flatten().collect();
    let mut phone_hits: Vec<Account> = phone_hits?.into_iter().flatten().collect();
    for number in numbers {
        let kept =
            ledger::account_with_number(session.world, &session.ready.sealer, number).await?;
        if let Some(code) = kept.filter(|c| phone_hits.iter().all(|a| a.code != *c)) {
            phone_hits.extend(getfly.account_by_code(&code).await?);
        }
    }
    let ours = email_hits.iter().chain(&phone_hits).any(|a| a.code == *own);
    Ok((
        choose(&email_hits, &phone_hits, &emails, &phones, ignored),
        ours,
    ))
}
