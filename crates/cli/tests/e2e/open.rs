//! `satchel open`: the web UI and the engine on loopback, and who is let in.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command};

use serde_json::{Value, json};
use tungstenite::client::IntoClientRequest as _;
use tungstenite::protocol::CloseFrame;
use tungstenite::{Message, WebSocket};

use crate::bench::{Bench, Device, PASSWORD, Time, false_clock, forget_false_clock, text};

/// A running `satchel open`; killed when dropped.
struct Served {
    child: Child,
    port: u64,
    path: String,
    app: String,
    cookie: String,
}

impl Served {
    /// Reads the line it prints, and exchanges the token for the cookie.
    fn new(mut child: Child) -> Self {
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        if line.is_empty() {
            let mut error = String::new();
            child
                .stderr
                .take()
                .unwrap()
                .read_to_string(&mut error)
                .unwrap();
            panic!("satchel open serves nothing: {error}");
        }
        let said: Value = serde_json::from_str(&line).unwrap();
        let port = said["port"].as_u64().unwrap();
        let url = said["url"].as_str().unwrap();
        let path = url
            .strip_prefix(&format!("http://127.0.0.1:{port}"))
            .unwrap();
        let mut served = Self {
            child,
            port,
            path: path.to_owned(),
            app: said["app"].as_str().unwrap_or_default().to_owned(),
            cookie: String::new(),
        };
        let exchange = served.get(path, &[]);
        let cookie = exchange
            .lines()
            .find_map(|line| line.strip_prefix("set-cookie: "));
        let cookie = cookie.unwrap_or_else(|| panic!("no cookie: {exchange}"));
        for attribute in ["HttpOnly", "SameSite=Strict"] {
            assert!(cookie.contains(attribute), "{cookie}");
        }
        cookie
            .split(';')
            .next()
            .unwrap()
            .clone_into(&mut served.cookie);
        served
    }

    fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The whole answer to a request with these headers; `host` is ours unless they say other.
    fn get(&self, path: &str, headers: &[(&str, &str)]) -> String {
        let mut stream = TcpStream::connect(self.host()).unwrap();
        let mut request = format!("GET {path} HTTP/1.1\r\nconnection: close\r\n");
        if !headers.iter().any(|(name, _)| *name == "host") {
            request.push_str(&format!("host: {}\r\n", self.host()));
        }
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        stream
            .write_all(format!("{request}\r\n").as_bytes())
            .unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn get_as_owner(&self, path: &str) -> String {
        self.get(path, &[("cookie", &self.cookie)])
    }

    /// A QIX session, or the status of the refusal.
    fn connect(&self, headers: &[(&'static str, &str)]) -> Result<Session, u16> {
        let url = format!("ws://{}/app/{}", self.host(), self.app);
        let mut request = url.into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let stream = TcpStream::connect(self.host()).unwrap();
        match tungstenite::client(request, stream) {
            Ok((socket, _)) => Ok(Session { socket, next: 1 }),
            Err(tungstenite::HandshakeError::Failure(tungstenite::Error::Http(response))) => {
                Err(response.status().as_u16())
            }
            Err(other) => panic!("{other}"),
        }
    }

    fn session(&self) -> Session {
        self.connect(&[("cookie", &self.cookie)]).ok().unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        forget_false_clock(self.child.id());
    }
}

struct Session {
    socket: WebSocket<TcpStream>,
    next: i64,
}

impl Session {
    fn call(&mut self, handle: i64, method: &str, params: &Value) -> Value {
        let id = self.next;
        self.next += 1;
        let request = json!({
            "jsonrpc": "2.0", "id": id, "handle": handle, "method": method, "params": params,
        });
        self.socket
            .send(Message::text(request.to_string()))
            .unwrap();
        loop {
            let frame = self.socket.read().unwrap();
            let frame: Value = serde_json::from_str(frame.to_text().unwrap()).unwrap();
            if frame["id"] == id {
                return frame;
            }
        }
    }

    fn open(&mut self, app: &str) -> i64 {
        let opened = self.call(-1, "OpenDoc", &json!([app]));
        opened["result"]["qReturn"]["qHandle"]
            .as_i64()
            .unwrap_or_else(|| panic!("the app does not open: {opened}"))
    }

    fn sum(&mut self, doc: i64, expression: &str) -> f64 {
        let answer = self.call(doc, "EvaluateEx", &json!([expression]));
        answer["result"]["qValue"]["qNumber"]
            .as_f64()
            .unwrap_or_else(|| panic!("{expression}: {answer}"))
    }

    /// Waits for the end, and says why.
    fn end(&mut self) -> CloseFrame {
        loop {
            match self.socket.read().unwrap() {
                Message::Close(Some(frame)) => return frame,
                Message::Close(None) => panic!("closed without a reason"),
                _ => {}
            }
        }
    }
}

#[test]
fn the_present_time_of_a_session_is_that_of_this_computer() {
    let bench = Bench::new();
    let device = bench.device_with_sales("ben");
    let mut there = Command::new(device.program());
    there.env("TZ", "IST-5:30");
    let served = Served::new(device.spawn(there, &OPEN));
    let mut session = served.session();
    let doc = session.open(&served.app);
    for now in ["Now()", "LocalTime()"] {
        let ahead = session.sum(doc, &format!("Round(({now} - UTC()) * 1440)"));
        assert_eq!(ahead, 330.0, "{now}");
    }
}

const OPEN: [&str; 3] = ["open", "Sales", "--no-browser"];

fn serve(device: &Device) -> Served {
    Served::new(device.start(&OPEN))
}

#[test]
fn an_app_opens_with_the_hub_down_and_agrees_with_ask() {
    let bench = Bench::new();
    let mut hub = bench.second_hub("127.0.0.1");
    let url = format!("https://127.0.0.1:{}", hub.port);
    let device = bench.device();
    device
        .satchel(&["hub", "add", &url, "--ca", text(&bench.ca)])
        .done();
    device.sign_in("ben").done();
    device.satchel(&["download", "Sales"]).done();
    hub.stop();

    let served = serve(&device);
    let mut session = served.session();
    let doc = session.open(&served.app);
    assert_eq!(session.sum(doc, "Sum(AMOUNT)"), device.sales());
    let save = session.call(doc, "DoSave", &json!([]));
    assert!(save["error"].is_object(), "nothing is saved here: {save}");

    let page = served.get_as_owner("/");
    assert!(page.contains("satchel-place"), "{page}");
    assert!(page.contains("cache-control: no-store"), "{page}");
    assert!(page.contains("default-src 'none'"), "{page}");
    for absent in ["/sw.js", "/api/v1/me", "/package-1"] {
        let answer = served.get_as_owner(absent);
        assert!(answer.starts_with("HTTP/1.1 404"), "{absent}: {answer}");
    }
    let state = served.get_as_owner("/api/v1/device");
    assert!(state.contains(r#""title":"Sales""#), "{state}");
}

// threat: T-42
#[test]
fn nobody_else_is_let_in() {
    let bench = Bench::new();
    let device = bench.device_with_sales("ben");
    let served = serve(&device);
    for path in ["/", "/api/v1/device", "/icon.svg", served.path.as_str()] {
        let answer = served.get(path, &[]);
        assert!(answer.starts_with("HTTP/1.1 403"), "{path}: {answer}");
        assert!(!answer.contains("Sales"), "{answer}");
    }
    let cookie = ("cookie", served.cookie.as_str());
    let foreign_host = ("host", "evil.example");
    let answer = served.get("/api/v1/device", &[cookie, foreign_host]);
    assert!(answer.contains("loopback.foreign_host"), "{answer}");
    assert_eq!(served.connect(&[]).err(), Some(403), "no cookie");
    assert_eq!(served.connect(&[cookie, foreign_host]).err(), Some(403));
    for origin in ["https://evil.example", "http://127.0.0.1:1", "null"] {
        let refused = served.connect(&[cookie, ("origin", origin)]);
        assert_eq!(refused.err(), Some(403), "{origin}");
    }
    let own = format!("http://{}", served.host());
    assert!(served.connect(&[cookie, ("origin", &own)]).is_ok());
}

// threat: T-05
#[test]
fn the_end_of_the_lease_closes_what_is_open() {
    let bench = Bench::new();
    let device = bench.device_with_sales("ben");
    device.sign_in("ben").done();
    let launch = Time::in_an_hour();
    let clock = device.home().with_file_name("clock");
    let set = |time: Time| {
        // Replaced as a whole: the client reads it at every look at the time.
        let next = clock.with_extension("next");
        fs::write(&next, time.to_text()).unwrap();
        fs::rename(next, &clock).unwrap();
    };
    device.satchel_at(launch, &["status"]).done();
    set(launch.plus(239, 3599));
    let mut faked = Command::new(device.program());
    false_clock(&mut faked)
        .env("FAKETIME_NO_CACHE", "1")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .env("FAKETIME_TIMESTAMP_FILE", &clock);
    let served = Served::new(device.spawn(faked, &OPEN));
    let mut session = served.session();
    let doc = session.open(&served.app);
    assert_eq!(session.sum(doc, "Sum(AMOUNT)"), 6995.0, "a second is left");
    set(launch.plus(240, 0));
    let end = session.end();
    assert_eq!(
        (u16::from(end.code), end.reason.as_str()),
        (4100, "lease.expired")
    );
    let mut late = served.session();
    assert_eq!(late.end().reason.as_str(), "lease.expired");
    let state = served.get_as_owner("/api/v1/device");
    assert!(state.contains(r#""code":"lease.expired""#), "{state}");
    let refused = device.satchel_at(launch.plus(240, 0), &OPEN);
    assert_eq!(refused.code(), "lease.expired");
}

// threat: T-02
#[test]
fn locking_elsewhere_closes_what_is_open() {
    let bench = Bench::new();
    let device = bench.device_with_hub();
    let arguments = ["sign-in", "--user", r"DEMO\fay", "--pin"];
    let input = format!("{PASSWORD}\n2580");
    device.satchel_with_input(&arguments, &input).done();
    device.satchel(&["download", "Sales"]).done();
    let served = serve(&device);
    let mut session = served.session();
    session.open(&served.app);
    device.satchel(&["lock"]).done();
    assert_eq!(session.end().reason.as_str(), "vault.locked");
    let state = served.get_as_owner("/api/v1/device");
    assert!(state.contains(r#""locked":true"#), "{state}");
    assert!(!state.contains("Sales"), "{state}");
    assert_eq!(device.satchel(&OPEN).code(), "vault.locked");
}

#[test]
fn what_ask_refuses_is_not_served() {
    let bench = Bench::new();
    let device = bench.device_with_sales("ben");
    let package = device.package();
    let genuine = fs::read(&package).unwrap();
    let mut changed = genuine.clone();
    changed[genuine.len() / 2] ^= 1;
    fs::write(&package, &changed).unwrap();
    let code = device.satchel(&OPEN).code();
    assert!(code.starts_with("package."), "{code}");
    let other = bench.device_with_sales("ada");
    fs::write(&package, fs::read(other.package()).unwrap()).unwrap();
    assert_eq!(device.satchel(&OPEN).code(), "package.wrong_user");
    fs::write(&package, &genuine).unwrap();
    let served = serve(&device);
    device.satchel(&["sign-out"]).done();
    assert_eq!(served_end(&served), "lease.not_signed_in");
    assert_eq!(device.satchel(&OPEN).code(), "lease.not_signed_in");
}

/// How a session that does nothing ends.
fn served_end(served: &Served) -> String {
    served.session().end().reason.as_str().to_owned()
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_it_in_order() {
    let bench = Bench::new();
    let device = bench.device_with_sales("ben");
    let mut served = serve(&device);
    let mut session = served.session();
    session.open(&served.app);
    let pid = served.child.id().to_string();
    let sent = Command::new("kill").args(["-INT", &pid]).status().unwrap();
    assert!(sent.success());
    assert_eq!(u16::from(session.end().code), 1001);
    assert_eq!(served.child.wait().unwrap().code(), Some(0));
}
