//! The steps as they are taken: every template, pattern and path checked.

use std::collections::BTreeSet;

use regex_lite::Regex;
use watchkeeper_sdk::expect::{JsonPath, Judge, regex};
use watchkeeper_sdk::http::Auth;
use watchkeeper_sdk::{Stop, Url};

use crate::BUILT_IN;
use crate::config::{Config, Save, Step};
use crate::template::{JsonTemplate, Template};

/// One step, ready to be taken.
#[derive(Debug)]
pub(crate) struct Plan {
    /// What it is called.
    pub name: String,
    /// Its key: `config.steps[0]`.
    pub place: String,
    /// The request's method.
    pub method: String,
    /// Where the request goes if not to the target.
    pub base: Option<Url>,
    /// What to ask for there.
    pub path: Template,
    /// The request's own headers.
    pub headers: Vec<(String, Template)>,
    /// The request's own credentials.
    pub auth: Option<Credentials>,
    /// The request's body.
    pub body: Body,
    /// What is expected of the answer.
    pub judge: Judge,
    /// What to keep of the answer.
    pub picks: Vec<Pick>,
    /// Whether something of an earlier step is in the request: if it cannot be
    /// sent then, the configuration need not be wrong.
    pub depends: bool,
}

/// Credentials with placeholders.
#[derive(Debug)]
pub(crate) enum Credentials {
    /// A user name and a password.
    Basic(Template, Template),
    /// A token.
    Bearer(Template),
}

/// A body with placeholders.
#[derive(Debug)]
pub(crate) enum Body {
    /// None at all.
    None,
    /// A text as it is.
    Text(Template),
    /// A JSON value.
    Json(JsonTemplate),
    /// Names and values of a form.
    Form(Vec<(String, Template)>),
}

/// A value to be kept.
#[derive(Debug)]
pub(crate) struct Pick {
    /// The name under which it is kept.
    pub name: String,
    /// Its key: `config.steps[0].save.token`.
    pub place: String,
    /// Where it is.
    pub source: Source,
    /// Which part of it.
    pub regex: Option<Regex>,
    /// Whether to take it out of reasons.
    pub secret: bool,
}

/// Where a value is.
#[derive(Debug)]
pub(crate) enum Source {
    /// The body as text.
    Body,
    /// A path in the body as JSON.
    Json(JsonPath),
    /// A header of this name.
    Header(String),
    /// A cookie of this name.
    Cookie(String),
}

impl Plan {
    /// Checks all steps; [`Stop::Misconfigured`] names the key of the first that
    /// cannot be taken.
    pub(crate) fn all(config: &Config) -> Result<Vec<Self>, Stop> {
        let mut names = BTreeSet::new();
        let mut saved: BTreeSet<&str> = BUILT_IN.into_iter().collect();
        let mut plans = Vec::with_capacity(config.steps.len());
        for (index, step) in config.steps.iter().enumerate() {
            let place = format!("config.steps[{index}]");
            let name = match &step.name {
                Some(name) => name.clone(),
                None => format!("step-{}", index + 1),
            };
            if !names.insert(name.clone()) {
                return Err(wrong(&place, "name", "an earlier step has it already"));
            }
            plans.push(Self::new(step, name, place, &saved, config.cookies)?);
            saved.extend(step.save.keys().map(String::as_str));
        }
        Ok(plans)
    }

    fn new(
        step: &Step,
        name: String,
        place: String,
        saved: &BTreeSet<&str>,
        keeps_cookies: bool,
    ) -> Result<Self, Stop> {
        let mut parser = Parser {
            place: &place,
            saved,
            depends: false,
        };
        let path = parser.template("path", &step.path)?;
        let headers = step
            .headers
            .iter()
            .map(|(name, value)| {
                let value = parser.template(&format!("headers.{name}"), value)?;
                Ok((name.clone(), value))
            })
            .collect::<Result<_, Stop>>()?;
        let auth = match &step.auth {
            None => None,
            Some(Auth::Basic(basic)) => Some(Credentials::Basic(
                parser.template("auth.basic.username", &basic.username)?,
                parser.template("auth.basic.password", basic.password.expose())?,
            )),
            Some(Auth::Bearer(token)) => Some(Credentials::Bearer(
                parser.template("auth.bearer", token.expose())?,
            )),
        };
        let body = parser.body(step)?;
        let method = match (&step.method, &body) {
            (Some(method), _) => method.clone(),
            (None, Body::None) => "GET".to_owned(),
            (None, _) => "POST".to_owned(),
        };
        let depends = parser.depends;
        let picks = step
            .save
            .iter()
            .map(|(name, save)| Pick::new(name, save, &place, keeps_cookies))
            .collect::<Result<_, Stop>>()?;
        Ok(Self {
            judge: Judge::new(&step.expect, &step.prefer, &place)?,
            base: step.base.as_ref().map(|base| base.url().clone()),
            name,
            place,
            method,
            path,
            headers,
            auth,
            body,
            picks,
            depends,
        })
    }
}

impl Pick {
    fn new(name: &str, save: &Save, place: &str, keeps_cookies: bool) -> Result<Self, Stop> {
        let place = format!("{place}.save.{name}");
        let source = match (&save.json, &save.header, &save.cookie) {
            (Some(path), None, None) => Source::Json(
                JsonPath::parse(path)
                    .map_err(|error| wrong(&place, "json", &format!("{path:?}: {error}")))?,
            ),
            (None, Some(header), None) => Source::Header(header.clone()),
            (None, None, Some(_)) if !keeps_cookies => {
                return Err(wrong(&place, "cookie", "needs config.cookies"));
            }
            (None, None, Some(cookie)) => Source::Cookie(cookie.clone()),
            (None, None, None) if save.regex.is_some() => Source::Body,
            _ => {
                return Err(Stop::Misconfigured(format!(
                    "{place}: give one of json, header and cookie, with or without regex, or regex alone"
                )));
            }
        };
        let regex = match &save.regex {
            Some(pattern) => Some(regex(pattern).map_err(|error| wrong(&place, "regex", &error))?),
            None => None,
        };
        Ok(Self {
            name: name.to_owned(),
            place,
            source,
            regex,
            secret: save.secret,
        })
    }
}

/// What reads the templates of one step.
struct Parser<'a> {
    place: &'a str,
    saved: &'a BTreeSet<&'a str>,
    depends: bool,
}

impl Parser<'_> {
    fn template(&mut self, key: &str, text: &str) -> Result<Template, Stop> {
        let template = Template::parse(text).map_err(|error| wrong(self.place, key, &error))?;
        self.check(key, template.names())?;
        Ok(template)
    }

    fn check<'n>(
        &mut self,
        key: &str,
        names: impl IntoIterator<Item = &'n str>,
    ) -> Result<(), Stop> {
        for name in names {
            self.depends = true;
            if !self.saved.contains(name) {
                let error = format!("{{{{{name}}}}} is saved by no step before this one");
                return Err(wrong(self.place, key, &error));
            }
        }
        Ok(())
    }

    fn body(&mut self, step: &Step) -> Result<Body, Stop> {
        Ok(match (&step.body, &step.json, &step.form) {
            (None, None, None) => Body::None,
            (Some(text), None, None) => Body::Text(self.template("body", text)?),
            (None, Some(value), None) => {
                let template = JsonTemplate::parse(value)
                    .map_err(|error| wrong(self.place, "json", &error))?;
                self.check("json", template.names())?;
                Body::Json(template)
            }
            (None, None, Some(form)) => Body::Form(
                form.iter()
                    .map(|(name, value)| {
                        let value = self.template(&format!("form.{name}"), value)?;
                        Ok((name.clone(), value))
                    })
                    .collect::<Result<_, Stop>>()?,
            ),
            _ => {
                return Err(Stop::Misconfigured(format!(
                    "{}: give one of body, json and form",
                    self.place
                )));
            }
        })
    }
}

fn wrong(place: &str, key: &str, error: &str) -> Stop {
    Stop::Misconfigured(format!("{place}.{key}: {error}"))
}
