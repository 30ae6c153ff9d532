//! Ways round the grants: redirects, names that change, addresses in disguise, and
//! what another target keeps.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use guest_deeds::METADATA;
use target_server::{DnsTarget, HttpTarget, Zone};
use watchkeeper_egress::resolver::{Resolver, ResolverOptions};
use watchkeeper_sandbox::{CheckOutcome, Fault, Sandbox, StateSpace};

use crate::dials::Server;
use crate::fixture::{guest, load, settings_with, trial};

const fn on(ip: Ipv4Addr) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(ip), 0)
}

#[tokio::test]
pub(crate) async fn a_redirect_leads_to_no_other_host() {
    let plugin = load("hostile").await;
    let target = HttpTarget::start(on(Ipv4Addr::LOCALHOST)).await.unwrap();
    let other = HttpTarget::start(on(Ipv4Addr::new(127, 0, 0, 2)))
        .await
        .unwrap();
    let granted = target.address().to_string();
    let followed = trial("http, following", &target.url("/redirect?to=/ok"))
        .granted(&[&granted])
        .got(&plugin)
        .await;
    assert_eq!(followed, "got 200");
    let away = target.url(&format!("/redirect?to={}", other.url("/ok")));
    let fault = trial("http, following", &away)
        .granted(&[&granted])
        .fault(&plugin)
        .await;
    let elsewhere = other.address();
    assert_eq!(
        fault,
        Fault::Denied(format!(
            "not granted: {elsewhere}; add allow = [\"{elsewhere}\"] under [plugins.hostile]"
        ))
    );
    assert_eq!(other.hits(), 0);
}

#[tokio::test]
pub(crate) async fn a_name_cannot_be_rebound() {
    let server = Server::start(Ipv4Addr::LOCALHOST).await;
    let names = DnsTarget::start(on(Ipv4Addr::LOCALHOST), Zone::demo())
        .await
        .unwrap();
    let options = ResolverOptions {
        servers: vec![names.address()],
        timeout: Duration::from_mins(1),
    };
    let sandbox = Sandbox::new(settings_with(Resolver::new(options).unwrap())).unwrap();
    let plugin = sandbox.load(guest("hostile")).await.unwrap();
    let by_name = format!("rebind.demo.test:{}", server.port);
    let twice = trial("tcp, twice", &by_name).granted(&[&by_name]);
    // Within a run the name stays what it was when it was first looked up.
    assert_eq!(twice.clone().got(&plugin).await, "got \"pong\"");
    assert_eq!(server.came(), 2);
    // The next run is given the other address, and may not have it.
    let fault = twice.fault(&plugin).await;
    let Fault::Denied(why) = &fault else {
        panic!("{fault:?}")
    };
    assert!(
        why.contains("169.254.169.254 is a cloud metadata address"),
        "{why}"
    );
    assert_eq!(server.came(), 2);
}

#[tokio::test]
async fn metadata_is_reached_in_no_spelling() {
    let plugin = load("hostile").await;
    for spelling in METADATA {
        let address = format!("{spelling}:80");
        // A pattern for every name is none for every address.
        let run = trial("tls", &address)
            .granted(&["127.0.0.1:80", "*.test:80"])
            .run(&plugin)
            .await;
        assert!(
            matches!(&run.outcome, CheckOutcome::Fault(Fault::Denied(_))),
            "{spelling}: {:?}",
            run.outcome
        );
        let url = format!("http://{address}/latest/meta-data/");
        let run = trial("http", &url)
            .granted(&["127.0.0.1:80"])
            .run(&plugin)
            .await;
        // What is no authority at all ends in the guest.
        assert!(
            matches!(
                &run.outcome,
                CheckOutcome::Fault(Fault::Denied(_) | Fault::Trap(_))
            ),
            "{spelling}: {:?}",
            run.outcome
        );
    }
}

#[tokio::test]
pub(crate) async fn what_one_target_keeps_no_other_sees() {
    let plugin = load("hostile").await;
    let of_one = trial("count", "").run(&plugin).await.state.unwrap();
    assert_eq!(of_one["runs"], [1]);
    // Another target's space, in the same plugin, right after.
    let of_another = trial("count", "").keeping(StateSpace::new());
    assert_eq!(of_another.run(&plugin).await.state.unwrap()["runs"], [1]);
    let again = trial("count", "").keeping(of_one).run(&plugin).await;
    assert_eq!(again.state.unwrap()["runs"], [2]);
}
