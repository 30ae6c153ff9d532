//! What a script finds besides the language: the ways to the host.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use boa_engine::object::ObjectInitializer;
use boa_engine::object::builtins::JsPromise;
use boa_engine::property::Attribute;
use boa_engine::{Context, JsArgs, JsResult, JsString, JsValue, NativeFunction, js_string};
use serde_json::{Value, json};
use watchkeeper_sdk::{dns, log, state};

use crate::engine::{millis, text};
use crate::options::Options;
use crate::{connections, fetch, thrown};

/// How much of what is left of the check's time a call of the host may take: it must
/// end before the host ends the check, so that the script can say what it waited for.
const PATIENCE: f64 = 0.98;

type Body = fn(&JsValue, &[JsValue], &mut Context) -> JsResult<JsValue>;

/// A function's name, how many arguments it has at least, and what it does.
type Function = (&'static str, usize, Body);

/// Makes `fetch`, `console`, `state`, `dns`, `tcp`, `sleep`, `btoa` and `atob`.
pub(crate) fn register(context: &mut Context, run: &watchkeeper_sdk::Context) -> JsResult<()> {
    context.insert_data(run.clone());
    context.insert_data(fetch::Answers::default());
    context.insert_data(connections::Open::default());
    let functions: [Function; 4] = [
        ("fetch", 2, fetch::fetch),
        ("sleep", 1, sleep),
        ("btoa", 1, btoa),
        ("atob", 1, atob),
    ];
    for (name, length, body) in functions {
        let body = NativeFunction::from_fn_ptr(body);
        context.register_global_builtin_callable(js_string!(name), length, body)?;
    }
    let objects: [(&str, &[Function]); 4] = [
        (
            "console",
            &[
                ("log", 0, |_, values, _| {
                    log::info(words(values));
                    Ok(JsValue::undefined())
                }),
                ("info", 0, |_, values, _| {
                    log::info(words(values));
                    Ok(JsValue::undefined())
                }),
                ("debug", 0, |_, values, _| {
                    log::debug(words(values));
                    Ok(JsValue::undefined())
                }),
                ("warn", 0, |_, values, _| {
                    log::warn(words(values));
                    Ok(JsValue::undefined())
                }),
                ("error", 0, |_, values, _| {
                    log::error(words(values));
                    Ok(JsValue::undefined())
                }),
            ],
        ),
        (
            "state",
            &[
                ("get", 1, state_get),
                ("set", 2, state_set),
                ("delete", 1, state_delete),
            ],
        ),
        ("dns", &[("query", 2, dns_query)]),
        ("tcp", &[("connect", 2, connections::connect)]),
    ];
    for (name, methods) in objects {
        let mut object = ObjectInitializer::new(context);
        for &(name, length, body) in methods {
            object.function(NativeFunction::from_fn_ptr(body), js_string!(name), length);
        }
        let object = object.build();
        context.register_global_property(
            js_string!(name),
            object,
            Attribute::WRITABLE | Attribute::CONFIGURABLE,
        )?;
    }
    Ok(())
}

/// How long a call of the host may take at most.
pub(crate) fn patience(context: &Context) -> Duration {
    let run = context.get_data::<watchkeeper_sdk::Context>();
    run.map_or(Duration::ZERO, |run| run.remaining().mul_f64(PATIENCE))
}

/// The promise of what is known already: the host's calls wait within themselves.
pub(crate) fn promised(result: JsResult<JsValue>, context: &mut Context) -> JsResult<JsValue> {
    Ok(JsPromise::from_result(result, context)?.into())
}

/// Texts as they are, anything else as a person would write it.
fn words(values: &[JsValue]) -> String {
    let words: Vec<String> = values
        .iter()
        .map(|value| match value.as_string() {
            Some(text) => text.to_std_string_lossy(),
            None => value.display().to_string(),
        })
        .collect();
    words.join(" ")
}

fn sleep(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let millis = arguments.get_or_undefined(0).to_number(context)?;
    let longest = patience(context);
    let span = Duration::try_from_secs_f64(millis.max(0.0) / 1000.0).unwrap_or(longest);
    std::thread::sleep(span.min(longest));
    promised(Ok(JsValue::undefined()), context)
}

fn btoa(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let text = text(arguments.get_or_undefined(0), context)?;
    let bytes: Option<Vec<u8>> = text
        .chars()
        .map(|it| u8::try_from(u32::from(it)).ok())
        .collect();
    match bytes {
        Some(bytes) => Ok(JsString::from(STANDARD.encode(bytes)).into()),
        None => thrown::misuse("btoa: a character is beyond U+00FF"),
    }
}

fn atob(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let text = text(arguments.get_or_undefined(0), context)?;
    match STANDARD.decode(text.trim()) {
        Ok(bytes) => {
            let text: String = bytes.into_iter().map(char::from).collect();
            Ok(JsString::from(text).into())
        }
        Err(error) => thrown::misuse(format!("atob: {error}")),
    }
}

fn state_get(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let key = text(arguments.get_or_undefined(0), context)?;
    match state::get::<Value>(&key) {
        Some(value) => JsValue::from_json(&value, context),
        None => Ok(JsValue::undefined()),
    }
}

fn state_set(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let key = text(arguments.get_or_undefined(0), context)?;
    match arguments.get_or_undefined(1).to_json(context)? {
        Some(value) => {
            state::set(&key, &value).map_err(|error| thrown::error(error, context))?;
        }
        None => state::delete(&key),
    }
    Ok(JsValue::undefined())
}

fn state_delete(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let key = text(arguments.get_or_undefined(0), context)?;
    state::delete(&key);
    Ok(JsValue::undefined())
}

fn dns_query(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let result = look_up(arguments, context);
    promised(result, context)
}

fn look_up(arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let name = text(arguments.get_or_undefined(0), context)?;
    let kind = match arguments.get_or_undefined(1) {
        kind if kind.is_undefined() => "A".to_owned(),
        kind => text(kind, context)?,
    };
    let options = Options::read("dns.query", arguments.get_or_undefined(2), context)?
        .known(&["server", "timeout"])?;
    let server = options.text("server")?;
    let timeout = options.timeout(patience(context))?;
    let answer =
        dns::query(&name, &kind, server, timeout).map_err(|error| thrown::error(error, context))?;
    let records: Vec<Value> = answer
        .records
        .into_iter()
        .map(|record| {
            json!({
                "name": record.name,
                "kind": record.kind,
                "ttl": record.ttl_seconds,
                "data": record.data,
            })
        })
        .collect();
    let answer = json!({
        "code": answer.code,
        "records": records,
        "authenticated": answer.authenticated,
        "took": millis(answer.took),
    });
    JsValue::from_json(&answer, context)
}
