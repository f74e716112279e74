//! Upstreams that failed and are left alone for a while, as the cursor keeps them.

use crate::{
    journal::{
        connection_name::{ConnectionName, Upstream},
        sorted_map::SortedMap,
    },
    json::{ToJson, object},
    stored::{Damaged, Stored, field, stored_fields},
    time::Timestamp,
};
use serde_json::Value;

/// An upstream that is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pause {
    /// Until then.
    pub until: Timestamp,
    /// Failures in a row.
    pub failures: u32,
}

stored_fields!(Pause { until, failures });

/// All of them. An earlier version kept them as one map, with Getfly's under the name `Getfly`, which no
/// connection has; that is read too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pauses {
    /// The Getfly tenant's.
    getfly: Option<Pause>,
    /// Each connection's KiotViet.
    kiotviet: SortedMap<ConnectionName, Pause>,
}

impl ToJson for Pauses {
    fn to_json(&self) -> Value {
        object(vec![
            ("getfly", self.getfly.to_json()),
            ("kiotviet", self.kiotviet.to_json()),
        ])
    }
}

impl Stored for Pauses {
    fn from_json(json: &Value) -> Result<Self, Damaged> {
        if json.is_object() {
            return Ok(Self {
                getfly: field(json, "getfly")?,
                kiotviet: field(json, "kiotviet")?,
            });
        }
        let mut pauses = Self::default();
        for (name, pause) in Vec::<(String, Pause)>::from_json(json)? {
            match name.as_str() {
                "Getfly" => pauses.getfly = Some(pause),
                name => {
                    let name = ConnectionName::parse(name).ok_or(Damaged::VALUE)?;
                    pauses.kiotviet.insert(name, pause);
                }
            }
        }
        Ok(pauses)
    }
}

impl Pauses {
    /// The pause of `upstream`, also one that is over.
    pub fn get(&self, upstream: Upstream<'_>) -> Option<Pause> {
        match upstream {
            Upstream::Getfly => self.getfly,
            Upstream::KiotViet(name) => self.kiotviet.get(name).copied(),
        }
    }

    /// Leaves `upstream` alone.
    pub fn set(&mut self, upstream: Upstream<'_>, pause: Pause) {
        match upstream {
            Upstream::Getfly => self.getfly = Some(pause),
            Upstream::KiotViet(name) => self.kiotviet.insert(name.clone(), pause),
        }
    }

    /// `upstream` works again.
    pub fn clear(&mut self, upstream: Upstream<'_>) {
        match upstream {
            Upstream::Getfly => self.getfly = None,
            Upstream::KiotViet(name) => self.kiotviet.remove(name),
        }
    }

    /// Every pause, Getfly's first.
    pub fn iter(&self) -> impl Iterator<Item = (Upstream<'_>, Pause)> {
        let getfly = self.getfly.map(|pause| (Upstream::Getfly, pause));
        let kiotviet = self.kiotviet.iter();
        getfly
            .into_iter()
            .chain(kiotviet.map(|(name, pause)| (Upstream::KiotViet(name), *pause)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stored;

    fn pause(second: i64, failures: u32) -> Pause {
        let until = Timestamp::from_second(second).unwrap();
        Pause { until, failures }
    }

    #[test]
    fn pauses_of_an_earlier_version_are_read() {
        let old = br#"[["Getfly",{"until":"1970-01-01T00:00:09Z","failures":2}],["shop",{"until":"1970-01-01T00:00:07Z","failures":1}]]"#;
        let pauses: Pauses = stored::read(old).unwrap();
        let shop = ConnectionName::parse("shop").unwrap();
        assert_eq!(pauses.get(Upstream::Getfly), Some(pause(9, 2)));
        assert_eq!(pauses.get(Upstream::KiotViet(&shop)), Some(pause(7, 1)));
        assert_eq!(stored::read(&stored::write(&pauses)), Ok(pauses));
        assert_eq!(stored::read(b"[]"), Ok(Pauses::default()));
    }

    #[test]
    fn each_upstream_has_a_pause_of_its_own() {
        let mut pauses = Pauses::default();
        let names = ["a", "b"].map(|name| ConnectionName::parse(name).unwrap());
        let [a, b] = names.each_ref().map(Upstream::KiotViet);
        pauses.set(a, pause(1, 1));
        pauses.set(Upstream::Getfly, pause(2, 2));
        assert_eq!((pauses.get(a), pauses.get(b)), (Some(pause(1, 1)), None));
        let all: Vec<_> = pauses.iter().collect();
        assert_eq!(all, [(Upstream::Getfly, pause(2, 2)), (a, pause(1, 1))]);
        pauses.clear(Upstream::Getfly);
        pauses.clear(a);
        assert_eq!(pauses, Pauses::default());
    }
}
