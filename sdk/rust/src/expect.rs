//! What operators expect of an answer, in one language for every probe: an
//! [`Operator`] and a value become a [`Test`].

mod assertion;

pub use self::assertion::{Operator, Rule, Test, excerpt, regex};
