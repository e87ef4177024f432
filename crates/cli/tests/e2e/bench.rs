//! Devices, hubs and clocks: what the tests are made of.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tempfile::TempDir;

/// Everybody's password at the demo hub.
pub const PASSWORD: &str = "satchel-demo";

/// One test at a time: a person has at most five sessions, and a sixth ends the oldest.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// The running hub and the programs, as the environment names them.
pub struct Bench {
    /// The hub's address.
    pub url: String,
    /// The CA that signs the hub's certificate.
    pub ca: PathBuf,
    satchel: PathBuf,
    hub: PathBuf,
    data: PathBuf,
    tls: PathBuf,
    _turn: MutexGuard<'static, ()>,
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set; these tests need a running hub: cargo xtask test e2e")
    })
}

impl Bench {
    /// Waits for its turn and reads the environment.
    pub fn new() -> Self {
        let bench = Self {
            _turn: ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner),
            url: variable("SATCHEL_URL"),
            ca: variable("SATCHEL_CA").into(),
            satchel: variable("SATCHEL_BIN").into(),
            hub: variable("SATCHEL_HUB_BIN").into(),
            data: variable("SATCHEL_HUB_DATA").into(),
            tls: variable("SATCHEL_HUB_TLS").into(),
        };
        // A person may have ten devices; those of earlier tests are gone.
        bench.revoke_devices();
        bench
    }

    /// Runs a command of the hub's administrator.
    pub fn administer(&self, arguments: &[&str]) -> Value {
        let output = Command::new(&self.hub)
            .args(arguments)
            .arg("--json")
            .arg("--data")
            .arg(&self.data)
            .stdin(Stdio::null())
            .output()
            .expect("SATCHEL_HUB_BIN starts");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {error}");
        serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
    }

    /// Revokes every device there is.
    pub fn revoke_devices(&self) {
        let devices = self.administer(&["device", "list"]);
        for device in devices.as_array().unwrap() {
            if device["state"] == "enrolled" {
                let id = device["device"].as_str().unwrap();
                self.administer(&["device", "revoke", id]);
            }
        }
    }

    /// A device on which Satchel has never run.
    pub fn device(&self) -> Device {
        let folder = tempfile::tempdir().unwrap();
        for name in ["home", "run"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        Device {
            satchel: self.satchel.clone(),
            folder,
            run: None,
        }
    }

    /// A device that knows the hub.
    pub fn device_with_hub(&self) -> Device {
        let device = self.device();
        device
            .satchel(&["hub", "add", &self.url, "--ca", text(&self.ca)])
            .done();
        device
    }

    /// A device on which somebody has signed in.
    pub fn device_of(&self, user: &str) -> Device {
        let device = self.device_with_hub();
        device.sign_in(user).done();
        device
    }

    /// A device on which somebody has signed in and downloaded the sales app.
    pub fn device_with_sales(&self, user: &str) -> Device {
        let device = self.device_of(user);
        device.satchel(&["download", "Sales"]).done();
        device
    }

    /// A second process that serves the same hub, to be stopped by the test.
    pub fn second_hub(&self, host: &str) -> SecondHub {
        self.hub_on(&self.data, host)
    }

    /// The hub's program.
    pub fn hub_program(&self) -> &Path {
        &self.hub
    }

    /// A process that serves the hub in `data`, to be stopped by the test.
    pub fn hub_on(&self, data: &Path, host: &str) -> SecondHub {
        let mut child = Command::new(&self.hub)
            .args(["serve", "--listen", &format!("{host}:0"), "--data"])
            .arg(data)
            .arg("--certificate")
            .arg(self.tls.join("hub.pem"))
            .arg("--key")
            .arg(self.tls.join("hub.key"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("SATCHEL_HUB_BIN starts");
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let url = line.split_whitespace().find(|w| w.starts_with("https://"));
        let port = url
            .and_then(|url| url.trim_end_matches('/').rsplit(':').next())
            .unwrap_or_else(|| panic!("the hub does not say where it listens: {line}"))
            .to_owned();
        // Whatever it says later is read, so that the hub never waits for us.
        std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
        SecondHub { child, port }
    }
}

/// A hub process; stopped when dropped.
pub struct SecondHub {
    child: Child,
    /// Where it listens.
    pub port: String,
}

impl SecondHub {
    /// Ends it, and returns when it is gone.
    pub fn stop(&mut self) {
        let _ = self.child.kill();
        self.child.wait().unwrap();
    }
}

impl Drop for SecondHub {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A state folder, and the client on it.
pub struct Device {
    satchel: PathBuf,
    folder: TempDir,
    /// Where it keeps sessions, if not in its own folder.
    run: Option<PathBuf>,
}

impl Device {
    /// The state folder.
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// From now on, the client is told this policy by whoever starts it.
    pub fn set_policy(&self, json: &str) {
        fs::write(self.policy(), json).unwrap();
    }

    fn policy(&self) -> PathBuf {
        self.folder.path().join("policy.json")
    }

    /// Runs the client at the present time.
    pub fn satchel(&self, arguments: &[&str]) -> Outcome {
        self.run(Command::new(&self.satchel), arguments, "")
    }

    /// Runs the client with these lines of standard input.
    pub fn satchel_with_input(&self, arguments: &[&str], input: &str) -> Outcome {
        self.run(Command::new(&self.satchel), arguments, input)
    }

    /// Signs in with the demo's password.
    pub fn sign_in(&self, user: &str) -> Outcome {
        let user = format!(r"DEMO\{user}");
        self.satchel_with_input(&["sign-in", "--user", &user], PASSWORD)
    }

    /// Runs the client with the clock standing at `time`.
    pub fn satchel_at(&self, time: Time, arguments: &[&str]) -> Outcome {
        self.under_clock(&time.to_text(), arguments, "")
    }

    /// Runs the client under a clock as faketime describes it.
    pub fn under_clock(&self, clock: &str, arguments: &[&str], input: &str) -> Outcome {
        let mut faked = Command::new(&self.satchel);
        false_clock(&mut faked).env("FAKETIME", clock);
        self.run(faked, arguments, input)
    }

    /// Runs the client where local time is as `zone`, the variable `TZ`, describes it.
    pub fn in_zone(&self, zone: &str, arguments: &[&str]) -> Outcome {
        let mut there = Command::new(&self.satchel);
        there.env("TZ", zone);
        self.run(there, arguments, "")
    }

    /// Runs the client with a fault at one step of its writes, as `satchel_device_native::fault`
    /// reads it.
    pub fn satchel_with_fault(&self, fault: &str, arguments: &[&str], input: &str) -> Outcome {
        self.run(self.faulty(fault), arguments, input)
    }

    /// The same under a clock that stands at `time`.
    pub fn faulty_at(&self, fault: &str, time: Time, arguments: &[&str]) -> Outcome {
        let mut faked = self.faulty(fault);
        false_clock(&mut faked).env("FAKETIME", time.to_text());
        self.run(faked, arguments, "")
    }

    fn faulty(&self, fault: &str) -> Command {
        let mut command = Command::new(FAULTY);
        command.env("SATCHEL_FAULT", fault);
        command
    }

    /// Keeps a copy of the state folder, to begin with again and again.
    pub fn saved(&self) -> Saved {
        let files = self.files("").into_iter();
        Saved(files.map(|p| (p.clone(), fs::read(p).unwrap())).collect())
    }

    /// Makes the state folder what it was.
    pub fn restore(&self, saved: &Saved) {
        for path in self.files("") {
            fs::remove_file(path).unwrap();
        }
        for (path, bytes) in &saved.0 {
            fs::write(path, bytes).unwrap();
        }
    }

    /// Starts the client, to be ended by the test.
    pub fn start(&self, arguments: &[&str]) -> Child {
        self.spawn(Command::new(&self.satchel), arguments)
    }

    /// The client's program.
    pub fn program(&self) -> &Path {
        &self.satchel
    }

    /// Starts the client as `command` begins it, to be ended by the test.
    pub fn spawn(&self, mut command: Command, arguments: &[&str]) -> Child {
        if self.policy().exists() {
            command.env("SATCHEL_POLICY", self.policy());
        }
        command
            .args(arguments)
            .arg("--json")
            .env("SATCHEL_HOME", self.home())
            .env(
                "XDG_RUNTIME_DIR",
                self.run
                    .clone()
                    .unwrap_or_else(|| self.folder.path().join("run")),
            )
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{:?} does not start: {error}", command.get_program()))
    }

    fn run(&self, command: Command, arguments: &[&str], input: &str) -> Outcome {
        let mut child = self.spawn(command, arguments);
        // A command that needs no input may have ended before it is written.
        let _ = writeln!(child.stdin.take().unwrap(), "{input}");
        let id = child.id();
        let output = child.wait_with_output().unwrap();
        forget_false_clock(id);
        Outcome {
            what: arguments.join(" "),
            status: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The sum of all amounts of the sales app, if it opens.
    pub fn sales(&self) -> f64 {
        self.satchel(&["ask", "Sales", "Sum(AMOUNT)"]).total()
    }

    /// The files of the state folder whose names begin with `prefix`, in order.
    pub fn files(&self, prefix: &str) -> Vec<PathBuf> {
        let mut found: Vec<PathBuf> = fs::read_dir(self.home())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| text(path.file_name().unwrap().as_ref()).starts_with(prefix))
            .collect();
        found.sort();
        found
    }

    /// The one downloaded package.
    pub fn package(&self) -> PathBuf {
        match self.files("package-").as_slice() {
            [one] => one.clone(),
            other => panic!("one package was expected, there are {other:?}"),
        }
    }

    /// A device to which every file but those named was copied.
    pub fn copy_without(&self, left_out: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["home", "run"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        for path in self.files("") {
            let name = path.file_name().unwrap();
            if !left_out.contains(&text(name.as_ref())) {
                fs::copy(&path, folder.path().join("home").join(name)).unwrap();
            }
        }
        Self {
            satchel: self.satchel.clone(),
            folder,
            run: None,
        }
    }

    /// The same device, with its sessions where `other` has its own.
    pub fn sharing_the_session_folder_of(self, other: &Self) -> Self {
        Self {
            run: Some(other.folder.path().join("run")),
            ..self
        }
    }
}

/// The client with the feature `faults`, which the package's feature `e2e` turns on.
const FAULTY: &str = env!("CARGO_BIN_EXE_satchel");

/// The files of a state folder.
pub struct Saved(Vec<(PathBuf, Vec<u8>)>);

/// What a command said.
pub struct Outcome {
    what: String,
    status: Option<i32>,
    out: String,
    err: String,
}

impl Outcome {
    /// Whether the command was killed rather than ended: it neither did what it was told nor
    /// said why not.
    pub fn was_killed(&self) -> bool {
        self.status != Some(0) && !self.err.contains("\"error\"")
    }

    /// Whether it did what it was told.
    pub fn is_done(&self) -> bool {
        self.status == Some(0)
    }

    /// Whether it printed a result.
    pub fn has_result(&self) -> bool {
        !self.out.is_empty()
    }

    /// The result, as JSON; the test fails if the command did.
    pub fn done(&self) -> Value {
        assert_eq!(
            self.status,
            Some(0),
            "satchel {} failed: {}",
            self.what,
            self.err
        );
        serde_json::from_str(&self.out)
            .unwrap_or_else(|_| panic!("satchel {} printed no JSON: {}", self.what, self.out))
    }

    /// The refusal, as JSON; the test fails if the command did not.
    pub fn refusal(&self) -> Value {
        assert_eq!(
            self.status,
            Some(1),
            "satchel {} was not refused: {}{}",
            self.what,
            self.out,
            self.err
        );
        assert_eq!(self.out, "", "a refused command has no result");
        let error: Value = serde_json::from_str(&self.err)
            .unwrap_or_else(|_| panic!("satchel {} printed no JSON: {}", self.what, self.err));
        error["error"].clone()
    }

    /// The code of the refusal, which must also say what to do.
    pub fn code(&self) -> String {
        let refusal = self.refusal();
        assert_ne!(refusal["message"], "", "{refusal}");
        assert_ne!(refusal["next"], "", "{refusal}");
        refusal["code"].as_str().unwrap().to_owned()
    }

    /// The first total of an answer, if there is one.
    pub fn try_total(&self) -> Option<f64> {
        (self.status == Some(0)).then(|| self.total())
    }

    /// The first total of an answer.
    pub fn total(&self) -> f64 {
        self.done()["totals"][0].as_f64().unwrap()
    }
}

/// A time of which only whole seconds count.
#[derive(Clone, Copy)]
pub struct Time(i64);

impl Time {
    /// An hour from now: later than anything the hub has signed so far.
    pub fn in_an_hour() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Self(i64::try_from(since.as_secs()).unwrap() + 3600)
    }

    /// Later by so many hours and seconds; earlier if they are negative.
    pub const fn plus(self, hours: i64, seconds: i64) -> Self {
        Self(self.0 + hours * 3600 + seconds)
    }

    /// In milliseconds, as the client counts.
    pub const fn millis(self) -> i64 {
        self.0 * 1000
    }

    /// As faketime reads it: the clock stands still.
    pub fn to_text(self) -> String {
        let (days, second) = (self.0.div_euclid(86_400), self.0.rem_euclid(86_400));
        // Civil date of a day count, in the calendar that begins its years in March.
        let from_march = days + 719_468;
        let era = from_march.div_euclid(146_097);
        let of_era = from_march.rem_euclid(146_097);
        let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = year + era * 400 + i64::from(month <= 2);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
    }
}

/// A path as an argument.
pub fn text(path: &Path) -> &str {
    path.to_str().expect("paths of the tests are UTF-8")
}

/// Gives a command libfaketime. Without faketime's wrapper, which would stand between: it refuses
/// to start where a killed process of the same number has left its semaphore behind.
pub fn false_clock(command: &mut Command) -> &mut Command {
    let library = fs::read_dir("/usr/lib")
        .unwrap()
        .map(|entry| entry.unwrap().path().join("faketime/libfaketimeMT.so.1"))
        .find(|library| library.exists())
        .expect("libfaketime is installed: `cargo xtask setup`");
    command.env("TZ", "UTC").env("LD_PRELOAD", library)
}

/// Removes what libfaketime leaves of a process that was killed: a later one that is given the
/// same number could not have its own.
pub fn forget_false_clock(process: u32) {
    for left in ["sem.faketime_sem_", "faketime_shm_"] {
        let _ = fs::remove_file(format!("/dev/shm/{left}{process}"));
    }
}
