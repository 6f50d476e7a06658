//! `virfie bot`: one or more headless participants.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use url::Url;

use crate::{
    bot::{
        participant::Bot,
        session::Invitation,
        source::{Source, SourceConfig},
        tally::{Reporter, Tally},
        viewer::{self, Viewers},
    },
    config::webhook::is_local,
    error::ProgramError,
    media::{gst, port::VideoCodec, webrtc::peer::Network},
};

/// The arguments of the bots.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Address of the server.
    #[arg(long, env = "VIRFIE_BOT_SERVER", default_value = "http://127.0.0.1:8080")]
    server: String,
    /// Room to join.
    #[arg(long, default_value = "demo")]
    room: String,
    /// Display name; with --count, a number is put behind it.
    #[arg(long, default_value = "bot")]
    name: String,
    /// Video or picture file to send in a loop [default: a moving test picture].
    #[arg(long)]
    video: Option<PathBuf>,
    /// Audio file to send in a loop [default: a beep a second].
    #[arg(long)]
    audio: Option<PathBuf>,
    /// Number of bots; all send the same. At most 64, or 1000 with --receive-only.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1000))]
    count: u16,
    /// Only watch, by WHEP, counting what comes without decoding it: cheap viewers for load tests. The room must exist.
    #[arg(long, conflicts_with_all = ["video", "audio"])]
    receive_only: bool,
    /// Codec to send: vp8 or h264.
    #[arg(long, default_value = "vp8")]
    codec: VideoCodec,
    /// Codec of the mix to receive: h264 or vp8.
    #[arg(long, default_value = "h264")]
    receive: VideoCodec,
    /// Size of the picture sent, in pixels.
    #[arg(long, default_value = "640x360")]
    size: String,
    /// Frames a second to send.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=60))]
    fps: u32,
    /// Bit rate of the video sent, in kbit/s.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(50..=20000))]
    kbps: u32,
    /// Frequency of the beep, in Hz; a steady tone with --steady.
    #[arg(long, default_value_t = 880.0)]
    tone: f64,
    /// Sound the tone without pauses.
    #[arg(long)]
    steady: bool,
    /// API key or token.
    #[arg(long, env = "VIRFIE_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// Stop after so many seconds [default: never].
    #[arg(long)]
    duration: Option<u64>,
}

/// The states of a bot, by index.
const STATES: [&str; 3] = ["connecting", "connected", "reconnecting"];

/// Runs the bots until they are refused, the time is over, or SIGINT or SIGTERM comes.
///
/// # Errors
/// [`ProgramError::Usage`] for wrong flags and files that cannot be played; [`ProgramError::Failed`] when no bot could
/// stay.
pub fn run(args: Args) -> Result<(), ProgramError> {
    let size = args
        .size
        .split_once('x')
        .and_then(|(width, height)| Some((width.parse::<u32>().ok()?, height.parse::<u32>().ok()?)))
        .filter(|(width, height)| (16..=3840).contains(width) && (16..=2160).contains(height))
        .map(|(width, height)| (width & !1, height & !1))
        .ok_or_else(|| ProgramError::Usage(format!("--size {}: write WIDTHxHEIGHT, 16x16 to 3840x2160", args.size)))?;
    if args.codec == VideoCodec::Vp9 || args.receive == VideoCodec::Vp9 {
        return Err(ProgramError::Usage("--codec and --receive: vp8 or h264".into()));
    }
    if !args.receive_only && args.count > MOST_SENDERS {
        return Err(ProgramError::Usage(format!("--count {}: at most {MOST_SENDERS} bots that send", args.count)));
    }
    crate::telemetry::start(
        crate::config::LogFormat::Text,
        std::env::var("RUST_LOG").ok().or_else(|| Some("warn".into())).as_deref(),
    )?;
    if args.receive_only {
        return watch(&args);
    }
    gst::init().map_err(|error| ProgramError::Failed(error.to_string()))?;
    crate::media::segment::register(None).map_err(|error| ProgramError::Failed(error.to_string()))?;
    let launches = gst::launch::Launches::load(None).map_err(|error| ProgramError::Failed(error.to_string()))?;
    let config = SourceConfig {
        video: args.video.clone(),
        audio: args.audio.clone(),
        size,
        fps: args.fps,
        codec: args.codec,
        bitrate: args.kbps * 1000,
        tone: args.tone,
        steady: args.steady,
    };
    let source = Arc::new(Source::start(&config, &launches).map_err(|error| ProgramError::Usage(error.to_string()))?);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| ProgramError::Failed(error.to_string()))?;
    let local = Url::parse(&args.server).is_ok_and(|url| is_local(&url));
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let bots = (1..=args.count).map(|number| Bot {
        invitation: Invitation {
            server: args.server.clone(),
            room: args.room.clone(),
            name: if args.count == 1 { args.name.clone() } else { format!("{}-{number}", args.name) },
            token: args.token.clone(),
            resume: None,
            send: args.codec.to_string(),
            receive: args.receive.to_string(),
        },
        source: Some(source.clone()),
        network: Network { local_ip: local.then_some(std::net::IpAddr::from([127, 0, 0, 1])), ..Network::default() },
        launches: launches.clone(),
        tally: Arc::default(),
        hook: None,
        stop: Some(stopped.clone()),
    });
    runtime.block_on(run_all(bots.collect(), source, args.duration.map(Duration::from_secs), stop))
}

/// Bots that send: each has two connections of some threads.
const MOST_SENDERS: u16 = 64;

/// Runs viewers that only count.
fn watch(args: &Args) -> Result<(), ProgramError> {
    let name = |number: u16| if args.count == 1 { args.name.clone() } else { format!("{}-{number}", args.name) };
    let mut reports: Vec<(String, Arc<Tally>, Reporter)> =
        (1..=args.count).map(|number| (name(number), Arc::default(), Reporter::default())).collect();
    let tallies: Vec<Arc<Tally>> = reports.iter().map(|(_, tally, _)| tally.clone()).collect();
    let invitation = viewer::Invitation {
        server: args.server.clone(),
        room: args.room.clone(),
        token: args.token.clone(),
        codec: args.receive,
    };
    let viewers = Viewers::join(&invitation, &tallies).map_err(|error| ProgramError::Failed(error.to_string()))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| ProgramError::Failed(error.to_string()))?;
    let duration = args.duration.map(Duration::from_secs);
    runtime.block_on(each_second(duration, || {
        for (name, tally, reporter) in &mut reports {
            print_line(&reporter.line(name, STATES[1], 0, tally));
        }
    }))?;
    drop(viewers);
    Ok(())
}

/// Calls `act` once a second until the time is over or a signal comes.
async fn each_second(duration: Option<Duration>, mut act: impl FnMut()) -> Result<(), ProgramError> {
    let mut second = tokio::time::interval(Duration::from_secs(1));
    let over = over_after(duration);
    tokio::pin!(over);
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
        .map_err(|error| ProgramError::Failed(error.to_string()))?;
    loop {
        tokio::select! {
            _ = second.tick() => act(),
            () = &mut over => return Ok(()),
            _ = tokio::signal::ctrl_c() => return Ok(()),
            _ = terminate.recv() => return Ok(()),
        }
    }
}

async fn over_after(duration: Option<Duration>) {
    match duration {
        Some(duration) => tokio::time::sleep(duration).await,
        None => std::future::pending().await,
    }
}

fn print_line(line: &crate::bot::tally::TallyLine) {
    if let Ok(line) = serde_json::to_string(line) {
        println!("{line}");
    }
}

/// Longest time that bots may take to say goodbye.
const FAREWELL: Duration = Duration::from_secs(2);

async fn run_all(
    bots: Vec<Bot>,
    source: Arc<Source>,
    duration: Option<Duration>,
    stop: tokio::sync::watch::Sender<bool>,
) -> Result<(), ProgramError> {
    let mut reports: Vec<(String, Arc<AtomicU8>, Arc<Tally>, Reporter)> = Vec::new();
    let mut tasks = tokio::task::JoinSet::new();
    for bot in bots {
        let state = Arc::new(AtomicU8::new(0));
        reports.push((bot.invitation.name.clone(), state.clone(), bot.tally.clone(), Reporter::default()));
        tasks.spawn(bot.stay(move |now| {
            let index = STATES.iter().position(|known| *known == now).unwrap_or(0);
            state.store(u8::try_from(index).unwrap_or(0), Ordering::Relaxed);
        }));
    }
    let mut second = tokio::time::interval(Duration::from_secs(1));
    let over = over_after(duration);
    tokio::pin!(over);
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
        .map_err(|error| ProgramError::Failed(error.to_string()))?;
    let mut last = String::from("no bot");
    loop {
        tokio::select! {
            ended = tasks.join_next() => match ended {
                Some(Ok(end)) => last = end.reason,
                Some(Err(error)) => last = error.to_string(),
                None => return Err(ProgramError::Failed(last)),
            },
            _ = second.tick() => {
                for (name, state, tally, reporter) in &mut reports {
                    let state = STATES.get(usize::from(state.load(Ordering::Relaxed))).copied().unwrap_or(STATES[0]);
                    print_line(&reporter.line(name, state, source.frames(), tally));
                }
            }
            () = &mut over => break,
            _ = tokio::signal::ctrl_c() => break,
            _ = terminate.recv() => break,
        }
    }
    // Fails when every bot is gone already.
    let _ = stop.send(true);
    let _ = tokio::time::timeout(FAREWELL, async { while tasks.join_next().await.is_some() {} }).await;
    Ok(())
}
