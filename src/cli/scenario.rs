//! `virfie scenario check FILE`: what a layout becomes, or every wrong place of it.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use crate::{
    error::ProgramError,
    layout::{self, Canvas},
};

/// Largest file that is read, in bytes; what the server takes as a body.
const FILE_LIMIT: u64 = 1024 * 1024;

/// Checks layouts and scenarios.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Reads a layout (JSON) and prints what it becomes, or every wrong place as `pointer: detail`
    Check {
        /// The file; - is the standard input
        file: PathBuf,
    },
}

/// Runs the command.
///
/// # Errors
/// [`ProgramError::Usage`] when the file cannot be read or something in it is wrong.
pub fn run(args: Args) -> Result<(), ProgramError> {
    let Action::Check { file } = args.action;
    let text = read(&file).map_err(|error| ProgramError::Usage(format!("{}: {error}", file.display())))?;
    match check(&text) {
        Ok(canonical) => {
            print(&[canonical]);
            Ok(())
        }
        Err(lines) => {
            print(&lines);
            let places = if lines.len() == 1 { "is a wrong place" } else { "are wrong places" };
            Err(ProgramError::Usage(format!("{}: there {places} in it ({})", file.display(), lines.len())))
        }
    }
}

fn read(file: &Path) -> io::Result<String> {
    let source: Box<dyn io::Read> =
        if file.as_os_str() == "-" { Box::new(io::stdin()) } else { Box::new(fs::File::open(file)?) };
    let mut text = String::new();
    source.take(FILE_LIMIT + 1).read_to_string(&mut text)?;
    if text.len() as u64 > FILE_LIMIT {
        return Err(io::Error::other(format!("is larger than {FILE_LIMIT} bytes")));
    }
    Ok(text)
}

/// The canonical layout, or every wrong place as `pointer: detail`.
fn check(text: &str) -> Result<String, Vec<String>> {
    let value: serde_json::Value = serde_json::from_str(text).map_err(|error| vec![format!("not JSON: {error}")])?;
    let scene = layout::read(&value, &Canvas::default())
        .map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    Ok(format!("{:#}", scene.to_json()))
}

/// Prints lines, as far as there is somebody who reads them (`| head` closes the pipe).
fn print(lines: &[String]) {
    let mut out = io::stdout().lock();
    for line in lines {
        if writeln!(out, "{line}").is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_layout_is_printed_as_it_is_read_back() {
        let printed = check(r#"{"layers": [{"id": "ann", "source": {"participant": "ann"}, "z": 3}]}"#).unwrap();
        let value: Value = serde_json::from_str(&printed).unwrap();
        assert_eq!(value["canvas"]["width"], 1280);
        assert_eq!(value["layers"][0]["id"], "ann");
        assert_eq!(check(&printed).unwrap(), printed);
    }

    #[test]
    fn every_wrong_place_is_a_line() {
        let lines = check(r#"{"layers": [{"id": "a", "source": {"slot": 0}}], "colour": 1}"#).unwrap_err();
        assert!(lines.len() >= 2, "{lines:?}");
        assert!(lines.iter().any(|line| line.starts_with("/layers/0/source")), "{lines:?}");
        assert!(check("{").unwrap_err()[0].starts_with("not JSON: "));
    }
}
