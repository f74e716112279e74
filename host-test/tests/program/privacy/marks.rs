//! The texts that must stay hidden, taken from the existing records (both vendors' records, the
//! shop's connection, the variables), so that none is forgotten; and the search for them, plain and
//! encoded.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use plugin::{rules::phone::PhoneField, vendor::encoding::percent_encode};
use sim::{GetflySim, KiotVietSim};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Whose text it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Of {
    /// Keys and tokens.
    Secret,
    /// Phones and e-mails.
    Contact,
    /// Names, addresses, remarks.
    Person,
}

/// What the contract's guarantee 4 names.
pub(crate) const GUARDED: [Of; 2] = [Of::Secret, Of::Contact];
/// All of them.
pub(crate) const ALL: [Of; 3] = [Of::Secret, Of::Contact, Of::Person];

/// The length of the shortest text that is searched, in bytes: a shorter one may occur anywhere.
const SHORTEST: usize = 8;

/// See the module.
#[derive(Default)]
pub(crate) struct Marks(BTreeMap<String, Of>);

impl Marks {
    /// Adds all texts of both vendors' records.
    pub(crate) fn note(&mut self, kiotviet: &KiotVietSim, getfly: &GetflySim) {
        self.add(Of::Secret, &kiotviet.settings().client_secret);
        self.add(Of::Secret, &getfly.settings().api_key);
        for token in kiotviet.tokens() {
            self.add(Of::Secret, &token);
        }
        for hook in kiotviet.webhooks() {
            self.add(Of::Secret, hook.url.rsplit('/').next().unwrap());
            self.add(Of::Secret, &hook.secret.unwrap());
        }
        self.note_kiotviet(kiotviet);
        self.note_getfly(getfly);
    }

    fn note_kiotviet(&mut self, kiotviet: &KiotVietSim) {
        for person in kiotviet.staff().now() {
            self.phone(person.mobile_phone.as_deref().unwrap_or_default());
            self.add(Of::Person, &person.given_name);
        }
        for customer in kiotviet.customers() {
            let typed = customer.content;
            self.phone(&typed.contact_number.unwrap_or_default());
            self.email(&typed.email.unwrap_or_default());
            self.add(Of::Person, &typed.name);
            for text in [typed.address, typed.organization, typed.comments] {
                self.add(Of::Person, &text.unwrap_or_default());
            }
        }
        for invoice in kiotviet.invoices() {
            let typed = invoice.content;
            self.add(Of::Person, &typed.description.unwrap_or_default());
            if let Some(delivery) = typed.delivery {
                self.phone(&delivery.contact_number);
                self.add(Of::Person, &delivery.receiver);
                self.add(Of::Person, &delivery.address);
            }
        }
    }

    fn note_getfly(&mut self, getfly: &GetflySim) {
        for user in getfly.users().now() {
            self.phone(&user.contact_mobile);
            self.email(&user.email);
            self.add(Of::Person, &user.contact_name);
        }
        for account in getfly.accounts() {
            self.phone(&account.phone_office);
            self.email(&account.email);
            self.add(Of::Person, &account.account_name);
            // Its last line is our own code, which is not personal.
            let code = account.account_code.as_str();
            let description = account.description.strip_suffix(code);
            self.add(Of::Person, description.unwrap_or(&account.description));
        }
        for order in getfly.orders() {
            self.phone(&order.account_phone);
            self.email(&order.account_email);
        }
    }

    /// A text that must occur nowhere; an empty one is ignored.
    pub(crate) fn add(&mut self, of: Of, text: &str) {
        let text = text.trim();
        assert!(
            text.is_empty() || text.len() >= SHORTEST,
            "{text} is too short to be looked for"
        );
        if !text.is_empty() {
            self.0.entry(text.to_owned()).or_insert(of);
        }
    }

    /// A phone field: as it was written, and each of its numbers in every usual grouping. The
    /// digits before the last nine (0, 84, +84) are left out, so that the prefix may be any of
    /// these.
    fn phone(&mut self, field: &str) {
        self.add(Of::Contact, field);
        for number in PhoneField::parse(field).numbers() {
            let digits = number.search_key();
            self.add(Of::Contact, digits);
            for sizes in [[3, 3], [2, 3], [2, 4]] {
                let (first, rest) = digits.split_at(sizes[0]);
                let (second, third) = rest.split_at(sizes[1]);
                for between in [" ", ".", "-", "_", "–", "·", "\u{a0}", "\u{200b}"] {
                    self.add(Of::Contact, &[first, second, third].join(between));
                }
            }
        }
    }

    /// An e-mail field: as it was written, each address, and the part after its name.
    fn email(&mut self, field: &str) {
        self.add(Of::Contact, field);
        for address in field.split([';', ',', ' ']).filter(|a| a.contains('@')) {
            self.add(Of::Contact, address);
            let name = address.find('@').unwrap();
            self.add(Of::Contact, &address[name..]);
        }
    }

    /// Prepares the search for these.
    pub(crate) fn search(&self, of: &[Of]) -> Search {
        let mut forms: HashMap<Head, BTreeSet<(Vec<u8>, String)>> = HashMap::new();
        for (text, _) in self.0.iter().filter(|(_, one)| of.contains(one)) {
            for (form, name) in forms_of(text) {
                let head = *form.first_chunk().unwrap();
                let found = if name.is_empty() {
                    text.clone()
                } else {
                    format!("{text} in {name}")
                };
                forms.entry(head).or_default().insert((form, found));
            }
        }
        Search {
            begins: forms.keys().map(|head| [head[0], head[1]]).collect(),
            forms,
        }
    }
}

/// The beginning of a form.
type Head = [u8; SHORTEST];

/// The forms of a text, as it was written or in small letters, and their names. The search ignores
/// case, so all are in small letters in the end.
fn forms_of(text: &str) -> Vec<(Vec<u8>, &'static str)> {
    let mut forms = Vec::new();
    for text in [text.to_owned(), text.to_ascii_lowercase()] {
        let bytes = text.as_bytes();
        forms.push((
            bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
            "hex",
        ));
        forms.extend(in_base64(bytes).map(|form| (form, "Base64")));
        let url = percent_encode(&text);
        let json = text.chars().map(|c| match c {
            ' '..='~' => c.to_string(),
            c => format!("\\u{:04x}", u32::from(c)),
        });
        let encoded = [
            (url.replace("%20", "+"), "a form"),
            (url, "a URL"),
            (json.collect(), "JSON"),
        ];
        forms.extend(encoded.into_iter().filter(|(form, _)| *form != text));
        forms.push((text, ""));
    }
    let forms = forms.into_iter();
    forms
        .map(|(form, name)| (form.to_ascii_lowercase().into_bytes(), name))
        .collect()
}

/// In Base64 of either alphabet, wherever in the encoded bytes it begins: only the characters that its own
/// bytes decide.
fn in_base64(text: &[u8]) -> impl Iterator<Item = String> {
    [STANDARD_NO_PAD, URL_SAFE_NO_PAD]
        .into_iter()
        .flat_map(move |alphabet| {
            (0..3).map(move |before| {
                let bytes = [&vec![0; before], text].concat();
                let encoded = alphabet.encode(&bytes);
                encoded[(before * 8).div_ceil(6)..bytes.len() * 8 / 6].to_owned()
            })
        })
}

/// See [`Marks::search`].
pub(crate) struct Search {
    begins: BTreeSet<[u8; 2]>,
    forms: HashMap<Head, BTreeSet<(Vec<u8>, String)>>,
}

impl Search {
    /// The texts that these bytes show.
    pub(crate) fn find(&self, bytes: &[u8]) -> BTreeSet<String> {
        let mut may_begin = vec![false; 1 << 16];
        for [a, b] in &self.begins {
            may_begin[usize::from(*a) << 8 | usize::from(*b)] = true;
        }
        let bytes = bytes.to_ascii_lowercase();
        let mut found = BTreeSet::new();
        for at in 0..bytes.len().saturating_sub(SHORTEST - 1) {
            if !may_begin[usize::from(bytes[at]) << 8 | usize::from(bytes[at + 1])] {
                continue;
            }
            let here = &bytes[at..];
            let forms = here.first_chunk().and_then(|head| self.forms.get(head));
            let told = forms.into_iter().flatten();
            let told = told.filter(|(form, _)| here.starts_with(form));
            found.extend(told.map(|(_, name)| name.clone()));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::STANDARD;

    #[test]
    fn each_form_is_found_wherever_it_begins() {
        let mut marks = Marks::default();
        marks.add(Of::Contact, "Chị.Hoa@example.vn");
        marks.phone("0912 345 678");
        let search = marks.search(&GUARDED);
        let is_found = |bytes: &[u8]| !search.find(bytes).is_empty();
        for text in ["x", "xy", "xyz"].map(|before| format!("{before}+84912345678, 1")) {
            assert!(is_found(text.as_bytes()));
            assert!(is_found(STANDARD.encode(&text).as_bytes()));
        }
        for text in ["091.234.5678", "a 0912–345–678 b", "phone=0912%20345%20678"] {
            assert!(is_found(text.as_bytes()), "{text}");
        }
        for text in ["chị.hoa@example.vn", "Chị.HOA@EXAMPLE.VN"] {
            assert!(is_found(text.as_bytes()), "{text}");
        }
        assert!(is_found(percent_encode("Chị.Hoa@example.vn").as_bytes()));
        assert!(is_found(br"ch\u1ecb.hoa@example.vn"));
        assert!(is_found("303931323334353637380a".as_bytes()));
        assert!(!is_found(b"0912 345 67, hoa@example"));
    }
}
