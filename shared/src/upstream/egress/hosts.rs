//! Which hosts a definition may call.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// One host that a definition lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllowedHost {
    /// A name or an address literal; matched whole, no wildcards.
    pub host: String,
    /// The port; `None` stands for the default port of the URL's scheme and no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
}

/// The list of a definition, in the form that URLs are compared with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedHosts(Vec<(Host, Option<u16>)>);

impl AllowedHosts {
    /// The list. An entry that is no host matches nothing.
    #[must_use]
    pub fn new(hosts: &[AllowedHost]) -> Self {
        Self(hosts.iter().filter_map(|allowed| Some((parse_host(&allowed.host)?, allowed.port))).collect())
    }

    /// The list without the domain that a request came to the gateway by, as `host` (every port) or `host:port`: a
    /// deployed gateway cannot know its own address in any other way.
    #[must_use]
    pub fn beside(mut self, domain: Option<&str>) -> Self {
        if let Some(domain) = domain {
            let own = OwnHosts::new(&[domain.to_owned()]);
            self.0.retain(|(host, port)| !own.lists(host, *port));
        }
        self
    }

    /// Whether `url` is at a listed host and port.
    #[must_use]
    pub fn allows(&self, url: &Url) -> bool {
        let Some(host) = url.host() else { return false };
        // `Url::port` is `None` exactly where the port is the scheme's default.
        let (given, effective) = (url.port(), url.port_or_known_default());
        self.0.iter().any(|(listed, port)| {
            same_host(listed, &host)
                && match port {
                    None => given.is_none(),
                    Some(port) => effective == Some(*port),
                }
        })
    }
}

/// The gateway's own hosts, as the operator's configuration and local mode name them.
#[derive(Clone, Debug, Default)]
pub(super) struct OwnHosts(Vec<(Host, Option<u16>)>);

impl OwnHosts {
    /// From `host` (every port) or `host:port`.
    pub fn new(hosts: &[String]) -> Self {
        let parse = |text: &String| {
            if let Some(host) = parse_host(text) {
                return Some((host, None));
            }
            let (host, port) = text.rsplit_once(':')?;
            Some((parse_host(host)?, Some(port.parse().ok()?)))
        };
        Self(hosts.iter().filter_map(parse).collect())
    }

    /// Whether `url` names the gateway.
    pub fn named_by(&self, url: &Url) -> bool {
        let Some(host) = url.host() else { return false };
        // The same name with the root's dot is the same host.
        let host = match host {
            Host::Domain(name) => Host::Domain(name.strip_suffix('.').unwrap_or(name)),
            address => address,
        };
        self.0.iter().any(|(own, port)| {
            same_host(own, &host) && port.is_none_or(|port| url.port_or_known_default() == Some(port))
        })
    }

    /// Whether a definition's entry names the gateway.
    fn lists(&self, host: &Host, port: Option<u16>) -> bool {
        let schemes = ["https", "http"].into_iter();
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        schemes
            .filter_map(|scheme| Url::parse(&format!("{scheme}://{host}{port}/")).ok())
            .any(|url| self.named_by(&url))
    }

    /// Whether the gateway is at `address`: it listens on loopback under every name and address of it.
    pub fn at(&self, address: SocketAddr) -> bool {
        self.0.iter().any(|(own, port)| {
            let own = match own {
                Host::Ipv4(own) => IpAddr::V4(*own),
                Host::Ipv6(own) => IpAddr::V6(*own),
                Host::Domain(_) => return false,
            };
            let same = own == address.ip() || (own.is_loopback() && address.ip().is_loopback());
            same && port.is_none_or(|port| port == address.port())
        })
    }
}

/// A host as URLs write it: IDNA to ASCII, lower case, every spelling of an IPv4 address the same. An IPv6
/// address may stand without its brackets.
fn parse_host(text: &str) -> Option<Host> {
    if let Ok(address) = text.parse() {
        return Some(Host::Ipv6(address));
    }
    Host::parse(text).ok()
}

/// Whether `own` and `other` name one host.
fn same_host(own: &Host, other: &Host<&str>) -> bool {
    match (own, other) {
        (Host::Domain(own), Host::Domain(other)) => own == other,
        (Host::Ipv4(own), Host::Ipv4(other)) => own == other,
        (Host::Ipv6(own), Host::Ipv6(other)) => own == other,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_domain_of_the_request_is_no_upstream() {
        let listed = |host: &str, port| AllowedHost { host: host.to_owned(), port };
        let hosts = [
            listed("a1.execute-api.eu-west-1.amazonaws.com", None),
            listed("A1.execute-api.eu-west-1.amazonaws.com.", None),
            listed("127.0.0.1", Some(3000)),
            listed("mail.example.com", None),
        ];
        let allows = |domain: Option<&str>, url: &str| {
            AllowedHosts::new(&hosts).beside(domain).allows(&Url::parse(url).unwrap())
        };
        let own = Some("a1.execute-api.eu-west-1.amazonaws.com");
        assert!(!allows(own, "https://a1.execute-api.eu-west-1.amazonaws.com/api"));
        assert!(!allows(own, "https://a1.execute-api.eu-west-1.amazonaws.com./api"));
        assert!(allows(own, "https://mail.example.com/") && allows(own, "http://127.0.0.1:3000/"));
        assert!(!allows(Some("127.0.0.1:3000"), "http://127.0.0.1:3000/"));
        assert!(allows(Some("127.0.0.1:4000"), "http://127.0.0.1:3000/"));
        for domain in [None, Some(""), Some("no host"), Some("localhost")] {
            assert!(allows(domain, "https://a1.execute-api.eu-west-1.amazonaws.com/"), "{domain:?}");
        }
    }

    fn hosts(list: &[(&str, Option<u16>)]) -> AllowedHosts {
        let list: Vec<_> =
            list.iter().map(|(host, port)| AllowedHost { host: (*host).into(), port: *port }).collect();
        AllowedHosts::new(&list)
    }

    #[test]
    fn a_host_is_matched_whole_and_without_a_port_only_at_its_schemes_own() {
        let hosts = hosts(&[("Mail.Example.com", None), ("127.0.0.1", Some(8080)), ("::1", Some(80))]);
        for (url, allowed) in [
            ("https://mail.example.com/x", true),
            ("http://mail.example.com/", true),
            ("https://mail.example.com:443/", true),
            ("https://mail.example.com:80/", false),
            ("https://mail.example.com:8443/", false),
            ("https://mail.example.com./", false),
            ("https://evil.mail.example.com/", false),
            ("https://xmail.example.com/", false),
            ("https://mail.example.com.evil.test/", false),
            ("https://mail.example.com@evil.test/", false),
            ("http://127.0.0.1:8080/", true),
            ("http://2130706433:8080/", true),
            ("http://0x7f.1:8080/", true),
            ("http://127.0.0.1/", false),
            ("http://[::1]/", true),
            ("https://[::1]/", false),
        ] {
            assert_eq!(hosts.allows(&Url::parse(url).unwrap()), allowed, "{url}");
        }
    }

    #[test]
    fn an_entry_that_is_no_host_matches_nothing() {
        let hosts = hosts(&[("", None), ("*.example.com", None), ("a b", None), ("x/y", None)]);
        assert!(!hosts.allows(&Url::parse("https://a.example.com/").unwrap()));
    }

    #[test]
    fn the_gateway_knows_itself_by_name_and_by_address() {
        let own = OwnHosts::new(&["Gate.example.com".into(), "127.0.0.1:3000".into(), "[::1]:4000".into()]);
        let named = |url: &str| own.named_by(&Url::parse(url).unwrap());
        assert!(named("https://gate.example.com/") && named("https://gate.example.com.:8443/"));
        assert!(named("http://127.1:3000/") && named("http://[::1]:4000/"));
        assert!(!named("http://127.0.0.1:3001/") && !named("https://example.com/"));
        for (address, expected) in [
            ("127.0.0.1:3000", true),
            ("[::1]:3000", true),
            ("127.0.0.2:4000", true),
            ("127.0.0.1:3001", false),
        ] {
            assert_eq!(own.at(address.parse().unwrap()), expected, "{address}");
        }
    }
}
