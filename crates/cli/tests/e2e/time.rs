//! The lease under a clock that stands where the test puts it.

use crate::bench::{Bench, Device, Time};

const ASK: [&str; 3] = ["ask", "Sales", "Sum(AMOUNT)"];

/// The code of the refusal, or `open`.
fn at(device: &Device, time: Time) -> String {
    let outcome = device.satchel_at(time, &ASK);
    match outcome.try_total() {
        Some(total) => {
            assert_eq!(total, 6995.0);
            "open".to_owned()
        }
        None => outcome.code(),
    }
}

/// A device of ben with the sales app and a log-in whose hours have not begun.
fn device(bench: &Bench) -> Device {
    let device = bench.device_with_sales("ben");
    device.sign_in("ben").done();
    device
}

// threat: T-05
#[test]
fn ten_days_to_the_second() {
    let bench = Bench::new();
    let device = device(&bench);
    let launch = Time::in_an_hour();
    assert_eq!(at(&device, launch), "open");
    let last = device.satchel_at(launch.plus(239, 3599), &ASK).done();
    assert_eq!(last["remaining_ms"], 1000);
    let over = launch.plus(240, 0);
    assert_eq!(at(&device, over), "lease.expired");
    let status = device.satchel_at(over, &["status"]).done();
    let account = &status["accounts"][0];
    assert_eq!(account["lease"]["status"], "closed");
    assert_eq!(account["lease"]["code"], "lease.expired");
    assert_eq!(account["downloads"][0]["title"], "Sales", "it is kept");
    // Setting the clock back does not bring the hours back.
    assert_eq!(at(&device, launch), "lease.clock_behind");
    // A log-in does, and needs no new download.
    let package = std::fs::read(device.package()).unwrap();
    device.sign_in("ben").done();
    assert_eq!(device.sales(), 6995.0);
    assert_eq!(std::fs::read(device.package()).unwrap(), package);
}

// threat: T-05
#[test]
fn the_hours_begin_at_the_first_launch() {
    let bench = Bench::new();
    let device = device(&bench);
    let launch = Time::in_an_hour().plus(29 * 24, 0);
    let status = device.satchel_at(launch, &["status"]).done();
    assert_eq!(
        status["accounts"][0]["lease"]["ends_at"],
        launch.plus(240, 0).millis()
    );
    assert_eq!(at(&device, launch.plus(239, 3599)), "open");
    assert_eq!(at(&device, launch.plus(240, 0)), "lease.expired");
}

#[test]
fn a_log_in_never_launched_lapses() {
    let bench = Bench::new();
    let device = device(&bench);
    let late = Time::in_an_hour().plus(30 * 24, 0);
    assert_eq!(at(&device, late), "lease.not_launched_in_time");
    device.sign_in("ben").done();
    assert_eq!(device.sales(), 6995.0);
}

// threat: T-05
#[test]
fn a_clock_set_back_closes_until_the_next_log_in() {
    let bench = Bench::new();
    let device = device(&bench);
    let launch = Time::in_an_hour();
    assert_eq!(at(&device, launch), "open");
    assert_eq!(at(&device, launch.plus(0, -300)), "open", "five minutes");
    assert_eq!(at(&device, launch.plus(0, -301)), "lease.clock_behind");
    assert_eq!(at(&device, launch.plus(1, 0)), "lease.clock_behind");
    device.sign_in("ben").done();
    assert_eq!(device.sales(), 6995.0);
}

// threat: T-05
#[test]
fn a_log_in_does_not_help_while_the_clock_is_wrong() {
    let bench = Bench::new();
    let device = device(&bench);
    let sign_in = ["sign-in", "--user", r"DEMO\ben"];
    device
        .under_clock("-10m", &sign_in, crate::bench::PASSWORD)
        .done();
    let refused = device.under_clock("-10m", &ASK, "");
    assert_eq!(refused.code(), "lease.clock_behind");
    device.sign_in("ben").done();
    assert_eq!(device.sales(), 6995.0);
}

#[test]
fn the_present_time_is_that_of_this_computer() {
    let bench = Bench::new();
    let device = bench.device_with_sales("ben");
    let minutes_ahead = |zone: &str, expression: &str| {
        let expression = format!("Round(({expression}) * 1440)");
        let asked = device.in_zone(zone, &["ask", "Sales", &expression]);
        asked.total()
    };
    for (zone, minutes) in [("UTC", 0.0), ("IST-5:30", 330.0), ("NST3:30", -210.0)] {
        for now in ["Now()", "LocalTime()"] {
            assert_eq!(
                minutes_ahead(zone, &format!("{now} - UTC()")),
                minutes,
                "{now} in {zone}"
            );
        }
        assert_eq!(
            minutes_ahead(zone, "Today() - Floor(LocalTime())"),
            0.0,
            "{zone}"
        );
    }
    // Two places between which it is another day at any time.
    let (east, west) = ("EAST-14", "WEST12");
    let day = |zone: &str| minutes_ahead(zone, "Today()") / 1440.0;
    assert!(day(east) > day(west));
}
