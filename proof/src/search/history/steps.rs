//! The steps of a history, and how each is carried out.

use super::{
    super::run::Run,
    clocks, people,
    records::{EMAILS, PHONES, SELLERS, content, new_customer, pick},
};
use host_test::{admin::Admin, host_fault::HostFault};
use serde::{Deserialize, Serialize};
use sim::{
    Fault, FaultRule, Habit, When,
    kiotviet::{Chaos, NewCustomer},
};
use std::time::Duration;

/// KiotViet's longest delay of a delivery.
const LATEST: u64 = 120;
/// In milliseconds.
const MINUTE: i32 = 60_000;
/// The webhooks that people can switch on and off.
const WEBHOOKS: [&str; 2] = ["customer", "order"];
/// People retry and dismiss one of this many first events.
const EVENTS: u8 = 12;

/// The vendor whose calls fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Vendor {
    /// KiotViet.
    KiotViet,
    /// Getfly.
    Getfly,
}

/// One step, in the shop whose turn it is if it concerns a shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// A customer is typed in.
    Customer {
        /// From the pool of phone fields.
        phone: u8,
        /// From the pool of e-mails.
        email: u8,
    },
    /// A sale to an existing customer, or to a walk-in.
    Sale {
        /// None is a walk-in.
        customer: Option<u8>,
        /// From the pool of sellers.
        seller: u8,
        /// From the pool of contents.
        content: u8,
    },
    /// Name and address of a customer change.
    EditCustomer(u8),
    /// Phone and e-mail of a customer change.
    EditContact {
        /// Which.
        customer: u8,
        /// From the pool of phone fields.
        phone: u8,
        /// From the pool of e-mails.
        email: u8,
    },
    /// A customer is deleted.
    DeleteCustomer(u8),
    /// A seller appears, or his phone is edited.
    Seller {
        /// From the pool of sellers.
        seller: u8,
        /// From the pool of their phones.
        phone: u8,
    },
    /// A seller becomes an admin, whom KiotViet does not list, or is one no longer.
    SellerRole(u8),
    /// A seller is deleted.
    SellerGone(u8),
    /// A user appears in Getfly, or his phone is edited.
    User {
        /// From the pool of users.
        user: u8,
        /// From the pool of sellers' phones.
        phone: u8,
    },
    /// A user is removed from Getfly.
    UserGone(u8),
    /// Getfly's people delete an account.
    AccountDeleted(u8),
    /// They merge an account into another one.
    AccountsMerged {
        /// Which is gone.
        account: u8,
        /// Which has its orders then.
        into: u8,
    },
    /// KiotViet delivers a customer again.
    TellCustomer(u8),
    /// An invoice is edited: a new invoice replaces the old one.
    EditInvoice {
        /// Which.
        invoice: u8,
        /// From the pool of contents.
        content: u8,
    },
    /// An invoice is cancelled.
    CancelInvoice(u8),
    /// From here on steps concern the other shop, if there is one.
    OtherShop,
    /// KiotViet sends what is due, of every shop.
    Deliver,
    /// KiotViet sends what is due: each delivery twice, in another order, several in one.
    DeliverChaotically(u8),
    /// What is due is lost on its way.
    LoseDeliveries,
    /// What is due arrives, and KiotViet sees no answer.
    LoseAnswers,
    /// Time passes; KiotViet repeats the deliveries that it must.
    Pass {
        /// Seconds.
        seconds: u32,
    },
    /// A scheduler's drain.
    Drain,
    /// A drain that checks the webhooks at once.
    Heal,
    /// A person asks for a backfill of what is older than the webhooks.
    Backfill,
    /// A person retries a dead letter.
    Retry(u8),
    /// KiotViet switches a webhook off.
    WebhookOff(u8),
    /// A person switches a webhook on, which may be on already.
    SwitchOn(u8),
    /// A person switches a webhook off.
    SwitchOff(u8),
    /// A person dismisses a dead letter.
    Dismiss(u8),
    /// From here on people's and KiotViet's requests, and drains, go to the other instance, which
    /// has a clock of its own.
    OtherInstance,
    /// Both instances drain at once, or one of them while the other answers KiotViet; their calls to the
    /// store take some seconds.
    Together(u8),
    /// The clock of the instance in use is set to this deviation.
    Clock {
        /// Ahead of the truth.
        millis: i32,
    },
    /// The clock is set in the middle of a request.
    ClockAtCall {
        /// As the n-th host call from here is made.
        call: u8,
        /// Ahead of the truth.
        millis: i32,
    },
    /// The clock is set back by a minute as the n-th host call from here is made.
    ClockBackAtCall(u8),
    /// What befalls the n-th host call from here.
    HostFault {
        /// From 1.
        call: u8,
        /// What.
        fault: HostFault,
    },
    /// The next calls to a vendor fail.
    VendorFault {
        /// Whose.
        vendor: Vendor,
        /// From the pool of faults.
        fault: u8,
        /// How many.
        calls: u8,
    },
}

/// What this index chooses of those there are.
fn of_these<T>(all: &[T], index: u8) -> Option<&T> {
    all.get(usize::from(index).checked_rem(all.len())?)
}

/// The id that this index chooses among the existing ones.
fn chosen(ids: Vec<i64>, index: u8) -> Option<i64> {
    of_these(&ids, index).copied()
}

/// A customer that is not deleted.
fn a_customer(run: &Run, index: u8) -> Option<i64> {
    let all = run.here().kiotviet.customers().into_iter();
    chosen(all.filter(|c| !c.deleted).map(|c| c.id).collect(), index)
}

fn an_invoice(run: &Run, index: u8) -> Option<i64> {
    let all = run.here().kiotviet.invoices();
    chosen(all.iter().map(|i| i.id).collect(), index)
}

/// A customer as people type it in where the vendors object to something.
fn typed_in(run: &Run, number: usize, phone: &str, email: &str) -> NewCustomer {
    let mut customer = new_customer(number, phone, email);
    if run.has(Habit::FailsOnEmoji) && number % 3 == 1 {
        customer.name.push_str(" 🌸");
    }
    if run.has(Habit::TaxCodesUnique) {
        customer.tax_code = Some("0101234567".to_owned());
    }
    if run.has(Habit::DetailsRefused) {
        customer.gender = Some(number.is_multiple_of(2));
        customer.birth_date = Some(jiff::civil::date(1990, 2, 28));
    }
    customer
}

/// Takes a step.
pub(super) async fn take(run: &Run, step: Step) {
    let kiotviet = &run.here().kiotviet;
    // No two versions of a record have the same moment.
    run.note();
    run.shop.pass(1).await;
    match step {
        Step::Customer { phone, email } => {
            let number = kiotviet.customers().len();
            let (phone, email) = (pick(&PHONES, phone), pick(&EMAILS, email));
            kiotviet.create_customer(typed_in(run, number, phone, email));
        }
        Step::Sale {
            customer,
            seller,
            content: of,
        } => {
            let customer = customer.and_then(|index| a_customer(run, index));
            kiotviet.create_invoice(content(of, customer, pick(&SELLERS, seller)));
        }
        Step::EditCustomer(index) => {
            if let Some(id) = a_customer(run, index) {
                kiotviet.edit_customer(id, |customer| {
                    customer.name.push_str(" (sửa)");
                    customer.address = Some("12 Phố Huế".to_owned());
                    customer.ward_name = Some("Phường Ngô Thì Nhậm".to_owned());
                    customer.location_name = Some("Hà Nội - Quận Hai Bà Trưng".to_owned());
                });
            }
        }
        Step::EditContact {
            customer,
            phone,
            email,
        } => {
            if let Some(id) = a_customer(run, customer) {
                let with = new_customer(0, pick(&PHONES, phone), pick(&EMAILS, email));
                kiotviet.edit_customer(id, |customer| {
                    customer.contact_number = with.contact_number;
                    customer.email = with.email;
                });
            }
        }
        Step::DeleteCustomer(index) => {
            if let Some(id) = a_customer(run, index) {
                kiotviet.delete_customer(id);
            }
        }
        Step::Seller { .. }
        | Step::SellerRole(_)
        | Step::SellerGone(_)
        | Step::User { .. }
        | Step::UserGone(_) => people::change(kiotviet, &run.shop.getfly, step),
        Step::AccountDeleted(index) => {
            let all = run.accounts();
            if let Some(account) = of_these(&all, index) {
                run.remove_account(account.clone(), None);
            }
        }
        Step::AccountsMerged { account, into } => {
            let all = run.accounts();
            let (gone, into) = (of_these(&all, account), of_these(&all, into));
            if let (Some(gone), Some(into)) = (gone, into)
                && gone.id != into.id
            {
                run.remove_account(gone.clone(), Some(into.account_code.clone()));
            }
        }
        Step::TellCustomer(index) => {
            if let Some(id) = a_customer(run, index) {
                kiotviet.edit_customer(id, |_| {});
            }
        }
        Step::EditInvoice {
            invoice,
            content: of,
        } => {
            if let Some(id) = an_invoice(run, invoice) {
                kiotviet.edit_invoice(id, |invoice| {
                    *invoice = content(of, invoice.customer_id, invoice.sold_by);
                });
            }
        }
        Step::CancelInvoice(index) => {
            if let Some(id) = an_invoice(run, index) {
                kiotviet.cancel_invoice(id);
            }
        }
        Step::OtherShop => run.turn(),
        Step::Deliver => deliver(run, Carried::Whole).await,
        Step::DeliverChaotically(seed) => {
            let chaos = Chaos {
                seed: seed.into(),
                duplicates: 0.7,
                out_of_order: true,
                merge_items: 3,
                merge_notifications: 2,
                ..Chaos::default()
            };
            run.shops().iter().for_each(|s| s.kiotviet.set_chaos(chaos));
            deliver(run, Carried::Whole).await;
            let calm = Chaos::default();
            run.shops().iter().for_each(|s| s.kiotviet.set_chaos(calm));
        }
        Step::LoseDeliveries => deliver(run, Carried::Lost).await,
        Step::LoseAnswers => deliver(run, Carried::Unanswered).await,
        Step::Pass { seconds } => pass(run, seconds.into()).await,
        Step::Drain => live(run, run.shop.drain()).await,
        Step::Heal => live(run, run.shop.heal()).await,
        Step::Backfill => {}
        Step::Retry(seq) => {
            let seq = u64::from(seq % EVENTS + 1);
            run.command(run.shop.app.retry(seq)).await;
        }
        Step::WebhookOff(index) => {
            let ids = kiotviet.webhooks().iter().map(|h| h.id).collect();
            if let Some(id) = chosen(ids, index) {
                kiotviet.set_webhook_active(id, false);
            }
        }
        Step::SwitchOn(index) => run.switch(pick(&WEBHOOKS, index), true).await,
        Step::SwitchOff(index) => run.switch(pick(&WEBHOOKS, index), false).await,
        Step::Dismiss(seq) => run.dismiss(u64::from(seq % EVENTS + 1)).await,
        Step::OtherInstance => run.other_instance(),
        Step::Together(seed) => together(run, seed).await,
        Step::Clock { millis } => clocks::set(run, millis).await,
        Step::ClockAtCall { call, millis } => clocks::set_at_call(run, call, millis, false),
        Step::ClockBackAtCall(call) => clocks::set_at_call(run, call, -MINUTE, true),
        Step::HostFault { call, fault } => {
            run.shop.app.host_faults.befall_later(call.into(), fault);
        }
        Step::VendorFault {
            vendor,
            fault,
            calls,
        } => {
            let faults = match vendor {
                Vendor::KiotViet => &run.shop.kiotviet_faults,
                Vendor::Getfly => &run.shop.getfly_faults,
            };
            let mut rule = FaultRule::new(a_fault(fault));
            rule.when = When::First(calls.into());
            faults.add(rule);
        }
    }
}

/// How far a delivery gets.
#[derive(Clone, Copy, PartialEq)]
enum Carried {
    /// Delivered, with the answer.
    Whole,
    /// Lost on its way.
    Lost,
    /// Delivered, but the answer is lost.
    Unanswered,
}

/// KiotViet sends what is due, to a plugin that may die at it.
async fn deliver(run: &Run, carried: Carried) {
    let app = &run.shop.app;
    run.note();
    for kiotviet in run.shops().iter().map(|shop| &shop.kiotviet) {
        for delivery in kiotviet.take_due() {
            if carried == Carried::Lost {
                kiotviet.settle(delivery, None);
                continue;
            }
            let request = kiotviet.request(&delivery);
            let answered = app.host_faults.live(app.answer(request)).await;
            let status = answered.as_ref().map(|(answer, _)| answer.status);
            kiotviet.settle(delivery, status.filter(|_| carried == Carried::Whole));
            if let Some((_, after)) = answered {
                app.host_faults.live(app.after(after)).await;
            }
        }
    }
}

/// Two instances work at once.
async fn together(run: &Run, seed: u8) {
    run.both(seed, async {
        let drain = run.beside.drain();
        if seed.is_multiple_of(2) {
            tokio::join!(drain, deliver(run, Carried::Whole));
        } else {
            tokio::join!(drain, live(run, run.shop.drain()));
        }
    })
    .await;
}

async fn live<T>(run: &Run, work: impl Future<Output = T>) {
    run.shop.app.host_faults.live(work).await;
}

/// Time passes, and KiotViet sends what becomes due; a delivery that is due within two minutes may
/// wait.
async fn pass(run: &Run, seconds: u64) {
    let next_due = || {
        let all = run.shops().iter();
        all.filter_map(|shop| shop.kiotviet.next_due()).min()
    };
    let now = run.shop.clock.now();
    let end = now.checked_add(Duration::from_secs(seconds)).unwrap_or(now);
    if seconds > LATEST {
        while let Some(due) = next_due().filter(|due| *due < end) {
            run.shop.pass_to(due).await;
            deliver(run, Carried::Whole).await;
        }
    }
    run.shop.pass_to(end).await;
}

fn a_fault(index: u8) -> Fault {
    let all = [
        Fault::Status(503, None),
        Fault::Status(429, Some(30)),
        Fault::Status(401, None),
        Fault::HtmlError(502),
        Fault::EmptyBody,
        Fault::HtmlBody200,
        Fault::ErrorsIn200,
        Fault::Garbled,
        Fault::Hang,
        Fault::DropBefore,
        Fault::Late(Duration::from_secs(50)),
        Fault::StoredButReplyLost,
        Fault::StoredThen500,
        Fault::StoredThenEmpty,
        Fault::StoredThenHang,
        Fault::Status(422, None),
    ];
    all[usize::from(index) % all.len()].clone()
}
