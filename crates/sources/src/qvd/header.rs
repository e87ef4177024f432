//! The XML header of a QVD file: reading, checking against the file's size, writing.

use std::fmt::Write as _;

use quick_xml::Reader;
use quick_xml::escape::{escape, resolve_predefined_entity};
use quick_xml::events::Event;

/// 32 MiB: the lineage of a table holds the statements that made it, and is seldom larger
/// than a script.
pub(super) const MAX_HEADER_BYTES: usize = 32 << 20;

/// Widest code of a record: symbol tables hold fewer than 2³¹ values, and the bias needs a bit.
const MAX_BIT_WIDTH: u32 = 32;

/// What a header says about the table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) table: String,
    pub(super) created: String,
    pub(super) fields: Vec<FieldHeader>,
    pub(super) compression: String,
    pub(super) record_bytes: u64,
    pub(super) n_records: u64,
    /// Where records begin, from the end of the header.
    pub(super) offset: u64,
    pub(super) length: u64,
}

/// What a header says about a field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FieldHeader {
    pub(super) name: String,
    /// First bit of the code in a record, from the lowest bit of the first byte.
    pub(super) bit_offset: u32,
    pub(super) bit_width: u32,
    /// Added to what is stored; a sum below zero is NULL.
    pub(super) bias: i64,
    pub(super) n_symbols: u64,
    /// Where symbols begin, from the end of the header.
    pub(super) offset: u64,
    pub(super) length: u64,
    pub(super) tags: Vec<&'static str>,
}

impl Header {
    /// Reads the XML, which ends where the NUL byte was.
    pub(super) fn parse(xml: &str) -> Result<Self, String> {
        let mut reader = Reader::from_str(xml);
        let mut header = Self::default();
        let mut path: Vec<String> = Vec::new();
        let mut text = String::new();
        let mut is_table = false;
        loop {
            let event = reader.read_event().map_err(|error| {
                format!(
                    "the header is not XML at byte {}: {error}",
                    reader.error_position()
                )
            })?;
            match event {
                Event::Start(start) => {
                    let name = start.local_name().into_inner().to_owned();
                    is_table |= path.is_empty() && name == "QvdTableHeader";
                    if name == "QvdFieldHeader" {
                        header.fields.push(FieldHeader::default());
                    }
                    path.push(name);
                    text.clear();
                }
                Event::Text(part) => text += &part,
                Event::CData(part) => text += &part,
                Event::GeneralRef(name) => {
                    let character = name.resolve_char_ref().ok().flatten();
                    match (character, resolve_predefined_entity(&name)) {
                        (Some(character), _) => text.push(character),
                        (None, Some(known)) => text += known,
                        (None, None) => {
                            return Err(format!("the header uses the entity `&{};`", &*name));
                        }
                    }
                }
                Event::End(_) => {
                    header.take(&path, &text)?;
                    path.pop();
                    text.clear();
                }
                Event::Eof => break,
                Event::Empty(_)
                | Event::Comment(_)
                | Event::Decl(_)
                | Event::PI(_)
                | Event::DocType(_) => {}
            }
        }
        if !is_table || !path.is_empty() {
            return Err("it has no complete QvdTableHeader".to_owned());
        }
        Ok(header)
    }

    /// The text of the element that ends.
    fn take(&mut self, path: &[String], text: &str) -> Result<(), String> {
        let [.., parent, name] = path else {
            return Ok(());
        };
        if parent == "QvdFieldHeader" {
            let Some(field) = self.fields.last_mut() else {
                return Ok(());
            };
            match name.as_str() {
                "FieldName" => field.name = text.to_owned(),
                "BitOffset" => field.bit_offset = number(name, text)?,
                "BitWidth" => field.bit_width = number(name, text)?,
                "Bias" => field.bias = number::<i32>(name, text)?.into(),
                "NoOfSymbols" => field.n_symbols = number(name, text)?,
                "Offset" => field.offset = number(name, text)?,
                "Length" => field.length = number(name, text)?,
                _ => {}
            }
        } else if parent == "QvdTableHeader" {
            match name.as_str() {
                "TableName" => self.table = text.to_owned(),
                "CreateUtcTime" => self.created = text.to_owned(),
                "Compression" => self.compression = text.trim().to_owned(),
                "RecordByteSize" => self.record_bytes = number(name, text)?,
                "NoOfRecords" => self.n_records = number(name, text)?,
                "Offset" => self.offset = number(name, text)?,
                "Length" => self.length = number(name, text)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Holds every count against the `n_bytes` that follow the header.
    pub(super) fn check(&self, n_bytes: u64) -> Result<(), String> {
        if !self.compression.is_empty() {
            return Err("it is compressed".to_owned());
        }
        if self.n_records >= u64::from(u32::MAX) {
            return Err(format!("it announces {} rows", self.n_records));
        }
        let records = self.record_bytes.checked_mul(self.n_records);
        let end = records.and_then(|bytes| self.offset.checked_add(bytes));
        if end.is_none_or(|end| end > n_bytes) {
            return Err(format!(
                "it announces {} rows of {} bytes from byte {} on, but has only {n_bytes} bytes \
                 behind the header",
                self.n_records, self.record_bytes, self.offset
            ));
        }
        for field in &self.fields {
            let name = &field.name;
            let last_bit = u64::from(field.bit_offset) + u64::from(field.bit_width);
            if field.bit_width > MAX_BIT_WIDTH || last_bit > self.record_bytes.saturating_mul(8) {
                return Err(format!(
                    "field `{name}` has {} bits from bit {} on in rows of {} bytes",
                    field.bit_width, field.bit_offset, self.record_bytes
                ));
            }
            let end = field.offset.checked_add(field.length);
            if end.is_none_or(|end| end > n_bytes) {
                return Err(format!(
                    "field `{name}` has its values in bytes {} to {}, but only {n_bytes} bytes \
                     are behind the header",
                    field.offset,
                    field.offset.saturating_add(field.length)
                ));
            }
            // A value takes two bytes at least.
            if field.n_symbols > field.length / 2 || field.n_symbols >= 1 << 31 {
                return Err(format!(
                    "field `{name}` announces {} values in {} bytes",
                    field.n_symbols, field.length
                ));
            }
        }
        Ok(())
    }

    /// The header as XML, without the NUL byte that ends it.
    pub(super) fn to_xml(&self) -> String {
        let mut out = String::from(
            "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\r\n<QvdTableHeader>\r\n",
        );
        out += "  <QvBuildNo>50000</QvBuildNo>\r\n  <CreatorDoc></CreatorDoc>\r\n";
        line(&mut out, 1, "CreateUtcTime", &self.created);
        for empty in ["SourceCreateUtcTime", "SourceFileUtcTime"] {
            line(&mut out, 1, empty, "");
        }
        line(&mut out, 1, "SourceFileSize", "-1");
        line(&mut out, 1, "StaleUtcTime", "");
        line(&mut out, 1, "TableName", &self.table);
        out += "  <Fields>\r\n";
        for field in &self.fields {
            out += "    <QvdFieldHeader>\r\n";
            line(&mut out, 3, "FieldName", &field.name);
            line(&mut out, 3, "BitOffset", &field.bit_offset.to_string());
            line(&mut out, 3, "BitWidth", &field.bit_width.to_string());
            line(&mut out, 3, "Bias", &field.bias.to_string());
            out += "      <NumberFormat>\r\n";
            for (name, text) in [
                ("Type", "UNKNOWN"),
                ("nDec", "0"),
                ("UseThou", "0"),
                ("Fmt", ""),
                ("Dec", ""),
                ("Thou", ""),
            ] {
                line(&mut out, 4, name, text);
            }
            out += "      </NumberFormat>\r\n";
            line(&mut out, 3, "NoOfSymbols", &field.n_symbols.to_string());
            line(&mut out, 3, "Offset", &field.offset.to_string());
            line(&mut out, 3, "Length", &field.length.to_string());
            line(&mut out, 3, "Comment", "");
            out += "      <Tags>\r\n";
            for tag in &field.tags {
                line(&mut out, 4, "String", tag);
            }
            out += "      </Tags>\r\n    </QvdFieldHeader>\r\n";
        }
        out += "  </Fields>\r\n";
        line(&mut out, 1, "Compression", "");
        line(
            &mut out,
            1,
            "RecordByteSize",
            &self.record_bytes.to_string(),
        );
        line(&mut out, 1, "NoOfRecords", &self.n_records.to_string());
        line(&mut out, 1, "Offset", &self.offset.to_string());
        line(&mut out, 1, "Length", &self.length.to_string());
        line(&mut out, 1, "Comment", "");
        out += "  <Lineage></Lineage>\r\n</QvdTableHeader>\r\n";
        out
    }
}

fn number<T: std::str::FromStr>(name: &str, text: &str) -> Result<T, String> {
    let text = text.trim();
    (text.parse()).map_err(|_| format!("{name} in the header is `{text}`, not a number in range"))
}

fn line(out: &mut String, depth: usize, name: &str, text: &str) {
    // Writing to a string cannot fail.
    let _ = write!(out, "{:1$}<{name}>", "", 2 * depth);
    let _ = write!(out, "{}</{name}>\r\n", escape(text));
}
