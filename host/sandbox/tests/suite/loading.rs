//! What is a plugin and what is not.

use watchkeeper_sandbox::{Capability, Kind, MAX_COMPONENT, Sandbox};

use crate::fixture::{guest, sandbox, trial};

/// Where the hostile guest's description can be told what to do.
const MARK: &[u8] = b"<<<    ";

async fn refusal(sandbox: &Sandbox, bytes: Vec<u8>) -> String {
    match sandbox.load(bytes).await {
        Ok(plugin) => panic!("loaded {plugin:?}"),
        Err(error) => error.to_string(),
    }
}

/// `bytes` with every `old` replaced by `new`, of the same length.
fn replaced(mut bytes: Vec<u8>, old: &[u8], new: &[u8]) -> Vec<u8> {
    assert_eq!(old.len(), new.len());
    let places: Vec<_> = (0..bytes.len())
        .filter(|&place| bytes[place..].starts_with(old))
        .collect();
    assert!(!places.is_empty(), "nothing to replace");
    for place in places {
        bytes[place..place + old.len()].copy_from_slice(new);
    }
    bytes
}

fn scripted(bytes: Vec<u8>, script: &str) -> Vec<u8> {
    let mut new = b"<<<".to_vec();
    new.extend(script.bytes());
    let mut old = b"<<<".to_vec();
    old.resize(new.len().max(MARK.len()), b' ');
    new.resize(old.len(), b' ');
    replaced(bytes, &old, &new)
}

#[tokio::test]
async fn a_plugin_says_what_it_is() {
    let bytes = guest("hostile");
    let size = bytes.len();
    let plugin = sandbox().load(bytes).await.unwrap();
    let description = plugin.description();
    assert_eq!(description.name.as_str(), "hostile");
    assert_eq!(description.version.to_string(), "0.1.0");
    assert_eq!(description.summary, "Misbehaves");
    assert_eq!(description.schema, serde_json::json!({ "type": "object" }));
    assert_eq!(description.asks.len(), 7);
    assert_eq!(description.asks[0], Capability::Http);
    assert_eq!(description.hosts[0].to_string(), "api.example.com:443");
    assert_eq!(
        *plugin.kind(),
        Kind::Probe {
            schemes: vec!["hostile".into()]
        }
    );
    assert_eq!(plugin.contract(), "0.1.0");
    assert_eq!(plugin.size(), size);
    assert_eq!(plugin.sha256_hex().len(), 64);
    assert!(
        plugin
            .imports()
            .iter()
            .any(|import| import.starts_with("watchkeeper:plugin/log@"))
    );
}

#[tokio::test]
async fn a_notifier_says_that_it_is_one() {
    let plugin = sandbox().load(guest("herald")).await.unwrap();
    assert_eq!(*plugin.kind(), Kind::Notifier);
}

#[tokio::test]
async fn what_is_no_component_is_refused() {
    let sandbox = sandbox();
    let core = b"\0asm\x01\0\0\0".to_vec();
    let mut cut = guest("hostile");
    cut.truncate(cut.len() / 2);
    for (bytes, said) in [
        (Vec::new(), "it does not begin as one"),
        (b"#!/bin/sh\n".to_vec(), "it does not begin as one"),
        (b"(component)".to_vec(), "text format"),
        (core, "it is a core module; build it for wasm32-wasip2"),
        (cut, "cannot be compiled"),
        (b"\0asm\x0d\0\x01\0".to_vec(), "exports neither"),
        (vec![0; MAX_COMPONENT + 1], "more than 64 MiB"),
    ] {
        let refusal = refusal(&sandbox, bytes).await;
        assert!(refusal.contains(said), "{said}: {refusal}");
    }
}

#[tokio::test]
async fn what_is_built_for_another_contract_is_refused() {
    let sandbox = sandbox();
    let bytes = guest("hostile");
    let old = b"watchkeeper:plugin/probe@0.1.0";
    let built_for_more = replaced(bytes.clone(), old, b"watchkeeper:plugin/probe@0.3.0");
    assert_eq!(
        refusal(&sandbox, built_for_more).await,
        "built for watchkeeper:plugin@0.3.0, this host speaks 0.1"
    );
    let another_log = replaced(
        bytes,
        b"watchkeeper:plugin/log@0.1.0",
        b"watchkeeper:plugin/log@0.2.0",
    );
    assert_eq!(
        refusal(&sandbox, another_log).await,
        "built for watchkeeper:plugin@0.2.0, this host speaks 0.1"
    );
}

#[tokio::test]
async fn a_later_patch_of_the_contract_is_accepted() {
    let bytes = replaced(guest("hostile"), b"/probe@0.1.0", b"/probe@0.1.9");
    let plugin = sandbox().load(bytes).await.unwrap();
    assert_eq!(plugin.contract(), "0.1.9");
    assert_eq!(trial("nothing", "").got(&plugin).await, "");
}

#[tokio::test]
async fn an_import_that_nobody_gives_is_named() {
    let bytes = replaced(
        guest("hostile"),
        b"wasi:random/random@",
        b"acme:random/random@",
    );
    let refusal = refusal(&sandbox(), bytes).await;
    assert!(
        refusal.starts_with("imports `acme:random/random@0.2."),
        "{refusal}"
    );
    assert!(
        refusal.ends_with("`, which no plugin is given"),
        "{refusal}"
    );
}

/// A component whose only core module has a table of 100,000 elements.
#[tokio::test]
async fn a_table_beyond_the_pool_is_refused() {
    let module = b"\0asm\x01\0\0\0\x04\x06\x01\x70\0\xa0\x8d\x06";
    let mut bytes = b"\0asm\x0d\0\x01\0\x01".to_vec();
    bytes.push(u8::try_from(module.len()).unwrap());
    bytes.extend(module);
    let refusal = refusal(&sandbox(), bytes).await;
    assert!(refusal.contains("exceeds the limit of 50000"), "{refusal}");
}

#[tokio::test]
async fn a_description_is_given_no_room_to_misbehave() {
    let sandbox = sandbox();
    let bytes = guest("hostile");
    for (script, said) in [
        ("panic", "it panicked: nothing to say for myself"),
        ("exit", "it exited with status 1"),
        ("loop", "used more than 1 s of processor time"),
        ("reach", "used `tcp` while it described itself"),
        ("name=Hostile", "name is `Hostile`: must match"),
        ("version=one", "version is `one`: not a semantic version"),
        ("schema={", "not JSON"),
        ("schema=[]", "an object"),
        (r#"schema={"type":"strin"}"#, "not a JSON Schema"),
        ("hosts=example.com", "hosts is `example.com`"),
        ("schemes=HTTP", "schemes is `HTTP`"),
    ] {
        let refusal = refusal(&sandbox, scripted(bytes.clone(), script)).await;
        assert!(refusal.contains(said), "{script}: {refusal}");
    }
    assert_eq!(sandbox.live(), 0);
}

#[tokio::test]
async fn two_loads_of_one_component_are_two_plugins() {
    let sandbox = sandbox();
    let bytes = guest("hostile");
    let (one, two) = tokio::join!(sandbox.load(bytes.clone()), sandbox.load(bytes));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one.sha256_hex(), two.sha256_hex());
    drop(one);
    assert_eq!(trial("nothing", "").got(&two).await, "");
}
