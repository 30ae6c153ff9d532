//! What the commands print and how they end.

use target_server::{Fault, HttpTarget};

use super::rig::{Rig, built, said};

async fn target() -> HttpTarget {
    HttpTarget::start("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap()
}

fn service(targets: &[(&str, String, &str)]) -> String {
    let monitors = targets.iter().map(|(id, target, more)| {
        format!("[[service.monitor]]\nid = \"{id}\"\ntargets = [\"{target}\"]\nretry = {{ times = 0 }}\n{more}\n")
    });
    format!(
        "[[service]]\nid = \"shop\"\n{}",
        monitors.collect::<String>()
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn check_ends_with_the_worst_health() {
    let target = target().await;
    let rig = Rig::new(&service(&[
        ("good", target.url("/ok"), ""),
        ("slow", target.url("/slow/300"), "sick_above = \"100ms\""),
        ("bad", target.url("/status/500"), ""),
        ("gone", "nosuch://x".to_owned(), ""),
    ]));
    let check = |monitors: &[&str]| {
        let mut arguments = vec!["check"];
        arguments.extend(monitors);
        let output = rig.run(&arguments);
        (output.status.code(), said(&output))
    };
    for (monitors, code, words) in [
        (&["shop/good"][..], 0, "healthy"),
        (&["shop/slow"], 1, "sick"),
        (&["shop/good", "shop/bad"], 2, "500"),
        (&["shop/gone"], 3, "no probe judges `nosuch` targets"),
        (&["shop/none"], 64, "no monitor is called `shop/none`"),
    ] {
        let (ended, printed) = check(monitors);
        assert_eq!(ended, Some(code), "{monitors:?}: {printed}");
        assert!(printed.contains(words), "{monitors:?}: {printed}");
    }
    target.set(Fault::Refuse).await.unwrap();
    let output = rig.run(&["--json", "check", "shop/good"]);
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found[0]["health"], "dead");
    assert_eq!(found[0]["reason"], "connection refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_configuration_names_every_mistake_and_ends_with_78() {
    let rig = Rig::new(
        "[[service]]\nid = \"Shop\"\n[[service.monitor]]\nid = \"a\"\ntargets = [\"http://127.0.0.1/\"]\nevry = \"1s\"\n[[route]]\nto = [\"nobody\"]\n",
    );
    for command in [&["serve"][..], &["check"], &["config", "check"]] {
        let output = rig.run(command);
        let printed = said(&output);
        assert_eq!(output.status.code(), Some(78), "{printed}");
        for words in [
            "Shop",
            "did you mean `every`?",
            "nobody",
            "watchkeeper.toml:9:",
        ] {
            assert!(printed.contains(words), "{words}: {printed}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugins_schema_is_part_of_the_configuration() {
    let rig = Rig::new(&service(&[(
        "a",
        "http://127.0.0.1/".to_owned(),
        "config = { expect = { stauts = [\"2xx\"] } }",
    )]));
    let output = rig.run(&["config", "check"]);
    let printed = said(&output);
    assert_eq!(output.status.code(), Some(78), "{printed}");
    assert!(
        printed.contains("stauts") && printed.contains("watchkeeper.toml:"),
        "{printed}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_made_beside_the_running_host_and_never_replaced() {
    let target = target().await;
    let monitor = format!(
        "[[service]]\nid = \"shop\"\nlabel = \"Shop\"\n[[service.monitor]]\nid = \"a\"\nlabel = \"a\"\ntargets = [\"{}\"]\nevery = \"1s\"\nretry = {{ times = 0 }}\nconfirm = {{ dead = 2 }}\n",
        target.url("/")
    );
    target.set(Fault::Status(500)).await.unwrap();
    let mut rig = Rig::new(&monitor);
    let mut restored = Rig::new(&monitor);
    let to = restored.data();
    std::fs::remove_dir_all(&to).unwrap();
    let backup = |rig: &Rig| {
        let output = rig.run(&["store", "backup", to.to_str().unwrap()]);
        (output.status.code(), said(&output))
    };
    let (ended, printed) = backup(&rig);
    assert_eq!(ended, Some(64), "{printed}");
    assert!(printed.contains("nothing was stored"), "{printed}");
    assert!(!to.exists(), "nothing was to be copied");

    rig.start().await;
    rig.until_health("Shop", "a", "dead").await;
    let (ended, printed) = backup(&rig);
    assert_eq!(ended, Some(0), "{printed}");
    let (ended, printed) = backup(&rig);
    assert_eq!(ended, Some(64), "{printed}");
    assert!(printed.contains("already exists"), "{printed}");
    assert_eq!(rig.stop().await, Some(0));

    // What the copy holds is known before two checks have ended.
    target.set(Fault::Hang).await.unwrap();
    restored.share_cache();
    restored.start().await;
    assert_eq!(restored.health("Shop", "a").await, "dead");
    assert_eq!(restored.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn config_check_warns_of_what_is_hardly_meant() {
    let rig = Rig::new(&format!(
        "[plugins.htpp]\nallow = [\"a.test:443\"]\n\n[plugins.http]\nallow = [\"b.test:443\"]\n\n{}",
        service(&[(
            "a",
            "http://127.0.0.1/".to_owned(),
            "config = { auth = { basic = { username = \"me\", password = \"pw\" } } }",
        )])
    ));
    let output = rig.run(&["config", "check"]);
    let printed = said(&output);
    assert_eq!(output.status.code(), Some(0), "{printed}");
    for words in [
        "warning: [plugins.htpp] at ",
        "watchkeeper.toml:4:1 has no effect: no plugin is called so; there are: ",
        ", http, ",
        "warning: monitor shop/a: config.auth.basic.password is too short to hide",
    ] {
        assert!(printed.contains(words), "{words}: {printed}");
    }
    assert_eq!(printed.matches("warning: ").count(), 2, "{printed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn config_schema_is_a_json_schema() {
    let output = Rig::new("").run(&["config", "schema"]);
    let schema: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(schema["properties"]["service"].is_object(), "{schema}");
}

#[tokio::test(flavor = "multi_thread")]
async fn plugins_are_listed_inspected_and_run() {
    let target = target().await;
    let rig = Rig::new("");
    std::fs::write(rig.plugins().join("bad.wasm"), b"x").unwrap();
    let listed = said(&rig.run(&["plugin", "list"]));
    for name in [
        "http", "tcp", "icmp", "dns", "tls", "webhook", "slack", "bad.wasm",
    ] {
        assert!(listed.contains(name), "{name}: {listed}");
    }
    let http = built("http");
    let http = http.to_str().unwrap();
    let inspected = said(&rig.run(&["plugin", "inspect", http]));
    for words in [
        "watchkeeper:plugin@0.1.0",
        "sha256",
        "wasi:http/outgoing-handler",
        "\"expect\"",
    ] {
        assert!(inspected.contains(words), "{words}: {inspected}");
    }
    let run = |arguments: &[&str]| {
        let mut all = vec!["plugin", "run"];
        all.extend(arguments);
        let output = rig.run(&all);
        (output.status.code(), said(&output))
    };
    let url = target.url("/ok");
    let (ended, printed) = run(&[http, "--target", &url, "--set", "expect.body=ok"]);
    assert_eq!(ended, Some(0), "{printed}");
    let (ended, printed) = run(&["http", "--target", &url, "--set", "expect.body=nothing"]);
    assert_eq!(ended, Some(2), "{printed}");
    let (ended, printed) = run(&["http"]);
    assert_eq!(ended, Some(64), "{printed}");
    // What the target does not name is refused, and the refusal names the remedy.
    let elsewhere = target.url("/redirect?to=http://localhost:1/");
    let (ended, printed) = run(&["http", "--target", &elsewhere]);
    assert_eq!(ended, Some(3), "{printed}");
    assert!(printed.contains("localhost:1"), "{printed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_plugin_has_against_its_configuration_is_part_of_it_too() {
    let target = target().await;
    let script = "config = { script = '''\necho one\nif true; then\n''' }\nprobe = \"script\"";
    let js = "config = { script = '''\nlet a = 1;\nlet b = (2;\n''' }\nprobe = \"js\"";
    let rig = Rig::new(&service(&[
        ("script", target.url("/ok"), script),
        ("js", target.url("/ok"), js),
        (
            "web",
            target.url("/ok"),
            "config = { expect = { body_regex = \"(\" } }",
        ),
    ]));
    for command in [&["serve"][..], &["check"], &["config", "check"]] {
        let output = rig.run(command);
        let printed = said(&output);
        assert_eq!(output.status.code(), Some(78), "{printed}");
        for words in [
            "`if` without `fi`",
            " | if true; then",
            " | let b = (2;",
            "service[shop].monitor[js].config.script",
            "service[shop].monitor[script].config.script",
            "service[shop].monitor[web].config.expect.body_regex",
            "3 problems in the configuration",
        ] {
            assert!(printed.contains(words), "{words}: {printed}");
        }
    }
}

#[test]
fn shells_and_manuals_are_told_of_every_command() {
    let rig = Rig::new("");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = rig.run(&["completions", shell]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let script = String::from_utf8(output.stdout).unwrap();
        for word in ["watchkeeper", "serve", "incident", "breach"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    let folder = rig.folder().join("man");
    let output = rig.run(&["man", folder.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let page = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    assert!(page("watchkeeper.1").contains(".TH watchkeeper 1"));
    assert!(page("watchkeeper-serve.1").contains("watchkeeper"));
    assert!(page("watchkeeper-breach-ack.1").contains("scope"));
}
