//! Sends alerts to a formatted webhook of Grafana OnCall.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use watchkeeper_sdk::config::SecretUri;
use watchkeeper_sdk::http::{Answers, Request};
use watchkeeper_sdk::wording::{Limit, Markup, Severity, Wording};
use watchkeeper_sdk::{Capability, Context, Failure, Notice, Notifier};

/// The notifier.
pub struct GrafanaOnCall;

/// The configuration of a Grafana OnCall integration.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The integration's address:
    /// `https://…/integrations/v1/formatted_webhook/…/`. Who knows it can send
    /// alerts, so it is treated as a secret.
    pub hook_url: SecretUri,
}

/// <https://grafana.com/docs/oncall/latest/configure/integrations/references/webhook/>
/// names no limits; the services through which it tells people do.
const TITLE: Limit = Limit::chars(250);
const MESSAGE: Limit = Limit::chars(3000);

/// Errors of its web framework have `detail`.
const ANSWERS: Answers = Answers {
    reason: &["/detail", "/error"],
    ..Answers::COMMON
};

/// The body of the request.
#[derive(Debug, Serialize)]
struct Body<'a> {
    alert_uid: &'a str,
    title: String,
    state: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    link_to_upstream_details: Option<&'a str>,
}

impl Notifier for GrafanaOnCall {
    type Config = Config;

    const NAME: &'static str = "grafana-oncall";
    const SUMMARY: &'static str = "Sends alerts to Grafana OnCall";
    const ASKS: &'static [Capability] = &[Capability::Http];

    fn schema() -> Cow<'static, str> {
        include_str!("../config.schema.json").into()
    }

    fn notify(config: Config, notice: &Notice, _: &Context) -> Result<(), Failure> {
        let wording = Wording::of(notice);
        let alert = Body {
            alert_uid: &notice.thread,
            title: TITLE.cut(&wording.headline()),
            state: if wording.severity == Severity::Healthy {
                "ok"
            } else {
                "alerting"
            },
            // OnCall reads it as Markdown.
            message: wording.details(Markup::Markdown, MESSAGE),
            link_to_upstream_details: wording.page_link().map(|link| link.url.as_str()),
        };
        let url = config.hook_url.expose().clone();
        ANSWERS.judge(&Request::to_url("POST", url).json(&alert).send()?)
    }
}

watchkeeper_sdk::notifier!(GrafanaOnCall);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_in_the_file_is_the_derived_one() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");
        watchkeeper_sdk::config::assert_schema_file::<Config>(file);
    }
}
