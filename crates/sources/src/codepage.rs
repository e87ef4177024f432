//! Bytes of a text file to text.

use encoding_rs::Encoding;
use oem_cp::code_table::DECODING_TABLE_CP_MAP;
use satchel_script::HostError;

/// Decodes by the byte-order mark, else by the codepage the script names. Without either it is
/// UTF-8 if it is valid, else Windows-1252.
pub(crate) fn decode(bytes: Vec<u8>, codepage: Option<&str>) -> Result<String, HostError> {
    match bytes[..] {
        [0xef, 0xbb, 0xbf, ..] => return utf8(bytes, 3),
        [0xff, 0xfe, ..] => return Ok(by(encoding_rs::UTF_16LE, &bytes[2..])),
        [0xfe, 0xff, ..] => return Ok(by(encoding_rs::UTF_16BE, &bytes[2..])),
        _ => {}
    }
    let Some(name) = codepage else {
        return Ok(String::from_utf8(bytes)
            .unwrap_or_else(|error| by(encoding_rs::WINDOWS_1252, error.as_bytes())));
    };
    match name {
        "utf8" | "65001" => return utf8(bytes, 0),
        // Latin 1 as it is; the web reads it as Windows-1252.
        "28591" | "iso-8859-1" | "latin1" => {
            return Ok(bytes.iter().map(|b| char::from(*b)).collect());
        }
        // The last control characters of Latin 5 as of Latin 1.
        "28599" => {
            return Ok((bytes.iter())
                .map(|b| match b {
                    0x80..=0x9f => char::from(*b).to_string(),
                    _ => by(encoding_rs::WINDOWS_1254, &[*b]),
                })
                .collect());
        }
        _ => {}
    }
    let number = match name {
        "oem" => Some(437),
        "ansi" => Some(1252),
        "utf16" | "unicode" => Some(1200),
        "mac" => Some(10_000),
        number => number.parse::<u16>().ok(),
    };
    let found = number
        .and_then(encoding_of)
        .or_else(|| Encoding::for_label(name.as_bytes()));
    if let Some(encoding) = found {
        return Ok(by(encoding, &bytes));
    }
    if let Some(table) = number.and_then(|n| DECODING_TABLE_CP_MAP.get(&n)) {
        return Ok(table.decode_string_lossy(&bytes));
    }
    Err(HostError::new(
        "source.bad_encoding",
        format!("codepage `{name}` is not supported"),
    )
    .with_hint("use utf8, unicode, or codepage is with a number such as 1252, 1250, 932 or 437"))
}

/// Windows codepages the encodings of the web cover.
fn encoding_of(number: u16) -> Option<&'static Encoding> {
    use encoding_rs as e;
    Some(match number {
        874 => e::WINDOWS_874,
        932 => e::SHIFT_JIS,
        936 => e::GBK,
        949 | 51_949 => e::EUC_KR,
        950 => e::BIG5,
        866 => e::IBM866,
        1200 => e::UTF_16LE,
        1201 => e::UTF_16BE,
        1250 => e::WINDOWS_1250,
        1251 => e::WINDOWS_1251,
        1252 => e::WINDOWS_1252,
        1253 => e::WINDOWS_1253,
        1254 => e::WINDOWS_1254,
        1255 => e::WINDOWS_1255,
        1256 => e::WINDOWS_1256,
        1257 => e::WINDOWS_1257,
        1258 => e::WINDOWS_1258,
        10_000 => e::MACINTOSH,
        10_007 | 10_017 => e::X_MAC_CYRILLIC,
        20_866 => e::KOI8_R,
        21_866 => e::KOI8_U,
        20_932 | 51_932 => e::EUC_JP,
        28_592 => e::ISO_8859_2,
        28_593 => e::ISO_8859_3,
        28_594 => e::ISO_8859_4,
        28_595 => e::ISO_8859_5,
        28_596 => e::ISO_8859_6,
        28_597 => e::ISO_8859_7,
        28_598 => e::ISO_8859_8,
        28_603 => e::ISO_8859_13,
        28_605 => e::ISO_8859_15,
        28_606 => e::ISO_8859_16,
        50_220..=50_222 => e::ISO_2022_JP,
        54_936 => e::GB18030,
        _ => return None,
    })
}

fn by(encoding: &'static Encoding, bytes: &[u8]) -> String {
    encoding.decode_without_bom_handling(bytes).0.into_owned()
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
        not_utf8(row)
    })
}

/// Line `row` of a text that should be UTF-8 is not.
pub(crate) fn not_utf8(row: usize) -> HostError {
    HostError::new(
        "source.bad_encoding",
        format!("line {row} is not valid UTF-8"),
    )
    .with_hint("write codepage is 1252 if it comes from an older Windows program")
}
