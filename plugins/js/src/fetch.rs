//! `fetch`, and what it gives.

use std::cell::RefCell;
use std::rc::Rc;

use boa_engine::object::builtins::JsUint8Array;
use boa_engine::object::{JsObject, ObjectInitializer};
use boa_engine::property::Attribute;
use boa_engine::{Context, JsArgs, JsResult, JsString, JsValue, NativeFunction, js_string};
use serde_json::{Value, json};
use watchkeeper_sdk::config::Secret;
use watchkeeper_sdk::http::{self, Auth, Basic, Exchange, Request, Response};
use watchkeeper_sdk::{Error, Url};

use crate::engine::{millis, text};
use crate::globals::{patience, promised};
use crate::options::Options;
use crate::thrown::{self, misuse};

/// How many redirects are followed: as many as browsers follow.
const REDIRECTS: u32 = 20;

/// The answers of a run. Functions of the engine hold no Rust values of their own,
/// but a place in this list.
#[derive(Default)]
pub(crate) struct Answers(RefCell<Vec<Rc<Response>>>);

/// `fetch(url, options)`: a promise of the answer. The request is made at once and
/// waited for; of several, one comes after another.
pub(crate) fn fetch(
    _: &JsValue,
    arguments: &[JsValue],
    context: &mut Context,
) -> JsResult<JsValue> {
    let result = exchange(arguments, context);
    promised(result, context)
}

/// What `redirect` may say.
#[derive(PartialEq, Eq)]
enum Redirect {
    Follow,
    Manual,
    Error,
}

fn exchange(arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let url = text(arguments.get_or_undefined(0), context)?;
    let options = Options::read("fetch", arguments.get_or_undefined(1), context)?.known(&[
        "method", "headers", "body", "json", "auth", "redirect", "timeout", "maxBody",
    ])?;
    let redirect = match options.text("redirect")? {
        None | Some("follow") => Redirect::Follow,
        Some("manual") => Redirect::Manual,
        Some("error") => Redirect::Error,
        Some(_) => return options.unfit("redirect", "\"follow\", \"manual\" or \"error\""),
    };
    let request = request(&url, &options)?
        .timeout(options.timeout(patience(context))?)
        .redirects(if redirect == Redirect::Follow {
            REDIRECTS
        } else {
            0
        });
    let response = request
        .send()
        .map_err(|error| thrown::error(error, context))?;
    if redirect == Redirect::Error && (300..400).contains(&response.status()) {
        let why = format!("status {}: a redirect", response.status());
        return Err(thrown::error(Error::Failed(why), context));
    }
    let asked = Url::parse(&url).is_ok_and(|asked| asked == *response.url());
    answer(response, !asked, http::exchanges().last(), context)
}

fn request(url: &str, options: &Options) -> JsResult<Request> {
    let method = options.text("method")?.unwrap_or("GET");
    let mut request = Request::new(method, url);
    for (name, value) in headers(options)? {
        request = request.header(name, value);
    }
    match (options.get("body"), options.get("json")) {
        (None, None) => {}
        (Some(Value::String(body)), None) => request = request.body(body.as_str()),
        (Some(_), None) => return options.unfit("body", "a text: json takes any value"),
        (None, Some(value)) => request = request.json(value),
        (Some(_), Some(_)) => return options.unfit("json", "given alone: there is a body"),
    }
    if let Some(auth) = options.get("auth") {
        let field = |name: &str| auth.get(name).and_then(Value::as_str);
        request = match (field("bearer"), field("username"), field("password")) {
            (Some(token), None, None) => request.auth(&Auth::Bearer(Secret::new(token))),
            (None, Some(username), password) => request.auth(&Auth::Basic(Basic {
                username: username.to_owned(),
                password: Secret::new(password.unwrap_or_default()),
            })),
            _ => return options.unfit("auth", "{ username, password } or { bearer }"),
        };
    }
    if let Some(bytes) = options.size("maxBody")? {
        request = request.body_limit(bytes);
    }
    Ok(request)
}

/// As an object of texts, or as a list of pairs.
fn headers(options: &Options) -> JsResult<Vec<(String, String)>> {
    let pair = |name: &str, value: &Value| match value {
        Value::String(value) => Some((name.to_owned(), value.clone())),
        Value::Number(value) => Some((name.to_owned(), value.to_string())),
        _ => None,
    };
    let headers: Option<Vec<(String, String)>> = match options.get("headers") {
        None => Some(Vec::new()),
        Some(Value::Object(headers)) => headers
            .iter()
            .map(|(name, value)| pair(name, value))
            .collect(),
        Some(Value::Array(pairs)) => pairs
            .iter()
            .map(|entry| match entry.as_array()?.as_slice() {
                [name, value] => pair(name.as_str()?, value),
                _ => None,
            })
            .collect(),
        Some(_) => None,
    };
    match headers {
        Some(headers) => Ok(headers),
        None => options.unfit("headers", "an object of texts or a list of pairs"),
    }
}

fn answer(
    response: Response,
    redirected: bool,
    exchange: Option<&Exchange>,
    context: &mut Context,
) -> JsResult<JsValue> {
    let facts = [
        ("timing", timing(exchange)),
        ("certificate", certificate(exchange)),
    ];
    let (status, is_success) = (response.status(), response.is_success());
    let url = JsString::from(response.url().to_string());
    let Some(answers) = context.get_data::<Answers>() else {
        return misuse("fetch: outside of a check");
    };
    let mut answers = answers.0.borrow_mut();
    let place = answers.len();
    answers.push(Rc::new(response));
    drop(answers);
    let headers = header_functions(place, context);
    let mut object = ObjectInitializer::new(context);
    object
        .property(js_string!("ok"), is_success, Attribute::all())
        .property(js_string!("status"), status, Attribute::all())
        .property(js_string!("url"), url, Attribute::all())
        .property(js_string!("redirected"), redirected, Attribute::all())
        .property(js_string!("headers"), headers, Attribute::all());
    for (name, read) in [
        ("text", as_text as Read),
        ("json", as_json),
        ("bytes", as_bytes),
    ] {
        let function = NativeFunction::from_copy_closure(move |_, _, context| {
            let result = found(place, context).and_then(|answer| read(&answer, context));
            promised(result, context)
        });
        object.function(function, js_string!(name), 0);
    }
    let object = object.build();
    for (name, fact) in facts {
        let fact = JsValue::from_json(&fact, context)?;
        object.create_data_property_or_throw(js_string!(name), fact, context)?;
    }
    Ok(object.into())
}

type Read = fn(&Response, &mut Context) -> JsResult<JsValue>;

fn as_text(answer: &Response, context: &mut Context) -> JsResult<JsValue> {
    let text = answer
        .text()
        .map_err(|error| thrown::error(error, context))?;
    Ok(JsString::from(text.as_ref()).into())
}

fn as_json(answer: &Response, context: &mut Context) -> JsResult<JsValue> {
    let value: Value = answer
        .json()
        .map_err(|error| thrown::error(error, context))?;
    JsValue::from_json(&value, context)
}

fn as_bytes(answer: &Response, context: &mut Context) -> JsResult<JsValue> {
    let bytes = answer
        .bytes()
        .map_err(|error| thrown::error(error, context))?;
    Ok(JsUint8Array::from_iter(bytes.iter().copied(), context)?.into())
}

fn found(place: usize, context: &Context) -> JsResult<Rc<Response>> {
    let answers = context.get_data::<Answers>();
    match answers.and_then(|answers| answers.0.borrow().get(place).cloned()) {
        Some(answer) => Ok(answer),
        None => misuse("the answer is gone"),
    }
}

/// `get(name)`, `has(name)` and `entries()`.
fn header_functions(place: usize, context: &mut Context) -> JsObject {
    let values = |answer: &Response, name: &str| -> Vec<String> {
        answer
            .headers()
            .filter(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.into_owned())
            .collect()
    };
    let get = NativeFunction::from_copy_closure(move |_, arguments, context| {
        let name = text(arguments.get_or_undefined(0), context)?;
        let answer = found(place, context)?;
        let values = values(&answer, &name);
        Ok(if values.is_empty() {
            JsValue::null()
        } else {
            JsString::from(values.join(", ")).into()
        })
    });
    let has = NativeFunction::from_copy_closure(move |_, arguments, context| {
        let name = text(arguments.get_or_undefined(0), context)?;
        let answer = found(place, context)?;
        Ok((!values(&answer, &name).is_empty()).into())
    });
    let entries = NativeFunction::from_copy_closure(move |_, _, context| {
        let answer = found(place, context)?;
        let pairs: Vec<Value> = answer
            .headers()
            .map(|(name, value)| json!([name, value]))
            .collect();
        JsValue::from_json(&pairs.into(), context)
    });
    ObjectInitializer::new(context)
        .function(get, js_string!("get"), 1)
        .function(has, js_string!("has"), 1)
        .function(entries, js_string!("entries"), 0)
        .build()
}

/// The phases of the last exchange, in milliseconds.
fn timing(exchange: Option<&Exchange>) -> Value {
    let Some(exchange) = exchange else {
        return Value::Null;
    };
    json!({
        "resolve": exchange.resolve.map(millis),
        "connect": exchange.connect.map(millis),
        "tls": exchange.tls.map(millis),
        "firstByte": exchange.first_byte.map(millis),
        "transfer": exchange.transfer.map(millis),
        "total": exchange.total().map(millis),
    })
}

/// The server's certificate; times in milliseconds since 1970, as `Date` takes them.
fn certificate(exchange: Option<&Exchange>) -> Value {
    let session = exchange.and_then(|exchange| exchange.session.as_ref());
    let Some(certificate) = session.and_then(|session| session.chain.first()) else {
        return Value::Null;
    };
    json!({
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "names": certificate.names,
        "notBefore": certificate.not_before.nanos() / 1_000_000,
        "notAfter": certificate.not_after.nanos() / 1_000_000,
    })
}
