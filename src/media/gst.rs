//! The parts of GStreamer that every stage needs: one clock for all pipelines, pipelines that are owned values, launch
//! texts, the bus, the hand-off into an `appsrc`, and which threads come first.
//!
//! Threads: only the short-lived `reap-…` threads, on which pipelines are set to NULL.
//! Failure: a pipeline that hangs on its way to NULL is logged and leaked; nobody waits for it.

mod crypto;
pub mod frame;
pub mod handoff;
pub mod launch;
pub mod load;
pub mod pipeline;
pub mod probe;
pub mod range;
pub mod stage;
pub mod threads;

pub use virfie_segment::gst::{clock, priority, segmented};

/// Initialises GStreamer once per process and checks that the elements we need are installed.
///
/// # Errors
/// One line that names the missing elements and the Debian packages that have them.
pub fn init() -> Result<(), InitError> {
    crypto::keep_to_the_end();
    gstreamer::init().map_err(|error| InitError::Library(error.to_string()))?;
    // A thread's role is over with its task: one that has stepped down ([`priority`]) may never rise again and must not
    // come back as somebody else's.
    gstreamer::glib::ThreadPool::set_max_unused_threads(Some(0));
    let missing: Vec<String> = NEEDED
        .iter()
        .filter(|(element, _)| gstreamer::ElementFactory::find(element).is_none())
        .map(|(element, package)| format!("{element} ({package})"))
        .collect();
    if missing.is_empty() { Ok(()) } else { Err(InitError::Missing(missing.join(", "))) }
}

/// The reason why GStreamer cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// The library itself failed.
    #[error("GStreamer does not start: {0}")]
    Library(String),
    /// Plugins are not installed.
    #[error("GStreamer elements are missing: {0}")]
    Missing(String),
}

/// Elements without which the server is of no use, and where Debian and Ubuntu keep them.
const NEEDED: &[(&str, &str)] = &[
    ("appsrc", "gstreamer1.0-plugins-base"),
    ("opusdec", "gstreamer1.0-plugins-base"),
    ("deinterlace", "gstreamer1.0-plugins-good"),
    ("videoflip", "gstreamer1.0-plugins-good"),
    ("vp8dec", "gstreamer1.0-plugins-good"),
    ("vp8enc", "gstreamer1.0-plugins-good"),
    ("rtpvp8depay", "gstreamer1.0-plugins-good"),
    ("webrtcbin", "gstreamer1.0-plugins-bad"),
    ("nicesrc", "gstreamer1.0-nice"),
    ("x264enc", "gstreamer1.0-plugins-ugly"),
    ("avdec_h264", "gstreamer1.0-libav"),
    ("rtmp2sink", "gstreamer1.0-plugins-bad"),
];
