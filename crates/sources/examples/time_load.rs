//! Times a load: `time_load FOLDER SCRIPT_TEXT [RUNS]`. Files are `lib://data/…` in FOLDER.

use std::time::Instant;

use satchel_base::Budget;
use satchel_script::{Settings, run};
use satchel_sources::{FileHost, Roots};

fn main() {
    let mut args = std::env::args().skip(1);
    let folder = args.next().unwrap_or_else(|| ".".to_owned());
    let script = args.next().unwrap_or_default();
    let n_runs = args.next().and_then(|n| n.parse().ok()).unwrap_or(3);
    for _ in 0..n_runs {
        let roots = Roots::new(&folder).with("data", &folder);
        let mut host = FileHost::new(roots, |line| println!("{line}"));
        let start = Instant::now();
        match run(
            "script",
            &script,
            &mut host,
            &Settings::default(),
            &Budget::unlimited(),
        ) {
            Ok(result) => println!(
                "{:.3} s, {} tables, {} bytes",
                start.elapsed().as_secs_f64(),
                result.model.tables().len(),
                result.model.bytes()
            ),
            Err(failure) => {
                for problem in failure.problems {
                    println!("{}", problem.rendered);
                }
            }
        }
    }
}
