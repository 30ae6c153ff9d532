//! One issue in an issue tracker for each thread of notices: opened by the first,
//! commented by those after it, closed by the recovery. Needs
//! [`Capability::State`](crate::Capability::State).
//!
//! A try whose answer was lost may have reached the tracker. What is written
//! there therefore has a marker of its notice, which is looked for before it is
//! written again.

mod marker;

use crate::wording::{Severity, Wording};
use crate::{Failure, Notice, log, threads};

pub use self::marker::Marker;

/// What a tracker can do; implemented by the notifier of each.
pub trait Tracker {
    /// The newest issue whose text has `thread`, open or not, and its text.
    fn find(&self, thread: &Marker) -> Result<Option<(u64, String)>, Failure>;

    /// Opens an issue about `notice` and gives its number. Its text must have both
    /// markers.
    fn open(&self, wording: &Wording, markers: &Markers) -> Result<u64, Failure>;

    /// Whether a comment of the issue has `notice`; none where there is no such
    /// issue any more.
    fn has_comment(&self, number: u64, notice: &Marker) -> Result<Option<bool>, Failure>;

    /// Adds a comment, whose text must have the notice's marker.
    fn comment(&self, number: u64, wording: &Wording, markers: &Markers) -> Result<(), Failure>;

    /// Closes the issue; it may be closed already.
    fn close(&self, number: u64) -> Result<(), Failure>;
}

/// What is written with a notice, so that it is found again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Markers {
    /// Of the notice's thread.
    pub thread: Marker,
    /// Of the notice itself.
    pub notice: Marker,
}

/// Tells `tracker` of `notice`. A recovery of what has no issue is not told.
pub fn tell(tracker: &impl Tracker, notice: &Notice) -> Result<(), Failure> {
    let known = threads::recall(&notice.thread);
    let number = write(tracker, notice, known, |number| {
        // Kept at once: what follows may fail.
        if let Err(error) = threads::keep(&notice.thread, &number) {
            log::warn(format!(
                "the next notice has to look for issue {number}: {error}"
            ));
        }
    })?;
    if let Some(number) = number
        && !Severity::of(notice).is_trouble()
    {
        tracker.close(number)?;
        threads::forget(&notice.thread)?;
    }
    Ok(())
}

/// Writes the notice, unless it is there, and gives the issue's number.
fn write(
    tracker: &impl Tracker,
    notice: &Notice,
    known: Option<u64>,
    opened: impl FnOnce(u64),
) -> Result<Option<u64>, Failure> {
    let wording = Wording::of(notice);
    let markers = Markers {
        thread: Marker::new("thread", &notice.thread),
        notice: Marker::new("notice", &notice.id),
    };
    let mut issue = known;
    if issue.is_none()
        && let Some((number, text)) = tracker.find(&markers.thread)?
    {
        if markers.notice.is_in(&text) {
            opened(number);
            return Ok(Some(number));
        }
        issue = Some(number);
    }
    if let Some(number) = issue {
        match tracker.has_comment(number, &markers.notice)? {
            Some(true) => return Ok(Some(number)),
            Some(false) => {
                tracker.comment(number, &wording, &markers)?;
                return Ok(Some(number));
            }
            // Somebody deleted it.
            None => {}
        }
    }
    if wording.severity == Severity::Healthy {
        return Ok(None);
    }
    let number = tracker.open(&wording, &markers)?;
    opened(number);
    Ok(Some(number))
}

#[cfg(test)]
mod tests;
