//! How a person was authenticated: the `acr` and `amr` claims (OpenID Connect Core §2, RFC 8176).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::wire::wire_enum;

wire_enum! {
    /// The authentication context classes of this provider, weakest first: a stronger one satisfies a weaker one.
    pub enum Acr("an authentication context class of this provider") {
        /// A password alone.
        Pwd = "urn:anteroom:acr:pwd",
        /// A password and a second factor.
        Mfa = "urn:anteroom:acr:mfa",
    }
}

wire_enum! {
    /// RFC 8176 §2.
    pub enum Amr("an authentication method reference of RFC 8176") {
        /// A password.
        Pwd = "pwd",
        /// A code by text message.
        Sms = "sms",
        /// A code by telephone call.
        Tel = "tel",
        /// A one-time code; on its own, from an authenticator app.
        Otp = "otp",
        /// More than one factor.
        Mfa = "mfa",
    }
}

impl Amr {
    /// Its bit in an [`AmrSet`].
    const fn bit(self) -> u8 {
        match self {
            Self::Pwd => 1,
            Self::Sms => 1 << 1,
            Self::Tel => 1 << 2,
            Self::Otp => 1 << 3,
            Self::Mfa => 1 << 4,
        }
    }
}

/// The methods that were used, as the `amr` claim's array.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "Vec<Amr>", into = "Vec<Amr>")]
pub struct AmrSet(u8);

impl AmrSet {
    pub const fn contains(self, method: Amr) -> bool {
        self.0 & method.bit() != 0
    }

    pub const fn insert(&mut self, method: Amr) {
        self.0 |= method.bit();
    }

    pub const fn is_empty(&self) -> bool {
        self.0 == 0
    }

    pub fn iter(self) -> impl Iterator<Item = Amr> {
        Amr::ALL.iter().copied().filter(move |method| self.contains(*method))
    }
}

impl FromIterator<Amr> for AmrSet {
    fn from_iter<I: IntoIterator<Item = Amr>>(methods: I) -> Self {
        methods.into_iter().fold(Self::default(), |set, method| Self(set.0 | method.bit()))
    }
}

impl From<Vec<Amr>> for AmrSet {
    fn from(methods: Vec<Amr>) -> Self {
        methods.into_iter().collect()
    }
}

impl From<AmrSet> for Vec<Amr> {
    fn from(set: AmrSet) -> Self {
        set.iter().collect()
    }
}

impl fmt::Debug for AmrSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn core_2_acr_is_ordered_by_strength() {
        assert!(Acr::Pwd < Acr::Mfa);
        assert_eq!("urn:anteroom:acr:mfa".parse::<Acr>().unwrap(), Acr::Mfa);
        assert!("0".parse::<Acr>().is_err());
    }

    #[test]
    fn rfc8176_2_amr_is_an_array_of_registered_names() {
        let set: AmrSet = [Amr::Mfa, Amr::Pwd, Amr::Sms].into_iter().collect();
        assert_eq!(serde_json::to_string(&set).unwrap(), r#"["pwd","sms","mfa"]"#);
        assert_eq!(serde_json::from_str::<AmrSet>(r#"["mfa","pwd","sms"]"#).unwrap(), set);
    }
}
