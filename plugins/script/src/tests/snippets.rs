//! Scripts that bash and this shell must agree on.

mod commands;
mod expansion;
mod filters;
mod flow;

/// All of them.
pub(super) fn all() -> impl Iterator<Item = &'static str> {
    [expansion::ALL, flow::ALL, commands::ALL, filters::ALL]
        .into_iter()
        .flatten()
        .copied()
}
