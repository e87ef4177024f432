//! Every seed, once, as an ordinary test.

fn run(target: &str, folder: &str, check: fn(&[u8])) {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut n_seeds = 0;
    for entry in std::fs::read_dir(&folder).expect("the folder of seeds exists") {
        let path = entry.expect("the folder can be read").path();
        let bytes = std::fs::read(&path).expect("the seed can be read");
        println!("{target}: {}", path.display());
        check(&bytes);
        // Its beginnings too: what is cut short is where readers go wrong.
        for len in (0..bytes.len()).step_by(1 + bytes.len() / 50) {
            check(&bytes[..len]);
        }
        n_seeds += 1;
    }
    assert!(n_seeds > 0, "no seeds in {}", folder.display());
}

#[test]
fn package() {
    run("package", "../corpus/sealed", satchel_fuzz::package);
}

#[test]
fn signed() {
    run("signed", "seeds/signed", satchel_fuzz::signed);
}

#[test]
fn expression() {
    run("expression", "seeds/expression", satchel_fuzz::expression);
}

#[test]
fn script() {
    run("script", "seeds/script", satchel_fuzz::script);
}
