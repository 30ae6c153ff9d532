//! The document of the API: OpenAPI 3.1, made from the list of operations that the
//! routes are made from.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value as Json, json};

use super::operation::{Operation, shape};
use super::operations;
use crate::catalogue::{Catalogue, ItemKind};
use crate::failure::Problem;

/// The version of the API's addresses and shapes.
const VERSION: &str = "1.0.0";

/// What kinds of parts are called in the document.
const CONFIGS: [(ItemKind, &str); 4] = [
    (ItemKind::Service, "ServiceConfig"),
    (ItemKind::Monitor, "MonitorConfig"),
    (ItemKind::Channel, "ChannelConfig"),
    (ItemKind::Route, "RouteConfig"),
];

/// The document. What parts of the configuration look like comes from `catalogue`.
pub(crate) fn document(catalogue: &dyn Catalogue) -> Json {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    // What has a default may be left out of what is sent, and is in every answer.
    let mut sent = settings.clone().for_deserialize().into_generator();
    let mut generator = settings.for_serialize().into_generator();
    let problem = shape::<Problem<'static>>(&mut generator).to_value();
    let mut paths: Map<String, Json> = Map::new();
    let mut groups: Vec<&'static str> = Vec::new();
    for operation in operations() {
        if !groups.contains(&operation.group) {
            groups.push(operation.group);
        }
        let mut described = json!({
            "operationId": operation.id,
            "summary": operation.says,
            "tags": [operation.group],
            "parameters": parameters(&operation, &mut sent),
            "responses": answers(&operation, &problem, &mut generator),
        });
        let needs = format!(
            "Needs a token with the scope `{}`.",
            operation.scope.as_str()
        );
        described["description"] = needs.into();
        if let Some(body) = &operation.body {
            let schema = (body.shape)(&mut sent).to_value();
            let content: Map<String, Json> = body
                .types
                .iter()
                .map(|kind| {
                    let schema = if kind.ends_with("json") {
                        schema.clone()
                    } else {
                        json!({ "type": "string" })
                    };
                    ((*kind).to_owned(), json!({ "schema": schema }))
                })
                .collect();
            described["requestBody"] = json!({ "required": body.required, "content": content });
        }
        let path = paths
            .entry(operation.path)
            .or_insert_with(|| Json::Object(Map::new()));
        path[operation.method] = described;
    }
    let mut schemas = generator.take_definitions(true);
    schemas.extend(sent.take_definitions(true));
    for (kind, name) in CONFIGS {
        schemas.insert(name.to_owned(), catalogue.schema(kind));
    }
    let tags: Vec<_> = groups
        .iter()
        .map(|group| json!({ "name": group }))
        .collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Watchkeeper",
            "version": VERSION,
            "description": "What is watched, how it is, and who is told. Errors are `application/problem+json` of one shape.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "token": [] }],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "`watchkeeper token create` makes one.",
                },
            },
        },
    })
}

/// What an operation takes in its path, query and headers.
fn parameters(operation: &Operation, generator: &mut schemars::SchemaGenerator) -> Vec<Json> {
    let mut parameters: Vec<Json> = steps(operation.path)
        .map(|name| {
            let schema = if name == "number" {
                json!({ "type": "integer", "minimum": 0 })
            } else {
                json!({ "type": "string", "minLength": 1, "maxLength": 64 })
            };
            json!({ "name": name, "in": "path", "required": true, "schema": schema })
        })
        .collect();
    for parameter in &operation.query {
        parameters.push(json!({
            "name": parameter.name,
            "in": "query",
            "required": parameter.required,
            "description": parameter.says,
            "schema": (parameter.shape)(generator).to_value(),
        }));
    }
    if operation.guarded {
        parameters.push(json!({
            "name": "If-Match",
            "in": "header",
            "required": true,
            "description": "The `etag` that was seen, or `*`.",
            "schema": { "type": "string", "examples": ["*"] },
        }));
    }
    parameters
}

/// The names in braces of a path.
fn steps(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .filter_map(|step| step.strip_prefix('{')?.strip_suffix('}'))
}

fn answers(
    operation: &Operation,
    problem: &Json,
    generator: &mut schemars::SchemaGenerator,
) -> Map<String, Json> {
    let mut answers = Map::new();
    for answer in &operation.answers {
        let mut described = json!({ "description": answer.says });
        if let Some(shape) = answer.shape {
            let schema = shape(generator).to_value();
            described["content"] = json!({ "application/json": { "schema": schema } });
        }
        if answer.tagged {
            described["headers"] = json!({
                "ETag": {
                    "description": "The version, for `If-Match`.",
                    "schema": { "type": "string" },
                },
            });
        }
        answers.insert(answer.status.to_string(), described);
    }
    let content = json!({ "application/problem+json": { "schema": problem } });
    answers.insert(
        "default".to_owned(),
        json!({ "description": "What went wrong.", "content": content }),
    );
    answers
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::catalogue::NoCatalogue;

    #[test]
    fn everything_in_the_document_is_found() {
        let document = document(&NoCatalogue);
        let mut ids = BTreeSet::new();
        for path in document["paths"].as_object().unwrap().values() {
            for operation in path.as_object().unwrap().values() {
                let id = operation["operationId"].as_str().unwrap();
                assert!(ids.insert(id.to_owned()), "{id} stands twice");
                assert!(!operation["summary"].as_str().unwrap().is_empty(), "{id}");
                let answers = operation["responses"].as_object().unwrap();
                assert!(answers.len() > 1, "{id}");
            }
        }
        assert!(ids.len() > 30);
        let mut references = Vec::new();
        find(&document, &mut references);
        for reference in references {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
    }

    fn find(json: &Json, references: &mut Vec<String>) {
        match json {
            Json::Object(map) => {
                for (key, value) in map {
                    match value {
                        Json::String(text) if key == "$ref" => references.push(text.clone()),
                        _ => find(value, references),
                    }
                }
            }
            Json::Array(values) => values.iter().for_each(|value| find(value, references)),
            _ => {}
        }
    }
}
