//! `tcp.connect`, and the connection that it gives.

use std::cell::RefCell;
use std::rc::Rc;

use boa_engine::object::ObjectInitializer;
use boa_engine::{Context, JsArgs, JsResult, JsString, JsValue, NativeFunction, js_string};
use watchkeeper_sdk::tcp::Connection;

use crate::engine::text;
use crate::globals::{patience, promised};
use crate::options::Options;
use crate::thrown::{self, misuse};

/// How many bytes one call reads at most unless it says otherwise.
const READ: u32 = 64 * 1024;

/// The connections of a run, none where one was closed; see
/// [`Answers`](crate::fetch::Answers).
#[derive(Default)]
pub(crate) struct Open(RefCell<Vec<Option<Rc<Connection>>>>);

/// `tcp.connect(host, port, options)`: a promise of the connection. All that happens
/// on it must be over after the option `timeout`.
pub(crate) fn connect(
    _: &JsValue,
    arguments: &[JsValue],
    context: &mut Context,
) -> JsResult<JsValue> {
    let result = open(arguments, context);
    promised(result, context)
}

fn open(arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let host = text(arguments.get_or_undefined(0), context)?;
    let port = arguments.get_or_undefined(1).to_u32(context)?;
    let Ok(port @ 1..) = u16::try_from(port) else {
        return misuse("tcp.connect: the port is not from 1 to 65535");
    };
    let options = Options::read("tcp.connect", arguments.get_or_undefined(2), context)?
        .known(&["timeout"])?;
    let timeout = options.timeout(patience(context))?;
    let connection =
        Connection::open(&host, port, timeout).map_err(|error| thrown::error(error, context))?;
    let Some(open) = context.get_data::<Open>() else {
        return misuse("tcp.connect: outside of a check");
    };
    let mut connections = open.0.borrow_mut();
    let place = connections.len();
    connections.push(Some(Rc::new(connection)));
    drop(connections);
    let read = NativeFunction::from_copy_closure(move |_, arguments, context| {
        let result = read(place, arguments, context);
        promised(result, context)
    });
    let write = NativeFunction::from_copy_closure(move |_, arguments, context| {
        let result = write(place, arguments, context);
        promised(result, context)
    });
    let close = NativeFunction::from_copy_closure(move |_, _, context| {
        let open = context.get_data::<Open>();
        if let Some(slot) =
            open.and_then(|open| open.0.borrow_mut().get_mut(place).map(Option::take))
        {
            drop(slot);
        }
        Ok(JsValue::undefined())
    });
    let object = ObjectInitializer::new(context)
        .function(read, js_string!("read"), 1)
        .function(write, js_string!("write"), 1)
        .function(close, js_string!("close"), 0)
        .build();
    Ok(object.into())
}

/// What comes next, as text; empty at the end.
fn read(place: usize, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let max = match arguments.get_or_undefined(0) {
        max if max.is_undefined() => READ,
        max => max.to_u32(context)?.clamp(1, READ),
    };
    let max = usize::try_from(max).unwrap_or(1);
    let connection = found(place, context)?;
    let bytes = connection
        .read(max)
        .map_err(|error| thrown::error(error, context))?;
    Ok(JsString::from(String::from_utf8_lossy(&bytes).as_ref()).into())
}

fn write(place: usize, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let text = text(arguments.get_or_undefined(0), context)?;
    let connection = found(place, context)?;
    connection
        .write(text.as_bytes())
        .map_err(|error| thrown::error(error, context))?;
    Ok(JsValue::undefined())
}

fn found(place: usize, context: &Context) -> JsResult<Rc<Connection>> {
    let open = context.get_data::<Open>();
    match open.and_then(|open| open.0.borrow().get(place).cloned().flatten()) {
        Some(connection) => Ok(connection),
        None => misuse("the connection was closed"),
    }
}
