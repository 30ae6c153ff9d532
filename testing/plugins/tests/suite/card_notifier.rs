//! The example of a notifier of one's own.

use std::path::Path;
use std::process::Command;

use plugin_tests::{Trial, notice, run};
use serde_json::json;
use target_server::Answer;

use crate::webhook::receiver;

/// Builds it as its author would, but for the target folder, which shares what is
/// compiled with the other example, and without asking a registry.
fn build() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let output = Command::new("cargo")
        .current_dir(root.join("examples/plugins/card-notifier"))
        .args(["build", "--locked", "--target", "wasm32-wasip2"])
        .env("CARGO_TARGET_DIR", root.join("target/examples"))
        .env("CARGO_NET_OFFLINE", "true")
        .env_remove("RUSTFLAGS")
        .output()
        .expect("cargo is what runs the tests");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn a_notice_arrives_as_a_card() {
    build();
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
        let title = "❌ API is dead: \"<\u{200B}refused\\>\" & more";
        assert_eq!(card["body"][0]["text"], title);
        assert_eq!(card["body"][1]["facts"][0]["title"], "Affected");
        receiver.then([Answer::status(429).header("retry-after", "7")]);
        assert_eq!(
            trial.deliver_in_words(notice()).await,
            "temporary: status 429: Too Many Requests (wait 7 s)"
        );
    });
}
