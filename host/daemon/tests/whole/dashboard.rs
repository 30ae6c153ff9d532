//! The pages below `/admin` of a host that runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::TcpListener;

use super::browser::Browser;
use super::rig::Rig;

/// A server that takes connections, and how many it took.
async fn target() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("tcp://{}", listener.local_addr().unwrap());
    let taken = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&taken);
    tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            counting.fetch_add(1, Ordering::Relaxed);
        }
    });
    (address, taken)
}

#[tokio::test(flavor = "multi_thread")]
async fn monitors_are_seen_paused_and_checked() {
    let (target, taken) = target().await;
    let mut rig = Rig::new(&format!(
        r#"
[page]
title = "Acme <b>Status</b>"

[[service]]
id = "shop"
label = "Shop"
[[service.monitor]]
id = "web"
label = "Web <script>alert(1)</script>"
targets = ["{target}"]
every = "1s"
[[service.monitor]]
id = "quiet"
label = "Quiet"
targets = ["{target}"]
every = "1d"

[[channel]]
id = "hook"
notifier = "webhook"
config = {{ url = "http://127.0.0.1:1/", secret = {{ env = "HOOK_SECRET" }} }}

[[route]]
to = ["hook"]
reminders = {{ every = "10m" }}
"#
    ));
    rig.start().await;
    let mut zoe = Browser::signed_in(&rig, "zoe", "admin").await;
    rig.until_health("Shop", "Web <script>alert(1)</script>", "healthy")
        .await;

    let pages = [
        "/admin",
        "/admin/monitors",
        "/admin/monitors?q=web&sort=-latency&health=healthy",
        "/admin/monitors/shop/web",
        "/admin/monitors/shop/web?window=90d",
        "/admin/services",
        "/admin/incidents",
        "/admin/channels",
        "/admin/routes",
        "/admin/deliveries?state=failed",
        "/admin/plugins",
        "/admin/settings",
        "/admin/users",
        "/admin/tokens",
        "/admin/audit",
        "/admin/password",
    ];
    for path in pages {
        let (status, page) = zoe.get(path).await;
        assert_eq!(status, 200, "{path}: {page}");
        assert!(
            page.contains("Acme &#60;b&#62;Status") || page.contains("Acme &lt;b&gt;Status"),
            "{path}: {page}"
        );
        for bad in [
            "<script>alert",
            "style=\"",
            "s3cret-of-the-target",
            "correct-horse-battery",
            "onclick",
        ] {
            assert!(!page.contains(bad), "{path} has {bad}: {page}");
        }
    }
    let (_, page) = zoe.get("/admin/channels").await;
    assert!(page.contains("****"), "{page}");
    let (_, page) = zoe.get("/admin/monitors?q=nothing-like-that").await;
    assert!(page.contains("No monitor is like that"), "{page}");
    assert_eq!(zoe.get("/admin/monitors/shop/none").await.0, 404);

    // Paused, it is not checked, is shown so, and stays so after a crash.
    let both = [
        ("monitor", "shop/web"),
        ("do", "pause"),
        ("back", "/admin/monitors?q=web"),
    ];
    let (status, to) = zoe
        .send("/admin/monitors", "/admin/monitors/all", &both)
        .await;
    assert_eq!((status, to.as_str()), (303, "/admin/monitors?q=web"));
    let (_, page) = zoe.get(&to).await;
    assert!(
        page.contains("1 monitor paused.") && page.contains("paused by zoe"),
        "{page}"
    );
    rig.until_target(target.trim_start_matches("tcp://"), "paused")
        .await;
    assert!(!rig.get("/").await.contains("zoe"));
    let before = taken.load(Ordering::Relaxed);
    rig.kill();
    rig.start().await;
    zoe.base = rig.page().to_owned();
    let (_, page) = zoe.get("/admin/monitors/shop/web").await;
    assert!(page.contains("paused by zoe since"), "{page}");
    let check = "/admin/monitors/shop/web/check";
    let (status, _) = zoe.send("/admin/monitors/shop/web", check, &[]).await;
    assert_eq!(status, 303);
    let (_, page) = zoe.get("/admin/monitors/shop/web").await;
    assert!(page.contains("It is paused"), "{page}");

    // The one beside it is checked on demand; by then the paused one would have been.
    let quiet = "/admin/monitors/shop/quiet";
    rig.until("checked at the start", async || {
        taken.load(Ordering::Relaxed) > before
    })
    .await;
    let checked = taken.load(Ordering::Relaxed);
    assert_eq!(checked, before + 1);
    let (status, _) = zoe.send(quiet, &format!("{quiet}/check"), &[]).await;
    assert_eq!(status, 303);
    rig.until("checked", async || taken.load(Ordering::Relaxed) > checked)
        .await;
    let resume = "/admin/monitors/shop/web/resume";
    assert_eq!(
        zoe.send("/admin/monitors/shop/web", resume, &[]).await.0,
        303
    );
    rig.until_health("Shop", "Web <script>alert(1)</script>", "healthy")
        .await;

    // A trial through a channel that nobody listens at says why it failed.
    let (status, _) = zoe
        .send("/admin/channels", "/admin/channels/hook/test", &[])
        .await;
    assert_eq!(status, 303);
    let (_, page) = zoe.get("/admin/channels").await;
    assert!(
        page.contains("hook has not taken the trial notice"),
        "{page}"
    );

    // A viewer sees it and can do nothing; what was done is noted.
    let mut ana = Browser::signed_in(&rig, "ana", "viewer").await;
    let (_, page) = ana.get("/admin/monitors").await;
    assert!(
        page.contains("Quiet") && !page.contains("value=\"pause\""),
        "{page}"
    );
    assert_eq!(
        ana.send("/admin", "/admin/monitors/all", &both).await.0,
        403
    );
    let (_, page) = zoe.get("/admin/audit?q=monitor").await;
    for word in [
        "monitor.pause",
        "monitor.resume",
        "monitor.check",
        "shop/quiet",
    ] {
        assert!(page.contains(word), "{word}: {page}");
    }
}
