//! Where a hub is, and the addresses of what it has.

use url::{Host, Url};

use super::reference::Reference;
use crate::error::Error;

/// The address of a hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    url: Url,
}

impl Endpoint {
    /// The hub that is meant when none is named.
    pub const DEFAULT: &str = "https://huggingface.co";
    /// The variable that names another one.
    pub const VARIABLE: &str = "HF_ENDPOINT";

    /// Reads `https://host`, with a port or a path if need be; `http` too, where no token goes along. Error: `InvalidInput`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let wrong = || {
            let expected = "expected the URL of a hub, such as https://huggingface.co, without a name, a password or a query";
            Error::invalid(Self::VARIABLE, expected)
        };
        let url = Url::parse(text.trim()).map_err(|_| wrong())?;
        let plain = url.username().is_empty() && url.password().is_none();
        let bare = url.query().is_none() && url.fragment().is_none();
        let web = ["https", "http"].contains(&url.scheme()) && url.has_host();
        if plain && bare && web { Ok(Self { url }) } else { Err(wrong()) }
    }

    /// The host, for messages.
    pub(super) fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// The address without a slash at its end.
    pub(super) fn shown(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }

    /// Whether others on the way could read what is sent.
    pub(super) fn is_open(&self) -> bool {
        self.url.scheme() == "http" && !self.is_loopback()
    }

    /// Whether it is on this machine.
    pub(super) fn is_loopback(&self) -> bool {
        match self.url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    }

    /// Whether a URL is the hub's own: same scheme, host and port.
    pub(super) fn is_home(&self, url: &Url) -> bool {
        self.url.origin() == url.origin()
    }

    /// What a revision holds, with sizes and checksums.
    pub(super) fn listing(&self, reference: &Reference) -> Url {
        let parts = ["api", "models", reference.owner(), reference.name(), "revision", reference.revision()];
        let mut url = self.below(parts);
        url.set_query(Some("blobs=true"));
        url
    }

    /// A file of a commit.
    pub(super) fn file(&self, reference: &Reference, commit: &str, name: &str) -> Url {
        let place = [reference.owner(), reference.name(), "resolve", commit];
        self.below(place.into_iter().chain(name.split('/')))
    }

    /// Each part becomes one segment: a slash in it is quoted.
    fn below<'a>(&self, parts: impl IntoIterator<Item = &'a str>) -> Url {
        let mut url = self.url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(parts);
        }
        url
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_made_of_the_hub_and_quoted_parts() {
        let reference = Reference::parse("hf://acme/mood@refs/pr/1").unwrap();
        for (hub, listing, file) in [
            (
                "https://hub.test",
                "https://hub.test/api/models/acme/mood/revision/refs%2Fpr%2F1?blobs=true",
                "https://hub.test/acme/mood/resolve/c0ffee/onnx/model.onnx",
            ),
            (
                "http://127.0.0.1:8080/mirror/",
                "http://127.0.0.1:8080/mirror/api/models/acme/mood/revision/refs%2Fpr%2F1?blobs=true",
                "http://127.0.0.1:8080/mirror/acme/mood/resolve/c0ffee/onnx/model.onnx",
            ),
        ] {
            let hub = Endpoint::parse(hub).unwrap();
            assert_eq!(hub.listing(&reference).as_str(), listing);
            assert_eq!(hub.file(&reference, "c0ffee", "onnx/model.onnx").as_str(), file);
        }
    }

    #[test]
    fn home_is_the_same_scheme_host_and_port() {
        let hub = Endpoint::parse("https://hub.test").unwrap();
        for (url, home) in [
            ("https://hub.test/other", true),
            ("https://hub.test:443/", true),
            ("https://hub.test:444/", false),
            ("http://hub.test/", false),
            ("https://cdn.hub.test/", false),
            ("https://hub.test.evil/", false),
        ] {
            assert_eq!(hub.is_home(&Url::parse(url).unwrap()), home, "{url}");
        }
    }

    #[test]
    fn an_address_that_is_none_of_a_hub_is_refused_and_a_password_in_it_is_not_repeated() {
        for text in
            ["", "hub.test", "ftp://hub.test", "https://a:canary@hub.test", "https://hub.test?canary=1"]
        {
            let error = Endpoint::parse(text).unwrap_err().told();
            assert!(error.contains("HF_ENDPOINT") && !error.contains("canary"), "{text}: {error}");
        }
    }

    #[test]
    fn only_plain_http_beyond_this_machine_is_open_to_others() {
        for (text, open) in [
            ("https://hub.test", false),
            ("http://hub.test", true),
            ("http://localhost:1", false),
            ("http://127.0.0.1:1", false),
            ("http://[::1]:1", false),
            ("http://10.0.0.1", true),
        ] {
            assert_eq!(Endpoint::parse(text).unwrap().is_open(), open, "{text}");
        }
    }
}
