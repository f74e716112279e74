//! A text in both languages.

/// The page's languages. Vietnamese unless a person switches: a shop's browser is often set to
/// English, so `Accept-Language` says little about who reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lang {
    /// Tiếng Việt.
    #[default]
    Vi,
    /// English.
    En,
}

impl Lang {
    /// From the word in the query and the cookie.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "vi" => Some(Self::Vi),
            "en" => Some(Self::En),
            _ => None,
        }
    }

    /// The word in the query, the cookie and `<html lang>`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Vi => "vi",
            Self::En => "en",
        }
    }
}

/// One text in both languages. A pointer, because each use of it is code in the component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text(pub &'static Pair);

/// See [`Text`].
#[derive(Debug, PartialEq, Eq)]
pub struct Pair {
    /// Vietnamese.
    pub vi: &'static str,
    /// English.
    pub en: &'static str,
}

impl Text {
    /// In this language.
    pub fn of(self, lang: Lang) -> &'static str {
        match lang {
            Lang::Vi => self.0.vi,
            Lang::En => self.0.en,
        }
    }
}

/// `text!(vietnamese, english)`
macro_rules! text {
    ($vi:expr, $en:expr $(,)?) => {
        $crate::wording::text::Text(&$crate::wording::text::Pair { vi: $vi, en: $en })
    };
}
pub(crate) use text;
