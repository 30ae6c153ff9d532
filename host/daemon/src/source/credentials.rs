//! Who asks a registry.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use serde::Deserialize;
use watchkeeper_config::secret::Secret;

/// The largest file of credentials that is read, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// A user and their password, or a token in place of it.
#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    user: String,
    password: Secret,
}

/// What `docker login`, `podman login` and `oras login` write. Helpers
/// (`credsStore`) are programs, and are not run.
#[derive(Debug, Deserialize)]
struct Kept {
    #[serde(default)]
    auths: BTreeMap<String, Login>,
}

#[derive(Debug, Deserialize)]
struct Login {
    /// `user:password` in base64.
    auth: Option<String>,
}

impl Credentials {
    /// `None` if the password is empty.
    pub(crate) fn new(user: &str, password: &str) -> Option<Self> {
        Some(Self {
            user: user.to_owned(),
            password: Secret::new(password)?,
        })
    }

    /// The value of the header `Authorization`.
    pub(super) fn basic(&self) -> anyhow::Result<HeaderValue> {
        let pair = STANDARD.encode(format!("{}:{}", self.user, self.password.expose()));
        let mut value = HeaderValue::try_from(format!("Basic {pair}"))?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// What is kept for `registry` in `$DOCKER_CONFIG/config.json`, or in
    /// `~/.docker/config.json`.
    pub(super) fn kept_for(registry: &str) -> anyhow::Result<Option<Self>> {
        let Some(path) = file() else {
            return Ok(None);
        };
        let Ok(metadata) = path.metadata() else {
            return Ok(None);
        };
        let read = || -> anyhow::Result<Option<Self>> {
            if metadata.len() > MAX_BYTES {
                anyhow::bail!("it has more than 1 MiB");
            }
            Self::find(&std::fs::read_to_string(&path)?, registry)
        };
        read().with_context(|| format!("cannot read the credentials of {}", path.display()))
    }

    fn find(text: &str, registry: &str) -> anyhow::Result<Option<Self>> {
        let kept: Kept = serde_json::from_str(text).map_err(|problem| {
            // Without the text that it is about.
            anyhow::anyhow!(
                "wrong in line {} column {}",
                problem.line(),
                problem.column()
            )
        })?;
        let of = |name: &str| kept.auths.get(name).and_then(|login| login.auth.as_deref());
        let Some(auth) = of(registry).or_else(|| of(&format!("https://{registry}"))) else {
            return Ok(None);
        };
        let pair = STANDARD
            .decode(auth.trim())
            .ok()
            .and_then(|pair| String::from_utf8(pair).ok());
        let pair = pair.with_context(|| format!("the login for {registry} is no base64"))?;
        let (user, password) = pair
            .split_once(':')
            .with_context(|| format!("the login for {registry} has no `:`"))?;
        Ok(Self::new(user, password))
    }
}

fn file() -> Option<PathBuf> {
    let folder = match std::env::var_os("DOCKER_CONFIG") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(std::env::var_os("HOME")?).join(".docker"),
    };
    Some(folder.join("config.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_logins_are_found_by_registry() {
        // `watch:keeper` and `a:b`.
        let text = r#"{"auths":{"r.example:5000":{"auth":"d2F0Y2g6a2VlcGVy"},"https://s.example":{"auth":"YTpi"},"t.example":{}},"credsStore":"x"}"#;
        let basic = |registry: &str| {
            let found = Credentials::find(text, registry).unwrap()?;
            Some(found.basic().unwrap().to_str().unwrap().to_owned())
        };
        assert_eq!(basic("r.example:5000").unwrap(), "Basic d2F0Y2g6a2VlcGVy");
        assert_eq!(basic("s.example").unwrap(), "Basic YTpi");
        assert_eq!(basic("t.example"), None);
        assert_eq!(basic("u.example"), None);
    }

    #[test]
    fn what_is_wrong_is_said_without_what_is_secret() {
        for text in [
            r#"{"auths":{"r":{"auth":"hunter2!"}}}"#,
            r#"{"auths":{"r":{"auth":hunter2"#,
        ] {
            let problem = format!("{:#}", Credentials::find(text, "r").unwrap_err());
            assert!(!problem.contains("hunter2"), "{problem}");
        }
        let credentials = Credentials::new("u", "hunter2").unwrap();
        assert!(!format!("{credentials:?}").contains("hunter2"));
    }
}
