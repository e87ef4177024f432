//! Files that were changed, exchanged or carried to another device.

use std::fs;
use std::path::Path;

use crate::bench::{Bench, Device};

const ASK: [&str; 3] = ["ask", "Sales", "Sum(AMOUNT)"];

fn code(device: &Device) -> String {
    device.satchel(&ASK).code()
}

/// Puts bytes in the place of a file, as somebody would who found the disk.
fn replace(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
}

// threat: T-12
#[test]
fn a_package_changed_anywhere_does_not_open() {
    let bench = Bench::new();
    let device = bench.device_with_sales("ben");
    let path = device.package();
    let genuine = fs::read(&path).unwrap();
    let last = genuine.len() - 1;
    for position in (0..16).map(|n| last * n / 15) {
        let mut changed = genuine.clone();
        changed[position] ^= 1;
        replace(&path, &changed);
        let code = code(&device);
        assert!(code.starts_with("package."), "byte {position}: {code}");
    }
    for kept in [0, 1, genuine.len() / 2, last] {
        replace(&path, &genuine[..kept]);
        let code = code(&device);
        assert!(code.starts_with("package."), "{kept} bytes: {code}");
    }
    replace(&path, &[&genuine[..], b"more"].concat());
    assert!(code(&device).starts_with("package."));
    fs::remove_file(&path).unwrap();
    assert_eq!(code(&device), "app.not_downloaded");
    replace(&path, &genuine);
    assert_eq!(device.sales(), 6995.0);
}

// threat: T-03 T-12
#[test]
fn packages_open_for_their_person_on_their_device_only() {
    let bench = Bench::new();
    let own = bench.device_with_sales("ben");
    let ada = bench.device_with_sales("ada");
    let other_device = bench.device_with_sales("ben");
    let genuine = fs::read(own.package()).unwrap();
    replace(&own.package(), &fs::read(ada.package()).unwrap());
    assert_eq!(code(&own), "package.wrong_user");
    replace(&own.package(), &fs::read(other_device.package()).unwrap());
    assert_eq!(code(&own), "package.wrong_device");
    replace(&own.package(), &genuine);
    assert_eq!(own.sales(), 6995.0);
}

// threat: T-01
#[test]
fn a_state_folder_is_nothing_without_its_key() {
    let bench = Bench::new();
    let own = bench.device_with_sales("ben");
    let stolen = own.copy_without(&["vault.key"]);
    assert_eq!(code(&stolen), "vault.wrong_key");
    assert_eq!(stolen.satchel(&["status"]).code(), "vault.wrong_key");
    let cleo = bench.device_with_sales("cleo");
    let key = fs::read(cleo.home().join("vault.key")).unwrap();
    replace(&stolen.home().join("vault.key"), &key);
    assert_eq!(code(&stolen), "vault.wrong_key");
    // And another person cannot go on with it after a log-in of their own.
    assert_eq!(stolen.sign_in("cleo").code(), "vault.wrong_key");
    assert_eq!(own.sign_in("cleo").code(), "device.other_user");
    assert_eq!(own.sales(), 6995.0);
}

// threat: T-01
#[test]
fn a_vault_changed_anywhere_does_not_open() {
    let bench = Bench::new();
    let device = bench.device_with_sales("fay");
    let path = device.home().join("vault.json");
    let genuine = fs::read(&path).unwrap();
    let last = genuine.len() - 1;
    for position in (0..16).map(|n| last * n / 15) {
        let mut changed = genuine.clone();
        changed[position] = changed[position].wrapping_add(1);
        replace(&path, &changed);
        let code = code(&device);
        assert!(code.starts_with("vault."), "byte {position}: {code}");
    }
    replace(&path, &genuine);
    assert_eq!(device.sales(), 11810.0);
}

// threat: T-01 T-20
#[test]
fn nothing_readable_lies_on_the_disk() {
    let bench = Bench::new();
    let device = bench.device_with_sales("ada");
    assert_eq!(device.sales(), 17400.0);
    for path in device.files("") {
        let bytes = fs::read(&path).unwrap();
        for secret in [
            "Gamma Trading",
            "FURNITURE",
            "AMOUNT",
            crate::bench::PASSWORD,
        ] {
            let found = bytes.windows(secret.len()).any(|w| w == secret.as_bytes());
            assert!(!found, "{secret} can be read in {}", path.display());
        }
    }
}

// threat: T-41
#[cfg(unix)]
#[test]
fn the_state_folder_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let bench = Bench::new();
    let device = bench.device_with_sales("cleo");
    for path in device.files("") {
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{} is {mode:o}", path.display());
    }
}
