//! The hours of a week in which a route tells: spans of days and times by the
//! clock on the wall, whatever it does in spring and autumn.

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Span, Timestamp as Instant};
use watchkeeper_engine::time::Timestamp;

/// The minutes of a day.
pub(crate) const DAY: u16 = 24 * 60;

/// How far ahead an opening is looked for, in days: a week, and the day of a span
/// that began before midnight.
const AHEAD: i32 = 8;

/// When a route tells. The default is always.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hours {
    /// None: always.
    spans: Vec<HoursSpan>,
    zone: Option<TimeZone>,
}

/// A span of times on some days of the week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoursSpan {
    /// On which days it begins, from Monday.
    pub days: [bool; 7],
    /// The minute of the day at which it begins: below 1,440.
    pub from: u16,
    /// The minute at which it ends, at most 1,440; on the next day if it is not
    /// after `from`.
    pub to: u16,
}

impl Hours {
    /// These spans by the clock of `zone`; always, if there are none.
    pub fn new(spans: Vec<HoursSpan>, zone: TimeZone) -> Self {
        Self {
            zone: (!spans.is_empty()).then_some(zone),
            spans,
        }
    }

    /// Whether it is always.
    pub const fn are_always(&self) -> bool {
        self.zone.is_none()
    }

    /// Whether `at` is in them.
    pub fn include(&self, at: Timestamp) -> bool {
        let Some(zone) = &self.zone else { return true };
        // A time that no calendar has is in no span.
        Instant::from_millisecond(at.as_millis()).is_ok_and(|at| self.has(at, zone))
    }

    /// When they begin next after `after`; `None` if they are always, or never
    /// again. It may be a time that is in them anyway, where one span follows
    /// another.
    pub fn next_opening(&self, after: Timestamp) -> Option<Timestamp> {
        let zone = self.zone.as_ref()?;
        let start = Instant::from_millisecond(after.as_millis()).ok()?;
        let today = start.to_zoned(zone.clone()).date();
        let days = (-1..=AHEAD).filter_map(|days| today.checked_add(Span::new().days(days)).ok());
        let openings = days.flat_map(|date| {
            let spans = self.spans.iter().filter(move |span| span.begins_on(date));
            spans.filter_map(move |span| first_at(date.to_datetime(clock(span.from)), zone))
        });
        let next = openings
            .filter(|at| *at > start && self.has(*at, zone))
            .min()?;
        Some(Timestamp::from_millis(next.as_millisecond()))
    }

    fn has(&self, at: Instant, zone: &TimeZone) -> bool {
        let local = at.to_zoned(zone.clone());
        let (date, time) = (local.date(), local.time());
        let minute =
            u16::from(time.hour().unsigned_abs()) * 60 + u16::from(time.minute().unsigned_abs());
        let before = date.yesterday().ok();
        self.spans.iter().any(|span| {
            let today = span.begins_on(date)
                && minute >= span.from
                && (minute < span.to || span.passes_midnight());
            let since_yesterday = span.passes_midnight()
                && minute < span.to
                && before.is_some_and(|before| span.begins_on(before));
            today || since_yesterday
        })
    }
}

impl HoursSpan {
    const fn passes_midnight(&self) -> bool {
        self.to <= self.from
    }

    fn begins_on(&self, date: Date) -> bool {
        let day = match date.weekday() {
            Weekday::Monday => 0,
            Weekday::Tuesday => 1,
            Weekday::Wednesday => 2,
            Weekday::Thursday => 3,
            Weekday::Friday => 4,
            Weekday::Saturday => 5,
            Weekday::Sunday => 6,
        };
        self.days[day]
    }
}

/// A minute of the day as a time.
fn clock(minute: u16) -> Time {
    let part = |number: u16| i8::try_from(number).unwrap_or(0);
    Time::new(part(minute / 60 % 24), part(minute % 60), 0, 0).unwrap_or(Time::MIN)
}

/// When the clock first shows `time` or, where it jumps over it, something later.
fn first_at(time: DateTime, zone: &TimeZone) -> Option<Instant> {
    let ambiguous = zone.to_ambiguous_timestamp(time);
    let is_gap = matches!(ambiguous.offset(), AmbiguousOffset::Gap { .. });
    let earlier = ambiguous.earlier().ok()?;
    if !is_gap {
        return Some(earlier);
    }
    let jump = zone.following(earlier).next()?;
    Some(jump.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEEKDAYS: [bool; 7] = [true, true, true, true, true, false, false];
    const ALL: [bool; 7] = [true; 7];

    fn hours(days: [bool; 7], from: u16, to: u16) -> Hours {
        let zone = TimeZone::get("Europe/Stockholm").unwrap();
        Hours::new(vec![HoursSpan { days, from, to }], zone)
    }

    fn at(text: &str) -> Timestamp {
        let at: Instant = text.parse().unwrap();
        Timestamp::from_millis(at.as_millisecond())
    }

    fn next(hours: &Hours, after: &str) -> String {
        let next = hours.next_opening(at(after)).unwrap();
        assert!(hours.include(next));
        let just_before = Timestamp::from_millis(next.as_millis() - 1);
        assert!(!hours.include(just_before), "{after}");
        Instant::from_millisecond(next.as_millis())
            .unwrap()
            .to_string()
    }

    #[test]
    fn office_hours_follow_the_clock_on_the_wall() {
        let office = hours(WEEKDAYS, 8 * 60, 18 * 60);
        // 2026-11-20 is a Friday; Stockholm is an hour ahead of UTC in winter.
        assert!(!office.include(at("2026-11-20T06:59:59Z")));
        assert!(office.include(at("2026-11-20T07:00:00Z")));
        assert!(office.include(at("2026-11-20T16:59:59Z")));
        assert!(!office.include(at("2026-11-20T17:00:00Z")));
        assert!(!office.include(at("2026-11-21T10:00:00Z")));
        assert_eq!(
            next(&office, "2026-11-20T17:00:00Z"),
            "2026-11-23T07:00:00Z"
        );
        // Two hours ahead in summer.
        assert!(office.include(at("2026-07-01T06:00:00Z")));
        assert_eq!(
            next(&office, "2026-07-01T20:00:00Z"),
            "2026-07-02T06:00:00Z"
        );
    }

    #[test]
    fn a_span_may_pass_midnight() {
        let nights = hours(WEEKDAYS, 22 * 60, 6 * 60);
        assert!(nights.include(at("2026-11-20T22:00:00Z")), "Friday, 23:00");
        assert!(nights.include(at("2026-11-21T04:59:00Z")), "Saturday, 5:59");
        assert!(
            !nights.include(at("2026-11-21T05:00:00Z")),
            "Saturday, 6:00"
        );
        assert!(
            !nights.include(at("2026-11-21T22:00:00Z")),
            "Saturday, 23:00"
        );
        assert!(!nights.include(at("2026-11-23T02:00:00Z")), "Monday, 3:00");
        assert_eq!(
            next(&nights, "2026-11-21T05:00:00Z"),
            "2026-11-23T21:00:00Z"
        );
    }

    #[test]
    fn clocks_that_jump_neither_lose_nor_repeat_an_opening() {
        // On 2026-03-29 there is no time between 2:00 and 3:00.
        let spring = hours(ALL, 2 * 60 + 30, 4 * 60);
        assert_eq!(
            next(&spring, "2026-03-28T23:30:00Z"),
            "2026-03-29T01:00:00Z"
        );
        let whole = hours(ALL, 2 * 60, 3 * 60);
        assert_eq!(
            next(&whole, "2026-03-28T23:30:00Z"),
            "2026-03-30T00:00:00Z",
            "a span that is left out altogether"
        );
        // On 2026-10-25 the times between 2:00 and 3:00 come twice.
        let autumn = hours(ALL, 2 * 60 + 30, 4 * 60);
        assert_eq!(
            next(&autumn, "2026-10-24T23:30:00Z"),
            "2026-10-25T00:30:00Z"
        );
        assert!(autumn.include(at("2026-10-25T01:30:00Z")));
    }

    #[test]
    fn whole_days_have_no_end() {
        let days = hours([false, false, false, false, false, true, true], 0, DAY);
        assert_eq!(next(&days, "2026-11-20T12:00:00Z"), "2026-11-20T23:00:00Z");
        assert!(days.include(at("2026-11-22T22:59:59Z")));
        assert!(!days.include(at("2026-11-22T23:00:00Z")));
    }

    #[test]
    fn without_spans_it_is_always() {
        let always = Hours::new(Vec::new(), TimeZone::UTC);
        assert!(always.are_always() && always == Hours::default());
        assert!(always.include(Timestamp::from_millis(i64::MAX)));
        assert_eq!(always.next_opening(Timestamp::default()), None);
        let office = hours(WEEKDAYS, 0, 1);
        assert!(!office.include(Timestamp::from_millis(i64::MAX)));
        assert_eq!(office.next_opening(Timestamp::from_millis(i64::MAX)), None);
    }
}
