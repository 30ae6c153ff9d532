//! status-incident.

use watchkeeper_import::{Kind, Outcome};

use super::{check, has, refused, tells};

#[test]
fn everything_of_an_export_moves() {
    let imported = check(Kind::StatusIncident, "status-incident/export.json");
    has(
        &imported,
        &[
            "id = \"shop\"",
            "description = \"Where people buy\"",
            "id = \"checkout-api\"",
            "degrade = true",
            "confirm = { dead = 3 }",
            "targets = [\"https://shop.example.com/health\"]",
            "id = \"warehouse\"",
            "passive = \"manual\"",
            "id = \"phone\"",
        ],
    );
    tells(&imported, Outcome::Lost, "dependencies[2]", "no system");
    tells(&imported, Outcome::Lost, "systems[0].owner", "no owner");
    tells(&imported, Outcome::Lost, "logs", "history");
}

#[test]
fn what_is_no_export_is_refused() {
    refused(
        Kind::StatusIncident,
        "a.json",
        "{\"logs\": []}",
        None,
        "has no `systems`",
    );
}
