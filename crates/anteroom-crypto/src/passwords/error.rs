//! Why a password could not be hashed.

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    #[error("the hash needs version {0} of the pepper, which is not known here")]
    UnknownPepper(u32),
    #[error("no memory left to hash with")]
    OutOfMemory,
    #[error("Argon2 refused its input: {0}")]
    Argon2(#[from] argon2::Error),
}
