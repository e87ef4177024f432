//! What DROP and RENAME do to tables.

use satchel_syntax::{Diagnostic, Name, Renames};

use super::values::unknown_map;
use crate::run::{Place, Run, Runner};
use crate::tables::Section;

impl Runner<'_> {
    pub(super) fn drop_tables(&mut self, place: &Place, names: &[Name]) -> Run<()> {
        for name in names {
            let upper = name.text.to_uppercase();
            let at = self.tables.position(&name.text, self.section).or_else(|| {
                (self.section == Section::Access)
                    .then(|| self.tables.position(&upper, self.section))?
            });
            match at {
                Some(at) => {
                    self.tables.list.remove(at);
                }
                None => return Err(self.unknown_table(place, name)),
            }
        }
        Ok(())
    }

    pub(super) fn drop_fields(
        &mut self,
        place: &Place,
        fields: &[Name],
        tables: &[Name],
    ) -> Run<()> {
        for table in tables {
            if self.tables.position(&table.text, self.section).is_none() {
                return Err(self.unknown_table(place, table));
            }
        }
        for field in fields {
            let mut found = false;
            for loaded in &mut self.tables.list {
                let applies = loaded.section == self.section
                    && (tables.is_empty() || tables.iter().any(|t| t.text == loaded.frame.name));
                if applies && let Some(at) = loaded.frame.column_index(&field.text) {
                    loaded.frame.columns.remove(at);
                    found = true;
                }
            }
            if !found {
                return Err(unknown_field(place, field));
            }
        }
        self.tables.list.retain(|t| !t.frame.columns.is_empty());
        Ok(())
    }

    /// Old and new names, from the statement or from a map.
    fn pairs(&self, place: &Place, renames: &Renames) -> Run<Vec<(Name, String, bool)>> {
        match renames {
            Renames::Pairs(pairs) => Ok((pairs.iter())
                .map(|(old, new)| (old.clone(), new.text.clone(), true))
                .collect()),
            Renames::Using(name) => match self.tables.maps.get(&name.text) {
                Some(map) => Ok((map.pairs.iter())
                    .map(|(old, new)| {
                        let old = Name {
                            text: old.clone(),
                            span: name.span,
                        };
                        (old, new.to_text(), false)
                    })
                    .collect()),
                None => Err(unknown_map(place, name)),
            },
        }
    }

    pub(super) fn rename_tables(&mut self, place: &Place, renames: &Renames) -> Run<()> {
        for (old, new, must_exist) in self.pairs(place, renames)? {
            match self.tables.position(&old.text, self.section) {
                Some(at) if old.text != new => {
                    if self.tables.position(&new, self.section).is_some() {
                        return Err(place.fail(
                            Diagnostic::error(
                                "script.duplicate_table",
                                old.span,
                                format!("there is a table called `{new}` already"),
                            )
                            .with_hint("drop it first, or choose another name"),
                        ));
                    }
                    self.tables.list[at].frame.name = new;
                }
                None if must_exist => return Err(self.unknown_table(place, &old)),
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) fn rename_fields(&mut self, place: &Place, renames: &Renames) -> Run<()> {
        for (old, new, must_exist) in self.pairs(place, renames)? {
            let mut found = false;
            let section = self.section;
            for loaded in self.tables.list.iter_mut().filter(|t| t.section == section) {
                let Some(at) = loaded.frame.column_index(&old.text) else {
                    continue;
                };
                found = true;
                if old.text != new && loaded.frame.column_index(&new).is_some() {
                    return Err(place.fail(
                        Diagnostic::error(
                            "script.duplicate_field",
                            old.span,
                            format!(
                                "table `{}` has a field called `{new}` already",
                                loaded.frame.name
                            ),
                        )
                        .with_hint("drop it first, or choose another name"),
                    ));
                }
                loaded.frame.columns[at].name.clone_from(&new);
            }
            if !found && must_exist {
                return Err(unknown_field(place, &old));
            }
        }
        Ok(())
    }
}

pub(super) fn unknown_field(place: &Place, name: &Name) -> crate::run::Halt {
    place.fail(
        Diagnostic::error(
            "script.unknown_field",
            name.span,
            format!("no table has a field called `{}`", name.text),
        )
        .with_hint("check the spelling; upper and lower case differ"),
    )
}
