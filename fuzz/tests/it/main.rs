//! Every seed, once, as an ordinary test; and conversations made by the grammar.

use std::path::Path;

fn run(folders: &[&str], check: fn(&[u8])) {
    let mut n_seeds = 0;
    for folder in folders {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        for entry in std::fs::read_dir(&folder).expect("the folder of seeds exists") {
            let path = entry.expect("the folder can be read").path();
            let bytes = std::fs::read(&path).expect("the seed can be read");
            // Shown if the check fails.
            println!("{}", path.display());
            check(&bytes);
            // Its beginnings too: what is cut short is where readers go wrong.
            for len in (0..bytes.len()).step_by(1 + bytes.len() / 20) {
                check(&bytes[..len]);
            }
            n_seeds += 1;
        }
    }
    assert!(n_seeds > 0, "no seeds in {folders:?}");
}

// threat: T-38
#[test]
fn package() {
    run(&["../corpus/sealed"], satchel_fuzz::package);
}

// threat: T-38
#[test]
fn signed() {
    run(&["seeds/signed"], satchel_fuzz::signed);
}

// threat: T-38
#[test]
fn expression() {
    run(&["seeds/expression"], satchel_fuzz::expression);
}

// threat: T-38
#[test]
fn script() {
    run(&["seeds/script"], satchel_fuzz::script);
}

// threat: T-38
#[test]
fn qix_frames() {
    run(
        &["seeds/qix_frames", "../corpus/rpc"],
        satchel_fuzz::qix_frames,
    );
}

// threat: T-38
#[test]
fn snapshot() {
    if std::env::var_os("UPDATE").is_some() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds/snapshot/small");
        std::fs::write(file, satchel_fuzz::small_snapshot()).expect("the seed is written");
    }
    run(&["seeds/snapshot"], satchel_fuzz::snapshot);
}

// threat: T-38
#[test]
fn csv() {
    run(&["seeds/csv"], satchel_fuzz::csv);
}

// threat: T-38
#[test]
fn parquet() {
    run(&["seeds/parquet"], satchel_fuzz::parquet);
}

/// Conversations grown frame by frame, the same in every run. `SLOW=1` makes a hundred times
/// as many.
#[test]
fn conversations_of_the_grammar() {
    let n = if std::env::var_os("SLOW").is_some() {
        4000
    } else {
        40
    };
    for seed in 0..n {
        let mut text = satchel_fuzz::conversation(seed);
        for step in 0..4 {
            // Shown if the conversation fails.
            println!("{text}\n");
            satchel_fuzz::qix_frames(text.as_bytes());
            if let Some(next) = satchel_fuzz::mutate_frames(text.as_bytes(), seed * 31 + step) {
                text = next;
            }
        }
    }
}

/// A grammar whose requests are refused tests nothing but refusals. What needs the right things
/// in the right order is in a seed.
#[test]
fn every_method_is_reached() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds/qix_frames");
    let seeds = ["pivot.jsonl", "list.jsonl", "order.jsonl", "drafts.jsonl"]
        .map(|name| std::fs::read_to_string(seeds.join(name)).expect("the seed can be read"));
    let made = (0..400).map(satchel_fuzz::conversation);
    let mut missing = satchel_fuzz::unanswered(seeds.into_iter().chain(made));
    missing.retain(|m| !REFUSED_HERE.contains(&m.as_str()));
    assert!(missing.is_empty(), "never with a result: {missing:?}");
}

/// The host of these sessions does not reload.
const REFUSED_HERE: &[&str] = &[
    "Doc.DoReload",
    "Doc.DoReloadEx",
    "Global.CancelReload",
    "Global.ConfigureReload",
    "Global.GetProgress",
];
