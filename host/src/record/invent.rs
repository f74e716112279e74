//! Invents a replacement for a text. Within one recording, a text always gets the same replacement,
//! and another text another one. A replacement reveals nothing about its text. The key is drawn for
//! each recording and never stored.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::collections::{BTreeMap, BTreeSet};

/// See the module.
pub(super) struct Inventor {
    salt: [u8; 32],
    given: BTreeMap<(&'static str, String), String>,
    taken: BTreeSet<(&'static str, String)>,
}

/// Draws from an alphabet, as many as needed.
pub(super) struct Draws {
    bytes: Vec<u8>,
    at: usize,
    block: usize,
    more: Box<dyn Fn(usize) -> Vec<u8>>,
}

impl Draws {
    /// A number below `n`, which is at most 256.
    pub(super) fn below(&mut self, n: usize) -> usize {
        if self.at >= self.bytes.len() {
            self.block += 1;
            self.bytes = (self.more)(self.block);
            self.at = 0;
        }
        let byte = self.bytes.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        usize::from(byte) % n.max(1)
    }

    /// This many decimal digits; with `lead`, the first one is not zero.
    pub(super) fn digits(&mut self, count: usize, lead: bool) -> String {
        let digit = |(at, d): (usize, usize)| {
            let d = if at == 0 && lead { 1 + d % 9 } else { d };
            char::from(b'0' + u8::try_from(d).unwrap_or(0))
        };
        let drawn: Vec<usize> = (0..count).map(|_| self.below(10)).collect();
        drawn.into_iter().enumerate().map(digit).collect()
    }

    /// This many lower-case letters.
    pub(super) fn letters(&mut self, count: usize) -> String {
        let letter = |n: usize| char::from(b'a' + u8::try_from(n).unwrap_or(0));
        (0..count).map(|_| letter(self.below(26))).collect()
    }
}

impl Inventor {
    /// With its own key.
    pub(super) fn new(salt: [u8; 32]) -> Self {
        Self {
            salt,
            given: BTreeMap::new(),
            taken: BTreeSet::new(),
        }
    }

    /// The replacement of `text` among those of its kind. `make` makes one from draws. It is called
    /// again while its result is taken, or is the text itself. `attempt` counts from 0.
    pub(super) fn instead(
        &mut self,
        kind: &'static str,
        text: &str,
        make: impl Fn(&mut Draws, u32) -> String,
    ) -> String {
        if let Some(known) = self.given.get(&(kind, text.to_owned())) {
            return known.clone();
        }
        let mut made = String::new();
        for attempt in 0..10_000 {
            made = make(&mut self.draws(kind, text, attempt), attempt);
            if made != text && !self.taken.contains(&(kind, made.clone())) {
                break;
            }
        }
        self.taken.insert((kind, made.clone()));
        self.given.insert((kind, text.to_owned()), made.clone());
        made
    }

    fn draws(&self, kind: &str, text: &str, attempt: u32) -> Draws {
        let (salt, text) = (self.salt, format!("{kind}\0{text}\0{attempt}"));
        let more = move |block: usize| {
            let mut mac =
                Hmac::<Sha256>::new_from_slice(&salt).expect("HMAC takes a key of any length");
            mac.update(text.as_bytes());
            mac.update(&block.to_le_bytes());
            mac.finalize().into_bytes().to_vec()
        };
        Draws {
            bytes: more(0),
            at: 0,
            block: 0,
            more: Box::new(more),
        }
    }
}
