//! Grafana OnCall, by
//! <https://grafana.com/docs/oncall/latest/configure/integrations/references/webhook/>.

use serde_json::json;
use target_server::{Answer, Received};
use watchkeeper_sandbox::{Notice, Verdict};

use super::{Service, channel_tests, json, text};

const PATH: &str = "/integrations/v1/formatted_webhook/XXXXXXXXXXXXXXXX/";

pub(super) const GRAFANA_ONCALL: Service = Service {
    notifier: "grafana-oncall",
    config: |server| json!({"hook_url": format!("{server}{PATH}")}),
    taken: || Answer::ok().body("Ok."),
    form,
    refusals: || {
        vec![
            (
                Answer::status(403).body("Integration key was not found. Permission denied."),
                "permanent: status 403: Integration key was not found. Permission denied.",
            ),
            (
                Answer::status(404).body(r#"{"detail":"Not found."}"#),
                "permanent: status 404: Not found.",
            ),
            (
                Answer::status(429).body("Integration has been rate limited"),
                "temporary: status 429: Integration has been rate limited",
            ),
        ]
    },
    alive: &["\u{202E}"],
};

channel_tests!(GRAFANA_ONCALL);

fn form(received: &Received) {
    let body = json(received, "POST", PATH);
    assert_eq!(body["alert_uid"], "api/health@1700000000000");
    text(&body["title"], 500);
    let message = body["message"].as_str().expect("it is as documented");
    for alive in ["**bold**", "[x](", "~~s~~", "<a href"] {
        assert!(!message.contains(alive), "{alive}");
    }
    assert!(["ok", "alerting"].contains(&body["state"].as_str().expect("it is as documented")));
}

#[test]
fn an_outage_alerts_and_its_end_is_ok() {
    plugin_tests::run(async {
        let body = GRAFANA_ONCALL.delivered(plugin_tests::notice()).await;
        let body = body.json().expect("it is as documented");
        assert_eq!(body["state"], "alerting");
        assert_eq!(body["title"], "❌ API is dead: \"<refused>\" & more");
        assert_eq!(
            body["link_to_upstream_details"],
            "https://status.test/?a=1&b=2"
        );
        let over = Notice {
            health: Verdict::Healthy,
            ..plugin_tests::notice()
        };
        let over = GRAFANA_ONCALL
            .delivered(over)
            .await
            .json()
            .expect("it is as documented");
        assert_eq!(over["state"], "ok");
    });
}
