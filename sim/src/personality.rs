//! How one pair of vendors may differ from another. Each [`Habit`] is one difference that the
//! vendors' manuals leave open or that was met in the field; a [`Personality`] is a few of them at
//! once.

use crate::{
    getfly::{Created, GetflySettings, Missing, PhoneForm, Refusals, Sums, UndocumentedFilter},
    kiotviet::{Casing, DeleteShape, Pages, ScopeField, Settings, Times},
};
use rand::{SeedableRng, rngs::StdRng, seq::IndexedRandom};
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// The most habits of a drawn personality.
const MOST: usize = 5;

/// Names each habit, its words, and its subject: two with the same subject exclude each other.
macro_rules! habits {
    ($($habit:ident $about:ident $words:literal,)*) => {
        /// One difference. See the module.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Habit {
            $(#[doc = $words] $habit,)*
        }

        impl Habit {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$habit,)*];

            /// What it is, in words.
            pub fn words(self) -> &'static str {
                match self {
                    $(Self::$habit => $words,)*
                }
            }

            /// Its subject.
            fn about(self) -> &'static str {
                match self {
                    $(Self::$habit => stringify!($about),)*
                }
            }
        }
    };
}

habits! {
    NineSeconds pace "Getfly takes 9 s to store a record",
    TwentySeconds pace "Getfly takes 20 s to store a record",
    NineSecondsForAny pace "Getfly takes 9 s for any answer",
    TwoSeconds pace "Getfly takes 2 s for any answer",
    OneRequestASecond rate "Getfly answers 429 to a second request within a second",
    TextRefusals refusals "Getfly refuses with one text for each field and no message",
    SentenceRefusals refusals "Getfly refuses with a sentence under msg",
    EnglishRefusals refusals "Getfly refuses in English, with 422",
    RefusalsIn200 refusals "Getfly refuses in a 200 under error",
    Unsuccessful refusals "Getfly refuses in a 200 with success: false",
    Status201 status "Getfly answers 201 to a create",
    CreatedAtTop created "Getfly answers a create's id and code at the top",
    CreatedIdOnly created "Getfly answers a create with an id only",
    CreatedMessageOnly created "Getfly answers a create with a message only",
    IdsAreTexts ids "Getfly writes ids as texts",
    MissingIsEmpty missing "Getfly answers [] where there is no record",
    MissingIsPage missing "Getfly shows a page where there is no record",
    NoVersion60 contacts "Getfly has no version 6.0, and shows a page there",
    CountsRefused counts "Getfly refuses to count the orders of an account",
    RowOfIdZero rows "Getfly's lists begin with a row of id 0",
    JsonAsHtml content "Getfly sends JSON as text/html",
    NumbersItself numbers "Getfly numbers accounts and orders itself",
    RepeatedCodesRefused repeated "Getfly refuses an order code that exists",
    OrdersMakeAccounts walk_ins "Getfly makes an account of an order without one",
    OrdersNeedAccounts walk_ins "Getfly refuses an order without an account",
    OrdersTakeAnAccount walk_ins "Getfly gives an order without an account to its first one",
    PhonesUnique phones "Getfly refuses a phone that another account has, by its text",
    DigitsUnique phones "Getfly refuses a phone that another account has, by its digits",
    EmailsUnique emails "Getfly refuses an e-mail that another account has",
    TaxCodesUnique details "Getfly refuses a tax code that another account has",
    DetailsRefused details "Getfly refuses gender, birthday and source",
    PhonesRequired required "Getfly refuses an account without a phone",
    EmailsRequired required "Getfly refuses an account without an e-mail",
    AccountsMustExist accounts "Getfly refuses an order of an account that it does not have",
    ProductsMustExist products "Getfly refuses products that it does not have",
    ProductsHidden products "Getfly refuses products that it does not have, and to read products",
    LinesNeedProducts products "Getfly refuses products that it does not have, and lines without a product",
    UsersRefused users "Getfly refuses its list of users",
    PhonesSpaced stored "Getfly keeps phones as 0912 345 678",
    PhonesInternational stored "Getfly keeps phones as +84912345678",
    PhonesDotted stored "Getfly keeps phones as 0912.345.678",
    ChangesUnfiltered changes "Getfly ignores a filter by when accounts were changed",
    ListsUnsorted sorting "Getfly ignores how lists are to be sorted",
    FoldsMarks folds "Getfly takes letters without their marks for the same",
    TimesInSeconds times "Getfly writes times as Unix seconds",
    LinesRounded sums "Getfly rounds each line to a dong",
    WholeQuantities sums "Getfly cuts the fraction of quantities",
    NoTaxAmount sums "Getfly takes a tax as a percentage only",
    RenamesAccounts renames "Getfly renames the account that an order names",
    PagesOfOne getfly_pages "Getfly cuts pages to one record",
    FiltersIgnored filters "Getfly ignores filters that its manual does not have",
    FailsOnEmoji emoji "Getfly answers 500 to an emoji",
    OldVersionAtFirst version "Getfly has version 3 of its API only, for a while",
    MissingIsText gone "KiotViet says in plain words that there is no record",
    MissingIs420 gone "KiotViet answers 420 where there is no record",
    SellersRefused sellers "KiotViet refuses its list of users",
    PagesOfTwo kiotviet_pages "KiotViet cuts pages to two records",
    EmptyPages kiotviet_pages "KiotViet's lists have an empty page in the middle",
    SummaryRow summary "KiotViet's lists begin with a row of id -1",
    TimesWithOffset kiotviet_times "KiotViet writes times with their offset",
    TimesInWholeSeconds kiotviet_times "KiotViet writes times in whole seconds",
    ProductsDeleted deleted "KiotViet marks a product with {DEL}",
    MarksDeleted marks "KiotViet marks deleted customers and edited invoices with {DEL}",
    OneWebhookAType webhooks "KiotViet refuses a second webhook of one type",
    OwnCodes codes "The shop's own invoice codes end in a point and two digits",
    PascalInvoices casing "KiotViet tells invoices in PascalCase",
    BareDeletes deletes "KiotViet tells deletions as RemoveId",
    NewIdEachAttempt attempts "KiotViet gives each attempt of a delivery an id of its own",
    EditsKeepTheirDate edits "KiotViet keeps the creation date of an invoice that is edited",
    ShownLate shown "KiotViet tells of a record 8 s before it can be read",
    TokensOfTenMinutes tokens "KiotViet's tokens live for ten minutes",
    MaskedPhones masks "KiotViet masks the phone of every second customer",
    FnbOrderIgnored fnb_order "KiotViet F&B lists invoices by their ids, whatever order is asked for",
    FnbPagesOverlap fnb_pages "Each further page of KiotViet F&B begins with the last row of the one before",
    FnbChangesUntold fnb_changes "KiotViet F&B does not tell when an invoice was changed",
    FnbOtherStatus fnb_status "KiotViet F&B numbers a completed invoice 2 and a cancelled one 1",
    FnbScopes fnb_scope "KiotViet F&B reads a token's scope under scopes",
}

impl Habit {
    /// Whether no pair of vendors has both, because they have the same subject.
    fn excludes(self, other: Self) -> bool {
        self.about() == other.about()
    }

    /// What it changes at the two vendors.
    fn set(self, getfly: &mut GetflySettings, kiotviet: &mut Settings) {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        match self {
            Self::NineSeconds => getfly.create_latency = Duration::from_secs(9),
            Self::TwentySeconds => getfly.create_latency = Duration::from_secs(20),
            Self::NineSecondsForAny => getfly.latency = Duration::from_secs(9),
            Self::TwoSeconds => getfly.latency = Duration::from_secs(2),
            Self::OneRequestASecond => getfly.requests_per_second = Some(1),
            Self::TextRefusals => getfly.refusals = Refusals::Texts,
            Self::SentenceRefusals => getfly.refusals = Refusals::Sentence,
            Self::EnglishRefusals => getfly.refusals = Refusals::English,
            Self::RefusalsIn200 => getfly.refusals = Refusals::In200,
            Self::Unsuccessful => getfly.refusals = Refusals::Unsuccessful,
            Self::Status201 => getfly.success_status = 201,
            Self::CreatedAtTop => getfly.created = Created::TopLevel,
            Self::CreatedIdOnly => getfly.created = Created::IdOnly,
            Self::CreatedMessageOnly => getfly.created = Created::MessageOnly,
            Self::IdsAreTexts => getfly.ids_as_strings = true,
            Self::MissingIsEmpty => getfly.missing = Missing::Empty,
            Self::MissingIsPage => getfly.missing = Missing::Page,
            Self::NoVersion60 => getfly.has_version_6_0 = false,
            Self::CountsRefused => getfly.counts_refused = true,
            Self::RowOfIdZero => getfly.row_of_id_0 = true,
            Self::JsonAsHtml => getfly.json_as_html = true,
            Self::NumbersItself => getfly.numbers_itself = true,
            Self::RepeatedCodesRefused => getfly.refuse_repeated_order_code = true,
            Self::OrdersMakeAccounts | Self::OrdersNeedAccounts | Self::OrdersTakeAnAccount => {
                getfly.order_creates_account = self == Self::OrdersMakeAccounts;
                getfly.order_needs_account = self == Self::OrdersNeedAccounts;
                getfly.order_takes_an_account = self == Self::OrdersTakeAnAccount;
            }
            Self::PhonesUnique => getfly.refuse_duplicate_phone = true,
            Self::DigitsUnique => getfly.duplicates_by_digits = true,
            Self::EmailsUnique => getfly.refuse_duplicate_email = true,
            Self::TaxCodesUnique => getfly.checked_fields = names(&["sic_code"]),
            Self::DetailsRefused => {
                getfly.refused_fields = names(&["birthday"]);
                getfly.refuse_gender = true;
                getfly.refuse_unknown_source = true;
                getfly.sources = names(&["Facebook"]);
            }
            Self::PhonesRequired => getfly.required_fields = names(&["phone_office"]),
            Self::EmailsRequired => getfly.required_fields = names(&["email"]),
            Self::AccountsMustExist => getfly.refuse_unknown_account = true,
            Self::ProductsMustExist => getfly.products = Some(names(&["SP1"])),
            Self::ProductsHidden => {
                getfly.products = Some(names(&["SP1"]));
                getfly.products_refused = true;
            }
            Self::LinesNeedProducts => {
                getfly.products = Some(names(&["SP1"]));
                getfly.lines_need_code = true;
            }
            Self::UsersRefused => getfly.users_refused = true,
            Self::PhonesSpaced => getfly.phones = PhoneForm::Spaced,
            Self::PhonesInternational => getfly.phones = PhoneForm::International,
            Self::PhonesDotted => getfly.phones = PhoneForm::Dotted,
            Self::ChangesUnfiltered => getfly.heeds_updated_at = false,
            Self::ListsUnsorted => getfly.heeds_sort = false,
            Self::FoldsMarks => getfly.folds_marks = true,
            Self::TimesInSeconds => getfly.times_in_seconds = true,
            Self::LinesRounded => getfly.sums = Sums::LinesRounded,
            Self::WholeQuantities => getfly.sums = Sums::WholeQuantities,
            Self::NoTaxAmount => getfly.sums = Sums::NoTaxAmount,
            Self::RenamesAccounts => getfly.renames_accounts = true,
            Self::PagesOfOne => getfly.max_limit = 1,
            Self::FiltersIgnored => getfly.undocumented_filter = UndocumentedFilter::Ignore,
            Self::FailsOnEmoji => getfly.fails_on_wide_text = true,
            Self::OldVersionAtFirst => getfly.old_version = true,
            Self::MissingIsText => kiotviet.missing_is_text = true,
            Self::MissingIs420 => kiotviet.missing_is_420 = true,
            Self::SellersRefused => kiotviet.users_refused = true,
            Self::PagesOfTwo => kiotviet.pages.largest = 2,
            Self::EmptyPages => {
                kiotviet.pages = Pages {
                    largest: 2,
                    hidden: 3,
                    ..kiotviet.pages
                }
            }
            Self::SummaryRow => kiotviet.pages.summary = true,
            Self::TimesWithOffset => kiotviet.times = Times::WithOffset,
            Self::TimesInWholeSeconds => kiotviet.times = Times::WholeSeconds,
            Self::ProductsDeleted => kiotviet.deleted_products = names(&["SP1"]),
            Self::MarksDeleted => kiotviet.marks_deleted = true,
            Self::OneWebhookAType => kiotviet.one_webhook_a_type = true,
            Self::OwnCodes => kiotviet.own_codes = Some("8.".to_owned()),
            Self::PascalInvoices => kiotviet.invoice_casing = Casing::Pascal,
            Self::BareDeletes => kiotviet.delete_shape = DeleteShape::RemoveId,
            Self::NewIdEachAttempt => kiotviet.retry_keeps_id = false,
            Self::EditsKeepTheirDate => kiotviet.edit_keeps_created_date = true,
            Self::ShownLate => kiotviet.shown_after = Duration::from_secs(8),
            Self::TokensOfTenMinutes => kiotviet.token_life = Duration::from_secs(600),
            Self::MaskedPhones => kiotviet.masks_phones = true,
            Self::FnbOrderIgnored => kiotviet.fnb.order_ignored = true,
            Self::FnbPagesOverlap => kiotviet.fnb.pages_overlap = true,
            Self::FnbChangesUntold => kiotviet.fnb.no_modified_date = true,
            Self::FnbOtherStatus => {
                kiotviet.fnb.completed_status = 2;
                kiotviet.fnb.cancelled_status = 1;
            }
            Self::FnbScopes => kiotviet.fnb.scope_field = ScopeField::Scopes,
        }
    }
}

/// A few habits at once, in the order of [`Habit::ALL`]; none: the vendors as their settings'
/// defaults make them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Personality(Vec<Habit>);

impl Personality {
    /// Of these, the first of each group that exclude each other.
    pub fn of(habits: impl IntoIterator<Item = Habit>) -> Self {
        let mut taken: Vec<Habit> = Vec::new();
        for habit in habits {
            if !taken.iter().any(|other| other.excludes(habit)) {
                taken.push(habit);
            }
        }
        taken.sort_unstable();
        Self(taken)
    }

    /// The personality of this seed: up to five habits.
    pub fn drawn(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let count = usize::try_from(seed).unwrap_or_default() % (MOST + 1);
        Self::of(Habit::ALL.choose_multiple(&mut rng, count).copied())
    }

    /// Whether it has this habit.
    pub fn has(&self, habit: Habit) -> bool {
        self.0.contains(&habit)
    }

    /// All of them.
    pub fn habits(&self) -> &[Habit] {
        &self.0
    }

    /// Applies the habits to both vendors.
    pub fn set(&self, getfly: &mut GetflySettings, kiotviet: &mut Settings) {
        for habit in &self.0 {
            habit.set(getfly, kiotviet);
        }
    }
}

impl fmt::Display for Personality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("plain vendors");
        }
        let names = self.0.iter().map(|habit| format!("{habit:?}"));
        f.write_str(&names.collect::<Vec<_>>().join(" + "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn settings(personality: &Personality) -> String {
        let (mut getfly, mut kiotviet) = (GetflySettings::default(), Settings::default());
        personality.set(&mut getfly, &mut kiotviet);
        format!("{getfly:?} {kiotviet:?}")
    }

    #[test]
    fn every_habit_changes_something_of_its_own() {
        let plain = settings(&Personality::default());
        let all: BTreeSet<String> = Habit::ALL
            .iter()
            .map(|habit| settings(&Personality::of([*habit])))
            .collect();
        assert_eq!(all.len(), Habit::ALL.len());
        assert!(!all.contains(&plain));
    }

    #[test]
    fn of_two_that_exclude_each_other_the_first_counts_and_the_order_does_not_matter() {
        let one = Personality::of([Habit::TwentySeconds, Habit::IdsAreTexts, Habit::NineSeconds]);
        assert_eq!(one.to_string(), "TwentySeconds + IdsAreTexts");
        assert_eq!(
            one,
            Personality::of([Habit::IdsAreTexts, Habit::TwentySeconds])
        );
        assert_eq!(Personality::default().to_string(), "plain vendors");
    }

    #[test]
    fn a_seed_draws_the_same_one_again_and_a_thousand_seeds_draw_every_habit() {
        assert_eq!(Personality::drawn(7), Personality::drawn(7));
        assert_eq!(Personality::drawn(0), Personality::default());
        let drawn = (0..1000).map(Personality::drawn);
        let all: BTreeSet<Habit> = drawn.flat_map(|p| p.0).collect();
        assert_eq!(all.len(), Habit::ALL.len());
    }
}
