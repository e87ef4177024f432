//! A merge never allows more than either source, whatever the sources say.

use proptest::prelude::*;
use satchel_contract::Policy;
use satchel_contract::policy::{Effective, Item, Key, Kind, Value, definition, parse_version};

fn value(kind: Kind) -> BoxedStrategy<Value> {
    let texts = |all: &'static [&'static str]| {
        prop::collection::vec(prop::sample::select(all), 0..4)
            .prop_map(|texts| Value::Texts(texts.into_iter().map(str::to_owned).collect()))
            .boxed()
    };
    let text = |all: &'static [&'static str]| {
        prop::sample::select(all)
            .prop_map(|text| Value::Text(text.to_owned()))
            .boxed()
    };
    match kind {
        Kind::Switch { .. } => any::<bool>().prop_map(Value::Switch).boxed(),
        Kind::AtMost { least, most, .. } | Kind::AtLeast { least, most, .. } => {
            (least..=most).prop_map(Value::Number).boxed()
        }
        Kind::Version => text(&["0.1", "0.1.0", "0.2.0", "1", "10.0.1"]),
        Kind::LogLevel => text(&["error", "warn", "info", "debug", "trace"]),
        Kind::List(Item::Hub) => texts(&[
            "https://a.example",
            "https://b.example:4443",
            "https://c.example",
        ]),
        Kind::List(Item::Host) => texts(&["a.example", "b.example", "c.example"]),
        Kind::List(Item::Certificate) => texts(&[
            "-----BEGIN CERTIFICATE-----\nQQ==\n-----END CERTIFICATE-----",
            "-----BEGIN CERTIFICATE-----\nQg==\n-----END CERTIFICATE-----",
        ]),
        Kind::List(_) => texts(&[
            "0000000000000000000000000000000000000000000000000000000000000000",
            "1111111111111111111111111111111111111111111111111111111111111111",
        ]),
        _ => text(&["Sales", "Flights"]),
    }
}

fn policy() -> impl Strategy<Value = Policy> {
    let keys: Vec<_> = Key::all()
        .map(|key| prop::option::of(value(definition(key).kind)).prop_map(move |v| (key, v)))
        .collect();
    keys.prop_map(|said| {
        let mut policy = Policy::default();
        for (key, value) in said {
            if let Some(value) = value {
                policy
                    .set(key, value)
                    .expect("the value is of the key's kind");
            }
        }
        policy
    })
}

/// The same in effect: each allows nothing the other does not.
fn same(a: &Policy, b: &Policy) -> bool {
    a.is_within(b) && b.is_within(a)
}

proptest! {
    // threat: T-43
    #[test]
    fn a_merge_is_never_looser_than_a_source(a in policy(), b in policy()) {
        let merged = a.merge(&b);
        prop_assert!(merged.is_within(&a), "{merged:?} allows more than {a:?}");
        prop_assert!(merged.is_within(&b), "{merged:?} allows more than {b:?}");
    }

    #[test]
    fn the_order_of_sources_makes_no_difference_in_effect(a in policy(), b in policy(), c in policy()) {
        prop_assert!(same(&a.merge(&b), &b.merge(&a)));
        prop_assert!(same(&a.merge(&b).merge(&c), &a.merge(&b.merge(&c))));
        prop_assert!(same(&a.merge(&a), &a));
        prop_assert!(same(&a.merge(&Policy::default()), &a));
    }

    #[test]
    fn a_stricter_source_gives_a_stricter_merge(a in policy(), b in policy(), c in policy()) {
        let stricter = a.merge(&b);
        prop_assert!(stricter.merge(&c).is_within(&a.merge(&c)));
    }

    // threat: T-43
    #[test]
    fn each_question_is_answered_as_the_stricter_source_would(a in policy(), b in policy()) {
        let merged = a.merge(&b);
        // Asked one by one, beside the order that the merge itself uses.
        for key in Key::all() {
            match definition(key).kind {
                Kind::Switch { strict } => {
                    let want = if a.is_on(key) == strict || b.is_on(key) == strict { strict } else { !strict };
                    prop_assert_eq!(merged.is_on(key), want, "{:?}", key);
                }
                Kind::AtMost { .. } | Kind::AtLeast { .. } => {
                    let said: Vec<u32> = [&a, &b].iter().filter(|p| p.get(key).is_some()).map(|p| p.number(key)).collect();
                    let is_most = matches!(definition(key).kind, Kind::AtMost { .. });
                    let want = if is_most { said.iter().min() } else { said.iter().max() };
                    if let Some(want) = want {
                        prop_assert_eq!(merged.number(key), *want, "{:?}", key);
                    }
                }
                _ => {}
            }
        }
        for version in ["0.0.9", "0.1.0", "0.1.9", "0.2.0", "1.0.0", "9.9.9", "10.0.1", "garbage"] {
            prop_assert_eq!(merged.admits_client(version), a.admits_client(version) && b.admits_client(version));
        }
        for hub in ["https://a.example", "https://b.example:4443", "https://c.example", "https://d.example"] {
            let may = |policy: &Policy| policy.only_hubs().is_none_or(|only| only.iter().any(|h| h == hub));
            prop_assert_eq!(may(&merged), may(&a) && may(&b), "{}", hub);
        }
        for key in [Key::CaCertificates, Key::CommonNameHosts, Key::CertificatePins] {
            if let (Some(a), Some(b), Some(merged)) = (a.list(key), b.list(key), merged.list(key)) {
                prop_assert!(merged.iter().all(|text| a.contains(text) && b.contains(text)));
            }
        }
    }

    #[test]
    fn a_policy_survives_json(a in policy()) {
        let text = serde_json::to_string(&a).unwrap();
        prop_assert_eq!(serde_json::from_str::<Policy>(&text).unwrap(), a);
    }

    // threat: T-43
    #[test]
    fn a_hub_says_nothing_about_other_hubs_or_trust(a in policy()) {
        let said = a.as_said_by_a_hub();
        for key in [Key::Hubs, Key::HubsLocked, Key::CaCertificates, Key::CertificatePins, Key::CommonNameHosts] {
            prop_assert_eq!(said.get(key), None);
        }
        prop_assert_eq!(said.get(Key::MaxOfflineHours), a.get(Key::MaxOfflineHours));
    }
}

// threat: T-43
#[test]
fn evil_configurations_are_refused() {
    for evil in [
        r#"{"hubs": ["http://hub.example"]}"#,
        r#"{"hubs": ["https://user:pass@hub.example"]}"#,
        r#"{"hubs": ["https://hub.example/path"]}"#,
        r#"{"hubs": ["https://hub.example?x"]}"#,
        r#"{"hubs": ["https://"]}"#,
        r#"{"hubs": ["https://:4443"]}"#,
        r#"{"hubs": ["javascript:alert(1)"]}"#,
        r#"{"hubs": ["file:///etc/passwd"]}"#,
        r#"{"hubs": ["HTTPS://hub.example"]}"#,
        r#"{"hubs": "https://hub.example"}"#,
        r#"{"hubs": [1]}"#,
        r#"{"max_offline_hours": 241}"#,
        r#"{"max_offline_hours": -1}"#,
        r#"{"max_offline_hours": "240"}"#,
        r#"{"max_offline_hours": 1e9}"#,
        r#"{"pin_length": 3}"#,
        r#"{"pin_tries": 0}"#,
        r#"{"pin_tries": 11}"#,
        r#"{"idle_minutes": 0}"#,
        r#"{"require_lock": "yes"}"#,
        r#"{"require_lock": null}"#,
        r#"{"minimum_client": "latest"}"#,
        r#"{"log_level": "loud"}"#,
        r#"{"certificate_pins": ["abc"]}"#,
        r#"{"ca_certificates": ["not a certificate"]}"#,
        r#"{"require_lock": true, "require_lock": false}"#,
        r#"[]"#,
        "",
    ] {
        assert!(serde_json::from_str::<Policy>(evil).is_err(), "{evil}");
    }
}

#[test]
fn what_is_not_known_is_told() {
    let policy: Policy =
        serde_json::from_str(r#"{"teleport": {"a": [1]}, "require_lock": true}"#).unwrap();
    assert_eq!(policy.unknown(), ["teleport"]);
    assert!(policy.is_on(Key::RequireLock));
}

#[test]
fn everybody_can_see_who_decided() {
    let of = |text: &str| serde_json::from_str::<Policy>(text).unwrap();
    let effective = Effective::of(vec![
        (
            "this device".into(),
            of(r#"{"idle_minutes": 5, "pin_length": 6, "hubs": ["https://a.example"]}"#),
        ),
        (
            "the hub".into(),
            of(r#"{"idle_minutes": 10, "pin_length": 6}"#),
        ),
    ]);
    assert_eq!(effective.decided_by(Key::IdleMinutes), ["this device"]);
    assert_eq!(
        effective.decided_by(Key::PinLength),
        ["this device", "the hub"]
    );
    assert!(effective.decided_by(Key::MaxOfflineHours).is_empty());
    assert_eq!(effective.shown(Key::IdleMinutes), "5");
    assert_eq!(effective.shown(Key::MaxOfflineHours), "240");
    assert_eq!(effective.shown(Key::AllowDownloads), "on");
    assert_eq!(effective.shown(Key::Hubs), "https://a.example");
}

#[test]
fn values_are_typed_as_they_are_shown() {
    let typed = |key, text| Value::typed(key, text);
    assert_eq!(typed(Key::RequireLock, "on"), Ok(Value::Switch(true)));
    assert_eq!(typed(Key::PinTries, "3"), Ok(Value::Number(3)));
    assert!(typed(Key::PinTries, "2").is_err());
    assert!(typed(Key::RequireLock, "maybe").is_err());
    assert_eq!(
        typed(Key::Hubs, "https://a.example, https://a.example"),
        Ok(Value::Texts(vec!["https://a.example".into()]))
    );
    assert_eq!(parse_version("1.2"), Some([1, 2, 0]));
    assert_eq!(parse_version("1.2.3.4"), None);
    assert_eq!(parse_version("1..3"), None);
    assert_eq!(parse_version(""), None);
}
