//! Commands: from text, through the parser's tree, to ours.

use std::rc::Rc;

use brush_parser::ast::{
    self, AndOr, AssignmentName, AssignmentValue, CaseItemPostAction, CommandPrefixOrSuffixItem,
    CompoundCommand, ExtendedTestExpr, IoFileRedirectKind, IoFileRedirectTarget, IoRedirect,
    SeparatorOperator, SourceLocation,
};
use brush_parser::{ParseError, Parser, SourceSpan, Token, parse_tokens, uncached_tokenize_str};

use super::words::{options, read, read_arithmetic, read_braced, read_document};
use super::{
    AfterCase, Argument, Arithmetic, Assigned, Assignment, CaseItem, Command, Compound, Connector,
    Function, Piece, Pipeline, Redirect, RedirectKind, Script, Simple, Statement, SyntaxFault,
    Test, Word, blocks,
};

/// How deep `$( … )` may nest: each level takes stack.
const MAX_DEPTH: usize = 25;

/// How deep expansions may nest, unclosed ones included.
const MAX_EXPANSIONS: usize = 40;

/// Where a text begins within the whole script.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    line: usize,
    column: usize,
    depth: usize,
    /// Positions that follow count from a text that began before here.
    flat: bool,
}

impl Origin {
    /// The beginning of a script.
    pub(crate) fn start() -> Self {
        Self {
            line: 1,
            column: 1,
            depth: 0,
            flat: false,
        }
    }

    /// As another that begins on `line`.
    pub(crate) fn on_line(line: usize) -> Self {
        Self {
            line,
            ..Self::start()
        }
    }

    /// Where one is after `text`.
    pub(crate) fn after(self, text: &str) -> Self {
        if self.flat {
            return self;
        }
        let mut origin = self;
        for c in text.chars() {
            if c == '\n' {
                origin.line += 1;
                origin.column = 1;
            } else {
                origin.column += 1;
            }
        }
        origin
    }

    pub(crate) fn flat(self) -> Self {
        Self { flat: true, ..self }
    }

    pub(crate) fn deeper(self) -> Result<Self, SyntaxFault> {
        if self.depth >= MAX_DEPTH {
            return Err(self.fault("commands are nested too deep"));
        }
        Ok(Self {
            depth: self.depth + 1,
            flat: false,
            ..self
        })
    }

    pub(crate) fn fault(self, what: impl Into<String>) -> SyntaxFault {
        SyntaxFault::new(self.line, self.column, what)
    }

    /// Where a position is that counts from here.
    pub(crate) fn at(self, line: usize, column: usize) -> Self {
        let column = if line <= 1 {
            self.column + column.saturating_sub(1)
        } else {
            column
        };
        Self {
            line: self.line + line.saturating_sub(1),
            column,
            flat: false,
            ..self
        }
    }

    pub(crate) fn line_number(self) -> usize {
        self.line
    }

    fn of(self, location: Option<&SourceSpan>) -> Self {
        match location {
            Some(span) => self.at(span.start.line, span.start.column),
            None => self,
        }
    }
}

/// The script that `text` is.
pub(crate) fn parse(text: &str, origin: Origin) -> Result<Script, SyntaxFault> {
    let options = options();
    if expansions_deep(text) > MAX_EXPANSIONS {
        return Err(origin.fault("expansions are nested too deep"));
    }
    let tokens = uncached_tokenize_str(text, &options.tokenizer_options())
        .map_err(|error| unreadable(text, origin, &error.to_string()))?;
    blocks::check_before(&tokens, origin)?;
    let program = parse_tokens(&tokens, &options).map_err(|error| {
        blocks::blame(&tokens, origin).unwrap_or_else(|| unparsable(text, &tokens, origin, &error))
    })?;
    let reading = Reading { text, origin };
    let mut statements = Vec::new();
    for list in &program.complete_commands {
        reading.list_into(list, &mut statements)?;
    }
    Ok(Script(statements))
}

/// How deep `$( … )` and `${ … }` are nested in a text, at the most: the parser
/// goes as deep before it is known what is quoted.
fn expansions_deep(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let mut before = ' ';
    for c in text.chars() {
        match c {
            '(' | '{' if before == '$' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            ')' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        before = c;
    }
    deepest
}

/// A text that is not even tokens: most often a quote that is never closed.
fn unreadable(text: &str, origin: Origin, what: &str) -> SyntaxFault {
    // What the tokenizer says of the place is at the end of its message or in
    // the position that only the whole parser knows.
    let (what, place) = match what.split_once(" at ").or(what.split_once(" near ")) {
        Some((what, place)) => (what, place.split_once(',')),
        None => (what, None),
    };
    if let Some((Ok(line), Ok(column))) = place.map(|(line, column)| (line.parse(), column.parse()))
    {
        return origin.at(line, column).fault(what);
    }
    let position = match Parser::new(text.as_bytes(), &options()).parse_program() {
        Err(ParseError::Tokenizing { position, .. }) => position,
        Ok(_) | Err(_) => None,
    };
    match position {
        Some(position) => origin.at(position.line, position.column).fault(what),
        None => origin.fault(what),
    }
}

fn unparsable(text: &str, tokens: &[Token], origin: Origin, error: &ParseError) -> SyntaxFault {
    match error {
        ParseError::ParsingNear(position) => {
            let token = tokens
                .iter()
                .find(|token| token.location().start.index == position.index)
                .map_or("", |token| token.to_str());
            let what = match token {
                "" => "unexpected text".to_owned(),
                "\n" => "unexpected end of the line".to_owned(),
                token => format!("unexpected `{token}`"),
            };
            origin.at(position.line, position.column).fault(what)
        }
        ParseError::ParsingAtEndOfInput | ParseError::Tokenizing { .. } => origin
            .after(text.trim_end())
            .fault("unexpected end: a command is not complete"),
    }
}

/// A text that is being read.
struct Reading<'t> {
    text: &'t str,
    origin: Origin,
}

impl Reading<'_> {
    fn list(&self, list: &ast::CompoundList) -> Result<Script, SyntaxFault> {
        let mut statements = Vec::with_capacity(list.0.len());
        self.list_into(list, &mut statements)?;
        Ok(Script(statements))
    }

    fn list_into(
        &self,
        list: &ast::CompoundList,
        statements: &mut Vec<Statement>,
    ) -> Result<(), SyntaxFault> {
        for ast::CompoundListItem(and_or, separator) in &list.0 {
            let first = self.pipeline(&and_or.first)?;
            let mut rest = Vec::with_capacity(and_or.additional.len());
            for item in &and_or.additional {
                rest.push(match item {
                    AndOr::And(pipeline) => (Connector::And, self.pipeline(pipeline)?),
                    AndOr::Or(pipeline) => (Connector::Or, self.pipeline(pipeline)?),
                });
            }
            statements.push(Statement {
                first,
                rest,
                background: matches!(separator, SeparatorOperator::Async),
            });
        }
        Ok(())
    }

    fn pipeline(&self, pipeline: &ast::Pipeline) -> Result<Pipeline, SyntaxFault> {
        if pipeline.timed.is_some() {
            let here = self.origin.of(pipeline.location().as_ref());
            return Err(here.fault("`time` is not known here"));
        }
        let commands = pipeline.seq.iter().map(|command| self.command(command));
        Ok(Pipeline {
            negated: pipeline.bang,
            commands: commands.collect::<Result<_, _>>()?,
        })
    }

    fn command(&self, command: &ast::Command) -> Result<Command, SyntaxFault> {
        Ok(match command {
            ast::Command::Simple(simple) => Command::Simple(self.simple(simple)?),
            ast::Command::Compound(compound, redirects) => Command::Compound(
                self.compound(compound)?,
                self.redirects(redirects.as_ref())?,
            ),
            ast::Command::Function(function) => {
                let ast::FunctionBody(body, redirects) = &function.body;
                let body = Function {
                    body: self.compound(body)?,
                    redirects: self.redirects(redirects.as_ref())?,
                };
                Command::Function(function.fname.value.as_str().into(), Rc::new(body))
            }
            ast::Command::ExtendedTest(test, redirects) => Command::Compound(
                Compound::Test(self.test(&test.expr)?),
                self.redirects(redirects.as_ref())?,
            ),
        })
    }

    fn simple(&self, simple: &ast::SimpleCommand) -> Result<Simple, SyntaxFault> {
        let mut result = Simple {
            line: self.origin.of(simple.location().as_ref()).line,
            assignments: Vec::new(),
            words: Vec::new(),
            redirects: Vec::new(),
        };
        for item in simple.prefix.iter().flat_map(|prefix| &prefix.0) {
            match item {
                CommandPrefixOrSuffixItem::AssignmentWord(assignment, _) => {
                    result.assignments.push(self.assignment(assignment)?);
                }
                item => self.item(item, false, &mut result)?,
            }
        }
        let mut declares = false;
        if let Some(name) = &simple.word_or_name {
            declares = matches!(
                name.value.as_str(),
                "declare" | "export" | "local" | "readonly" | "typeset"
            );
            self.word_into(name, &mut result.words)?;
        }
        for item in simple.suffix.iter().flat_map(|suffix| &suffix.0) {
            self.item(item, declares, &mut result)?;
        }
        Ok(result)
    }

    fn item(
        &self,
        item: &CommandPrefixOrSuffixItem,
        declares: bool,
        simple: &mut Simple,
    ) -> Result<(), SyntaxFault> {
        match item {
            CommandPrefixOrSuffixItem::IoRedirect(redirect) => {
                simple.redirects.push(self.redirect(redirect)?);
            }
            CommandPrefixOrSuffixItem::AssignmentWord(assignment, _) if declares => {
                let assignment = self.assignment(assignment)?;
                simple.words.push(Argument::Assignment(assignment));
            }
            CommandPrefixOrSuffixItem::AssignmentWord(assignment, word) => {
                if matches!(assignment.value, AssignmentValue::Array(_)) {
                    let here = self.origin.of(Some(&assignment.loc));
                    return Err(here.fault("unexpected `(`"));
                }
                self.word_into(word, &mut simple.words)?;
            }
            CommandPrefixOrSuffixItem::Word(word) => self.word_into(word, &mut simple.words)?,
            CommandPrefixOrSuffixItem::ProcessSubstitution(kind, subshell) => {
                simple
                    .words
                    .push(Argument::Process(self.process(kind, subshell)?));
            }
        }
        Ok(())
    }

    fn process(
        &self,
        kind: &ast::ProcessSubstitutionKind,
        subshell: &ast::SubshellCommand,
    ) -> Result<Rc<Script>, SyntaxFault> {
        match kind {
            ast::ProcessSubstitutionKind::Read => Ok(Rc::new(self.list(&subshell.list)?)),
            ast::ProcessSubstitutionKind::Write => {
                let here = self.origin.of(Some(&subshell.loc));
                Err(here.fault("`>( )` is not known here: use a pipe"))
            }
        }
    }

    fn word(&self, word: &ast::Word) -> Result<Word, SyntaxFault> {
        read(&word.value, self.origin.of(word.loc.as_ref()))
    }

    fn word_into(&self, word: &ast::Word, words: &mut Vec<Argument>) -> Result<(), SyntaxFault> {
        let read = read_braced(&word.value, self.origin.of(word.loc.as_ref()))?;
        words.extend(read.into_iter().map(Argument::Word));
        Ok(())
    }

    fn assignment(&self, assignment: &ast::Assignment) -> Result<Assignment, SyntaxFault> {
        let here = self.origin.of(Some(&assignment.loc));
        let (name, index) = match &assignment.name {
            AssignmentName::VariableName(name) => (name, None),
            AssignmentName::ArrayElementName(name, index) => (name, Some(read(index, here)?)),
        };
        let value = match &assignment.value {
            AssignmentValue::Scalar(word) => {
                let equals = if assignment.append { "+=" } else { "=" };
                let here = here.after(&assignment.name.to_string()).after(equals);
                Assigned::Scalar(read(&word.value, here)?)
            }
            AssignmentValue::Array(elements) => {
                let mut values = Vec::with_capacity(elements.len());
                for (key, value) in elements {
                    if let Some(key) = key {
                        let key = read(&key.value, here)?;
                        values.push((Some(key), read(&value.value, here)?));
                    } else {
                        let words = read_braced(&value.value, here)?;
                        values.extend(words.into_iter().map(|word| (None, word)));
                    }
                }
                Assigned::Array(values)
            }
        };
        Ok(Assignment {
            name: name.as_str().into(),
            index,
            append: assignment.append,
            value,
        })
    }

    fn compound(&self, compound: &CompoundCommand) -> Result<Compound, SyntaxFault> {
        Ok(match compound {
            CompoundCommand::Arithmetic(command) => {
                if let Some(inner) = self.nested_subshells(&command.loc) {
                    let here = self.origin.of(Some(&command.loc)).after("(").deeper()?;
                    return Ok(Compound::Subshell(Rc::new(parse(&inner, here)?)));
                }
                Compound::Arithmetic(self.arithmetic(&command.expr, &command.loc)?)
            }
            CompoundCommand::ArithmeticForClause(clause) => {
                let read = |part: Option<&ast::UnexpandedArithmeticExpr>| {
                    // An empty part is as good as none.
                    part.filter(|part| !part.value.trim().is_empty())
                        .map(|part| self.arithmetic(part, &clause.loc))
                        .transpose()
                };
                Compound::Count {
                    start: read(clause.initializer.as_ref())?,
                    condition: read(clause.condition.as_ref())?,
                    step: read(clause.updater.as_ref())?,
                    body: self.list(&clause.body.list)?,
                }
            }
            CompoundCommand::BraceGroup(group) => Compound::Group(self.list(&group.list)?),
            CompoundCommand::Subshell(subshell) => {
                Compound::Subshell(Rc::new(self.list(&subshell.list)?))
            }
            CompoundCommand::ForClause(clause) => {
                let words = match &clause.values {
                    Some(values) => {
                        let mut words = Vec::with_capacity(values.len());
                        for word in values {
                            let here = self.origin.of(word.loc.as_ref());
                            words.extend(read_braced(&word.value, here)?);
                        }
                        Some(words)
                    }
                    None if self.names_no_words(&clause.loc) => Some(Vec::new()),
                    None => None,
                };
                Compound::For {
                    name: clause.variable_name.as_str().into(),
                    words,
                    body: self.list(&clause.body.list)?,
                }
            }
            CompoundCommand::CaseClause(clause) => {
                let items = clause.cases.iter().map(|item| self.case_item(item));
                Compound::Case {
                    subject: self.word(&clause.value)?,
                    items: items.collect::<Result<_, _>>()?,
                }
            }
            CompoundCommand::IfClause(clause) => {
                let mut arms = vec![(self.list(&clause.condition)?, self.list(&clause.then)?)];
                let mut otherwise = None;
                for part in clause.elses.iter().flatten() {
                    match &part.condition {
                        Some(condition) => {
                            arms.push((self.list(condition)?, self.list(&part.body)?));
                        }
                        None => otherwise = Some(self.list(&part.body)?),
                    }
                }
                Compound::If { arms, otherwise }
            }
            CompoundCommand::WhileClause(clause) => self.repeat(clause, false)?,
            CompoundCommand::UntilClause(clause) => self.repeat(clause, true)?,
            CompoundCommand::Coprocess(command) => {
                let here = self.origin.of(Some(&command.loc));
                return Err(here.fault("`coproc` is not known here"));
            }
        })
    }

    /// Whether a `for` has an `in` without a word after it, which the parser takes
    /// for one without `in`.
    fn names_no_words(&self, span: &SourceSpan) -> bool {
        let rest: String = self.text.chars().skip(span.start.index).take(200).collect();
        let after_name = rest.split_whitespace().nth(2);
        after_name.is_some_and(|word| word.trim_end_matches(';') == "in")
    }

    /// What stands within `( ( … ) )`, which the parser takes for `(( … ))`.
    fn nested_subshells(&self, span: &SourceSpan) -> Option<String> {
        let mut rest = self.text.chars().skip(span.start.index + 1);
        if rest.next() == Some('(') {
            return None;
        }
        let length = (span.end.index).checked_sub(span.start.index + 2)?;
        let inner = self.text.chars().skip(span.start.index + 1).take(length);
        Some(inner.collect())
    }

    fn repeat(
        &self,
        clause: &ast::WhileOrUntilClauseCommand,
        until: bool,
    ) -> Result<Compound, SyntaxFault> {
        Ok(Compound::Loop {
            until,
            condition: self.list(&clause.0)?,
            body: self.list(&clause.1.list)?,
        })
    }

    fn case_item(&self, item: &ast::CaseItem) -> Result<CaseItem, SyntaxFault> {
        let patterns = item.patterns.iter().map(|word| self.word(word));
        Ok(CaseItem {
            patterns: patterns.collect::<Result<_, _>>()?,
            body: item.cmd.as_ref().map(|list| self.list(list)).transpose()?,
            then: match item.post_action {
                CaseItemPostAction::ExitCase => AfterCase::Leave,
                CaseItemPostAction::UnconditionallyExecuteNextCaseItem => AfterCase::RunNext,
                CaseItemPostAction::ContinueEvaluatingCases => AfterCase::TestNext,
            },
        })
    }

    fn arithmetic(
        &self,
        expr: &ast::UnexpandedArithmeticExpr,
        location: &SourceSpan,
    ) -> Result<Arithmetic, SyntaxFault> {
        read_arithmetic(&expr.value, self.origin.of(Some(location)))
    }

    fn test(&self, test: &ExtendedTestExpr) -> Result<Test, SyntaxFault> {
        let both = |left: &ExtendedTestExpr, right: &ExtendedTestExpr| {
            Ok((Box::new(self.test(left)?), Box::new(self.test(right)?)))
        };
        Ok(match test {
            ExtendedTestExpr::And(left, right) => {
                let (left, right) = both(left, right)?;
                Test::And(left, right)
            }
            ExtendedTestExpr::Or(left, right) => {
                let (left, right) = both(left, right)?;
                Test::Or(left, right)
            }
            ExtendedTestExpr::Not(inner) => Test::Not(Box::new(self.test(inner)?)),
            ExtendedTestExpr::Parenthesized(inner) => self.test(inner)?,
            ExtendedTestExpr::UnaryTest(predicate, word) => {
                Test::Unary(predicate.to_string(), self.word(word)?)
            }
            ExtendedTestExpr::BinaryTest(predicate, left, right) => {
                Test::Binary(predicate.to_string(), self.word(left)?, self.word(right)?)
            }
        })
    }

    fn redirects(
        &self,
        redirects: Option<&ast::RedirectList>,
    ) -> Result<Vec<Redirect>, SyntaxFault> {
        let redirects = redirects.iter().flat_map(|list| &list.0);
        redirects.map(|redirect| self.redirect(redirect)).collect()
    }

    fn redirect(&self, redirect: &IoRedirect) -> Result<Redirect, SyntaxFault> {
        let (descriptor, kind) = match redirect {
            IoRedirect::File(descriptor, kind, target) => {
                (*descriptor, self.file_redirect(kind, target)?)
            }
            IoRedirect::HereDocument(descriptor, document) => {
                let text = &document.doc.value;
                let word = if document.requires_expansion {
                    read_document(text, self.origin.of(document.doc.loc.as_ref()))?
                } else {
                    vec![Piece::Quoted(text.clone())]
                };
                (*descriptor, RedirectKind::Text(word))
            }
            IoRedirect::HereString(descriptor, word) => {
                let mut word = self.word(word)?;
                word.push(Piece::Quoted("\n".to_owned()));
                (*descriptor, RedirectKind::Text(word))
            }
            IoRedirect::OutputAndError(word, append) => {
                let (file, append) = (self.word(word)?, *append);
                (None, RedirectKind::Both { file, append })
            }
        };
        let descriptor = descriptor.and_then(|number| usize::try_from(number).ok());
        Ok(Redirect { descriptor, kind })
    }

    fn file_redirect(
        &self,
        kind: &IoFileRedirectKind,
        target: &IoFileRedirectTarget,
    ) -> Result<RedirectKind, SyntaxFault> {
        let word = match target {
            IoFileRedirectTarget::Filename(word) | IoFileRedirectTarget::Duplicate(word) => {
                self.word(word)?
            }
            IoFileRedirectTarget::Fd(number) => vec![Piece::Quoted(number.to_string())],
            IoFileRedirectTarget::ProcessSubstitution(direction, subshell) => {
                return Ok(RedirectKind::Process(self.process(direction, subshell)?));
            }
        };
        let duplicate = |output, source| RedirectKind::Duplicate { output, source };
        Ok(match kind {
            IoFileRedirectKind::Read => RedirectKind::Read(word),
            IoFileRedirectKind::Write | IoFileRedirectKind::Clobber => RedirectKind::Write(word),
            IoFileRedirectKind::Append => RedirectKind::Append(word),
            IoFileRedirectKind::ReadAndWrite => {
                let here = match target {
                    IoFileRedirectTarget::Filename(word) => self.origin.of(word.loc.as_ref()),
                    _ => self.origin,
                };
                return Err(here.fault("`<>` is not known here"));
            }
            IoFileRedirectKind::DuplicateInput => duplicate(false, word),
            IoFileRedirectKind::DuplicateOutput => duplicate(true, word),
        })
    }
}
