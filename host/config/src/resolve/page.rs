//! What the status page says of its owner, and how it looks.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::references::Known;
use super::{elements, line, line_or, path, rows, value, values};
use crate::config::{OtherPage, Page, PageLink, Picture};
use crate::file::page::{ColoursTable, MAX_FILE, OtherPageTable, OwnTable, PageTable};
use crate::read::address::PathText;
use crate::read::brand::{Colour, Domain, LANGUAGES};
use crate::read::{Context, Finding, Placed};
use crate::source::At;

/// How well links have to be readable on the ground of the page (WCAG 2.2, success
/// criterion 1.4.3).
const LEAST_CONTRAST: f64 = 4.5;

/// The page that the table amounts to.
pub(super) fn page(table: Option<&PageTable>, known: &Known, cx: &mut Context<'_>) -> Page {
    let others = rows(table.and_then(|table| table.other.as_ref()));
    let mut names: BTreeMap<&Domain, At> = BTreeMap::new();
    for domain in others.iter().filter_map(|it| it.value.domain.as_ref()) {
        if let Some(first) = names.insert(&domain.value, domain.at) {
            let what = format!("two pages are called `{}`", domain.value);
            let finding = Finding::new(domain.at, what).key(&domain.key);
            cx.report(finding.related(first, "the first one"));
        }
    }
    let others = others.iter().filter_map(|it| other(&it.value, known, cx));
    Page {
        others: others.collect(),
        password: value(table.and_then(|table| table.password.as_ref())).map(|text| text.0.clone()),
        sla: value(table.and_then(|table| table.sla.as_ref()))
            .copied()
            .unwrap_or(false),
        ..own(table.map(|table| &table.own), cx)
    }
}

fn other(table: &OtherPageTable, known: &Known, cx: &mut Context<'_>) -> Option<OtherPage> {
    for service in elements(table.services.as_ref()) {
        Known::check("service", &known.services, service, cx);
    }
    let page = own(Some(&table.own), cx);
    Some(OtherPage {
        domain: value(table.domain.as_ref())?.0.as_str().into(),
        services: table.services.as_ref().map(|list| values(Some(list))),
        page,
    })
}

fn own(table: Option<&OwnTable>, cx: &mut Context<'_>) -> Page {
    let title = line_or(table.and_then(|table| table.title.as_ref()), "Status");
    let Some(table) = table else {
        return Page {
            title,
            company: None,
            description: None,
            website: None,
            support: None,
            password: None,
            sla: false,
            time_zone: TimeZone::UTC,
            languages: LANGUAGES.map(Arc::from).into(),
            logo: None,
            icon: None,
            colours: None,
            links: Arc::default(),
            custom_css: None,
            embed_on: Arc::default(),
            others: Arc::default(),
        };
    };
    let links = rows(table.links.as_ref());
    let links = links.iter().filter_map(|link| {
        Some(PageLink {
            label: line(link.value.label.as_ref())?,
            url: value(link.value.url.as_ref())?.0.as_str().into(),
        })
    });
    Page {
        title,
        company: line(table.company.as_ref()),
        description: line(table.description.as_ref()),
        website: value(table.website.as_ref()).map(|url| url.0.as_str().into()),
        support: value(table.support.as_ref()).map(|url| url.0.as_str().into()),
        password: None,
        sla: false,
        time_zone: value(table.time_zone.as_ref()).map_or(TimeZone::UTC, |zone| zone.0.clone()),
        languages: languages(table, cx),
        logo: picture(table.logo.as_ref(), cx),
        icon: picture(table.icon.as_ref(), cx),
        colours: table.colours.as_ref().and_then(|it| colours(&it.value, cx)),
        links: links.collect(),
        custom_css: style(table.custom_css.as_ref(), cx),
        embed_on: elements(table.embed_on.as_ref())
            .iter()
            .map(|origin| Arc::from(origin.value.0.as_str()))
            .collect(),
        others: Arc::default(),
    }
}

/// The languages on offer, that of the page first.
fn languages(table: &OwnTable, cx: &mut Context<'_>) -> Arc<[Arc<str>]> {
    let offered = elements(table.languages.as_ref());
    let mut codes: Vec<&'static str> = offered.iter().map(|code| code.value.0).collect();
    if codes.is_empty() {
        codes = LANGUAGES.to_vec();
    }
    if let Some(own) = &table.locale {
        if !codes.contains(&own.value.0) {
            let what = format!("`locale` must be one of `languages`: {}", codes.join(", "));
            cx.report(Finding::new(own.at, what).key(&own.key));
        }
        codes.sort_by_key(|code| *code != own.value.0);
    }
    codes.into_iter().map(Arc::from).collect()
}

fn colours(table: &ColoursTable, cx: &mut Context<'_>) -> Option<[Arc<str>; 2]> {
    let mut readable = |field: &Option<Placed<Colour>>, ground: Colour, which: &str| {
        let placed = field.as_ref()?;
        let contrast = placed.value.contrast(ground);
        if contrast < LEAST_CONTRAST {
            let what = format!(
                "{} has a contrast of {contrast:.2} on the page's {which} ground; readable are \
                 {LEAST_CONTRAST} and more",
                placed.value
            );
            let instead = format!(
                "take a {} one",
                if which == "light" {
                    "darker"
                } else {
                    "lighter"
                }
            );
            cx.report(
                Finding::new(placed.at, what)
                    .key(&placed.key)
                    .instead(instead),
            );
            return None;
        }
        Some(Arc::from(placed.value.to_string()))
    };
    let light = readable(&table.light, Colour::LIGHT_GROUND, "light");
    let dark = readable(&table.dark, Colour::DARK_GROUND, "dark");
    Some([light?, dark?])
}

fn picture(field: Option<&Placed<PathText>>, cx: &mut Context<'_>) -> Option<Picture> {
    let (bytes, shown) = read(field, cx)?;
    let media_type = media_type(&bytes);
    if media_type.is_none() {
        let field = field?;
        let what = format!("{shown} is no picture in SVG, PNG, JPEG or WebP");
        cx.report(Finding::new(field.at, what).key(&field.key));
    }
    Some(Picture {
        media_type: media_type?,
        bytes: bytes.into(),
    })
}

fn style(field: Option<&Placed<PathText>>, cx: &mut Context<'_>) -> Option<Arc<str>> {
    let (bytes, shown) = read(field, cx)?;
    if let Ok(text) = String::from_utf8(bytes) {
        return Some(text.into());
    }
    let field = field?;
    let what = format!("{shown} is not UTF-8");
    cx.report(Finding::new(field.at, what).key(&field.key));
    None
}

/// The content of a file, and its name for people.
fn read(field: Option<&Placed<PathText>>, cx: &mut Context<'_>) -> Option<(Vec<u8>, String)> {
    let field = field?;
    let path = path(Some(field), "", cx);
    match content(&path) {
        Ok(bytes) => Some((bytes, path.display().to_string())),
        Err(what) => {
            cx.report(Finding::new(field.at, what).key(&field.key));
            None
        }
    }
}

fn content(path: &Path) -> Result<Vec<u8>, String> {
    let shown = path.display();
    let failed = |error: std::io::Error| format!("{shown} cannot be read: {error}");
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(MAX_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_FILE) {
        return Err(format!("{shown} is larger than 256 KiB"));
    }
    Ok(bytes)
}

/// What kind of picture this is, by its first bytes; SVG by its root element.
fn media_type(bytes: &[u8]) -> Option<&'static str> {
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        Some("image/png")
    } else if bytes.starts_with(b"\xff\xd8\xff") {
        Some("image/jpeg")
    } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        Some("image/webp")
    } else {
        let text = std::str::from_utf8(bytes).ok()?;
        text.contains("<svg").then_some("image/svg+xml")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_told_by_their_content() {
        assert_eq!(media_type(b"\x89PNG\r\n\x1a\nxx"), Some("image/png"));
        assert_eq!(media_type(b"\xff\xd8\xff\xe0"), Some("image/jpeg"));
        assert_eq!(media_type(b"RIFF....WEBPVP8 "), Some("image/webp"));
        assert_eq!(media_type(b"<?xml?><svg/>"), Some("image/svg+xml"));
        assert_eq!(media_type(b"<html>"), None);
        assert_eq!(media_type(b""), None);
    }
}
