//! Serves a page about an invented company, for looking at the page without
//! anything to watch:
//!
//! ```text
//! cargo run -p watchkeeper-web --example sample_page -- 127.0.0.1:8090 [MONITORS]
//! ```
//!
//! `/incidents/214/acknowledge?until=9999999999&to=ops&signature=good` is a link in
//! a notice. With a number of monitors the page is one of that length, and otherwise one
//! with everything on it. Every two seconds a latency moves; every tenth time a
//! target dies or comes back.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::{Instant, interval};
use watchkeeper_engine::health::Health;
use watchkeeper_web::{Limits, Overall, View, Web, WebSettings, serve};

mod figures;
mod records;
mod sample;

#[tokio::main]
#[expect(
    clippy::print_stdout,
    reason = "whoever starts an example wants to know where to look"
)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let listen = arguments
        .next()
        .unwrap_or_else(|| "127.0.0.1:8090".to_owned());
    let mut view = match arguments.next() {
        None => sample::view(),
        Some(count) => sample::long_view(count.parse()?),
    };
    let past = view.past.clone().unwrap_or_default().incidents;
    let shelf = records::Shelf::of(view.incidents.iter().cloned().chain(past));
    let web = Web::new(WebSettings {
        records: Arc::new(shelf),
        figures: Arc::new(figures::Invented),
        ..WebSettings::default()
    });
    web.publish(view.clone());
    let listener = TcpListener::bind(&listen).await?;
    println!("http://{}", listener.local_addr()?);

    let router = web.router(watchkeeper_web::Side::Whole);
    tokio::spawn(async move {
        let started = Instant::now();
        let mut every = interval(Duration::from_secs(2));
        for turn in 1.. {
            every.tick().await;
            view.now = sample::NOW + started.elapsed();
            view.checked_at = Some(view.now);
            move_on(&mut view, turn);
            web.publish(view.clone());
        }
    });
    let interrupted = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    serve(listener, router, interrupted, Limits::default()).await;
    Ok(())
}

/// Lets the last service's first monitor go on.
fn move_on(view: &mut View, turn: u32) {
    let Some(service) = view.services.last_mut() else {
        return;
    };
    let service = Arc::make_mut(service);
    let Some(monitor) = service.monitors.first_mut() else {
        return;
    };
    let monitor = Arc::make_mut(monitor);
    monitor.latency_ms = Some(15 + turn % 9);
    if turn.is_multiple_of(10) {
        let dies = monitor.health == Health::Healthy;
        let health = if dies { Health::Dead } else { Health::Healthy };
        monitor.health = health;
        monitor.since = Some(view.now);
        for target in &mut monitor.targets {
            target.health = health;
            target.reason = dies.then(|| "connection refused".into());
        }
        service.health = health;
        view.health = if dies {
            Overall::Partial
        } else {
            Overall::Sick
        };
    }
}
