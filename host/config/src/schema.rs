//! The JSON Schema of a configuration, for editors.

use serde_json::{Value as Json, json};

use crate::file::RootTable;
use crate::read::FromNode;

/// The JSON Schema (2020-12) of a whole configuration, made from the same
/// declarations that read it.
///
/// It says less than [`load`](crate::load()) checks: not the bounds of spans and
/// sizes, which its descriptions name, nor what concerns several keys.
pub fn schema() -> Json {
    let mut schema = RootTable::schema();
    if let Json::Object(schema) = &mut schema {
        let dialect = "https://json-schema.org/draft/2020-12/schema";
        schema.insert("$schema".to_owned(), dialect.into());
        schema.insert("title".to_owned(), json!("Watchkeeper's configuration"));
    }
    schema
}
