//! `satchel-hub tls check` against a real hub.

use satchel_contract::AccessType;

use crate::harness::Hub;

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_judged_as_phones_will() {
    let hub = Hub::start(&[AccessType::Analyzer]).await;
    let ca = hub.dir.path().join("ca.pem");
    let ca = ca.to_str().unwrap();
    let port = hub.address.port();
    let good = format!("https://localhost:{port}");
    let check = |args: &[&str]| {
        let mut all = vec!["tls", "check"];
        all.extend_from_slice(args);
        hub.command(&all)
    };
    let accepted = check(&[&good, "--ca", ca]).unwrap();
    assert!(accepted.contains("will accept"), "{accepted}");
    assert!(accepted.contains("names localhost"), "{accepted}");
    // What is said to a program, of a name the certificate does not have and of a CA nobody
    // trusts.
    let refused = |args: &[&str]| {
        let out = std::process::Command::new(env!("CARGO_BIN_EXE_satchel-hub"))
            .args(["--json", "tls", "check"])
            .args(args)
            .output()
            .unwrap();
        assert!(!out.status.success());
        let answer: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
        assert_eq!(answer["accepted"], false);
        assert!(!answer["next"].as_str().unwrap().is_empty());
        answer["code"].as_str().unwrap().to_owned()
    };
    let by_number = format!("https://127.0.0.1:{port}");
    assert_eq!(refused(&[&by_number, "--ca", ca]), "tls.name_mismatch");
    assert_eq!(refused(&[&good]), "tls.untrusted_issuer");
    let plain = check(&[&format!("http://localhost:{port}")]);
    assert!(plain.unwrap_err().contains("not encrypted"));
    let gone = check(&["https://localhost:1"]);
    assert!(gone.unwrap_err().contains("nothing listens"));
    hub.stop().await;
}
