//! The host's own downloads: HTTP through the same gate as a plugin's, bounded in
//! size, time and redirects.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue, LOCATION, USER_AGENT};
use http::uri::Scheme;
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Empty};
use tokio::time::Instant;
use watchkeeper_egress::address::{AddressPolicy, Class, classify};
use watchkeeper_egress::gate::{Budget, Gate, GateOptions};
use watchkeeper_egress::grants::{Grants, HostPattern};
use watchkeeper_egress::host::Host;
use watchkeeper_egress::http::{HttpError, HttpOptions, send};
use watchkeeper_egress::resolver::Resolver;
use watchkeeper_egress::tls::Tls;

use super::Credentials;

/// How many redirects are followed: registries hand blobs on to a store, and
/// forges hand releases on once or twice.
const REDIRECTS: usize = 5;

/// How long one download may take, redirects included.
const DEADLINE: Duration = Duration::from_mins(5);

/// How long the other side may be silent.
const SILENCE: Duration = Duration::from_secs(30);

/// What a download has beyond its body: heads, and the framing of TLS.
const OVERHEAD: u64 = 1 << 20;

/// Fetches what plugins are installed from.
#[derive(Debug)]
pub(crate) struct Client {
    resolver: Resolver,
    tls: Tls,
    /// Whether other hosts than this machine may be asked without TLS.
    plain_http: bool,
    /// Who asks registries, where the command line says so.
    credentials: Option<Credentials>,
}

/// An answer that arrived whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Client {
    pub(crate) fn new(
        (resolver, tls): (Resolver, Tls),
        plain_http: bool,
        credentials: Option<Credentials>,
    ) -> Self {
        Self {
            resolver,
            tls,
            plain_http,
            credentials,
        }
    }

    /// The credentials for a registry: those of the command line, else those that
    /// `docker login` and its like keep.
    pub(super) fn credentials(&self, registry: &str) -> anyhow::Result<Option<Credentials>> {
        match &self.credentials {
            Some(credentials) => Ok(Some(credentials.clone())),
            None => Credentials::kept_for(registry),
        }
    }

    /// `https`, or `http` where that is right for this host: on this machine, and
    /// where the operator said so.
    pub(super) fn scheme_for(&self, authority: &str) -> Scheme {
        if self.plain_http || is_this_machine(authority) {
            Scheme::HTTP
        } else {
            Scheme::HTTPS
        }
    }

    /// Whether what is sent to `uri` can be read on the way.
    pub(super) fn may_ask(&self, uri: &Uri) -> anyhow::Result<()> {
        let authority = uri.authority().map_or("", |part| part.as_str());
        if uri.scheme() == Some(&Scheme::HTTP) && !self.plain_http && !is_this_machine(authority) {
            bail!("{uri} is not encrypted: use https, or accept that with `--plain-http`");
        }
        Ok(())
    }

    /// Asks `uri` and follows redirects. At most `limit` bytes of body are taken;
    /// more is an error, as is anything that is cut off. `authorization` is sent to
    /// the first host only.
    pub(crate) async fn get(
        &self,
        uri: &Uri,
        accept: &[&str],
        authorization: Option<&HeaderValue>,
        limit: u64,
    ) -> anyhow::Result<Answer> {
        let deadline = Instant::now() + DEADLINE;
        let mut uri = uri.clone();
        let first = uri.authority().cloned();
        let mut first_address = None;
        for redirects in 0..=REDIRECTS {
            self.may_ask(&uri)?;
            let gate = self.gate(&uri, redirects > 0, first_address, limit)?;
            let mut request = Request::get(&uri).header(
                USER_AGENT,
                concat!("watchkeeper/", env!("CARGO_PKG_VERSION")),
            );
            for kind in accept {
                request = request.header(ACCEPT, *kind);
            }
            let same_host = uri.authority() == first.as_ref();
            if let Some(authorization) = authorization.filter(|_| same_host) {
                request = request.header(AUTHORIZATION, authorization);
            }
            let request = request.body(Empty::<Bytes>::new())?;
            let options = HttpOptions {
                connect_timeout: SILENCE,
                first_byte_timeout: SILENCE,
                between_bytes_timeout: SILENCE,
                deadline: Some(deadline),
                ..HttpOptions::default()
            };
            let response = send(&gate, request, options)
                .await
                .map_err(|problem| failed(&uri, &problem))?;
            if redirects == 0 {
                first_address = gate.exchanges().first().and_then(|each| each.address);
            }
            let (head, body) = response.into_parts();
            if head.status.is_redirection()
                && let Some(location) = head.headers.get(LOCATION)
            {
                uri = next(&uri, location)?;
                continue;
            }
            let declared = declared_length(&head.headers);
            let body = body
                .collect()
                .await
                .map_err(|problem| failed(&uri, &problem))?
                .to_bytes();
            if declared.is_some_and(|declared| declared != body.len() as u64) {
                bail!("{uri}: the answer was cut off");
            }
            return Ok(Answer {
                status: head.status,
                headers: head.headers,
                body: body.to_vec(),
            });
        }
        bail!("more than {REDIRECTS} redirects")
    }

    /// A gate to the one host of `uri`. A server that we were sent to by another
    /// must not be of this network, unless that other one is.
    fn gate(
        &self,
        uri: &Uri,
        redirected: bool,
        first: Option<SocketAddr>,
        limit: u64,
    ) -> anyhow::Result<Arc<Gate>> {
        let host = uri.host().with_context(|| format!("{uri} names no host"))?;
        let host = Host::parse(host)?;
        let tls = uri.scheme() == Some(&Scheme::HTTPS);
        let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let near = |class| matches!(class, Class::Private | Class::Loopback);
        let from_near = first.is_some_and(|first| near(classify(first.ip())));
        let policy = if redirected && !from_near {
            AddressPolicy::for_api_targets(Vec::new())
        } else {
            AddressPolicy::for_config_targets(Vec::new())
        };
        if let Host::Address(address) = &host
            && redirected
        {
            let class = classify(*address);
            if class != Class::Public && !near(class) {
                bail!("the server redirects to {address}, which is {class}");
            }
        }
        let mut grants = Grants::new();
        grants.grant(HostPattern::exactly(host, port));
        Ok(Gate::new(GateOptions {
            grants: Arc::new(grants),
            policy: Arc::new(policy),
            resolver: self.resolver.clone(),
            tls: self.tls.clone(),
            budget: Budget {
                body: limit,
                // TLS adds a thousandth or two to what it carries.
                traffic: limit.saturating_add(limit / 64).saturating_add(OVERHEAD),
                ..Budget::default()
            },
        }))
    }
}

fn failed(uri: &Uri, problem: &HttpError) -> anyhow::Error {
    let host = uri.authority().map_or("", |part| part.as_str());
    anyhow!("{host}: {problem}")
}

/// What `Content-Length` promises.
fn declared_length(headers: &HeaderMap) -> Option<u64> {
    let value = headers.get(http::header::CONTENT_LENGTH)?;
    value.to_str().ok()?.parse().ok()
}

/// Where a redirect leads: an absolute URL, or a path of the same host.
fn next(from: &Uri, location: &HeaderValue) -> anyhow::Result<Uri> {
    let text = location.to_str().context("a redirect leads to no URL")?;
    let whole = if text.starts_with("https://") || text.starts_with("http://") {
        text.to_owned()
    } else {
        let scheme = from.scheme_str().unwrap_or("https");
        let authority = from.authority().map_or("", |part| part.as_str());
        if let Some(elsewhere) = text.strip_prefix("//") {
            format!("{scheme}://{elsewhere}")
        } else if text.starts_with('/') {
            format!("{scheme}://{authority}{text}")
        } else {
            let folder = from
                .path()
                .rsplit_once('/')
                .map_or("", |(folder, _)| folder);
            format!("{scheme}://{authority}{folder}/{text}")
        }
    };
    let next: Uri = whole
        .parse()
        .with_context(|| format!("a redirect leads to {text}, which is no URL"))?;
    if from.scheme() == Some(&Scheme::HTTPS) && next.scheme() == Some(&Scheme::HTTP) {
        bail!("the server redirects to {next}, which is not encrypted");
    }
    Ok(next)
}

/// Whether `host` or `host:port` is a loopback address or `localhost`.
fn is_this_machine(authority: &str) -> bool {
    let Ok(uri) = format!("http://{authority}/").parse::<Uri>() else {
        return false;
    };
    match uri.host().map(Host::parse) {
        Some(Ok(host @ Host::Name(_))) => host.is_localhost(),
        Some(Ok(Host::Address(address))) => classify(address) == Class::Loopback,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_next(from: &str, location: &str, expected: &str) {
        let location = HeaderValue::from_str(location).unwrap();
        let said = match next(&from.parse().unwrap(), &location) {
            Ok(uri) => uri.to_string(),
            Err(problem) => format!("{problem:#}"),
        };
        assert_eq!(said, expected);
    }

    #[test]
    fn redirects_may_be_relative_and_never_lose_tls() {
        check_next("https://a.example/x/y?z", "/b", "https://a.example/b");
        check_next("https://a.example/x/y?z", "b", "https://a.example/x/b");
        check_next("https://a.example/", "//b.example/c", "https://b.example/c");
        check_next(
            "http://a.example/",
            "https://b.example/",
            "https://b.example/",
        );
        check_next(
            "https://a.example/",
            "http://b.example/",
            "the server redirects to http://b.example/, which is not encrypted",
        );
    }

    #[test]
    fn this_machine_is_known_by_its_names() {
        for here in [
            "localhost",
            "localhost:5000",
            "127.0.0.1:5000",
            "[::1]:5000",
            "127.1",
        ] {
            assert!(is_this_machine(here), "{here}");
        }
        for elsewhere in [
            "example.com",
            "localhost.example.com",
            "10.0.0.1:5000",
            "[::]",
            "",
        ] {
            assert!(!is_this_machine(elsewhere), "{elsewhere}");
        }
    }
}
