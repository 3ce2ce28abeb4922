//! Which addresses a webhook may reach. A URL may come from someone who may configure a sink and nothing else, and a name
//! may resolve to anything: attune must not become a way into the network that it runs in.
//!
//! What counts is the address that is connected to. A name is resolved here, what is not allowed is left out, and the rest
//! is handed to the connector, which resolves nothing by itself; so a name that changes between the check and the
//! connection changes nothing. The nets are those of IANA's special-purpose registries
//! (<https://www.iana.org/assignments/iana-ipv4-special-registry>, and `-ipv6-`).

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use crate::error::Error;

/// Nets of IPv4 that are not the public internet.
const NOT_PUBLIC_V4: [&str; 17] = [
    "0.0.0.0/8",       // this network
    "10.0.0.0/8",      // private
    "100.64.0.0/10",   // shared by carriers
    "127.0.0.0/8",     // this host
    "169.254.0.0/16",  // link-local; metadata of clouds at .169.254
    "172.16.0.0/12",   // private
    "192.0.0.0/24",    // protocol assignments
    "192.0.2.0/24",    // documentation
    "192.31.196.0/24", // AS112
    "192.52.193.0/24", // AMT
    "192.88.99.0/24",  // relays of 6to4
    "192.168.0.0/16",  // private
    "192.175.48.0/24", // AS112
    "198.18.0.0/15",   // benchmarks
    "198.51.100.0/24", // documentation
    "203.0.113.0/24",  // documentation
    "224.0.0.0/3",     // multicast, reserved, broadcast
];

/// The part of IPv6 that is the public internet; the rest is local, multicast, translated (64:ff9b::/96) or unassigned.
const PUBLIC_V6: &str = "2000::/3";
/// Nets within it that are not.
const NOT_PUBLIC_V6: [&str; 4] = [
    "2001::/23",     // protocol assignments; Teredo, which holds an IPv4 address
    "2001:db8::/32", // documentation
    "2002::/16",     // 6to4, which holds an IPv4 address
    "3fff::/20",     // documentation
];

/// Which targets are allowed.
#[derive(Debug, Clone, Default)]
pub struct Targets {
    /// Whether plain HTTP is.
    pub insecure: bool,
    /// Nets that are not public and yet allowed.
    pub private: Vec<IpNet>,
}

impl Targets {
    /// Reads nets such as `10.0.0.0/8`. Error: `InvalidInput` with the one that is none.
    pub fn parse(insecure: bool, private: &[String]) -> Result<Self, Error> {
        let net = |text: &String| {
            let problem =
                format!("{text:?} is no network; expected one such as \"10.0.0.0/8\" or \"fd00::/8\"");
            text.parse().map_err(|_| Error::invalid("allow_private", problem))
        };
        Ok(Self { insecure, private: private.iter().map(net).collect::<Result<_, _>>()? })
    }

    /// The URL of a sink: HTTPS, or HTTP where that is allowed; no user and no password in it; an address that is written in
    /// it is one that is allowed. Error: `InvalidInput` without the URL, which may hold a secret.
    pub fn url(&self, text: &str) -> Result<Url, Error> {
        let wrong = |problem: &str| Err(Error::invalid("url", problem));
        let Ok(url) = Url::parse(text) else { return wrong("is not a URL such as https://example.com/hook") };
        match url.scheme() {
            "https" => {}
            "http" if self.insecure => {}
            "http" => return wrong("is plain HTTP: use https, or set allow_insecure = true"),
            _ => return wrong("begins with neither https:// nor http://"),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return wrong("holds a user or a password; put them into a header, as a secret");
        }
        let address = match url.host() {
            Some(Host::Ipv4(address)) => Some(address.into()),
            Some(Host::Ipv6(address)) => Some(address.into()),
            Some(Host::Domain(_)) => None,
            None => return wrong("names no host"),
        };
        match address {
            Some(address) if !self.allows(address) => {
                Err(Error::invalid("url", format!("{address} {NOT_ALLOWED}")))
            }
            _ => Ok(url),
        }
    }

    /// Whether it may be connected to.
    pub fn allows(&self, address: IpAddr) -> bool {
        let address = plain(address);
        is_public(address) || self.private.iter().any(|net| net.contains(&address))
    }
}

/// What is wrong with an address.
const NOT_ALLOWED: &str =
    "is not an address of the public internet; list its network in allow_private to allow it";

/// An IPv4 address that is written as one of IPv6 is the IPv4 address.
fn plain(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

/// Whether an address is one of the public internet.
pub fn is_public(address: IpAddr) -> bool {
    let within = |nets: &[&str]| nets.iter().any(|net| contains(net, address));
    match plain(address) {
        IpAddr::V4(v4) => !NOT_PUBLIC_V4.iter().any(|net| contains(net, v4.into())),
        IpAddr::V6(_) => contains(PUBLIC_V6, address) && !within(&NOT_PUBLIC_V6),
    }
}

/// `net` is one of the constants above; a test reads them all.
fn contains(net: &str, address: IpAddr) -> bool {
    net.parse::<IpNet>().is_ok_and(|net| net.contains(&address))
}

/// Resolves names and leaves out what is not allowed.
#[derive(Debug, Clone)]
pub struct Resolver {
    targets: Targets,
}

impl Resolver {
    /// Lets through what `targets` allow.
    pub fn new(targets: Targets) -> Self {
        Self { targets }
    }

    /// The addresses that are left, or why there are none.
    fn allowed(&self, found: impl Iterator<Item = SocketAddr>) -> Result<Vec<SocketAddr>, NotAllowed> {
        let allowed: Vec<SocketAddr> = found.filter(|address| self.targets.allows(address.ip())).collect();
        if allowed.is_empty() { Err(NotAllowed) } else { Ok(allowed) }
    }
}

/// A name leads nowhere that is allowed.
#[derive(Debug, thiserror::Error)]
#[error("the host's name leads to no address of the public internet, and to none of allow_private")]
pub struct NotAllowed;

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = self.clone();
        Box::pin(async move {
            // The port is the URL's; the connector puts it in.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed = resolver.allowed(found)?;
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
#[path = "target_tests.rs"]
mod tests;
