//! TLS on both sides: rustls with ring, TLS 1.2 and 1.3.

use std::path::Path;
use std::sync::Arc;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::error::{NetError, cause};

/// ALPN name of HTTP/2 over TLS (RFC 9113 §3.2).
pub(crate) const ALPN_HTTP2: &[u8] = b"h2";
/// ALPN name of HTTP/1.1 (RFC 7301 §6).
pub(crate) const ALPN_HTTP1: &[u8] = b"http/1.1";

/// What a listener presents: a certificate chain and its key. Offers HTTP/2 and HTTP/1.1.
#[derive(Clone)]
pub struct ServerTls {
    pub(crate) acceptor: TlsAcceptor,
}

impl std::fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ServerTls")
    }
}

impl ServerTls {
    /// From PEM text: the chain (leaf first) and one private key (PKCS #8, PKCS #1 or SEC1).
    ///
    /// # Errors
    /// [`NetError::TlsConfig`] for unreadable PEM, a missing part, or a key that does not fit.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, NetError> {
        let chain = certificates(chain)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| NetError::TlsConfig {
            what: "private key",
            cause: cause(error),
        })?;
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| NetError::TlsConfig {
                what: "versions",
                cause: cause(error),
            })?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(|error| NetError::TlsConfig {
                what: "certificate",
                cause: cause(error),
            })?;
        config.alpn_protocols = vec![ALPN_HTTP2.to_vec(), ALPN_HTTP1.to_vec()];
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
        })
    }

    /// From two PEM files, read once.
    ///
    /// # Errors
    /// As [`ServerTls::from_pem`], or the file that cannot be read.
    pub fn from_files(chain: &Path, key: &Path) -> Result<Self, NetError> {
        let read = |what, path: &Path| {
            std::fs::read(path).map_err(|error| NetError::TlsConfig {
                what,
                cause: cause(format!("{}: {error}", path.display())),
            })
        };
        Self::from_pem(&read("certificate", chain)?, &read("private key", key)?)
    }
}

/// Whom a dialer trusts: the Mozilla roots, and any others the operator names.
#[derive(Clone)]
pub struct Roots(RootCertStore);

impl Default for Roots {
    fn default() -> Self {
        Self(RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        })
    }
}

impl std::fmt::Debug for Roots {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Roots").field(&self.0.len()).finish()
    }
}

impl Roots {
    /// These and the certificates of a PEM text.
    ///
    /// # Errors
    /// [`NetError::TlsConfig`] for unreadable PEM or a certificate that cannot be a root.
    pub fn with_pem(mut self, pem: &[u8]) -> Result<Self, NetError> {
        for certificate in certificates(pem)? {
            self.0
                .add(certificate)
                .map_err(|error| NetError::TlsConfig {
                    what: "root certificate",
                    cause: cause(error),
                })?;
        }
        Ok(self)
    }

    /// A connector that offers `alpn` only.
    pub(crate) fn connector(&self, alpn: &[u8]) -> Result<TlsConnector, NetError> {
        let mut config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| NetError::TlsConfig {
                what: "versions",
                cause: cause(error),
            })?
            .with_root_certificates(self.0.clone())
            .with_no_client_auth();
        config.alpn_protocols = vec![alpn.to_vec()];
        Ok(TlsConnector::from(Arc::new(config)))
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(tokio_rustls::rustls::crypto::ring::default_provider())
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, NetError> {
    let what = "certificate";
    let found: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|error| NetError::TlsConfig {
            what,
            cause: cause(error),
        })?;
    if found.is_empty() {
        return Err(NetError::TlsConfig {
            what,
            cause: cause("no certificate in the PEM text"),
        });
    }
    Ok(found)
}
