//! Addresses and URLs: which are allowed.

use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::*;

fn targets(private: &[&str]) -> Targets {
    Targets::parse(true, &private.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap()
}

#[test]
fn only_addresses_of_the_public_internet_are_public() {
    for (address, public) in [
        ("8.8.8.8", true),
        ("1.1.1.1", true),
        ("172.32.0.1", true),
        ("100.128.0.1", true),
        ("223.255.255.255", true),
        ("0.0.0.0", false),
        ("0.1.2.3", false),
        ("10.0.0.1", false),
        ("100.64.0.1", false),
        ("127.0.0.1", false),
        ("127.255.255.254", false),
        ("169.254.169.254", false),
        ("172.16.0.1", false),
        ("172.31.255.255", false),
        ("192.0.0.8", false),
        ("192.0.2.1", false),
        ("192.168.1.1", false),
        ("198.18.0.1", false),
        ("198.51.100.1", false),
        ("203.0.113.1", false),
        ("224.0.0.1", false),
        ("240.0.0.1", false),
        ("255.255.255.255", false),
        ("2606:4700:4700::1111", true),
        ("2a00:1450:4001::1", true),
        ("::", false),
        ("::1", false),
        ("::7f00:1", false),
        ("::ffff:127.0.0.1", false),
        ("::ffff:10.0.0.1", false),
        ("::ffff:8.8.8.8", true),
        ("64:ff9b::808:808", false),
        ("64:ff9b::7f00:1", false),
        ("64:ff9b:1::1", false),
        ("100::1", false),
        ("2001::1", false),
        ("2001:db8::1", false),
        ("2002:7f00:1::", false),
        ("3fff::1", false),
        ("5f00::1", false),
        ("fc00::1", false),
        ("fd12:3456::1", false),
        ("fe80::1", false),
        ("fec0::1", false),
        ("ff02::1", false),
    ] {
        assert_eq!(is_public(address.parse().unwrap()), public, "{address}");
    }
}

#[test]
fn every_net_of_the_tables_can_be_read() {
    for net in NOT_PUBLIC_V4.iter().chain(&NOT_PUBLIC_V6).chain([&PUBLIC_V6]) {
        net.parse::<IpNet>().unwrap_or_else(|_| panic!("{net}"));
    }
}

#[test]
fn what_is_not_public_is_allowed_where_its_net_is_listed_and_nowhere_else() {
    let targets = targets(&["10.1.0.0/16", "::1/128"]);
    for (address, allowed) in [
        ("10.1.2.3", true),
        ("::ffff:10.1.2.3", true),
        ("10.2.0.1", false),
        ("::1", true),
        ("127.0.0.1", false),
        ("8.8.8.8", true),
    ] {
        assert_eq!(targets.allows(address.parse().unwrap()), allowed, "{address}");
    }
}

#[test]
fn a_url_is_refused_with_its_reason_and_without_what_it_holds() {
    let strict = Targets::default();
    for (url, problem) in [
        ("https://hooks.example.com/x?y=1", None),
        ("https://hooks.example.com:8443/", None),
        ("https://8.8.8.8/", None),
        ("http://hooks.example.com/canary", Some("plain HTTP")),
        ("ftp://hooks.example.com/canary", Some("neither https")),
        ("canary", Some("is not a URL")),
        ("https://user:canary@example.com/", Some("a user or a password")),
        ("https://canary@example.com/", Some("a user or a password")),
        ("https://127.0.0.1/canary", Some("127.0.0.1 is not an address of the public internet")),
        ("https://0x7f.1/canary", Some("127.0.0.1 is not")),
        ("https://2130706433/canary", Some("127.0.0.1 is not")),
        ("https://0177.0.0.1/canary", Some("127.0.0.1 is not")),
        ("https://[::1]/canary", Some("::1 is not")),
        ("https://[::ffff:169.254.169.254]/canary", Some("is not an address")),
        ("https://169.254.169.254/canary", Some("is not an address")),
        ("https://[fe80::1]/canary", Some("is not an address")),
    ] {
        match (strict.url(url), problem) {
            (Ok(_), None) => {}
            (Err(error), Some(problem)) => {
                assert!(error.public().contains(problem), "{url}: {error}");
                assert!(!error.public().contains("canary"), "{error}");
            }
            (found, _) => panic!("{url}: {found:?}"),
        }
    }
    assert!(targets(&["127.0.0.0/8"]).url("http://127.0.0.1:80/").is_ok());
    assert!(Targets::parse(false, &["10.0.0.1/33".into()]).is_err());
}

#[test]
fn a_name_that_also_leads_to_a_private_address_is_connected_to_at_the_public_one_only() {
    let resolver = Resolver::new(Targets::default());
    let mixed = ["10.0.0.1:0", "8.8.8.8:0", "[::1]:0"].map(|a| a.parse().unwrap());
    assert_eq!(resolver.allowed(mixed.into_iter()).unwrap(), ["8.8.8.8:0".parse().unwrap()]);
    assert!(resolver.allowed(["127.0.0.1:0".parse().unwrap()].into_iter()).is_err());
}

#[tokio::test]
async fn a_name_of_this_host_is_not_resolved_unless_it_is_allowed() {
    let resolve = |targets| Resolver::new(targets).resolve("localhost".parse().unwrap());
    let error = resolve(Targets::default()).await.err().unwrap();
    assert!(error.downcast_ref::<NotAllowed>().is_some(), "{error}");
    assert!(resolve(targets(&["127.0.0.0/8", "::1/128"])).await.unwrap().next().is_some());
}

proptest! {
    #[test]
    fn an_ipv4_address_is_the_same_however_it_is_written(bits: u32) {
        let v4 = Ipv4Addr::from_bits(bits);
        prop_assert_eq!(is_public(v4.into()), is_public(v4.to_ipv6_mapped().into()));
        // Written into a net that is translated or tunnelled, it is not public at all.
        let [a, b, c, d] = v4.octets().map(u16::from);
        let translated = Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, a << 8 | b, c << 8 | d);
        prop_assert!(!is_public(translated.into()));
        prop_assert!(!is_public(Ipv6Addr::new(0x2002, a << 8 | b, c << 8 | d, 0, 0, 0, 0, 1).into()));
    }

    #[test]
    fn nothing_is_public_that_the_standard_library_calls_local(bits: u32) {
        let v4 = Ipv4Addr::from_bits(bits);
        let local = v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_multicast()
            || v4.is_documentation() || v4.is_unspecified() || v4.is_broadcast();
        prop_assert!(!(local && is_public(v4.into())), "{v4}");
    }

    #[test]
    fn no_address_of_ipv6_outside_of_two_thousand_is_public_but_a_mapped_one(bits: u128) {
        let v6 = Ipv6Addr::from_bits(bits);
        let global = bits >> 125 == 1;
        prop_assert!(global || v6.to_ipv4_mapped().is_some() || !is_public(v6.into()));
        prop_assert!(!is_public(Ipv6Addr::from_bits(bits >> 8 | 0xfd << 120).into()));
    }
}
