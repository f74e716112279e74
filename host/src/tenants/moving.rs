//! A tenant's keys as lines of a file, to move them to another store.

use crate::keyvalue::{Backend, Cell, Space};
use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};

/// Where the application's own keys begin.
const OURS: &str = "kvgf/";

/// The first line.
#[derive(Serialize, Deserialize)]
struct Head {
    kvgf_keys: u32,
    /// Whether counters are told from values; Redis keeps both as text.
    counters: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    key: String,
    /// In hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    count: Option<i64>,
}

/// The application's keys in a space.
///
/// # Errors
/// If the store fails.
pub async fn own_keys(space: &Space) -> Result<Vec<String>> {
    space
        .list_keys_below(OURS)
        .await
        .map_err(anyhow::Error::msg)
}

/// Everything of a space, a line for each key.
///
/// # Errors
/// If the store fails.
pub async fn lines(space: &Space, is_redis: bool) -> Result<Vec<String>> {
    let head = Head {
        kvgf_keys: 1,
        counters: !is_redis,
    };
    let mut lines = vec![serde_json::to_string(&head)?];
    for key in own_keys(space).await? {
        let line = match space.get(&key).await {
            Ok(None) => continue,
            Ok(Some(value)) => Line {
                key,
                value: Some(value.iter().map(|byte| format!("{byte:02x}")).collect()),
                count: None,
            },
            // Only a counter can be read so.
            Err(why) => {
                let count = space.increment(&key, 0).await;
                let count = Some(count.map_err(|_| anyhow::Error::msg(why))?);
                let value = None;
                Line { key, value, count }
            }
        };
        lines.push(serde_json::to_string(&line)?);
    }
    Ok(lines)
}

/// What the lines hold.
///
/// # Errors
/// If they are no such lines, or cannot be kept by the store that they are for.
pub fn cells(lines: &[String], for_redis: bool) -> Result<Vec<(String, Cell)>> {
    let (head, lines) = lines.split_first().context("it is empty")?;
    let head: Head = serde_json::from_str(head).context("it is no export of keys")?;
    ensure!(head.kvgf_keys == 1, "it is of a newer version");
    ensure!(
        head.counters || for_redis,
        "it comes from a Redis, which does not tell counters from values; only a Redis can take it"
    );
    let mut cells = Vec::with_capacity(lines.len());
    for (at, line) in lines.iter().enumerate() {
        let wrong = || format!("line {} is damaged", at + 2);
        let line: Line = serde_json::from_str(line).ok().with_context(wrong)?;
        ensure!(line.key.starts_with(OURS), wrong());
        let cell = match (line.value, line.count) {
            (Some(value), None) => Cell::Value(bytes(&value).with_context(wrong)?),
            (None, Some(count)) => Cell::Counter(count),
            _ => bail!(wrong()),
        };
        cells.push((line.key, cell));
    }
    Ok(cells)
}

fn bytes(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    let byte = |pair: &[u8]| {
        let pair = core::str::from_utf8(pair).ok().filter(|p| p.len() == 2)?;
        u8::from_str_radix(pair, 16).ok()
    };
    pairs.map(byte).collect()
}

/// Writes them into a space.
///
/// # Errors
/// If the store fails.
pub async fn write(space: &Space, cells: Vec<(String, Cell)>) -> Result<()> {
    for (key, cell) in cells {
        let written = match cell {
            Cell::Value(value) => space.set(&key, value).await,
            Cell::Counter(0) => Ok(()),
            Cell::Counter(count) => space.increment(&key, count).await.map(drop),
        };
        written.map_err(anyhow::Error::msg)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{cells, lines, own_keys, write};
    use crate::keyvalue::{Backend, Memory, Space};
    use std::sync::Arc;

    #[tokio::test]
    async fn what_is_exported_is_imported_as_it_was() {
        let store = Arc::new(Memory::new());
        let space = |name: &str| Space::of(store.clone(), format!("tenant/{name}/"));
        let (from, other, to) = (space("a"), space("b"), space("c"));
        from.set("kvgf/x", vec![0, 255, b'7']).await.expect("set");
        from.set("kvgf/seven", b"7".to_vec()).await.expect("set");
        from.increment("kvgf/tail", 7).await.expect("counted");
        other.set("kvgf/y", b"b's".to_vec()).await.expect("set");
        let exported = lines(&from, false).await.expect("exported");
        assert_eq!(exported.len(), 4);
        let read = cells(&exported, false).expect("read");
        write(&to, read).await.expect("written");
        assert_eq!(to.dump().await, from.dump().await);
        assert_eq!(to.increment("kvgf/tail", 1).await, Ok(8));
        assert_eq!(own_keys(&to).await.expect("listed").len(), 3);
    }

    #[test]
    fn damage_and_a_store_that_cannot_take_it_are_told() {
        let told = |lines: &[&str], redis: bool| {
            let lines: Vec<String> = lines.iter().map(|l| (*l).to_owned()).collect();
            cells(&lines, redis)
                .map(|c| c.len())
                .map_err(|e| format!("{e:#}"))
        };
        let (file, redis) = (
            r#"{"kvgf_keys":1,"counters":true}"#,
            r#"{"kvgf_keys":1,"counters":false}"#,
        );
        assert_eq!(
            told(&[file, r#"{"key":"kvgf/a","value":"00ff"}"#], false),
            Ok(1)
        );
        assert_eq!(told(&[redis], true), Ok(0));
        assert!(
            told(&[redis], false)
                .expect_err("told")
                .contains("only a Redis")
        );
        for line in [
            r#"{"key":"kvgf/a","value":"0"}"#,
            r#"{"key":"kvgf/a","value":"zz"}"#,
            r#"{"key":"tenant/a/kvgf/a","value":"00"}"#,
            r#"{"key":"kvgf/a"}"#,
            "",
        ] {
            let why = told(&[file, line], false).expect_err("told");
            assert!(why.contains("line 2 is damaged"), "{line}: {why}");
        }
    }
}
