//! Remarks on an event, for people, as facts. `Display` is the English sentence of the API; the page has its own
//! in both languages. A new remark is a variant here, with its sentence here and in the page.

use crate::{
    getfly::refusal::Detail,
    journal::{
        connection_name::Side,
        tagged::{Tagged, tagged},
        trouble::Trouble,
    },
    kiotviet::envelope::NotAnEnvelope,
    rules::{
        codes::{AccountCode, InvoiceCode, OrderCode},
        executor::ExecutorFinding,
        remark::Remark,
        sale::EditOrSale,
        verdict::Reason,
    },
    stored,
    time::Timestamp,
};
use core::fmt;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How a webhook was found broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Broken {
    /// KiotViet had switched it off.
    SwitchedOff,
    /// It delivered to an address that is not `public_url`.
    Elsewhere,
    /// Somebody had deleted it.
    Deleted,
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "snake_case")]
pub enum Note {
    /// The delivery had no signature.
    SignatureMissing,
    /// The delivery's signature was another one.
    SignatureWrong,
    /// The delivery's signature could not be checked: the connection's secrets cannot be opened.
    SignatureUnchecked,
    /// The delivery cannot be taken apart.
    NotADelivery(NotAnEnvelope),
    /// Also a retry could not take it apart.
    StillNotADelivery(NotAnEnvelope),
    /// A retry could not open its body.
    BodySealed,
    /// A retry took it apart.
    AcceptedAnew {
        /// How many events that made.
        events: usize,
    },
    /// A retry took so much of it apart as one may.
    AcceptedPartly {
        /// Its items that are events now.
        events: usize,
        /// Those that are not.
        left: usize,
    },
    /// A retry found nothing: the delivery was only counted.
    NothingKept,
    /// Refused deliveries of an hour that were not kept.
    OnlyCounted {
        /// How many.
        deliveries: u64,
        /// The SHA-256 of the first one's body, in hex.
        hash: String,
    },
    /// The event comes from a delivery that a retry took apart.
    FromRetry,
    /// KiotViet had not delivered it; its list told of it.
    ReadBack,
    /// It had come before KiotViet's record was read for this event, so it came to the same.
    ReadFor {
        /// The other event.
        seq: u64,
    },
    /// It is unsigned, and KiotViet did not have its id some minutes ago.
    NotThereLately,
    /// A backfill told of it.
    FromBackfill,
    /// The journal entry cannot be read.
    EntryDamaged {
        /// Where it is damaged.
        why: String,
    },
    /// The connection was removed before the event's turn.
    ConnectionRemoved,
    /// R1: a webhook was found broken and registered again.
    WebhookBroken {
        /// How.
        how: Broken,
        /// When it was last seen sound.
        sound_at: Option<Timestamp>,
    },
    /// What the rules remark about the account or the order.
    Rules(Remark),
    /// R13: who carried the order out.
    Executor {
        /// Getfly's id of the user.
        user_id: i64,
    },
    /// R13: the invoice names no seller.
    NoSeller,
    /// R13: KiotViet does not list the seller.
    SellerUnlisted,
    /// R13: KiotViet has no usable phone number of the seller.
    SellerWithoutPhone,
    /// R13: no Getfly user has the seller's number.
    NobodyWithThatPhone,
    /// R13: a list of users is refused.
    UsersRefused {
        /// Whose list.
        side: Side,
        /// In the vendor's words.
        why: Trouble,
    },
    /// R13: the shop's edition of KiotViet has no list of users.
    UsersNotOffered,
    /// R13: a list of users has failed for five minutes.
    UsersFailing {
        /// What it fails for.
        why: Trouble,
    },
    /// R5: the order is a walk-in's.
    WalkIn,
    /// R5: KiotViet no longer has the customer.
    CustomerGone,
    /// R5: Getfly made an account for a walk-in's order.
    WalkInAccountMade {
        /// Its code.
        code: AccountCode,
    },
    /// R5: Getfly attached a walk-in's order to somebody's account.
    WalkInAttached {
        /// Its code.
        code: AccountCode,
    },
    /// R5: the account for walk-ins is gone from Getfly.
    WalkInAccountGone {
        /// Its code.
        code: AccountCode,
    },
    /// R6: another sale used the invoice's code before.
    CodeReused {
        /// The invoice's code.
        invoice: InvoiceCode,
        /// The order's code instead.
        order: OrderCode,
    },
    /// R6: a person said what the invoice is.
    Answered {
        /// What it is.
        is: EditOrSale,
    },
    /// The customer or invoice has a dead letter already.
    SameDeadLetter {
        /// That event.
        event: u64,
    },
    /// A person dismissed a dead letter of this customer or invoice.
    DismissedBefore {
        /// That event.
        event: u64,
    },
    /// R7: not every account that holds the address as a part of its own was compared.
    PartsCut {
        /// How many were.
        compared: usize,
    },
    /// R7: contact persons of several accounts have the number, so none of these was linked.
    ContactsShared,
    /// R7: the number stands on a contact person of the linked account only.
    LinkedByContact,
    /// R7: no search showed the linked account; the index of accounts did.
    FoundInIndex,
    /// R7: the remembered account is gone from Getfly.
    AccountGone {
        /// Its code.
        code: AccountCode,
    },
    /// R7: Getfly refused a second account, and the first one was linked.
    SecondAccountRefused,
    /// R12: the customer webhook is on.
    NoManagerWhileOn,
    /// R12: the customer came by its own event.
    NoManagerOwnEvent,
    /// The account's create had no answer.
    AccountReplyLost,
    /// The order's create had no answer.
    OrderReplyLost,
    /// The store is new or was restored, and Getfly has the order already.
    OrderWasThere,
    /// R6: the sale changed on KiotViet after its order was made; the totals are texts.
    ChangedAfter {
        /// The order.
        order: OrderCode,
        /// Its total, where that is known.
        pushed: Option<String>,
        /// The sale's total now; none where it was cancelled.
        now: Option<String>,
    },
    /// R6: a comment at the order's account tells of the change.
    ChangeTold,
    /// R6: none does.
    ChangeNotTold {
        /// In Getfly's words.
        why: Trouble,
    },
    /// R6: none does, because Getfly shows no account of the order.
    ChangeWithoutAccount,
    /// R6: nobody knows. It is not told again.
    ChangePerhapsTold {
        /// What came of the call; none where an earlier attempt was cut, or the store was restored.
        why: Option<Trouble>,
    },
    /// How the order's account came about.
    OrdersAccount {
        /// Its code.
        code: AccountCode,
        /// How.
        reason: Reason,
    },
    /// The account's code is used by one that Getfly does not show.
    CodeUsed {
        /// The code.
        used: AccountCode,
        /// The code instead.
        next: AccountCode,
    },
    /// Created without a detail that Getfly refused.
    CreatedWithout {
        /// Which.
        detail: Detail,
        /// In Getfly's words.
        why: Trouble,
    },
    /// Getfly chose another code itself.
    StoredUnder {
        /// What was sent.
        sent: String,
        /// What Getfly answered.
        code: String,
    },
    /// R3: the order was read back, and its total is another one.
    TotalDiffers {
        /// Getfly's.
        getfly: String,
        /// What was sent adds up to.
        ours: String,
    },
    /// R3: Getfly does not have a line's product; the line goes under another one.
    ProductUnder {
        /// The product's code.
        code: String,
        /// The operator's product.
        fallback: String,
    },
    /// R3: the same; the line goes by its name alone.
    ProductByName {
        /// The product's code.
        code: String,
    },
    /// R3: KiotViet has deleted a line's product, and Getfly's of that code has another name, or there is none.
    ProductDeleted {
        /// The product's code.
        code: String,
        /// The operator's product that the line goes under; none where it goes by its name alone.
        fallback: Option<String>,
    },
    /// R11: enrolled in the campaign.
    Enrolled,
    /// R11: not enrolled, for want of a phone.
    NotEnrolled,
    /// R11: nobody knows.
    EnrolmentUnknown {
        /// What came of the call.
        why: Trouble,
    },
    /// What the event is a dead letter for.
    Failed(Trouble),
    /// A sentence that an earlier version kept.
    #[serde(skip)]
    Text(String),
}

tagged!(Note);

/// Notes without anything that differs, which an earlier version kept as sentences.
const PLAIN: [Note; 22] = [
    Note::SignatureMissing,
    Note::SignatureWrong,
    Note::SignatureUnchecked,
    Note::BodySealed,
    Note::FromRetry,
    Note::ReadBack,
    Note::FromBackfill,
    Note::ConnectionRemoved,
    Note::NoSeller,
    Note::SellerUnlisted,
    Note::SellerWithoutPhone,
    Note::NobodyWithThatPhone,
    Note::WalkIn,
    Note::CustomerGone,
    Note::SecondAccountRefused,
    Note::NoManagerWhileOn,
    Note::NoManagerOwnEvent,
    Note::AccountReplyLost,
    Note::OrderReplyLost,
    Note::Enrolled,
    Note::NotEnrolled,
    Note::Failed(Trouble::NoReadableId),
];

const ENROLMENT_UNKNOWN: &str = "R11: whether it was enrolled in the campaign is unknown: ";

const ACCEPTED_ANEW: &str = "accepted anew as ";

impl Tagged for Note {
    fn of_old(text: String) -> Self {
        if let Some(why) = text.strip_prefix(ENROLMENT_UNKNOWN) {
            let why = Trouble::of_text(why);
            return Self::EnrolmentUnknown { why };
        }
        let events = text.strip_prefix(ACCEPTED_ANEW);
        let events = events.and_then(|rest| rest.strip_suffix(" event(s)"));
        if let Some(events) = events.and_then(|events| events.parse().ok()) {
            return Self::AcceptedAnew { events };
        }
        let plain = PLAIN.into_iter().find(|note| note.to_string() == text);
        plain.unwrap_or(Self::Text(text))
    }

    fn of_value(value: Value) -> Option<Self> {
        Self::deserialize(stored::Reader(&value)).ok()
    }
}

impl Note {
    /// Whether the delivery is a hint that nobody has signed.
    pub fn is_unsigned(&self) -> bool {
        matches!(
            self,
            Self::SignatureMissing | Self::SignatureWrong | Self::SignatureUnchecked
        )
    }

    /// Whether it tells of refused deliveries that were not kept.
    pub fn is_count(&self) -> bool {
        matches!(self, Self::OnlyCounted { .. })
    }

    /// R11: whether the campaign was tried.
    pub fn is_about_campaign(&self) -> bool {
        matches!(
            self,
            Self::Enrolled | Self::NotEnrolled | Self::EnrolmentUnknown { .. }
        )
    }

    /// The English sentence, with times as `time` shows them.
    pub fn english(&self, time: fn(Timestamp) -> String) -> String {
        let plain = match self {
            Self::SignatureMissing => "signature missing",
            Self::SignatureWrong => "signature did not match",
            Self::SignatureUnchecked => {
                "signature not checked: the connection's secrets cannot be opened"
            }
            Self::NotADelivery(why) => why.as_str(),
            Self::StillNotADelivery(why) => {
                return format!("it still cannot be read: {}", why.as_str());
            }
            Self::BodySealed => "its body cannot be opened with this master_key",
            Self::AcceptedAnew { events: 1 } => "accepted anew as 1 event",
            Self::AcceptedAnew { events } => return format!("accepted anew as {events} events"),
            Self::AcceptedPartly { events, left } => {
                return format!(
                    "{events} of its items were accepted anew as events; {left} are left: retry it again for them"
                );
            }
            Self::NothingKept => "it was only counted, so there is nothing to retry; dismiss it",
            Self::OnlyCounted { deliveries, hash } => {
                return format!(
                    "{deliveries} further deliveries of this hour were refused and only counted; the first has the SHA-256 {hash}. The next list scan reads what they may have told of"
                );
            }
            Self::FromRetry => "accepted by a person's retry",
            Self::ReadBack => "read back: KiotViet had not delivered it",
            Self::UsersNotOffered => "R13: no executor, because KiotViet F&B has no list of users",
            Self::ReadFor { seq } => {
                return format!("it had come before KiotViet's record was read for event {seq}");
            }
            Self::NotThereLately => "unsigned, and KiotViet did not have this id some minutes ago",
            Self::FromBackfill => "from a backfill",
            Self::EntryDamaged { why } => {
                return format!("the journal entry cannot be read: {why}");
            }
            Self::ConnectionRemoved => "the connection was removed",
            Self::WebhookBroken { how, sound_at } => {
                return webhook_broken(*how, sound_at.map(time));
            }
            Self::Rules(remark) => return remark.to_string(),
            Self::Executor { user_id } => {
                return format!(
                    "Executor: Getfly user {user_id}, who has the seller's phone number."
                );
            }
            Self::NoSeller => "No executor: the invoice names no seller.",
            Self::SellerUnlisted => {
                "No executor: KiotViet does not list the seller (an admin, or removed)."
            }
            Self::SellerWithoutPhone => {
                "No executor: the seller has no usable phone number on KiotViet."
            }
            Self::NobodyWithThatPhone => {
                "No executor: no Getfly user has the seller's phone number."
            }
            Self::UsersRefused { side, why } => {
                return format!(
                    "R13: no executor, because the list of users cannot be read; give the right to it in {}: {}",
                    side.as_str(),
                    why.english(time)
                );
            }
            Self::UsersFailing { why } => {
                return format!(
                    "R13: no executor, because the list of users has failed for five minutes: {}",
                    why.english(time)
                );
            }
            Self::WalkIn => "R5: a walk-in (Khách lẻ); no account is created",
            Self::CustomerGone => {
                "KiotViet no longer has the invoice's customer; the order goes like a walk-in's, with the name in its terms"
            }
            Self::WalkInAccountMade { code } => {
                return format!(
                    "R5: Getfly made the account {code} for walk-ins; it is used from now on"
                );
            }
            Self::WalkInAttached { code } => {
                return format!(
                    "R5: Getfly attached a walk-in's order to the account {code}; further ones get an account of their own"
                );
            }
            Self::WalkInAccountGone { code } => {
                return format!("R5: Getfly no longer has the account {code} for walk-ins");
            }
            Self::CodeReused { invoice, order } => {
                return format!(
                    "R6: the code {invoice} was used by another sale before; this one is ordered as {order}"
                );
            }
            Self::Answered {
                is: EditOrSale::Edit,
            } => "R6: a person said that it is an edit",
            Self::Answered {
                is: EditOrSale::Sale,
            } => "R6: a person said that it is a sale",
            Self::SameDeadLetter { event } => {
                return format!(
                    "event {event} is its dead letter already: retry or dismiss that one"
                );
            }
            Self::DismissedBefore { event } => {
                return format!("a person dismissed it before, as event {event}");
            }
            Self::PartsCut { compared } => {
                return format!(
                    "R7: too many accounts hold the e-mail address as a part of theirs; the first {compared} were compared"
                );
            }
            Self::ContactsShared => {
                "R7: contact persons of several accounts have the phone number, so none of these was linked"
            }
            Self::LinkedByContact => {
                "R7: the phone number or e-mail stands on a contact person of the account, and of no other one"
            }
            Self::FoundInIndex => {
                "R7: Getfly's search did not show the account; the index of its accounts did, and the account was read"
            }
            Self::AccountGone { code } => {
                return format!(
                    "R7: Getfly no longer has the account {code}; the customer was matched again"
                );
            }
            Self::SecondAccountRefused => {
                "Getfly refused a second account with this phone or e-mail; the first one was linked"
            }
            Self::NoManagerWhileOn => "R12: no manager, because the customer webhook is on",
            Self::NoManagerOwnEvent => {
                "R12: no manager, because the customer came by its own event"
            }
            Self::AccountReplyLost => "the account's reply was lost; it was found by its code",
            Self::OrderReplyLost => "the order's reply was lost; it was found by its code",
            Self::OrderWasThere => {
                "Getfly has the order already, from before this store was new or restored"
            }
            Self::ChangedAfter { order, pushed, now } => {
                let pushed = pushed.as_deref().unwrap_or("unknown");
                return match now {
                    Some(now) => format!(
                        "R6: edited on KiotViet after order {order} was made: it was {pushed}, now it is {now}; correct it in Getfly"
                    ),
                    None => format!(
                        "R6: cancelled on KiotViet after order {order} was made with {pushed}; correct it in Getfly"
                    ),
                };
            }
            Self::ChangeTold => {
                "R6: a comment at the order's account in Getfly tells of the change (note_changes)"
            }
            Self::ChangeNotTold { why } => {
                return format!(
                    "R6: no comment in Getfly tells of the change: {}",
                    why.english(time)
                );
            }
            Self::ChangeWithoutAccount => {
                "R6: no comment in Getfly tells of the change: Getfly shows no account of the order"
            }
            Self::ChangePerhapsTold { why: Some(why) } => {
                return format!(
                    "R6: whether a comment in Getfly tells of the change is unknown: {}",
                    why.english(time)
                );
            }
            Self::ChangePerhapsTold { why: None } => {
                "R6: whether a comment in Getfly tells of the change is unknown: an earlier attempt was cut, or the store was restored"
            }
            Self::OrdersAccount { code, reason } => return format!("account {code}: {reason}"),
            Self::CodeUsed { used, next } => {
                return format!(
                    "the code {used} is used and belongs to no account in Getfly, perhaps to a deleted one; created as {next}"
                );
            }
            Self::CreatedWithout { detail, why } => {
                return format!(
                    "created without the {}: {}",
                    detail.as_str(),
                    why.english(time)
                );
            }
            Self::StoredUnder { sent, code } => {
                return format!("Getfly stored {sent} under its own code {code}");
            }
            Self::TotalDiffers { getfly, ours } => {
                return format!(
                    "R3: Getfly's total of this order is {getfly}, and {ours} was sent"
                );
            }
            Self::ProductUnder { code, fallback } => {
                return format!("R3: Getfly has no product {code}; its line goes under {fallback}");
            }
            Self::ProductByName { code } => {
                return format!(
                    "R3: Getfly has no product {code}; its line goes by its name alone (fallback_product_code names another product)"
                );
            }
            Self::ProductDeleted { code, fallback } => {
                let goes = match fallback {
                    Some(fallback) => format!("under {fallback}"),
                    None => {
                        "by its name alone (fallback_product_code names another product)".to_owned()
                    }
                };
                return format!(
                    "R3: KiotViet has deleted the product {code}, and Getfly has none of this code and name; its line goes {goes}"
                );
            }
            Self::Enrolled => "R11: enrolled in the campaign",
            Self::NotEnrolled => {
                "R11: not enrolled in the campaign, because the customer has no phone"
            }
            Self::EnrolmentUnknown { why } => {
                return format!("{ENROLMENT_UNKNOWN}{}", why.english(time));
            }
            Self::Failed(trouble) => return trouble.english(time),
            Self::Text(text) => text,
        };
        plain.to_owned()
    }
}

fn webhook_broken(how: Broken, sound_at: Option<String>) -> String {
    let what = match how {
        Broken::SwitchedOff => "KiotViet had switched the webhook off",
        Broken::Elsewhere => "the webhook delivered to another address than public_url",
        Broken::Deleted => "the webhook had been deleted on KiotViet",
    };
    match sound_at {
        Some(at) => format!("{what}; it was last seen sound at {at}"),
        None => what.to_owned(),
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.english(|time| time.to_string()))
    }
}

impl From<Remark> for Note {
    fn from(remark: Remark) -> Self {
        Self::Rules(remark)
    }
}

impl From<&ExecutorFinding> for Note {
    /// Without any phone number.
    fn from(finding: &ExecutorFinding) -> Self {
        match finding {
            ExecutorFinding::Found(user) => Self::Executor {
                user_id: user.user_id,
            },
            ExecutorFinding::NoSeller => Self::NoSeller,
            ExecutorFinding::AdminOrUnknown => Self::SellerUnlisted,
            ExecutorFinding::SellerWithoutPhone => Self::SellerWithoutPhone,
            ExecutorFinding::NobodyWithThatPhone => Self::NobodyWithThatPhone,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        getfly::{error::GetflyError, refusal::Refusal},
        rules::{model::GetflyUser, money::Money},
        stored,
        world::HttpError,
    };

    fn kept(note: &Note) -> String {
        String::from_utf8(stored::write(note)).unwrap()
    }

    #[test]
    fn a_note_is_kept_by_its_tag_and_read_as_it_was() {
        let refusal = Refusal {
            status: 422,
            message: "Người phụ trách không tồn tại".to_owned(),
            fields: vec![("account_manager".to_owned(), "sai".to_owned())],
        };
        let amount = |dong| Money::dong(dong).unwrap();
        for (note, json) in [
            (Note::WalkIn, r#"{"is":"walk_in"}"#.to_owned()),
            (
                Note::Executor { user_id: 7 },
                r#"{"is":{"executor":{"user_id":7}}}"#.to_owned(),
            ),
            (
                Note::Rules(Remark::Difference {
                    total: amount(100),
                    computed: amount(99),
                    difference: amount(1),
                }),
                r#"{"is":{"rules":{"difference":{"total":"100","computed":"99","difference":"1"}}}}"#
                    .to_owned(),
            ),
            (
                Note::CreatedWithout {
                    detail: Detail::Manager,
                    why: GetflyError::Refused(refusal).into(),
                },
                concat!(
                    r#"{"is":{"created_without":{"detail":"manager","why":{"is":{"getfly":{"refused":"#,
                    r#"{"status":422,"message":"Người phụ trách không tồn tại","fields":[["account_manager","sai"]]}}}}}}}"#
                )
                .to_owned(),
            ),
            (
                Note::Failed(GetflyError::Unreachable(HttpError::Timeout).into()),
                r#"{"is":{"failed":{"is":{"getfly":{"unreachable":"timeout"}}}}}"#.to_owned(),
            ),
        ] {
            assert_eq!(kept(&note), json);
            assert_eq!(stored::read(json.as_bytes()), Ok(note));
        }
    }

    #[test]
    fn a_sentence_of_an_earlier_version_stays_and_counts_where_it_decides() {
        let read = |text: &str| stored::read::<Note>(text.as_bytes()).unwrap();
        assert_eq!(read(r#""signature missing""#), Note::SignatureMissing);
        assert_eq!(read(r#""R11: enrolled in the campaign""#), Note::Enrolled);
        let unknown = r#""R11: whether it was enrolled in the campaign is unknown: Getfly is busy or down (503)""#;
        assert!(read(unknown).is_about_campaign());
        assert_eq!(format!("\"{}\"", read(unknown)), unknown);
        let other = Note::Text("R3: something".to_owned());
        assert_eq!(read(r#""R3: something""#), other);
        assert_eq!(kept(&other), r#""R3: something""#);
        for note in PLAIN {
            assert_eq!(Note::of_old(note.to_string()), note);
        }
    }

    #[test]
    fn a_note_of_a_later_version_damages_nothing() {
        let later = br#"{"is":{"later":{"n":1.50}}}"#;
        let note: Note = stored::read(later).unwrap();
        assert_eq!(note, Note::Text(r#"{"later":{"n":1.50}}"#.to_owned()));
        assert!(stored::read::<Note>(br#"{"other":1}"#).is_err());
        assert!(stored::read::<Note>(b"7").is_err());
    }

    #[test]
    fn the_note_of_an_executor_holds_no_phone_number() {
        let phone = "0912345678".to_owned();
        let note = Note::from(&ExecutorFinding::Found(GetflyUser {
            contact_mobile: phone.clone(),
            contact_name: phone.clone(),
            user_id: 1,
            user_name: phone,
        }));
        assert!(note.to_string().contains('1'));
        assert!(!kept(&note).contains("912345678") && !note.to_string().contains("912345678"));
    }
}
