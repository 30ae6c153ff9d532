//! What the sandbox promises, tried with components that do their worst.

mod answers;
mod claims;
mod compat;
mod detours;
mod dials;
mod fixture;
mod limits;
mod loading;
mod rhythm;
mod validating;
mod walls;
mod words;
