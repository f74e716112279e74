//! Handles lines whose product Getfly does not know (R3). All of them are found together at the
//! first refusal, and sent under another code, or by name alone. Amounts stay as they are.

use crate::{
    getfly::{error::GetflyError, wire::Product},
    journal::{note::Note, record::Record},
    rules::{
        model::{NewOrder, OrderLine},
        order::keeps_code,
    },
    worker::{failure::Failure, session::Session},
    world::World,
};
use std::collections::BTreeMap;

/// Looks up every line's product and replaces those that Getfly does not have. False if there are
/// none, or if Getfly does not show its products. Lines without a code are not looked up.
pub async fn replace_unknown<W: World>(
    session: &Session<'_, W>,
    record: &mut Record,
    order: &mut NewOrder,
) -> Result<bool, Failure> {
    let fallback = session.ready.fallback_product_code.as_deref();
    let mut known: BTreeMap<String, bool> = BTreeMap::new();
    for line in &order.lines {
        let code = &line.product_code;
        if !code.is_empty() && !known.contains_key(code) {
            let Some(found) = look_up(session, code).await? else {
                return Ok(false);
            };
            known.insert(code.clone(), found.is_some());
        }
    }
    let mut replaced = false;
    for line in &mut order.lines {
        if known.get(&line.product_code) == Some(&false) {
            record.note(replacement(line, fallback));
            replace(line, fallback);
            replaced = true;
        }
    }
    Ok(replaced)
}

/// The product of this code, if Getfly has it; none if the key has no right to read products. A product that Getfly
/// refuses to show is unknown: the look-up must not cost the sale.
async fn look_up<W: World>(
    session: &Session<'_, W>,
    code: &str,
) -> Result<Option<Option<Product>>, Failure> {
    match session.getfly().product(code).await {
        Err(GetflyError::KeyRefused { status: 403 }) => Ok(None),
        Err(GetflyError::Refused(_) | GetflyError::NothingThere | GetflyError::Garbled { .. }) => {
            Ok(Some(None))
        }
        found => Ok(Some(found?)),
    }
}

/// Looks up the products that KiotViet has deleted since, and replaces those that Getfly does not
/// have under the same code and name: Getfly may use the code for another product.
pub async fn replace_deleted<W: World>(
    session: &Session<'_, W>,
    record: &mut Record,
    order: &mut NewOrder,
) -> Result<(), Failure> {
    let fallback = session.ready.fallback_product_code.as_deref();
    for line in &mut order.lines {
        if !line.is_deleted || line.product_code.is_empty() {
            continue;
        }
        let found = look_up(session, &line.product_code).await?.flatten();
        if !found.is_some_and(|product| keeps_code(line, &product.name)) {
            let code = line.product_code.clone();
            replace(line, fallback);
            let fallback = Some(line.product_code.clone()).filter(|code| !code.is_empty());
            record.note(Note::ProductDeleted { code, fallback });
        }
        line.is_deleted = false;
    }
    Ok(())
}

fn replace(line: &mut OrderLine, fallback: Option<&str>) {
    let code = core::mem::take(&mut line.product_code);
    // Getfly may lack the operator's own fallback product: then the name must do.
    let Some(fallback) = fallback.filter(|fallback| *fallback != code) else {
        return;
    };
    fallback.clone_into(&mut line.product_code);
    line.note = Some(match &line.note {
        Some(note) => format!("{code} {}; {note}", line.product_name),
        None => format!("{code} {}", line.product_name),
    });
}

fn replacement(line: &OrderLine, fallback: Option<&str>) -> Note {
    let code = line.product_code.clone();
    match fallback.filter(|fallback| *fallback != code) {
        Some(fallback) => Note::ProductUnder {
            code,
            fallback: fallback.to_owned(),
        },
        None => Note::ProductByName { code },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::money::Money;
    use rust_decimal::Decimal;

    fn line(note: Option<&str>) -> OrderLine {
        OrderLine {
            product_code: "SP1".to_owned(),
            is_deleted: false,
            product_name: "Áo".to_owned(),
            quantity: Decimal::ONE,
            price: Money::ZERO,
            cash_discount: Money::ZERO,
            note: note.map(str::to_owned),
        }
    }

    fn replaced(note: Option<&str>, fallback: Option<&str>) -> (String, Option<String>) {
        let mut line = line(note);
        replace(&mut line, fallback);
        (line.product_code, line.note)
    }

    #[test]
    fn r3_an_unknown_product_goes_under_the_fallback_with_its_own_code_in_the_note() {
        let text = |t: &str| Some(t.to_owned());
        assert_eq!(
            replaced(None, Some("KHAC")),
            ("KHAC".into(), text("SP1 Áo"))
        );
        let noted = replaced(Some("quà"), Some("KHAC"));
        assert_eq!(noted, ("KHAC".into(), text("SP1 Áo; quà")));
        assert_eq!(replaced(None, None), (String::new(), None));
        // The fallback itself is unknown.
        assert_eq!(replaced(None, Some("SP1")), (String::new(), None));
    }
}
