//! A text with the place marked at which it goes wrong.

use leptos::prelude::*;

/// What is before a column of the first line, what stands there, and the rest. Behind the end stands a space, so that it can be seen.
pub fn parts(text: &str, column: u32) -> (String, String, String) {
    let at = usize::try_from(column).unwrap_or(usize::MAX).saturating_sub(1);
    let before: String = text.chars().take(at).collect();
    let rest: Vec<char> = text.chars().skip(at).collect();
    let is_word = |c: &char| c.is_alphanumeric() || *c == '_';
    let length = match rest.iter().take_while(|c| is_word(c)).count() {
        0 => usize::from(!rest.is_empty()),
        word => word,
    };
    let marked: String = rest.iter().take(length).collect();
    let marked = if marked.trim().is_empty() { "\u{a0}".to_owned() } else { marked };
    (before, marked, rest.into_iter().skip(length).collect())
}

/// The text in one line, with its mark.
#[component]
pub fn Marked(
    /// The text.
    text: String,
    /// The character at which it goes wrong, from 1.
    column: u32,
) -> impl IntoView {
    let (before, at, after) = parts(&text, column);
    view! { <code class="marked" aria-hidden="true">{before}<mark>{at}</mark>{after}</code> }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_marked_where_it_stands() {
        for (text, column, want) in [
            ("temp_c >= 60 andd x", 14, ("temp_c >= 60 ", "andd", " x")),
            ("temp_c >=", 10, ("temp_c >=", "\u{a0}", "")),
            ("a >= ) b", 6, ("a >= ", ")", " b")),
            ("ä > ß", 5, ("ä > ", "ß", "")),
            ("", 1, ("", "\u{a0}", "")),
            ("a", 99, ("a", "\u{a0}", "")),
        ] {
            let (before, at, after) = parts(text, column);
            assert_eq!((before.as_str(), at.as_str(), after.as_str()), want, "{text}");
        }
    }
}
