//! The client from sign-in to wipe.

use satchel_base::{AppId, UnixMillis};
use satchel_device::{Client, Credentials, DeviceError, DeviceName, Protection, SignedIn};

use crate::world::{T0, World};

pub(crate) const KEK: [u8; 32] = [5; 32];
pub(crate) const URL: &str = "https://hub.example";
pub(crate) const HOUR: i64 = 3_600_000;

pub(crate) fn app() -> AppId {
    AppId::new("app-1")
}

pub(crate) fn sign_in(
    world: &World,
    client: &mut Client<'_>,
    remember: bool,
) -> Result<SignedIn, DeviceError> {
    sign_in_with(world, client, "right", remember)
}

fn sign_in_with(
    world: &World,
    client: &mut Client<'_>,
    password: &str,
    remember: bool,
) -> Result<SignedIn, DeviceError> {
    let device = DeviceName {
        name: "Laptop".into(),
        platform: "linux".into(),
        client: "test".into(),
    };
    let protection = Protection::OutsideKey {
        name: "file",
        key: &KEK,
    };
    let with = Credentials {
        user: "ann",
        password,
        code: None,
    };
    client.sign_in(&world.entry, with, remember, &device, protection)
}

/// A device that is signed in and holds the app.
fn with_download() -> (World, Client<'static>) {
    let world = World::new();
    let mut client = world.start();
    client.add_hub(world.entry.clone()).unwrap();
    sign_in(&world, &mut client, false).unwrap();
    client.download(&world.entry, &app(), &mut |_| {}).unwrap();
    (world, client)
}

/// The client started anew, unlocked.
fn restart(world: &World) -> Client<'static> {
    let mut client = world.start();
    client.unlock_with_key("file", &KEK).unwrap();
    client
}

fn code<T: std::fmt::Debug>(result: Result<T, DeviceError>) -> String {
    result.unwrap_err().code().to_owned()
}

#[test]
fn a_download_opens_with_the_hub_down_until_the_lease_ends() {
    let (world, _) = with_download();
    world.hub.borrow_mut().is_down = true;
    world.clock.set(HOUR);
    let mut client = restart(&world);
    let opened = client.open(URL, &app()).unwrap();
    assert_eq!(opened.payload, world.hub.borrow().payload);
    assert_eq!(opened.manifest.title, "Sales");
    assert_eq!(opened.remaining.remaining_ms, 240 * HOUR);
    world.clock.set(241 * HOUR - 1);
    assert!(restart(&world).open(URL, &app()).is_ok());
    world.clock.set(241 * HOUR);
    assert_eq!(code(restart(&world).open(URL, &app())), "lease.expired");
    // A renewal needs no new download.
    {
        let mut hub = world.hub.borrow_mut();
        (hub.is_down, hub.now) = (false, 241 * HOUR);
    }
    let mut client = restart(&world);
    sign_in(&world, &mut client, false).unwrap();
    let n_bytes_sent = world.hub.borrow().n_bytes_sent;
    assert!(restart(&world).open(URL, &app()).is_ok());
    assert_eq!(world.hub.borrow().n_bytes_sent, n_bytes_sent);
}

// threat: T-05
#[test]
fn a_clock_set_back_closes_and_stays_closed_over_a_restart() {
    let (world, _) = with_download();
    world.clock.set(24 * HOUR);
    assert!(restart(&world).open(URL, &app()).is_ok());
    world.clock.set(23 * HOUR);
    assert_eq!(
        code(restart(&world).open(URL, &app())),
        "lease.clock_behind"
    );
    world.clock.set(25 * HOUR);
    assert_eq!(
        code(restart(&world).open(URL, &app())),
        "lease.clock_behind"
    );
}

// threat: T-01
#[test]
fn nothing_readable_lies_on_the_disk() {
    let (world, _) = with_download();
    for (name, bytes) in &*world.disk.files.borrow() {
        // The manifest at the head of a package is in clear: it names app and owner.
        let title: &[u8] = if name.starts_with("package-") {
            b"CANARY"
        } else {
            b"Sales"
        };
        for canary in [&b"CANARY"[..], title, b"__Host-session", &KEK] {
            let found = bytes.windows(canary.len()).any(|window| window == canary);
            assert!(!found, "{name}");
        }
    }
}

#[test]
fn a_wrong_password_leaves_nothing_behind() {
    let world = World::new();
    let mut client = world.start();
    client.add_hub(world.entry.clone()).unwrap();
    let refused = sign_in_with(&world, &mut client, "wrong", false);
    assert_eq!(code(refused), "auth.wrong_password");
    assert_eq!(world.disk.names(), ["hubs.json"]);
}

#[test]
fn a_broken_download_goes_on_where_it_stopped() {
    let world = World::new();
    let mut client = world.start();
    sign_in(&world, &mut client, false).unwrap();
    // It never gets through in one go, but each try makes progress.
    world.hub.borrow_mut().break_after = Some(50_000);
    let entry = client.download(&world.entry, &app(), &mut |_| {}).unwrap();
    assert_eq!(world.hub.borrow().n_bytes_sent as u64, entry.size.0);
    assert!(client.open(URL, &app()).is_ok());
}

#[test]
fn a_download_broken_off_resumes_in_the_next_run() {
    let world = World::new();
    let mut client = world.start();
    sign_in(&world, &mut client, false).unwrap();
    world.hub.borrow_mut().break_after = Some(90_000);
    let hub = world.hub.clone();
    let broken = client.download(&world.entry, &app(), &mut |_| {
        if let Ok(mut hub) = hub.try_borrow_mut() {
            hub.break_after = Some(0);
        }
    });
    assert_eq!(code(broken), "download.interrupted");
    assert_eq!(code(client.open(URL, &app())), "app.not_downloaded");
    world.hub.borrow_mut().break_after = None;
    let mut client = restart(&world);
    let entry = client.download(&world.entry, &app(), &mut |_| {}).unwrap();
    assert_eq!(world.hub.borrow().n_bytes_sent as u64, entry.size.0);
    assert!(client.open(URL, &app()).is_ok());
}

// threat: T-12
#[test]
fn a_damaged_download_is_thrown_away_and_the_old_one_kept() {
    let (world, mut client) = with_download();
    world.hub.borrow_mut().damage = true;
    let damaged = client.download(&world.entry, &app(), &mut |_| {});
    assert_eq!(code(damaged), "download.damaged");
    assert!(client.open(URL, &app()).is_ok());
    assert_eq!(
        world.disk.names(),
        ["hubs.json", "package-dl-1", "vault.json"]
    );
}

// threat: T-12 T-39
#[test]
fn an_older_reload_does_not_replace_a_newer_one() {
    let (world, mut client) = with_download();
    world.hub.borrow_mut().reload = 0;
    let older = client.download(&world.entry, &app(), &mut |_| {});
    assert_eq!(code(older), "download.older");
    assert!(client.open(URL, &app()).is_ok());
}

#[test]
fn at_whatever_write_the_disk_is_full_or_the_process_dies_the_old_or_the_new_download_is_there() {
    for n in 0.. {
        let (world, mut client) = with_download();
        {
            let mut hub = world.hub.borrow_mut();
            hub.reload = 2;
            hub.payload = b"NEW ".repeat(30_000);
        }
        *world.disk.writes_left.borrow_mut() = Some(n);
        let outcome = client.download(&world.entry, &app(), &mut |_| {});
        *world.disk.writes_left.borrow_mut() = None;
        if let Err(error) = &outcome {
            assert_eq!(error.code(), "storage.full", "write {n}");
        }
        let mut client = restart(&world);
        let opened = client.open(URL, &app()).unwrap();
        let reload = opened.manifest.reload;
        assert!(reload == 1 || reload == 2, "write {n}");
        assert_eq!(
            opened.payload.starts_with(b"NEW "),
            reload == 2,
            "write {n}"
        );
        // And the next try succeeds.
        client.download(&world.entry, &app(), &mut |_| {}).unwrap();
        assert_eq!(client.open(URL, &app()).unwrap().manifest.reload, 2);
        if outcome.is_ok() {
            assert!(n > 3);
            return;
        }
    }
}

// threat: T-06
#[test]
fn a_wipe_that_began_is_ended_by_the_next_start() {
    let mut ended = false;
    for n in 0.. {
        let (world, mut client) = with_download();
        *world.disk.writes_left.borrow_mut() = Some(n);
        let outcome = client.wipe();
        let noted = world.disk.names().contains(&"wipe-begun".to_owned());
        *world.disk.writes_left.borrow_mut() = None;
        if outcome.is_err() && !noted {
            assert!(
                restart(&world).open(URL, &app()).is_ok(),
                "it had not begun"
            );
            continue;
        }
        let mut client = world.start();
        assert!(!client.has_vault());
        assert!(client.open(URL, &app()).is_err());
        assert_eq!(world.disk.names(), Vec::<String>::new(), "write {n}");
        ended |= outcome.is_ok();
        if ended {
            assert!(n > 4);
            return;
        }
    }
}

#[test]
fn a_hub_that_leaves_takes_its_account_along_whenever_the_process_dies() {
    for n in 0.. {
        let (world, mut client) = with_download();
        *world.disk.writes_left.borrow_mut() = Some(n);
        let outcome = client.remove_hub(URL);
        *world.disk.writes_left.borrow_mut() = None;
        let mut client = restart(&world);
        if client.hubs().find(URL).is_some() {
            assert!(outcome.is_err());
            assert!(client.open(URL, &app()).is_ok());
            continue;
        }
        assert!(client.accounts().unwrap().is_empty(), "write {n}");
        assert_eq!(world.disk.names(), ["hubs.json", "vault.json"]);
        if outcome.is_ok() {
            assert!(n > 2);
            return;
        }
    }
}

/// Found by the seeds of `faults`: the hub left while nobody had signed in.
#[test]
fn a_hub_that_left_half_way_before_the_first_log_in_does_not_take_the_next_account_along() {
    let world = World::new();
    let mut client = world.start();
    client.add_hub(world.entry.clone()).unwrap();
    *world.disk.writes_left.borrow_mut() = Some(1);
    assert_eq!(code(client.remove_hub(URL)), "storage.full");
    *world.disk.writes_left.borrow_mut() = None;
    let mut client = world.start();
    client.add_hub(world.entry.clone()).unwrap();
    sign_in(&world, &mut client, false).unwrap();
    assert_eq!(restart(&world).accounts().unwrap().len(), 1);
}

#[test]
fn what_another_process_wrote_meanwhile_is_not_lost() {
    let (world, mut long) = with_download();
    // While this one fetches the next reload, another one is launched, opens, and is told of
    // a log-in.
    world.hub.borrow_mut().reload = 2;
    let mut events = 0;
    let minute = HOUR / 60;
    long.download(&world.entry, &app(), &mut |event| {
        if event != satchel_device::DownloadEvent::Checking {
            return;
        }
        events += 1;
        world.clock.set(10 * minute);
        let mut other = restart(&world);
        sign_in(&world, &mut other, false).unwrap();
        assert_eq!(other.open(URL, &app()).unwrap().manifest.reload, 1);
    })
    .unwrap();
    assert_eq!(events, 1);
    let mut client = restart(&world);
    assert_eq!(client.open(URL, &app()).unwrap().manifest.reload, 2);
    // The time the other one saw is still known.
    world.clock.set(4 * minute);
    assert_eq!(
        code(restart(&world).open(URL, &app())),
        "lease.clock_behind"
    );
}

#[test]
fn a_wipe_ends_what_another_process_was_doing() {
    let (world, mut long) = with_download();
    world.hub.borrow_mut().reload = 2;
    let ended = long.download(&world.entry, &app(), &mut |event| {
        if event == satchel_device::DownloadEvent::Checking {
            restart(&world).wipe().unwrap();
        }
    });
    assert_eq!(code(ended), "vault.locked");
    assert_eq!(world.disk.names(), Vec::<String>::new());
}

// threat: T-01
#[test]
fn every_guess_counts_whichever_process_makes_it() {
    let world = World::new();
    let mut clients: Vec<Client<'_>> = Vec::new();
    world.start().make_vault(Protection::Pin("1357")).unwrap();
    for _ in 0..5 {
        clients.push(world.start());
    }
    let guesses: Vec<String> = (0..10)
        .map(|n| code(clients[n % 5].unlock_with_pin("0000")))
        .collect();
    assert_eq!(guesses[8], "vault.wrong_pin");
    assert_eq!(guesses[9], "vault.destroyed");
    assert_eq!(code(clients[0].unlock_with_pin("1357")), "vault.destroyed");
}

// threat: T-09
#[test]
fn a_hub_with_another_identity_is_refused() {
    let (world, mut client) = with_download();
    world.hub.borrow_mut().key = satchel_sealed::SigningKey::from_seed(&[8; 32]);
    let refused = sign_in(&world, &mut client, false);
    assert_eq!(code(refused), "hub.identity_changed");
    assert!(client.open(URL, &app()).is_ok());
}

#[test]
fn a_remembered_device_signs_in_again_by_itself() {
    let world = World::new();
    let mut client = world.start();
    assert!(sign_in(&world, &mut client, true).unwrap().remembered);
    world.hub.borrow_mut().session_over = true;
    assert!(client.download(&world.entry, &app(), &mut |_| {}).is_ok());
}

#[test]
fn without_it_the_session_ends_and_says_so() {
    let (world, mut client) = with_download();
    world.hub.borrow_mut().session_over = true;
    let refused = client.download(&world.entry, &app(), &mut |_| {});
    assert_eq!(code(refused), "auth.not_signed_in");
}

// threat: T-06 T-24
#[test]
fn rights_that_are_gone_take_the_download_along() {
    let (world, mut client) = with_download();
    world.hub.borrow_mut().revoked = vec![app()];
    let signed_in = sign_in(&world, &mut client, false).unwrap();
    assert_eq!(signed_in.removed, ["Sales"]);
    assert_eq!(world.disk.names(), ["hubs.json", "vault.json"]);
}

/// Another process of the device renewed between reading the vault and asking.
#[test]
fn a_renewal_that_came_too_late_looks_again_and_goes_on() {
    let (world, mut client) = with_download();
    world.hub.borrow_mut().is_stale = true;
    world.hub.borrow_mut().now = 60_000;
    let again = sign_in(&world, &mut client, false).unwrap();
    assert!(!again.newly_enrolled);
    assert_eq!(world.hub.borrow().kept, Some(UnixMillis(T0 + 60_000)));
    assert!(client.open(URL, &app()).is_ok());
}

// threat: T-06
#[test]
fn a_revoked_device_keeps_nothing_after_the_next_contact() {
    let contacts: [fn(&World, &mut Client<'_>) -> String; 2] = [
        |world, client| code(sign_in(world, client, false)),
        |world, client| code(client.download(&world.entry, &app(), &mut |_| {})),
    ];
    for contact in contacts {
        let (world, mut client) = with_download();
        world.hub.borrow_mut().device_revoked = true;
        assert!(client.open(URL, &app()).is_ok(), "it cannot know yet");
        assert_eq!(contact(&world, &mut client), "device.revoked");
        assert_eq!(world.disk.names(), ["hubs.json", "vault.json"]);
        assert_eq!(code(client.open(URL, &app())), "auth.not_signed_in");
        assert!(client.accounts().unwrap().is_empty());
        // Whoever may still sign in enrols anew.
        world.hub.borrow_mut().device_revoked = false;
        assert!(sign_in(&world, &mut client, false).unwrap().newly_enrolled);
    }
}

/// A device whose session is long over, and that signs in by its key, hears it too.
// threat: T-06
#[test]
fn a_revoked_device_that_signs_in_by_its_key_keeps_nothing() {
    let world = World::new();
    let mut client = world.start();
    client.add_hub(world.entry.clone()).unwrap();
    sign_in(&world, &mut client, true).unwrap();
    client.download(&world.entry, &app(), &mut |_| {}).unwrap();
    world.hub.borrow_mut().device_revoked = true;
    let refused = client.sign_in_remembered(&world.entry);
    assert_eq!(code(refused), "device.revoked");
    assert_eq!(world.disk.names(), ["hubs.json", "vault.json"]);
    assert!(client.accounts().unwrap().is_empty());
}

#[test]
fn signing_out_closes_and_signing_in_opens_again() {
    let (world, mut client) = with_download();
    client.open(URL, &app()).unwrap();
    assert!(client.sign_out(&world.entry).unwrap());
    assert_eq!(code(client.open(URL, &app())), "lease.not_signed_in");
    sign_in(&world, &mut client, false).unwrap();
    assert!(client.open(URL, &app()).is_ok());
}

// threat: T-02 T-35
#[test]
fn signing_out_without_a_connection_forgets_what_signs_in() {
    let world = World::new();
    let mut client = world.start();
    client.add_hub(world.entry.clone()).unwrap();
    sign_in(&world, &mut client, true).unwrap();
    client.download(&world.entry, &app(), &mut |_| {}).unwrap();
    world.hub.borrow_mut().is_down = true;
    assert_eq!(
        client.sign_out(&world.entry),
        Ok(false),
        "the hub was not told"
    );
    let mut client = restart(&world);
    assert_eq!(code(client.open(URL, &app())), "lease.not_signed_in");
    world.hub.borrow_mut().is_down = false;
    // Neither the session nor the key signs in again by itself.
    assert_eq!(code(client.apps(&world.entry)), "auth.not_signed_in");
    assert_eq!(
        code(client.sign_in_remembered(&world.entry)),
        "auth.not_signed_in"
    );
    assert_eq!(
        world
            .disk
            .names()
            .iter()
            .filter(|n| n.starts_with("package-"))
            .count(),
        1
    );
}

// threat: T-02
#[test]
fn a_locked_client_opens_nothing() {
    let (_world, mut client) = with_download();
    client.lock();
    assert_eq!(code(client.open(URL, &app())), "vault.locked");
}

// threat: T-03 T-12
#[test]
fn a_package_of_another_device_does_not_open_here() {
    let (world, _) = with_download();
    let theirs = world.disk.files.borrow()["package-dl-1"].clone();
    let (ours, mut client) = with_download();
    // Enrolled anew: the same ids, but other keys.
    client.wipe().unwrap();
    sign_in(&ours, &mut client, false).unwrap();
    client.download(&ours.entry, &app(), &mut |_| {}).unwrap();
    let file = ours
        .disk
        .names()
        .into_iter()
        .find(|name| name.starts_with("package-"))
        .unwrap();
    ours.disk.files.borrow_mut().insert(file, theirs);
    assert_eq!(code(client.open(URL, &app())), "package.wrong_device");
}

#[test]
fn a_changed_choice_to_be_remembered_keeps_the_downloads() {
    let (world, mut client) = with_download();
    assert!(!sign_in(&world, &mut client, true).unwrap().remembered);
    assert!(client.open(URL, &app()).is_ok());

    let world = World::new();
    let mut client = world.start();
    assert!(sign_in(&world, &mut client, true).unwrap().remembered);
    client.download(&world.entry, &app(), &mut |_| {}).unwrap();
    assert!(!sign_in(&world, &mut client, false).unwrap().remembered);
    assert!(client.open(URL, &app()).is_ok());
}

#[test]
fn watching_is_no_use_and_sees_what_others_did() {
    let (world, _) = with_download();
    world.clock.set(HOUR);
    let mut client = restart(&world);
    let minute = HOUR / 60;
    world.clock.set(HOUR + 14 * minute);
    let account = client.watch(URL).unwrap();
    assert!(account.lease.remaining(client.now()).is_ok());
    world.clock.set(HOUR + 15 * minute);
    assert_eq!(code(client.watch(URL)), "vault.locked");

    let mut client = restart(&world);
    world.clock.set(HOUR + 25 * minute);
    client.touch().unwrap();
    world.clock.set(HOUR + 35 * minute);
    assert_eq!(client.watch(URL).unwrap().downloads.entries.len(), 1);
    // Another run of the client removes the download, then everything.
    restart(&world).remove_download(URL, &app()).unwrap();
    assert!(client.watch(URL).unwrap().downloads.entries.is_empty());
    restart(&world).wipe().unwrap();
    assert_eq!(code(client.watch(URL)), "vault.locked");
}

#[test]
fn watching_writes_down_the_time_seen() {
    let (world, _) = with_download();
    world.clock.set(HOUR);
    let mut client = restart(&world);
    for minutes in 1..=60 {
        world.clock.set(HOUR + minutes * 60_000);
        client.touch().unwrap();
        client.watch(URL).unwrap();
    }
    // Killed now, and the clock set back by half an hour.
    world.clock.set(HOUR + 30 * 60_000);
    assert_eq!(
        code(restart(&world).open(URL, &app())),
        "lease.clock_behind"
    );
    let mut client = restart(&world);
    world.clock.set(300 * HOUR);
    client.unlock_with_key("file", &KEK).unwrap();
    let account = client.watch(URL).unwrap();
    assert!(account.lease.remaining(client.now()).is_err());
}
