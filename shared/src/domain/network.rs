//! The networks that a key may be used from.

use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// Networks in CIDR form (RFC 4632, RFC 4291 section 2.3); a bare address is a network of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// The most networks that one key may name.
    pub const MOST: usize = 50;

    /// The networks of these texts; `Err` holds the position of the first that is none.
    ///
    /// # Errors
    /// The position of the first text that is no network.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, usize> {
        let parse = |text: &str| {
            IpNet::from_str(text).or_else(|_| IpAddr::from_str(text).map(IpNet::from)).map(|net| net.trunc())
        };
        texts
            .into_iter()
            .enumerate()
            .map(|(position, text)| parse(text).map_err(|_| position))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether `address` is in one of them. An IPv4 address in IPv6 form is taken as IPv4.
    #[must_use]
    pub fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|net| net.contains(&address))
    }

    /// Whether each network of `other` lies within one of these.
    #[must_use]
    pub fn cover(&self, other: &Self) -> bool {
        other.0.iter().all(|theirs| self.0.iter().any(|ours| ours.contains(theirs)))
    }

    /// Whether no network is named at all.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_are_found_in_their_networks() {
        let networks = Networks::parse(["10.0.0.0/8", "2001:db8::/32", "192.0.2.7"]).unwrap();
        assert!(networks.contain("10.1.2.3".parse().unwrap()));
        assert!(networks.contain("::ffff:10.1.2.3".parse().unwrap()));
        assert!(networks.contain("192.0.2.7".parse().unwrap()));
        assert!(!networks.contain("192.0.2.8".parse().unwrap()));
        assert!(networks.cover(&Networks::parse(["10.2.0.0/16"]).unwrap()));
        assert!(!networks.cover(&Networks::parse(["0.0.0.0/0"]).unwrap()));
        assert_eq!(Networks::parse(["10.0.0.0/8", "nonsense"]), Err(1));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,50}") {
            let _ = Networks::parse([text.as_str()]);
        }
    }
}
