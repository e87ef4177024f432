//! Data from beside files: databases and sites that an administrator defines.

use std::process::Command;
use std::sync::Arc;

use satchel_contract::AccessType;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::{Hub, run};
use crate::scripts::{import, number};

#[tokio::test(flavor = "multi_thread")]
async fn a_script_reads_a_database_by_the_name_of_its_connection() {
    let hub = Hub::start(&[AccessType::Analyzer, AccessType::Professional]).await;
    let file = hub.dir.path().join("sales.sqlite");
    let made = Command::new("sqlite3")
        .arg(&file)
        .arg("CREATE TABLE sales (region TEXT, amount REAL, n INTEGER); INSERT INTO sales VALUES ('N', 1.5, 1), ('S', 2.5, NULL);")
        .status()
        .expect("cargo xtask setup installs sqlite3");
    assert!(made.success());
    let file = file.to_str().unwrap();
    let add = [
        "connection",
        "add",
        "Sales DB",
        "--kind",
        "sqlite",
        "--file",
        file,
        "--for",
        "TEST\\ANALYZER",
    ];
    hub.command(&add).unwrap();
    hub.command(&["connection", "test", "sales db"]).unwrap();

    let script = "LIB CONNECT TO 'sales db';\nSales: LOAD region, amount * 2 AS double;\nSQL SELECT region, amount, n FROM sales WHERE amount > 1;\nDISCONNECT;";
    import(&hub, "sql", "TEST\\ANALYZER", script);
    hub.command(&["app", "reload", "sql"]).unwrap();
    assert_eq!(number(&hub, "analyzer", "sql", "Sum(double)").await, 8);

    // Somebody else's script does not learn that there is such a connection.
    import(&hub, "other", "TEST\\PROFESSIONAL", script);
    let refused = hub.command(&["app", "reload", "other"]).unwrap_err();
    assert!(refused.contains("source.connection_unknown"), "{refused}");
    assert!(!refused.contains("the connections are"), "{refused}");

    let writes = "LIB CONNECT TO 'Sales DB';\nSQL DELETE FROM sales;";
    import(&hub, "writes", "TEST\\ANALYZER", writes);
    let refused = hub.command(&["app", "reload", "writes"]).unwrap_err();
    assert!(refused.contains("source.sql_not_reading"), "{refused}");
    hub.command(&["connection", "remove", "SALES DB"]).unwrap();
    hub.command(&["connection", "test", "sales db"])
        .unwrap_err();
    hub.stop().await;
}

// threat: T-20
#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_sealed_and_shown_to_nobody() {
    let hub = Hub::prepared(&[]).await;
    let add = [
        "connection",
        "add",
        "db",
        "--kind",
        "postgres",
        "--host",
        "db.example.org",
        "--database",
        "d",
        "--user",
        "reader",
        "--secret-stdin",
    ];
    run(hub.dir.path(), &add, Some("swordfish-77")).unwrap();
    for shown in [
        &["connection", "list", "--json"][..],
        &["audit", "show", "--json"],
    ] {
        let shown = hub.command(shown).unwrap();
        assert!(
            shown.contains("db.example.org") && !shown.contains("swordfish"),
            "{shown}"
        );
    }
    let listed = hub.command(&["connection", "list"]).unwrap();
    assert!(
        listed.contains("reader@db.example.org/d") && listed.contains("sealed"),
        "{listed}"
    );
    let on_disk =
        |name: &str| std::fs::read(hub.dir.path().join("hub").join(name)).unwrap_or_default();
    for file in ["repository.sqlite", "repository.sqlite-wal"] {
        assert!(
            !on_disk(file).windows(9).any(|w| w == b"swordfish"),
            "{file}"
        );
    }
    let (connection, secret) = hub.store().await.connection("DB").await.unwrap();
    assert!(connection.has_secret);
    assert_eq!(secret.unwrap().expose(), "swordfish-77");
}

/// A site of the test's own: a fixed answer for each path.
struct Site {
    port: u16,
    ca: std::path::PathBuf,
    task: tokio::task::JoinHandle<()>,
}

impl Site {
    async fn start(dir: &std::path::Path) -> Self {
        use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
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
        let path = dir.join("site-ca.pem");
        std::fs::write(&path, root.pem()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], key)
            .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let Ok(mut tls) = acceptor.accept(tcp).await else {
                        return;
                    };
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        match tls.read_u8().await {
                            Ok(byte) => head.push(byte),
                            Err(_) => return,
                        }
                    }
                    let head = String::from_utf8_lossy(&head).to_lowercase();
                    let path = head.split(' ').nth(1).unwrap_or_default();
                    let allowed = head.contains("authorization: bearer abc");
                    let answer = match path {
                        "/data/a.csv" => ok("x\n1\n2\n"),
                        "/data/moved.csv" => moved("/data/a.csv"),
                        "/data/away.csv" => moved("/secret/a.csv"),
                        "/data/off.csv" => moved("https://127.0.0.1:1/data/a.csv"),
                        "/data/loop.csv" => moved("/data/loop.csv"),
                        "/data/key.csv" if allowed => ok("x\n5\n"),
                        "/data/large.csv" => ok(&"x\n".repeat(600_000)),
                        "/secret/a.csv" => ok("x\n666\n"),
                        _ => "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_owned(),
                    };
                    let _ = tls.write_all(answer.as_bytes()).await;
                    let _ = tls.shutdown().await;
                });
            }
        });
        Self {
            port,
            ca: path,
            task,
        }
    }
}

fn ok(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn moved(to: &str) -> String {
    format!(
        "HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    )
}

// threat: T-25
#[tokio::test(flavor = "multi_thread")]
async fn files_of_an_allowed_site_are_read_and_of_no_other() {
    let hub = Hub::start(&[AccessType::Analyzer]).await;
    let site = Site::start(hub.dir.path()).await;
    let base = format!("https://localhost:{}/data/", site.port);
    let add = |more: &[&str], secret: Option<&str>| {
        let mut all = vec!["connection", "add", "Site", "--kind", "web", "--url", &base];
        all.extend(["--ca", site.ca.to_str().unwrap()]);
        all.extend(more);
        run(hub.dir.path(), &all, secret).unwrap();
    };
    let load = |from: &str| {
        let title = "web";
        let folder = hub.dir.path().join(title);
        if folder.exists() {
            hub.command(&["app", "remove", title]).unwrap();
        }
        import(
            &hub,
            title,
            "TEST\\ANALYZER",
            &format!("T: LOAD x FROM {from};"),
        );
        hub.command(&["app", "reload", title])
    };
    // Without a connection no address is read, and none in a private network without leave.
    let direct = format!("[{base}a.csv] (txt)");
    let refused = load(&direct).unwrap_err();
    assert!(refused.contains("source.address_not_allowed"), "{refused}");
    add(&[], None);
    let refused = load(&direct).unwrap_err();
    assert!(refused.contains("source.address_private"), "{refused}");

    add(&["--private", "--max-mib", "1"], None);
    for from in [
        direct.as_str(),
        "[lib://site/a.csv]",
        "[lib://Site/moved.csv] (txt)",
        &format!("[lib://Site] (txt, URL is '{base}a.csv')"),
    ] {
        load(from).unwrap();
        assert_eq!(number(&hub, "analyzer", "web", "Sum(x)").await, 3, "{from}");
    }
    for (from, code) in [
        ("[lib://Site/away.csv]", "source.address_not_allowed"),
        ("[lib://Site/off.csv]", "source.address_not_allowed"),
        ("[lib://Site/../secret/a.csv]", "source.address_not_allowed"),
        (
            "[lib://Site/%2e%2e/secret/a.csv]",
            "source.address_not_allowed",
        ),
        ("[lib://Site/loop.csv]", "source.web_failed"),
        ("[lib://Site/none.csv]", "source.web_failed"),
        ("[lib://Site/key.csv]", "source.web_failed"),
        ("[lib://Site/large.csv]", "source.web_too_large"),
    ] {
        let refused = load(from).unwrap_err();
        assert!(refused.contains(code), "{from}: {refused}");
    }
    add(
        &["--private", "--header", "Authorization", "--secret-stdin"],
        Some("Bearer abc"),
    );
    load("[lib://Site/key.csv]").unwrap();
    assert_eq!(number(&hub, "analyzer", "web", "Sum(x)").await, 5);
    site.task.abort();
    hub.stop().await;
}
