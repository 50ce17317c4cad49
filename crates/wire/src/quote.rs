//! Quoting what strangers sent: enough of it to be recognised, never enough to fill a page.

/// The longest text of a refusal, in characters, whatever was refused: it is stored, counted and shown beside its topic.
pub const REFUSAL_MAX_CHARS: usize = 512;

/// The longest quotation in a refusal, in characters; the sentence around it has the rest.
pub(crate) const QUOTE_MAX_CHARS: usize = 200;

/// The beginning of `text`, at most `max_chars` characters even where `{:?}` escapes them, and `…` for what was cut off.
pub(crate) fn quote(text: &str, max_chars: usize) -> String {
    let mut left = max_chars;
    let mut short = String::new();
    for c in text.chars() {
        let chars = c.escape_debug().count();
        if chars > left {
            short.push('…');
            break;
        }
        left -= chars;
        short.push(c);
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quotation_is_whole_or_ends_in_an_ellipsis() {
        for (text, want) in [
            ("", ""),
            ("malta", "malta"),
            ("sliema", "sliem…"),
            ("Ħamrun", "Ħamru…"),
            ("ab\ncd", "ab\nc…"),
            ("\u{202e}ab", "…"),
        ] {
            assert_eq!(quote(text, 5), want, "{text:?}");
        }
        let hostile = "\u{10ffff}".repeat(1_000);
        assert!(format!("{:?}", quote(&hostile, QUOTE_MAX_CHARS)).chars().count() <= QUOTE_MAX_CHARS + 3);
    }
}
