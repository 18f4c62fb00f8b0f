//! The network that a key is used from, as it is remembered.

use std::net::IpAddr;

use sha2::{Digest as _, Sha256};

/// A network's /24 (IPv4) or /48 (IPv6), as the first 32 bits of a digest: enough to tell two apart, and no address in
/// the counters. It is no secret: there are few networks, and whoever reads the table could try them all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network([u8; 4]);

impl Network {
    /// The network of an address. An IPv4 address in IPv6 form is taken as IPv4.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        let digest = match address.to_canonical() {
            IpAddr::V4(address) => Sha256::digest(&address.octets()[..3]),
            IpAddr::V6(address) => Sha256::digest(&address.octets()[..6]),
        };
        let whole: [u8; 32] = digest.into();
        let [a, b, c, d, ..] = whole;
        Self([a, b, c, d])
    }

    /// The bytes that are stored.
    #[must_use]
    pub const fn bytes(self) -> [u8; 4] {
        self.0
    }

    /// The network of stored bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(address: &str) -> Network {
        Network::of(address.parse().unwrap())
    }

    #[test]
    fn neighbours_are_one_network() {
        assert_eq!(of("192.0.2.1"), of("192.0.2.254"));
        assert_eq!(of("192.0.2.1"), of("::ffff:192.0.2.9"));
        assert_ne!(of("192.0.2.1"), of("192.0.3.1"));
        assert_eq!(of("2001:db8:1::1"), of("2001:db8:1:ffff::1"));
        assert_ne!(of("2001:db8:1::1"), of("2001:db8:2::1"));
    }
}
