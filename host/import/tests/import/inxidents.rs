//! inxidents.

use watchkeeper_import::{Kind, Outcome};

use super::{check, has, refused, tells};

#[test]
fn everything_of_inxidents_moves() {
    let imported = check(Kind::Inxidents, "inxidents/config.yaml");
    has(
        &imported,
        &[
            "every = \"5s\"",
            "every = \"1h45m\"",
            "targets = [\"https://api.example.com/health?token=REMOVED\"]",
            "config = { hook_url = { env = \"SLACK_WEBHOOK_URL\" } }",
            "monitors = [\"website/http\", \"api/http\"]",
        ],
    );
    tells(&imported, Outcome::Lost, "[2].colour", "no counterpart");
    tells(&imported, Outcome::Lost, "[1]", "`token`");
}

#[test]
fn what_is_no_configuration_of_inxidents_is_refused() {
    refused(Kind::Inxidents, "a.yaml", "a: 1\n", Some(1), "is no list");
    refused(Kind::Inxidents, "a.yaml", "", None, "is no list");
}
