//! Snapshots: out and in again, canonical, and safe against any bytes.

use proptest::prelude::*;
use satchel_data::{Model, SnapshotError};

use crate::support::{cases, model, plan};

const PLENTY: u64 = 1 << 24;

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn a_snapshot_gives_the_same_model(plan in plan()) {
        let model = model(&plan);
        let bytes = model.to_snapshot();
        let back = Model::from_snapshot(&bytes, PLENTY).expect("reads its own");
        prop_assert_eq!(format!("{:?}", back.fields()), format!("{:?}", model.fields()));
        prop_assert_eq!(format!("{:?}", back.tables()), format!("{:?}", model.tables()));
        prop_assert_eq!(back.to_snapshot(), bytes);
    }

    #[test]
    fn damage_never_panics(plan in plan(), edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6), cut in any::<prop::sample::Index>(), shorten in any::<bool>()) {
        let mut bytes = model(&plan).to_snapshot();
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if shorten {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(model) = Model::from_snapshot(&bytes, PLENTY) {
            // What was accepted keeps the promises: writing and reading it works.
            let again = Model::from_snapshot(&model.to_snapshot(), PLENTY);
            prop_assert!(again.is_ok(), "{:?}", again.err());
        }
    }

    #[test]
    fn any_bytes_are_an_error(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(Model::from_snapshot(&bytes, PLENTY).is_err());
    }
}

#[test]
fn limits_and_versions_are_named() {
    let plan = vec![(
        vec![0, 1],
        vec![
            vec![1.0, 2.0]
                .into_iter()
                .map(satchel_data::Value::num)
                .collect();
            50
        ],
    )];
    let mut bytes = model(&plan).to_snapshot();
    assert_eq!(
        Model::from_snapshot(&bytes, 10).err(),
        Some(SnapshotError::TooLarge { limit: 10 })
    );
    assert_eq!(
        Model::from_snapshot(b"PK", 10).err(),
        Some(SnapshotError::NotASnapshot)
    );
    bytes[8] = 9;
    assert_eq!(
        Model::from_snapshot(&bytes, PLENTY).err(),
        Some(SnapshotError::TooNew {
            found: 9,
            supported: 1
        })
    );
}
