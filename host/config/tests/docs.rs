//! The documents against the program.

#[cfg(test)]
#[path = "docs/suite.rs"]
mod suite;
