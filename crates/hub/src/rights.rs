//! What people may do with apps and streams, as the rules of this hub say.
//!
//! Rules are read for each question anew, so that a changed rule counts at once. What is in an
//! app is decided by section access alone.

use std::net::IpAddr;

use satchel_gate::{
    Action, Attributes, Client, Place, Request, Resource, Rule, allowed_by, is_allowed,
};
use satchel_store::{App, Store, StoreError, Stream, User};

use crate::state::HubState;

/// The rules and the streams they speak of.
pub(crate) struct Rights {
    pub streams: Vec<Stream>,
    rules: Vec<Rule>,
}

impl Rights {
    pub async fn load(store: &Store) -> Result<Self, StoreError> {
        Ok(Self {
            streams: store.streams().await?,
            rules: store.rules().await?.in_force(),
        })
    }

    /// Whether a person may do this to an app.
    pub fn may(&self, user: &User, action: Action, app: &App) -> bool {
        self.is_allowed(user, action, &self.app(app), Place::Hub)
    }

    /// Whether a person sees a stream.
    pub fn may_see_stream(&self, user: &User, stream: &Stream) -> bool {
        self.is_allowed(user, Action::Read, &of_stream(stream), Place::Hub)
    }

    pub fn is_allowed(&self, user: &User, action: Action, on: &Resource, place: Place) -> bool {
        let (user, environment) = (of_user(user), Attributes::default());
        is_allowed(&self.rules, &ask(&user, &environment, action, on, place))
    }

    /// The rules that allow it.
    pub fn why(&self, user: &User, action: Action, on: &Resource, place: Place) -> Vec<&Rule> {
        let (user, environment) = (of_user(user), Attributes::default());
        let names = allowed_by(&self.rules, &ask(&user, &environment, action, on, place));
        let named = |rule: &&Rule| names.contains(&rule.name.as_str());
        self.rules.iter().filter(named).collect()
    }

    /// What a text names: `app:TITLE`, `stream:NAME`, or a kind and an id as `User_CORP\\ann`.
    pub async fn find(&self, store: &Store, text: &str) -> Result<Option<Resource>, StoreError> {
        if let Some(app) = text.strip_prefix("app:") {
            return match store.find_app(app).await {
                Ok(app) => Ok(Some(self.app(&app))),
                Err(StoreError::NotFound { .. } | StoreError::Ambiguous { .. }) => Ok(None),
                Err(error) => Err(error),
            };
        }
        if let Some(name) = text.strip_prefix("stream:") {
            let mut streams = self.streams.iter();
            let stream = streams.find(|s| s.name.eq_ignore_ascii_case(name));
            return Ok(stream.map(of_stream));
        }
        // Of apps and streams owner and audience must be known.
        let found = text.split_once('_').filter(|(kind, _)| {
            !kind.eq_ignore_ascii_case("app") && !kind.eq_ignore_ascii_case("stream")
        });
        Ok(found.map(|(kind, id)| Resource {
            kind: kind.to_owned(),
            id: id.to_owned(),
            attributes: Attributes::default().with("id", id),
            container: None,
        }))
    }

    /// An app as rules see it.
    pub fn app(&self, app: &App) -> Resource {
        let stream = (app.stream.as_ref()).and_then(|id| self.streams.iter().find(|s| s.id == *id));
        let attributes = Attributes::default()
            .with("id", app.id.as_str())
            .with("name", &app.title)
            .with("owner", app.owner.as_str());
        Resource {
            kind: "App".into(),
            id: app.id.as_str().to_owned(),
            attributes,
            container: stream.map(|s| Box::new(of_stream(s))),
        }
    }
}

fn ask<'a>(
    user: &'a Attributes,
    environment: &'a Attributes,
    action: Action,
    resource: &'a Resource,
    place: Place,
) -> Request<'a> {
    Request {
        user,
        action,
        resource,
        environment,
        place,
    }
}

/// How a request comes, as rules see it.
pub(crate) fn circumstances(_: &HubState, client: Client, address: IpAddr) -> Attributes {
    Attributes::default()
        .with("ip", &address.to_canonical().to_string())
        .with("device", client.name())
}

/// A stream as rules see it.
fn of_stream(stream: &Stream) -> Resource {
    let attributes = Attributes::default()
        .with("id", &stream.id)
        .with("name", &stream.name)
        .with_all("audience", stream.audience.iter().map(String::as_str));
    Resource {
        kind: "Stream".into(),
        id: stream.id.clone(),
        attributes,
        container: None,
    }
}

/// A person as rules see them.
pub(crate) fn of_user(user: &User) -> Attributes {
    Attributes::default()
        .with("id", user.id.as_str())
        .with("name", user.id.name())
        .with("directory", user.id.directory())
        .with("email", &user.email)
        .with_all("groups", user.groups.iter().map(String::as_str))
        .with_all("roles", user.roles.iter().map(|r| r.name()))
}
