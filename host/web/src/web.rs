//! What was published last, and who is to be told of it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use axum::Router;
use axum::extract::Request;
use bytes::Bytes;
use http::StatusCode;
use http::header::{ACCEPT, CONTENT_TYPE};
use tokio::sync::broadcast;
use tokio::time::Instant;
use tower::Service as _;
use watchkeeper_engine::id::MonitorId;
use watchkeeper_engine::time::Timestamp;

use crate::allowance::Allowance;
use crate::catalogue::{Catalogue, NoCatalogue};
use crate::control::{Control, NoControl};
use crate::doors::Doors;
use crate::events::{BACKLOG, Events, Joined, Seats};
use crate::failure::Failure;
use crate::fragments::Fragments;
use crate::frame::Frame;
use crate::incidents;
use crate::intake::{Intake, Nobody};
use crate::levels::{Levels, NoLevels};
use crate::page::Built;
use crate::plans::{NoPlans, Plans};
use crate::records::{Nothing, Records};
use crate::report;
use crate::routes;
use crate::survey::{NoSurvey, Survey};
use crate::view::{MonitorView, View};

/// Makes the text of `/metrics`, in the OpenMetrics format and with its `# EOF`.
pub type MetricsText = Arc<dyn Fn() -> String + Send + Sync>;

/// Says whether the program is ready, and if not, why.
pub type Readiness = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

/// How often figures that moved are sent to those who follow the page, at most.
const QUIET_EVERY: Duration = Duration::from_secs(5);

/// How much of such figures a follower is sent in a second, in bytes: a long page
/// is sent them less often.
const QUIET_BYTES_PER_SECOND: usize = 8 * 1024;

/// How often those who follow the page hear that checks go on, at most.
const TICK_EVERY: Duration = Duration::from_secs(1);

/// The largest answer that [`Web::answer`] hands over, in bytes.
const LARGEST_ANSWER: usize = 16 << 20;

/// How often a job may call at once.
const CALLS: u32 = 60;

/// In which time it may call once more.
const CALL_EVERY: Duration = Duration::from_secs(1);

/// How much a token may ask of the API at once.
const ASKED: u32 = 300;

/// In which time it may ask once more.
const ASK_EVERY: Duration = Duration::from_millis(20);

/// How the page is served.
#[derive(Clone)]
pub struct WebSettings {
    /// Makes the text of `/metrics`; called for every request of it.
    pub metrics: MetricsText,
    /// Answers `/readyz`; called for every request of it.
    pub ready: Readiness,
    /// Takes in what is said of monitors that do not ask.
    pub intake: Arc<dyn Intake>,
    /// Finds what is kept of the past.
    pub records: Arc<dyn Records>,
    /// Knows what is planned.
    pub plans: Arc<dyn Plans>,
    /// Computes how well promises are kept.
    pub levels: Arc<dyn Levels>,
    /// Does what people want done with what is watched.
    pub control: Arc<dyn Control>,
    /// Keeps the parts of the configuration.
    pub catalogue: Arc<dyn Catalogue>,
    /// Knows how what is watched is, and was.
    pub survey: Arc<dyn Survey>,
    /// How many may follow the page live.
    pub max_followers: usize,
    /// How many may do so from one address, or from one /64 of IPv6. Behind a
    /// proxy all come from its address: one on this machine is not limited, and
    /// with one elsewhere this should be as much as `max_followers`.
    pub max_followers_per_address: usize,
    /// For how long a page that has been superseded is still given out while its
    /// successor is made, so that no visitor of a busy page waits for that.
    pub page_grace: Duration,
}

/// The public page. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Web {
    inner: Arc<Inner>,
}

struct Inner {
    settings: WebSettings,
    seats: Arc<Seats>,
    doors: Doors,
    /// How often each job may call.
    calls: Allowance<MonitorId>,
    /// How often each token may ask.
    asked: Allowance<Arc<str>>,
    events: broadcast::Sender<Bytes>,
    published: Mutex<Option<Published>>,
    newest: Mutex<Newest>,
    built: ArcSwapOption<Built>,
    /// Held by who makes the page.
    building: Arc<tokio::sync::Mutex<()>>,
}

struct Published {
    fragments: Fragments,
    /// All parts of the page as events, once someone needed them.
    everything: Option<(u64, Bytes)>,
    quiet_told: Instant,
    ticked: Instant,
}

/// What can be said of the newest revision without waiting for whoever makes one.
#[derive(Clone, Copy, Default)]
struct Newest {
    revision: u64,
    /// Since when the page that was built is not the newest.
    outdated_since: Option<Instant>,
    /// Vigil's word for it.
    word: Option<&'static str>,
}

/// What to do with the page that was built.
enum Freshness {
    Newest,
    Recent,
    Outdated,
}

impl Default for WebSettings {
    /// No metrics, always ready, nobody who listens; 2,000 followers, 64 of one address; a page is
    /// given out for a second after it was superseded.
    fn default() -> Self {
        Self {
            metrics: Arc::new(|| "# EOF\n".to_owned()),
            ready: Arc::new(|| Ok(())),
            intake: Arc::new(Nobody),
            records: Arc::new(Nothing),
            plans: Arc::new(NoPlans),
            levels: Arc::new(NoLevels),
            control: Arc::new(NoControl),
            catalogue: Arc::new(NoCatalogue),
            survey: Arc::new(NoSurvey),
            max_followers: 2000,
            max_followers_per_address: 64,
            page_grace: Duration::from_secs(1),
        }
    }
}

impl Web {
    /// A page of which nothing is published yet: it answers that it is starting.
    pub fn new(settings: WebSettings) -> Self {
        let (events, _) = broadcast::channel(BACKLOG);
        let seats = Seats::new(settings.max_followers, settings.max_followers_per_address);
        Self {
            inner: Arc::new(Inner {
                settings,
                seats: Arc::new(seats),
                doors: Doors::new(),
                calls: Allowance::new(CALLS, CALL_EVERY),
                asked: Allowance::new(ASKED, ASK_EVERY),
                events,
                published: Mutex::new(None),
                newest: Mutex::default(),
                built: ArcSwapOption::empty(),
                building: Arc::default(),
            }),
        }
    }

    /// Shows `view` from now on, and tells those who follow the page what changed.
    ///
    /// What did not change costs a comparison, and nothing is compressed here: the
    /// whole page is put together when someone asks for it. Blocks for some
    /// microseconds for each monitor that changed.
    pub fn publish(&self, view: View) {
        let inner = &*self.inner;
        let mut published = lock(&inner.published);
        // A number that grows from start to start, so that one of a former process
        // is not mistaken for one of this.
        let clock = u64::try_from(view.now.as_millis()).unwrap_or(0);
        let (revision, word) = match published.as_mut() {
            None => {
                let word = report::text(&view);
                let fragments = Fragments::new(view, clock);
                *published = Some(Published::new(fragments));
                (clock, word)
            }
            Some(published) => {
                let revision = clock.max(published.fragments.revision() + 1);
                let word = report::text(&view);
                published.advance(view, revision, &inner.events);
                (revision, word)
            }
        };
        let mut newest = lock(&inner.newest);
        newest.revision = revision;
        newest.outdated_since.get_or_insert_with(Instant::now);
        newest.word = Some(word);
    }

    /// Everything under `/`. Serve it with [`crate::serve()`], which limits what
    /// clients may take and ends live events when it stops.
    pub fn router(&self) -> Router {
        routes::router(self.clone())
    }

    /// The document of the API, OpenAPI 3.1.
    pub fn document(&self) -> serde_json::Value {
        crate::api::document(&*self.inner.settings.catalogue)
    }

    /// What a visitor of `address` is answered who takes everything and packs nothing:
    /// its media type and the body. `None` unless there is such a page.
    pub async fn answer(&self, address: &str) -> Option<(String, Vec<u8>)> {
        let request = Request::builder()
            .uri(address)
            .header(ACCEPT, "text/html, */*;q=0.1")
            .body(axum::body::Body::empty())
            .ok()?;
        // A router is always ready, and never fails.
        let Ok(response) = self.router().call(request).await;
        if response.status() != StatusCode::OK {
            return None;
        }
        let kind = response.headers().get(CONTENT_TYPE)?.to_str().ok()?;
        let kind = kind.to_owned();
        let body = axum::body::to_bytes(response.into_body(), LARGEST_ANSWER).await;
        Some((kind, body.ok()?.to_vec()))
    }

    pub(crate) fn settings(&self) -> &WebSettings {
        &self.inner.settings
    }

    pub(crate) fn seats(&self) -> &Arc<Seats> {
        &self.inner.seats
    }

    pub(crate) fn doors(&self) -> &Doors {
        &self.inner.doors
    }

    /// How often each token may ask.
    pub(crate) fn asked(&self) -> &Allowance<Arc<str>> {
        &self.inner.asked
    }

    /// How often each job may call.
    pub(crate) fn calls(&self) -> &Allowance<MonitorId> {
        &self.inner.calls
    }

    /// The monitor `id` as it was published last.
    pub(crate) fn monitor(&self, id: &MonitorId) -> Option<Arc<MonitorView>> {
        let published = lock(&self.inner.published);
        let view = published.as_ref()?.fragments.view();
        let service = view.services.iter().find(|each| each.id == *id.service())?;
        service.monitors.iter().find(|each| each.id == *id).cloned()
    }

    /// When the newest view was made.
    pub(crate) fn now(&self) -> Option<Timestamp> {
        let published = lock(&self.inner.published);
        Some(published.as_ref()?.fragments.view().now)
    }

    /// What stands above and below a page about something.
    pub(crate) fn frame(&self) -> Option<Frame> {
        let published = lock(&self.inner.published);
        Some(Frame::of(published.as_ref()?.fragments.view()))
    }

    /// Vigil's word for the page.
    pub(crate) fn word(&self) -> Option<&'static str> {
        lock(&self.inner.newest).word
    }

    /// Begins to follow the page. `since` is the revision that the follower has,
    /// if it has one.
    pub(crate) fn join(&self, since: Option<u64>) -> Option<Joined> {
        let mut published = lock(&self.inner.published);
        let published = published.as_mut()?;
        let first = published.welcome(since);
        Some(Joined {
            first,
            events: self.inner.events.subscribe(),
        })
    }

    /// As [`Web::join`], for a follower that has lost what it should have.
    pub(crate) fn rejoin(&self) -> Option<Joined> {
        let mut published = lock(&self.inner.published);
        let first = published.as_mut()?.everything();
        Some(Joined {
            first,
            events: self.inner.events.subscribe(),
        })
    }

    /// The page and its reports.
    pub(crate) async fn built(&self) -> Result<Arc<Built>, Failure> {
        let inner = &self.inner;
        let built = inner.built.load_full();
        match (built, self.freshness()) {
            (Some(built), Freshness::Newest) => return Ok(built),
            (Some(built), Freshness::Recent) => {
                if let Ok(turn) = Arc::clone(&inner.building).try_lock_owned() {
                    let web = self.clone();
                    tokio::task::spawn_blocking(move || {
                        web.build();
                        drop(turn);
                    });
                }
                return Ok(built);
            }
            (None, _) | (_, Freshness::Outdated) => {}
        }
        let turn = Arc::clone(&inner.building).lock_owned().await;
        // Whoever had the turn before may have made what is wanted.
        if let Some(built) = inner.built.load_full()
            && !matches!(self.freshness(), Freshness::Outdated)
        {
            return Ok(built);
        }
        let web = self.clone();
        let built = tokio::task::spawn_blocking(move || {
            let built = web.build();
            drop(turn);
            built
        });
        match built.await {
            Ok(Some(built)) => Ok(built),
            Ok(None) => Err(Failure::Starting),
            Err(problem) => {
                tracing::error!(%problem, "the page could not be made");
                Err(Failure::Internal)
            }
        }
    }

    fn freshness(&self) -> Freshness {
        let newest = *lock(&self.inner.newest);
        match newest.outdated_since {
            None => Freshness::Newest,
            Some(since) if since.elapsed() < self.inner.settings.page_grace => Freshness::Recent,
            Some(_) => Freshness::Outdated,
        }
    }

    /// Puts the page together and packs it, which takes milliseconds.
    fn build(&self) -> Option<Arc<Built>> {
        let inner = &*self.inner;
        let (revision, shape, page, report) = {
            let published = lock(&inner.published);
            let fragments = &published.as_ref()?.fragments;
            let report = report::report(fragments.view());
            (
                fragments.revision(),
                fragments.shape().to_owned(),
                fragments.page(),
                report,
            )
        };
        let built = Arc::new(Built::new(revision, &shape, page, report));
        inner.built.store(Some(Arc::clone(&built)));
        let mut newest = lock(&inner.newest);
        newest.outdated_since = (newest.revision != built.revision).then(Instant::now);
        Some(built)
    }
}

impl Published {
    fn new(fragments: Fragments) -> Self {
        let now = Instant::now();
        Self {
            fragments,
            everything: None,
            quiet_told: now,
            ticked: now,
        }
    }

    fn advance(&mut self, view: View, revision: u64, events: &broadcast::Sender<Bytes>) {
        let now = Instant::now();
        let shape = self.fragments.shape().to_owned();
        let news = incidents::news(self.fragments.view(), &view);
        self.fragments.advance(view, revision);
        if events.receiver_count() == 0 {
            self.fragments.forget_untold();
            self.quiet_told = now;
            return;
        }
        let mut told = Events::default();
        if shape != self.fragments.shape() {
            told.reshaped(self.fragments.shape());
        }
        let quiet_bytes = self.fragments.quiet_bytes();
        let with_quiet =
            quiet_bytes > 0 && now.duration_since(self.quiet_told) >= quiet_pause(quiet_bytes);
        if with_quiet {
            self.quiet_told = now;
        }
        let patch = self.fragments.take_untold(with_quiet);
        if patch.is_empty()
            && shape == self.fragments.shape()
            && now.duration_since(self.ticked) < TICK_EVERY
        {
            return;
        }
        self.ticked = now;
        let view = self.fragments.view();
        told.tick(view.checked_at, view.now);
        told.incidents(&news);
        told.patch(&patch);
        // It fails if the last follower has just left.
        let _sent = events.send(told.finish(revision));
    }

    /// What a follower that has revision `since` is told first.
    fn welcome(&mut self, since: Option<u64>) -> Bytes {
        let revision = self.fragments.revision();
        let missed = match since {
            None => String::new(),
            Some(since) if since == revision => String::new(),
            Some(since) => self.fragments.since(since),
        };
        self.first(&missed)
    }

    /// What a follower of which nothing is known is told.
    fn everything(&mut self) -> Bytes {
        let revision = self.fragments.revision();
        match &self.everything {
            Some((made, bytes)) if *made == revision => bytes.clone(),
            _ => {
                let all = self.fragments.since(u64::MAX);
                let bytes = self.first(&all);
                self.everything = Some((revision, bytes.clone()));
                bytes
            }
        }
    }

    fn first(&self, patch: &str) -> Bytes {
        let view = self.fragments.view();
        let mut events = Events::hello(self.fragments.shape());
        events.tick(view.checked_at, view.now);
        events.patch(patch);
        events.finish(self.fragments.revision())
    }
}

/// How long to wait before so many bytes of figures are sent.
fn quiet_pause(bytes: usize) -> Duration {
    let seconds = u64::try_from(bytes / QUIET_BYTES_PER_SECOND).unwrap_or(u64::MAX);
    QUIET_EVERY.max(Duration::from_secs(seconds))
}

/// What a thread that panicked left behind is still whole: everything in these
/// locks is put in place at once.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
