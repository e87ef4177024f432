use std::collections::HashSet;

use proptest::prelude::*;

use super::condition::{Operand, Operator, Owner};
use super::*;

fn user(id: &str, roles: &[&str], groups: &[&str]) -> Attributes {
    Attributes::default()
        .with("id", id)
        .with_all("roles", roles.iter().copied())
        .with_all("groups", groups.iter().copied())
}

fn stream(audience: &[&str]) -> Resource {
    Resource {
        kind: "Stream".into(),
        id: "s".into(),
        attributes: Attributes::default().with_all("audience", audience.iter().copied()),
        container: None,
    }
}

fn app(owner: &str, stream: Option<Resource>) -> Resource {
    Resource {
        kind: "App".into(),
        id: "a".into(),
        attributes: Attributes::default().with("owner", owner),
        container: stream.map(Box::new),
    }
}

fn thing(kind: &str) -> Resource {
    Resource {
        kind: kind.into(),
        ..stream(&[])
    }
}

/// The names of the actions the shipped rules allow.
fn may(user: &Attributes, resource: &Resource, place: Place) -> String {
    let rules = shipped_rules();
    let environment = Attributes::default();
    let allowed = |action: &Action| {
        let request = Request {
            user,
            action: *action,
            resource,
            environment: &environment,
            place,
        };
        assert_eq!(
            is_allowed(&rules, &request),
            !allowed_by(&rules, &request).is_empty()
        );
        is_allowed(&rules, &request)
    };
    let names: Vec<&str> = Action::ALL
        .iter()
        .filter(|a| allowed(a))
        .map(|a| a.name())
        .collect();
    names.join(" ")
}

const ALL: &str =
    "create read update delete export publish change-owner change-role export-data access-offline";

#[test]
fn the_shipped_rules() {
    use Place::{Admin, Hub};
    let ann = user("CORP\\ANN", &[], &["Sales"]);
    let own = app("CORP\\ANN", None);
    let others = app("CORP\\BEN", None);
    let in_stream = |audience: &[&str]| app("CORP\\BEN", Some(stream(audience)));
    assert_eq!(may(&ann, &own, Hub), ALL);
    assert_eq!(may(&ann, &others, Hub), "");
    let seen = "read export-data access-offline";
    for audience in ["*", "sales", "corp\\ann"] {
        assert_eq!(may(&ann, &in_stream(&[audience]), Hub), seen, "{audience}");
        assert_eq!(may(&ann, &stream(&[audience]), Hub), "read");
        assert_eq!(may(&ann, &in_stream(&[audience]), Admin), "");
    }
    assert_eq!(may(&ann, &in_stream(&["Service", "CORP\\BEN"]), Hub), "");
    assert_eq!(may(&ann, &in_stream(&[]), Hub), "");

    let role = |role: &str| user("CORP\\EVE", &[role], &[]);
    for kind in [
        "App", "Stream", "User", "Rule", "Device", "Licence", "Anything",
    ] {
        assert_eq!(may(&role("RootAdmin"), &thing(kind), Hub), ALL);
        assert_eq!(may(&role("AuditAdmin"), &thing(kind), Admin), "read");
        assert_eq!(may(&role("AuditAdmin"), &thing(kind), Hub), "");
        assert_eq!(may(&role("NoSuchAdmin"), &thing(kind), Admin), "");
    }
    assert_eq!(may(&role("ContentAdmin"), &others, Hub), ALL);
    assert_eq!(may(&role("ContentAdmin"), &thing("User"), Admin), "");
    assert_eq!(
        may(&role("SecurityAdmin"), &others, Admin),
        "read change-owner"
    );
    assert_eq!(may(&role("SecurityAdmin"), &others, Hub), "");
    assert_eq!(
        may(&role("SecurityAdmin"), &thing("User"), Admin),
        "create read update delete change-role"
    );
    assert_eq!(may(&role("DeploymentAdmin"), &thing("Device"), Admin), ALL);
    assert_eq!(may(&role("DeploymentAdmin"), &others, Admin), "read update");
    assert_eq!(may(&role("DeploymentAdmin"), &thing("User"), Admin), "");
}

#[test]
fn rules_have_names_of_their_own_and_say_what_they_are_for() {
    let rules = shipped_rules();
    let names: HashSet<String> = rules.iter().map(|r| r.name.to_lowercase()).collect();
    assert_eq!(names.len(), rules.len());
    assert!(
        rules
            .iter()
            .all(|r| r.description.ends_with('.') && !r.actions.is_empty())
    );
}

#[test]
fn a_rule_that_looks_into_streams_without_end_ends() {
    let mut inner = stream(&["*"]);
    for _ in 0..100 {
        inner = Resource {
            container: Some(Box::new(inner)),
            ..thing("App")
        };
    }
    assert_eq!(may(&user("X\\Y", &[], &[]), &inner, Place::Hub), "");
}

fn operand() -> impl Strategy<Value = Operand> {
    let owner = prop_oneof![
        Just(Owner::User),
        Just(Owner::Resource),
        Just(Owner::Container),
        Just(Owner::Environment)
    ];
    prop_oneof![
        prop_oneof!["[abAB]{0,2}", "[ab]?\\*[ab]?"].prop_map(Operand::Text),
        (owner, "[xy]").prop_map(|(o, n)| Operand::Attribute(o, n)),
    ]
}

fn condition() -> impl Strategy<Value = Condition> {
    let operator = prop_oneof![
        Just(Operator::Same),
        Just(Operator::Identical),
        Just(Operator::NotSame),
        Just(Operator::NotIdentical),
        Just(Operator::Like)
    ];
    let leaf = prop_oneof![
        4 => (operand(), operator, operand()).prop_map(|(l, o, r)| Condition::Compare(l, o, r)),
        1 => Just(Condition::ContainerAllows(Action::Read)),
    ];
    leaf.prop_recursive(3, 16, 3, |inner| {
        let several = prop::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            several.clone().prop_map(Condition::And),
            several.prop_map(Condition::Or),
            inner.prop_map(|c| Condition::Not(Box::new(c))),
        ]
    })
}

fn attributes() -> impl Strategy<Value = Attributes> {
    prop::collection::vec(("[xy]", "[abAB]{0,2}"), 0..4).prop_map(|all| {
        all.into_iter()
            .fold(Attributes::default(), |a, (n, v)| a.with(&n, &v))
    })
}

fn rule() -> impl Strategy<Value = Rule> {
    let filter = prop_oneof![
        Just("*"),
        Just("App_*"),
        Just("Stream_*,User_*"),
        Just("app_a")
    ];
    let actions = prop::collection::vec(prop::sample::select(&Action::ALL[..3]), 0..3);
    let places = prop::collection::vec(prop_oneof![Just(Place::Hub), Just(Place::Admin)], 0..2);
    (filter, actions, places, condition()).prop_map(|(filter, actions, places, condition)| Rule {
        name: "r".into(),
        description: String::new(),
        kind: RuleKind::Custom,
        filter: filter.into(),
        actions,
        places,
        condition,
    })
}

/// The rules again, as plainly as can be: everything is looked up, nothing is shared.
mod naive {
    use super::*;

    pub fn is_allowed(rules: &[Rule], request: &Request<'_>, depth: usize) -> bool {
        let mut is_allowed = false;
        for rule in rules {
            let id = format!("{}_{}", request.resource.kind, request.resource.id);
            let mut is_for = false;
            for filter in rule.filter.split(',') {
                is_for = is_for || like(&id, filter);
            }
            let is_here = rule.places.is_empty() || rule.places.iter().any(|p| *p == request.place);
            let is_this = rule.actions.iter().any(|a| *a == request.action);
            if is_for && is_here && is_this && holds(rules, &rule.condition, request, depth) {
                is_allowed = true;
            }
        }
        is_allowed
    }

    fn holds(rules: &[Rule], condition: &Condition, request: &Request<'_>, depth: usize) -> bool {
        match condition {
            Condition::Always => true,
            Condition::And(all) => !all.iter().any(|c| !holds(rules, c, request, depth)),
            Condition::Or(all) => !all.iter().all(|c| !holds(rules, c, request, depth)),
            Condition::Not(c) => !holds(rules, c, request, depth),
            Condition::ContainerAllows(action) => {
                let Some(container) = request.resource.container.clone() else {
                    return false;
                };
                depth > 0
                    && is_allowed(
                        rules,
                        &Request {
                            action: *action,
                            resource: &container,
                            ..*request
                        },
                        depth - 1,
                    )
            }
            Condition::Compare(left, operator, right) => {
                let mut pairs = Vec::new();
                for l in values(left, request) {
                    for r in values(right, request) {
                        pairs.push((l.clone(), r));
                    }
                }
                let same = |(l, r): &(String, String)| l.eq_ignore_ascii_case(r);
                match operator {
                    Operator::Same => pairs.iter().any(same),
                    Operator::NotSame => !pairs.iter().any(same),
                    Operator::Identical => pairs.iter().any(|(l, r)| l == r),
                    Operator::NotIdentical => pairs.iter().all(|(l, r)| l != r),
                    Operator::Like => pairs.iter().any(|(l, r)| like(l, r)),
                }
            }
        }
    }

    fn values(operand: &Operand, request: &Request<'_>) -> Vec<String> {
        let nothing = Attributes::default();
        let (owner, name) = match operand {
            Operand::Text(text) => return vec![text.clone()],
            Operand::Attribute(owner, name) => (owner, name),
        };
        let attributes = match owner {
            Owner::User => request.user,
            Owner::Environment => request.environment,
            Owner::Resource => &request.resource.attributes,
            Owner::Container => request
                .resource
                .container
                .as_ref()
                .map_or(&nothing, |c| &c.attributes),
        };
        attributes.all(name).to_vec()
    }

    /// By trying every length for every star.
    fn like(text: &str, pattern: &str) -> bool {
        let (text, pattern) = (text.to_ascii_lowercase(), pattern.to_ascii_lowercase());
        match pattern.split_at_checked(1) {
            None => text.is_empty(),
            Some(("*", rest)) => (0..=text.len()).any(|n| like(&text[n..], rest)),
            Some((first, rest)) => text.strip_prefix(first).is_some_and(|t| like(t, rest)),
        }
    }
}

proptest! {
    /// Reading what was written gives the same condition.
    #[test]
    fn conditions_survive_writing(condition in condition()) {
        prop_assert_eq!(condition.to_string().parse::<Condition>(), Ok(condition));
    }

    /// The evaluator and the plain one agree.
    #[test]
    fn equals_the_naive_one(
        rules in prop::collection::vec(rule(), 0..5),
        user in attributes(), environment in attributes(), of_app in attributes(),
        of_stream in prop::option::of(attributes()),
        action in prop::sample::select(&Action::ALL[..3]),
        is_admin in any::<bool>(),
    ) {
        let container = of_stream.map(|attributes| Resource { attributes, ..thing("Stream") });
        let resource = Resource { attributes: of_app, ..app("x", container) };
        let place = if is_admin { Place::Admin } else { Place::Hub };
        let request = Request { user: &user, action, resource: &resource, environment: &environment, place };
        let wanted = naive::is_allowed(&rules, &request, 2);
        prop_assert_eq!(is_allowed(&rules, &request), wanted);
        prop_assert_eq!(!allowed_by(&rules, &request).is_empty(), wanted);
    }

    /// Whatever is written, it is read or refused.
    #[test]
    fn no_text_makes_the_reader_panic(text in "[a-z().!=\"& |*]{0,60}") {
        let _ = text.parse::<Condition>();
    }
}
