//! What traffic showed of what is taken for granted about the vendors. No person's data: it goes into a report of a
//! fault as it is.

use crate::{
    admin::api::problem::Problem,
    assumption::About,
    journal::{
        assumptions::{self as kept, Known, Sight},
        cursor::{self, Cursor},
        shapes,
    },
    world::World,
};
use serde::Serialize;

/// What was seen of an assumption.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::admin) enum State {
    /// Nothing yet.
    Unseen,
    /// It holds.
    Confirmed,
    /// It does not, at least once.
    Contradicted,
}

/// One assumption in the API.
#[derive(Debug, Clone, Serialize)]
pub(in crate::admin) struct Row {
    pub(in crate::admin) about: About,
    pub(in crate::admin) confirmed: Sight,
    pub(in crate::admin) contradicted: Sight,
    /// Its row in the table of `docs/assumptions.md`.
    pub(in crate::admin) id: &'static str,
    pub(in crate::admin) says: &'static str,
    #[serde(skip)]
    pub(in crate::admin) says_vi: &'static str,
    /// Whether traffic can show it.
    pub(in crate::admin) shown_by_traffic: bool,
    pub(in crate::admin) state: State,
}

impl From<Known> for Row {
    fn from(known: Known) -> Self {
        let (says_vi, says) = known.assumption.said();
        Self {
            about: known.assumption.about(),
            confirmed: known.confirmed,
            contradicted: known.contradicted,
            id: known.assumption.id(),
            says,
            says_vi,
            shown_by_traffic: known.assumption.is_shown(),
            state: match (known.confirmed.times, known.contradicted.times) {
                (0, 0) => State::Unseen,
                (_, 0) => State::Confirmed,
                _ => State::Contradicted,
            },
        }
    }
}

/// A member of the first invoices of KiotViet F&B.
#[derive(Debug, Clone, Serialize)]
pub(in crate::admin) struct Shaped {
    /// Of how many invoices that were looked at.
    of: u64,
    invoices: u64,
    kinds: Vec<String>,
    member: String,
}

/// All of them.
#[derive(Debug, Clone, Serialize)]
pub(in crate::admin) struct Table {
    pub(in crate::admin) assumptions: Vec<Row>,
    /// What the first invoices of KiotViet F&B held; no value.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::admin) fnb_invoices: Vec<Shaped>,
    /// Of the application that saw it.
    pub(in crate::admin) version: &'static str,
}

impl Table {
    /// Those that do not hold here.
    pub(in crate::admin) fn contradicted(&self) -> usize {
        let mut rows = self.assumptions.iter().map(|row| row.state);
        rows.by_ref()
            .filter(|state| *state == State::Contradicted)
            .count()
    }
}

/// `GET /api/assumptions`.
pub(in crate::admin) async fn assumptions<W: World>(world: &W) -> Result<Table, Problem> {
    let table = of_cursor(world, &cursor::load(world).await?).await?;
    let shapes = shapes::load(world).await?;
    let of = shapes.records;
    let members = shapes.members.into_iter();
    let fnb_invoices = members.map(|(member, (kinds, invoices))| Shaped {
        of,
        invoices,
        kinds,
        member,
    });
    Ok(Table {
        fnb_invoices: fnb_invoices.collect(),
        ..table
    })
}

/// The same for a caller who has read the cursor.
pub(in crate::admin) async fn of_cursor<W: World>(
    world: &W,
    cursor: &Cursor,
) -> Result<Table, Problem> {
    let known = kept::known(world, &cursor.assumptions).await?;
    Ok(Table {
        assumptions: known.into_iter().map(Row::from).collect(),
        fnb_invoices: Vec::new(),
        version: env!("CARGO_PKG_VERSION"),
    })
}
