//! What operators can say about a way through a site.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use watchkeeper_sdk::config::{Span, Uri};
use watchkeeper_sdk::expect::Expect;
use watchkeeper_sdk::http::Auth;
use watchkeeper_sdk::tls::Expiry;

/// The configuration of a check in steps. Texts of a step may hold
/// `{{placeholders}}` for what earlier steps saved.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The requests, in their order. The first that fails ends the check.
    #[schemars(length(min = 1, max = 20))]
    pub steps: Vec<Step>,
    /// Headers of every request to the target's own origin; those of a step of the
    /// same name are sent instead.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Credentials for every request to the target's own origin; those of a step
    /// are sent instead.
    #[serde(default)]
    pub auth: Option<Auth>,
    /// Whether to send back the cookies that the site sets, as a browser does.
    #[serde(default = "yes")]
    pub cookies: bool,
    /// What to think of a certificate that is about to expire.
    #[serde(default)]
    pub tls: Expiry,
    /// How many bytes of each body to read at most.
    #[serde(default = "max_body")]
    pub max_body: u64,
}

/// One request.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What the step is called in reasons and measurements. Default: `step-1`,
    /// `step-2`, ….
    #[schemars(regex(pattern = "^[a-z][a-z0-9]*(-[a-z0-9]+)*$"), length(max = 40))]
    pub name: Option<String>,
    /// The request's method. Default: `GET`, or `POST` with a body.
    #[schemars(length(min = 1, max = 32), regex(pattern = "^[A-Za-z]+$"))]
    pub method: Option<String>,
    /// Where the request goes if not to the target.
    pub base: Option<Uri>,
    /// What to ask for, relative to the target or `base`: a path, a path with a
    /// query, or a whole URL that a step before saved.
    #[serde(default)]
    pub path: String,
    /// The request's headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Credentials to send.
    pub auth: Option<Auth>,
    /// The request's body as text.
    pub body: Option<String>,
    /// The request's body as JSON. A text that is one placeholder and nothing else
    /// becomes the value that was saved, with its type.
    pub json: Option<Value>,
    /// The request's body as a form.
    pub form: Option<BTreeMap<String, String>>,
    /// What must hold: what does not makes the target dead.
    #[serde(default)]
    pub expect: Expect,
    /// What should hold: what does not makes the target sick, and the check goes on.
    #[serde(default)]
    pub prefer: Expect,
    /// What to keep of the answer for later steps, by name.
    #[serde(default)]
    #[schemars(extend("propertyNames" = { "pattern": "^[a-z][a-z0-9_]{0,39}$" }))]
    pub save: BTreeMap<String, Save>,
    /// How many redirects to follow. The answer after the last is what is judged.
    #[serde(default = "redirects")]
    #[schemars(range(max = 15))]
    pub redirects: u32,
    /// How long the step may take, redirects and body included. Default: what is
    /// left of the monitor's timeout.
    pub timeout: Option<Span>,
    /// Whether the step is taken even if one before it failed, such as to log out
    /// or to delete what was made. It is left out if what it needs was not saved.
    #[serde(default)]
    pub always: bool,
}

/// Where in an answer a value is. What is not there makes the target dead.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Save {
    /// In the body as JSON, the first value at this path: `$.token`.
    pub json: Option<String>,
    /// In the header of this name.
    pub header: Option<String>,
    /// In the cookie of this name, set by this step or one before it.
    pub cookie: Option<String>,
    /// In the body as text or, with one of the others, in that value: what this
    /// regular expression captures with its first group, or all that it matches.
    pub regex: Option<String>,
    /// Whether the value is to be taken out of reasons.
    #[serde(default)]
    pub secret: bool,
}

fn yes() -> bool {
    true
}

fn max_body() -> u64 {
    1 << 20
}

fn redirects() -> u32 {
    10
}
