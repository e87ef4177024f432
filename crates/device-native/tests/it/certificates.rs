//! Each bad certificate has a name of its own, and no request reaches its server.

use std::collections::HashMap;

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CustomExtension, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, PublicKeyData as _,
    date_time_ymd,
};
use satchel_device::{HubEntry, HubFailure, calls, ports::HubPort as _};
use satchel_device_native::{HubConnection, Trust};

use crate::server::serve;

const HOST: &str = "localhost";

/// A certificate with its key, able to sign others.
struct Signer {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

fn key() -> KeyPair {
    KeyPair::generate().unwrap()
}

fn ca_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
}

fn leaf_params(host: &str) -> CertificateParams {
    let mut params = CertificateParams::new([host.to_owned()]).unwrap();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, host);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}

fn root(params: CertificateParams) -> Signer {
    let key = key();
    let certificate = params.self_signed(&key).unwrap();
    Signer {
        certificate,
        issuer: Issuer::new(params, key),
    }
}

fn intermediate(params: CertificateParams, by: &Signer) -> Signer {
    let key = key();
    let certificate = params.signed_by(&key, &by.issuer).unwrap();
    Signer {
        certificate,
        issuer: Issuer::new(params, key),
    }
}

/// What a device that trusts `trusted` says to this chain.
#[track_caller]
fn check(
    leaf: CertificateParams,
    by: &Signer,
    between: &[&Signer],
    trusted: &[&Signer],
    want: &str,
) {
    let key = key();
    let leaf = leaf.signed_by(&key, &by.issuer).unwrap();
    let mut chain = vec![leaf.der().to_vec()];
    chain.extend(
        between
            .iter()
            .map(|signer| signer.certificate.der().to_vec()),
    );
    check_chain(chain, key, trusted, want);
}

#[track_caller]
fn check_chain(chain: Vec<Vec<u8>>, key: KeyPair, trusted: &[&Signer], want: &str) {
    let server = serve(chain, key.serialize_der());
    let trusted = trusted
        .iter()
        .map(|signer| signer.certificate.der().to_vec());
    let mut connection = HubConnection::new(HashMap::from([("ca".into(), trusted.collect())]));
    let hub = HubEntry {
        url: format!("https://{HOST}:{}", server.port),
        ca: Some("ca".into()),
    };
    let answer = connection.send(&hub, &calls::me(Some("secret=1")));
    let n_received = server.received.join().unwrap();
    match answer {
        Ok(answer) => {
            assert_eq!((want, answer.status), ("accepted", 200));
            assert!(n_received > 0);
        }
        Err(HubFailure::Unreachable(error)) => {
            assert_eq!(error.code, want, "{}", error.message);
            assert!(error.message.contains(HOST), "{}", error.message);
            assert!(!error.next.is_empty());
            assert_eq!(n_received, 0, "application bytes reached the server");
        }
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn a_good_chain_is_accepted() {
    let root = root(ca_params("Root"));
    check(leaf_params(HOST), &root, &[], &[&root], "accepted");
    let middle = intermediate(ca_params("Middle"), &root);
    check(leaf_params(HOST), &middle, &[&middle], &[&root], "accepted");
}

// threat: T-10
#[test]
fn dates() {
    let root = root(ca_params("Root"));
    let mut leaf = leaf_params(HOST);
    leaf.not_after = date_time_ymd(2020, 1, 1);
    check(leaf, &root, &[], &[&root], "tls.expired");
    let mut leaf = leaf_params(HOST);
    leaf.not_before = date_time_ymd(2090, 1, 1);
    check(leaf, &root, &[], &[&root], "tls.not_yet_valid");
    let mut params = ca_params("Middle");
    params.not_after = date_time_ymd(2020, 1, 1);
    let middle = intermediate(params, &root);
    check(
        leaf_params(HOST),
        &middle,
        &[&middle],
        &[&root],
        "tls.expired",
    );
}

// threat: T-10
#[test]
fn names() {
    let root = root(ca_params("Root"));
    check(
        leaf_params("other.example"),
        &root,
        &[],
        &[&root],
        "tls.name_mismatch",
    );
    let mut leaf = leaf_params(HOST);
    leaf.subject_alt_names.clear();
    check(leaf, &root, &[], &[&root], "tls.common_name_only");
}

// threat: T-10
#[test]
fn issuers() {
    let (ours, theirs) = (root(ca_params("Ours")), root(ca_params("Theirs")));
    check(
        leaf_params(HOST),
        &theirs,
        &[],
        &[&ours],
        "tls.untrusted_issuer",
    );
    check(
        leaf_params(HOST),
        &theirs,
        &[&theirs],
        &[],
        "tls.untrusted_issuer",
    );
    // Same name, other key.
    let forged = root(ca_params("Ours"));
    check(
        leaf_params(HOST),
        &forged,
        &[],
        &[&ours],
        "tls.bad_signature",
    );
    // The intermediate is not sent.
    let middle = intermediate(ca_params("Middle"), &ours);
    check(
        leaf_params(HOST),
        &middle,
        &[],
        &[&ours],
        "tls.untrusted_issuer",
    );

    let key = key();
    let own = leaf_params(HOST).self_signed(&key).unwrap();
    check_chain(vec![own.der().to_vec()], key, &[&ours], "tls.self_signed");
}

// threat: T-10
#[test]
fn a_root_that_is_out_of_date_is_refused() {
    let mut params = ca_params("Root");
    params.not_after = date_time_ymd(2020, 1, 1);
    let root = root(params);
    check(leaf_params(HOST), &root, &[], &[&root], "tls.expired_root");
}

#[test]
fn a_sound_root_beside_an_expired_one_is_enough() {
    let key_of_both = KeyPair::generate().unwrap();
    let mut old = ca_params("Root");
    old.not_after = date_time_ymd(2020, 1, 1);
    let old_certificate = old.self_signed(&key_of_both).unwrap();
    let new_certificate = ca_params("Root").self_signed(&key_of_both).unwrap();
    let copy = KeyPair::try_from(key_of_both.serialize_der()).unwrap();
    let old = Signer {
        certificate: old_certificate,
        issuer: Issuer::new(old, copy),
    };
    let new = Signer {
        certificate: new_certificate,
        issuer: Issuer::new(ca_params("Root"), key_of_both),
    };
    check(leaf_params(HOST), &new, &[], &[&old, &new], "accepted");
}

// threat: T-10
#[test]
fn roots_that_are_no_proper_ca() {
    let mut params = ca_params("Root");
    params.is_ca = IsCa::NoCa;
    params.key_usages.clear();
    let no_ca = root(params);
    check(leaf_params(HOST), &no_ca, &[], &[&no_ca], "tls.not_a_ca");

    let mut params = ca_params("Root");
    params.key_usages = vec![KeyUsagePurpose::CrlSign];
    let contradicts = root(params);
    check(
        leaf_params(HOST),
        &contradicts,
        &[],
        &[&contradicts],
        "tls.key_usage_contradicts",
    );

    let mut params = ca_params("Root");
    let mut extension =
        CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 55555, 1], vec![5, 0]);
    extension.set_criticality(true);
    params.custom_extensions = vec![extension];
    let unknown = root(params);
    check(
        leaf_params(HOST),
        &unknown,
        &[],
        &[&unknown],
        "tls.unknown_critical_extension",
    );
}

#[test]
fn a_ca_without_a_name_is_refused() {
    let root = root(ca_params("Root"));
    let mut params = ca_params("");
    params.distinguished_name = DistinguishedName::new();
    let nameless = intermediate(params, &root);
    check(
        leaf_params(HOST),
        &nameless,
        &[&nameless],
        &[&root],
        "tls.ca_without_name",
    );
}

#[test]
fn leaves_that_claim_too_much() {
    let root = root(ca_params("Root"));
    let mut leaf = leaf_params(HOST);
    leaf.key_usages = vec![
        KeyUsagePurpose::DigitalSignature,
        KeyUsagePurpose::KeyCertSign,
    ];
    check(leaf, &root, &[], &[&root], "tls.leaf_signs_certificates");

    let mut leaf = leaf_params(HOST);
    // permittedSubtrees { dNSName "localhost" }
    let constraints = [
        &[0x30, 0x0f, 0xa0, 0x0d, 0x30, 0x0b, 0x82, 0x09][..],
        HOST.as_bytes(),
    ]
    .concat();
    leaf.custom_extensions = vec![CustomExtension::from_oid_content(
        &[2, 5, 29, 30],
        constraints,
    )];
    check(leaf, &root, &[], &[&root], "tls.leaf_has_name_constraints");

    let mut leaf = leaf_params(HOST);
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    check(leaf, &root, &[], &[&root], "tls.wrong_purpose");
}

#[test]
fn a_ca_with_empty_name_constraints_is_refused() {
    let root = root(ca_params("Root"));
    let mut params = ca_params("Middle");
    params.custom_extensions = vec![CustomExtension::from_oid_content(
        &[2, 5, 29, 30],
        vec![0x30, 0],
    )];
    let middle = intermediate(params, &root);
    check(
        leaf_params(HOST),
        &middle,
        &[&middle],
        &[&root],
        "tls.empty_name_constraints",
    );
}

#[test]
fn malformed_authority_information_is_refused() {
    let root = root(ca_params("Root"));
    let mut leaf = leaf_params(HOST);
    leaf.custom_extensions = vec![CustomExtension::from_oid_content(
        &[1, 3, 6, 1, 5, 5, 7, 1, 1],
        b"not der".to_vec(),
    )];
    check(
        leaf,
        &root,
        &[],
        &[&root],
        "tls.malformed_authority_information",
    );
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let suite = rustls::crypto::aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256;
    let hash = suite.tls13().unwrap().common.hash_provider.hash(bytes);
    hash.as_ref().try_into().unwrap()
}

/// What a device that is told these pins says to a chain that is good but for them.
#[track_caller]
fn check_pins(pins: &[&[u8]], key: KeyPair, chain: Vec<Vec<u8>>, root: &Signer, want: &str) {
    let server = serve(chain, key.serialize_der());
    let trust = Trust {
        authorities: vec![root.certificate.der().to_vec()],
        pins: Some(pins.iter().map(|key| sha256(key)).collect()),
        needs_client_certificate: false,
    };
    let mut connection = HubConnection::new(HashMap::new()).with_trust(trust);
    let hub = HubEntry {
        url: format!("https://{HOST}:{}", server.port),
        ca: None,
    };
    let answer = connection.send(&hub, &calls::me(Some("secret=1")));
    let n_received = server.received.join().unwrap();
    match answer {
        Ok(_) => assert_eq!((want, n_received > 0), ("accepted", true)),
        Err(HubFailure::Unreachable(error)) => {
            assert_eq!(
                (error.code.as_str(), n_received),
                (want, 0),
                "{}",
                error.message
            );
        }
        Err(other) => panic!("{other}"),
    }
}

// threat: T-09 T-10
#[test]
fn a_chain_must_go_through_a_pinned_key() {
    let spki = |signer: &Signer| signer.issuer.key().subject_public_key_info();
    let root = root(ca_params("Root"));
    let middle = intermediate(ca_params("Middle"), &root);
    let other = intermediate(ca_params("Other"), &root);
    let case = |pins: &[&[u8]], want: &str| {
        let leaf_key = key();
        let leaf = leaf_params(HOST)
            .signed_by(&leaf_key, &middle.issuer)
            .unwrap();
        // The other authority's certificate is sent along: that makes it no part of the chain.
        let chain = [
            leaf.der().to_vec(),
            middle.certificate.der().to_vec(),
            other.certificate.der().to_vec(),
        ];
        let own = leaf_key.subject_public_key_info();
        let pins: Vec<&[u8]> = pins
            .iter()
            .map(|pin| if pin.is_empty() { &own[..] } else { pin })
            .collect();
        check_pins(&pins, leaf_key, chain.to_vec(), &root, want);
    };
    case(&[&spki(&root)], "accepted");
    case(&[&spki(&middle)], "accepted");
    case(&[b""], "accepted");
    case(&[b"another key", &spki(&middle)], "accepted");
    case(&[b"another key"], "tls.not_pinned");
    case(&[&spki(&other)], "tls.not_pinned");
    case(&[], "tls.not_pinned");
}

#[test]
fn a_client_certificate_that_is_demanded_is_not_there_and_nothing_is_sent() {
    let trust = Trust {
        needs_client_certificate: true,
        ..Trust::default()
    };
    let mut connection = HubConnection::new(HashMap::new()).with_trust(trust);
    let hub = HubEntry {
        url: "https://localhost:1".into(),
        ca: None,
    };
    match connection.send(&hub, &calls::me(None)) {
        Err(HubFailure::Unreachable(error)) => assert_eq!(error.code, "policy.client_certificate"),
        other => panic!("{}", other.is_ok()),
    }
}
