//! The first seeds; `cargo run --release -p graceful-simulation -- --seeds 100000` runs more.
#![allow(clippy::unwrap_used)]

use graceful_simulation::{check, record::Shared, scenario::Scenario, silence::silence, tally::Tally};

#[test]
fn shutdowns_keep_every_invariant() {
    silence();
    let mut total = Tally::default();
    for seed in 0..450 {
        match check(seed, &Shared::default()) {
            Ok(tally) => total.add(tally),
            Err(problems) => panic!(
                "seed {seed}, traced by `cargo run -p graceful-simulation -- --seed {seed}`:\n{}",
                problems.join("\n")
            ),
        }
    }
    // The seeds show something: requests in flight when the drain began, and drains that had to cut.
    assert!(total.drained > 100 && total.cut_runs > 10, "{total:?}");
    assert!(total.gaps <= 1, "responses lost to the documented gap: {total:?}");
}

#[test]
fn a_seed_runs_the_same_way_every_time() {
    silence();
    for seed in 0..30 {
        let runs = [(); 2].map(|()| {
            let record = Shared::default();
            graceful_simulation::run::run(&Scenario::of(seed), &record).unwrap();
            format!("{:#?}", record.lock())
        });
        let difference = runs[0].lines().zip(runs[1].lines()).find(|(one, other)| one != other);
        assert!(runs[0] == runs[1], "seed {seed}: {difference:?}");
    }
}
