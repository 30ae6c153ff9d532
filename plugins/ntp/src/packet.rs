//! The packet of NTP (RFC 5905 section 7.3): the question as little as possible,
//! the answer taken apart.

use std::time::Duration;

use watchkeeper_sdk::Timestamp;

/// The length of a packet without extensions, in bytes.
const LENGTH: usize = 48;

/// From 1900, where NTP counts from, to 1970, in seconds.
const SECONDS_TO_1970: u64 = 2_208_988_800;

/// No leap announced, version 4, mode 3: client.
const CLIENT: u8 = 0b00_100_011;

/// The mode of an answer.
const SERVER: u8 = 4;

/// A point in time: seconds since 1900 and their parts in 2^-32, the era left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NtpTime(u64);

impl NtpTime {
    pub(crate) fn of(time: Timestamp) -> Self {
        let seconds = time.seconds().wrapping_add(SECONDS_TO_1970);
        let nanos = time.nanos() % 1_000_000_000;
        Self((seconds << 32) | ((nanos << 32) / 1_000_000_000))
    }

    pub(crate) fn later(self, by: Duration) -> Self {
        let fraction = (u64::from(by.subsec_nanos()) << 32) / 1_000_000_000;
        Self(
            self.0
                .wrapping_add(by.as_secs() << 32)
                .wrapping_add(fraction),
        )
    }

    /// Seconds from `earlier` to this, negative where it is the other way round.
    /// Right across the end of an era, as long as both are within 68 years.
    #[expect(
        clippy::cast_precision_loss,
        reason = "what is lost is below a nanosecond for spans below 97 days"
    )]
    pub(crate) fn since(self, earlier: Self) -> f64 {
        let difference = self.0.wrapping_sub(earlier.0).cast_signed();
        difference as f64 / 4_294_967_296.0
    }
}

/// What a server announces of the last minute of the day (RFC 5905 figure 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leap {
    None,
    /// It has 61 seconds.
    Inserted,
    /// It has 59.
    Deleted,
    /// The server does not know the time.
    Unsynchronised,
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) leap: Leap,
    /// 1 for a server with a clock of its own, one more for each in between; 0 for
    /// one without the time.
    pub(crate) stratum: u8,
    /// To the reference clock and back, in seconds.
    pub(crate) root_delay: f64,
    /// How far off the reference clock it may be at most by its own reckoning, in
    /// seconds.
    pub(crate) root_dispersion: f64,
    /// With stratum 0: four letters that say why there is no time.
    pub(crate) kiss: Option<String>,
    pub(crate) received: NtpTime,
    pub(crate) sent: NtpTime,
}

/// The question: `nonce` stands in the place of this side's time, which is nobody
/// else's business; an answer repeats it.
pub(crate) fn question(nonce: [u8; 8]) -> [u8; LENGTH] {
    let mut packet = [0; LENGTH];
    packet[0] = CLIENT;
    packet[LENGTH - 8..].copy_from_slice(&nonce);
    packet
}

/// Takes an answer apart; none where the datagram is no answer to the question with
/// that nonce.
pub(crate) fn answer(datagram: &[u8], nonce: [u8; 8]) -> Option<Answer> {
    let packet: &[u8; LENGTH] = datagram.get(..LENGTH)?.try_into().ok()?;
    let bytes = |from: usize, count: usize| packet.get(from..from + count);
    let [head, stratum, ..] = *packet;
    if head & 0b111 != SERVER || bytes(24, 8)? != nonce {
        return None;
    }
    let short = |from| {
        Some(f64::from(u32::from_be_bytes(
            bytes(from, 4)?.try_into().ok()?,
        )))
    };
    let time = |from| {
        Some(NtpTime(u64::from_be_bytes(
            bytes(from, 8)?.try_into().ok()?,
        )))
    };
    let reference = bytes(12, 4)?;
    let is_word = reference.iter().all(u8::is_ascii_alphanumeric);
    Some(Answer {
        leap: match head >> 6 {
            0 => Leap::None,
            1 => Leap::Inserted,
            2 => Leap::Deleted,
            _ => Leap::Unsynchronised,
        },
        stratum,
        // 16 bits of seconds, 16 of their parts.
        root_delay: short(4)? / 65_536.0,
        root_dispersion: short(8)? / 65_536.0,
        kiss: (stratum == 0 && is_word).then(|| String::from_utf8_lossy(reference).into_owned()),
        received: time(32)?,
        sent: time(40)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONCE: [u8; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

    /// An answer of chrony 4.3 with `local stratum 5`, but for the nonce.
    fn recorded() -> Vec<u8> {
        let mut packet = vec![0x24, 5, 0, 0xe7, 0, 0, 0, 0, 0, 1, 0x80, 0, 127, 127, 1, 1];
        packet.extend([0xee, 0xab, 0xc6, 0x3c, 0x78, 0x6d, 0x9d, 0xc1]);
        packet.extend(NONCE);
        packet.extend([0xee, 0xab, 0xc6, 0x3e, 0x22, 0x39, 0x90, 0xc7]);
        packet.extend([0xee, 0xab, 0xc6, 0x3e, 0x22, 0x3d, 0x9a, 0x34]);
        packet
    }

    #[test]
    fn an_answer_is_taken_apart() {
        let found = answer(&recorded(), NONCE).unwrap();
        assert_eq!((found.leap, found.stratum), (Leap::None, 5));
        assert_eq!((found.root_delay, found.root_dispersion), (0.0, 1.5));
        assert_eq!(found.kiss, None);
        assert!((found.sent.since(found.received) - 0.000_061).abs() < 1e-6);
    }

    #[test]
    fn what_answers_no_question_of_ours_is_none() {
        let packet = recorded();
        assert_eq!(answer(&packet, [0; 8]), None);
        assert_eq!(answer(&packet[..47], NONCE), None);
        assert_eq!(answer(&[], NONCE), None);
        assert_eq!(answer(&question(NONCE), NONCE), None, "the mode is client");
    }

    #[test]
    fn a_kiss_is_in_letters() {
        let mut packet = recorded();
        packet[0] = 0xe4;
        packet[1] = 0;
        packet[12..16].copy_from_slice(b"RATE");
        let found = answer(&packet, NONCE).unwrap();
        assert_eq!(found.leap, Leap::Unsynchronised);
        assert_eq!(found.kiss.as_deref(), Some("RATE"));
        packet[12..16].fill(0);
        assert_eq!(answer(&packet, NONCE).unwrap().kiss, None);
    }

    #[test]
    fn differences_hold_across_the_end_of_an_era() {
        // 2036-02-07T06:28:16Z is second 0 of the next era.
        let end = Timestamp::from_seconds((1 << 32) - SECONDS_TO_1970);
        assert_eq!(NtpTime::of(end), NtpTime(0));
        let before = NtpTime::of(Timestamp::from_nanos(end.nanos() - 1_500_000_000));
        let found = NtpTime(0).since(before);
        assert!((found - 1.5).abs() < 1e-9, "{found}");
        let after = before.later(Duration::from_millis(2250));
        assert!((after.since(NtpTime(0)) - 0.75).abs() < 1e-9);
        assert!((before.since(after) + 2.25).abs() < 1e-9);
    }
}
