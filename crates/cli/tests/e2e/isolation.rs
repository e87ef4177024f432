//! Two hubs and two people on one device, and two processes at one download: nothing of the one
//! reaches the other.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::bench::{Bench, Device, PASSWORD, SecondHub, text};
use crate::served::{Served, serve};

/// A hub of its own with ada and the sales app: another identity, other keys, other people.
struct OtherHub {
    process: SecondHub,
    data: TempDir,
}

impl OtherHub {
    fn new(bench: &Bench) -> Self {
        let data = tempfile::tempdir().unwrap();
        let folder = data.path().join("hub");
        let run = |arguments: &[&str], input: &str| bench.at(&folder, arguments, input);
        run(&["init", "--name", "The other hub"], "");
        let add = [
            "user",
            "add",
            r"DEMO\ada",
            "--name",
            "Ada",
            "--password-stdin",
        ];
        run(&add, PASSWORD);
        run(&["licence", "assign", r"DEMO\ada", "professional"], "");
        let demo = concat!(env!("CARGO_MANIFEST_DIR"), "/../../demo/sales");
        let import = [
            "app",
            "import",
            demo,
            "--owner",
            r"DEMO\ada",
            "--name",
            "Sales",
        ];
        run(&import, "");
        run(&["app", "reload", "Sales", "--quiet"], "");
        Self {
            process: bench.hub_on(&folder, "127.0.0.1"),
            data,
        }
    }

    fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.process.port)
    }

    fn administer(&self, bench: &Bench, arguments: &[&str]) {
        bench.at(&self.data.path().join("hub"), arguments, "");
    }
}

/// A device with ben's sales app from the one hub and ada's from the other.
fn device_of_two(bench: &Bench, other: &OtherHub) -> Device {
    let device = bench.device_with_sales("ben");
    let url = other.url();
    device
        .satchel(&["hub", "add", &url, "--ca", text(&bench.ca)])
        .done();
    let sign_in = ["--hub", &url, "sign-in", "--user", r"DEMO\ada"];
    device.satchel_with_input(&sign_in, PASSWORD).done();
    device.satchel(&["--hub", &url, "download", "Sales"]).done();
    device
}

fn sales_at(device: &Device, hub: &str) -> Result<f64, String> {
    let asked = device.satchel(&["--hub", hub, "ask", "Sales", "Sum(AMOUNT)"]);
    match asked.is_done() {
        true => Ok(asked.total()),
        false => Err(asked.code()),
    }
}

#[test]
fn two_hubs_and_two_people_share_a_device_and_nothing_else() {
    let bench = Bench::new();
    let other = OtherHub::new(&bench);
    let device = device_of_two(&bench, &other);
    let (one, two) = (bench.url.clone(), other.url());
    assert_eq!(sales_at(&device, &one), Ok(6995.0), "ben's Germany");
    assert_eq!(sales_at(&device, &two), Ok(17400.0), "ada's everything");

    // Each page shows the apps of its hub, and opens no other.
    let both = device.files("package-");
    assert_eq!(both.len(), 2);
    let pages = [(&one, 6995.0), (&two, 17400.0)].map(|(hub, total)| {
        let open = ["--hub", hub.as_str(), "open", "Sales", "--no-browser"];
        let served = Served::new(device.start(&open));
        let mut session = served.session();
        let doc = session.open(&served.app);
        assert_eq!(session.sum(doc, "Sum(AMOUNT)"), total);
        served
    });
    let state = pages[0].get_as_owner("/api/v1/device");
    assert!(state.contains("BEN") && !state.contains("ADA"), "{state}");
    assert_ne!(pages[0].app, pages[1].app);
    let mut session = pages[0].session();
    let opened = session.call(-1, "OpenDoc", &serde_json::json!([pages[1].app]));
    assert!(opened["error"].is_object(), "{opened}");
    // The browser sends the cookie of one to the port of the other.
    let crossed = pages[1].get("/api/v1/device", &[("cookie", &pages[0].cookie)]);
    assert!(crossed.starts_with("HTTP/1.1 403"), "{crossed}");
    drop((session, pages));

    // A package in the place of the other hub's is refused.
    let genuine = [fs::read(&both[0]).unwrap(), fs::read(&both[1]).unwrap()];
    fs::write(&both[0], &genuine[1]).unwrap();
    fs::write(&both[1], &genuine[0]).unwrap();
    for hub in [&one, &two] {
        let code = sales_at(&device, hub).unwrap_err();
        assert!(code.starts_with("package.wrong_"), "{code}");
    }
    fs::write(&both[0], &genuine[0]).unwrap();
    fs::write(&both[1], &genuine[1]).unwrap();

    // What the other hub's administrator decides reaches the other account only.
    other.administer(&bench, &["policy", "set", "--key", "allow_downloads=off"]);
    let sign_in = ["--hub", &two, "sign-in", "--user", r"DEMO\ada"];
    device.satchel_with_input(&sign_in, PASSWORD).done();
    device.satchel(&["--hub", &one, "download", "Sales"]).done();
    let refused = device.satchel(&["--hub", &two, "download", "Sales"]);
    assert_eq!(refused.code(), "policy.no_downloads");
    other.administer(&bench, &["policy", "set", "--key", "allow_downloads=on"]);

    // So does signing out, a revocation, and taking the hub off the list.
    device.satchel(&["--hub", &one, "sign-out"]).done();
    assert_eq!(sales_at(&device, &one).unwrap_err(), "lease.not_signed_in");
    device.satchel_with_input(&sign_in, PASSWORD).done();
    assert_eq!(sales_at(&device, &two), Ok(17400.0));
    bench.revoke_devices();
    assert_eq!(device.sign_in("ben").code(), "device.revoked");
    assert_eq!(sales_at(&device, &one).unwrap_err(), "auth.not_signed_in");
    assert_eq!(sales_at(&device, &two), Ok(17400.0));
    device.satchel(&["hub", "remove", &one]).done();
    assert_eq!(sales_at(&device, &two), Ok(17400.0));
    assert_eq!(device.files("package-").len(), 1);
}

#[test]
fn two_people_of_one_computer_lock_and_wipe_for_themselves() {
    let bench = Bench::new();
    let devices = ["ben", "cleo"].map(|user| {
        let device = bench.device_with_hub();
        let who = format!(r"DEMO\{user}");
        let input = format!("{PASSWORD}\n{user}-2580");
        let sign_in = ["sign-in", "--user", &who, "--pin"];
        device.satchel_with_input(&sign_in, &input).done();
        device.satchel(&["download", "Sales"]).done();
        device
    });
    // Both have their sessions in the same folder, as two state folders of one account would.
    let [ben, cleo] = devices;
    let cleo = cleo.sharing_the_session_folder_of(&ben);
    cleo.satchel_with_input(&["unlock"], "cleo-2580").done();
    assert_ne!(ben.sales(), cleo.sales());
    let served = serve(&cleo);
    ben.satchel(&["lock"]).done();
    assert_eq!(ben.satchel(&["ask", "Sales", "1"]).code(), "vault.locked");
    let mut session = served.session();
    session.open(&served.app);
    let wrong = ben.satchel_with_input(&["unlock"], "cleo-2580");
    assert_eq!(wrong.code(), "vault.wrong_pin");
    ben.satchel(&["wipe", "--yes"]).done();
    assert_eq!(
        cleo.satchel(&["status"]).done()["accounts"][0]["user"],
        r"DEMO\CLEO"
    );
    session.open(&served.app);
}

/// Waits until a part of a package lies there, or the process has ended.
fn wait_for_part(device: &Device) {
    let begun = Instant::now();
    while device.files("part-").is_empty() && device.files("package-").is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(60), "nothing arrives");
        std::thread::yield_now();
    }
}

#[test]
fn one_app_fetched_by_several_processes_arrives_whole_and_once() {
    let bench = Bench::new();
    let download = ["download", "flights"];
    let device = bench.device_of("ben");
    let clients: Vec<_> = (0..3).map(|_| device.start(&download)).collect();
    for client in clients {
        let output = client.wait_with_output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{error}");
    }
    let package = fs::read(device.package()).unwrap();
    assert!(device.files("part-").is_empty());
    assert!(device.files(".claim-").is_empty());
    let count = ["ask", "flights", "Count(FlightId)"];
    assert!(device.satchel(&count).total() > 0.0);

    // One that is killed on the way leaves its work to whoever waits for it.
    device.satchel(&["remove", "flights"]).done();
    let mut first = device.start(&download);
    wait_for_part(&device);
    let second = device.start(&download);
    first.kill().unwrap();
    first.wait().unwrap();
    let output = second.wait_with_output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    assert_eq!(fs::read(device.package()).unwrap().len(), package.len());
    assert!(device.satchel(&count).total() > 0.0);
}

/// Runs a command of a hub's administrator on another data folder.
impl Bench {
    fn at(&self, data: &std::path::Path, arguments: &[&str], input: &str) {
        let mut command = Command::new(self.hub_program());
        command
            .args(arguments)
            .arg("--data")
            .arg(data)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let _ = std::io::Write::write_all(
            &mut child.stdin.take().unwrap(),
            format!("{input}\n").as_bytes(),
        );
        let output = child.wait_with_output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {error}");
    }
}
