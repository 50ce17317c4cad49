//! What axe-core finds wrong with a page for people who see, hear or move otherwise.

use std::fmt;

use serde::Deserialize;
use serde_json::json;

use crate::page::Page;
use crate::person::SOON;
use crate::place;

/// One broken rule at one element.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Violation {
    /// Such as `color-contrast`.
    pub rule: String,
    /// CSS selector of the element.
    pub target: String,
    /// What is wrong there and how it is mended.
    pub summary: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}: {}", self.rule, self.target, self.summary)
    }
}

/// Everything axe-core finds in what a CSS selector finds of the page as it stands: WCAG 2.2 A and AA and its best practices, contrast
/// included.
pub async fn axe(page: &Page, css: &str) -> Vec<Violation> {
    let file = place::root().join("ui/node_modules/axe-core/axe.min.js");
    let source = std::fs::read_to_string(&file);
    let source = source.unwrap_or_else(|e| panic!("{}: {e}; `cargo xtask ui` installs it", file.display()));
    // Put in by the driver, since the page's own policy lets nobody else's script in.
    page.ask::<bool>(&format!("if (!window.axe) {{ {source} }} return true"), Vec::new()).await;
    let run = "const done = arguments[arguments.length - 1]; \
        axe.run(arguments[0], arguments[1]).then(found => done(found.violations.flatMap(broken => broken.nodes.map(node => ({ \
        rule: broken.id, target: node.target.flat().join(' '), summary: node.failureSummary.replace(/\\s+/g, ' ').trim() })))), \
        error => done([{ rule: 'axe-core itself', target: '', summary: String(error) }]))";
    let found = page.driver().execute_async(run, vec![json!(css), json!({ "resultTypes": ["violations"] })]).await;
    let found = found.unwrap_or_else(|e| panic!("axe-core does not run: {e}; {}", page.tail()));
    found.convert().unwrap_or_else(|e| panic!("axe-core answers something else: {e}"))
}

/// Fails with everything axe-core finds. `what` is what the page shows.
pub async fn assert_accessible(page: &Page, what: &str) {
    assert_part_accessible(page, "html", what).await;
}

/// [`assert_accessible`] for one part of the page, once it is there.
pub async fn assert_part_accessible(page: &Page, css: &str, what: &str) {
    page.wait_for_element(css, SOON).await;
    let violations = axe(page, css).await;
    let lines: String = violations.iter().map(|violation| format!("\n  {violation}")).collect();
    assert!(violations.is_empty(), "axe-core finds {} faults with {what}:{lines}", violations.len());
}
