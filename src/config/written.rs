//! The settings of `serve` as one source has them: flags and environment (through clap), or a TOML file (through
//! serde).

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use super::wrong;
use crate::error::ProgramError;

/// The settings of `serve` as they were written. The keys of the file are the flags' names without the dashes in front.
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Written {
    /// Address and port to listen on [default: 127.0.0.1:8080]
    #[arg(long, env = "VIRFIE_LISTEN", value_name = "ADDR:PORT", hide_env_values = true)]
    pub listen: Option<String>,
    /// Folder of keys, assets and models [default: $XDG_DATA_HOME/virfie or ~/.local/share/virfie]
    #[arg(long, env = "VIRFIE_DATA_DIR", value_name = "DIR", hide_env_values = true)]
    pub data_dir: Option<PathBuf>,
    /// The segmentation model: `embedded`, an ONNX file, the name of one in <data-dir>/models, or `none` [default:
    /// embedded]
    #[arg(long, env = "VIRFIE_MODEL", value_name = "embedded|FILE|NAME|none", hide_env_values = true)]
    pub model: Option<String>,
    /// The key that opens everything [default: none on loopback; else made and kept in the data directory]
    #[arg(long, env = "VIRFIE_API_KEY", value_name = "KEY", hide_env_values = true)]
    pub api_key: Option<String>,
    /// The TLS certificate chain, PEM; with --tls-key
    #[arg(long, env = "VIRFIE_TLS_CERT", value_name = "FILE", hide_env_values = true)]
    pub tls_cert: Option<PathBuf>,
    /// The TLS private key, PEM; with --tls-cert
    #[arg(long, env = "VIRFIE_TLS_KEY", value_name = "FILE", hide_env_values = true)]
    pub tls_key: Option<PathBuf>,
    /// TLS with a certificate made here, which browsers warn of; enough for cameras in a local network
    #[arg(long, env = "VIRFIE_TLS", value_name = "self-signed", hide_env_values = true)]
    pub tls: Option<String>,
    /// STUN or TURN server: stun:HOST[:PORT], turn:USER:PASSWORD@HOST[:PORT][?transport=udp|tcp]; repeatable
    #[arg(long, env = "VIRFIE_ICE_SERVER", value_name = "URL", value_delimiter = ',', hide_env_values = true)]
    pub ice_server: Option<Vec<String>>,
    /// Secret shared with TURN servers that are given without USER:PASSWORD@: browsers get credentials for a day
    #[arg(long, env = "VIRFIE_TURN_SECRET", value_name = "SECRET", hide_env_values = true)]
    pub turn_secret: Option<String>,
    /// Address or network of a proxy that is believed what it says of its clients; repeatable
    #[arg(
        long,
        env = "VIRFIE_TRUSTED_PROXY",
        value_name = "IP|NETWORK",
        value_delimiter = ',',
        hide_env_values = true
    )]
    pub trusted_proxy: Option<Vec<String>>,
    /// The path under which a proxy offers the server, such as /studio
    #[arg(long, env = "VIRFIE_BASE_PATH", value_name = "PATH", hide_env_values = true)]
    pub base_path: Option<String>,
    /// Lets producers send rooms to loopback and private addresses, too; admins always may
    #[arg(long, env = "VIRFIE_INTERNAL_OUTPUTS", value_name = "true|false", num_args = 0..=1, default_missing_value = "true", hide_env_values = true)]
    pub internal_outputs: Option<bool>,
    /// Folder of recordings [default: <data-dir>/recordings]
    #[arg(long, env = "VIRFIE_RECORDINGS", value_name = "DIR", hide_env_values = true)]
    pub recordings: Option<PathBuf>,
    /// Megabytes that recordings and HLS events leave free on their disk: they end before it is full [default: 1000]
    #[arg(long, env = "VIRFIE_RECORDINGS_SPARE", value_name = "MB", hide_env_values = true)]
    pub recordings_spare: Option<u64>,
    /// Posts what happens in rooms to this http or https URL, signed; repeatable (a comma in a URL is written %2C)
    #[arg(long, env = "VIRFIE_WEBHOOK", value_name = "URL", value_delimiter = ',', hide_env_values = true)]
    pub webhook: Option<Vec<String>>,
    /// The secret that signs webhooks [default: made and kept in <data-dir>/webhook-secret]
    #[arg(long, env = "VIRFIE_WEBHOOK_SECRET", value_name = "SECRET", hide_env_values = true)]
    pub webhook_secret: Option<String>,
    /// The address that the Internet knows this machine by (1:1 NAT)
    #[arg(long, env = "VIRFIE_PUBLIC_IP", value_name = "IP", hide_env_values = true)]
    pub public_ip: Option<String>,
    /// UDP ports for what people send
    #[arg(long, env = "VIRFIE_UDP_PORTS", value_name = "FIRST-LAST", hide_env_values = true)]
    pub udp_ports: Option<String>,
    /// UDP port of all who receive; 0 takes a free one [default: the number of --listen]
    #[arg(long, env = "VIRFIE_MEDIA_PORT", value_name = "PORT", hide_env_values = true)]
    pub media_port: Option<i64>,
    /// Serves those who receive by TCP, too, on the number of --media-port, where a network lets no UDP through
    /// [default: true]
    #[arg(long, env = "VIRFIE_MEDIA_TCP", value_name = "true|false", num_args = 0..=1, default_missing_value = "true", hide_env_values = true)]
    pub media_tcp: Option<bool>,
    /// Addresses at which the server calls its peers: `public` leaves out private and loopback addresses, `all` does
    /// not [default: public if the machine has a public address or --public-ip, else all]
    #[arg(long, env = "VIRFIE_PEER_ADDRESSES", value_name = "public|all", hide_env_values = true)]
    pub peer_addresses: Option<String>,
    /// Takes .launch files from here instead of those built in
    #[arg(long, env = "VIRFIE_PIPELINES", value_name = "DIR", hide_env_values = true)]
    pub pipelines: Option<PathBuf>,
    /// Most rooms at once [default: 64]
    #[arg(long, env = "VIRFIE_MAX_ROOMS", value_name = "N", hide_env_values = true)]
    pub max_rooms: Option<i64>,
    /// Most participants of a room, unless the room says otherwise [default: 16]
    #[arg(long, env = "VIRFIE_MAX_PARTICIPANTS", value_name = "N", hide_env_values = true)]
    pub max_participants: Option<i64>,
    /// Time for which the last picture of a silent sender stays, in milliseconds [default: 2000]
    #[arg(long, env = "VIRFIE_HOLD_MS", value_name = "MS", hide_env_values = true)]
    pub hold_ms: Option<i64>,
    /// The background of the people of a new room: #rrggbb or an image asset [default: studio.jpg]
    #[arg(long, env = "VIRFIE_BACKGROUND", value_name = "COLOUR|ASSET", hide_env_values = true)]
    pub background: Option<String>,
    /// The picture size of a new room [default: 1280x720]
    #[arg(long, env = "VIRFIE_CANVAS", value_name = "WxH", hide_env_values = true)]
    pub canvas: Option<String>,
    /// The frame rate of a new room [default: 30]
    #[arg(long, env = "VIRFIE_FPS", value_name = "N", hide_env_values = true)]
    pub fps: Option<i64>,
    /// The largest picture that a room can be set to, lying or standing [default: 3840x2160]
    #[arg(long, env = "VIRFIE_MAX_CANVAS", value_name = "WxH", hide_env_values = true)]
    pub max_canvas: Option<String>,
    /// The highest frame rate that a room can be set to [default: 60]
    #[arg(long, env = "VIRFIE_MAX_FPS", value_name = "N", hide_env_values = true)]
    pub max_fps: Option<i64>,
    /// `text` or `json`, on stderr [default: text]
    #[arg(long, env = "VIRFIE_LOG_FORMAT", value_name = "text|json", hide_env_values = true)]
    pub log_format: Option<String>,
    /// The level of the log, or a list of directives as in $RUST_LOG [default: info]
    #[arg(long, env = "VIRFIE_LOG_LEVEL", value_name = "LEVEL", hide_env_values = true)]
    pub log_level: Option<String>,
}

impl Written {
    /// Reads a TOML file.
    ///
    /// # Errors
    /// One line that names the file and the key.
    pub fn read(file: &Path) -> Result<Self, ProgramError> {
        let text = fs::read_to_string(file).map_err(|error| wrong("config", format!("{}: {error}", file.display())))?;
        Self::parse(&text).map_err(|problem| wrong("config", format!("{}: {problem}", file.display())))
    }

    /// Reads TOML text; the error names the key.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        // By way of a table, so that the error of a wrong type names the key and does not draw the line.
        let table: toml::Table = toml::from_str(text).map_err(|error| match error.span() {
            Some(span) => {
                let line = 1 + text.bytes().take(span.start).filter(|byte| *byte == b'\n').count();
                format!("line {line}: {}", first_line(error.message()))
            }
            None => first_line(error.message()).to_owned(),
        })?;
        serde_path_to_error::deserialize(table).map_err(|error| {
            let message = first_line(error.inner().message()).to_owned();
            match message.split_once(", expected one of") {
                // The list of all keys would bury the wrong one.
                Some((unknown, _)) if unknown.starts_with("unknown field") => unknown.replacen("field", "key", 1),
                _ => format!("{}: {message}", error.path()),
            }
        })
    }

    /// This, and `below` where this says nothing.
    #[must_use]
    pub fn over(self, below: Self) -> Self {
        Self {
            listen: self.listen.or(below.listen),
            data_dir: self.data_dir.or(below.data_dir),
            model: self.model.or(below.model),
            api_key: self.api_key.or(below.api_key),
            tls_cert: self.tls_cert.or(below.tls_cert),
            tls_key: self.tls_key.or(below.tls_key),
            tls: self.tls.or(below.tls),
            ice_server: self.ice_server.or(below.ice_server),
            turn_secret: self.turn_secret.or(below.turn_secret),
            trusted_proxy: self.trusted_proxy.or(below.trusted_proxy),
            base_path: self.base_path.or(below.base_path),
            internal_outputs: self.internal_outputs.or(below.internal_outputs),
            recordings: self.recordings.or(below.recordings),
            recordings_spare: self.recordings_spare.or(below.recordings_spare),
            webhook: self.webhook.or(below.webhook),
            webhook_secret: self.webhook_secret.or(below.webhook_secret),
            public_ip: self.public_ip.or(below.public_ip),
            udp_ports: self.udp_ports.or(below.udp_ports),
            media_port: self.media_port.or(below.media_port),
            media_tcp: self.media_tcp.or(below.media_tcp),
            peer_addresses: self.peer_addresses.or(below.peer_addresses),
            pipelines: self.pipelines.or(below.pipelines),
            max_rooms: self.max_rooms.or(below.max_rooms),
            max_participants: self.max_participants.or(below.max_participants),
            hold_ms: self.hold_ms.or(below.hold_ms),
            background: self.background.or(below.background),
            canvas: self.canvas.or(below.canvas),
            fps: self.fps.or(below.fps),
            max_canvas: self.max_canvas.or(below.max_canvas),
            max_fps: self.max_fps.or(below.max_fps),
            log_format: self.log_format.or(below.log_format),
            log_level: self.log_level.or(below.log_level),
        }
    }

    /// Returns this without what is empty: `VIRFIE_API_KEY=` in an environment file means that no key is set.
    pub(super) fn without_empty(self) -> Self {
        let text = |value: Option<String>| value.filter(|text| !text.trim().is_empty());
        let path = |value: Option<PathBuf>| value.filter(|path| !path.as_os_str().is_empty());
        Self {
            listen: text(self.listen),
            data_dir: path(self.data_dir),
            recordings: path(self.recordings),
            model: text(self.model),
            api_key: text(self.api_key),
            tls_cert: path(self.tls_cert),
            tls_key: path(self.tls_key),
            tls: text(self.tls),
            turn_secret: text(self.turn_secret),
            webhook_secret: text(self.webhook_secret),
            base_path: text(self.base_path),
            public_ip: text(self.public_ip),
            udp_ports: text(self.udp_ports),
            peer_addresses: text(self.peer_addresses),
            pipelines: path(self.pipelines),
            background: text(self.background),
            canvas: text(self.canvas),
            max_canvas: text(self.max_canvas),
            log_format: text(self.log_format),
            log_level: text(self.log_level),
            ..self
        }
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}
