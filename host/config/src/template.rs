//! The words of a notice as an operator writes them: templates that see the notice
//! and nothing else.
//!
//! A template cannot read files or other templates, cannot define anything, has a
//! bounded number of steps and a bounded text. What targets said is a value in it,
//! never a part of the template.

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

use minijinja::value::Value;
use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior, filters};

/// The longest template, in bytes.
pub(crate) const MAX_SOURCE: usize = 8 << 10;

/// The longest text that a template makes, in bytes.
pub const MAX_TEXT: usize = 16 << 10;

/// How many instructions a template may take: a hundred for each of the targets
/// that a notice lists, and some.
const FUEL: u64 = 20_000;

/// The blocks that a template may have. `set`, `with` and their like could make a
/// text that doubles with each, before any bound on what comes out is met.
const BLOCKS: [&str; 6] = ["if", "elif", "else", "endif", "for", "endfor"];

/// A template that was checked. Two are equal if they were written the same way.
/// Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Arc<str>);

/// What a template sees: see the names in `docs/configuration.md`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// The name of each fact and what it is. Every template sees the same names.
    named: Vec<(&'static str, Fact)>,
    /// The targets that the notice is about.
    affected: Vec<Vec<(&'static str, Fact)>>,
}

/// One fact.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// A text; empty where there is nothing to say.
    Text(String),
    /// A number.
    Number(i64),
    /// Several texts.
    Texts(Vec<String>),
}

/// Why a template cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateProblem {
    /// The line in the template, from 1, where that is known.
    pub line: Option<usize>,
    /// What is wrong, for people.
    pub what: String,
}

impl Facts {
    /// What a whole notice says. `named` and each of `affected` must have the same
    /// names every time, so that a template that was checked with a sample finds
    /// what it looks for.
    pub const fn new(
        named: Vec<(&'static str, Fact)>,
        affected: Vec<Vec<(&'static str, Fact)>>,
    ) -> Self {
        Self { named, affected }
    }

    /// The names there are: of the notice, and of each target.
    pub fn names(&self) -> (Vec<&'static str>, Vec<Vec<&'static str>>) {
        let of = |facts: &[(&'static str, Fact)]| facts.iter().map(|(name, _)| *name).collect();
        let affected = self.affected.iter().map(|facts| of(facts)).collect();
        (of(&self.named), affected)
    }

    fn value(&self) -> Value {
        let of = |facts: &[(&'static str, Fact)]| -> Vec<(&'static str, Value)> {
            facts
                .iter()
                .map(|(name, fact)| (*name, fact.value()))
                .collect()
        };
        let affected: Value = self
            .affected
            .iter()
            .map(|facts| of(facts).into_iter().collect::<Value>())
            .collect();
        let named = of(&self.named);
        named.into_iter().chain([("affected", affected)]).collect()
    }
}

impl Fact {
    fn value(&self) -> Value {
        match self {
            Self::Text(text) => Value::from(text.as_str()),
            Self::Number(number) => Value::from(*number),
            Self::Texts(texts) => texts
                .iter()
                .map(|text| Value::from(text.as_str()))
                .collect(),
        }
    }
}

impl Template {
    /// Checks `source`: that it is a template, and that it can be filled in with
    /// each of `samples`.
    pub fn new(source: &str, samples: &[Facts]) -> Result<Self, TemplateProblem> {
        if source.trim().is_empty() {
            return Err(TemplateProblem::new("is empty"));
        }
        if source.len() > MAX_SOURCE {
            return Err(TemplateProblem::new(format!(
                "must have at most {MAX_SOURCE} bytes"
            )));
        }
        check_blocks(source)?;
        let template = Self(source.into());
        for sample in samples {
            template.fill_in(sample)?;
        }
        Ok(template)
    }

    /// The text for a notice. Fails where the template does with this one: an
    /// unknown name in a part that no sample reaches, too many steps, too long a
    /// text.
    pub fn fill_in(&self, facts: &Facts) -> Result<String, TemplateProblem> {
        let environment = environment();
        let template = environment
            .template_from_str(&self.0)
            .map_err(|error| TemplateProblem::of(&error))?;
        let mut out = Bounded::default();
        let filled = template
            .render_captured_to(facts.value(), &mut out)
            .map(|_| ());
        if out.is_full {
            let what = format!("makes a text of more than {MAX_TEXT} bytes");
            return Err(TemplateProblem::new(what));
        }
        filled.map_err(|error| TemplateProblem::of(&error))?;
        Ok(String::from_utf8_lossy(&out.bytes).into_owned())
    }

    /// As it was written.
    pub fn source(&self) -> &str {
        &self.0
    }
}

impl TemplateProblem {
    fn new(what: impl Into<String>) -> Self {
        Self {
            line: None,
            what: what.into(),
        }
    }

    fn of(error: &minijinja::Error) -> Self {
        let what = match (error.kind(), error.detail()) {
            (ErrorKind::OutOfFuel, _) => format!("takes more than {FUEL} steps"),
            (ErrorKind::UndefinedError, None) => "uses a name that there is not".to_owned(),
            (kind, Some(detail)) => format!("{kind}: {detail}"),
            (kind, None) => kind.to_string(),
        };
        Self {
            line: error.line(),
            what,
        }
    }
}

impl fmt::Display for TemplateProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        match self.line {
            Some(line) => write!(f, " (line {line} of the template)"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for TemplateProblem {}

/// What templates may use: these filters, `loop`, and the operators.
fn environment() -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // Notifiers quote for the service that they speak to.
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_recursion_limit(50);
    environment.set_fuel(Some(FUEL));
    environment.add_filter("upper", filters::upper);
    environment.add_filter("lower", filters::lower);
    environment.add_filter("capitalize", filters::capitalize);
    environment.add_filter("trim", filters::trim);
    environment.add_filter("length", filters::length);
    environment.add_filter("first", filters::first);
    environment.add_filter("last", filters::last);
    environment.add_filter("join", filters::join);
    environment.add_filter("default", filters::default);
    environment.add_filter("truncate", truncate);
    environment.add_filter("replace", replace);
    environment
}

/// The first characters of a text, with an ellipsis where that is not all.
fn truncate(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept = text.chars().take(most.saturating_sub(1));
    kept.chain(['…']).collect()
}

/// Like that of Jinja, with a bound: replacing one letter by many, again and again,
/// would fill the memory.
fn replace(text: &str, from: &str, to: &str) -> Result<String, minijinja::Error> {
    let grown = text
        .len()
        .saturating_add(text.matches(from).count().saturating_mul(to.len()));
    if grown > 4 * MAX_TEXT {
        let what = "`replace` makes too long a text";
        return Err(minijinja::Error::new(ErrorKind::InvalidOperation, what));
    }
    Ok(text.replace(from, to))
}

/// Refuses blocks that are not among [`BLOCKS`].
fn check_blocks(source: &str) -> Result<(), TemplateProblem> {
    for (number, line) in source.lines().enumerate() {
        for block in line.split("{%").skip(1) {
            let inner = block.trim_start_matches(['-', '+']).trim_start();
            let word: String = inner
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                .collect();
            if !BLOCKS.contains(&word.as_str()) {
                return Err(TemplateProblem {
                    line: Some(number + 1),
                    what: format!("has a block `{word}`; there are `if` and `for`"),
                });
            }
        }
    }
    Ok(())
}

/// A text that takes no more than it may.
#[derive(Default)]
struct Bounded {
    bytes: Vec<u8>,
    is_full: bool,
}

impl Write for Bounded {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + part.len() > MAX_TEXT {
            self.is_full = true;
            return Err(io::Error::other("the text is too long"));
        }
        self.bytes.extend_from_slice(part);
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Notices of every shape, with which templates are checked.
pub fn samples() -> Vec<Facts> {
    [("dead", 0), ("healthy", 0), ("sick", 2)]
        .map(|(health, reminder)| sample(health, reminder))
        .into()
}

/// The facts of a notice that never was.
fn sample(health: &str, reminder: i64) -> Facts {
    let text = |text: &str| Fact::Text(text.to_owned());
    let affected = vec![
        ("id", text("website:front:https://a.example.com")),
        ("service", text("Website")),
        ("monitor", text("Front page")),
        ("health", text(health)),
        ("reason", text("connection refused")),
        ("since", text("2026-11-21 04:12:09 CET")),
    ];
    let named = vec![
        ("id", text("01")),
        (
            "occasion",
            text(if reminder > 0 { "reminder" } else { "changed" }),
        ),
        ("health", text(health)),
        ("previous", text("")),
        (
            "title",
            text("Website: Front page is dead: connection refused"),
        ),
        ("body", text("Since 2026-11-21 04:12:09 CET.")),
        ("at", text("2026-11-21 04:12:09 CET")),
        ("at_unix", Fact::Number(1_795_230_729)),
        ("started", text("2026-11-21 04:12:09 CET")),
        ("lasted", text("12 min")),
        ("lasted_seconds", Fact::Number(720)),
        ("reminder", Fact::Number(reminder)),
        ("thread", text("website/front@1795230729000")),
        ("services", Fact::Texts(vec!["Website".to_owned()])),
        ("page_title", text("Status")),
        ("page_url", text("https://status.example.com")),
        ("incident_url", text("")),
        ("acknowledge_url", text("")),
    ];
    Facts::new(named, vec![affected])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(source: &str) -> Result<String, String> {
        let template = Template::new(source, &samples()).map_err(|it| it.to_string())?;
        template
            .fill_in(&sample("dead", 0))
            .map_err(|it| it.to_string())
    }

    #[test]
    fn a_template_sees_the_notice() {
        assert_eq!(
            filled(
                "{{ health | upper }}: {{ services | join(\", \") }}{% if reminder %} again{% endif %}"
            ),
            Ok("DEAD: Website".to_owned())
        );
        assert_eq!(
            filled(
                "{% for each in affected %}{{ loop.index }}. {{ each.monitor }}: {{ each.reason | truncate(11) | replace(\"c\", \"k\") }}\n{% endfor %}"
            ),
            Ok("1. Front page: konnektion…\n".to_owned())
        );
        assert_eq!(filled("{{ lasted_seconds // 60 }}"), Ok("12".to_owned()));
    }

    #[test]
    fn a_template_does_nothing_else() {
        for (source, expected) in [
            ("", "is empty"),
            ("{{ helth }}", "uses a name that there is not"),
            ("{{ affected[0].helth }}", "uses a name that there is not"),
            (
                "a\n{{ health | shout }}",
                "unknown filter: filter shout is unknown (line 2",
            ),
            ("{% include \"/etc/passwd\" %}", "has a block `include`"),
            ("{% set a = 1 %}", "has a block `set`"),
            ("a\n{%- with a = title ~ title %}", "has a block `with`"),
            ("{% macro m() %}{% endmacro %}", "has a block `macro`"),
            ("{{ range(10) }}", "unknown function"),
            ("{% if health %}", "syntax error"),
            ("{{ title * 100000 }}", "more than 16384 bytes"),
            (
                "{% for a in title %}{% for b in title %}{% for c in title %}{% if a == b %}{% endif %}{% endfor %}{% endfor %}{% endfor %}",
                "more than 20000 steps",
            ),
        ] {
            let problem = filled(source).unwrap_err();
            assert!(problem.contains(expected), "{source}: {problem}");
        }
        let growing = format!(
            "{{{{ title{} }}}}",
            " | replace(\"e\", \"eeeeeeeeee\")".repeat(20)
        );
        assert!(filled(&growing).unwrap_err().contains("too long a text"));
        assert!(filled(&"a".repeat(MAX_SOURCE + 1)).is_err());
    }

    #[test]
    fn what_a_target_says_is_no_template() {
        let template = Template::new("{{ title }}", &samples()).unwrap();
        let title = Fact::Text("{{ page_url }}{% for %}".to_owned());
        let facts = Facts::new(vec![("title", title)], Vec::new());
        assert_eq!(template.fill_in(&facts).unwrap(), "{{ page_url }}{% for %}");
    }
}
