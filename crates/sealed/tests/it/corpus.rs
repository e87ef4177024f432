//! `corpus/sealed`: packages kept as files, so that every later version proves that it reads
//! this one's. `UPDATE=1` writes them anew.

use std::fmt::Write as _;
use std::path::PathBuf;

use satchel_sealed::package::{END_BYTES, inspect, open};

use crate::support::{binding, device_key, hub_key, other_hub_key, payload, seal};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../corpus/sealed")
}

/// Every file with its bytes, one flaw each.
fn cases() -> Vec<(&'static str, Vec<u8>)> {
    let good = seal(&payload(70_000));
    let header = inspect(&good).unwrap().header_bytes;
    let flipped = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        bytes
    };
    let with = |at: usize, new: &[u8]| {
        let mut bytes = good.clone();
        bytes[at..at + new.len()].copy_from_slice(new);
        bytes
    };
    let sealed_as = |change: fn(&mut satchel_sealed::package::Binding), by_hub: bool| {
        let mut other = binding();
        change(&mut other);
        let key = if by_hub { hub_key() } else { other_hub_key() };
        satchel_sealed::package::seal(
            &other,
            &crate::support::manifest(),
            b"x",
            &device_key().public_key(),
            &key,
            &mut crate::support::Fixed::new("corpus"),
        )
        .unwrap()
    };
    vec![
        ("good", good.clone()),
        ("good-empty", seal(b"")),
        ("bad-magic", with(0, b"PK")),
        ("bad-version", with(8, &[0, 2])),
        ("bad-suite", with(10, &[0, 9])),
        ("bad-chunk-size", with(12, &[0x7f; 4])),
        ("bad-payload-length", with(16, &[0xff; 8])),
        ("bad-manifest-length", with(24, &[0xff; 4])),
        ("bad-reserved", with(36, &[0, 0, 0, 1])),
        ("bad-manifest", flipped(220)),
        ("bad-data-key", flipped(header - 64 - 48)),
        ("bad-header-signature", flipped(header - 1)),
        ("bad-chunk", flipped(header + 65_536 + 16)),
        ("bad-checksum", flipped(good.len() - END_BYTES)),
        ("bad-end-signature", flipped(good.len() - 1)),
        ("truncated", good[..good.len() - 1].to_vec()),
        ("truncated-header", good[..100].to_vec()),
        ("trailing", [&good[..], b"x"].concat()),
        (
            "other-user",
            sealed_as(|b| b.user = "LOCAL\\BEN".into(), true),
        ),
        ("other-device", sealed_as(|b| b.device = "x".into(), true)),
        ("other-app", sealed_as(|b| b.app = "x".into(), true)),
        ("other-hub", sealed_as(|b| b.hub = "x".into(), true)),
        ("other-hub-key", sealed_as(|_| {}, false)),
    ]
}

/// What opening the bytes as ours ends with.
fn outcome(bytes: &[u8]) -> String {
    let hub = hub_key().verifying_key();
    match open(bytes, &binding(), &hub, &device_key()) {
        Ok(opened) => format!("opens, {} bytes", opened.payload.len()),
        Err(error) => format!("{}: {error}", error.code()),
    }
}

#[test]
fn every_file_ends_as_the_index_says() {
    #[expect(
        clippy::disallowed_methods,
        reason = "the tests read UPDATE, the room does not"
    )]
    let update = std::env::var_os("UPDATE").is_some();
    let mut index = String::new();
    if update {
        std::fs::create_dir_all(folder()).unwrap();
        for (name, bytes) in cases() {
            std::fs::write(folder().join(format!("{name}.bin")), bytes).unwrap();
        }
    }
    let mut names: Vec<_> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".bin"))
        .collect();
    names.sort();
    for name in &names {
        let bytes = std::fs::read(folder().join(name)).unwrap();
        writeln!(index, "{name:26} {}", outcome(&bytes)).unwrap();
    }
    assert!(names.len() >= cases().len());
    let path = folder().join("INDEX.txt");
    if update {
        std::fs::write(&path, &index).unwrap();
    }
    assert_eq!(index, std::fs::read_to_string(path).unwrap());
}

#[test]
fn the_writer_still_writes_the_same_bytes() {
    for (name, bytes) in cases() {
        let kept = std::fs::read(folder().join(format!("{name}.bin"))).unwrap();
        assert!(kept == bytes, "{name} differs");
    }
}
