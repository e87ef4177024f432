//! Batches of cells to the columns of a frame. Each distinct raw text is interpreted once a
//! batch, whatever the number of rows that hold it.

use rustc_hash::FxHashMap;
use satchel_calc::{Locale, read_text};
use satchel_data::{Cells, FrameColumn, NULL_CODE, Read, Value};

/// How raw text becomes values.
pub(crate) struct Reading<'a> {
    pub(crate) locale: &'a Locale,
    /// The text that means NULL (`SET NullInterpret`).
    pub(crate) null_text: Option<&'a str>,
}

impl Reading<'_> {
    pub(crate) fn value(&self, text: &str) -> Value {
        self.read(text).value(text)
    }

    pub(crate) fn read(&self, text: &str) -> Read {
        if self.null_text == Some(text) {
            return Read::Null;
        }
        read_text(text, self.locale)
    }

    /// Appends `cells` to `column`.
    pub(crate) fn append(&self, column: &mut FrameColumn, cells: &Cells) {
        match cells {
            Cells::Values(values) => {
                for value in values {
                    column.push(value);
                }
            }
            Cells::Coded { codes, values } => {
                let map: Vec<u32> = values.iter().map(|v| column.dict.intern(v)).collect();
                extend(column, codes, &map);
            }
            Cells::PartlyRaw { codes, values } => {
                let map: Vec<u32> = (values.iter())
                    .map(|value| match value {
                        Value::Text(text) => column.dict.intern(&self.value(text)),
                        other => column.dict.intern(other),
                    })
                    .collect();
                extend(column, codes, &map);
            }
            Cells::RawText { ends, bytes } => {
                let mut seen: FxHashMap<&str, u32> = FxHashMap::default();
                column.codes.reserve(ends.len());
                for text in pieces(ends, bytes) {
                    let code = *seen
                        .entry(text)
                        .or_insert_with(|| column.dict.intern(&self.value(text)));
                    column.codes.push(code);
                }
            }
        }
    }
}

fn extend(column: &mut FrameColumn, codes: &[u32], map: &[u32]) {
    column.codes.extend(
        codes
            .iter()
            .map(|c| map.get(*c as usize).copied().unwrap_or(NULL_CODE)),
    );
}

fn pieces<'a>(ends: &'a [u32], bytes: &'a str) -> impl Iterator<Item = &'a str> {
    let mut start = 0;
    ends.iter().map(move |end| {
        let piece = bytes.get(start..*end as usize).unwrap_or_default();
        start = *end as usize;
        piece
    })
}
