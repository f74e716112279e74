//! What a request names and carries: a connection, a webhook, a body.

use crate::{
    admin::api::problem::{self, Problem},
    intake::accept,
    journal::{
        connection_name::ConnectionName,
        connections::{Connection, Webhook, load},
    },
    json,
    web::Body,
    world::World,
};
use serde_json::Value;

/// How large a body may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::admin) enum Most {
    /// The log-in form, which anybody may send: 4 KiB.
    LogIn,
    /// What somebody who is known sends: 64 KiB.
    Request,
    /// A delivery that a person tries: as large as KiotViet's.
    Delivery,
}

impl Most {
    fn bytes(self) -> usize {
        match self {
            Self::LogIn => 4 * 1024,
            Self::Request => 64 * 1024,
            Self::Delivery => accept::MAX_BODY_BYTES,
        }
    }
}

/// The webhook of this word.
pub(in crate::admin) fn known_webhook(word: &str) -> Result<Webhook, Problem> {
    Webhook::parse(word).ok_or_else(|| problem::not_found("a webhook is customer or order"))
}

/// What may be a connection's name.
pub(in crate::admin) fn named(name: &str) -> Result<ConnectionName, Problem> {
    ConnectionName::parse(name).ok_or_else(|| problem::unknown_connection(name))
}

/// The connection of this name.
pub(in crate::admin) async fn known<W: World>(
    world: &W,
    name: &str,
) -> Result<Connection, Problem> {
    load(world, &named(name)?)
        .await?
        .ok_or_else(|| problem::unknown_connection(name))
}

/// The whole body.
pub(in crate::admin) async fn read<B: Body>(body: B, most: Most) -> Result<Vec<u8>, Problem> {
    body.read(most.bytes()).await.map_err(|e| {
        Problem::new(
            413,
            "body-too-large",
            "The body cannot be read",
            format!("{e}; at most {} KiB.", most.bytes() / 1024),
        )
    })
}

/// The body as JSON.
pub(in crate::admin) async fn read_json<B: Body>(body: B) -> Result<Value, Problem> {
    let bytes = read(body, Most::Request).await?;
    json::parse(&bytes).map_err(|_| problem::invalid("The body is not JSON."))
}
