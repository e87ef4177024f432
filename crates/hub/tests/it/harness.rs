//! A real hub on a free port with a CA of its own, and a small client that speaks HTTP/1.1 and
//! WebSocket over TLS by hand, so that every header is the test's own.

use std::collections::HashMap;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

use rustls::pki_types::{CertificateDer, ServerName};
use satchel_base::{Clock, UnixMillis};
use satchel_contract::AccessType;
use satchel_hub::{ConnectionLimits, Direct, ReloadLimits, Serve, Served, serve};
use satchel_store::Store;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

pub const PASSWORD: &str = "correct horse battery";
pub const COOKIE: &str = "__Host-satchel-session";

/// A clock the test moves.
#[derive(Default)]
pub struct TestClock(AtomicI64);

impl TestClock {
    pub fn advance(&self, millis: i64) {
        self.0.fetch_add(millis, SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> UnixMillis {
        UnixMillis(self.0.load(SeqCst))
    }

    /// Hubs of the tests stand in India, so that nobody takes UTC for local time.
    fn local_offset_minutes(&self, _: UnixMillis) -> i32 {
        330
    }
}

pub struct Hub {
    pub dir: tempfile::TempDir,
    pub clock: Arc<TestClock>,
    pub address: SocketAddr,
    /// The port for API clients with a certificate.
    pub direct: SocketAddr,
    root: CertificateDer<'static>,
    served: Option<Served>,
    connector: TlsConnector,
}

impl Hub {
    /// A hub with these people, whose names are their access types' names.
    pub async fn start(types: &[AccessType]) -> Self {
        Self::start_with(types, &[]).await
    }

    /// The same, after this command.
    pub async fn start_with(types: &[AccessType], command: &[&str]) -> Self {
        let (connections, reloads) = (ConnectionLimits::default(), ReloadLimits::default());
        Self::start_limited(types, command, connections, reloads).await
    }

    /// The same with limits of the test's own.
    pub async fn start_limited(
        types: &[AccessType],
        command: &[&str],
        connections: ConnectionLimits,
        reloads: ReloadLimits,
    ) -> Self {
        let (dir, root, store) = prepare(types).await;
        if !command.is_empty() {
            run(dir.path(), command, None).unwrap();
        }
        let mut hub = Self::unserved(dir, root);
        hub.serve_limited(store, connections, reloads).await;
        hub
    }

    /// Serves a hub that was prepared.
    pub async fn serve(&mut self) {
        let store = self.store().await;
        let (connections, reloads) = (ConnectionLimits::default(), ReloadLimits::default());
        self.serve_limited(store, connections, reloads).await;
    }

    async fn serve_limited(
        &mut self,
        store: Store,
        connections: ConnectionLimits,
        reloads: ReloadLimits,
    ) {
        let dir = self.dir.path();
        let served = serve(Serve {
            store,
            clock: self.clock.clone(),
            listen: "127.0.0.1:0".parse().unwrap(),
            certificate: dir.join("hub.pem"),
            key: dir.join("hub.key"),
            origins: vec!["https://hub.example.org".into()],
            prefixes: vec!["portal".into()],
            direct: Some(Direct {
                listen: "127.0.0.1:0".parse().unwrap(),
                client_ca: dir.join("ca.pem"),
            }),
            connections,
            reloads,
        })
        .await
        .unwrap();
        self.address = served.address;
        self.direct = served.direct.unwrap();
        self.served = Some(served);
    }

    fn unserved(dir: tempfile::TempDir, root: CertificateDer<'static>) -> Self {
        let clock = Arc::new(TestClock::default());
        clock.advance(satchel_hub::SystemClock.now().0);
        Self {
            dir,
            clock,
            address: "127.0.0.1:0".parse().unwrap(),
            direct: "127.0.0.1:0".parse().unwrap(),
            root: root.clone(),
            served: None,
            connector: connector(root),
        }
    }

    /// The same, not served yet, for tests that start the process themselves.
    pub async fn prepared(types: &[AccessType]) -> Self {
        let (dir, root, store) = prepare(types).await;
        store.close().await;
        Self::unserved(dir, root)
    }

    /// The repository, opened beside the running hub.
    pub async fn store(&self) -> Store {
        Store::open(&self.dir.path().join("hub")).await.unwrap()
    }

    /// Runs `satchel-hub` on this hub's folder; standard output, or standard error if it failed.
    pub fn command(&self, args: &[&str]) -> Result<String, String> {
        run(self.dir.path(), args, None)
    }

    pub async fn stop(mut self) {
        if let Some(served) = self.served.take() {
            served.stop().await;
        }
    }

    pub async fn tls(&self) -> TlsStream<TcpStream> {
        let tcp = TcpStream::connect(self.address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        self.connector.connect(name, tcp).await.unwrap()
    }

    /// A connection to the port for API clients, with the certificate in `name.pem` if given.
    pub async fn direct_tls(&self, name: Option<&str>) -> TlsStream<TcpStream> {
        use rustls::pki_types::PrivateKeyDer;
        use rustls::pki_types::pem::PemObject;
        let file = |ending: &str| {
            self.dir
                .path()
                .join(format!("{}.{ending}", name.unwrap_or("")))
        };
        let mut roots = rustls::RootCertStore::empty();
        roots.add(self.root.clone()).unwrap();
        let builder = client_config().with_root_certificates(roots);
        let config = match name {
            Some(_) => {
                let certificate = CertificateDer::from_pem_file(file("pem")).unwrap();
                let key = PrivateKeyDer::from_pem_file(file("key")).unwrap();
                builder
                    .with_client_auth_cert(vec![certificate], key)
                    .unwrap()
            }
            None => builder.with_no_client_auth(),
        };
        let tcp = TcpStream::connect(self.direct).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        connector.connect(name, tcp).await.unwrap()
    }

    /// A request as a page of this hub would send it, with these further headers.
    pub async fn browser(
        &self,
        request: &str,
        cookie: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Answer {
        let mut all = vec![("sec-fetch-site", "same-origin")];
        all.extend_from_slice(headers);
        self.send(request, cookie, &all, body).await
    }

    /// A request as the native client would send it.
    pub async fn native(&self, request: &str, cookie: &str, body: Option<Value>) -> Answer {
        self.send(
            request,
            cookie,
            &[("x-satchel-client", "satchel 0.1.0")],
            body,
        )
        .await
    }

    /// A request with exactly these headers. `request` is `POST /path`.
    pub async fn send(
        &self,
        request: &str,
        cookie: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Answer {
        send_over(self.tls().await, request, cookie, headers, body).await
    }

    /// Signs in from a browser as `TEST\name`; the session's token.
    pub async fn sign_in(&self, name: &str) -> String {
        let answer = self
            .browser(
                "POST /api/v1/sign-in",
                "",
                &[],
                Some(credentials(name, PASSWORD)),
            )
            .await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.token()
    }

    /// Signs in as the native client does.
    pub async fn sign_in_natively(&self, name: &str) -> Answer {
        let body = Some(credentials(name, PASSWORD));
        self.native("POST /api/v1/sign-in", "", body).await
    }

    /// Opens a socket; the status if that is refused.
    pub async fn socket(
        &self,
        path: &str,
        cookie: &str,
        headers: &[(&str, &str)],
    ) -> Result<Socket, Answer> {
        socket_over(self.tls().await, path, cookie, headers).await
    }
}

/// A request with exactly these headers over a connection. `request` is `POST /path`.
pub async fn send_over(
    mut stream: TlsStream<TcpStream>,
    request: &str,
    cookie: &str,
    headers: &[(&str, &str)],
    body: Option<Value>,
) -> Answer {
    let mut text = format!("{request} HTTP/1.1\r\nconnection: close\r\n");
    if !headers.iter().any(|(name, _)| *name == "host") {
        text += "host: localhost\r\n";
    }
    if !cookie.is_empty() {
        text += &format!("cookie: {COOKIE}={cookie}\r\n");
    }
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    let body = body.map(|b| b.to_string()).unwrap_or_default();
    if !body.is_empty() {
        text += "content-type: application/json\r\n";
    }
    text += &format!("content-length: {}\r\n\r\n{body}", body.len());
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    Answer::parse(&bytes)
}

/// Opens a socket over a connection; the status if that is refused.
pub async fn socket_over(
    mut stream: TlsStream<TcpStream>,
    path: &str,
    cookie: &str,
    headers: &[(&str, &str)],
) -> Result<Socket, Answer> {
    let mut text = format!(
        "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\
         cookie: {COOKIE}={cookie}\r\n"
    );
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    text += "\r\n";
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let mut answer = Answer::parse(&head);
    if answer.status == 101 {
        return Ok(Socket { stream });
    }
    let length = answer
        .headers
        .get("content-length")
        .map_or(0, |l| l.parse().unwrap());
    answer.body = vec![0; length];
    stream.read_exact(&mut answer.body).await.unwrap();
    Err(answer)
}

/// A hub on the disk with these people, and the root of its certificate.
async fn prepare(types: &[AccessType]) -> (tempfile::TempDir, CertificateDer<'static>, Store) {
    let dir = tempfile::tempdir().unwrap();
    let root = make_certificates(dir.path());
    run(dir.path(), &["init", "--name", "Test hub"], None).unwrap();
    let store = Store::open(&dir.path().join("hub")).await.unwrap();
    for access_type in AccessType::ALL {
        store.set_licences(access_type, 10).await.unwrap();
    }
    for access_type in types {
        let name = format!("TEST\\{}", access_type.name());
        let add = [
            "user",
            "add",
            &name,
            "--name",
            access_type.title(),
            "--password-stdin",
        ];
        run(dir.path(), &add, Some(PASSWORD)).unwrap();
        if *access_type != AccessType::None {
            run(
                dir.path(),
                &["licence", "assign", &name, access_type.name()],
                None,
            )
            .unwrap();
        }
    }
    (dir, root, store)
}

fn connector(root: CertificateDer<'static>) -> TlsConnector {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(root).unwrap();
    let config = client_config()
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

fn client_config() -> rustls::ConfigBuilder<rustls::ClientConfig, rustls::WantsVerifier> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
}

pub fn credentials(name: &str, password: &str) -> Value {
    serde_json::json!({ "user": format!("TEST\\{name}"), "password": password })
}

/// An HTTP answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HashMap<String, String>,
    pub body: Vec<u8>,
}

impl Answer {
    fn parse(bytes: &[u8]) -> Self {
        let end = bytes
            .windows(4)
            .position(|w| w == b"\r\n\r\n")
            .expect("a whole head");
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let mut lines = head.lines();
        let status = lines
            .next()
            .unwrap()
            .split(' ')
            .nth(1)
            .unwrap()
            .parse()
            .unwrap();
        let headers = lines
            .filter_map(|l| l.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        Self {
            status,
            headers,
            body: bytes[end + 4..].to_vec(),
        }
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    /// The code of a refusal; empty for any other answer.
    pub fn code(&self) -> String {
        serde_json::from_slice::<Value>(&self.body)
            .ok()
            .and_then(|b| b["error"]["code"].as_str().map(str::to_owned))
            .unwrap_or_default()
    }

    /// The session's token from the cookie.
    pub fn token(&self) -> String {
        let cookie = &self.headers["set-cookie"];
        let (pair, attributes) = cookie.split_once(';').unwrap();
        assert_eq!(attributes.trim(), "Path=/; Secure; HttpOnly; SameSite=Lax");
        pair.strip_prefix(COOKIE)
            .unwrap()
            .strip_prefix('=')
            .unwrap()
            .to_owned()
    }
}

/// A WebSocket.
pub struct Socket {
    stream: TlsStream<TcpStream>,
}

impl Socket {
    pub async fn write(&mut self, text: &str) {
        // A peer that closes in the middle of a frame is seen when reading.
        let _ = self.try_write(text).await;
    }

    /// Whether the connection still takes it.
    pub async fn try_write(&mut self, text: &str) -> bool {
        let mut frame = vec![0x81];
        match text.len() {
            n @ 0..=125 => frame.push(0x80 | n as u8),
            n => {
                frame.push(0x80 | 127);
                frame.extend_from_slice(&(n as u64).to_be_bytes());
            }
        }
        // A mask of zeros leaves the text as it is.
        frame.extend_from_slice(&[0; 4]);
        frame.extend_from_slice(text.as_bytes());
        self.stream.write_all(&frame).await.is_ok()
    }

    /// The next text frame; the close code if the hub closes.
    /// A question for a sign of life is answered.
    pub async fn read(&mut self) -> Result<Value, u16> {
        const PING: [u8; 2] = [0x89, 0];
        let mut first = self.stream.read_u8().await.map_err(|_| 0u16)?;
        while first == PING[0] {
            assert_eq!(self.stream.read_u8().await.map_err(|_| 0u16)?, PING[1]);
            let _ = self.stream.write_all(&[0x8a, 0x80, 0, 0, 0, 0]).await;
            first = self.stream.read_u8().await.map_err(|_| 0u16)?;
        }
        let length = match self.stream.read_u8().await.map_err(|_| 0u16)? {
            126 => u64::from(self.stream.read_u16().await.unwrap()),
            127 => self.stream.read_u64().await.unwrap(),
            n => u64::from(n),
        };
        let mut payload = vec![0; length as usize];
        self.stream
            .read_exact(&mut payload)
            .await
            .map_err(|_| 0u16)?;
        match first & 0x0f {
            1 => Ok(serde_json::from_slice(&payload).unwrap()),
            8 => Err(u16::from_be_bytes([payload[0], payload[1]])),
            other => panic!("an unexpected frame of kind {other}"),
        }
    }

    /// The bytes that still come until the hub closes, without a sign of life.
    pub async fn drain(mut self) -> u64 {
        tokio::io::copy(&mut self.stream, &mut tokio::io::sink())
            .await
            .unwrap_or(0)
    }

    /// Closes in order, and waits until the hub has done so too.
    pub async fn close(mut self) {
        let _ = self.stream.write_all(&[0x88, 0x80, 0, 0, 0, 0]).await;
        let mut rest = Vec::new();
        let _ = self.stream.read_to_end(&mut rest).await;
    }

    pub async fn call(&mut self, handle: i64, method: &str, params: Value) -> Value {
        let request = serde_json::json!({
            "jsonrpc": "2.0", "id": 1, "handle": handle, "method": method, "params": params
        });
        self.write(&request.to_string()).await;
        self.read().await.unwrap()
    }
}

/// Runs `satchel-hub`.
pub fn run(dir: &Path, args: &[&str], input: Option<&str>) -> Result<String, String> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_satchel-hub"))
        .args(args)
        .arg("--data")
        .arg(dir.join("hub"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    if let (Some(text), Some(mut stdin)) = (input, child.stdin.take()) {
        writeln!(stdin, "{text}").unwrap();
    }
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    if output.status.success() {
        Ok(text(output.stdout))
    } else {
        Err(format!("{args:?}: {}", text(output.stderr)))
    }
}

/// An app folder with a small table and section access: `PROFESSIONAL` sees two of four rows
/// and not the field `Margin`, `ANALYZER` is an unreduced ADMIN, nobody else is let in.
pub fn app_folder(dir: &Path) -> PathBuf {
    let folder = dir.join("sales");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(
        folder.join("app.json"),
        r#"{"properties":{"qTitle":"Sales","description":"Numbers"}}"#,
    )
    .unwrap();
    std::fs::write(
        folder.join("sales.csv"),
        "Region,Amount,Margin\nNORTH,1,0.1\nNORTH,2,0.2\nSOUTH,4,0.3\nWEST,8,0.4\n",
    )
    .unwrap();
    std::fs::write(
        folder.join("load.qvs"),
        "SECTION ACCESS;\nLOAD * INLINE [\nACCESS,USERID,REGION,OMIT\nUSER,TEST\\PROFESSIONAL,NORTH,Margin\nADMIN,TEST\\ANALYZER,,\n];\n\
         SECTION APPLICATION;\nSales:\nLOAD Region, Region AS REGION, Amount, Margin FROM [sales.csv] (txt, utf8, embedded labels, delimiter is ',');\n",
    )
    .unwrap();
    folder
}

fn make_certificates(dir: &Path) -> CertificateDer<'static> {
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
    let ca_key = KeyPair::generate().unwrap();
    let mut ca = CertificateParams::new(Vec::<String>::new()).unwrap();
    ca.distinguished_name.push(DnType::CommonName, "Test CA");
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = ca.self_signed(&ca_key).unwrap();
    let issuer = Issuer::new(ca, ca_key);
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["localhost".to_owned()])
        .unwrap()
        .signed_by(&key, &issuer)
        .unwrap();
    std::fs::write(dir.join("hub.pem"), leaf.pem()).unwrap();
    std::fs::write(dir.join("hub.key"), key.serialize_pem()).unwrap();
    std::fs::write(dir.join("ca.pem"), root.pem()).unwrap();
    let key = KeyPair::generate().unwrap();
    let client = CertificateParams::new(vec!["api-client".to_owned()])
        .unwrap()
        .signed_by(&key, &issuer)
        .unwrap();
    std::fs::write(dir.join("client.pem"), client.pem()).unwrap();
    std::fs::write(dir.join("client.key"), key.serialize_pem()).unwrap();
    // Signed by itself: nobody the hub knows.
    let key = KeyPair::generate().unwrap();
    let stranger = CertificateParams::new(vec!["api-client".to_owned()])
        .unwrap()
        .self_signed(&key)
        .unwrap();
    std::fs::write(dir.join("stranger.pem"), stranger.pem()).unwrap();
    std::fs::write(dir.join("stranger.key"), key.serialize_pem()).unwrap();
    root.der().clone()
}
