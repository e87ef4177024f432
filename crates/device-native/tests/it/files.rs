//! The state folder.

use satchel_device::StorageError;
use satchel_device::ports::Storage as _;
use satchel_device_native::Files;

fn folder(name: &str) -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("satchel-test-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    folder
}

#[test]
fn bytes_come_back_and_go() {
    let folder = folder("round");
    let mut files = Files::open(&folder).unwrap();
    assert_eq!(files.read("a.json"), Ok(None));
    files.write("a.json", b"one").unwrap();
    files.write("a.json", b"two").unwrap();
    assert_eq!(files.read("a.json"), Ok(Some(b"two".to_vec())));
    files.append("part-1", b"ab").unwrap();
    files.append("part-1", b"cd").unwrap();
    assert_eq!(files.len("part-1"), Ok(Some(4)));
    files.rename("part-1", "package-1").unwrap();
    let mut bytes = Vec::new();
    files
        .read_pieces("package-1", &mut |piece| bytes.extend_from_slice(piece))
        .unwrap();
    assert_eq!(bytes, b"abcd");
    files.remove("package-1").unwrap();
    files.remove("package-1").unwrap();
    assert_eq!(files.list(), Ok(vec!["a.json".to_owned()]));
    std::fs::remove_dir_all(folder).unwrap();
}

// threat: T-38
#[test]
fn names_cannot_leave_the_folder() {
    let folder = folder("names");
    let mut files = Files::open(&folder).unwrap();
    for name in ["../x", "/etc/passwd", "a/b", "", ".", "..", ".hidden"] {
        assert!(
            matches!(files.write(name, b""), Err(StorageError::Failed { .. })),
            "{name}"
        );
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn what_a_kill_left_half_written_is_removed() {
    let folder = folder("half");
    let mut files = Files::open(&folder).unwrap();
    files.write("vault.json", b"old").unwrap();
    std::fs::write(folder.join("vault.json.tmp"), b"ne").unwrap();
    let files = Files::open(&folder).unwrap();
    assert_eq!(files.list(), Ok(vec!["vault.json".to_owned()]));
    assert_eq!(files.read("vault.json"), Ok(Some(b"old".to_vec())));
    std::fs::remove_dir_all(folder).unwrap();
}

/// Each thread is a process of its own to the lock: it has its own open files.
#[test]
fn two_processes_that_write_at_once_lose_nothing() {
    const WRITERS: usize = 4;
    const EACH: usize = 25;
    let folder = folder("lock");
    let writer = |n: usize| {
        let mut files = Files::open(&folder).unwrap();
        for round in 0..EACH {
            let _alone = files.lock().unwrap();
            let _again = files.lock().unwrap();
            let count = files.read("count").unwrap().unwrap_or_default();
            files.write("count", &[&count[..], b"."].concat()).unwrap();
            drop(_again);
            drop(_alone);
            if n == 0 && round % 5 == 0 {
                files.remove_lock_file().unwrap();
            }
        }
    };
    std::thread::scope(|scope| {
        for n in 0..WRITERS {
            scope.spawn(move || writer(n));
        }
    });
    let files = Files::open(&folder).unwrap();
    assert_eq!(files.len("count"), Ok(Some((WRITERS * EACH) as u64)));
    files.remove_lock_file().unwrap();
    let left = std::fs::read_dir(&folder).unwrap().count();
    assert_eq!(left, 1, "the count alone");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_file_being_written_is_not_taken_for_a_left_over() {
    let folder = folder("writing");
    let files = Files::open(&folder).unwrap();
    let alone = files.lock().unwrap();
    std::fs::write(folder.join("vault.json.tmp"), b"half").unwrap();
    let other = std::thread::spawn({
        let folder = folder.clone();
        move || Files::open(folder).unwrap().list().unwrap()
    });
    // Whoever starts now waits until it is written.
    std::fs::rename(folder.join("vault.json.tmp"), folder.join("vault.json")).unwrap();
    drop(alone);
    assert_eq!(other.join().unwrap(), ["vault.json"]);
    std::fs::remove_dir_all(folder).unwrap();
}

// threat: T-41
#[cfg(unix)]
#[test]
fn only_the_owner_may_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = folder("mode");
    let mut files = Files::open(&folder).unwrap();
    files.write("vault.key", b"k").unwrap();
    files.append("part-1", b"k").unwrap();
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(mode(&folder.join("vault.key")), 0o600);
    assert_eq!(mode(&folder.join("part-1")), 0o600);
    std::fs::remove_dir_all(folder).unwrap();
}
