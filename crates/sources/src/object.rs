//! Files in S3-compatible object stores, by connections an administrator defines.
//!
//! A store is one bucket, or one folder of it. Requests are signed here; scripts, messages and
//! logs never see the key. Addresses are judged as those of web sites are: HTTPS only, public
//! networks only unless the administrator says otherwise. A redirect is not followed: what is
//! signed is for the store alone.

use std::path::PathBuf;

use jiff::Timestamp;
use rusty_s3::{Bucket, Method, UrlStyle, signing};
use satchel_base::Secret;
use satchel_script::{FileInfo, HostError, matches_wildcard};

use crate::markup::{self, Element};
use crate::moment;
use crate::web::{Answer, Web, WebSite};

/// A signed address is of use for so long.
const SECONDS: u64 = 300;

/// More objects under one mask than a script can mean to load.
const MOST: usize = 100_000;

/// A bucket, or a folder of it, that scripts may read.
#[derive(Clone, Debug)]
pub struct ObjectStore {
    /// What scripts call it in `lib://name/…`.
    pub name: String,
    /// The store's address: `https://s3.eu-west-1.amazonaws.com`.
    pub endpoint: String,
    /// The bucket.
    pub bucket: String,
    /// The folder in it that scripts see; the whole bucket if empty.
    pub folder: String,
    /// The region the store signs for.
    pub region: String,
    /// The name of the key, and the key; without both, requests are not signed.
    pub key: Option<(String, Secret<String>)>,
    /// Whether the bucket is part of the host's name and not of the path.
    pub in_host: bool,
    /// Whether it may be in a private network.
    pub allows_private: bool,
    /// A CA beside the system's, as PEM.
    pub ca: Option<PathBuf>,
    /// The most bytes of one object.
    pub max_bytes: u64,
}

/// An object, as a listing tells it.
struct Object {
    key: String,
    info: FileInfo,
}

/// One page of a listing.
#[derive(Default)]
struct Page {
    objects: Vec<Object>,
    folders: Vec<String>,
    /// How to ask for the next page.
    next: Option<String>,
}

impl Web {
    /// The store and the path in it that a path in a script means, if it means one:
    /// `lib://name/rest` where `name` is a store.
    pub fn object(&self, path: &str) -> Option<(&ObjectStore, String)> {
        let scheme = path.get(..6)?;
        let rest = scheme.eq_ignore_ascii_case("lib://").then(|| &path[6..])?;
        let (name, rest) = rest.split_once(['/', '\\']).unwrap_or((rest, ""));
        let store = (self.stores.iter()).find(|s| s.name.to_lowercase() == name.to_lowercase())?;
        Some((store, rest.replace('\\', "/")))
    }

    /// The content of the object at `path` in `store`. Blocks.
    ///
    /// # Errors
    /// `source.not_found`, `source.store_refused`, and those of [`Web::fetch`].
    pub fn fetch_object(&self, store: &ObjectStore, path: &str) -> Result<Vec<u8>, HostError> {
        let key = store.key_of(path)?;
        if key.is_empty() || key.ends_with('/') {
            return Err(store.not_found(path));
        }
        let bucket = store.bucket()?;
        let address = store.signed(&bucket, Some(&key), &[]);
        self.answer(store, &bucket, &address, path)
    }

    /// The objects, or the folders, that fit `mask`, a path in `store` whose last part may hold
    /// `*` and `?`: as paths of a script, in order of names. Blocks.
    ///
    /// # Errors
    /// `source.mask_in_folder`, `source.too_large` for more than 100,000 of them, and those of
    /// [`Web::fetch_object`].
    pub fn list_objects(
        &self,
        store: &ObjectStore,
        mask: &str,
        wants_folders: bool,
    ) -> Result<Vec<String>, HostError> {
        let at = mask.rfind('/').map_or(0, |n| n + 1);
        let (folder, pattern) = mask.split_at(at);
        if folder.contains(['*', '?']) {
            return Err(crate::listing::mask_in_folder(mask));
        }
        let base = store.key_of(folder)?;
        let fixed = &pattern[..pattern.find(['*', '?']).unwrap_or(pattern.len())];
        let mut names: Vec<String> = Vec::new();
        self.pages(store, &format!("{base}{fixed}"), |page| {
            let found: Vec<String> = if wants_folders {
                page.folders
            } else {
                page.objects.into_iter().map(|o| o.key).collect()
            };
            for key in found {
                let Some(name) = key.strip_prefix(&base).map(|n| n.trim_end_matches('/')) else {
                    continue;
                };
                if !name.is_empty() && (pattern.is_empty() || matches_wildcard(name, pattern)) {
                    names.push(format!("lib://{}/{folder}{name}", store.name));
                }
            }
            if names.len() > MOST {
                return Err(HostError::new(
                    "source.too_large",
                    format!("more than {MOST} objects fit `lib://{}/{mask}`", store.name),
                )
                .with_hint("say more of their names"));
            }
            Ok(true)
        })?;
        names.sort();
        Ok(names)
    }

    /// What is known of the object at `path`; `None` if it is not there or cannot be asked.
    pub fn object_info(&self, store: &ObjectStore, path: &str) -> Option<FileInfo> {
        let key = store.key_of(path).ok().filter(|k| !k.is_empty())?;
        let mut info = None;
        self.pages(store, &key, |page| {
            info = (page.objects.into_iter())
                .find(|o| o.key == key)
                .map(|o| o.info);
            // It is the first of those that begin with its name.
            Ok(false)
        })
        .ok()?;
        info
    }

    /// Hands the pages of what begins with `prefix` to `take`, until it says that is enough.
    fn pages(
        &self,
        store: &ObjectStore,
        prefix: &str,
        mut take: impl FnMut(Page) -> Result<bool, HostError>,
    ) -> Result<(), HostError> {
        let bucket = store.bucket()?;
        let mut next: Option<String> = None;
        loop {
            // In order of their names, as they are signed.
            let mut query = Vec::new();
            if let Some(token) = &next {
                query.push(("continuation-token", token.as_str()));
            }
            query.extend([("delimiter", "/"), ("list-type", "2"), ("prefix", prefix)]);
            let address = store.signed(&bucket, None, &query);
            let bytes = self.answer(store, &bucket, &address, prefix)?;
            let page = page(&bytes, &store.name)?;
            let after = page.next.clone();
            // A store that gives the same token again has no end.
            if !take(page)? || after.is_none() || after == next {
                return Ok(());
            }
            next = after;
        }
    }

    fn answer(
        &self,
        store: &ObjectStore,
        bucket: &Bucket,
        address: &str,
        path: &str,
    ) -> Result<Vec<u8>, HostError> {
        let site = WebSite {
            name: store.name.clone(),
            prefix: bucket.base_url().to_string(),
            header: None,
            allows_private: store.allows_private,
            ca: store.ca.clone(),
            max_bytes: store.max_bytes,
        };
        let name = format!("lib://{}/{path}", store.name);
        let why = match self.get(&site, address, &name)? {
            Answer::Content(bytes) => return Ok(bytes),
            Answer::Refused(status) if status.as_u16() == 404 => return Err(store.not_found(path)),
            Answer::Refused(status) => format!("the store answers {status}"),
            Answer::Elsewhere(_) => "the store is elsewhere".to_owned(),
        };
        Err(HostError::new(
            "source.store_refused",
            format!("`{name}`: {why}"),
        )
        .with_hint("the address, region, bucket and key of the connection must fit each other, and the key must be allowed to list and read; ask an administrator"))
    }
}

impl ObjectStore {
    /// Whether the address and the bucket can be one.
    ///
    /// # Errors
    /// `source.address_not_allowed`.
    pub fn check(&self) -> Result<(), HostError> {
        self.bucket().map(|_| ())
    }

    fn bucket(&self) -> Result<Bucket, HostError> {
        let bad = || {
            HostError::new(
                "source.address_not_allowed",
                format!(
                    "the connection `{}` has no address like https://host, or no bucket that goes with it",
                    self.name
                ),
            )
            .with_hint("ask the administrator to look at the connection")
        };
        let is_plain = self.endpoint.starts_with("https://") && !self.endpoint.contains('@');
        let endpoint = (self.endpoint.parse().ok())
            .filter(|_| is_plain && !self.bucket.is_empty() && !self.bucket.contains(['/', '\\']))
            .ok_or_else(bad)?;
        let style = if self.in_host {
            UrlStyle::VirtualHost
        } else {
            UrlStyle::Path
        };
        Bucket::new(endpoint, style, self.bucket.clone(), self.region.clone()).map_err(|_| bad())
    }

    /// The key of a path of a script. Parts that lead out of the folder are refused: servers
    /// and libraries do not agree on what they mean.
    fn key_of(&self, path: &str) -> Result<String, HostError> {
        let parts = || path.split('/');
        let n_parts = parts().count();
        let is_odd = parts()
            .enumerate()
            .any(|(n, part)| matches!(part, "." | "..") || (part.is_empty() && n + 1 < n_parts));
        if is_odd {
            return Err(HostError::new(
                "source.outside_root",
                format!(
                    "`lib://{}/{path}` does not name an object of the store",
                    self.name
                ),
            )
            .with_hint("name it by its folders and name, without . and .."));
        }
        let folder = self.folder.trim_matches('/');
        Ok(if folder.is_empty() {
            path.to_owned()
        } else {
            format!("{folder}/{path}")
        })
    }

    fn signed(&self, bucket: &Bucket, key: Option<&str>, query: &[(&str, &str)]) -> String {
        let mut url = key.map_or_else(|| bucket.base_url().clone(), |key| bucket.object_url(key));
        if let Some((id, secret)) = &self.key {
            url = signing::sign(
                &Timestamp::now(),
                Method::Get,
                url,
                id,
                secret.expose(),
                None,
                &self.region,
                SECONDS,
                query.iter().copied(),
                std::iter::empty(),
            );
        } else if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url.to_string()
    }

    fn not_found(&self, path: &str) -> HostError {
        HostError::new(
            "source.not_found",
            format!("there is no object `lib://{}/{path}`", self.name),
        )
        .with_hint("names of objects are case-sensitive")
    }
}

/// Reads a page of a listing.
fn page(bytes: &[u8], name: &str) -> Result<Page, HostError> {
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    let root = markup::parse(text, name)?;
    let text_in = |of: &Element, name: &str| of.child(name).map(|c| c.text.trim().to_owned());
    let mut page = Page::default();
    for child in &root.children {
        match child.name.as_str() {
            "Contents" => {
                let Some(key) = child.child("Key").map(|k| k.text.clone()) else {
                    continue;
                };
                let when = text_in(child, "LastModified").unwrap_or_default();
                let when = when.trim_end_matches('Z').replace('T', " ");
                let whole = when.split('.').next().unwrap_or_default();
                page.objects.push(Object {
                    key,
                    info: FileInfo {
                        n_bytes: (text_in(child, "Size").and_then(|s| s.parse().ok()))
                            .unwrap_or_default(),
                        modified: moment::serial_of(whole).unwrap_or_default(),
                    },
                });
            }
            "CommonPrefixes" => page
                .folders
                .extend(child.child("Prefix").map(|p| p.text.clone())),
            _ => {}
        }
    }
    if text_in(&root, "IsTruncated").as_deref() == Some("true") {
        page.next = text_in(&root, "NextContinuationToken");
    }
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> ObjectStore {
        ObjectStore {
            name: "Lake".to_owned(),
            endpoint: "https://s3.example.org".to_owned(),
            bucket: "sales".to_owned(),
            folder: "open/".to_owned(),
            region: "eu-west-1".to_owned(),
            key: Some(("id".to_owned(), Secret::new("swordfish".to_owned()))),
            in_host: false,
            allows_private: false,
            ca: None,
            max_bytes: 1 << 20,
        }
    }

    #[test]
    fn addresses_stay_in_the_folder_and_never_show_the_key() {
        let store = store();
        let bucket = store.bucket().unwrap();
        for (path, want) in [
            ("a.csv", "https://s3.example.org/sales/open/a.csv?X-Amz-"),
            (
                "a b/ü.csv",
                "https://s3.example.org/sales/open/a%20b/%C3%BC.csv?X-Amz-",
            ),
        ] {
            let key = store.key_of(path).unwrap();
            let address = store.signed(&bucket, Some(&key), &[]);
            assert!(address.starts_with(want), "{address}");
            assert!(!address.contains("swordfish"), "{address}");
        }
        for path in ["../x.csv", "a/../../x.csv", "/x.csv", "a//x.csv", "./x.csv"] {
            let error = store.key_of(path).unwrap_err();
            assert_eq!(error.code, "source.outside_root", "{path}");
        }
        assert!(!format!("{store:?}").contains("swordfish"));
    }

    #[test]
    fn a_store_needs_https_and_a_bucket() {
        for (endpoint, bucket) in [
            ("http://s3.example.org", "sales"),
            ("https://me@s3.example.org", "sales"),
            ("https://", "sales"),
            ("https://s3.example.org", ""),
            ("https://s3.example.org", "a/b"),
        ] {
            let odd = ObjectStore {
                endpoint: endpoint.to_owned(),
                bucket: bucket.to_owned(),
                ..store()
            };
            let error = odd.check().unwrap_err();
            assert_eq!(error.code, "source.address_not_allowed", "{endpoint}");
        }
    }

    #[test]
    fn a_page_tells_objects_folders_and_the_next() {
        let page = page(
            b"<?xml version=\"1.0\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
              <IsTruncated>true</IsTruncated><NextContinuationToken>t&amp;1</NextContinuationToken>\
              <Contents><Key>a &lt;b&gt;.csv</Key><LastModified>2024-03-01T12:00:00.000Z</LastModified><Size>17</Size></Contents>\
              <CommonPrefixes><Prefix>2024/</Prefix></CommonPrefixes></ListBucketResult>",
            "Lake",
        )
        .unwrap();
        assert_eq!(page.objects[0].key, "a <b>.csv");
        assert_eq!(page.objects[0].info.n_bytes, 17);
        assert_eq!(page.objects[0].info.modified, 45_352.5);
        assert_eq!(page.folders, ["2024/"]);
        assert_eq!(page.next.as_deref(), Some("t&1"));
    }
}
