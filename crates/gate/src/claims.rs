//! From the claims of a token to a person of this hub.

use satchel_base::SubjectId;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Names of people are compared, shown and written into files: nothing longer is a name.
const MAX_NAME_CHARS: usize = 128;

/// More groups than this are a mistake of the provider, not an organisation.
const MAX_GROUPS: usize = 2_000;

/// The longest name of a group in bytes.
const MAX_GROUP_BYTES: usize = 256;

/// Which claim says what, and whom to let in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Mapping {
    /// The user directory of everybody who comes this way: `CORP` in `CORP\ann`.
    pub directory: String,
    /// The claim with the name in that directory.
    pub name: String,
    /// The claim with the name to show.
    pub display_name: String,
    /// The claim with the e-mail address.
    pub email: String,
    /// Whether the address counts without `email_verified`.
    pub trust_email: bool,
    /// The claim with the groups; empty: the hub's own groups stay.
    pub groups: String,
    /// A group people must be in; empty: anybody.
    pub required_group: String,
}

impl Default for Mapping {
    fn default() -> Self {
        Self {
            directory: String::new(),
            name: "sub".into(),
            display_name: "name".into(),
            email: "email".into(),
            trust_email: false,
            groups: String::new(),
            required_group: String::new(),
        }
    }
}

/// A person as claims describe them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// Who they are here, if they are new.
    pub id: SubjectId,
    /// The name to show, if there is one.
    pub display_name: Option<String>,
    /// A verified e-mail address.
    pub email: Option<String>,
    /// Their groups, where the provider decides them.
    pub groups: Option<Vec<String>>,
}

/// Why claims make no person of this hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClaimProblem {
    /// The claim that names people is missing or no name.
    NoName,
    /// The name is an e-mail address nobody verified.
    UnverifiedName,
    /// Groups are no list of names, or too many.
    BadGroups,
    /// The provider left the groups out because there are too many for a token.
    GroupsLeftOut,
    /// The person is not in the group that is let in.
    NotInGroup,
}

impl ClaimProblem {
    /// Stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoName => "sign_in.no_name",
            Self::UnverifiedName => "sign_in.unverified_name",
            Self::BadGroups => "sign_in.bad_groups",
            Self::GroupsLeftOut => "sign_in.groups_left_out",
            Self::NotInGroup => "sign_in.not_in_group",
        }
    }

    /// One sentence.
    pub const fn message(self) -> &'static str {
        match self {
            Self::NoName => "the provider does not say who you are in the way this hub expects",
            Self::UnverifiedName => "your e-mail address is not verified by the provider",
            Self::BadGroups => "the provider's list of your groups cannot be read",
            Self::GroupsLeftOut => "you are in more groups than the provider tells",
            Self::NotInGroup => "you are not in the group that may use this hub",
        }
    }
}

/// Who the claims are about.
///
/// # Errors
/// The first [`ClaimProblem`] found. Missing groups are no groups; groups that were left out
/// are refused, since a group may also take rights away.
pub fn claimed(claims: &Value, mapping: &Mapping) -> Result<Claimed, ClaimProblem> {
    let none = Map::new();
    let claims = claims.as_object().unwrap_or(&none);
    let name = text(claims, &mapping.name).ok_or(ClaimProblem::NoName)?;
    let is_verified = claims.get("email_verified") == Some(&Value::Bool(true));
    if mapping.name == "email" && !is_verified && !mapping.trust_email {
        return Err(ClaimProblem::UnverifiedName);
    }
    if !is_name(name) {
        return Err(ClaimProblem::NoName);
    }
    let groups = if mapping.groups.is_empty() {
        None
    } else {
        Some(groups(claims, &mapping.groups)?)
    };
    if !mapping.required_group.is_empty() {
        let wanted = mapping.required_group.to_uppercase();
        let is_in = |all: &Vec<String>| all.iter().any(|g| g.to_uppercase() == wanted);
        if !groups.as_ref().is_some_and(is_in) {
            return Err(ClaimProblem::NotInGroup);
        }
    }
    let email = text(claims, &mapping.email).filter(|e| {
        (is_verified || mapping.trust_email) && e.contains('@') && is_plain(e, MAX_GROUP_BYTES)
    });
    Ok(Claimed {
        id: SubjectId::new(&mapping.directory, name),
        display_name: text(claims, &mapping.display_name)
            .filter(|n| is_plain(n, MAX_GROUP_BYTES))
            .map(str::to_owned),
        email: email.map(str::to_owned),
        groups,
    })
}

/// Whether a text may be somebody's name in a directory.
pub fn is_name(name: &str) -> bool {
    name.chars().count() <= MAX_NAME_CHARS
        && is_plain(name, 4 * MAX_NAME_CHARS)
        && !name.contains('\\')
        && name != "*"
        && name.trim() == name
}

fn is_plain(text: &str, max_bytes: usize) -> bool {
    !text.trim().is_empty() && text.len() <= max_bytes && !text.contains(char::is_control)
}

fn groups(claims: &Map<String, Value>, name: &str) -> Result<Vec<String>, ClaimProblem> {
    // OpenID Connect Core §5.6.2: the values are elsewhere.
    if claims
        .get("_claim_names")
        .is_some_and(|names| names.get(name).is_some())
    {
        return Err(ClaimProblem::GroupsLeftOut);
    }
    let all: Vec<&Value> = match find(claims, name) {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(all)) => all.iter().collect(),
        Some(one @ Value::String(_)) => vec![one],
        Some(_) => return Err(ClaimProblem::BadGroups),
    };
    if all.len() > MAX_GROUPS {
        return Err(ClaimProblem::BadGroups);
    }
    let group = |value: &Value| match value.as_str() {
        Some(text) if is_plain(text, MAX_GROUP_BYTES) && text != "*" => Ok(text.to_owned()),
        _ => Err(ClaimProblem::BadGroups),
    };
    all.into_iter().map(group).collect()
}

fn text<'c>(claims: &'c Map<String, Value>, name: &str) -> Option<&'c str> {
    find(claims, name)?.as_str()
}

/// The claim of that name, or the one a dotted path leads to: `realm_access.roles`.
fn find<'c>(claims: &'c Map<String, Value>, name: &str) -> Option<&'c Value> {
    if let Some(value) = claims.get(name) {
        return Some(value);
    }
    let (first, rest) = name.split_once('.')?;
    find(claims.get(first)?.as_object()?, rest)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn mapping() -> Mapping {
        Mapping {
            directory: "corp".into(),
            name: "preferred_username".into(),
            groups: "realm_access.roles".into(),
            ..Mapping::default()
        }
    }

    #[test]
    fn claims_become_a_person() {
        let claims = json!({
            "preferred_username": "ann", "name": "Ann A.", "email": "ann@example.org",
            "email_verified": true, "realm_access": {"roles": ["Sales", "North"]},
        });
        let person = claimed(&claims, &mapping()).expect("a person");
        assert_eq!(person.id.as_str(), "CORP\\ANN");
        assert_eq!(person.display_name.as_deref(), Some("Ann A."));
        assert_eq!(person.email.as_deref(), Some("ann@example.org"));
        assert_eq!(person.groups, Some(vec!["Sales".into(), "North".into()]));
    }

    #[test]
    fn an_address_nobody_verified_is_no_address_and_no_name() {
        for verified in [json!(false), json!("true"), json!(null), json!(1)] {
            let claims = json!({"preferred_username": "ann", "email": "boss@example.org", "email_verified": verified});
            assert_eq!(claimed(&claims, &mapping()).expect("a person").email, None);
            let by_email = Mapping {
                name: "email".into(),
                ..mapping()
            };
            assert_eq!(
                claimed(&claims, &by_email),
                Err(ClaimProblem::UnverifiedName)
            );
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for name in [
            "",
            " ",
            "*",
            "OTHER\\boss",
            " ann",
            "a\nb",
            &"x".repeat(129),
        ] {
            let claims = json!({ "preferred_username": name });
            assert_eq!(
                claimed(&claims, &mapping()),
                Err(ClaimProblem::NoName),
                "{name:?}"
            );
        }
        assert_eq!(
            claimed(&json!({"preferred_username": 7}), &mapping()),
            Err(ClaimProblem::NoName)
        );
        assert_eq!(claimed(&json!(null), &mapping()), Err(ClaimProblem::NoName));
    }

    #[test]
    fn groups_are_a_list_of_names() {
        let with = |groups: Value| {
            let claims = json!({"preferred_username": "ann", "groups": groups});
            let mapping = Mapping {
                groups: "groups".into(),
                ..mapping()
            };
            claimed(&claims, &mapping).map(|p| p.groups.unwrap_or_default().len())
        };
        assert_eq!(with(json!(null)), Ok(0));
        assert_eq!(with(json!("Sales")), Ok(1));
        assert_eq!(with(json!(["a", "b"])), Ok(2));
        for bad in [
            json!({}),
            json!(3),
            json!(["a", 1]),
            json!(["*"]),
            json!([""]),
            json!(vec!["g"; 2_001]),
        ] {
            assert_eq!(with(bad.clone()), Err(ClaimProblem::BadGroups), "{bad}");
        }
        let left_out = json!({"preferred_username": "ann", "_claim_names": {"groups": "src1"}});
        let mapping = Mapping {
            groups: "groups".into(),
            ..mapping()
        };
        assert_eq!(
            claimed(&left_out, &mapping),
            Err(ClaimProblem::GroupsLeftOut)
        );
    }

    #[test]
    fn a_group_may_be_required() {
        let mapping = Mapping {
            required_group: "hub users".into(),
            groups: "groups".into(),
            ..mapping()
        };
        let with = |groups: Value| {
            claimed(
                &json!({"preferred_username": "ann", "groups": groups}),
                &mapping,
            )
            .map(|_| ())
        };
        assert_eq!(with(json!(["Hub Users"])), Ok(()));
        assert_eq!(with(json!(["Others"])), Err(ClaimProblem::NotInGroup));
        assert_eq!(with(json!(null)), Err(ClaimProblem::NotInGroup));
    }
}
