//! The scripts in the documentation, each in the sandbox against a server.

use std::fs;
use std::path::Path;

use plugin_tests::{ANY, Trial, check, run};
use target_server::HttpTarget;

use crate::script::script;

/// The blocks of the page that begin with this line, in its order.
fn blocks(fence: &str) -> Vec<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/scripts.md");
    let page = fs::read_to_string(page).expect("the page is there");
    page.split(fence)
        .skip(1)
        .filter_map(|rest| Some(rest.split_once("```")?.0.to_owned()))
        .collect()
}

/// The scripts that the page shows as Vigil ran them.
fn originals() -> Vec<String> {
    blocks("```sh\n")
}

/// The scripts that the page shows as moved over.
fn moved() -> Vec<String> {
    blocks("```sh script\n")
}

#[test]
fn what_the_page_says_of_the_originals_is_so() {
    run(async {
        let site = HttpTarget::start(ANY).await.unwrap();
        let [page, queue, fast, port, counter] = originals().try_into().unwrap();
        let here = |text: &str| {
            let text = text.replace("https://shop.example.com/health", &site.url("/ok"));
            text.replace("http://queue.internal:8081/json", &site.url("/json"))
        };
        let target = &site.url("/ok");
        let said = |text: String| async move { check("script", target, &script(&text)).await };
        assert_eq!(said(here(&page)).await, "healthy");
        assert_eq!(said(here(&queue)).await, "healthy");
        let deep = here(&queue).replace("-gt 100 ", "-gt -1 ");
        assert_eq!(said(deep).await, "sick: the script ended with status 1");
        assert!(fast.contains("bc") && port.contains("/dev/tcp"));
        let found = said("echo '1 > 2' | bc; exit 2".to_owned()).await;
        assert!(found.contains("bc: unknown command"), "{found}");
        let found = said(port).await;
        assert!(
            found.starts_with("misconfigured: config.script: line 2"),
            "{found}"
        );
        assert!(counter.contains("/tmp/done"));
    });
}

#[test]
fn every_script_of_the_page_works() {
    run(async {
        let site = HttpTarget::start(ANY).await.unwrap();
        let [page, queue, fast, port, counter] = moved().try_into().unwrap();
        for (text, path, expected) in [
            (&page, "/ok", "healthy"),
            (&page, "/status/503", "dead: the page answered 503"),
            (&queue, "/json", "healthy"),
            (&fast, "/ok", "healthy"),
            (&fast, "/status/500", "dead: answered 500"),
            (&port, "/ok", "healthy"),
            (&counter, "/json", "healthy"),
            (&counter, "/status/500", "dead: no counter"),
        ] {
            let found = check("script", &site.url(path), &script(text)).await;
            assert_eq!(found, expected, "{text}");
        }
        let found = check("script", &site.url("/ok"), &script(&queue)).await;
        assert!(found.starts_with("dead: no depth from http://"), "{found}");
        let slow = fast.replace("2000", "0");
        let found = check("script", &site.url("/ok"), &script(&slow)).await;
        assert!(found.starts_with("sick: took "), "{found}");
        let deep = queue.replace("> 100 ", "> -1 ");
        let found = check("script", &site.url("/json"), &script(&deep)).await;
        assert_eq!(found, "sick: queue is deep: 0");
        let stuck = queue.replace("> 1000 ", "> -1 ");
        let found = check("script", &site.url("/json"), &script(&stuck)).await;
        assert_eq!(found, "dead: queue is stuck: 0");
        let stands = format!("state set counter 5\n{counter}");
        let found = check("script", &site.url("/json"), &script(&stands)).await;
        assert_eq!(found, "sick: the counter stands at 0");
        site.stop().await;
        for (text, expected) in [(&page, "dead: no answer"), (&counter, "dead: no counter")] {
            let found = Trial::new("script", &script(text))
                .check_in_words(&site.url("/ok"))
                .await;
            assert_eq!(found, expected);
        }
        let found = check("script", &site.url("/ok"), &script(&port)).await;
        assert_eq!(found, "dead: 127.0.0.1 takes no connection");
    });
}
