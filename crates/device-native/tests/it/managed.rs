//! Managed configuration counts only if root alone could have written it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use satchel_contract::policy::Key;
use satchel_device_native::{ManagedError, read_managed};

fn write(path: &Path, mode: u32, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Whether this test runs as root, who alone can write such a file.
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
}

// threat: T-43
#[test]
fn a_policy_others_may_write_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.json");
    assert_eq!(read_managed(&path), Ok(None));
    let refused =
        |path: &Path| matches!(read_managed(path), Err(ManagedError::NotRootsAlone { .. }));
    write(&path, 0o666, "{}");
    assert!(refused(&path));
    write(&path, 0o664, "{}");
    assert!(refused(&path), "its group may write it");
    let link = folder.path().join("link.json");
    std::os::unix::fs::symlink("/etc/hostname", &link).unwrap();
    assert!(
        refused(&link),
        "whoever may write the link decides where it leads"
    );
    let nowhere = folder.path().join("nowhere.json");
    std::os::unix::fs::symlink("/nowhere/at/all", &nowhere).unwrap();
    assert!(
        refused(&nowhere),
        "a link that leads nowhere is no way to have no policy"
    );
    write(&path, 0o644, r#"{"idle_minutes": 5}"#);
    if is_root() {
        let policy = read_managed(&path).unwrap().unwrap();
        assert_eq!(policy.number(Key::IdleMinutes), 5);
        for bad in ["", "[]", r#"{"idle_minutes": 0}"#] {
            write(&path, 0o644, bad);
            assert!(
                matches!(read_managed(&path), Err(ManagedError::Unreadable { .. })),
                "{bad}"
            );
        }
    } else {
        assert!(refused(&path), "we are not root, and it is ours");
    }
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    write(&path, 0o644, "{}");
    assert!(
        refused(&path),
        "whoever may write the folder can put another file there"
    );
}
