//! A shell without a system: no process, no file, no terminal.
//!
//! Commands run one after another. In a pipeline each gets the whole output of
//! the one before it, and what runs in a subshell runs on a copy of the state.

mod calculate;
mod conditions;
mod execute;
mod expand;
mod fields;
mod parameters;
mod redirect;
mod streams;
mod variables;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use watchkeeper_sdk::Measurement;

use crate::syntax::{Function, Origin, Script, parse};
use crate::world::World;

pub(crate) use conditions::{compare_numbers, compare_texts, is_numeric};
pub(crate) use fields::split_line;
pub(crate) use streams::{Reader, Stream, Streams, Transcript};
pub(crate) use variables::{Key, Value, Variable, Variables};

/// How deep functions, subshells and `eval` may nest: each level takes stack.
const MAX_DEPTH: usize = 60;

/// What ends a command before its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Interrupt {
    /// `exit`, or what amounts to it: ends the shell or subshell.
    Exit(u8),
    /// Ends a function.
    Return(u8),
    /// Ends so many loops.
    Break(usize),
    /// Ends so many loops but one, and goes on with that.
    Continue(usize),
    /// Ends the check without a verdict.
    Undecided(String),
}

/// The status of a command.
pub(crate) type Outcome = Result<u8, Interrupt>;

/// What `set` and `shopt` set.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Options {
    /// `-e`
    pub(crate) exit_on_error: bool,
    /// `-E`
    pub(crate) errors_trapped_inside: bool,
    /// `-u`
    pub(crate) unset_is_an_error: bool,
    /// `-x`
    pub(crate) trace: bool,
    /// `-o pipefail`
    pub(crate) pipe_fails: bool,
    /// `shopt -s nocasematch`
    pub(crate) ignore_case: bool,
    /// `shopt -s inherit_errexit`
    pub(crate) exit_on_error_inside: bool,
}

/// Commands that run at certain times.
#[derive(Clone, Debug, Default)]
pub(crate) struct Traps {
    pub(crate) exit: Option<Rc<str>>,
    pub(crate) error: Option<Rc<str>>,
}

/// What a shell and its subshells share.
#[derive(Default)]
pub(crate) struct Shared {
    pub(crate) transcript: RefCell<Transcript>,
    pub(crate) files: RefCell<BTreeMap<String, Rc<RefCell<Vec<u8>>>>>,
    pub(crate) measurements: RefCell<Vec<Measurement>>,
    /// Counts what needs a name of its own.
    pub(crate) counter: Cell<u32>,
    pub(crate) random: Cell<u64>,
}

/// A shell or a subshell.
#[derive(Clone)]
pub(crate) struct Shell<'w> {
    pub(crate) world: &'w dyn World,
    pub(crate) shared: Rc<Shared>,
    pub(crate) variables: Variables,
    pub(crate) functions: Rc<HashMap<Rc<str>, Rc<Function>>>,
    /// `$1` and so on.
    pub(crate) arguments: Rc<Vec<String>>,
    pub(crate) options: Options,
    pub(crate) traps: Traps,
    pub(crate) streams: Streams,
    /// `$?`
    pub(crate) status: u8,
    /// Of each command of the last pipeline.
    pub(crate) pipe_status: Vec<u8>,
    /// The statuses of what was started with `&`.
    pub(crate) jobs: Vec<u8>,
    pub(crate) line: usize,
    pub(crate) started: u64,
    /// The names of the functions that run, the innermost last.
    pub(crate) calls: Vec<Rc<str>>,
    depth: usize,
    loops: usize,
    /// How many conditions, in which failing is no error, are around.
    conditions: usize,
    in_trap: bool,
    /// The status of the last command substitution of a command.
    substituted: Option<u8>,
}

impl<'w> Shell<'w> {
    /// A shell with these positional parameters.
    pub(crate) fn new(world: &'w dyn World, arguments: Vec<String>) -> Self {
        let shared = Rc::new(Shared::default());
        shared.random.set(world.now() | 1);
        let mut shell = Self {
            world,
            streams: Streams::of_shell(),
            shared,
            variables: Variables::default(),
            functions: Rc::default(),
            arguments: Rc::new(arguments),
            options: Options::default(),
            traps: Traps::default(),
            status: 0,
            pipe_status: vec![0],
            jobs: Vec::new(),
            line: 1,
            started: world.now(),
            calls: Vec::new(),
            depth: 0,
            loops: 0,
            conditions: 0,
            in_trap: false,
            substituted: None,
        };
        for (name, value) in [
            ("IFS", " \t\n"),
            ("OPTIND", "1"),
            ("PWD", "/"),
            ("PS4", "+ "),
        ] {
            shell.variables.set(name, value.to_owned());
        }
        shell
    }

    /// Runs a whole script, its `EXIT` trap included.
    pub(crate) fn run(&mut self, script: &Script) -> Outcome {
        let outcome = self.script(script);
        self.finish(outcome)
    }

    /// The end of a shell: what its outcome means, and its `EXIT` trap.
    fn finish(&mut self, outcome: Outcome) -> Outcome {
        let status = match outcome {
            Ok(status) | Err(Interrupt::Exit(status) | Interrupt::Return(status)) => status,
            Err(Interrupt::Break(_) | Interrupt::Continue(_)) => self.status,
            Err(undecided @ Interrupt::Undecided(_)) => return Err(undecided),
        };
        self.status = status;
        let Some(trap) = self.traps.exit.take() else {
            return Ok(status);
        };
        match self.evaluate(&trap) {
            Err(Interrupt::Exit(status)) => Ok(status),
            Err(undecided @ Interrupt::Undecided(_)) => Err(undecided),
            Ok(_) | Err(_) => Ok(status),
        }
    }

    /// Runs `action` in a subshell: what it does to the state stays there.
    pub(crate) fn in_subshell(
        &mut self,
        streams: Streams,
        action: impl FnOnce(&mut Self) -> Outcome,
    ) -> Outcome {
        let mut inner = self.clone();
        inner.streams = streams;
        inner.traps.exit = None;
        if !inner.options.errors_trapped_inside {
            inner.traps.error = None;
        }
        inner.loops = 0;
        inner.deeper()?;
        let outcome = action(&mut inner);
        inner.finish(outcome)
    }

    /// Runs the commands in `text`, as `eval` does.
    pub(crate) fn evaluate(&mut self, text: &str) -> Outcome {
        match parse(text, Origin::on_line(self.line)) {
            Ok(script) => {
                self.deeper()?;
                let outcome = self.script(&script);
                self.depth -= 1;
                outcome
            }
            Err(fault) => {
                self.complain(&format!("syntax error: {fault}"))?;
                Ok(2)
            }
        }
    }

    fn deeper(&mut self) -> Result<(), Interrupt> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Interrupt::Undecided(format!(
                "line {}: functions, subshells and eval are nested more than {MAX_DEPTH} deep",
                self.line
            )));
        }
        Ok(())
    }

    /// Says what is wrong on standard error, with the line.
    pub(crate) fn complain(&mut self, what: &str) -> Result<(), Interrupt> {
        let line = format!("line {}: {what}\n", self.line);
        self.error_bytes(line.as_bytes())
    }

    /// Writes to standard output.
    pub(crate) fn out(&mut self, text: &str) -> Result<(), Interrupt> {
        self.out_bytes(text.as_bytes())
    }

    pub(crate) fn out_bytes(&mut self, bytes: &[u8]) -> Result<(), Interrupt> {
        self.write(1, bytes)
    }

    pub(crate) fn error_bytes(&mut self, bytes: &[u8]) -> Result<(), Interrupt> {
        self.write(2, bytes)
    }

    fn write(&mut self, descriptor: usize, bytes: &[u8]) -> Result<(), Interrupt> {
        match self.streams.get(descriptor) {
            Some(stream) => stream
                .write(bytes, &self.shared)
                .map_err(Interrupt::Undecided),
            None => Ok(()),
        }
    }

    /// Writes to a stream that is none of the numbered ones.
    pub(crate) fn write_to(&mut self, stream: &Stream, bytes: &[u8]) -> Result<(), Interrupt> {
        stream
            .write(bytes, &self.shared)
            .map_err(Interrupt::Undecided)
    }

    /// A number that is not the same every time, below 32,768.
    pub(crate) fn random(&self) -> u64 {
        // A linear congruential generator (Knuth, MMIX): enough for `$RANDOM`.
        let next = self
            .shared
            .random
            .get()
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.shared.random.set(next);
        (next >> 33) & 0x7fff
    }

    /// A number that nothing else in this run has.
    pub(crate) fn unique(&self) -> u32 {
        let number = self.shared.counter.get();
        self.shared.counter.set(number.wrapping_add(1));
        number
    }
}
