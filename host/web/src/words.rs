//! The words, colours and icons of the public page, in the language that is spoken.
//! People who do not run the service read "degraded" where configuration and API say
//! `sick`.

use watchkeeper_engine::health::Health;

use crate::view::{
    DayState, Impact, MonitorView, NoteKind, Overall, ServiceView, Stage, TargetView, View,
};

pub(crate) use self::filled::{
    checked_at, days_ago, description, incidents_in, is_choosable, language, look, more_about,
    powered, script, t, timed,
};

mod filled;

/// How something is, as it is shown. A colour never stands alone: an icon and a
/// word go with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    Operational,
    Degraded,
    Partial,
    Major,
    Maintenance,
    NoData,
    Paused,
}

impl Shown {
    /// What a day can have been.
    pub(crate) const ALL: [Self; 6] = [
        Self::Operational,
        Self::Degraded,
        Self::Partial,
        Self::Major,
        Self::Maintenance,
        Self::NoData,
    ];

    pub(crate) fn word(self) -> &'static str {
        let texts = t();
        match self {
            Self::Operational => &texts.operational,
            Self::Degraded => &texts.degraded,
            Self::Partial => &texts.partial,
            Self::Major => &texts.major,
            Self::Maintenance => &texts.maintenance,
            Self::NoData => &texts.no_data,
            Self::Paused => &texts.paused,
        }
    }

    /// The class that sets the colours, and the one letter of the bars.
    pub(crate) const fn class(self) -> &'static str {
        match self {
            Self::Operational => "s-ok",
            Self::Degraded => "s-deg",
            Self::Partial => "s-par",
            Self::Major => "s-out",
            Self::Maintenance => "s-mnt",
            Self::NoData | Self::Paused => "s-none",
        }
    }

    /// The letter that stands for it in the bars.
    pub(crate) const fn letter(self) -> char {
        match self {
            Self::Operational => 'u',
            Self::Degraded => 'd',
            Self::Partial => 'p',
            Self::Major => 'o',
            Self::Maintenance => 'm',
            Self::NoData | Self::Paused => 'n',
        }
    }

    /// The name of its drawing.
    pub(crate) const fn icon(self) -> &'static str {
        match self {
            Self::Operational => "ok",
            Self::Degraded | Self::Partial => "deg",
            Self::Major => "out",
            Self::Maintenance => "mnt",
            Self::NoData | Self::Paused => "none",
        }
    }

    /// Whether people should hear of it although nobody asked.
    pub(crate) const fn is_bad(self) -> bool {
        matches!(self, Self::Degraded | Self::Partial | Self::Major)
    }

    /// A health by itself.
    pub(crate) fn of(health: Health) -> Self {
        Self::new(health, false, false)
    }

    fn new(health: Health, maintained: bool, partial: bool) -> Self {
        match health {
            _ if maintained => Self::Maintenance,
            Health::Healthy => Self::Operational,
            Health::Unknown => Self::NoData,
            Health::Sick => Self::Degraded,
            Health::Dead if partial => Self::Partial,
            Health::Dead => Self::Major,
        }
    }
}

impl From<&ServiceView> for Shown {
    /// An outage is partial where a monitor still works, even in part.
    fn from(service: &ServiceView) -> Self {
        let watched = || service.monitors.iter().filter(|monitor| !monitor.paused);
        if !service.monitors.is_empty() && watched().count() == 0 {
            return Self::Paused;
        }
        let partial = watched().any(|monitor| Self::from(&**monitor) != Self::Major);
        Self::new(service.health, service.maintained, partial)
    }
}

impl From<&MonitorView> for Shown {
    /// An outage is partial where a target still works.
    fn from(monitor: &MonitorView) -> Self {
        if monitor.paused {
            return Self::Paused;
        }
        let partial = monitor
            .targets
            .iter()
            .any(|target| target.health != Health::Dead);
        Self::new(monitor.health, monitor.maintained, partial)
    }
}

impl From<&TargetView> for Shown {
    fn from(target: &TargetView) -> Self {
        Self::new(target.health, target.maintained, false)
    }
}

impl From<DayState> for Shown {
    fn from(day: DayState) -> Self {
        match day {
            DayState::NoData => Self::NoData,
            DayState::Healthy => Self::Operational,
            DayState::Sick => Self::Degraded,
            DayState::Partial => Self::Partial,
            DayState::Dead => Self::Major,
            DayState::Maintenance => Self::Maintenance,
        }
    }
}

impl From<Overall> for Shown {
    fn from(overall: Overall) -> Self {
        match overall {
            Overall::Healthy => Self::Operational,
            Overall::Sick => Self::Degraded,
            Overall::Partial => Self::Partial,
            Overall::Dead => Self::Major,
            Overall::Unknown => Self::NoData,
        }
    }
}

impl From<Impact> for Shown {
    fn from(impact: Impact) -> Self {
        match impact {
            Impact::Minor => Self::Degraded,
            Impact::Major => Self::Partial,
            Impact::Critical => Self::Major,
        }
    }
}

/// What the page says first.
pub(crate) fn headline(overall: Overall) -> &'static str {
    let texts = t();
    match overall {
        Overall::Healthy => &texts.headline_healthy,
        Overall::Sick => &texts.headline_sick,
        Overall::Partial => &texts.headline_partial,
        Overall::Dead => &texts.headline_dead,
        Overall::Unknown => &texts.headline_unknown,
    }
}

/// What the page says first of `view`: where nothing is wrong but something is
/// under maintenance, that.
pub(crate) fn headline_of(view: &View) -> &'static str {
    let is_maintained = view
        .services
        .iter()
        .any(|it| it.maintained || it.monitors.iter().any(|monitor| monitor.maintained));
    if is_maintained && view.health == Overall::Healthy {
        &t().headline_maintenance
    } else {
        headline(view.health)
    }
}

/// The sentence below the headline.
pub(crate) fn summary(view: &View) -> String {
    let monitors = || view.services.iter().flat_map(|service| &service.monitors);
    if monitors().next().is_none() {
        return t().nothing_set_up.clone();
    }
    let watched = || monitors().filter(|monitor| !monitor.paused);
    let total = watched().count();
    if total == 0 {
        return t().all_paused.clone();
    }
    let working = watched()
        .filter(|monitor| !monitor.maintained && monitor.health == Health::Healthy)
        .count();
    let unknown = watched()
        .filter(|monitor| !monitor.maintained && monitor.health == Health::Unknown)
        .count();
    let texts = t();
    let mut said = vec![if working == total {
        texts.all_work.of(total)
    } else {
        let working = working.to_string();
        texts.some_work.with(total, &[("working", &working)])
    }];
    if unknown > 0 {
        said.push(texts.no_fresh_data.of(unknown));
    }
    let maintained = monitors().filter(|monitor| monitor.maintained).count();
    if maintained > 0 {
        said.push(texts.under_maintenance.of(maintained));
    }
    if !view.incidents.is_empty() {
        said.push(texts.working_on.of(view.incidents.len()));
    }
    said.join(" ")
}

/// The word for an announcement that is more than good to know.
pub(crate) const fn note(kind: NoteKind) -> Option<&'static str> {
    match kind {
        NoteKind::Information => None,
        NoteKind::Warning => Some("Warning"),
        NoteKind::Outage => Some("Outage"),
        NoteKind::Operational => Some("Operational"),
    }
}

/// How far the work on an incident is.
pub(crate) fn stage(stage: Stage) -> &'static str {
    let texts = t();
    match stage {
        Stage::Investigating => &texts.investigating,
        Stage::Identified => &texts.identified,
        Stage::Monitoring => &texts.monitoring,
        Stage::Resolved => &texts.resolved,
    }
}

/// The word for how far the work is, for programs.
pub(crate) const fn stage_word(stage: Stage) -> &'static str {
    match stage {
        Stage::Investigating => "investigating",
        Stage::Identified => "identified",
        Stage::Monitoring => "monitoring",
        Stage::Resolved => "resolved",
    }
}

/// The word for how bad it is, for programs.
pub(crate) const fn impact_word(impact: Impact) -> &'static str {
    match impact {
        Impact::Minor => "minor",
        Impact::Major => "major",
        Impact::Critical => "critical",
    }
}

/// How bad an incident is.
pub(crate) fn impact(impact: Impact) -> &'static str {
    let texts = t();
    match impact {
        Impact::Minor => &texts.impact_minor,
        Impact::Major => &texts.impact_major,
        Impact::Critical => &texts.impact_critical,
    }
}

/// `address` if a browser may be sent there. Script and data addresses would run
/// what the writer of the address wants.
pub(crate) fn web_address(address: &str) -> Option<&str> {
    let scheme = address.split_once(':')?.0;
    ["https", "http"]
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known))
        .then_some(address)
}

/// As [`web_address`], or an address to write a mail to.
pub(crate) fn contact_address(address: &str) -> Option<&str> {
    let scheme = address.split_once(':')?.0;
    if scheme.eq_ignore_ascii_case("mailto") {
        Some(address)
    } else {
        web_address(address)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use watchkeeper_engine::id::{MonitorId, ServiceId};
    use watchkeeper_engine::time::Timestamp;

    use super::*;

    fn monitor(health: Health, targets: &[Health]) -> Arc<MonitorView> {
        Arc::new(MonitorView {
            private: false,
            id: MonitorId::parse("api/rest").unwrap(),
            label: "REST".into(),
            health,
            maintained: false,
            paused: false,
            since: None,
            latency_ms: None,
            spark: Vec::new(),
            days: Vec::new(),
            first_day: Timestamp::default(),
            uptime: None,
            excluded_minutes: 0,
            targets: targets
                .iter()
                .map(|health| TargetView {
                    name: "a".into(),
                    address: "tcp://a".into(),
                    health: *health,
                    maintained: false,
                    latency_ms: None,
                    figures: None,
                    heard_at: None,
                    reason: None,
                })
                .collect(),
        })
    }

    fn service(health: Health, monitors: Vec<Arc<MonitorView>>) -> ServiceView {
        ServiceView {
            private: false,
            public_health: None,
            id: ServiceId::new("api").unwrap(),
            label: "API".into(),
            description: None,
            health,
            maintained: false,
            monitors,
        }
    }

    #[test]
    fn an_outage_is_partial_where_something_still_works() {
        use Health::{Dead, Healthy, Sick};

        let cases = [
            (monitor(Dead, &[Dead, Healthy]), Shown::Partial),
            (monitor(Dead, &[Dead, Dead]), Shown::Major),
            (monitor(Dead, &[]), Shown::Major),
            (monitor(Sick, &[Dead, Healthy]), Shown::Degraded),
        ];
        for (monitor, expected) in cases {
            assert_eq!(Shown::from(&*monitor), expected);
        }
        let one_of_two = vec![monitor(Dead, &[Dead]), monitor(Healthy, &[Healthy])];
        assert_eq!(Shown::from(&service(Dead, one_of_two)), Shown::Partial);
        let both = vec![monitor(Dead, &[Dead]), monitor(Dead, &[Dead])];
        assert_eq!(Shown::from(&service(Dead, both)), Shown::Major);
        let paused = Arc::new(MonitorView {
            paused: true,
            ..(*monitor(Health::Unknown, &[])).clone()
        });
        assert_eq!(Shown::from(&*paused), Shown::Paused);
        let one_is_left = vec![monitor(Dead, &[Dead]), Arc::clone(&paused)];
        assert_eq!(Shown::from(&service(Dead, one_is_left)), Shown::Major);
        let none_is_left = vec![paused];
        assert_eq!(
            Shown::from(&service(Health::Unknown, none_is_left)),
            Shown::Paused
        );
    }

    #[test]
    fn the_summary_counts() {
        let said = |monitors: Vec<Arc<MonitorView>>| {
            let services = if monitors.is_empty() {
                Vec::new()
            } else {
                vec![Arc::new(service(Health::Healthy, monitors))]
            };
            summary(&View {
                services,
                ..View::default()
            })
        };
        let (fine, bad) = (monitor(Health::Healthy, &[]), monitor(Health::Dead, &[]));
        let silent = monitor(Health::Unknown, &[]);
        assert_eq!(said(vec![]), "No services are set up yet.");
        assert_eq!(said(vec![fine.clone()]), "1 component is operational.");
        assert_eq!(said(vec![bad.clone()]), "0 of 1 component is operational.");
        assert_eq!(
            said(vec![fine.clone(), fine.clone()]),
            "All 2 components are operational."
        );
        assert_eq!(
            said(vec![fine.clone(), bad]),
            "1 of 2 components are operational."
        );
        assert_eq!(
            said(vec![fine.clone(), silent.clone()]),
            "1 of 2 components are operational. 1 has no fresh data."
        );
        let paused = Arc::new(MonitorView {
            paused: true,
            ..(*silent).clone()
        });
        assert_eq!(
            said(vec![fine, paused.clone()]),
            "1 component is operational."
        );
        assert_eq!(said(vec![paused]), "All components are paused.");
    }

    #[test]
    fn links_lead_only_to_the_web() {
        for address in ["https://a.example", "HTTP://a.example/x?y"] {
            assert_eq!(web_address(address), Some(address));
        }
        for address in [
            "javascript:alert(1)",
            " https://a",
            "data:text/html,x",
            "/x",
            "",
            "mailto:a@b",
        ] {
            assert_eq!(web_address(address), None);
        }
        assert_eq!(contact_address("mailto:a@b"), Some("mailto:a@b"));
        assert_eq!(contact_address("JavaScript:x"), None);
    }
}
