//! Claims that the checks can fail: all of them pass on the plugin as it is, and the check made for
//! a protection notices its removal. How: every check with every mutant, in virtual time.
//! `docs/mutants.md` is the table, and must be the real one (`BLESS=1` writes it).

use proof::mutants::{kill_table, killer, render};
use std::fs;

#[test]
fn every_mutant_is_caught_and_the_table_is_the_real_one() {
    let table = kill_table();
    let page = render(&table);
    println!("{page}");
    let mut alive = Vec::new();
    for caught in &table {
        for (check, wrong) in &caught.by {
            println!("{:?}, {check}: {wrong}", caught.mutant);
        }
        let by: Vec<&str> = caught.by.iter().map(|(name, _)| *name).collect();
        match caught.mutant {
            None => assert!(by.is_empty(), "without any mutant: {:#?}", caught.by),
            Some(mutant) if by.contains(&killer(mutant)) => {}
            Some(mutant) => alive.push(format!(
                "{mutant:?} lives through '{}'; caught by {by:?}",
                killer(mutant)
            )),
        }
    }
    assert_eq!(alive, [""; 0]);
    let path = xtask::workspace_root().join("docs/mutants.md");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &page).expect("docs/mutants.md can be written");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == page,
        "docs/mutants.md is not what was found: BLESS=1 cargo test -p proof --test proof mutants::"
    );
}
