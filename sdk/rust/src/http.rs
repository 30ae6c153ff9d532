//! An HTTP client. Needs [`Capability::Http`](crate::Capability::Http).
//!
//! The host makes the connection, and a new one for every request. No request
//! follows redirects unless told to, and none has a timeout besides the run's
//! unless given one.

mod answers;
mod auth;
mod cookies;
mod exchange;
mod failure;
mod request;
mod response;

pub use self::answers::Answers;
pub use self::auth::{Auth, Basic};
pub use self::cookies::Cookies;
pub use self::exchange::{Exchange, exchanges};
pub use self::request::Request;
pub use self::response::Response;

use crate::Error;

/// Gets what is at `url`, which may be a [`Target`](crate::Target).
pub fn get(url: impl AsRef<str>) -> Result<Response, Error> {
    Request::get(url).send()
}

/// Posts `value` as JSON.
pub fn post_json<T: serde::Serialize + ?Sized>(
    url: impl AsRef<str>,
    value: &T,
) -> Result<Response, Error> {
    Request::post(url).json(value).send()
}
