//! Lets the disk fail under the repository, in tests: publishing and keeping packages are done
//! or not, whatever fails when.

use std::cell::Cell;
use std::collections::HashSet;
use std::fs;
use std::io;
use std::time::{Duration, SystemTime};

use satchel_base::{AppId, ByteSize, SubjectId, UnixMillis};

use crate::{BlobName, NewApp, PublishedReload, Store, StoreError, User};

/// What becomes of the steps from the nth on.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// One fails.
    Once,
    /// All fail: the disk is full, or the process dead.
    All,
    /// The same, and nothing is tidied any more.
    Dead,
}

thread_local! {
    static ARMED: Cell<Option<(u64, Fault)>> = const { Cell::new(None) };
}

/// A step; fails if it was told to.
pub(crate) fn step() -> io::Result<()> {
    match ARMED.get() {
        None => Ok(()),
        Some((0, fault)) => {
            if matches!(fault, Fault::Once) {
                ARMED.set(None);
            }
            Err(io::ErrorKind::StorageFull.into())
        }
        Some((n, fault)) => {
            ARMED.set(Some((n - 1, fault)));
            Ok(())
        }
    }
}

/// Whether the process is meant to be dead.
pub(crate) fn is_dead() -> bool {
    matches!(ARMED.get(), Some((0, Fault::Dead)))
}

const T: UnixMillis = UnixMillis(1_706_745_600_000);

/// Numbers that follow from a seed.
fn dice(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move |sides| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % sides
    }
}

fn data(n: u64) -> Vec<u8> {
    n.to_be_bytes().repeat(500)
}

async fn publish(store: &Store, app: &AppId, n: u64) -> Result<u64, StoreError> {
    let after = store.app(app).await?.expect("the app is there").reload;
    let blob = store.blobs().put(&data(n))?;
    let reload = PublishedReload {
        after,
        data: blob,
        data_size: ByteSize(4_000),
        data_as_of: T,
        access_fingerprint: None,
    };
    store.publish_reload(app, &reload, T).await
}

/// The blobs of the folder, all of them old.
fn aged(store: &Store) -> HashSet<String> {
    let old = SystemTime::now() - Duration::from_secs(7_200);
    let entries = fs::read_dir(store.dir().join("blobs")).unwrap();
    entries
        .map(|entry| {
            let path = entry.unwrap().path();
            let file = fs::File::options().write(true).open(&path).unwrap();
            file.set_modified(old).unwrap();
            path.file_name().unwrap().to_str().unwrap().to_owned()
        })
        .filter(|name| name != ".lock")
        .collect()
}

// threat: T-23
#[tokio::test(flavor = "multi_thread")]
async fn at_any_step_the_disk_may_fail_and_the_last_good_reload_stays() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::init(&dir.path().join("hub"), "hub", "Hub", [7; 32], T)
        .await
        .unwrap();
    let ann = SubjectId::new("LOCAL", "ann");
    let user = User {
        id: ann.clone(),
        display_name: "Ann".into(),
        email: String::new(),
        groups: Vec::new(),
        roles: Vec::new(),
        password_hash: None,
    };
    store.add_user(&user, T).await.unwrap();
    let app = AppId::new("app");
    let new = NewApp {
        id: app.clone(),
        title: "Sales".into(),
        description: String::new(),
        owner: ann,
        content: store.blobs().put(b"{}").unwrap(),
    };
    store.put_app(&new, T).await.unwrap();
    let n_seeds = if std::env::var("SLOW").is_ok() {
        2_000
    } else {
        50
    };
    let mut there = None;
    for seed in 1..=n_seeds {
        let mut roll = dice(seed);
        let at = roll(8);
        let fault = [Fault::Once, Fault::All, Fault::Dead][roll(3) as usize];
        // Sometimes the same data again, which is there already.
        let n = if roll(4) == 0 {
            there.unwrap_or(seed)
        } else {
            seed
        };
        let before = store.app(&app).await.unwrap().unwrap().reload;
        ARMED.set(Some((at, fault)));
        let outcome = publish(&store, &app, n).await;
        ARMED.set(None);
        let what = format!("seed {seed}: {fault:?} at {at}: {outcome:?}");
        if let Err(error) = &outcome {
            assert!(error.is_full(), "{what}");
        }
        let now = store.app(&app).await.unwrap().unwrap();
        assert_eq!(now.reload, before + u64::from(outcome.is_ok()), "{what}");
        there = if outcome.is_ok() { Some(n) } else { there };
        let blob = now.data.as_ref();
        assert_eq!(blob.is_some(), there.is_some(), "{what}");
        if let (Some(blob), Some(n)) = (blob, there) {
            assert_eq!(store.blobs().read(blob).unwrap(), data(n), "{what}");
        }
        // What the fault left behind goes with the next sweep, and nothing else.
        aged(&store);
        store.sweep_blobs().await.unwrap();
        let wanted: HashSet<String> = [Some(&now.content), blob]
            .into_iter()
            .flatten()
            .map(|blob: &BlobName| blob.as_str().to_owned())
            .collect();
        assert_eq!(aged(&store), wanted, "{what}");
        if seed % 8 == 0 {
            publish(&store, &app, seed + 1_000_000).await.unwrap();
            there = Some(seed + 1_000_000);
        }
    }
    assert!(there.is_some());
}
