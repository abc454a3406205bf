//! What differs between a server, a command, a demo and a test.

use anteroom_crypto::{HashParams, Keyring, PasswordHasher, Random};
use anteroom_domain::clock::Clock;
use anteroom_flows::keys::signing_keys::{KeyMaker, NewKeys};
use anteroom_storage::InstanceKind;
use std::sync::Arc;

/// What differs between a server, a demo and a test.
#[derive(Clone, Debug)]
pub struct Environment {
    pub clock: Clock,
    pub random: Random,
    pub kind: InstanceKind,
    /// Whether this may make the keys of a database in which nothing was made yet. Over one that has lost them, no command may.
    pub may_make_keys: bool,
    /// Whether a demo's database may be opened where a real one is expected: to look into it, or to change an account.
    pub may_open_demo: bool,
    /// Makes what hashes passwords; tests have a cheap one.
    pub hasher: fn(HashParams, &Keyring, Random) -> PasswordHasher,
    /// Makes the keys that a new database begins with; tests have some that were made before.
    pub key_maker: Arc<dyn KeyMaker>,
}

impl Environment {
    /// The environment of a production command. Opening a demo's database is refused, since its passwords are public.
    pub fn production() -> Self {
        Self {
            clock: Clock::system(),
            random: Random::system(),
            kind: InstanceKind::Production,
            may_make_keys: false,
            may_open_demo: false,
            hasher: PasswordHasher::new,
            key_maker: Arc::new(NewKeys),
        }
    }

    /// The same for commands that can be tried on a demo. What serves, and what makes or accepts a database, is not among
    /// them.
    pub fn at_shell() -> Self {
        Self { may_open_demo: true, ..Self::production() }
    }
}
