//! Outages as stories: one incident for each, with its timeline and its links.

use std::collections::BTreeMap;

use watchkeeper_engine::incident::{IncidentId, Refused};
use watchkeeper_store::{Audience, Commit, EntryKind, IncidentStory};

use super::*;
use crate::links::{Links, Shown};

const CONFIG: &str = r#"
[server]
public_url = "https://status.example.com"
[defaults]
every = "10s"
timeout = "2s"
retry = { times = 0 }

[[service]]
id = "net"
label = "Network"
[[service.monitor]]
id = "gateway"
label = "Gateway"
targets = ["tcp://gateway:1"]

[[service]]
id = "shop"
label = "Shop"
[[service.monitor]]
id = "web"
label = "Web"
targets = ["tcp://web:1"]
depends_on = ["net/gateway"]
[[service.monitor]]
id = "search"
label = "Search"
targets = ["tcp://search:1"]
critical = false

[[service]]
id = "mail"
label = "Mail"
[[service.monitor]]
id = "smtp"
label = "Mail"
targets = ["tcp://smtp:1"]
depends_on = ["net/gateway"]

[[channel]]
id = "hook"
notifier = "webhook"
config = { url = "http://hook:1/" }
[[route]]
to = ["hook"]
group_wait = "0s"
"#;

/// The incidents of a store that is a map.
#[derive(Default)]
pub(super) struct Kept {
    stories: BTreeMap<IncidentId, IncidentStory>,
    notices: Vec<Notice>,
}

impl Kept {
    pub(super) fn recall(&self, board: &mut Board) {
        let next = self
            .stories
            .keys()
            .last()
            .map_or(IncidentId::FIRST, |id| id.next());
        let stories = self.stories.values().cloned().collect();
        board.recall_incidents(stories, next, links());
    }

    pub(super) fn keep(&mut self, commit: &Commit) {
        for row in &commit.incidents {
            let entries = self.stories.remove(&row.id).map(|it| it.entries);
            let story = IncidentStory {
                row: row.clone(),
                entries: entries.unwrap_or_default(),
            };
            self.stories.insert(row.id, story);
        }
        for entry in &commit.entries {
            let story = self
                .stories
                .get_mut(&entry.incident)
                .expect("an incident of its own");
            assert_eq!(usize::try_from(entry.number), Ok(story.entries.len()));
            story.entries.push(entry.clone());
        }
        for delivery in &commit.deliveries {
            self.notices
                .push(Notice::from_payload(&delivery.payload).unwrap());
        }
    }
}

fn links() -> Links {
    Links::new(vec![1; 32])
}

fn play(config: &str, script: &str) -> Table {
    let mut table = Table::new(config);
    table.stories.recall(&mut table.board);
    script.split_whitespace().for_each(|word| table.step(word));
    table
}

/// Each incident: its title, severity and stage, and behind it what the public
/// reads, each after its second.
fn told(table: &Table) -> Vec<String> {
    let mut told = Vec::new();
    for story in table.stories.stories.values() {
        let incident = &story.row.incident;
        told.push(format!(
            "#{} {}: {} {}",
            story.row.id,
            story.row.title,
            incident.severity.as_str(),
            incident.stage.as_str()
        ));
        let public = story
            .entries
            .iter()
            .filter(|it| it.audience == Audience::Public);
        told.extend(public.map(|entry| {
            format!(
                "{} {}: {}",
                entry.at.as_secs(),
                entry.stage.as_str(),
                entry.text
            )
        }));
    }
    told
}

fn check(script: &str, expected: &[&str]) -> Table {
    let table = play(CONFIG, script);
    assert_eq!(told(&table), expected, "{script}");
    table
}

const WELL: &str = "gateway:1=healthy web:1=healthy search:1=healthy smtp:1=healthy ";

#[test]
fn three_services_behind_a_dead_gateway_are_one_incident_and_one_notice() {
    let script = format!(
        "{WELL} +10 web:1=dead gateway:1=dead smtp:1=dead +20 gateway:1=healthy web:1=healthy smtp:1=healthy"
    );
    let table = check(
        &script,
        &[
            "#1 Network: Gateway is down: critical resolved",
            "10 investigating: Network: Gateway is down: refused.",
            "10 identified: Shop: Web is down, as it depends on Network: Gateway.",
            "10 identified: Mail is down, as it depends on Network: Gateway.",
            "30 identified: Network: Gateway works again.",
            "30 identified: Shop: Web works again.",
            "30 resolved: Mail works again. It is over after 20 s.",
        ],
    );
    let notices = &table.stories.notices;
    let titles: Vec<_> = notices.iter().map(|notice| notice.title.as_str()).collect();
    assert_eq!(
        titles,
        [
            "Network: Gateway is dead: refused",
            "Network: Gateway is healthy again after 20 s"
        ]
    );
    for notice in notices {
        assert_eq!(
            notice.incident_url.as_deref(),
            Some("http://page/incidents/1")
        );
    }
    let services = table.stories.stories[&IncidentId::FIRST]
        .row
        .incident
        .services()
        .len();
    assert_eq!(services, 3);
}

#[test]
fn what_makes_its_service_only_sick_is_no_incident() {
    check(
        &format!("{WELL} +10 search:1=dead +5 search:1=healthy web:1=sick"),
        &[],
    );
}

#[test]
fn what_is_sick_for_too_long_is_one_if_that_is_asked_for() {
    let config = format!("{CONFIG}\n[incident]\nafter = \"30s\"\n");
    let mut script = format!("{WELL} +10 search:1=dead");
    for _ in 0..4 {
        script += " +10 search:1=dead gateway:1=healthy web:1=healthy smtp:1=healthy";
    }
    let table = play(&config, &(script + " search:1=healthy"));
    assert_eq!(
        told(&table),
        [
            "#1 Shop: Search is down: minor resolved",
            "40 investigating: Shop: Search is down: refused.",
            "50 resolved: Shop: Search works again. It is over after 40 s.",
        ]
    );
    let off = play(
        &format!("{CONFIG}\n[incident]\nautomatic = false\n"),
        "smtp:1=dead +30",
    );
    assert_eq!(told(&off), Vec::<String>::new());
}

#[test]
fn a_restart_goes_on_with_the_incident() {
    let script = format!(
        "{WELL} +10 web:1=dead gateway:1=healthy restart +1 web:1=dead restart gateway:1=healthy web:1=healthy +1 restart"
    );
    let table = check(
        &script,
        &[
            "#1 Shop: Web is down: major resolved",
            "10 investigating: Shop: Web is down: refused.",
            "11 resolved: Shop: Web works again. It is over after 1 s.",
        ],
    );
    assert_eq!(table.stories.notices.len(), 2);
}

#[test]
fn an_outage_that_comes_and_goes_is_one_incident() {
    let script = format!(
        "{WELL} +10 smtp:1=dead gateway:1=healthy +5 smtp:1=healthy +60 smtp:1=dead gateway:1=healthy restart +5 gateway:1=healthy smtp:1=healthy"
    );
    let mut table = check(
        &script,
        &[
            "#1 Mail is down: critical monitoring",
            "10 investigating: Mail is down: refused.",
            "15 resolved: Mail works again. It is over after 5 s.",
            "75 investigating: Mail is down: refused.",
            "80 monitoring: Mail works again. We watch whether it stays so.",
        ],
    );
    table.step("+600");
    let last = told(&table).pop().unwrap();
    assert_eq!(last, "680 resolved: It is over after 1 min 10 s.");
}

#[test]
fn who_took_it_is_told_and_nobody_else_is_asked_to() {
    let mut table = play(CONFIG, &format!("{WELL} +10 web:1=dead gateway:1=healthy"));
    let web = MonitorId::parse("shop/web").unwrap();
    let outage = table.stories.notices[0].clone();
    let link = outage.acknowledge_url.expect("a link");
    let query = link
        .strip_prefix("https://status.example.com/incidents/1/acknowledge?")
        .expect("below the page's own address");
    let pairs: HashMap<_, _> = form_urlencoded::parse(query.as_bytes()).collect();
    let shown = Shown {
        incident: IncidentId::FIRST,
        until: pairs["until"].parse().unwrap(),
        channel: &pairs["to"],
        signature: &pairs["signature"],
    };
    assert_eq!(links().check(&shown, table.now), Ok(()));
    assert!(
        links()
            .check(&shown, table.now + Duration::from_hours(170))
            .is_err()
    );

    assert!(!table.board.acknowledged(&web));
    let mut batch = Batch::default();
    let (zoe, later) = ("Zoë".into(), table.now + Duration::from_secs(1));
    let taken = table
        .board
        .acknowledge(IncidentId::FIRST, &zoe, "on it", later, &mut batch);
    assert_eq!(&*taken.unwrap().by, "Zoë");
    assert_eq!(
        (batch.commit.incidents.len(), batch.commit.entries.len()),
        (1, 1)
    );
    table.keep(batch);
    let mut second = Batch::default();
    let taken = table
        .board
        .acknowledge(IncidentId::FIRST, &"Bo".into(), "", later, &mut second);
    assert_eq!((&*taken.unwrap().by, second.is_news), ("Zoë", false));
    assert!(table.board.acknowledged(&web));
    let gateway = MonitorId::parse("net/gateway").unwrap();
    assert!(!table.board.acknowledged(&gateway));

    table.step("restart");
    assert!(table.board.acknowledged(&web));
    table.step("+10");
    table.step("gateway:1=healthy");
    table.step("web:1=healthy");
    assert!(!table.board.acknowledged(&web));
    let recovery = table.stories.notices.last().unwrap();
    assert!(
        recovery
            .body
            .ends_with("\nAcknowledged by Zoë at 1970-01-01 00:00:11 UTC."),
        "{}",
        recovery.body
    );
    assert_eq!(recovery.acknowledge_url, None);
    let mut batch = Batch::default();
    let over = table
        .board
        .acknowledge(IncidentId::FIRST, &zoe, "", later, &mut batch);
    assert_eq!(over, Err(Refused::Over));

    // What is behind the story is there, and not for everyone.
    let story = &table.stories.stories[&IncidentId::FIRST];
    let internal: Vec<_> = story
        .entries
        .iter()
        .filter(|entry| entry.audience == Audience::Internal)
        .map(|entry| (entry.kind, &*entry.text))
        .collect();
    assert_eq!(
        internal,
        [
            (EntryKind::Told, "Told hook: Shop: Web is dead: refused"),
            (EntryKind::Acknowledged, "Acknowledged by Zoë: on it"),
            (
                EntryKind::Told,
                "Told hook: Shop: Web is healthy again after 10 s"
            ),
        ]
    );
}

#[test]
fn a_timeline_has_an_end() {
    let mut script = WELL.to_owned();
    for _ in 0..900 {
        script += "+1 search:1=dead smtp:1=dead gateway:1=healthy search:1=healthy smtp:1=healthy ";
    }
    let config = CONFIG.replace("retry =", "flap = false\nretry =");
    let table = play(&config, &script);
    let story = &table.stories.stories[&IncidentId::FIRST];
    assert!(story.entries.len() <= 510, "{}", story.entries.len());
}
