//! The words in which failures are told to people.

use std::io;
use std::time::Duration;

/// A failure of the network, without the system's error numbers.
pub(crate) fn of_io(error: &io::Error) -> String {
    let words = match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused",
        io::ErrorKind::ConnectionReset => "connection reset",
        io::ErrorKind::ConnectionAborted => "connection aborted",
        io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof => {
            "connection closed by the other side"
        }
        io::ErrorKind::TimedOut => "no answer",
        io::ErrorKind::NetworkUnreachable => "network unreachable",
        io::ErrorKind::HostUnreachable => "host unreachable",
        io::ErrorKind::NetworkDown => "network down",
        io::ErrorKind::PermissionDenied => "the operating system does not permit it",
        _ => return error.to_string(),
    };
    words.to_owned()
}

/// A duration as people say it: `10 s`, `1.5 s`, `250 ms`.
pub fn duration(duration: Duration) -> String {
    let milliseconds = duration.as_millis();
    if milliseconds == 0 {
        return format!("{} µs", duration.as_micros());
    }
    if milliseconds < 1_000 {
        return format!("{milliseconds} ms");
    }
    let tenths = (milliseconds + 50) / 100;
    if tenths.is_multiple_of(10) {
        format!("{} s", tenths / 10)
    } else {
        format!("{}.{} s", tenths / 10, tenths % 10)
    }
}

/// A number of bytes in the largest binary unit that divides it: `4 MiB`.
pub(crate) fn bytes(bytes: u64) -> String {
    const KIB: u64 = 1 << 10;
    const MIB: u64 = 1 << 20;
    if bytes >= MIB && bytes.is_multiple_of(MIB) {
        format!("{} MiB", bytes / MIB)
    } else if bytes >= KIB && bytes.is_multiple_of(KIB) {
        format!("{} KiB", bytes / KIB)
    } else {
        format!("{bytes} bytes")
    }
}

/// The day (UTC) of a Unix time in seconds: `2024-01-02`.
///
/// Days are turned into a civil date by the 400-year cycle of the Gregorian
/// calendar, counted from 0000-03-01 so that the leap day ends a year.
pub(crate) fn date(unix_seconds: i64) -> String {
    let days = unix_seconds.div_euclid(86_400) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short() {
        for (value, words) in [
            (Duration::from_secs(10), "10 s"),
            (Duration::from_millis(1_500), "1.5 s"),
            (Duration::from_millis(1_999), "2 s"),
            (Duration::from_millis(250), "250 ms"),
            (Duration::from_micros(40), "40 µs"),
        ] {
            assert_eq!(duration(value), words);
        }
    }

    #[test]
    fn sizes_are_short() {
        assert_eq!(bytes(4 << 20), "4 MiB");
        assert_eq!(bytes(64 << 10), "64 KiB");
        assert_eq!(bytes(1_500), "1500 bytes");
    }

    #[test]
    fn dates_are_civil() {
        for (seconds, day) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (1_704_153_600, "2024-01-02"),
            (1_709_164_800, "2024-02-29"),
            (4_102_444_799, "2099-12-31"),
        ] {
            assert_eq!(date(seconds), day);
        }
    }
}
