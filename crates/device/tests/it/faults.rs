//! A life of a device in which the disk fails or the process dies at any write: after each
//! step the device is as before it or as after it.

use satchel_device::{Account, DeviceError};

use crate::client::{HOUR, KEK, URL, app, sign_in};
use crate::world::{Fault, World};

/// What of a device's state a step may change.
#[derive(Clone, Debug, PartialEq, Eq)]
struct State {
    is_signed_in: bool,
    has_account: bool,
    /// The reload that opens.
    reload: Option<u64>,
}

/// Numbers that follow from a seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Download,
    SignIn,
    SignOut,
    Open,
    Watch,
    Remove,
    Wipe,
    RemoveHub,
}

const STEPS: [Step; 12] = [
    Step::Download,
    Step::Download,
    Step::Download,
    Step::SignIn,
    Step::SignIn,
    Step::SignOut,
    Step::Open,
    Step::Open,
    Step::Watch,
    Step::Remove,
    Step::Wipe,
    Step::RemoveHub,
];

fn unlocked(world: &World) -> Result<satchel_device::Client<'static>, DeviceError> {
    let mut client = world.start();
    if client.has_vault() {
        client.unlock_with_key("file", &KEK)?;
    }
    Ok(client)
}

fn account(world: &World) -> Option<Account> {
    let accounts = unlocked(world).unwrap().accounts().unwrap();
    accounts.into_iter().next()
}

/// How the device stands, as its next start finds it; everything on its disk is of use.
fn observe(world: &World) -> State {
    let account = account(world);
    let mut client = unlocked(world).unwrap();
    let reload = account.as_ref().and_then(|account| {
        let entry = account.downloads.entry(&app())?;
        let is_open = account.lease.remaining(client.now()).is_ok();
        match client.open(URL, &app()) {
            Ok(opened) => {
                assert_eq!(opened.manifest.reload, entry.manifest.reload);
                assert_eq!(opened.payload, payload(opened.manifest.reload));
            }
            Err(error) => assert!(!is_open, "{error}"),
        }
        Some(entry.manifest.reload)
    });
    let named: Vec<&str> = account.iter().flat_map(|a| a.downloads.files()).collect();
    for name in world.disk.names() {
        let is_package = name.starts_with("package-") || name.starts_with("part-");
        assert!(!is_package || named.contains(&&*name), "{name} is nobody's");
        assert_ne!(name, "wipe-begun");
        let bytes = &world.disk.files.borrow()[&name];
        let shows = |text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
        assert!(!shows(b"CANARY") && !shows(&KEK), "{name} can be read");
    }
    State {
        is_signed_in: account.as_ref().is_some_and(|account| {
            let left = account.lease.remaining(client.now());
            !left.is_err_and(|error| error.code() == "lease.not_signed_in")
        }),
        has_account: account.is_some(),
        reload,
    }
}

fn payload(reload: u64) -> Vec<u8> {
    format!("CANARY {reload} ").into_bytes().repeat(9_000)
}

/// Carries a step out on a client started for it; the reload it says it downloaded.
fn carry_out(world: &World, step: Step) -> Result<Option<u64>, DeviceError> {
    let mut client = unlocked(world)?;
    match step {
        Step::Download => {
            let entry = client.download(&world.entry, &app(), &mut |_| {})?;
            return Ok(Some(entry.manifest.reload));
        }
        Step::SignIn => {
            if client.hubs().find(URL).is_none() {
                client.add_hub(world.entry.clone())?;
            }
            sign_in(world, &mut client, false).map(drop)?;
        }
        Step::SignOut => client.sign_out(&world.entry).map(drop)?,
        Step::Open => client.open(URL, &app()).map(drop)?,
        Step::Watch => client.watch(URL).map(drop)?,
        Step::Remove => client.remove_download(URL, &app()).map(drop)?,
        Step::Wipe => client.wipe()?,
        Step::RemoveHub => client.remove_hub(URL)?,
    }
    Ok(None)
}

fn live(seed: u64) {
    let world = World::new();
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut before = observe(&world);
    let mut now = 0;
    for _ in 0..8 {
        let step = STEPS[dice.roll(STEPS.len() as u64) as usize];
        now += HOUR / 4;
        world.clock.set(now);
        {
            let mut hub = world.hub.borrow_mut();
            hub.now = now;
            hub.reload += 1;
            hub.payload = payload(hub.reload);
        }
        let seen_before = account(&world).and_then(|a| a.lease.high_water());
        let fault = [Fault::Stops, Fault::Tears, Fault::Once, Fault::Late][dice.roll(4) as usize];
        let at = dice.roll(12) as u32;
        *world.disk.fault.borrow_mut() = fault;
        *world.disk.writes_left.borrow_mut() = Some(at);
        let outcome = carry_out(&world, step);
        *world.disk.writes_left.borrow_mut() = None;
        let what = format!("seed {seed}: {step:?}, {fault:?} at {at}: {outcome:?} from {before:?}");
        println!("{what}");

        // What was shown was written down first.
        let seen = account(&world).and_then(|a| a.lease.high_water());
        if matches!(step, Step::Open) && outcome.is_ok() {
            assert_eq!(seen, Some(unlocked(&world).unwrap().now()), "{what}");
        }
        let after = observe(&world);
        if after.has_account && before.has_account {
            assert!(seen >= seen_before, "{what}");
        }
        let expected = |change: &dyn Fn(&mut State)| {
            let mut state = before.clone();
            change(&mut state);
            state
        };
        let gone = State {
            is_signed_in: false,
            has_account: false,
            reload: None,
        };
        let done = match step {
            Step::Download => expected(&|s| s.reload = after.reload.max(s.reload)),
            Step::SignIn => expected(&|s| {
                s.is_signed_in = true;
                s.has_account = true;
            }),
            Step::SignOut => expected(&|s| s.is_signed_in = false),
            Step::Open | Step::Watch => before.clone(),
            Step::Remove => expected(&|s| s.reload = None),
            Step::Wipe | Step::RemoveHub => gone,
        };
        match outcome {
            Ok(reload) => {
                assert_eq!(after, done, "{what}");
                assert!(reload.is_none() || reload == after.reload, "{what}");
            }
            Err(_) => assert!(after == before || after == done, "{what}: {after:?}"),
        }
        before = after;
    }
    // However it went, all is well again with a disk that works.
    carry_out(&world, Step::SignIn).unwrap();
    // What was left of a download is finished first.
    let mut reload = None;
    while reload != Some(world.hub.borrow().reload) {
        reload = carry_out(&world, Step::Download).unwrap();
    }
    assert_eq!(observe(&world).reload, reload, "seed {seed}");
}

// threat: T-44
#[test]
fn at_any_write_the_disk_may_fail_or_the_process_die() {
    let n_seeds = if std::env::var("SLOW").is_ok() {
        2_000
    } else {
        50
    };
    (1..=n_seeds).for_each(live);
}
