//! `satchel open` as a test talks to it: HTTP and QIX on loopback.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Child;

use serde_json::{Value, json};
use tungstenite::client::IntoClientRequest as _;
use tungstenite::protocol::CloseFrame;
use tungstenite::{Message, WebSocket};

use crate::bench::{Device, forget_false_clock};

/// What starts it on the sales app.
pub const OPEN: [&str; 3] = ["open", "Sales", "--no-browser"];

/// Starts it.
pub fn serve(device: &Device) -> Served {
    Served::new(device.start(&OPEN))
}

/// A running `satchel open`; killed when dropped.
pub struct Served {
    /// The process.
    pub child: Child,
    port: u64,
    /// Of the address it printed.
    pub path: String,
    /// The app it begins with.
    pub app: String,
    /// What the token was exchanged for.
    pub cookie: String,
}

impl Served {
    /// Reads the line it prints, and exchanges the token for the cookie.
    pub fn new(mut child: Child) -> Self {
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

    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The whole answer to a request with these headers; `host` is ours unless they say other.
    pub fn get(&self, path: &str, headers: &[(&str, &str)]) -> String {
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

    /// The answer to a request with this JSON, as the page that was let in.
    pub fn post(&self, path: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(self.host()).unwrap();
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: {0}\r\norigin: http://{0}\r\ncookie: {1}\r\n\
             content-type: application/json\r\ncontent-length: {2}\r\n\
             connection: close\r\n\r\n{body}",
            self.host(),
            self.cookie,
            body.len(),
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    pub fn get_as_owner(&self, path: &str) -> String {
        self.get(path, &[("cookie", &self.cookie)])
    }

    /// A QIX session, or the status of the refusal.
    pub fn connect(&self, headers: &[(&'static str, &str)]) -> Result<Session, u16> {
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

    pub fn session(&self) -> Session {
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

/// A QIX session.
pub struct Session {
    socket: WebSocket<TcpStream>,
    next: i64,
}

impl Session {
    pub fn call(&mut self, handle: i64, method: &str, params: &Value) -> Value {
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

    pub fn open(&mut self, app: &str) -> i64 {
        let opened = self.call(-1, "OpenDoc", &json!([app]));
        opened["result"]["qReturn"]["qHandle"]
            .as_i64()
            .unwrap_or_else(|| panic!("the app does not open: {opened}"))
    }

    pub fn sum(&mut self, doc: i64, expression: &str) -> f64 {
        let answer = self.call(doc, "EvaluateEx", &json!([expression]));
        answer["result"]["qValue"]["qNumber"]
            .as_f64()
            .unwrap_or_else(|| panic!("{expression}: {answer}"))
    }

    /// Waits for the end, and says why.
    pub fn end(&mut self) -> CloseFrame {
        loop {
            match self.socket.read().unwrap() {
                Message::Close(Some(frame)) => return frame,
                Message::Close(None) => panic!("closed without a reason"),
                _ => {}
            }
        }
    }
}
