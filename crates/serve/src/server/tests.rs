//! The server as a stranger, a browser and a window see it: over real connections, in plain HTTP.

use fleetlens_host::ipc::{CONTRACT, Call, Look, Parcel, ViewId, decode, encode};
use fleetlens_host::{BrokerChoice, HostOptions};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;

const KEY: &str = "0123456789abcdef0123456789abcdef";
const WITHIN: Duration = Duration::from_secs(20);

/// A server on a city without a broker, and a window that says where it is.
struct Served {
    at: SocketAddr,
    host: Arc<Host>,
    stop: oneshot::Sender<()>,
    running: JoinHandle<Result<(), ServeError>>,
    _folder: TempDir,
}

impl Served {
    async fn start() -> Served {
        let folder = tempfile::tempdir().unwrap();
        let ui = folder.path().join("ui");
        std::fs::create_dir(&ui).unwrap();
        std::fs::write(ui.join("index.html"), "the window").unwrap();
        std::fs::write(ui.join("phone.html"), "the phone").unwrap();
        std::fs::write(ui.join("a.wasm"), "wasm").unwrap();
        std::fs::write(folder.path().join("secret"), "not for anybody").unwrap();
        let options = HostOptions { broker: BrokerChoice::None, ..HostOptions::demo(folder.path().join("data")) };
        let host = Arc::new(Host::start(options).await.unwrap());
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let token = Token::parse(KEY).unwrap();
        let server = Server::bind(ServerOptions { listen, ui, token, names: Vec::new() }).await.unwrap();
        let at = server.address;
        assert_eq!(server.address_of("phone.html"), format!("http://{at}/phone.html?token={KEY}"));
        assert!(!server.is_exposed());
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(server.run(Arc::clone(&host), async {
            _ = stopped.await;
        }));
        Served { at, host, stop, running, _folder: folder }
    }

    /// The whole answer to a request without a body, after which the connection is closed.
    async fn ask(&self, line: &str, headers: &[(&str, String)]) -> String {
        let mut connection = TcpStream::connect(self.at).await.unwrap();
        connection.write_all(self.request(line, headers, "close").as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        timeout(WITHIN, connection.read_to_end(&mut answer)).await.unwrap().unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn request(&self, line: &str, headers: &[(&str, String)], connection: &str) -> String {
        let mut request = format!("{line} HTTP/1.1\r\nConnection: {connection}\r\n");
        if !headers.iter().any(|(name, _)| *name == "Host") {
            request += &format!("Host: {}\r\n", self.at);
        }
        headers.iter().for_each(|(name, value)| request += &format!("{name}: {value}\r\n"));
        request + "\r\n"
    }

    fn cookie(&self) -> (&'static str, String) {
        ("Cookie", format!("fleetlens-{}={KEY}", self.at.port()))
    }

    /// The answer to the wish for a socket from a page of this origin, and the connection.
    async fn socket(&self, origin: &str) -> (String, TcpStream) {
        let mut connection = TcpStream::connect(self.at).await.unwrap();
        let headers = [
            self.cookie(),
            ("Upgrade", "websocket".into()),
            ("Origin", origin.to_owned()),
            ("Sec-WebSocket-Version", "13".into()),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==".into()),
        ];
        connection.write_all(self.request("GET /ws", &headers, "Upgrade").as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(timeout(WITHIN, connection.read_u8()).await.unwrap().unwrap());
        }
        (String::from_utf8(head).unwrap(), connection)
    }

    async fn end(self) {
        self.stop.send(()).unwrap();
        timeout(WITHIN, self.running).await.unwrap().unwrap().unwrap();
        self.host.stop().await;
    }
}

/// Opcodes of RFC 6455, section 5.2.
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;

/// A whole message from a client, masked with zeros.
async fn send(connection: &mut TcpStream, opcode: u8, payload: &[u8]) {
    let length = u16::try_from(payload.len()).unwrap().to_be_bytes();
    let frame = [&[0x80 | opcode, 0x80 | 126], &length[..], &[0; 4], payload].concat();
    connection.write_all(&frame).await.unwrap();
}

/// The next message from the server.
async fn receive(connection: &mut TcpStream) -> (u8, Vec<u8>) {
    let read = async {
        let opcode = connection.read_u8().await.unwrap() & 0x0f;
        let length = match connection.read_u8().await.unwrap() {
            126 => u64::from(connection.read_u16().await.unwrap()),
            127 => connection.read_u64().await.unwrap(),
            short => u64::from(short),
        };
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        connection.read_exact(&mut payload).await.unwrap();
        (opcode, payload)
    };
    timeout(WITHIN, read).await.unwrap()
}

/// Skips pings.
async fn receive_parcel(connection: &mut TcpStream) -> Parcel {
    loop {
        match receive(connection).await {
            (BINARY, bytes) => return decode(&bytes).unwrap(),
            (CLOSE, reason) => panic!("closed: {}", String::from_utf8_lossy(&reason)),
            _ => {}
        }
    }
}

async fn receive_close(connection: &mut TcpStream) -> (u16, String) {
    loop {
        if let (CLOSE, reason) = receive(connection).await {
            let code = u16::from_be_bytes([reason[0], reason[1]]);
            return (code, String::from_utf8(reason[2..].to_vec()).unwrap());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_told_to_whoever_has_no_token() {
    let served = Served::start().await;
    let wrong = [("Cookie", format!("fleetlens-{}={}", served.at.port(), KEY.replace('0', "1")))];
    for path in
        ["/", "/phone.html", "/a.wasm", "/tiles/14/8852/6439", "/raster/dark/14/8852/6439.png", "/ws", "/nothing"]
    {
        for (line, headers) in [
            (format!("GET {path}"), &[][..]),
            (format!("HEAD {path}"), &[]),
            (format!("GET {path}?token={}", KEY.replace('f', "e")), &[]),
            (format!("GET {path}"), &wrong),
        ] {
            let answer = served.ask(&line, headers).await;
            assert!(answer.starts_with("HTTP/1.1 401 "), "{line}: {answer}");
            assert!(line.starts_with("HEAD") || answer.contains("fleetlens serve"), "no word of what to do: {answer}");
            assert!(!answer.contains("set-cookie"), "{answer}");
        }
    }
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_printed_address_leads_to_the_window() {
    let served = Served::start().await;
    let cookie = format!("fleetlens-{}={KEY}; Path=/; HttpOnly; SameSite=Strict", served.at.port());
    for (given, clean) in [("/", "/"), ("/phone.html", "/phone.html")] {
        let answer = served.ask(&format!("GET {given}?token={KEY}"), &[]).await;
        assert!(answer.starts_with("HTTP/1.1 303 "), "{answer}");
        assert!(answer.contains(&format!("location: {clean}\r\n")), "{answer}");
        assert!(answer.contains(&format!("set-cookie: {cookie}\r\n")), "{answer}");
        assert!(answer.contains("referrer-policy: no-referrer\r\n"), "{answer}");
    }
    for (path, status, content, body) in [
        ("/", "200", "text/html", "the window"),
        ("/phone.html", "200", "text/html", "the phone"),
        ("/a.wasm", "200", "application/wasm", "wasm"),
        ("/tiles/14/8852/6439", "200", "application/x-protobuf", ""),
        ("/tiles/14/1/1", "204", "application/x-protobuf", ""),
        ("/tiles/14/99999/1", "400", "text/plain", "tile"),
        ("/tiles/../secret", "400", "text/plain", ""),
        ("/raster/dark/14/1/1.png", "204", "image/png", ""),
        ("/raster/dark/14/99999/1.png", "400", "text/plain", "tile"),
        ("/raster/../secret", "400", "text/plain", ""),
        ("/../secret", "404", "text/plain", "the window is at /"),
        ("/%2e%2e/secret", "404", "text/plain", "the window is at /"),
        ("/nothing.js", "404", "text/plain", "the window is at /"),
    ] {
        let answer = served.ask(&format!("GET {path}"), &[served.cookie()]).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {answer}");
        assert!(answer.contains(&format!("content-type: {content}")) && answer.contains(body), "{path}: {answer}");
        assert!(answer.contains("content-security-policy: default-src 'self'"), "{path}: {answer}");
        assert!(answer.contains("x-content-type-options: nosniff"), "{path}: {answer}");
        assert!(!answer.contains("not for anybody"), "{path}: {answer}");
    }
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_name_and_another_page_are_refused_although_they_have_the_token() {
    let served = Served::start().await;
    for host in ["evil.example".to_owned(), format!("evil.example:{}", served.at.port())] {
        let answer = served.ask("GET /", &[served.cookie(), ("Host", host)]).await;
        assert!(answer.starts_with("HTTP/1.1 421 ") && answer.contains("--name"), "{answer}");
    }
    for origin in ["http://evil.example", "null", "http://localhost:1"] {
        let (answer, _) = served.socket(origin).await;
        assert!(answer.starts_with("HTTP/1.1 403 "), "{origin}: {answer}");
    }
    let (answer, _) = served.socket(&format!("http://{}", served.at)).await;
    assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_speaks_the_contract_and_is_told_when_the_program_ends() {
    let served = Served::start().await;
    let (_, mut socket) = served.socket(&format!("http://{}", served.at)).await;
    for call in [Call::Hello { contract: CONTRACT }, Call::Look { view: ViewId(1), at: Look::Status }] {
        send(&mut socket, BINARY, &encode(&call).unwrap()).await;
    }
    let parcel = receive_parcel(&mut socket).await;
    assert_eq!(parcel.number, 1);
    assert!(!parcel.frames.is_empty());

    // A second one has numbers of its own.
    let (_, mut other) = served.socket(&format!("http://{}", served.at)).await;
    send(&mut other, BINARY, &encode(&Call::Hello { contract: CONTRACT + 1 }).unwrap()).await;
    assert_eq!(receive_parcel(&mut other).await.number, 1);

    served.end().await;
    for socket in [&mut socket, &mut other] {
        assert_eq!(receive_close(socket).await, (1001, "fleetlens has ended".into()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_does_not_speak_the_contract_is_shown_out_with_a_reason() {
    let served = Served::start().await;
    for (opcode, payload, reason) in [
        (TEXT, &b"hello"[..], "not text"),
        (BINARY, &[250, 250], "not a message of contract"),
        (BINARY, &[0, 0, 0], "bytes too many"),
    ] {
        let (_, mut socket) = served.socket(&format!("http://{}", served.at)).await;
        send(&mut socket, opcode, payload).await;
        let (code, why) = receive_close(&mut socket).await;
        assert!(code == 1008 && why.contains(reason), "{code} {why}");
    }
    served.end().await;
}

#[tokio::test]
async fn an_address_that_is_taken_is_refused_with_a_sentence() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let listen = taken.local_addr().unwrap();
    let options = ServerOptions { listen, ui: PathBuf::new(), token: Token::random(), names: Vec::new() };
    let error = Server::bind(options).await.unwrap_err().to_string();
    assert!(error.contains(&listen.to_string()) && error.contains("give another address"), "{error}");
}
