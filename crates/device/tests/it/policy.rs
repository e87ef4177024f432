//! What policy demands is demanded: by the hub's signed document, by managed configuration, and
//! by both at once.

use satchel_contract::Policy;
use satchel_contract::policy::Key;
use satchel_device::policy::{HeldPolicy, take_policy, verify_policy};
use satchel_device::{
    Client, Credentials, DeviceError, DeviceName, HubEntry, Managed, PolicyRefusal, Protection,
};
use satchel_sealed::{SigningKey, signed};

use crate::client::{HOUR, KEK, URL, app, sign_in};
use crate::world::{T0, World};

const MINUTE: i64 = 60_000;

fn managed(json: &str) -> Managed {
    Managed {
        sources: vec![("this device".into(), serde_json::from_str(json).unwrap())],
        client_version: "0.2.0".into(),
    }
}

fn code<T: std::fmt::Debug>(result: Result<T, DeviceError>) -> String {
    result.unwrap_err().code().to_owned()
}

fn sign_in_with_pin(world: &World, client: &mut Client<'_>, pin: &str) -> Result<(), DeviceError> {
    let device = DeviceName {
        name: "Laptop".into(),
        platform: "linux".into(),
        client: "test".into(),
    };
    let protection = Protection::Pin(pin);
    let with = Credentials {
        user: "ann",
        password: "right",
        code: None,
    };
    client
        .sign_in(&world.entry, with, true, &device, protection)
        .map(drop)
}

/// A device with a PIN that holds the app; the hub says `policy`.
fn with_pin(policy: Option<&'static str>) -> (World, Client<'static>) {
    let world = World::new();
    let mut client = world.start();
    client.add_hub(world.entry.clone()).unwrap();
    sign_in_with_pin(&world, &mut client, "2580").unwrap();
    client.download(&world.entry, &app(), &mut |_| {}).unwrap();
    world.hub.borrow_mut().policy = policy;
    sign_in_with_pin(&world, &mut client, "2580").unwrap();
    (world, client)
}

// threat: T-01
#[test]
fn a_lock_that_is_required_is_there_or_nothing_opens() {
    let world = World::new();
    let mut client = world.start();
    client.manage(managed(r#"{"require_lock": true, "pin_length": 6}"#));
    client.add_hub(world.entry.clone()).unwrap();
    let refused = sign_in(&world, &mut client, false);
    assert_eq!(code(refused), "policy.lock_required");
    assert!(!client.has_vault(), "nothing is kept of it");
    let short = sign_in_with_pin(&world, &mut client, "25803");
    assert_eq!(code(short), "policy.pin_too_short");
    sign_in_with_pin(&world, &mut client, "258036").unwrap();
    client.download(&world.entry, &app(), &mut |_| {}).unwrap();
    client.open(URL, &app()).unwrap();
    assert_eq!(
        code(client.replace_pin("file", &KEK)),
        "policy.lock_required"
    );
    assert_eq!(code(client.set_pin("2580")), "policy.pin_too_short");
}

// threat: T-01
#[test]
fn a_lock_the_hub_requires_later_closes_until_there_is_one() {
    let world = World::new();
    let mut client = world.start();
    client.add_hub(world.entry.clone()).unwrap();
    sign_in(&world, &mut client, false).unwrap();
    client.download(&world.entry, &app(), &mut |_| {}).unwrap();
    world.hub.borrow_mut().policy = Some(r#"{"require_lock": true}"#);
    sign_in(&world, &mut client, false).unwrap();
    assert_eq!(code(client.open(URL, &app())), "policy.lock_required");
    assert_eq!(code(client.watch(URL)), "policy.lock_required");
    let again = client.download(&world.entry, &app(), &mut |_| {});
    assert_eq!(code(again), "policy.lock_required");
    client.set_pin("2580").unwrap();
    client.open(URL, &app()).unwrap();
    // The key beside the vault opens nothing any more.
    let mut anew = world.start();
    assert_eq!(code(anew.unlock_with_key("file", &KEK)), "vault.wrong_key");
    anew.unlock_with_pin("2580").unwrap();
    anew.open(URL, &app()).unwrap();
}

// threat: T-01
#[test]
fn another_way_to_unlock_encrypts_nothing_anew() {
    let (world, mut client) = with_pin(None);
    let packages = || {
        let files = world.disk.files.borrow();
        let packages = files
            .iter()
            .filter(|(name, _)| name.starts_with("package-"));
        packages
            .map(|(name, bytes)| (name.clone(), bytes.clone()))
            .collect::<Vec<_>>()
    };
    let before = packages();
    assert_eq!(before.len(), 1);
    client.set_pin("369369").unwrap();
    client.open(URL, &app()).unwrap();
    client.replace_pin("file", &KEK).unwrap();
    let mut anew = world.start();
    assert_eq!(code(anew.unlock_with_pin("369369")), "vault.no_pin");
    anew.unlock_with_key("file", &KEK).unwrap();
    anew.open(URL, &app()).unwrap();
    assert_eq!(packages(), before);
}

#[test]
fn a_pin_that_became_too_short_opens_nothing_until_it_is_changed() {
    let (world, mut client) = with_pin(Some(r#"{"pin_length": 6}"#));
    assert_eq!(code(client.open(URL, &app())), "policy.pin_too_short");
    let mut anew = world.start();
    anew.unlock_with_pin("2580").unwrap();
    assert_eq!(code(anew.open(URL, &app())), "policy.pin_too_short");
    assert_eq!(code(anew.set_pin("36936")), "policy.pin_too_short");
    anew.set_pin("369369").unwrap();
    anew.open(URL, &app()).unwrap();
}

// threat: T-01
#[test]
fn as_many_wrong_pins_as_policy_allows_destroy_the_vault() {
    for (by_hub, by_device, tries) in [
        (Some(r#"{"pin_tries": 5}"#), "{}", 5),
        (Some(r#"{"pin_tries": 5}"#), r#"{"pin_tries": 3}"#, 3),
        (None, r#"{"pin_tries": 4}"#, 4),
        (Some(r#"{"pin_tries": 3}"#), r#"{"pin_tries": 9}"#, 3),
    ] {
        let (world, _) = with_pin(by_hub);
        for n in 1..=tries {
            // Each in a process of its own.
            let mut client = world.start();
            client.manage(managed(by_device));
            let want = if n < tries {
                "vault.wrong_pin"
            } else {
                "vault.destroyed"
            };
            assert_eq!(
                code(client.unlock_with_pin("0000")),
                want,
                "try {n} of {tries}"
            );
        }
        let mut client = world.start();
        assert_eq!(code(client.unlock_with_pin("2580")), "vault.destroyed");
    }
}

// threat: T-02
#[test]
fn it_locks_after_the_idle_time_policy_gives() {
    for (by_hub, by_device, minutes) in [
        (None, "{}", 15),
        (Some(r#"{"idle_minutes": 5}"#), "{}", 5),
        (Some(r#"{"idle_minutes": 60}"#), "{}", 60),
        (Some(r#"{"idle_minutes": 5}"#), r#"{"idle_minutes": 2}"#, 2),
        (Some(r#"{"idle_minutes": 2}"#), r#"{"idle_minutes": 30}"#, 2),
    ] {
        let (world, _) = with_pin(by_hub);
        let mut client = world.start();
        client.manage(managed(by_device));
        client.unlock_with_pin("2580").unwrap();
        world.clock.set(minutes * MINUTE - 1);
        assert!(
            client.open(URL, &app()).is_ok(),
            "{minutes} minutes are not over"
        );
        world.clock.set(2 * minutes * MINUTE - 1);
        assert_eq!(
            code(client.open(URL, &app())),
            "vault.locked",
            "{minutes} minutes are over"
        );
    }
}

// threat: T-05 T-06
#[test]
fn the_hours_are_the_least_anybody_gives() {
    for (by_hub, by_device, hours) in [
        (None, r#"{"max_offline_hours": 10}"#, 10),
        (Some(r#"{"max_offline_hours": 72}"#), "{}", 72),
        (
            Some(r#"{"max_offline_hours": 72}"#),
            r#"{"max_offline_hours": 100}"#,
            72,
        ),
    ] {
        let (world, _) = with_pin(by_hub);
        let mut client = world.start();
        client.manage(managed(by_device));
        client.unlock_with_pin("2580").unwrap();
        client.open(URL, &app()).unwrap();
        world.clock.set(hours * HOUR - 1);
        client.unlock_with_pin("2580").unwrap();
        assert_eq!(client.open(URL, &app()).unwrap().remaining.remaining_ms, 1);
        world.clock.set(hours * HOUR);
        assert_eq!(code(client.open(URL, &app())), "lease.expired");
    }
    let (world, _) = with_pin(None);
    let mut client = world.start();
    client.manage(managed(r#"{"max_offline_hours": 0}"#));
    client.unlock_with_pin("2580").unwrap();
    assert_eq!(code(client.open(URL, &app())), "lease.offline_not_allowed");
    // What limited the hours is gone: the grant's are there again.
    client.manage(managed("{}"));
    client.open(URL, &app()).unwrap();
}

#[test]
fn downloads_that_are_not_allowed_are_neither_fetched_nor_opened() {
    let (world, mut client) = with_pin(Some(r#"{"allow_downloads": false}"#));
    assert_eq!(code(client.open(URL, &app())), "policy.no_downloads");
    let fetched = client.download(&world.entry, &app(), &mut |_| {});
    assert_eq!(code(fetched), "policy.no_downloads");
    assert!(client.remove_download(URL, &app()).unwrap(), "it may go");
}

#[test]
fn a_log_in_is_not_remembered_where_policy_forbids_it() {
    let (world, mut client) = with_pin(None);
    assert!(client.sign_in_remembered(&world.entry).is_ok());
    client.manage(managed(r#"{"allow_remember": false}"#));
    assert_eq!(
        code(client.sign_in_remembered(&world.entry)),
        "policy.no_remember"
    );
    client.manage(managed("{}"));
    world.hub.borrow_mut().policy = Some(r#"{"allow_remember": false}"#);
    sign_in_with_pin(&world, &mut client, "2580").unwrap();
    assert_eq!(
        code(client.sign_in_remembered(&world.entry)),
        "auth.not_signed_in"
    );
}

// threat: T-39
#[test]
fn an_old_client_is_refused() {
    let (world, mut client) = with_pin(Some(r#"{"minimum_client": "0.2.1"}"#));
    client.manage(managed("{}"));
    assert_eq!(code(client.open(URL, &app())), "policy.client_too_old");
    let mut anew = world.start();
    anew.manage(managed(r#"{"minimum_client": "0.10.0"}"#));
    assert_eq!(code(anew.resolve_hub(None)), "policy.client_too_old");
    anew.manage(managed(r#"{"minimum_client": "0.2"}"#));
    assert!(anew.resolve_hub(None).is_ok());
}

// threat: T-43
#[test]
fn hubs_that_are_locked_are_the_only_ones() {
    let world = World::new();
    let mut client = world.start();
    client.add_hub(world.entry.clone()).unwrap();
    let mut client = world.start();
    client.manage(managed(
        r#"{"hubs": ["https://managed.example"], "hubs_locked": true}"#,
    ));
    assert_eq!(
        code(client.resolve_hub(Some(URL))),
        "policy.hub_not_allowed"
    );
    let entry = |url: &str| HubEntry {
        url: url.into(),
        ca: None,
    };
    let added = client.add_hub(entry("https://other.example"));
    assert_eq!(code(added), "policy.hub_not_allowed");
    assert_eq!(
        code(client.check_hub(&entry("https://other.example"))),
        "policy.hub_not_allowed"
    );
    let managed_hub = client.resolve_hub(Some("managed.example")).unwrap();
    assert!(client.check_hub(&managed_hub).is_ok());
    // It is not written down: it goes when whoever manages the device takes it back.
    let client = world.start();
    assert!(client.hubs().find("https://managed.example").is_none());
}

#[test]
fn a_hub_without_a_policy_loosens_nothing_it_said_before() {
    let (world, mut client) = with_pin(Some(r#"{"allow_downloads": false}"#));
    world.hub.borrow_mut().policy = None;
    sign_in_with_pin(&world, &mut client, "2580").unwrap();
    assert_eq!(code(client.open(URL, &app())), "policy.no_downloads");
}

// threat: T-09 T-39
#[test]
fn an_older_policy_cannot_be_played_again() {
    let (world, mut client) = with_pin(Some(r#"{"allow_downloads": false}"#));
    {
        let mut hub = world.hub.borrow_mut();
        hub.policy = Some("{}");
        hub.policy_age = 6 * MINUTE;
    }
    let again = sign_in_with_pin(&world, &mut client, "2580");
    assert_eq!(code(again), "policy.too_old");
    assert_eq!(code(client.open(URL, &app())), "policy.no_downloads");
    world.hub.borrow_mut().policy_age = 0;
    world.clock.set(MINUTE);
    world.hub.borrow_mut().now = MINUTE;
    sign_in_with_pin(&world, &mut client, "2580").unwrap();
    client.open(URL, &app()).unwrap();
}

// threat: T-09
#[test]
fn only_the_pinned_hubs_policy_for_this_person_counts() {
    let (_, mut client) = with_pin(None);
    let account = client.accounts().unwrap().remove(0);
    let key = SigningKey::from_seed(&[1; 32]);
    let sealed = |key: &SigningKey, context: &str, hub: &str, user: &str| {
        let json = format!(
            r#"{{"hub": "{hub}", "user": "{user}", "issued_at": {T0}, "policy": {{"hubs": ["https://evil.example"], "pin_tries": 3}}}}"#
        );
        signed::sign(key, context, json.as_bytes()).unwrap()
    };
    let user = account.user.as_str().replace('\\', "\\\\");
    let verified = |bytes: &[u8]| verify_policy(bytes, &account.hub, &account.user);
    let good = verified(&sealed(&key, signed::POLICY, "hub-1", &user)).unwrap();
    assert_eq!(good.policy.number(Key::PinTries), 3);
    assert_eq!(good.policy.list(Key::Hubs), None, "not a hub's to say");
    for bad in [
        sealed(
            &SigningKey::from_seed(&[2; 32]),
            signed::POLICY,
            "hub-1",
            &user,
        ),
        sealed(&key, signed::GRANT, "hub-1", &user),
        sealed(&key, signed::POLICY, "hub-2", &user),
        sealed(&key, signed::POLICY, "hub-1", "LOCAL\\\\BEN"),
        signed::sign(&key, signed::POLICY, b"{}").unwrap(),
        b"garbage".to_vec(),
    ] {
        assert_eq!(verified(&bad), Err(PolicyRefusal::NotGenuine));
    }
}

#[test]
fn within_the_slack_of_clocks_the_newer_policy_stays() {
    let at = |ms: i64, policy: &str| HeldPolicy {
        issued_at: satchel_base::UnixMillis(T0 + ms),
        policy: serde_json::from_str::<Policy>(policy).unwrap(),
    };
    let mut held = Some(at(1000, r#"{"pin_tries": 3}"#));
    take_policy(&mut held, Some(at(0, "{}"))).unwrap();
    assert_eq!(held, Some(at(1000, r#"{"pin_tries": 3}"#)));
    take_policy(&mut held, None).unwrap();
    assert!(held.is_some());
    take_policy(&mut held, Some(at(1000, "{}"))).unwrap();
    assert_eq!(held, Some(at(1000, "{}")));
    let old = at(1000 - satchel_device::CLOCK_SLACK_MS - 1, "{}");
    assert_eq!(
        take_policy(&mut held, Some(old)),
        Err(PolicyRefusal::TooOld)
    );
}

#[test]
fn everybody_sees_who_decided_what() {
    let (_, mut client) = with_pin(Some(r#"{"idle_minutes": 5, "max_offline_hours": 100}"#));
    client.manage(managed(r#"{"idle_minutes": 10, "max_offline_hours": 50}"#));
    let effective = client.policy(URL).unwrap();
    assert_eq!(effective.decided_by(Key::IdleMinutes), [URL]);
    assert_eq!(effective.decided_by(Key::MaxOfflineHours), ["this device"]);
    assert!(effective.decided_by(Key::RequireLock).is_empty());
    assert_eq!(client.idle_ms().unwrap(), 5 * MINUTE);
}
