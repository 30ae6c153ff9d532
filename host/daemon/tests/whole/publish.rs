//! The page as files: after each change, whole, and without the host.

use serde_json::json;

use super::rig::Rig;

#[tokio::test(flavor = "multi_thread")]
async fn the_page_follows_in_a_folder_and_outlives_the_host() {
    let mut rig = Rig::new(
        "[publish]\nfolder = \"out\"\nevery = \"1s\"\n\
         [[service]]\nid = \"api\"\nlabel = \"The API\"\n\
         [[service.monitor]]\nid = \"all\"\npassive = \"manual\"\n",
    );
    let token = rig.run(&["token", "create", "tests", "--scope", "write"]);
    let token = String::from_utf8(token.stdout).unwrap().trim().to_owned();
    rig.start().await;
    let out = rig.folder().join("out");
    let read = |name: &str| std::fs::read_to_string(out.join(name)).unwrap_or_default();
    let set = async |health: &str| {
        let url = format!("{}/api/v1/monitors/api/all/health", rig.page());
        let request = reqwest::Client::new().put(url).bearer_auth(&token);
        let body = json!({ "health": health }).to_string();
        assert!(
            request
                .body(body)
                .send()
                .await
                .unwrap()
                .status()
                .is_success()
        );
    };
    set("healthy").await;
    rig.until("the page is published", async || {
        read("status/text") == "healthy" && read("index.html").contains("The API")
    })
    .await;
    set("dead").await;
    rig.until("the outage is published", async || {
        read("status/text") == "dead"
            && read("incidents/1/index.html").contains("The API")
            && read("index.html").contains("/incidents/1")
    })
    .await;
    assert!(read("history.json").contains("\"incidents\""));
    assert!(read("status/report").contains("\"dead\""));
    let page = read("index.html");
    let style = page
        .split("href=\"")
        .find(|part| part.starts_with("/assets/"));
    let style = style.unwrap().split('"').next().unwrap();
    assert!(out.join(style.trim_start_matches('/')).is_file(), "{style}");
    rig.stop().await;
    assert_eq!(read("status/text"), "dead");
}
