//! The body of a webhook delivery. Input: the body.

use super::memory::{Memory, now};
use plugin::{
    config::SignaturePolicy,
    intake::accept,
    journal::{
        connection_cache::Known,
        connection_name::ConnectionName,
        connections::{Connection, PathToken},
        entries,
        note::Note,
        record,
    },
    kiotviet::{
        assumptions::MAX_ITEMS,
        client::Credentials,
        envelope::{self, Kind},
    },
    rules::codes::RetailerId,
    seal::Sealer,
    secret::Secret,
    stored,
    time::Timestamp,
};
use serde_json::Value;
use std::{collections::BTreeMap, sync::OnceLock};

/// No item is lost or invented: not by the parser, and not on the way into the journal.
pub fn check(data: &[u8]) {
    let delivery = envelope::parse(data, MAX_ITEMS);
    let items = match (&delivery, expected(data)) {
        (Ok(delivery), Some(expected)) => {
            let text = |value: &Value| serde_json::to_vec(value).expect("its text");
            let raws: Vec<&Vec<u8>> = delivery.items.iter().map(|item| &item.raw).collect();
            let expected: Vec<Vec<u8>> = expected.iter().map(text).collect();
            assert_eq!(raws, expected.iter().collect::<Vec<_>>());
            for item in &delivery.items {
                assert_eq!(
                    item.kind == Kind::Customer,
                    item.action == "customer.update"
                );
                assert_eq!(item.kind == Kind::Invoice, item.action == "invoice.update");
                assert!(item.id.is_none_or(|id| id > 0));
                assert!(item.code.as_ref().is_none_or(|code| !code.is_empty()));
            }
            Some(&delivery.items)
        }
        (Err(_), None) => None,
        (Err(e), Some(expected)) => {
            assert_eq!(*e, envelope::NotAnEnvelope::TooManyItems);
            assert!(expected.len() > MAX_ITEMS || data.len() > 100_000, "{e:?}");
            None
        }
        (Ok(_), None) => panic!("a delivery was made up"),
    };
    is_kept(data, items.map(Vec::as_slice));
}

/// The items of a delivery, found in another, naive way; none if it is not an envelope.
fn expected(data: &[u8]) -> Option<Vec<Value>> {
    let data = data.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(data);
    let value: Value = serde_json::from_slice(data).ok()?;
    value.as_object()?;
    let (notifications, removed) = (member(&value, "Notifications"), member(&value, "RemoveId"));
    let mut items = Vec::new();
    let notifications = match notifications {
        None => {
            removed?;
            Vec::new()
        }
        Some(Value::Array(list)) => list.clone(),
        Some(one @ Value::Object(_)) => vec![one.clone()],
        Some(_) => return None,
    };
    for notification in notifications {
        if !notification.is_object() {
            items.push(notification);
            continue;
        }
        match member(&notification, "Data") {
            None => {}
            Some(Value::Array(data)) => items.extend(data.iter().cloned()),
            Some(one) => items.push(one.clone()),
        }
    }
    match removed {
        None => {}
        Some(Value::Array(ids)) if !ids.is_empty() => items.extend(ids.iter().cloned()),
        Some(one) => items.push(one.clone()),
    }
    Some(items)
}

/// A member in any case; the exact name wins, and `null` counts as absent.
fn member<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    let members = value.as_object()?;
    let exact = members.get(name).into_iter();
    let any = members
        .iter()
        .filter(|(key, _)| key.eq_ignore_ascii_case(name));
    exact
        .chain(any.map(|(_, value)| value))
        .find(|value| !value.is_null())
}

/// Every item is one event in the journal with its body. A delivery that cannot be taken apart is
/// one dead letter with the whole body.
fn is_kept(data: &[u8], items: Option<&[envelope::Item]>) {
    let (sealer, known) = shop();
    let world = Memory::over(BTreeMap::new());
    let policy = SignaturePolicy::Observe;
    let kept = now(accept::accept(
        &world,
        Some(sealer),
        policy,
        (known, PathToken::Present),
        None,
        data,
    ));
    let kept = kept.expect("a store that works keeps everything");
    let events: Vec<record::Record> = kept
        .clone()
        .map(|seq| {
            let event = now(entries::read_event(&world, seq)).expect("the store works");
            let event = event.expect("an event at each number");
            assert_eq!(event.seq, seq);
            event
        })
        .collect();
    assert_eq!(now(entries::tail(&world)), Ok(kept.end.saturating_sub(1)));
    let body = |event: &record::Record| {
        let body = event.body.as_ref()?;
        now(entries::open_body(&world, Some(sealer), event.seq, body)).expect("the store works")
    };
    let Some(items) = items else {
        let [event] = events.as_slice() else {
            panic!("{} events of an unreadable delivery", events.len());
        };
        assert_eq!(event.state(), record::State::Dead);
        assert_eq!(body(event).as_deref(), Some(data));
        return;
    };
    // Of the items that name no record, twenty are stored, and one event counts the rest.
    let mut nameless = 0;
    let kept = items.iter().filter(|item| {
        nameless += usize::from(item.kind != Kind::Other && item.id.is_none());
        item.kind == Kind::Other || item.id.is_some() || nameless <= 21
    });
    let kept: Vec<_> = kept.collect();
    assert_eq!(events.len(), kept.len());
    for (event, item) in events.iter().zip(kept) {
        let kind = match item.kind {
            Kind::Customer => record::Kind::Customer,
            Kind::Invoice => record::Kind::Invoice,
            Kind::Other => record::Kind::Other,
        };
        assert_eq!(event.kind, kind);
        if kind == record::Kind::Other {
            assert_eq!(event.state(), record::State::Done);
            continue;
        }
        let hinted = event.hint.as_ref().map(|hint| hint.id);
        assert_eq!(hinted, item.id);
        assert_eq!(event.state() == record::State::Dead, item.id.is_none());
        if !event.notes.iter().any(Note::is_count) {
            let body = body(event).expect("a body");
            assert_eq!(body, item.raw);
        }
    }
}

/// A connected shop, made once.
fn shop() -> &'static (Sealer, Known) {
    static SHOP: OnceLock<(Sealer, Known)> = OnceLock::new();
    SHOP.get_or_init(|| {
        let sealer = Sealer::from_base64("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
        let sealer = sealer.expect("a key");
        let credentials = Credentials {
            retailer: RetailerId::parse("cuahangthu").expect("a shop's name"),
            client_id: "client-id".to_owned(),
            client_secret: Secret::new("client-secret"),
        };
        let world = Memory::over(BTreeMap::new());
        let at = Timestamp::UNIX_EPOCH;
        let name = ConnectionName::parse("shop").expect("a name");
        let made = Connection::make(&name, &credentials, None, at, &sealer, &world);
        let bytes = stored::write(&made.expect("a connection"));
        let known = Known::read(bytes, Some(&sealer));
        (sealer, known.expect("what was written"))
    })
}
