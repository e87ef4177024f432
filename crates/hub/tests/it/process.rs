//! The hub as a process of its own, to be killed, and the small disk it may lie on.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::harness::Hub;

const BINARY: &str = env!("CARGO_BIN_EXE_satchel-hub");

/// A `satchel-hub serve`; killed when dropped.
pub struct Process {
    child: Child,
}

impl Process {
    /// Serves the hub's folder; `hub` talks to it from now on.
    pub fn serve(hub: &mut Hub) -> Self {
        let mut command = Command::new(BINARY);
        command
            .args(["serve", "--data"])
            .arg(hub.dir.path().join("hub"));
        Self::start(hub, command)
    }

    /// The same with a log in a file that says as much as `level` lets it.
    pub fn serve_with_log(hub: &mut Hub, log: &Path, level: &str) -> Self {
        let mut command = Command::new(BINARY);
        command
            .args(["serve", "--data"])
            .arg(hub.dir.path().join("hub"))
            .env("SATCHEL_LOG", level)
            .env("RUST_BACKTRACE", "full")
            .stderr(std::fs::File::create(log).unwrap());
        Self::start(hub, command)
    }

    /// The same from a copy of the folder on a disk of its own of so many MiB, which only this
    /// process and [`Self::command`] see.
    pub fn serve_on_small_disk(hub: &mut Hub, mebibytes: u32) -> Self {
        let small = hub.dir.path().join("small");
        std::fs::create_dir(&small).unwrap();
        let script = "mount -t tmpfs -o size=\"$3\"m none \"$1/small\" && \
                      cp -a \"$1/hub/.\" \"$1/small\" && shift 3 && exec \"$@\"";
        let mut command = Command::new("unshare");
        command
            .args(["--map-root-user", "--mount", "sh", "-c", script, "sh"])
            .arg(hub.dir.path())
            .arg("-")
            .arg(mebibytes.to_string())
            .arg(BINARY)
            .args(["serve", "--data"])
            .arg(&small);
        Self::start(hub, command)
    }

    fn start(hub: &mut Hub, mut command: Command) -> Self {
        let mut child = command
            .args([
                "--listen",
                "127.0.0.1:0",
                "--origin",
                "https://hub.example.org",
            ])
            .arg("--certificate")
            .arg(hub.dir.path().join("hub.pem"))
            .arg("--key")
            .arg(hub.dir.path().join("hub.key"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert!(
            !line.is_empty(),
            "the hub does not start, see its words above; a disk of its own needs root or \
             unprivileged user namespaces"
        );
        let (_, address) = line.trim_end().rsplit_once('(').unwrap();
        hub.address = address.trim_end_matches(')').parse().unwrap();
        std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
        Self { child }
    }

    /// `kill -9`, and waits until it is gone.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Runs `satchel-hub` on the small disk; standard error if it fails.
    pub fn command(&self, hub: &Hub, args: &[&str]) -> Result<String, String> {
        let output = Command::new("nsenter")
            .args(["--target", &self.child.id().to_string()])
            .args(["--user", "--mount", "--preserve-credentials", BINARY])
            .args(args)
            .arg("--data")
            .arg(hub.dir.path().join("small"))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        if output.status.success() {
            Ok(text(output.stdout))
        } else {
            Err(text(output.stderr) + &text(output.stdout))
        }
    }

    /// Fills the small disk but for so many bytes.
    pub fn fill(&self, hub: &Hub, left: u64) {
        let path = self.ballast(hub);
        let mut file = std::fs::File::create(&path).unwrap();
        while file.write_all(&[0; 4096]).is_ok() {}
        let size = file.metadata().unwrap().len();
        file.set_len(size.saturating_sub(left)).unwrap();
    }

    /// Gives the room back.
    pub fn make_room(&self, hub: &Hub) {
        std::fs::remove_file(self.ballast(hub)).unwrap();
    }

    fn ballast(&self, hub: &Hub) -> PathBuf {
        let inside = hub.dir.path().join("small/ballast");
        let root = PathBuf::from(format!("/proc/{}/root", self.child.id()));
        root.join(inside.strip_prefix("/").unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts `satchel-hub` on the hub's folder, to be killed.
pub fn spawn(hub: &Hub, args: &[&str]) -> Child {
    Command::new(BINARY)
        .args(args)
        .arg("--data")
        .arg(hub.dir.path().join("hub"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Returns when it is so; fails the test after a minute.
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let give_up = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < give_up, "never came: {what}");
        std::thread::yield_now();
    }
}

/// Names of the files in a folder, in order.
pub fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
