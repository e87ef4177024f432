//! A network that breaks: passes bytes between a client and the hub, until it does not.
//! It sees TLS only.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};

/// What happens to the bytes that come from the hub.
pub enum Plan {
    /// They pass.
    Pass,
    /// A connection breaks after so many.
    CutAfter(u64),
    /// A connection falls silent after so many, and says so once.
    HoldAfter(u64, Sender<()>),
}

/// The relay; it listens until the tests end.
pub struct Relay {
    /// `https://127.0.0.1:PORT`.
    pub url: String,
    shared: Arc<Shared>,
}

struct Shared {
    hub: String,
    plan: Mutex<Plan>,
    passed: AtomicU64,
    /// Connections that fell silent stay open.
    silent: Mutex<Vec<TcpStream>>,
}

impl Relay {
    /// A relay to the hub of that address.
    pub fn to(hub_url: &str) -> Self {
        let shared = Arc::new(Shared {
            hub: hub_url.trim_start_matches("https://").to_owned(),
            plan: Mutex::new(Plan::Pass),
            passed: AtomicU64::new(0),
            silent: Mutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let accepting = shared.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                accepting.connect(client);
            }
        });
        Self { url, shared }
    }

    /// From now on.
    pub fn set(&self, plan: Plan) {
        *self.shared.plan.lock().unwrap() = plan;
    }

    /// Bytes that came from the hub since the last call.
    pub fn take_passed(&self) -> u64 {
        self.shared.passed.swap(0, Relaxed)
    }
}

impl Shared {
    fn connect(self: &Arc<Self>, client: TcpStream) {
        let hub = TcpStream::connect(&self.hub).unwrap();
        let (mut from_client, mut to_hub) = (client.try_clone().unwrap(), hub.try_clone().unwrap());
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut from_client, &mut to_hub);
            let _ = to_hub.shutdown(Shutdown::Write);
        });
        let shared = self.clone();
        std::thread::spawn(move || shared.pass(hub, client));
    }

    fn pass(&self, mut hub: TcpStream, mut client: TcpStream) {
        let mut piece = [0; 16 * 1024];
        let mut here = 0;
        while let Ok(n @ 1..) = hub.read(&mut piece) {
            here += n as u64;
            match &*self.plan.lock().unwrap() {
                Plan::CutAfter(limit) if here > *limit => break,
                Plan::HoldAfter(limit, held) if here > *limit => {
                    let _ = held.send(());
                    self.silent.lock().unwrap().extend([hub, client]);
                    return;
                }
                _ => {}
            }
            if client.write_all(&piece[..n]).is_err() {
                break;
            }
            self.passed.fetch_add(n as u64, Relaxed);
        }
        let _ = client.shutdown(Shutdown::Both);
        let _ = hub.shutdown(Shutdown::Both);
    }
}
