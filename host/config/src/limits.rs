//! Bounds on what one run of a plugin may use.

use std::time::Duration;

/// Limits that the operator set; what is absent here is decided one step up:
/// monitor or channel, plugin, all plugins, then the host's own defaults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LimitOverrides {
    /// Linear memory in bytes.
    pub memory: Option<u64>,
    /// CPU time.
    pub cpu: Option<Duration>,
    /// Log lines a run.
    pub log_lines: Option<u32>,
    /// Connections a run.
    pub connections: Option<u32>,
    /// The body of one response in bytes.
    pub body: Option<u64>,
    /// All network traffic of a run in bytes.
    pub traffic: Option<u64>,
}

impl LimitOverrides {
    /// Each limit from here, or from `wider` where it is absent here.
    #[must_use]
    pub fn or(self, wider: Self) -> Self {
        Self {
            memory: self.memory.or(wider.memory),
            cpu: self.cpu.or(wider.cpu),
            log_lines: self.log_lines.or(wider.log_lines),
            connections: self.connections.or(wider.connections),
            body: self.body.or(wider.body),
            traffic: self.traffic.or(wider.traffic),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearer_limit_wins() {
        let near = LimitOverrides {
            memory: Some(1),
            ..LimitOverrides::default()
        };
        let wide = LimitOverrides {
            memory: Some(2),
            log_lines: Some(3),
            ..LimitOverrides::default()
        };
        let both = LimitOverrides {
            memory: Some(1),
            log_lines: Some(3),
            ..LimitOverrides::default()
        };
        assert_eq!(near.or(wide), both);
    }
}
