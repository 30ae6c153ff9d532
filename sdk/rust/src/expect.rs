//! What operators expect of an answer, in one language for every probe: status
//! codes, texts, regular expressions, JSON paths, headers and comparisons.
//!
//! A probe over HTTP takes an [`Expect`] into its configuration, once as what must
//! hold and once as what should, and has a [`Judge`] compare the [`Response`] with
//! both. A probe of another protocol makes its own keys of the parts: [`Operator`]
//! and a value become a [`Test`], [`JsonPath`] finds what to test.
//!
//! ```
//! use watchkeeper_sdk::Reading;
//! use watchkeeper_sdk::expect::{Expect, Judge};
//! use watchkeeper_sdk::http::Response;
//!
//! #[derive(serde::Deserialize, schemars::JsonSchema)]
//! struct Config { #[serde(default)] expect: Expect, #[serde(default)] prefer: Expect }
//! # fn main() -> Result<(), watchkeeper_sdk::Stop> {
//! # let config: Config = serde_json::from_str(r#"{"expect": {"body": "ok"}}"#).unwrap();
//! let judge = Judge::new(&config.expect, &config.prefer, "config")?;
//! let reading = judge.judge(Reading::healthy(), &Response::new(200, &[], "no")).unwrap();
//! assert_eq!(reading.reason.as_deref(), Some(r#"the body does not contain "ok""#));
//! # Ok(())
//! # }
//! ```
//!
//! [`Response`]: crate::http::Response

mod assertion;
mod judge;
mod path;
mod status;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

pub use self::assertion::{Operator, Rule, Test, excerpt, regex};
pub use self::judge::{Judge, Limit};
pub use self::path::JsonPath;
pub use self::status::StatusRange;

/// What is expected of the answer.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Expect {
    /// Status codes, classes and ranges, of which one must match: `200`, `"2xx"`,
    /// `"200-299"`. Default: `["2xx"]` in `expect`, anything in `prefer`.
    #[schemars(length(min = 1))]
    pub status: Option<Vec<StatusRange>>,
    /// A text that the body must contain.
    pub body: Option<String>,
    /// A text that the body must not contain.
    pub body_not: Option<String>,
    /// A regular expression that must match somewhere in the body.
    pub body_regex: Option<String>,
    /// Assertions on the body as JSON.
    pub json: Vec<JsonAssertion>,
    /// Assertions on the answer's headers.
    pub headers: Vec<HeaderAssertion>,
}

/// An assertion on a JSON body. It must hold for every value at the path, and
/// there must be one.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JsonAssertion {
    /// Where the value is, as a JSONPath (RFC 9535) without filters:
    /// `$.queue.depth`, `$.nodes[*].up`, `$..version`.
    pub path: String,
    /// How to compare.
    #[serde(default)]
    pub op: Operator,
    /// What to compare with. With `exists`, `false` asks for absence.
    #[serde(default)]
    pub value: Option<Value>,
}

/// An assertion on a header. It must hold for one of those with the name.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeaderAssertion {
    /// The header's name, in any case.
    pub name: String,
    /// How to compare.
    #[serde(default)]
    pub op: Operator,
    /// What to compare with. With `exists`, `false` asks for absence.
    #[serde(default)]
    pub value: Option<Value>,
}
