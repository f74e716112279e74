//! Finds, repairs and removes our own registrations among a shop's webhooks. Another system's
//! webhook is never touched.

use crate::{
    assumption::Assumption,
    journal::{
        connection_name::ConnectionName,
        connections::{self, Connection, Opened, Switches, Webhook},
    },
    kiotviet::{error::KiotVietError, records::Webhook as Registered},
    vendor::fate::Fate,
    worker::session::Session,
    world::{StoreError, World},
};
use core::time::Duration;

/// How long former paths stay valid once nothing is registered to them: deliveries on their way
/// still arrive.
const FORMER_VALID: Duration = Duration::from_hours(1);

/// The description of our registrations, for people who read KiotViet's list.
const DESCRIPTION: &str = "KiotViet → Getfly";

/// The length of our path's last part.
const TOKEN_CHARS: usize = 43;

/// How a webhook stands at KiotViet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Registered to our address, and active.
    Sound,
    /// KiotViet switched it off.
    Off,
    /// It delivers to an address that is not ours any more.
    Elsewhere,
    /// It was deleted, or never registered.
    Missing,
}

/// Whether a registration's URL ends in this path.
fn leads_to(registered: &Registered, path: &str) -> bool {
    let url = registered.url.split(['?', '#']).next().unwrap_or_default();
    url.ends_with(path)
}

fn is_of_type(registered: &Registered, webhook: Webhook) -> bool {
    let of_type = webhook.kiotviet_type();
    registered.kind_type.eq_ignore_ascii_case(of_type)
}

/// Our registrations among the shop's webhooks: those whose URL ends in one of our unguessable
/// paths.
pub fn ours<'r>(
    registered: &'r [Registered],
    paths: &[String],
    webhook: Webhook,
) -> Vec<&'r Registered> {
    let is_ours = |r: &&Registered| {
        (paths.iter().any(|path| leads_to(r, path)) || mutant!(ForeignWebhookTouched))
            && is_of_type(r, webhook)
    };
    registered.iter().filter(is_ours).collect()
}

/// The paths of a connection's registrations: the present one, then former ones.
pub fn paths(connection: &Connection, opened: &Opened) -> Vec<String> {
    let mut paths = vec![connection.hook_path(opened)];
    paths.extend(connection.former_paths(opened));
    paths
}

/// Former paths stay valid for one more hour, once each webhook that is on is sound and nothing is
/// registered to a former path.
pub async fn end_rotation<W: World>(
    session: &Session<'_, W>,
    registered: &[Registered],
    switches: Switches,
) -> Result<(), StoreError> {
    let (connection, world) = (session.connection, session.world);
    let former = connection.former_paths(session.opened);
    let is_former = |r: &Registered| former.iter().any(|path| leads_to(r, path));
    let is_sound = |webhook: &Webhook| {
        switches.since(*webhook).is_none()
            || connection.polls(*webhook)
            || standing(session, registered, *webhook) == Standing::Sound
    };
    if former.is_empty()
        || registered.iter().any(is_former)
        || !Webhook::ALL.iter().all(is_sound)
        || connections::former_until(world, &connection.name)
            .await?
            .is_some()
    {
        return Ok(());
    }
    let until = world.now().checked_add(FORMER_VALID);
    connections::set_former_until(world, &connection.name, until).await
}

/// The active registrations of our kind that are not this store's, recognised by our description or
/// by a path of our form. None if the store cannot be read.
pub async fn of_another_bridge<W: World>(
    session: &Session<'_, W>,
    registered: &[Registered],
) -> Vec<String> {
    let mut origins = Vec::new();
    for one in registered.iter().filter(|r| r.is_active) {
        let url = one.url.split(['?', '#']).next().unwrap_or_default();
        let Some((origin, path)) = url.rsplit_once("/hooks/") else {
            continue;
        };
        let Some((name, token)) = path.split_once('/') else {
            continue;
        };
        let like_ours = one.description == DESCRIPTION || token.len() == TOKEN_CHARS;
        if like_ours && !is_kept_here(session, name, one).await {
            origins.push(origin.to_owned());
        }
    }
    origins.sort_unstable();
    origins.dedup();
    origins
}

/// Whether this store has a connection of that name to which the registration leads. If the
/// connection cannot be read, it may be ours.
async fn is_kept_here<W: World>(session: &Session<'_, W>, name: &str, one: &Registered) -> bool {
    let Some(name) = ConnectionName::parse(name) else {
        return false;
    };
    let Ok(connection) = connections::load(session.world, &name).await else {
        return true;
    };
    connection.is_some_and(|connection| match connection.open(&session.ready.sealer) {
        Ok(opened) => paths(&connection, &opened)
            .iter()
            .any(|path| leads_to(one, path)),
        Err(_) => true,
    })
}

/// Our address of this session's connection.
fn url<W: World>(session: &Session<'_, W>) -> String {
    let path = session.connection.hook_path(session.opened);
    format!("{}{path}", session.ready.public_url)
}

/// Every webhook of the shop.
pub async fn registered<W: World>(
    session: &Session<'_, W>,
) -> Result<Vec<Registered>, KiotVietError> {
    session.kiotviet(async |k| k.webhooks().await).await
}

/// How `webhook` stands among `registered`.
pub fn standing<W: World>(
    session: &Session<'_, W>,
    registered: &[Registered],
    webhook: Webhook,
) -> Standing {
    let (paths, url) = (paths(session.connection, session.opened), url(session));
    let ours = ours(registered, &paths, webhook);
    let here = |r: &&&Registered| r.url == url;
    if ours.iter().filter(here).any(|r| r.is_active) {
        Standing::Sound
    } else if ours.iter().any(|r| r.is_active) {
        Standing::Elsewhere
    } else if ours.is_empty() {
        Standing::Missing
    } else {
        Standing::Off
    }
}

/// Registers `webhook` to our address.
async fn register<W: World>(
    session: &Session<'_, W>,
    webhook: Webhook,
) -> Result<(), KiotVietError> {
    let url = url(session);
    let secret = &session.opened.webhook_secret;
    session
        .kiotviet(async |k| {
            k.register_webhook(webhook.kiotviet_type(), &url, secret, DESCRIPTION)
                .await
        })
        .await
        .map(|_| ())
}

/// Registers `webhook` to our address beside our broken ones among `registered`. Those are removed
/// first if KiotViet accepts only one of a type.
pub async fn register_beside<W: World>(
    session: &Session<'_, W>,
    registered: &[Registered],
    webhook: Webhook,
) -> Result<(), KiotVietError> {
    let paths = paths(session.connection, session.opened);
    match register(session, webhook).await {
        Err(e) if e.fate() == Fate::Dead && !ours(registered, &paths, webhook).is_empty() => {
            remove_broken(session, registered, webhook).await?;
            register(session, webhook).await?;
            session.world.saw(Assumption::WebhooksSideBySide, false);
            Ok(())
        }
        done => {
            let is_beside = registered.iter().any(|other| is_of_type(other, webhook));
            if done.is_ok() && is_beside {
                session.world.saw(Assumption::WebhooksSideBySide, true);
            }
            done
        }
    }
}

/// Registers `webhook` to our address if it is not sound; returns what was registered before.
pub async fn make_sound<W: World>(
    session: &Session<'_, W>,
    webhook: Webhook,
) -> Result<Vec<Registered>, KiotVietError> {
    let before = registered(session).await?;
    if standing(session, &before, webhook) != Standing::Sound {
        register_beside(session, &before, webhook).await?;
    }
    Ok(before)
}

/// Removes our registrations of `webhook` among `registered`, except this one.
async fn remove<W: World>(
    session: &Session<'_, W>,
    registered: &[Registered],
    webhook: Webhook,
    but: Option<i64>,
) -> Result<(), KiotVietError> {
    let paths = paths(session.connection, session.opened);
    for old in ours(registered, &paths, webhook) {
        if Some(old.id) != but {
            session
                .kiotviet(async |k| k.delete_webhook(old.id).await)
                .await?;
        }
    }
    Ok(())
}

/// Leaves one sound registration of ours among `registered`. There may be broken ones beside it, if
/// the request that registered it died before it could remove them, and two sound ones, if two
/// requests registered at once.
pub async fn remove_broken<W: World>(
    session: &Session<'_, W>,
    registered: &[Registered],
    webhook: Webhook,
) -> Result<(), KiotVietError> {
    let (paths, url) = (paths(session.connection, session.opened), url(session));
    let ours = ours(registered, &paths, webhook).into_iter();
    let sound = ours.filter(|r| r.is_active && r.url == url);
    let kept = sound.map(|r| r.id).min();
    remove(session, registered, webhook, kept).await
}

/// Removes all our registrations of `webhook` among `registered`.
pub async fn remove_all<W: World>(
    session: &Session<'_, W>,
    registered: &[Registered],
    webhook: Webhook,
) -> Result<(), KiotVietError> {
    remove(session, registered, webhook, None).await
}

/// Removes all our registrations of these webhooks.
pub async fn unregister<W: World>(
    session: &Session<'_, W>,
    webhooks: &[Webhook],
) -> Result<(), KiotVietError> {
    let registered = registered(session).await?;
    for webhook in webhooks {
        remove_all(session, &registered, *webhook).await?;
    }
    Ok(())
}
