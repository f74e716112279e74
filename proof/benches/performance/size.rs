//! The component's code by crate, found by the names of its functions. A function that the compiler
//! made for one crate from another's generic function counts for the crate where it was written. An
//! inlined function counts for the crate into which it was inlined.

use anyhow::Result;
use std::collections::{BTreeMap, HashMap};
use wasmparser::{KnownCustom, Name, Parser, Payload, TypeRef};

/// The crates that are named; the others are summed.
const TOLD: usize = 20;

/// The size of a crate, or of another part of the core module.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct Part {
    pub(crate) of: String,
    pub(crate) bytes: usize,
}

/// The parts of the plugin's core module, largest first.
pub(crate) fn parts() -> Result<Vec<Part>> {
    parts_of(&xtask::module_with_names(xtask::PLUGIN)?)
}

fn parts_of(module: &[u8]) -> Result<Vec<Part>> {
    let mut names = HashMap::new();
    let mut bodies = Vec::new();
    let (mut imported, mut data, mut named) = (0_u32, 0, 0);
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    imported += u32::from(matches!(import?.ty, TypeRef::Func(_)));
                }
            }
            Payload::CodeSectionEntry(body) => bodies.push(body.range().len()),
            Payload::DataSection(section) => data = section.range().len(),
            Payload::CustomSection(custom) => {
                named += custom.range().len();
                if let KnownCustom::Name(parts) = custom.as_known() {
                    for part in parts {
                        if let Name::Function(functions) = part? {
                            for function in functions {
                                let function = function?;
                                names.insert(function.index, crate_of(function.name));
                            }
                        }
                    }
                }
            }
            _ => {}
        }
    }
    let mut crates: BTreeMap<String, usize> = BTreeMap::new();
    for (index, bytes) in (imported..).zip(&bodies) {
        let of = names.get(&index).cloned().flatten();
        *crates
            .entry(of.unwrap_or_else(|| "no crate".to_owned()))
            .or_default() += bytes;
    }
    let code: usize = bodies.iter().sum();
    let mut parts: Vec<Part> = crates
        .into_iter()
        .map(|(of, bytes)| Part { of, bytes })
        .collect();
    parts.sort_by_key(|part| std::cmp::Reverse(part.bytes));
    let others = parts.split_off(parts.len().min(TOLD));
    for (of, bytes) in [
        ("other crates", others.iter().map(|part| part.bytes).sum()),
        ("constant data: texts, tables, the page", data),
        (
            "types, imports, exports",
            module.len() - code - data - named,
        ),
    ] {
        let of = of.to_owned();
        parts.push(Part { of, bytes });
    }
    Ok(parts)
}

/// The first crate in a function's name: of `<serde_json::A as core::B>::c` it is `serde_json`. The
/// plugin's own functions go by module. None for functions of the linker or of C.
fn crate_of(mangled: &str) -> Option<String> {
    let name = format!("{:#}", rustc_demangle::demangle(mangled));
    let (before, after) = name.split_once("::")?;
    let other = |c: char| !c.is_alphanumeric() && c != '_';
    let word = before.rsplit(other).next().filter(|w| !w.is_empty())?;
    let module = after.split(other).next().filter(|_| word == "plugin");
    Some(module.map_or_else(|| word.to_owned(), |module| format!("{word}::{module}")))
}
