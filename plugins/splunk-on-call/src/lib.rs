//! Sends alerts to Splunk On-Call, once `VictorOps`, through its REST endpoint.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use watchkeeper_sdk::config::SecretUri;
use watchkeeper_sdk::http::{Answers, Request, Response};
use watchkeeper_sdk::wording::{Limit, Markup, Severity, Wording};
use watchkeeper_sdk::{Capability, Context, Failure, Notice, Notifier};

/// The notifier.
pub struct SplunkOnCall;

/// The configuration of Splunk On-Call. `url` and `routing_key` are required.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The REST endpoint's address without the routing key:
    /// `https://alert.victorops.com/integrations/generic/20131114/alert/…`. Who
    /// knows it can send alerts, so it is treated as a secret.
    pub url: SecretUri,
    /// The routing key, which says whose alert it is.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_-]{1,200}$"))]
    pub routing_key: String,
}

/// This and the following by
/// <https://help.victorops.com/knowledge-base/incident-fields-glossary/>.
const STATE_MESSAGE: Limit = Limit::chars(20_480);
const ENTITY_ID: Limit = Limit::chars(512);

/// No limit is named; nobody reads more in a list.
const DISPLAY_NAME: Limit = Limit::chars(500);

/// <https://help.victorops.com/knowledge-base/rest-endpoint-integration-guide/>.
const ANSWERS: Answers = Answers {
    reason: &["/messages", "/message"],
    ..Answers::COMMON
};

/// The body of the request.
#[derive(Debug, Serialize)]
struct Alert {
    message_type: &'static str,
    entity_id: String,
    entity_display_name: String,
    state_message: String,
    /// In seconds since 1970.
    timestamp: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_start_time: Option<u64>,
    monitoring_tool: &'static str,
    /// An annotation that is shown as a link.
    #[serde(
        rename = "vo_annotate.u.Status",
        skip_serializing_if = "Option::is_none"
    )]
    page: Option<String>,
}

/// The answer's body, which can refuse with a status of success.
#[derive(Debug, Deserialize)]
struct Taken {
    result: String,
}

impl Notifier for SplunkOnCall {
    type Config = Config;

    const NAME: &'static str = "splunk-on-call";
    const SUMMARY: &'static str = "Sends alerts to Splunk On-Call";
    const ASKS: &'static [Capability] = &[Capability::Http];

    fn schema() -> Cow<'static, str> {
        include_str!("../config.schema.json").into()
    }

    fn notify(config: Config, notice: &Notice, _: &Context) -> Result<(), Failure> {
        let mut url = config.url.expose().clone();
        url.push_path(&config.routing_key);
        let wording = Wording::of(notice);
        let alert = Alert {
            message_type: match wording.severity {
                Severity::Dead => "CRITICAL",
                Severity::Sick => "WARNING",
                Severity::Healthy => "RECOVERY",
                Severity::Info => "INFO",
            },
            entity_id: ENTITY_ID.cut(&notice.thread),
            entity_display_name: DISPLAY_NAME.cut(wording.subject()),
            state_message: wording.render(Markup::Plain, STATE_MESSAGE),
            timestamp: notice.at.seconds(),
            state_start_time: notice.started.map(watchkeeper_sdk::Timestamp::seconds),
            monitoring_tool: "Watchkeeper",
            page: wording.page_link().map(|link| link.url.clone()),
        };
        judge(&Request::to_url("POST", url).json(&alert).send()?)
    }
}

fn judge(answer: &Response) -> Result<(), Failure> {
    ANSWERS.judge(answer)?;
    match answer.json::<Taken>() {
        Ok(taken) if taken.result == "failure" => Err(ANSWERS.refused(answer)),
        // Whatever else a success says.
        _ => Ok(()),
    }
}

watchkeeper_sdk::notifier!(SplunkOnCall);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_can_come_with_a_status_of_success() {
        let judged = |body: &str| judge(&Response::new(200, &[], body));
        assert_eq!(judged(r#"{"result":"success","entity_id":"x"}"#), Ok(()));
        assert_eq!(
            judged(r#"{"result":"failure","messages":["bad message_type"]}"#),
            Err(Failure::permanent("bad message_type"))
        );
    }

    #[test]
    fn the_schema_in_the_file_is_the_derived_one() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");
        watchkeeper_sdk::config::assert_schema_file::<Config>(file);
    }
}
