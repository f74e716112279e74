//! Claims that the documentation is complete and leads somewhere: every reason of a dead letter is explained,
//! and every link within README and `docs/` points to a file, and to a heading, that is there.

use std::{collections::BTreeSet, fs, path::Path};

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Every Rust file below `folder`.
fn sources(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(read(&path));
        }
    }
}

/// The first text in quotes after each `start`, where it is a plain word.
fn words_after(source: &str, start: &str) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for rest in source.split(start).skip(1) {
        let word = rest.trim_start().strip_prefix('"');
        let word = word.and_then(|w| w.split('"').next()).unwrap_or_default();
        if !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
            words.insert(word.to_owned());
        }
    }
    words
}

#[test]
fn every_reason_of_a_dead_letter_is_explained() {
    let root = xtask::workspace_root();
    let mut all = Vec::new();
    sources(&root.join("plugin/src"), &mut all);
    let starts = ["bury(", "reason: ", "reason = ", "death("];
    let mut reasons = BTreeSet::new();
    for source in &all {
        for start in starts {
            reasons.extend(words_after(source, start));
        }
    }
    assert!(reasons.len() >= 8, "{reasons:?}");
    let operating = read(&root.join("docs/operating.md"));
    for reason in reasons {
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
