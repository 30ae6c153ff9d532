//! Changes of the parts that stand in no file: judged as a whole configuration is,
//! kept, and in use at once.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value as Json;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tracing::{error, info};
use watchkeeper_config::items::{Item, ItemKey, Made};
use watchkeeper_config::{Config, Loaded, Problem};
use watchkeeper_web::{ItemChange, ItemRecord, Mode, NotEdited, Posted, Wish};

use super::Reload;
use crate::assignment::{assign, validate};
use crate::clock;
use crate::items::{self, Kept, LeaveOut, Masks, Step, blamed, faults, mask, merge, web_kind};
use crate::plugins::{Demand, Shelf};
use crate::survey;

/// How many edits may wait to be made.
pub(crate) const QUEUE: usize = 64;

/// How long an edit waits for a plugin that nothing used until now: less than whoever
/// asked waits for the edit.
const PATIENCE: Duration = Duration::from_secs(25);

/// The most parts that are kept.
const MOST: usize = 20_000;

/// Something that somebody wants changed.
pub(crate) struct Edit {
    pub(crate) what: Ask,
    pub(crate) mode: Mode,
    pub(crate) by: Arc<str>,
    /// Who waits to hear what became of it.
    pub(crate) reply: oneshot::Sender<Result<Vec<ItemChange>, NotEdited>>,
}

/// What is asked for.
pub(crate) enum Ask {
    /// Single changes.
    Wishes(Vec<Wish>),
    /// A whole configuration.
    Posted(Posted),
}

impl Reload {
    /// Makes an edit, and says what became of it.
    pub(super) async fn edit(&mut self, edit: Edit) {
        let Edit {
            what,
            mode,
            by,
            reply,
        } = edit;
        let done = self.make(what, mode, &by).await;
        // Whoever asked may have left.
        _ = reply.send(done);
    }

    async fn make(
        &mut self,
        what: Ask,
        mode: Mode,
        by: &str,
    ) -> Result<Vec<ItemChange>, NotEdited> {
        let mut kept = self.kept.clone();
        let wishes = match what {
            Ask::Wishes(wishes) => wishes,
            Ask::Posted(posted) => items::wishes_of(&posted, &kept)?,
        };
        let steps = items::grant(wishes, &mut kept, &self.items, clock::wall())?;
        if kept.len() > MOST {
            let what = format!("at most {MOST} parts are kept");
            return Err(NotEdited::Wrong(vec![watchkeeper_web::Fault {
                item: String::new(),
                key: String::new(),
                what,
                instead: None,
            }]));
        }
        let changed = self.tell(&steps);
        if steps.is_empty() {
            return Ok(changed);
        }
        let (loaded, kept) = self.judge(kept, &steps).await?;
        if mode == Mode::Try {
            return Ok(changed);
        }
        let changes = steps.iter().map(|step| step.change.clone()).collect();
        if let Err(problem) = self.store.change_items(changes).await {
            error!(%problem, "the configuration cannot be kept");
            return Err(NotEdited::Busy);
        }
        for step in &steps {
            let how = match (&step.before, &step.after) {
                (None, _) => "made",
                (_, None) => "removed",
                _ => "changed",
            };
            info!(item = %step.key, how, by, "configuration edited");
        }
        self.take_over(loaded, kept);
        self.publish();
        Ok(changed)
    }

    /// The configuration that `kept` amounts to, unless it is wrong.
    async fn judge(
        &self,
        kept: Vec<Kept>,
        steps: &[Step],
    ) -> Result<(Loaded, Vec<Kept>), NotEdited> {
        let texts = self.texts.clone();
        let merging = tokio::task::spawn_blocking(move || {
            let mut kept = kept;
            let env = |name: &str| std::env::var(name).ok();
            merge(&texts, &mut kept, LeaveOut::Troubled, &env).map(|loaded| (loaded, kept))
        });
        let (loaded, kept) = merging
            .await
            .map_err(|_| NotEdited::Busy)?
            .map_err(|problems| NotEdited::Wrong(faults(&problems.list)))?;
        // What has just been written must be in use afterwards.
        let idle: Vec<Problem> = kept
            .iter()
            .filter(|kept| steps.iter().any(|step| step.key == kept.text.key))
            .filter_map(|kept| {
                let what = kept.trouble.clone()?;
                Some(problem_of(&kept.text.key, what))
            })
            .collect();
        if !idle.is_empty() {
            return Err(NotEdited::Wrong(faults(&idle)));
        }
        let shelf = self.shelf_for(&loaded.config).await?;
        let (assignments, mut problems) = assign(&loaded.config, &shelf, &self.own_listeners);
        problems.extend(validate(&assignments).await);
        // What a plugin has against parts that nobody touches now is no reason.
        problems.retain(|problem| {
            blamed(problem).is_some_and(|source| {
                let touched = |kept: &&Kept| steps.iter().any(|it| it.key == kept.text.key);
                kept.iter()
                    .filter(touched)
                    .any(|kept| kept.text.source() == source)
            })
        });
        if problems.is_empty() {
            Ok((loaded, kept))
        } else {
            Err(NotEdited::Wrong(faults(&problems)))
        }
    }

    /// The plugins, once all that `config` uses are loaded: what a part may reach, and
    /// what its plugin has against it, is not known before.
    async fn shelf_for(&self, config: &Config) -> Result<Arc<Shelf>, NotEdited> {
        let demand = Arc::new(Demand::of(config));
        self.demand.send_replace(Arc::clone(&demand));
        let mut shelf = self.shelf.clone();
        let there = shelf.wait_for(|shelf| shelf.coming.is_disjoint(&demand.used));
        let there = match timeout(PATIENCE, there).await {
            Ok(Ok(shelf)) => Some(Arc::clone(&shelf)),
            Ok(Err(_)) | Err(_) => None,
        };
        if there.is_none() {
            let now = Arc::new(Demand::of(&self.config));
            self.demand.send_replace(now);
        }
        there.ok_or(NotEdited::Busy)
    }

    /// What became of parts, as people may see it.
    fn tell(&self, steps: &[Step]) -> Vec<ItemChange> {
        let shelf = Arc::clone(&self.shelf.borrow());
        let shown = |key: &ItemKey, json: Option<&Json>| json.map(|json| mask(key, json, &shelf));
        let changed = steps.iter().map(|step| ItemChange {
            kind: web_kind(step.key.kind),
            id: step.key.id.clone(),
            before: shown(&step.key, step.before.as_ref()),
            after: shown(&step.key, step.after.as_ref()),
        });
        changed.collect()
    }

    /// Shows the parts and the plugins as they are.
    pub(super) fn show_items(&self) {
        let shelf = Arc::clone(&self.shelf.borrow());
        self.shown
            .send_replace(Arc::new(records(&self.items, &self.kept, &shelf)));
        let plugins = survey::plugins(&shelf, &self.config.plugins);
        self.shown_plugins.send_replace(Arc::new(plugins));
    }
}

/// The parts as programs see them: those in use in the order of the configuration, and
/// then what is kept and not in use.
pub(crate) fn records(written: &[Item], kept: &[Kept], shelf: Masks<'_>) -> Vec<ItemRecord> {
    let find = |key: &ItemKey| kept.iter().find(|kept| kept.text.key == *key);
    let used = written.iter().map(|item| {
        let config = mask(&item.key, &item.json, shelf);
        let own = match item.made {
            Made::Api => find(&item.key),
            Made::File => None,
        };
        match own {
            Some(kept) => record_of(kept, config),
            None => ItemRecord {
                kind: web_kind(item.key.kind),
                id: item.key.id.clone(),
                place: Some(item.place.to_string()),
                tag: digest(&config),
                config,
                created: None,
                updated: None,
                trouble: None,
            },
        }
    });
    let idle = kept.iter().filter(|kept| kept.trouble.is_some());
    let idle = idle.map(|kept| record_of(kept, mask(&kept.text.key, &kept.text.json, shelf)));
    used.chain(idle).collect()
}

fn record_of(kept: &Kept, config: Json) -> ItemRecord {
    ItemRecord {
        kind: web_kind(kept.text.key.kind),
        id: kept.text.key.id.clone(),
        config,
        place: None,
        tag: kept.version.to_string(),
        created: Some(kept.created_at),
        updated: Some(kept.updated_at),
        trouble: kept.trouble.clone(),
    }
}

/// What tells one text of a file from another.
fn digest(config: &Json) -> String {
    let digest = crate::intake::digest(&config.to_string());
    let eight = digest.iter().take(8);
    let number = eight.fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    format!("file-{number:016x}")
}

fn problem_of(key: &ItemKey, what: String) -> Problem {
    Problem {
        place: None,
        key: key.to_string(),
        what,
        instead: None,
        related: Vec::new(),
        snippet: None,
    }
}
