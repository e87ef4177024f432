//! Round trips, and everything that must not open.

use proptest::prelude::*;
use satchel_sealed::package::{
    Binding, CHUNK_BYTES, END_BYTES, Reader, TAG_BYTES, inspect, open, verify,
};
use satchel_sealed::{OpenError, SealError};

use crate::support::{
    Fixed, binding, device_key, hub_key, manifest, other_device_key, other_hub_key, payload, seal,
};

fn open_ours(bytes: &[u8]) -> Result<Vec<u8>, OpenError> {
    open(bytes, &binding(), &hub_key().verifying_key(), &device_key()).map(|o| o.payload)
}

/// Start and end of chunk `i` in a package.
fn chunk(bytes: &[u8], i: usize) -> (usize, usize) {
    let header = inspect(bytes).unwrap().header_bytes;
    let start = header + i * (CHUNK_BYTES + TAG_BYTES);
    let end = (start + CHUNK_BYTES + TAG_BYTES).min(bytes.len() - END_BYTES);
    (start, end)
}

#[test]
fn every_interesting_length_comes_back() {
    for len in [
        0,
        1,
        100,
        CHUNK_BYTES - 1,
        CHUNK_BYTES,
        CHUNK_BYTES + 1,
        2 * CHUNK_BYTES,
        3 * CHUNK_BYTES + 17,
    ] {
        let plain = payload(len);
        let bytes = seal(&plain);
        let opened = open(
            &bytes,
            &binding(),
            &hub_key().verifying_key(),
            &device_key(),
        )
        .unwrap();
        assert!(opened.payload == plain, "payload of {len} bytes");
        assert_eq!(opened.header.manifest, manifest());
        assert_eq!(opened.header.package_bytes(), bytes.len() as u64);
        assert!(verify(&bytes, &hub_key().verifying_key()).is_ok());
    }
}

#[test]
fn the_payload_is_not_readable_in_the_package() {
    let plain = b"CANARY-7f3c".repeat(40);
    let bytes = seal(&plain);
    assert!(!bytes.windows(11).any(|w| w == b"CANARY-7f3c"));
}

#[test]
fn two_packages_of_the_same_payload_differ() {
    let make = |seed| {
        satchel_sealed::package::seal(
            &binding(),
            &manifest(),
            b"same",
            &device_key().public_key(),
            &hub_key(),
            &mut Fixed::new(seed),
        )
        .unwrap()
    };
    assert_ne!(make("a"), make("b"));
}

// threat: T-12
#[test]
fn every_flipped_byte_is_found() {
    // Small enough to try every byte of header, chunk and end.
    let bytes = seal(&payload(300));
    for at in 0..bytes.len() {
        for bit in [0x01, 0x80] {
            let mut broken = bytes.clone();
            broken[at] ^= bit;
            assert!(open_ours(&broken).is_err(), "byte {at} of {}", bytes.len());
            // Without the device's key: the header's ids are checked by signature only.
            assert!(
                verify(&broken, &hub_key().verifying_key()).is_err(),
                "byte {at} of {}, checking only",
                bytes.len()
            );
        }
    }
}

// threat: T-12
#[test]
fn every_truncation_is_found_and_named() {
    let bytes = seal(&payload(300));
    for len in 0..bytes.len() {
        assert!(
            matches!(
                open_ours(&bytes[..len]),
                Err(OpenError::Truncated { found, .. }) if found == len as u64
            ),
            "cut to {len}: {:?}",
            open_ours(&bytes[..len])
        );
    }
}

#[test]
fn cutting_at_a_chunk_border_is_found() {
    let bytes = seal(&payload(3 * CHUNK_BYTES));
    for i in 0..3 {
        let (_, end) = chunk(&bytes, i);
        assert_eq!(
            open_ours(&bytes[..end]),
            Err(OpenError::Truncated {
                expected: bytes.len() as u64,
                found: end as u64
            })
        );
    }
}

#[test]
fn bytes_after_the_end_are_refused() {
    let mut bytes = seal(&payload(10));
    let expected = bytes.len() as u64;
    bytes.push(0);
    assert_eq!(open_ours(&bytes), Err(OpenError::Trailing { expected }));
    // Also when they come in a later piece.
    let (hub, binding, device) = (hub_key().verifying_key(), binding(), device_key());
    let mut reader = Reader::opening(&binding, &hub, &device);
    let mut sink = |_: &[u8]| {};
    reader.push(&bytes[..bytes.len() - 1], &mut sink).unwrap();
    assert_eq!(
        reader.push(&[0], &mut sink),
        Err(OpenError::Trailing { expected })
    );
}

// threat: T-12
#[test]
fn chunks_cannot_be_reordered_dropped_or_repeated() {
    let bytes = seal(&payload(4 * CHUNK_BYTES));
    let (s0, e0) = chunk(&bytes, 0);
    let (s1, e1) = chunk(&bytes, 1);
    let (s3, e3) = chunk(&bytes, 3);

    let mut swapped = bytes.clone();
    swapped[s0..e0].copy_from_slice(&bytes[s1..e1]);
    swapped[s1..e1].copy_from_slice(&bytes[s0..e0]);
    assert_eq!(open_ours(&swapped), Err(OpenError::Chunk { chunk: 0 }));

    let mut last_first = bytes.clone();
    last_first[s0..e0].copy_from_slice(&bytes[s3..e3]);
    last_first[s3..e3].copy_from_slice(&bytes[s0..e0]);
    assert_eq!(open_ours(&last_first), Err(OpenError::Chunk { chunk: 0 }));

    let mut dropped = bytes.clone();
    dropped.drain(s1..e1);
    assert_eq!(open_ours(&dropped), Err(OpenError::Chunk { chunk: 1 }));

    let mut repeated = bytes.clone();
    repeated.splice(s1..s1, bytes[s0..e0].iter().copied());
    assert_eq!(open_ours(&repeated), Err(OpenError::Chunk { chunk: 1 }));
}

// threat: T-12
#[test]
fn a_chunk_of_another_package_does_not_fit() {
    let ours = seal(&payload(CHUNK_BYTES + 5));
    let theirs = satchel_sealed::package::seal(
        &binding(),
        &manifest(),
        &payload(CHUNK_BYTES + 5),
        &device_key().public_key(),
        &hub_key(),
        &mut Fixed::new("another"),
    )
    .unwrap();
    let (start, end) = chunk(&ours, 1);
    let mut mixed = ours.clone();
    mixed[start..end].copy_from_slice(&theirs[start..end]);
    assert_eq!(open_ours(&mixed), Err(OpenError::Chunk { chunk: 1 }));
}

#[track_caller]
fn refused(change: impl FnOnce(&mut Binding), want: OpenError) {
    let mut expected = binding();
    change(&mut expected);
    let got = open(
        &seal(b"x"),
        &expected,
        &hub_key().verifying_key(),
        &device_key(),
    );
    assert_eq!(got.map(|_| ()), Err(want));
}

// threat: T-12
#[test]
fn another_hub_user_device_or_app_is_refused_by_name() {
    refused(|b| b.hub = "other".into(), OpenError::WrongHub);
    refused(|b| b.user = "LOCAL\\BEN".into(), OpenError::WrongUser);
    refused(|b| b.device = "other".into(), OpenError::WrongDevice);
    refused(|b| b.app = "other".into(), OpenError::WrongApp);
}

#[test]
fn another_device_key_does_not_open() {
    let got = open(
        &seal(b"x"),
        &binding(),
        &hub_key().verifying_key(),
        &other_device_key(),
    );
    assert_eq!(got.map(|_| ()), Err(OpenError::DataKey));
}

// threat: T-09 T-12
#[test]
fn another_hubs_signature_is_refused() {
    let got = open(
        &seal(b"x"),
        &binding(),
        &other_hub_key().verifying_key(),
        &device_key(),
    );
    assert_eq!(got.map(|_| ()), Err(OpenError::Signature));
}

// threat: T-12
#[test]
fn nothing_reaches_the_sink_before_it_is_authentic() {
    // A forger who knows the device's public key, but has another signing key.
    let forged = satchel_sealed::package::seal(
        &binding(),
        &manifest(),
        &payload(3 * CHUNK_BYTES),
        &device_key().public_key(),
        &other_hub_key(),
        &mut Fixed::new("forged"),
    )
    .unwrap();
    let (hub, binding, device) = (hub_key().verifying_key(), binding(), device_key());
    let mut reader = Reader::opening(&binding, &hub, &device);
    let mut n_plain = 0;
    let got = reader.push(&forged, &mut |plain| n_plain += plain.len());
    assert_eq!((got, n_plain), (Err(OpenError::Signature), 0));
}

#[test]
fn a_reader_that_failed_stays_failed() {
    let mut bytes = seal(&payload(100));
    let at = bytes.len() - END_BYTES - 1;
    bytes[at] ^= 1;
    let (hub, binding, device) = (hub_key().verifying_key(), binding(), device_key());
    let mut reader = Reader::opening(&binding, &hub, &device);
    let want = Err(OpenError::Chunk { chunk: 0 });
    assert_eq!(reader.push(&bytes, &mut |_| {}), want);
    assert_eq!(reader.push(&bytes, &mut |_| {}), want);
    assert_eq!(reader.finish().map(|_| ()), want);
}

#[test]
fn limits_of_the_writer_are_named() {
    let seal_with = |binding: &Binding, manifest: &[u8]| {
        satchel_sealed::package::seal(
            binding,
            manifest,
            b"",
            &device_key().public_key(),
            &hub_key(),
            &mut Fixed::new("limits"),
        )
        .map(|_| ())
    };
    assert!(matches!(
        seal_with(&binding(), b""),
        Err(SealError::ManifestSize { found: 0, .. })
    ));
    assert!(matches!(
        seal_with(&binding(), &vec![0; (1 << 20) + 1]),
        Err(SealError::ManifestSize { .. })
    ));
    let mut long = binding();
    long.app = "x".repeat(1025);
    assert!(matches!(
        seal_with(&long, &manifest()),
        Err(SealError::IdSize { which: "app", .. })
    ));
}

#[test]
fn the_announced_length_is_kept() {
    let mut out = Vec::new();
    let start = |out: &mut Vec<u8>| {
        let key = Box::leak(Box::new(hub_key()));
        satchel_sealed::package::Writer::start(
            &binding(),
            &manifest(),
            10,
            &device_key().public_key(),
            key,
            &mut Fixed::new("length"),
            out,
        )
        .unwrap()
    };
    let mut writer = start(&mut out);
    assert_eq!(
        writer.write(&[0; 11], &mut out),
        Err(SealError::PayloadLength {
            announced: 10,
            written: 11
        })
    );
    let mut writer = start(&mut out);
    writer.write(&[0; 9], &mut out).unwrap();
    assert_eq!(
        writer.finish(&mut out),
        Err(SealError::PayloadLength {
            announced: 10,
            written: 9
        })
    );
}

fn cases(default: u32) -> ProptestConfig {
    #[expect(
        clippy::disallowed_methods,
        reason = "the tests read SLOW, the room does not"
    )]
    let slow = std::env::var_os("SLOW").is_some();
    let n = if slow { default * 64 } else { default };
    ProptestConfig::with_cases(n)
}

proptest! {
    #![proptest_config(cases(48))]

    /// However the bytes are cut into pieces, the same comes out.
    #[test]
    fn pieces_do_not_matter(
        len in 0usize..200_000,
        cuts in proptest::collection::vec(1usize..90_000, 1..12),
    ) {
        let plain = payload(len);
        let bytes = seal(&plain);
        let mut pieces = Vec::new();
        {
            let mut writer_out = Vec::new();
            let hub = hub_key();
            let mut writer = satchel_sealed::package::Writer::start(
                &binding(), &manifest(), len as u64, &device_key().public_key(), &hub,
                &mut Fixed::new("seal"), &mut writer_out,
            ).unwrap();
            let mut rest = &plain[..];
            for cut in cuts.iter().cycle() {
                if rest.is_empty() { break; }
                let (now, later) = rest.split_at((*cut).min(rest.len()));
                writer.write(now, &mut writer_out).unwrap();
                rest = later;
            }
            let whole = writer.finish(&mut writer_out).unwrap();
            prop_assert!(writer_out == bytes);
            prop_assert_eq!(whole, *blake3::hash(&bytes).as_bytes());
        }
        let (hub, binding, device) = (hub_key().verifying_key(), binding(), device_key());
        let mut reader = Reader::opening(&binding, &hub, &device);
        let mut rest = &bytes[..];
        for cut in cuts.iter().cycle() {
            if rest.is_empty() { break; }
            let (now, later) = rest.split_at((*cut).min(rest.len()));
            reader.push(now, &mut |p| pieces.extend_from_slice(p)).unwrap();
            rest = later;
        }
        prop_assert!(reader.finish().is_ok());
        prop_assert!(pieces == plain);
    }

    /// Bytes of any kind are refused without a panic.
    // threat: T-38
    #[test]
    fn garbage_is_refused(bytes in proptest::collection::vec(any::<u8>(), 0..3000), with_magic: bool) {
        let mut bytes = bytes;
        if with_magic {
            let good = seal(b"");
            let n = bytes.len().min(36);
            bytes[..n].copy_from_slice(&good[..n]);
        }
        prop_assert!(open_ours(&bytes).is_err());
        prop_assert!(verify(&bytes, &hub_key().verifying_key()).is_err());
        let _ = inspect(&bytes);
    }
}
