//! Claims that the documentation is complete and leads somewhere: every reason of a dead letter is explained,
//! and every link within README and `docs/` points to a file, and to a heading, that is there.

use plugin::journal::dead_reason::DeadReason;
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
