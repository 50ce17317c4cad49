//! What a city says, as the bytes of PUBLISH packets: made once, and before it is sent again each message gets another time and
//! other values, so that no message repeats an earlier one and sending costs next to nothing.

#![expect(clippy::indexing_slicing, reason = "places that were written down when the bytes were made")]

use std::time::{SystemTime, UNIX_EPOCH};

/// How many things speak.
pub const THINGS: usize = 10_000;

/// Digits of a time in milliseconds.
const TIME_DIGITS: usize = 13;

/// What stands where two digits of a value come.
const VALUE: &str = "@@";
/// What stands where the time comes.
const TIME: &str = "#############";

/// The messages of every thing, one behind the other.
pub struct Traffic {
    bytes: Vec<u8>,
    messages: Vec<Message>,
    /// The next thing to speak.
    next: usize,
    last_ms: u64,
    packet_id: u16,
    dice: u64,
}

/// Where the parts of a message are that differ each time.
struct Message {
    start: usize,
    end: usize,
    packet_id: Option<usize>,
    time: usize,
    /// Of each value where it is, and about what it is.
    values: Vec<(usize, u64)>,
}

impl Traffic {
    /// The city's messages for this version of MQTT (4 or 5) at this QoS.
    pub fn new(version: u8, qos: u8) -> Traffic {
        let mut traffic = Traffic {
            bytes: Vec::new(),
            messages: Vec::with_capacity(THINGS),
            next: 0,
            last_ms: 0,
            packet_id: 0,
            dice: 0x9e37_79b9_7f4a_7c15,
        };
        (0..THINGS).for_each(|n| traffic.add(n, version, qos));
        traffic
    }

    fn add(&mut self, n: usize, version: u8, qos: u8) {
        let (topic, payload) = written(n);
        let mut body = Vec::new();
        text(&mut body, &topic);
        let packet_id = (qos > 0).then(|| {
            body.extend([0, 0]);
            body.len() - 2
        });
        if version == 5 {
            // No properties.
            body.push(0);
        }
        let payload_at = body.len();
        body.extend(payload.as_bytes());
        let start = self.bytes.len();
        self.bytes.push(0x30 | qos << 1);
        remaining_length(&mut self.bytes, body.len());
        let at = self.bytes.len();
        let time = at + payload_at + payload.find(TIME).unwrap_or_default();
        // A value is about the same each time, and no alarm; what it is differs from thing to thing.
        let values =
            payload.match_indices(VALUE).map(|(place, _)| (at + payload_at + place, 20 + roll(&mut self.dice) % 50));
        let values = values.collect();
        self.bytes.extend(body);
        let packet_id = packet_id.map(|place| at + place);
        self.messages.push(Message { start, end: self.bytes.len(), packet_id, time, values });
    }

    /// The packets of at most `most` next messages, ready to be sent, and how many they are. Fewer at the end of a round.
    pub fn next(&mut self, most: usize) -> (&[u8], usize) {
        if self.next == 0 {
            // Each thing's times rise, whatever the clock does.
            self.last_ms = now_ms().max(self.last_ms + 1);
        }
        let mut digits = [b'0'; TIME_DIGITS];
        let mut rest = self.last_ms;
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        let end = (self.next + most).min(THINGS);
        let messages = &self.messages[self.next..end];
        for message in messages {
            self.bytes[message.time..message.time + TIME_DIGITS].copy_from_slice(&digits);
            for (value, about) in &message.values {
                let number = about + roll(&mut self.dice) % 4;
                self.bytes[*value] = b'0' + (number / 10) as u8;
                self.bytes[*value + 1] = b'0' + (number % 10) as u8;
            }
            if let Some(place) = message.packet_id {
                self.packet_id = self.packet_id % u16::MAX + 1;
                self.bytes[place..place + 2].copy_from_slice(&self.packet_id.to_be_bytes());
            }
        }
        let bytes = &self.bytes[messages[0].start..messages[messages.len() - 1].end];
        self.next = end % THINGS;
        (bytes, messages.len())
    }
}

/// The next of some numbers that look like chance and are the same each time.
fn roll(dice: &mut u64) -> u64 {
    *dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *dice >> 33
}

/// Topic and payload of a thing as the demo city writes them: half are lamps, then bins, car parks and chargers; 3 to 5 values each.
fn written(n: usize) -> (String, String) {
    let (kind, values) = match n % 10 {
        0..=4 => ("lamp", r#""dim_pct":@@,"on":true,"power_w":@@.5,"temp_c":@@.1,"burning_h":1@@@@.2"#),
        5..=6 => ("bin", r#""fill_pct":@@.3,"temp_c":@@.4,"battery_pct":@@"#),
        7..=8 => ("parking", r#""free":@@@@,"free_accessible":@@,"free_charging":@@"#),
        _ => ("charger", r#""state":"charging","power_kw":@@.7,"energy_kwh":@@@@.25,"limit_kw":22"#),
    };
    let topic = format!("city/district-{:02}/{kind}/{kind}-{n:05}/telemetry", n % 37);
    (topic, format!(r#"{{"ts":{TIME},"values":{{{values}}}}}"#))
}

/// Writes a text with its length (MQTT 5, 1.5.4).
pub fn text(out: &mut Vec<u8>, text: &str) {
    out.extend(u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
    out.extend(text.as_bytes());
}

/// Writes a length in as many bytes as it takes (MQTT 5, 1.5.5).
pub fn remaining_length(out: &mut Vec<u8>, mut length: usize) {
    loop {
        let byte = (length % 128) as u8;
        length /= 128;
        out.push(if length > 0 { byte | 0x80 } else { byte });
        if length == 0 {
            return;
        }
    }
}

fn now_ms() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()).unwrap_or(0)
}
