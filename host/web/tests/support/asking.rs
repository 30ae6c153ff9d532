//! How the tests ask a page.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{self, HeaderMap};
use reqwest::{Client, Method, Response};
use watchkeeper_engine::health::Health;
use watchkeeper_web::{Overall, View};

use crate::sample;
use crate::site::Site;

/// Longer than anything here takes, so that what hangs fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) async fn get(site: &Site, path: &str, headers: &[(&str, &str)]) -> Response {
    ask(site, Method::GET, path, headers).await
}

pub(crate) async fn ask(
    site: &Site,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
) -> Response {
    let mut request = Client::new()
        .request(method, site.url(path))
        .timeout(PATIENCE);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

pub(crate) fn text(headers: &HeaderMap, name: header::HeaderName) -> String {
    headers
        .get(name)
        .map(|value| value.to_str().unwrap().to_owned())
        .unwrap_or_default()
}

/// The sample with its REST API dead.
pub(crate) fn outage() -> View {
    let mut view = sample::view();
    view.health = Overall::Partial;
    view.now = view.now + Duration::from_secs(10);
    view.checked_at = Some(view.now);
    let service = Arc::make_mut(&mut view.services[0]);
    service.health = Health::Dead;
    let monitor = Arc::make_mut(&mut service.monitors[0]);
    monitor.health = Health::Dead;
    monitor.targets[0].health = Health::Dead;
    monitor.targets[0].reason = Some("connection refused".into());
    view
}
