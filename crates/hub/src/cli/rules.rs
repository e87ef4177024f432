//! `satchel-hub rules`: who may do what, and by which rule.

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use satchel_gate::{Action, Condition, Place, RuleKind, shipped_rules};
use satchel_store::{CustomRule, RuleSettings, Store};
use serde_json::json;

use super::{Common, note, open, output, user::known};
use crate::rights::Rights;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// List the rules that ship and those beside them
    List,
    /// Add a rule, or replace the one of this name; it counts at once
    Add(New),
    /// Remove a rule that was added
    Remove {
        /// Its name
        name: String,
    },
    /// Switch a shipped rule off, or on again
    Set {
        /// Its name
        name: String,
        /// on or off
        #[arg(value_enum)]
        switch: Switch,
    },
    /// Say whether somebody may do something, and by which rule
    Explain {
        /// DIRECTORY\name
        user: String,
        /// Such as read, update, export-data or access-offline
        action: Action,
        /// app:TITLE, stream:NAME, or a kind and id such as User_CORP\ann
        resource: String,
        /// Where it is asked for
        #[arg(long = "in", value_enum, default_value = "hub")]
        place: Where,
    },
}

// No doc comment: clap would show it in place of the command's own.
#[derive(Args)]
pub(crate) struct New {
    /// What it is called
    name: String,
    /// What it is for, one sentence
    #[arg(long, default_value = "")]
    description: String,
    /// For which resources: App_*, Stream_*, App_ID; several with commas between
    #[arg(long)]
    filter: String,
    /// What it allows; may be repeated
    #[arg(long, required = true)]
    action: Vec<Action>,
    /// Where it holds; everywhere if absent
    #[arg(long = "in", value_enum)]
    place: Vec<Where>,
    /// When, such as 'user.groups = "Field" and resource.owner != user.id'
    #[arg(long)]
    when: String,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Where {
    Hub,
    Admin,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Switch {
    On,
    Off,
}

impl From<Where> for Place {
    fn from(place: Where) -> Self {
        match place {
            Where::Hub => Self::Hub,
            Where::Admin => Self::Admin,
        }
    }
}

pub(crate) async fn run(common: &Common, command: Command) -> Result<()> {
    let store = open(common).await?;
    let mut rules = store.rules().await?;
    match command {
        Command::List => list(common, &rules),
        Command::Add(new) => {
            let rule = read(new)?;
            let name = rule.name.clone();
            rules.custom.retain(|r| !r.name.eq_ignore_ascii_case(&name));
            rules.custom.push(rule);
            store.save_rules(&rules).await?;
            note(&store, "rules.add", &name, json!({})).await?;
            output::done(common, &format!("the rule {name} holds from now on"));
        }
        Command::Remove { name } => {
            let n = rules.custom.len();
            rules.custom.retain(|r| !r.name.eq_ignore_ascii_case(&name));
            if rules.custom.len() == n {
                bail!("no rule {name} was added; see satchel-hub rules list");
            }
            store.save_rules(&rules).await?;
            note(&store, "rules.remove", &name, json!({})).await?;
            output::done(common, &format!("removed the rule {name}"));
        }
        Command::Set { name, switch } => {
            let shipped = shipped_rules();
            let rule = shipped.iter().find(|r| r.name.eq_ignore_ascii_case(&name));
            let rule = rule.with_context(|| format!("no rule {name} ships with the hub"))?;
            if rule.kind == RuleKind::Fixed {
                bail!("the rule {} cannot be switched off", rule.name);
            }
            rules.off.retain(|off| !off.eq_ignore_ascii_case(&name));
            let off = matches!(switch, Switch::Off);
            if off {
                rules.off.push(rule.name.clone());
            }
            store.save_rules(&rules).await?;
            note(&store, "rules.set", &rule.name, json!({ "on": !off })).await?;
            let state = if off { "off" } else { "on" };
            output::done(common, &format!("the rule {} is {state}", rule.name));
        }
        Command::Explain {
            user,
            action,
            resource,
            place,
        } => explain(common, &store, &user, action, &resource, place.into()).await?,
    }
    store.close().await;
    Ok(())
}

fn read(new: New) -> Result<CustomRule> {
    if new.name.trim().is_empty() || new.filter.trim().is_empty() {
        bail!("a rule has a name and a filter");
    }
    let taken = shipped_rules()
        .iter()
        .any(|r| r.name.eq_ignore_ascii_case(&new.name));
    if taken {
        bail!("{} is a rule that ships with the hub", new.name);
    }
    let condition: Condition =
        (new.when.parse()).map_err(|problem| anyhow::anyhow!("the condition, {problem}"))?;
    Ok(CustomRule {
        name: new.name,
        description: new.description,
        filter: new.filter,
        actions: new.action.iter().map(|a| a.name().to_owned()).collect(),
        places: new.place.into_iter().map(Place::from).collect(),
        condition: condition.to_string(),
    })
}

fn list(common: &Common, rules: &RuleSettings) {
    let custom = rules.custom.iter().filter_map(CustomRule::read);
    let rows: Vec<Vec<String>> = shipped_rules()
        .into_iter()
        .chain(custom)
        .map(|rule| {
            let is_off = rules.off.contains(&rule.name);
            let kind = match rule.kind {
                RuleKind::Fixed => "fixed",
                RuleKind::Default if is_off => "off",
                RuleKind::Default => "default",
                RuleKind::Custom => "custom",
            };
            let actions: Vec<&str> = rule.actions.iter().map(|a| a.name()).collect();
            let places: Vec<&str> = (rule.places.iter())
                .map(|p| match p {
                    Place::Hub => "hub",
                    Place::Admin => "admin",
                })
                .collect();
            let actions = if actions.len() == Action::ALL.len() {
                "all".to_owned()
            } else {
                actions.join(" ")
            };
            let condition = rule.condition.to_string();
            vec![
                rule.name,
                kind.into(),
                rule.filter,
                actions,
                places.join(" "),
                condition,
            ]
        })
        .collect();
    let titles = ["rule", "kind", "filter", "actions", "in", "when"];
    output::table(common, &titles, &rows);
}

async fn explain(
    common: &Common,
    store: &Store,
    user: &str,
    action: Action,
    resource: &str,
    place: Place,
) -> Result<()> {
    let user = known(store, user).await?;
    let rights = Rights::load(store).await?;
    let on = rights.find(store, resource).await?.with_context(|| {
        format!("'{resource}' is neither app:TITLE of one app, nor stream:NAME, nor KIND_id")
    })?;
    let by = rights.why(&user, action, &on, place);
    if common.json {
        let names: Vec<&str> = by.iter().map(|r| r.name.as_str()).collect();
        println!("{}", json!({ "allowed": !by.is_empty(), "rules": names }));
        return Ok(());
    }
    if by.is_empty() {
        println!("{} may not {action} {resource}: no rule allows it", user.id);
        return Ok(());
    }
    println!("{} may {action} {resource}:", user.id);
    for rule in by {
        println!("  {}: {}", rule.name, rule.description);
    }
    if on.kind == "App" {
        println!("What they see in it, section access decides: satchel-hub access explain");
    }
    Ok(())
}
