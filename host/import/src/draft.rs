//! A native configuration before it is written.

use crate::report::Place;

/// A value of the native configuration.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Term {
    Bool(bool),
    Integer(i64),
    Float(f64),
    /// A text that stands for itself.
    Text(String),
    /// A text of a `config` table with references `${NAME}`, escaped already.
    Referring(String),
    /// The variable of that name, as a secret.
    Variable(String),
    /// A moment as TOML writes it.
    Time(String),
    List(Vec<Self>),
    Table(Keys),
}

impl From<&str> for Term {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Term {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Term {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Term {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<f64> for Term {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<Keys> for Term {
    fn from(keys: Keys) -> Self {
        Self::Table(keys)
    }
}

impl<T: Into<Self>> From<Vec<T>> for Term {
    fn from(items: Vec<T>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}

/// The keys of a table, in the order in which they are to be written.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Keys(pub(crate) Vec<(String, Term)>);

impl Keys {
    /// Sets a key: `expect.status` is `status` of the table `expect`.
    pub(crate) fn set(&mut self, path: &str, term: impl Into<Term>) -> &mut Self {
        self.entry(path, |slot| *slot = term.into());
        self
    }

    /// Sets a key, unless there is nothing to set it to.
    pub(crate) fn set_some(&mut self, path: &str, term: Option<impl Into<Term>>) -> &mut Self {
        if let Some(term) = term {
            self.set(path, term);
        }
        self
    }

    /// Sets a top-level key before all others.
    pub(crate) fn lead(&mut self, key: &str, term: impl Into<Term>) {
        self.0.retain(|(name, _)| name != key);
        self.0.insert(0, (key.to_owned(), term.into()));
    }

    /// Adds to the list of a key.
    pub(crate) fn push(&mut self, path: &str, term: impl Into<Term>) -> &mut Self {
        self.entry(path, |slot| {
            if !matches!(slot, Term::List(_)) {
                *slot = Term::List(Vec::new());
            }
            if let Term::List(items) = slot {
                items.push(term.into());
            }
        });
        self
    }

    /// Sets a key whose name may have dots in it, such as a header's.
    pub(crate) fn set_named(&mut self, path: &str, name: &str, term: impl Into<Term>) {
        self.entry(path, |slot| {
            if !matches!(slot, Term::Table(_)) {
                *slot = Term::Table(Self::default());
            }
            if let Term::Table(keys) = slot {
                *keys.slot(name) = term.into();
            }
        });
    }

    /// The value of a top-level key.
    pub(crate) fn get(&self, key: &str) -> Option<&Term> {
        let found = self.0.iter().find(|(name, _)| name == key);
        found.map(|(_, term)| term)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn slot(&mut self, key: &str) -> &mut Term {
        let at = self.0.iter().position(|(name, _)| name == key);
        let at = at.unwrap_or_else(|| {
            self.0.push((key.to_owned(), Term::Bool(false)));
            self.0.len() - 1
        });
        &mut self.0[at].1
    }

    fn entry(&mut self, path: &str, change: impl FnOnce(&mut Term)) {
        match path.split_once('.') {
            None => change(self.slot(path)),
            Some((first, rest)) => {
                let slot = self.slot(first);
                if !matches!(slot, Term::Table(_)) {
                    *slot = Term::Table(Self::default());
                }
                if let Term::Table(keys) = slot {
                    keys.entry(rest, change);
                }
            }
        }
    }
}

/// A whole configuration.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draft {
    pub(crate) server: Keys,
    pub(crate) page: Keys,
    pub(crate) defaults: Keys,
    pub(crate) network: Keys,
    pub(crate) canaries: Keys,
    pub(crate) vigil: Keys,
    /// Where the keys of `vigil` come from.
    pub(crate) vigil_place: Place,
    pub(crate) services: Vec<Service>,
    pub(crate) channels: Vec<Channel>,
    pub(crate) routes: Vec<Route>,
    pub(crate) maintenances: Vec<Maintenance>,
}

/// A `[[service]]`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Service {
    pub(crate) id: String,
    pub(crate) keys: Keys,
    pub(crate) monitors: Vec<Monitor>,
}

/// A `[[service.monitor]]`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Monitor {
    pub(crate) id: String,
    pub(crate) place: Place,
    /// All keys but `id` and `config`.
    pub(crate) keys: Keys,
    pub(crate) config: Keys,
}

impl Monitor {
    /// Whether it is told how things are.
    pub(crate) fn is_passive(&self) -> bool {
        self.keys.get("passive").is_some()
    }
}

/// A `[[channel]]`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Channel {
    pub(crate) id: String,
    pub(crate) notifier: &'static str,
    pub(crate) config: Keys,
}

/// A `[[route]]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Route {
    pub(crate) place: Place,
    pub(crate) to: Vec<String>,
    /// Occasions; none for the default.
    pub(crate) on: Vec<&'static str>,
    /// Monitors as `service/monitor`; none for all.
    pub(crate) monitors: Option<Vec<String>>,
    /// The keys of `reminders`.
    pub(crate) reminders: Keys,
    pub(crate) reminders_only: bool,
}

/// A `[[maintenance]]`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Maintenance {
    pub(crate) place: Place,
    pub(crate) keys: Keys,
}
