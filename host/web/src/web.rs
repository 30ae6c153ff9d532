//! What was published last, and who is to be told of it.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use axum::Router;
use axum::extract::Request;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, StatusCode, Uri};
use tower::Service as _;
use watchkeeper_engine::id::MonitorId;
use watchkeeper_engine::time::Timestamp;

use crate::admin::Notes;
use crate::allowance::Allowance;
use crate::announcements::{Announcer, Silence};
use crate::catalogue::{Catalogue, NoCatalogue};
use crate::console::{Console, NoConsole};
use crate::control::{Control, NoControl};
use crate::doors::Doors;
use crate::edition::{Current, Edition, Freshness, lock};
use crate::entrances::Side;
use crate::events::{Joined, Seats};
use crate::failure::Failure;
use crate::figures::{Figures, NoFigures};
use crate::frame::Frame;
use crate::fresh::Fresh;
use crate::intake::{Intake, Nobody};
use crate::levels::{Levels, NoLevels};
use crate::locale::{Language, Locale};
use crate::look::Look;
use crate::page::Built;
use crate::plans::{NoPlans, Plans};
use crate::records::{Nothing, Records};
use crate::report;
use crate::routes;
use crate::sites::Sites;
use crate::staff::{NoStaff, Staff};
use crate::survey::{NoSurvey, Survey};
use crate::view::{MonitorView, ServiceView, View};

/// Makes the text of `/metrics`, in the OpenMetrics format and with its `# EOF`.
pub type MetricsText = Arc<dyn Fn() -> String + Send + Sync>;

/// Says whether the program is ready, with what is still going on beside that if
/// anything is, and if not, why.
pub type Readiness = Arc<dyn Fn() -> Result<Option<String>, String> + Send + Sync>;

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
/// How often one line may try to sign in as one user at once. The line counts as
/// well, so that nobody can keep others out by guessing at their password.
const TRIES: u32 = 10;

/// In which time it may try once more.
const TRY_EVERY: Duration = Duration::from_secs(30);

/// The most of a name that tries are counted by, in characters.
const LONGEST_NAME: usize = 100;

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
    /// Keeps announcements.
    pub announcer: Arc<dyn Announcer>,
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
    /// Sums up what is kept of the past.
    pub figures: Arc<dyn Figures>,
    /// Knows who works with the host.
    pub staff: Arc<dyn Staff>,
    /// Knows how the host works.
    pub console: Arc<dyn Console>,
    /// The host and port of the page's public address, as browsers write them.
    pub own_authority: Option<Arc<str>>,
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
    /// How often each line may try to sign in as each user.
    tries: Allowance<(Option<IpAddr>, String)>,
    /// What is said once to who works with the host.
    notes: Notes,
    current: ArcSwapOption<Current>,
    /// Held by who publishes, so that revisions follow each other.
    publishing: Mutex<()>,
    /// One for each language, in the order of [`Language::ALL`].
    editions: [Edition; 6],
    /// Answers beside the page.
    fresh: Fresh,
    /// The pages beside this one.
    sites: Sites,
}

impl Default for WebSettings {
    /// No metrics, always ready, nobody who listens; 2,000 followers, 64 of one address; a page is
    /// given out for a second after it was superseded.
    fn default() -> Self {
        Self {
            metrics: Arc::new(|| "# EOF\n".to_owned()),
            ready: Arc::new(|| Ok(None)),
            intake: Arc::new(Nobody),
            records: Arc::new(Nothing),
            announcer: Arc::new(Silence),
            plans: Arc::new(NoPlans),
            levels: Arc::new(NoLevels),
            control: Arc::new(NoControl),
            catalogue: Arc::new(NoCatalogue),
            survey: Arc::new(NoSurvey),
            figures: Arc::new(NoFigures),
            staff: Arc::new(NoStaff),
            console: Arc::new(NoConsole),
            own_authority: None,
            max_followers: 2000,
            max_followers_per_address: 64,
            page_grace: Duration::from_secs(1),
        }
    }
}

impl Web {
    /// A page of which nothing is published yet: it answers that it is starting.
    pub fn new(settings: WebSettings) -> Self {
        let seats = Seats::new(settings.max_followers, settings.max_followers_per_address);
        Self {
            inner: Arc::new(Inner {
                settings,
                seats: Arc::new(seats),
                doors: Doors::new(),
                calls: Allowance::new(CALLS, CALL_EVERY),
                asked: Allowance::new(ASKED, ASK_EVERY),
                tries: Allowance::new(TRIES, TRY_EVERY),
                notes: Notes::default(),
                current: ArcSwapOption::empty(),
                publishing: Mutex::default(),
                editions: Language::ALL.map(Edition::new),
                fresh: Fresh::default(),
                sites: Sites::default(),
            }),
        }
    }

    /// Shows `view` from now on, and tells those who follow the page what changed.
    ///
    /// What did not change costs a comparison, and nothing is compressed here: the
    /// whole page is put together when someone asks for it. Blocks for some
    /// microseconds for each monitor that changed and each language in which somebody
    /// follows the page.
    pub fn publish(&self, view: View) {
        let inner = &*self.inner;
        let _turn = lock(&inner.publishing);
        // A number that grows from start to start, so that one of a former process
        // is not mistaken for one of this.
        let clock = u64::try_from(view.now.as_millis()).unwrap_or(0);
        let before = inner.current.load().as_ref().map(|it| it.revision);
        let revision = before.map_or(clock, |before| clock.max(before + 1));
        let services = view.services.clone();
        let view = view.for_public();
        let word = report::text(&view);
        let current = Arc::new(Current {
            view,
            services,
            revision,
            word,
        });
        inner.current.store(Some(Arc::clone(&current)));
        for edition in &inner.editions {
            edition.publish(&current);
        }
        inner.sites.publish(&inner.settings, &current.view);
    }

    /// Everything under `/` that `side` answers. Serve it with [`crate::serve()`],
    /// which limits what clients may take and ends live events when it stops.
    pub fn router(&self, side: Side) -> Router {
        routes::router(self.clone(), side)
    }

    /// The document of the API, OpenAPI 3.1.
    pub fn document(&self) -> serde_json::Value {
        crate::api::document(&*self.inner.settings.catalogue)
    }

    pub(crate) fn sites(&self) -> &Sites {
        &self.inner.sites
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
        let Ok(response) = self.router(Side::Public).call(request).await;
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

    /// Whether `line` may try to sign in as `name` now; it then has tried.
    pub(crate) fn may_try(&self, line: Option<IpAddr>, name: &str) -> bool {
        let name = name.chars().take(LONGEST_NAME).collect::<String>();
        self.inner.tries.take((line, name.to_lowercase()))
    }

    /// What is said once to who works with the host.
    pub(crate) fn notes(&self) -> &Notes {
        &self.inner.notes
    }

    /// Every service, with what the public does not see.
    pub(crate) fn whole_services(&self) -> Vec<Arc<ServiceView>> {
        let current = self.inner.current.load();
        let current = current.as_ref();
        current.map_or_else(Vec::new, |current| current.services.clone())
    }

    /// The labels in metrics of what the public must not know of: each of its texts
    /// stands in every line about it.
    pub(crate) fn private_labels(&self) -> Vec<Vec<String>> {
        let mut labels = Vec::new();
        for service in self.whole_services() {
            let of_service = format!("service=\"{}\"", service.id);
            if service.private {
                labels.push(vec![of_service]);
                continue;
            }
            let private = service.monitors.iter().filter(|monitor| monitor.private);
            labels.extend(private.map(|monitor| {
                let of_monitor = format!("monitor=\"{}\"", monitor.id.name());
                vec![of_service.clone(), of_monitor]
            }));
        }
        labels
    }

    /// What the page is called.
    pub(crate) fn title(&self) -> String {
        let current = self.inner.current.load();
        let current = current.as_ref();
        current.map_or_else(
            || "Status".to_owned(),
            |current| current.view.title.to_string(),
        )
    }

    /// The monitor `id` as it was published last, be it private or not.
    pub(crate) fn any_monitor(&self, id: &MonitorId) -> Option<Arc<MonitorView>> {
        let services = self.whole_services();
        let service = services.iter().find(|each| each.id == *id.service())?;
        service.monitors.iter().find(|each| each.id == *id).cloned()
    }

    /// What was published last. Its services are shared, and the rest is short.
    pub(crate) fn view(&self) -> Option<View> {
        let current = self.inner.current.load();
        Some(current.as_ref()?.view.clone())
    }

    /// Answers beside the page that were made lately.
    pub(crate) fn fresh(&self) -> &Fresh {
        &self.inner.fresh
    }

    /// The services as they were published last.
    pub(crate) fn services(&self) -> Vec<Arc<ServiceView>> {
        let current = self.inner.current.load();
        let services = current.as_ref().map(|it| it.view.services.clone());
        services.unwrap_or_default()
    }

    /// When the newest view was made.
    pub(crate) fn now(&self) -> Option<Timestamp> {
        Some(self.inner.current.load().as_ref()?.view.now)
    }

    /// What stands above and below a page about something.
    pub(crate) fn frame(&self) -> Option<Frame> {
        Some(Frame::of(&self.inner.current.load().as_ref()?.view))
    }

    /// The language and the zone in which to answer who asked this.
    pub(crate) fn locale(&self, uri: &Uri, headers: &HeaderMap) -> Locale {
        let current = self.inner.current.load();
        let nothing = View::default();
        let view = current.as_ref().map_or(&nothing, |current| &current.view);
        view.locale(Language::wanted(uri, headers, view.languages()))
    }

    /// How the page looks.
    pub(crate) fn look(&self) -> Option<Arc<Look>> {
        self.inner.current.load().as_ref()?.view.look.clone()
    }

    /// Vigil's word for the page.
    pub(crate) fn word(&self) -> Option<&'static str> {
        Some(self.inner.current.load().as_ref()?.word)
    }

    /// Begins to follow the page in a language. `since` is the revision that the
    /// follower has, if it has one.
    pub(crate) fn join(&self, language: Language, since: Option<u64>) -> Option<Joined> {
        let current = self.inner.current.load_full()?;
        Some(self.edition(language).join(&current, since))
    }

    /// As [`Web::join`], for a follower that has lost what it should have.
    pub(crate) fn rejoin(&self, language: Language) -> Option<Joined> {
        let current = self.inner.current.load_full()?;
        Some(self.edition(language).rejoin(&current))
    }

    /// The page in a language, and its reports.
    pub(crate) async fn built(&self, language: Language) -> Result<Arc<Built>, Failure> {
        let grace = self.inner.settings.page_grace;
        let edition = self.edition(language);
        match (edition.built.load_full(), edition.freshness(grace)) {
            (Some(built), Freshness::Newest) => return Ok(built),
            (Some(built), Freshness::Recent) => {
                if let Ok(turn) = Arc::clone(&edition.building).try_lock_owned() {
                    let web = self.clone();
                    tokio::task::spawn_blocking(move || {
                        web.build(language);
                        drop(turn);
                    });
                }
                return Ok(built);
            }
            (None, _) | (_, Freshness::Outdated) => {}
        }
        let turn = Arc::clone(&edition.building).lock_owned().await;
        // Whoever had the turn before may have made what is wanted.
        if let Some(built) = edition.built.load_full()
            && !matches!(edition.freshness(grace), Freshness::Outdated)
        {
            return Ok(built);
        }
        let web = self.clone();
        let built = tokio::task::spawn_blocking(move || {
            let built = web.build(language);
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

    fn build(&self, language: Language) -> Option<Arc<Built>> {
        let current = self.inner.current.load_full()?;
        let newest = || {
            let newest = self.inner.current.load();
            newest.as_ref().map_or(0, |newest| newest.revision)
        };
        Some(self.edition(language).build(&current, newest))
    }

    fn edition(&self, language: Language) -> &Edition {
        let [english, german, french, swedish, spanish, japanese] = &self.inner.editions;
        match language {
            Language::English => english,
            Language::German => german,
            Language::French => french,
            Language::Swedish => swedish,
            Language::Spanish => spanish,
            Language::Japanese => japanese,
        }
    }
}
