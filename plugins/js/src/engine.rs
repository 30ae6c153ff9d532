//! The script's run: a fresh engine, the function's call, and the wait for what it
//! promised.

use std::path::Path;
use std::time::Duration;

use boa_engine::builtins::promise::PromiseState;
use boa_engine::object::builtins::JsPromise;
use boa_engine::{JsError, JsValue, Source, js_string};
use serde_json::{Value, json};
use watchkeeper_sdk::{Context as Run, Stop, Target};

use crate::{Config, globals, syntax, thrown};

/// What positions in errors refer to.
const PLACE: &str = "config.script";

/// How deep functions may call each other: what the sandbox's stack has room for
/// even where built-in functions are in between.
const CALLS: usize = 256;

/// Runs the script's `check` to its end and gives what it returned, as JSON; none
/// where it returned nothing.
pub(crate) fn run(config: &Config, target: &Target, run: &Run) -> Result<Option<Value>, Stop> {
    let mut context = boa_engine::Context::default();
    context.runtime_limits_mut().set_recursion_limit(CALLS);
    let failed = |error: JsError, context: &mut _| thrown::stop(&error, context);
    globals::register(&mut context, run).map_err(|error| failed(error, &mut context))?;

    let source = Source::from_bytes(&config.script).with_path(Path::new(PLACE));
    let script = boa_engine::Script::parse(source, None, &mut context).map_err(|_| {
        // Parsed again for the place; what parses for one parses for the other.
        let mistake = syntax::validate(config).err().map(|it| it.to_string());
        Stop::Misconfigured(mistake.unwrap_or_else(|| format!("{PLACE}: cannot be read")))
    })?;
    script
        .evaluate(&mut context)
        .map_err(|error| failed(error, &mut context))?;

    // Not a property of the global object: `const check = …` makes none.
    let check = context.eval(Source::from_bytes("check")).ok();
    let Some(check) = check.and_then(|check| check.as_callable()) else {
        return Err(Stop::Misconfigured(format!(
            "{PLACE}: it has no function check(target, context)"
        )));
    };
    let arguments = arguments(config, target, run);
    let arguments = arguments
        .iter()
        .map(|argument| JsValue::from_json(argument, &mut context))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| failed(error, &mut context))?;
    let returned = check
        .call(&JsValue::undefined(), &arguments, &mut context)
        .map_err(|error| failed(error, &mut context))?;
    settled(returned, &mut context)?
        .to_json(&mut context)
        .map_err(|error| failed(error, &mut context))
}

fn arguments(config: &Config, target: &Target, run: &Run) -> [Value; 2] {
    let urls: serde_json::Map<String, Value> = config
        .urls
        .iter()
        // With the path and query that the operator wrote, without a password: what
        // has one is better off among the values.
        .map(|(name, uri)| (name.clone(), uri.url().to_string().into()))
        .collect();
    let context = json!({
        "monitor": run.monitor(),
        "timeout": millis(run.timeout()),
        "values": config.values,
        "urls": urls,
    });
    [target.as_str().into(), context]
}

/// What a promise comes to; any other value is what it is.
fn settled(value: JsValue, context: &mut boa_engine::Context) -> Result<JsValue, Stop> {
    let Some(promise) = value
        .as_object()
        .and_then(|it| JsPromise::from_object(it).ok())
    else {
        return Ok(value);
    };
    context
        .run_jobs()
        .map_err(|error| thrown::stop(&error, context))?;
    match promise.state() {
        PromiseState::Fulfilled(value) => Ok(value),
        PromiseState::Rejected(reason) => Err(thrown::stop(&JsError::from_opaque(reason), context)),
        // All that can be waited for has happened when the jobs are done.
        PromiseState::Pending => Err(Stop::Misconfigured(format!(
            "{PLACE}: check waits for a promise that nothing keeps"
        ))),
    }
}

/// A span as JavaScript counts it.
pub(crate) fn millis(span: Duration) -> f64 {
    span.as_secs_f64() * 1000.0
}

/// The text of a value, as `String(value)` gives it.
pub(crate) fn text(value: &JsValue, context: &mut boa_engine::Context) -> Result<String, JsError> {
    Ok(value.to_string(context)?.to_std_string_lossy())
}

/// The property of an object; undefined where the value is none.
pub(crate) fn property(
    value: &JsValue,
    name: &str,
    context: &mut boa_engine::Context,
) -> Result<JsValue, JsError> {
    match value.as_object() {
        Some(object) => object.get(js_string!(name), context),
        None => Ok(JsValue::undefined()),
    }
}
