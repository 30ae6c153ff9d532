//! What only the inside of this crate can try.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use watchkeeper_egress::address::AddressPolicy;
use watchkeeper_egress::resolver::{Resolver, ResolverOptions};
use watchkeeper_egress::tls::Tls;

use crate::limits::fixed;
use crate::plugin::{Asker, open};
use crate::{Check, CheckOutcome, Context, Fault, Limits, Sandbox, Scrubber, Settings, StateSpace};

fn settings() -> Settings {
    let resolver = Resolver::new(ResolverOptions::default()).unwrap();
    Settings {
        concurrency: 10,
        ..Settings::new(resolver, Tls::new(Vec::new()).unwrap())
    }
}

fn context(config: &str) -> Context {
    Context {
        label: "service/monitor".into(),
        config: config.into(),
        grants: Arc::default(),
        policy: Arc::new(AddressPolicy::for_config_targets(Vec::new())),
        limits: Limits::default(),
        timeout: Duration::from_mins(1),
        secrets: Scrubber::default(),
        state: StateSpace::new(),
    }
}

/// As the build left it.
fn hostile_guest() -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/guests");
    let file = folder.join("hostile.wasm");
    std::fs::read(&file)
        .unwrap_or_else(|error| panic!("{}: {error}: run `cargo xtask test`", file.display()))
}

#[test]
fn every_bound_of_a_store_is_set() {
    let sandbox = Sandbox::new(settings()).unwrap();
    let store = open(sandbox.inner(), Asker::Nobody, context("{}"));
    assert_eq!(store.max_component_handles(), fixed::HANDLES);
    assert_eq!(store.hostcall_fuel(), fixed::CALL_BYTES);
    assert_eq!(store.data().most_resources(), fixed::RESOURCES);
}

#[tokio::test]
async fn a_panic_of_the_host_ends_one_run() {
    let sandbox = Sandbox::linked(settings(), |linker| {
        linker.allow_shadowing(true);
        let mut log = linker.instance("watchkeeper:plugin/log@0.1.0")?;
        log.func_new("log", |_, _, _, _| panic!("a bug of ours"))
    })
    .unwrap();
    let plugin = sandbox.load(hostile_guest()).await.unwrap();
    let check = |deed: &str| Check {
        context: context(&format!(r#"{{"do":"{deed}","with":"words"}}"#)),
        monitor: "service/monitor".into(),
        target: "hostile://target".into(),
    };
    for _ in 0..100 {
        let outcome = plugin.check(check("say")).await.outcome;
        let said = "a call of the plugin panicked: a bug of ours";
        assert_eq!(outcome, CheckOutcome::Fault(Fault::Host(said.into())));
    }
    let outcome = plugin.check(check("nothing")).await.outcome;
    assert!(matches!(outcome, CheckOutcome::Reading(_)), "{outcome:?}");
    assert_eq!(sandbox.live(), 0);
}
