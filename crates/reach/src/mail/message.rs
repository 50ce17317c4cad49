//! What stands in a mail: plain text, the worst first, read on a phone at night.
//!
//! Names and sentences come from strangers: their hidden characters are written out, so none of them begins another header.

use std::cmp::Reverse;
use std::fmt::Write as _;
use std::time::SystemTime;

use fleetlens_model::text::shown;
use lettre::Message;
use lettre::message::Mailbox;
use lettre::message::header::{self, Header, HeaderName, HeaderValue};

use crate::notice::{Event, Notice, rfc3339};
use crate::routes::Parcel;

/// The longest subject, in characters.
const SUBJECT_MAX_CHARS: usize = 150;

/// Says that no person wrote it, so that no absence note answers it (RFC 3834, section 5).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<AutoSubmitted, Box<dyn std::error::Error + Send + Sync>> {
        Ok(AutoSubmitted)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(AutoSubmitted::name(), "auto-generated".to_owned())
    }
}

/// The message as it goes to the server. Every attempt has the same Message-ID, by which a mailbox can tell that it has it already.
pub(super) fn written(
    parcel: &Parcel,
    from: &Mailbox,
    to: &Mailbox,
    at: SystemTime,
) -> Result<Vec<u8>, lettre::error::Error> {
    let message = Message::builder()
        .from(from.clone())
        .to(to.clone())
        .date(at)
        .message_id(Some(format!("<{}@{}>", parcel.delivery, from.email.domain())))
        .subject(subject(&parcel.notices))
        .header(AutoSubmitted)
        .header(header::ContentType::TEXT_PLAIN)
        .body(text(parcel))?;
    Ok(message.formatted())
}

/// `Critical: Gateway Marsa-2 silent`, or `Critical: 12 alarms of Malta: Gateway Marsa-2 silent, …`.
fn subject(notices: &[Notice]) -> String {
    let worst = in_order(notices);
    let Some(first) = worst.first() else { return String::new() };
    let mut subject = first.priority.label().to_owned();
    match worst.len() {
        1 if first.event == Event::Raised => _ = write!(subject, ": {}", first.headline()),
        1 => _ = write!(subject, ", {}: {}", first.event.label(), first.headline()),
        many => {
            let names: Vec<String> = worst.iter().take(4).map(|notice| notice.headline()).collect();
            _ = write!(subject, ": {many} notices of {}: {}", first.fleet, names.join(", "));
        }
    }
    let subject = shown(&subject);
    match subject.char_indices().nth(SUBJECT_MAX_CHARS) {
        Some((at, _)) => format!("{}…", subject.get(..at).unwrap_or_default()),
        None => subject.into_owned(),
    }
}

/// The worst first, and of those the oldest.
fn in_order(notices: &[Notice]) -> Vec<&Notice> {
    let mut worst: Vec<&Notice> = notices.iter().collect();
    worst.sort_by_key(|notice| Reverse(notice.priority));
    worst
}

fn text(parcel: &Parcel) -> String {
    let mut text = String::new();
    let worst = in_order(&parcel.notices);
    if worst.len() > 1 {
        for notice in &worst {
            line(
                &mut text,
                "",
                &format!("{}, {}: {}", notice.priority.label(), notice.event.label(), notice.headline()),
            );
        }
        text.push_str("\r\n");
    }
    for notice in worst {
        one(&mut text, notice);
        text.push_str("\r\n");
    }
    if parcel.left_out > 0 {
        line(
            &mut text,
            "",
            &format!("{} more could not be sent before this; see the alarms in Fleetlens.", parcel.left_out),
        );
    }
    text
}

fn one(text: &mut String, notice: &Notice) {
    line(text, "", &notice.headline());
    line(text, "", &format!("{}, {} {}", notice.priority.label(), notice.event.label(), rfc3339::text(notice.at)));
    line(text, "Seen: ", &notice.sentence);
    line(text, "Usually because: ", &notice.cause);
    line(text, "If nobody acts: ", &notice.consequence);
    line(text, "What to do: ", &notice.what_to_do);
    if let Some(place) = notice.position {
        line(text, "Where: ", &format!("{:.6}, {:.6}", place.lat_deg, place.lon_deg));
    }
    line(text, "Thing: ", &notice.thing);
    line(text, "Fleet: ", &notice.fleet);
    line(text, "Alarm: ", &format!("{} of the rule {}", notice.alarm.0, notice.rule));
}

/// One line, if there is anything to say in it.
fn line(text: &mut String, label: &str, value: &str) {
    if !value.is_empty() {
        _ = write!(text, "{label}{}\r\n", shown(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notice::tests::notice;
    use fleetlens_model::alarm::Priority;
    use fleetlens_model::time::WallMs;

    fn parcel(notices: Vec<Notice>, left_out: u64) -> Parcel {
        Parcel { route: "duty".into(), delivery: "0123abcd".into(), at: WallMs(0), notices, left_out }
    }

    fn mail(parcel: &Parcel) -> String {
        let box_of = |text: &str| text.parse::<Mailbox>().unwrap();
        let (from, to) = (box_of("Fleetlens <alarms@city.example>"), box_of("ada@city.example"));
        String::from_utf8(written(parcel, &from, &to, SystemTime::UNIX_EPOCH).unwrap()).unwrap()
    }

    #[test]
    fn a_mail_says_what_it_is_about_and_what_to_do() {
        let mail = mail(&parcel(vec![notice(17, Event::Raised, Priority::Critical, 0)], 2));
        for want in [
            "Subject: Critical: Gateway Marsa-2 silent\r\n",
            "Message-ID: <0123abcd@city.example>\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "To: ada@city.example\r\n",
            "Critical, raised 1970-01-01T00:00:00Z\r\n",
            "What to do: look at the fuse\r\n",
            "Where: 35.900000, 14.500000\r\n",
            "2 more could not be sent",
        ] {
            assert!(mail.contains(want), "{want} is not in\n{mail}");
        }
    }

    #[test]
    fn many_are_one_mail_with_the_worst_first() {
        let notices = vec![
            Notice { title: "Bin 7".into(), name: "full".into(), ..notice(1, Event::Cleared, Priority::Warning, 0) },
            notice(2, Event::Escalated, Priority::Critical, 1),
        ];
        let mail = mail(&parcel(notices, 0));
        assert!(mail.contains("Subject: Critical: 2 notices of Malta: Gateway Marsa-2 silent, Bin 7 full"), "{mail}");
        let (_, text) = mail.split_once("\r\n\r\n").unwrap();
        assert!(text.starts_with(
            "Critical, not acknowledged: Gateway Marsa-2 silent\r\nWarning, cleared: Bin 7 full\r\n\r\nGateway"
        ));
    }

    #[test]
    fn no_name_begins_another_header_or_hides_what_is_read() {
        let notices =
            |title: &str| vec![Notice { title: title.into(), ..notice(1, Event::Raised, Priority::Warning, 0) }];
        for title in ["x\r\nBcc: eve@e.example\r\n\r\nhello", "x\nBcc: eve@e.example", "x\rBcc: eve@e.example"] {
            let mail = mail(&parcel(notices(title), 0));
            assert!(!mail.lines().any(|line| line.starts_with("Bcc") || line.starts_with("hello")), "{mail}");
        }
        let long = mail(&parcel(notices(&"ż \u{202e}".repeat(2_000)), 0));
        let head = long.split("\r\n\r\n").next().unwrap();
        assert!(head.is_ascii() && head.len() < 4_000, "{head}");
        assert!(long.lines().all(|line| line.len() <= 998), "RFC 5322, 2.1.1");
    }
}
