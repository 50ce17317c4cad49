//! A page's own style sheets as one file: each request costs a start some milliseconds, and while they are written they are many.

use anyhow::{Context, Result};

/// How a page names one of them, on a line of its own.
const BEFORE: &str = "<link rel=\"stylesheet\" href=\"/styles/";
const AFTER: &str = "\" />";

/// The page that names one sheet, at `address`, in the place of its first, and that sheet: what the page names, in its order, as `read`
/// finds it.
pub fn in_one(page: &str, address: &str, read: impl Fn(&str) -> Result<String>) -> Result<(String, String)> {
    let (mut html, mut css) = (String::new(), String::new());
    for line in page.lines() {
        let Some(name) = line.trim().strip_prefix(BEFORE).and_then(|rest| rest.strip_suffix(AFTER)) else {
            html.push_str(line);
            html.push('\n');
            continue;
        };
        if css.is_empty() {
            html.push_str(&line.replace(&format!("/styles/{name}"), address));
            html.push('\n');
        }
        css.push_str(&read(name).with_context(|| format!("a page names the sheet {name}"))?);
        css.push('\n');
    }
    Ok((html, css))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_names_one_sheet_with_what_all_of_them_say_in_their_order() {
        let page = "<head>\n  <link rel=\"stylesheet\" href=\"/vendor/a.css\" />\n  \
                    <link rel=\"stylesheet\" href=\"/styles/tokens.css\" />\n  \
                    <link rel=\"stylesheet\" href=\"/styles/base.css\" />\n</head>\n";
        let (html, css) = in_one(page, "/index.css", |name| Ok(format!("/* {name} */"))).unwrap();
        assert_eq!(
            html,
            "<head>\n  <link rel=\"stylesheet\" href=\"/vendor/a.css\" />\n  \
             <link rel=\"stylesheet\" href=\"/index.css\" />\n</head>\n"
        );
        assert_eq!(css, "/* tokens.css */\n/* base.css */\n");
        assert!(in_one(page, "/index.css", |name| anyhow::bail!("{name} is not there")).is_err());
    }
}
