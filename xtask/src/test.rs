//! `cargo xtask test`: every test there is, in the order in which failures are cheapest.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Result, bail};

use crate::build::{self, Profile};
use crate::hub::{self, Place, Running};
use crate::process::{self, cargo, command, exists, root, step, target_dir};
use crate::{rooms, setup, threats, wasm};

/// The parts, in order.
const PARTS: [&str; 5] = ["rooms", "lint", "unit", "e2e", "browser"];

/// Runs the parts named in `only`, or all, each to its end even if one before it failed.
pub fn run(only: &[String]) -> Result<()> {
    if let Some(unknown) = only.iter().find(|p| !PARTS.contains(&p.as_str())) {
        bail!(
            "no part is called `{unknown}`; there are: {}",
            PARTS.join(" ")
        );
    }
    let wanted = |part: &str| only.is_empty() || only.iter().any(|p| p == part);
    setup::for_tests()?;
    let mut report = Report::default();
    if wanted("rooms") {
        report.part("dependencies of the rooms", rooms::check);
        report.part("tests of the threats", threats::check);
    }
    if wanted("lint") {
        report.part("formatting and lints", lint);
    }
    if wanted("e2e") || wanted("browser") {
        // The binaries carry the web UI: made before anything is built with it.
        wasm::build_wasm()?;
        build::web()?;
    }
    if wanted("unit") {
        report.part(
            "unit, corpus and property tests, and the hub end to end",
            unit,
        );
    }
    if wanted("e2e") {
        report.part("QVD files against independent readers", qvd_readers);
        report.part("queries to PostgreSQL and MariaDB", || {
            process::run(&mut ignored("databases"))
        });
        report.part("files in an object store", object_store);
    }
    if wanted("e2e") || wanted("browser") {
        build::binaries(Profile::Dev)?;
        let demo = Demo::prepare("e2e", Profile::Dev)?;
        if wanted("e2e") {
            report.part(
                "the native client against a hub, online, offline and under a false clock",
                || demo.native_client(),
            );
            report.part("API clients from PyPI", || demo.api_clients());
        }
        if wanted("browser") {
            report.part(
                "enigma.js, nebula.js and the web UI in headless Chromium",
                || demo.browser(),
            );
        }
    }
    report.end()
}

/// What has failed so far.
#[derive(Default)]
struct Report {
    failed: Vec<&'static str>,
}

impl Report {
    fn part(&mut self, title: &'static str, run: impl FnOnce() -> Result<()>) {
        println!("— {title}");
        let start = Instant::now();
        let outcome = run();
        let seconds = start.elapsed().as_secs();
        match outcome {
            Ok(()) => println!("  ✓ {title} ({seconds} s)"),
            Err(error) => {
                println!("  ✗ {title} ({seconds} s): {error:#}");
                self.failed.push(title);
            }
        }
    }

    fn end(self) -> Result<()> {
        if self.failed.is_empty() {
            return Ok(());
        }
        bail!("failed: {}", self.failed.join("; "))
    }
}

fn lint() -> Result<()> {
    process::run(&mut command("cargo", ["fmt", "--all", "--check"]))?;
    process::run(&mut command(
        "cargo",
        ["clippy", "--quiet", "--workspace", "--", "-D", "warnings"],
    ))?;
    build::web_packages()?;
    let mut lint = command("npm", ["run", "--silent", "lint"]);
    process::run(lint.current_dir(root().join("web")))
}

fn unit() -> Result<()> {
    let action: &[&str] = if exists("cargo-nextest") {
        &["nextest", "run"]
    } else {
        &["test", "--all-targets"]
    };
    process::run(&mut cargo(action, ["--no-fail-fast"]))?;
    process::run(&mut command(
        "cargo",
        ["test", "--quiet", "--profile", "xtask", "-p", "xtask"],
    ))
}

/// The tests of a target that need more than cargo.
fn ignored(target: &str) -> Command {
    cargo(&["test", "--quiet"], ["--test", target, "--", "--ignored"])
}

/// Our QVD files in independent readers, and theirs in ours.
fn qvd_readers() -> Result<()> {
    let python = setup::python("qvd-readers", &["pyqvd", "qvdrs", "qvd-utils"])?;
    process::run(ignored("readers").env("SATCHEL_QVD_PYTHON", python))
}

/// Files in an object store, which the test starts.
fn object_store() -> Result<()> {
    let packages = setup::node_packages("object-store", "s3rver", "3.7.1")?;
    process::run(ignored("objects").env("SATCHEL_S3_SERVER", packages.join(".bin/s3rver")))
}

/// The demo hub with its apps, for real clients.
pub struct Demo {
    place: Place,
    profile: Profile,
    binary: PathBuf,
}

impl Demo {
    /// A new hub in `folder` of the target folder, with binaries that are built.
    pub fn prepare(folder: &str, profile: Profile) -> Result<Self> {
        let folder = target_dir().join(folder);
        let _ = std::fs::remove_dir_all(&folder);
        let place = Place::at(&folder)?;
        let binary = build::binary("satchel-hub", profile);
        hub::prepare(&binary, &place)?;
        Ok(Self {
            place,
            profile,
            binary,
        })
    }

    /// One more app, of `DEMO\ada`: `script` over the files of the flights app.
    pub fn add_app(&self, title: &str, script: &Path) -> Result<()> {
        let folder = self.place.data.with_file_name("app");
        std::fs::create_dir_all(&folder)?;
        std::fs::copy(script, folder.join("load.qvs"))?;
        std::fs::write(folder.join("app.json"), r#"{"properties":{},"objects":[]}"#)?;
        let data = ["--data".into(), self.place.data.clone().into_os_string()];
        let mut import = Command::new(&self.binary);
        import
            .args(["app", "import", "--owner", r"DEMO\ada", "--stream", "Demo"])
            .args(["--name", title, "--data-folder"])
            .arg(hub::flights_files()?);
        step(
            &format!("importing the app {title}"),
            import.args(&data).arg(&folder),
        )?;
        let mut reload = Command::new(&self.binary);
        step(
            &format!("running the load script of the app {title}"),
            reload.args(["app", "reload", title, "--quiet"]).args(&data),
        )
    }

    /// Runs `tests` while the hub is up, and tells them where everything is.
    pub fn against_hub(&self, tests: &mut Command) -> Result<()> {
        let hub = Running::start(&self.binary, &self.place, "127.0.0.1:0")?;
        tests
            .env("SATCHEL_URL", &hub.url)
            .env("SATCHEL_CA", self.place.tls.join("ca.pem"))
            .env("SATCHEL_HUB_BIN", &self.binary)
            .env("SATCHEL_HUB_DATA", &self.place.data)
            .env("SATCHEL_HUB_TLS", &self.place.tls)
            .env("SATCHEL_BIN", build::binary("satchel", self.profile));
        process::run(tests)?;
        hub.stop()
    }

    fn native_client(&self) -> Result<()> {
        self.against_hub(&mut cargo(
            &["test", "--quiet"],
            ["--features", "satchel-cli/e2e", "--test", "e2e"],
        ))
    }

    /// API clients from PyPI, as they are. Two of them insist on the port 4747.
    fn api_clients(&self) -> Result<()> {
        let python = setup::python(
            "api-clients",
            &[
                "pyqlikengine==0.0.2",
                "qe-api-client==3.1.0",
                "qlikconnect==1.0.2",
                "qsea==1.0.0",
                "openpyxl",
                "websocket-client",
            ],
        )?;
        let hub = Running::start_with(
            &self.binary,
            &self.place,
            "127.0.0.1:0",
            Some("127.0.0.1:4747"),
        )?;
        let mut clients = command(
            &python.to_string_lossy(),
            ["crates/hub/tests/python/clients.py"],
        );
        clients.env("SATCHEL_URL", &hub.url).env(
            "SATCHEL_CLIENT_CERTIFICATES",
            self.place.tls.join("clients"),
        );
        process::run(&mut clients)?;
        hub.stop()
    }

    fn browser(&self) -> Result<()> {
        let mut tests = command("npm", ["run", "--silent", "e2e"]);
        self.against_hub(tests.current_dir(root().join("web")))
    }
}
