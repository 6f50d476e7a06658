//! Setup of the server: what was written (flags, environment, file) becomes what is meant.
//!
//! In two steps. [`Written`] is one source as it stands: everything may be missing, nothing is checked beyond its type.
//! Sources are laid over each other (flag > environment > file), and [`ServeConfig::resolve`] checks the result, fills
//! in the defaults and says in one line which key is wrong.

pub mod ice;
pub mod webhook;
mod written;

use std::{
    env, fmt,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use ipnet::IpNet;

pub use self::{ice::IceServer, webhook::Webhook, written::Written};
use crate::{
    error::ProgramError,
    layout::{Background, Canvas, CanvasLimit, limits},
};

/// The segmentation model to load.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ModelChoice {
    /// The one built into the program.
    #[default]
    Embedded,
    /// This file.
    File(PathBuf),
    /// None: whole pictures are shown.
    None,
}

/// The protection of connections.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Tls {
    /// Plain HTTP.
    #[default]
    Off,
    /// A certificate made here and kept in the data directory.
    SelfSigned,
    /// A certificate chain and its key, PEM files.
    Files {
        /// The chain, the server's own certificate first.
        cert: PathBuf,
        /// The private key.
        key: PathBuf,
    },
}

/// The format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// The settings of the server, checked and complete.
#[derive(Clone, PartialEq, Eq)]
pub struct ServeConfig {
    /// Address at which HTTP is served. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Folder of keys, assets and models. Need not exist.
    pub data_dir: PathBuf,
    /// The segmentation model.
    pub model: ModelChoice,
    /// The key as configured.
    pub api_key: Option<String>,
    /// TLS.
    pub tls: Tls,
    /// STUN and TURN servers, for us and for browsers.
    pub ice_servers: Vec<IceServer>,
    /// Proxies whose word about their clients is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The path under which a proxy offers us, without a slash at its end; empty: none.
    pub base_path: String,
    /// Whether producers may send rooms to addresses of internal networks.
    pub internal_outputs: bool,
    /// Folder of recordings. Need not exist.
    pub recordings: PathBuf,
    /// Megabytes that recordings and HLS events leave free on their disk.
    pub recordings_spare: u64,
    /// Receivers of what happens on the server.
    pub webhooks: Vec<Webhook>,
    /// The secret that signs these requests, as configured; `None`: one of the data directory.
    pub webhook_secret: Option<String>,
    /// The public address of a 1:1 NAT.
    pub public_ip: Option<IpAddr>,
    /// First and last UDP port for what people send; `None` leaves them to the system.
    pub udp_ports: Option<(u16, u16)>,
    /// The UDP port of all who receive. Port 0 takes a free one.
    pub media_port: u16,
    /// Whether they may receive by TCP, too.
    pub media_tcp: bool,
    /// Whether peers are called at private and loopback addresses; `None`: unless the machine has a public one.
    pub internal_peers: Option<bool>,
    /// Folder of `.launch` files that replace those built in.
    pub pipelines: Option<PathBuf>,
    /// Most rooms at once.
    pub max_rooms: usize,
    /// Most participants of a room that does not say otherwise.
    pub max_participants: usize,
    /// Time for which a silent sender's last picture stays, in milliseconds.
    pub hold_ms: u64,
    /// The canvas of a new room.
    pub canvas: Canvas,
    /// The largest canvas that a room may get.
    pub largest_canvas: CanvasLimit,
    /// Form of log lines.
    pub log_format: LogFormat,
    /// `tracing` directives; the default when `None`.
    pub log_level: Option<String>,
}

impl fmt::Debug for ServeConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServeConfig")
            .field("listen", &self.listen)
            .field("data_dir", &self.data_dir)
            .field("model", &self.model)
            .field("api_key", &self.api_key.as_ref().map(|_| "<redacted>"))
            .field("tls", &self.tls)
            .field("ice_servers", &self.ice_servers)
            .field("trusted_proxies", &self.trusted_proxies)
            .field("base_path", &self.base_path)
            .field("internal_outputs", &self.internal_outputs)
            .field("recordings", &self.recordings)
            .field("recordings_spare", &self.recordings_spare)
            .field("webhooks", &self.webhooks)
            .field("public_ip", &self.public_ip)
            .field("udp_ports", &self.udp_ports)
            .field("media_port", &self.media_port)
            .field("media_tcp", &self.media_tcp)
            .field("internal_peers", &self.internal_peers)
            .field("pipelines", &self.pipelines)
            .field("max_rooms", &self.max_rooms)
            .field("max_participants", &self.max_participants)
            .field("hold_ms", &self.hold_ms)
            .field("canvas", &self.canvas)
            .field("largest_canvas", &self.largest_canvas)
            .finish_non_exhaustive()
    }
}

/// The shortest API key or secret that is taken, in characters: of 16 random hexadecimal digits there are 2^64.
pub const SHORTEST_KEY: usize = 16;

/// Longest path that may stand before ours, in bytes.
const LONGEST_PATH: usize = 200;

/// The background of new rooms; the picture is built into the program.
const DEFAULT_BACKGROUND: &str = "studio.jpg";

impl Default for ServeConfig {
    /// Returns a configuration for tests: a free port of loopback, no key, and a data directory of its own under the
    /// system's temporary one.
    fn default() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let unique = format!("virfie-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            data_dir: env::temp_dir().join(unique),
            model: ModelChoice::default(),
            api_key: None,
            tls: Tls::Off,
            ice_servers: Vec::new(),
            trusted_proxies: Vec::new(),
            base_path: String::new(),
            internal_outputs: false,
            recordings: env::temp_dir().join("recordings"),
            recordings_spare: 1000,
            webhooks: Vec::new(),
            webhook_secret: None,
            public_ip: None,
            udp_ports: None,
            media_port: 0,
            media_tcp: true,
            internal_peers: None,
            pipelines: None,
            max_rooms: 64,
            max_participants: 16,
            hold_ms: 2000,
            canvas: Canvas { background: Background::Image(DEFAULT_BACKGROUND.to_owned()), ..Canvas::default() },
            largest_canvas: CanvasLimit::default(),
            log_format: LogFormat::Text,
            log_level: None,
        }
    }
}

impl ServeConfig {
    /// Returns what is meant by flags and environment (`given`; clap has laid the one over the other) and a file.
    ///
    /// # Errors
    /// One line that names the wrong key.
    pub fn load(given: Written, file: Option<&Path>) -> Result<Self, ProgramError> {
        let rust_log = Written { log_level: env::var("RUST_LOG").ok(), ..Written::default() };
        let below = file.map(Written::read).transpose()?.unwrap_or_default();
        Self::resolve(given.over(rust_log).over(below))
    }

    /// Checks what was written and fills in the defaults.
    ///
    /// # Errors
    /// One line that names the wrong key.
    pub fn resolve(written: Written) -> Result<Self, ProgramError> {
        let written = written.without_empty();
        let default = Self::default();
        let api_key = written.api_key;
        if api_key.as_ref().is_some_and(|key| key.chars().any(|c| c.is_whitespace() || !c.is_ascii_graphic())) {
            return Err(wrong("api-key", "must be printable ASCII without blanks, as it is sent in a header"));
        }
        hard_to_guess("api-key", api_key.as_deref())?;
        let webhooks = webhooks(&written.webhook.unwrap_or_default())?;
        let webhook_secret = written.webhook_secret.map(|secret| secret.trim().to_owned());
        hard_to_guess("webhook-secret", webhook_secret.as_deref())?;
        if webhook_secret.is_some() && webhooks.is_empty() {
            return Err(wrong("webhook-secret", "is given, and there is no webhook"));
        }
        let data_dir = written.data_dir.unwrap_or_else(default_data_dir);
        let recordings = written.recordings.unwrap_or_else(|| data_dir.join("recordings"));
        let listen = match written.listen {
            Some(text) => listen(&text)?,
            None => SocketAddr::from(([127, 0, 0, 1], 8080)),
        };
        let largest_canvas = largest_canvas(written.max_canvas.as_deref(), written.max_fps)?;
        Ok(Self {
            listen,
            model: model(written.model, &data_dir)?,
            data_dir,
            api_key,
            tls: tls(written.tls, written.tls_cert, written.tls_key)?,
            ice_servers: ice_servers(&written.ice_server.unwrap_or_default(), written.turn_secret.as_deref())?,
            trusted_proxies: trusted_proxies(&written.trusted_proxy.unwrap_or_default())?,
            base_path: written.base_path.map(|text| path_before_ours(&text)).transpose()?.unwrap_or_default(),
            internal_outputs: written.internal_outputs.unwrap_or(default.internal_outputs),
            recordings,
            recordings_spare: written.recordings_spare.unwrap_or(default.recordings_spare),
            webhooks,
            webhook_secret,
            public_ip: written.public_ip.map(|text| public_ip(&text)).transpose()?,
            udp_ports: written.udp_ports.map(|text| udp_ports(&text)).transpose()?,
            media_port: within("media-port", written.media_port, 0..=65_535)?.unwrap_or(listen.port()),
            media_tcp: written.media_tcp.unwrap_or(default.media_tcp),
            internal_peers: match written.peer_addresses.as_deref() {
                None => None,
                Some("public") => Some(false),
                Some("all") => Some(true),
                Some(other) => return Err(wrong("peer-addresses", format!("{other:?} is neither `public` nor `all`"))),
            },
            pipelines: written.pipelines.map(pipelines).transpose()?,
            max_rooms: within("max-rooms", written.max_rooms, 1..=10_000)?.unwrap_or(default.max_rooms),
            max_participants: within("max-participants", written.max_participants, 1..=1000)?
                .unwrap_or(default.max_participants),
            hold_ms: within("hold-ms", written.hold_ms, 0..=600_000)?.unwrap_or(default.hold_ms),
            canvas: canvas(written.canvas, written.fps, written.background, &largest_canvas, default.canvas)?,
            largest_canvas,
            log_format: match written.log_format.as_deref() {
                None | Some("text") => LogFormat::Text,
                Some("json") => LogFormat::Json,
                Some(other) => return Err(wrong("log-format", format!("{other:?} is neither `text` nor `json`"))),
            },
            log_level: written.log_level,
        })
    }

    /// Returns where models are that layers can name.
    pub fn models(&self) -> PathBuf {
        self.data_dir.join(MODELS)
    }

    /// Returns whether this is the address of a proxy that the operator named.
    pub fn trusts_proxy(&self, address: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|network| network.contains(&address))
    }

    /// Returns whether the server is for this machine only.
    pub fn is_loopback(&self) -> bool {
        self.listen.ip().is_loopback()
    }
}

fn wrong(key: &str, detail: impl fmt::Display) -> ProgramError {
    ProgramError::Usage(format!("{key}: {detail}"))
}

/// Folder of a data directory in which models are kept.
pub const MODELS: &str = "models";

/// A name by which no model is found: the fault of who wrote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no file {name}, and no {}", fetched.display())]
pub struct NoModel {
    /// As given.
    name: String,
    /// File in which a fetched model of that name would lie.
    fetched: PathBuf,
}

/// Returns the model that `text` means: `embedded`, `none`, a file, or a name of those in a data directory's `models`.
///
/// # Errors
/// One line that says what was looked for.
pub fn model_choice(text: &str, data_dir: &Path) -> Result<ModelChoice, NoModel> {
    match text {
        "embedded" => Ok(ModelChoice::Embedded),
        "none" => Ok(ModelChoice::None),
        file if Path::new(file).is_file() => Ok(ModelChoice::File(PathBuf::from(file))),
        name => {
            let fetched = data_dir.join(MODELS).join(format!("{name}.onnx"));
            let plain = Path::new(name).components().count() == 1;
            if plain && fetched.is_file() {
                return Ok(ModelChoice::File(fetched));
            }
            Err(NoModel { name: name.to_owned(), fetched })
        }
    }
}

/// Returns where data is kept when nobody says otherwise.
pub fn default_data_dir() -> PathBuf {
    let folder = |name: &str| env::var_os(name).map(PathBuf::from).filter(|folder| folder.is_absolute());
    match (folder("XDG_DATA_HOME"), folder("HOME")) {
        (Some(data), _) => data.join("virfie"),
        (None, Some(home)) => home.join(".local/share/virfie"),
        (None, None) => PathBuf::from("virfie-data"),
    }
}

fn listen(text: &str) -> Result<SocketAddr, ProgramError> {
    let detail = || format!("{text:?} is not an address and port such as 127.0.0.1:8080 or [::]:8080");
    // `localhost:8080` is so usual that it is taken as well; other names could be several addresses.
    let text = match text.strip_prefix("localhost:") {
        Some(port) => format!("127.0.0.1:{port}"),
        None => text.to_owned(),
    };
    text.parse().map_err(|_| wrong("listen", detail()))
}

fn model(text: Option<String>, data_dir: &Path) -> Result<ModelChoice, ProgramError> {
    text.map_or(Ok(ModelChoice::default()), |text| model_choice(&text, data_dir).map_err(|error| wrong("model", error)))
}

fn tls(mode: Option<String>, cert: Option<PathBuf>, key: Option<PathBuf>) -> Result<Tls, ProgramError> {
    match (mode.as_deref(), cert, key) {
        (None | Some("off"), None, None) => Ok(Tls::Off),
        (Some("self-signed"), None, None) => Ok(Tls::SelfSigned),
        (Some("self-signed"), ..) => Err(wrong("tls", "`self-signed` and tls-cert exclude each other")),
        (None, Some(cert), Some(key)) => Ok(Tls::Files { cert, key }),
        (None, Some(_), None) => Err(wrong("tls-key", "is missing, and tls-cert is given")),
        (None, None, Some(_)) => Err(wrong("tls-cert", "is missing, and tls-key is given")),
        (Some("off"), ..) => Err(wrong("tls", "is `off`, and tls-cert or tls-key is given")),
        (Some(other), ..) => Err(wrong("tls", format!("{other:?} is not `self-signed`"))),
    }
}

fn ice_servers(urls: &[String], secret: Option<&str>) -> Result<Vec<IceServer>, ProgramError> {
    let urls = urls.iter().map(|url| url.trim()).filter(|url| !url.is_empty());
    let parse = |url: &str| IceServer::parse_with(url, secret).map_err(|detail| wrong("ice-server", detail));
    let servers = urls.map(parse).collect::<Result<Vec<_>, _>>()?;
    if secret.is_some() && !servers.iter().any(IceServer::has_secret) {
        return Err(wrong("turn-secret", "is given, and there is no ice-server `turn:HOST` without USER:PASSWORD@"));
    }
    Ok(servers)
}

fn hard_to_guess(key: &str, secret: Option<&str>) -> Result<(), ProgramError> {
    let Some(length) = secret.map(str::len).filter(|length| *length < SHORTEST_KEY) else { return Ok(()) };
    let detail = format!(
        "has {length} characters and needs {SHORTEST_KEY}, as shorter ones can be guessed: \
         `openssl rand -hex 16` makes one"
    );
    Err(wrong(key, detail))
}

fn webhooks(urls: &[String]) -> Result<Vec<Webhook>, ProgramError> {
    let urls = urls.iter().map(|url| url.trim()).filter(|url| !url.is_empty());
    urls.map(|url| Webhook::parse(url).map_err(|detail| wrong("webhook", detail))).collect()
}

fn trusted_proxies(texts: &[String]) -> Result<Vec<IpNet>, ProgramError> {
    let texts = texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty());
    let read = |text: &str| {
        let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        network.map_err(|_| {
            wrong("trusted-proxy", format!("{text:?} is neither an address nor a network such as 10.0.0.0/8"))
        })
    };
    texts.map(read).collect()
}

fn path_before_ours(text: &str) -> Result<String, ProgramError> {
    base_path(text).ok_or_else(|| wrong("base-path", format!("{text:?} is not a path such as /studio")))
}

/// Returns a path that may stand before ours, without a slash at its end; `None` when it is invalid.
pub fn base_path(text: &str) -> Option<String> {
    let path = text.trim_end_matches('/');
    let legal = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'.' | b'_' | b'~');
    let segments =
        |path: &str| path.split('/').all(|one| !one.is_empty() && one != "." && one != ".." && one.bytes().all(legal));
    let is_one = path.len() <= LONGEST_PATH && path.strip_prefix('/').is_some_and(segments);
    (path.is_empty() || is_one).then(|| path.to_owned())
}

fn public_ip(text: &str) -> Result<IpAddr, ProgramError> {
    text.parse().map_err(|_| wrong("public-ip", format!("{text:?} is not an IP address")))
}

fn udp_ports(text: &str) -> Result<(u16, u16), ProgramError> {
    let range =
        text.split_once('-').and_then(|(first, last)| Some((first.trim().parse().ok()?, last.trim().parse().ok()?)));
    match range {
        Some((first, last)) if 0 < first && first <= last => Ok((first, last)),
        _ => Err(wrong("udp-ports", format!("{text:?} is not a range such as 50000-50999"))),
    }
}

fn pipelines(folder: PathBuf) -> Result<PathBuf, ProgramError> {
    if folder.is_dir() {
        Ok(folder)
    } else {
        Err(wrong("pipelines", format!("there is no folder {}", folder.display())))
    }
}

fn within<T: TryFrom<i64>>(
    key: &str,
    value: Option<i64>,
    range: std::ops::RangeInclusive<i64>,
) -> Result<Option<T>, ProgramError> {
    let Some(value) = value else { return Ok(None) };
    match T::try_from(value) {
        Ok(converted) if range.contains(&value) => Ok(Some(converted)),
        _ => Err(wrong(key, format!("{value} is not within {} to {}", range.start(), range.end()))),
    }
}

fn canvas(
    size: Option<String>,
    fps: Option<i64>,
    background: Option<String>,
    largest: &CanvasLimit,
    default: Canvas,
) -> Result<Canvas, ProgramError> {
    // What is not said fits into what may be.
    let default = largest.clamp(default);
    let (width, height) = match size {
        None => (default.width, default.height),
        Some(text) => canvas_size("canvas", &text)?,
    };
    let background = match background {
        None => default.background.clone(),
        Some(text) => match limits::color(&text) {
            Some(color) => Background::Color(color),
            None if limits::is_asset(&text) => Background::Image(text),
            None => return Err(wrong("background", format!("{text:?} is neither a colour nor an asset's name"))),
        },
    };
    let fps = within("fps", fps, CanvasLimit::rates())?.unwrap_or(default.fps);
    let canvas = Canvas { width, height, fps, background };
    match largest.faults(&canvas, &default).first() {
        Some(fault) if fault.pointer == "/canvas/fps" => Err(wrong("fps", format!("{fps} is more than max-fps"))),
        Some(_) => Err(wrong("canvas", format!("{width}x{height} is more than max-canvas"))),
        None => Ok(canvas),
    }
}

fn largest_canvas(size: Option<&str>, fps: Option<i64>) -> Result<CanvasLimit, ProgramError> {
    let default = CanvasLimit::default();
    let size = size.map(|text| canvas_size("max-canvas", text)).transpose()?;
    let (width, height) = size.unwrap_or((default.width, default.height));
    Ok(CanvasLimit { width, height, fps: within("max-fps", fps, CanvasLimit::rates())?.unwrap_or(default.fps) })
}

fn canvas_size(key: &str, text: &str) -> Result<(u32, u32), ProgramError> {
    let (widths, heights) = (CanvasLimit::widths(), CanvasLimit::heights());
    let side = |text: &str, range: &std::ops::RangeInclusive<i64>| {
        let side: u32 = text.trim().parse().ok()?;
        (range.contains(&i64::from(side)) && side.is_multiple_of(2)).then_some(side)
    };
    let sides = text.split_once(['x', 'X', '×']);
    sides.and_then(|(width, height)| Some((side(width, &widths)?, side(height, &heights)?))).ok_or_else(|| {
        let detail = format!(
            "{text:?} is not WIDTHxHEIGHT with even numbers from {}x{} to {}x{}",
            widths.start(),
            heights.start(),
            widths.end(),
            heights.end()
        );
        wrong(key, detail)
    })
}

#[cfg(test)]
mod tests;
