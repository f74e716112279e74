//! A view of a JSON object whose keys may be in PascalCase or camelCase: KiotViet sends both, even
//! for one webhook. An exact name wins; otherwise ASCII case does not matter. `null` counts as
//! absent.

use super::{
    assumptions::NO_DATE_YEAR,
    time::{parse_date, parse_time},
};
use crate::{
    rules::money::{self, AbsurdAmount, Money},
    time::{Date, Timestamp},
};
use rust_decimal::Decimal;
use serde_json::{Map, Number, Value};

/// A field that is not what the manual says. It shows its name, never its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the field `{field}` {problem}")]
pub struct FieldError {
    /// The field's name in camelCase.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: &'static str,
}

/// The problem of a record that is not the one that was asked for.
pub(super) const ANOTHER_RECORD: &str = "is another record's";

impl FieldError {
    /// `field` is required and absent.
    pub fn missing(field: &'static str) -> Self {
        let problem = "is missing";
        Self { field, problem }
    }
}

/// One JSON object. Every getter returns none (or the empty text) for an absent or `null` field,
/// and an error for a field of another type.
#[derive(Clone, Copy)]
pub struct Fields<'a>(&'a Map<String, Value>);

impl<'a> Fields<'a> {
    /// A view of `value`. `field` names it in the error when it is not an object.
    pub fn of(value: &'a Value, field: &'static str) -> Result<Self, FieldError> {
        let problem = "is not an object";
        value
            .as_object()
            .map(Self)
            .ok_or(FieldError { field, problem })
    }

    /// The value at `name`.
    pub fn get(self, name: &str) -> Option<&'a Value> {
        let exact = self.0.get(name).filter(|value| !value.is_null());
        exact.or_else(|| {
            let mut others = self.0.iter();
            let found =
                others.find(|(key, value)| key.eq_ignore_ascii_case(name) && !value.is_null());
            found.map(|(_, value)| value)
        })
    }

    /// A text as it came, or a number's digits.
    pub fn text(self, field: &'static str) -> Result<String, FieldError> {
        let problem = "is not a text";
        match self.get(field) {
            None => Ok(String::new()),
            Some(Value::String(text)) => Ok(text.clone()),
            Some(Value::Number(number)) => Ok(number.to_string()),
            Some(_) => Err(FieldError { field, problem }),
        }
    }

    /// A whole number, or a text of one; `5.0` is whole.
    pub fn integer(self, field: &'static str) -> Result<Option<i64>, FieldError> {
        let Some(value) = self.get(field) else {
            return Ok(None);
        };
        let problem = "is not a whole number";
        whole_number(value)
            .map(Some)
            .ok_or(FieldError { field, problem })
    }

    /// A whole number that names a record. KiotViet writes 0 for "no user", and -1 in rows of sums.
    pub fn reference(self, field: &'static str) -> Result<Option<i64>, FieldError> {
        Ok(self.integer(field)?.filter(|&id| id > 0))
    }

    /// A number from its own digits. A text is refused: `1.000` could be one or a thousand.
    pub fn decimal(self, field: &'static str) -> Result<Option<Decimal>, FieldError> {
        self.number(field, money::decimal)
    }

    /// An amount in đồng, from the number's own digits.
    pub fn money(self, field: &'static str) -> Result<Option<Money>, FieldError> {
        self.number(field, Money::parse)
    }

    fn number<T>(
        self,
        field: &'static str,
        read: impl Fn(&Number) -> Result<T, AbsurdAmount>,
    ) -> Result<Option<T>, FieldError> {
        let error = |problem| FieldError { field, problem };
        match self.get(field) {
            None => Ok(None),
            Some(Value::Number(number)) => {
                let read = read(number).map_err(|_| error("is out of range"))?;
                Ok(Some(read))
            }
            Some(_) => Err(error("is not a number")),
        }
    }

    /// `true` or `false`.
    pub fn boolean(self, field: &'static str) -> Result<Option<bool>, FieldError> {
        let problem = "is not true or false";
        self.get(field)
            .map(|value| value.as_bool().ok_or(FieldError { field, problem }))
            .transpose()
    }

    /// A list. A single object counts as a list of one, as the manual prints `invoiceDetails`.
    pub fn array(self, field: &'static str) -> Result<Option<&'a [Value]>, FieldError> {
        let problem = "is not a list";
        match self.get(field) {
            None => Ok(None),
            Some(Value::Array(items)) => Ok(Some(items)),
            Some(one @ Value::Object(_)) => Ok(Some(core::slice::from_ref(one))),
            Some(_) => Err(FieldError { field, problem }),
        }
    }

    /// An object.
    pub fn object(self, field: &'static str) -> Result<Option<Self>, FieldError> {
        self.get(field)
            .map(|value| Self::of(value, field))
            .transpose()
    }

    /// An instant. An empty text and .NET's smallest date count as none.
    pub fn time(self, field: &'static str) -> Result<Option<Timestamp>, FieldError> {
        self.moment(field, parse_time)
    }

    /// The day as written. An empty text and .NET's smallest date count as none.
    pub fn date(self, field: &'static str) -> Result<Option<Date>, FieldError> {
        self.moment(field, parse_date)
    }

    fn moment<T>(
        self,
        field: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, FieldError> {
        let problem = "is not a time";
        let text = match self.get(field) {
            None => return Ok(None),
            Some(Value::String(text)) => text.trim(),
            Some(_) => return Err(FieldError { field, problem }),
        };
        if text.is_empty() || parse_date(text).is_some_and(|day| day.year() == NO_DATE_YEAR) {
            return Ok(None);
        }
        parse(text).map(Some).ok_or(FieldError { field, problem })
    }
}

/// A whole number in 64 bits, from a number or a text of one; `5.0` is whole.
pub fn whole_number(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| whole_part(number)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn whole_part(number: &Number) -> Option<i64> {
    let decimal = money::decimal(number).ok()?;
    let whole = i64::try_from(decimal).ok()?;
    (Decimal::from(whole) == decimal).then_some(whole)
}

#[cfg(test)]
pub(super) mod tests;
