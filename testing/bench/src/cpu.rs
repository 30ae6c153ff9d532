//! Processor time and memory, of this process and of others.

use std::time::Duration;

use anyhow::Context as _;
use rustix::process::{Resource, Rlimit};
use rustix::time::{ClockId, clock_gettime};

/// The kernel counts in `/proc` in hundredths of a second, on every architecture
/// that Linux has had since 2.6 (`USER_HZ`).
const TICK: Duration = Duration::from_millis(10);

/// Processor time of all threads of this process so far, user and system.
pub(crate) fn own() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or_default(),
        u32::try_from(time.tv_nsec).unwrap_or_default(),
    )
}

/// Processor time of the children that this process has waited for, and of theirs.
pub(crate) fn of_ended_children() -> anyhow::Result<Duration> {
    let fields = stat("self")?;
    Ok(ticks(&fields, 16)? + ticks(&fields, 17)?)
}

/// Processor time of the process `pid` so far, user and system.
pub(crate) fn of(pid: u32) -> anyhow::Result<Duration> {
    let fields = stat(&pid.to_string())?;
    Ok(ticks(&fields, 14)? + ticks(&fields, 15)?)
}

/// Memory that the process `pid` has in RAM, in bytes.
pub(crate) fn resident(pid: u32) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))
        .with_context(|| format!("process {pid} is gone"))?;
    let kilobytes = status.lines().find_map(|line| {
        let value = line.strip_prefix("VmRSS:")?.trim();
        value.strip_suffix("kB")?.trim().parse::<u64>().ok()
    });
    Ok(kilobytes.context("the kernel does not say how much memory a process has")? << 10)
}

/// Lets this process and those that it starts open as many files as they may.
/// Returns how many that is.
pub(crate) fn raise_file_limit() -> anyhow::Result<u64> {
    let limit = rustix::process::getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let raised = Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        };
        rustix::process::setrlimit(Resource::Nofile, raised)?;
    }
    Ok(limit.maximum.unwrap_or(u64::MAX))
}

/// The fields of `/proc/PID/stat` from the third on: the second is the program's
/// name, which may contain anything.
fn stat(process: &str) -> anyhow::Result<Vec<String>> {
    let line = std::fs::read_to_string(format!("/proc/{process}/stat"))
        .with_context(|| format!("process {process} is gone"))?;
    let (_, rest) = line
        .rsplit_once(") ")
        .context("the kernel describes a process otherwise than it used to")?;
    Ok(rest.split_whitespace().map(str::to_owned).collect())
}

/// Field `number` as `proc_pid_stat(5)` counts them.
fn ticks(fields: &[String], number: usize) -> anyhow::Result<Duration> {
    let text = number
        .checked_sub(3)
        .and_then(|place| fields.get(place))
        .context("the kernel says less of a process than it used to")?;
    Ok(TICK * text.parse::<u32>().context("processor time is a number")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_counted_to_whoever_did_it() {
        let (before, by_kernel) = (own(), of(std::process::id()).unwrap());
        let mut number = 1_u64;
        while own().saturating_sub(before) < Duration::from_millis(100) {
            number = std::hint::black_box(number.wrapping_mul(6_364_136_223_846_793_005));
        }
        assert!(
            of(std::process::id()).unwrap().saturating_sub(by_kernel) >= Duration::from_millis(50)
        );
        assert!(resident(std::process::id()).unwrap() > 100 << 10);
    }

    #[test]
    fn a_child_counts_once_it_was_waited_for() {
        let before = of_ended_children().unwrap();
        let burn = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done";
        let ended = std::process::Command::new("sh").args(["-c", burn]).status();
        assert!(ended.unwrap().success());
        assert!(of_ended_children().unwrap() > before);
    }
}
