//! The checks the path validation library leaves out, each of which matters for safety.
//!
//! A certificate with a defect is not offered to path building at all: a chain that does not
//! need it still passes, one that does is refused, and the defect says why. Nothing else of
//! the profiles for public CAs is enforced: private CAs break those every day.

use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::PublicKey;

/// What is wrong with a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Defect {
    Unreadable,
    Expired,
    NotYetValid,
    UnknownCriticalExtension,
    NotACa,
    KeyUsageContradicts,
    EmptySubject,
    LeafSignsCertificates,
    LeafHasNameConstraints,
    EmptyNameConstraints,
    MalformedAuthorityInformation,
    WeakKey,
}

/// Which place in the chain a certificate has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Root,
    Intermediate,
    Leaf,
}

/// The first defect of a certificate; `now` is in seconds since 1970.
///
/// Dates are looked at for roots only: path validation does the others, and names them.
pub(crate) fn defect(der: &[u8], place: Place, now: i64) -> Option<Defect> {
    let Ok((_, certificate)) = X509Certificate::from_der(der) else {
        return Some(Defect::Unreadable);
    };
    match place {
        Place::Root => root_defect(&certificate, now).or_else(|| ca_defect(&certificate)),
        Place::Intermediate => ca_defect(&certificate),
        Place::Leaf => leaf_defect(&certificate),
    }
    .or_else(|| common_defect(&certificate))
}

/// The SubjectPublicKeyInfo of a certificate, in DER.
pub(crate) fn public_key(der: &[u8]) -> Option<&[u8]> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    Some(certificate.tbs_certificate.subject_pki.raw)
}

fn root_defect(certificate: &X509Certificate<'_>, now: i64) -> Option<Defect> {
    if now > certificate.validity().not_after.timestamp() {
        return Some(Defect::Expired);
    }
    if now < certificate.validity().not_before.timestamp() {
        return Some(Defect::NotYetValid);
    }
    let unknown = certificate.extensions().iter().any(|extension| {
        extension.critical
            && matches!(
                extension.parsed_extension(),
                ParsedExtension::UnsupportedExtension { .. } | ParsedExtension::ParseError { .. }
            )
    });
    if unknown {
        return Some(Defect::UnknownCriticalExtension);
    }
    match certificate.basic_constraints() {
        Ok(Some(constraints)) if constraints.value.ca => {}
        _ => return Some(Defect::NotACa),
    }
    match certificate.key_usage() {
        Ok(None) => None,
        Ok(Some(usage)) if usage.value.key_cert_sign() => None,
        _ => Some(Defect::KeyUsageContradicts),
    }
}

fn ca_defect(certificate: &X509Certificate<'_>) -> Option<Defect> {
    if certificate.subject().iter().next().is_none() {
        return Some(Defect::EmptySubject);
    }
    match certificate.name_constraints() {
        Ok(None) => None,
        Ok(Some(constraints)) => {
            let some = |trees: &Option<Vec<_>>| trees.as_ref().is_some_and(|t| !t.is_empty());
            let is_empty = !some(&constraints.value.permitted_subtrees)
                && !some(&constraints.value.excluded_subtrees);
            is_empty.then_some(Defect::EmptyNameConstraints)
        }
        Err(_) => Some(Defect::EmptyNameConstraints),
    }
}

fn leaf_defect(certificate: &X509Certificate<'_>) -> Option<Defect> {
    if let Ok(Some(usage)) = certificate.key_usage()
        && usage.value.key_cert_sign()
    {
        return Some(Defect::LeafSignsCertificates);
    }
    if !matches!(certificate.name_constraints(), Ok(None)) {
        return Some(Defect::LeafHasNameConstraints);
    }
    None
}

fn common_defect(certificate: &X509Certificate<'_>) -> Option<Defect> {
    let aia_broken = certificate.extensions().iter().any(|extension| {
        extension.oid == x509_parser::oid_registry::OID_PKIX_AUTHORITY_INFO_ACCESS
            && !matches!(
                extension.parsed_extension(),
                ParsedExtension::AuthorityInfoAccess(_)
            )
    });
    if aia_broken {
        return Some(Defect::MalformedAuthorityInformation);
    }
    let weak = match certificate.public_key().parsed() {
        Ok(PublicKey::RSA(key)) => rsa_bits(key.modulus) < 2048,
        Ok(PublicKey::EC(point)) => point.key_size() < 224,
        Ok(PublicKey::DSA(_)) => true,
        // Ed25519 and the like: path validation knows whether it supports them.
        _ => false,
    };
    weak.then_some(Defect::WeakKey)
}

/// Bits of a big-endian number.
fn rsa_bits(modulus: &[u8]) -> usize {
    let significant = modulus
        .iter()
        .position(|&byte| byte != 0)
        .map_or(&[][..], |at| &modulus[at..]);
    significant.first().map_or(0, |first| {
        significant.len() * 8 - first.leading_zeros() as usize
    })
}

/// What people need to know to recognise a certificate.
pub struct Description {
    /// Whose it is, as a distinguished name.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// From when it is valid, in seconds since 1970.
    pub not_before: i64,
    /// Until when.
    pub not_after: i64,
    /// Whether it has subject alternative names at all.
    pub has_alternative_name: bool,
    /// Whether subject and issuer are the same.
    pub is_self_issued: bool,
}

/// Describes a certificate; `None` if it cannot be read.
pub fn describe(der: &[u8]) -> Option<Description> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    Some(Description {
        subject: certificate.subject().to_string(),
        issuer: certificate.issuer().to_string(),
        not_before: certificate.validity().not_before.timestamp(),
        not_after: certificate.validity().not_after.timestamp(),
        has_alternative_name: matches!(certificate.subject_alternative_name(), Ok(Some(_))),
        is_self_issued: certificate.subject().as_raw() == certificate.issuer().as_raw(),
    })
}
