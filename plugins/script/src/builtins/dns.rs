//! `dns`, `dig` and `host`: name look-ups.

use std::time::Duration;

use watchkeeper_sdk::Error;

use super::{failed, misused};
use crate::shell::{Outcome, Shell};
use crate::world::Record;

/// What is asked of whom.
struct Question {
    name: String,
    kind: String,
    server: Option<String>,
    short: bool,
}

impl Question {
    fn read(words: &[String]) -> Result<Self, String> {
        let mut question = Self {
            name: String::new(),
            kind: "A".to_owned(),
            server: None,
            short: false,
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            if let Some(server) = word.strip_prefix('@') {
                question.server = Some(with_port(server));
            } else if word == "-t" {
                let kind = words.next().ok_or("-t needs a type")?;
                question.kind = kind.to_ascii_uppercase();
            } else if let Some(flag) = word.strip_prefix('+') {
                match flag {
                    "short" => question.short = true,
                    // How an answer is shown or waited for, which is as it is.
                    flag if flag.starts_with("no")
                        || flag.starts_with("time=")
                        || flag.starts_with("timeout=")
                        || flag.starts_with("tries=")
                        || flag.starts_with("retry=")
                        || flag == "answer" => {}
                    other => return Err(format!("+{other} is not known here")),
                }
            } else if word.starts_with('-') {
                return Err(format!("{word} is not known here"));
            } else if question.name.is_empty() {
                question.name.clone_from(word);
            } else {
                question.kind = word.to_ascii_uppercase();
            }
        }
        if question.name.is_empty() {
            return Err("a name is missing".to_owned());
        }
        Ok(question)
    }

    fn ask(&self, shell: &Shell<'_>) -> Result<(String, Vec<Record>), Error> {
        let timeout = shell.world.remaining().mul_f64(0.95);
        let timeout = timeout.min(Duration::from_secs(30));
        shell
            .world
            .dns(&self.name, &self.kind, self.server.as_deref(), timeout)
    }
}

fn with_port(server: &str) -> String {
    let has_port = match server.rsplit_once(':') {
        Some((host, _)) => !host.contains(':') || host.ends_with(']'),
        None => false,
    };
    if has_port {
        server.to_owned()
    } else if server.contains(':') {
        format!("[{server}]:53")
    } else {
        format!("{server}:53")
    }
}

/// `dns NAME [TYPE] [@SERVER]`: the data of the records, one a line; fails where
/// there are none.
pub(super) fn dns(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    let question = match Question::read(words) {
        Ok(question) => question,
        Err(what) => return misused(shell, "dns", &what),
    };
    match question.ask(shell) {
        Ok((_, records)) if !records.is_empty() => {
            for record in records {
                shell.out(&record.data)?;
                shell.out("\n")?;
            }
            Ok(0)
        }
        Ok((code, _)) => {
            let what = match code.as_str() {
                "NOERROR" => format!("{} has no {} records", question.name, question.kind),
                code => format!("{}: {code}", question.name),
            };
            failed(shell, "dns", &what, 1)
        }
        Err(error) => failed(shell, "dns", &error.to_string(), 2),
    }
}

/// `dig`, which does not fail where there are no records.
pub(super) fn dig(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    let question = match Question::read(words) {
        Ok(question) => question,
        Err(what) => return misused(shell, "dig", &what),
    };
    match question.ask(shell) {
        Ok((code, records)) => {
            if !question.short {
                let count = records.len();
                shell.out(&format!(";; status: {code}\n;; ANSWER: {count}\n"))?;
            }
            for record in records {
                let Record {
                    name,
                    kind,
                    ttl_seconds,
                    data,
                } = record;
                if !question.short {
                    shell.out(&format!("{name}\t{ttl_seconds}\tIN\t{kind}\t"))?;
                }
                shell.out(&data)?;
                shell.out("\n")?;
            }
            Ok(0)
        }
        Err(error) => failed(shell, "dig", &error.to_string(), 9),
    }
}

pub(super) fn host(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    let question = match Question::read(words) {
        Ok(question) => question,
        Err(what) => return misused(shell, "host", &what),
    };
    match question.ask(shell) {
        Ok((code, records)) if records.is_empty() => {
            let what = match code.as_str() {
                "NOERROR" => format!("{} has no {} record", question.name, question.kind),
                code => format!("Host {} not found: {code}", question.name),
            };
            shell.out(&format!("{what}\n"))?;
            Ok(1)
        }
        Ok((_, records)) => {
            for record in records {
                let phrase = match record.kind.as_str() {
                    "A" => "has address",
                    "AAAA" => "has IPv6 address",
                    "MX" => "mail is handled by",
                    "NS" => "name server",
                    "CNAME" => "is an alias for",
                    "TXT" => "descriptive text",
                    _ => "has",
                };
                let name = record.name.trim_end_matches('.');
                shell.out(&format!("{name} {phrase} {}\n", record.data))?;
            }
            Ok(0)
        }
        Err(error) => failed(shell, "host", &error.to_string(), 1),
    }
}
