//! The way of programs to the parts of the configuration.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value as Json;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;
use watchkeeper_config::item_schema;
use watchkeeper_web::{
    self as web, Catalogue, ItemKind, ItemRecord, Mode, NotEdited, Posted, Wish,
};

use crate::items::kind_of;
use crate::reload::{Ask, Edit};

/// How long somebody waits to hear what became of an edit. Plugins may look at what
/// they are given, for some seconds each.
const PATIENCE: Duration = Duration::from_secs(30);

/// See the module.
pub(crate) struct Counter {
    pub(crate) edits: mpsc::Sender<Edit>,
    pub(crate) items: watch::Receiver<Arc<Vec<ItemRecord>>>,
}

impl Catalogue for Counter {
    fn items(&self) -> Arc<Vec<ItemRecord>> {
        Arc::clone(&self.items.borrow())
    }

    fn edit(&self, wishes: Vec<Wish>, mode: Mode, by: Arc<str>) -> web::Edit<'_> {
        self.ask(Ask::Wishes(wishes), mode, by)
    }

    fn apply(&self, posted: Posted, mode: Mode, by: Arc<str>) -> web::Edit<'_> {
        self.ask(Ask::Posted(posted), mode, by)
    }

    fn schema(&self, kind: ItemKind) -> Json {
        item_schema(kind_of(kind))
    }
}

impl Counter {
    fn ask(&self, what: Ask, mode: Mode, by: Arc<str>) -> web::Edit<'_> {
        let (reply, answer) = oneshot::channel();
        let edit = Edit {
            what,
            mode,
            by,
            reply,
        };
        let editing = async move {
            self.edits.send(edit).await.ok()?;
            answer.await.ok()
        };
        Box::pin(async move {
            let done = timeout(PATIENCE, editing).await;
            done.ok().flatten().unwrap_or(Err(NotEdited::Busy))
        })
    }
}
