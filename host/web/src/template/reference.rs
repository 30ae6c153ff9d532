//! The page on which people read what the API takes and gives. Everything on it is
//! taken from the document for programs.

use askama::Template;
use serde_json::Value as Json;

use super::Made as _;
use crate::assets::Assets;
use crate::words;

/// The page for `document`, an OpenAPI 3.1 document.
pub(crate) fn reference(document: &Json) -> String {
    Reference {
        assets: Assets::get(),
        title: "Watchkeeper",
        headline: "API",
        description: None,
        brand: "Watchkeeper",
        rest: "API",
        days: None,
        about: text(document, "/info/description"),
        groups: groups(document),
        shapes: shapes(document),
    }
    .made()
}

#[derive(Template)]
#[template(path = "reference.html")]
struct Reference<'a> {
    assets: &'a Assets,
    title: &'static str,
    headline: &'static str,
    description: Option<String>,
    brand: &'static str,
    rest: &'static str,
    days: Option<String>,
    about: &'a str,
    groups: Vec<Group<'a>>,
    shapes: Vec<Shape<'a>>,
}

struct Group<'a> {
    name: &'a str,
    operations: Vec<Operation<'a>>,
}

struct Operation<'a> {
    id: &'a str,
    method: String,
    path: &'a str,
    says: &'a str,
    needs: &'a str,
    parameters: Vec<Parameter<'a>>,
    parts: Vec<Part<'a>>,
}

struct Parameter<'a> {
    name: &'a str,
    place: &'a str,
    required: bool,
    says: &'a str,
    shape: String,
}

/// What goes in, or one of the answers.
struct Part<'a> {
    title: String,
    says: &'a str,
    /// The shape that it has, where that has a name.
    link: Option<&'a str>,
    shape: String,
}

struct Shape<'a> {
    name: &'a str,
    says: &'a str,
    text: String,
}

fn groups(document: &Json) -> Vec<Group<'_>> {
    let tags = document.get("tags").and_then(Json::as_array);
    let names = tags.into_iter().flatten().map(|tag| text(tag, "/name"));
    names
        .map(|name| Group {
            name,
            operations: operations(document, name),
        })
        .collect()
}

fn operations<'a>(document: &'a Json, group: &str) -> Vec<Operation<'a>> {
    let paths = document.get("paths").and_then(Json::as_object);
    let all = paths.into_iter().flatten().flat_map(|(path, methods)| {
        let methods = methods.as_object().into_iter().flatten();
        methods.map(move |(method, operation)| (path.as_str(), method, operation))
    });
    all.filter(|(_, _, operation)| text(operation, "/tags/0") == group)
        .map(|(path, method, operation)| Operation {
            id: text(operation, "/operationId"),
            method: method.to_uppercase(),
            path,
            says: text(operation, "/summary"),
            needs: text(operation, "/description"),
            parameters: parameters(operation),
            parts: parts(operation),
        })
        .collect()
}

fn parameters(operation: &Json) -> Vec<Parameter<'_>> {
    let list = operation.get("parameters").and_then(Json::as_array);
    let list = list.into_iter().flatten();
    list.map(|parameter| Parameter {
        name: text(parameter, "/name"),
        place: text(parameter, "/in"),
        required: parameter["required"] == true,
        says: text(parameter, "/description"),
        shape: parameter["schema"].to_string(),
    })
    .collect()
}

fn parts(operation: &Json) -> Vec<Part<'_>> {
    let sent = operation
        .get("requestBody")
        .map(|body| part("Sent".to_owned(), "", body));
    let answers = operation.get("responses").and_then(Json::as_object);
    let answers = answers.into_iter().flatten().map(|(status, answer)| {
        let title = if status == "default" {
            "Anything else".to_owned()
        } else {
            status.clone()
        };
        part(title, text(answer, "/description"), answer)
    });
    sent.into_iter().chain(answers).collect()
}

fn part<'a>(title: String, says: &'a str, described: &'a Json) -> Part<'a> {
    let content = described.get("content").and_then(Json::as_object);
    let schema = content.and_then(|content| content.values().next()?.get("schema"));
    let link = schema.and_then(|schema| text(schema, "/$ref").rsplit_once('/'));
    let link = link.map(|(_, name)| name);
    Part {
        title,
        says,
        link,
        shape: match (link, schema) {
            (None, Some(schema)) => pretty(schema),
            _ => String::new(),
        },
    }
}

fn shapes(document: &Json) -> Vec<Shape<'_>> {
    let schemas = document.pointer("/components/schemas");
    let schemas = schemas.and_then(Json::as_object).into_iter().flatten();
    schemas
        .map(|(name, schema)| Shape {
            name,
            says: text(schema, "/description"),
            text: pretty(schema),
        })
        .collect()
}

fn pretty(json: &Json) -> String {
    serde_json::to_string_pretty(json).unwrap_or_default()
}

fn text<'a>(json: &'a Json, pointer: &str) -> &'a str {
    let found = json.pointer(pointer).and_then(Json::as_str);
    found.unwrap_or_default()
}
