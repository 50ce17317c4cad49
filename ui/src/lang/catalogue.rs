//! The words of one language, out of gettext's file. Read by `rspolib` itself: the reader in `tr` 0.1.11 forgets what it is given unless
//! that is a path (`rspolib` 0.1.2 parses the path of a file alone, and bytes as none).

use std::borrow::Cow;
use std::collections::HashMap;

use tr::Translator;

/// Parts the context from a text, as gettext's own files do.
const OF: char = '\u{4}';

/// Parts the singular from the plural, likewise.
const MANY: char = '\0';

/// Every text by its English one.
pub struct Catalogue {
    texts: HashMap<String, Vec<String>>,
}

impl Catalogue {
    /// Reads a `.po` file. What is not translated in it is left out.
    pub fn read(po: &str) -> Result<Catalogue, String> {
        let file = rspolib::pofile(po).map_err(|error| error.to_string())?;
        let mut texts = HashMap::with_capacity(file.entries.len());
        for entry in file.entries {
            let key = key(&entry.msgid, entry.msgid_plural.as_deref(), entry.msgctxt.as_deref()).into_owned();
            let said =
                if entry.msgid_plural.is_some() { entry.msgstr_plural } else { entry.msgstr.into_iter().collect() };
            if !said.is_empty() && said.iter().all(|text| !text.is_empty()) {
                texts.insert(key, said);
            }
        }
        if texts.is_empty() { Err("it holds no words".to_owned()) } else { Ok(Catalogue { texts }) }
    }

    /// Whether it has words for a text, be they the same.
    #[cfg(test)]
    pub fn has(&self, text: &str, plural: Option<&str>, context: Option<&str>) -> bool {
        self.texts.contains_key(key(text, plural, context).as_ref())
    }

    /// Every text that it has words for.
    #[cfg(test)]
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.texts.keys().map(String::as_str)
    }

    fn nth(&self, nth: usize, key: &str) -> Option<&str> {
        let texts = self.texts.get(key)?;
        texts.get(nth).or_else(|| texts.last()).map(String::as_str)
    }
}

impl Translator for Catalogue {
    fn translate<'a>(&'a self, text: &'a str, context: Option<&'a str>) -> Cow<'a, str> {
        Cow::Borrowed(self.nth(0, &key(text, None, context)).unwrap_or(text))
    }

    fn ntranslate<'a>(&'a self, n: u64, one: &'a str, many: &'a str, context: Option<&'a str>) -> Cow<'a, str> {
        // As English and German count; a language that does otherwise needs its file's `Plural-Forms` here.
        let (nth, english) = if n == 1 { (0, one) } else { (1, many) };
        Cow::Borrowed(self.nth(nth, &key(one, Some(many), context)).unwrap_or(english))
    }
}

pub(super) fn key<'a>(text: &'a str, plural: Option<&str>, context: Option<&str>) -> Cow<'a, str> {
    match (context, plural) {
        (None, None) => Cow::Borrowed(text),
        (Some(context), None) => Cow::Owned(format!("{context}{OF}{text}")),
        (None, Some(plural)) => Cow::Owned(format!("{text}{MANY}{plural}")),
        (Some(context), Some(plural)) => Cow::Owned(format!("{context}{OF}{text}{MANY}{plural}")),
    }
}
