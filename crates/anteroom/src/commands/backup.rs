//! `anteroom backup FILE`: copies an SQLite database, even while it is served.

use anteroom_storage::backup;

use super::{CommandError, block_on, load, print_line};
use crate::cli::BackupArgs;
use anteroom_server::wiring::store_options;

pub fn run(args: &BackupArgs) -> Result<(), CommandError> {
    let configuration = load(&args.config.config)?;
    block_on(async move {
        let size = backup(&store_options(&configuration.settings)?, &args.file).await?;
        print_line(&format!(
            "The database was copied to {} ({size} bytes), and the copy passed SQLite's integrity check.",
            args.file.display()
        ));
        Ok(())
    })
}
