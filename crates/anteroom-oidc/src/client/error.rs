use std::fmt;

use thiserror::Error;

use crate::{
    display_text::shorten,
    errors::RegistrationErrorCode,
    keys::ClientJwksError,
    protocol_values::{InvalidValue, RedirectUriError},
};

/// One thing that is wrong with a client's metadata.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{parameter}: {problem}")]
pub struct MetadataError {
    /// The parameter's registered name, which is also its key in TOML.
    pub parameter: &'static str,
    /// Which element, where the parameter is a list.
    pub index: Option<usize>,
    pub received: String,
    pub problem: MetadataProblem,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MetadataProblem {
    #[error(transparent)]
    InvalidValue(#[from] InvalidValue),
    #[error(transparent)]
    RedirectUri(#[from] RedirectUriError),
    #[error("{received:?} is not offered here; one of: {offered}")]
    NotOffered { received: String, offered: String },
    #[error("{0}")]
    Conflict(&'static str),
    #[error(
        "{0:?} is not an https URL without fragment (http is accepted on a loopback address while the issuer is itself \
         http on loopback)"
    )]
    NotHttps(String),
    #[error("{0}")]
    Jwks(#[from] ClientJwksError),
    #[error("{0:?} is given twice")]
    Twice(String),
    #[error("must have 1 to {max} characters")]
    Length { max: usize },
    #[error(
        "must have a visible character and no invisible ones (control characters, zero-width characters, \
         text-direction characters)"
    )]
    Unprintable,
    #[error("must not be negative or beyond {}", u32::MAX)]
    OutOfRange,
}

impl MetadataError {
    pub(super) fn new(parameter: &'static str, received: &str, problem: impl Into<MetadataProblem>) -> Self {
        Self { parameter, index: None, received: shorten(received), problem: problem.into() }
    }

    /// RFC 7591 §3.2.2: how a registration request with this in it is refused.
    pub fn code(&self) -> RegistrationErrorCode {
        match self.parameter {
            "redirect_uris" => RegistrationErrorCode::InvalidRedirectUri,
            _ => RegistrationErrorCode::InvalidClientMetadata,
        }
    }

    #[must_use]
    pub(super) fn at(mut self, index: usize) -> Self {
        self.index = Some(index);
        self
    }
}

/// Everything that is wrong with a client's metadata; never empty.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct MetadataErrors(pub Vec<MetadataError>);

impl fmt::Display for MetadataErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}
