//! Who may do what: the first user, signing in and out, tokens, and the listener of
//! who works with the host.

use reqwest::Client;
use serde_json::Value;

use super::browser::{Browser, with_password};
use super::rig::{Rig, said};

const CONFIG: &str = r#"
[[service]]
id = "shop"
label = "Shop"

[[service.monitor]]
id = "support"
label = "Support"
passive = "manual"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn from_the_first_start_to_the_log_of_who_did_what() {
    let mut rig = Rig::new(CONFIG);
    rig.start().await;
    let link = rig.logged("open").await;
    let (base, code) = link.split_once("/admin/setup?code=").unwrap();
    assert_eq!(base, rig.page());

    // Nobody is in yet, so that all ways lead to the first user.
    let mut zoe = Browser::new(base);
    assert_eq!(zoe.get("/admin").await.0, 303);
    assert_eq!(zoe.get("/admin/login").await.0, 303);
    let first = |code: &'static str, password: &'static str| {
        vec![
            ("code", code),
            ("name", "zoe"),
            ("password", password),
            ("again", password),
        ]
    };
    let setup = "/admin/setup";
    let (status, page) = zoe
        .send(setup, setup, &first("wrong", "correct horse"))
        .await;
    assert!(status == 403 && page.contains("zoe"), "{page}");
    let code: &'static str = code.to_owned().leak();
    assert_eq!(zoe.send(setup, setup, &first(code, "short")).await.0, 422);
    let (status, to) = zoe.send(setup, setup, &first(code, "correct horse")).await;
    assert_eq!((status, to.as_str()), (303, "/admin"));
    let (status, page) = zoe.get("/admin").await;
    assert!(status == 200 && page.contains("zoe"), "{page}");
    // The code works once.
    assert_eq!(Browser::new(base).get("/admin/setup").await.0, 303);

    // A viewer looks and no more.
    let ana = [
        ("name", "ana"),
        ("role", "viewer"),
        ("password", "battery staple"),
    ];
    assert_eq!(zoe.send("/admin/users", "/admin/users", &ana).await.0, 303);
    let (_, page) = zoe.get("/admin/users").await;
    assert!(page.contains("ana may sign in now."), "{page}");
    let mut ana = Browser::new(base);
    let login = [
        ("name", "Ana"),
        ("password", "battery staple"),
        ("next", "/admin/password"),
    ];
    let (status, to) = ana.send("/admin/login", "/admin/login", &login).await;
    assert_eq!((status, to.as_str()), (303, "/admin/password"));
    assert_eq!(ana.get("/admin").await.0, 200);
    for path in ["/admin/users", "/admin/tokens", "/admin/audit"] {
        assert_eq!(ana.get(path).await.0, 403, "{path}");
    }
    let (status, _) = ana
        .send(
            "/admin/password",
            "/admin/users",
            &[
                ("name", "eve"),
                ("role", "admin"),
                ("password", "0123456789"),
            ],
        )
        .await;
    assert_eq!(status, 403);

    // Who changes their password is signed out everywhere, and who is given one.
    let mut elsewhere = Browser::new(base);
    elsewhere.send("/admin/login", "/admin/login", &login).await;
    assert_eq!(elsewhere.get("/admin").await.0, 200);
    let own = [
        ("old", "battery staple"),
        ("password", "staple battery"),
        ("again", "staple battery"),
    ];
    assert_eq!(
        ana.send("/admin/password", "/admin/password", &own).await.0,
        303
    );
    assert_eq!(elsewhere.get("/admin").await.0, 303);
    let (status, page) = ana.send("/admin/login", "/admin/login", &login).await;
    assert!(status == 401 && page.contains("is wrong"), "{page}");
    assert_eq!(
        with_password(&rig, &["user", "password", "ana"], "horse correct"),
        Some(0)
    );
    let login = [("name", "ana"), ("password", "horse correct")];
    assert_eq!(
        ana.send("/admin/login", "/admin/login", &login).await.0,
        303
    );
    // To sign out ends the session on the host, whatever the browser keeps.
    let kept = ana.cookies.clone();
    assert_eq!(ana.send("/admin", "/admin/logout", &[]).await.0, 303);
    ana.cookies = kept;
    assert_eq!(ana.get("/admin").await.0, 303);

    // A token with a scope and an end, and one that is over.
    let made = [("name", "deploy"), ("scope", "report"), ("days", "1")];
    let (status, page) = zoe.send("/admin/tokens", "/admin/tokens", &made).await;
    let token = page.split_once("<code class=\"secret\">").unwrap().1;
    let token = token.split_once('<').unwrap().0;
    assert!(status == 200 && token.starts_with("wk_"), "{page}");
    assert_eq!(set_health(&rig, token).await, 200);
    let sql = "UPDATE token SET expires_at = 1";
    rig.change_state(sql);
    assert_eq!(set_health(&rig, token).await, 401);

    // All of it is noted, and survives a restart, as those who are signed in do.
    rig.kill();
    rig.start().await;
    zoe.base = rig.page().to_owned();
    let (status, page) = zoe.get("/admin/audit").await;
    assert_eq!(status, 200);
    for word in [
        "user.create",
        "login",
        "user.password",
        "logout",
        "token.create",
        "command line",
        "token deploy",
        "/api/v1/monitors/shop/support/health",
    ] {
        assert!(page.contains(word), "{word}: {page}");
    }
    for secret in ["correct horse", "battery staple", token, code] {
        assert!(!page.contains(secret), "{secret}");
    }
    let listed: Value =
        serde_json::from_slice(&rig.run(&["--json", "user", "list"]).stdout).unwrap();
    assert_eq!(listed[0]["name"], "ana");
    let last = rig.run(&["user", "remove", "zoe"]);
    assert_eq!(last.status.code(), Some(64), "{}", said(&last));
    assert_eq!(rig.run(&["user", "remove", "ana"]).status.code(), Some(0));
}

async fn set_health(rig: &Rig, token: &str) -> u16 {
    let url = format!("{}/api/v1/monitors/shop/support/health", rig.page());
    let request = Client::new()
        .put(url)
        .bearer_auth(token)
        .body("{\"health\":\"dead\"}");
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_works_with_the_host_may_have_a_listener_of_their_own() {
    let mut rig = Rig::new(CONFIG);
    let config = std::fs::read_to_string(rig.config()).unwrap();
    let config = config.replacen(
        "[server]\n",
        "[server]\nadmin_listen = \"127.0.0.1:0\"\n",
        1,
    );
    std::fs::write(rig.config(), config).unwrap();
    assert_eq!(
        with_password(&rig, &["user", "create", "zoe"], "correct horse"),
        Some(0)
    );
    assert_eq!(
        with_password(&rig, &["user", "create", "Zoe"], "correct horse"),
        Some(64)
    );
    assert_eq!(
        with_password(&rig, &["user", "create", "ana"], "short"),
        Some(64)
    );
    rig.start().await;
    let admin = rig.logged("admin").await;
    assert_ne!(admin, rig.page());
    for path in ["/admin", "/admin/login", "/admin/setup"] {
        assert_eq!(Browser::new(rig.page()).get(path).await.0, 404, "{path}");
    }
    let mut zoe = Browser::new(&admin);
    let login = [("name", "zoe"), ("password", "correct horse")];
    assert_eq!(
        zoe.send("/admin/login", "/admin/login", &login).await.0,
        303
    );
    assert_eq!(zoe.get("/admin").await.0, 200);
    zoe.base = rig.page().to_owned();
    assert_eq!(zoe.get("/admin").await.0, 404);
}
