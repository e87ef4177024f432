//! Who may do what: rules over attributes of people, things and circumstances.
//!
//! Rules only ever allow; what no rule allows is refused. A rule says for which resources it
//! is (a filter), which actions it allows, where (hub, administration or both) and under which
//! condition. Nothing here touches data: what is in an app, section access decides, for
//! administrators as for anybody. Reference semantics C2.

mod condition;
mod shipped;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use condition::{Condition, ConditionError};
pub use shipped::shipped_rules;

/// What may be done to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Make one.
    Create,
    /// See that it is there, and open it.
    Read,
    /// Change it.
    Update,
    /// Remove it.
    Delete,
    /// Take a whole app out of the hub.
    Export,
    /// Put it into a stream.
    Publish,
    /// Give it to somebody else.
    ChangeOwner,
    /// Give somebody a role.
    ChangeRole,
    /// Take data out of an app.
    ExportData,
    /// Carry it on a device.
    AccessOffline,
}

impl Action {
    /// All actions.
    pub const ALL: [Self; 10] = [
        Self::Create,
        Self::Read,
        Self::Update,
        Self::Delete,
        Self::Export,
        Self::Publish,
        Self::ChangeOwner,
        Self::ChangeRole,
        Self::ExportData,
        Self::AccessOffline,
    ];

    /// The name in rules.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Read => "read",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Export => "export",
            Self::Publish => "publish",
            Self::ChangeOwner => "change-owner",
            Self::ChangeRole => "change-role",
            Self::ExportData => "export-data",
            Self::AccessOffline => "access-offline",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Action {
    type Err = String;

    /// Blanks and case do not matter: `Access offline` is `access-offline`.
    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = text.to_lowercase().replace([' ', '_'], "-");
        let found = Self::ALL.into_iter().find(|a| a.name() == wanted);
        found.ok_or_else(|| {
            let all: Vec<&str> = Self::ALL.iter().map(|a| a.name()).collect();
            format!(
                "there is no action '{text}'; actions are {}",
                all.join(", ")
            )
        })
    }
}

/// Where something is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// Where people view apps.
    Hub,
    /// Where the hub is administered.
    Admin,
}

/// Named values, each name in lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes(BTreeMap<String, Vec<String>>);

impl Attributes {
    /// Adds a value.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        let values = self.0.entry(name.to_lowercase()).or_default();
        values.push(value.to_owned());
        self
    }

    /// Adds several values.
    #[must_use]
    pub fn with_all<'v>(self, name: &str, values: impl IntoIterator<Item = &'v str>) -> Self {
        values.into_iter().fold(self, |all, v| all.with(name, v))
    }

    /// The values of a name.
    pub fn all(&self, name: &str) -> &[String] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }
}

/// Something that may be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// `App`, `Stream`, `User`, `Device` …
    pub kind: String,
    /// Its id.
    pub id: String,
    /// What is known about it.
    pub attributes: Attributes,
    /// What contains it: the stream of an app.
    pub container: Option<Box<Resource>>,
}

/// A question.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The person: `id`, `name`, `directory`, `email`, `groups`, `roles`, `accesstype`.
    pub user: &'a Attributes,
    /// What they want to do.
    pub action: Action,
    /// To what.
    pub resource: &'a Resource,
    /// How they come: `client`.
    pub environment: &'a Attributes,
    /// Where.
    pub place: Place,
}

/// Where a rule comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RuleKind {
    /// Shipped, and may be switched off.
    Default,
    /// Shipped, and may not.
    Fixed,
    /// An administrator's.
    Custom,
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Unlike every other's.
    pub name: String,
    /// What it is for, one sentence.
    pub description: String,
    /// Where it comes from.
    pub kind: RuleKind,
    /// For which resources, as `App_*`; several with commas between.
    pub filter: String,
    /// What it allows.
    pub actions: Vec<Action>,
    /// Where; both if empty.
    pub places: Vec<Place>,
    /// When.
    pub condition: Condition,
}

impl Rule {
    /// Whether its filter, actions and place fit a question.
    fn is_about(&self, request: &Request<'_>) -> bool {
        let name = format!("{}_{}", request.resource.kind, request.resource.id).to_lowercase();
        let fits = |filter: &str| condition::like(&name, &filter.trim().to_lowercase());
        self.actions.contains(&request.action)
            && (self.places.is_empty() || self.places.contains(&request.place))
            && self.filter.split(',').any(fits)
    }
}

/// The names of the rules that allow what is asked, in their order; none: it is refused.
pub fn allowed_by<'r>(rules: &'r [Rule], request: &Request<'_>) -> Vec<&'r str> {
    let allows = |rule: &&Rule| allows(rules, rule, request, CONTAINERS);
    rules
        .iter()
        .filter(allows)
        .map(|r| r.name.as_str())
        .collect()
}

/// Whether a condition about people and circumstances holds, as of signing in. There is no
/// resource: a condition on one finds no values.
pub fn is_met(condition: &Condition, user: &Attributes, environment: &Attributes) -> bool {
    let resource = Resource {
        kind: "SignIn".into(),
        id: String::new(),
        attributes: Attributes::default(),
        container: None,
    };
    let request = Request {
        user,
        action: Action::Read,
        resource: &resource,
        environment,
        place: Place::Hub,
    };
    condition.holds(&request, &|_| false)
}

/// Whether what is asked is allowed.
pub fn is_allowed(rules: &[Rule], request: &Request<'_>) -> bool {
    rules
        .iter()
        .any(|rule| allows(rules, rule, request, CONTAINERS))
}

/// How far containers are followed: an app is in a stream, and a stream in nothing.
const CONTAINERS: u8 = 2;

fn allows(rules: &[Rule], rule: &Rule, request: &Request<'_>, depth: u8) -> bool {
    let container = |action: Action| match (&request.resource.container, depth) {
        (Some(container), 1..) => {
            let inner = Request {
                action,
                resource: container,
                ..*request
            };
            rules
                .iter()
                .any(|rule| allows(rules, rule, &inner, depth - 1))
        }
        _ => false,
    };
    rule.is_about(request) && rule.condition.holds(request, &container)
}

#[cfg(test)]
mod tests;
