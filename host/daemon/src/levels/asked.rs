//! What a report is asked for, understood: which services and monitors, and which
//! time, by the clock of the page.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp as Instant, Zoned};
use watchkeeper_config::Config;
use watchkeeper_config::config::Service;
use watchkeeper_config::monitor::Monitor;
use watchkeeper_config::sla::{Period, Sla};
use watchkeeper_engine::sla::Window;
use watchkeeper_engine::time::Timestamp;
use watchkeeper_web::{NoReport, WantedReport};

use super::{Item, snapped, window};

/// The time that is asked for.
enum Time {
    /// For each that of its promise, around a moment.
    OfPromise(Timestamp),
    /// A period around a moment.
    Period(Period, Timestamp),
    /// From one moment to another.
    Range(Timestamp, Timestamp),
}

/// What `wanted` is about, services before their monitors.
pub(super) fn items(
    config: &Config,
    wanted: &WantedReport,
    now: Timestamp,
) -> Result<Vec<Item>, NoReport> {
    let time = time(config, wanted, now)?;
    let (service, name) = match wanted.item.as_deref() {
        None => (None, None),
        Some(item) => match item.split_once('/') {
            None => (Some(item), None),
            Some((service, name)) => (Some(service), Some(name)),
        },
    };
    let mut items = Vec::new();
    let mut exists = wanted.item.is_none();
    for each in config
        .services
        .iter()
        .filter(|each| service.is_none_or(|id| each.id.as_str() == id))
    {
        exists |= name.is_none();
        if name.is_none() {
            items.extend(item(config, wanted, &time, now, each, None));
        }
        for monitor in each.monitors.iter() {
            if name.is_none_or(|name| monitor.id.name().as_str() == name) {
                exists |= name.is_some();
                items.extend(item(config, wanted, &time, now, each, Some(monitor)));
            }
        }
    }
    if exists {
        Ok(items)
    } else {
        Err(NoReport::Unknown)
    }
}

/// The days of a window, or its moments where it does not consist of days.
pub(super) fn span(window: &Window, config: &Config) -> String {
    let zone = &config.page.time_zone;
    let (Some(from), Some(to)) = (zoned(window.from, zone), zoned(window.to, zone)) else {
        return String::new();
    };
    let is_midnight = |at: &Zoned| at.start_of_day().is_ok_and(|start| start == *at);
    if is_midnight(&from) && is_midnight(&to) && from < to {
        let last = to.date().yesterday().unwrap_or(to.date());
        return if from.date() == last {
            from.date().to_string()
        } else {
            format!("{} to {last}", from.date())
        };
    }
    let pattern = "%Y-%m-%d %H:%M";
    format!("{} to {}", from.strftime(pattern), to.strftime(pattern))
}

/// What the time zone of periods is called.
pub(super) fn zone_name(config: &Config) -> String {
    let zone = &config.page.time_zone;
    zone.iana_name().unwrap_or("UTC").to_owned()
}

/// The item, unless nothing was promised and that is what is asked for.
fn item(
    config: &Config,
    wanted: &WantedReport,
    time: &Time,
    now: Timestamp,
    service: &Service,
    monitor: Option<&Monitor>,
) -> Option<Item> {
    let sla: Option<Sla> = monitor.map_or(service.sla, |monitor| monitor.sla);
    // Who asks for one thing hears of it, promise or not.
    let is_named = wanted
        .item
        .as_deref()
        .is_some_and(|item| item.contains('/') == monitor.is_some());
    if sla.is_none() && wanted.otherwise.is_none() && !is_named {
        return None;
    }
    let otherwise = || wanted.otherwise.and_then(Period::parse).unwrap_or_default();
    let (period, window) = match time {
        Time::OfPromise(at) => {
            let period = sla.map_or_else(otherwise, |sla| sla.period);
            (period.to_string(), window(period, *at, now, config))
        }
        Time::Period(period, at) => (period.to_string(), window(*period, *at, now, config)),
        Time::Range(from, to) => ("custom".to_owned(), snapped(*from, *to, now)),
    };
    Some(Item {
        service: service.id.clone(),
        monitor: monitor.map(|it| it.id.name().clone()),
        label: match monitor {
            Some(monitor) => format!("{}: {}", service.label, monitor.label),
            None => service.label.to_string(),
        },
        level: sla.map(|sla| sla.level),
        period,
        window,
    })
}

fn time(config: &Config, wanted: &WantedReport, now: Timestamp) -> Result<Time, NoReport> {
    let zone = &config.page.time_zone;
    let wrong = |what: &str| Err(NoReport::Wrong(what.to_owned()));
    let (period, at) = (wanted.period.as_deref(), wanted.at.as_deref());
    if let Some(from) = wanted.from.as_deref() {
        if period.is_some() || at.is_some() {
            return wrong("`from` and `to` stand instead of `period` and `at`");
        }
        let from = moment(from, zone, false);
        let to = wanted.to.as_deref();
        let to = to.map_or(Some(now), |to| moment(to, zone, true));
        return match (from, to) {
            (Some(from), Some(to)) if from < to => Ok(Time::Range(from, to)),
            (Some(_), Some(_)) => wrong("`from` must be before `to`"),
            _ => wrong(
                "`from` and `to` must each be a day such as `2026-11-21` or a time such as \
                 `2026-11-21T08:00:00Z`",
            ),
        };
    }
    if wanted.to.is_some() {
        return wrong("`to` stands beside `from`");
    }
    let at = match at.map(|at| moment(at, zone, false)) {
        None => now,
        // All of a period that has passed is in it; of one that rolls, the day too.
        Some(Some(start)) => start,
        Some(None) => return wrong("`at` must be a day such as `2026-11-21`"),
    };
    match period.map(Period::parse) {
        None => Ok(Time::OfPromise(at)),
        Some(Some(period)) => Ok(Time::Period(period, at)),
        Some(None) => wrong(
            "`period` must be `day`, `week`, `month`, `quarter`, `year` or a span of time from \
             1h to 400d such as `30d`",
        ),
    }
}

/// A day, or a moment. Of a day its beginning, or its end if it is the last one.
fn moment(text: &str, zone: &TimeZone, is_last: bool) -> Option<Timestamp> {
    let instant = if let Ok(date) = text.parse::<Date>()
        && text.len() == 10
    {
        let date = if is_last { date.tomorrow().ok()? } else { date };
        date.to_zoned(zone.clone()).ok()?.timestamp()
    } else {
        text.parse::<Instant>().ok()?
    };
    Some(Timestamp::from_millis(instant.as_millisecond()))
}

fn zoned(at: Timestamp, zone: &TimeZone) -> Option<Zoned> {
    let at = Instant::from_millisecond(at.as_millis()).ok()?;
    Some(at.to_zoned(zone.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_zone() {
        let zone = TimeZone::get("Asia/Kolkata").unwrap();
        let at = |text, last| moment(text, &zone, last).map(Timestamp::as_secs);
        assert_eq!(at("2026-11-21", false), Some(1_795_199_400));
        assert_eq!(at("2026-11-21", true), Some(1_795_199_400 + 86_400));
        assert_eq!(at("2026-11-20T18:30:00Z", false), at("2026-11-21", false));
        assert_eq!(at("2026-11-31", false), None);
        assert_eq!(at("yesterday", false), None);
    }
}
