//! Announcements, for whoever asks the web for them or wants them otherwise.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;
use watchkeeper_engine::time::Timestamp;
use watchkeeper_web::{AnnounceWish, Announced, Announcer, NotAnnounced, NoteKind, Said};

use crate::board::announced::{Announcement, Form, Kind, Refused, Says, Wish};
use crate::clock;
use crate::orders::Order;

/// How long somebody waits to hear that it is done: less than browsers wait.
const PATIENCE: Duration = Duration::from_secs(8);

/// Every announcement, in the order in which they are shown.
pub(crate) type AllAnnounced = Arc<[Arc<Announcement>]>;

/// Where announcements are looked up and changed.
pub(crate) struct Announcing {
    pub(crate) announced: watch::Receiver<AllAnnounced>,
    pub(crate) orders: mpsc::Sender<Order>,
}

impl Announcer for Announcing {
    fn announcements(&self) -> Vec<Announced> {
        let now = clock::wall();
        let all = Arc::clone(&self.announced.borrow());
        all.iter().map(|it| record(it, now)).collect()
    }

    fn announce(
        &self,
        wish: AnnounceWish,
        revision: Option<u32>,
        by: Arc<str>,
    ) -> BoxFuture<'_, Result<Announced, NotAnnounced>> {
        let (reply, answer) = oneshot::channel();
        let wish = match wish {
            AnnounceWish::Make(said) => Wish::Make(says(said)),
            AnnounceWish::Change(id, said) => Wish::Change(id, says(said)),
            AnnounceWish::Remove(id) => Wish::Remove(id),
        };
        let order = Order::Announce {
            wish: Box::new(wish),
            revision,
            by,
            reply,
        };
        let wishing = async move {
            let sent = self.orders.send(order).await;
            sent.map_err(|_| NotAnnounced::Busy)?;
            match answer.await {
                Ok(Ok(announcement)) => Ok(record(&announcement, clock::wall())),
                Ok(Err(Refused::Unknown)) => Err(NotAnnounced::Unknown),
                Ok(Err(Refused::Stale)) => Err(NotAnnounced::Stale),
                Ok(Err(Refused::Full)) => Err(NotAnnounced::Full),
                Ok(Err(Refused::Wrong(mistakes))) => Err(NotAnnounced::Wrong(mistakes)),
                Err(_) => Err(NotAnnounced::Busy),
            }
        };
        Box::pin(async move {
            timeout(PATIENCE, wishing)
                .await
                .unwrap_or(Err(NotAnnounced::Busy))
        })
    }
}

/// What kind of announcement the page shows.
pub(crate) const fn shown_kind(kind: Kind) -> NoteKind {
    match kind {
        Kind::Information => NoteKind::Information,
        Kind::Warning => NoteKind::Warning,
        Kind::Outage => NoteKind::Outage,
        Kind::Operational => NoteKind::Operational,
    }
}

fn record(announcement: &Announcement, now: Timestamp) -> Announced {
    let says = &announcement.says;
    Announced {
        id: Arc::clone(&announcement.id),
        revision: announcement.revision,
        created: announcement.created_at,
        updated: announcement.updated_at,
        is_shown: announcement.is_shown(now),
        said: Said {
            kind: shown_kind(says.kind),
            title: says.title.clone(),
            text: says.text.clone(),
            is_markdown: says.form == Form::Markdown,
            from: says.from,
            until: says.until,
            pinned: says.pinned,
        },
        by: Arc::clone(&announcement.by),
    }
}

fn says(said: Said) -> Says {
    Says {
        kind: match said.kind {
            NoteKind::Information => Kind::Information,
            NoteKind::Warning => Kind::Warning,
            NoteKind::Outage => Kind::Outage,
            NoteKind::Operational => Kind::Operational,
        },
        title: said.title,
        text: said.text,
        form: if said.is_markdown {
            Form::Markdown
        } else {
            Form::Plain
        },
        from: said.from,
        until: said.until,
        pinned: said.pinned,
    }
}
