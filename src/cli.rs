//! The command line: one file a command. A command says what went wrong in one line and by its exit code.

pub mod bot;
mod decode_upload;
pub mod health;
pub mod key;
pub mod model;
pub mod scenario;
pub mod segment;
pub mod serve;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand, error::ErrorKind};

use crate::{build_info, error::ProgramError};

/// A virtual studio on a server: people in a WebRTC room, cut out and put together in one picture.
#[derive(Parser)]
#[command(name = "virfie", version = build_info::description(), propagate_version = true)]
struct Program {
    #[command(subcommand)]
    command: Command,
}

// The texts stand in attributes, because clap would take those of the arguments' types instead.
#[derive(Subcommand)]
enum Command {
    #[command(about = "Runs the server: rooms, web page, REST, WebRTC, outputs", long_about = None)]
    Serve(Box<serve::Args>),
    #[command(about = "Sends files into a room as one or more headless participants", long_about = None)]
    Bot(Box<bot::Args>),
    #[command(about = "Cuts the people out of a picture or a video", long_about = None)]
    Segment(Box<segment::Args>),
    #[command(about = "Lists, fetches, shows and measures segmentation models", long_about = None)]
    Model(Box<model::Args>),
    #[command(about = "Rotates the key that signs tokens", long_about = None)]
    Key(Box<key::Args>),
    #[command(about = "Checks layouts and scenarios", long_about = None)]
    Scenario(Box<scenario::Args>),
    #[command(about = "Asks a running server whether it is well", long_about = None)]
    Health(health::Args),
    #[command(about = "Decodes a file for the server, which starts it", long_about = None, hide = true)]
    DecodeUpload(decode_upload::Args),
}

/// Reads the command line, runs the command, and says how it ended.
pub fn main() -> ExitCode {
    // Fails when it was chosen before, and nothing has run before this.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let program = match Program::try_parse() {
        Ok(program) => program,
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            // Fails when stdout is closed; nobody can read the error.
            let _ = error.print();
            return ExitCode::SUCCESS;
        }
        Err(error) if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = error.print();
            return ExitCode::from(2);
        }
        Err(error) => return end(&ProgramError::Usage(in_one_line(&error.render().to_string()))),
    };
    let outcome = match program.command {
        Command::Serve(args) => serve::run(*args),
        Command::Bot(args) => bot::run(*args),
        Command::Segment(args) => segment::run(*args),
        Command::Model(args) => model::run(*args),
        Command::Key(args) => key::run(*args),
        Command::Scenario(args) => scenario::run(*args),
        Command::Health(args) => health::run(&args),
        Command::DecodeUpload(args) => decode_upload::run(args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => end(&error),
    }
}

/// Describes the whole command line, for manuals and completions.
pub fn command() -> clap::Command {
    Program::command()
}

fn end(error: &ProgramError) -> ExitCode {
    eprintln!("virfie: {}", error.to_string().replace(['\n', '\r'], " "));
    ExitCode::from(error.exit_code())
}

/// Returns the first paragraph of clap's message: what is wrong, without the usage that follows.
fn in_one_line(message: &str) -> String {
    let lines = message.lines().map(str::trim).take_while(|line| !line.is_empty());
    let text = lines.collect::<Vec<_>>().join(" ");
    text.strip_prefix("error: ").unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn the_version_is_one_line_with_the_name_in_front() {
        let error = Program::try_parse_from(["virfie", "--version"]).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::DisplayVersion);
        assert_eq!(error.to_string(), format!("virfie {}\n", build_info::description()));
    }

    #[test]
    fn every_command_says_what_it_does() {
        for command in command().get_subcommands() {
            assert!(command.get_about().is_some_and(|about| about.to_string().len() > 10), "{}", command.get_name());
        }
    }

    #[test]
    fn wrong_usage_is_one_line_that_names_the_key() {
        for (arguments, named) in [
            (&["virfie", "serve", "--fps", "many"][..], "--fps"),
            (&["virfie", "serve", "--lisen", "x"], "--lisen"),
            (&["virfie", "paint"], "paint"),
            (&["virfie", "scenario", "check"], "<FILE>"),
        ] {
            let error = Program::try_parse_from(arguments).err().unwrap();
            let line = in_one_line(&error.render().to_string());
            assert!(line.contains(named), "{line}");
            assert!(!line.contains('\n') && !line.starts_with("error"), "{line}");
        }
    }
}
