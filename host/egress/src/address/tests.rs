use proptest::prelude::*;

use super::*;
use crate::host::Host;

fn class_of(text: &str) -> Option<Class> {
    match Host::parse(text) {
        Ok(Host::Address(address)) => Some(classify(address)),
        Ok(Host::Name(_)) | Err(_) => None,
    }
}

/// Spellings of addresses that nothing but a literal target may reach. None of
/// them may be read as a name, and none as an address of another class.
#[test]
fn forbidden_spellings_are_seen_through() {
    for text in guest_deeds::METADATA {
        assert_eq!(class_of(text), Some(Class::Metadata), "{text}");
    }
    for (text, class) in [
        ("169.254.0.1", Class::LinkLocal),
        ("[fe80::1]", Class::LinkLocal),
        ("[febf::1]", Class::LinkLocal),
        ("0", Class::Unspecified),
        ("0.0.0.0", Class::Unspecified),
        ("0x0", Class::Unspecified),
        ("0.1.2.3", Class::Unspecified),
        ("[::]", Class::Unspecified),
        ("[::ffff:0.0.0.0]", Class::Unspecified),
        ("224.0.0.1", Class::Multicast),
        ("[ff02::1]", Class::Multicast),
        ("255.255.255.255", Class::Broadcast),
        ("4294967295", Class::Broadcast),
        ("127.1", Class::Loopback),
        ("0177.0.0.1", Class::Loopback),
        ("[::1]", Class::Loopback),
        ("[::ffff:7f00:1]", Class::Loopback),
        ("[2002:7f00:1::]", Class::Loopback),
        ("10.1", Class::Private),
        ("172.31.255.255", Class::Private),
        ("192.168.0.1", Class::Private),
        ("100.64.0.1", Class::Private),
        ("240.0.0.1", Class::Private),
        ("[fd00::1]", Class::Private),
        ("[64:ff9b::10.0.0.1]", Class::Private),
        ("172.32.0.1", Class::Public),
        ("100.128.0.1", Class::Public),
        ("9.9.9.9", Class::Public),
        ("[2620:fe::fe]", Class::Public),
        ("[64:ff9b::9.9.9.9]", Class::Public),
    ] {
        assert_eq!(class_of(text), Some(class), "{text}");
    }
    // What no parser agrees on is refused altogether.
    for text in [
        "http://169.254.169.254",
        "a@169.254.169.254",
        "169.254.169.254%00",
        "169.254.169.254#",
        "169.254.169.254/",
        "169.254.169.0xfg",
        "169.254.169.08",
        "169.254.169.254.254",
        "fe80::1%1",
        "169 .254.169.254",
    ] {
        assert_ne!(
            Host::parse(text).map(|host| matches!(host, Host::Address(_))),
            Ok(true),
            "{text}"
        );
        if let Ok(Host::Name(name)) = Host::parse(text) {
            // `0xfg` is no number to anyone, so that this is a name like any other.
            assert_eq!(name, "169.254.169.0xfg");
        }
    }
}

fn decide(policy: &AddressPolicy, targets: &[&str], address: &str) -> String {
    let mut grants = Grants::new();
    for target in targets {
        grants.grant_url(target).unwrap();
    }
    let address: SocketAddr = address.parse().unwrap();
    match policy.check(&grants, "asked:1", address.ip(), Some(address.port())) {
        Ok(()) => "allowed".to_owned(),
        Err(denied) => denied.to_string(),
    }
}

#[test]
fn special_addresses_need_to_be_named() {
    let policy = AddressPolicy::for_config_targets(Vec::new());
    let name = "http://evil.example";
    assert_eq!(
        decide(&policy, &[name], "169.254.169.254:80"),
        "not granted: asked:1 (169.254.169.254 is a cloud metadata address)"
    );
    let metadata = "http://169.254.169.254";
    assert_eq!(
        decide(&policy, &[metadata], "169.254.169.254:80"),
        "allowed"
    );
    assert_eq!(
        decide(&policy, &[metadata], "169.254.169.254:81"),
        "not granted: asked:1 (169.254.169.254 is a cloud metadata address)"
    );
    assert_eq!(decide(&policy, &[name], "10.0.0.1:80"), "allowed");
    assert_eq!(decide(&policy, &[name], "127.0.0.1:80"), "allowed");
}

#[test]
fn targets_of_the_api_stay_on_the_internet() {
    let policy = AddressPolicy::for_api_targets(vec!["127.0.0.1:8080".parse().unwrap()]);
    for address in [
        "10.0.0.1:80",
        "127.0.0.1:8080",
        "169.254.169.254:80",
        "[fd00::1]:80",
        "[::1]:80",
        "0.0.0.0:80",
    ] {
        let target = format!("http://{address}");
        assert_ne!(decide(&policy, &[&target], address), "allowed", "{address}");
    }
    assert_eq!(
        decide(&policy, &["http://9.9.9.9"], "9.9.9.9:80"),
        "allowed"
    );
}

#[test]
fn own_listeners_need_to_be_named() {
    let policy = AddressPolicy::for_config_targets(vec!["127.0.0.1:8080".parse().unwrap()]);
    let refused = "not granted: asked:1 (127.0.0.1:8080 is this monitor's own listener)";
    assert_eq!(
        decide(&policy, &["http://rebound.example:8080"], "127.0.0.1:8080"),
        refused
    );
    for target in [
        "http://127.0.0.1:8080",
        "http://127.1:8080",
        "http://localhost:8080",
    ] {
        assert_eq!(
            decide(&policy, &[target], "127.0.0.1:8080"),
            "allowed",
            "{target}"
        );
    }
    // 0.0.0.0 reaches loopback.
    assert_eq!(
        decide(&policy, &["http://0.0.0.0:8080"], "0.0.0.0:8080"),
        refused
    );
    assert_eq!(
        decide(&policy, &["http://rebound.example:8081"], "127.0.0.1:8081"),
        "allowed"
    );
}

#[test]
fn a_listener_on_every_address_is_found_on_each() {
    let policy = AddressPolicy::for_config_targets(vec!["0.0.0.0:8080".parse().unwrap()]);
    assert_ne!(
        decide(&policy, &["http://a.example:8080"], "127.0.0.9:8080"),
        "allowed"
    );
    assert_eq!(
        decide(&policy, &["http://a.example:8080"], "9.9.9.9:8080"),
        "allowed"
    );
    // The address by which this machine would reach the outside, if it has one.
    let own = UdpSocket::bind("0.0.0.0:0")
        .and_then(|socket| {
            socket.connect("198.51.100.1:9")?;
            socket.local_addr()
        })
        .map(|own| SocketAddr::new(own.ip(), 8080));
    if let Ok(own) = own {
        assert_ne!(
            decide(&policy, &["http://a.example:8080"], &own.to_string()),
            "allowed"
        );
    }
}

proptest! {
    #[test]
    fn wrapping_changes_no_class(bits: u32, style in 0..5_u8) {
        let plain = Ipv4Addr::from(bits);
        let [a, b, c, d] = plain.octets();
        let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        // `::` and `::1` are their own addresses.
        prop_assume!(bits > 1);
        let wrapped = match style {
            0 => Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, high, low),
            1 => Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
            2 => Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
            3 => Ipv6Addr::new(0, 0, 0, 0, 0, 0, high, low),
            _ => Ipv6Addr::new(0x2001, 0, 1, 2, 3, 4, !high, !low),
        };
        prop_assert_eq!(classify(wrapped.into()), classify(plain.into()));
    }

    #[test]
    fn the_internet_is_what_std_calls_global(bits: u32) {
        let address = Ipv4Addr::from(bits);
        if classify(address.into()) == Class::Public {
            prop_assert!(!address.is_private());
            prop_assert!(!address.is_loopback());
            prop_assert!(!address.is_link_local());
            prop_assert!(!address.is_multicast());
            prop_assert!(!address.is_broadcast());
            prop_assert!(!address.is_unspecified());
        }
    }
}
