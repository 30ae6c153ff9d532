//! How a call ended, and whose fault that is.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use wasmtime::component::ResourceTableError;
use wasmtime::{PoolConcurrencyLimitError, Trap};
use wasmtime_wasi::I32Exit;
use wasmtime_wasi_http::FieldMapError;

use crate::backtrace::frames;
use crate::host::Shared;
use crate::limits::{LimitHit, fixed};
use crate::meter::Metered;
use crate::run::Fault;

/// What a guest that does not wait on the network has beyond its timeout. One
/// that gives its target all the time it has itself learns at the last moment
/// that there is no answer, and must be able to say so.
const GRACE: Duration = Duration::from_millis(100);

/// How a call ended.
#[derive(Debug)]
pub(crate) enum Ending<T> {
    /// The guest answered.
    Answer(T),
    /// The timeout passed while the guest waited on the network, as it did then or
    /// for most of its time.
    NoAnswer,
    /// Neither.
    Fault(Fault),
}

/// Drives `call` until it ends, and for `timeout` at most (or [`GRACE`] more).
pub(crate) async fn drive<T>(
    shared: &Shared,
    timeout: Duration,
    call: impl Future<Output = wasmtime::Result<T>>,
) -> Ending<T> {
    let mut call = pin!(call);
    let mut call = Metered::new(call.as_mut(), &shared.meter);
    // The future outlives each wait by an instant, so that what it waits for can
    // still be asked.
    for wait in [timeout, GRACE] {
        match tokio::time::timeout(wait, &mut call).await {
            Ok(Ok(Ok(answer))) => return Ending::Answer(answer),
            Ok(Ok(Err(error))) => {
                shared.note_backtrace(frames(&error));
                return Ending::Fault(fault_of(&error, shared));
            }
            Ok(Err(panic)) => {
                let words = shared.journal.presentable(&panic, 500);
                let fault = Fault::Host(format!("a call of the plugin panicked: {words}"));
                return Ending::Fault(fault);
            }
            // Between two pieces of a slow answer the guest works for an instant: most
            // of its time says more than the last moment of it.
            Err(_elapsed) if shared.waits_on_network() || shared.waited() >= timeout / 2 => {
                return Ending::NoAnswer;
            }
            Err(_elapsed) => {}
        }
    }
    Ending::Fault(Fault::Limit(LimitHit::Time(timeout)))
}

impl<T> Ending<T> {
    /// The same ending, unless the run was refused something or met a limit that
    /// its guest was told of: then that is what ended it, whatever the guest made
    /// of it. An answer that `stands` is kept.
    pub(crate) fn corrected(self, shared: &Shared, stands: impl Fn(&T, Hindrance) -> bool) -> Self {
        if matches!(&self, Self::Fault(Fault::Limit(_) | Fault::Host(_))) {
            return self;
        }
        let stands = |hindrance| matches!(&self, Self::Answer(answer) if stands(answer, hindrance));
        match (shared.limit_hit(), shared.denied()) {
            (Some(limit), _) if !stands(Hindrance::Limit) => Self::Fault(Fault::Limit(limit)),
            (_, Some(denied)) if !stands(Hindrance::Denial) => Self::Fault(Fault::Denied(denied)),
            _ => self,
        }
    }
}

/// What a guest may have met on its way to an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hindrance {
    /// A limit of the network.
    Limit,
    /// A refusal.
    Denial,
}

fn fault_of(error: &wasmtime::Error, shared: &Shared) -> Fault {
    if let Some(limit) = error.downcast_ref::<LimitHit>() {
        return Fault::Limit(limit.clone());
    }
    if error.is::<PoolConcurrencyLimitError>() {
        return Fault::Host(error.to_string());
    }
    if let Some(limit) = fixed_limit(error) {
        return Fault::Limit(limit);
    }
    if let Some(I32Exit(status)) = error.downcast_ref::<I32Exit>() {
        return Fault::Trap(with_last_words(
            shared,
            &format!("it exited with status {status}"),
        ));
    }
    if let Some(trap) = error.downcast_ref::<Trap>() {
        let words = match trap {
            // What a panic compiles to: its words are on the standard error.
            Trap::UnreachableCodeReached => "it panicked".to_owned(),
            Trap::StackOverflow => "its call stack is exhausted".to_owned(),
            other => other.to_string(),
        };
        return Fault::Trap(with_last_words(shared, &words));
    }
    Fault::Trap(with_last_words(shared, &error.root_cause().to_string()))
}

/// The bounds of [`fixed`] as wasmtime words them: it gives no types to match on
/// for some, and a test per bound notices when the words change.
fn fixed_limit(error: &wasmtime::Error) -> Option<LimitHit> {
    let words = error.root_cause().to_string();
    let what = if matches!(error.downcast_ref(), Some(ResourceTableError::Full)) {
        "held more than 512 resources of the host"
    } else if words.contains("store handle limit exceeded") {
        "held more than 1000 handles"
    } else if words.contains("fuel allocated for hostcalls") {
        "passed more than 4 MiB to the host in one call"
    } else if words.starts_with("requested len") {
        "asked for more than 64 KiB of randomness in one call"
    } else if matches!(
        error.downcast_ref(),
        Some(FieldMapError::TotalSizeTooBig | FieldMapError::TooManyFields)
    ) {
        "set HTTP headers of more than 64 KiB"
    } else {
        return None;
    };
    debug_assert_eq!(
        (
            fixed::RESOURCES,
            fixed::HANDLES,
            fixed::CALL_BYTES,
            fixed::RANDOM_BYTES,
            fixed::HEADER_BYTES
        ),
        (512, 1000, 4 << 20, 64 << 10, 64 << 10),
        "the sentences above name these figures"
    );
    Some(LimitHit::Fixed(what))
}

fn with_last_words(shared: &Shared, words: &str) -> String {
    match shared.journal.last_words() {
        Some(last) => shared.journal.presentable(&format!("{words}: {last}"), 500),
        None => shared.journal.presentable(words, 500),
    }
}
