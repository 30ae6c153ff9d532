//! OCI registries: plugins as WebAssembly artifacts.
//!
//! The layout is the one that the WebAssembly working group of the CNCF agreed
//! on and `wkg` writes: an image manifest whose config is of the type
//! `application/vnd.wasm.config.v0+json` and whose only layer, of the type
//! `application/wasm`, is the component. What `oras push NAME FILE:application/wasm`
//! writes is taken as well. Everything is checked against the digest that named it.

mod challenge;
mod reference;

use anyhow::{Context as _, bail};
use http::header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use http::{StatusCode, Uri};
use serde::Deserialize;
use watchkeeper_sandbox::MAX_COMPONENT;

use self::challenge::Challenge;
pub(crate) use self::reference::Reference;
use self::reference::is_digest;
use super::client::{Answer, Client};
use super::{Credentials, Fetched};
use crate::trust::{sha256_hex, signature};

/// The largest manifest that is read, in bytes; registries take four MiB.
const MAX_MANIFEST: u64 = 4 << 20;

/// The largest answer of a token server, in bytes.
const MAX_TOKEN: u64 = 256 << 10;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const COMPONENT: &str = "application/wasm";

/// The type of an artifact that holds the signature of another one.
const SIGNATURE: &str = "application/vnd.minisign.signature";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    media_type: Option<String>,
    #[serde(default)]
    layers: Vec<Descriptor>,
    #[serde(default)]
    manifests: Vec<Descriptor>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: String,
    digest: String,
    size: u64,
    artifact_type: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

/// Fetches the component that `reference` names, and its signature where one is
/// attached.
pub(super) async fn fetch(client: &Client, reference: &Reference) -> anyhow::Result<Fetched> {
    let mut session = Session::new(client, reference);
    let wanted = reference
        .digest
        .as_deref()
        .or(reference.tag.as_deref())
        .unwrap_or("latest");
    let (manifest, digest) = session.manifest(wanted).await?;
    let layer = component_layer(&manifest)?;
    let bytes = session.blob(layer, MAX_COMPONENT as u64).await?;
    let signature = session
        .signature(&digest)
        .await
        .context("cannot read its signature")?;
    Ok(Fetched { bytes, signature })
}

/// One conversation with a registry: what it demanded is remembered.
struct Session<'a> {
    client: &'a Client,
    reference: &'a Reference,
    authorization: Option<HeaderValue>,
}

impl<'a> Session<'a> {
    fn new(client: &'a Client, reference: &'a Reference) -> Self {
        Self {
            client,
            reference,
            authorization: None,
        }
    }

    /// A manifest by tag or digest, and its digest. By digest it has to be that.
    async fn manifest(&mut self, wanted: &str) -> anyhow::Result<(Manifest, String)> {
        let place = format!("manifests/{wanted}");
        let answer = self.get(&place, &[MANIFEST, INDEX], MAX_MANIFEST).await?;
        if !answer.status.is_success() {
            bail!("the registry answers {} for {wanted}", answer.status);
        }
        let digest = format!("sha256:{}", sha256_hex(&answer.body));
        if is_digest(wanted) && wanted != digest {
            bail!("the manifest is not what was asked for: expected {wanted}, found {digest}");
        }
        let manifest: Manifest =
            serde_json::from_slice(&answer.body).context("the manifest cannot be read")?;
        Ok((manifest, digest))
    }

    /// The bytes that a manifest names.
    async fn blob(&mut self, layer: &Descriptor, limit: u64) -> anyhow::Result<Vec<u8>> {
        if layer.size > limit {
            bail!("its layer has {} bytes, more than {limit}", layer.size);
        }
        if !is_digest(&layer.digest) {
            bail!("its layer's digest is no sha256: {}", layer.digest);
        }
        let place = format!("blobs/{}", layer.digest);
        let answer = self.get(&place, &[], limit).await?;
        if !answer.status.is_success() {
            bail!(
                "the registry answers {} for {}",
                answer.status,
                layer.digest
            );
        }
        let found = format!("sha256:{}", sha256_hex(&answer.body));
        if found != layer.digest {
            bail!(
                "the layer is not what the manifest names: expected {}, found {found}",
                layer.digest
            );
        }
        Ok(answer.body)
    }

    /// The minisign signature that is attached to the manifest `digest`, if any:
    /// an artifact that refers to it, found by the referrers API or, where the
    /// registry has none, by the tag that stands in for it.
    async fn signature(&mut self, digest: &str) -> anyhow::Result<Option<String>> {
        let answer = self
            .get(&format!("referrers/{digest}"), &[INDEX], MAX_MANIFEST)
            .await?;
        let listed = if answer.status.is_success() {
            serde_json::from_slice(&answer.body).context("the list of referrers cannot be read")?
        } else {
            let tag = digest.replace(':', "-");
            let answer = self
                .get(&format!("manifests/{tag}"), &[INDEX], MAX_MANIFEST)
                .await?;
            if !answer.status.is_success() {
                return Ok(None);
            }
            serde_json::from_slice::<Manifest>(&answer.body)
                .context("the list of referrers cannot be read")?
        };
        let signature = listed
            .manifests
            .iter()
            .find(|each| each.artifact_type.as_deref() == Some(SIGNATURE));
        let Some(signature) = signature else {
            return Ok(None);
        };
        let (manifest, _) = self.manifest(&signature.digest).await?;
        let [layer] = manifest.layers.as_slice() else {
            bail!("it has {} layers, not one", manifest.layers.len());
        };
        let bytes = self.blob(layer, signature::MAX_BYTES).await?;
        Ok(Some(String::from_utf8(bytes).context("it is no text")?))
    }

    async fn get(&mut self, place: &str, accept: &[&str], limit: u64) -> anyhow::Result<Answer> {
        let uri = self.uri(place)?;
        let authorization = self.authorization.clone();
        let answer = self
            .client
            .get(&uri, accept, authorization.as_ref(), limit)
            .await?;
        if answer.status != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        let authorization = self.authorize(&answer.headers).await?;
        let answer = self
            .client
            .get(&uri, accept, Some(&authorization), limit)
            .await?;
        if answer.status == StatusCode::UNAUTHORIZED {
            bail!(
                "{} does not accept the credentials",
                self.reference.registry
            );
        }
        self.authorization = Some(authorization);
        Ok(answer)
    }

    fn uri(&self, place: &str) -> anyhow::Result<Uri> {
        let Reference {
            registry,
            repository,
            ..
        } = self.reference;
        // The name that people write is not the host that answers.
        let host = match registry.as_str() {
            "docker.io" | "index.docker.io" => "registry-1.docker.io",
            other => other,
        };
        let scheme = self.client.scheme_for(host);
        Ok(format!("{scheme}://{host}/v2/{repository}/{place}").parse()?)
    }

    /// What the registry wants to see, after it said so: the credentials, or a
    /// token that they, or nobody's, buy.
    async fn authorize(&self, headers: &HeaderMap) -> anyhow::Result<HeaderValue> {
        let registry = &self.reference.registry;
        let credentials = self.client.credentials(registry)?;
        let challenges = headers.get_all(WWW_AUTHENTICATE).iter();
        let challenges: Vec<Challenge> = challenges
            .filter_map(|value| Challenge::parse(value.to_str().ok()?))
            .collect();
        let of = |scheme: &str| challenges.iter().find(|each| each.scheme == scheme);
        if let Some(bearer) = of("bearer") {
            return self.token(bearer, credentials.as_ref()).await;
        }
        if of("basic").is_some() {
            let Some(credentials) = credentials else {
                bail!(
                    "{registry} wants a user and a password: give `--username` and \
                     `--password-file`, or log in with `docker login` or `oras login`"
                );
            };
            return credentials.basic();
        }
        bail!("{registry} refuses, and does not say how to log in")
    }

    async fn token(
        &self,
        challenge: &Challenge,
        credentials: Option<&Credentials>,
    ) -> anyhow::Result<HeaderValue> {
        let realm = challenge
            .get("realm")
            .context("the registry names no token server")?;
        let scope = format!("repository:{}:pull", self.reference.repository);
        let mut query = form_urlencoded::Serializer::new(String::new());
        if let Some(service) = challenge.get("service") {
            query.append_pair("service", service);
        }
        query.append_pair("scope", challenge.get("scope").unwrap_or(&scope));
        let separator = if realm.contains('?') { '&' } else { '?' };
        let uri: Uri = format!("{realm}{separator}{}", query.finish())
            .parse()
            .context("the registry's token server has no URL")?;
        let basic = credentials.map(Credentials::basic).transpose()?;
        let answer = self
            .client
            .get(&uri, &[], basic.as_ref(), MAX_TOKEN)
            .await
            .context("the registry's token server")?;
        match answer.status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                let who = if basic.is_some() {
                    "with these credentials"
                } else {
                    "without credentials: give `--username` and `--password-file`, or log in with `docker login` or `oras login`"
                };
                bail!("the registry's token server gives no token {who}");
            }
            status if !status.is_success() => {
                bail!("the registry's token server answers {status}");
            }
            _ => {}
        }
        let token: Token =
            serde_json::from_slice(&answer.body).context("the token cannot be read")?;
        let token = token
            .token
            .or(token.access_token)
            .context("the registry's token server gives no token")?;
        let mut value =
            HeaderValue::try_from(format!("Bearer {token}")).context("the token cannot be sent")?;
        value.set_sensitive(true);
        Ok(value)
    }
}

/// The layer that is the component, or why this is no WebAssembly artifact.
fn component_layer(manifest: &Manifest) -> anyhow::Result<&Descriptor> {
    if manifest.media_type.as_deref() == Some(INDEX) || !manifest.manifests.is_empty() {
        bail!("it is an index of several artifacts: name one by its digest");
    }
    match manifest.layers.as_slice() {
        [layer] if layer.media_type == COMPONENT => Ok(layer),
        [layer] => bail!(
            "it is no WebAssembly artifact: its layer is of the type {}, not {COMPONENT}",
            layer.media_type
        ),
        layers => bail!(
            "it is no WebAssembly artifact: it has {} layers, not one",
            layers.len()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_component_is_an_artifact() {
        let check = |text: &str| match component_layer(&serde_json::from_str(text).unwrap()) {
            Ok(layer) => layer.digest.clone(),
            Err(problem) => problem.to_string(),
        };
        let layer = |kind: &str| format!(r#"{{"mediaType":"{kind}","digest":"d","size":1}}"#);
        let wasm = layer("application/wasm");
        let tar = layer("application/vnd.oci.image.layer.v1.tar+gzip");
        assert_eq!(check(&format!(r#"{{"layers":[{wasm}]}}"#)), "d");
        for (manifest, why) in [
            (
                format!(r#"{{"layers":[{tar}]}}"#),
                "its layer is of the type",
            ),
            (format!(r#"{{"layers":[{wasm},{wasm}]}}"#), "2 layers"),
            (format!(r#"{{"manifests":[{tar}]}}"#), "an index"),
            ("{}".to_owned(), "0 layers"),
        ] {
            let said = check(&manifest);
            assert!(said.contains(why), "{manifest}: {said}");
        }
    }
}
