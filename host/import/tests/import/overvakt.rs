//! Övervakt.

use watchkeeper_import::{Kind, Outcome};

use super::{check, has, loads, tells};

#[test]
fn services_by_id_move() {
    let imported = check(Kind::Overvakt, "overvakt/overvakt.toml");
    has(
        &imported,
        &[
            "id = \"web\"",
            "id = \"home\"",
            "id = \"robots\"",
            "every = \"2m\"",
        ],
    );
    let config = loads(&imported.toml);
    let of = |name: &str| {
        config
            .monitors()
            .find(|it| it.id.to_string() == name)
            .unwrap()
            .config
            .json()
            .clone()
    };
    assert!(of("web/home").get("cache_buster").is_none());
    assert_eq!(of("web/robots")["cache_buster"], "_overvakt");
    assert_eq!(of("web/home")["method"], "HEAD");
    tells(&imported, Outcome::Lost, "plugins.icmp", "pings");
}
