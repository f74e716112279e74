//! axe-core, which looks in the browser for what keeps people from using a page. `.ci/run` installs it (`npm ci --prefix
//! host-test/tests/page/axe`); without it a test says so, and fails only where `CI` is set. Nothing of it is shipped.

use crate::{town::picture, webdriver::Browser};
use anyhow::{Context, Result, ensure};

const FILE: &str = "host-test/tests/page/axe/node_modules/axe-core/axe.min.js";

/// Runs all rules of axe-core's default, among them its best practices. A page that shows progress asks for itself again:
/// nothing is typed there, and it ends with what it shows.
const RUN: &str = "const done = arguments[arguments.length - 1];
const rules = { 'meta-refresh': { enabled: false } };
const said = found => found.violations.flatMap(one => one.nodes.map(node => `${one.id}: ${node.html} ${node.failureSummary}`));
axe.run(document, { resultTypes: ['violations'], rules }).then(found => done(said(found)), wrong => done([String(wrong)]));";

/// See the module; none where it is not installed.
pub(crate) struct Axe(Option<String>);

impl Axe {
    /// What is installed.
    pub(crate) fn installed() -> Self {
        let found = std::fs::read_to_string(xtask::workspace_root().join(FILE)).ok();
        if found.is_none() {
            let missing = "axe-core is missing: npm ci --prefix host-test/tests/page/axe";
            assert!(std::env::var_os("CI").is_none(), "{missing}");
            println!("left out: {missing}");
        }
        Self(found)
    }

    /// What it finds on the page that is open, a line each; empty for nothing.
    pub(crate) async fn findings(&self, browser: &Browser, page: &str) -> Result<String> {
        let Some(script) = &self.0 else {
            return Ok(String::new());
        };
        // WebDriver's scripts are not the page's own: its policy, which forbids all, does not bind them.
        let found = browser.run("sync", script).await?;
        ensure!(found.is_null());
        let found = browser.run("async", RUN).await?;
        let found = found.as_array().context("a list")?;
        Ok(found.iter().map(|one| format!("{page}: {one}\n")).collect())
    }
}

/// The page that is open is no wider than its screen of `wide` pixels and has our style; leaves its picture under `name`,
/// and returns what axe-core finds.
pub(crate) async fn looked_at(
    browser: &Browser,
    axe: &Axe,
    wide: u32,
    name: &str,
) -> Result<String> {
    let sizes = browser
        .eval("[document.documentElement.scrollWidth, document.documentElement.clientWidth, getComputedStyle(document.body).marginTop]")
        .await?;
    let (scroll, client) = (sizes[0].as_u64(), sizes[1].as_u64());
    ensure!(client == Some(u64::from(wide)), "{name}: {sizes}");
    ensure!(scroll <= client, "{name} is wider than the screen: {sizes}");
    ensure!(sizes[2] == "0px", "{name} has our style: {sizes}");
    let found = axe.findings(browser, name).await?;
    browser.picture(&picture(name)).await?;
    Ok(found)
}
