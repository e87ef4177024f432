//! Servers of the test's own: in a folder of their own, on a socket in it, for as long as the
//! test runs. `cargo xtask setup` installs the programs.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use satchel_sources::sql::{DatabaseAddress, DatabaseKind, Encryption};

/// A running server; stopped when dropped.
pub struct Server {
    pub address: DatabaseAddress,
    child: Child,
    _folder: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// PostgreSQL with the database `postgres`.
    pub fn postgres() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        // PostgreSQL does not run as root.
        let as_user = is_root().then_some("postgres");
        if let Some(user) = as_user {
            succeed(Command::new("chown").arg("-R").arg(user).arg(folder.path()));
        }
        let mut init = command(&postgres_program("initdb"), as_user);
        init.args([
            "--auth=trust",
            "--username=reader",
            "--encoding=UTF8",
            "--locale=C",
            "-D",
        ]);
        succeed(init.arg(&data));
        let mut serve = command(&postgres_program("postgres"), as_user);
        serve
            .arg("-D")
            .arg(&data)
            .arg("-k")
            .arg(folder.path())
            .args(["-c", "listen_addresses=", "-c", "fsync=off"]);
        let child = start(serve);
        let address = DatabaseAddress {
            kind: DatabaseKind::Postgres,
            file: PathBuf::new(),
            host: folder.path().display().to_string(),
            port: None,
            database: "postgres".to_owned(),
            user: "reader".to_owned(),
            password: None,
            encryption: Encryption::Off,
            ca: None,
        };
        Self::ready(address, child, folder)
    }

    /// MariaDB with the database `test`.
    pub fn mariadb() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let socket = folder.path().join("socket");
        let user = if is_root() {
            "--user=root"
        } else {
            "--no-defaults"
        };
        // Two at a time get into each other's way.
        let lock = std::fs::File::create(std::env::temp_dir().join("satchel-mariadb-install.lock"));
        let lock = lock.unwrap();
        lock.lock().unwrap();
        let mut install = Command::new("mariadb-install-db");
        install
            .args([
                "--no-defaults",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
            ])
            .args(is_root().then_some(user))
            .arg(format!("--datadir={}", data.display()));
        succeed(&mut install);
        drop(lock);
        std::fs::create_dir(data.join("test")).unwrap();
        let mut serve = Command::new(program("mariadbd", &["/usr/sbin"]));
        serve
            .args(["--no-defaults", "--skip-networking"])
            .args(is_root().then_some(user))
            .arg(format!("--datadir={}", data.display()))
            .arg(format!("--socket={}", socket.display()))
            .arg(format!(
                "--pid-file={}",
                folder.path().join("pid").display()
            ));
        let child = start(serve);
        let address = DatabaseAddress {
            kind: DatabaseKind::MySql,
            file: PathBuf::new(),
            host: socket.display().to_string(),
            port: None,
            database: "test".to_owned(),
            user: "root".to_owned(),
            password: None,
            encryption: Encryption::Off,
            ca: None,
        };
        Self::ready(address, child, folder)
    }

    fn ready(address: DatabaseAddress, child: Child, folder: tempfile::TempDir) -> Self {
        let server = Self {
            address,
            child,
            _folder: folder,
        };
        wait_until("the server answers", || {
            let cancel = satchel_base::CancelToken::default();
            satchel_sources::sql::query(&server.address, "SELECT 1", &cancel).is_ok()
        });
        server
    }
}

/// Asks until it is so; a minute is a failure.
#[track_caller]
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(60), "never: {what}");
        std::thread::yield_now();
    }
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout.starts_with(b"0")
}

fn command(program: &Path, user: Option<&str>) -> Command {
    match user {
        Some(user) => {
            let mut command = Command::new("setpriv");
            command
                .args([&format!("--reuid={user}"), &format!("--regid={user}")])
                .arg("--init-groups")
                .arg(program);
            command
        }
        None => Command::new(program),
    }
}

/// Debian keeps the programs of each version of PostgreSQL apart.
fn postgres_program(name: &str) -> PathBuf {
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|found| found.flatten().map(|e| e.path().join("bin")).collect())
        .unwrap_or_default();
    versions.sort();
    let folders: Vec<&str> = versions.iter().rev().filter_map(|p| p.to_str()).collect();
    program(name, &folders)
}

fn program(name: &str, folders: &[&str]) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    (folders.iter().map(PathBuf::from))
        .chain(std::env::split_paths(&path))
        .map(|folder| folder.join(name))
        .find(|p| p.is_file())
        .unwrap_or_else(|| panic!("{name} is not installed: run cargo xtask setup"))
}

#[track_caller]
fn succeed(command: &mut Command) {
    let output = command
        .output()
        .unwrap_or_else(|e| panic!("{command:?}: {e}"));
    assert!(
        output.status.success(),
        "{command:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

fn start(mut command: Command) -> Child {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|e| panic!("{command:?}: {e}"))
}
