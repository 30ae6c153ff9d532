//! The address that a check is about.

use std::fmt;

use crate::{Stop, Url};

/// The address that a check is about, as the operator wrote it.
///
/// Where a call takes a URL, a target will do: `http::get(target)`.
#[derive(Clone, PartialEq, Eq)]
pub struct Target(String);

impl Target {
    /// Takes any text: the methods that take it apart say what is wrong with it.
    pub fn new(target: impl Into<String>) -> Self {
        Self(target.into())
    }

    /// As the operator wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The target as a URL; [`Stop::Misconfigured`] where it is none.
    pub fn url(&self) -> Result<Url, Stop> {
        Url::parse(&self.0).map_err(|error| self.unfit(&error))
    }

    /// The URL's host, an IPv6 address without its brackets.
    pub fn host(&self) -> Result<String, Stop> {
        let url = self.url()?;
        Ok(url.host().ok_or_else(|| self.unfit(&"no host"))?.to_owned())
    }

    /// The URL's port; [`Stop::Misconfigured`] where it has none and its scheme
    /// implies none.
    pub fn port(&self) -> Result<u16, Stop> {
        self.url()?
            .port_or_default()
            .ok_or_else(|| self.unfit(&"no port: write host:port"))
    }

    /// The stop that says what about this target cannot work.
    pub fn unfit(&self, why: &dyn fmt::Display) -> Stop {
        Stop::Misconfigured(format!("target {self}: {why}"))
    }
}

impl AsRef<str> for Target {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// Without the password, where it is a URL with one.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Url::parse(&self.0) {
            Ok(url) if url.credentials().is_some() => url.fmt(f),
            Ok(_) | Err(_) => f.write_str(&self.0),
        }
    }
}

/// Without the password, where it is a URL with one.
impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_target_lacks_is_named() {
        let target = Target::new("tcp://db");
        assert_eq!(target.host().unwrap(), "db");
        let stop = target.port().unwrap_err();
        assert_eq!(
            stop,
            Stop::Misconfigured("target tcp://db: no port: write host:port".to_owned())
        );
        let stop = Target::new("dns:a.test").host().unwrap_err();
        assert_eq!(
            stop,
            Stop::Misconfigured("target dns:a.test: no host".to_owned())
        );
    }

    #[test]
    fn a_password_stays_out_of_messages() {
        let target = Target::new("http://u:secret@a.test:99999/");
        assert!(
            !Target::new("http://u:secret@a.test/")
                .to_string()
                .contains("secret")
        );
        assert!(target.url().is_err());
    }
}
