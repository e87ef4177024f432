//! Writing files: to a temporary name, then renamed, so that a kill leaves the old or the new.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use satchel_data::{Frame, NULL_CODE, Value};
use satchel_script::{HostError, Labels, Quotes, StoreRequest};

/// Writes a new file at `path`, called `shown` in messages; the number of bytes.
pub(crate) fn write(
    path: &Path,
    shown: &str,
    content: impl FnOnce(&mut File) -> Result<(), String>,
) -> Result<u64, HostError> {
    let cannot = |error: String| {
        HostError::new(
            "source.cannot_write",
            format!("cannot write `{shown}`: {error}"),
        )
        .with_hint("is there room on the disk, and may the hub write to the folder?")
    };
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".part");
    let temporary = path.with_file_name(name);
    let done = (|| {
        let mut file = File::create(&temporary).map_err(|e| e.to_string())?;
        content(&mut file)?;
        file.sync_all().map_err(|e| e.to_string())?;
        let n_bytes = file.metadata().map_err(|e| e.to_string())?.len();
        std::fs::rename(&temporary, path).map_err(|e| e.to_string())?;
        Ok(n_bytes)
    })();
    done.map_err(|error| {
        // Nothing is left behind; a second failure changes nothing.
        let _ = std::fs::remove_file(&temporary);
        cannot(error)
    })
}

/// The table as delimited text in UTF-8.
pub(crate) fn delimited(
    file: &mut File,
    request: &StoreRequest,
    table: &Frame,
) -> Result<(), String> {
    let delimiter = request.format.delimiter.as_deref().unwrap_or(",");
    let quotes = request.format.quotes != Some(Quotes::None);
    let mut out = BufWriter::new(file);
    let mut write = || -> std::io::Result<()> {
        if request.format.labels != Some(Labels::None) {
            for (i, column) in table.columns.iter().enumerate() {
                let before = if i == 0 { "" } else { delimiter };
                write!(out, "{before}{}", quoted(&column.name, delimiter, quotes))?;
            }
            out.write_all(b"\n")?;
        }
        // Each distinct value is written out once.
        let texts: Vec<Vec<String>> = (table.columns.iter())
            .map(|c| {
                (c.dict.values().iter())
                    .map(|v| quoted(&Value::to_text(v), delimiter, quotes))
                    .collect()
            })
            .collect();
        for row in 0..table.n_rows() {
            for (i, column) in table.columns.iter().enumerate() {
                if i > 0 {
                    out.write_all(delimiter.as_bytes())?;
                }
                let code = column.codes.get(row).copied().unwrap_or(NULL_CODE);
                if let Some(text) = texts[i].get(code as usize) {
                    out.write_all(text.as_bytes())?;
                }
            }
            out.write_all(b"\n")?;
        }
        out.flush()
    };
    write().map_err(|e| e.to_string())
}

fn quoted(text: &str, delimiter: &str, quotes: bool) -> String {
    let needs = text.contains(delimiter) || text.contains(['"', '\n', '\r']);
    if quotes && needs {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
