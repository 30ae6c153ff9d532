//! The crate from outside: texts in, a configuration or a list of problems out.

#[cfg(test)]
mod defaults;
#[cfg(test)]
mod examples;
#[cfg(test)]
mod merging;
#[cfg(test)]
mod passive;
#[cfg(test)]
mod plugins;
#[cfg(test)]
mod problems;
#[cfg(test)]
mod robustness;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod telling;

use watchkeeper_config::{Config, Problems, load_texts};

/// An environment without variables.
fn no_env(_: &str) -> Option<String> {
    None
}

/// The configuration that a text amounts to.
fn read(text: &str) -> Result<Config, Problems> {
    load_texts(vec![("a.toml".to_owned(), text.to_owned())], &no_env).map(|loaded| loaded.config)
}

/// The configuration that a good text amounts to.
fn good(text: &str) -> Config {
    read(text).unwrap_or_else(|problems| panic!("{problems}"))
}
