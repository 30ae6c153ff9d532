//! The HTML of a mail: one column, styles in place, nothing from elsewhere, as
//! mail programs want it.

use std::fmt::Write as _;

use watchkeeper_sdk::wording::{Limit, Markup, Wording};

/// The longest title, text and fact. The rest is in the text of the mail, or on
/// the page.
const TITLE: Limit = Limit::chars(600);
const BODY: Limit = Limit::chars(20_000);
const FACT: Limit = Limit::chars(8000);

/// The most of links; a longer one is left out.
const LINKS: Limit = Limit::chars(4000);

const FONT: &str = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";

/// The whole page.
pub(super) fn page(wording: &Wording) -> String {
    let title = Markup::Html.cut(&wording.title, TITLE);
    let colour = wording.severity.hex();
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n</head>\n\
         <body style=\"margin:0;padding:16px;background:#f4f4f5;color:#1f2328;{FONT}\">\n\
         <div style=\"max-width:600px;margin:0 auto;padding:20px 24px;background:#ffffff;\
         border-top:6px solid {colour};border-radius:6px\">\n"
    );
    if !title.is_empty() {
        add(
            &mut out,
            format_args!("<h1 style=\"margin:0 0 12px;font-size:20px\">{title}</h1>\n"),
        );
    }
    let body = Markup::Html.cut(&wording.body, BODY);
    if !body.is_empty() {
        let body = with_breaks(&body);
        add(
            &mut out,
            format_args!("<p style=\"margin:0 0 16px;line-height:1.5\">{body}</p>\n"),
        );
    }
    if !wording.facts.is_empty() {
        out.push_str("<table style=\"border-collapse:collapse;font-size:14px\">\n");
        for fact in &wording.facts {
            let value = with_breaks(&Markup::Html.cut(&fact.value, FACT));
            let label = fact.label;
            add(
                &mut out,
                format_args!(
                    "<tr><th scope=\"row\" style=\"padding:4px 16px 4px 0;text-align:left;\
                     vertical-align:top;color:#59636e;font-weight:normal\">{label}</th>\
                     <td style=\"padding:4px 0;overflow-wrap:anywhere\">{value}</td></tr>\n"
                ),
            );
        }
        out.push_str("</table>\n");
    }
    let links = wording.links_in(Markup::Html, LINKS);
    if !links.is_empty() {
        add(
            &mut out,
            format_args!("<p style=\"margin:16px 0 0\">{links}</p>\n"),
        );
    }
    out.push_str("</div>\n");
    let page = Markup::Html.cut(&wording.page, TITLE);
    if !page.is_empty() {
        add(
            &mut out,
            format_args!(
                "<p style=\"max-width:600px;margin:12px auto;color:#59636e;font-size:12px\">\
                 {page}</p>\n"
            ),
        );
    }
    out.push_str("</body>\n</html>\n");
    out
}

fn with_breaks(escaped: &str) -> String {
    escaped.replace('\n', "<br>\n")
}

fn add(out: &mut String, what: std::fmt::Arguments<'_>) {
    out.write_fmt(what)
        .expect("a text takes all that is written");
}
