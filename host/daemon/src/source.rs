//! Where a plugin is installed from, and how its bytes get here: whole, bounded,
//! and as what was asked for.

mod client;
mod credentials;
mod registry;

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use http::Uri;
use watchkeeper_sandbox::MAX_COMPONENT;

pub(crate) use self::client::Client;
pub(crate) use self::credentials::Credentials;
use self::registry::Reference;
use crate::plugins::{read_component, read_signature};
use crate::trust::signature;

/// What the lock says of a file that somebody put into the folder by hand.
pub(crate) const LOCAL: &str = "local";

/// Where a plugin comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A file of this machine.
    File(PathBuf),
    /// A file on a web server.
    Web(Uri),
    /// An artifact of an OCI registry.
    Registry(Reference),
}

/// What was fetched.
#[derive(Debug)]
pub(crate) struct Fetched {
    /// The component.
    pub(crate) bytes: Vec<u8>,
    /// Its minisign signature, where one lies beside it.
    pub(crate) signature: Option<String>,
}

impl Source {
    /// Reads `oci://HOST/REPOSITORY:TAG`, a URL or a path.
    pub(crate) fn parse(text: &str) -> anyhow::Result<Self> {
        if let Some(reference) = text.strip_prefix("oci://") {
            return Ok(Self::Registry(reference.parse()?));
        }
        if text.starts_with("https://") || text.starts_with("http://") {
            let uri: Uri = text.parse().with_context(|| format!("{text} is no URL"))?;
            if uri
                .authority()
                .is_some_and(|part| part.as_str().contains('@'))
            {
                bail!("a user and password in the URL would end up in the lock: leave them out");
            }
            return Ok(Self::Web(uri));
        }
        if let Some((scheme, _)) = text.split_once("://") {
            bail!("`{scheme}` is none of `https`, `http` and `oci`");
        }
        Ok(Self::File(text.into()))
    }

    /// The source as the lock keeps it: paths absolute, so that they mean the same
    /// from any folder.
    pub(crate) fn kept(&self) -> String {
        match self {
            Self::File(path) => path
                .canonicalize()
                .unwrap_or_else(|_| path.clone())
                .display()
                .to_string(),
            other => other.to_string(),
        }
    }

    /// Fetches the component, and its signature where there is one.
    pub(crate) async fn fetch(&self, client: &Client) -> anyhow::Result<Fetched> {
        let fetched = match self {
            Self::File(path) => read(path),
            Self::Web(uri) => fetch_web(client, uri).await,
            Self::Registry(reference) => registry::fetch(client, reference).await,
        };
        fetched.with_context(|| format!("cannot fetch {self}"))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Web(uri) => write!(f, "{uri}"),
            Self::Registry(reference) => write!(f, "oci://{reference}"),
        }
    }
}

fn read(path: &Path) -> anyhow::Result<Fetched> {
    let of_file = |problem: String| anyhow::anyhow!("it {problem}");
    Ok(Fetched {
        bytes: read_component(path).map_err(of_file)?,
        signature: read_signature(path).map_err(anyhow::Error::msg)?,
    })
}

/// The component at `uri` and what lies at the same address with `.minisig`
/// appended to its path.
async fn fetch_web(client: &Client, uri: &Uri) -> anyhow::Result<Fetched> {
    let component = client.get(uri, &[], None, MAX_COMPONENT as u64).await?;
    if !component.status.is_success() {
        bail!("the server answers {}", component.status);
    }
    let beside = {
        let path = format!("{}.minisig", uri.path());
        let path = match uri.query() {
            Some(query) => format!("{path}?{query}"),
            None => path,
        };
        let mut parts = uri.clone().into_parts();
        parts.path_and_query = Some(path.parse()?);
        Uri::from_parts(parts)?
    };
    let answer = client
        .get(&beside, &[], None, signature::MAX_BYTES)
        .await
        .with_context(|| format!("cannot fetch {beside}"))?;
    let signature = match answer.status.as_u16() {
        200 => Some(String::from_utf8(answer.body).context("the signature is no text")?),
        // Stores that hide what there is answer 403 for what is not there.
        403 | 404 | 410 => None,
        _ => bail!("the server answers {} for {beside}", answer.status),
    };
    Ok(Fetched {
        bytes: component.body,
        signature,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let said = match Source::parse(text) {
            Ok(Source::File(path)) => format!("file {}", path.display()),
            Ok(Source::Web(uri)) => format!("web {uri}"),
            Ok(Source::Registry(reference)) => format!("registry {reference}"),
            Err(problem) => format!("{problem:#}"),
        };
        assert_eq!(said, expected);
    }

    #[test]
    fn a_source_is_a_path_a_url_or_a_reference() {
        check("queue.wasm", "file queue.wasm");
        check("/a/b.wasm", "file /a/b.wasm");
        check(
            "https://example.com/queue.wasm",
            "web https://example.com/queue.wasm",
        );
        check(
            "oci://ghcr.io/acme/queue:1.0.0",
            "registry ghcr.io/acme/queue:1.0.0",
        );
        check(
            "ftp://example.com/x",
            "`ftp` is none of `https`, `http` and `oci`",
        );
        check(
            "https://user:pass@example.com/x",
            "a user and password in the URL would end up in the lock: leave them out",
        );
    }
}
