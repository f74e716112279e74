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

/// Largest body of an API request; a preview's delivery may be as large as KiotViet's.
const MAX_BODY_BYTES: usize = accept::MAX_BODY_BYTES;

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
pub(in crate::admin) async fn read<B: Body>(body: B) -> Result<Vec<u8>, Problem> {
    body.read(MAX_BODY_BYTES).await.map_err(|e| {
        Problem::new(
            413,
            "body-too-large",
            "The body cannot be read",
            format!("{e}; at most 5 MiB."),
        )
    })
}

/// The body as JSON.
pub(in crate::admin) async fn read_json<B: Body>(body: B) -> Result<Value, Problem> {
    let bytes = read(body).await?;
    json::parse(&bytes).map_err(|_| problem::invalid("The body is not JSON."))
}
