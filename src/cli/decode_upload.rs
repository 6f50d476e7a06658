//! `virfie decode-upload`: what the server starts itself again for, to decode one file that somebody sent.
//!
//! Not for people, and not shown to them. It gives up the network, privileges, and most memory and time before it looks
//! at the file.

use std::{io::Read as _, path::PathBuf, time::Duration};

use rustix::{
    process::{Resource, Rlimit, Signal, nice, set_parent_process_death_signal, setrlimit},
    thread::{UnshareFlags, set_no_new_privs, unshare_unsafe},
};

use crate::{
    control::assets::foreign,
    error::ProgramError,
    media::{
        gst::launch::Launches,
        upload::{self, Job},
    },
};

/// Memory that it may write to, in bytes: ten minutes of sound three times, and the stacks of some dozen threads.
const MEMORY: u64 = 768 << 20;

/// Seconds that it may compute.
const SECONDS: u64 = 60;

/// The same where a font is used: a text takes some milliseconds, and a second where there are very many other fonts.
const SECONDS_OF_FONT: u64 = 5;

/// Files that it may have open: GStreamer opens its plugins one by one.
const FILES: u64 = 256;

/// Steps that it stands back behind the rooms.
const STEPS_BACK: i32 = 10;

/// Decodes its standard input.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
    /// The operator's launch files
    #[arg(long, global = true, value_name = "DIR")]
    pipelines: Option<PathBuf>,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// A sound, to samples
    Sound {
        /// Seconds that it may have
        #[arg(long)]
        longest: u64,
    },
    /// A clip, to its first picture
    Clip,
    /// A font, to what is asked of it
    Font {
        /// The question, as JSON
        #[arg(long)]
        wish: String,
    },
}

/// Runs the command.
///
/// # Errors
/// [`ProgramError::Failed`] when it cannot give up enough, or nobody reads the answer.
pub fn run(args: Args) -> Result<(), ProgramError> {
    let seconds = if matches!(args.what, What::Font { .. }) { SECONDS_OF_FONT } else { SECONDS };
    confine(seconds).map_err(|error| failed(&error))?;
    let job = match args.what {
        What::Sound { longest } => Job::Sound { longest: Duration::from_secs(longest) },
        What::Clip => Job::Clip,
        What::Font { wish } => return use_font(&wish),
    };
    // The server has tried them, and here GStreamer does not run yet.
    let launches = Launches::read(args.pipelines.as_deref()).map_err(|error| failed(&error))?;
    upload::answer(job, &launches).map_err(|error| failed(&error))
}

fn use_font(wish: &str) -> Result<(), ProgramError> {
    let mut font = Vec::new();
    std::io::stdin().read_to_end(&mut font).map_err(|error| failed(&error))?;
    let answer = foreign::answer(font, wish).map_err(|error| failed(&error))?;
    upload::answer_of_font(&answer).map_err(|error| failed(&error))
}

fn failed(error: &dyn std::fmt::Display) -> ProgramError {
    ProgramError::Failed(format!("decode-upload: {error}"))
}

/// Gives up what the file must not have.
fn confine(seconds: u64) -> rustix::io::Result<()> {
    set_no_new_privs(true)?;
    // SAFETY: this is the only thread, and it keeps its table of open files, so no other loses a file.
    let alone = unsafe { unshare_unsafe(UnshareFlags::NEWUSER | UnshareFlags::NEWNET) };
    // Not allowed everywhere, in containers above all. No element that is used here opens an address; this is for the
    // case that one is made to.
    let _ = alone;
    // After that: the kernel forgets it where a process changes what it may do.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    for (resource, most) in
        [(Resource::Data, MEMORY), (Resource::Cpu, seconds), (Resource::Nofile, FILES), (Resource::Core, 0)]
    {
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })?;
    }
    // It may not be allowed to, and is only slower for others then.
    let _ = nice(STEPS_BACK);
    Ok(())
}
