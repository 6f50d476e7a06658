//! An output as the room knows it: what was asked for, and how it goes. PURE.

use std::{path::PathBuf, sync::Arc};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    aux_picture::{AuxSource, AuxWish},
    name::RoomName,
    scenes::SceneName,
};
use crate::{
    layout::Fault,
    media::port::{
        AudioSettings, AudioWish, Blame, Container, FileTarget, Flow, HlsCut, HlsTarget, HlsWindow, IsoTarget,
        OutputFault, OutputId, OutputKind, OutputSpec, OutputState, OutputTarget, Preset, Recorded, RtmpAddress, Speed,
        Split, SrtAddress, VideoSettings, VideoWish, WhipAddress, Wishes,
    },
};

/// The places where recordings go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recordings {
    /// The folder of all rooms' folders.
    pub folder: PathBuf,
    /// The folder of all rooms' folders of segments.
    pub hls: PathBuf,
    /// Bytes that stay free on their disks.
    pub spare: u64,
}

impl Recordings {
    /// Names the folder of a room.
    pub fn of_room(&self, room: &RoomName) -> PathBuf {
        self.folder.join(room.as_str())
    }

    /// Names the folder of a room's HLS outputs.
    pub fn hls_of_room(&self, room: &RoomName) -> PathBuf {
        self.hls.join(room.as_str())
    }
}

/// An output as it is asked for and stored. Without `Debug`: it holds stream keys.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewOutput)]
pub struct OutputDocument {
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: OutputKind,
    /// Destination. `rtmp`: `rtmp://host/app/key` or `rtmps://…`; what stands behind the host is sent as it is written.
    /// `srt`: `srt://host:port?passphrase=…&latency=…&streamid=…`, or `srt://:port` for receivers that call. `whip`:
    /// `https://host/…` or `http://…`, to which an offer is posted. At most 2048 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "rtmp://live.example/app/stream-key")]
    pub url: Option<String>,
    /// `rtmp`: the stream key, where the URL ends with the application: needed for keys with a slash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// `whip`: the bearer token that the other server wants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Its name, 1 to 64 letters, digits, `-` and `_`. `file`: the beginning of the file's name; `hls`: a part of its
    /// address, `/hls/{room}/{name}/index.m3u8`. There it is the room's name where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `file`: how it is written. Default: mkv.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<Container>,
    /// The name of a scene of the room that is shown in place of the program, as it is at the time. Of its canvas, what
    /// it leaves out is the output's `video.size`, or the room's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "Vertical")]
    pub scene: Option<String>,
    /// A layout that is shown in place of the program. Of its canvas, what it leaves out is as for `scene`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<crate::layout::schema::Layout>)]
    pub layout: Option<Arc<Value>>,
    /// `file`: where it goes on in another file, `{"seconds": 2..=86400}` or `{"megabytes": 1..=1000000}`; parts follow
    /// each other without a gap, and each plays by itself. Left out: all is one file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<Split>,
    /// `file`: whether it is paused. Remembered until it is resumed, or stopped.
    #[serde(default, skip_serializing_if = "is_false")]
    #[schema(default = false)]
    pub paused: bool,
    /// `iso`: whether the person is recorded cut out of each participant's picture, too: ProRes 4444 with alpha, in a
    /// `.mov` each. Takes two thirds of a core for each participant at 640x360, and a model.
    #[serde(default, skip_serializing_if = "is_false")]
    #[schema(default = false)]
    pub cutouts: bool,
    /// `hls`: seconds of a segment, a multiple of `video.keyframe_seconds`. Default: 4, or the next multiple.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 2, maximum = 10)]
    pub segment_seconds: Option<u32>,
    /// `hls`: which segments are listed. Default: sliding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<HlsWindow>,
    /// `hls` with a sliding window: how many segments are listed. Default: 6.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 3, maximum = 900)]
    pub segments: Option<u32>,
    /// A platform's wishes; what `video` and `audio` say goes before them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<Preset>,
    /// The picture.
    #[serde(default)]
    pub video: VideoWish,
    /// The sound.
    #[serde(default)]
    pub audio: AudioWish,
    /// Whether it runs. Default: true.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub enabled: bool,
}

const fn yes() -> bool {
    true
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

impl OutputDocument {
    /// Reads what the output is.
    ///
    /// # Errors
    /// Every wrong place; nothing of an address is repeated.
    pub fn spec(&self, room: &RoomName, recordings: &Recordings) -> Result<OutputSpec, Vec<Fault>> {
        let fault = |pointer: &str, detail: &str| Fault { pointer: pointer.to_owned(), detail: detail.to_owned() };
        let webrtc = self.kind.is_webrtc();
        let wishes = Wishes { preset: self.preset, video: self.video.clone(), audio: self.audio.clone(), webrtc };
        let mut faults: Vec<Fault> = Vec::new();
        if let Err(wrong) = wishes.check() {
            faults.extend(wrong.iter().map(|(pointer, detail)| fault(pointer, detail)));
        }
        let name = self.name.as_deref().map(RoomName::parse);
        if matches!(name, Some(Err(_))) {
            faults.push(fault("/name", "must be 1 to 64 letters, digits, - and _"));
        }
        let name = name.and_then(Result::ok).unwrap_or_else(|| room.clone());
        if self.scene.as_deref().is_some_and(|name| SceneName::parse(name).is_err()) {
            faults.push(fault("/scene", "must be the name of a scene"));
        }
        if self.layout.as_ref().is_some_and(|layout| !layout.is_object()) {
            faults.push(fault("/layout", "must be a layout, an object"));
        }
        if self.scene.is_some() && self.layout.is_some() {
            faults.push(fault("/layout", "cannot stand beside `scene`: one of them is shown"));
        }
        faults.extend(self.stray_keys().map(|pointer| fault(pointer, "is not a key of this type of output")));
        if let Some(Err((pointer, detail))) = self.split.map(Split::check) {
            faults.push(fault(pointer, detail));
        }
        if self.token.as_deref().is_some_and(|token| !WhipAddress::is_token(token)) {
            faults.push(fault("/token", "must be at most 2048 visible characters of ASCII, without blanks"));
        }
        let url = self.url.as_deref();
        let file = FileTarget {
            folder: recordings.of_room(room),
            name: name.as_str().to_owned(),
            container: self.container.unwrap_or_default(),
            split: self.split,
            spare: recordings.spare,
        };
        let target = match self.kind {
            OutputKind::Rtmp => {
                let parsed = url.map(|url| RtmpAddress::parse(url, self.key.as_deref()).map(OutputTarget::Rtmp));
                parsed.unwrap_or(Err("is missing"))
            }
            OutputKind::Srt => url.map_or(Err("is missing"), |url| SrtAddress::parse(url).map(OutputTarget::Srt)),
            OutputKind::File => Ok(OutputTarget::File(file)),
            OutputKind::Iso => Ok(OutputTarget::Iso(IsoTarget { file, cutouts: self.cutouts })),
            OutputKind::Whip => url.map_or(Err("is missing"), |url| {
                WhipAddress::parse(url, self.token.as_deref(), wishes.profile()).map(OutputTarget::Whip)
            }),
            OutputKind::Hls => {
                // The distance of keyframes does not depend on the canvas.
                let keyframes = wishes.video((2, 2, 1)).keyframe_seconds;
                let cut = HlsCut::new(self.segment_seconds, self.window, self.segments, keyframes);
                let cut = cut.unwrap_or_else(|wrong| {
                    faults.extend(wrong.iter().map(|(pointer, detail)| fault(pointer, detail)));
                    HlsCut::default()
                });
                let address = format!("/hls/{room}/{name}/index.m3u8");
                let (folder, spare) = (recordings.hls_of_room(room), recordings.spare);
                Ok(OutputTarget::Hls(HlsTarget { folder, address, cut, spare }))
            }
        };
        match target {
            Ok(target) if faults.is_empty() => {
                let aux = self.aux().map(|wish| wish.id());
                Ok(OutputSpec { target, wishes, aux, paused: self.paused })
            }
            Ok(_) => Err(faults),
            Err(detail) => {
                faults.push(fault("/url", detail));
                Err(faults)
            }
        }
    }

    /// Returns what it shows in place of the program.
    pub fn aux(&self) -> Option<AuxWish> {
        let scene = self.scene.as_deref().and_then(|name| SceneName::parse(name).ok()).map(AuxSource::Scene);
        let source = scene.or_else(|| self.layout.clone().map(AuxSource::Layout))?;
        Some(AuxWish { source, size: self.video.size() })
    }
}

/// An output as it survives a restart. Without `Debug`: it holds stream keys.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptOutput {
    /// Its id.
    pub id: String,
    /// Time at which it was made.
    pub created_at: Timestamp,
    /// The output as it was asked for.
    pub output: OutputDocument,
    /// Whether who made it may send into the server's own networks. Those that were stored earlier do not say it; their
    /// hosts were looked at when they were made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub internal: Option<bool>,
}

impl std::fmt::Debug for KeptOutput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeptOutput({})", self.id)
    }
}

/// The phase of an output's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OutputPhase {
    /// Nothing has been acknowledged yet.
    Connecting,
    /// The room is being sent.
    Live,
    /// A recording that writes nothing until it is resumed.
    Paused,
    /// It broke and is tried again at `next_retry_at`.
    Retrying,
    /// Ended by request.
    Stopped,
    /// Given up.
    Failed,
}

impl OutputPhase {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 6] =
        [Self::Connecting, Self::Live, Self::Paused, Self::Retrying, Self::Stopped, Self::Failed];

    /// Returns its name, as JSON and metrics have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Live => "live",
            Self::Paused => "paused",
            Self::Retrying => "retrying",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        }
    }
}

/// Something that the room is sent to.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Output {
    /// Its id.
    #[schema(value_type = String)]
    pub id: Arc<str>,
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: OutputKind,
    /// Its name; null without one.
    pub name: Option<String>,
    /// Destination, without the stream key; a recording's file. Null for those who do not direct the room.
    pub url: Option<String>,
    /// Whether it is to run.
    pub enabled: bool,
    /// State that it is in.
    pub state: OutputPhase,
    /// Number of this retry, 1 for the first; null when it is not retrying.
    pub attempt: Option<u32>,
    /// Time at which it is tried again.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_retry_at: Option<Timestamp>,
    /// The error that broke it last; null once it is live again.
    pub last_error: Option<String>,
    /// The side that can mend that; null without an error.
    pub blame: Option<Blame>,
    /// The scene that it shows in place of the program.
    pub scene: Option<String>,
    /// The layout of its own that it shows in place of the program. Null for those who do not direct the room.
    #[schema(value_type = Option<crate::layout::schema::Layout>)]
    pub layout: Option<Arc<Value>>,
    /// Limits at which a recording goes on in another file.
    pub split: Option<Split>,
    /// Whether people are recorded cut out, too.
    pub cutouts: bool,
    /// The platform whose wishes it follows.
    pub preset: Option<Preset>,
    /// The picture as it is encoded. Outputs of equal settings share one encoder. Null where nothing is encoded
    /// (`iso`).
    pub video: Option<VideoSettings>,
    /// The sound as it is encoded; null as above.
    pub audio: Option<AudioSettings>,
    /// Work that the picture's encoder does; null before it is known.
    pub encoder_preset: Option<Speed>,
    /// Bit rate that goes out now, in kbit/s; null while it is not live.
    pub bitrate: Option<u64>,
    /// Bytes that have gone out on this connection, or into this file.
    pub bytes: u64,
    /// Whether the other end takes less than is sent, so that pictures are left out.
    pub behind: bool,
    /// Since when it is live.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub live_since: Option<Timestamp>,
    /// Time at which it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// A moment that has a name in all recordings that ran then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Marker {
    /// Its name, 1 to 100 characters.
    #[schema(value_type = String)]
    pub name: Arc<str>,
    /// Time at which it was set.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
}

impl Output {
    /// Returns the same as it is when it has been stopped.
    #[must_use]
    pub fn stopped(self) -> Self {
        let state = OutputPhase::Stopped;
        Self { state, attempt: None, next_retry_at: None, bitrate: None, live_since: None, ..self }
    }
}

/// A file that an output has finished.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct FinishedRecording {
    /// The output that wrote it.
    #[schema(value_type = String)]
    pub output: Arc<str>,
    /// The file's name in `/rooms/{room}/recordings`. Null for those who do not direct the room.
    #[schema(example = "studio-20261128T120000Z.mkv")]
    pub name: Option<String>,
    /// Its size.
    pub bytes: u64,
    /// Playing time.
    pub seconds: f64,
}

impl FinishedRecording {
    /// Creates it from what the media reports of an output's run.
    pub fn new(run: &OutputId, file: Recorded) -> Self {
        let output = run.0.split('.').next().unwrap_or_default().into();
        let seconds = (file.length.as_secs_f64() * 100.0).round() / 100.0;
        Self { output, name: Some(file.name), bytes: file.bytes, seconds }
    }
}

/// An output of a room. Without `Debug`: it holds stream keys.
#[derive(Clone, PartialEq)]
pub struct OutputEntry {
    /// Its id.
    pub id: OutputId,
    /// The output as it was asked for, with the stream key: neither shown nor logged.
    pub document: OutputDocument,
    /// The order to the media that follows from it.
    pub spec: OutputSpec,
    /// The picture that it shows in place of the program.
    pub aux: Option<AuxWish>,
    /// Time at which it was made.
    pub created_at: Timestamp,
    /// Number of times that the room had the media start it. What an earlier run says counts no more.
    run: u32,
    /// The newest state that the media reported, and when.
    state: (OutputState, Timestamp),
    /// The error that broke it last; it stays until the output is live again.
    fault: Option<OutputFault>,
    flow: Flow,
    /// Number of markers of this run.
    pub markers: usize,
}

impl std::fmt::Debug for OutputEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OutputEntry({} to {})", self.id, self.spec.target.shown())
    }
}

impl OutputEntry {
    /// Makes an output that has not been started yet.
    pub fn new(id: OutputId, document: OutputDocument, spec: OutputSpec, wall: Timestamp) -> Self {
        Self {
            id,
            aux: document.aux(),
            document,
            spec,
            created_at: wall,
            run: 0,
            state: (OutputState::Stopped, wall),
            fault: None,
            flow: Flow::default(),
            markers: 0,
        }
    }

    /// Returns what the media knows this run by.
    pub fn media_id(&self) -> OutputId {
        if self.run <= 1 { self.id.clone() } else { OutputId(format!("{}.{}", self.id, self.run).into()) }
    }

    /// Begins another run, from now on.
    pub fn begin(&mut self, wall: Timestamp) {
        self.run += 1;
        (self.fault, self.flow, self.markers) = (None, Flow::default(), 0);
        self.state = (OutputState::Connecting, wall);
    }

    /// Returns whether the media has it.
    pub fn runs(&self) -> bool {
        !matches!(self.state.0, OutputState::Stopped | OutputState::Failed { .. })
    }

    /// Becomes another one.
    pub fn take(&mut self, document: OutputDocument, spec: OutputSpec) {
        self.aux = document.aux();
        (self.document, self.spec) = (document, spec);
    }

    /// Returns whether it is a recording.
    pub fn records(&self) -> bool {
        self.document.kind.is_recording()
    }

    /// Remembers whether it is paused.
    pub fn set_paused(&mut self, paused: bool) {
        (self.document.paused, self.spec.paused) = (paused, paused);
    }

    /// Takes news from the media.
    pub fn set_state(&mut self, state: OutputState, wall: Timestamp) {
        match &state {
            OutputState::Retrying { fault, .. } | OutputState::Failed { fault } => self.fault = Some(fault.clone()),
            OutputState::Live => self.fault = None,
            OutputState::Connecting | OutputState::Stopped => {}
        }
        if !matches!(state, OutputState::Live) {
            self.flow = Flow::default();
        }
        self.state = (state, wall);
    }

    /// Takes what flows.
    pub fn set_flow(&mut self, flow: Flow) {
        self.flow = flow;
    }

    /// Returns what is kept of it.
    pub fn kept(&self) -> KeptOutput {
        KeptOutput {
            id: self.id.0.to_string(),
            created_at: self.created_at,
            output: self.document.clone(),
            internal: Some(self.spec.target.is_internal_allowed()),
        }
    }

    /// Says where it stands.
    pub fn phase(&self) -> OutputPhase {
        match self.state.0 {
            OutputState::Connecting | OutputState::Live if self.document.paused => OutputPhase::Paused,
            OutputState::Connecting => OutputPhase::Connecting,
            OutputState::Live => OutputPhase::Live,
            OutputState::Retrying { .. } => OutputPhase::Retrying,
            OutputState::Stopped => OutputPhase::Stopped,
            OutputState::Failed { .. } => OutputPhase::Failed,
        }
    }

    /// Returns whether it was paused before it began.
    pub fn waits_in_pause(&self) -> bool {
        self.document.paused && matches!(self.state.0, OutputState::Connecting)
    }

    /// Returns what others see, for the canvas that it gets (width, height, frames a second).
    pub fn view(&self, canvas: (u32, u32, u32)) -> Output {
        let (state, since) = &self.state;
        let phase = self.phase();
        let (attempt, next_retry_at) = match state {
            OutputState::Retrying { attempt, after, .. } => (Some(*attempt), since.checked_add(*after).ok()),
            _ => (None, None),
        };
        let is_encoded = self.document.kind.is_encoded();
        let video = is_encoded.then(|| self.spec.wishes.video(canvas));
        Output {
            id: self.id.0.clone(),
            kind: self.document.kind,
            name: self.document.name.clone(),
            url: Some(self.spec.target.shown()),
            enabled: self.document.enabled,
            state: phase,
            attempt,
            next_retry_at,
            last_error: self.fault.as_ref().map(|fault| fault.text.clone()),
            blame: self.fault.as_ref().map(|fault| fault.blame),
            scene: self.document.scene.clone(),
            layout: self.document.layout.clone(),
            split: self.document.split,
            cutouts: self.document.cutouts,
            preset: self.document.preset,
            video,
            audio: is_encoded.then(|| self.spec.wishes.audio()),
            encoder_preset: self.flow.speed.or(video.and_then(|video| video.preset)),
            bitrate: (phase == OutputPhase::Live).then(|| self.flow.bits_per_second.div_ceil(1000)),
            bytes: self.flow.bytes,
            behind: self.flow.behind,
            live_since: (phase == OutputPhase::Live).then_some(*since),
            created_at: self.created_at,
        }
    }
}

#[cfg(test)]
mod tests;
