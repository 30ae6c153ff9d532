//! The sample page, written by a stranger.

use std::sync::Arc;

use watchkeeper_engine::health::Health;
use watchkeeper_web::{Day, DayState, View};

use crate::sample;

/// The sample with `text` in every place in which a text of people, of the
/// configuration or of a target is shown.
pub(crate) fn hostile(text: &str) -> View {
    let said: Arc<str> = text.into();
    let mut view = sample::view();
    view.title = Arc::clone(&said);
    view.company = Some(Arc::clone(&said));
    view.description = Some(Arc::clone(&said));
    view.website = Some(Arc::clone(&said));
    view.support = Some(Arc::clone(&said));
    view.public_url = Some(Arc::clone(&said));
    let link = (Arc::clone(&said), Arc::clone(&said));
    let announcement = &mut view.announcements[0];
    announcement.title = Arc::clone(&said);
    announcement.text = Arc::clone(&said);
    announcement.link = Some(link);
    let safe_link = (
        Arc::clone(&said),
        format!("https://acme.example/{text}").into(),
    );
    let mut second = announcement.clone();
    second.link = Some(safe_link);
    second.is_markdown = true;
    view.announcements.push(second);
    let past = view.past.as_mut().expect("the sample has a past");
    for incident in view.incidents.iter_mut().chain(&mut past.incidents) {
        incident.id = format!("{}{text}", incident.id).into();
        incident.title = Arc::clone(&said);
        incident.affects[0].label = Arc::clone(&said);
        for update in &mut incident.updates {
            update.text = Arc::clone(&said);
        }
        incident.updates[0].is_markdown = true;
        incident.postmortem = Some(Arc::clone(&said));
    }
    let planned = &mut view.maintenance[0];
    planned.title = Arc::clone(&said);
    planned.text = Arc::clone(&said);
    planned.affects[0].label = Arc::clone(&said);
    for service in &mut view.services {
        let service = Arc::make_mut(service);
        service.label = Arc::clone(&said);
        service.description = Some(Arc::clone(&said));
        for monitor in &mut service.monitors {
            let monitor = Arc::make_mut(monitor);
            monitor.label = Arc::clone(&said);
            monitor.days[89] = Day {
                state: DayState::Dead,
                affected_minutes: 9,
                why: Some(Arc::clone(&said)),
            };
            for target in &mut monitor.targets {
                target.name = Arc::clone(&said);
                target.health = Health::Dead;
                target.maintained = false;
                target.reason = Some(Arc::clone(&said));
            }
        }
    }
    view
}
