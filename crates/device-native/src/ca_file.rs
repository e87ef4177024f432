//! Reads a CA certificate somebody adds by hand.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// Why a file holds no CA.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CaFileError {
    /// Neither PEM nor DER of a certificate.
    NoCertificate,
}

/// The certificates in a file, in DER. PEM files may hold several; a DER file holds one.
///
/// # Errors
/// [`CaFileError::NoCertificate`].
pub fn read_certificates(bytes: &[u8]) -> Result<Vec<Vec<u8>>, CaFileError> {
    let mut found = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(bytes) {
        found.push(
            certificate
                .map_err(|_| CaFileError::NoCertificate)?
                .to_vec(),
        );
    }
    if found.is_empty() {
        found.push(bytes.to_vec());
    }
    let readable = |der: &Vec<u8>| satchel_trust::describe(der).is_some();
    if found.iter().all(readable) {
        Ok(found)
    } else {
        Err(CaFileError::NoCertificate)
    }
}
