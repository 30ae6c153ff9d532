//! Where in its source a plugin broke down, as far as the component says.
//!
//! Names come from the component's name section, files and lines from its debug
//! information; what is shipped usually has neither. They are looked up only
//! where somebody waits for them: it costs milliseconds.

use std::num::NonZeroUsize;

use rustc_demangle::demangle;
use wasmtime::{FrameInfo, WasmBacktrace};

/// The most frames that are looked at.
pub(crate) const MOST_FRAMES: NonZeroUsize = NonZeroUsize::new(64).expect("it is not zero");

/// The most frames that are told, and how long each may be, in characters.
const MOST_TOLD: usize = 16;
const LONGEST: usize = 300;

/// What stands above the author's own code when it panics.
const MACHINERY: [&str; 8] = [
    "std::",
    "core::",
    "alloc::",
    "rust_",
    "__rust",
    "abort",
    "_abort",
    "panic_abort::",
];

/// The frames of the call that failed, innermost first: `queue::judge at
/// src/lib.rs:12:9`. Empty where backtraces are not taken or nothing is named.
pub(crate) fn frames(error: &wasmtime::Error) -> Vec<String> {
    let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() else {
        return Vec::new();
    };
    let named: Vec<String> = backtrace.frames().iter().flat_map(in_words).collect();
    let machinery = |frame: &&String| MACHINERY.iter().any(|prefix| frame.starts_with(prefix));
    let own: Vec<String> = named.iter().skip_while(machinery).cloned().collect();
    let mut told = if own.is_empty() { named } else { own };
    told.truncate(MOST_TOLD);
    told
}

/// One frame, with what was inlined into it.
fn in_words(frame: &FrameInfo) -> Vec<String> {
    let symbols = frame.symbols();
    if symbols.is_empty() {
        return frame.func_name().map(readable).into_iter().collect();
    }
    symbols
        .iter()
        .filter_map(|symbol| {
            let name = symbol.name().or_else(|| frame.func_name())?;
            let mut words = readable(name);
            if let Some(file) = symbol.file() {
                words.push_str(" at ");
                words.extend(file.chars().filter(|c| !c.is_control()).take(LONGEST));
                for number in [symbol.line(), symbol.column()].into_iter().flatten() {
                    words.extend([":", &number.to_string()]);
                }
            }
            Some(words)
        })
        .collect()
}

/// A function's name as its author wrote it: without mangling, hash and control
/// characters.
fn readable(name: &str) -> String {
    format!("{:#}", demangle(name))
        .chars()
        .filter(|character| !character.is_control())
        .take(LONGEST)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_the_author_wrote_them() {
        assert_eq!(
            readable("_ZN5queue5judge17h0123456789abcdefE"),
            "queue::judge"
        );
        assert_eq!(readable("judge\u{1b}[31m"), "judge[31m");
        assert_eq!(readable(&"x".repeat(1000)).len(), LONGEST);
    }
}
