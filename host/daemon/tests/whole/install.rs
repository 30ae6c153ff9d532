//! Installing, updating and removing plugins from files, web servers and
//! registries.

use std::path::Path;
use std::process::Output;

use target_server::{Authority, Content, FileTarget, Served};

use super::rig::{Rig, said};
use super::trust::{Keys, example, two_versions};

const FILE: &str = "queue-depth.wasm";

fn ends(output: &Output, code: i32, words: &[&str]) {
    let printed = said(output);
    assert_eq!(output.status.code(), Some(code), "{printed}");
    for word in words {
        assert!(printed.contains(word), "{word}: {printed}");
    }
}

/// Names of all files in the plugins folder.
fn files(rig: &Rig) -> Vec<String> {
    let entries = std::fs::read_dir(rig.plugins()).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn lock(rig: &Rig) -> String {
    std::fs::read_to_string(rig.lock()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn from_a_file_and_away_again() {
    let rig = Rig::new("[plugins]\nlocked = true\n");
    let installed = rig.run(&["plugin", "install", example().to_str().unwrap()]);
    ends(
        &installed,
        0,
        &["queue-depth 0.1.0", "asks for     http", "installed "],
    );
    assert_eq!(files(&rig), [FILE]);
    let text = lock(&rig);
    for words in [
        "name = \"queue-depth\"",
        "version = \"0.1.0\"",
        "file = \"queue-depth.wasm\"",
        "hello_probe.wasm\"",
        "asks = [\"http\"]",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    ends(&rig.run(&["plugin", "list"]), 0, &["in the lock"]);
    // Once more changes nothing, and is not asked about.
    ends(
        &rig.run(&["plugin", "install", example().to_str().unwrap()]),
        0,
        &[],
    );

    ends(
        &rig.run(&["plugin", "remove", "http"]),
        64,
        &["part of this program"],
    );
    ends(
        &rig.run(&["plugin", "remove", "nosuch"]),
        64,
        &["no plugin of that name"],
    );
    ends(
        &rig.run(&["plugin", "remove", "queue-depth"]),
        0,
        &["removed "],
    );
    assert!(files(&rig).is_empty());
    assert!(!lock(&rig).contains("queue-depth"));

    ends(
        &rig.run(&["plugin", "install", "no-such-file.wasm"]),
        70,
        &["cannot fetch no-such-file.wasm"],
    );
    let garbage = rig.folder().join("garbage.wasm");
    std::fs::write(&garbage, b"not wasm").unwrap();
    ends(
        &rig.run(&["plugin", "install", garbage.to_str().unwrap()]),
        78,
        &["is not a WebAssembly component", "nothing was installed"],
    );
    ends(
        &rig.run(&["plugin", "install", "ftp://x/y"]),
        64,
        &["none of `https`"],
    );
    assert!(files(&rig).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_says_what_changes_and_asks() {
    let rig = Rig::new("");
    let [first, second] = two_versions();
    let source = rig.folder().join("source.wasm");
    std::fs::write(&source, &first).unwrap();
    ends(
        &rig.run(&["plugin", "install", source.to_str().unwrap()]),
        0,
        &[],
    );
    ends(
        &rig.run(&["plugin", "update"]),
        0,
        &["queue-depth 0.1.0: up to date"],
    );
    std::fs::write(&source, &second).unwrap();
    // Standard input is no terminal here.
    ends(
        &rig.run(&["plugin", "update"]),
        64,
        &["->", "`--yes`", "nothing was changed"],
    );
    assert_eq!(std::fs::read(rig.plugins().join(FILE)).unwrap(), first);
    ends(
        &rig.run(&["plugin", "install", source.to_str().unwrap()]),
        64,
        &["`--yes`"],
    );
    ends(
        &rig.run(&["plugin", "update", "queue-depth", "--yes"]),
        0,
        &["updated "],
    );
    assert_eq!(std::fs::read(rig.plugins().join(FILE)).unwrap(), second);
    ends(&rig.run(&["plugin", "verify"]), 0, &[]);

    // On a terminal it asks.
    std::fs::write(&source, &first).unwrap();
    if let Some(asked) = rig.on_a_terminal(&["plugin", "update"], "n\n") {
        ends(
            &asked,
            0,
            &["Update queue-depth? [y/N]", "nothing was changed"],
        );
        assert_eq!(std::fs::read(rig.plugins().join(FILE)).unwrap(), second);
        let asked = rig.on_a_terminal(&["plugin", "update"], "y\n").unwrap();
        ends(&asked, 0, &["updated "]);
        assert_eq!(std::fs::read(rig.plugins().join(FILE)).unwrap(), first);
    }

    // Another plugin, by another name and with more that it asks for, in its place.
    std::fs::write(&source, super::rig::guest("hostile")).unwrap();
    ends(
        &rig.run(&["plugin", "update", "--yes"]),
        78,
        &["is another plugin now, `hostile`"],
    );
    // The same name, and more that it asks for.
    let named = named_hostile("queue-depth");
    std::fs::write(&source, &named).unwrap();
    ends(
        &rig.run(&["plugin", "update", "--yes"]),
        0,
        &[
            "(NEW: tcp, udp, icmp, dns, tls, state)",
            "(NEW: api.example.com:443)",
            "to grant them, write into the configuration",
        ],
    );
    ends(
        &rig.run(&["plugin", "update", "nosuch"]),
        64,
        &["names no plugin `nosuch`"],
    );
    std::fs::remove_file(&source).unwrap();
    ends(&rig.run(&["plugin", "update"]), 70, &["cannot fetch"]);
    assert_eq!(std::fs::read(rig.plugins().join(FILE)).unwrap(), named);
}

/// The guest that asks for everything, by another name.
fn named_hostile(name: &str) -> Vec<u8> {
    let mut bytes = super::rig::guest("hostile");
    let place = bytes
        .windows(8)
        .position(|window| window == b"<<<     ")
        .expect("the guest has a script");
    let script = format!("name={name}");
    bytes[place + 3..place + 3 + script.len()].copy_from_slice(script.as_bytes());
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn from_a_web_server() {
    let authority = Authority::new().unwrap();
    let any = "127.0.0.1:0".parse().unwrap();
    let server = FileTarget::start_tls(any, &authority).await.unwrap();
    let other = FileTarget::start_tls(any, &authority).await.unwrap();
    let plain = FileTarget::start(any).await.unwrap();
    let rig = Rig::new("[network]\nca_file = \"ca.pem\"\n");
    std::fs::write(rig.folder().join("ca.pem"), authority.pem()).unwrap();
    let [first, second] = two_versions();
    server.put("/good.wasm", Served::bytes(first.clone()));
    let install = |url: &str, more: &[&str]| {
        let mut arguments = vec!["plugin", "install", url];
        arguments.extend(more);
        rig.run(&arguments)
    };
    let nothing = || assert!(files(&rig).is_empty(), "{:?}", files(&rig));

    // Not what was named, not there, not whole, not small.
    let wrong = "0".repeat(64);
    ends(
        &install(&server.url("/good.wasm"), &["--sha256", &wrong]),
        78,
        &["expected sha256:000", "nothing was installed"],
    );
    ends(&install(&server.url("/none.wasm"), &[]), 70, &["404"]);
    let with = |content: Content| Served {
        content,
        ..Served::bytes("")
    };
    server.put("/cut.wasm", with(Content::Cut(20_000)));
    ends(
        &install(&server.url("/cut.wasm"), &[]),
        70,
        &["cannot fetch"],
    );
    server.put("/huge.wasm", with(Content::Filler(65 << 20)));
    ends(
        &install(&server.url("/huge.wasm"), &[]),
        70,
        &["64 MiB of response body"],
    );
    nothing();

    // Redirects: round and round, to what can be read on the way, to metadata.
    server.put("/loop", Served::redirect(&server.url("/loop")));
    ends(
        &install(&server.url("/loop"), &[]),
        70,
        &["more than 5 redirects"],
    );
    server.put("/plain", Served::redirect(&plain.url("/good.wasm")));
    ends(&install(&server.url("/plain"), &[]), 70, &["not encrypted"]);
    server.put("/meta", Served::redirect("https://169.254.169.254/x"));
    ends(
        &install(&server.url("/meta"), &[]),
        70,
        &["169.254.169.254"],
    );
    ends(
        &install("http://example.invalid/x.wasm", &[]),
        70,
        &["--plain-http"],
    );
    nothing();

    // Right, by way of another host.
    server.put("/moved", Served::redirect(&other.url("/b/x")));
    other.put("/b/x", Served::redirect("../b/good.wasm"));
    other.put("/b/../b/good.wasm", Served::bytes(first.clone()));
    ends(&install(&server.url("/moved"), &[]), 0, &["installed "]);
    assert_eq!(files(&rig), [FILE]);
    assert!(lock(&rig).contains(&server.url("/moved")), "{}", lock(&rig));
    other.put("/b/../b/good.wasm", Served::bytes(second.clone()));
    ends(&rig.run(&["plugin", "update", "--yes"]), 0, &["updated "]);
    assert_eq!(std::fs::read(rig.plugins().join(FILE)).unwrap(), second);

    // A certificate that nobody vouches for.
    rig.configure("");
    ends(
        &install(&server.url("/good.wasm"), &[]),
        70,
        &["certificate"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_comes_along() {
    let Some(keys) = Keys::make() else {
        return;
    };
    let plain = FileTarget::start("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    let rig = Rig::new(&format!(
        "[plugins]\nlocked = true\ntrusted_keys = [\"{}\"]\n",
        keys.public
    ));
    let [first, second] = two_versions();
    plain.put("/queue.wasm?v=1", Served::bytes(first.clone()));
    let url = plain.url("/queue.wasm?v=1");
    ends(
        &rig.run(&["plugin", "install", &url]),
        78,
        &["is not signed", "nothing was installed"],
    );
    let file = rig.folder().join("queue.wasm");
    std::fs::write(&file, first).unwrap();
    keys.sign(&file);
    let signature = std::fs::read(rig.folder().join("queue.wasm.minisig")).unwrap();
    plain.put("/queue.wasm.minisig?v=1", Served::bytes(signature));
    ends(&rig.run(&["plugin", "install", &url]), 0, &[&keys.public]);
    assert_eq!(files(&rig), [FILE, "queue-depth.wasm.minisig"]);
    ends(&rig.run(&["plugin", "verify"]), 0, &["signed by"]);
    ends(&rig.run(&["plugin", "list"]), 0, &["signed, in the lock"]);
    // Other bytes with the same signature.
    plain.put("/queue.wasm?v=1", Served::bytes(second));
    ends(
        &rig.run(&["plugin", "update", "--yes"]),
        78,
        &["does not fit the file", "nothing was changed"],
    );
    ends(&rig.run(&["plugin", "remove", FILE]), 0, &[]);
    assert!(files(&rig).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_wants_a_token_gets_one_and_gives_away_nothing() {
    let any = "127.0.0.1:0".parse().unwrap();
    let registry = FileTarget::start(any).await.unwrap();
    let store = FileTarget::start(any).await.unwrap();
    let rig = Rig::new("");
    let [component, _] = two_versions();
    let digest = |bytes: &[u8]| {
        let file = rig.folder().join("digest");
        std::fs::write(&file, bytes).unwrap();
        format!("sha256:{}", super::registry::sha256(&file))
    };
    let layer = digest(&component);
    let manifest = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": { "mediaType": "application/vnd.wasm.config.v0+json", "digest": digest(b"{}"), "size": 2 },
        "layers": [{ "mediaType": "application/wasm", "digest": layer, "size": component.len() }],
    })
    .to_string();
    let challenge = format!(
        "Bearer realm=\"{}\",service=\"test\",scope=\"repository:acme/queue:pull\"",
        registry.url("/token")
    );
    let bearer = "Bearer abc";
    registry.put(
        "/token?service=test&scope=repository%3Aacme%2Fqueue%3Apull",
        Served::bytes(r#"{"token":"abc"}"#),
    );
    registry.put(
        "/v2/acme/queue/manifests/1.0.0",
        Served::bytes(manifest.clone()).guarded(bearer, &challenge),
    );
    registry.put(
        &format!("/v2/acme/queue/blobs/{layer}"),
        Served::redirect(&store.url("/blob")).guarded(bearer, &challenge),
    );
    store.put("/blob", Served::bytes(component));
    let reference = format!("oci://{}/acme/queue:1.0.0", registry.authority());
    ends(
        &rig.run(&["plugin", "install", &reference]),
        0,
        &["installed "],
    );
    assert!(lock(&rig).contains(&reference), "{}", lock(&rig));
    // The token is for the registry alone.
    let asked = store.asked();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert_eq!(asked[0].authorization, None);

    // By a digest it has to be that.
    let wrong = format!("sha256:{}", "0".repeat(64));
    registry.put(
        &format!("/v2/acme/queue/manifests/{wrong}"),
        Served::bytes(manifest).guarded(bearer, &challenge),
    );
    let by_digest = format!("oci://{}/acme/queue@{wrong}", registry.authority());
    ends(
        &rig.run(&["plugin", "install", &by_digest]),
        70,
        &["the manifest is not what was asked for"],
    );
    // A layer that was swapped in the store.
    store.put("/blob", Served::bytes("swapped"));
    ends(
        &rig.run(&["plugin", "update", "--yes"]),
        70,
        &["the layer is not what the manifest names"],
    );
    let guarded = Served::bytes("").guarded("Basic x", "Digest realm=\"x\"");
    registry.put("/v2/acme/queue/manifests/2.0.0", guarded);
    let other = format!("oci://{}/acme/queue:2.0.0", registry.authority());
    ends(
        &rig.run(&["plugin", "install", &other]),
        70,
        &["does not say how to log in"],
    );
    ends(&rig.run(&["plugin", "verify"]), 0, &[]);
    assert!(Path::new(&rig.plugins().join(FILE)).exists());
}
