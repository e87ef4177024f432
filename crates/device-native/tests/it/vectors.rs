//! Certificates other people made to break verifiers: x509-limbo and BetterTLS.
//!
//! The vectors are not part of this repository. They are looked for in `SATCHEL_VECTORS`, or
//! in `../shared/vectors` beside the repository; see CONTRIBUTING.md for how to make them.
//! Without them this test says so and, where `CI` or `SATCHEL_VECTORS` is set, fails.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use satchel_device_native::{HubVerifier, Roots};
use serde_json::Value;

/// 1 December 2026: within the validity of all cases that name no time of their own.
const NOW: u64 = 1_796_083_200;

/// The vectors of a file, or a loud notice that there are none.
fn load(name: &str) -> Option<Value> {
    let given = std::env::var_os("SATCHEL_VECTORS");
    let folder = given.clone().map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors"),
        PathBuf::from,
    );
    let path = folder.join(name);
    if !path.exists() {
        let notice = format!(
            "NOT RUN: {} is missing. Set SATCHEL_VECTORS to a folder with x509-limbo-core.json.xz (C2SP/x509-limbo) and bettertls.json.xz (Netflix/bettertls).",
            path.display()
        );
        assert!(
            given.is_none() && std::env::var_os("CI").is_none(),
            "{notice}"
        );
        eprintln!("{notice}");
        return None;
    }
    let output = Command::new("xz")
        .arg("-dc")
        .arg(&path)
        .stderr(Stdio::inherit())
        .output()
        .expect("the vectors are compressed: install xz-utils");
    assert!(output.status.success());
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

fn verdict(
    roots: Vec<Vec<u8>>,
    leaf: &[u8],
    between: &[Vec<u8>],
    host: &str,
    now: u64,
) -> Result<(), &'static str> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = HubVerifier::new(Roots::only(roots), provider);
    let Ok(host) = ServerName::try_from(host.to_owned()) else {
        return Err("not a name");
    };
    let between: Vec<_> = between
        .iter()
        .map(|der| CertificateDer::from(der.as_slice()))
        .collect();
    let now = UnixTime::since_unix_epoch(Duration::from_secs(now));
    verifier
        .check(&CertificateDer::from(leaf), &between, &host, now)
        .map_err(|failure| failure.code)
}

fn pems(list: &Value) -> Vec<Vec<u8>> {
    list.as_array()
        .unwrap()
        .iter()
        .flat_map(|pem| pem_der(pem.as_str().unwrap()))
        .collect()
}

fn pem_der(pem: &str) -> Vec<Vec<u8>> {
    CertificateDer::pem_slice_iter(pem.as_bytes())
        .map(|der| der.unwrap().to_vec())
        .collect()
}

/// Seconds since 1970 of `2024-01-01T00:00:00+00:00` (always UTC in these files).
fn seconds(text: &str) -> u64 {
    let number = |range: std::ops::Range<usize>| text[range].parse::<i64>().unwrap();
    let (year, month, day) = (number(0..4), number(5..7), number(8..10));
    let (y, m) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719_468;
    let time = number(11..13) * 3600 + number(14..16) * 60 + number(17..19);
    u64::try_from(days * 86_400 + time).unwrap()
}

/// Where we differ from limbo on purpose, one line each: id, what limbo expects, what we say.
/// `UPDATE=1` writes it anew; a change either way fails.
// threat: T-09 T-10
#[test]
fn limbo_cases_end_as_pinned() {
    let Some(limbo) = load("x509-limbo-core.json.xz") else {
        return;
    };
    let (mut n_run, mut differences) = (0, String::new());
    for case in limbo["testcases"].as_array().unwrap() {
        let is_ours = case["validation_kind"] == "SERVER"
            && case["max_chain_depth"].is_null()
            && case["key_usage"].as_array().is_none_or(Vec::is_empty)
            && case["expected_peer_name"].is_object()
            // Revocation lists are not fetched on this platform (SECURITY.md).
            && case["crls"].as_array().is_none_or(Vec::is_empty);
        if !is_ours {
            continue;
        }
        n_run += 1;
        let leaf = pem_der(case["peer_certificate"].as_str().unwrap()).remove(0);
        let found = verdict(
            pems(&case["trusted_certs"]),
            &leaf,
            &pems(&case["untrusted_intermediates"]),
            case["expected_peer_name"]["value"].as_str().unwrap(),
            case["validation_time"].as_str().map_or(NOW, seconds),
        );
        let expected = case["expected_result"] == "SUCCESS";
        if found.is_ok() != expected {
            let id = case["id"].as_str().unwrap();
            let word = if expected { "accept" } else { "refuse" };
            differences += &format!("{id} {word} {}\n", found.err().unwrap_or("accepted"));
        }
    }
    assert!(n_run > 150, "only {n_run} cases run");
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/limbo-differences.txt");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &differences).unwrap();
    }
    assert_eq!(differences, std::fs::read_to_string(path).unwrap());
}

/// Every case of BetterTLS, without exception. Slow: every 16th case unless `SLOW` is set.
// threat: T-09 T-10
#[test]
fn bettertls_cases_end_right() {
    let Some(better) = load("bettertls.json.xz") else {
        return;
    };
    let decode = |text: &Value| {
        pem_der(&format!(
            "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
            text.as_str().unwrap()
        ))
        .remove(0)
    };
    let root = decode(&better["trustRoot"]);
    let step = if std::env::var_os("SLOW").is_some() {
        1
    } else {
        16
    };
    let mut n_run = 0;
    for (suite, cases) in better["suites"].as_object().unwrap() {
        for case in cases["testCases"].as_array().unwrap().iter().step_by(step) {
            n_run += 1;
            let chain: Vec<_> = case["certificates"]
                .as_array()
                .unwrap()
                .iter()
                .map(decode)
                .collect();
            let host = case["hostname"].as_str().unwrap();
            let found = verdict(vec![root.clone()], &chain[0], &chain[1..], host, NOW);
            let must_accept = case["expected"] == "ACCEPT";
            if case["failureIsWarning"] != true {
                assert_eq!(
                    found.is_ok(),
                    must_accept,
                    "{suite} {}: {found:?}",
                    case["id"]
                );
            }
        }
    }
    assert!(n_run > 500, "only {n_run} cases run");
}
