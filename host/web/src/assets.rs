//! The files of the page. They are part of the program, and their names change
//! with their content, so that a browser may keep them for ever.

use std::sync::LazyLock;

use axum::response::Response;
use http::HeaderMap;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use sha2::{Digest as _, Sha256};

use crate::compress::{Effort, Encoded};
use crate::page::Representation;

static ASSETS: LazyLock<Assets> = LazyLock::new(|| Assets {
    style: Asset::new(
        "status",
        "css",
        "text/css; charset=utf-8",
        include_bytes!("../assets/status.css"),
    ),
    script: Asset::new(
        "status",
        "js",
        "text/javascript; charset=utf-8",
        include_bytes!("../assets/status.js"),
    ),
    admin_style: Asset::new(
        "admin",
        "css",
        "text/css; charset=utf-8",
        include_bytes!("../assets/admin.css"),
    ),
    admin_script: Asset::new(
        "admin",
        "js",
        "text/javascript; charset=utf-8",
        include_bytes!("../assets/admin.js"),
    ),
    icon: Asset::new(
        "favicon",
        "svg",
        "image/svg+xml",
        include_bytes!("../assets/favicon.svg"),
    ),
});

/// All files of the page.
pub(crate) struct Assets {
    pub(crate) style: Asset,
    pub(crate) script: Asset,
    /// What the pages of who works with the host add.
    pub(crate) admin_style: Asset,
    pub(crate) admin_script: Asset,
    pub(crate) icon: Asset,
}

/// One file.
pub(crate) struct Asset {
    /// Where it is: `/assets/status-0123456789abcdef.css`.
    pub(crate) path: String,
    kept: Representation,
}

impl Assets {
    /// They are packed when they are first asked for.
    pub(crate) fn get() -> &'static Self {
        &ASSETS
    }

    /// The file at `path`, which begins with `/assets/`.
    pub(crate) fn at(&self, path: &str) -> Option<&Asset> {
        [
            &self.style,
            &self.script,
            &self.admin_style,
            &self.admin_script,
            &self.icon,
        ]
        .into_iter()
        .find(|asset| asset.path == path)
    }
}

impl Asset {
    pub(crate) fn new(
        name: &str,
        extension: &str,
        content_type: &'static str,
        content: &[u8],
    ) -> Self {
        let tag = tag(&Sha256::digest(content));
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.insert(
            CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=31536000, immutable"),
        );
        let body = Encoded::new(content.to_vec(), Effort::Once);
        Self {
            path: format!("/assets/{name}-{tag}.{extension}"),
            kept: Representation::new(&tag, body, &headers),
        }
    }

    /// The file, to be kept for ever.
    pub(crate) fn answer(&self, headers: &HeaderMap) -> Response {
        self.kept.answer(headers)
    }

    /// The file at an address that stays the same when its content changes.
    pub(crate) fn answer_for_a_day(&self, headers: &HeaderMap) -> Response {
        let mut response = self.kept.answer(headers);
        response.headers_mut().insert(
            CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=86400"),
        );
        response
    }
}

/// The first eight bytes of a digest in hexadecimal: enough to tell versions apart.
pub(crate) fn tag(digest: &[u8]) -> String {
    let start = digest.first_chunk().copied().unwrap_or_default();
    format!("{:016x}", u64::from_be_bytes(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_content() {
        let assets = Assets::get();
        for (asset, name, extension) in [
            (&assets.style, "status", ".css"),
            (&assets.script, "status", ".js"),
            (&assets.admin_style, "admin", ".css"),
            (&assets.admin_script, "admin", ".js"),
            (&assets.icon, "favicon", ".svg"),
        ] {
            let tag = asset
                .path
                .strip_prefix("/assets/")
                .and_then(|path| path.strip_prefix(name))
                .and_then(|path| path.strip_prefix('-'))
                .and_then(|path| path.strip_suffix(extension))
                .unwrap();
            assert!(
                tag.len() == 16 && tag.bytes().all(|byte| byte.is_ascii_hexdigit()),
                "{tag}"
            );
            assert!(assets.at(&asset.path).is_some());
        }
        assert!(assets.at("/assets/status.css").is_none());
    }

    #[test]
    fn nothing_is_loaded_from_elsewhere() {
        for style in [
            include_str!("../assets/status.css"),
            include_str!("../assets/admin.css"),
        ] {
            assert!(!style.contains("url(") && !style.contains("@import"));
        }
        assert!(!include_str!("../assets/status.js").contains("//cdn"));
    }
}
