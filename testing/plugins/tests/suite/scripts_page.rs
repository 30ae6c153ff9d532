//! The scripts in the documentation, each in the sandbox against a server.

use std::fs;
use std::path::Path;

use plugin_tests::{ANY, Trial, check, run};
use target_server::HttpTarget;

use crate::script::script;

/// The scripts that the page shows as moved over, in its order.
fn scripts() -> Vec<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/scripts.md");
    let page = fs::read_to_string(page).unwrap();
    let blocks = page.split("```sh script\n").skip(1);
    blocks
        .map(|rest| rest.split_once("```").unwrap().0.to_owned())
        .collect()
}

#[test]
fn every_script_of_the_page_works() {
    run(async {
        let mut site = HttpTarget::start(ANY).await.unwrap();
        let [page, queue, fast, port, counter] = scripts().try_into().unwrap();
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
