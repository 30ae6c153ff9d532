//! The bundled plugins as they are loaded: first those that are used, then, with
//! what checks leave of the processors, the others.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

use futures::StreamExt as _;
use futures::stream;
use watchkeeper_sandbox::Sandbox;

use super::{Good, good};
use crate::bundled;

/// How many are unpacked and described side by side where somebody waits.
const LOAD_SIDE_BY_SIDE: usize = 4;

/// See the module.
pub(super) struct Bundle {
    sandbox: Sandbox,
    /// What was loaded, by name.
    pub(super) loaded: BTreeMap<&'static str, Good>,
    /// The names of those that nobody has tried to load.
    pub(super) waiting: BTreeSet<&'static str>,
}

/// A bundled plugin's name, and the plugin if it could be loaded.
pub(super) type Tried = (&'static str, Option<Good>);

impl Bundle {
    /// With nothing loaded.
    pub(super) fn new(sandbox: Sandbox) -> Self {
        Self {
            sandbox,
            loaded: BTreeMap::new(),
            waiting: bundled::names().collect(),
        }
    }

    /// Loads those of `names` that wait, and calls `done` for each.
    pub(super) async fn load(
        &mut self,
        names: BTreeSet<&'static str>,
        mut done: impl FnMut(&'static str),
    ) {
        let waiting = names.intersection(&self.waiting).copied();
        let loads: Vec<_> = waiting
            .map(|name| try_load(self.sandbox.clone(), name, Wait::Yes))
            .collect();
        let mut loads = stream::iter(loads).buffered(LOAD_SIDE_BY_SIDE);
        while let Some(tried) = loads.next().await {
            done(tried.0);
            self.take(tried);
        }
    }

    /// Loads one of those that nobody waits for.
    pub(super) fn load_next(&self) -> Option<impl Future<Output = Tried> + Send + use<>> {
        let name = *self.waiting.first()?;
        Some(try_load(self.sandbox.clone(), name, Wait::No))
    }

    /// Takes in what was loaded; false if it was not waited for any more.
    pub(super) fn take(&mut self, (name, loaded): Tried) -> bool {
        let news = self.waiting.remove(name);
        if let (true, Some(good)) = (news, loaded) {
            self.loaded.insert(name, good);
        }
        news
    }
}

/// Whether somebody waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wait {
    Yes,
    No,
}

async fn try_load(sandbox: Sandbox, name: &'static str, wait: Wait) -> Tried {
    let unpacked = tokio::task::spawn_blocking(move || bundled::component(name));
    let loaded = match unpacked.await {
        Ok(Some(Ok(bytes))) => match wait {
            Wait::Yes => good(sandbox.load(bytes).await),
            Wait::No => good(sandbox.load_idly(bytes).await),
        },
        Ok(Some(Err(error))) => Err(format!("cannot be unpacked: {error}")),
        Ok(None) => Err("is not bundled".to_owned()),
        // The runtime ends.
        Err(_) => return (name, None),
    };
    let loaded = loaded
        .inspect_err(|reason| tracing::error!(plugin = name, %reason, "bundled plugin not loaded"))
        .ok();
    (name, loaded)
}
