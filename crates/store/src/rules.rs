//! Rules about who may do what: those an administrator wrote, and which shipped ones are off.

use satchel_gate::{Place, Rule, RuleKind, shipped_rules};
use serde::{Deserialize, Serialize};
use sqlx::Row;

use crate::error::{from_json, to_json};
use crate::{Store, StoreError};

/// What an administrator changed about the rules.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RuleSettings {
    /// Shipped rules that are off, by name.
    pub off: Vec<String>,
    /// Rules beside them.
    pub custom: Vec<CustomRule>,
}

/// A rule as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomRule {
    /// Unlike every other's.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// For which resources.
    pub filter: String,
    /// What it allows, by name.
    pub actions: Vec<String>,
    /// Where; everywhere if empty.
    pub places: Vec<Place>,
    /// When.
    pub condition: String,
}

impl CustomRule {
    /// The rule; none if this hub does not understand it.
    pub fn read(&self) -> Option<Rule> {
        Some(Rule {
            name: self.name.clone(),
            description: self.description.clone(),
            kind: RuleKind::Custom,
            filter: self.filter.clone(),
            actions: self
                .actions
                .iter()
                .map(|a| a.parse().ok())
                .collect::<Option<_>>()?,
            places: self.places.clone(),
            condition: self.condition.parse().ok()?,
        })
    }
}

impl RuleSettings {
    /// The rules that hold. What a newer hub wrote and this one does not understand allows
    /// nothing.
    pub fn in_force(&self) -> Vec<Rule> {
        let is_on = |rule: &Rule| {
            rule.kind == RuleKind::Fixed
                || !self
                    .off
                    .iter()
                    .any(|name| name.eq_ignore_ascii_case(&rule.name))
        };
        let shipped = shipped_rules().into_iter().filter(is_on);
        shipped
            .chain(self.custom.iter().filter_map(CustomRule::read))
            .collect()
    }
}

impl Store {
    /// What an administrator changed about the rules.
    ///
    /// # Errors
    /// Database errors; [`StoreError::Damaged`] if they cannot be read.
    pub async fn rules(&self) -> Result<RuleSettings, StoreError> {
        let row = sqlx::query("SELECT value FROM setting WHERE key = 'rules'")
            .fetch_optional(&self.pool)
            .await?;
        match row {
            Some(row) => from_json("the rules", row.try_get("value")?),
            None => Ok(RuleSettings::default()),
        }
    }

    /// Replaces them.
    ///
    /// # Errors
    /// Database errors.
    pub async fn save_rules(&self, rules: &RuleSettings) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO setting (key, value) VALUES ('rules', ?1)
             ON CONFLICT (key) DO UPDATE SET value = ?1",
        )
        .bind(to_json(rules)?)
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
