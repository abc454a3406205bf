//! Why a signing key cannot be made or used.

use thiserror::Error;

use crate::protocol_values::SigningAlgorithm;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum KeyError {
    #[error("a key for {0} could not be made")]
    Generation(SigningAlgorithm),
    #[error("the key cannot be used for {0}")]
    Unusable(SigningAlgorithm),
    #[error("signing with {0} failed")]
    Signing(SigningAlgorithm),
}
