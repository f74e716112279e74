//! The order of the plugin's modules: none uses anything of a higher layer or of its neighbour in
//! the same one, and no files depend on each other in a circle. Read from the source's `use` lines,
//! paths and `mod` lines, without its tests.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// From the lowest layer up. Modules of one layer stand beside each other and use nothing of each
/// other.
const LAYERS: &[&[&str]] = &[
    &["mutant", "address", "assumption", "secret", "time", "json"],
    &["world", "stored", "web"],
    &["seal", "rules", "failed_log_ins"],
    &["vendor"],
    &["kiotviet", "getfly"],
    &["journal"],
    &["config", "log", "wording"],
    &["config_cache", "intake", "worker"],
    &["reconcile"],
    &["drain", "preflight"],
    &["admin::api"],
    &["admin::page"],
    &["admin"],
    &["app"],
    &["wasi"],
];

#[test]
fn no_module_takes_anything_from_a_higher_layer_and_none_goes_in_a_circle() {
    let mut sources = BTreeMap::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    read_into(&mut sources, &root, &root);
    let house = House::of(&sources);
    assert!(house.files.len() > 80, "{} files", house.files.len());
    assert!(house.arrows.len() > 300, "{} arrows", house.arrows.len());
    let wrong = house.faults(LAYERS);
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn read_into(sources: &mut BTreeMap<String, String>, root: &Path, folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_into(sources, root, &path);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap();
            let name = name.replace('\\', "/");
            sources.insert(name, fs::read_to_string(&path).unwrap());
        }
    }
}

/// A module's path below the crate.
type Module = Vec<String>;

/// `from` uses something of `to`, or declares it.
struct Arrow {
    from: Module,
    to: Module,
    /// The place, and its text.
    place: String,
}

/// The files of a crate without its tests, and what they use of each other.
struct House {
    files: BTreeMap<Module, String>,
    arrows: Vec<Arrow>,
}

impl House {
    /// From sources by their names below `src`; begins at `lib.rs` and follows its `mod` lines.
    fn of(sources: &BTreeMap<String, String>) -> Self {
        let mut files = BTreeMap::new();
        let mut waiting = vec![(Vec::new(), "lib.rs".to_owned())];
        let mut declared = Vec::new();
        let mut read = Vec::new();
        while let Some((module, name)) = waiting.pop() {
            let text = &sources[&name];
            let tokens = without_tests(tokens(text));
            for pair in tokens.windows(3) {
                let [word, child, end] = pair else { continue };
                if word.text != "mod" || end.text != ";" {
                    continue;
                }
                let mut path = module.clone();
                path.push(child.text.clone());
                let base = path.join("/");
                let found = [format!("{base}.rs"), format!("{base}/mod.rs")]
                    .into_iter()
                    .find(|name| sources.contains_key(name));
                let found = found.unwrap_or_else(|| panic!("{name} declares {base}"));
                declared.push((module.clone(), path.clone(), child.line));
                waiting.push((path, found));
            }
            files.insert(module.clone(), name.clone());
            read.push((module, name, tokens));
        }
        let mut arrows = Vec::new();
        let place = |name: &str, line: usize| {
            let text = sources[name].lines().nth(line - 1).unwrap_or_default();
            format!("{name}:{line}: {}", text.trim())
        };
        for (module, name, tokens) in &read {
            for (path, line) in paths(tokens) {
                let Some(path) = absolute(module, &path, &files) else {
                    continue;
                };
                let to = file_of(&path, &files);
                if to != *module && !to.is_empty() {
                    arrows.push(Arrow {
                        from: module.clone(),
                        to,
                        place: place(name, line),
                    });
                }
            }
        }
        // The crate's own list of modules is above everything.
        for (from, to, line) in declared.into_iter().filter(|(from, ..)| !from.is_empty()) {
            let place = place(&files[&from], line);
            arrows.push(Arrow { from, to, place });
        }
        Self { files, arrows }
    }

    /// What is wrong with it, with the lines that cause it.
    fn faults(&self, layers: &[&[&str]]) -> Vec<String> {
        let mut faults = Vec::new();
        let room = |module: &Module| {
            let path = module.join("::");
            let rooms = layers.iter().enumerate();
            let rooms = rooms.flat_map(|(layer, rooms)| rooms.iter().map(move |r| (layer, *r)));
            rooms
                .filter(|(_, room)| path == *room || path.starts_with(&format!("{room}::")))
                .max_by_key(|(_, room)| room.len())
        };
        for (module, name) in self.files.iter().filter(|(module, _)| !module.is_empty()) {
            if room(module).is_none() {
                faults.push(format!("{name} stands in no layer"));
            }
        }
        for arrow in &self.arrows {
            let (Some((from, mine)), Some((to, its))) = (room(&arrow.from), room(&arrow.to)) else {
                continue;
            };
            if mine != its && from <= to {
                faults.push(format!("{mine} takes from {its}: {}", arrow.place));
            }
        }
        for arrow in &self.arrows {
            if self.leads(&arrow.to, &arrow.from) {
                faults.push(format!("a circle: {}", arrow.place));
            }
        }
        // One line may use several things.
        let mut seen = BTreeSet::new();
        faults.retain(|fault| seen.insert(fault.clone()));
        faults
    }

    /// Whether there is a way along the arrows.
    fn leads(&self, from: &Module, to: &Module) -> bool {
        let (mut waiting, mut seen) = (vec![from], BTreeSet::from([from]));
        while let Some(here) = waiting.pop() {
            if here == to {
                return true;
            }
            let next = self.arrows.iter().filter(|a| a.from == *here);
            waiting.extend(next.map(|a| &a.to).filter(|next| seen.insert(next)));
        }
        false
    }
}

/// The path from the crate on; none if it leads out of it.
fn absolute(module: &Module, path: &[String], files: &BTreeMap<Module, String>) -> Option<Module> {
    let mut here = module.clone();
    let mut rest = path;
    match path.first()?.as_str() {
        "crate" => {
            here.clear();
            rest = &path[1..];
        }
        "self" => rest = &path[1..],
        "super" => {
            while rest.first().is_some_and(|word| word == "super") {
                here.pop()?;
                rest = &rest[1..];
            }
        }
        child => {
            let mut inside = module.clone();
            inside.push(child.to_owned());
            files.get(&inside)?;
        }
    }
    here.extend(rest.iter().cloned());
    Some(here)
}

/// The module whose file holds what `path` names.
fn file_of(path: &Module, files: &BTreeMap<Module, String>) -> Module {
    let mut module = path.clone();
    while !files.contains_key(&module) {
        module.pop();
    }
    module
}

/// A word or a sign of the source; `::` is one.
struct Token {
    text: String,
    line: usize,
}

/// The source's words and signs, without comments, texts, characters and lifetimes.
fn tokens(source: &str) -> Vec<Token> {
    let chars: Vec<char> = source.chars().collect();
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let (mut found, mut i, mut line) = (Vec::new(), 0, 1);
    while i < chars.len() {
        let start = i;
        let c = at(i);
        if c == '/' && at(i + 1) == '/' {
            while i < chars.len() && at(i) != '\n' {
                i += 1;
            }
        } else if c == 'r'
            && (at(i + 1) == '"' || (at(i + 1) == '#' && matches!(at(i + 2), '"' | '#')))
        {
            let hashes = (i + 1..).take_while(|&j| at(j) == '#').count();
            i += hashes + 2;
            while i < chars.len() && !(at(i) == '"' && (0..hashes).all(|h| at(i + 1 + h) == '#')) {
                i += 1;
            }
            i += 1 + hashes;
        } else if c == '"' {
            i += 1;
            while i < chars.len() && at(i) != '"' {
                i += if at(i) == '\\' { 2 } else { 1 };
            }
            i += 1;
        } else if c == '\'' {
            // A character, or a lifetime.
            if at(i + 1) == '\\' {
                i += 3;
                while i < chars.len() && at(i) != '\'' {
                    i += 1;
                }
                i += 1;
            } else {
                i += if at(i + 2) == '\'' { 3 } else { 1 };
            }
        } else if c.is_alphanumeric() || c == '_' {
            while at(i).is_alphanumeric() || at(i) == '_' {
                i += 1;
            }
            let text = chars[start..i].iter().collect();
            found.push(Token { text, line });
        } else {
            i += if c == ':' && at(i + 1) == ':' { 2 } else { 1 };
            if !c.is_whitespace() {
                let text = chars[start..i].iter().collect();
                found.push(Token { text, line });
            }
        }
        let end = i.min(chars.len());
        line += chars[start..end].iter().filter(|c| **c == '\n').count();
    }
    found
}

/// Leaves out each item after `#[cfg(test)]`: up to its `;`, or its block.
fn without_tests(tokens: Vec<Token>) -> Vec<Token> {
    const TEST: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut kept = Vec::new();
    let mut rest = tokens.into_iter().peekable();
    while let Some(token) = rest.next() {
        kept.push(token);
        let tail = kept.len().saturating_sub(TEST.len());
        if !kept[tail..].iter().map(|t| t.text.as_str()).eq(TEST) {
            continue;
        }
        kept.truncate(tail);
        let mut depth = 0_usize;
        for token in rest.by_ref() {
            match token.text.as_str() {
                "{" => depth += 1,
                "}" => depth -= 1,
                _ => {}
            }
            if depth == 0 && matches!(token.text.as_str(), ";" | "}") {
                break;
            }
        }
    }
    kept
}

/// Every path of two words and more, with its line: those of `use` trees one by one.
fn paths(tokens: &[Token]) -> Vec<(Vec<String>, usize)> {
    let mut found = Vec::new();
    let mut i = 0;
    while i < tokens.len() {
        let before = i.checked_sub(1).map(|i| tokens[i].text.as_str());
        // `pub(in crate::…)` uses nothing.
        if matches!(before, Some("::" | "." | "in")) || !is_word(&tokens[i].text) {
            i += 1;
        } else if tokens[i].text == "use" {
            i = tree(tokens, i + 1, &[], &mut found);
        } else {
            let start = i;
            let mut path = vec![tokens[i].text.clone()];
            while i + 2 < tokens.len() && tokens[i + 1].text == "::" && is_word(&tokens[i + 2].text)
            {
                path.push(tokens[i + 2].text.clone());
                i += 2;
            }
            if path.len() > 1 {
                found.push((path, tokens[start].line));
            }
            i += 1;
        }
    }
    found
}

/// One branch of a `use` tree below `stem`; returns where it ends.
fn tree(
    tokens: &[Token],
    mut i: usize,
    stem: &[String],
    found: &mut Vec<(Vec<String>, usize)>,
) -> usize {
    let mut path = stem.to_vec();
    let mut line = tokens[i].line;
    while i < tokens.len() {
        match tokens[i].text.as_str() {
            "::" => {}
            "{" => {
                i += 1;
                while tokens[i].text != "}" {
                    i = tree(tokens, i, &path, found);
                    if tokens[i].text == "," {
                        i += 1;
                    }
                }
                return i + 1;
            }
            "," | "}" | ";" => break,
            "as" => i += 1,
            "self" if !path.is_empty() => {}
            word => {
                line = tokens[i].line;
                path.push(word.to_owned());
            }
        }
        i += 1;
    }
    if path.last().is_some_and(|word| word == "*") {
        path.pop();
    }
    found.push((path, line));
    i
}

fn is_word(text: &str) -> bool {
    text.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// The faults of a small crate with the layers `low` < `left`, `right` < `high`.
fn faults(planted: &[(&str, &str)]) -> Vec<String> {
    let mut sources: BTreeMap<String, String> = ["low.rs", "left.rs", "right.rs", "high.rs"]
        .map(|name| (name.to_owned(), String::new()))
        .into();
    let lib = "mod low; mod left; mod right; mod high;";
    sources.insert("lib.rs".to_owned(), lib.to_owned());
    for (name, text) in planted {
        sources.insert((*name).to_owned(), (*text).to_owned());
    }
    House::of(&sources).faults(&[&["low"], &["left", "right"], &["high"]])
}

#[test]
fn an_arrow_to_a_higher_layer_is_named_with_its_line() {
    for (text, line) in [
        ("\nuse crate::high;", "low.rs:2: use crate::high;"),
        (
            "use crate::{\n    high::{self, A},\n};",
            "low.rs:2: high::{self, A},",
        ),
        (
            "use super::high::A as B;",
            "low.rs:1: use super::high::A as B;",
        ),
        (
            "pub use crate::high::*;",
            "low.rs:1: pub use crate::high::*;",
        ),
        (
            "fn f() { crate::high::g(); }",
            "low.rs:1: fn f() { crate::high::g(); }",
        ),
        (
            "const C: char = '\"'; use crate::high::A;",
            "low.rs:1: const C: char = '\"'; use crate::high::A;",
        ),
    ] {
        let found = faults(&[("low.rs", text)]);
        assert_eq!(found, [format!("low takes from high: {line}")], "{text}");
    }
    assert_eq!(
        faults(&[("high.rs", "use crate::{low, left::A, right};")]),
        [""; 0]
    );
}

#[test]
fn neighbours_take_nothing_from_each_other() {
    let found = faults(&[("left.rs", "use crate::right::A;")]);
    assert_eq!(
        found,
        ["left takes from right: left.rs:1: use crate::right::A;"]
    );
}

#[test]
fn a_circle_within_a_layer_is_found_and_a_child_that_takes_from_its_parent_is_one() {
    let sisters = [
        ("high/mod.rs", "mod a; mod b;"),
        ("high/a.rs", "use super::b::B;"),
        ("high/b.rs", "fn f() { super::a::g(); }"),
    ];
    let whole: BTreeMap<String, String> = [("lib.rs", "mod high;")]
        .iter()
        .chain(&sisters)
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect();
    let found = House::of(&whole).faults(&[&["high"]]);
    assert_eq!(
        found,
        [
            "a circle: high/b.rs:1: fn f() { super::a::g(); }",
            "a circle: high/a.rs:1: use super::b::B;",
        ]
    );
    let parent = [
        ("low.rs", "mod a;\nstruct S;"),
        ("low/a.rs", "use super::S;"),
    ];
    assert_eq!(
        faults(&parent),
        [
            "a circle: low/a.rs:1: use super::S;",
            "a circle: low.rs:1: mod a;"
        ]
    );
}

#[test]
fn tests_comments_and_texts_are_left_out_and_nothing_else() {
    let text = "// use crate::high::A;\n\
        #[cfg(test)]\nmod tests {\n    use crate::high::A;\n    fn f() {}\n}\n\
        #[cfg(test)]\nuse crate::high::B;\n\
        #[cfg(test)]\nmod elsewhere;\n\
        const T: &str = \"use crate::high::C;\";\nconst R: &str = r#\"\"crate::high::D\"#;\n\
        pub(in crate::high) fn g<'a>() {}\n";
    assert_eq!(faults(&[("low.rs", text)]), [""; 0]);
    let after = format!("{text}use crate::high::E;\n");
    assert_eq!(faults(&[("low.rs", &after)]).len(), 1);
}

#[test]
fn a_module_without_a_layer_is_named() {
    let found = faults(&[("lib.rs", "mod low; mod attic;"), ("attic.rs", "")]);
    assert_eq!(found, ["attic.rs stands in no layer"]);
}
