//! Backfill: reading a shop's older customers and invoices into the same journal.

use super::{known, problem::Problem};
use crate::{
    config::Ready,
    json::{ToJson, object},
    sync::world::World,
};
use serde_json::Value;

/// `POST /api/connections/{name}/backfill`.
pub(super) async fn start<W: World>(
    world: &W,
    _ready: &Ready,
    name: &str,
    _body: &Value,
) -> Result<(u16, Value), Problem> {
    Ok((202, state(world, name).await?))
}

/// `DELETE /api/connections/{name}/backfill`.
pub(super) async fn stop<W: World>(
    world: &W,
    _ready: &Ready,
    name: &str,
) -> Result<(u16, Value), Problem> {
    Ok((202, state(world, name).await?))
}

/// `GET /api/connections/{name}/backfill`.
pub(super) async fn state<W: World>(world: &W, name: &str) -> Result<Value, Problem> {
    let connection = known(world, name).await?;
    Ok(object(vec![
        ("connection", connection.name.to_json()),
        ("state", "none".to_json()),
    ]))
}
