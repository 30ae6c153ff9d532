//! The example of a notifier of one's own, as `cargo xtask test` built it.

use plugin_tests::{Trial, notice, run};
use serde_json::json;
use target_server::Answer;

use crate::webhook::receiver;

#[test]
fn a_notice_arrives_as_a_card() {
    run(async {
        let receiver = receiver().await;
        let config = json!({"hook_url": receiver.url("/hook")}).to_string();
        let trial = Trial::example("card_notifier", &config);
        assert_eq!(trial.deliver_in_words(notice()).await, "delivered");
        let received = receiver.received();
        let [request] = &received[..] else {
            panic!("{received:?}");
        };
        let message = request.json().unwrap();
        let attachment = &message["attachments"][0];
        let kind = "application/vnd.microsoft.card.adaptive";
        assert_eq!(attachment["contentType"], kind);
        let card = &attachment["content"];
        let title = "❌ API is dead: \"<refused>\" & more";
        assert_eq!(card["body"][0]["text"], title);
        assert_eq!(card["body"][1]["facts"][0]["title"], "Affected");
        receiver.then([Answer::status(429).header("retry-after", "7")]);
        assert_eq!(
            trial.deliver_in_words(notice()).await,
            "temporary: status 429 (wait 7 s)"
        );
    });
}
