use std::borrow::Cow;
use std::collections::BTreeMap;

use satchel_data::{Batch, Cells, Frame, Value};
use satchel_script::{
    Dialect, Host, HostError, ReadRequest, RowSource, StoreRequest, split_delimited,
};

/// Files in memory; what is stored becomes a file.
#[derive(Default)]
pub struct Files {
    pub files: BTreeMap<String, String>,
    pub stored: Vec<String>,
}

struct Rows {
    columns: Vec<String>,
    batch: Option<Batch>,
}

impl RowSource for Rows {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn next_batch(&mut self) -> Result<Option<Batch>, HostError> {
        Ok(self.batch.take())
    }
}

impl Files {
    fn text(&self, path: &str) -> Result<&String, HostError> {
        self.files.get(path).ok_or_else(|| {
            HostError::new("source.not_found", format!("there is no file {path}"))
                .with_hint("check the path")
        })
    }
}

impl Host for Files {
    fn open(&mut self, request: &ReadRequest) -> Result<Box<dyn RowSource>, HostError> {
        let text = self.text(&request.path)?;
        let dialect = Dialect {
            delimiter: request.format.delimiter.clone().unwrap_or(",".into()),
            quotes: true,
            trims: false,
            comment: None,
        };
        let mut rows: Vec<Vec<String>> = Vec::new();
        split_delimited(text, &dialect, |_, cells| {
            rows.push(cells.iter().map(|c| Cow::clone(c).into_owned()).collect());
            true
        })
        .map_err(|row| HostError::new("source.malformed", format!("row {row} is broken")))?;
        let columns = rows.remove(0);
        let cells = (0..columns.len())
            .map(|c| {
                let (mut ends, mut bytes) = (Vec::new(), String::new());
                for row in &rows {
                    bytes.push_str(row.get(c).map_or("", String::as_str));
                    ends.push(bytes.len() as u32);
                }
                Cells::RawText { ends, bytes }
            })
            .collect();
        Ok(Box::new(Rows {
            columns,
            batch: Some(Batch {
                n_rows: rows.len(),
                columns: cells,
            }),
        }))
    }

    fn include(&mut self, path: &str) -> Result<String, HostError> {
        self.text(path).cloned()
    }

    fn store(&mut self, request: &StoreRequest, table: &Frame) -> Result<u64, HostError> {
        let mut out = String::new();
        let names: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
        out += &format!("{}\n", names.join(","));
        for row in 0..table.n_rows() {
            let cells: Vec<String> = (table.columns.iter())
                .map(|c| Value::to_text(&c.value(row)))
                .collect();
            out += &format!("{}\n", cells.join(","));
        }
        let n_bytes = out.len() as u64;
        self.files.insert(request.path.clone(), out);
        self.stored.push(request.path.clone());
        Ok(n_bytes)
    }

    fn log(&mut self, _line: &str) {}

    fn sleep(&mut self, _milliseconds: u64) {}
}
