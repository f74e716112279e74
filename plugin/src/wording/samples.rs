//! A sample of every fact that is told in a sentence. A new variant without a sample does not compile.

use crate::{
    assumption::Assumption,
    getfly::{
        error::GetflyError,
        refusal::{Detail, Refusal},
    },
    journal::{
        alerts::{Cause, Outcome},
        connection_name::{ConnectionName, Side},
        dead_reason::DeadReason,
        evidence::{Evidence, NewSince},
        note::{Broken, Note},
        trouble::{Source, Target, Trouble},
        webhook::Webhook,
    },
    kiotviet::{
        envelope::NotAnEnvelope,
        error::{KiotVietError, Origin},
    },
    preflight::finding::{Finding, Of, Resource},
    rules::{
        codes::{AccountCode, InvoiceCode, OrderCode},
        money::Money,
        remark::{Remainder, Remark},
        sale::EditOrSale,
        verdict::Reason,
    },
    seal::SealError,
    time::Timestamp,
    world::HttpError,
};

macro_rules! samples {
    ($name:ident: $type:ty { $($pattern:pat => $samples:expr,)* }) => {
        /// Samples of every variant.
        pub(crate) fn $name() -> Vec<$type> {
            let all: Vec<Vec<$type>> = vec![$($samples.into(),)*];
            let is_listed = |one: &$type| match one { $($pattern => (),)* };
            all.iter().flatten().for_each(is_listed);
            all.into_iter().flatten().collect()
        }
    };
}

/// What stands where a fact keeps words that nobody translated.
fn english() -> String {
    "it cannot be read".to_owned()
}

/// What a vendor says.
fn said() -> String {
    "Không hợp lệ".to_owned()
}

fn at() -> Timestamp {
    Timestamp::from_second(1_791_000_000).unwrap()
}

fn money() -> Money {
    Money::dong(300_000).unwrap()
}

fn account() -> AccountCode {
    AccountCode::existing("KH000001".to_owned())
}

fn order() -> OrderCode {
    OrderCode::existing("HD000001".to_owned())
}

fn shop() -> ConnectionName {
    ConnectionName::parse("datta").unwrap()
}

fn why() -> Trouble {
    Trouble::NoReadableId
}

samples! { https: HttpError {
    HttpError::Timeout => [HttpError::Timeout],
    HttpError::Connection(_) => [HttpError::Connection(english())],
    HttpError::NotSent(_) => [HttpError::NotSent(english())],
    HttpError::Denied => [HttpError::Denied],
    HttpError::TooLarge => [HttpError::TooLarge],
    HttpError::LeaseEnded => [HttpError::LeaseEnded],
} }

samples! { kiotviets: KiotVietError {
    KiotVietError::Unauthorized { .. } => [KiotVietError::Unauthorized { reason: said() }],
    KiotVietError::CredentialsRefused { .. } => [KiotVietError::CredentialsRefused { reason: said() }],
    KiotVietError::Refused { .. } => [KiotVietError::Refused { status: 420, code: "E1".to_owned(), message: said() }],
    KiotVietError::NoRight => [KiotVietError::NoRight],
    KiotVietError::NotOffered => [KiotVietError::NotOffered],
    KiotVietError::Busy { .. } => [KiotVietError::Busy { status: 503, retry_after: None }],
    KiotVietError::Unreachable(_) => https().into_iter().map(KiotVietError::Unreachable).collect::<Vec<_>>(),
    KiotVietError::Unreadable { .. } => [None, Some("createdDate".to_owned())].map(|field| KiotVietError::Unreadable { what: english(), field }),
    KiotVietError::Denied { .. } => [Origin::Api, Origin::Auth].map(|variable| KiotVietError::Denied { variable }),
    KiotVietError::Garbled { .. } => [KiotVietError::Garbled { what: english() }],
} }

samples! { getflys: GetflyError {
    GetflyError::KeyRefused { .. } => [GetflyError::KeyRefused { status: 401 }],
    GetflyError::Refused(_) => [GetflyError::Refused(Refusal { status: 400, message: said(), fields: Vec::new() })],
    GetflyError::Busy { .. } => [GetflyError::Busy { status: 503, retry_after: None }],
    GetflyError::Unreachable(_) => https().into_iter().map(GetflyError::Unreachable).collect::<Vec<_>>(),
    GetflyError::NothingThere => [GetflyError::NothingThere],
    GetflyError::Denied => [GetflyError::Denied],
    GetflyError::Garbled { .. } => [GetflyError::Garbled { what: english() }],
    GetflyError::Untold { .. } => [GetflyError::Untold { id: None }],
} }

samples! { troubles: Trouble {
    Trouble::KiotViet(_) => kiotviets().into_iter().map(Trouble::KiotViet).collect::<Vec<_>>(),
    Trouble::Getfly(_) => getflys().into_iter().map(Trouble::Getfly).collect::<Vec<_>>(),
    Trouble::OldGetfly => [Trouble::OldGetfly],
    Trouble::Sealed(_) => [SealError::OtherKey, SealError::Damaged].map(Trouble::Sealed),
    Trouble::AnotherGetfly { .. } => [Trouble::AnotherGetfly { kept: "https://a.test".to_owned(), asked: "https://b.test".to_owned() }],
    Trouble::AnotherBridge { .. } => [Trouble::AnotherBridge { origin: "https://a.test".to_owned() }],
    Trouble::ConnectionUnreadable { .. } => [Trouble::ConnectionUnreadable { why: english() }],
    Trouble::Stopped { .. } => [Trouble::Stopped { why: english() }],
    Trouble::NoReadableId => [Trouble::NoReadableId],
    Trouble::EditOrSale { .. } => [Trouble::EditOrSale { code: InvoiceCode::new("HD1.01"), base: "HD1".to_owned() }],
    Trouble::LinkedAccountGone { .. } => [Trouble::LinkedAccountGone { code: account() }],
    Trouble::AccountWithoutCode { .. } => [Trouble::AccountWithoutCode { id: 12 }],
    Trouble::UsersUnread { .. } => [Side::KiotViet, Side::Getfly].map(|side| Trouble::UsersUnread { side, subject: "datta".to_owned(), since: at() }),
    Trouble::NoCreationDate { .. } => [Source::Customer, Source::Invoice].map(|of| Trouble::NoCreationDate { of }),
    Trouble::TooManyNumbers { .. } => [Trouble::TooManyNumbers { most: 9 }],
    Trouble::AbsurdAmount => [Trouble::AbsurdAmount],
    Trouble::EveryFormRefused { .. } => [Target::Account, Target::Order].map(|of| Trouble::EveryFormRefused { of }),
    Trouble::NotShown { .. } => [Trouble::NotShown { until: at() }],
    Trouble::Unsettled { .. } => [Trouble::Unsettled { until: at() }],
    // What an earlier version kept is English, and marked so.
    Trouble::Text(_) => [],
} }

samples! { remarks: Remark {
    Remark::MaskedPhone => [Remark::MaskedPhone],
    Remark::MaskedEmail => [Remark::MaskedEmail],
    Remark::Unreadable { .. } => [Remark::Unreadable { member: "birthDate".into() }],
    Remark::PriceRaised { .. } => [Remark::PriceRaised { product_code: "SP1".to_owned(), price: money(), unit: money() }],
    Remark::LineTotalUnclear { .. } => [Remark::LineTotalUnclear { product_code: "SP1".to_owned(), total: money(), quantity: money().amount() }],
    Remark::Rounded { .. } => [Remainder::Discount, Remainder::Tax, Remainder::Surcharge].map(|into| Remark::Rounded { total: money(), before: money(), rest: money(), into }),
    Remark::Difference { .. } => [Remark::Difference { total: money(), computed: money(), difference: money() }],
} }

samples! { envelopes: NotAnEnvelope {
    NotAnEnvelope::TooManyItems => [NotAnEnvelope::TooManyItems],
    NotAnEnvelope::NotJson => [NotAnEnvelope::NotJson],
    NotAnEnvelope::NotAnObject => [NotAnEnvelope::NotAnObject],
    NotAnEnvelope::NoNotifications => [NotAnEnvelope::NoNotifications],
    NotAnEnvelope::NotAList => [NotAnEnvelope::NotAList],
} }

samples! { broken: Broken {
    Broken::SwitchedOff => [Broken::SwitchedOff],
    Broken::Elsewhere => [Broken::Elsewhere],
    Broken::Deleted => [Broken::Deleted],
} }

samples! { details: Detail {
    Detail::Manager => [Detail::Manager],
    Detail::Executor => [Detail::Executor],
    Detail::Source => [Detail::Source],
    Detail::Gender => [Detail::Gender],
    Detail::Birthday => [Detail::Birthday],
    Detail::TaxCode => [Detail::TaxCode],
    Detail::Address => [Detail::Address],
    Detail::Phone => [Detail::Phone],
    Detail::Email => [Detail::Email],
} }

samples! { notes: Note {
    Note::SignatureMissing => [Note::SignatureMissing],
    Note::SignatureWrong => [Note::SignatureWrong],
    Note::SignatureUnchecked => [Note::SignatureUnchecked],
    Note::NotADelivery(_) => envelopes().into_iter().map(Note::NotADelivery).collect::<Vec<_>>(),
    Note::StillNotADelivery(_) => envelopes().into_iter().map(Note::StillNotADelivery).collect::<Vec<_>>(),
    Note::BodySealed => [Note::BodySealed],
    Note::AcceptedAnew { .. } => [1, 2].map(|events| Note::AcceptedAnew { events }),
    Note::AcceptedPartly { .. } => [Note::AcceptedPartly { events: 2, left: 3 }],
    Note::NothingKept => [Note::NothingKept],
    Note::OnlyCounted { .. } => [Note::OnlyCounted { deliveries: 2, hash: "00ff".to_owned() }],
    Note::FromRetry => [Note::FromRetry],
    Note::ReadBack => [Note::ReadBack],
    Note::ReadFor { .. } => [Note::ReadFor { seq: 7 }],
    Note::NotThereLately => [Note::NotThereLately],
    Note::FromBackfill => [Note::FromBackfill],
    Note::EntryDamaged { .. } => [Note::EntryDamaged { why: english() }],
    Note::ConnectionRemoved => [Note::ConnectionRemoved],
    Note::WebhookBroken { .. } => broken().into_iter().flat_map(|how| [None, Some(at())].map(|sound_at| Note::WebhookBroken { how, sound_at })).collect::<Vec<_>>(),
    Note::Rules(_) => remarks().into_iter().map(Note::Rules).collect::<Vec<_>>(),
    Note::Executor { .. } => [Note::Executor { user_id: 7 }],
    Note::NoSeller => [Note::NoSeller],
    Note::SellerUnlisted => [Note::SellerUnlisted],
    Note::SellerWithoutPhone => [Note::SellerWithoutPhone],
    Note::NobodyWithThatPhone => [Note::NobodyWithThatPhone],
    Note::UsersRefused { .. } => [Note::UsersRefused { side: Side::Getfly, why: why() }],
    Note::UsersNotOffered => [Note::UsersNotOffered],
    Note::UsersFailing { .. } => [Note::UsersFailing { why: why() }],
    Note::WalkIn => [Note::WalkIn],
    Note::CustomerGone => [Note::CustomerGone],
    Note::WalkInAccountMade { .. } => [Note::WalkInAccountMade { code: account() }],
    Note::WalkInAttached { .. } => [Note::WalkInAttached { code: account() }],
    Note::WalkInAccountGone { .. } => [Note::WalkInAccountGone { code: account() }],
    Note::CodeReused { .. } => [Note::CodeReused { invoice: InvoiceCode::new("HD1"), order: order() }],
    Note::Answered { .. } => [EditOrSale::Edit, EditOrSale::Sale].map(|is| Note::Answered { is }),
    Note::SameDeadLetter { .. } => [Note::SameDeadLetter { event: 7 }],
    Note::DismissedBefore { .. } => [Note::DismissedBefore { event: 7 }],
    Note::PartsCut { .. } => [Note::PartsCut { compared: 7 }],
    Note::ContactsShared => [Note::ContactsShared],
    Note::LinkedByContact => [Note::LinkedByContact],
    Note::FoundInIndex => [Note::FoundInIndex],
    Note::AccountGone { .. } => [Note::AccountGone { code: account() }],
    Note::SecondAccountRefused => [Note::SecondAccountRefused],
    Note::NoManagerWhileOn => [Note::NoManagerWhileOn],
    Note::NoManagerOwnEvent => [Note::NoManagerOwnEvent],
    Note::AccountReplyLost => [Note::AccountReplyLost],
    Note::OrderReplyLost => [Note::OrderReplyLost],
    Note::OrderWasThere => [Note::OrderWasThere],
    Note::ChangedAfter { .. } => [None, Some("300000".to_owned())].map(|now| Note::ChangedAfter { order: order(), pushed: now.clone(), now }),
    Note::ChangeTold => [Note::ChangeTold],
    Note::ChangeNotTold { .. } => [Note::ChangeNotTold { why: why() }],
    Note::ChangeWithoutAccount => [Note::ChangeWithoutAccount],
    Note::ChangePerhapsTold { .. } => [None, Some(why())].map(|why| Note::ChangePerhapsTold { why }),
    Note::OrdersAccount { .. } => Reason::ALL.map(|reason| Note::OrdersAccount { code: account(), reason }),
    Note::CodeUsed { .. } => [Note::CodeUsed { used: account(), next: account() }],
    Note::CreatedWithout { .. } => details().into_iter().map(|detail| Note::CreatedWithout { detail, why: why() }).collect::<Vec<_>>(),
    Note::StoredUnder { .. } => [Note::StoredUnder { sent: "KH1".to_owned(), code: "KH2".to_owned() }],
    Note::TotalDiffers { .. } => [Note::TotalDiffers { getfly: "300000".to_owned(), ours: "250000.5".to_owned() }],
    Note::ProductUnder { .. } => [Note::ProductUnder { code: "SP1".to_owned(), fallback: "SP2".to_owned() }],
    Note::ProductByName { .. } => [Note::ProductByName { code: "SP1".to_owned() }],
    Note::ProductDeleted { .. } => [None, Some("SP2".to_owned())].map(|fallback| Note::ProductDeleted { code: "SP1".to_owned(), fallback }),
    Note::Enrolled => [Note::Enrolled],
    Note::NotEnrolled => [Note::NotEnrolled],
    Note::EnrolmentUnknown { .. } => [Note::EnrolmentUnknown { why: why() }],
    Note::Failed(_) => troubles().into_iter().map(Note::Failed).collect::<Vec<_>>(),
    // What an earlier version kept is English, and marked so.
    Note::Text(_) => [],
} }

samples! { sinces: NewSince {
    NewSince::SwitchedOn(..) => Webhook::ALL.map(|webhook| NewSince::SwitchedOn(webhook, at())),
    NewSince::Backfill(_) => [NewSince::Backfill(at())],
} }

samples! { evidences: Evidence {
    Evidence::CustomerCreated { .. } => sinces().into_iter().map(|since| Evidence::CustomerCreated { at: None, since }).collect::<Vec<_>>(),
    Evidence::InvoiceCreated { .. } => sinces().into_iter().map(|since| Evidence::InvoiceCreated { code: InvoiceCode::new("HD1"), at: Some(at()), since }).collect::<Vec<_>>(),
    Evidence::Wanted { .. } => [Evidence::Wanted { from: at() }],
    Evidence::OriginalStands { .. } => [Evidence::OriginalStands { base: "HD1".to_owned() }],
    Evidence::NoOriginal { .. } => [Evidence::NoOriginal { base: "HD1".to_owned() }],
    Evidence::AccountIsThere { .. } => [Evidence::AccountIsThere { code: account() }],
    Evidence::Matches { .. } => [Evidence::Matches { accounts: 2 }],
    Evidence::Decided(_) => Reason::ALL.map(Evidence::Decided),
    Evidence::Text(_) => [],
} }

samples! { resources: Resource {
    Resource::Customers => [Resource::Customers],
    Resource::Invoices => [Resource::Invoices],
    Resource::Orders => [Resource::Orders],
    Resource::Products => [Resource::Products],
    Resource::Users => [Resource::Users],
    Resource::Webhooks => [Resource::Webhooks],
} }

samples! { findings: Finding {
    Finding::OldGetfly => [Finding::OldGetfly],
    Finding::KeyRefused { .. } => [Side::KiotViet, Side::Getfly].map(|side| Finding::KeyRefused { side }),
    Finding::NoRight { .. } => resources().into_iter().flat_map(|to| [Side::KiotViet, Side::Getfly].map(|side| Finding::NoRight { side, to })).collect::<Vec<_>>(),
    Finding::OtherBridge { .. } => [Finding::OtherBridge { origin: "https://a.test".to_owned() }],
    Finding::SellersWithoutUser { .. } => [Finding::SellersWithoutUser { sellers: 1, of: 2 }],
    Finding::UsersNotOffered => [Finding::UsersNotOffered],
    Finding::RequiredField { .. } => [Of::Account, Of::Order].map(|of| Finding::RequiredField { of, name: "Email".to_owned() }),
    Finding::DuplicateAccounts { .. } => [Finding::DuplicateAccounts { accounts: 1, of: 2 }],
    Finding::PhonesStoredOtherwise { .. } => [Finding::PhonesStoredOtherwise { phones: 1, of: 2 }],
    Finding::MaskedPhones { .. } => [Finding::MaskedPhones { phones: 1, of: 2 }],
    Finding::OwnCodes { .. } => [Finding::OwnCodes { example: "HD1.01".to_owned() }],
    Finding::DeletedProducts { .. } => [Finding::DeletedProducts { codes: vec!["SP1".to_owned()] }],
    Finding::OwnIntegration { .. } => [1, 2].map(|traces| Finding::OwnIntegration { traces }),
    Finding::UnknownProducts { .. } => [Finding::UnknownProducts { unknown: 1, of: 2, codes: vec!["SP1".to_owned()] }],
} }

samples! { causes: Cause {
    Cause::DeadLetters { .. } => DeadReason::ALL.map(|reason| Cause::DeadLetters { connection: shop(), reason }),
    Cause::GetflyFails => [Cause::GetflyFails],
    Cause::KiotVietFails { .. } => [Cause::KiotVietFails { connection: shop() }],
    Cause::WebhookInactive { .. } => Webhook::ALL.map(|webhook| Cause::WebhookInactive { connection: shop(), webhook }),
    Cause::PollFails { .. } => [Cause::PollFails { connection: shop() }],
    Cause::AnotherBridge { .. } => [Cause::AnotherBridge { connection: shop() }],
    Cause::AnotherGetfly => [Cause::AnotherGetfly],
    Cause::Silence { .. } => [Cause::Silence { connection: shop() }],
    Cause::Contradicted { .. } => Assumption::ALL.iter().map(|one| Cause::Contradicted { assumption: *one }).collect::<Vec<_>>(),
} }

samples! { outcomes: Outcome {
    Outcome::Arrived => [],
    Outcome::Answered(_) => [Outcome::Answered(404)],
    Outcome::NotAllowed => [Outcome::NotAllowed],
    // What an earlier version kept is English, and marked so.
    Outcome::Refused(_) => [],
    Outcome::NoAnswer(_) => [Outcome::NoAnswer(english())],
} }

/// English words that stand in no Vietnamese sentence. `_` is of a word: variables have English names.
const ENGLISH: [&str; 26] = [
    "the", "is", "are", "was", "not", "and", "of", "with", "this", "it", "cannot", "has", "for",
    "from", "by", "without", "which", "there", "answer", "body", "record", "failed", "be", "read",
    "missing", "event",
];

/// Whether a Vietnamese text has no English word.
fn is_vietnamese(text: &str) -> bool {
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    let is_english = |word: &str| ENGLISH.contains(&word.to_lowercase().as_str());
    !words.into_iter().any(is_english)
}

/// The label that KiotViet itself writes so.
const KIOTVIETS: &str = "từ gian hàng của bạn";

/// Whether a text is Vietnamese, and in the house's words: ấn, anh/chị.
pub(crate) fn is_the_houses(text: &str) -> bool {
    let ours = text.replace(KIOTVIETS, "").to_lowercase();
    let is_said = |word: &str| {
        let words = ours.split(|c: char| !c.is_alphabetic());
        words.into_iter().any(|one| one == word)
    };
    is_vietnamese(text) && !is_said("bấm") && !is_said("bạn")
}

mod tests {
    use super::*;
    use crate::wording::{alerts, sentences::Fact, text::Lang};

    fn told(facts: &[impl Fact]) -> Vec<String> {
        let told = facts.iter().map(|fact| {
            let told = fact.sentence(Lang::Vi);
            assert!(told.ours, "{}", told.words);
            assert_ne!(told.words, fact.sentence(Lang::En).words);
            told.words
        });
        told.collect()
    }

    #[test]
    fn every_fact_is_told_in_vietnamese_and_in_the_houses_words() {
        let findings = findings().into_iter().map(|one| one.vietnamese());
        let findings = findings.flat_map(|told| [told.what, told.then.into(), told.mend.into()]);
        let causes = causes();
        let causes = causes.iter().map(|one| alerts::cause(Lang::Vi, one, 2));
        let mut all: Vec<String> = findings.chain(causes).collect();
        all.extend(told(&notes()));
        all.extend(told(&troubles()));
        all.extend(told(&evidences()));
        all.extend(told(&outcomes()));
        assert!(all.len() > 200, "{}", all.len());
        let wrong: Vec<_> = all.iter().filter(|text| !is_the_houses(text)).collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn english_and_other_words_for_you_and_press_are_seen() {
        for other in [
            "The name is wrong",
            "Không đọc được: it cannot be read",
            "Hãy bấm Thử lại",
            "Getfly của bạn",
        ] {
            assert!(!is_the_houses(other), "{other}");
        }
        for ours in [
            "“đặt hàng từ gian hàng của bạn”",
            "đặt customer_campaign_code rồi ấn Lưu",
        ] {
            assert!(is_the_houses(ours), "{ours}");
        }
    }

    #[test]
    fn amounts_stand_in_the_one_form() {
        let note = Note::TotalDiffers {
            getfly: "300000".to_owned(),
            ours: "250000.5".to_owned(),
        };
        assert_eq!(
            note.sentence(Lang::Vi).words,
            "R3: Tổng đơn hàng trên Getfly là 300.000 đ, còn ứng dụng đã gửi 250.000,5 đ"
        );
        let one = Note::AcceptedAnew { events: 1 };
        assert_eq!(one.sentence(Lang::En).words, "accepted anew as 1 event");
    }
}
