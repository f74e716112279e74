//! Claims that the documentation is complete and its links work: every reason of a dead letter is
//! explained, and every link within README, `docs/` and `examples/` leads to an existing file and
//! heading.

use plugin::{assumption::Assumption, journal::dead_reason::DeadReason};
use std::{fs, path::Path};

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

#[test]
fn every_reason_of_a_dead_letter_is_explained() {
    let operating = read(&xtask::workspace_root().join("docs/operating.md"));
    for reason in DeadReason::ALL {
        assert!(operating.contains(&format!("| `{reason}` |")), "{reason}");
    }
}

/// The ids and the vendor of each row of the table of assumptions.
fn assumed() -> Vec<(Vec<String>, String)> {
    let page = read(&xtask::workspace_root().join("docs/assumptions.md"));
    let rows = page.lines().filter(|line| line.starts_with("| ")).skip(1);
    rows.map(|row| {
        let mut cells = row.trim_matches('|').split(" | ");
        let ids = cells.next().unwrap_or_default().split(',');
        let ids = ids
            .map(|id| id.trim().trim_matches('`').to_owned())
            .collect();
        (ids, cells.next().unwrap_or_default().trim().to_owned())
    })
    .collect()
}

#[test]
fn every_assumption_has_a_row_and_every_row_is_an_assumption() {
    let rows = assumed();
    for (ids, vendor) in &rows {
        for id in ids {
            let known = Assumption::ALL.iter().find(|one| one.id() == id);
            let known = known.unwrap_or_else(|| {
                panic!("a row of docs/assumptions.md has the id `{id}`: add it at the end of plugin/src/assumption.rs")
            });
            assert_eq!(known.about().as_str(), vendor, "{id}");
        }
    }
    let ids: Vec<&String> = rows.iter().flat_map(|(ids, _)| ids).collect();
    for assumption in Assumption::ALL {
        let rows = ids.iter().filter(|id| **id == assumption.id()).count();
        assert_eq!(
            rows,
            1,
            "docs/assumptions.md has {rows} rows of `{}`",
            assumption.id()
        );
    }
}

/// GitHub's anchor of a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    let kept = kept
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn has_heading(file: &Path, wanted: &str) -> bool {
    let text = read(file);
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| anchor(line.trim_start_matches('#')))
        .any(|heading| heading == wanted)
}

#[test]
fn every_link_within_the_project_leads_somewhere() {
    let root = xtask::workspace_root();
    let folder = fs::read_dir(root.join("docs")).expect("docs");
    let mut pages: Vec<_> = folder.map(|e| e.expect("an entry").path()).collect();
    pages.retain(|path| path.extension().is_some_and(|e| e == "md"));
    pages.extend(
        [
            "README.md",
            "CONTRIBUTING.md",
            "CHANGELOG.md",
            "SECURITY.md",
            "examples/node/README.md",
        ]
        .map(|name| root.join(name)),
    );
    for page in pages {
        let text = read(&page);
        for target in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            if target.contains("://") {
                continue;
            }
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let file = match file {
                "" => page.clone(),
                file => page.parent().expect("a folder").join(file),
            };
            let place = format!("{}: {target}", page.display());
            assert!(file.exists(), "{place}");
            assert!(heading.is_empty() || has_heading(&file, heading), "{place}");
        }
    }
}
