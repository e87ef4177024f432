//! The vault: keys come out only by the right secret, and tries run out.

use satchel_base::Entropy;
use satchel_device::{KdfCost, PIN_TRIES, VaultError, VaultFile};

struct Fixed(blake3::OutputReader);

impl Entropy for Fixed {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }
}

fn entropy() -> Fixed {
    Fixed(blake3::Hasher::new().update(b"vault").finalize_xof())
}

fn with_pin() -> VaultFile {
    let mut entropy = entropy();
    let (mut file, key) = VaultFile::make(&mut entropy);
    file.set_pin(&key, "2580", KdfCost::LEAST, &mut entropy)
        .unwrap();
    file.save_body(&key, b"{\"secret\":\"CANARY\"}", &mut entropy);
    file
}

fn try_pin(file: &mut VaultFile, pin: &str) -> Result<Vec<u8>, VaultError> {
    file.count_try()?;
    let key = file.try_pin(pin)?;
    file.load_body(&key).map(|body| body.to_vec())
}

#[test]
fn the_right_pin_opens_also_after_storing() {
    let mut file = VaultFile::from_json(&with_pin().to_json()).unwrap();
    assert_eq!(
        try_pin(&mut file, "2580").unwrap(),
        b"{\"secret\":\"CANARY\"}"
    );
}

// threat: T-01
#[test]
fn nothing_of_the_body_shows() {
    let text = String::from_utf8(with_pin().to_json()).unwrap();
    assert!(!text.contains("CANARY") && !text.contains("2580"));
}

// threat: T-01
#[test]
fn ten_wrong_pins_destroy() {
    let mut file = with_pin();
    for tries_left in (1..PIN_TRIES).rev() {
        assert_eq!(
            try_pin(&mut file, "0000"),
            Err(VaultError::WrongPin { tries_left })
        );
    }
    assert_eq!(try_pin(&mut file, "0000"), Err(VaultError::Destroyed));
    assert_eq!(try_pin(&mut file, "2580"), Err(VaultError::Destroyed));
    assert!(file.is_destroyed());
}

#[test]
fn a_right_pin_sets_the_count_to_zero() {
    let mut file = with_pin();
    for _ in 0..3 {
        for _ in 0..4 {
            let _ = try_pin(&mut file, "0000");
        }
        assert!(try_pin(&mut file, "2580").is_ok());
    }
}

// threat: T-01
#[test]
fn a_try_counts_even_if_the_process_dies_in_it() {
    let mut file = with_pin();
    for _ in 0..PIN_TRIES {
        file.count_try().unwrap();
        // Killed here: only the stored count remains.
        file = VaultFile::from_json(&file.to_json()).unwrap();
    }
    assert_eq!(file.count_try(), Err(VaultError::Destroyed));
}

#[test]
fn an_outside_key_opens_only_its_own_slot() {
    let mut entropy = entropy();
    let (mut file, key) = VaultFile::make(&mut entropy);
    file.set_outside_key(&key, "file", &[5; 32], &mut entropy);
    assert_eq!(
        file.open_with("file", &[5; 32]).unwrap().expose(),
        key.expose()
    );
    assert!(matches!(
        file.open_with("file", &[6; 32]),
        Err(VaultError::WrongKey)
    ));
    assert!(matches!(
        file.open_with("keystore", &[5; 32]),
        Err(VaultError::WrongKey)
    ));
}

#[test]
fn pins_have_a_length() {
    let mut entropy = entropy();
    let (mut file, key) = VaultFile::make(&mut entropy);
    assert_eq!(
        file.set_pin(&key, "123", KdfCost::LEAST, &mut entropy),
        Err(VaultError::PinLength)
    );
}

// threat: T-01 T-38
#[test]
fn a_changed_file_never_opens_and_never_exhausts_memory() {
    let text = String::from_utf8(with_pin().to_json()).unwrap();
    for (from, to) in [
        ("19456", "4294967295"),
        ("19456", "8"),
        ("\"passes\": 2", "\"passes\": 4000000"),
    ] {
        let changed = text.replace(from, to);
        assert_ne!(changed, text);
        let mut file = VaultFile::from_json(changed.as_bytes()).unwrap();
        assert_eq!(try_pin(&mut file, "2580"), Err(VaultError::Damaged));
    }
    assert_eq!(
        VaultFile::from_json(b"{\"format\":2}"),
        Err(VaultError::TooNew { found: 2 })
    );
    assert_eq!(VaultFile::from_json(b"{}"), Err(VaultError::Damaged));
}
