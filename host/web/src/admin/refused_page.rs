//! Pages for who gets no other: with a word and a sentence.

use askama::Template;
use axum::response::Response;

use super::page;
use crate::assets::Assets;
use crate::web::Web;

#[derive(Template)]
#[template(path = "admin/word.html")]
struct Word<'a> {
    assets: &'static Assets,
    title: String,
    headline: &'a str,
    what: &'a str,
    /// Whether the page asks for itself once more.
    once_more: bool,
}

/// Says something.
pub(super) fn word(web: &Web, headline: &str, what: &str) -> Response {
    page(&Word {
        assets: Assets::get(),
        title: web.title(),
        headline,
        what,
        once_more: false,
    })
}

/// Has the browser ask again from here.
pub(super) fn once_more(web: &Web) -> Response {
    page(&Word {
        assets: Assets::get(),
        title: web.title(),
        headline: "One moment",
        what: "The page is being opened.",
        once_more: true,
    })
}
