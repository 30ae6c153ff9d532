//! Microsoft Teams, by
//! <https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook>
//! and <https://adaptivecards.io/explorer/>.

use serde_json::{Value, json};
use target_server::{Answer, Received};

use super::{Service, any_text, channel_tests, json, list, only, text};

const PATH: &str =
    "/workflows/0/triggers/manual/paths/invoke?api-version=2016-06-01&sig=XXXXXXXXXXXXXXXX";

pub(super) const TEAMS: Service = Service {
    notifier: "teams",
    config: |server| json!({"hook_url": format!("{server}{PATH}")}),
    taken: || Answer::status(202).body(""),
    form,
    refusals: || {
        vec![
            (
                Answer::status(400).body(
                    r#"{"error":{"code":"TriggerInputSchemaMismatch","message":"The input body for trigger 'manual' is wrong."}}"#,
                ),
                "permanent: status 400: The input body for trigger 'manual' is wrong.",
            ),
            (
                Answer::status(401).body(
                    r#"{"error":{"code":"DirectApiAuthorizationRequired","message":"The request must be authenticated."}}"#,
                ),
                "permanent: status 401: The request must be authenticated.",
            ),
            (
                Answer::status(429)
                    .header("retry-after", "7")
                    .body(r#"{"error":{"code":"WorkflowTriggerRateLimit","message":"Slow down."}}"#),
                "temporary: status 429: Slow down. (wait 7 s)",
            ),
            // What connectors answered in the name of Teams.
            (
                Answer::ok().body(
                    "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429 with ContextId x",
                ),
                "temporary: Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429 with ContextId x",
            ),
            (
                Answer::ok().body(
                    "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 413 with ContextId x",
                ),
                "permanent: Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 413 with ContextId x",
            ),
            (Answer::ok().body("1"), "delivered"),
        ]
    },
    alive: &["**bold**", "[x](", "~~s~~", "`c`"],
};

channel_tests!(TEAMS);

fn form(received: &Received) {
    let body = json(received, "POST", PATH);
    assert!(received.body.len() <= 28 * 1024, "{}", received.body.len());
    assert_eq!(body["type"], "message");
    let attachment = only(&body["attachments"]);
    assert_eq!(
        attachment["contentType"],
        "application/vnd.microsoft.card.adaptive"
    );
    let card = &attachment["content"];
    assert_eq!(
        (&card["type"], &card["version"]),
        (&"AdaptiveCard".into(), &"1.4".into())
    );
    let elements = list(&card["body"]);
    assert!(!elements.is_empty());
    for element in elements {
        match any_text(&element["type"]) {
            "TextBlock" => {
                text(&element["text"], 10_000);
                assert_eq!(element["wrap"], true);
            }
            "FactSet" => {
                for fact in list(&element["facts"]) {
                    text(&fact["title"], 30);
                    text(&fact["value"], 2000);
                }
            }
            other => panic!("{other}"),
        }
    }
    let colours = ["Accent", "Good", "Warning", "Attention"].map(Value::from);
    assert!(colours.contains(&elements[0]["color"]), "{}", elements[0]);
    for action in list(&card["actions"]) {
        assert_eq!(action["type"], "Action.OpenUrl");
        text(&action["title"], 20);
        assert!(text(&action["url"], 1000).starts_with("http"));
    }
}

#[test]
fn a_card_says_what_is_wrong() {
    plugin_tests::run(async {
        let body = TEAMS
            .delivered(plugin_tests::notice())
            .await
            .json()
            .unwrap();
        let card = &body["attachments"][0]["content"];
        assert_eq!(
            (&card["body"][0]["text"], &card["body"][0]["color"]),
            (
                &"❌ API is dead: \"<\u{200B}refused\\>\" & more".into(),
                &"Attention".into()
            )
        );
        assert_eq!(card["body"][1]["text"], "first line\n\nsecond \\\\ line");
        assert_eq!(
            card["actions"],
            json!([{"type": "Action.OpenUrl", "title": "Status page", "url": "https://status.test/?a=1&b=2"}])
        );
    });
}
