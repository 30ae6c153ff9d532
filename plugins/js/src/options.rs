//! The tables of options that calls of the host take.

use std::time::Duration;

use boa_engine::{Context, JsResult, JsValue};
use serde_json::{Map, Value};

use crate::thrown::misuse;

/// The options of one call.
pub(crate) struct Options {
    /// The call's name, for errors.
    call: &'static str,
    fields: Map<String, Value>,
}

impl Options {
    /// Takes them from an argument, which may be missing.
    pub(crate) fn read(
        call: &'static str,
        argument: &JsValue,
        context: &mut Context,
    ) -> JsResult<Self> {
        let fields = match argument.to_json(context)? {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(fields)) => fields,
            Some(_) => return misuse(format!("{call}: the options are no object")),
        };
        Ok(Self { call, fields })
    }

    /// The same, if there are no others than these: what is misspelt would be lost.
    pub(crate) fn known(self, known: &[&str]) -> JsResult<Self> {
        match self
            .fields
            .keys()
            .find(|key| !known.contains(&key.as_str()))
        {
            Some(key) => misuse(format!(
                "{}: there is no option {key}; there are {}",
                self.call,
                known.join(", ")
            )),
            None => Ok(self),
        }
    }

    /// The option as it is; none where it is missing or null.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.fields.get(name).filter(|value| !value.is_null())
    }

    /// A text.
    pub(crate) fn text(&self, name: &str) -> JsResult<Option<&str>> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => self.unfit(name, "a text"),
        }
    }

    /// A number that is not negative.
    pub(crate) fn number(&self, name: &str) -> JsResult<Option<f64>> {
        match self.get(name) {
            None => Ok(None),
            Some(value) => match value.as_f64() {
                Some(number) if number >= 0.0 => Ok(Some(number)),
                _ => self.unfit(name, "a number of 0 or more"),
            },
        }
    }

    /// A number of bytes. One beyond what the engine holds as an integer is more than
    /// any body has.
    pub(crate) fn size(&self, name: &str) -> JsResult<Option<u64>> {
        match self.get(name) {
            None => Ok(None),
            Some(value) => match (value.as_u64(), value.as_f64()) {
                (Some(bytes), _) => Ok(Some(bytes)),
                (None, Some(bytes)) if bytes > f64::from(i32::MAX) => Ok(Some(u64::MAX)),
                _ => self.unfit(name, "a whole number of bytes"),
            },
        }
    }

    /// The option `timeout`, in milliseconds, or `longest` if that is shorter.
    pub(crate) fn timeout(&self, longest: Duration) -> JsResult<Duration> {
        let millis = self.number("timeout")?;
        let timeout = millis.and_then(|it| Duration::try_from_secs_f64(it / 1000.0).ok());
        Ok(timeout.map_or(longest, |timeout| timeout.min(longest)))
    }

    /// The error that says what the option should be.
    pub(crate) fn unfit<T>(&self, name: &str, wanted: &str) -> JsResult<T> {
        misuse(format!("{}: option {name} is not {wanted}", self.call))
    }
}
