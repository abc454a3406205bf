//! Sector identifiers: OpenID Connect Core §8.1.

use std::fmt;

use url::Url;

/// The host that stands for all clients among which a person has one pairwise `sub`, in lower case as URLs have it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Sector(String);

impl Sector {
    /// The host component, without a port. `None`: the URL has no host.
    pub fn of(url: &Url) -> Option<Self> {
        url.host_str().filter(|host| !host.is_empty()).map(|host| Self(host.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Sector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn core_8_1_a_sector_is_a_host_and_nothing_else() {
        let of = |text: &str| Sector::of(&Url::parse(text).unwrap()).map(|sector| sector.to_string());
        for (url, sector) in [
            ("https://App.Example/cb?a=1", Some("app.example")),
            ("https://app.example:8443/other", Some("app.example")),
            ("https://bücher.example/", Some("xn--bcher-kva.example")),
            ("https://[2001:DB8::1]/", Some("[2001:db8::1]")),
            ("com.example.app:/cb", None),
        ] {
            assert_eq!(of(url).as_deref(), sector, "{url}");
        }
    }
}
