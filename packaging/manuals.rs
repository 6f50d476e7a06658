//! Writes the manual pages and the completions for shells into a folder: `manuals DIR`. Both are made from the command
//! line that the program itself has. This is an example, so that the program does not carry what makes them; `make deb`
//! runs it.

use std::{env, error::Error, fs, path::PathBuf};

use clap_complete::Shell;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(env::args_os().nth(1).ok_or("usage: manuals DIR")?);
    let [manuals, completions] = ["man", "completions"].map(|name| folder.join(name));
    fs::create_dir_all(&manuals)?;
    fs::create_dir_all(&completions)?;
    clap_mangen::generate_to(virfie::cli::command(), &manuals)?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        clap_complete::generate_to(shell, &mut virfie::cli::command(), "virfie", &completions)?;
    }
    Ok(())
}
