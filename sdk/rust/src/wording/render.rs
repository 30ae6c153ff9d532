//! A whole notice as one text.

use super::{Limit, Markup, Wording};

/// Stands between links that have labels.
const BETWEEN: &str = " · ";

impl Wording {
    /// Title, text, facts and links in `markup`, within `limit`. What is too long
    /// is cut in the words, never in a link: a link that takes more room than the
    /// words is left out.
    pub fn render(&self, markup: Markup, limit: Limit) -> String {
        let (open, close) = markup.bold();
        let mut parts = vec![Part {
            before: String::new(),
            open,
            text: self.headline(),
            close,
        }];
        parts.extend(self.details_in(markup));
        self.fit(&parts, markup, limit)
    }

    /// As [`render`](Self::render) without the title, for services that take it
    /// apart; empty where there is nothing but the title.
    pub fn details(&self, markup: Markup, limit: Limit) -> String {
        self.fit(&self.details_in(markup), markup, limit)
    }

    /// Title, text and links without any mark of the severity, as in a text
    /// message: an emoji would halve the room of every message in it.
    pub fn brief(&self, limit: Limit) -> String {
        let mut parts = vec![Part::plain(self.subject())];
        parts.extend(self.body.lines().map(Part::plain));
        self.fit(&parts, Markup::Plain, limit)
    }

    /// The title, or the severity's word where a notice has none: for services
    /// that refuse an empty one.
    pub fn subject(&self) -> &str {
        if self.title.is_empty() {
            self.severity.word()
        } else {
            &self.title
        }
    }

    /// Text and facts, line by line.
    fn details_in(&self, markup: Markup) -> Vec<Part> {
        let (open, close) = markup.bold();
        let mut parts: Vec<Part> = self.body.lines().map(Part::plain).collect();
        for fact in &self.facts {
            let mut values = fact.value.lines();
            let first = values.next().unwrap_or_default();
            let is_list = fact.value.contains('\n');
            let label = format!("{open}{}:{close}", fact.label);
            if is_list {
                parts.push(Part {
                    before: label,
                    ..Part::plain("")
                });
                parts.push(Part::plain(first));
                parts.extend(values.map(Part::plain));
            } else {
                parts.push(Part {
                    before: format!("{label} "),
                    ..Part::plain(first)
                });
            }
        }
        parts
    }

    /// `parts` and the links, within `limit`.
    fn fit(&self, parts: &[Part], markup: Markup, limit: Limit) -> String {
        let wanted: usize = parts
            .iter()
            .map(|part| limit.size(&part.whole(markup)) + 1)
            .sum();
        // One for the line break between words and links.
        let reserved = wanted.min(limit.most() / 2) + 1;
        let links = self.links_in(markup, limit.with(limit.most().saturating_sub(reserved)));
        let room = if links.is_empty() {
            limit.most()
        } else {
            limit.most().saturating_sub(limit.size(&links) + 1)
        };
        let mut out = words(parts, markup, limit.with(room));
        if !links.is_empty() {
            if !out.is_empty() {
                out.push('\n');
            }
            out.push_str(&links);
        }
        out
    }

    /// The links alone, as many whole ones as the limit holds.
    pub fn links_in(&self, markup: Markup, limit: Limit) -> String {
        let between = if markup == Markup::Plain {
            "\n"
        } else {
            BETWEEN
        };
        let mut out = String::new();
        for link in &self.links {
            let mut longer = out.clone();
            if !longer.is_empty() {
                longer.push_str(between);
            }
            longer.push_str(&markup.link(link));
            if limit.holds(&longer) {
                out = longer;
            }
        }
        out
    }
}

/// A line in which only the text can be cut.
struct Part {
    /// Written already.
    before: String,
    open: &'static str,
    text: String,
    close: &'static str,
}

impl Part {
    fn plain(text: &str) -> Self {
        Self {
            before: String::new(),
            open: "",
            text: text.to_owned(),
            close: "",
        }
    }

    fn whole(&self, markup: Markup) -> String {
        let text = markup.escape(&self.text);
        format!("{}{}{text}{}", self.before, self.open, self.close)
    }
}

/// As many lines as the limit holds; the last is cut.
fn words(parts: &[Part], markup: Markup, limit: Limit) -> String {
    let mut out = String::new();
    let mut left = limit.most();
    for part in parts {
        let end = usize::from(!out.is_empty());
        let whole = part.whole(markup);
        let size = end + limit.size(&whole);
        if size <= left {
            left -= size;
            if end == 1 {
                out.push('\n');
            }
            out.push_str(&whole);
            continue;
        }
        let fixed = end + limit.size(&format!("{}{}{}", part.before, part.open, part.close));
        // Not worth a line for less than a few characters.
        if left >= fixed + limit.size("…") {
            if end == 1 {
                out.push('\n');
            }
            let text = markup.cut(&part.text, limit.with(left - fixed));
            out.push_str(&part.before);
            out.push_str(part.open);
            out.push_str(&text);
            out.push_str(part.close);
        }
        break;
    }
    out
}

#[cfg(test)]
mod tests {
    use crate::wording::{Fact, Limit, Link, Markup, Severity, Wording};

    fn wording() -> Wording {
        Wording {
            severity: Severity::Dead,
            title: "API is dead".to_owned(),
            body: "since noon".to_owned(),
            facts: vec![Fact {
                label: "Cause",
                value: "refused".to_owned(),
            }],
            links: vec![Link {
                label: "Status page",
                url: "https://a.test/".to_owned(),
            }],
            page: String::new(),
        }
    }

    #[test]
    fn details_have_no_title_and_a_brief_has_no_facts() {
        let wording = wording();
        assert_eq!(
            wording.details(Markup::Markdown, Limit::chars(200)),
            "since noon\n**Cause:** refused\n[Status page](https://a.test/)"
        );
        assert_eq!(
            wording.brief(Limit::chars(200)),
            "API is dead\nsince noon\nStatus page: https://a.test/"
        );
    }

    #[test]
    fn there_is_always_a_subject() {
        let nothing = Wording {
            title: String::new(),
            ..wording()
        };
        assert_eq!(
            (nothing.subject(), wording().subject()),
            ("dead", "API is dead")
        );
    }
}
