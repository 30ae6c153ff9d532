//! Programs that were started here, their ends, and the signals that reach this one.

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{ChildStdin, Command, ExitStatus};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::io::Errno;
use rustix::process::{Pid, Signal as Number, kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::run::{say, written};

/// What there is to react to.
#[derive(Debug)]
pub(super) enum Event {
    /// Someone wants this program to end.
    Signal,
    /// A program has ended.
    Ended {
        /// As it was named at its start.
        name: &'static str,
        /// How.
        status: ExitStatus,
    },
}

/// Whether someone wants this program to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    None,
    Received,
}

/// The programs that run. Only what was started here is ever signalled, and only as
/// long as its end has not been seen.
pub(super) struct Children {
    sender: Sender<Event>,
    events: Receiver<Event>,
    running: Vec<Running>,
}

struct Running {
    name: &'static str,
    pid: Pid,
    /// Held open: its end tells the program that this one has gone.
    _input: Option<ChildStdin>,
}

impl Children {
    /// Takes over Ctrl-C and the request to terminate from here on.
    pub(super) fn watch_signals() -> Result<Self> {
        let (sender, events) = mpsc::channel();
        let mut signals =
            Signals::new([SIGINT, SIGTERM, SIGHUP]).context("cannot watch for signals")?;
        let to_loop = sender.clone();
        thread::spawn(move || {
            for _ in signals.forever() {
                if to_loop.send(Event::Signal).is_err() {
                    break;
                }
            }
        });
        Ok(Self {
            sender,
            events,
            running: Vec::new(),
        })
    }

    /// Starts a program in a process group of its own: Ctrl-C reaches this program alone,
    /// which then ends the others in order.
    pub(super) fn start(&mut self, name: &'static str, command: &mut Command) -> Result<()> {
        let line = written(command);
        let mut child = command
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {line}"))?;
        let pid = Pid::from_child(&child);
        self.running.push(Running {
            name,
            pid,
            _input: child.stdin.take(),
        });
        let to_loop = self.sender.clone();
        thread::spawn(move || {
            // Waiting for one's own child fails only if someone else has waited for it.
            if let Ok(status) = child.wait() {
                drop(to_loop.send(Event::Ended { name, status }));
            }
        });
        Ok(())
    }

    /// The process id of a program that runs.
    pub(super) fn pid(&self, name: &str) -> Option<i32> {
        self.running
            .iter()
            .find(|one| one.name == name)
            .map(|one| one.pid.as_raw_nonzero().get())
    }

    /// What happens within `limit`, if anything does.
    pub(super) fn next(&mut self, limit: Duration) -> Option<Event> {
        // Half a century stands for ever; adding more to a time can overflow.
        let event = self
            .events
            .recv_timeout(limit.min(Duration::from_hours(24 * 365 * 50)))
            .ok()?;
        if let Event::Ended { name, .. } = event {
            self.running.retain(|one| one.name != name);
        }
        Some(event)
    }

    /// Asks all to end, the last started first, each before the next: none outlives what it
    /// needs. Who has not ended after `limit`, or when asked a second time, is killed.
    pub(super) fn stop(&mut self, limit: Duration) {
        while let Some(last) = self.running.last() {
            let (name, pid) = (last.name, last.pid);
            signal(pid, Number::TERM);
            let ended = loop {
                match self.next(limit) {
                    Some(Event::Ended { name: ended, .. }) if ended == name => break true,
                    Some(Event::Ended { .. }) => {}
                    Some(Event::Signal) | None => break false,
                }
            };
            if !ended {
                say(&format!("{name} does not end; killing it"));
                signal(pid, Number::KILL);
                // The kernel ends it; what is left is to hear of it.
                while self.running.iter().any(|one| one.name == name) {
                    if self.next(limit).is_none() {
                        return;
                    }
                }
            }
        }
    }
}

/// Whether the program was ended by a signal rather than by itself.
pub(super) fn killed(status: ExitStatus) -> bool {
    status.signal().is_some()
}

fn signal(pid: Pid, number: Number) {
    // With no such process its end is on its way to us.
    if let Err(error) = kill_process(pid, number)
        && error != Errno::SRCH
    {
        say(&format!(
            "cannot signal process {}: {error}",
            pid.as_raw_nonzero()
        ));
    }
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;

    use super::*;

    const LONG: Duration = Duration::from_secs(30);

    #[test]
    fn tells_of_an_end_and_how_it_came() {
        let mut children = Children::watch_signals().unwrap();
        children
            .start("one", Command::new("sh").args(["-c", "exit 3"]))
            .unwrap();
        match children.next(LONG) {
            Some(Event::Ended {
                name: "one",
                status,
            }) => {
                assert_eq!(status.code(), Some(3));
                assert!(!killed(status));
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(children.pid("one"), None);

        children
            .start("two", Command::new("sleep").arg("60"))
            .unwrap();
        let pid = children.pid("two").unwrap();
        signal(Pid::from_raw(pid).unwrap(), Number::KILL);
        match children.next(LONG) {
            Some(Event::Ended {
                name: "two",
                status,
            }) => assert!(killed(status)),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn stops_what_listens_and_kills_what_does_not() {
        let mark = std::env::temp_dir().join(format!("xtask-deaf-{}", std::process::id()));
        let mut children = Children::watch_signals().unwrap();
        let mut deaf = Command::new("sh");
        deaf.args(["-c", "trap '' TERM; : > \"$0\"; read line"])
            .arg(&mark)
            .stdin(Stdio::piped());
        children.start("deaf", &mut deaf).unwrap();
        while !mark.exists() {
            thread::yield_now();
        }
        std::fs::remove_file(&mark).unwrap();
        children
            .start("ready", Command::new("sleep").arg("60"))
            .unwrap();
        children.stop(Duration::from_millis(500));
        assert!(children.running.is_empty());
    }
}
