//! Who is told.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who is told: a space or a person.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Recipient {
    /// A space, by its id.
    #[serde(rename(deserialize = "room", serialize = "roomId"))]
    Room(#[schemars(length(min = 1))] String),
    /// A person, by an e-mail address.
    #[serde(rename(deserialize = "person", serialize = "toPersonEmail"))]
    Person(#[schemars(length(min = 3))] String),
}
