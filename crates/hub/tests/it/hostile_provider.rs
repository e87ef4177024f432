//! An OpenID Connect provider that can be told to answer wrongly.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use satchel_base::Clock;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::harness::TestClock;

pub const CLIENT: &str = "satchel";
pub const SECRET: &str = "a secret of the client";

/// A key of the provider's.
pub struct Key {
    pub kid: String,
    private: EncodingKey,
    x: String,
    y: String,
}

impl Key {
    pub fn make(kid: &str) -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let private = EncodingKey::from_ec_pem(key.serialize_pem().as_bytes()).unwrap();
        let point = key.public_key_raw();
        assert_eq!((point.len(), point[0]), (65, 4));
        Self {
            kid: kid.into(),
            private,
            x: URL_SAFE_NO_PAD.encode(&point[1..33]),
            y: URL_SAFE_NO_PAD.encode(&point[33..]),
        }
    }

    pub fn jwk(&self) -> Value {
        json!({"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.kid, "x": self.x, "y": self.y})
    }

    pub fn sign(&self, header: &Header, claims: &Value) -> String {
        jsonwebtoken::encode(header, claims, &self.private).unwrap()
    }

    pub fn header(&self) -> Header {
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(self.kid.clone());
        header
    }
}

type Change = Box<dyn Fn(&mut Value) + Send>;
type Sign = Box<dyn Fn(&Key, &Value) -> String + Send>;

/// How the token address answers.
pub enum Reply {
    Json,
    Redirect,
    TooLong,
    Never,
    Status(u16),
    Html,
}

/// What the provider does next.
pub struct Doing {
    pub key: Key,
    pub published: Vec<Value>,
    pub describe: Change,
    pub claim: Change,
    pub sign: Sign,
    pub answer: Change,
    pub reply: Reply,
    pub userinfo: Value,
    pub n_key_requests: usize,
    codes: HashMap<String, Asked>,
}

/// What somebody came with.
#[derive(Clone)]
struct Asked {
    nonce: String,
    challenge: String,
    back: String,
}

pub struct Provider {
    pub port: u16,
    pub doing: Arc<Mutex<Doing>>,
}

fn nothing() -> Change {
    Box::new(|_| {})
}

impl Provider {
    /// Serves with the certificate in the folder.
    pub async fn start(dir: &Path, clock: Arc<TestClock>) -> Self {
        let key = Key::make("one");
        let doing = Doing {
            published: vec![key.jwk()],
            key,
            describe: nothing(),
            claim: nothing(),
            sign: Box::new(|key, claims| key.sign(&key.header(), claims)),
            answer: nothing(),
            reply: Reply::Json,
            userinfo: json!({"sub": "subject-1"}),
            n_key_requests: 0,
            codes: HashMap::new(),
        };
        let doing = Arc::new(Mutex::new(doing));
        let chain = CertificateDer::pem_file_iter(dir.join("hub.pem")).unwrap();
        let chain = chain.map(Result::unwrap).collect();
        let secret = PrivateKeyDer::from_pem_file(dir.join("hub.key")).unwrap();
        let aws = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(aws)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, secret)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = doing.clone();
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let (acceptor, doing, clock) = (acceptor.clone(), shared.clone(), clock.clone());
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(tcp).await {
                        serve(stream, port, doing, clock).await;
                    }
                });
            }
        });
        Self { port, doing }
    }

    pub fn issuer(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    /// Everything right again, and the same key.
    pub fn behave(&self) {
        let mut doing = self.doing.lock().unwrap();
        doing.published = vec![doing.key.jwk()];
        doing.describe = nothing();
        doing.claim = nothing();
        doing.sign = Box::new(|key, claims| key.sign(&key.header(), claims));
        doing.answer = nothing();
        doing.reply = Reply::Json;
    }

    /// A person signs in here: the code they go back with.
    pub fn code(&self, query: &HashMap<String, String>) -> String {
        let mut doing = self.doing.lock().unwrap();
        let code = format!("code {}", doing.codes.len());
        let asked = Asked {
            nonce: query["nonce"].clone(),
            challenge: query["code_challenge"].clone(),
            back: query["redirect_uri"].clone(),
        };
        doing.codes.insert(code.clone(), asked);
        code
    }
}

async fn serve(
    mut stream: TlsStream<TcpStream>,
    port: u16,
    doing: Arc<Mutex<Doing>>,
    clock: Arc<TestClock>,
) {
    let mut bytes = Vec::new();
    let (head, body) = loop {
        let mut part = [0; 4096];
        match stream.read(&mut part).await {
            Ok(n) if n > 0 => bytes.extend_from_slice(&part[..n]),
            _ => return,
        }
        let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let length = head
            .lines()
            .find_map(|l| {
                l.to_lowercase()
                    .strip_prefix("content-length: ")
                    .map(str::to_owned)
            })
            .map_or(0, |l| l.parse().unwrap());
        if bytes.len() >= end + 4 + length {
            break (head, String::from_utf8(bytes[end + 4..].to_vec()).unwrap());
        }
    };
    let path = head.split(' ').nth(1).unwrap().to_owned();
    let answer = answer(&path, &head, &body, port, &doing, &clock);
    let Some((status, extra, body)) = answer else {
        // Says nothing until the other side has had enough.
        let _ = stream.read(&mut [0; 1]).await;
        return;
    };
    let text = format!(
        "HTTP/1.1 {status} x\r\n{extra}content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let _ = stream.write_all(text.as_bytes()).await;
    let _ = stream.shutdown().await;
}

fn answer(
    path: &str,
    head: &str,
    body: &str,
    port: u16,
    doing: &Mutex<Doing>,
    clock: &TestClock,
) -> Option<(u16, String, String)> {
    let mut doing = doing.lock().unwrap();
    let here = format!("https://localhost:{port}");
    let ok = |v: Value| Some((200, String::new(), v.to_string()));
    match path {
        "/.well-known/openid-configuration" => {
            let mut says = json!({
                "issuer": here,
                "authorization_endpoint": format!("{here}/authorize"),
                "token_endpoint": format!("{here}/token"),
                "userinfo_endpoint": format!("{here}/userinfo"),
                "jwks_uri": format!("{here}/keys"),
                "code_challenge_methods_supported": ["S256"],
            });
            (doing.describe)(&mut says);
            ok(says)
        }
        "/keys" => {
            doing.n_key_requests += 1;
            ok(json!({ "keys": doing.published }))
        }
        "/userinfo" => ok(doing.userinfo.clone()),
        "/token" => match doing.reply {
            Reply::Never => None,
            Reply::Redirect => Some((
                307,
                "location: http://localhost:1/token\r\n".into(),
                String::new(),
            )),
            Reply::TooLong => ok(json!({ "id_token": "x".repeat(1 << 20) })),
            Reply::Html => Some((200, String::new(), "<html>".into())),
            Reply::Status(status) => Some((status, String::new(), "{}".into())),
            Reply::Json => Some(token(head, body, &here, &mut doing, clock)),
        },
        _ => Some((404, String::new(), String::new())),
    }
}

/// Checks everything an honest provider checks.
fn token(
    head: &str,
    body: &str,
    here: &str,
    doing: &mut Doing,
    clock: &TestClock,
) -> (u16, String, String) {
    let refuse = |why: &str| (400, String::new(), json!({ "error": why }).to_string());
    let form: HashMap<String, String> = form_urlencoded::parse(body.as_bytes())
        .into_owned()
        .collect();
    let pair = format!("{CLIENT}:{}", SECRET.replace(' ', "+"));
    let basic = base64::engine::general_purpose::STANDARD.encode(pair);
    if !head.contains(&format!("authorization: Basic {basic}")) {
        return refuse("invalid_client");
    }
    let Some(asked) = form.get("code").and_then(|c| doing.codes.remove(c)) else {
        return refuse("invalid_grant");
    };
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(form["code_verifier"].as_bytes()));
    if challenge != asked.challenge || form["redirect_uri"] != asked.back {
        return refuse("invalid_grant");
    }
    let now = clock.now().0 / 1000;
    let mut claims = json!({
        "iss": here, "aud": CLIENT, "sub": "subject-1", "nonce": asked.nonce,
        "iat": now, "exp": now + 300, "preferred_username": "ann", "name": "Ann A.",
        "email": "ann@example.org", "email_verified": true, "groups": ["Sales"],
    });
    (doing.claim)(&mut claims);
    let id_token = (doing.sign)(&doing.key, &claims);
    let mut answer = json!({"id_token": id_token, "access_token": "at", "token_type": "Bearer"});
    (doing.answer)(&mut answer);
    (200, String::new(), answer.to_string())
}
