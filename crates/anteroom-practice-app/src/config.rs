//! What makes one practice application of this crate: its name, its screen, and its place at the provider.

use std::str::FromStr;

use openidconnect::{ClientId, ClientSecret, IssuerUrl};
use url::Url;

#[derive(Clone, Debug)]
pub struct PracticeAppConfig {
    /// As the person reads it on the tile and here.
    pub name: String,
    pub screen: Screen,
    /// Compared as a string (Core 3.1.3.7), so it is kept as one: a parsed `Url` would add a slash.
    pub issuer: IssuerUrl,
    pub client_id: ClientId,
    pub client_secret: ClientSecret,
    /// The origin the browser sees, `http://127.0.0.1:PORT`. A path in it is not used.
    pub base_url: Url,
}

impl PracticeAppConfig {
    pub fn registration(&self) -> Registration {
        Registration::at(&self.base_url)
    }

    /// The home page with its origin, which is the one whose cookies count.
    pub(crate) fn home(&self) -> Url {
        at(&self.base_url, "/")
    }

    pub(crate) fn dashboard(&self) -> &str {
        self.issuer.as_str()
    }

    pub(crate) fn is_https(&self) -> bool {
        self.base_url.scheme() == "https"
    }
}

/// The addresses that the client must be registered with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Registration {
    pub redirect_uri: Url,
    pub post_logout_redirect_uri: Url,
    pub backchannel_logout_uri: Url,
    pub frontchannel_logout_uri: Url,
    pub initiate_login_uri: Url,
}

impl Registration {
    pub fn at(base_url: &Url) -> Self {
        Self {
            redirect_uri: at(base_url, "/callback"),
            post_logout_redirect_uri: at(base_url, "/signed-out"),
            backchannel_logout_uri: at(base_url, "/backchannel-logout"),
            frontchannel_logout_uri: at(base_url, "/frontchannel-logout"),
            initiate_login_uri: at(base_url, "/initiate-login"),
        }
    }
}

fn at(base_url: &Url, path: &str) -> Url {
    let mut url = base_url.clone();
    url.set_path(path);
    url.set_query(None);
    url.set_fragment(None);
    url
}

/// Which of the practice's applications this is: it decides icon, colour, sample screen and scopes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Screen {
    Schedule,
    PatientForms,
    SecureMail,
    Imaging,
    Analytics,
}

impl Screen {
    pub const ALL: [Self; 5] =
        [Self::Schedule, Self::PatientForms, Self::SecureMail, Self::Imaging, Self::Analytics];

    pub const fn slug(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::PatientForms => "patient-forms",
            Self::SecureMail => "secure-mail",
            Self::Imaging => "imaging",
            Self::Analytics => "analytics",
        }
    }

    /// The scopes asked for beside `openid`. Forms print the number to call back, the others have no use for it.
    pub const fn scopes(self) -> &'static [&'static str] {
        match self {
            Self::PatientForms => &["profile", "email", "groups", "phone"],
            _ => &["profile", "email", "groups"],
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("`{0}` is none of the practice's applications")]
pub struct UnknownSlug(String);

impl FromStr for Screen {
    type Err = UnknownSlug;

    fn from_str(slug: &str) -> Result<Self, UnknownSlug> {
        Self::ALL.into_iter().find(|screen| screen.slug() == slug).ok_or_else(|| UnknownSlug(slug.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slug_parses_back() {
        for screen in Screen::ALL {
            assert_eq!(screen.slug().parse::<Screen>().unwrap(), screen);
        }
        assert!("billing".parse::<Screen>().is_err());
    }

    #[test]
    fn registration_is_built_on_the_origin_alone() {
        let registration = Registration::at(&Url::parse("http://127.0.0.1:4711/ignored?q#f").unwrap());
        assert_eq!(registration.redirect_uri.as_str(), "http://127.0.0.1:4711/callback");
        assert_eq!(registration.post_logout_redirect_uri.as_str(), "http://127.0.0.1:4711/signed-out");
        assert_eq!(registration.backchannel_logout_uri.as_str(), "http://127.0.0.1:4711/backchannel-logout");
        assert_eq!(
            registration.frontchannel_logout_uri.as_str(),
            "http://127.0.0.1:4711/frontchannel-logout"
        );
        assert_eq!(registration.initiate_login_uri.as_str(), "http://127.0.0.1:4711/initiate-login");
    }
}
