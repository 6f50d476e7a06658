//! `virfie serve`: the server. Sets everything up, says where it is, and ends cleanly on SIGINT and SIGTERM.

mod connections;
mod door;
mod memory;
mod signals;
mod tls;

use std::{
    fs, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket},
    os::unix::fs::DirBuilderExt as _,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use axum_server::{Handle, tls_rustls::RustlsAcceptor};
use jiff::Timestamp;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{
    task::{JoinHandle, JoinSet},
    time::timeout,
};

use door::Door;
use memory::Memory;
use signals::Starting;

use crate::{
    config::{IceServer, ModelChoice, ServeConfig, Tls, Written},
    control::api::{self, AppState},
    disk::{self, DirectoryLock},
    error::ProgramError,
    layout::Background,
    media::{
        Engine, EngineConfig, EngineError,
        deliver::{Delivery, tcp::Service},
        segment::model::ModelSource,
        webrtc::openssl,
    },
    telemetry,
};

/// Longest time that rooms may take to end. With the two below, the program is gone within ten seconds.
const DRAIN_LIMIT: Duration = Duration::from_secs(6);

/// Longest time that answers that are being sent, and the last webhooks, may take to end.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);

/// Longest time that blocking work, such as decoding an image, may take to end.
const WORK_LIMIT: Duration = Duration::from_secs(1);

/// Longest time that a connection may take to send its first request.
const FIRST_REQUEST_LIMIT: Duration = Duration::from_secs(15);

/// A client of HTTP/2 that has not answered a ping for so long is gone.
const PING_LIMIT: Duration = Duration::from_secs(20);

/// Requests of one HTTP/2 connection that may be answered at once.
const MOST_STREAMS: u32 = 64;

/// Lifetime of the server's own TURN credentials: ten years.
const OWN_TURN_LIFETIME: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// File descriptors that the server wants, if the system lets it: enough for some hundred people who send.
const WANTED_DESCRIPTORS: u64 = 65_536;

/// Time between two looks whether its certificate or its signing key has been replaced.
const LOOK_AT_KEYS: Duration = Duration::from_secs(2);

/// Threads for files and for decoding: half of the reserve of `control::api::capacity`.
const MOST_BLOCKING: usize = 32;

/// Time between two rounds of upkeep: histograms are tidied while nobody scrapes them, and free memory is looked at.
const UPKEEP: Duration = Duration::from_secs(5);

/// Runs the server. Every flag is also an environment variable VIRFIE_* and a key of the file.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A TOML file with the settings below as keys
    #[arg(long, env = "VIRFIE_CONFIG", value_name = "FILE", hide_env_values = true)]
    config: Option<PathBuf>,
    #[command(flatten)]
    written: Written,
}

/// Runs the command until somebody asks the program to end.
///
/// # Errors
/// [`ProgramError::Usage`] for wrong settings, [`ProgramError::Failed`] for everything else, a drain that took too long
/// included.
pub fn run(args: Args) -> Result<(), ProgramError> {
    memory::begin_with_one_allocator();
    // SAFETY: threads are started below only.
    unsafe { openssl::configure() };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("control")
        // Files and decoding: they wait for each other rather than take the threads that media is promised.
        .max_blocking_threads(MOST_BLOCKING)
        .build()
        .map_err(|error| ProgramError::Failed(format!("cannot start threads: {error}")))?;
    let starting = {
        let _inside = runtime.enter();
        Starting::begin()?
    };
    let config = ServeConfig::load(args.written, args.config.as_deref())?;
    telemetry::start(config.log_format, config.log_level.as_deref())?;
    telemetry::metrics();
    make_data_dir(&config)?;
    let _lock = lock_data_dir(&config)?;
    raise_descriptors();
    // Before everything that takes time, so that a second server on the same port fails at once.
    let listener = listen(config.listen)?;
    let media_tcp = media_tcp(&config, listener.local_addr().ok());
    let engine = start_media(&config, media_tcp)?;
    let receivers = matches!(media_tcp, Service::At(_)).then(|| engine.delivery());
    let outcome = runtime.block_on(serve(config, starting, listener, engine, receivers));
    runtime.shutdown_timeout(WORK_LIMIT);
    outcome
}

/// Takes as many file descriptors as the system allows: the soft limit is usually 1024, for the sake of old programs.
fn raise_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.map_or(WANTED_DESCRIPTORS, |most| most.min(WANTED_DESCRIPTORS));
    if limit.current.is_some_and(|current| current < wanted) {
        let raised = Rlimit { current: Some(wanted), maximum: limit.maximum };
        if let Err(error) = setrlimit(Resource::Nofile, raised) {
            tracing::warn!(%error, "the limit of file descriptors stays as it is");
        }
    }
    let now = getrlimit(Resource::Nofile).current;
    tracing::info!(descriptors = now, "the server may open so many files and connections");
    if now.is_some_and(|now| now < 4096) {
        tracing::warn!(
            descriptors = now,
            "a larger hard limit of file descriptors lets more people in: see `ulimit -Hn`"
        );
    }
}

fn make_data_dir(config: &ServeConfig) -> Result<(), ProgramError> {
    // Keys are kept there, so it is for its owner only. One that exists keeps its mode.
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&config.data_dir);
    made.map_err(|error| ProgramError::Usage(format!("data-dir: cannot make {}: {error}", config.data_dir.display())))
}

/// Makes the data directory this server's own: two would overwrite each other's rooms.
fn lock_data_dir(config: &ServeConfig) -> Result<DirectoryLock, ProgramError> {
    let taken = DirectoryLock::take(&config.data_dir);
    let lock =
        taken.map_err(|error| ProgramError::Usage(format!("data-dir: {}: {error}", config.data_dir.display())))?;
    // Of keys and of the list of tokens. Nobody else writes here now.
    disk::sweep(&config.data_dir);
    Ok(lock)
}

fn listen(address: SocketAddr) -> Result<TcpListener, ProgramError> {
    let listener = TcpListener::bind(address).map_err(|error| {
        let why = match error.kind() {
            io::ErrorKind::AddrInUse => "another program listens there already".to_owned(),
            io::ErrorKind::PermissionDenied => "the system does not allow this port".to_owned(),
            io::ErrorKind::AddrNotAvailable => "this machine has no such address".to_owned(),
            _ => error.to_string(),
        };
        ProgramError::Failed(format!("listen: {address}: {why}"))
    })?;
    // Its connections inherit it. Where the system does not have it, they last longer.
    let _ = socket2::SockRef::from(&listener).set_tcp_user_timeout(Some(DEAF_LIMIT));
    Ok(listener)
}

/// Returns who listens for those who receive by TCP: we, where it is our port. Packets begin otherwise than HTTP and
/// TLS do.
fn media_tcp(config: &ServeConfig, listening: Option<SocketAddr>) -> Service {
    match listening {
        _ if !config.media_tcp => Service::Off,
        Some(address) if address.port() == config.media_port => Service::At(address),
        _ => Service::Own,
    }
}

fn start_media(config: &ServeConfig, media_tcp: Service) -> Result<Engine, ProgramError> {
    let stun: Vec<String> =
        config.ice_servers.iter().filter(|server| server.is_stun()).map(|server| server.gstreamer_uri()).collect();
    if stun.len() > 1 {
        tracing::warn!("the server itself uses the first STUN server only; browsers get all of them");
    }
    // Our own credentials never leave this machine and the TURN server, so they may outlive any run of the program.
    let own =
        |server: &IceServer| server.at(Timestamp::now().as_second().unsigned_abs(), OWN_TURN_LIFETIME).gstreamer_uri();
    let turn = config.ice_servers.iter().filter(|server| !server.is_stun()).map(own);
    let engine = Engine::new(EngineConfig {
        model: match &config.model {
            ModelChoice::Embedded => Some(ModelSource::Embedded),
            ModelChoice::File(file) => Some(ModelSource::File(file.clone())),
            ModelChoice::None => None,
        },
        models: Some(config.models()),
        pipelines: config.pipelines.clone(),
        stun: stun.into_iter().next(),
        turn: turn.collect(),
        public_ip: config.public_ip,
        udp_ports: config.udp_ports,
        media_port: config.media_port,
        media_tcp,
        internal_peers: config.internal_peers,
        listen_loopback: config.is_loopback(),
        // As it runs now, even when another one has been installed in its place.
        program: Some(PathBuf::from("/proc/self/exe")),
    });
    engine.map_err(|error| match error {
        EngineError::Launch(_) => ProgramError::Usage(format!("pipelines: {error}")),
        EngineError::Model(_) => ProgramError::Usage(format!("model: {error}")),
        EngineError::Port { .. } => ProgramError::Failed(format!("media-port: {error}")),
        EngineError::Init(_) => ProgramError::Failed(format!("media cannot start: {error}")),
    })
}

async fn serve(
    config: ServeConfig,
    starting: Starting,
    listener: TcpListener,
    engine: Engine,
    receivers: Option<Arc<Delivery>>,
) -> Result<(), ProgramError> {
    let address = listener.local_addr().map_err(|error| ProgramError::Failed(format!("listen: {error}")))?;
    let certificate = tls::configuration(&config, &reachable_at(address)).await?;
    // Rooms that are there again end cleanly, whenever a signal comes.
    let mut signals = starting.over();
    let state = AppState::new(config, Arc::new(engine))?;
    // A large picture takes long, and who ends the server does not wait for it.
    let early = tokio::select! {
        name = signals.next() => Some(name),
        () = check_background(&state) => None,
    };

    let handle = Handle::new();
    let door = Door::new(&state, receivers);
    let mut serving = start(&state, listener, certificate.as_ref(), &door, handle.clone())?;
    announce(&state, address);
    let mut upkeep = JoinSet::new();
    upkeep.spawn(async {
        let mut ticks = tokio::time::interval(UPKEEP);
        let mut memory = Memory::default();
        loop {
            ticks.tick().await;
            telemetry::metrics().run_upkeep();
            let look = move || {
                memory.look();
                memory
            };
            // After a panic, which nobody expects, it begins again.
            memory = tokio::task::spawn_blocking(look).await.unwrap_or_default();
        }
    });
    upkeep.spawn(door.close_idle(IDLE_LIMIT));
    upkeep.spawn(keep_tokens(state.clone()));
    if let Some(certificate) = certificate {
        upkeep.spawn(certificate.keep(Arc::clone(&state.config), reachable_at(address), LOOK_AT_KEYS));
    }

    let name = match early {
        Some(name) => name,
        None => tokio::select! {
            ended = &mut serving => {
                let why = ended.map_or_else(|error| error.to_string(), |done| done.err().map_or_else(String::new, |e| e.to_string()));
                return Err(ProgramError::Failed(format!("the server ended by itself: {why}")));
            }
            name = signals.next() => name,
        },
    };
    tracing::info!(signal = name, "the server drains; a second signal ends it at once");
    let outcome = tokio::select! {
        outcome = drain(&state, &handle, serving) => outcome,
        _ = signals.next() => Err(ProgramError::Failed("the server ended before everything was drained".to_owned())),
    };
    upkeep.abort_all();
    if outcome.is_ok() {
        tracing::info!("the server is drained");
    }
    outcome
}

/// A connection that asks nothing for so long is closed: an open one costs a file descriptor, which media needs too.
const IDLE_LIMIT: Duration = Duration::from_secs(75);

/// A connection whose client takes nothing of what is there for it for so long is closed.
const DEAF_LIMIT: Duration = Duration::from_secs(60);

/// Bytes of an answer that wait in memory for a client who does not read, one connection or stream each.
const ANSWER_BUFFER: usize = 64 * 1024;

/// Bounds what a connection holds.
fn bound<A>(server: &mut axum_server::Server<SocketAddr, A>) {
    let mut builder = server.http_builder().http1();
    builder.header_read_timeout(Some(IDLE_LIMIT)).max_buf_size(ANSWER_BUFFER);
    let mut http2 = server.http_builder().http2();
    http2.keep_alive_interval(Some(PING_LIMIT)).keep_alive_timeout(PING_LIMIT).max_concurrent_streams(MOST_STREAMS);
    http2.max_send_buf_size(ANSWER_BUFFER);
}

/// Starts answering.
fn start(
    state: &AppState,
    listener: TcpListener,
    certificate: Option<&tls::Certificate>,
    door: &Door,
    handle: Handle<SocketAddr>,
) -> Result<JoinHandle<io::Result<()>>, ProgramError> {
    let failed = |error: io::Error| ProgramError::Failed(format!("listen: {error}"));
    let service = api::router(state.clone()).into_make_service_with_connect_info::<SocketAddr>();
    let mut server = axum_server::from_tcp(listener).map_err(failed)?;
    bound(&mut server);
    let server = server.handle(handle).first_request_timeout(FIRST_REQUEST_LIMIT);
    Ok(match certificate {
        None => tokio::spawn(server.acceptor(door.clone()).serve(service)),
        Some(certificate) => {
            let acceptor = RustlsAcceptor::new(certificate.rustls()).acceptor(door.clone());
            tokio::spawn(server.acceptor(acceptor).serve(service))
        }
    })
}

/// Takes a signing key that was rotated, for as long as the server runs.
async fn keep_tokens(state: AppState) {
    let mut ticks = tokio::time::interval(LOOK_AT_KEYS);
    loop {
        ticks.tick().await;
        state.look_at_signing_key().await;
    }
}

/// Ends all rooms, then the connections.
async fn drain(
    state: &AppState,
    handle: &Handle<SocketAddr>,
    serving: JoinHandle<io::Result<()>>,
) -> Result<(), ProgramError> {
    let rooms = timeout(DRAIN_LIMIT, state.registry.drain()).await;
    handle.graceful_shutdown(Some(ANSWER_LIMIT));
    // The server cuts what is left when the limit is over; a little more, so that it is the one to do so.
    let answered = timeout(ANSWER_LIMIT + Duration::from_millis(500), serving);
    let _ = tokio::join!(answered, state.hooks.close(ANSWER_LIMIT));
    match rooms {
        Ok(0) => Ok(()),
        Ok(lost) => Err(ProgramError::Failed(format!("the newest changes of {lost} room(s) could not be stored"))),
        Err(_) => Err(ProgramError::Failed(format!("rooms did not end within {} s", DRAIN_LIMIT.as_secs()))),
    }
}

/// Warns when new rooms would begin with a picture that is not there. It may still be put.
async fn check_background(state: &AppState) {
    if let Background::Image(name) = &state.config.canvas.background
        && let Err(error) = state.assets.image(name).await
    {
        tracing::warn!(asset = name, %error, "the background of new rooms cannot be shown");
    }
}

/// Says where the server is, on stdout, and once the key that was made for it.
fn announce(state: &AppState, address: SocketAddr) {
    let scheme = if state.config.tls == Tls::Off { "http" } else { "https" };
    let host = match reachable_at(address) {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    };
    let mut lines = format!("Virfie is ready: open {scheme}://{host}:{}/\n", address.port());
    if let Some(created) = state.auth.created_key() {
        lines += &format!("API key, shown this once and kept in {}: {}\n", created.file.display(), created.key);
    }
    // Nobody may be reading; the log has it, too.
    let _ = io::Write::write_all(&mut io::stdout(), lines.as_bytes());
    tracing::info!(%address, tls = scheme == "https", open = state.auth.is_open(), "ready");
    if scheme == "http" && !state.config.is_loopback() {
        tracing::warn!("browsers give cameras to secure pages only; try --tls self-signed");
    }
}

/// Returns an address that others can open: the one listened at, or for "all of them" the one that leads outside.
fn reachable_at(address: SocketAddr) -> IpAddr {
    if !address.ip().is_unspecified() {
        return address.ip();
    }
    // Connecting a datagram socket sends nothing; the system only chooses the interface. Documentation addresses.
    let outside = |own: IpAddr, other: IpAddr| {
        let socket = UdpSocket::bind((own, 0)).ok()?;
        socket.connect((other, 9)).ok()?;
        Some(socket.local_addr().ok()?.ip())
    };
    outside(Ipv4Addr::UNSPECIFIED.into(), Ipv4Addr::new(192, 0, 2, 1).into())
        .or_else(|| {
            let other = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
            address.is_ipv6().then(|| outside(Ipv6Addr::UNSPECIFIED.into(), other.into())).flatten()
        })
        .unwrap_or(Ipv4Addr::LOCALHOST.into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_port_in_use_is_reported_in_one_line() {
        let first = listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = first.local_addr().unwrap();
        let error = listen(address).unwrap_err();
        assert_eq!(error, ProgramError::Failed(format!("listen: {address}: another program listens there already")));
    }

    #[test]
    fn who_receives_by_tcp_comes_through_the_door_where_it_is_of_the_same_port() {
        let at = |text: &str| Some(text.parse().unwrap());
        let config = ServeConfig { media_port: 8443, ..ServeConfig::default() };
        assert_eq!(media_tcp(&config, at("0.0.0.0:8443")), Service::At("0.0.0.0:8443".parse().unwrap()));
        assert_eq!(media_tcp(&config, at("0.0.0.0:443")), Service::Own);
        assert_eq!(media_tcp(&ServeConfig::default(), at("127.0.0.1:40000")), Service::Own, "any free one");
        let off = ServeConfig { media_tcp: false, ..config };
        assert_eq!(media_tcp(&off, at("0.0.0.0:8443")), Service::Off);
    }

    #[test]
    fn who_takes_nothing_is_given_up() {
        let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let _client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (connection, _) = listener.accept().unwrap();
        assert_eq!(socket2::SockRef::from(&connection).tcp_user_timeout().unwrap(), Some(DEAF_LIMIT));
    }

    #[test]
    fn all_addresses_are_shown_as_one_that_can_be_opened() {
        let reached = |text: &str| reachable_at(text.parse().unwrap());
        assert_eq!(reached("127.0.0.1:80"), IpAddr::from([127, 0, 0, 1]));
        assert!(!reached("0.0.0.0:80").is_unspecified());
        assert!(!reached("[::]:80").is_unspecified());
    }
}
