//! Who sends: a broker of our own that sends as fast as it is taken, and a publisher for Mosquitto at a steady rate. Each is a
//! process; its orders come by stdin, a line each: `count MESSAGES PER_SECOND` or `seconds SECONDS`; it answers `sent MESSAGES`.

use std::io::{BufRead, BufReader, Read, Write, stdin};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use crate::traffic::{Traffic, remaining_length, text};
use crate::{Failure, locked};

/// Messages that are made ready at a time: about 30 kB.
const BLOCK: usize = 200;

/// Messages at QoS 1 that may be on their way to a subscriber of the stub without an acknowledgement. Nearly as many as there are
/// packet ids, so that what slows it down is TCP and not the count.
const STUB_WINDOW: usize = 60_000;

/// Messages at QoS 1 that may be on their way to Mosquitto.
const PUBLISH_WINDOW: usize = 1_000;

/// How many are on their way; the writer waits for the reader.
#[derive(Default)]
struct Unacknowledged {
    count: Mutex<usize>,
    fewer: Condvar,
}

impl Unacknowledged {
    fn wait_for(&self, room: usize, window: usize) {
        let waited = self.fewer.wait_while(locked(&self.count), |count| *count + room > window);
        *waited.unwrap_or_else(PoisonError::into_inner) += room;
    }

    fn less(&self, by: usize) {
        *locked(&self.count) -= by;
        self.fewer.notify_one();
    }
}

/// A broker that knows one client and sends it a city at this QoS, whatever it subscribes to. Says on which port.
pub fn stub(qos: u8) -> Result<(), Failure> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("port {}", listener.local_addr()?.port());
    let (stream, _) = listener.accept()?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::with_capacity(1 << 16, stream.try_clone()?);
    let writer = Arc::new(Mutex::new(stream));
    let (_, connect) = packet(&mut reader)?;
    // Protocol name, then its level (MQTT 5, 3.1.2).
    let version = *connect.get(6).ok_or("a CONNECT without a version")?;
    let connack: &[u8] = if version == 5 { &[0x20, 3, 0, 0, 0] } else { &[0x20, 2, 0, 0] };
    locked(&writer).write_all(connack)?;
    let unacknowledged = Arc::new(Unacknowledged::default());
    let (answering, acknowledged) = (Arc::clone(&writer), Arc::clone(&unacknowledged));
    let (subscribed, subscription) = mpsc::channel();
    std::thread::spawn(move || {
        // Ends with the connection.
        let _ = listen(reader, &answering, version, &acknowledged, &subscribed);
    });
    let traffic = Traffic::new(version, qos);
    subscription.recv()?;
    obey(&writer, traffic, qos, STUB_WINDOW, &unacknowledged)
}

/// A client of Mosquitto that publishes a city at this QoS.
pub fn publisher(address: &str, qos: u8) -> Result<(), Failure> {
    const VERSION: u8 = 4;
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut body = Vec::new();
    text(&mut body, "MQTT");
    // A clean session, kept without pings: it is over long before.
    body.extend([VERSION, 2, 0, 0]);
    text(&mut body, "bench-publisher");
    let mut connect = vec![0x10];
    remaining_length(&mut connect, body.len());
    connect.extend(body);
    stream.write_all(&connect)?;
    let mut reader = BufReader::with_capacity(1 << 16, stream.try_clone()?);
    let (kind, _) = packet(&mut reader)?;
    if kind != 0x20 {
        return Err("the broker does not greet".into());
    }
    println!("up");
    let writer = Arc::new(Mutex::new(stream));
    let unacknowledged = Arc::new(Unacknowledged::default());
    let (answering, acknowledged) = (Arc::clone(&writer), Arc::clone(&unacknowledged));
    std::thread::spawn(move || {
        let _ = listen(reader, &answering, VERSION, &acknowledged, &mpsc::channel().0);
    });
    obey(&writer, Traffic::new(VERSION, qos), qos, PUBLISH_WINDOW, &unacknowledged)
}

/// One packet: the first byte and what follows its length.
fn packet(reader: &mut impl Read) -> Result<(u8, Vec<u8>), Failure> {
    let mut byte = [0];
    reader.read_exact(&mut byte)?;
    let kind = byte[0];
    let (mut length, mut shift) = (0, 0);
    loop {
        reader.read_exact(&mut byte)?;
        length |= usize::from(byte[0] & 0x7f) << shift;
        shift += 7;
        if byte[0] & 0x80 == 0 {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok((kind, body))
}

/// Answers what the other end says.
fn listen(
    mut reader: BufReader<TcpStream>,
    writer: &Mutex<TcpStream>,
    version: u8,
    unacknowledged: &Unacknowledged,
    subscribed: &mpsc::Sender<()>,
) -> Result<(), Failure> {
    let mut acknowledged = 0;
    loop {
        let (kind, body) = packet(&mut reader)?;
        match kind & 0xf0 {
            0x40 => acknowledged += 1,
            0x80 => {
                let filters = filters(&body, version).ok_or("a SUBSCRIBE that cannot be read")?;
                let mut suback = body.get(..2).unwrap_or_default().to_vec();
                if version == 5 {
                    suback.push(0);
                }
                // QoS 1 is granted, and each message comes as it was published.
                suback.extend(std::iter::repeat_n(1, filters));
                let mut answer = vec![0x90];
                remaining_length(&mut answer, suback.len());
                answer.extend(suback);
                locked(writer).write_all(&answer)?;
                // Later ones are of no interest to anybody.
                let _ = subscribed.send(());
            }
            0xc0 => locked(writer).write_all(&[0xd0, 0])?,
            // The client's own publishes: at QoS 1 they are answered, so that it goes on.
            0x30 if kind & 0x06 != 0 => {
                let topic = body.first_chunk().map(|length| usize::from(u16::from_be_bytes(*length)));
                let id = topic.and_then(|topic| body.get(2 + topic..4 + topic)).ok_or("a PUBLISH without an id")?;
                locked(writer).write_all(&[&[0x40, 2], id].concat())?;
            }
            0xe0 => return Ok(()),
            _ => {}
        }
        // What came together is counted together.
        if acknowledged > 0 && reader.buffer().is_empty() {
            unacknowledged.less(acknowledged);
            acknowledged = 0;
        }
    }
}

/// How many filters a SUBSCRIBE names.
fn filters(body: &[u8], version: u8) -> Option<usize> {
    let mut at = 2;
    if version == 5 {
        // All properties we ever send are short.
        at += 1 + usize::from(*body.get(at)?);
    }
    let mut filters = 0;
    while at < body.len() {
        at += 2 + usize::from(u16::from_be_bytes([*body.get(at)?, *body.get(at + 1)?])) + 1;
        filters += 1;
    }
    Some(filters)
}

/// Sends as it is told, until stdin ends.
fn obey(
    writer: &Mutex<TcpStream>,
    mut traffic: Traffic,
    qos: u8,
    window: usize,
    unacknowledged: &Unacknowledged,
) -> Result<(), Failure> {
    for line in stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let mut send = |most: usize| -> Result<usize, Failure> {
            let (bytes, count) = traffic.next(most);
            if qos > 0 {
                unacknowledged.wait_for(count, window);
            }
            locked(writer).write_all(bytes)?;
            Ok(count)
        };
        let start = Instant::now();
        let mut sent = 0;
        match words.as_slice() {
            ["count", messages, per_s] => {
                let (messages, per_s): (usize, f64) = (messages.parse()?, per_s.parse()?);
                while sent < messages {
                    let due = (start.elapsed().as_secs_f64() * per_s) as usize;
                    while sent < due.min(messages) {
                        sent += send((due.min(messages) - sent).min(BLOCK))?;
                    }
                    // The rate is kept by what is due, not by how long this takes.
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
            ["seconds", seconds] => {
                let end = start + Duration::from_secs_f64(seconds.parse()?);
                while Instant::now() < end {
                    sent += send(BLOCK)?;
                }
            }
            _ => return Err(format!("{line:?} is no order").into()),
        }
        println!("sent {sent}");
    }
    Ok(())
}
