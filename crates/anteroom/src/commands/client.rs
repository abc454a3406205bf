//! `anteroom client secret`.

use anteroom_crypto::Random;
use std::path::Path;

use super::{CommandError, say, write_secret_file};

/// The secret goes to a file, never to the terminal, whose history and scroll-back outlive it.
pub fn secret(file: &Path) -> Result<(), CommandError> {
    let secret = Random::system().token().encode();
    write_secret_file(file, &secret)?;
    say(&format!(
        "A new secret is in {}. Name it as the client's secret_file and give it to the application.",
        file.display()
    ));
    Ok(())
}
