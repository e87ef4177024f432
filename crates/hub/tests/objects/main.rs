//! Files in an object store: a real server over TLS, and the commands of an administrator.
//!
//! `SATCHEL_S3_SERVER` is the program `s3rver`; `cargo xtask test --only e2e` installs it. It
//! knows one key, whose name it checks.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rusty_s3::{Bucket, Credentials, S3Action, UrlStyle};
use ureq::tls::{Certificate, RootCerts, TlsConfig};

const KEY: &str = "S3RVER";

/// A server with the empty bucket `lake`; stopped when dropped.
struct Server {
    child: Child,
    endpoint: String,
    ca: PathBuf,
    agent: ureq::Agent,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn start(dir: &Path) -> Self {
        let ca_key = KeyPair::generate().unwrap();
        let mut ca = CertificateParams::new(Vec::<String>::new()).unwrap();
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = ca.self_signed(&ca_key).unwrap();
        let issuer = Issuer::new(ca, ca_key);
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec!["localhost".to_owned()])
            .unwrap()
            .signed_by(&key, &issuer)
            .unwrap();
        let file = |name: &str, text: String| {
            let path = dir.join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let root_pem = file("ca.pem", root.pem());
        let program = std::env::var("SATCHEL_S3_SERVER").expect("cargo xtask test sets it");
        let mut child = Command::new(program)
            // It writes its continuation tokens with DES, which is in OpenSSL's legacy provider.
            .env("NODE_OPTIONS", "--openssl-legacy-provider")
            .args([
                "-a",
                "localhost",
                "-p",
                "0",
                "--configure-bucket",
                "lake",
                "-d",
            ])
            .arg(dir.join("objects"))
            .arg("--cert")
            .arg(file("leaf.pem", leaf.pem()))
            .arg("--key")
            .arg(file("leaf.key", key.serialize_pem()))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = loop {
            let line = lines.next().expect("it says where it listens").unwrap();
            if line.contains("listening on") {
                break line.rsplit(':').next().unwrap().trim().to_owned();
            }
        };
        // It tells of every request, and stops if nobody hears.
        std::thread::spawn(move || lines.for_each(drop));
        let tls = TlsConfig::builder()
            .unversioned_rustls_crypto_provider(Arc::new(
                rustls::crypto::aws_lc_rs::default_provider(),
            ))
            .root_certs(RootCerts::Specific(Arc::new(vec![
                Certificate::from_pem(root.pem().as_bytes()).unwrap(),
            ])))
            .build();
        Self {
            child,
            endpoint: format!("https://localhost:{port}"),
            ca: root_pem,
            agent: ureq::Agent::new_with_config(
                ureq::Agent::config_builder().tls_config(tls).build(),
            ),
        }
    }

    fn put(&self, key: &str, content: &[u8]) {
        let endpoint = self.endpoint.parse().unwrap();
        let bucket = Bucket::new(endpoint, UrlStyle::Path, "lake", "us-east-1").unwrap();
        let credentials = Credentials::new(KEY, KEY);
        let url = (bucket.put_object(Some(&credentials), key)).sign(Duration::from_secs(60));
        self.agent.put(url.as_str()).send(content).unwrap();
    }
}

/// A command of the hub in `dir`; what it says, or how it fails.
fn hub(dir: &Path, args: &[&str], secret: Option<&str>) -> Result<String, String> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_satchel-hub"))
        .args(args)
        .arg("--data")
        .arg(dir.join("hub"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    if let (Some(secret), Some(mut input)) = (secret, child.stdin.take()) {
        writeln!(input, "{secret}").unwrap();
    }
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let wrong = String::from_utf8(output.stderr).unwrap();
    if output.status.success() {
        Ok(said)
    } else {
        Err(format!("{said}{wrong}"))
    }
}

#[test]
#[ignore = "needs an object store; cargo xtask test --only e2e installs it"]
fn scripts_read_objects_of_a_bucket_an_administrator_defines() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let server = Server::start(dir);
    hub(dir, &["init"], None).unwrap();
    for (key, content) in [
        ("open/2024/a.csv", "x,n\na,1\nb,2\n"),
        ("open/2024/b c.csv", "x,n\nü,30\n"),
        ("open/2025/a.csv", "x,n\nz,400\n"),
        ("open/subs.qvs", "LET vFound = 'included';"),
        ("secret/a.csv", "x,n\nsecret,666\n"),
    ] {
        server.put(key, content.as_bytes());
    }
    for n in 0..1001 {
        server.put(
            &format!("open/many/{n}.csv"),
            format!("m\n{n}\n").as_bytes(),
        );
    }
    let ca = server.ca.display().to_string();
    let add = |name: &str, user: &str, more: &[&str]| {
        let mut all = vec!["connection", "add", name, "--kind", "s3"];
        all.extend(["--url", &server.endpoint, "--bucket", "lake", "--ca", &ca]);
        all.extend(["--folder", "open", "--user", user, "--secret-stdin"]);
        all.extend(more);
        hub(dir, &all, Some(KEY)).unwrap();
    };
    add("Lake", KEY, &["--private"]);
    add("Near", KEY, &[]);
    add("Other", "nobody", &["--private"]);
    hub(dir, &["connection", "test", "lake"], None).unwrap();
    let listed = hub(dir, &["connection", "list"], None).unwrap();
    assert!(
        listed.contains("/lake/open") && listed.contains("sealed"),
        "{listed}"
    );

    let run = |script: &str| {
        let file = dir.join("script.qvs");
        std::fs::write(&file, script).unwrap();
        hub(
            dir,
            &["script", "run", file.to_str().unwrap(), "--connections"],
            None,
        )
    };
    let said = run("\
$(must_include=lib://Lake/subs.qvs)
TRACE $(vFound);
Sales: LOAD * FROM [lib://lake/2024/*.csv] (txt, utf8);
CONCATENATE LOAD * FROM [lib://Lake/2025/a.csv] (txt);
Totals: LOAD Sum(n) AS Total RESIDENT Sales;
TRACE total $(=Peek('Total', 0, 'Totals'));
FOR EACH f IN DirList('lib://Lake/*')
  TRACE folder $(f);
NEXT
DIRECTORY [lib://Lake/2024];
TRACE size $(=FileSize('a.csv')) $(=Year(FileTime('a.csv')) >= 2020) none $(=IsNull(FileSize('c.csv')));
LET vMany = 0;
FOR EACH f IN FileList('lib://Lake/many/*.csv')
  LET vMany = vMany + 1;
NEXT
TRACE many $(vMany);
")
    .unwrap();
    for wanted in [
        "included",
        "total 433",
        "folder lib://Lake/2024\n",
        "folder lib://Lake/2025\n",
        "folder lib://Lake/many\n",
        "size 12 -1 none -1",
        "many 1001",
    ] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }

    for (script, code) in [
        (
            "LOAD * FROM [lib://Lake/2024/c.csv] (txt);",
            "source.not_found",
        ),
        (
            "LOAD * FROM [lib://Lake/../secret/a.csv] (txt);",
            "source.outside_root",
        ),
        (
            "LOAD * FROM [lib://Lake/2024/../../secret/a.csv] (txt);",
            "source.outside_root",
        ),
        (
            "LOAD * FROM [lib://Lake/*/a.csv] (txt);",
            "source.mask_in_folder",
        ),
        (
            "LOAD * FROM [lib://Near/2024/a.csv] (txt);",
            "source.address_private",
        ),
        (
            "LOAD * FROM [lib://Other/2024/a.csv] (txt);",
            "source.store_refused",
        ),
        (
            "T: LOAD 1 AS a AUTOGENERATE 1; STORE T INTO [lib://Lake/t.csv] (txt);",
            "source.cannot_write",
        ),
    ] {
        let wrong = run(script).unwrap_err();
        assert!(wrong.contains(code), "{script}: {wrong}");
        assert!(
            !wrong.contains("X-Amz") && !wrong.contains("666"),
            "{wrong}"
        );
    }
    let wrong = hub(dir, &["connection", "test", "other"], None).unwrap_err();
    assert!(wrong.contains("the store answers 403"), "{wrong}");
    let only_name = [
        "connection",
        "add",
        "Half",
        "--kind",
        "s3",
        "--url",
        &server.endpoint,
        "--bucket",
        "lake",
        "--user",
        KEY,
    ];
    let wrong = hub(dir, &only_name, None).unwrap_err();
    assert!(wrong.contains("--secret-stdin"), "{wrong}");
}
