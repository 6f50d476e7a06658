//! Files that somebody sent are decoded in a process of their own: this program, started again for one file.
//!
//! ```text
//!   Decoder::sound, ::clip, ::font ─► virfie decode-upload ◄─ the file, as its standard input
//!        the answer, from its standard output ◄─ Head in one line, then samples, planes, or what was asked of a font
//! ```
//! Decoders are large programs in C, and a file may be made to have one take all memory, time, or worse; a font is a
//! program itself. There it takes its own process with it, which has bounds of both, no network, and nothing that is
//! worth having. Failure: whatever happens there is one line here, and never an end of this process.

use std::{
    io::{self, Read as _, Write},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::{Deserialize, Serialize};
use tracing::{debug, warn};

use super::{
    compose::{planes::I420, stage::copy_of},
    file::{self, FileError},
    gst::{launch::Launches, threads},
    port::{DecodeError, FontUse, Samples, Still},
};
use crate::disk;

/// Longest time that a file may take in all: a little more than [`file`] waits for one that gives nothing.
const PATIENCE: Duration = Duration::from_secs(40);

/// Bytes of a clip's first picture, at most: 1920x1088 with alpha.
const MOST_PLANES: usize = 1920 * 1088 * 5 / 2;

/// Bytes that a font's process answers, at most: a text's picture of 16 megapixels.
const MOST_OF_FONT: usize = 65 << 20;

/// Bytes of the first line of an answer, at most.
const MOST_HEAD: usize = 4096;

/// How a process ends that cannot begin: this program's own failure, and that of the system's loader, as for want of memory.
const FAILED: [i32; 2] = [1, 127];

/// How long a process that has nothing more to say may take to end.
const LAST: Duration = Duration::from_secs(1);

/// Variables that the process keeps: GStreamer finds its plugins by them. The server's own may hold keys.
const KEPT: [&str; 6] = ["GST_", "LD_LIBRARY_PATH", "HOME", "PATH", "TMPDIR", "XDG_"];

/// The first line of an answer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Head {
    /// So many samples follow, those of its channels in turn.
    Sound { samples: usize, channels: usize },
    /// The planes of its first picture follow.
    Clip { width: usize, height: usize, alpha: bool, nanoseconds: Option<u64> },
    /// So many bytes follow, which the asker understands.
    Font { bytes: usize },
    /// Reason why there is nothing, which is the file's fault.
    Refused(String),
    /// Reason why there is nothing, which is the server's.
    Unable(String),
}

/// The reason why a file gives nothing, and whose fault that is, in words that name no place of the server's.
#[derive(Debug)]
enum Fault {
    OfFile(String),
    OfServer(String),
}

impl From<FileError> for Fault {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Unreadable { error, .. }
            | FileError::NoVideo { error, .. }
            | FileError::Broken { error, .. } => Self::OfFile(error),
            FileError::Setup(_) | FileError::Stopped => Self::OfServer(error.to_string()),
        }
    }
}

/// The words for a file that got no thread.
const NO_THREADS: &str = "the system gives no threads to decode it with";

/// Returns the outcome of decoding a file, or whose fault it is that this has failed.
fn blaming<T>(outcome: Result<T, FileError>) -> Result<T, Fault> {
    outcome.map_err(|error| match Fault::from(error) {
        Fault::OfFile(_) if threads::are_lacking() => Fault::OfServer(NO_THREADS.to_owned()),
        fault => fault,
    })
}

impl From<Fault> for DecodeError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::OfFile(why) => Self::Refused(why),
            Fault::OfServer(why) => {
                warn!(error = %why, "a file that may be good cannot be decoded");
                Self::NotNow
            }
        }
    }
}

impl From<Fault> for Head {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::OfFile(why) => Self::Refused(why),
            Fault::OfServer(why) => Self::Unable(why),
        }
    }
}

/// The work that is to be done with a file that holds media.
#[derive(Debug, Clone, Copy)]
pub enum Job {
    /// Decode it to samples of 48 kHz.
    Sound {
        /// Greatest length that it may have.
        longest: Duration,
    },
    /// Find its first picture and its length.
    Clip,
}

/// Decodes files that somebody sent.
#[derive(Debug, Clone)]
pub struct Decoder {
    /// This program. Without it everything is done here, as tests do that are no such program.
    program: Option<PathBuf>,
    /// The operator's launch files, as given.
    folder: Option<PathBuf>,
    launches: Launches,
}

impl Decoder {
    /// `program`: this one; `folder`: of the launch files that `launches` were read from.
    pub fn new(program: Option<PathBuf>, folder: Option<PathBuf>, launches: Launches) -> Self {
        Self { program, folder, launches }
    }

    /// Decodes a sound to samples of 48 kHz. Takes up to some seconds: for blocking threads.
    ///
    /// # Errors
    /// Why it cannot be used, in one line that names no file.
    pub fn sound(&self, path: &Path, longest: Duration) -> Result<Samples, DecodeError> {
        let Some(program) = &self.program else {
            return blaming(file::samples(path, longest)).map_err(DecodeError::from);
        };
        let most = (longest.as_secs() as usize + 1) * 48_000 * 2 * 2;
        let longest = longest.as_secs().to_string();
        match self.ask(program, &["sound", "--longest", &longest], path, most)?.ok_or(DecodeError::BroughtDown)? {
            (Head::Sound { samples, channels: channels @ 1..=2 }, content) if content.len() == samples * 2 => {
                let interleaved = content.as_chunks::<2>().0.iter().map(|pair| i16::from_le_bytes(*pair)).collect();
                Ok(Samples { channels, interleaved })
            }
            _ => Err(DecodeError::BroughtDown),
        }
    }

    /// Finds a clip's first picture and its length, likewise.
    ///
    /// # Errors
    /// As there.
    pub fn clip(&self, path: &Path) -> Result<(Still, Option<Duration>), DecodeError> {
        let (picture, length) = match &self.program {
            None => look(path, &self.launches)?,
            Some(program) => match self.ask(program, &["clip"], path, MOST_PLANES)?.ok_or(DecodeError::BroughtDown)? {
                (Head::Clip { width, height, alpha, nanoseconds }, content) => {
                    let picture = I420::from_data(width, height, alpha, content).ok_or(DecodeError::BroughtDown)?;
                    (picture, nanoseconds.map(Duration::from_nanos))
                }
                _ => return Err(DecodeError::BroughtDown),
            },
        };
        Ok((Still::of(picture), length))
    }

    /// Has done with a font what `wish` says. Takes up to some seconds: for blocking threads.
    pub fn font(&self, path: &Path, wish: &str) -> FontUse {
        let Some(program) = &self.program else { return FontUse::NoProcess };
        match self.ask(program, &["font", "--wish", wish], path, MOST_OF_FONT) {
            Ok(Some((Head::Font { bytes }, content))) if content.len() == bytes => FontUse::Answered(content),
            Ok(_) => FontUse::BroughtDown,
            Err(DecodeError::NotNow) => FontUse::Failed,
            // Only files of media are refused.
            Err(DecodeError::Refused(_) | DecodeError::BroughtDown) => FontUse::BroughtDown,
        }
    }

    /// Has it done by the program. `most`: bytes behind the first line. `None`: it did not answer.
    ///
    /// # Errors
    /// That there is no process now, or what it refused or could not do.
    fn ask(
        &self,
        program: &Path,
        job: &[&str],
        path: &Path,
        most: usize,
    ) -> Result<Option<(Head, Vec<u8>)>, DecodeError> {
        let failed = |error: io::Error| {
            warn!(%error, "the system gives no process to decode a file in");
            DecodeError::NotNow
        };
        let input = disk::open(path).map_err(failed)?;
        let mut command = Command::new(program);
        let kept = std::env::vars_os()
            .filter(|(name, _)| name.to_str().is_some_and(|name| KEPT.iter().any(|start| name.starts_with(start))));
        // One arena: those of many threads would count as memory that is taken.
        command.env_clear().envs(kept).env("MALLOC_ARENA_MAX", "1").arg("decode-upload").args(job);
        if let Some(folder) = &self.folder {
            command.arg("--pipelines").arg(folder);
        }
        command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut running = Running(command.spawn().map_err(failed)?);
        let answer = running.answer(MOST_HEAD + most).map_err(failed)?;
        let end = answer.iter().position(|byte| *byte == b'\n');
        let head = end.and_then(|end| serde_json::from_slice(&answer[..end]).ok());
        match (head, end) {
            (Some(Head::Refused(why)), _) => Err(DecodeError::Refused(why)),
            (Some(Head::Unable(why)), _) => Err(Fault::OfServer(why).into()),
            (Some(head), Some(end)) => {
                let mut content = answer;
                content.drain(..=end);
                Ok(Some((head, content)))
            }
            _ => {
                let status = running.end();
                debug!(?status, "a file's process did not answer");
                // It has threads of its own, which the trial must not count.
                drop(running);
                // Nothing that media does ends it so: it could not begin. With a font it may be the font.
                let has_failed = status.and_then(|status| status.code()).is_some_and(|code| FAILED.contains(&code));
                if has_failed && job.first() != Some(&"font") {
                    return Err(Fault::OfServer("its process cannot begin".to_owned()).into());
                }
                if threads::are_lacking() { Err(Fault::OfServer(NO_THREADS.to_owned()).into()) } else { Ok(None) }
            }
        }
    }
}

/// A process that ends with its owner.
struct Running(Child);

impl Running {
    /// Returns all that it says within [`PATIENCE`], and nothing if that is more than `most` bytes.
    fn answer(&mut self, most: usize) -> io::Result<Vec<u8>> {
        let begun = Instant::now();
        let mut answer = Vec::new();
        let Some(output) = &mut self.0.stdout else { return Ok(answer) };
        let mut piece = vec![0; 64 * 1024];
        loop {
            let left = PATIENCE.saturating_sub(begun.elapsed());
            let wait = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() };
            if left.is_zero() || poll(&mut [PollFd::new(output, PollFlags::IN)], Some(&wait))? == 0 {
                return Ok(Vec::new());
            }
            match output.read(&mut piece)? {
                0 => return Ok(answer),
                count => answer.extend_from_slice(&piece[..count]),
            }
            if answer.len() > most {
                return Ok(Vec::new());
            }
        }
    }

    /// Returns how it has ended, if it does so by itself.
    fn end(&mut self) -> Option<ExitStatus> {
        let begun = Instant::now();
        while begun.elapsed() < LAST {
            match self.0.try_wait() {
                Ok(None) => thread::sleep(Duration::from_millis(5)),
                ended => return ended.ok().flatten(),
            }
        }
        None
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended, or is to end.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Decodes the standard input and answers on the standard output: the other side of [`Decoder`].
///
/// # Errors
/// When nobody reads the answer.
pub fn answer(job: Job, launches: &Launches) -> io::Result<()> {
    threads::listen(|| {
        let answer = serde_json::to_string(&Head::Unable(NO_THREADS.to_owned())).unwrap_or_default();
        // Who has asked may be gone.
        let _ = writeln!(io::stdout().lock(), "{answer}");
    });
    // GStreamer opens it again, so that it reads from the beginning and can go back.
    let path = Path::new("/proc/self/fd/0");
    let (head, content) = match job {
        Job::Sound { longest } => match blaming(file::samples(path, longest)) {
            Ok(Samples { channels, interleaved }) => {
                let mut content = Vec::with_capacity(interleaved.len() * 2);
                interleaved.iter().for_each(|sample| content.extend(sample.to_le_bytes()));
                (Head::Sound { samples: interleaved.len(), channels }, content)
            }
            Err(fault) => (fault.into(), Vec::new()),
        },
        Job::Clip => match look(path, launches) {
            Ok((picture, length)) => {
                let nanoseconds = length.and_then(|length| u64::try_from(length.as_nanos()).ok());
                let (width, height, alpha) = (picture.width, picture.height, picture.has_alpha());
                (Head::Clip { width, height, alpha, nanoseconds }, picture.data().to_vec())
            }
            Err(fault) => (fault.into(), Vec::new()),
        },
    };
    tell(&head, &content)
}

/// Answers on the standard output what was asked of a font: the other side of [`Decoder::font`].
///
/// # Errors
/// When nobody reads the answer.
pub fn answer_of_font(content: &[u8]) -> io::Result<()> {
    tell(&Head::Font { bytes: content.len() }, content)
}

fn tell(head: &Head, content: &[u8]) -> io::Result<()> {
    let mut output = io::stdout().lock();
    serde_json::to_writer(&mut output, head)?;
    output.write_all(b"\n")?;
    output.write_all(content)?;
    output.flush()
}

/// Returns the first picture of a clip, and its length.
fn look(path: &Path, launches: &Launches) -> Result<(I420, Option<Duration>), Fault> {
    let (frame, length) = blaming(file::look(path, launches))?;
    let picture = copy_of(&frame);
    Ok((picture.ok_or_else(|| Fault::OfFile("its first picture cannot be read".to_owned()))?, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_lacks_is_not_the_files_fault() {
        let (path, error) = (PathBuf::from("/data/a.mp4"), "it is damaged".to_owned());
        let broken = || Fault::from(FileError::Broken { path: path.clone(), error: error.clone() });
        assert_eq!(DecodeError::from(broken()), DecodeError::Refused(error.clone()));
        assert!(matches!(Head::from(broken()), Head::Refused(why) if why == error));
        for ours in [|| FileError::Setup("no element \"decodebin\"".to_owned()), || FileError::Stopped] {
            assert_eq!(DecodeError::from(Fault::from(ours())), DecodeError::NotNow);
            assert!(matches!(Head::from(Fault::from(ours())), Head::Unable(_)));
        }
    }

    #[test]
    fn without_a_process_nothing_is_said_of_the_file() {
        let launches = Launches::load(None).expect("they are in the program");
        let decoder = Decoder::new(Some(PathBuf::from("/no/such/program")), None, launches);
        let file = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
        assert_eq!(decoder.sound(file, Duration::from_secs(1)), Err(DecodeError::NotNow));
        assert!(matches!(decoder.clip(file), Err(DecodeError::NotNow)));
        assert!(matches!(decoder.font(file, "{}"), FontUse::Failed));
    }

    #[test]
    fn a_process_that_cannot_begin_says_nothing_of_the_file_and_one_that_is_brought_down_does() {
        let launches = Launches::load(None).expect("they are in the program");
        let file = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
        let decoder = |program: &str| Decoder::new(Some(PathBuf::from(program)), None, launches.clone());
        let failing = decoder("/bin/false");
        assert!(matches!(failing.clip(file), Err(DecodeError::NotNow)));
        assert_eq!(failing.sound(file, Duration::from_secs(1)), Err(DecodeError::NotNow));
        assert!(matches!(failing.font(file, "{}"), FontUse::BroughtDown));
        assert!(matches!(decoder("/bin/true").clip(file), Err(DecodeError::BroughtDown)));
    }
}
