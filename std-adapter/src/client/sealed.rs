//! TLS of a client (feature `tls`): whom it trusts, and what it says when it does not.

use super::error::ConnectError;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, ClientConfig, ClientConnection, RootCertStore};
use std::io;
use std::path::Path;
use std::sync::{Arc, LazyLock};

/// The roots that browsers trust.
static WEB: LazyLock<Arc<ClientConfig>> = LazyLock::new(|| {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    config(roots)
});

/// Whom a client trusts, if it is not the [`WEB`].
#[derive(Clone, Debug)]
pub(super) struct Trust(Arc<ClientConfig>);

impl Trust {
    /// The certificates of a PEM file, and no others.
    pub(super) fn file(path: &Path) -> io::Result<Self> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(path).map_err(io::Error::other)? {
            roots.add(certificate.map_err(io::Error::other)?).map_err(io::Error::other)?;
        }
        if roots.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "no certificate in it"));
        }
        Ok(Self(config(roots)))
    }
}

/// A connection that will prove to be to this host.
pub(super) fn connection(trust: Option<&Trust>, host: &str) -> Result<ClientConnection, ConnectError> {
    let config = trust.map_or_else(|| Arc::clone(&WEB), |trust| Arc::clone(&trust.0));
    let name = ServerName::try_from(host.to_owned()).map_err(|error| ConnectError::Tls(error.to_string()))?;
    let mut tls = ClientConnection::new(config, name).map_err(|error| ConnectError::Tls(error.to_string()))?;
    // What waits is bounded before it comes here.
    tls.set_buffer_limit(None);
    Ok(tls)
}

/// What went wrong with TLS, in words for whoever reads it; `None` if it was something else.
pub(super) fn fault(error: &io::Error) -> Option<String> {
    let error = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    let rustls::Error::InvalidCertificate(certificate) = error else { return Some(error.to_string()) };
    Some(match certificate {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the server's certificate has expired".into()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the server's certificate is not valid yet".into()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the server's certificate is for another host".into()
        }
        CertificateError::UnknownIssuer => "nobody who is trusted has signed the server's certificate".into(),
        CertificateError::Revoked => "the server's certificate was revoked".into(),
        other => format!("the server's certificate is refused: {other}"),
    })
}

fn config(roots: RootCertStore) -> Arc<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config =
        match ClientConfig::builder_with_provider(provider).with_protocol_versions(rustls::DEFAULT_VERSIONS) {
            Ok(builder) => builder.with_root_certificates(roots).with_no_client_auth(),
            // Fixed in the program: it speaks at least one of these versions, or it would never have worked.
            Err(error) => unreachable!("{error}"),
        };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Arc::new(config)
}
