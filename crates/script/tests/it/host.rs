use std::borrow::Cow;
use std::collections::BTreeMap;

use satchel_data::{Batch, Cells, Frame, Value};
use satchel_script::{
    Dialect, FileInfo, Host, HostError, ReadRequest, RowSource, StoreRequest, matches_wildcard,
    split_delimited,
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
            single_quotes: false,
            lines_in_single: false,
            spaces: request.format.delimiter_is_spaces,
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

    fn list_files(&mut self, mask: &str, _: Option<&str>) -> Result<Vec<String>, HostError> {
        let fits = |p: &&String| matches_wildcard(p, mask);
        Ok(self.files.keys().filter(fits).cloned().collect())
    }

    fn list_folders(&mut self, mask: &str, _: Option<&str>) -> Result<Vec<String>, HostError> {
        let mut out: Vec<String> = (self.files.keys())
            .filter_map(|p| Some(p.rsplit_once('/')?.0.to_owned()))
            .filter(|f| matches_wildcard(f, mask))
            .collect();
        out.dedup();
        Ok(out)
    }

    fn file_info(&mut self, path: &str, _: Option<&str>) -> Option<FileInfo> {
        Some(FileInfo {
            n_bytes: self.files.get(path)?.len() as u64,
            modified: 45_000.25,
        })
    }

    fn connect(&mut self, name: &str) -> Result<(), HostError> {
        if name == "Warehouse" {
            return Ok(());
        }
        Err(HostError::new(
            "source.connection_unknown",
            format!("no connection called `{name}` is defined"),
        )
        .with_hint("the connections are Warehouse"))
    }

    /// The one query that is known reads the file of the table's name.
    fn query(&mut self, sql: &str) -> Result<Box<dyn RowSource>, HostError> {
        let table = sql.rsplit(' ').next().unwrap_or_default();
        self.open(&ReadRequest {
            path: format!("{table}.csv"),
            ..ReadRequest::default()
        })
    }

    fn log(&mut self, _line: &str) {}

    fn sleep(&mut self, _milliseconds: u64) {}
}
