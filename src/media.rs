//! The media tree: everything that touches GStreamer.
//!
//! ```text
//!   webrtc ─► ingest ─► segment ─► compose ─► encode ─► deliver, output
//!                └────► audio ────────────────────────────┘
//! ```
//! [`room`] joins the stages of one room; [`port`] is all that the control tree sees. [`codec`], [`sdp`] and [`gst`]
//! are what stages share.
//!
//! When there is not enough time for all, mixing, sound and delivery come before encoding, that before decoding, that
//! before segmentation ([`gst::priority`]). Masks are given up first ([`segment::governor`]), and what even decoding
//! has no time for is left out before it ([`ingest::backlog`]).

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::mpsc::UnboundedSender;
use tracing::info;

pub mod audio;
pub mod codec;
pub mod compose;
pub mod deliver;
pub mod encode;
pub mod file;
pub mod gst;
pub mod ingest;
pub mod iso;
pub mod output;
pub mod pictures;
pub mod port;
pub mod room;
pub mod sdp;
pub mod upload;
pub mod webrtc;

pub use virfie_segment as segment;

use deliver::{Delivery, socket::Binding, tcp::Service};
use gst::launch::{LaunchError, Launches};
use port::{DecodeError, FontUse, Media, MediaEvent, RoomMedia, RoomSpec, Samples, Segmentation, Still};
use segment::model::{Model, ModelSource};
use upload::Decoder;
use webrtc::peer::Network;

/// The configuration from which the media of a process is made.
#[derive(Debug, Clone, Default)]
pub struct EngineConfig {
    /// The rooms' model; without one whole pictures are shown.
    pub model: Option<ModelSource>,
    /// Folder of the models that layers can name.
    pub models: Option<PathBuf>,
    /// Folder with the operator's launch files.
    pub pipelines: Option<PathBuf>,
    /// `stun://host:port`
    pub stun: Option<String>,
    /// `turn(s)://user:password@host:port?transport=udp`, percent-encoded.
    pub turn: Vec<String>,
    /// Shown in host candidates instead of the machine's own addresses.
    pub public_ip: Option<IpAddr>,
    /// First and last UDP port for what people send.
    pub udp_ports: Option<(u16, u16)>,
    /// The UDP port of all who receive; 0: any.
    pub media_port: u16,
    /// TCP for those who receive and whom no UDP reaches.
    pub media_tcp: Service,
    /// Whether peers are called at private and loopback addresses. `None`: unless the machine has a public address,
    /// for then its peers reach it without a call, and what is called would be its own network.
    pub internal_peers: Option<bool>,
    /// The server listens on loopback only, so media stays there too.
    pub listen_loopback: bool,
    /// This program, to decode in another process what somebody sends; without it that is done here.
    pub program: Option<PathBuf>,
}

/// The reason why media cannot start.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// GStreamer or its plugins.
    #[error(transparent)]
    Init(#[from] gst::InitError),
    /// The operator's launch files.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// The model.
    #[error(transparent)]
    Model(#[from] segment::model::ModelError),
    /// The port of the receivers.
    #[error("UDP port {port}: {error}")]
    Port {
        /// As asked for.
        port: u16,
        /// Of the system.
        error: std::io::Error,
    },
}

/// The real media: GStreamer, one per process.
#[derive(Debug)]
pub struct Engine {
    launches: Launches,
    decoder: Decoder,
    network: Network,
    delivery: Arc<Delivery>,
    segmentation: Segmentation,
}

/// Says what to do, for users who did not choose it.
const NO_MODEL: &str = "no model: whole pictures are shown; `--model embedded` cuts people out";

impl Engine {
    /// Starts GStreamer, reads the launch texts, loads the model, binds the port of the receivers, and makes the DTLS
    /// certificates now rather than at the first join.
    ///
    /// # Errors
    /// See [`EngineError`]; each is one line.
    pub fn new(config: EngineConfig) -> Result<Self, EngineError> {
        gst::init()?;
        segment::register_own().map_err(|error| gst::InitError::Library(error.to_string()))?;
        let launches = Launches::load(config.pipelines.as_deref())?;
        segment::models::set_folder(config.models);
        let segmentation = match &config.model {
            Some(source) => {
                let begun = Instant::now();
                let model = Model::from_source(source)?;
                let (name, keypoints) = (model.name().to_owned(), model.has_poses());
                info!(model = %name, %source, milliseconds = begun.elapsed().as_millis(), "model loaded");
                segment::model::set_default(Some(model));
                Segmentation { model: Some(name), reason: None, keypoints }
            }
            None => {
                info!("{NO_MODEL}");
                segment::model::set_default(None);
                Segmentation { model: None, reason: Some(NO_MODEL.to_owned()), keypoints: false }
            }
        };
        let (port, public_ip) = (config.media_port, config.public_ip);
        let binding = Binding {
            port,
            loopback: config.listen_loopback,
            loopback_too: false,
            public_ip,
            internal_peers: config.internal_peers,
            tcp: config.media_tcp,
        };
        let delivery = Delivery::start(binding).map_err(|error| EngineError::Port { port, error })?;
        let network = Network {
            stun: config.stun,
            turn: config.turn,
            public_ip: config.public_ip,
            udp_ports: config.udp_ports,
            local_ip: config.listen_loopback.then_some(IpAddr::from([127, 0, 0, 1])),
            internal_peers: delivery.calls_internal_peers(),
        };
        info!(port = delivery.port(), tcp = delivery.serves_tcp(), "receivers are served by UDP");
        webrtc::certificate::warm_up();
        let decoder = Decoder::new(config.program, config.pipelines, launches.clone());
        Ok(Self { launches, decoder, network, delivery: Arc::new(delivery), segmentation })
    }
}

impl Engine {
    /// Returns what serves receivers, for who hands TCP connections over.
    pub fn delivery(&self) -> Arc<Delivery> {
        self.delivery.clone()
    }
}

impl Media for Engine {
    fn open(&self, room: RoomSpec, events: UnboundedSender<MediaEvent>) -> Box<dyn RoomMedia> {
        let parts = room::Parts {
            launches: self.launches.clone(),
            network: self.network.clone(),
            delivery: self.delivery.clone(),
            can_cut: self.segmentation.model.is_some(),
        };
        Box::new(room::RunningRoom::start(room, Arc::new(parts), events))
    }

    fn cores(&self) -> usize {
        gst::load::cores()
    }

    fn threads_of_file(&self) -> usize {
        gst::threads::of_file(gst::load::cores())
    }

    fn ending(&self) -> usize {
        gst::pipeline::ending()
    }

    fn segmentation(&self) -> Segmentation {
        self.segmentation.clone()
    }

    fn try_output(&self, target: port::OutputTarget) -> port::Trial {
        output::try_out(target, &self.launches)
    }

    fn models(&self) -> Vec<String> {
        segment::models::names()
    }

    fn decode_sound(&self, path: &Path, longest: Duration) -> Result<Samples, DecodeError> {
        self.decoder.sound(path, longest)
    }

    fn look_at_clip(&self, path: &Path) -> Result<(Still, Option<Duration>), DecodeError> {
        self.decoder.clip(path)
    }

    fn use_font(&self, path: &Path, wish: &str) -> FontUse {
        self.decoder.font(path, wish)
    }
}
