//! The network alone, beside other engines: ours, tract's own operators, ONNX Runtime and OpenVINO, one thread each.
//!
//! `cargo bench --bench inference -- [MODEL.onnx ...]`
//!
//! Models are those of the command line, or else of `$VIRFIE_BENCH_MODELS` (separated as in `$PATH`), or else the
//! program's own and those of the folder of test data, or else of the server's data directory. ONNX Runtime and
//! OpenVINO run in `peers/peer.py`, in the virtual environment that `make bench` installs, or by
//! `$VIRFIE_BENCH_PYTHON`; a row says why where one cannot.
//!
//! All engines get the same prepared picture and make the same output, `segments`. They take turns of [`TURN`] runs.
//! Each run is timed in the process that does it, and ratios are of processor time, of all its threads. On the clock, a
//! run that is longer than a slice of the scheduler also waits for what else the machine does, and a shorter one does
//! not: a busy machine would not hit all engines alike. Where both times differ much, the machine was busy.

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Instant,
};

use rustix::time::{ClockId, clock_gettime};
use tempfile::NamedTempFile;
use virfie::media::segment::{
    chain::Isa,
    model::{HeadRequest, LoadOptions, Model, Precision, Session},
};

/// Frames of this size make an input of 257x145 or 256x144.
const FRAME: (usize, usize) = (640, 360);

/// Runs of one engine before the next one's turn.
const TURN: usize = 10;

/// Turns of each engine.
const ROUNDS: usize = 24;

/// Turns before those that count.
const WARM_UP: usize = 3;

/// The engine that the others are measured against.
const REFERENCE: &str = "ONNX Runtime";

/// The rows: a name, and what runs there.
const ROWS: &[(&str, Kind)] = &[
    ("fused", Kind::Ours { fused: true, precision: Precision::F32 }),
    ("fused, bf16", Kind::Ours { fused: true, precision: Precision::Bf16 }),
    ("tract's operators", Kind::Ours { fused: false, precision: Precision::F32 }),
    (REFERENCE, Kind::Peer { engine: "onnxruntime", precision: "f32" }),
    ("OpenVINO", Kind::Peer { engine: "openvino", precision: "f32" }),
    ("OpenVINO, bf16", Kind::Peer { engine: "openvino", precision: "bf16" }),
];

#[derive(Clone, Copy)]
enum Kind {
    Ours { fused: bool, precision: Precision },
    Peer { engine: &'static str, precision: &'static str },
}

fn main() {
    let options: Vec<String> = env::args().skip(1).filter(|option| option != "--bench").collect();
    if options.iter().any(|option| option == "--test" || option == "--list") {
        return;
    }
    let models = models(options.into_iter().filter(|option| !option.starts_with("--")));
    if models.is_empty() {
        println!("inference: left out: no model; name one, or `virfie model fetch bodypix-mobilenet-050-16`");
    }
    for model in models {
        if let Err(error) = compare(&model) {
            println!("inference: {error}");
        }
    }
}

/// Returns the models to measure.
fn models(named: impl Iterator<Item = String>) -> Vec<PathBuf> {
    let named: Vec<PathBuf> = named.map(PathBuf::from).collect();
    if !named.is_empty() {
        return named;
    }
    if let Some(named) = env::var_os("VIRFIE_BENCH_MODELS").filter(|named| !named.is_empty()) {
        return env::split_paths(&named).collect();
    }
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let fetched = virfie::config::default_data_dir().join("models");
    let folders = [project.join("../shared/data/models"), fetched];
    let mut models = vec![project.join("models/virfie-seg.onnx")];
    models.extend(
        folders.into_iter().map(|folder| onnx_files(&folder)).find(|files| !files.is_empty()).into_iter().flatten(),
    );
    models
}

fn onnx_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> =
        entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "onnx")).collect();
    files.sort();
    files
}

/// Measures one model in all engines and prints its table.
fn compare(model: &Path) -> Result<(), String> {
    let (size, logits) = {
        let mut session = session(model, LoadOptions { fused: false, precision: Precision::F32 })?;
        let input = picture(session.input_len());
        let logits = session.infer(&input).map_err(|error| error.to_string())?.segments.to_vec();
        (session.input_size(), logits)
    };
    let input = picture(size.0 * size.1 * 3);
    let file =
        write_input(&input).map_err(|error| format!("the input for other engines cannot be written: {error}"))?;
    let mut rows: Vec<Row> =
        ROWS.iter().map(|&(name, kind)| Row::new(name, Engine::new(kind, model, size, &input, file.path()))).collect();
    for round in 0..WARM_UP + ROUNDS {
        for row in &mut rows {
            row.turn(round >= WARM_UP);
        }
    }
    let outputs: Vec<Option<Vec<f32>>> = rows.iter_mut().map(Row::output).collect();
    let reference = rows.iter().position(|row| row.name == REFERENCE && row.median().is_some());
    let truth = reference.and_then(|at| outputs[at].as_ref()).unwrap_or(&logits);
    let against = if reference.is_some() { REFERENCE } else { "tract's operators" };
    let largest = truth.iter().fold(0.0f32, |most, value| most.max(value.abs()));

    println!(
        "inference: {}, {}x{}, one thread, median of {} runs each; logits within {largest:.1}",
        model.file_name().unwrap_or(model.as_os_str()).to_string_lossy(),
        size.0,
        size.1,
        ROUNDS * TURN,
    );
    println!(
        "inference:   {:<18} {:>9} {:>9} {:>14} {:>16}",
        "engine", "processor", "clock", "to ONNX R.", "logit off by"
    );
    let unit = reference.and_then(|at| rows[at].median());
    for (row, output) in rows.iter().zip(&outputs) {
        let (Some(worked), Some(passed)) = (row.median(), median(&row.clock)) else {
            println!("inference:   {:<18} left out: {}", row.name, row.note);
            continue;
        };
        let ratio = unit.map_or("-".to_owned(), |unit| format!("{:.2}", worked / unit));
        let off = output.as_ref().map_or("-".to_owned(), |output| format!("{:.1e}", difference(output, truth)));
        println!(
            "inference:   {:<18} {:>6.2} ms {:>6.2} ms {ratio:>14} {off:>16}   {}",
            row.name,
            worked * 1e3,
            passed * 1e3,
            row.note
        );
    }
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    println!("inference:   logits are held against {against}; load {} on {cores} cores, 1 of it this bench", load());
    Ok(())
}

/// Returns how many threads of the whole machine wanted to run, on average over the last minute.
fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split_whitespace().next().unwrap_or("unknown").to_owned()
}

fn session(model: &Path, options: LoadOptions) -> Result<Session, String> {
    let model = Model::load_with(model, options).map_err(|error| error.to_string())?;
    if options.fused && !model.is_fused() {
        return Err("this network cannot be fused".to_owned());
    }
    model.session(FRAME, HeadRequest::default()).map_err(|error| error.to_string())
}

/// Returns a made-up picture, -1 to 1. What is in it does not change the time.
fn picture(values: usize) -> Vec<f32> {
    (0..values).map(|index| (index as f32 * 0.37).sin() * (index as f32 * 0.011).cos()).collect()
}

fn write_input(input: &[f32]) -> std::io::Result<NamedTempFile> {
    let mut file = NamedTempFile::new()?;
    file.write_all(&input.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())?;
    Ok(file)
}

/// Returns the largest; infinite when they are not of one length.
fn difference(one: &[f32], other: &[f32]) -> f32 {
    if one.len() != other.len() {
        return f32::INFINITY;
    }
    one.iter().zip(other).map(|(one, other)| (one - other).abs()).fold(0.0, f32::max)
}

/// One line of the table.
struct Row {
    name: &'static str,
    /// `None` when it cannot run, or does not any more.
    engine: Option<Engine>,
    /// A remark: versions, changes of the graph, or why there are no times.
    note: String,
    /// Seconds of the processor, one a run.
    processor: Vec<f64>,
    /// Seconds of the clock.
    clock: Vec<f64>,
}

impl Row {
    fn new(name: &'static str, engine: Result<(Engine, String), String>) -> Self {
        let (engine, note) = match engine {
            Ok((engine, note)) => (Some(engine), note),
            Err(reason) => (None, reason),
        };
        Self { name, engine, note, processor: Vec::new(), clock: Vec::new() }
    }

    fn turn(&mut self, counts: bool) {
        let Some(engine) = &mut self.engine else { return };
        match engine.run(TURN) {
            Ok(Times { processor, clock }) if counts => {
                self.processor.extend(processor);
                self.clock.extend(clock);
            }
            Ok(_) => {}
            Err(error) => {
                self.engine = None;
                self.processor.clear();
                self.clock.clear();
                self.note = error;
            }
        }
    }

    fn output(&mut self) -> Option<Vec<f32>> {
        self.engine.as_mut()?.output().ok()
    }

    /// Returns the median of the processor time.
    fn median(&self) -> Option<f64> {
        median(&self.processor)
    }
}

/// Durations of runs, in seconds.
struct Times {
    processor: Vec<f64>,
    clock: Vec<f64>,
}

fn median(times: &[f64]) -> Option<f64> {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied()
}

/// Returns what this process has had of the processor, in seconds.
fn processor() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// The engine that runs a network.
enum Engine {
    Ours { session: Box<Session>, input: Vec<f32> },
    Peer(Peer),
}

impl Engine {
    /// Returns it ready to run, and what is to be said of it; or why it cannot run.
    fn new(
        kind: Kind,
        model: &Path,
        size: (usize, usize),
        input: &[f32],
        file: &Path,
    ) -> Result<(Self, String), String> {
        match kind {
            Kind::Ours { precision: Precision::Bf16, .. } if Isa::best().name() != "avx512bf16" => {
                Err("this processor has no bf16".to_owned())
            }
            Kind::Ours { fused, precision } => {
                let session = Box::new(session(model, LoadOptions { fused, precision })?);
                let note = if fused { Isa::best().name().to_owned() } else { String::new() };
                Ok((Self::Ours { session, input: input.to_vec() }, note))
            }
            Kind::Peer { engine, precision } => {
                let (peer, note) = Peer::start(engine, precision, model, size, file)?;
                Ok((Self::Peer(peer), note))
            }
        }
    }

    /// Returns how long each of `count` runs takes.
    fn run(&mut self, count: usize) -> Result<Times, String> {
        match self {
            Self::Ours { session, input } => {
                let mut times = Times { processor: Vec::with_capacity(count), clock: Vec::with_capacity(count) };
                for _ in 0..count {
                    let (clock, worked) = (Instant::now(), processor());
                    session.infer(input).map_err(|error| error.to_string())?;
                    times.processor.push(processor() - worked);
                    times.clock.push(clock.elapsed().as_secs_f64());
                }
                Ok(times)
            }
            Self::Peer(peer) => {
                let mut processor: Vec<f64> = peer.ask(&format!("run {count}"))?;
                if processor.len() != 2 * count {
                    return Err(peer.gone());
                }
                let clock = processor.split_off(count);
                Ok(Times { processor, clock })
            }
        }
    }

    /// Returns the logits, in rows of grid points.
    fn output(&mut self) -> Result<Vec<f32>, String> {
        match self {
            Self::Ours { session, input } => {
                Ok(session.infer(input).map_err(|error| error.to_string())?.segments.to_vec())
            }
            Self::Peer(peer) => peer.ask("output"),
        }
    }
}

/// Another engine, in a process that ends with this value.
struct Peer {
    process: Child,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Peer {
    fn start(
        engine: &str,
        precision: &str,
        model: &Path,
        size: (usize, usize),
        input: &Path,
    ) -> Result<(Self, String), String> {
        let python = python();
        if !python.exists() {
            return Err("not installed; `make bench` does that, with Python and the network".to_owned());
        }
        let mut process = Command::new(&python)
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers/peer.py"))
            .args([engine, precision])
            .arg(model)
            .args([size.0.to_string(), size.1.to_string()])
            .arg(input)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", python.display()))?;
        let asks = process.stdin.take().ok_or("it has no stdin")?;
        let answers = BufReader::new(process.stdout.take().ok_or("it has no stdout")?);
        let mut peer = Self { process, asks, answers };
        let first = peer.line()?;
        match first.split_once(' ').unwrap_or((&first, "")) {
            ("ready", note) => Ok((peer, note.to_owned())),
            ("cannot", reason) => Err(reason.to_owned()),
            _ => Err(peer.gone()),
        }
    }

    /// Returns the next line that it says.
    fn line(&mut self) -> Result<String, String> {
        let mut line = String::new();
        self.answers.read_line(&mut line).map_err(|error| error.to_string())?;
        if line.is_empty() { Err(self.gone()) } else { Ok(line.trim().to_owned()) }
    }

    /// Returns the numbers that it answers with.
    fn ask<T: std::str::FromStr>(&mut self, what: &str) -> Result<Vec<T>, String> {
        writeln!(self.asks, "{what}").map_err(|_| self.gone())?;
        let line = self.line()?;
        line.split_whitespace().map(|number| number.parse().map_err(|_| self.gone())).collect()
    }

    fn gone(&self) -> String {
        "it ended, or said something else than numbers".to_owned()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may be over already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Returns the Python that has the other engines: `$VIRFIE_BENCH_PYTHON`, or the one in the folder of compiled things.
fn python() -> PathBuf {
    env::var_os("VIRFIE_BENCH_PYTHON").map_or_else(
        || Path::new(env!("CARGO_BIN_EXE_virfie")).with_file_name("..").join("peers/bin/python"),
        PathBuf::from,
    )
}
