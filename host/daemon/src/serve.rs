//! `watchkeeper serve`: builds everything in the order in which a reading flows,
//! runs it, and takes it down in the same order, so that nothing is lost.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, mpsc, watch};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use watchkeeper_config::{Config, Loaded, Problems};
use watchkeeper_engine::time::Timestamp;
use watchkeeper_store::{IncidentQuery, SqliteStore, Store};
use watchkeeper_web::{Side, Web, WebSettings};

use crate::announcing::Announcing;
use crate::apply::{self, Apply};
use crate::aside;
use crate::assignment::{Assignments, assign, validate};
use crate::board::{self, Board};
use crate::catalogue;
use crate::cli::{Exit, complain, complain_of_config, start};
use crate::clock::{self, Clock};
use crate::console::{Beats, Booth};
use crate::control::Levers;
use crate::dead_man::DeadMan;
use crate::desk::Desk;
use crate::figures::Almanac;
use crate::history::DAYS;
use crate::intake::{self, Counter, Keys};
use crate::items::{self, Kept, LeaveOut};
use crate::levels::Levels;
use crate::links::{self, Links};
use crate::orders;
use crate::outbox::Outbox;
use crate::page::{self, Views};
use crate::planning::Planning;
use crate::plugins::{Demand, Loading, Plugins, Shelf};
use crate::publish::Publish;
use crate::reload::{self, Reload};
use crate::scheduler::{self, Scheduler};
use crate::source::Client;
use crate::spaces::Spaces;
use crate::staff::Roster;
use crate::survey::Surveyor;
use crate::telemetry::Metrics;

/// How long checks under way may go on once the host was asked to stop.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often the store is rid of what is past its retention.
const PRUNE_EVERY: Duration = Duration::from_hours(1);

/// How many incidents are read at the start, the newest first. Open ones that are
/// older than so many others would be left open for ever: nobody has that many.
const MOST_INCIDENTS: usize = 10_000;

/// Runs the host until it is asked to stop.
pub(crate) async fn serve(path: &Path, loaded: Loaded) -> anyhow::Result<Exit> {
    let options = watchkeeper_store::Options::new(&loaded.config.server.data, clock::wall());
    let store = match SqliteStore::open(options) {
        Ok(store) => Arc::new(store) as Arc<dyn Store>,
        Err(problem) => {
            complain(&format!(
                "cannot open the data folder {}: {problem}",
                loaded.config.server.data.display()
            ));
            return Ok(Exit::Internal);
        }
    };
    let mut kept = items::read(store.as_ref()).await?;
    let mut loaded = match with_items(&loaded.texts, &mut kept) {
        Ok(loaded) => loaded,
        Err(problems) => {
            complain_of_config(&problems);
            return Ok(Exit::Config);
        }
    };
    let config = loaded.config.clone();
    let Some(listener) = listen(config.server.listen, "listen").await else {
        return Ok(Exit::Config);
    };
    let address = listener.local_addr()?;
    let mut own_listeners = vec![address];
    let mut admin_listener = None;
    if let Some(wanted) = config.server.admin_listen {
        let Some(listener) = listen(wanted, "admin_listen").await else {
            return Ok(Exit::Config);
        };
        own_listeners.push(listener.local_addr()?);
        admin_listener = Some(listener);
    }
    let metrics = Arc::new(Metrics::new());
    // Nobody else has set it.
    _ = metrics.standings.data.set(config.server.data.clone());
    let (demand, demanded) = watch::channel(Arc::new(Demand::of(&config)));
    let mut plugins = Plugins::open(start::sandbox(&config)?, demanded).await;
    let loading = plugins.loading();
    // The page shows what the last process knew while the plugins are loaded.
    let clock = Clock::start();
    let restored_at = clock.now();
    let board = restore(&config, store.as_ref(), address, restored_at).await?;
    let mut maker = Views::default();
    let (view, views) = watch::channel(maker.make(&board, clock.now()));
    let bell = Arc::new(Notify::new());
    let (ready, is_ready) = watch::channel(false);
    let (keys, key_holder) = watch::channel(Arc::new(Keys::of(&config)));
    let (messages, told) = mpsc::channel(intake::QUEUE);
    let (asides, spoken) = mpsc::channel(aside::QUEUE);
    let (hushed, hushed_until) = watch::channel(None);
    let (orders, ordered) = mpsc::channel(orders::QUEUE);
    let (paused, paused_now) = watch::channel(Arc::new(board.all_paused()));
    let (requests, requested) = mpsc::channel(scheduler::REQUESTS);
    let beats = Arc::new(Beats::default());
    let shelf = Arc::new(crate::plugins::Shelf::default());
    // What is known before the plugins are loaded is what nobody checks yet.
    let (empty, _) = assign(&config, &shelf, &own_listeners);
    let (assigning, mut assigned) = watch::channel(Arc::new(empty));
    let (shelving, shelved) = watch::channel(shelf);
    let origin = tokio::time::Instant::now();
    let booth = Booth {
        assignments: assigned.clone(),
        shelf: shelved,
        paused: paused_now.clone(),
        store: Arc::clone(&store),
        metrics: Arc::clone(&metrics),
        beats: Arc::clone(&beats),
        orders: orders.clone(),
        requests: requests.clone(),
        origin,
        started: clock::wall(),
    };
    let links = read_links(store.as_ref()).await?;
    let (announced, all_announced) = watch::channel(board.announced().into());
    let announcing = Announcing {
        announced: all_announced,
        orders: orders.clone(),
    };
    let (planned, all_planned) = watch::channel(board.planned().into());
    let planning = Planning {
        keys: key_holder.clone(),
        planned: all_planned,
        orders: orders.clone(),
    };
    let levels = Levels {
        keys: key_holder.clone(),
        orders: orders.clone(),
        store: Arc::clone(&store),
        metrics: Arc::clone(&metrics),
    };
    let levers = Levers {
        orders: orders.clone(),
    };
    let desk = Desk {
        keys: key_holder.clone(),
        orders,
        store: Arc::clone(&store),
        links: links.clone(),
        bell: Arc::clone(&bell),
    };
    let almanac = Almanac {
        keys: key_holder.clone(),
        store: Arc::clone(&store),
    };
    let counter = Counter {
        keys: key_holder,
        messages,
        asides: asides.clone(),
        hushed: hushed_until,
        store: Arc::clone(&store),
    };
    let admin_url = admin_url(&config, &own_listeners);
    let staff = Roster::open(Arc::clone(&store), &admin_url).await?;
    let (edits, edited) = mpsc::channel(reload::QUEUE);
    let shown = reload::records(&loaded.items, &kept, &Shelf::default());
    let (show_items, shown) = watch::channel(Arc::new(shown));
    let catalogue = catalogue::Counter {
        edits,
        items: shown,
    };
    let (show_plugins, plugins_shown) = watch::channel(Arc::default());
    let surveyor = Surveyor {
        orders: levers.orders.clone(),
        store: Arc::clone(&store),
        plugins: plugins_shown,
    };
    let behind = Behind {
        counter,
        desk,
        levers,
        almanac,
        planning,
        announcing,
        levels: levels.clone(),
        catalogue,
        surveyor,
        staff,
        booth,
    };
    let readiness = Readiness {
        ready: is_ready,
        loading: loading.clone(),
    };
    let web = Web::new(web_settings(&config, &metrics, readiness, behind));
    web.publish(views.borrow().clone());
    let stop = CancellationToken::new();
    let serving = tokio::spawn(watchkeeper_web::serve(
        listener,
        web.router(if admin_listener.is_some() {
            Side::Public
        } else {
            Side::Whole
        }),
        stop.clone().cancelled_owned(),
        watchkeeper_web::Limits::default(),
    ));
    let serving_admin = admin_listener.map(|listener| {
        tokio::spawn(watchkeeper_web::serve(
            listener,
            web.router(Side::Whole),
            stop.clone().cancelled_owned(),
            watchkeeper_web::Limits::default(),
        ))
    });
    let files = Publish {
        web: web.clone(),
        views: views.clone(),
        keys: levels.keys.clone(),
    };
    let publishing = tokio::spawn(publish(web, views));
    let writing = tokio::spawn(files.run());
    info!(page = page_url(&config, address), %address, admin = admin_url, data = %config.server.data.display(), "watchkeeper is up");

    info!(plugins = %*loading.borrow(), "plugins that are used are being loaded");
    plugins.load_used().await;
    let shelf = plugins.shelf();
    let first_shelf = Arc::clone(&shelf.borrow());
    let assignments = match join_plugins(&mut loaded, &mut kept, &first_shelf, &own_listeners).await
    {
        Ok(assignments) => assignments,
        Err(problems) => {
            complain_of_config(&problems);
            return Ok(Exit::Config);
        }
    };
    let config = loaded.config.clone();
    for (id, why) in assignments.without_plugin() {
        warn!("{id} cannot run: {why}");
    }
    for line in &assignments.advice {
        warn!("{line}");
    }
    reload::show_shelf(&metrics, &first_shelf);
    assigning.send_replace(Arc::new(assignments));
    assigned.mark_unchanged();
    let following = tokio::spawn(follow_shelf(shelf.clone(), shelving));
    let (finished, finishing) = mpsc::channel(apply::QUEUE);
    let spaces = Arc::new(Spaces::load(Arc::clone(&store)).await?);
    let mut board = board;
    let mut batch = crate::board::Batch::default();
    let now = clock.now();
    board.begin(restored_at, now);
    board.adopt(&assigned.borrow(), now, &mut batch);

    let (pulse, last_pulse) = watch::channel(tokio::time::Instant::now());
    let stop_checks = CancellationToken::new();
    let stop_applying = CancellationToken::new();
    let scheduling = tokio::spawn(
        Scheduler {
            assignments: assigned.clone(),
            requests: requested,
            finished,
            spaces: Arc::clone(&spaces),
            metrics: Arc::clone(&metrics),
            paused: paused_now,
            origin,
        }
        .run(stop_checks.clone(), PATIENCE),
    );
    let applying = tokio::spawn(
        Apply {
            board,
            clock,
            store: Arc::clone(&store),
            assignments: assigned.clone(),
            finished: finishing,
            told,
            asides: spoken,
            hushed,
            pulse,
            keys,
            requests,
            spaces: Arc::clone(&spaces),
            metrics: Arc::clone(&metrics),
            bell: Arc::clone(&bell),
            view,
            views: maker,
            announced,
            planned,
            unsaved: batch.commit,
            doubted: Vec::new(),
            doubting_silence: None,
            alive: None,
            orders: ordered,
            paused,
            beats,
        }
        .run(stop_applying.clone()),
    );
    let dead_man = DeadMan {
        assignments: assigned.clone(),
        pulse: last_pulse,
        // The operator wrote the address: whether it is encrypted is up to them.
        client: Client::new(start::outside(&config)?, true, None),
        metrics: Arc::clone(&metrics),
    };
    let outbox = Outbox {
        store: Arc::clone(&store),
        assignments: assigned,
        metrics: Arc::clone(&metrics),
        spaces,
        bell,
        asides,
    };
    let delivering = tokio::spawn(outbox.run(stop.clone()));
    let calling = tokio::spawn(dead_man.run());
    let promising = tokio::spawn(levels.watch());
    let (used, rest) = (first_shelf.plugins.len(), loading.borrow().rest.len());
    let watching = tokio::spawn(plugins.watch());
    let reloading = Reload {
        path: path.to_owned(),
        config: config.clone(),
        shelf,
        shelf_in_use: first_shelf,
        own_listeners,
        demand,
        assignments: assigning,
        metrics,
        texts: loaded.texts,
        items: loaded.items,
        kept,
        store: Arc::clone(&store),
        edits: edited,
        shown: show_items,
        shown_plugins: show_plugins,
    };
    let reloading = tokio::spawn(reloading.run());
    let pruning = tokio::spawn(prune(Arc::clone(&store)));
    ready.send_replace(true);
    info!(
        loaded = used,
        rest, "checks begin; bundled plugins that nothing uses follow"
    );

    until_asked_to_stop().await?;
    info!("stopping: checks under way may finish");
    for task in [watching, pruning, calling, promising, following, writing] {
        task.abort();
    }
    reloading.abort();
    stop_checks.cancel();
    join("scheduler", scheduling).await;
    stop_applying.cancel();
    join("apply", applying).await;
    stop.cancel();
    join("outbox", delivering).await;
    _ = serving.await;
    if let Some(serving) = serving_admin {
        _ = serving.await;
    }
    publishing.abort();
    store
        .close()
        .await
        .context("the store could not be closed")?;
    info!("stopped");
    Ok(Exit::Fine)
}

/// The files with what is kept beside them. What does not fit any more is left out, as
/// nobody could mend it while the host does not run.
fn with_items(texts: &[(String, String)], kept: &mut [Kept]) -> Result<Loaded, Problems> {
    let env = |name: &str| std::env::var(name).ok();
    let loaded = items::merge(texts, kept, LeaveOut::Any, &env)?;
    tell_of_left_out(kept);
    Ok(loaded)
}

/// The configuration with its plugins, without the kept parts that do not fit them.
async fn join_plugins(
    loaded: &mut Loaded,
    kept: &mut [Kept],
    shelf: &Shelf,
    own_listeners: &[SocketAddr],
) -> Result<Assignments, Problems> {
    loop {
        let (assignments, mut problems) = assign(&loaded.config, shelf, own_listeners);
        if problems.is_empty() {
            problems = validate(&assignments).await;
        }
        if problems.is_empty() {
            return Ok(assignments);
        }
        if !items::set_aside(kept, &problems, |_| true) {
            return Err(Problems::from(problems));
        }
        let env = |name: &str| std::env::var(name).ok();
        let (mut used, mut idle): (Vec<Kept>, Vec<Kept>) = kept
            .iter()
            .cloned()
            .partition(|kept| kept.trouble.is_none());
        *loaded = items::merge(&loaded.texts, &mut used, LeaveOut::Any, &env)?;
        used.append(&mut idle);
        for own in &mut *kept {
            let known = used.iter().find(|known| known.text.key == own.text.key);
            own.trouble = known.and_then(|known| known.trouble.clone());
        }
        tell_of_left_out(kept);
    }
}

fn tell_of_left_out(kept: &[Kept]) {
    for kept in kept {
        if let Some(why) = &kept.trouble {
            error!(item = %kept.text.key, why, "a part of the configuration that was made through the API does not fit any more and is not in use");
        }
    }
}

/// The board as the last process left it. It shows what is configured and what
/// was known; nothing is checked yet.
async fn restore(
    config: &Config,
    store: &dyn Store,
    address: SocketAddr,
    now: Timestamp,
) -> anyhow::Result<Board> {
    let loaded = store.load().await.context("the state cannot be read")?;
    let from = now - Duration::from_hours(24) * u32::try_from(DAYS).unwrap_or(u32::MAX);
    let days = store
        .days(from, now)
        .await
        .context("the history cannot be read")?;
    let shelf = Shelf::default();
    let (assignments, _) = assign(config, &shelf, &[address]);
    let mut board = Board::restore(
        &Arc::new(assignments),
        loaded,
        &days,
        page_url(config, address),
        now,
    );
    let lately = IncidentQuery {
        live_since: Some(now - board::incidents::SHOWN),
        limit: MOST_INCIDENTS,
        ..IncidentQuery::default()
    };
    let stories = store.incidents(lately).await;
    let stories = stories.context("the incidents cannot be read")?;
    let next = store.next_incident().await;
    let next = next.context("the incidents cannot be read")?;
    board.recall_incidents(stories, next, read_links(store).await?);
    page::recall(&mut board, store, from, now)
        .await
        .context("the history cannot be read")?;
    Ok(board)
}

/// Signs the addresses that people are given.
async fn read_links(store: &dyn Store) -> anyhow::Result<Links> {
    let fresh = links::fresh_key().context("the system has no random numbers")?;
    let key = store.key(links::KEY, fresh).await;
    Ok(Links::new(key.context("the host's key cannot be read")?))
}

/// Where people find the page.
fn page_url(config: &Config, address: SocketAddr) -> String {
    config
        .server
        .public_url
        .as_ref()
        .map_or_else(|| format!("http://{address}"), ToString::to_string)
}

/// Whether checks run, and which plugins are still to be loaded.
struct Readiness {
    ready: watch::Receiver<bool>,
    loading: watch::Receiver<Loading>,
}

impl Readiness {
    /// For `/readyz`.
    fn say(&self) -> Result<Option<String>, String> {
        let loading = self.loading.borrow();
        if !*self.ready.borrow() {
            return Err(if loading.awaited.is_empty() {
                "checks are about to begin".to_owned()
            } else {
                format!("plugins are being loaded: {}", *loading)
            });
        }
        let mut beside = Vec::new();
        if !loading.awaited.is_empty() {
            beside.push(format!(
                "plugins that are used are being loaded: {}",
                *loading
            ));
        }
        if !loading.rest.is_empty() {
            let rest = loading.rest.len();
            beside.push(format!(
                "{rest} bundled plugins that nothing uses are being loaded"
            ));
        }
        Ok(Some(beside.join("\n")).filter(|beside| !beside.is_empty()))
    }
}

/// Who stands behind what is asked of the web.
struct Behind {
    counter: Counter,
    desk: Desk,
    levers: Levers,
    almanac: Almanac,
    planning: Planning,
    announcing: Announcing,
    levels: Levels,
    catalogue: catalogue::Counter,
    surveyor: Surveyor,
    staff: Roster,
    booth: Booth,
}

fn web_settings(
    config: &Config,
    metrics: &Arc<Metrics>,
    readiness: Readiness,
    behind: Behind,
) -> WebSettings {
    let metrics = Arc::clone(metrics);
    let loading = readiness.loading.clone();
    WebSettings {
        metrics: Arc::new(move || {
            let left = loading.borrow().count();
            metrics
                .plugins_loading
                .set(i64::try_from(left).unwrap_or(i64::MAX));
            metrics.encode()
        }),
        ready: Arc::new(move || readiness.say()),
        intake: Arc::new(behind.counter),
        records: Arc::new(behind.desk),
        control: Arc::new(behind.levers),
        catalogue: Arc::new(behind.catalogue),
        survey: Arc::new(behind.surveyor),
        announcer: Arc::new(behind.announcing),
        plans: Arc::new(behind.planning),
        levels: Arc::new(behind.levels),
        figures: Arc::new(behind.almanac),
        staff: Arc::new(behind.staff),
        console: Arc::new(behind.booth),
        own_authority: config.server.public_url.as_deref().and_then(authority),
        max_followers_per_address: config.server.followers_per_address,
        ..WebSettings::default()
    }
}

/// Waits for connections at `wanted`, which stands under `key`; says why it cannot.
async fn listen(wanted: SocketAddr, key: &str) -> Option<TcpListener> {
    match TcpListener::bind(wanted).await {
        Ok(listener) => Some(listener),
        Err(problem) => {
            complain(&format!(
                "cannot listen on {wanted}: {problem}; choose another `{key}` under [server]"
            ));
            None
        }
    }
}

/// Where people find the pages below `/admin`: that of the last listener.
fn admin_url(config: &Config, listeners: &[SocketAddr]) -> String {
    match listeners {
        [address] => page_url(config, *address),
        [.., admin] => format!("http://{admin}"),
        [] => String::new(),
    }
}

/// The host and port of a URL, as browsers write them.
fn authority(url: &str) -> Option<Arc<str>> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split('/').next()?;
    (!authority.is_empty()).then(|| authority.into())
}

/// Hands each new view to the page, off the tasks that check and decide.
async fn publish(web: Web, mut views: watch::Receiver<watchkeeper_web::View>) {
    while views.changed().await.is_ok() {
        let view = views.borrow_and_update().clone();
        let web = web.clone();
        if tokio::task::spawn_blocking(move || web.publish(view))
            .await
            .is_err()
        {
            error!("the page could not be made");
        }
    }
}

/// Shows who works with the host which plugins there are.
async fn follow_shelf(
    mut shelf: watch::Receiver<Arc<crate::plugins::Shelf>>,
    shown: watch::Sender<Arc<crate::plugins::Shelf>>,
) {
    loop {
        shown.send_replace(Arc::clone(&shelf.borrow_and_update()));
        if shelf.changed().await.is_err() {
            return;
        }
    }
}

async fn prune(store: Arc<dyn Store>) {
    let mut hours = tokio::time::interval(PRUNE_EVERY);
    loop {
        hours.tick().await;
        if let Err(problem) = store.prune(clock::wall()).await {
            error!(%problem, "old readings cannot be removed");
        }
    }
}

async fn until_asked_to_stop() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => {}
        interrupted = tokio::signal::ctrl_c() => interrupted?,
    }
    Ok(())
}

async fn join(what: &str, task: tokio::task::JoinHandle<()>) {
    if let Err(problem) = task.await
        && problem.is_panic()
    {
        error!("{what} broke down");
    }
}
