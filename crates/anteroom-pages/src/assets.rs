//! Style sheets, scripts and images, served under `/assets/`. Pages refer to each with a part of its hash in the name
//! (`/assets/app-0123456789abcdef.css`), so that browsers may cache it permanently. The name without a hash and with
//! the hash of another release is served too, but not cached: while nodes of two releases run together, every page has
//! its styles.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;

use crate::error::Fault;
use crate::files::{self, Files};

const ICONS: &str = "icons/";

/// A file to serve.
#[derive(Clone)]
pub struct Asset {
    pub bytes: Cow<'static, [u8]>,
    pub content_type: &'static str,
    /// With quotes, as the header requires (RFC 9110 §8.8.3).
    pub etag: String,
    /// Whether the content under this name never changes.
    pub immutable: bool,
}

struct Stored {
    bytes: Cow<'static, [u8]>,
    content_type: &'static str,
    hash: String,
}

pub(crate) struct Assets {
    stored: BTreeMap<String, Stored>,
    /// Drawings that are inlined into the page, so that they use its colors.
    icons: BTreeMap<String, String>,
}

impl Assets {
    pub(crate) fn collect(files: &Files, faults: &mut Vec<Fault>) -> Assets {
        let mut assets = Assets { stored: BTreeMap::new(), icons: BTreeMap::new() };
        for (path, file) in files.iter() {
            let Some(name) = path.strip_prefix("assets/") else { continue };
            let Some(content_type) = content_type(name) else {
                faults.push(Fault::AssetType { file: path.to_owned() });
                continue;
            };
            if let Some(icon) = name.strip_prefix(ICONS).and_then(|icon| icon.strip_suffix(".svg")) {
                match files::text(path, file, faults).map(str::trim) {
                    Some(svg) if svg.starts_with("<svg") => {
                        assets.icons.insert(icon.to_owned(), svg.to_owned());
                    }
                    _ => faults.push(Fault::NotAnIcon { file: path.to_owned() }),
                }
            }
            let hash = short_hex(&file.metadata.sha256_hash());
            let stored = Stored { bytes: file.data.clone(), content_type, hash };
            assets.stored.insert(name.to_owned(), stored);
        }
        assets
    }

    pub(crate) fn url(&self, name: &str) -> Option<String> {
        let stored = self.stored.get(name)?;
        let (stem, extension) = name.rsplit_once('.')?;
        Some(format!("/assets/{stem}-{}.{extension}", stored.hash))
    }

    pub(crate) fn icon(&self, name: &str) -> Option<&str> {
        self.icons.get(name).map(String::as_str)
    }

    pub(crate) fn icons(&self) -> impl Iterator<Item = &str> {
        self.icons.keys().map(String::as_str)
    }

    pub(crate) fn get(&self, path: &str) -> Option<Asset> {
        let (name, hash) = without_hash(path).unwrap_or_else(|| (path.to_owned(), ""));
        let (stored, hash) = match self.stored.get(path) {
            Some(stored) => (stored, ""),
            None => (self.stored.get(&name)?, hash),
        };
        Some(Asset {
            bytes: stored.bytes.clone(),
            content_type: stored.content_type,
            etag: format!("\"{}\"", stored.hash),
            immutable: stored.hash == hash,
        })
    }
}

fn without_hash(path: &str) -> Option<(String, &str)> {
    let (stem, extension) = path.rsplit_once('.')?;
    let (stem, hash) = stem.rsplit_once('-')?;
    let is_hash = hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hash.then(|| (format!("{stem}.{extension}"), hash))
}

fn short_hex(hash: &[u8; 32]) -> String {
    hash.iter().take(8).fold(String::new(), |mut hex, byte| {
        // Writing to a `String` cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn content_type(name: &str) -> Option<&'static str> {
    let (_, extension) = name.rsplit_once('.')?;
    Some(match extension {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        _ => return None,
    })
}
