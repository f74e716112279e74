//! Replaces all personal data in a payload. The members that are kept stand in a list (`words`).
//! Everything unknown is replaced, so that a new member of KiotViet's cannot leak.

use super::{
    dates::{day, is_moment, with_day},
    invent::Inventor,
    words::{Sort, WALK_IN, action, is_prefix, is_word, sort},
};
use serde_json::{Map, Number, Value};

/// The longest member name that is kept.
const NAME_LENGTH: usize = 40;
/// The digits of an invented number after its zero, as in this project's fixtures.
const PHONE: &str = "900000";
/// This many digits are a whole number: a zero after a blank begins the next one.
const WHOLE: usize = 9;
/// The fewest digits that distinguish an invented number from others.
const PHONE_OWN: usize = 3;

/// One recording's replacements.
pub struct Disguise {
    invent: Inventor,
}

impl Disguise {
    /// With a salt that the system draws and that is never stored.
    pub fn new() -> Self {
        Self::with_salt(rand::random())
    }

    /// With this salt, for tests.
    pub fn with_salt(salt: [u8; 32]) -> Self {
        Self {
            invent: Inventor::new(salt),
        }
    }

    /// The body of a delivery without personal data; none if it is not JSON.
    pub fn body(&mut self, body: &[u8]) -> Option<Vec<u8>> {
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        let value: Value = serde_json::from_slice(body).ok()?;
        let mut text = serde_json::to_vec_pretty(&self.value(Sort::Text, value)).ok()?;
        text.push(b'\n');
        Some(text)
    }

    fn value(&mut self, sort: Sort, value: Value) -> Value {
        match value {
            Value::Null | Value::Bool(_) => value,
            Value::Object(members) => Value::Object(self.members(members)),
            Value::Array(items) => {
                let items = items.into_iter().map(|item| self.value(sort, item));
                Value::Array(items.collect())
            }
            Value::Number(number) => self.number(sort, number),
            Value::String(text) => Value::String(self.text(sort, &text)),
        }
    }

    fn members(&mut self, members: Map<String, Value>) -> Map<String, Value> {
        let one = |(name, value): (String, Value)| {
            let sort = sort(&name);
            let plain = |c: char| c.is_ascii_alphabetic() || c == '_';
            let known = name.len() <= NAME_LENGTH && name.chars().all(plain);
            let name = if known { name } else { self.free(&name) };
            let value = self.value(sort, value);
            (name, value)
        };
        members.into_iter().map(one).collect()
    }

    fn number(&mut self, sort: Sort, number: Number) -> Value {
        let text = number.to_string();
        // A single digit is a state or a count, and not personal.
        if sort == Sort::Amount || text.trim_start_matches('-').len() <= 1 {
            return Value::Number(number);
        }
        // This includes numbers that are not ids: an unknown number may identify a person.
        let replaced = self.digits("id", &text);
        replaced.parse().map_or(Value::Null, Value::Number)
    }

    fn text(&mut self, sort: Sort, text: &str) -> String {
        if text.trim().is_empty() {
            return text.to_owned();
        }
        match sort {
            Sort::Word if is_word(text) => text.to_owned(),
            Sort::Name if text == WALK_IN => text.to_owned(),
            Sort::Amount if is_amount(text) => text.to_owned(),
            Sort::Moment if is_moment(text) => text.to_owned(),
            Sort::Birthday if is_moment(text) => self.birthday(text),
            Sort::TypeName if is_type_name(text) => text.to_owned(),
            Sort::Action => self.action(text),
            Sort::Id => self.id(text),
            Sort::Code => self.code(text),
            Sort::Name => self.name(text),
            Sort::Phone => self.phones(text),
            Sort::Email => self.emails(text),
            Sort::Digits => self.digits("digits", text),
            _ => self.free(text),
        }
    }

    fn action(&mut self, text: &str) -> String {
        match action(text) {
            Some((kind, "")) => kind.to_owned(),
            Some((kind, retailer)) => format!("{kind}.{}", self.id(retailer)),
            None => self.free(text),
        }
    }

    /// A number in text, or a GUID: digits stay digits.
    fn id(&mut self, text: &str) -> String {
        if text.bytes().all(|b| b.is_ascii_digit()) {
            return if text.len() <= 1 {
                text.to_owned()
            } else {
                self.digits("id", text)
            };
        }
        let shape = text.to_owned();
        self.invent.instead("guid", text, |draws, _| {
            let one = |c: char| match c {
                '-' | '{' | '}' => c.to_string(),
                _ => char::from_digit(u32::try_from(draws.below(16)).unwrap_or(0), 16)
                    .unwrap_or('0')
                    .to_string(),
            };
            shape.chars().map(one).collect()
        })
    }

    /// `HD000123.01` keeps its letters where they are KiotViet's, and its edit's number.
    fn code(&mut self, text: &str) -> String {
        let (base, edit) = match text.rsplit_once('.') {
            Some((base, edit)) if edit.len() == 2 && edit.bytes().all(|b| b.is_ascii_digit()) => {
                (base, format!(".{edit}"))
            }
            _ => (text, String::new()),
        };
        let digits = base
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(base.len());
        let (letters, number) = base.split_at(digits);
        let plain = is_prefix(letters) && number.bytes().all(|b| b.is_ascii_digit());
        if plain && number.len() > 1 {
            // All codes share the numbers: the payment TTHD000123 belongs to the invoice HD000123.
            return format!("{letters}{}{edit}", self.digits("code", number));
        }
        let own = self.invent.instead("text code", base, |draws, _| {
            format!("MA{}", draws.digits(6, false))
        });
        format!("{own}{edit}")
    }

    /// A masked name (`Q******o`) stays masked.
    fn name(&mut self, text: &str) -> String {
        let stars = text.chars().filter(|c| *c == '*').count();
        if stars > 2 {
            return self.invent.instead("masked", text, |draws, attempt| {
                let (first, last) = (draws.letters(1).to_uppercase(), draws.letters(1));
                // There are few such names, so the number of stars distinguishes them.
                let more = usize::try_from(attempt / 100).unwrap_or(0);
                format!("{first}{}{last}", "*".repeat(stars + more))
            });
        }
        self.invent.instead("name", text.trim(), |draws, _| {
            const FAMILY: [&str; 6] = ["Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Vũ"];
            const GIVEN: [&str; 6] = ["An", "Bình", "Chi", "Dung", "Giang", "Hà"];
            let (family, given) = (FAMILY[draws.below(6)], GIVEN[draws.below(6)]);
            format!("{family} {given} {}", draws.digits(5, false))
        })
    }

    /// The numbers in a field, each in its own writing: `+84 912 345 678 - 0903596729`.
    fn phones(&mut self, text: &str) -> String {
        let mut whole = String::new();
        for part in split_phones(text) {
            whole.push_str(&self.phone(part));
        }
        whole
    }

    fn phone(&mut self, part: &str) -> String {
        let digits: String = part.chars().filter(char::is_ascii_digit).collect();
        let country = if part.trim_start().starts_with('+') && digits.starts_with("84") {
            "84"
        } else if digits.starts_with("0084") {
            "0084"
        } else if digits.starts_with("84") && digits.len() >= 11 {
            "84"
        } else if digits.starts_with('0') {
            "0"
        } else {
            ""
        };
        let own = &digits[country.len()..];
        let own = if own.is_empty() {
            String::new()
        } else {
            self.own_digits(own)
        };
        let mut digits = country.chars().chain(own.chars());
        let one = |c: char| match c {
            c if c.is_ascii_digit() => digits.next().unwrap_or('0'),
            c if c.is_alphanumeric() => 'x',
            c => c,
        };
        part.chars().map(one).collect()
    }

    fn own_digits(&mut self, own: &str) -> String {
        let count = own.len();
        self.invent.instead("phone", own, |draws, attempt| {
            // Invented numbers look alike until there are too many of them.
            let room = PHONE_OWN + usize::try_from(attempt / 3000).unwrap_or(0);
            let same = PHONE.len().min(count.saturating_sub(room));
            format!(
                "{}{}",
                &PHONE[..same],
                draws.digits(count - same, same == 0)
            )
        })
    }

    /// The addresses in a field, each in lower case: letters stay letters.
    fn emails(&mut self, text: &str) -> String {
        let between = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '/' | '|');
        let parts = text.split_inclusive(between);
        parts
            .map(|part| {
                let address = part.trim_end_matches(between);
                let rest = &part[address.len()..];
                if !address.contains(char::is_alphanumeric) {
                    part.to_owned()
                } else {
                    format!("{}{rest}", self.email(address))
                }
            })
            .collect()
    }

    fn email(&mut self, address: &str) -> String {
        let address = address.to_lowercase();
        let Some((local, _)) = address.rsplit_once('@') else {
            return self.free(&address);
        };
        let local = local.to_owned();
        self.invent.instead("email", &address, |draws, attempt| {
            let mut made = String::new();
            for c in local.chars() {
                match c {
                    '.' | '_' | '-' | '+' => made.push(c),
                    c if c.is_ascii_digit() => made.push_str(&draws.digits(1, false)),
                    _ => made.push_str(&draws.letters(1)),
                }
            }
            if attempt > 20 {
                made.push_str(&draws.letters(4));
            }
            format!("{made}@example.vn")
        })
    }

    fn birthday(&mut self, text: &str) -> String {
        let Some(born) = day(text) else {
            return self.free(text);
        };
        let other = self
            .invent
            .instead("birthday", &born.to_string(), |draws, _| {
                let (year, month) = (1950 + draws.below(50), 1 + draws.below(12));
                format!("{year}-{month:02}-{:02}", 1 + draws.below(28))
            });
        day(&other).map_or_else(|| self.free(text), |day| with_day(text, day))
    }

    /// Replaces digits by others and everything else by `x`. A first digit above zero stays above
    /// zero.
    fn digits(&mut self, kind: &'static str, text: &str) -> String {
        let shape = text.to_owned();
        self.invent.instead(kind, text, |draws, _| {
            let mut lead = shape.bytes().find(u8::is_ascii_digit) != Some(b'0');
            let mut made = String::new();
            for c in shape.chars() {
                match c {
                    c if c.is_ascii_digit() => {
                        made.push_str(&draws.digits(1, lead));
                        lead = false;
                    }
                    c if c.is_alphanumeric() => made.push('x'),
                    c => made.push(c),
                }
            }
            made
        })
    }

    fn free(&mut self, text: &str) -> String {
        self.invent.instead("text", text, |draws, _| {
            format!("Chữ thử {}", draws.letters(8))
        })
    }
}

impl Default for Disguise {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether it is a number in text that does not begin as a phone number does.
fn is_amount(text: &str) -> bool {
    let phone = text.starts_with('+') || (text.starts_with('0') && !text.starts_with("0."));
    text.parse::<rust_decimal::Decimal>().is_ok() && (text == "0" || !phone)
}

fn is_type_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphabetic() || matches!(c, '.' | ',' | ' ');
    text.starts_with("KiotViet.") && text.len() <= 200 && text.chars().all(plain)
}

/// The parts of a phone field, each with one number at most and with what stands around it.
fn split_phones(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut from = 0;
    for (at, c) in text.char_indices() {
        let dash = matches!(c, '-' | '–' | '—') && text[..at].ends_with(' ');
        let plus = c == '+' && at > from;
        let whole = || text[from..at].chars().filter(char::is_ascii_digit).count() >= WHOLE;
        let next = c == ' ' && text[at..].starts_with(" 0") && whole();
        if dash || plus || next || matches!(c, ',' | ';' | '/' | '|' | '\n') || c.is_alphabetic() {
            parts.push(&text[from..at]);
            from = at;
        }
    }
    parts.push(&text[from..]);
    parts
}
