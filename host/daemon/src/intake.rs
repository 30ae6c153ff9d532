//! What the outside says: who may say it, and its way to the one task that
//! decides.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, timeout};
use tracing::error;
use watchkeeper_config::Config;
use watchkeeper_config::passive::Passive;
use watchkeeper_config::secret::Secret;
use watchkeeper_engine::id::{MonitorId, ServiceId};
use watchkeeper_engine::time::Timestamp;
use watchkeeper_store::{Digest, Scope, Store};
use watchkeeper_web::{Access, Admission, Intake, Kind, Refusal, Told};

use crate::aside::Aside;
use crate::clock;
use crate::figures::Catalogue;

/// How many messages may wait to be taken in. Who comes then waits for a place,
/// within [`PATIENCE`].
pub(crate) const QUEUE: usize = 4_096;

/// How long who says something waits to hear that it was taken in: less than
/// clients wait.
const PATIENCE: Duration = Duration::from_secs(8);

/// Something that was said, on its way.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) told: Told,
    /// When it was said.
    pub(crate) at: Instant,
    /// Who waits to hear how it was taken.
    pub(crate) reply: oneshot::Sender<Result<(), Refusal>>,
}

/// Who may say what. Secrets are here as digests: comparing those, in constant
/// time or as keys of a map, tells nothing about the secrets.
pub(crate) struct Keys {
    reporter: Option<Digest>,
    manager: Option<Digest>,
    heartbeats: HashMap<Digest, MonitorId>,
    kinds: HashMap<MonitorId, Kind>,
    /// The present configuration.
    pub(crate) config: Config,
    /// What the services are called.
    pub(crate) services: HashMap<ServiceId, Arc<str>>,
    /// What can be summed up.
    pub(crate) catalogue: Catalogue,
    /// What the public must not know of.
    pub(crate) private: Arc<HashSet<MonitorId>>,
    /// What readers of the page are asked for.
    reader: Option<Digest>,
}

impl Keys {
    /// What `config` says.
    pub(crate) fn of(config: &Config) -> Self {
        let mut heartbeats = HashMap::new();
        let mut kinds = HashMap::new();
        for monitor in config.monitors() {
            let kind = match &monitor.passive {
                None => Kind::Asks,
                Some(Passive::Push { .. }) => Kind::Push,
                Some(Passive::Local { .. }) => Kind::Local,
                Some(Passive::Heartbeat { token, .. }) => {
                    heartbeats.insert(digest(token.expose()), monitor.id.clone());
                    Kind::Heartbeat
                }
                Some(Passive::Manual) => Kind::Manual,
            };
            kinds.insert(monitor.id.clone(), kind);
        }
        let reporter = config.vigil.reporter_token.as_ref().map(Secret::expose);
        Self {
            reporter: reporter.map(digest),
            manager: config
                .vigil
                .manager_token
                .as_ref()
                .map(|token| digest(token.expose())),
            heartbeats,
            kinds,
            config: config.clone(),
            private: Arc::new(private(config)),
            reader: config
                .page
                .password
                .as_ref()
                .map(|password| digest(password.expose())),
            services: config
                .services
                .iter()
                .filter(|service| service.monitors.iter().any(|each| !each.private))
                .map(|service| (service.id.clone(), Arc::clone(&service.label)))
                .collect(),
            catalogue: Catalogue::of(config),
        }
    }
}

/// The monitors that the public must not know of.
pub(crate) fn private(config: &Config) -> HashSet<MonitorId> {
    let private = config.monitors().filter(|monitor| monitor.private);
    private.map(|monitor| monitor.id.clone()).collect()
}

/// Whether the password is the secret with this digest.
fn opens(secret: Option<Digest>, password: &str) -> Admission {
    match secret {
        None => Admission::NoDoor,
        Some(secret) if bool::from(secret.ct_eq(&digest(password))) => Admission::Granted,
        Some(_) => Admission::Refused,
    }
}

/// The SHA-256 of a secret.
pub(crate) fn digest(secret: &str) -> Digest {
    Sha256::digest(secret.as_bytes()).into()
}

/// Where the outside is listened to.
pub(crate) struct Counter {
    pub(crate) keys: watch::Receiver<Arc<Keys>>,
    pub(crate) messages: mpsc::Sender<Message>,
    pub(crate) asides: mpsc::Sender<Aside>,
    /// Until when nobody is reminded.
    pub(crate) hushed: watch::Receiver<Option<Timestamp>>,
    pub(crate) store: Arc<dyn Store>,
}

impl Intake for Counter {
    fn admits_reporter(&self, password: &str) -> Admission {
        opens(self.keys.borrow().reporter, password)
    }

    fn admits_manager(&self, password: &str) -> Admission {
        opens(self.keys.borrow().manager, password)
    }

    fn admits_reader(&self, password: &str) -> Admission {
        opens(self.keys.borrow().reader, password)
    }

    fn hushed_for(&self) -> Option<Duration> {
        let until = (*self.hushed.borrow())?;
        let left = until.since(clock::wall());
        (!left.is_zero()).then_some(left)
    }

    fn hush(&self, span: Duration) -> BoxFuture<'_, Result<(), Refusal>> {
        let (done, answer) = oneshot::channel();
        let hushing = async move {
            self.asides.send(Aside::Hush { span, done }).await.ok()?;
            answer.await.ok()
        };
        Box::pin(async move {
            let hushed = timeout(PATIENCE, hushing).await;
            hushed.ok().flatten().ok_or(Refusal::Busy)
        })
    }

    fn heartbeat(&self, token: &str) -> Option<MonitorId> {
        self.keys.borrow().heartbeats.get(&digest(token)).cloned()
    }

    fn access(&self, token: &str) -> BoxFuture<'_, Result<Option<Access>, Refusal>> {
        let found = self.store.token(digest(token));
        Box::pin(async move {
            let token = found.await.map_err(|problem| {
                error!(%problem, "tokens cannot be looked up");
                Refusal::Busy
            })?;
            let token = token.filter(|token| token.is_good(clock::wall()));
            Ok(token.map(|token| Access {
                name: token.name.as_str().into(),
                read: token.may(Scope::Read),
                report: token.may(Scope::Report),
                write: token.may(Scope::Write),
                admin: token.may(Scope::Admin),
            }))
        })
    }

    fn kind(&self, monitor: &MonitorId) -> Option<Kind> {
        self.keys.borrow().kinds.get(monitor).copied()
    }

    fn take(&self, told: Told) -> BoxFuture<'_, Result<(), Refusal>> {
        let (reply, answer) = oneshot::channel();
        let message = Message {
            told,
            at: Instant::now(),
            reply,
        };
        let taking = async move {
            self.messages
                .send(message)
                .await
                .map_err(|_| Refusal::Busy)?;
            answer.await.unwrap_or(Err(Refusal::Busy))
        };
        Box::pin(async move {
            timeout(PATIENCE, taking)
                .await
                .unwrap_or(Err(Refusal::Busy))
        })
    }
}
