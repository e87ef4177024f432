//! Why a hub's certificate was refused: a code of its own for every reason, which check
//! failed, for whom, and what the administrator must do.

use rustls::CertificateError;
use satchel_base::{UnixMillis, utc_text};

use crate::certificate::{Defect, Description};

/// A refused certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFailure {
    /// `tls.expired`, `tls.name_mismatch`, …
    pub code: &'static str,
    /// Which check failed, for whom.
    pub message: String,
    /// What the administrator must do.
    pub next: &'static str,
}

impl TlsFailure {
    /// The chain is good, but goes through no key that managed configuration names.
    pub(crate) fn of_pins(host: &str) -> Self {
        Self {
            code: "tls.not_pinned",
            message: format!(
                "the certificate of {host} is good, but not one of those that whoever manages this device allows"
            ),
            next: "Ask whoever manages this device; somebody may be between you and the hub.",
        }
    }

    /// A failure of path validation.
    pub(crate) fn of_chain(
        error: &CertificateError,
        host: &str,
        leaf: Option<&Description>,
    ) -> Self {
        let subject = leaf.map_or("?", |leaf| leaf.subject.as_str());
        let (code, message, next) = match error {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => (
                "tls.expired",
                format!(
                    "a certificate of {host} is out of date{}",
                    leaf.map_or(String::new(), |leaf| format!(
                        ": the hub's own is valid until {}",
                        seconds_text(leaf.not_after)
                    ))
                ),
                "The hub's administrator must renew the certificate; check this device's clock too.",
            ),
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => (
                "tls.not_yet_valid",
                format!(
                    "a certificate of {host} is not valid yet{}",
                    leaf.map_or(String::new(), |leaf| format!(
                        ": the hub's own is valid from {}",
                        seconds_text(leaf.not_before)
                    ))
                ),
                "Check this device's clock; if it is right, the hub's administrator must install a certificate that is valid today.",
            ),
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }
                if leaf.is_some_and(|leaf| !leaf.has_alternative_name) =>
            {
                (
                    "tls.common_name_only",
                    format!(
                        "the certificate of {host} ({subject}) has no subject alternative name; a host in the common name alone does not count"
                    ),
                    "The hub's administrator must issue a certificate with the host as a subject alternative name.",
                )
            }
            CertificateError::NotValidForName => (
                "tls.name_mismatch",
                format!("the certificate ({subject}) is not for {host}"),
                NAME_NEXT,
            ),
            CertificateError::NotValidForNameContext { presented, .. } => (
                "tls.name_mismatch",
                format!(
                    "the certificate is not for {host} but for {}",
                    presented.join(", ")
                ),
                NAME_NEXT,
            ),
            CertificateError::Revoked => (
                "tls.revoked",
                format!("the certificate of {host} was revoked by its issuer"),
                "The hub's administrator must install a new certificate.",
            ),
            CertificateError::BadSignature => (
                "tls.bad_signature",
                format!("a signature in the certificates of {host} is wrong"),
                "The hub's administrator must install the certificates again; if they are right, somebody may be in between.",
            ),
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => (
                "tls.wrong_purpose",
                format!("the certificate of {host} ({subject}) is not meant for servers"),
                "The hub's administrator must issue a certificate for server authentication.",
            ),
            _ if leaf.is_some_and(|leaf| leaf.is_self_issued) => (
                "tls.self_signed",
                format!(
                    "the certificate of {host} ({subject}) is signed by itself, not by a CA this device trusts"
                ),
                "The hub's administrator must install a certificate from a CA, and that CA must be trusted on this device (satchel hub add URL --ca FILE).",
            ),
            CertificateError::UnknownIssuer => (
                "tls.untrusted_issuer",
                format!(
                    "the certificate of {host} was issued by {}, which this device does not trust",
                    leaf.map_or("?", |leaf| leaf.issuer.as_str())
                ),
                "Ask the administrator for the CA's certificate and add it (satchel hub add URL --ca FILE); if it is trusted already, the hub must send its intermediate certificates.",
            ),
            CertificateError::BadEncoding | CertificateError::UnhandledCriticalExtension => (
                "tls.unsupported",
                format!("a certificate of {host} has contents this client does not understand"),
                "The hub's administrator must issue a plain server certificate.",
            ),
            other => (
                "tls.invalid",
                format!("the certificate of {host} ({subject}) is not valid: {other}"),
                "The hub's administrator must install a valid certificate chain.",
            ),
        };
        Self {
            code,
            message,
            next,
        }
    }

    /// One of the checks of [`crate::certificate`].
    pub(crate) fn of_defect(defect: Defect, which: &str, host: &str) -> Self {
        let (code, what, next) = match defect {
            Defect::Unreadable => (
                "tls.unreadable",
                "cannot be read",
                "The hub's administrator must install the certificate again.",
            ),
            Defect::Expired => (
                "tls.expired_root",
                "is out of date",
                "The administrator must renew the CA, issue the hub's certificate from it, and distribute the new CA.",
            ),
            Defect::NotYetValid => (
                "tls.root_not_yet_valid",
                "is not valid yet",
                "Check this device's clock; if it is right, the administrator must distribute a CA that is valid today.",
            ),
            Defect::UnknownCriticalExtension => (
                "tls.unknown_critical_extension",
                "has a critical extension this client does not understand",
                "The administrator must issue a CA certificate without it.",
            ),
            Defect::NotACa => (
                "tls.not_a_ca",
                "is not marked as a CA (basic constraints)",
                "The administrator must issue a CA certificate with basic constraints.",
            ),
            Defect::KeyUsageContradicts => (
                "tls.key_usage_contradicts",
                "is marked as a CA but its key usage does not allow signing certificates",
                "The administrator must issue a CA certificate with the key usage keyCertSign.",
            ),
            Defect::EmptySubject => (
                "tls.ca_without_name",
                "has an empty subject",
                "The administrator must issue a CA certificate with a subject.",
            ),
            Defect::LeafSignsCertificates => (
                "tls.leaf_signs_certificates",
                "may sign other certificates (key usage keyCertSign)",
                "The administrator must issue a server certificate without keyCertSign.",
            ),
            Defect::LeafHasNameConstraints => (
                "tls.leaf_has_name_constraints",
                "has name constraints, which only a CA may have",
                "The administrator must issue a server certificate without name constraints.",
            ),
            Defect::EmptyNameConstraints => (
                "tls.empty_name_constraints",
                "has name constraints that say nothing or cannot be read",
                "The administrator must issue a CA certificate with well-formed name constraints, or none.",
            ),
            Defect::MalformedAuthorityInformation => (
                "tls.malformed_authority_information",
                "has authority information access that cannot be read",
                "The administrator must issue the certificate again.",
            ),
            Defect::WeakKey => (
                "tls.weak_key",
                "has a key that is too weak (RSA below 2048 bits, curves below 224 bits, DSA)",
                "The administrator must issue the certificate for a stronger key.",
            ),
        };
        Self {
            code,
            message: format!("{which} of {host} {what}"),
            next,
        }
    }

    /// A handshake that failed for another reason than the certificate.
    pub fn of_handshake(error: &rustls::Error, host: &str) -> Self {
        Self {
            code: "tls.handshake",
            message: format!("no secure connection to {host} could be agreed on: {error}"),
            next: "The hub must offer TLS 1.2 or 1.3; ask its administrator what stands between.",
        }
    }
}

const NAME_NEXT: &str = "Check the address; if it is right, the hub's administrator must issue a certificate that names this host as a subject alternative name.";

fn seconds_text(seconds: i64) -> String {
    utc_text(UnixMillis(seconds.saturating_mul(1000)))
}
