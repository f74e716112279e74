//! Claims that the documents match the code: the embedding example is the file that is compiled,
//! and every variable of `spin.toml` is in the table.

use std::fs;

fn read(path: &str) -> String {
    fs::read_to_string(xtask::workspace_root().join(path)).expect(path)
}

#[test]
fn the_embedding_example_is_the_file_that_is_compiled() {
    let example = read("host/examples/embed.rs");
    let (_, code) = example.split_once("\n\n").expect("a head and the code");
    assert!(
        read("docs/embedding.md").contains(&format!("```rust\n{code}```")),
        "copy host/examples/embed.rs into docs/embedding.md"
    );
}

#[test]
fn every_variable_is_explained() {
    let manifest: toml::Table = read("spin.toml").parse().expect("TOML");
    let table = read("docs/configuration.md");
    for name in manifest["variables"].as_table().expect("a table").keys() {
        assert!(table.contains(&format!("`{name}`")), "{name}");
    }
}
