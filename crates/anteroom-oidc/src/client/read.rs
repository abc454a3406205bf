//! Reading one value at a time, noting what is wrong and going on.

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde_json::Value;
use url::Url;

use super::{MetadataError, MetadataProblem, MetadataRules};
use crate::{
    display_text::is_displayable_name,
    keys::ClientJwks,
    protocol_values::{Acr, InvalidValue, RedirectUri, ScopeSet, is_loopback_host, is_plain_host},
};

pub(super) struct Reader<'a> {
    pub(super) rules: MetadataRules<'a>,
    pub(super) errors: Vec<MetadataError>,
}

impl Reader<'_> {
    pub(super) fn enum_value<T>(
        &mut self,
        parameter: &'static str,
        text: Option<&String>,
        offered: &[T],
    ) -> Option<T>
    where
        T: Copy + PartialEq + fmt::Display + FromStr<Err = InvalidValue>,
    {
        let text = text?;
        match text.parse::<T>() {
            Ok(value) if offered.contains(&value) => Some(value),
            Ok(_) | Err(_) => {
                let offered = offered.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                let problem = MetadataProblem::NotOffered { received: text.clone(), offered };
                self.errors.push(MetadataError::new(parameter, text, problem));
                None
            }
        }
    }

    pub(super) fn listed<T>(
        &mut self,
        parameter: &'static str,
        texts: &[String],
        offered: &[T],
    ) -> BTreeSet<T>
    where
        T: Copy + Ord + fmt::Display + FromStr<Err = InvalidValue>,
    {
        let mut words = BTreeSet::new();
        for (i, text) in texts.iter().enumerate() {
            let errors_before = self.errors.len();
            words.extend(self.enum_value(parameter, Some(text), offered));
            for error in self.errors.iter_mut().skip(errors_before) {
                error.index = Some(i);
            }
        }
        words
    }

    pub(super) fn redirect_uris(&mut self, parameter: &'static str, texts: &[String]) -> Vec<RedirectUri> {
        let mut uris = Vec::with_capacity(texts.len());
        for (i, text) in texts.iter().enumerate() {
            match RedirectUri::parse(text) {
                Ok(uri) if uris.contains(&uri) => self
                    .errors
                    .push(MetadataError::new(parameter, text, MetadataProblem::Twice(text.clone())).at(i)),
                Ok(uri) => uris.push(uri),
                Err(error) => self.errors.push(MetadataError::new(parameter, text, error).at(i)),
            }
        }
        uris
    }

    pub(super) fn jwks(&mut self, document: Option<&Value>) -> Option<ClientJwks> {
        match ClientJwks::parse(document?) {
            Ok(keys) => Some(keys),
            Err(error) => {
                self.errors.push(MetadataError::new("jwks", "", error));
                None
            }
        }
    }

    pub(super) fn scope(&mut self, text: Option<&String>) -> ScopeSet {
        let Some(text) = text else { return self.rules.scope.clone() };
        text.parse().unwrap_or_else(|error: InvalidValue| {
            self.errors.push(MetadataError::new("scope", text, error));
            ScopeSet::default()
        })
    }

    pub(super) fn acr_values(&mut self, texts: &[String]) -> Vec<Acr> {
        let mut values = Vec::with_capacity(texts.len());
        for (i, text) in texts.iter().enumerate() {
            match text.parse() {
                Ok(acr) => values.push(acr),
                Err(error) => {
                    let error: InvalidValue = error;
                    self.errors.push(MetadataError::new("default_acr_values", text, error).at(i));
                }
            }
        }
        values
    }

    pub(super) fn audience(&mut self, texts: &[String]) -> Vec<String> {
        for (i, text) in texts.iter().enumerate() {
            if text.is_empty() || text.len() > 255 {
                let problem = MetadataProblem::Length { max: 255 };
                self.errors.push(MetadataError::new("audience", text, problem).at(i));
            }
        }
        let mut audience: Vec<String> = Vec::new();
        for text in texts {
            if !audience.contains(text) {
                audience.push(text.clone());
            }
        }
        audience
    }

    pub(super) fn label(&mut self, parameter: &'static str, text: Option<&String>) -> Option<String> {
        const MAX: usize = 100;
        let text = text?.trim();
        if text.is_empty() || text.chars().count() > MAX {
            self.errors.push(MetadataError::new(parameter, text, MetadataProblem::Length { max: MAX }));
        }
        if !text.is_empty() && !is_displayable_name(text) {
            self.errors.push(MetadataError::new(parameter, text, MetadataProblem::Unprintable));
        }
        Some(text.to_owned())
    }

    pub(super) fn seconds(&mut self, parameter: &'static str, seconds: Option<i64>) -> Option<u32> {
        let seconds = seconds?;
        let parsed = u32::try_from(seconds).ok();
        if parsed.is_none() {
            self.errors.push(MetadataError::new(
                parameter,
                &seconds.to_string(),
                MetadataProblem::OutOfRange,
            ));
        }
        parsed
    }

    /// OpenID Connect Core §6.2: like other addresses, but a fragment may say which version is meant.
    pub(super) fn request_uris(&mut self, texts: &[String]) -> Vec<Url> {
        let mut urls = Vec::with_capacity(texts.len());
        for (i, text) in texts.iter().enumerate() {
            if let Some(url) = Url::parse(text).ok().filter(|url| self.is_secure(url)) {
                urls.push(url);
            } else {
                let problem = MetadataProblem::NotHttps(text.clone());
                self.errors.push(MetadataError::new("request_uris", text, problem).at(i));
            }
        }
        urls
    }

    fn is_secure(&self, url: &Url) -> bool {
        let secure = url.scheme() == "https"
            || (self.rules.issuer.is_loopback_http()
                && url.scheme() == "http"
                && url.host().is_some_and(|host| is_loopback_host(&host)));
        let plain = url.host().is_some_and(|host| is_plain_host(&host));
        secure && plain && url.username().is_empty() && url.password().is_none()
    }

    pub(super) fn https(&mut self, parameter: &'static str, text: Option<&String>) -> Option<Url> {
        let text = text?;
        let url = Url::parse(text).ok().filter(|url| self.is_secure(url) && url.fragment().is_none());
        if url.is_none() {
            self.errors.push(MetadataError::new(parameter, text, MetadataProblem::NotHttps(text.clone())));
        }
        url
    }
}
