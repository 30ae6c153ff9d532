//! What every backend must do, and what the SQLite one does besides.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, which clippy does not know for tests"
)]

mod sample;
mod suite;

mod sqlite;
