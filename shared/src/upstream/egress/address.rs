//! Which addresses may be dialled: those of the public Internet, and of the private networks that the operator
//! names.
//!
//! Source: the IANA special-purpose address registries (RFC 6890 and its updates). Of IPv6, only what is
//! assigned as global unicast (2000::/3) can pass at all, which leaves out loopback, link-local, unique local
//! (`fd00:ec2::254`, a metadata service, among them), multicast, IPv4-mapped and -compatible and NAT64.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

const REFUSED_IPV4: [([u8; 4], u32, &str); 17] = [
    ([0, 0, 0, 0], 8, "an unspecified address"),
    ([10, 0, 0, 0], 8, "a private address"),
    ([100, 64, 0, 0], 10, "a carrier's shared address"),
    ([127, 0, 0, 0], 8, "a loopback address"),
    // Public by the registry, but on one large cloud the metadata service of every machine.
    ([168, 63, 129, 16], 32, "a metadata service"),
    ([169, 254, 0, 0], 16, "a link-local address"),
    ([172, 16, 0, 0], 12, "a private address"),
    ([192, 0, 0, 0], 24, "a reserved address"),
    ([192, 0, 2, 0], 24, "a documentation address"),
    ([192, 88, 99, 0], 24, "a 6to4 relay"),
    ([192, 168, 0, 0], 16, "a private address"),
    ([198, 18, 0, 0], 15, "a benchmarking address"),
    ([198, 51, 100, 0], 24, "a documentation address"),
    ([203, 0, 113, 0], 24, "a documentation address"),
    ([224, 0, 0, 0], 4, "a multicast address"),
    ([240, 0, 0, 0], 4, "a reserved address"),
    ([255, 255, 255, 255], 32, "the broadcast address"),
];

/// Within 2000::/3, the parts that are special: the first two groups, the prefix, and what it is.
const REFUSED_IPV6: [(u16, u16, u32, &str); 4] = [
    // Teredo, benchmarking and ORCHID lie in here.
    (0x2001, 0, 23, "a protocol's own address"),
    (0x2001, 0x0db8, 32, "a documentation address"),
    // Holds an IPv4 address that a relay would dial.
    (0x2002, 0, 16, "a 6to4 address"),
    (0x3fff, 0, 20, "a documentation address"),
];

/// The networks that may be opened: those for private use (RFC 1918, RFC 6598 and RFC 4193).
const PRIVATE: [IpNet; 5] = [
    net4([10, 0, 0, 0], 8),
    net4([100, 64, 0, 0], 10),
    net4([172, 16, 0, 0], 12),
    net4([192, 168, 0, 0], 16),
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7)),
];

const fn net4([a, b, c, d]: [u8; 4], prefix: u8) -> IpNet {
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix))
}

/// The networks for private use in which upstreams may be, such as the operator's own VPC.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PrivateNetworks(Vec<IpNet>);

impl PrivateNetworks {
    /// These and some loopback addresses, which no text can name: for local mode, where loopback as a whole
    /// stays closed.
    #[must_use]
    pub fn and_loopback(mut self, addresses: &[IpAddr]) -> Self {
        self.0.extend(
            addresses.iter().filter(|address| address.is_loopback()).map(|address| IpNet::from(*address)),
        );
        self
    }
}

/// A list of networks that cannot be taken.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworksError {
    #[error("{0:?} is not a network such as 10.1.0.0/16")]
    Malformed(String),
    #[error("{0} does not lie within 10.0.0.0/8, 100.64.0.0/10, 172.16.0.0/12, 192.168.0.0/16 or fc00::/7")]
    NotPrivate(IpNet),
}

/// Networks with commas between them; an empty text names none.
impl FromStr for PrivateNetworks {
    type Err = NetworksError;

    fn from_str(text: &str) -> Result<Self, NetworksError> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let network = |part: &str| {
            let network: IpNet = part.parse().map_err(|_| NetworksError::Malformed(part.to_owned()))?;
            let private = PRIVATE.iter().any(|private| private.contains(&network));
            // On AWS this one network within fc00::/7 is the metadata service's and its like.
            let link = |service: &IpNet| service.contains(&network) || network.contains(service);
            if private && !link(&AWS_SERVICES) {
                Ok(network)
            } else {
                Err(NetworksError::NotPrivate(network))
            }
        };
        parts.map(network).collect::<Result<_, _>>().map(Self)
    }
}

/// Where `fd00:ec2::254`, the metadata service, is, and what else AWS offers an instance alone.
const AWS_SERVICES: IpNet =
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0), 32));

/// Whether `address` may be dialled.
///
/// # Errors
/// What the address is, in words, where it may not.
pub(super) fn check(
    address: IpAddr,
    allow_loopback: bool,
    networks: &PrivateNetworks,
) -> Result<(), &'static str> {
    if allow_loopback && address.is_loopback() || networks.0.iter().any(|network| network.contains(&address))
    {
        return Ok(());
    }
    let refused = match address {
        IpAddr::V4(address) => refused_ipv4(address),
        IpAddr::V6(address) => refused_ipv6(address),
    };
    refused.map_or(Ok(()), Err)
}

fn refused_ipv4(address: Ipv4Addr) -> Option<&'static str> {
    let bits = address.to_bits();
    REFUSED_IPV4
        .iter()
        .find(|(network, prefix, _)| {
            bits >> (32 - prefix) == Ipv4Addr::from(*network).to_bits() >> (32 - prefix)
        })
        .map(|(_, _, what)| *what)
}

fn refused_ipv6(address: Ipv6Addr) -> Option<&'static str> {
    let [first, second, ..] = address.segments();
    if first & 0xe000 != 0x2000 {
        return Some(if address.is_loopback() { "a loopback address" } else { "no global unicast address" });
    }
    let bits = u32::from(first) << 16 | u32::from(second);
    REFUSED_IPV6
        .iter()
        .find(|(one, two, prefix, _)| {
            bits >> (32 - prefix) == (u32::from(*one) << 16 | u32::from(*two)) >> (32 - prefix)
        })
        .map(|(_, _, _, what)| *what)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refused(address: &str) -> bool {
        check(address.parse().unwrap(), false, &PrivateNetworks::default()).is_err()
    }

    #[test]
    fn special_addresses_are_refused_at_both_ends_of_their_range() {
        for address in [
            "0.0.0.0",
            "0.255.255.255",
            "10.0.0.0",
            "10.255.255.255",
            "100.64.0.0",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.255",
            "168.63.129.16",
            "169.254.0.1",
            "169.254.169.254",
            "172.16.0.0",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "192.168.255.255",
            "198.18.0.0",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::8.8.8.8",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:0:1::1",
            "2001:2::1",
            "2001:10::1",
            "2001:20::1",
            "2001:1ff:ffff::",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "3fff:fff:ffff::",
            "4000::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(refused(address), "{address}");
        }
    }

    #[test]
    fn public_addresses_pass_up_to_the_edge_of_each_range() {
        for address in [
            "1.0.0.0",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "168.63.129.15",
            "168.63.129.17",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.0.3.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "203.0.112.255",
            "223.255.255.255",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2003::1",
            "2606:4700::1111",
            "2a00::1",
            "3ffe::1",
            "3fff:1000::1",
        ] {
            assert!(!refused(address), "{address}");
        }
    }

    #[test]
    fn loopback_passes_only_where_allowed_and_never_in_disguise() {
        let none = PrivateNetworks::default();
        let with = |address: &str| check(address.parse().unwrap(), true, &none);
        assert!(with("127.0.0.1").is_ok() && with("127.8.9.10").is_ok() && with("::1").is_ok());
        for address in
            ["::ffff:127.0.0.1", "::127.0.0.1", "10.0.0.1", "169.254.169.254", "fe80::1", "0.0.0.0"]
        {
            assert!(with(address).is_err(), "{address}");
        }
    }

    #[test]
    fn chosen_loopback_addresses_pass_and_no_others() {
        let chosen = ["127.0.0.7", "::1", "10.0.0.1"].map(|address| address.parse().unwrap());
        let networks = PrivateNetworks::default().and_loopback(&chosen);
        let passes = |address: &str| check(address.parse().unwrap(), false, &networks).is_ok();
        assert!(passes("127.0.0.7") && passes("::1"));
        for address in ["127.0.0.1", "127.0.0.6", "10.0.0.1", "::", "::ffff:127.0.0.7"] {
            assert!(!passes(address), "{address}");
        }
    }

    #[test]
    fn private_networks_pass_where_named_and_nothing_beside_them() {
        let networks: PrivateNetworks = "10.1.0.0/16, 172.17.0.1/32,fd12:3456::/32".parse().unwrap();
        let passes = |address: &str| check(address.parse().unwrap(), false, &networks).is_ok();
        for address in ["10.1.0.0", "10.1.255.255", "172.17.0.1", "fd12:3456::1", "8.8.8.8"] {
            assert!(passes(address), "{address}");
        }
        for address in [
            "10.0.255.255",
            "10.2.0.0",
            "172.17.0.2",
            "127.0.0.1",
            "::1",
            "::ffff:10.1.0.1",
            "169.254.169.254",
        ] {
            assert!(!passes(address), "{address}");
        }
        assert_eq!(" , ".parse::<PrivateNetworks>(), Ok(PrivateNetworks::default()));
    }

    #[test]
    fn only_networks_for_private_use_can_be_named() {
        for network in [
            "127.0.0.0/8",
            "127.0.0.1/32",
            "169.254.169.254/32",
            "169.254.0.0/16",
            "0.0.0.0/0",
            "10.0.0.0/7",
            "8.8.8.0/24",
            "::/0",
            "::1/128",
            "fe80::/10",
            "fc00::/6",
            "fc00::/7",
            "fd00:ec2::/32",
            "fd00:ec2::254/128",
            "fd00::/16",
            "::ffff:10.0.0.0/104",
        ] {
            let refused = network.parse::<PrivateNetworks>();
            assert!(matches!(refused, Err(NetworksError::NotPrivate(_))), "{network}: {refused:?}");
        }
        for text in ["10.0.0.0", "10.0.0.0/33", "vpc", "10.1.0.0/16;10.2.0.0/16"] {
            assert_eq!(text.parse::<PrivateNetworks>(), Err(NetworksError::Malformed(text.to_owned())));
        }
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_opens_nothing_special(text in "[0-9a-f.:/, ]{0,40}", bits in any::<u32>()) {
            if let Ok(networks) = text.parse::<PrivateNetworks>() {
                let address = Ipv4Addr::from_bits(bits);
                let opened = check(address.into(), false, &networks).is_ok() && refused_ipv4(address).is_some();
                prop_assert!(!opened || PRIVATE.iter().any(|private| private.contains(&IpAddr::V4(address))));
            }
        }

        #[test]
        fn what_the_standard_library_calls_special_is_refused(bits in any::<u32>()) {
            let address = Ipv4Addr::from_bits(bits);
            let special = address.is_private() || address.is_loopback() || address.is_link_local()
                || address.is_broadcast() || address.is_documentation() || address.is_multicast()
                || address.is_unspecified();
            prop_assert!(!special || refused_ipv4(address).is_some());
            prop_assert!(refused_ipv6(address.to_ipv6_mapped()).is_some());
            prop_assert!(refused_ipv6(address.to_ipv6_compatible()).is_some());
        }
    }
}
