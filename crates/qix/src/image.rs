//! An app as one run of bytes: its description, its content and its data.
//!
//! This is what a package carries. The data is the snapshot the data room writes and reads;
//! it is opaque here. Layout: docs/formats/app-image.md.

use satchel_base::{SubjectId, UnixMillis};
use serde::{Deserialize, Serialize};

use crate::AppContent;

/// The first bytes of every image.
const MAGIC: &[u8; 8] = b"SATCHAPP";

/// The format written.
const VERSION: u16 = 1;

/// Magic, version, two bytes kept zero, and the lengths of the two JSON parts.
const HEADER: usize = 8 + 2 + 2 + 8 + 8;

/// What is known of an app beside its content.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AppMeta {
    /// The app's id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// One line, may be empty.
    #[serde(default)]
    pub description: String,
    /// Whose it is.
    pub owner: SubjectId,
    /// The owner's name to show; may be empty.
    #[serde(default)]
    pub owner_name: String,
    /// The stream it is published to.
    #[serde(default)]
    pub stream: Option<StreamRef>,
    /// When it was made.
    #[serde(default)]
    pub created: Option<UnixMillis>,
    /// When its content was last changed.
    #[serde(default)]
    pub modified: Option<UnixMillis>,
    /// When it was published.
    #[serde(default)]
    pub published: Option<UnixMillis>,
    /// When its data was loaded; absent if it never was.
    #[serde(default)]
    pub last_reload: Option<UnixMillis>,
    /// Bytes of its data.
    #[serde(default)]
    pub data_bytes: u64,
    /// Whether its script has section access.
    #[serde(default)]
    pub has_section_access: bool,
    /// Whether the reader may change sheets, master items, the script and the app's properties.
    #[serde(default)]
    pub may_edit: bool,
    /// Whether the reader may reload the app.
    #[serde(default)]
    pub may_reload: bool,
    /// Whether the reader may export data.
    #[serde(default)]
    pub may_export: bool,
}

impl AppMeta {
    /// An app called `title` that its reader may only look at.
    pub fn new(id: impl Into<String>, title: impl Into<String>, owner: SubjectId) -> Self {
        Self {
            id: id.into(),
            title: title.into(),
            description: String::new(),
            owner,
            owner_name: String::new(),
            stream: None,
            created: None,
            modified: None,
            published: None,
            last_reload: None,
            data_bytes: 0,
            has_section_access: false,
            may_edit: false,
            may_reload: false,
            may_export: false,
        }
    }
}

/// A stream an app is published to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamRef {
    /// The stream's id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// The payload of a package.
#[derive(Clone, Debug, PartialEq)]
pub struct AppImage {
    /// What it is.
    pub meta: AppMeta,
    /// Sheets, master items, bookmarks.
    pub content: AppContent,
    /// The data, as the data room writes it; empty for an app without data.
    pub snapshot: Vec<u8>,
}

/// Why bytes are no app image.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// Too short, or not an image at all.
    #[error("these bytes are not an app image")]
    NotAnImage,
    /// Written by a newer version. The user must update.
    #[error("app image format {found} is newer than {VERSION}, the newest this version reads")]
    TooNew {
        /// The format found.
        found: u16,
    },
    /// A length points past the end.
    #[error("the app image is cut short or damaged: {part} ends past its last byte")]
    Truncated {
        /// Which part.
        part: &'static str,
    },
    /// A JSON part does not read.
    #[error("the {part} of the app image is damaged")]
    Json {
        /// Which part.
        part: &'static str,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
}

impl AppImage {
    /// The bytes.
    ///
    /// # Errors
    /// [`ImageError::Json`] if the description or content cannot be written as JSON.
    pub fn encode(&self) -> Result<Vec<u8>, ImageError> {
        let json = |part, result: Result<Vec<u8>, serde_json::Error>| {
            result.map_err(|source| ImageError::Json { part, source })
        };
        let meta = json("description", serde_json::to_vec(&self.meta))?;
        let content = json("content", serde_json::to_vec(&self.content))?;
        let mut bytes =
            Vec::with_capacity(HEADER + meta.len() + content.len() + self.snapshot.len());
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&[0, 0]);
        bytes.extend_from_slice(&(meta.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&(content.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&meta);
        bytes.extend_from_slice(&content);
        bytes.extend_from_slice(&self.snapshot);
        Ok(bytes)
    }

    /// Reads bytes written by [`AppImage::encode`].
    ///
    /// # Errors
    /// See [`ImageError`]; never panics, and never allocates more than `bytes` and its JSON
    /// need.
    pub fn decode(bytes: &[u8]) -> Result<Self, ImageError> {
        let (header, rest) = bytes
            .split_at_checked(HEADER)
            .ok_or(ImageError::NotAnImage)?;
        if &header[..8] != MAGIC {
            return Err(ImageError::NotAnImage);
        }
        let found = u16::from_le_bytes([header[8], header[9]]);
        if found > VERSION {
            return Err(ImageError::TooNew { found });
        }
        let (meta, rest) = part(rest, &header[12..20], "description")?;
        let (content, snapshot) = part(rest, &header[20..28], "content")?;
        Ok(Self {
            meta: serde_json::from_slice(meta).map_err(|source| ImageError::Json {
                part: "description",
                source,
            })?,
            content: serde_json::from_slice(content).map_err(|source| ImageError::Json {
                part: "content",
                source,
            })?,
            snapshot: snapshot.to_vec(),
        })
    }
}

/// Splits off as many bytes as `length` (8 bytes, little-endian) says.
fn part<'a>(
    bytes: &'a [u8],
    length: &[u8],
    part: &'static str,
) -> Result<(&'a [u8], &'a [u8]), ImageError> {
    let length = length
        .try_into()
        .map(u64::from_le_bytes)
        .map_err(|_| ImageError::NotAnImage)?;
    usize::try_from(length)
        .ok()
        .and_then(|n| bytes.split_at_checked(n))
        .ok_or(ImageError::Truncated { part })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image() -> AppImage {
        let mut content = AppContent::default();
        content.set_title("Sales");
        AppImage {
            meta: AppMeta::new("a1", "Sales", SubjectId::new("D", "ann")),
            content,
            snapshot: vec![1, 2, 3],
        }
    }

    #[test]
    fn an_image_comes_back_as_it_was() {
        let image = image();
        assert_eq!(AppImage::decode(&image.encode().unwrap()).unwrap(), image);
    }

    // threat: T-38
    #[test]
    fn every_cut_and_every_flipped_header_byte_is_an_error_or_an_image() {
        let bytes = image().encode().unwrap();
        for n in 0..bytes.len() - 3 {
            assert!(AppImage::decode(&bytes[..n]).is_err(), "cut at {n}");
        }
        for at in 0..HEADER {
            for flip in [1, 0x80, 0xff] {
                let mut broken = bytes.clone();
                broken[at] ^= flip;
                // Only that it returns: some bytes (the two spare ones) may hold anything.
                let _ = AppImage::decode(&broken);
            }
        }
    }
}
