//! The configurations of other systems against the loader and the plugins.

#[cfg(test)]
#[path = "import/suite.rs"]
mod suite;
