//! Text of strangers on a screen: which characters show nothing themselves and change how their neighbours are read.

use std::borrow::Cow;

/// Whether a character is not seen and yet changes what is: controls (Unicode's Cc), what turns or isolates the reading direction
/// (Unicode, annex 9), separators of lines, and marks without a width that only make two equal-looking texts differ. The joiners
/// U+200C and U+200D are none of them: Persian and Hindi are written with them.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'
                | '\u{200e}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// A text in which every hidden character is written out as its number, such as `\u{202e}`.
pub fn shown(text: &str) -> Cow<'_, str> {
    written_out(text, is_hidden)
}

/// [`shown`] of a text that may have lines and tabulators.
pub fn shown_in_lines(text: &str) -> Cow<'_, str> {
    written_out(text, |c| is_hidden(c) && !matches!(c, '\n' | '\t'))
}

fn written_out(text: &str, hidden: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if hidden(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_turns_or_hides_text_is_written_out_and_all_writing_stays() {
        for (text, want) in [
            ("Lamp 1 <b>&amp;", "Lamp 1 <b>&amp;"),
            ("Straße · 北京 · مصباح · می\u{200c}خواهم", "Straße · 北京 · مصباح · می\u{200c}خواهم"),
            ("a\u{202e}b", "a\\u{202e}b"),
            ("\u{2066}a\u{2069}", "\\u{2066}a\\u{2069}"),
            ("a\r\nb\u{0}", "a\\u{d}\\u{a}b\\u{0}"),
            ("pay\u{200b}pal\u{feff}\u{e0041}", "pay\\u{200b}pal\\u{feff}\\u{e0041}"),
        ] {
            assert_eq!(shown(text), want, "{text:?}");
            assert!(!shown(text).contains(is_hidden));
        }
        assert_eq!(shown_in_lines("{\n\t\"a\": \"\u{202e}\"\r\n}"), "{\n\t\"a\": \"\\u{202e}\"\\u{d}\n}");
    }
}
