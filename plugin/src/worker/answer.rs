//! A person's answer to a dead letter that asks: an edit, or a sale of its own (R6).

use crate::{
    journal::{
        connections, keys,
        ledger::{self, InvoiceEntry},
        note::Note,
        record::Record,
        trouble::Trouble,
    },
    rules::{codes::InvoiceCode, sale::EditOrSale},
    world::{Store, StoreError},
};

/// Stores that answer in the ledger for the invoice of `record`. An order that was made or
/// attempted under the same code meanwhile stays in the ledger.
pub async fn keep(store: &impl Store, record: &Record, is: EditOrSale) -> Result<(), StoreError> {
    let connection = connections::load(store, &record.connection).await?;
    let (Some(hint), Some(code), Some(connection)) = (&record.hint, code_of(record), connection)
    else {
        // The retry ends for that order's reason.
        return Ok(());
    };
    let key = keys::invoice(&connection.retailer, code.as_str());
    let known = ledger::invoice(store, &key).await?;
    if known.is_ordered_or_tried() {
        return Ok(());
    }
    let invoice_id = hint.id;
    ledger::keep_invoice(store, &key, &InvoiceEntry::Answered { invoice_id, is }).await
}

/// The invoice's own code, which KiotViet's record held when the dead letter was made.
fn code_of(record: &Record) -> Option<InvoiceCode> {
    let told = record.notes.iter().rev().find_map(|note| match note {
        Note::Failed(Trouble::EditOrSale { code, .. }) => Some(code.clone()),
        _ => None,
    });
    told.or_else(|| Some(InvoiceCode::new(record.hint.as_ref()?.code.as_deref()?)))
}
