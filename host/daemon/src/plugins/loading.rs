//! What is still to be loaded after a start, for whoever waits for it.

use std::collections::BTreeSet;
use std::fmt;

/// How many are named before the others are only counted.
const NAMED: usize = 3;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Loading {
    /// Waited for: bundled plugins that are used, by name, and files of the folder.
    pub(crate) awaited: BTreeSet<String>,
    /// The bundled plugins that nothing uses, by name. Checks do not wait for them.
    pub(crate) rest: BTreeSet<&'static str>,
}

impl Loading {
    /// How many there are in all.
    pub(crate) fn count(&self) -> usize {
        self.awaited.len() + self.rest.len()
    }

    /// It is there, or cannot be.
    pub(super) fn done(&mut self, name: &str) {
        self.awaited.remove(name);
        self.rest.remove(name);
    }

    /// Waits for these bundled plugins from now on.
    pub(super) fn wait_for(&mut self, names: impl Iterator<Item = &'static str>) {
        for name in names {
            self.rest.remove(name);
            self.awaited.insert(name.to_owned());
        }
    }
}

/// What is waited for: `http, tcp and 2 more`; nothing if nothing is.
impl fmt::Display for Loading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named: Vec<&str> = self
            .awaited
            .iter()
            .take(NAMED)
            .map(String::as_str)
            .collect();
        f.write_str(&named.join(", "))?;
        match self.awaited.len().saturating_sub(NAMED) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_reads_for_what() {
        let mut loading = Loading::default();
        assert_eq!(loading.to_string(), "");
        loading.rest.extend(["amqp", "dns", "http", "tcp", "tls"]);
        assert_eq!(loading.to_string(), "");
        loading.wait_for(["http", "tcp"].into_iter());
        assert_eq!(loading.to_string(), "http, tcp");
        loading.wait_for(["amqp", "tls"].into_iter());
        assert_eq!(loading.to_string(), "amqp, http, tcp and 1 more");
        assert_eq!((loading.count(), loading.rest.len()), (5, 1));
        loading.done("amqp");
        loading.done("dns");
        assert_eq!(loading.to_string(), "http, tcp, tls");
        assert_eq!(loading.count(), 3);
    }
}
