//! The lease at its borders, and against a naive model.

use proptest::prelude::*;
use satchel_base::{DeviceId, SubjectId, UnixMillis};
use satchel_contract::{AccessType, Grant};
use satchel_device::{LeaseError, LeaseState, LeaseStatus, LeaseWarning};

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// Some time in 2026.
const T0: i64 = 1_790_000_000_000;

fn at(millis: i64) -> UnixMillis {
    UnixMillis(T0 + millis)
}

fn grant(issued: i64, offline_hours: u16) -> Grant {
    grant_named(&format!("grant-{issued}"), issued, offline_hours)
}

fn grant_named(id: &str, issued: i64, offline_hours: u16) -> Grant {
    Grant {
        id: id.to_owned(),
        hub: "hub".into(),
        user: SubjectId::parse("ann"),
        device: DeviceId::new("device"),
        issued_at: at(issued),
        offline_hours,
        access_type: AccessType::Analyzer,
    }
}

fn logged_in(hours: u16) -> LeaseState {
    let mut lease = LeaseState::default();
    lease.log_in(grant(0, hours), at(0)).unwrap();
    lease
}

fn code(lease: &mut LeaseState, now: i64) -> &'static str {
    match lease.open(at(now)) {
        Ok(left) => {
            assert!(left.remaining_ms > 0);
            "open"
        }
        Err(error) => error.code(),
    }
}

// threat: T-05
#[test]
fn the_last_second_opens_and_the_240th_hour_refuses() {
    let mut lease = logged_in(240);
    let launch = 3 * DAY;
    lease.launch(at(launch));
    assert_eq!(code(&mut lease, launch + 240 * HOUR - SECOND), "open");
    assert_eq!(code(&mut lease, launch + 240 * HOUR - 1), "open");
    assert_eq!(code(&mut lease, launch + 240 * HOUR), "lease.expired");
    // Setting the clock back a little does not open it again.
    assert_eq!(
        code(&mut lease, launch + 240 * HOUR - 4 * MINUTE),
        "lease.expired"
    );
}

#[test]
fn a_log_in_alone_does_not_start_the_hours() {
    let mut lease = logged_in(240);
    assert_eq!(lease.first_launch(), None);
    assert_eq!(lease.view(at(0)).status, LeaseStatus::NotStarted);
    assert_eq!(code(&mut lease, 29 * DAY), "open");
    assert_eq!(lease.first_launch(), Some(at(29 * DAY)));
    assert_eq!(code(&mut lease, 38 * DAY), "open");
    assert_eq!(code(&mut lease, 39 * DAY), "lease.expired");
}

#[test]
fn a_grant_never_launched_lapses_after_thirty_days() {
    let mut lease = logged_in(240);
    assert_eq!(code(&mut lease.clone(), 30 * DAY - 1), "open");
    assert_eq!(code(&mut lease, 30 * DAY), "lease.not_launched_in_time");
    assert_eq!(lease.first_launch(), None);
}

#[test]
fn policy_shortens_and_never_lengthens() {
    let mut lease = logged_in(1);
    lease.launch(at(0));
    assert_eq!(code(&mut lease, HOUR - 1), "open");
    assert_eq!(code(&mut lease, HOUR), "lease.expired");

    let mut lease = logged_in(u16::MAX);
    lease.launch(at(0));
    assert_eq!(code(&mut lease, 240 * HOUR), "lease.expired");

    assert_eq!(code(&mut logged_in(0), 0), "lease.offline_not_allowed");
}

// threat: T-05
#[test]
fn five_minutes_behind_is_honest_and_more_is_not() {
    let mut lease = logged_in(240);
    assert_eq!(code(&mut lease, DAY), "open");
    assert_eq!(code(&mut lease, DAY - 5 * MINUTE), "open");
    assert_eq!(code(&mut lease, DAY - 5 * MINUTE - 1), "lease.clock_behind");
    // Putting the clock right again does not open it: only a log-in does.
    assert_eq!(code(&mut lease, 2 * DAY), "lease.clock_behind");
    lease.log_in(grant(2 * DAY, 240), at(2 * DAY)).unwrap();
    assert_eq!(code(&mut lease, 2 * DAY), "open");
}

// threat: T-05
#[test]
fn a_slow_clock_gains_no_time() {
    let mut lease = logged_in(240);
    lease.launch(at(0));
    lease.observe(at(HOUR));
    let left = lease.remaining(at(HOUR - 4 * MINUTE)).unwrap();
    assert_eq!(left.remaining_ms, 239 * HOUR);
}

#[test]
fn a_log_in_repairs_a_mark_from_the_future() {
    let mut lease = logged_in(240);
    lease.observe(at(400 * DAY));
    assert_eq!(code(&mut lease, DAY), "lease.clock_behind");
    lease.log_in(grant(DAY, 240), at(DAY)).unwrap();
    assert_eq!(code(&mut lease, DAY + HOUR), "open");
}

// threat: T-04
#[test]
fn the_hubs_signed_time_raises_the_mark() {
    // The device's clock is a day slow when it logs in.
    let mut lease = LeaseState::default();
    lease.log_in(grant(0, 240), at(-DAY)).unwrap();
    assert_eq!(lease.high_water(), Some(at(0)));
    assert_eq!(code(&mut lease, -DAY + HOUR), "lease.clock_behind");
}

// threat: T-04
#[test]
fn an_older_grant_cannot_be_played_again() {
    let mut lease = logged_in(240);
    lease.log_in(grant(20 * DAY, 240), at(20 * DAY)).unwrap();
    let before = lease.clone();
    assert_eq!(
        lease.log_in(grant(DAY, 240), at(DAY)),
        Err(LeaseError::GrantTooOld)
    );
    assert_eq!(lease, before);
    lease.sign_out();
    assert_eq!(
        lease.log_in(grant(DAY, 240), at(DAY)),
        Err(LeaseError::GrantTooOld)
    );
}

// threat: T-04
#[test]
fn a_grant_gives_its_hours_once() {
    let mut lease = logged_in(240);
    lease.log_in(grant(MINUTE, 240), at(MINUTE)).unwrap();
    lease.launch(at(MINUTE));
    lease.observe(at(240 * HOUR));
    let before = lease.clone();
    // The one in force, and one of a minute earlier, with the clock set to match.
    lease.log_in(grant(MINUTE, 240), at(MINUTE)).unwrap();
    assert_eq!(lease, before);
    assert_eq!(
        lease.log_in(grant(0, 240), at(0)),
        Err(LeaseError::GrantTooOld)
    );
    assert_eq!(lease, before);
    assert_eq!(code(&mut lease, 241 * HOUR), "lease.expired");
    lease.sign_out();
    assert_eq!(
        lease.log_in(grant(MINUTE, 240), at(MINUTE)),
        Err(LeaseError::GrantTooOld)
    );
}

#[test]
fn signing_out_closes() {
    let mut lease = logged_in(240);
    lease.launch(at(0));
    lease.sign_out();
    assert_eq!(code(&mut lease, HOUR), "lease.not_signed_in");
}

#[test]
fn the_end_is_announced() {
    let mut lease = logged_in(240);
    lease.launch(at(0));
    let warning = |now| lease.view(at(now)).warning;
    assert_eq!(warning(8 * DAY - 1), LeaseWarning::None);
    assert_eq!(warning(8 * DAY), LeaseWarning::TwoDays);
    assert_eq!(warning(10 * DAY - 2 * HOUR), LeaseWarning::TwoHours);
    assert_eq!(warning(10 * DAY), LeaseWarning::None);
    assert_eq!(
        lease.view(at(10 * DAY)).code.as_deref(),
        Some("lease.expired")
    );
}

#[test]
fn state_survives_json() {
    let mut lease = logged_in(240);
    lease.launch(at(HOUR));
    lease.observe(at(0));
    let json = serde_json::to_string(&lease).unwrap();
    assert_eq!(serde_json::from_str::<LeaseState>(&json).unwrap(), lease);
}

#[derive(Clone, Debug)]
enum Event {
    LogIn { hours: u16, clock_error: i64 },
    Launch,
    Open,
    SignOut,
    Wait(i64),
    SetClock(i64),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        (
            0u16..300,
            prop_oneof![Just(0i64), -20 * MINUTE..20 * MINUTE]
        )
            .prop_map(|(hours, clock_error)| Event::LogIn { hours, clock_error }),
        Just(Event::Launch),
        Just(Event::Open),
        Just(Event::Open),
        Just(Event::SignOut),
        prop_oneof![0..10 * MINUTE, 0..3 * DAY, 0..35 * DAY].prop_map(Event::Wait),
        prop_oneof![-10 * MINUTE..10 * MINUTE, -20 * DAY..20 * DAY].prop_map(Event::SetClock),
    ]
}

/// Everything that happened, judged from the start each time: no state is carried over.
#[derive(Default)]
struct Model {
    /// (what, device clock, hub time, hours)
    history: Vec<(&'static str, i64, i64, u16)>,
}

impl Model {
    fn open(&self, now: i64) -> &'static str {
        let last_log_in = self.history.iter().rposition(|e| e.0 == "log-in");
        let signed_out = self.history.iter().rposition(|e| e.0 == "sign-out");
        let begin = last_log_in.unwrap_or(0);
        let mut mark = last_log_in.map(|i| self.history[i].2);
        let mut first = None;
        let mut seen: Vec<(&str, i64)> = self.history[begin..]
            .iter()
            .filter(|e| e.0 != "sign-out")
            .map(|e| (e.0, e.1))
            .collect();
        seen.push(("open", now));
        let gone = signed_out.is_some_and(|out| last_log_in.is_none_or(|i| out > i));
        let last = seen.len() - 1;
        for (i, (what, clock)) in seen.into_iter().enumerate() {
            if mark.is_some_and(|mark| mark - clock > 5 * MINUTE) {
                return "lease.clock_behind";
            }
            let time = mark.map_or(clock, |mark| mark.max(clock));
            mark = Some(time);
            let Some(log_in) = last_log_in else { continue };
            let (_, _, issued, hours) = self.history[log_in];
            if i == last && gone {
                return "lease.not_signed_in";
            }
            if hours == 0 || what == "log-in" {
                continue;
            }
            if first.is_none() && time - issued < 30 * DAY {
                first = Some(time);
            }
        }
        let Some(log_in) = last_log_in else {
            return "lease.not_signed_in";
        };
        let (_, _, _, hours) = self.history[log_in];
        if hours == 0 {
            return "lease.offline_not_allowed";
        }
        match first {
            None => "lease.not_launched_in_time",
            Some(first) if mark.unwrap() - first >= i64::from(hours.min(240)) * HOUR => {
                "lease.expired"
            }
            Some(_) => "open",
        }
    }
}

fn cases() -> ProptestConfig {
    #[expect(
        clippy::disallowed_methods,
        reason = "the tests read SLOW, the room does not"
    )]
    let slow = std::env::var_os("SLOW").is_some();
    ProptestConfig::with_cases(if slow { 100_000 } else { 1024 })
}

proptest! {
    #![proptest_config(cases())]

    // threat: T-05
    #[test]
    fn the_machine_agrees_with_the_naive_model(
        events in proptest::collection::vec(event(), 1..60),
    ) {
        let (mut real, mut offset) = (0i64, 0i64);
        let mut lease = LeaseState::default();
        let mut model = Model::default();
        for event in events {
            let now = real + offset;
            match event {
                Event::LogIn { hours, clock_error } => {
                    // Real time never runs backwards, so a fresh grant is never too old.
                    offset = clock_error;
                    let now = real + offset;
                    let id = format!("grant-{}", model.history.len());
                    lease.log_in(grant_named(&id, real, hours), at(now)).unwrap();
                    model.history.push(("log-in", now, real, hours));
                }
                Event::Launch => {
                    lease.launch(at(now));
                    model.history.push(("launch", now, 0, 0));
                }
                Event::Open => {
                    let want = model.open(now);
                    prop_assert_eq!(code(&mut lease, now), want);
                    model.history.push(("open", now, 0, 0));
                }
                Event::SignOut => {
                    lease.sign_out();
                    model.history.push(("sign-out", now, 0, 0));
                }
                Event::Wait(millis) => real += millis,
                Event::SetClock(by) => offset += by,
            }
        }
    }
}
