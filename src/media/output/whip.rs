//! WHIP (RFC 9725): H.264 and Opus by WebRTC to another server, as a client of it.
//!
//! ```text
//!   offer ─► POST ─► answer ─► publication (str0m, a port of its own) ─► units, packets
//!                                    └─ reports ─► live, keyframes asked for, lost
//! ```
//! Contract: units without B-frames, and Opus. Candidates of the other server in internal networks count only where the
//! output may lead there. Ours are of the machine itself: a public server sees by itself what a NAT makes of them, so
//! the ICE servers of `Link` are passed over, and nothing is trickled. Failure: one that answers no more is an
//! [`OutputFault`] after seconds. Threads: HTTP on the output's, media on those of the publication.

mod client;

use std::{
    net::ToSocketAddrs as _,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::Receiver,
    },
    time::Duration,
};

use gstreamer as gst;

use super::{
    Begun, Ends, Kind, Link, Opening, PATIENCE, hosts,
    tls::{self, Timed},
    trial::{self, Steps},
};
use crate::media::{
    deliver::{
        News,
        publish::{Offered, Publication, PublishError, Reach},
    },
    gst::{clock::media_clock, launch::Launches},
    port::{Blame, OutputFault, VideoSettings, WhipAddress},
};

use client::{Client, Session};

/// Without a packet for this long the other server is gone: it is asked every three seconds whether it is there.
const SILENT: Duration = Duration::from_secs(7);
/// Without a word about what has come for this long it takes nothing any more. Reports come every five seconds or more
/// often.
const UNREPORTED: Duration = Duration::from_secs(10);

/// The share of packets that a line may lose, and still carries what is sent.
const MOST_LOST: f32 = 0.1;

/// See the module.
#[derive(Debug)]
pub(super) struct Whip(pub(super) WhipAddress);

impl Kind for Whip {
    fn redact(&self, text: &str) -> String {
        self.0.redact(text)
    }

    fn patience(&self) -> Option<Duration> {
        Some(PATIENCE)
    }

    fn try_out(&self, steps: &mut Steps, _launches: &Launches) -> Result<(), OutputFault> {
        let (host, port) = self.0.host();
        let addresses = steps.take("lookup", |left| hosts::find(&host, port, self.0.internal, left))?;
        let stream = steps.take("connect", |left| trial::connect(&addresses, left))?;
        if self.0.url.scheme() == "https" {
            steps.take("tls", |left| tls::secure(&host, Timed::new(stream, left)))?;
        }
        Ok(())
    }

    fn begin(&self, opening: Opening<'_>) -> Result<Begun<'_>, OutputFault> {
        let Opening { broke, keyframe, .. } = opening;
        let ours = |error: std::io::Error| OutputFault::new(Blame::Server, format!("no port to send from: {error}"));
        let reach = Reach { loopback: self.is_here(), internal: self.0.internal };
        let offered = Offered::new(reach, self.0.profile).map_err(ours)?;
        let client = Client::new(&self.0);
        let Session { answer, resource } = client.post(&self.0.url, &offered.sdp())?;
        let end = Farewell(resource.map(|resource| (client, resource)));
        let accepted = Arc::<AtomicBool>::default();
        let behind = Arc::<AtomicBool>::default();
        let (heard, held_back) = (accepted.clone(), behind.clone());
        // The receiver of what broke is gone once the attempt is over.
        let listener = move |news| match news {
            News::Keyframe(_) => keyframe(),
            News::Gone(reason) => drop(broke.send(lost(&reason))),
            News::Report(report) => {
                heard.fetch_or(report.acknowledged.is_some(), Ordering::Relaxed);
                let Some(acknowledged) = report.acknowledged else { return };
                let is_short = report.held_back || report.loss > MOST_LOST;
                held_back.store(report.rung.is_none() || is_short, Ordering::Relaxed);
                if report.heard.elapsed() > SILENT {
                    let _ = broke.send(lost(&format!("nothing has come from it for {} s", SILENT.as_secs())));
                } else if acknowledged.elapsed() > UNREPORTED {
                    let text = format!("it has not said for {} s that it gets anything", UNREPORTED.as_secs());
                    let _ = broke.send(lost(&text));
                }
            }
            News::Connected | News::Needs(_) => {}
        };
        // A session that is of no use ends with `end`.
        let publication = offered.accept(&answer, listener).map_err(|error| fault(&error))?;
        let publication = Arc::new(publication);
        let line = WhipEnds(publication.clone());
        Ok((Box::new(line), Box::new(Running { publication, accepted, behind, end })))
    }
}

impl Whip {
    /// Returns whether the other server is on this machine, and is reached by loopback alone.
    fn is_here(&self) -> bool {
        // Who cannot be found is not found by the client either, which says so.
        let found = self.0.host().to_socket_addrs().map(|found| found.collect::<Vec<_>>()).unwrap_or_default();
        !found.is_empty() && found.iter().all(|address| address.ip().is_loopback())
    }
}

/// Returns whose fault it is that nothing is published. A server that does not take what is sent would not the
/// next time either.
fn fault(error: &PublishError) -> OutputFault {
    let text = error.to_string();
    match error {
        PublishError::Invalid(_) => OutputFault::new(Blame::Destination, text),
        PublishError::Unwilling(_) => OutputFault::last(Blame::Destination, text),
        PublishError::Failed(_) => OutputFault::new(Blame::Server, text),
    }
}

fn lost(text: &str) -> OutputFault {
    OutputFault::new(Blame::Destination, format!("the other server is lost: {text}"))
}

/// The publication that is fed.
#[derive(Debug)]
struct WhipEnds(Arc<Publication>);

impl Ends for WhipEnds {
    /// Returns zero: what the line cannot carry is left out on its way.
    fn waiting(&self) -> Duration {
        Duration::ZERO
    }

    fn sound_waiting(&self) -> Duration {
        Duration::ZERO
    }

    fn picture(&mut self, unit: &gst::Buffer, _out: gst::Buffer) {
        let (Some(pts), Ok(data)) = (unit.pts(), unit.map_readable()) else { return };
        let pts = Duration::from_nanos(pts.nseconds());
        let keyframe = !unit.flags().contains(gst::BufferFlags::DELTA_UNIT);
        self.0.picture(keyframe, (pts, media_clock().instant(pts)), &data);
    }

    fn sound(&mut self, packet: &gst::Buffer, _caps: &gst::Caps, _out: gst::ClockTime) {
        let (Some(pts), Ok(data)) = (packet.pts(), packet.map_readable()) else { return };
        let pts = Duration::from_nanos(pts.nseconds());
        self.0.sound((pts, media_clock().instant(pts)), &data);
    }

    fn encoded_as(&mut self, video: &VideoSettings) {
        self.0.needs(video.bitrate.saturating_mul(1000), video.height);
    }

    fn finish(&mut self) {}
}

/// Ends the session where it was made; dropped without being asked, from a thread of its own.
#[derive(Debug)]
struct Farewell(Option<(Client, url::Url)>);

impl Farewell {
    fn say(&mut self) {
        if let Some((client, resource)) = self.0.take() {
            client.delete(&resource);
        }
    }
}

impl Drop for Farewell {
    fn drop(&mut self) {
        if let Some((client, resource)) = self.0.take() {
            let ends = move || client.delete(&resource);
            // Without a thread the other server finds out by itself.
            let _ = std::thread::Builder::new().name("whip-delete".into()).spawn(ends);
        }
    }
}

/// The session as it runs.
struct Running {
    publication: Arc<Publication>,
    accepted: Arc<AtomicBool>,
    behind: Arc<AtomicBool>,
    end: Farewell,
}

impl Link for Running {
    fn written(&self) -> u64 {
        self.publication.sent()
    }

    fn is_accepted(&self) -> bool {
        self.accepted.load(Ordering::Relaxed)
    }

    fn is_behind(&self) -> bool {
        self.behind.load(Ordering::Relaxed)
    }

    /// Ends it with a DELETE, and the end of DTLS.
    fn say_farewell(&mut self, _broken: &Receiver<OutputFault>) {
        self.end.say();
        self.publication.end();
    }
}
