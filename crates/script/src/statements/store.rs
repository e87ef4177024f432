//! `STORE`: hands a table to the host.

use satchel_data::Frame;
use satchel_syntax::Store;

use super::tables::unknown_field;
use crate::host::StoreRequest;
use crate::run::{Place, Run, Runner};

impl Runner<'_> {
    pub(super) fn store(&mut self, place: &Place, store: &Store) -> Run<()> {
        let Some(at) = self.tables.position(&store.table.text, self.section) else {
            return Err(self.unknown_table(place, &store.table));
        };
        let table = &self.tables.list[at].frame;
        let mut out = Frame {
            name: table.name.clone(),
            columns: Vec::new(),
        };
        if store.fields.is_empty() {
            out.columns.clone_from(&table.columns);
        }
        for (field, new) in &store.fields {
            let Some(c) = table.column_index(&field.text) else {
                return Err(unknown_field(place, field));
            };
            let mut column = table.columns[c].clone();
            column.name.clone_from(&new.text);
            out.columns.push(column);
        }
        let request = StoreRequest {
            path: store.path.text.clone(),
            directory: self.directory.clone(),
            format: store.format.clone(),
        };
        let n_bytes = (self.host.ask(|host| host.store(&request, &out)))
            .map_err(|e| place.host_error(store.path.span, e))?;
        self.write_log(format!(
            "{} stored: {} rows, {n_bytes} bytes into {}",
            out.name,
            out.n_rows(),
            request.path
        ));
        Ok(())
    }
}
