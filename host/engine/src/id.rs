//! Names of things, each its own type so that two of them cannot be swapped.

use std::fmt;
use std::sync::Arc;

/// Why a text is not an identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidId {
    /// What is wrong, for people: `must start with a lower-case letter or digit`.
    pub problem: &'static str,
}

impl fmt::Display for InvalidId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.problem)
    }
}

impl std::error::Error for InvalidId {}

/// The longest identifier, in bytes.
pub const MAX_ID_LENGTH: usize = 64;

/// Checks `text` against `[a-z0-9][a-z0-9-]{0,63}`.
fn checked(text: &str) -> Result<Arc<str>, InvalidId> {
    let problem = if text.is_empty() {
        "must not be empty"
    } else if text.len() > MAX_ID_LENGTH {
        "must have at most 64 characters"
    } else if text.starts_with('-') {
        "must start with a lower-case letter or digit"
    } else if !text
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    {
        "may only contain lower-case letters, digits and `-`"
    } else {
        return Ok(text.into());
    };
    Err(InvalidId { problem })
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// Grammar: `[a-z0-9][a-z0-9-]{0,63}`. Cheap to clone.
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks the grammar.
            pub fn new(text: &str) -> Result<Self, InvalidId> {
                checked(text).map(Self)
            }

            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id! {
    /// The identifier of a service, unique in a configuration.
    ServiceId
}
id! {
    /// The identifier of a channel, unique in a configuration.
    ChannelId
}
id! {
    /// The identifier of a maintenance, unique over files and database.
    MaintenanceId
}
id! {
    /// The identifier of a route that has one, unique in a configuration.
    RouteId
}
id! {
    /// The part of a monitor's identifier that is unique within its service.
    MonitorName
}

/// A monitor: `service/monitor`, unique in a configuration. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MonitorId {
    service: ServiceId,
    name: MonitorName,
}

impl MonitorId {
    /// The monitor `name` of `service`.
    pub const fn new(service: ServiceId, name: MonitorName) -> Self {
        Self { service, name }
    }

    /// Reads `service/monitor`.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        let (service, name) = text.split_once('/').ok_or(InvalidId {
            problem: "must be written as `service/monitor`",
        })?;
        Ok(Self::new(ServiceId::new(service)?, MonitorName::new(name)?))
    }

    /// The service it belongs to.
    pub const fn service(&self) -> &ServiceId {
        &self.service
    }

    /// Its name within the service.
    pub const fn name(&self) -> &MonitorName {
        &self.name
    }
}

impl fmt::Display for MonitorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.service, self.name)
    }
}

/// A target of a monitor: the monitor and the address as the operator wrote it.
/// Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TargetId {
    monitor: MonitorId,
    address: Arc<str>,
}

impl TargetId {
    /// The target `address` of `monitor`.
    pub fn new(monitor: MonitorId, address: &str) -> Self {
        Self {
            monitor,
            address: address.into(),
        }
    }

    /// The monitor that checks it.
    pub const fn monitor(&self) -> &MonitorId {
        &self.monitor
    }

    /// The address as the operator wrote it.
    pub fn address(&self) -> &str {
        &self.address
    }
}

impl TargetId {
    /// The address without user information, query and fragment, which may hold
    /// secrets: for pages, notices, metrics and logs.
    pub fn public_address(&self) -> String {
        let address = self.address.split(['?', '#']).next().unwrap_or_default();
        let Some((scheme, rest)) = address.split_once("://") else {
            return address.to_owned();
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let host = authority
            .rsplit_once('@')
            .map_or(authority, |(_, host)| host);
        format!("{scheme}://{host}{path}")
    }
}

impl fmt::Display for TargetId {
    /// `service:monitor:target`, with the [public](Self::public_address) address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}:{}",
            self.monitor.service,
            self.monitor.name,
            self.public_address()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_addresses_hold_no_secrets() {
        let monitor = MonitorId::parse("shop/web").unwrap();
        let shown = |address: &str| TargetId::new(monitor.clone(), address).to_string();
        assert_eq!(
            shown("https://u:secret@h:1/p?token=x#y"),
            "shop:web:https://h:1/p"
        );
        assert_eq!(shown("tcp://h:1"), "shop:web:tcp://h:1");
        assert_eq!(shown("whatever?x"), "shop:web:whatever");
    }
}
