//! A company with a slow region, as the page would show it.

use std::sync::Arc;
use std::time::Duration;

use watchkeeper_engine::health::Health;
use watchkeeper_engine::id::{MonitorId, ServiceId};
use watchkeeper_engine::time::Timestamp;
use watchkeeper_engine::uptime::{HealthSums, Maintained};
use watchkeeper_web::{
    Affected, AnnouncementView, DAYS, Day, DayState, Impact, IncidentView, MaintenanceView,
    MonitorView, NoteKind, Overall, Part, PastView, ServiceView, Stage, TargetView, UpdateView,
    View,
};

/// 21 November 2026, 01:49:12 UTC.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_795_225_752_000);

const DAY_MS: i64 = 86_400_000;

/// A page with everything on it.
pub(crate) fn view() -> View {
    View {
        title: "Acme Cloud Status".into(),
        company: Some("Acme Cloud".into()),
        website: Some("https://acme.example".into()),
        support: Some("https://acme.example/support".into()),
        public_url: Some("https://status.acme.example".into()),
        health: Overall::Sick,
        services: services(),
        announcements: vec![AnnouncementView {
            id: "tls".into(),
            kind: NoteKind::Information,
            pinned: false,
            is_markdown: false,
            title: "TLS 1.0 and 1.1 end on 1 December.".into(),
            text: "Clients older than 2014 will no longer connect.".into(),
            link: Some((
                "Check if you are affected".into(),
                "https://acme.example/tls".into(),
            )),
            at: at("2026-11-17 09:00"),
        }],
        incidents: vec![slow_region()],
        maintenance: vec![MaintenanceView {
            id: "pg-18".into(),
            in_progress: false,
            title: "PostgreSQL 17 to 18".into(),
            text: "Writes pause for up to 30 seconds while the primary switches over. Reads \
                   continue."
                .into(),
            starts: at("2026-11-26 03:00"),
            ends: at("2026-11-26 03:45"),
            affects: vec![affected("data/pg", "PostgreSQL")],
        }],
        past: Some(PastView {
            days: 7,
            incidents: vec![late_webhooks()],
        }),
        checked_at: Some(NOW),
        now: NOW,
        ..View::default()
    }
}

/// A page with `count` monitors in services of five, one of which is dead.
pub(crate) fn long_view(count: u16) -> View {
    let services: Vec<_> = (0..count.div_ceil(5))
        .map(|group| {
            let monitors = (group * 5..count.min(group * 5 + 5))
                .map(|index| {
                    let id = format!("service-{group}/monitor-{index}");
                    let mut monitor = monitor(&id, &format!("Endpoint {index}"), 40 + index % 90);
                    let host = format!("host-{index}.example.com");
                    monitor.targets = vec![target(&host, Some(40 + index % 90))];
                    if index % 7 == 3 {
                        set_day(
                            &mut monitor,
                            usize::from(index) % DAYS,
                            DayState::Sick,
                            12,
                            "503 from upstream",
                        );
                    }
                    if index == count / 2 {
                        monitor.health = Health::Dead;
                        monitor.since = Some(at("2026-11-21 01:40"));
                        monitor.targets[0].health = Health::Dead;
                        monitor.targets[0].latency_ms = None;
                        monitor.targets[0].reason = Some("connection refused".into());
                    }
                    monitor
                })
                .collect();
            service(
                &format!("service-{group}"),
                &format!("Service {group}"),
                None,
                monitors,
            )
        })
        .collect();
    View {
        title: "Acme Cloud Status".into(),
        health: Overall::Partial,
        services,
        checked_at: Some(NOW),
        now: NOW,
        ..View::default()
    }
}

fn services() -> Vec<Arc<ServiceView>> {
    let mut rest = monitor("api/rest", "REST API", 184);
    rest.health = Health::Sick;
    rest.since = Some(at("2026-11-21 01:06"));
    rest.spark = [
        40.0, 38.0, 41.0, 44.0, 39.0, 42.0, 47.0, 43.0, 41.0, 45.0, 52.0, 60.0, 71.0, 90.0, 184.0,
    ]
    .map(Some)
    .to_vec();
    rest.targets = vec![
        target("fra-1", Some(38)),
        target("iad-1", Some(44)),
        TargetView {
            health: Health::Sick,
            reason: Some("answered in 1 870 ms, slower than 1 s".into()),
            ..target("sin-1", Some(1870))
        },
    ];
    set_day(&mut rest, 31, DayState::Sick, 26, "");
    set_day(&mut rest, 58, DayState::Partial, 41, "Elevated error rate");
    set_day(
        &mut rest,
        89,
        DayState::Sick,
        43,
        "Slow responses in Singapore",
    );

    let mut hooks = monitor("api/hooks", "Webhooks", 61);
    hooks.targets = vec![target("worker-1", Some(58)), target("worker-2", Some(63))];
    set_day(&mut hooks, 58, DayState::Sick, 18, "Elevated error rate");

    let mut graph = monitor("api/gql", "GraphQL", 52);
    graph.targets = vec![target("fra-1", Some(49)), target("iad-1", Some(55))];
    for day in 0..37 {
        graph.days[day] = Day::default();
    }

    let mut dashboard = monitor("web/dash", "Dashboard", 112);
    dashboard.targets = vec![target("fra-1", Some(110)), target("iad-1", Some(118))];
    set_day(
        &mut dashboard,
        12,
        DayState::Partial,
        22,
        "Login page returned 502",
    );
    set_day(&mut dashboard, 58, DayState::Sick, 41, "");

    let mut sign_in = monitor("web/sso", "Sign-in and SSO", 87);
    sign_in.targets = vec![target("sso-1", Some(84)), target("sso-2", Some(90))];
    set_day(
        &mut sign_in,
        12,
        DayState::Dead,
        96,
        "Login page returned 502",
    );
    set_day(&mut sign_in, 13, DayState::Sick, 31, "");

    let mut postgres = monitor("data/pg", "PostgreSQL", 3);
    postgres.targets = vec![
        target("db-1", Some(3)),
        target("db-2", Some(3)),
        target("db-3", Some(4)),
    ];
    set_day(
        &mut postgres,
        45,
        DayState::Maintenance,
        30,
        "Minor version upgrade",
    );

    let mut queue = monitor("data/mq", "Message queue", 5);
    queue.targets = vec![target("mq-1", Some(5)), target("mq-2", Some(6))];
    set_day(&mut queue, 71, DayState::Sick, 9, "Slow consumers");

    let mut objects = monitor("data/s3", "Object storage", 29);
    objects.maintained = true;
    objects.targets = vec![
        target("node-a", Some(27)),
        TargetView {
            health: Health::Dead,
            maintained: true,
            reason: Some("drained".into()),
            ..target("node-b", None)
        },
        target("node-c", Some(31)),
    ];
    set_day(&mut objects, 26, DayState::Sick, 7, "");
    set_day(
        &mut objects,
        89,
        DayState::Maintenance,
        65,
        "Disk replacement in rack 4",
    );

    let mut cdn = monitor("edge/cdn", "CDN", 18);
    cdn.targets = [("eu", 14), ("us", 19), ("ap", 24), ("sa", 31)]
        .map(|(name, latency)| target(name, Some(latency)))
        .to_vec();
    let mut dns = monitor("edge/dns", "DNS", 9);
    dns.targets = vec![target("ns1", Some(8)), target("ns2", Some(10))];

    vec![
        service(
            "api",
            "Core API",
            Some("Public endpoints and webhooks"),
            vec![rest, hooks, graph],
        ),
        service(
            "web",
            "Web application",
            Some("Dashboard and sign-in"),
            vec![dashboard, sign_in],
        ),
        service(
            "data",
            "Data platform",
            Some("Databases, queues and storage"),
            vec![postgres, queue, objects],
        ),
        service(
            "edge",
            "Edge network",
            Some("CDN and DNS, 14 locations"),
            vec![cdn, dns],
        ),
    ]
}

fn service(
    id: &str,
    label: &str,
    description: Option<&str>,
    monitors: Vec<MonitorView>,
) -> Arc<ServiceView> {
    Arc::new(ServiceView {
        private: false,
        public_health: None,
        id: ServiceId::new(id).expect("the sample's identifiers are valid"),
        label: label.into(),
        description: description.map(Into::into),
        health: monitors
            .iter()
            .map(|monitor| monitor.health)
            .max()
            .unwrap_or_default(),
        maintained: monitors.iter().any(|monitor| monitor.maintained),
        monitors: monitors.into_iter().map(Arc::new).collect(),
    })
}

/// A monitor that was well on all days.
fn monitor(id: &str, label: &str, latency: u16) -> MonitorView {
    let seed = id.bytes().fold(7_u16, |seed, byte| {
        seed.wrapping_mul(31) % 9973 + u16::from(byte)
    });
    let wobble = |index: u16| (seed + index * index * 37 + index * 11) % 40;
    MonitorView {
        private: false,
        id: MonitorId::parse(id).expect("the sample's identifiers are valid"),
        label: label.into(),
        health: Health::Healthy,
        maintained: false,
        paused: false,
        since: Some(at("2026-08-24 00:00")),
        latency_ms: Some(latency.into()),
        spark: (0..18)
            .map(|index| Some(f32::from(latency) * f32::from(80 + wobble(index)) / 100.0))
            .collect(),
        days: vec![
            Day {
                state: DayState::Healthy,
                ..Day::default()
            };
            DAYS
        ],
        first_day: at("2026-08-24 00:00"),
        uptime: sums(0).uptime(),
        excluded_minutes: 0,
        targets: Vec::new(),
    }
}

fn target(name: &str, latency: Option<u16>) -> TargetView {
    TargetView {
        name: name.into(),
        address: format!("https://{name}").into(),
        health: Health::Healthy,
        maintained: false,
        latency_ms: latency.map(Into::into),
        figures: None,
        heard_at: None,
        reason: None,
    }
}

fn set_day(monitor: &mut MonitorView, day: usize, state: DayState, minutes: u32, why: &str) {
    let why = (!why.is_empty()).then(|| why.into());
    monitor.days[day] = Day {
        state,
        affected_minutes: minutes,
        why,
    };
    let dead = monitor
        .days
        .iter()
        .filter(|day| matches!(day.state, DayState::Partial | DayState::Dead))
        .map(|day| u64::from(day.affected_minutes))
        .sum();
    monitor.uptime = sums(dead).uptime();
}

/// Ninety days, of which so many minutes were an outage.
fn sums(dead_minutes: u64) -> HealthSums {
    let mut sums = HealthSums::default();
    sums.record(Health::Dead, Maintained::No, dead_minutes * 60_000);
    sums.record(
        Health::Healthy,
        Maintained::No,
        (90 * 1440 - dead_minutes) * 60_000,
    );
    sums
}

fn slow_region() -> IncidentView {
    IncidentView {
        postmortem: None,
        id: "214".into(),
        title: "Slow responses from the REST API in Singapore".into(),
        impact: Impact::Minor,
        started: at("2026-11-21 01:06"),
        resolved: None,
        affects: vec![affected("api/rest", "REST API")],
        updates: vec![
            update(
                Stage::Identified,
                "2026-11-21 01:31",
                "A storage upgrade by our provider raised disk latency on sin-1. We are moving \
                 its traffic to fra-1 and expect normal response times by 02:15 UTC.",
            ),
            update(
                Stage::Investigating,
                "2026-11-21 01:09",
                "Requests served from Singapore take up to 2 seconds. No requests are failing. \
                 Other regions are not affected.",
            ),
        ],
    }
}

fn late_webhooks() -> IncidentView {
    IncidentView {
        postmortem: None,
        id: "213".into(),
        title: "Delayed webhook deliveries".into(),
        impact: Impact::Minor,
        started: at("2026-11-19 14:02"),
        resolved: Some(at("2026-11-19 14:20")),
        affects: vec![affected("api/hooks", "Webhooks")],
        updates: vec![
            update(
                Stage::Resolved,
                "2026-11-19 14:20",
                "The backlog is empty and deliveries run at normal speed. No event was lost.",
            ),
            update(
                Stage::Monitoring,
                "2026-11-19 14:11",
                "A stuck worker was restarted and the backlog is shrinking.",
            ),
            update(
                Stage::Investigating,
                "2026-11-19 14:02",
                "Webhook deliveries are delayed by up to 8 minutes.",
            ),
        ],
    }
}

fn affected(id: &str, label: &str) -> Affected {
    let id = MonitorId::parse(id).expect("the sample's identifiers are valid");
    Affected {
        label: label.into(),
        part: Part::Monitor(id),
    }
}

fn update(stage: Stage, when: &str, text: &str) -> UpdateView {
    UpdateView {
        stage,
        at: at(when),
        text: text.into(),
        is_markdown: false,
    }
}

/// A minute of August to November 2026, as `2026-11-21 01:06`.
fn at(minute: &str) -> Timestamp {
    let numbers: Vec<u64> = minute
        .split(['-', ' ', ':'])
        .map(|part| part.parse().expect("the sample's times are numbers"))
        .collect();
    let [_, month, day, hour, minute] = numbers[..] else {
        unreachable!("a time has five parts")
    };
    // Days since 21 November.
    let days_before = [(8, 92 + 20), (11, 20)]
        .into_iter()
        .find(|(known, _)| *known == month)
        .map(|(_, first)| first - (i64::try_from(day).expect("a day is small") - 1))
        .expect("the sample's times are in August or November");
    let midnight = NOW.as_millis().div_euclid(DAY_MS) - days_before;
    Timestamp::from_millis(midnight * DAY_MS) + Duration::from_secs(hour * 3600 + minute * 60)
}
