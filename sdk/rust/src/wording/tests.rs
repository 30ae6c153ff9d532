//! What notices read like, whatever targets say.

use std::time::Duration;

use proptest::prelude::*;

use super::*;

fn affected(reason: &str) -> Affected {
    Affected {
        id: "api:health:https://a.test:8443/x".to_owned(),
        service: "API".to_owned(),
        monitor: "Health".to_owned(),
        health: Health::Dead,
        reason: Some(reason.to_owned()),
        since: Timestamp::from_seconds(1_700_000_000),
    }
}

fn notice() -> Notice {
    Notice {
        id: "n1".to_owned(),
        occasion: Occasion::Changed,
        health: Health::Dead,
        previous: Some(Health::Healthy),
        at: Timestamp::from_seconds(1_700_000_000),
        title: "API is dead: connection refused".to_owned(),
        body: String::new(),
        affected: vec![affected("connection refused")],
        lasted: None,
        reminder: 0,
        page_title: "Acme".to_owned(),
        page_url: "https://status.test/?a=1&b=2".to_owned(),
        incident_url: None,
        thread: "api/health@1".to_owned(),
        started: Some(Timestamp::from_seconds(1_700_000_000)),
        acknowledge_url: Some("https://status.test/ack/1".to_owned()),
    }
}

const MARKUPS: [Markup; 7] = [
    Markup::Plain,
    Markup::Html,
    Markup::TelegramHtml,
    Markup::TelegramMarkdown,
    Markup::Slack,
    Markup::Markdown,
    Markup::Zulip,
];

#[test]
fn a_notice_says_what_since_when_why_and_where_to_go() {
    assert_eq!(
        Wording::of(&notice()).render(Markup::Plain, Limit::chars(1000)),
        "❌ API is dead: connection refused\n\
         Service: API\n\
         Monitor: Health\n\
         Target: https://a.test:8443/x\n\
         Cause: connection refused\n\
         Since: 2023-11-14 22:13:20 UTC\n\
         Acknowledge: https://status.test/ack/1\n\
         Status page: https://status.test/?a=1&b=2"
    );
}

#[test]
fn a_recovery_says_how_long_it_lasted() {
    let mut notice = Notice {
        health: Health::Healthy,
        title: "API is healthy again".to_owned(),
        lasted: Some(Duration::from_secs(125)),
        affected: Vec::new(),
        acknowledge_url: None,
        ..notice()
    };
    assert_eq!(
        Wording::of(&notice).render(Markup::Html, Limit::chars(1000)),
        "<b>✅ API is healthy again</b>\n\
         <b>Lasted:</b> 2 min 5 s\n\
         <a href=\"https://status.test/?a=1&amp;b=2\">Status page</a>"
    );
    notice.occasion = Occasion::Trial;
    assert_eq!(Severity::of(&notice), Severity::Info);
}

#[test]
fn a_reminder_has_its_number_and_a_list_its_end() {
    let notice = Notice {
        affected: vec![affected("x"); 40],
        reminder: 2,
        body: "Since noon.".to_owned(),
        ..notice()
    };
    let wording = Wording::of(&notice);
    let labels: Vec<_> = wording.facts.iter().map(|fact| fact.label).collect();
    assert_eq!(labels, ["Affected", "Reminder"]);
    let list = &wording.facts[0];
    assert_eq!(list.value.lines().count(), LISTED + 1);
    assert!(list.value.ends_with("… and 25 more"), "{}", list.value);
    assert!(!list.is_short());
}

#[test]
fn colours_are_the_same_as_number_and_as_text() {
    assert_eq!(Severity::Dead.rgb(), 12_855_580);
    assert_eq!(Severity::Dead.hex(), "#C4291C");
    assert!(Severity::Sick.is_trouble() && !Severity::Info.is_trouble());
}

#[test]
fn nothing_that_a_target_says_means_anything() {
    let hostile = "<!channel> @all **x** <a href='y'>&\r\nSubject: z\u{202E}\u{7}";
    let text = line(hostile);
    for (markup, expected) in [
        (
            Markup::Plain,
            "<!channel> @all **x** <a href='y'>& Subject: z",
        ),
        (
            Markup::Html,
            "&lt;!channel&gt; @all **x** &lt;a href=&#39;y&#39;&gt;&amp; Subject: z",
        ),
        (
            Markup::TelegramHtml,
            "&lt;!channel&gt; @\u{200B}all **x** &lt;a href=&#39;y&#39;&gt;&amp; Subject: z",
        ),
        (
            Markup::TelegramMarkdown,
            "\\<\\!channel\\> @\u{200B}all \\*\\*x\\*\\* \\<a href\\=\\'y\\'\\>\\& Subject\\: z",
        ),
        (
            Markup::Slack,
            "&lt;!channel&gt; @all **x** &lt;a href='y'&gt;&amp; Subject: z",
        ),
        (
            Markup::Markdown,
            "<\u{200B}!channel\\> @\u{200B}all \\*\\*x\\*\\* <\u{200B}a href='y'\\>& Subject: z",
        ),
        (
            Markup::Zulip,
            "&#60;!channel&#62; &#64;all &#42;&#42;x&#42;&#42; &#60;a href='y'&#62;&#38; Subject: z",
        ),
    ] {
        assert_eq!(markup.escape(&text), expected, "{markup:?}");
    }
}

#[test]
fn lines_are_kept_and_nothing_else_that_breaks_one() {
    for (text, one, many) in [
        ("a\nb", "a b", "a\nb"),
        ("\n\na\n\n\nb\n", "a b", "a\n\nb"),
        ("a\r\nb", "a b", "a\nb"),
        ("a\u{2028}b\u{85}c\u{B}d", "a b c d", "a\nb\nc\nd"),
        ("a\0b\u{1b}[31m\tc", "a b [31m c", "a b [31m c"),
        ("a\n\rb", "a b", "a\n\nb"),
        ("\u{202E}evil\u{2066}\u{FEFF}", "evil", "evil"),
        ("👩\u{200D}🚀", "👩\u{200D}🚀", "👩\u{200D}🚀"),
    ] {
        assert_eq!(line(text), one, "{text:?}");
        assert_eq!(lines(text), many, "{text:?}");
    }
}

#[test]
fn an_address_with_a_user_can_be_copied() {
    let target = "amqp://user@host";
    assert_eq!(Markup::Markdown.escape(target), target);
    assert_eq!(Markup::TelegramHtml.escape(target), target);
}

#[test]
fn only_addresses_of_the_web_are_links() {
    for (url, expected) in [
        ("https://a.test/x?y=1&z", Some("https://a.test/x?y=1&z")),
        ("HTTP://a.test", Some("HTTP://a.test")),
        (
            "https://a.test/)](\"> |\r\nä",
            Some("https://a.test/%29%5D%28%22%3E%20%7C%0D%0A%C3%A4"),
        ),
        (
            "https://u@[::1]:8/~a/@b?c=*&d=e_f-g.h%20",
            Some("https://u@[::1]:8/%7Ea/%40b?c=%2A&d=e_f-g.h%20"),
        ),
        ("javascript:alert(1)", None),
        ("javascript://x", None),
        ("", None),
        ("http:/ä/a", None),
    ] {
        assert_eq!(markup::address(url).as_deref(), expected);
    }
}

/// Texts with many of the characters that mean something somewhere.
fn hostile() -> impl Strategy<Value = String> {
    let special = prop::sample::select(vec![
        "<", ">", "&", "\"", "'", "*", "_", "~", "`", "[", "]", "(", ")", "|", "\\", "#", "@all",
        "<!here>", "\r\n", "\n", "\0", "\u{1b}", "\u{202E}", "\u{2067}", "\u{2028}", "😀", "ä",
    ]);
    let text = prop_oneof![special.prop_map(str::to_owned), "\\PC{0,5}", "[a-z ]{0,9}"];
    prop::collection::vec(text, 0..30).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn cleaned_text_is_clean(text in hostile()) {
        for cleaned in [line(&text), lines(&text)] {
            let bad = cleaned.chars().find(|c| {
                (c.is_control() && *c != '\n') || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
            });
            prop_assert_eq!(bad, None);
        }
        prop_assert!(!line(&text).contains('\n'));
        prop_assert_eq!(line(&line(&text)), line(&text));
        prop_assert_eq!(lines(&lines(&text)), lines(&text));
    }

    #[test]
    fn every_limit_holds_and_no_link_is_cut(
        title in hostile(), body in hostile(), reason in hostile(), most in 0_usize..700,
    ) {
        let notice = Notice {
            title,
            body,
            affected: vec![affected(&reason)],
            ..notice()
        };
        let wording = Wording::of(&notice);
        for markup in MARKUPS {
            for limit in [Limit::chars(most), Limit::utf16(most), Limit::bytes(most)] {
                let text = wording.render(markup, limit);
                prop_assert!(limit.holds(&text), "{markup:?} {limit:?} {text:?}");
                let mut rest = text.as_str();
                for link in wording.links.iter().map(|link| markup.link(link)) {
                    rest = rest.strip_suffix(link.as_str()).unwrap_or(rest);
                }
                if most >= 500 {
                    for link in &wording.links {
                        prop_assert!(text.contains(&markup.link(link)), "{markup:?} {text:?}");
                    }
                }
            }
        }
    }

    /// With the tags that are ours taken out, nothing of HTML is left.
    #[test]
    fn html_has_no_tags_but_ours(title in hostile(), body in hostile(), most in 0_usize..700) {
        let notice = Notice { title, body, ..notice() };
        for markup in [Markup::Html, Markup::TelegramHtml] {
            let text = Wording::of(&notice).render(markup, Limit::chars(most));
            prop_assert_eq!(text.matches("<b>").count(), text.matches("</b>").count());
            prop_assert_eq!(text.matches("<a ").count(), text.matches("</a>").count());
            let mut rest = text.replace("<b>", "").replace("</b>", "").replace("</a>", "");
            for url in ["https://status.test/ack/1", "https://status.test/?a=1&amp;b=2"] {
                rest = rest.replace(&format!("<a href=\"{url}\">"), "");
            }
            prop_assert!(!rest.contains(['<', '>', '"']), "{rest:?}");
            for (_, entity) in rest.match_indices('&').map(|(at, _)| rest.split_at(at)) {
                let known = ["&amp;", "&lt;", "&gt;", "&quot;", "&#39;"];
                prop_assert!(known.iter().any(|known| entity.starts_with(known)), "{entity:?}");
            }
        }
    }

    /// Slack finds mentions and links in angle brackets alone.
    #[test]
    fn slack_finds_no_brackets_but_ours(title in hostile(), body in hostile()) {
        let notice = Notice { title, body, ..notice() };
        let text = Wording::of(&notice).render(Markup::Slack, Limit::chars(3000));
        prop_assert_eq!(text.matches('<').count(), 2);
        prop_assert_eq!(text.matches('>').count(), 2);
    }

    /// Zulip finds nothing but text and numeric entities.
    #[test]
    fn zulip_finds_nothing_bare(text in hostile(), most in 0_usize..60) {
        let escaped = Markup::Zulip.cut(&line(&text), Limit::chars(most));
        for (at, part) in escaped.split("&#").enumerate() {
            let rest = if at == 0 { part } else { part.split_once(';').unwrap().1 };
            prop_assert!(!rest.contains(['*', '_', '~', '`', '[', ']', '<', '>', '@', '$', '&']), "{escaped:?}");
        }
    }

    /// A character that marks up has a backslash before it that is not itself one's.
    #[test]
    fn markdown_finds_nothing_bare(text in hostile(), most in 0_usize..60) {
        let escaped = Markup::Markdown.cut(&line(&text), Limit::chars(most));
        let mut chars = escaped.chars();
        while let Some(c) = chars.next() {
            if c == '\\' {
                prop_assert!(chars.next().is_some(), "{escaped:?} ends in half an escape");
            } else {
                prop_assert!(!"*_~`[]>|#".contains(c), "{escaped:?}");
                if c == '<' {
                    prop_assert_eq!(chars.next(), Some('\u{200B}'));
                }
            }
        }
    }
}
