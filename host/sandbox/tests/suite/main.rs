//! What the sandbox promises, tried with components that do their worst.

mod answers;
mod compat;
mod dials;
mod fixture;
mod limits;
mod loading;
mod rhythm;
mod validating;
mod walls;
mod words;
