//! What an artifact is called.

use std::fmt;
use std::str::FromStr;

/// `HOST[:PORT]/REPOSITORY[:TAG][@sha256:DIGEST]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(super) registry: String,
    pub(super) repository: String,
    pub(super) tag: Option<String>,
    /// With its algorithm: `sha256:…`.
    pub(super) digest: Option<String>,
}

impl FromStr for Reference {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let wrong =
            |why: &str| anyhow::anyhow!("`oci://{text}` {why}: write `oci://HOST/REPOSITORY:TAG`");
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (text, None),
        };
        if digest.is_some_and(|digest| !is_digest(digest)) {
            return Err(wrong("has no digest of the form `sha256:…` after its `@`"));
        }
        let (registry, path) = rest
            .split_once('/')
            .ok_or_else(|| wrong("names no repository"))?;
        let (repository, tag) = match path.rsplit_once(':') {
            Some((repository, tag)) => (repository, Some(tag)),
            None => (path, None),
        };
        let of = |part: &str, more: &str| {
            !part.is_empty()
                && part.bytes().all(|b| {
                    b.is_ascii_lowercase() || b.is_ascii_digit() || more.as_bytes().contains(&b)
                })
        };
        if !of(&registry.to_ascii_lowercase(), ".-:[]") {
            return Err(wrong("names no registry"));
        }
        let is_name =
            |part: &str| of(part, "._-") && part.starts_with(|c: char| c.is_ascii_alphanumeric());
        if repository.len() > 255 || !repository.split('/').all(is_name) {
            return Err(wrong("names no repository"));
        }
        let is_tag = |tag: &str| tag.len() <= 128 && of(&tag.to_ascii_lowercase(), "._-");
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(wrong("has no tag after its `:`"));
        }
        Ok(Self {
            registry: registry.to_ascii_lowercase(),
            repository: repository.to_owned(),
            tag: tag.map(str::to_owned),
            digest: digest.map(str::to_owned),
        })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

/// Whether this is `sha256:` and 64 hexadecimal digits in lower case.
pub(super) fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(|hex| {
        hex.len() == 64
            && hex
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read_as_they_are_written() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        for good in [
            "ghcr.io/acme/queue:1.0.0".to_owned(),
            "localhost:5000/queue".to_owned(),
            "[::1]:5000/a/b/c:v1".to_owned(),
            format!("r.example/queue@{digest}"),
            format!("r.example/queue:1.0.0@{digest}"),
        ] {
            let reference: Reference = good.parse().unwrap();
            assert_eq!(reference.to_string(), good);
        }
        for (bad, why) in [
            ("ghcr.io", "names no repository"),
            ("/queue", "names no registry"),
            ("r.example/Queue", "names no repository"),
            ("r.example/a//b", "names no repository"),
            ("r.example/../b", "names no repository"),
            ("r.example/queue:", "has no tag"),
            ("r.example/queue:a b", "has no tag"),
            ("r.example/queue@sha512:00", "has no digest"),
            ("r.example?x/queue", "names no registry"),
        ] {
            let problem = bad.parse::<Reference>().unwrap_err().to_string();
            assert!(problem.contains(why), "{bad}: {problem}");
        }
    }
}
