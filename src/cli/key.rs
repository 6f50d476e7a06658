//! `virfie key rotate`: the keys of a data directory.

use std::{
    io::{self, Write as _},
    path::PathBuf,
};

use crate::{config, control::api::auth::secret, error::ProgramError};

/// Looks after the keys of a data directory.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Makes another key to sign tokens: all tokens from before are invalid, in a server that runs within seconds
    Rotate {
        /// Folder of keys [default: $XDG_DATA_HOME/virfie or ~/.local/share/virfie]
        #[arg(long, env = "VIRFIE_DATA_DIR", value_name = "DIR", hide_env_values = true)]
        data_dir: Option<PathBuf>,
    },
}

/// Runs the command.
///
/// # Errors
/// [`ProgramError::Failed`] with what the disk says.
pub fn run(args: Args) -> Result<(), ProgramError> {
    let Action::Rotate { data_dir } = args.action;
    let data_dir = data_dir.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(config::default_data_dir);
    let file = secret::rotate(&data_dir)?;
    // Nobody may be reading, and the key is rotated all the same.
    let _ = writeln!(io::stdout(), "{}: all tokens from before are invalid", file.display());
    Ok(())
}
