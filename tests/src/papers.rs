//! Certificates for brokers and for us, made anew for each test.

use std::fs;
use std::path::{Path, PathBuf};

use fleetlens_link::Tls;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use tempfile::TempDir;

/// Two CAs, `ca.pem` and `stranger.pem`, and what they signed, as files with their keys: `server` for localhost, `other-name` for
/// another host, `expired`; `us` for a client, and `somebody`, whom the stranger vouches for.
pub struct Papers {
    folder: TempDir,
}

impl Papers {
    /// Everything, in a folder of its own.
    pub fn made() -> Papers {
        let papers = Papers { folder: tempfile::tempdir().expect("the papers of a test can be made") };
        let ca = papers.authority("ca");
        let stranger = papers.authority("stranger");
        papers.certificate("server", &ca, &["localhost", "127.0.0.1"], 2099);
        papers.certificate("other-name", &ca, &["broker.example"], 2099);
        papers.certificate("expired", &ca, &["localhost"], 2001);
        papers.certificate("us", &ca, &["fleetlens"], 2099);
        papers.certificate("somebody", &stranger, &["fleetlens"], 2099);
        papers
    }

    fn authority(&self, name: &str) -> CertifiedIssuer<'static, KeyPair> {
        let mut params = CertificateParams::new(Vec::new()).expect("the papers of a test can be made");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, format!("Fleetlens test {name}"));
        let issuer =
            CertifiedIssuer::self_signed(params, KeyPair::generate().expect("the papers of a test can be made"))
                .expect("the papers of a test can be made");
        fs::write(self.at(&format!("{name}.pem")), issuer.pem()).expect("the papers of a test can be made");
        issuer
    }

    fn certificate(&self, name: &str, by: &CertifiedIssuer<'static, KeyPair>, names: &[&str], until: i32) {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("the papers of a test can be made");
        params.not_before = date_time_ymd(2000, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().expect("the papers of a test can be made");
        let signed = params.signed_by(&key, by).expect("the papers of a test can be made");
        fs::write(self.at(&format!("{name}.pem")), signed.pem()).expect("the papers of a test can be made");
        let path = self.at(&format!("{name}.key"));
        fs::write(&path, key.serialize_pem()).expect("the papers of a test can be made");
        permit(&path, 0o600);
    }

    /// The path of a file.
    pub fn at(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// An encrypted connection for which this CA vouches.
    pub fn believing(&self, ca: &str) -> Tls {
        Tls { ca: Some(self.at(ca)), ..Tls::default() }
    }

    /// An encrypted connection on which we show a certificate.
    pub fn as_client(&self, name: &str) -> Tls {
        let identity = (self.at(&format!("{name}.pem")), self.at(&format!("{name}.key")));
        Tls { identity: Some(identity), ..self.believing("ca.pem") }
    }

    /// Mosquitto's lines for a listener with a certificate.
    pub fn listener(&self, port: u16, certificate: &str, more: &str) -> String {
        format!(
            "listener {port} 127.0.0.1\ncafile {}\ncertfile {}\nkeyfile {}\n{more}\n",
            self.at("ca.pem").display(),
            self.at(&format!("{certificate}.pem")).display(),
            self.at(&format!("{certificate}.key")).display(),
        )
    }
}

/// Says who may read a file.
pub fn permit(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is our own file");
}
