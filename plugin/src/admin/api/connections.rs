//! R1: connecting a shop, and its two webhooks, each registered and unregistered on its own.

use crate::{
    admin::api::{
        problem::{self, Problem},
        request::{known, named},
        view,
    },
    config::Ready,
    journal::{
        connection_name::ConnectionName,
        connections::{self, Connection, Opened, Webhook},
        entries, keys, life, probe,
        record::Command,
        refused,
        trouble::Trouble,
    },
    kiotviet::{
        client::{Credentials, KiotViet, fetch_token},
        edition,
        error::KiotVietError,
        records::Webhook as Registered,
    },
    reconcile::{
        webhook_health::{self, Seen, WebhookHealth},
        webhooks::{self, Standing},
    },
    rules::codes::{Edition, RetailerId},
    secret::Secret,
    time::Timestamp,
    worker::{
        lease::{self, Lease, Patience},
        permit::{Permit, Worker},
        session::Session,
    },
    world::World,
};
use futures_util::future::try_join_all;
use serde_json::Value;

/// The guide's warning (R1).
const GUIDE: &str = "Trên KiotViet, Thiết lập kết nối API: tích chọn \"Cho phép truy xuất thông tin khách hàng, hóa đơn, đặt hàng từ gian hàng của bạn\" thì thông tin mới đổ về Getfly.";

fn cannot_open() -> Problem {
    Problem::new(
        409,
        "secrets-cannot-be-opened",
        "The connection's secrets cannot be opened with this master_key",
        "Set the former master_key, or connect the shop again with PUT.",
    )
}

/// The connection's secrets.
pub(in crate::admin) fn open(connection: &Connection, ready: &Ready) -> Result<Opened, Problem> {
    connection.open(&ready.sealer).map_err(|_| cannot_open())
}

/// A worker for a person's request that calls KiotViet only.
pub(in crate::admin) fn person<'w, W: World>(world: &'w W, ready: &'w Ready) -> Worker<'w, W> {
    Worker::new(world, Permit::Person, ready, Vec::new())
}

/// A worker that can only read, and only KiotViet.
pub(in crate::admin) fn person_reading<'w, W: World>(
    world: &'w W,
    ready: &'w Ready,
) -> Worker<'w, W> {
    Worker::new(world, Permit::ReadOnly, ready, Vec::new())
}

/// What `PUT /api/connections/{name}` asks for. A member that is no text is missing.
pub(in crate::admin) struct NewConnection {
    /// KiotViet's ClientId.
    pub(in crate::admin) client_id: Option<String>,
    /// KiotViet's security code.
    pub(in crate::admin) client_secret: Option<Secret>,
    /// The shop's edition; none: the one that its address tells, or retail.
    pub(in crate::admin) edition: Asked,
    /// The shop name, or a pasted address of the shop.
    pub(in crate::admin) retailer: Option<String>,
}

impl NewConnection {
    /// From a request's body.
    pub(in crate::admin) fn read(body: &Value) -> Self {
        let text = |name| body.get(name).and_then(Value::as_str);
        Self {
            client_id: text("client_id").map(str::to_owned),
            client_secret: text("client_secret").map(Secret::new),
            edition: Asked::read(text("edition").unwrap_or_default()),
            retailer: text("retailer").map(str::to_owned),
        }
    }

    /// The three texts, without surrounding blanks; else the names of those that are missing.
    fn whole(&self) -> Result<[&str; 3], Vec<&'static str>> {
        let secret = self.client_secret.as_ref().map(Secret::reveal);
        let texts = [
            ("retailer", self.retailer.as_deref()),
            ("client_id", self.client_id.as_deref()),
            ("client_secret", secret),
        ];
        let texts = texts.map(|(name, text)| (name, text.map(str::trim).unwrap_or_default()));
        let missing = texts.iter().filter(|(_, text)| text.is_empty());
        let missing: Vec<&str> = missing.map(|(name, _)| *name).collect();
        if missing.is_empty() {
            Ok(texts.map(|(_, text)| text))
        } else {
            Err(missing)
        }
    }
}

/// The edition that a person named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::admin) enum Asked {
    /// None: the address tells it, and without an address it is retail.
    ByAddress,
    /// This one.
    Edition(Edition),
    /// A word that is none.
    Unknown,
}

impl Asked {
    /// From its word in a request; empty for none.
    pub(in crate::admin) fn read(word: &str) -> Self {
        match word {
            "" => Self::ByAddress,
            "retail" => Self::Edition(Edition::Retail),
            "fnb" => Self::Edition(Edition::Fnb),
            _ => Self::Unknown,
        }
    }
}

/// The shop that a person typed or pasted. The log-in address of a hotel is refused, whatever shop's name
/// could be read from it.
pub(in crate::admin) fn shop(retailer: &str, edition: Asked) -> Result<RetailerId, Problem> {
    if edition::is_hotel(retailer) {
        return Err(Problem::new(
            422,
            "kiotviet-hotel",
            "This is not a shop that can be connected",
            "this is the log-in address of KiotViet Hotel (khách sạn), which has another API; shops of KiotViet \
             bán lẻ, which log in at <shop>.kiotviet.vn, and of KiotViet F&B, which log in at \
             fnb.kiotviet.vn/<shop>, can be connected",
        ));
    }
    let said = match edition {
        Asked::ByAddress => None,
        Asked::Edition(edition) => Some(edition),
        Asked::Unknown => return Err(problem::invalid("edition: it is retail or fnb.")),
    };
    RetailerId::parse_as(retailer, said).map_err(|e| match RetailerId::parse(retailer) {
        Ok(other) => problem::invalid(format!(
            "retailer: this is the address of a shop of {}.",
            other.edition().title()
        )),
        Err(_) => problem::invalid(format!("retailer: {e}")),
    })
}

/// The other edition that takes these credentials, which were refused; none also where it could not be asked.
async fn taken_by<W: World>(
    worker: &Worker<'_, W>,
    ready: &Ready,
    credentials: &Credentials,
) -> Option<Edition> {
    let other = credentials.retailer.edition().other();
    let taken = fetch_token(worker, ready.kiotviet.of(other), credentials).await;
    taken.is_ok().then_some(other)
}

/// The credentials are of a shop of `other`, not of the edition that a person named.
fn of_another_edition(other: Edition) -> Problem {
    let (kind, title) = match other {
        Edition::Retail => (
            "kiotviet-of-retail",
            "These are the credentials of a shop of KiotViet bán lẻ",
        ),
        Edition::Fnb => (
            "kiotviet-of-fnb",
            "These are the credentials of a shop of KiotViet F&B",
        ),
    };
    let address = other.address_of("<shop>");
    let detail = format!(
        "{} refuses this ClientId and security code, and {} takes them. Give the shop's log-in address there, {address}.",
        other.other().title(),
        other.title(),
    );
    Problem::new(422, kind, title, detail)
}

/// `PUT /api/connections/{name}`: proves the credentials, then keeps them sealed.
pub(in crate::admin) async fn put<W: World>(
    world: &W,
    ready: &Ready,
    name: &str,
    asked: &NewConnection,
) -> Result<view::Connected, Problem> {
    let Some(name) = &ConnectionName::parse(name) else {
        return Err(problem::invalid(
            "A connection's name has 1 to 64 of a-z, 0-9, - and _.",
        ));
    };
    let whole = asked.whole().map_err(|missing| {
        problem::invalid(format!(
            "The body must hold texts for: {}.",
            missing.join(", ")
        ))
    });
    let [retailer, client_id, client_secret] = whole?;
    let retailer = shop(retailer, asked.edition)?;
    let credentials = Credentials {
        retailer,
        client_id: client_id.to_owned(),
        client_secret: Secret::new(client_secret),
    };

    let before = connections::load_or_damage(world, name).await?;
    // Events that wait, and what was read so far, are of the shop that it is connected to.
    if let Some(Ok(before)) = &before
        && before.retailer != credentials.retailer
    {
        return Err(Problem::new(
            409,
            "another-shop",
            "This name is another shop's",
            format!(
                "Choose another name, or disconnect this one first: it is connected to {}.",
                before.retailer
            ),
        ));
    }
    if let Some(unfit) = probe::look(world).await? {
        return Err(Problem::new(
            503,
            "store-unfit",
            "This host's key-value store cannot be used",
            unfit.words(),
        ));
    }
    // Proved with a token of its own, which is not kept: the worker's may be of other credentials.
    let worker = person(world, ready);
    let settings = ready.kiotviet.of(credentials.retailer.edition());
    let token = match fetch_token(&worker, settings, &credentials).await {
        Err(e @ KiotVietError::CredentialsRefused { .. }) => {
            let other = taken_by(&worker, ready, &credentials).await;
            return Err(other.map_or_else(|| e.into(), of_another_edition));
        }
        token => token?,
    };
    let kiotviet = KiotViet {
        http: &worker,
        settings,
        retailer: &credentials.retailer,
        token: token.access_token,
    };
    let branches = kiotviet.branches().await?;

    let lease = alone(world, ready, name).await?;
    // Read again: while KiotViet was asked, another request may have made it, and its path token
    // may be registered already.
    let before = connections::load_or_damage(world, name).await?;
    let is_new = before.is_none();
    // A damaged one is made anew, with new secrets.
    let before = before.and_then(Result::ok);
    let opened_before = before.as_ref().and_then(|c| c.open(&ready.sealer).ok());
    let previous = before.as_ref().zip(opened_before.as_ref());
    let apart = connections::set_apart(world, name, &credentials.retailer).await?;
    let mut connection = Connection::make(
        name,
        &credentials,
        previous,
        world.now(),
        &ready.sealer,
        world,
    )?;
    connection.apart = apart;
    still_alone(lease.as_ref()).await?;
    life::begin(world).await?;
    connections::save(world, &connection, is_new).await?;
    give_back(lease).await;
    world.delete(&keys::token(name)).await?;
    if is_new {
        // A worker that was at it while one of this name was removed may have written them again.
        world.delete(&keys::webhook_health(name)).await?;
        world.delete(&keys::backfill(name)).await?;
    }
    Ok(view::Connected {
        branches,
        guide: GUIDE.to_owned(),
        name: connection.name,
        edition: connection.retailer.edition(),
        retailer: connection.retailer,
        webhooks_need_switching_on: !is_new && opened_before.is_none(),
    })
}

/// While `master_key` is rotated the worker writes connections too, over what it has read: whoever changes
/// one holds the lease meanwhile. None where there is no need.
async fn alone<'w, W: World>(
    world: &'w W,
    ready: &Ready,
    name: &ConnectionName,
) -> Result<Option<Lease<'w, W>>, Problem> {
    match connections::load_or_damage(world, name).await? {
        Some(Ok(connection)) if !connection.is_current(&ready.sealer) => {}
        _ => return Ok(None),
    }
    let lease = lease::acquire(world, Patience::TwoSlots).await?;
    lease.map(Some).ok_or_else(busy)
}

fn busy() -> Problem {
    Problem::new(
        503,
        "busy",
        "The worker is busy",
        "master_key is being rotated, and the worker may be sealing this connection anew. Try again in a minute.",
    )
}

/// Before a write: whoever was held up for too long has the lease no longer.
async fn still_alone<W: World>(lease: Option<&Lease<'_, W>>) -> Result<(), Problem> {
    match lease {
        Some(lease) if !lease.holds().await => Err(busy()),
        _ => Ok(()),
    }
}

/// What came meanwhile waits for the next drain.
async fn give_back<W: World>(lease: Option<Lease<'_, W>>) {
    if let Some(lease) = lease {
        lease.release().await;
    }
}

/// A webhook that is polled.
fn polled(on_since: Option<Timestamp>, seen: &Seen) -> view::Hook {
    view::Hook {
        kiotviet: view::AtKiotViet::Polled {
            comes_through: seen.active.filter(|_| on_since.is_some()),
            polled_at: seen.sound_at.filter(|_| on_since.is_some()),
        },
        on: on_since.is_some(),
        on_since,
    }
}

fn describe(
    webhook: Webhook,
    on_since: Option<Timestamp>,
    registered: &Result<Vec<Registered>, Trouble>,
    paths: &[String],
) -> view::Hook {
    let kiotviet = match registered {
        Err(why) => view::AtKiotViet::Unseen {
            error: view::InWords(why.clone()),
        },
        Ok(all) => {
            let ours = webhooks::ours(all, paths, webhook);
            view::AtKiotViet::Seen {
                active: ours.iter().any(|r| r.is_active),
                registered: !ours.is_empty(),
            }
        }
    };
    view::Hook {
        kiotviet,
        on: on_since.is_some(),
        on_since,
    }
}

async fn state<W: World>(
    world: &W,
    ready: &Ready,
    connection: &Connection,
) -> Result<view::Connection, Problem> {
    let switches = connections::readable_switches(world, &connection.name).await?;
    let signed = world.get(&keys::signed(&connection.name)).await?.is_some();
    let (registered, paths) = match connection.open(&ready.sealer) {
        Err(e) => (Err(Trouble::from(e)), Vec::new()),
        Ok(opened) => {
            let worker = person(world, ready);
            let session = Session::new(&worker, ready, connection, &opened);
            let registered = webhooks::registered(&session).await;
            let registered = registered.map_err(Trouble::from);
            (registered, webhooks::paths(connection, &opened))
        }
    };
    let polls = Webhook::ALL
        .iter()
        .any(|webhook| connection.polls(*webhook));
    let health = match polls {
        true => webhook_health::load(world, &connection.name).await?,
        false => WebhookHealth::default(),
    };
    let hook = |webhook, on_since| match connection.polls(webhook) {
        true => polled(on_since, health.of(webhook)),
        false => describe(webhook, on_since, &registered, &paths),
    };
    let now = world.now();
    let former = connection.has_former()
        && connections::former_are_valid(world, &connection.name, now).await?;
    Ok(view::Connection {
        client_id: connection.client_id.clone(),
        connected_at: connection.connected_at,
        former_path_valid: former,
        name: connection.name.clone(),
        edition: connection.retailer.edition(),
        retailer: connection.retailer.clone(),
        valid_signature_seen: signed,
        webhooks: view::Webhooks {
            customer: hook(Webhook::Customer, switches.customer),
            order: hook(Webhook::Order, switches.order),
        },
    })
}

/// One connection as [`list`] gives it.
pub(in crate::admin) async fn one<W: World>(
    world: &W,
    ready: &Ready,
    name: &str,
) -> Result<view::Connection, Problem> {
    state(world, ready, &known(world, name).await?).await
}

/// `GET /api/connections`. Of one whose record cannot be read it gives the name and `"damaged":true`.
pub(in crate::admin) async fn list<W: World>(
    world: &W,
    ready: &Ready,
) -> Result<view::Connections, Problem> {
    let (sound, damaged) = connections::list(world).await?;
    let states = try_join_all(sound.iter().map(|c| state(world, ready, c))).await?;
    let states = states
        .into_iter()
        .map(|state| view::Listed::Sound(Box::new(state)));
    let damaged = damaged.into_iter().map(|name| view::Listed::Damaged {
        damaged: true,
        name,
    });
    Ok(view::Connections {
        connections: states.chain(damaged).collect(),
    })
}

/// `DELETE /api/connections/{name}`: unregisters, forgets the secrets, keeps the history. One whose
/// record cannot be read is forgotten all the same.
pub(in crate::admin) async fn delete<W: World>(
    world: &W,
    ready: &Ready,
    name: &str,
) -> Result<view::Removed, Problem> {
    let name = &named(name)?;
    let lease = alone(world, ready, name).await?;
    let Some(connection) = connections::load_or_damage(world, name).await? else {
        give_back(lease).await;
        return Err(problem::unknown_connection(name.as_str()));
    };
    let warning = match connection {
        Err(e) => Some(e.to_string()),
        Ok(connection) => leave(world, ready, &connection).await?,
    };
    still_alone(lease.as_ref()).await?;
    connections::remove(world, name).await?;
    give_back(lease).await;
    let warning =
        warning.map(|w| format!("its webhooks could not be unregistered at KiotViet: {w}"));
    Ok(view::Removed {
        removed: name.clone(),
        warning,
    })
}

/// Unregisters a connection's webhooks; gives why that cannot be done, now or later.
async fn leave<W: World>(
    world: &W,
    ready: &Ready,
    connection: &Connection,
) -> Result<Option<String>, Problem> {
    let opened = match connection.open(&ready.sealer) {
        Ok(opened) => opened,
        Err(e) => return Ok(Some(e.to_string())),
    };
    // Off before KiotViet is asked: a worker that registers them anew meanwhile looks at the switches
    // after that, and takes it back.
    for webhook in Webhook::ALL {
        connections::set_switch(world, &connection.name, webhook, None).await?;
    }
    let worker = person(world, ready);
    let session = Session::new(&worker, ready, connection, &opened);
    match webhooks::unregister(&session, &Webhook::ALL).await {
        Ok(()) => Ok(None),
        // Whoever revoked the key on KiotViet must be able to leave all the same.
        Err(
            e @ (KiotVietError::CredentialsRefused { .. }
            | KiotVietError::Unauthorized { .. }
            | KiotVietError::NoRight),
        ) => Ok(Some(e.to_string())),
        Err(e) => Err(e.into()),
    }
}

/// `PUT /api/connections/{name}/webhooks/{webhook}`. Again while it is on: repairs the registration
/// and keeps the moment it was switched on.
pub(in crate::admin) async fn switch_on<W: World>(
    world: &W,
    ready: &Ready,
    name: &str,
    webhook: Webhook,
) -> Result<view::Switched, Problem> {
    let connection = known(world, name).await?;
    let name = &connection.name;
    let opened = open(&connection, ready)?;
    let switches = connections::readable_switches(world, name).await?;
    let on_since = switches.since(webhook).unwrap_or_else(|| world.now());
    let worker = person(world, ready);
    let session = Session::new(&worker, ready, &connection, &opened);
    // On before KiotViet is looked at: not even the first delivery finds it off, and healing removes
    // what is registered and off.
    connections::set_switch(world, name, webhook, Some(on_since)).await?;
    let made = if connection.polls(webhook) {
        let page = session.kiotviet(async |k| k.may_read("/invoices").await);
        page.await.map(|()| Vec::new())
    } else {
        webhooks::make_sound(&session, webhook).await
    };
    let registered = match made {
        Ok(registered) => registered,
        Err(e) => {
            connections::set_switch(world, name, webhook, switches.since(webhook)).await?;
            return Err(e.into());
        }
    };
    if connections::load(world, name).await?.is_none() {
        // Removed meanwhile; a switch must not outlive its connection.
        connections::set_switch(world, name, webhook, None).await?;
        return Err(problem::unknown_connection(name.as_str()));
    }
    webhooks::remove_broken(&session, &registered, webhook).await?;
    webhook_health::seen_sound(world, name, webhook, world.now()).await?;
    if connection.polls(webhook) {
        let number = entries::reserve(world, 1).await?;
        entries::write_command(world, number, &Command::Poll(name.clone())).await?;
    }
    Ok(view::Switched {
        on: true,
        on_since: Some(on_since),
        webhook,
    })
}

/// `DELETE /api/connections/{name}/webhooks/{webhook}`.
pub(in crate::admin) async fn switch_off<W: World>(
    world: &W,
    ready: &Ready,
    name: &str,
    webhook: Webhook,
) -> Result<view::Switched, Problem> {
    let connection = known(world, name).await?;
    let name = &connection.name;
    let opened = open(&connection, ready)?;
    connections::set_switch(world, name, webhook, None).await?;
    let worker = person(world, ready);
    let session = Session::new(&worker, ready, &connection, &opened);
    if !connection.polls(webhook) {
        webhooks::unregister(&session, &[webhook]).await?;
    }
    Ok(view::Switched {
        on: false,
        on_since: None,
        webhook,
    })
}

/// `POST /api/connections/{name}/rotate`: a new path token and webhook secret. What they replace counts as ours and stays
/// valid until the new registrations are seen active and the old ones deleted, and an hour longer; `at_once` cuts it off
/// now. Where KiotViet cannot be asked, webhook health goes on within a quarter of an hour.
pub(in crate::admin) async fn rotate<W: World>(
    world: &W,
    ready: &Ready,
    name: &str,
    at_once: bool,
) -> Result<view::Rotated, Problem> {
    let name = &named(name)?;
    let lease = alone(world, ready, name).await?;
    let connection = known(world, name.as_str()).await?;
    let opened = open(&connection, ready)?;
    let rotated = connection.rotated(&opened, &ready.sealer, world)?;
    still_alone(lease.as_ref()).await?;
    let now = world.now();
    // Before what it is about: a crash in between leaves no leaked path open.
    connections::set_former_until(world, name, at_once.then_some(now)).await?;
    connections::save(world, &rotated, false).await?;
    give_back(lease).await;
    if connections::load(world, name).await?.as_ref() != Some(&rotated) {
        return Err(Problem::new(
            409,
            "changed-meanwhile",
            "Somebody else changed this connection at the same time",
            "Look at it, and rotate again if need be.",
        ));
    }
    if at_once {
        // What KiotViet sends until it has the new path is answered 404.
        refused::set_back(world, name, now).await?;
    }
    let moved = move_registrations(world, ready, &rotated).await;
    Ok(view::Rotated {
        former_valid_until: connections::former_until(world, name).await?,
        rotated: name.clone(),
        warning: moved.err().map(|problem| problem.detail.to_string()),
    })
}

/// Registers what is on to the new path, and once that is seen active deletes what is registered to former ones.
async fn move_registrations<W: World>(
    world: &W,
    ready: &Ready,
    connection: &Connection,
) -> Result<(), Problem> {
    let opened = open(connection, ready)?;
    let worker = person(world, ready);
    let session = Session::new(&worker, ready, connection, &opened);
    let switches = connections::readable_switches(world, &connection.name).await?;
    for webhook in Webhook::ALL {
        if switches.since(webhook).is_some() && !connection.polls(webhook) {
            webhooks::make_sound(&session, webhook).await?;
        }
    }
    let registered = webhooks::registered(&session).await?;
    for webhook in Webhook::ALL {
        if connection.polls(webhook) {
            continue;
        }
        if switches.since(webhook).is_none() {
            webhooks::remove_all(&session, &registered, webhook).await?;
        } else if webhooks::standing(&session, &registered, webhook) == Standing::Sound {
            webhooks::remove_broken(&session, &registered, webhook).await?;
            webhook_health::seen_sound(world, &connection.name, webhook, world.now()).await?;
        }
    }
    let registered = webhooks::registered(&session).await?;
    webhooks::end_rotation(&session, &registered, switches).await?;
    Ok(())
}
