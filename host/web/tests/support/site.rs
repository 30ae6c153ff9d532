//! A page on a port of its own, served as it is in earnest.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use watchkeeper_web::{Limits, View, Web, WebSettings, serve};

/// A running page; gone when dropped.
pub(crate) struct Site {
    pub(crate) web: Web,
    pub(crate) address: SocketAddr,
    pub(crate) stop: CancellationToken,
}

impl Site {
    /// Serves `view`; what is published later is shown at once.
    pub(crate) async fn start(view: View) -> Self {
        let site = Self::with(settings(), Limits::default()).await;
        site.web.publish(view);
        site
    }

    /// Serves a page of which nothing is published.
    pub(crate) async fn with(settings: WebSettings, limits: Limits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let web = Web::new(settings);
        let stop = CancellationToken::new();
        tokio::spawn(serve(
            listener,
            web.router(watchkeeper_web::Side::Whole),
            stop.clone().cancelled_owned(),
            limits,
        ));
        Self { web, address, stop }
    }

    /// The address of `path` on the page.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Settings with which a page is never given out once it is superseded.
pub(crate) fn settings() -> WebSettings {
    WebSettings {
        page_grace: Duration::ZERO,
        ..WebSettings::default()
    }
}
