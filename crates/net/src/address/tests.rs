use proptest::prelude::*;

use super::*;

fn check(addr: &str) -> Result<(), Refused> {
    AddressPolicy::Public.check(addr.parse().unwrap())
}

#[test]
fn named_ranges_are_refused_by_name() {
    let table = [
        ("0.0.0.0", Refused::Unspecified),
        ("0.1.2.3", Refused::Unspecified),
        ("127.0.0.1", Refused::Loopback),
        ("127.255.255.254", Refused::Loopback),
        ("10.0.0.1", Refused::Private),
        ("172.16.0.1", Refused::Private),
        ("172.31.255.255", Refused::Private),
        ("192.168.1.1", Refused::Private),
        ("100.64.0.1", Refused::Private),
        ("169.254.169.254", Refused::LinkLocal),
        ("224.0.0.1", Refused::Multicast),
        ("239.255.255.255", Refused::Multicast),
        ("255.255.255.255", Refused::Broadcast),
        ("240.0.0.1", Refused::Reserved),
        ("192.0.2.1", Refused::Reserved),
        ("198.18.0.1", Refused::Reserved),
        ("203.0.113.9", Refused::Reserved),
        ("::", Refused::Unspecified),
        ("::1", Refused::Loopback),
        ("fc00::1", Refused::Private),
        ("fdff::1", Refused::Private),
        ("fec0::1", Refused::Private),
        ("fe80::1", Refused::LinkLocal),
        ("ff02::1", Refused::Multicast),
        ("2001:db8::1", Refused::Reserved),
        ("2001::1", Refused::Reserved),
        ("3fff::1", Refused::Reserved),
        ("100::1", Refused::Reserved),
        ("64:ff9b:1::a00:1", Refused::Reserved),
        ("::7f00:1", Refused::Reserved),
        ("::ffff:127.0.0.1", Refused::Loopback),
        ("::ffff:10.1.2.3", Refused::Private),
        ("::ffff:169.254.169.254", Refused::LinkLocal),
        ("64:ff9b::10.0.0.1", Refused::Private),
        ("2002:7f00:1::", Refused::Loopback),
        ("2002:c0a8:101::1", Refused::Private),
    ];
    for (addr, refused) in table {
        assert_eq!(check(addr), Err(refused), "{addr}");
        assert_eq!(
            AddressPolicy::Any.check(addr.parse().unwrap()),
            Ok(()),
            "{addr}"
        );
    }
}

#[test]
fn public_addresses_and_the_edges_of_ranges_pass() {
    for addr in [
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.167.255.255",
        "192.169.0.0",
        "223.255.255.255",
        "2606:4700::1111",
        "2001:4860:4860::8888",
        "2a00::1",
        "::ffff:1.1.1.1",
        "64:ff9b::8.8.8.8",
        "2002:808:808::",
    ] {
        assert_eq!(check(addr), Ok(()), "{addr}");
    }
}

/// Networks as `address/prefix`, compared bit by bit: the naive model of the match above.
const REFUSED_V4: &[(&str, u32)] = &[
    ("0.0.0.0", 8),
    ("10.0.0.0", 8),
    ("100.64.0.0", 10),
    ("127.0.0.0", 8),
    ("169.254.0.0", 16),
    ("172.16.0.0", 12),
    ("192.0.0.0", 24),
    ("192.0.2.0", 24),
    ("192.88.99.0", 24),
    ("192.168.0.0", 16),
    ("198.18.0.0", 15),
    ("198.51.100.0", 24),
    ("203.0.113.0", 24),
    ("224.0.0.0", 4),
    ("240.0.0.0", 4),
];

fn in_network(addr: u32, network: &str, prefix: u32) -> bool {
    let network = u32::from(network.parse::<Ipv4Addr>().unwrap());
    (addr ^ network) >> (32 - prefix) == 0
}

proptest! {
    #[test]
    fn v4_agrees_with_the_list_of_networks(addr: u32) {
        let refused = REFUSED_V4.iter().any(|(network, prefix)| in_network(addr, network, *prefix));
        let verdict = AddressPolicy::Public.check(Ipv4Addr::from(addr).into());
        prop_assert_eq!(verdict.is_err(), refused);
    }

    #[test]
    fn every_address_of_a_refused_network_is_refused(
        index in 0..REFUSED_V4.len(),
        host: u32,
    ) {
        let (network, prefix) = REFUSED_V4[index];
        let network = u32::from(network.parse::<Ipv4Addr>().unwrap());
        let addr = Ipv4Addr::from(network | (host >> prefix));
        prop_assert!(AddressPolicy::Public.check(addr.into()).is_err());
    }

    #[test]
    fn a_v4_address_inside_v6_is_judged_as_itself(addr: u32) {
        let v4 = Ipv4Addr::from(addr);
        let [high, low] = [(addr >> 16) as u16, addr as u16];
        for v6 in [
            v4.to_ipv6_mapped(),
            Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
            Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
        ] {
            prop_assert_eq!(
                AddressPolicy::Public.check(v6.into()),
                AddressPolicy::Public.check(v4.into())
            );
        }
    }

    #[test]
    fn v6_outside_global_unicast_never_passes(addr: u128) {
        let addr = Ipv6Addr::from(addr);
        if AddressPolicy::Public.check(addr.into()).is_ok() {
            let global = addr.segments()[0] >> 13 == 1;
            prop_assert!(global || embedded_v4(addr).is_some());
        }
    }
}
