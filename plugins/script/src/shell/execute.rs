//! Commands: from the tree to what they do.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::{Interrupt, Key, Outcome, Shell, Stream, Streams, Value};
use crate::builtins;
use crate::escape;
use crate::syntax::{
    AfterCase, Argument, Assigned, Assignment, CaseItem, Command, Compound, Connector, Function,
    Pipeline, Redirect, Script, Simple, Statement, Word,
};

impl Shell<'_> {
    pub(crate) fn script(&mut self, script: &Script) -> Outcome {
        for statement in &script.0 {
            self.statement(statement)?;
        }
        Ok(self.status)
    }

    fn statement(&mut self, statement: &Statement) -> Outcome {
        if statement.background {
            let streams = self.streams.with(0, Stream::Null);
            let status = self.in_subshell(streams, |shell| shell.and_or(statement))?;
            self.jobs.push(status);
            self.status = 0;
            return Ok(0);
        }
        self.and_or(statement)
    }

    fn and_or(&mut self, statement: &Statement) -> Outcome {
        let last = statement.rest.len();
        let mut status = self.pipeline_in(&statement.first, last > 0)?;
        for (at, (connector, pipeline)) in statement.rest.iter().enumerate() {
            if (*connector == Connector::And) == (status == 0) {
                status = self.pipeline_in(pipeline, at + 1 < last)?;
            }
        }
        Ok(status)
    }

    /// Runs a pipeline; with `tested`, its failing is no error.
    fn pipeline_in(&mut self, pipeline: &Pipeline, tested: bool) -> Outcome {
        let tested = tested || pipeline.negated;
        self.conditions += usize::from(tested);
        let outcome = self.pipeline(pipeline);
        self.conditions -= usize::from(tested);
        let mut status = outcome?;
        if pipeline.negated {
            status = u8::from(status == 0);
        }
        self.status = status;
        let can_fail = pipeline.commands.len() > 1
            || matches!(
                pipeline.commands.first(),
                Some(
                    Command::Simple(_)
                        | Command::Compound(
                            Compound::Subshell(_) | Compound::Arithmetic(_) | Compound::Test(_),
                            _
                        )
                )
            );
        if status != 0 && can_fail && self.conditions == 0 && !tested {
            self.failed(status)?;
        }
        Ok(status)
    }

    /// A command failed where that is an error.
    fn failed(&mut self, status: u8) -> Result<(), Interrupt> {
        let trapped = self.calls.is_empty() || self.options.errors_trapped_inside;
        if let Some(trap) = self.traps.error.clone()
            && trapped
            && !self.in_trap
        {
            self.in_trap = true;
            let outcome = self.evaluate(&trap);
            self.in_trap = false;
            outcome?;
            self.status = status;
        }
        if self.options.exit_on_error {
            return Err(Interrupt::Exit(status));
        }
        Ok(())
    }

    /// Runs `action` where failing is no error.
    pub(crate) fn as_condition(&mut self, action: impl FnOnce(&mut Self) -> Outcome) -> Outcome {
        self.conditions += 1;
        let outcome = action(self);
        self.conditions -= 1;
        outcome
    }

    fn pipeline(&mut self, pipeline: &Pipeline) -> Outcome {
        if let [only] = pipeline.commands.as_slice() {
            let status = self.command(only)?;
            self.pipe_status = vec![status];
            return Ok(status);
        }
        let mut statuses = Vec::with_capacity(pipeline.commands.len());
        let mut input = None;
        let last = pipeline.commands.len().saturating_sub(1);
        for (at, command) in pipeline.commands.iter().enumerate() {
            let mut streams = self.streams.clone();
            if let Some(input) = input.take() {
                streams.set(0, Some(Stream::input(input)));
            }
            let output = Rc::new(RefCell::new(Vec::new()));
            if at < last {
                streams.set(1, Some(Stream::Buffer(Rc::clone(&output))));
            }
            statuses.push(self.in_subshell(streams, |shell| shell.command(command))?);
            input = Some(output.take());
        }
        let status = if self.options.pipe_fails {
            statuses.iter().rev().find(|status| **status != 0).copied()
        } else {
            statuses.last().copied()
        };
        self.pipe_status = statuses;
        Ok(status.unwrap_or(0))
    }

    fn command(&mut self, command: &Command) -> Outcome {
        let status = match command {
            Command::Simple(simple) => self.simple(simple)?,
            Command::Compound(compound, redirects) => {
                self.with_redirects(redirects, |shell| shell.compound(compound))?
            }
            Command::Function(name, function) => {
                let functions = Rc::make_mut(&mut self.functions);
                functions.insert(Rc::clone(name), Rc::clone(function));
                0
            }
        };
        self.status = status;
        Ok(status)
    }

    fn with_redirects(
        &mut self,
        redirects: &[Redirect],
        action: impl FnOnce(&mut Self) -> Outcome,
    ) -> Outcome {
        if redirects.is_empty() {
            return action(self);
        }
        let Some(streams) = self.redirected(redirects)? else {
            return Ok(1);
        };
        self.with_streams(streams, action)
    }

    pub(crate) fn with_streams(
        &mut self,
        streams: Streams,
        action: impl FnOnce(&mut Self) -> Outcome,
    ) -> Outcome {
        let before = std::mem::replace(&mut self.streams, streams);
        let outcome = action(self);
        self.streams = before;
        outcome
    }

    fn simple(&mut self, simple: &Simple) -> Outcome {
        self.line = simple.line;
        self.substituted = None;
        let mut words = self.fields_of(&simple.words)?;
        if words.is_empty() {
            for assignment in &simple.assignments {
                self.assign_word(assignment)?;
            }
            self.trace(&simple.assignments, &[]);
            if !simple.redirects.is_empty() && self.redirected(&simple.redirects)?.is_none() {
                return Ok(1);
            }
            return Ok(self.substituted.take().unwrap_or(0));
        }
        let name = words.remove(0);
        if name == "exec" && words.is_empty() {
            if let Some(streams) = self.redirected(&simple.redirects)? {
                self.streams = streams;
                return Ok(0);
            }
            return Err(Interrupt::Exit(1));
        }
        let restored = self.assign_for_command(&simple.assignments)?;
        self.trace(&simple.assignments, &[std::slice::from_ref(&name), &words]);
        let outcome = self.with_redirects(&simple.redirects, |shell| {
            if builtins::declares(&name) {
                return builtins::declare(shell, &name, &words, &simple.words);
            }
            shell.call(&name, &words)
        });
        for (name, variable) in restored {
            match variable {
                Some(variable) => *self.variables.entry(&name) = variable,
                None => {
                    self.variables.unset(&name);
                }
            }
        }
        outcome
    }

    /// Runs a function or a builtin.
    pub(crate) fn call(&mut self, name: &str, words: &[String]) -> Outcome {
        if let Some(function) = self.functions.get(name) {
            let function = Rc::clone(function);
            return self.call_function(name, &function, words);
        }
        self.call_builtin(name, words)
    }

    /// Runs a builtin.
    pub(crate) fn call_builtin(&mut self, name: &str, words: &[String]) -> Outcome {
        if let Some(builtin) = builtins::find(name) {
            builtin(self, words)
        } else {
            self.complain(&format!(
                "{name}: unknown command: nothing is run but {}",
                builtins::names()
            ))?;
            Ok(127)
        }
    }

    fn call_function(&mut self, name: &str, function: &Function, words: &[String]) -> Outcome {
        self.deeper()?;
        let arguments = std::mem::replace(&mut self.arguments, Rc::new(words.to_vec()));
        let loops = std::mem::take(&mut self.loops);
        self.calls.push(name.into());
        self.variables.enter();
        let outcome =
            self.with_redirects(&function.redirects, |shell| shell.compound(&function.body));
        self.variables.leave();
        self.calls.pop();
        self.loops = loops;
        self.arguments = arguments;
        self.depth -= 1;
        match outcome {
            Err(Interrupt::Return(status)) => Ok(status),
            other => other,
        }
    }

    /// Assigns for the time of one command; what was there before is returned.
    #[expect(clippy::type_complexity, reason = "two words, each with what it held")]
    fn assign_for_command(
        &mut self,
        assignments: &[Assignment],
    ) -> Result<Vec<(Rc<str>, Option<super::Variable>)>, Interrupt> {
        let mut restored = Vec::with_capacity(assignments.len());
        for assignment in assignments {
            let before = self.variables.get(&assignment.name).cloned();
            restored.push((Rc::clone(&assignment.name), before));
            self.assign_word(assignment)?;
        }
        restored.reverse();
        Ok(restored)
    }

    /// `name=value`, `name[key]=value`, `name=(a b)`.
    pub(crate) fn assign_word(&mut self, assignment: &Assignment) -> Result<(), Interrupt> {
        let name = &assignment.name;
        match &assignment.value {
            Assigned::Scalar(word) => {
                let value = self.text_of(word)?;
                let key = match &assignment.index {
                    Some(index) => self.key(name, index)?,
                    None => Key::Whole,
                };
                self.set_element(name, &key, value, assignment.append)
            }
            Assigned::Array(elements) => {
                let is_map = self.variables.is_map(name);
                let values = self.elements(name, elements, is_map, assignment.append)?;
                let variable = self.variables.entry(name);
                if variable.read_only {
                    self.complain(&format!("{name}: readonly variable"))?;
                    return Err(Interrupt::Exit(1));
                }
                variable.value = Some(values);
                Ok(())
            }
        }
    }

    fn elements(
        &mut self,
        name: &str,
        elements: &[(Option<Word>, Word)],
        is_map: bool,
        append: bool,
    ) -> Result<Value, Interrupt> {
        let before = if append {
            self.variables.value(name).cloned()
        } else {
            None
        };
        if is_map {
            let mut map = match before {
                Some(Value::Map(map)) => map,
                _ => BTreeMap::new(),
            };
            for (key, word) in elements {
                let Some(key) = key else {
                    self.complain(&format!(
                        "{name}: an element without a key: write [key]=value"
                    ))?;
                    continue;
                };
                map.insert(self.text_of(key)?, self.text_of(word)?);
            }
            return Ok(Value::Map(map));
        }
        let mut list = match before {
            Some(Value::List(list)) => list,
            Some(Value::Text(text)) => BTreeMap::from([(0, text)]),
            _ => BTreeMap::new(),
        };
        let mut next = list
            .last_key_value()
            .map_or(0, |(last, _)| last.saturating_add(1));
        for (key, word) in elements {
            if let Some(key) = key {
                let text = self.text_of(key)?;
                let number = self.calculate_text(&text)?.max(0);
                list.insert(number, self.text_of(word)?);
                next = number.saturating_add(1);
            } else {
                let mut fields = Vec::new();
                self.fields_into(word, &mut fields)?;
                for field in fields {
                    list.insert(next, field);
                    next = next.saturating_add(1);
                }
            }
        }
        Ok(Value::List(list))
    }

    fn compound(&mut self, compound: &Compound) -> Outcome {
        match compound {
            Compound::Group(script) => self.block(script),
            Compound::Subshell(script) => {
                let streams = self.streams.clone();
                self.in_subshell(streams, |shell| shell.block(script))
            }
            Compound::If { arms, otherwise } => {
                for (condition, then) in arms {
                    if self.as_condition(|shell| shell.block(condition))? == 0 {
                        return self.block(then);
                    }
                }
                match otherwise {
                    Some(otherwise) => self.block(otherwise),
                    None => Ok(0),
                }
            }
            Compound::Loop {
                until,
                condition,
                body,
            } => self.repeat(|shell, status| {
                let holds = shell.as_condition(|shell| shell.block(condition))? == 0;
                if holds == *until {
                    return Ok(false);
                }
                *status = shell.block(body)?;
                Ok(true)
            }),
            Compound::For { name, words, body } => {
                let values = match words {
                    Some(words) => {
                        let mut values = Vec::new();
                        for word in words {
                            self.fields_into(word, &mut values)?;
                        }
                        values
                    }
                    None => self.arguments.to_vec(),
                };
                let mut values = values.into_iter();
                self.repeat(|shell, status| {
                    let Some(value) = values.next() else {
                        return Ok(false);
                    };
                    shell.set_element(name, &Key::Whole, value, false)?;
                    *status = shell.block(body)?;
                    Ok(true)
                })
            }
            Compound::Count {
                start,
                condition,
                step,
                body,
            } => {
                if let Some(start) = start {
                    self.calculate(start)?;
                }
                let mut first = true;
                self.repeat(|shell, status| {
                    if !std::mem::take(&mut first)
                        && let Some(step) = step
                    {
                        shell.calculate(step)?;
                    }
                    if let Some(condition) = condition
                        && shell.calculate(condition)? == 0
                    {
                        return Ok(false);
                    }
                    *status = shell.block(body)?;
                    Ok(true)
                })
            }
            Compound::Case { subject, items } => self.case(subject, items),
            Compound::Arithmetic(arithmetic) => match self.calculate(arithmetic) {
                Ok(value) => Ok(u8::from(value == 0)),
                // What is wrong with it was said: the command has failed.
                Err(Interrupt::Exit(status)) => Ok(status),
                Err(other) => Err(other),
            },
            Compound::Test(test) => self.test(test),
        }
    }

    fn block(&mut self, script: &Script) -> Outcome {
        for statement in &script.0 {
            self.statement(statement)?;
        }
        Ok(self.status)
    }

    /// Runs turns until one says that it was the last. What a turn is given holds
    /// the status of the loop.
    fn repeat(
        &mut self,
        mut turn: impl FnMut(&mut Self, &mut u8) -> Result<bool, Interrupt>,
    ) -> Outcome {
        self.loops += 1;
        let mut status = 0;
        let outcome = loop {
            match turn(self, &mut status) {
                Ok(true) => {}
                Ok(false) => break Ok(status),
                Err(Interrupt::Break(1)) => break Ok(0),
                Err(Interrupt::Break(levels)) => break Err(Interrupt::Break(levels - 1)),
                Err(Interrupt::Continue(1)) => status = 0,
                Err(Interrupt::Continue(levels)) => break Err(Interrupt::Continue(levels - 1)),
                Err(other) => break Err(other),
            }
        };
        self.loops -= 1;
        outcome
    }

    /// How many loops are around.
    pub(crate) fn loops(&self) -> usize {
        self.loops
    }

    fn case(&mut self, subject: &Word, items: &[CaseItem]) -> Outcome {
        let subject = self.text_of(subject)?;
        let mut status = 0;
        let mut run_next = false;
        for item in items {
            if !run_next && !self.any_matches(&item.patterns, &subject)? {
                continue;
            }
            status = match &item.body {
                Some(body) => self.block(body)?,
                None => 0,
            };
            match item.then {
                AfterCase::Leave => return Ok(status),
                AfterCase::RunNext => run_next = true,
                AfterCase::TestNext => run_next = false,
            }
        }
        Ok(status)
    }

    fn any_matches(&mut self, patterns: &[Word], subject: &str) -> Result<bool, Interrupt> {
        for pattern in patterns {
            if self.matches_pattern(pattern, subject)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// `set -x`
    fn trace(&mut self, assignments: &[Assignment], words: &[&[String]]) {
        if !self.options.trace || (words.is_empty() && assignments.is_empty()) {
            return;
        }
        let mut line = "+".to_owned();
        for assignment in assignments {
            let value = self.variables.text(&assignment.name).unwrap_or_default();
            line = format!("{line} {}={}", assignment.name, traced(value));
        }
        for word in words.iter().copied().flatten() {
            line.push(' ');
            line.push_str(&traced(word));
        }
        self.shared.transcript.borrow_mut().trace(line);
    }

    /// The word `word` is, if it is one of a command that declares.
    pub(crate) fn assignments_in(words: &[Argument]) -> impl Iterator<Item = &Assignment> {
        words.iter().filter_map(|word| match word {
            Argument::Assignment(assignment) => Some(assignment),
            Argument::Word(_) | Argument::Process(_) => None,
        })
    }
}

fn traced(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_-./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        escape::quoted(word)
    }
}
