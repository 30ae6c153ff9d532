//! Errors between JavaScript and the host: what a call of the host throws, and what
//! it means that the script threw something.

use boa_engine::property::PropertyDescriptor;
use boa_engine::{Context, JsError, JsNativeError, JsNativeErrorKind, JsResult, js_string};
use watchkeeper_sdk::{Error, Stop};

use crate::engine::{property, text};

/// The property of an error that says how a check ends that throws it.
const VERDICT: &str = "verdict";

/// What the script throws for a call of the host that failed: a `TypeError`, as
/// `fetch` does everywhere, with the verdict that it stands for.
pub(crate) fn error(error: Error, context: &mut Context) -> JsError {
    let (verdict, why) = match Stop::from(error) {
        Stop::Dead(why) => ("dead", why),
        Stop::Undecided(why) => ("undecided", why),
        Stop::Misconfigured(why) => ("misconfigured", why),
    };
    let object = JsNativeError::typ().with_message(why).into_opaque(context);
    let named = object.define_property_or_throw(
        js_string!(VERDICT),
        PropertyDescriptor::builder()
            .value(js_string!(verdict))
            .writable(true)
            .enumerable(false)
            .configurable(true),
        context,
    );
    match named {
        Ok(_) => JsError::from_opaque(object.into()),
        Err(error) => error,
    }
}

/// A mistake in how the script calls the host.
pub(crate) fn misuse<T>(why: impl Into<String>) -> JsResult<T> {
    Err(JsNativeError::typ().with_message(why.into()).into())
}

/// How a check ends of which the script threw `error`.
pub(crate) fn stop(error: &JsError, context: &mut Context) -> Stop {
    if error.as_engine().is_some() {
        return Stop::Misconfigured(format!("config.script: {}", first_line(&error.to_string())));
    }
    let (verdict, message) = match error.as_opaque() {
        Some(value) => {
            let mut read = |name| {
                let value = property(value, name, context).ok()?;
                if value.is_undefined() {
                    return None;
                }
                text(&value, context).ok()
            };
            (read(VERDICT), read("message"))
        }
        None => (None, None),
    };
    let native = error.try_native(context).ok();
    let why = match (&native, message, error.as_opaque()) {
        // The script's own words are for people as they are.
        (Some(native), Some(message), _)
            if verdict.is_some() || *native.kind() == JsNativeErrorKind::Error =>
        {
            message
        }
        // Anything else is likely to be a slip: where it is helps to find it.
        (Some(native), ..) => native.to_string(),
        (None, Some(message), _) => message,
        (None, None, Some(value)) => {
            text(value, context).unwrap_or_else(|_| "it threw something without words".to_owned())
        }
        (None, None, None) => error.to_string(),
    };
    let why = match first_line(&why) {
        "" => "it threw an error without words".to_owned(),
        line => line.to_owned(),
    };
    match verdict.as_deref() {
        Some("undecided") => Stop::Undecided(why),
        Some("misconfigured") => Stop::Misconfigured(format!("config.script: {why}")),
        None if native.is_some_and(|it| *it.kind() == JsNativeErrorKind::Reference) => {
            Stop::Misconfigured(format!("config.script: {why}"))
        }
        _ => Stop::Dead(why),
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}
