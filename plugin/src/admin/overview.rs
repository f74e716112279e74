//! Where everything stands, for the page: the counts that must add up, what waits since when, and
//! each shop's last days.

use super::problem::Problem;
use crate::{
    json::{ToJson, object},
    sync::{cursor::Counts, drain::load_cursor, world::World},
};
use serde_json::Value;

fn counts(counts: &Counts) -> Value {
    object(vec![
        ("received", counts.received.to_json()),
        ("created", counts.created.to_json()),
        ("linked", counts.linked.to_json()),
        ("ignored", counts.ignored.to_json()),
        ("dead", counts.dead.to_json()),
        ("dismissed", counts.dismissed.to_json()),
        ("waiting", counts.waiting().to_json()),
    ])
}

/// `GET /api/overview`.
pub(super) async fn overview<W: World>(world: &W) -> Result<Value, Problem> {
    let cursor = load_cursor(world).await?;
    Ok(object(vec![("counts", counts(&cursor.counts))]))
}
