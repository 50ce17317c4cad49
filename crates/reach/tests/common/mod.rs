//! Notices, clocks and certificates for the tests against local servers.
#![allow(
    dead_code,
    reason = "it is compiled into each test program, and each uses its part: mail no HTTP server, webhooks no SMTP server"
)]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use fleetlens_link::Tls;
use fleetlens_model::alarm::Priority;
use fleetlens_model::id::AlarmId;
use fleetlens_model::time::{MonoMs, Now, WallMs};
use fleetlens_reach::{
    Event, Memory, Notice, Outbox, OutboxError, Outlet, Output, Patience, Reach, Record, Route, Told,
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::sync::Mutex;
use tempfile::TempDir;
use tokio_rustls::TlsAcceptor;

/// How long a test waits for something that has to come.
pub const SOON: std::time::Duration = std::time::Duration::from_secs(20);

pub fn notice(alarm: u64, event: Event, priority: Priority) -> Notice {
    Notice {
        event,
        alarm: AlarmId(alarm),
        fleet: "Malta".into(),
        thing: format!("gw-{alarm}"),
        title: format!("Gateway Marsa-{alarm}"),
        rule: "gateway-silent".into(),
        name: "silent".into(),
        priority,
        sentence: "nothing heard for 3 min".into(),
        cause: String::new(),
        consequence: "12 lamps cannot be steered".into(),
        what_to_do: ".look at the fuse\nand then again".into(),
        at: WallMs(1_763_873_551_250),
        position: None,
    }
}

pub fn raised(alarm: u64) -> Told {
    Told::Notice(Box::new(notice(alarm, Event::Raised, Priority::Critical)))
}

/// Both clocks of this machine.
pub fn clock() -> impl Fn() -> Now + Send + 'static {
    let began = Instant::now();
    move || Now {
        wall: WallMs(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64),
        mono: MonoMs(began.elapsed().as_millis() as u64),
    }
}

/// Tries again soon, so that no test waits long.
pub fn impatient() -> Patience {
    Patience { first_ms: 20, longest_ms: 400, attempts: 6, age_ms: 60_000 }
}

pub fn outlet(name: &str, output: Output) -> Outlet {
    let route = Route {
        name: name.into(),
        from: Priority::Warning,
        after_ms: 0,
        cleared: true,
        quiet: None,
        at_once: Some(Priority::Critical),
    };
    Outlet { route, output }
}

pub fn reach(outlets: Vec<Outlet>, outbox: impl Outbox) -> Reach {
    Reach::start(outlets, impatient(), outbox, clock())
}

/// Waits until the standing is as wanted.
pub async fn until(reach: &Reach, what: &str, is_so: impl FnMut(&fleetlens_reach::Standing) -> bool) {
    let mut standing = reach.standing();
    let waited = tokio::time::timeout(SOON, standing.wait_for(is_so)).await.map(|found| found.map(drop));
    assert!(matches!(waited, Ok(Ok(()))), "{what} never came: {:?}", *reach.standing().borrow());
}

/// An outbox that the test looks into, that outlives the task, and that fails when it is told to.
#[derive(Clone, Default)]
pub struct Shared {
    pub memory: Arc<Mutex<Memory>>,
    pub fails: Arc<std::sync::atomic::AtomicBool>,
}

impl Shared {
    pub fn records(&self) -> Vec<Record> {
        self.memory.lock().unwrap().records().cloned().collect()
    }

    fn check(&self) -> Result<(), OutboxError> {
        match self.fails.load(std::sync::atomic::Ordering::SeqCst) {
            true => Err(OutboxError("the disk is full".into())),
            false => Ok(()),
        }
    }
}

impl Outbox for Shared {
    async fn put(&mut self, records: Vec<Record>) -> Result<(), OutboxError> {
        self.check()?;
        // Through JSON, as a store does it.
        let written = serde_json::to_string(&records).unwrap();
        let mut memory = self.memory.lock().unwrap().clone();
        memory.put(serde_json::from_str(&written).unwrap()).await?;
        *self.memory.lock().unwrap() = memory;
        Ok(())
    }

    async fn remove(&mut self, keys: Vec<u64>) -> Result<(), OutboxError> {
        self.check()?;
        let mut memory = self.memory.lock().unwrap().clone();
        memory.remove(keys).await?;
        *self.memory.lock().unwrap() = memory;
        Ok(())
    }

    async fn all(&mut self) -> Result<Vec<Record>, OutboxError> {
        self.check()?;
        Ok(self.records())
    }
}

/// A CA in a file, and a server on this machine that it vouches for.
pub struct Papers {
    folder: TempDir,
    pub acceptor: TlsAcceptor,
}

impl Papers {
    pub fn made() -> Papers {
        Papers::of("the city")
    }

    /// Of a CA of this name.
    pub fn of(name: &str) -> Papers {
        let folder = tempfile::tempdir().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        std::fs::write(folder.path().join("ca.pem"), ca.pem()).unwrap();
        let key = KeyPair::generate().unwrap();
        let names = vec!["localhost".to_owned()];
        let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &ca).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        Papers { folder, acceptor: TlsAcceptor::from(Arc::new(config)) }
    }

    pub fn believed(&self) -> Tls {
        Tls { ca: Some(self.ca()), ..Tls::default() }
    }

    pub fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }
}
