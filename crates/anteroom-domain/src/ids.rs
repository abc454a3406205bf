//! Identifiers, each its own type, so that one cannot be passed where another is meant.
//!
//! All are random or time-ordered UUIDs made by the caller; none is a secret and none proves anything.

use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )+};
}

ids! {
    /// An account for life; also the public `sub`. Never reused, so a reassigned address is a new account.
    AccountId,
    AddressId,
    PhoneId,
    /// An authenticator app.
    AuthenticatorAppId,
    /// A known device of one account.
    DeviceId,
    /// A session; public as `sid`. The cookie carries a separate secret.
    SessionId,
    /// A browser as such, signed in or not: what forms and interactions are bound to.
    BrowserId,
    InteractionId,
    /// An authorization request as a browser brought it. Every page, row and mail that carries it on has the same one, and
    /// it is answered once.
    RequestId,
    GrantId,
    LinkId,
    OneTimeCodeId,
    MessageId,
    AuditId,
    NodeId,
}
