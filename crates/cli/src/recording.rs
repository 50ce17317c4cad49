//! A recording: the messages that a broker delivered, one JSON object a line. People can read and search it, a writer that is
//! killed spoils at most its last line, and two recordings put after each other are one.
//!
//! ```json
//! {"fleetlens_recording":1,"profile":"valletta","broker":"mqtt://127.0.0.1:1883","filters":["city/+/+/+/telemetry"]}
//! {"at":"2026-11-21T19:02:11.482Z","topic":"city/valletta/lamp/lamp-0417/telemetry","qos":1,"retained":false,"text":"{\"ts\":1}"}
//! {"at":"2026-11-21T19:02:11.483Z","topic":"city/valletta/lamp/lamp-0417/firmware","qos":0,"retained":true,"base64":"AP8="}
//! ```
//!
//! The properties of MQTT 5 are not kept. Read is also what other tools write of a broker's messages: lines of
//! `<RFC 3339 time> <topic> <JSON object>`, such as those of HSL's buses, in which nothing is said of QoS and retention.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;

use anyhow::Context;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use fleetlens_host::model::text::is_hidden;
use fleetlens_host::model::time::WallMs;
use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::moment;

/// The form of the file that is written, and the highest that is read.
const VERSION: u32 = 1;

/// The longest line that is read, in bytes: that of a packet of a mebibyte, every byte of it escaped.
const LINE_MAX_BYTES: u64 = 8 << 20;

/// How much of a parser's complaint is told, which may quote a whole line.
const WHY_MAX_CHARS: usize = 120;

/// What is recorded, in the first line.
#[derive(Debug, Serialize, Deserialize)]
pub struct Header {
    /// The form of what follows.
    fleetlens_recording: u32,
    /// The profile's name.
    profile: String,
    /// The broker, without any secret.
    broker: String,
    /// What was listened to.
    filters: Vec<String>,
}

impl Header {
    /// For what is recorded now.
    pub fn new(profile: &str, broker: &str, filters: Vec<String>) -> Header {
        Header { fleetlens_recording: VERSION, profile: profile.to_owned(), broker: broker.to_owned(), filters }
    }
}

/// A message as it was delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// When it came.
    pub at: WallMs,
    /// The topic.
    pub topic: String,
    /// The payload, to the byte.
    pub payload: Vec<u8>,
    /// 0 or 1.
    pub qos: u8,
    /// Whether the broker had kept it and sent it because somebody began to listen.
    pub retained: bool,
}

/// A message as it is written.
#[derive(Serialize, Deserialize)]
struct Line<'a> {
    at: Cow<'a, str>,
    topic: Cow<'a, str>,
    qos: u8,
    retained: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
}

/// Writes a recording. What was written lies with the system after [`Writer::flush`], where the end of this program does it no harm.
pub struct Writer(BufWriter<File>);

impl Writer {
    /// Begins a recording in a new file. Fails where there is one already.
    pub fn create(path: &Path, header: &Header) -> anyhow::Result<Writer> {
        let file = File::create_new(path).map_err(|error| {
            let path = path.display();
            if error.kind() == io::ErrorKind::AlreadyExists {
                anyhow::anyhow!("{path} is there already; name a new file with --out")
            } else {
                anyhow::anyhow!("{path} cannot be written: {error}")
            }
        })?;
        let mut writer = Writer(BufWriter::new(file));
        writer
            .line(header)
            .and_then(|()| writer.flush())
            .with_context(|| format!("{} cannot be written", path.display()))?;
        Ok(writer)
    }

    /// Adds a message.
    pub fn add(&mut self, message: &Message) -> io::Result<()> {
        let text = std::str::from_utf8(&message.payload).ok();
        self.line(&Line {
            at: moment::rfc3339(message.at).into(),
            topic: message.topic.as_str().into(),
            qos: message.qos,
            retained: message.retained,
            text: text.map(Cow::Borrowed),
            base64: text.is_none().then(|| BASE64_STANDARD.encode(&message.payload)),
        })
    }

    /// Gives the system everything that was added.
    pub fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }

    fn line(&mut self, line: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.0, line)?;
        self.0.write_all(b"\n")
    }
}

/// Reads a recording from its beginning to its end.
pub struct Reader<R = BufReader<File>> {
    from: R,
    form: Form,
    line: Vec<u8>,
    /// Of the line, from 1.
    number: u64,
    ending: Ending,
    /// The line was only looked at, to know the form, and is still to be taken.
    held: bool,
}

/// How the messages are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// As [`Writer`] does.
    Ours,
    /// `<time> <topic> <JSON object>`.
    Dump,
}

/// What a line ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    LineBreak,
    /// Nothing: the file ends here.
    File,
    /// It goes on, longer than any line of a recording.
    TooLong,
}

/// A line that holds no message: which and why, in a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damaged(pub String);

impl Reader {
    /// Opens a recording and looks at its first line.
    pub fn open(path: &Path) -> anyhow::Result<Reader> {
        let file = File::open(path).map_err(|error| {
            let path = path.display();
            if error.kind() == io::ErrorKind::NotFound {
                anyhow::anyhow!("there is no file {path}")
            } else {
                anyhow::anyhow!("{path} cannot be read: {error}")
            }
        })?;
        Reader::over(BufReader::new(file)).map_err(|why| anyhow::anyhow!("{} {why}", path.display()))
    }
}

impl<R: BufRead> Reader<R> {
    /// Begins to read. Fails, with the rest of a sentence, on what is no recording.
    fn over(from: R) -> Result<Reader<R>, String> {
        let mut reader =
            Reader { from, form: Form::Ours, line: Vec::new(), number: 0, ending: Ending::File, held: true };
        if !reader.read().map_err(|error| format!("cannot be read: {error}"))? {
            return Err("is empty".into());
        }
        match serde_json::from_slice::<Header>(&reader.line) {
            Ok(Header { fleetlens_recording: version, .. }) if version > VERSION => Err(format!(
                "was recorded by a newer Fleetlens (form {version}; this one reads up to {VERSION}); use that one"
            )),
            Ok(_) => Ok(reader),
            Err(_) if dumped(&reader.line).is_ok() => Ok(Reader { form: Form::Dump, ..reader }),
            Err(_) => Err("is not a recording: its first line is neither what `fleetlens record` begins with nor \
                           TIME TOPIC {…}"
                .into()),
        }
    }

    /// The next message, or what is wrong with the next line; `None` at the end. Fails when the file cannot be read.
    pub fn next(&mut self) -> io::Result<Option<Result<Message, Damaged>>> {
        loop {
            if !std::mem::take(&mut self.held) && !self.read()? {
                return Ok(None);
            }
            if self.line.is_empty() {
                continue;
            }
            let read = match (self.form, self.ending) {
                (_, Ending::TooLong) => Err(format!("is longer than {LINE_MAX_BYTES} bytes")),
                // Where two recordings were put after each other.
                (Form::Ours, _) if serde_json::from_slice::<Header>(&self.line).is_ok() => continue,
                (Form::Ours, Ending::LineBreak | Ending::File) => recorded(&self.line),
                (Form::Dump, Ending::LineBreak | Ending::File) => dumped(&self.line),
            };
            let number = self.number;
            return Ok(Some(read.map_err(|why| match self.ending {
                Ending::File => Damaged(format!("line {number}, the last, is torn: its writer was cut short")),
                Ending::LineBreak | Ending::TooLong => Damaged(format!("line {number} {why}")),
            })));
        }
    }

    /// Reads a line; false at the end of the file.
    fn read(&mut self) -> io::Result<bool> {
        self.line.clear();
        let read = (&mut self.from).take(LINE_MAX_BYTES).read_until(b'\n', &mut self.line)?;
        self.number += 1;
        self.ending = if self.line.last() == Some(&b'\n') {
            self.line.pop();
            Ending::LineBreak
        } else if read as u64 == LINE_MAX_BYTES {
            self.from.skip_until(b'\n')?;
            Ending::TooLong
        } else {
            Ending::File
        };
        Ok(read > 0)
    }
}

/// A message in our own form, or why a line is none.
fn recorded(line: &[u8]) -> Result<Message, String> {
    let line: Line<'_> = serde_json::from_slice(line).map_err(|error| no_message(&error))?;
    let payload = match (line.text, line.base64) {
        (Some(text), None) => text.into_owned().into_bytes(),
        (None, Some(bytes)) => BASE64_STANDARD.decode(bytes).map_err(|error| no_message(&error))?,
        (Some(_), Some(_)) | (None, None) => return Err("must have either \"text\" or \"base64\"".into()),
    };
    if line.qos > 1 {
        return Err(format!("has QoS {}; 0 or 1 are right", line.qos));
    }
    let (qos, retained) = (line.qos, line.retained);
    Ok(Message { at: time(&line.at)?, topic: line.topic.into_owned(), payload, qos, retained })
}

/// A message as others write it, or why a line is none. A topic may hold spaces, but no ` {`, with which the payload begins.
fn dumped(line: &[u8]) -> Result<Message, String> {
    let line = std::str::from_utf8(line).map_err(|error| no_message(&error))?.trim_end_matches('\r');
    let wrong = || "is not TIME TOPIC {…}".to_owned();
    let (at, rest) = line.split_once(' ').ok_or_else(wrong)?;
    let at = time(at)?;
    let (topic, _) = rest.split_once(" {").ok_or_else(wrong)?;
    let payload = rest.get(topic.len() + 1..).ok_or_else(wrong)?;
    serde_json::from_str::<IgnoredAny>(payload).map_err(|error| no_message(&error))?;
    // The guarantee under which nothing is lost on the way; who wants to see some of it lost has recordings of their own.
    Ok(Message { at, topic: topic.to_owned(), payload: payload.into(), qos: 1, retained: false })
}

fn time(written: &str) -> Result<WallMs, String> {
    let at: Timestamp =
        written.parse().map_err(|_| format!("has no time such as 2026-11-21T19:02:11.482Z but {}", short(written)))?;
    Ok(WallMs(at.as_millisecond()))
}

fn no_message(why: &dyn std::error::Error) -> String {
    format!("is no message: {}", short(&why.to_string()))
}

/// On one line and not without end, whatever stands in the file.
fn short(text: &str) -> String {
    let mut short: String =
        text.chars().take(WHY_MAX_CHARS).map(|c| if is_hidden(c) { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(WHY_MAX_CHARS).is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = r#"{"fleetlens_recording":1,"profile":"p","broker":"b","filters":[]}"#;

    fn message(topic: &str, payload: &[u8]) -> Message {
        Message { at: WallMs(1_700_000_000_123), topic: topic.into(), payload: payload.into(), qos: 1, retained: true }
    }

    fn all(text: &[u8]) -> Result<Vec<Result<Message, Damaged>>, String> {
        let mut reader = Reader::over(text)?;
        Ok(std::iter::from_fn(|| reader.next().unwrap()).collect())
    }

    #[test]
    fn what_was_written_is_read_to_the_byte() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.jsonl");
        let messages = [
            message("city/a", b"{\"ts\":1}\r\n{\"b\": 2.50}"),
            message("city/\u{202e}ħ\n", "\u{0}\u{1b}[2J\"".as_bytes()),
            message("picture", &[0xff, 0, 0xd8]),
            message("nothing", b""),
        ];
        let mut writer = Writer::create(&path, &Header::new("p", "b", Vec::new())).unwrap();
        messages.iter().for_each(|message| writer.add(message).unwrap());
        writer.flush().unwrap();
        let text = std::fs::read(&path).unwrap();
        assert_eq!(all(&text).unwrap(), messages.clone().map(Ok));
        assert_eq!(text.split(|byte| *byte == b'\n').count(), messages.len() + 2, "a line each, and one at the end");

        let twice = [&text[..], &text].concat();
        assert_eq!(all(&twice).unwrap(), [messages.clone(), messages].concat().into_iter().map(Ok).collect::<Vec<_>>());
        let again = Writer::create(&path, &Header::new("p", "b", Vec::new())).err().unwrap().to_string();
        assert!(again.contains("is there already"), "{again}");
    }

    #[test]
    fn a_writer_that_is_killed_costs_its_last_line_at_most() {
        let line = r#"{"at":"2026-11-21T19:02:11.482Z","topic":"a","qos":0,"retained":false,"text":"ħ"}"#;
        let whole = format!("{HEADER}\n{line}\n{line}\n");
        for cut in HEADER.len() + 1 + line.len()..=whole.len() {
            let read = all(&whole.as_bytes()[..cut]).unwrap();
            let good = read.iter().filter(|read| read.is_ok()).count();
            let rest = cut.saturating_sub(HEADER.len() + line.len() + 2);
            assert_eq!(good, if rest < line.len() { 1 } else { 2 }, "cut at {cut}");
            match read.get(good) {
                None => assert!(rest == 0 || rest >= line.len(), "cut at {cut}"),
                Some(torn) => {
                    assert_eq!(torn, &Err(Damaged("line 3, the last, is torn: its writer was cut short".into())))
                }
            }
        }
    }

    #[test]
    fn the_lines_of_others_are_read_with_their_spaces() {
        let bus = "/hfp/v2/journey/ongoing/vja/bus/0018/01029/5520/2/Kamppi (M)/18:48/4170215/0////";
        let text = format!(
            "2024-02-13T16:47:27.994271Z {bus} {{\"VJA\":{{\"desi\": \"a {{b\"}}}}\r\n\n2024-02-13T16:47:28Z /x {{\"VP"
        );
        let read = all(text.as_bytes()).unwrap();
        let payload = br#"{"VJA":{"desi": "a {b"}}"#.to_vec();
        let at = WallMs(1_707_842_847_994);
        assert_eq!(read[0], Ok(Message { at, topic: bus.into(), payload, qos: 1, retained: false }));
        assert_eq!(read[1], Err(Damaged("line 3, the last, is torn: its writer was cut short".into())));
        assert_eq!(read.len(), 2);
    }

    #[test]
    fn a_damaged_line_is_told_and_those_after_it_are_read() {
        let good = r#"{"at":"2026-11-21T19:02:11Z","topic":"a","qos":0,"retained":false,"text":""}"#;
        let long = format!("{{\"at\":\"{}\"}}", "x".repeat(LINE_MAX_BYTES as usize));
        for (line, says) in [
            ("{\"at\":", "line 2 is no message: EOF"),
            ("\u{1b}[2J", "line 2 is no message: expected value"),
            (&good.replace("19:02", "yesterday"), "line 2 has no time such as"),
            (&good.replace(":0,", ":2,"), "line 2 has QoS 2; 0 or 1"),
            (&good.replace("\"text\"", "\"txt\""), "line 2 must have either \"text\" or \"base64\""),
            (&good.replace("text\":\"", "base64\":\"*"), "line 2 is no message: Invalid"),
            (&long, "line 2 is longer than 8388608 bytes"),
        ] {
            let read = all(format!("{HEADER}\n{line}\n{good}\n").as_bytes()).unwrap();
            let [Err(Damaged(why)), Ok(_)] = &read[..] else { panic!("{read:?}") };
            assert!(why.starts_with(says) && why.chars().count() < 200 && !why.contains('\u{1b}'), "{why}");
        }
    }

    #[test]
    fn what_is_no_recording_is_refused_with_the_reason() {
        for (text, says) in [
            ("", "is empty"),
            ("a shopping list\n", "is not a recording"),
            ("{\"fleetlens_rec", "is not a recording"),
            ("2024-02-13T16:47:27Z topic [1]\n", "is not a recording"),
            (&HEADER.replace(":1,", ":2,"), "was recorded by a newer Fleetlens (form 2; this one reads up to 1)"),
        ] {
            let why = all(text.as_bytes()).unwrap_err();
            assert!(why.starts_with(says), "{text}: {why}");
        }
    }
}
