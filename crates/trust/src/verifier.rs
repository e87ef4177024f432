//! Verifies a hub's certificate: path validation plus the checks of `certificate`.
//!
//! Built anew for every connection, so that a CA added to or removed from the system's store
//! counts at once. This is the only file that may install a verifier.

use std::sync::{Arc, Mutex};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

use crate::TlsFailure;
use crate::certificate::{Defect, Place, defect, describe, public_key};

/// The CAs a connection trusts.
#[derive(Clone, Debug, Default)]
pub struct Roots {
    certificates: Vec<CertificateDer<'static>>,
}

impl Roots {
    /// Exactly these, in DER.
    pub fn only(certificates: impl IntoIterator<Item = Vec<u8>>) -> Self {
        Self {
            certificates: certificates.into_iter().map(CertificateDer::from).collect(),
        }
    }

    /// The system's store and `extra` ones, in DER.
    pub fn system_and(extra: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let mut roots = Self::only(extra);
        #[cfg(all(unix, not(target_vendor = "apple"), not(target_os = "android")))]
        roots
            .certificates
            .extend(rustls_native_certs::load_native_certs().certs);
        roots
    }
}

/// Where a verifier leaves the reason of a refusal; the TLS library's own error has no room
/// for it.
pub type FailureCell = Arc<Mutex<Option<TlsFailure>>>;

/// The one verifier of hubs' certificates.
#[derive(Debug)]
pub struct HubVerifier {
    provider: Arc<CryptoProvider>,
    roots: Vec<CertificateDer<'static>>,
    failure: FailureCell,
    pins: Option<Vec<[u8; 32]>>,
}

impl HubVerifier {
    /// A verifier that trusts `roots`.
    pub fn new(roots: Roots, provider: Arc<CryptoProvider>) -> Self {
        Self {
            provider,
            roots: roots.certificates,
            failure: FailureCell::default(),
            pins: None,
        }
    }

    /// A chain must go through one of these public keys (SHA-256 of the SubjectPublicKeyInfo)
    /// as well; that only ever refuses more.
    #[must_use]
    pub fn with_pins(mut self, pins: Option<Vec<[u8; 32]>>) -> Self {
        self.pins = pins;
        self
    }

    /// Checks a chain for a host at a time.
    ///
    /// # Errors
    /// The first check that fails, in words.
    pub fn check(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        host: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), TlsFailure> {
        let name = host.to_str();
        let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        let (sound, unsound) = sort(intermediates, Place::Intermediate, seconds);
        let (good_roots, bad_roots) = sort(&self.roots, Place::Root, seconds);
        let error = match self.validate(leaf, &sound, &good_roots, host, now) {
            Ok(()) => {
                return match defect(leaf, Place::Leaf, seconds) {
                    None if self.is_pinned(leaf, &sound, &good_roots, host, now) => Ok(()),
                    None => Err(TlsFailure::of_pins(&name)),
                    Some(defect) => Err(TlsFailure::of_defect(defect, "the certificate", &name)),
                };
            }
            Err(error) => error,
        };
        // Refused in any case; what follows only finds the best words. A defect is the reason
        // if the chain would pass with the defective certificate.
        if matches!(error, CertificateError::UnknownIssuer) {
            for (root, defect) in &bad_roots {
                if self.validate(leaf, &sound, &[root], host, now).is_ok() {
                    return Err(TlsFailure::of_defect(*defect, "the CA", &name));
                }
            }
            let all: Vec<_> = intermediates.iter().collect();
            if let Some((_, defect)) = unsound.first()
                && self.validate(leaf, &all, &good_roots, host, now).is_ok()
            {
                return Err(TlsFailure::of_defect(*defect, "an intermediate CA", &name));
            }
        }
        if let Some(defect) = defect(leaf, Place::Leaf, seconds)
            && !matches!(error, CertificateError::UnknownIssuer)
            && defect != Defect::Unreadable
            && matches!(error, CertificateError::Other(_))
        {
            return Err(TlsFailure::of_defect(defect, "the certificate", &name));
        }
        Err(TlsFailure::of_chain(&error, &name, describe(leaf).as_ref()))
    }

    /// Whether a chain goes through a pinned key. That a certificate was sent along is not
    /// enough: whoever has no right to the pinned key could send it too. So the pinned one is
    /// made the only root, and the chain must lead there.
    fn is_pinned(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[&CertificateDer<'_>],
        roots: &[&CertificateDer<'_>],
        host: &ServerName<'_>,
        now: UnixTime,
    ) -> bool {
        let Some(pins) = &self.pins else {
            return true;
        };
        let is_pin = |der: &CertificateDer<'_>| {
            let hash = public_key(der).and_then(|key| self.sha256(key));
            hash.is_some_and(|hash| pins.contains(&hash))
        };
        // Where the system's own store always counts too, only the hub's own key tells.
        let roots_count = cfg!(all(
            unix,
            not(target_vendor = "apple"),
            not(target_os = "android")
        ));
        is_pin(leaf)
            || (roots_count
                && intermediates.iter().chain(roots).any(|authority| {
                    is_pin(authority)
                        && self
                            .validate(leaf, intermediates, &[*authority], host, now)
                            .is_ok()
                }))
    }

    fn sha256(&self, bytes: &[u8]) -> Option<[u8; 32]> {
        let suites = self.provider.cipher_suites.iter();
        let hash = suites
            .filter_map(|suite| suite.tls13())
            .map(|suite| suite.common.hash_provider)
            .find(|hash| hash.algorithm() == rustls::crypto::hash::HashAlgorithm::SHA256)?;
        hash.hash(bytes).as_ref().try_into().ok()
    }

    /// Path validation, dates and names against exactly these roots.
    #[cfg(all(unix, not(target_vendor = "apple"), not(target_os = "android")))]
    fn validate(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[&CertificateDer<'_>],
        roots: &[&CertificateDer<'_>],
        host: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), CertificateError> {
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(roots.iter().map(|root| root.as_ref().into()));
        if store.is_empty() {
            return Err(CertificateError::UnknownIssuer);
        }
        let verifier =
            WebPkiServerVerifier::builder_with_provider(store.into(), self.provider.clone())
                .build()
                .map_err(|_| CertificateError::UnknownIssuer)?;
        run(&*verifier, leaf, intermediates, host, now)
    }

    /// The operating system's verifier, with the hand-added CAs that are sound.
    #[cfg(not(all(unix, not(target_vendor = "apple"), not(target_os = "android"))))]
    fn validate(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[&CertificateDer<'_>],
        roots: &[&CertificateDer<'_>],
        host: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), CertificateError> {
        #[cfg(not(target_os = "android"))]
        let verifier = rustls_platform_verifier::Verifier::new_with_extra_roots(
            roots.iter().map(|root| root.as_ref().to_vec().into()),
            self.provider.clone(),
        );
        #[cfg(target_os = "android")]
        let verifier = {
            let _ = roots;
            rustls_platform_verifier::Verifier::new(self.provider.clone())
        };
        let verifier = verifier.map_err(|_| CertificateError::UnknownIssuer)?;
        run(&verifier, leaf, intermediates, host, now)
    }

    /// A client configuration with this verifier, TLS 1.2 and 1.3 only, and the cell in which
    /// it leaves the reason of a refusal.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that installs the verifier, which only ever adds checks"
    )]
    ///
    /// # Errors
    /// If the provider has no such protocol version.
    pub fn into_config(self) -> Result<(ClientConfig, FailureCell), Error> {
        let failure = self.failure.clone();
        let config = ClientConfig::builder_with_provider(self.provider.clone())
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(self))
            .with_no_client_auth();
        Ok((config, failure))
    }
}

/// Certificates without a defect, and those with one.
fn sort<'c, 'd>(
    certificates: &'c [CertificateDer<'d>],
    place: Place,
    now: i64,
) -> (
    Vec<&'c CertificateDer<'d>>,
    Vec<(&'c CertificateDer<'d>, Defect)>,
) {
    let (mut sound, mut unsound) = (Vec::new(), Vec::new());
    for certificate in certificates {
        match defect(certificate, place, now) {
            None => sound.push(certificate),
            Some(defect) => unsound.push((certificate, defect)),
        }
    }
    (sound, unsound)
}

fn run(
    verifier: &dyn ServerCertVerifier,
    leaf: &CertificateDer<'_>,
    intermediates: &[&CertificateDer<'_>],
    host: &ServerName<'_>,
    now: UnixTime,
) -> Result<(), CertificateError> {
    let intermediates: Vec<CertificateDer<'_>> = intermediates
        .iter()
        .map(|certificate| certificate.as_ref().into())
        .collect();
    match verifier.verify_server_cert(leaf, &intermediates, host, &[], now) {
        Ok(_) => Ok(()),
        Err(Error::InvalidCertificate(error)) => Err(error),
        Err(other) => Err(CertificateError::Other(rustls::OtherError(Arc::new(other)))),
    }
}

impl ServerCertVerifier for HubVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self.check(end_entity, intermediates, server_name, now) {
            Ok(()) => Ok(ServerCertVerified::assertion()),
            Err(failure) => {
                if let Ok(mut cell) = self.failure.lock() {
                    *cell = Some(failure);
                }
                Err(Error::InvalidCertificate(
                    CertificateError::ApplicationVerificationFailure,
                ))
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
