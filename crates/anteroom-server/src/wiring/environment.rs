//! The differences between a server, a command, a demo and a test.

use anteroom_crypto::{HashParams, Keyring, PasswordHasher, Random};
use anteroom_domain::clock::Clock;
use anteroom_flows::keys::signing_keys::{KeyMaker, NewKeys};
use anteroom_storage::InstanceKind;
use std::sync::Arc;

/// What differs between a server, a command, a demo and a test.
#[derive(Clone, Debug)]
pub struct Environment {
    pub clock: Clock,
    pub random: Random,
    pub kind: InstanceKind,
    /// Whether this command may make the keys of a new database. No command may do so if a database has lost its keys.
    pub may_make_keys: bool,
    /// Whether a demo's database may be opened by a production command: to read it, or to change an account.
    pub may_open_demo: bool,
    /// Makes the password hasher; tests use a cheap one.
    pub hasher: fn(HashParams, &Keyring, Random) -> PasswordHasher,
    /// Makes the keys of a new database; tests use prepared ones.
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

    /// The same for commands that can be tried on a demo: not `serve`, and no command that makes or accepts a database.
    pub fn for_production_or_demo() -> Self {
        Self { may_open_demo: true, ..Self::production() }
    }
}
