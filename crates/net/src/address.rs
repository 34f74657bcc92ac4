//! Which addresses may be dialled when a stranger chose the URL.
//!
//! Endpoints on chain are written by whoever staked them. Without this check a supplier could make
//! every gateway send requests into its own network (its cloud's metadata service, its database).
//! The check is on the address, after resolution, and once more on the connected socket; a name
//! never decides anything.
//!
//! Sources: the IANA special-purpose address registries for IPv4 and IPv6 (RFC 6890 and its
//! updates).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What a dialer may connect to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AddressPolicy {
    /// Globally reachable unicast addresses only: for URLs that strangers wrote.
    #[default]
    Public,
    /// Any address: for URLs of the operator's own configuration, and for local networks.
    Any,
}

/// The range for which an address is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refused {
    /// `0.0.0.0/8`, `::`.
    Unspecified,
    /// `127.0.0.0/8`, `::1`.
    Loopback,
    /// Private and shared networks: RFC 1918, `100.64.0.0/10`, `fc00::/7`, `fec0::/10`.
    Private,
    /// `169.254.0.0/16` (cloud metadata services live there), `fe80::/10`.
    LinkLocal,
    /// `224.0.0.0/4`, `ff00::/8`.
    Multicast,
    /// `255.255.255.255`.
    Broadcast,
    /// Documentation, benchmarking, protocol assignments, tunnels and everything unassigned.
    Reserved,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Unspecified => "an unspecified address",
            Self::Loopback => "a loopback address",
            Self::Private => "a private address",
            Self::LinkLocal => "a link-local address",
            Self::Multicast => "a multicast address",
            Self::Broadcast => "the broadcast address",
            Self::Reserved => "a reserved address",
        })
    }
}

impl AddressPolicy {
    /// Whether `addr` may be dialled.
    ///
    /// # Errors
    /// The range for which it may not.
    pub fn check(self, addr: IpAddr) -> Result<(), Refused> {
        match self {
            Self::Any => Ok(()),
            Self::Public => match addr {
                IpAddr::V4(addr) => check_v4(addr),
                IpAddr::V6(addr) => check_v6(addr),
            },
        }
    }
}

fn check_v4(addr: Ipv4Addr) -> Result<(), Refused> {
    let [a, b, c, _] = addr.octets();
    Err(match (a, b, c) {
        (0, ..) => Refused::Unspecified,
        (127, ..) => Refused::Loopback,
        (10, ..) | (172, 16..=31, _) | (192, 168, _) | (100, 64..=127, _) => Refused::Private,
        (169, 254, _) => Refused::LinkLocal,
        (224..=239, ..) => Refused::Multicast,
        _ if addr.is_broadcast() => Refused::Broadcast,
        // Protocol assignments, documentation, 6to4 relays, benchmarking, future use.
        (192, 0, 0 | 2)
        | (192, 88, 99)
        | (198, 18 | 19, _)
        | (198, 51, 100)
        | (203, 0, 113)
        | (240..=255, ..) => Refused::Reserved,
        _ => return Ok(()),
    })
}

fn check_v6(addr: Ipv6Addr) -> Result<(), Refused> {
    if let Some(inner) = embedded_v4(addr) {
        return check_v4(inner);
    }
    let [first, second, ..] = addr.segments();
    Err(match first {
        _ if addr.is_unspecified() => Refused::Unspecified,
        _ if addr.is_loopback() => Refused::Loopback,
        0xfc00..=0xfdff | 0xfec0..=0xfeff => Refused::Private,
        0xfe80..=0xfebf => Refused::LinkLocal,
        0xff00..=0xffff => Refused::Multicast,
        // 2001::/23 (Teredo, benchmarking, ORCHID), documentation twice.
        0x2001 if second < 0x0200 || second == 0x0db8 => Refused::Reserved,
        0x3fff if second < 0x1000 => Refused::Reserved,
        // Global unicast is what IANA has opened: 2000::/3.
        0x2000..=0x3fff => return Ok(()),
        _ => Refused::Reserved,
    })
}

/// The IPv4 address at which a packet to `addr` arrives: v4-mapped, NAT64 (RFC 6052) and 6to4.
fn embedded_v4(addr: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, g, h] = addr.segments();
    let from = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match (a, b, c, d, e, f) {
        (0, 0, 0, 0, 0, 0xffff) | (0x64, 0xff9b, 0, 0, 0, 0) => Some(from(g, h)),
        (0x2002, ..) => Some(from(b, c)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
