//! Taking out of a text what may be secret in it. Ours say none; those of libraries and brokers are not ours.

use std::borrow::Cow;

/// What stands where something was taken out.
const MASK: &str = "…";

/// Behind one of these words and `=` or `:` stands a secret. Lower case.
const NAMES: [&str; 7] = ["password", "passwd", "token", "secret", "authorization", "signature", "credential"];

/// A key written as text.
const KEY_BEGINS: &str = "-----BEGIN ";
const KEY_ENDS: &str = "-----END ";

/// A text without what may be secret in it: user names and passwords in addresses, what is called a password or a token, and keys.
pub fn masked(text: &str) -> Cow<'_, str> {
    let may_be = |text: &str| {
        let lower = text.to_ascii_lowercase();
        text.contains("://") || text.contains(KEY_BEGINS) || NAMES.iter().any(|name| lower.contains(name))
    };
    if !may_be(text) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(without_names(&without_users(&without_keys(text))))
}

/// Everything from the beginning of a key to the end of the line that ends it, or of the text.
fn without_keys(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, key)) = rest.split_once(KEY_BEGINS) {
        kept.push_str(before);
        kept.push_str(MASK);
        rest = match key.split_once(KEY_ENDS) {
            Some((_, after)) => after.split_once("-----").map_or("", |(_, after)| after),
            None => "",
        };
    }
    kept.push_str(rest);
    kept
}

/// `scheme://user:password@host` as `scheme://…@host`.
fn without_users(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, address)) = rest.split_once("://") {
        kept.push_str(before);
        kept.push_str("://");
        let ends = address.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '`'));
        let (address, after) = address.split_at(ends.unwrap_or(address.len()));
        match address.rsplit_once('@') {
            Some((_, host)) => {
                kept.push_str(MASK);
                kept.push('@');
                kept.push_str(host);
            }
            None => kept.push_str(address),
        }
        rest = after;
    }
    kept.push_str(rest);
    kept
}

/// What stands behind a name of a secret and `=` or `:`.
fn without_names(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let mut kept = String::with_capacity(text.len());
    let mut at = 0;
    while let Some((name_at, name)) = next_name(&lower, at) {
        let after = name_at + name.len();
        kept.push_str(text.get(at..after).unwrap_or(""));
        at = after;
        let Some(secret) = text.get(after..).and_then(assigned) else { continue };
        kept.push_str(text.get(after..after + secret.start).unwrap_or(""));
        kept.push_str(MASK);
        at = after + secret.end;
    }
    kept.push_str(text.get(at..).unwrap_or(""));
    kept
}

fn next_name(lower: &str, from: usize) -> Option<(usize, &'static str)> {
    let rest = lower.get(from..)?;
    NAMES.iter().filter_map(|name| rest.find(name).map(|at| (from + at, *name))).min()
}

/// Where a value stands that is assigned right here: `=x`, ` = "x"`, `": "x"`. `None` where none is. In a table
/// (`{ env = "NAME" }`) stands where a password is kept, not what it is.
fn assigned(rest: &str) -> Option<std::ops::Range<usize>> {
    let skipped = |from: usize, what: &[char]| {
        from + rest.get(from..).map_or(0, |rest| rest.len() - rest.trim_start_matches(what).len())
    };
    let sign = skipped(0, &['"', '\'', ' ', 's', ')']);
    let first = rest.get(sign..)?.chars().next().filter(|c| matches!(c, '=' | ':'))?;
    let spaces = skipped(sign + first.len_utf8(), &[' ']);
    let start = skipped(spaces, &['"', '\'', '\\']);
    let value = rest.get(start..)?;
    let is_quoted = start > spaces;
    let ends = |c: char| match is_quoted {
        true => matches!(c, '"' | '\''),
        false => c.is_whitespace() || matches!(c, '"' | '\'' | '&' | ',' | ';' | ')' | '}'),
    };
    // `Basic x` and `Bearer x` are two words.
    let word =
        value.char_indices().find(|(at, c)| ends(*c) && !(is_quoted && value.get(..*at).is_some_and(is_escaping)));
    let word = word.map_or(value.len(), |(at, _)| at);
    let scheme = value.get(..word).filter(|word| matches!(word.to_ascii_lowercase().as_str(), "bearer" | "basic"));
    let end = match scheme {
        Some(_) if !is_quoted => {
            let second = value.get(word + 1..).unwrap_or("");
            (word + 1 + second.find(ends).unwrap_or(second.len())).min(value.len())
        }
        Some(_) | None => word,
    };
    (end > 0 && !value.starts_with('{')).then_some(start..start + end)
}

/// Whether what comes behind this is escaped, as `{:?}` does it.
fn is_escaping(before: &str) -> bool {
    (before.len() - before.trim_end_matches('\\').len()) % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLANTED: &str = "hunter2";

    #[test]
    fn what_may_be_secret_is_taken_out_and_everything_else_stays() {
        for (text, want) in [
            ("mqtts://ada:hunter2@broker:8883 failed", "mqtts://…@broker:8883 failed"),
            ("mqtt://hunter2@h and mqtt://h2:1883", "mqtt://…@h and mqtt://h2:1883"),
            ("mqtt://ada:hun@ter2@h", "mqtt://…@h"),
            ("\"url\":\"ws://hunter2@h/mqtt\",\"x\":1", "\"url\":\"ws://…@h/mqtt\",\"x\":1"),
            ("http://h:8463/?token=hunter2&x=1", "http://h:8463/?token=…&x=1"),
            ("password = \"hunter2 with spaces\" # mine", "password = \"…\" # mine"),
            ("{\"password\": \"hunter2\", \"user\": \"a\"}", "{\"password\": \"…\", \"user\": \"a\"}"),
            ("PASSWORD=hunter2", "PASSWORD=…"),
            ("Authorization: Bearer hunter2, then", "Authorization: Bearer …, then"),
            ("a\n-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----\nb", "a\n…\nb"),
            ("-----BEGIN PRIVATE KEY-----\nhunter2", "…"),
            ("the password's file /etc/x is empty", "the password's file /etc/x is empty"),
            ("password = { env = \"NAME\" }", "password = { env = \"NAME\" }"),
            ("nothing of the kind: 7 = 7", "nothing of the kind: 7 = 7"),
            ("token", "token"),
            ("token=", "token="),
            ("Straße://ü@ä password: ß", "Straße://…@ä password: …"),
        ] {
            let made = masked(text);
            assert!(!made.contains(PLANTED), "{made}");
            let want = want.replace("Bearer …", "…");
            assert_eq!(made, want, "{text}");
        }
    }
}
