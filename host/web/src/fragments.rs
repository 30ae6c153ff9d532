//! The parts of the page as they were last made, and which of them have changed
//! since when.
//!
//! A part is made again only if what it shows is not what it showed before.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::assets::{self, Assets};
use crate::dates;
use crate::locale::{Language, Locale};
use crate::template::{self, Made as _, Page, ServicePart};
use crate::view::View;
use crate::words;

use self::parts::{Former, Fragment, Service, Untold, folds, is_open, services};

mod parts;

/// All parts of the page at one revision.
pub(crate) struct Fragments {
    view: View,
    revision: u64,
    /// In which all is written.
    locale: Locale,
    /// Stands for all that a patch cannot change: other files, another title.
    shape: String,
    overall: Fragment,
    notes: Fragment,
    incidents: Fragment,
    services: Vec<Service>,
    /// The revision at which services or monitors last came, went or moved.
    listed: u64,
    /// Whether the list has to be told as a whole.
    list_untold: bool,
    maintenance: Fragment,
    past: Fragment,
}

impl Fragments {
    /// Makes every part in one language.
    pub(crate) fn new(view: View, revision: u64, language: Language) -> Self {
        let locale = view.locale(language);
        let speaking = locale.clone();
        speaking.speak(|| Self::spoken(view, revision, locale))
    }

    fn spoken(view: View, revision: u64, locale: Locale) -> Self {
        let mut fragments = Self {
            shape: shape(&view, locale.language),
            overall: Fragment::new(template::overall(&view), revision),
            notes: Fragment::new(template::notes(&view.announcements), revision),
            incidents: Fragment::new(template::incidents(&view.incidents), revision),
            services: services(&view, Former::default(), revision),
            listed: revision,
            list_untold: false,
            maintenance: Fragment::new(template::maintenance(&view.maintenance), revision),
            past: Fragment::new(template::past(view.past.as_ref(), view.now), revision),
            view,
            revision,
            locale,
        };
        fragments.forget_untold();
        fragments
    }

    /// Makes the parts that changed.
    pub(crate) fn advance(&mut self, view: View, revision: u64) {
        if view.time_zone != self.view.time_zone || view.look != self.view.look {
            // Every time, or the head of the page, is another; those who follow load
            // the page anew.
            *self = Self::new(view, revision, self.locale.language);
            return;
        }
        let locale = self.locale.clone();
        locale.speak(|| self.advance_spoken(view, revision));
    }

    fn advance_spoken(&mut self, view: View, revision: u64) {
        self.revision = revision;
        let loud = Untold::Loud;
        if head_of(&view) != head_of(&self.view) || view.languages != self.view.languages {
            self.shape = shape(&view, self.locale.language);
        }
        self.overall.set(template::overall(&view), revision, loud);
        if view.announcements != self.view.announcements {
            self.notes
                .set(template::notes(&view.announcements), revision, loud);
        }
        if view.incidents != self.view.incidents {
            self.incidents
                .set(template::incidents(&view.incidents), revision, loud);
        }
        if view.maintenance != self.view.maintenance {
            self.maintenance
                .set(template::maintenance(&view.maintenance), revision, loud);
        }
        let another_day = dates::day_of(view.now) != dates::day_of(self.view.now);
        if view.past != self.view.past || another_day {
            self.past
                .set(template::past(view.past.as_ref(), view.now), revision, loud);
        }
        if self.lists_the_same(&view) {
            for (service, now) in self.services.iter_mut().zip(&view.services) {
                service.advance(now, revision);
            }
        } else {
            let former = Former::of(std::mem::take(&mut self.services));
            self.services = services(&view, former, revision);
            self.listed = revision;
            self.list_untold = true;
        }
        self.view = view;
    }

    pub(crate) const fn view(&self) -> &View {
        &self.view
    }

    pub(crate) const fn revision(&self) -> u64 {
        self.revision
    }

    pub(crate) fn shape(&self) -> &str {
        &self.shape
    }

    /// The size of what can wait to be told, in bytes; zero if there is none.
    pub(crate) fn quiet_bytes(&self) -> usize {
        self.parts()
            .filter(|part| part.untold == Untold::Quiet)
            .map(|part| part.html.len())
            .sum()
    }

    /// What those who follow the page have to be told at once, and, if
    /// `with_quiet`, what could wait. From then on it counts as told.
    pub(crate) fn take_untold(&mut self, with_quiet: bool) -> String {
        let from = if with_quiet {
            Untold::Quiet
        } else {
            Untold::Loud
        };
        let mut told = String::new();
        let revision = self.revision;
        let mut tell = |part: &mut Fragment| {
            if part.untold >= from {
                told.push_str(&part.html);
                part.tell(revision);
            }
        };
        tell(&mut self.overall);
        tell(&mut self.notes);
        tell(&mut self.incidents);
        tell(&mut self.maintenance);
        tell(&mut self.past);
        if self.list_untold {
            told.push_str(&self.services_html());
            self.list_untold = false;
            self.listed = revision;
            self.service_parts_mut()
                .for_each(|part| part.tell(revision));
        } else {
            self.service_parts_mut().for_each(tell);
        }
        told
    }

    /// Nobody follows the page: there is nobody to tell.
    pub(crate) fn forget_untold(&mut self) {
        self.list_untold = false;
        for part in [
            &mut self.overall,
            &mut self.notes,
            &mut self.incidents,
            &mut self.maintenance,
            &mut self.past,
        ] {
            part.untold = Untold::No;
        }
        self.service_parts_mut()
            .for_each(|part| part.untold = Untold::No);
    }

    /// What changed after revision `since`. A revision that is yet to come is of
    /// another process: everything counts as changed.
    pub(crate) fn since(&self, since: u64) -> String {
        let all = since > self.revision;
        let is_new = |stamp: u64| all || stamp > since;
        let mut changed = String::new();
        let mut add = |part: &Fragment| {
            if is_new(part.stamp) {
                changed.push_str(&part.html);
            }
        };
        add(&self.overall);
        add(&self.notes);
        add(&self.incidents);
        add(&self.maintenance);
        add(&self.past);
        if is_new(self.listed) {
            changed.push_str(&self.services_html());
        } else {
            self.service_parts().for_each(add);
        }
        changed
    }

    /// The whole page.
    pub(crate) fn page(&self) -> String {
        self.locale.speak(|| self.page_spoken())
    }

    fn page_spoken(&self) -> String {
        let view = &self.view;
        let (brand, rest) = template::brand(view);
        let description = view
            .description
            .as_deref()
            .map_or_else(|| words::description(brand, view), str::to_owned);
        Page {
            assets: Assets::get(),
            title: &view.title,
            headline: words::headline_of(view),
            description: Some(description),
            public_url: view.public_url.as_deref().and_then(words::web_address),
            website: view.website.as_deref().and_then(words::web_address),
            support: view.support.as_deref().and_then(words::contact_address),
            languages: view.languages(),
            zone: view.zone_name(),
            brand,
            rest,
            days: Some(template::spotless_days()),
            revision: self.revision,
            shape: &self.shape,
            overall: template::overall_checked(view),
            notes: &self.notes.html,
            incidents: &self.incidents.html,
            services: self.services_html(),
            maintenance: &self.maintenance.html,
            past: &self.past.html,
        }
        .made()
    }

    fn services_html(&self) -> String {
        self.locale.speak(|| self.services_spoken())
    }

    fn services_spoken(&self) -> String {
        let parts: Vec<_> = self
            .services
            .iter()
            .map(|service| ServicePart {
                id: service.view.id.as_str(),
                label: &service.view.label,
                open: service.open,
                head: &service.head.html,
                monitors: service
                    .monitors
                    .iter()
                    .map(|(_, part)| &*part.html)
                    .collect(),
            })
            .collect();
        template::services(&parts)
    }

    /// Whether the same services with the same monitors stand in the same order,
    /// and are folded as before.
    fn lists_the_same(&self, view: &View) -> bool {
        let folds = folds(view);
        self.services.len() == view.services.len()
            && self
                .services
                .iter()
                .zip(&view.services)
                .all(|(before, now)| {
                    before.open == is_open(now, folds)
                        && before.view.id == now.id
                        && (Arc::ptr_eq(&before.view, now)
                            || before
                                .view
                                .monitors
                                .iter()
                                .map(|monitor| &monitor.id)
                                .eq(now.monitors.iter().map(|monitor| &monitor.id)))
                })
    }

    fn parts(&self) -> impl Iterator<Item = &Fragment> {
        [
            &self.overall,
            &self.notes,
            &self.incidents,
            &self.maintenance,
            &self.past,
        ]
        .into_iter()
        .chain(self.service_parts())
    }

    fn service_parts(&self) -> impl Iterator<Item = &Fragment> {
        self.services.iter().flat_map(|service| {
            std::iter::once(&service.head).chain(service.monitors.iter().map(|(_, part)| part))
        })
    }

    fn service_parts_mut(&mut self) -> impl Iterator<Item = &mut Fragment> {
        self.services.iter_mut().flat_map(|service| {
            std::iter::once(&mut service.head)
                .chain(service.monitors.iter_mut().map(|(_, part)| part))
        })
    }
}

/// What stands in the head and the foot of the page.
fn head_of(view: &View) -> [Option<&str>; 7] {
    [
        Some(&view.title),
        view.company.as_deref(),
        view.description.as_deref(),
        view.website.as_deref(),
        view.support.as_deref(),
        view.public_url.as_deref(),
        view.time_zone.as_deref(),
    ]
}

fn shape(view: &View, language: Language) -> String {
    let assets = Assets::get();
    let mut digest = Sha256::new();
    let fixed = [
        Some(assets.style.path.as_str()),
        Some(assets.script.path.as_str()),
        Some(language.code()),
    ];
    for text in fixed.into_iter().chain(head_of(view)) {
        digest.update(text.unwrap_or_default());
        digest.update([0xff]);
    }
    for name in view.look.iter().flat_map(|look| look.names()) {
        digest.update(name);
        digest.update([0xff]);
    }
    for offered in view.languages() {
        digest.update(offered.code());
    }
    assets::tag(&digest.finalize())
}
