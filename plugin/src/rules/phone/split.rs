//! Finds where one number ends and the next begins in a free text. Letters and most punctuation
//! always separate. Spaces, dots, dashes and brackets may stand inside a number as well as between
//! two. Of all ways to cut there, the one with the most plausible numbers wins.

use super::canonical::canonical;
use crate::rules::text::is_invisible;

/// The longest run of digits that is tried as one number: `00` and fifteen digits.
const MAX_RUN: usize = 17;

/// How many characters of a text are read: more than any real field has, and cheap to hold.
pub(super) const MAX_CHARS: usize = 2_000;

/// A number in a text.
pub(super) struct Found {
    /// Canonical form.
    pub(super) canonical: String,
    /// Whether a `+` stands before its digits.
    pub(super) plus: bool,
    /// Its digits and where they stand in the text (bytes).
    pub(super) digits: Vec<(usize, char)>,
    /// Where its `+` or the bracket around its first digits stands, else its first digit.
    pub(super) lead: usize,
}

/// The mark that stands for a hidden digit.
const HIDDEN: char = '*';

/// What a text holds.
#[derive(Default)]
pub(super) struct Split {
    /// Numbers, in order.
    pub(super) numbers: Vec<Found>,
    /// The byte ranges of the masked numbers, which hide some of their digits.
    pub(super) masked: Vec<core::ops::Range<usize>>,
}

/// Digits that stand together.
struct Group {
    digits: Vec<(usize, char)>,
    plus: bool,
    lead: usize,
    /// The cost of beginning a number here: the more the gap before looks like a separator, the
    /// lower.
    gap: u32,
}

/// The digit that `c` shows: ASCII or full-width.
pub(super) fn digit(c: char) -> Option<char> {
    match c {
        '0'..='9' => Some(c),
        '\u{FF10}'..='\u{FF19}' => u32::from(c)
            .checked_sub(0xFF10)
            .and_then(|value| char::from_digit(value, 10)),
        _ => None,
    }
}

/// All numbers in `text` (in its first 2000 characters), in order.
pub(super) fn numbers(text: &str) -> Vec<Found> {
    split(text).numbers
}

/// All numbers in `text` (in its first 2000 characters), and the masked ones.
pub(super) fn split(text: &str) -> Split {
    let mut split = Split::default();
    for piece in pieces(text) {
        best_cut(&piece, &mut split);
    }
    for masked in &mut split.masked {
        let last = text.get(masked.end..).and_then(|text| text.chars().next());
        masked.end = masked.end.saturating_add(last.map_or(0, char::len_utf8));
    }
    split
}

/// Which characters hide a digit: every `*` and `x` of a run that touches a digit, or of a longer
/// run between the digits of one number. An `x` beside a letter is a letter.
fn hidden(text: &str) -> Vec<bool> {
    let is_mark = |c: char| matches!(c, '*' | '\u{FF0A}' | 'x' | 'X');
    if !text.contains(is_mark) {
        return Vec::new();
    }
    let chars: Vec<(usize, char)> = text.char_indices().take(MAX_CHARS).collect();
    let mut hidden = Vec::with_capacity(chars.len());
    let mut rest = chars.as_slice();
    while let Some((_, first)) = rest.first() {
        let marks = rest.iter().take_while(|(_, c)| is_mark(*c)).count();
        let hide = marks > 0 && {
            let before = chars.get(..hidden.len()).unwrap_or_default();
            let after = rest.get(marks..).unwrap_or_default();
            let letters = matches!(first, 'x' | 'X');
            is_hidden_run(before, after, marks, letters)
        };
        let run = marks.max(1);
        hidden.resize(hidden.len().saturating_add(run), hide);
        rest = rest.get(run..).unwrap_or_default();
    }
    hidden
}

/// Whether a run of marks hides digits, by what stands before and after it.
fn is_hidden_run(
    before: &[(usize, char)],
    after: &[(usize, char)],
    marks: usize,
    letters: bool,
) -> bool {
    let (left, right) = (before.last(), after.first());
    let beside = || left.into_iter().chain(right);
    if letters && beside().any(|(_, c)| c.is_alphabetic()) {
        return false;
    }
    let blank = |c: &char| is_noise(*c) && !is_line_break(*c);
    let mut left = before.iter().rev().map(|(_, c)| *c).skip_while(blank);
    let mut right = after.iter().map(|(_, c)| *c).skip_while(blank);
    let between = |c: Option<char>| c.is_some_and(|c| digit(c).is_some());
    beside().any(|(_, c)| digit(*c).is_some())
        || (marks > 1 && between(left.next()) && between(right.next()))
}

/// What stands between two groups.
#[derive(Default)]
struct Gap {
    spaces: u32,
    dash: bool,
    space_before_dash: bool,
    space_after_dash: bool,
    lead: Option<usize>,
    plus: bool,
}

impl Gap {
    fn cost(&self) -> u32 {
        match (self.dash, self.spaces) {
            (true, _) if self.space_before_dash && self.space_after_dash => 0,
            (true, _) | (_, 2..) => 1,
            (_, 1) => 2,
            _ => 3,
        }
    }

    /// Adds one character of noise; false if it is not noise.
    fn absorb(&mut self, at: usize, c: char) -> bool {
        if is_line_break(c) {
            return false;
        } else if c.is_whitespace() {
            self.spaces = self.spaces.saturating_add(1);
            self.space_after_dash |= self.dash;
        } else if is_dash(c) {
            self.space_before_dash |= self.spaces > 0;
            self.dash = true;
            self.lead = self.lead.filter(|_| self.plus);
        } else if is_opening(c) {
            self.lead = self.lead.or(Some(at));
        } else if is_closing(c) {
            self.lead = self.lead.filter(|_| self.plus);
        } else {
            return is_dot(c);
        }
        true
    }
}

/// Cuts `text` where a number surely ends: at everything that is neither digit nor noise, and
/// before every `+`.
fn pieces(text: &str) -> Vec<Vec<Group>> {
    let mut pieces: Vec<Vec<Group>> = Vec::new();
    let mut piece: Vec<Group> = Vec::new();
    let mut gap = Some(Gap::default());
    let hidden = hidden(text);
    for (nth, (at, c)) in text.char_indices().take(MAX_CHARS).enumerate() {
        let hides = hidden.get(nth).is_some_and(|hides| *hides);
        if let Some(digit) = digit(c).or(hides.then_some(HIDDEN)) {
            match (gap.take(), piece.last_mut()) {
                (None, Some(group)) => group.digits.push((at, digit)),
                (between, _) => {
                    let between = between.unwrap_or_default();
                    piece.push(Group {
                        digits: vec![(at, digit)],
                        plus: between.plus,
                        lead: between.lead.unwrap_or(at),
                        gap: between.cost(),
                    });
                }
            }
        } else if is_invisible(c) {
            // Invisible characters make no gap.
        } else if matches!(c, '+' | '\u{FF0B}') {
            let lead = gap.take().and_then(|gap| gap.lead).or(Some(at));
            pieces.push(core::mem::take(&mut piece));
            gap = Some(Gap {
                lead,
                plus: true,
                ..Gap::default()
            });
        } else if !gap.get_or_insert_default().absorb(at, c) {
            pieces.push(core::mem::take(&mut piece));
            gap = Some(Gap::default());
        }
    }
    pieces.push(piece);
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

/// The cheapest cut of the groups before some group.
#[derive(Clone, Copy)]
struct Cut {
    cost: u32,
    /// Where its last number begins.
    from: usize,
}

/// Cuts a piece into runs of groups so that the sum of [`run_cost`] and the gaps' costs is smallest.
fn best_cut(piece: &[Group], split: &mut Split) {
    let mut best = vec![Cut { cost: 0, from: 0 }];
    for end in 1..=piece.len() {
        let mut cheapest = Cut {
            cost: u32::MAX,
            from: end.saturating_sub(1),
        };
        for from in (0..end).rev() {
            let run = piece.get(from..end).unwrap_or_default();
            let length = run
                .iter()
                .fold(0_usize, |sum, group| sum.saturating_add(group.digits.len()));
            if length > MAX_RUN && run.len() > 1 {
                break;
            }
            let gap = if from == 0 {
                0
            } else {
                run.first().map_or(0, |group| group.gap)
            };
            let before = best.get(from).map_or(0, |cut| cut.cost);
            let cost = before.saturating_add(gap).saturating_add(run_cost(run));
            if cost < cheapest.cost {
                cheapest = Cut { cost, from };
            }
        }
        best.push(cheapest);
    }
    let mut runs = Vec::new();
    let mut end = piece.len();
    while end > 0 {
        let from = best.get(end).map_or(0, |cut| cut.from);
        runs.extend(piece.get(from..end));
        end = from;
    }
    for run in runs.into_iter().rev() {
        split.masked.extend(masked(run));
        split.numbers.extend(join(run));
    }
}

/// The byte range of a run that hides digits: from its beginning to its last character.
fn masked(run: &[Group]) -> Option<core::ops::Range<usize>> {
    let mut digits = run.iter().flat_map(|group| &group.digits);
    let hidden = digits.clone().any(|(_, digit)| *digit == HIDDEN);
    let (last, _) = digits.next_back()?;
    hidden.then_some(run.first()?.lead..*last)
}

/// The number that the groups of a run form together, if they form one.
fn join(run: &[Group]) -> Option<Found> {
    let first = run.first()?;
    let digits: Vec<_> = run
        .iter()
        .flat_map(|group| group.digits.iter().copied())
        .collect();
    let hidden = digits.iter().any(|(_, digit)| *digit == HIDDEN);
    if digits.len() > MAX_RUN || hidden {
        return None;
    }
    let text: String = digits.iter().map(|(_, digit)| *digit).collect();
    let canonical = canonical(first.plus, &text)?;
    Some(Found {
        canonical,
        plus: first.plus,
        digits,
        lead: first.lead,
    })
}

/// How unlikely it is that a run is one number: 0 for a full number, 20 for digits that are no
/// number. Full numbers have ten digits (`0` and nine), eleven for landlines (`02…`) and the old
/// mobile numbers (`01…`), eight to fifteen abroad. Six to eight digits are a local number without
/// area code.
fn run_cost(run: &[Group]) -> u32 {
    if masked(run).is_some() {
        let digits = run.iter().map(|group| group.digits.len()).sum();
        return match digits {
            9..=11 => 1,
            0..=8 => 12,
            _ => 25,
        };
    }
    let Some(found) = join(run) else { return 20 };
    let form = found.canonical.as_str();
    let key = form.trim_start_matches('0');
    let first = key.chars().next().unwrap_or('0');
    // Without 0 and 84, the digits could be something else than a number.
    let bare = u32::from(found.digits.len() == key.len() && !found.plus);
    match (form.len(), key.len()) {
        (_, 8..) if form.starts_with("00") && !form.starts_with("000") => 0,
        (10, 9) if matches!(first, '3' | '5' | '7' | '8' | '9') => bare,
        (10, 9) => bare.saturating_add(2),
        (11, 10) if matches!(first, '1' | '2') => bare,
        (_, 6) => 14,
        (_, 7 | 8) => 12,
        (_, 0) => 12,
        _ => 30,
    }
}

/// Whether `c`, like white space, may stand inside a number as well as between two.
pub(crate) fn is_noise(c: char) -> bool {
    c.is_whitespace() || is_dash(c) || is_dot(c) || is_opening(c) || is_closing(c)
}

fn is_line_break(c: char) -> bool {
    matches!(
        c,
        '\n' | '\r' | '\u{B}' | '\u{C}' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

fn is_dash(c: char) -> bool {
    matches!(
        c,
        '-' | '_' | '\u{58A}' | '\u{1806}' | '\u{2010}'
            ..='\u{2015}'
                | '\u{2043}'
                | '\u{2212}'
                | '\u{2E3A}'
                | '\u{2E3B}'
                | '\u{FE31}'
                | '\u{FE32}'
                | '\u{FE58}'
                | '\u{FE63}'
                | '\u{FF0D}'
    )
}

fn is_dot(c: char) -> bool {
    matches!(
        c,
        '.' | '\''
            | '\u{B7}'
            | '\u{2019}'
            | '\u{2022}'
            | '\u{2024}'
            | '\u{2027}'
            | '\u{2219}'
            | '\u{22C5}'
            | '\u{3002}'
            | '\u{30FB}'
            | '\u{FE52}'
            | '\u{FF0E}'
            | '\u{FF61}'
            | '\u{FF65}'
    )
}

fn is_opening(c: char) -> bool {
    matches!(
        c,
        '(' | '['
            | '{'
            | '<'
            | '\u{2329}'
            | '\u{27E8}'
            | '\u{3008}'
            | '\u{300A}'
            | '\u{300C}'
            | '\u{3010}'
            | '\u{3014}'
            | '\u{FF08}'
            | '\u{FF1C}'
            | '\u{FF3B}'
            | '\u{FF5B}'
    )
}

fn is_closing(c: char) -> bool {
    matches!(
        c,
        ')' | ']'
            | '}'
            | '>'
            | '\u{232A}'
            | '\u{27E9}'
            | '\u{3009}'
            | '\u{300B}'
            | '\u{300D}'
            | '\u{3011}'
            | '\u{3015}'
            | '\u{FF09}'
            | '\u{FF1E}'
            | '\u{FF3D}'
            | '\u{FF5D}'
    )
}
