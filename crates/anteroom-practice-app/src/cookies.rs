//! The three cookies, all HttpOnly and SameSite=Lax.
//!
//! Cookies do not know ports, and all of the practice's applications run on 127.0.0.1 in the demo, so each name
//! carries the slug of its application; otherwise signing in to one would sign out of another.

use axum::http::{HeaderMap, HeaderValue, header};
use cookie::time::Duration;
use cookie::{Cookie, SameSite};

use crate::config::PracticeAppConfig;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum AppCookie {
    /// Names the session.
    Session,
    /// Names the browser, so that a sign-in ends where it began.
    Browser,
    /// The `state` of a sign-out on its way through the provider.
    SignOut,
}

impl AppCookie {
    fn name(self, config: &PracticeAppConfig) -> String {
        let prefix = if config.is_https() { "__Host-" } else { "" };
        let purpose = match self {
            Self::Session => "session",
            Self::Browser => "browser",
            Self::SignOut => "sign_out",
        };
        format!("{prefix}practice_{}_{purpose}", config.screen.slug())
    }

    /// The session's cookie goes with the browser; the others outlive a restart of it by their purpose.
    const fn max_age(self) -> Option<Duration> {
        match self {
            Self::Session => None,
            Self::Browser => Some(Duration::hours(crate::sign_ins::LIFETIME.as_hours())),
            Self::SignOut => Some(Duration::minutes(10)),
        }
    }

    pub(crate) fn read(self, config: &PracticeAppConfig, headers: &HeaderMap) -> Option<String> {
        let name = self.name(config);
        headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(Cookie::split_parse)
            .filter_map(Result::ok)
            .find(|cookie| cookie.name() == name)
            .map(|cookie| cookie.value().to_owned())
    }

    pub(crate) fn set(self, config: &PracticeAppConfig, value: &str) -> SetCookie {
        let mut cookie = self.blank(config, value);
        cookie.set_max_age(self.max_age());
        SetCookie(cookie)
    }

    pub(crate) fn clear(self, config: &PracticeAppConfig) -> SetCookie {
        let mut cookie = self.blank(config, "");
        cookie.make_removal();
        SetCookie(cookie)
    }

    fn blank(self, config: &PracticeAppConfig, value: &str) -> Cookie<'static> {
        Cookie::build((self.name(config), value.to_owned()))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(config.is_https())
            .build()
    }
}

pub(crate) struct SetCookie(Cookie<'static>);

impl SetCookie {
    pub(crate) fn append_to(&self, headers: &mut HeaderMap) {
        // Names and values are ours and plain ASCII, so this always holds.
        if let Ok(value) = HeaderValue::from_str(&self.0.to_string()) {
            headers.append(header::SET_COOKIE, value);
        }
    }
}
