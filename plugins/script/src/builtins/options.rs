//! The options of commands, as getopt finds them.

/// What options a command takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Takes {
    /// Letters without a value.
    pub(super) flags: &'static str,
    /// Letters with a value.
    pub(super) values: &'static str,
    /// Long names, each with the letter that it stands for.
    pub(super) long: &'static [(&'static str, char)],
    /// Whether options may come after what is no option.
    pub(super) anywhere: bool,
}

/// Options and what is none.
#[derive(Clone, Debug, Default)]
pub(super) struct Given {
    options: Vec<(char, String)>,
    pub(super) rest: Vec<String>,
}

impl Takes {
    pub(super) const fn new(flags: &'static str, values: &'static str) -> Self {
        Self {
            flags,
            values,
            long: &[],
            anywhere: true,
        }
    }

    pub(super) const fn long(self, long: &'static [(&'static str, char)]) -> Self {
        Self { long, ..self }
    }

    /// Options end where the first word is that is none.
    pub(super) const fn leading(self) -> Self {
        Self {
            anywhere: false,
            ..self
        }
    }

    /// Reads the options; the error names what is unknown or lacks its value.
    pub(super) fn read(&self, words: &[String]) -> Result<Given, String> {
        let mut given = Given::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            if word == "--" {
                given.rest.extend(words.cloned());
                break;
            }
            if let Some(name) = word.strip_prefix("--") {
                self.long_option(name, &mut words, &mut given)?;
                continue;
            }
            match word.strip_prefix('-') {
                Some(letters) if !letters.is_empty() => {
                    let mut letters = letters.chars();
                    while let Some(letter) = letters.next() {
                        if self.flags.contains(letter) {
                            given.options.push((letter, String::new()));
                        } else if self.values.contains(letter) {
                            let value = match letters.as_str() {
                                "" => words
                                    .next()
                                    .cloned()
                                    .ok_or_else(|| format!("-{letter} needs a value"))?,
                                rest => rest.to_owned(),
                            };
                            given.options.push((letter, value));
                            break;
                        } else {
                            return Err(format!("-{letter} is not known here"));
                        }
                    }
                }
                _ => {
                    given.rest.push(word.clone());
                    if !self.anywhere {
                        given.rest.extend(words.cloned());
                        break;
                    }
                }
            }
        }
        Ok(given)
    }

    fn long_option(
        &self,
        name: &str,
        words: &mut std::slice::Iter<'_, String>,
        given: &mut Given,
    ) -> Result<(), String> {
        let (name, value) = match name.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (name, None),
        };
        let letter = self
            .long
            .iter()
            .find_map(|(known, letter)| (*known == name).then_some(*letter))
            .ok_or_else(|| format!("--{name} is not known here"))?;
        let takes_value = self.values.contains(letter);
        let value = match (takes_value, value) {
            (true, Some(value)) => value,
            (true, None) => words
                .next()
                .cloned()
                .ok_or_else(|| format!("--{name} needs a value"))?,
            (false, None) => String::new(),
            (false, Some(_)) => return Err(format!("--{name} takes no value")),
        };
        given.options.push((letter, value));
        Ok(())
    }
}

impl Given {
    pub(super) fn has(&self, letter: char) -> bool {
        self.options.iter().any(|(given, _)| *given == letter)
    }

    /// The last value of an option.
    pub(super) fn value(&self, letter: char) -> Option<&str> {
        self.values(letter).last()
    }

    /// Every value of an option.
    pub(super) fn values(&self, letter: char) -> impl Iterator<Item = &str> {
        self.options
            .iter()
            .filter(move |(given, _)| *given == letter)
            .map(|(_, value)| value.as_str())
    }

    /// A value that is a number.
    pub(super) fn number(&self, letter: char) -> Result<Option<usize>, String> {
        let Some(value) = self.value(letter) else {
            return Ok(None);
        };
        match value.parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(format!("-{letter} {value}: no number")),
        }
    }
}

/// A span in seconds: `1.5`, or with `ms`, `s`, `m`, `h` behind it.
pub(super) fn span(text: &str) -> Option<std::time::Duration> {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let number = text.strip_suffix(unit)?;
    let factor = match unit {
        "" | "s" => 1.0,
        "ms" => 0.001,
        "m" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        _ => return None,
    };
    let number: f64 = number.parse().ok()?;
    std::time::Duration::try_from_secs_f64(number * factor).ok()
}
