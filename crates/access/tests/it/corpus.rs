//! The worked examples in `corpus/access`, each against the mask and the reduced model.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use satchel_access::{Rules, Subject, SubjectKind, decide, mask, publication_check, reduce};
use satchel_base::SubjectId;
use satchel_data::{AccessTables, Model, ModelBuilder, View};

use crate::support::{access_table, frame, show, sum, table, values};

// threat: T-17 T-22
#[test]
fn every_worked_example_holds_masked_and_reduced() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/access");
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("the corpus")
        .map(|f| f.expect("a file").path())
        .collect();
    files.sort();
    assert!(files.len() >= 30);
    for file in files {
        let text = fs::read_to_string(&file).expect("readable");
        let body = text.split("```").nth(1).expect("a block");
        run(&file.display().to_string(), body);
    }
}

fn run(file: &str, body: &str) {
    let (mut builder, mut access) = (ModelBuilder::new(), AccessTables::default());
    let mut asks = Vec::new();
    for block in body.trim().split("\n\n") {
        let lines: Vec<&str> = block.trim().lines().collect();
        match lines[0].split_once(' ') {
            Some(("data", name)) => builder = builder.table(frame(name, &lines[1..])),
            Some(("access", name)) => access.tables.push(access_table(name, &lines[1..])),
            _ => asks.push(lines),
        }
    }
    let model = Arc::new(builder.build().expect("small"));
    let (rules, findings) = Rules::read(&access, &model);
    let mut pending: Vec<String> = publication_check(&rules, &[])
        .iter()
        .map(ToString::to_string)
        .collect();
    assert!(!asks.is_empty(), "{file} asks nothing");
    for lines in asks {
        match lines[0].split_once(' ') {
            Some(("as", who)) => ask(file, who, &lines[1..], &rules, &model),
            _ => {
                for line in lines {
                    match line.split_once(' ').expect("two words") {
                        ("pending", key) => {
                            let at = pending.iter().position(|p| p == key);
                            pending.remove(at.unwrap_or_else(|| panic!("{file}: {line}")));
                        }
                        ("finding", code) => {
                            assert!(findings.iter().any(|f| f.code == code), "{file}: {line}");
                        }
                        _ => panic!("{file}: {line}"),
                    }
                }
            }
        }
    }
    assert_eq!(
        pending,
        Vec::<String>::new(),
        "{file}: waits for confirmation"
    );
}

fn ask(file: &str, who: &str, wants: &[&str], rules: &Rules, model: &Arc<Model>) {
    let (user, groups) = who.split_once(" in ").unwrap_or((who, ""));
    let mut subject = Subject::new(SubjectId::parse(user));
    subject.groups = groups.split(", ").map(str::to_owned).collect();
    if user == "anonymous" {
        subject.kind = SubjectKind::Anonymous;
    }
    let decision = decide(rules, &subject);
    let (masked, reduced) = (mask(&decision, model.clone()), reduce(&decision, model));
    if wants == ["denied"] {
        assert!(
            masked.is_err() && reduced.is_err(),
            "{file}: {who} is not denied"
        );
        assert_eq!(masked.expect_err("denied").to_string(), "access denied");
        return;
    }
    let masked = masked.unwrap_or_else(|e| panic!("{file}: {who}: {}", e.reason));
    let reduced = reduced.expect("as the mask");
    for count in &reduced.tables {
        let id = table(&masked, &count.table).expect("a counted table is visible");
        assert_eq!(count.rows_out, masked.n_rows(id) as u64);
    }
    let reduced = View::unrestricted(Arc::new(reduced.model));
    assert_eq!(show(&masked), show(&reduced), "{file}: {who}");
    for view in [&masked, &reduced] {
        for want in wants {
            let (what, rest) = want.split_once(' ').expect("two words");
            let (name, answer) = rest.split_once(' ').unwrap_or((rest, ""));
            let got = match what {
                "sum" => sum(view, name).map(|n| n.to_string()),
                "rows" => table(view, name).map(|t| view.n_rows(t).to_string()),
                "values" => values(view, name).map(|v| v.join(", ")),
                "fields" => {
                    let names = view.fields().map(|f| view.model().field(f).name.clone());
                    assert_eq!(names.collect::<Vec<_>>().join(", "), rest, "{file}: {who}");
                    continue;
                }
                _ => panic!("{file}: {want}"),
            };
            assert_eq!(got.as_deref(), Some(answer), "{file}: {who}: {want}");
        }
    }
}
