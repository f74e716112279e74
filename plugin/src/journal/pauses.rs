//! Upstreams that failed and are left alone for a while, as the cursor stores them.

use crate::{
    journal::{
        connection_name::{ConnectionName, Upstream},
        sorted_map::SortedMap,
        trouble::Trouble,
    },
    time::Timestamp,
};
use core::{fmt, time::Duration};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};

/// The failures and the pause of one upstream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Pauses in a row.
    pub failures: u32,
    /// Until when it is left alone.
    pub until: Timestamp,
    /// The events that failed in a row since.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failing: Vec<u64>,
    /// Since when it failed and did nothing that it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Its last failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Trouble>,
}

/// An upstream that has failed for this long is reported, even if one record could be to blame.
const LONG: Duration = Duration::from_secs(600);

impl Pause {
    /// Whether people should know: it was paused since it last worked, its failure is about the
    /// whole upstream, or it has failed for long.
    pub fn matters(&self, now: Timestamp) -> bool {
        let is_upstreams = self.why.as_ref().is_some_and(Trouble::is_upstreams);
        let long = |since: Timestamp| now.saturating_since(since) >= LONG;
        let was_paused = self.since.is_some() && self.failures > 0;
        self.until > now || was_paused || is_upstreams || self.since.is_some_and(long)
    }
}

impl Default for Pause {
    fn default() -> Self {
        Self {
            failures: 0,
            until: Timestamp::UNIX_EPOCH,
            failing: Vec::new(),
            since: None,
            why: None,
        }
    }
}

/// All pauses. An earlier version stored them as one map, with Getfly's under the name `Getfly`,
/// which no connection has; that form is read too.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Pauses {
    /// The Getfly tenant's.
    getfly: Option<Pause>,
    /// Each connection's KiotViet.
    kiotviet: SortedMap<ConnectionName, Pause>,
    /// The lists of each connection's KiotViet.
    #[serde(default, skip_serializing_if = "SortedMap::is_empty")]
    lists: SortedMap<ConnectionName, Pause>,
}

impl Serialize for Pauses {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Pauses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EitherForm)
    }
}

/// Reads both forms.
struct EitherForm;

impl<'de> Visitor<'de> for EitherForm {
    type Value = Pauses;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("pauses")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Pauses, A::Error> {
        Pauses::deserialize(MapAccessDeserializer::new(map))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Pauses, A::Error> {
        let mut pauses = Pauses::default();
        while let Some((name, pause)) = list.next_element::<(String, Pause)>()? {
            if name == "Getfly" {
                pauses.getfly = Some(pause);
            } else {
                let name = ConnectionName::try_from(name).map_err(A::Error::custom)?;
                pauses.kiotviet.insert(name, pause);
            }
        }
        Ok(pauses)
    }
}

impl Pauses {
    /// The pause of `upstream`, even if it is over.
    pub fn get(&self, upstream: Upstream<'_>) -> Option<&Pause> {
        match upstream {
            Upstream::Getfly => self.getfly.as_ref(),
            Upstream::KiotViet(name) => self.kiotviet.get(name),
        }
    }

    /// The pause of a connection's lists, even if it is over.
    pub fn lists(&self, connection: &ConnectionName) -> Option<&Pause> {
        self.lists.get(connection)
    }

    /// Pauses a connection's lists; none: they work again.
    pub fn set_lists(&mut self, connection: &ConnectionName, pause: Option<Pause>) {
        match pause {
            Some(pause) => self.lists.insert(connection.clone(), pause),
            None => self.lists.remove(connection),
        }
    }

    /// Pauses `upstream`.
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
    pub fn iter(&self) -> impl Iterator<Item = (Upstream<'_>, &Pause)> {
        let getfly = self.getfly.iter().map(|pause| (Upstream::Getfly, pause));
        let kiotviet = self.kiotviet.iter();
        getfly.chain(kiotviet.map(|(name, pause)| (Upstream::KiotViet(name), pause)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stored;

    fn pause(second: i64, failures: u32) -> Pause {
        let until = Timestamp::from_second(second).unwrap();
        Pause {
            until,
            failures,
            ..Pause::default()
        }
    }

    #[test]
    fn pauses_of_an_earlier_version_are_read() {
        let old = br#"[["Getfly",{"until":"1970-01-01T00:00:09Z","failures":2}],["shop",{"until":"1970-01-01T00:00:07Z","failures":1}]]"#;
        let pauses: Pauses = stored::read(old).unwrap();
        let shop = ConnectionName::parse("shop").unwrap();
        assert_eq!(pauses.get(Upstream::Getfly), Some(&pause(9, 2)));
        assert_eq!(pauses.get(Upstream::KiotViet(&shop)), Some(&pause(7, 1)));
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
        assert_eq!((pauses.get(a), pauses.get(b)), (Some(&pause(1, 1)), None));
        let all: Vec<_> = pauses.iter().collect();
        assert_eq!(all, [(Upstream::Getfly, &pause(2, 2)), (a, &pause(1, 1))]);
        pauses.clear(Upstream::Getfly);
        pauses.clear(a);
        assert_eq!(pauses, Pauses::default());
    }
}
