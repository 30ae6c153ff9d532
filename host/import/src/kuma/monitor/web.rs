//! Monitors of the web.

use super::Reading;
use crate::context::Context;
use crate::draft::{Keys, Term};
use crate::fields::{Field, Fields};
use crate::http::{self, Codes};
use crate::kuma::nested;
use crate::report::Place;
use crate::target;

/// http, keyword, json-query.
pub(super) fn web(kind: &str, reading: &mut Reading<'_>, cx: &mut Context<'_>) {
    let url = reading.fields.filled("url", cx).unwrap_or_default();
    let place = reading.place.clone();
    let words = reading.words.clone();
    let found = target::web(&url, &words, &mut reading.config, &place, cx);
    reading.targets.extend(found);
    let fields = &mut reading.fields;
    let config = &mut reading.config;
    if kind == "real-browser" {
        cx.differs(&place, "no browser is started: the address is fetched");
    }
    if let Some(method) = fields.filled("method", cx)
        && method != "GET"
    {
        config.set("method", method.to_ascii_uppercase());
    }
    if let Some(field) = fields.take("headers") {
        match nested(&field) {
            Some(node) => {
                let nested = Field {
                    node: &node,
                    place: field.place.clone(),
                };
                http::headers(&nested, &words, config, cx);
            }
            None if field.text(cx).is_some_and(|it| !it.trim().is_empty()) => {
                cx.lost(&field.place, "the headers are no JSON");
            }
            None => {}
        }
    }
    if let Some(field) = fields.take("body")
        && let Some(text) = field.text(cx)
        && !text.trim().is_empty()
    {
        config.set_some("body", http::body(&text, &words, &field.place, cx));
        let encoding = fields.filled("httpbodyencoding", cx);
        let content = match encoding.as_deref() {
            Some("form") => "application/x-www-form-urlencoded",
            Some("xml") => "text/xml; charset=utf-8",
            _ => "application/json",
        };
        let given = matches!(config.get("headers"), Some(Term::Table(headers)) if headers.0.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")));
        if !given {
            config.set_named("headers", "Content-Type", content);
        }
    }
    auth(fields, &words, config, &place, cx);
    codes(fields, config, cx);
    let keyword = fields.filled("keyword", cx);
    let inverted = fields.flag("invertkeyword", cx) == Some(true);
    if let (Some(keyword), "keyword") = (keyword, kind) {
        let key = if inverted {
            "expect.body_not"
        } else {
            "expect.body"
        };
        let term = cx.text(&keyword, &place);
        config.set(key, term);
    }
    if kind == "json-query" {
        json_query(fields, config, &place, cx);
    }
    if let Some(most) = fields.integer("maxredirects", cx) {
        config.set("redirects.follow", most.clamp(0, 15));
    }
    if fields.flag("ignoretls", cx) == Some(true) {
        config.set("tls.verify", false);
    } else if fields.flag("expirynotification", cx) == Some(false) {
        config.set("tls.sick_below", "0s");
    }
    if fields.flag("domainexpirynotification", cx) == Some(true) {
        cx.lost(
            &place,
            "the domain's expiry is a check of its own: a monitor with the target `domain://…`",
        );
    }
    if fields.flag("cachebust", cx) == Some(true) {
        config.set("cache_buster", "uptime_kuma_cachebuster");
    }
    let family = fields.filled("ipfamily", cx);
    if family.is_some() {
        cx.lost(
            &place,
            "the family of addresses cannot be chosen for this kind of check",
        );
    }
}

fn auth(
    fields: &mut Fields<'_>,
    words: &str,
    config: &mut Keys,
    place: &Place,
    cx: &mut Context<'_>,
) {
    let method = fields.filled("authmethod", cx);
    let user = fields.filled("basicauthuser", cx);
    let secret = |key: &str, fields: &mut Fields<'_>, cx: &mut Context<'_>| {
        let field = fields.take(key)?;
        let text = field.text(cx)?;
        cx.secret(&format!("{words} password"), &text, &field.place)
    };
    match method.as_deref() {
        // Before there were methods, a user meant this one.
        Some("basic") | None => {
            if let Some(user) = user {
                let user = cx.text(&user, place);
                config.set("auth.basic.username", user);
                let password = secret("basicauthpass", fields, cx);
                config.set("auth.basic.password", password.unwrap_or_else(|| "".into()));
            }
        }
        Some("bearer") => {
            let token = secret("bearertoken", fields, cx);
            config.set_some("auth.bearer", token);
        }
        Some("null" | "none") => {}
        Some(method) => {
            cx.lost(place, format!("the check does not log in by `{method}`; the probe `steps` can fetch a token first"));
        }
    }
}

fn codes(fields: &mut Fields<'_>, config: &mut Keys, cx: &mut Context<'_>) {
    let field = fields
        .take("acceptedstatuscodesjson")
        .or_else(|| fields.take("acceptedstatuscodes"));
    let Some(field) = field else {
        return;
    };
    let Some(node) = nested(&field) else {
        return;
    };
    let nested = Field {
        node: &node,
        place: field.place.clone(),
    };
    let mut good = Codes::none();
    for item in nested.list() {
        match item.text(cx).as_deref().and_then(http::codes) {
            Some((first, last)) => good.add(first, last),
            None => cx.lost(&item.place, "no status code or range of them"),
        }
    }
    if !good.is_empty() {
        config.set("expect.status", good.written());
    }
}

/// An assertion by `JSONata`; simple paths are ours as well.
fn json_query(fields: &mut Fields<'_>, config: &mut Keys, place: &Place, cx: &mut Context<'_>) {
    let path = fields
        .filled("jsonpath", cx)
        .unwrap_or_else(|| "$".to_owned());
    let value = fields.text("expectedvalue", cx).unwrap_or_default();
    let op = fields
        .filled("jsonpathoperator", cx)
        .unwrap_or_else(|| "==".to_owned());
    let inner = path.trim().trim_start_matches("$.").trim_start_matches('$');
    let is_path = |c: char| c.is_ascii_alphanumeric() || "_.[]-".contains(c);
    let known = ["==", "!=", "<", "<=", ">", ">=", "contains"];
    if !inner.chars().all(is_path) || inner.contains('-') || !known.contains(&op.as_str()) {
        cx.lost(place, "the JSONata query is not carried over, only the status is checked: write it as `expect.json`");
        return;
    }
    let path = if inner.is_empty() || inner.starts_with('[') {
        format!("${inner}")
    } else {
        format!("$.{inner}")
    };
    let value = match (value.parse::<i64>(), value.as_str()) {
        (Ok(number), _) => Term::Integer(number),
        (_, "true") => Term::Bool(true),
        (_, "false") => Term::Bool(false),
        _ => cx.text(&value, place),
    };
    let mut assertion = Keys::default();
    assertion
        .set("path", path)
        .set("op", op)
        .set("value", value);
    config.push("expect.json", assertion);
}
