//! What each key is for.

/// One list makes the enum, its names and [`ByPurpose`], so that none can forget a purpose.
macro_rules! purposes {
    ($($(#[$doc:meta])* $variant:ident, $field:ident;)+) => {
        /// What a key is for. Each purpose has keys of its own, so that a value made for one is worth nothing for
        /// another.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum KeyPurpose {
            $($(#[$doc])* $variant,)+
        }

        impl KeyPurpose {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in the database and in the associated data of the sealed key: never to be changed.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($field),)+
                }
            }
        }

        /// One value for each purpose.
        pub(crate) struct ByPurpose<T> {
            $($field: T,)+
        }

        impl<T> ByPurpose<T> {
            pub(crate) fn try_build<E>(mut make: impl FnMut(KeyPurpose) -> Result<T, E>) -> Result<Self, E> {
                Ok(Self { $($field: make(KeyPurpose::$variant)?,)+ })
            }

            pub(crate) fn get(&self, purpose: KeyPurpose) -> &T {
                match purpose {
                    $(KeyPurpose::$variant => &self.$field,)+
                }
            }
        }
    };
}

purposes! {
    /// Mixed into every password hash.
    Pepper, pepper;
    /// Tokens, links and session identifiers, as they are looked up in the database.
    TokenHash, token_hash;
    /// Self-contained authorization codes.
    CodeSeal, code_seal;
    /// Opaque access tokens.
    AccessTokenSeal, access_token_seal;
    /// The token that binds a form to its session.
    FormMac, form_mac;
    /// Known-device cookies.
    DeviceMac, device_mac;
    /// The derivation of successors in refresh rotation.
    RefreshMac, refresh_mac;
    /// Audit entries and their chain.
    AuditMac, audit_mac;
    /// Private keys of tokens at rest: those that sign and those that decrypt.
    SigningSeal, signing_seal;
    /// The secrets that authenticator apps share.
    FactorSeal, factor_seal;
    /// Codes and links waiting in the outbox.
    OutboxSeal, outbox_seal;
    /// Clients' secrets at rest.
    ClientSecret, client_secret;
    /// Authorization requests that wait in the page.
    InteractionSeal, interaction_seal;
    /// Pairwise subject identifiers, made under the first version for ever.
    Subject, subject;
}

impl KeyPurpose {
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|purpose| purpose.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_distinct_and_parse_back() {
        for purpose in KeyPurpose::ALL {
            assert_eq!(KeyPurpose::parse(purpose.as_str()), Some(*purpose));
        }
        assert_eq!(KeyPurpose::parse("Pepper"), None);
        assert_eq!(KeyPurpose::ALL.len(), 14);
    }
}
