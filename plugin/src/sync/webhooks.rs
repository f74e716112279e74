//! Our own registrations among a shop's webhooks: finding them, making them sound, removing them.
//! Somebody else's webhook is never touched.

use super::{connections::Webhook, session::Session, world::World};
use crate::kiotviet::{error::KiotVietError, records::Webhook as Registered};

/// What KiotViet calls our registrations, for whoever reads its list.
const DESCRIPTION: &str = "KiotViet → Getfly";

/// How a webhook stands at KiotViet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Registered to our address, and active.
    Sound,
    /// KiotViet switched it off.
    Off,
    /// It delivers to an address that is no longer ours.
    Elsewhere,
    /// Somebody deleted it, or it was never registered.
    Missing,
}

/// Ours among the shop's webhooks: those whose URL ends in our unguessable path.
pub fn ours<'r>(registered: &'r [Registered], path: &str, webhook: Webhook) -> Vec<&'r Registered> {
    let is_ours = |r: &&Registered| {
        let url = r.url.split(['?', '#']).next().unwrap_or_default();
        (url.ends_with(path) || mutant!(ForeignWebhookTouched))
            && r.kind_type.eq_ignore_ascii_case(webhook.kiotviet_type())
    };
    registered.iter().filter(is_ours).collect()
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
    let (path, url) = (session.connection.hook_path(session.opened), url(session));
    let ours = ours(registered, &path, webhook);
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
pub async fn register<W: World>(
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

/// Removes those of our registrations among `registered` that are not sound; there may be some beside
/// a sound one, when whoever registered it anew died before it could remove them.
pub async fn remove_broken<W: World>(
    session: &Session<'_, W>,
    registered: &[Registered],
    webhook: Webhook,
) -> Result<(), KiotVietError> {
    let (path, url) = (session.connection.hook_path(session.opened), url(session));
    let broken = |r: &&Registered| !(r.is_active && r.url == url);
    for old in ours(registered, &path, webhook).into_iter().filter(broken) {
        session
            .kiotviet(async |k| k.delete_webhook(old.id).await)
            .await?;
    }
    Ok(())
}

/// Removes all our registrations of these webhooks.
pub async fn unregister<W: World>(
    session: &Session<'_, W>,
    webhooks: &[Webhook],
) -> Result<(), KiotVietError> {
    let registered = registered(session).await?;
    let path = session.connection.hook_path(session.opened);
    for webhook in webhooks {
        for ours in ours(&registered, &path, *webhook) {
            session
                .kiotviet(async |k| k.delete_webhook(ours.id).await)
                .await?;
        }
    }
    Ok(())
}
