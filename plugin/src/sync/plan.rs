//! What an event should lead to: reads both sides, asks the rules, writes nothing. The preview shows
//! a plan, the worker executes it.

use super::{
    connections::Switches,
    ledger::{self, CustomerKnown, SETTLE_SECONDS},
    record::{Alternative, Hint},
    session::Session,
    world::{HttpError, StoreError, World},
};
use crate::time::Timestamp;
use crate::{
    getfly::error::GetflyError,
    kiotviet::error::KiotVietError,
    rules::{
        account::{manager_from_invoice, new_account},
        codes::{AccountCode, InvoiceCode, OrderCode},
        email::EmailField,
        executor::{ExecutorFinding, find_executor},
        matching::{Choice, MatchedBy, choose},
        model::{Account, Customer, GetflyUser, Invoice, NewAccount, NewOrder, OrderAccount},
        newness::{self, Newness},
        order::{new_order, walk_in_account},
        phone::{PhoneField, PhoneNumber},
        verdict::Reason,
    },
    together,
    upstream::Fate,
};
use core::time::Duration;
use futures_util::future::join;

/// Numbers or addresses of one field that are searched for; a field with more is somebody's notes.
const SEARCHED_AT_MOST: usize = 6;

/// Which upstream failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// This connection's KiotViet.
    KiotViet,
    /// The Getfly tenant.
    Getfly,
}

/// Why a try did not end the event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Try again by the schedule.
    Retry {
        /// Who failed.
        side: Side,
        /// In words, for people.
        words: String,
        /// The upstream's own wish.
        after: Option<Duration>,
    },
    /// Not before this moment; no failure.
    Later(Timestamp),
    /// It needs a person.
    Dead {
        /// A stable word.
        reason: &'static str,
        /// In words.
        words: String,
    },
    /// The lease ended or the store failed: nothing about the event. Somebody goes on later.
    Abandoned(String),
}

impl Failure {
    /// What happened, in words.
    pub fn words(&self) -> String {
        match self {
            Self::Retry { words, .. } | Self::Dead { words, .. } | Self::Abandoned(words) => {
                words.clone()
            }
            Self::Later(until) => format!("an earlier try is not settled before {until}"),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(e: StoreError) -> Self {
        Self::Abandoned(e.to_string())
    }
}

impl From<KiotVietError> for Failure {
    fn from(e: KiotVietError) -> Self {
        if e == KiotVietError::Unreachable(HttpError::LeaseEnded) {
            return Self::Abandoned(e.to_string());
        }
        match e.fate() {
            Fate::Retry { after } => Self::Retry {
                side: Side::KiotViet,
                words: e.to_string(),
                after,
            },
            Fate::Dead => Self::Dead {
                reason: "kiotviet_refused",
                words: e.to_string(),
            },
        }
    }
}

impl From<GetflyError> for Failure {
    fn from(e: GetflyError) -> Self {
        if e == GetflyError::Unreachable(HttpError::LeaseEnded) {
            return Self::Abandoned(e.to_string());
        }
        match e.fate() {
            Fate::Retry { after } => Self::Retry {
                side: Side::Getfly,
                words: e.to_string(),
                after,
            },
            Fate::Dead => Self::Dead {
                reason: "getfly_refused",
                words: e.to_string(),
            },
        }
    }
}

/// Which account an event leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountPlan {
    /// The ledger knows it.
    Known(AccountCode),
    /// R7: link this one.
    Link {
        /// Its code.
        code: AccountCode,
        /// What matched.
        by: MatchedBy,
    },
    /// An earlier try of event `by` created it under our code.
    Ours {
        /// Its code.
        code: AccountCode,
        /// The event that was about to create it, where the ledger still knows.
        by: Option<u64>,
    },
    /// Create it.
    Create(Box<NewAccount>),
}

impl AccountPlan {
    /// The account's code, now or after the create.
    pub fn code(&self) -> &AccountCode {
        match self {
            Self::Known(code) | Self::Link { code, .. } | Self::Ours { code, .. } => code,
            Self::Create(account) => &account.code,
        }
    }
}

/// What is kept in the ledger of an event that is ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remember {
    /// Nothing.
    Nothing,
    /// This customer is older than the webhook.
    OldCustomer(i64),
    /// This invoice is older than the webhook, or an edit of one that is.
    OldInvoice {
        /// Its code.
        code: InvoiceCode,
        /// Its id.
        invoice_id: i64,
        /// It is an edit.
        edited: bool,
    },
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Nothing, for this reason.
    Ignore {
        /// Why.
        reason: Reason,
        /// For the ledger.
        remember: Remember,
    },
    /// A customer event.
    Customer {
        /// KiotViet's id.
        customer_id: i64,
        /// Its account.
        account: AccountPlan,
    },
    /// An invoice event.
    Order {
        /// KiotViet's id.
        invoice_id: i64,
        /// KiotViet's code.
        invoice_code: InvoiceCode,
        /// The customer's id and account; none for a walk-in.
        account: Option<(i64, AccountPlan)>,
        /// The order.
        order: Box<NewOrder>,
    },
    /// The order of an earlier try of event `by` is there.
    OrderIsThere {
        /// KiotViet's id.
        invoice_id: i64,
        /// KiotViet's code.
        invoice_code: InvoiceCode,
        /// The order's code.
        code: OrderCode,
        /// The event that was about to create it.
        by: Option<u64>,
    },
}

/// A plan with its explanation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What to do.
    pub action: Action,
    /// What it was decided on.
    pub evidence: Vec<String>,
    /// Accounts that matched.
    pub alternatives: Vec<Alternative>,
    /// Remarks for people.
    pub notes: Vec<String>,
}

impl Plan {
    /// The plan to do nothing, for a reason that needs no explanation.
    pub fn ignoring(reason: Reason) -> Self {
        Explanation::default().ignore(reason)
    }

    /// The reason the event ends with when everything goes as planned.
    pub fn reason(&self) -> Reason {
        match &self.action {
            Action::Ignore { reason, .. } => *reason,
            Action::Order { .. } | Action::OrderIsThere { .. } => Reason::OrderCreated,
            Action::Customer { account, .. } => match account {
                AccountPlan::Create(_) => Reason::CustomerCreated,
                AccountPlan::Link { by, .. } => by.reason(),
                AccountPlan::Known(_) | AccountPlan::Ours { .. } => Reason::AlreadySynced,
            },
        }
    }
}

#[derive(Default)]
struct Explanation {
    evidence: Vec<String>,
    alternatives: Vec<Alternative>,
    notes: Vec<String>,
}

impl Explanation {
    fn plan(self, action: Action) -> Plan {
        Plan {
            action,
            evidence: self.evidence,
            alternatives: self.alternatives,
            notes: self.notes,
        }
    }

    fn ignore(self, reason: Reason) -> Plan {
        self.plan(Action::Ignore {
            reason,
            remember: Remember::Nothing,
        })
    }
}

fn show(time: Option<Timestamp>) -> String {
    time.map_or_else(|| "not given".to_owned(), |t| t.to_string())
}

fn no_creation_date(what: &str) -> Failure {
    Failure::Dead {
        reason: "creation_date_missing",
        words: format!("KiotViet's {what} has no createdDate, so new and old cannot be told apart"),
    }
}

/// R2, R4, R6, R7: the plan for a customer event.
pub async fn customer<W: World>(
    session: &Session<'_, W>,
    switches: Switches,
    hint: &Hint,
) -> Result<Plan, Failure> {
    let mut why = Explanation::default();
    let known = ledger::customer(session.world, &session.connection.retailer, hint.id).await?;
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
        why.evidence.push(format!(
            "KiotViet created it at {}; the customer webhook was switched on at {on_since}",
            show(customer.created_at)
        ));
    }
    match (
        newness::customer_after_reading(on_since, record.as_ref()),
        record,
    ) {
        (Newness::Ignore(reason), _) => {
            let remember = match reason {
                Reason::CreatedBeforeConnection => Remember::OldCustomer(hint.id),
                _ => Remember::Nothing,
            };
            Ok(why.plan(Action::Ignore { reason, remember }))
        }
        (Newness::NoCreationDate, _) => Err(no_creation_date("customer")),
        (Newness::New, None) => Ok(why.ignore(Reason::DeletedOnKiotviet)),
        (Newness::New, Some(customer)) => {
            let account = resolve(session, &customer, &known, None, &mut why).await?;
            match &account {
                AccountPlan::Ours { code, .. } => {
                    why.evidence
                        .push(format!("Getfly has the account {code} already"));
                }
                AccountPlan::Create(_) => {
                    why.notes.push(
                        "R12: no manager, because the customer came by its own event".to_owned(),
                    );
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

/// R7: which account `customer` is, or the one to create with `manager`.
async fn resolve<W: World>(
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
        Some(code) => Some(ledger::invoice(session.world, retailer, code.base()).await?),
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
        return Ok(why.ignore(Reason::DeletedOnKiotviet));
    };
    why.evidence.push(format!(
        "KiotViet created {} at {}; the order webhook was switched on at {on_since}",
        invoice.code,
        show(invoice.created_at)
    ));
    if hinted.as_ref().map(InvoiceCode::base) != Some(invoice.code.base()) {
        // The delivery had no code, or another one: the record's own decides.
        family = Some(ledger::invoice(session.world, retailer, invoice.code.base()).await?);
    }
    let known = family.as_ref().and_then(|f| f.known);
    if let Some(reason) = newness::invoice_in_family(&invoice, known) {
        return Ok(why.ignore(reason));
    }
    let original = original_of(session, &invoice).await?;
    match newness::invoice_after_reading(on_since, Some(&invoice), original.as_ref()) {
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
        Newness::NoCreationDate => return Err(no_creation_date("invoice")),
        Newness::New => {}
    }
    let perhaps = family.and_then(|f| f.perhaps);
    if let Some(code) = order_of_earlier_try(session, &invoice, perhaps).await? {
        let by = perhaps.map(|p| p.by);
        return Ok(why.plan(Action::OrderIsThere {
            invoice_id: invoice.id,
            invoice_code: invoice.code,
            code,
            by,
        }));
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
    .map_err(|e| Failure::Dead {
        reason: "absurd_amount",
        words: e.to_string(),
    })?;
    why.notes.extend(planned.notes);
    Ok(why.plan(Action::Order {
        invoice_id: invoice.id,
        invoice_code: invoice.code,
        account,
        order: Box::new(planned.order),
    }))
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

/// Whether an earlier try, which nobody saw the end of, created the order.
async fn order_of_earlier_try<W: World>(
    session: &Session<'_, W>,
    invoice: &Invoice,
    perhaps: Option<ledger::EarlierTry>,
) -> Result<Option<OrderCode>, Failure> {
    let Some(earlier) = perhaps else {
        return Ok(None);
    };
    let code = OrderCode::for_invoice(&session.connection.retailer, &invoice.code);
    if session.getfly().order_by_code(&code).await?.is_some() {
        return Ok(Some(code));
    }
    let settled = earlier
        .since
        .checked_add(Duration::from_secs(SETTLE_SECONDS))
        .unwrap_or(earlier.since);
    if session.world.now() < settled {
        Err(Failure::Later(settled))
    } else {
        Ok(None)
    }
}

/// R13.
async fn executor<W: World>(
    session: &Session<'_, W>,
    invoice: &Invoice,
    why: &mut Explanation,
) -> Result<Option<GetflyUser>, Failure> {
    let ignored = &session.ready.rules.ignored_phones;
    let finding = if invoice.sold_by_id.is_none() {
        ExecutorFinding::NoSeller
    } else {
        let sellers = session.kiotviet_users().await?;
        let users = session.getfly_users().await?;
        find_executor(invoice.sold_by_id, &sellers, &users, ignored)
    };
    why.notes.push(finding.note());
    Ok(match finding {
        ExecutorFinding::Found(user) => Some(user),
        _ => None,
    })
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
        why.notes
            .push("R5: a walk-in (Khách lẻ); no account is created".to_owned());
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
        why.notes.push(
            "KiotViet no longer has the invoice's customer; the order carries the name only"
                .to_owned(),
        );
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
        why.notes
            .push("R12: no manager, because the customer webhook is on".to_owned());
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
