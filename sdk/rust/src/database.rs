//! What probes of databases have in common: an address with a user and a database
//! in it, and what is expected of a query's answer.

use serde_json::Value;

use crate::{Figure, FigureRule, Reading, Stop, Target};

/// A database's address: `scheme://[user@]host[:port][/database]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The host, an IPv6 address without its brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Who logs in; none: nobody is named.
    pub user: Option<String>,
    /// What to use there; none: nothing is named.
    pub database: Option<String>,
}

/// What a query found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// The first column of the first row; none: there is no row or no column.
    pub value: Option<Value>,
    /// How many rows; none: the query is not of a kind that finds rows.
    pub rows: Option<u64>,
}

/// What is expected of an [`Answer`].
#[derive(Debug)]
pub struct AnswerRules {
    value: Option<FigureRule>,
    rows: Option<FigureRule>,
}

impl Address {
    /// Takes `target` apart. `username` and `database` are `config.username` and
    /// `config.database`, of which each may only stand where the target does not
    /// name it. A password in the target is refused: targets are shown to people.
    pub fn new(
        target: &Target,
        default_port: u16,
        username: Option<&str>,
        database: Option<&str>,
    ) -> Result<Self, Stop> {
        let url = target.url()?;
        let host = target.host()?;
        if url.query().is_some() {
            return Err(target.unfit(&"nothing may follow a ?: settings stand in config"));
        }
        let (named_user, password) = url.credentials().unwrap_or_default();
        if !password.is_empty() {
            return Err(
                target.unfit(&"the password belongs into config.password, not into the target")
            );
        }
        let named_user = (!named_user.is_empty()).then(|| named_user.to_owned());
        let mut segments = url.segments();
        let named_database = segments.next();
        if segments.next().is_some() {
            return Err(target.unfit(&"more than one name after the host"));
        }
        let one_of = |key: &str, named: Option<String>, configured: Option<&str>| match (
            named, configured,
        ) {
            (Some(_), Some(_)) => {
                let why = format!("names the {key}, and so does config.{key}");
                Err(target.unfit(&why))
            }
            (Some(name), None) if name.contains('\0') => Err(target.unfit(&"has a character 0")),
            (None, Some(name)) if name.contains('\0') => Err(Stop::Misconfigured(format!(
                "config.{key}: has a character 0"
            ))),
            (named, configured) => Ok(named.or_else(|| configured.map(str::to_owned))),
        };
        Ok(Self {
            user: one_of("username", named_user, username)?,
            database: one_of("database", named_database, database)?,
            port: url.port().unwrap_or(default_port),
            host,
        })
    }
}

impl AnswerRules {
    /// Takes `config.value` and `config.rows`, which need a `config.query`; the
    /// error names the key.
    pub fn new(
        query: Option<&str>,
        value: Option<&Figure>,
        rows: Option<&Figure>,
    ) -> Result<Self, String> {
        for (key, figure) in [("value", value), ("rows", rows)] {
            if figure.is_some() && query.is_none() {
                return Err(format!("config.{key}: needs config.query"));
            }
        }
        let value = value.map(|value| value.rule("config.value", "value", "units"));
        let rows = rows.map(|rows| rows.rule("config.rows", "rows", "rows"));
        Ok(Self {
            value: value.transpose()?,
            rows: rows.transpose()?,
        })
    }

    /// Judges and measures an answer.
    pub fn judge(&self, mut reading: Reading, answer: &Answer) -> Reading {
        if let Some(rule) = &self.value {
            reading = rule.judge(reading, answer.value.as_ref());
        }
        if let Some(rule) = &self.rows {
            let rows = answer.rows.map(Value::from);
            reading = rule.judge(reading, rows.as_ref());
        }
        reading
    }
}

/// What a server says, in one line and cut to 300 characters, which leaves room for
/// the rest of a reason.
pub fn one_line(text: &str) -> String {
    const LENGTH: usize = 300;
    let mut characters = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut line: String = characters.by_ref().take(LENGTH).collect();
    if characters.next().is_some() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn address(target: &str, user: Option<&str>, database: Option<&str>) -> String {
        match Address::new(&Target::new(target), 5432, user, database) {
            Ok(it) => format!(
                "{:?} at {} {} in {:?}",
                it.user, it.host, it.port, it.database
            ),
            Err(stop) => format!("{stop:?}"),
        }
    }

    #[test]
    fn target_and_configuration_name_user_and_database() {
        for (target, user, database, expected) in [
            ("pg://db", None, None, "None at db 5432 in None"),
            (
                "pg://watch@db:6432/app",
                None,
                None,
                r#"Some("watch") at db 6432 in Some("app")"#,
            ),
            (
                "pg://[::1]/",
                Some("watch"),
                Some("a/b"),
                r#"Some("watch") at ::1 5432 in Some("a/b")"#,
            ),
            (
                "pg://a%40b@db/c%20d",
                None,
                None,
                r#"Some("a@b") at db 5432 in Some("c d")"#,
            ),
            (
                "pg://watch:x@db",
                None,
                None,
                r#"Misconfigured("target pg://watch@db/: the password belongs into config.password, not into the target")"#,
            ),
            (
                "pg://watch@db",
                Some("a"),
                None,
                r#"Misconfigured("target pg://watch@db/: names the username, and so does config.username")"#,
            ),
            (
                "pg://db/a",
                None,
                Some("a"),
                r#"Misconfigured("target pg://db/a: names the database, and so does config.database")"#,
            ),
            (
                "pg://db/a/b",
                None,
                None,
                r#"Misconfigured("target pg://db/a/b: more than one name after the host")"#,
            ),
            (
                "pg://db/a?sslmode=require",
                None,
                None,
                r#"Misconfigured("target pg://db/a?sslmode=require: nothing may follow a ?: settings stand in config")"#,
            ),
            (
                "pg://db/a%00b",
                None,
                None,
                r#"Misconfigured("target pg://db/a%00b: has a character 0")"#,
            ),
            (
                "pg://db",
                Some("a\0"),
                None,
                r#"Misconfigured("config.username: has a character 0")"#,
            ),
        ] {
            assert_eq!(address(target, user, database), expected, "{target}");
        }
    }

    #[test]
    fn value_and_rows_are_judged() {
        let found = Answer {
            value: Some(json!(95)),
            rows: Some(2),
        };
        let nothing = Answer {
            value: None,
            rows: Some(0),
        };
        let done = Answer::default();
        let check = |value: &str, rows: &str, answer: &Answer, expected: &str| {
            let figure = |json: &str| {
                let is_there = !json.is_empty();
                is_there.then(|| crate::config::parse::<Figure>(json).unwrap())
            };
            let (value, rows) = (figure(value), figure(rows));
            let rules = AnswerRules::new(Some("x"), value.as_ref(), rows.as_ref()).unwrap();
            let reading = rules.judge(Reading::healthy(), answer);
            let said = format!(
                "{:?} {}",
                reading.health,
                reading.reason.unwrap_or_default()
            );
            assert_eq!(said, expected);
        };
        check("", "", &found, "Health::Healthy ");
        check(
            r#"{"name": "lag", "sick_above": 10}"#,
            "",
            &found,
            "Health::Sick lag is 95, more than 10",
        );
        check(
            r#"{"expect": {"op": "<", "value": 5}}"#,
            "",
            &nothing,
            "Health::Dead value is missing",
        );
        check(
            "",
            r#"{"dead_below": 1}"#,
            &nothing,
            "Health::Dead rows is 0, less than 1",
        );
        check(
            "",
            r#"{"expect": {"value": 2}}"#,
            &found,
            "Health::Healthy ",
        );
        check(
            "",
            r#"{"dead_below": 1}"#,
            &done,
            "Health::Dead rows is missing",
        );
    }

    #[test]
    fn expectations_need_a_query() {
        let figure = Figure::default();
        let error = |value, rows| AnswerRules::new(None, value, rows).unwrap_err();
        assert_eq!(
            error(Some(&figure), None),
            "config.value: needs config.query"
        );
        assert_eq!(
            error(None, Some(&figure)),
            "config.rows: needs config.query"
        );
    }

    #[test]
    fn what_a_server_says_is_one_line() {
        assert_eq!(one_line("no\r\nway"), "no  way");
        assert_eq!(one_line(&"é".repeat(301)), "é".repeat(300) + "…");
    }
}
