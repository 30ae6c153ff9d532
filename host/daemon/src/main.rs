//! Watchkeeper.
fn main() {}
