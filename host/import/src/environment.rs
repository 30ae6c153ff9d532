//! The secrets of a foreign file as a file of variables.

use std::fmt;

use crate::Imported;

/// A secret of a foreign file. Its `Debug` does not show the value.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    /// The variable that the result refers to.
    pub name: String,
    /// What to set it to.
    pub value: String,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret")
            .field("name", &self.name)
            .field("value", &"****")
            .finish()
    }
}

impl Imported {
    /// The variables with their values, one a line, as shells and systemd's
    /// `EnvironmentFile` read them. Variables that the foreign file referred to
    /// itself stand in comments: their values are in the old system's
    /// environment. So does one with a NUL in it, which no variable can have.
    pub fn environment_file(&self) -> String {
        let mut text = format!(
            "# Secrets out of a configuration of {}, by `watchkeeper config import`.\n",
            self.kind
        );
        for variable in &self.report.variables {
            let name = &variable.name;
            let secret = self.secrets.iter().find(|secret| secret.name == *name);
            let line = match secret {
                None => format!("# {name}=    as in the old system's environment\n"),
                Some(secret) if secret.value.contains('\0') => {
                    format!("# {name}=    has a character that no variable can have\n")
                }
                Some(secret) => format!("{name}={}\n", quoted(&secret.value)),
            };
            text.push_str(&line);
        }
        text
    }
}

/// A value as it is, or in quotes where a shell would read more into it.
fn quoted(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+,=".contains(c);
    if !value.is_empty() && value.chars().all(plain) {
        return value.to_owned();
    }
    format!("'{}'", value.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::{Secret, quoted};

    #[test]
    fn a_shell_reads_back_what_was_written() {
        for value in [
            "plain-1.2/3:4@5%6+7,8=",
            "",
            "two words",
            "it's \"$HOME\" `id` \\ #1",
            "two\nlines\n!",
            "ü — 日本",
            "'",
        ] {
            let script = format!("A={}\nprintf '%s.' \"$A\"", quoted(value));
            let output = Command::new("sh").args(["-c", &script]).output().unwrap();
            let read = String::from_utf8(output.stdout).unwrap();
            assert_eq!(read, format!("{value}."), "{script}");
        }
    }

    #[test]
    fn a_secret_is_not_shown_by_debug() {
        let secret = Secret {
            name: "A".to_owned(),
            value: "hidden-value".to_owned(),
        };
        let shown = format!("{secret:?}");
        assert!(
            !shown.contains("hidden") && shown.contains("****"),
            "{shown}"
        );
    }
}
