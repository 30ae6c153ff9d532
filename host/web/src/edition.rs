//! The page in one language: its parts as they were last made, who follows it, and
//! the page as it was last put together.
//!
//! A language that nobody follows and nobody asks for costs nothing: it takes over
//! what was published since when somebody asks.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use tokio::sync::broadcast;
use tokio::time::Instant;

use crate::events::{BACKLOG, Events, Joined};
use crate::fragments::Fragments;
use crate::incidents;
use crate::locale::Language;
use crate::page::Built;
use crate::report;
use crate::view::{ServiceView, View};

/// How often figures that moved are sent to those who follow the page, at most.
const QUIET_EVERY: Duration = Duration::from_secs(5);

/// How much of such figures a follower is sent in a second, in bytes: a long page
/// is sent them less often.
const QUIET_BYTES_PER_SECOND: usize = 8 * 1024;

/// How often those who follow the page hear that checks go on, at most.
const TICK_EVERY: Duration = Duration::from_secs(1);

/// What was published last.
pub(crate) struct Current {
    /// What the public sees, and nothing else.
    pub(crate) view: View,
    /// Every service, with what the public does not see.
    pub(crate) services: Vec<Arc<ServiceView>>,
    pub(crate) revision: u64,
    /// Vigil's word for it.
    pub(crate) word: &'static str,
}

/// The page in one language.
pub(crate) struct Edition {
    language: Language,
    events: broadcast::Sender<Bytes>,
    published: Mutex<Option<Published>>,
    /// Since when the page that was built is not the newest.
    outdated_since: Mutex<Option<Instant>>,
    pub(crate) built: ArcSwapOption<Built>,
    /// Held by who makes the page.
    pub(crate) building: Arc<tokio::sync::Mutex<()>>,
}

/// What to do with the page that was built.
pub(crate) enum Freshness {
    Newest,
    Recent,
    Outdated,
}

struct Published {
    fragments: Fragments,
    /// All parts of the page as events, once someone needed them.
    everything: Option<(u64, Bytes)>,
    quiet_told: Instant,
    ticked: Instant,
}

impl Edition {
    pub(crate) fn new(language: Language) -> Self {
        let (events, _) = broadcast::channel(BACKLOG);
        Self {
            language,
            events,
            published: Mutex::new(None),
            outdated_since: Mutex::new(None),
            built: ArcSwapOption::empty(),
            building: Arc::default(),
        }
    }

    /// Notes that something was published, and tells those who follow.
    pub(crate) fn publish(&self, current: &Current) {
        lock(&self.outdated_since).get_or_insert_with(Instant::now);
        if self.events.receiver_count() > 0 {
            self.with(current, |_| ());
        }
    }

    /// Begins to follow the page. `since` is the revision that the follower has,
    /// if it has one.
    pub(crate) fn join(&self, current: &Current, since: Option<u64>) -> Joined {
        self.with(current, |published| Joined {
            first: published.welcome(since),
            events: self.events.subscribe(),
        })
    }

    /// As [`Self::join`], for a follower that has lost what it should have.
    pub(crate) fn rejoin(&self, current: &Current) -> Joined {
        self.with(current, |published| Joined {
            first: published.everything(),
            events: self.events.subscribe(),
        })
    }

    /// How old the page that was built is; one that was superseded less than `grace`
    /// ago is recent.
    pub(crate) fn freshness(&self, grace: Duration) -> Freshness {
        match *lock(&self.outdated_since) {
            None => Freshness::Newest,
            Some(since) if since.elapsed() < grace => Freshness::Recent,
            Some(_) => Freshness::Outdated,
        }
    }

    /// Puts the page together and packs it, which takes milliseconds. `newest` says
    /// what the newest revision is by then.
    pub(crate) fn build(&self, current: &Current, newest: impl Fn() -> u64) -> Arc<Built> {
        let (revision, shape, page, report) = self.with(current, |published| {
            let fragments = &published.fragments;
            (
                fragments.revision(),
                fragments.shape().to_owned(),
                fragments.page(),
                report::report(fragments.view()),
            )
        });
        let built = Arc::new(Built::new(revision, &shape, page, report));
        self.built.store(Some(Arc::clone(&built)));
        let mut outdated = lock(&self.outdated_since);
        *outdated = (newest() != built.revision).then(Instant::now);
        drop(outdated);
        built
    }

    /// What is published in this language, once it has taken over what is current.
    fn with<T>(&self, current: &Current, ask: impl FnOnce(&mut Published) -> T) -> T {
        let mut published = lock(&self.published);
        let known = published.get_or_insert_with(|| {
            let view = current.view.clone();
            Published::new(Fragments::new(view, current.revision, self.language))
        });
        if known.fragments.revision() < current.revision {
            known.advance(current.view.clone(), current.revision, &self.events);
        }
        ask(known)
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
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
