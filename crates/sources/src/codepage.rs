//! Bytes of a text file to text.

use satchel_script::HostError;

/// What the bytes 0x80 to 0x9f are in Windows-1252; the rest is as in Latin 1.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// Decodes by the byte-order mark, else by the codepage the script names. Without either it is
/// UTF-8 if it is valid, else Windows-1252.
pub(crate) fn decode(bytes: Vec<u8>, codepage: Option<&str>) -> Result<String, HostError> {
    match bytes[..] {
        [0xef, 0xbb, 0xbf, ..] => return utf8(bytes, 3),
        [0xff, 0xfe, ..] => return Ok(utf16(&bytes[2..], u16::from_le_bytes)),
        [0xfe, 0xff, ..] => return Ok(utf16(&bytes[2..], u16::from_be_bytes)),
        _ => {}
    }
    match codepage {
        None => {
            Ok(String::from_utf8(bytes)
                .unwrap_or_else(|error| single_bytes(error.as_bytes(), true)))
        }
        Some("utf8" | "65001") => utf8(bytes, 0),
        Some("utf16" | "unicode" | "1200") => Ok(utf16(&bytes, u16::from_le_bytes)),
        Some("ansi" | "1252") => Ok(single_bytes(&bytes, true)),
        Some("28591" | "iso-8859-1" | "latin1") => Ok(single_bytes(&bytes, false)),
        Some(other) => Err(HostError::new(
            "source.bad_encoding",
            format!("codepage `{other}` is not supported"),
        )
        .with_hint("use utf8, codepage is 1252 or codepage is 28591")),
    }
}

fn utf8(mut bytes: Vec<u8>, skip: usize) -> Result<String, HostError> {
    bytes.drain(..skip);
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let row = error.as_bytes()[..at]
            .iter()
            .filter(|b| **b == b'\n')
            .count()
            + 1;
        HostError::new(
            "source.bad_encoding",
            format!("line {row} is not valid UTF-8"),
        )
        .with_hint("write codepage is 1252 if it comes from an older Windows program")
    })
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    char::decode_utf16(units)
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

fn single_bytes(bytes: &[u8], is_windows: bool) -> String {
    bytes
        .iter()
        .map(|b| match b {
            0x80..=0x9f if is_windows => WINDOWS_1252[usize::from(b - 0x80)],
            _ => char::from(*b),
        })
        .collect()
}
