//! Whatever a stranger says, the page shows it and does nothing of it.

#![expect(
    clippy::unwrap_used,
    reason = "what fails in a test, or in what it stands on, fails the test"
)]

use std::collections::BTreeMap;

use tokio::time::{Duration, timeout};

use crate::site::Site;

#[path = "support/hostile.rs"]
mod hostile;
#[expect(dead_code, reason = "the long page is for the browser and the example")]
#[path = "../examples/sample_page/sample.rs"]
mod sample;
#[path = "support/site.rs"]
mod site;

/// What people have slipped into pages: elements, broken quotes, addresses that
/// run, template and comment syntax, and breaks of the event stream.
const PAYLOADS: [&str; 61] = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<ScRiPt src=//evil.example></sCrIpT>",
    "<img src=x onerror=alert(1)>",
    "<img src=\"x\" onerror=\"alert(1)\">",
    "<svg onload=alert(1)>",
    "<svg/onload=alert(1)//",
    "<svg><script>alert(1)</script></svg>",
    "<body onload=alert(1)>",
    "<iframe src=javascript:alert(1)>",
    "<iframe srcdoc=\"<script>alert(1)</script>\">",
    "<object data=javascript:alert(1)>",
    "<embed src=javascript:alert(1)>",
    "<a href=javascript:alert(1)>x</a>",
    "<a href=\"&#106;avascript:alert(1)\">x</a>",
    "<form action=javascript:alert(1)><button>x</button></form>",
    "<input autofocus onfocus=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<video><source onerror=alert(1)></video>",
    "<audio src=x onerror=alert(1)>",
    "<marquee onstart=alert(1)>",
    "<style>@import url(//evil.example)</style>",
    "<link rel=stylesheet href=//evil.example>",
    "<meta http-equiv=refresh content=0;url=//evil.example>",
    "<base href=//evil.example/>",
    "<math><mtext></mtext><script>alert(1)</script></math>",
    "<template><script>alert(1)</script></template>",
    "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
    "<textarea></textarea><script>alert(1)</script>",
    "<title></title><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "</main></body></html><script>alert(1)</script>",
    "</summary></details><img src=x onerror=alert(1)>",
    "\"><script>alert(1)</script>",
    "'><script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "\" onmouseover=\"alert(1)",
    "' onmouseover='alert(1)",
    "\" autofocus onfocus=alert(1) x=\"",
    "` onmouseover=`alert(1)",
    "\" style=\"background:url(//evil.example)",
    "\"/><svg/onload=alert(1)>",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    " javascript:alert(1)",
    "java\tscript:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    "//evil.example/<script>",
    "<!--<script>alert(1)</script>-->",
    "--><script>alert(1)</script>",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?xml version=\"1.0\"?><script>alert(1)</script>",
    "{{7*7}}${7*7}<%= 7*7 %>",
    "{% raw %}<script>alert(1)</script>",
    "%3Cscript%3Ealert(1)%3C/script%3E",
    "\u{202e}<script>alert(1)</script>\u{0}",
    "x\n\nevent: patch\ndata: <script>alert(1)</script>\n\n",
    "x\r\rid: 1\rdata: <script>alert(1)</script>\r\r",
];

/// Every tag in `html`, by how often it occurs. Attribute names belong to it, and
/// values only where they are an address: texts may differ, markup may not.
fn markup(html: &str) -> BTreeMap<String, usize> {
    let mut tags = BTreeMap::new();
    let mut rest = html;
    while let Some((_, from)) = rest.split_once('<') {
        let mut tag = String::new();
        let mut quoted = false;
        let mut value = String::new();
        let mut end = from.len();
        for (index, letter) in from.char_indices() {
            match letter {
                '"' if quoted => {
                    quoted = false;
                    let name = tag
                        .trim_end_matches('=')
                        .rsplit(' ')
                        .next()
                        .unwrap_or_default();
                    if matches!(name, "href" | "src") {
                        let scheme = value.split('/').next().unwrap_or_default();
                        let scheme = if value.starts_with('#') { "#" } else { scheme };
                        tag.push_str(scheme);
                    }
                    value.clear();
                }
                '"' => quoted = true,
                '>' if !quoted => {
                    end = index;
                    break;
                }
                letter if quoted => value.push(letter),
                letter => tag.push(letter),
            }
        }
        *tags.entry(tag).or_default() += 1;
        rest = from.get(end..).unwrap_or_default();
    }
    tags
}

#[tokio::test]
async fn sixty_ways_to_say_nothing() {
    let harmless = Site::start(hostile::hostile("harmless")).await;
    let read = async |site: &Site, path: &str| {
        reqwest::get(site.url(path))
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
    };
    let expected = markup(&read(&harmless, "/").await);
    assert!(expected.len() > 40, "{expected:?}");
    for payload in PAYLOADS {
        let site = Site::start(hostile::hostile(payload)).await;
        let page = read(&site, "/").await;
        // Empty lines make paragraphs of a text, and what people write may be laid
        // out: such elements may be more, but never with an attribute.
        let ours = |mut tags: BTreeMap<String, usize>| {
            for layout in ["p", "code", "pre", "em", "strong", "blockquote", "hr"] {
                tags.remove(layout);
                tags.remove(&format!("{layout} "));
                tags.remove(&format!("{layout} /"));
                tags.remove(&format!("/{layout}"));
            }
            // That of a template, which may stand more often as well.
            tags.remove("p class=");
            tags
        };
        assert_eq!(ours(markup(&page)), ours(expected.clone()), "{payload:?}");

        let mut events = reqwest::get(site.url("/events?since=1")).await.unwrap();
        let mut sent = String::new();
        let reading = async {
            while !sent.contains("event: seen") {
                let chunk = events.chunk().await.unwrap().unwrap();
                sent.push_str(std::str::from_utf8(&chunk).unwrap());
            }
        };
        timeout(Duration::from_secs(20), reading)
            .await
            .expect("the events come");
        assert!(!sent.contains('\r'), "{payload:?}");
        let names: Vec<_> = sent
            .lines()
            .filter(|line| !line.starts_with("data: ") && !line.is_empty())
            .collect();
        let revision = format!("id: {}", sample::NOW.as_millis());
        assert_eq!(
            names,
            [
                "retry: 3000",
                "event: shape",
                "event: tick",
                "event: patch",
                &revision,
                "event: seen"
            ],
            "{payload:?}"
        );

        let report = read(&site, "/status/report").await;
        let report: serde_json::Value = serde_json::from_str(&report).unwrap();
        assert_eq!(report["probes"][0]["name"], payload);
    }
}
