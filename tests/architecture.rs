//! The architecture, checked: who may import whom, where no imports run in circles, what PURE means, where `unsafe` may
//! stand, how large a file may be, and that every launch text works. What a rule allows, it says here, with its reason;
//! a failure names file and line.

#[path = "architecture/source.rs"]
mod source;

use std::{collections::BTreeSet, fs, process::Command};

use gstreamer::prelude::*;
use source::{FOLDERS, Source, Target, crate_sources, files_below, repository};
use virfie::media::{self, gst::launch};

/// The imports of our crates that the modules under `of` may have, beside themselves. `*` stands for one name; the row
/// with the longest `of` counts, and a name comes before `*`. That a crate knows nothing of those that depend on it is the
/// compiler's business.
struct Layer {
    of: &'static str,
    may: &'static [&'static str],
    because: &'static str,
}

const fn layer(of: &'static str, may: &'static [&'static str], because: &'static str) -> Layer {
    Layer { of, may, because }
}

const LAYERS: &[Layer] = &[
    layer("", &["layout"], "the root only declares the modules, and shows the crate of layouts as one of them"),
    layer("main", &["cli"], "the program is in the library"),
    layer("plugin", &["media::segment"], "the plugin is the element and nothing else"),
    layer("build_info", &[], "it knows what it was built from and nothing else"),
    layer("error", &[], "everybody may fail"),
    layer("config", &["error", "layout"], "the canvas of new rooms is configured"),
    layer(
        "telemetry",
        &["build_info", "config", "error"],
        "it is set up from the configuration, and says which program it is",
    ),
    layer("disk", &[], "files know nothing of what is in them"),
    layer("layout", &[], "a crate of its own: from JSON to numbers; knows no rooms, no media"),
    layer("control", &[], "only declares the modules"),
    layer("control::room", &["disk", "layout", "media::port"], "a room orders media through the port"),
    layer("control::assets", &["config", "control::room", "disk", "layout", "media::port"], "rooms ask for images"),
    layer("control::hooks", &["config", "control::room"], "receivers hear what happens in rooms that are configured"),
    layer(
        "control::api",
        &["config", "control", "disk", "error", "layout", "media::port", "telemetry"],
        "requests become orders to rooms",
    ),
    layer("media", &["layout", "media"], "the engine opens rooms"),
    layer(
        "media::*",
        &["disk", "layout", "media::codec", "media::gst", "media::pictures", "media::port", "media::sdp"],
        "stages meet in media::room only",
    ),
    layer("media::codec", &[], "codecs and sizes are what stages talk about"),
    layer("media::sdp", &["media::codec"], "descriptions are checked without any connection"),
    layer("media::gst", &[], "what stages share knows no stage"),
    layer("media::pictures", &["media::gst"], "pictures are looked at before whatever decodes them"),
    layer("media::segment", &["layout", "media::gst"], "a crate of its own: the element, for other programs, too"),
    layer(
        "media::gst::segmented",
        &["layout", "media::segment::pose"],
        "cuts and poses travel with the frames they are of",
    ),
    layer(
        "media::port",
        &["layout", "media::codec", "media::compose::still", "media::sdp", "media::segment::pose"],
        "control names codecs, checks SDP, reports poses and makes images ready by PURE modules of media, passed on by the \
         port",
    ),
    layer(
        "media::upload",
        &["disk", "media::compose", "media::file", "media::gst", "media::port"],
        "what another process decodes is made ready as this one would",
    ),
    layer(
        "media::output::whip",
        &["media::deliver", "media::gst", "media::output", "media::port", "media::sdp"],
        "another server gets a room by RTP as receivers do",
    ),
    layer("media::room", &["layout", "media"], "the only place that sees all stages"),
    layer(
        "bot",
        &[
            "media::audio::desk",
            "media::codec",
            "media::encode",
            "media::gst",
            "media::port",
            "media::sdp",
            "media::webrtc",
        ],
        "a bot is the other end of a connection, and made of the same stages",
    ),
    layer("cli", &["build_info", "error"], "picks the command, and says which program it is"),
    layer(
        "cli::serve",
        &["config", "control::api", "disk", "error", "layout", "media", "telemetry"],
        "the one place that joins control and media; it locks the data directory first",
    ),
    layer(
        "cli::bot",
        &["bot", "config", "error", "media::gst", "media::port", "media::segment", "media::webrtc::peer", "telemetry"],
        "receiving launch texts name the element, which must be registered",
    ),
    layer(
        "cli::segment",
        &["config", "control::assets::picture", "error", "layout", "media::compose", "media::file", "media::segment"],
        "a file's frames take a room's way through the segmentation, and its pictures are read as a room's images are",
    ),
    layer("cli::health", &["error"], "it asks a server from outside"),
    layer(
        "cli::key",
        &["config", "control::api::auth::secret", "error"],
        "keys are what the server's interface checks",
    ),
    layer("cli::model", &["config", "error", "media::segment"], "models are fetched, shown and measured"),
    layer(
        "cli::model::eval",
        &[
            "cli::model::tests",
            "error",
            "media::compose::colour",
            "media::compose::planes",
            "media::file",
            "media::segment",
        ],
        "pictures and clips take a frame's way through the segmentation",
    ),
    layer(
        "cli::decode_upload",
        &["control::assets::foreign", "error", "media::gst", "media::upload"],
        "a file is decoded, or a font used, and nothing else is done",
    ),
    layer("cli::scenario", &["error", "layout"], "layouts are checked without a room"),
];

/// Crates that only some places may use. Names ending in `*` are prefixes.
struct Confined {
    crates: &'static [&'static str],
    to: &'static [&'static str],
}

const CONFINED: &[Confined] = &[
    Confined { crates: &["axum", "axum_*", "tower_http"], to: &["control::api", "cli::serve"] },
    Confined { crates: &["gstreamer", "gstreamer_*"], to: &["media", "bot", "plugin"] },
    Confined {
        // `cli::model::info` asks tract for the shapes of a model's heads, which is all that its report is made of.
        crates: &["tract_*"],
        to: &["media::segment::model", "media::segment::tfjs", "cli::model::info"],
    },
    Confined { crates: &["opus"], to: &["media::audio"] },
    Confined { crates: &["quinn_udp", "str0m"], to: &["media::deliver", "bot"] },
];

/// Folders in which no file imports one that imports it, be it by way of others.
const WITHOUT_CIRCLES: &[&str] = &["bot", "control::hooks", "layout", "media::audio", "media::gst", "media::ingest"];

/// Folders whose parts do not import each other in circles. A part is a file with all below it; the folder's own file joins
/// them, and is not looked at.
const PARTS_WITHOUT_CIRCLES: &[&str] = &[
    "control",
    "control::api",
    "control::assets",
    "control::room",
    "control::room::actor",
    "control::room::requests",
    "control::room::state",
    "media::encode",
    "media::file",
    "media::iso",
    "media::output",
    "media::port",
    "media::sdp",
];

/// The crates that PURE modules may not use, outside of their tests.
const IMPURE: &[&str] =
    &["axum", "gstreamer", "gstreamer_*", "metrics", "rand", "tokio", "tokio_*", "tracing", "tract_*"];

/// The conversion writes ONNX by the message types that tract has; it runs no tract.
const PURE_BUT: &[(&str, &str)] = &[("media::segment::tfjs", "tract_onnx::pb")];

/// Greatest length of a file, in lines.
const LONGEST: usize = 600;

/// The folder of files that a program wrote: they are as long as their sources ask.
const GENERATED: &str = "web/src/generated/";

/// Lines above `unsafe` in which its comment is looked for.
const REACH: usize = 3;

fn path_of(module: &[String]) -> String {
    module.join("::")
}

/// Returns whether `module` is `prefix` or stands below it; `*` stands for one name.
fn is_below(module: &[String], prefix: &str) -> bool {
    let mut names = module.iter();
    prefix
        .split("::")
        .filter(|part| !part.is_empty())
        .all(|part| names.next().is_some_and(|name| part == "*" || part == name))
}

fn matches(name: &str, pattern: &str) -> bool {
    pattern.strip_suffix('*').map_or(name == pattern, |prefix| name.starts_with(prefix))
}

/// Returns the row for a module, and how many names of the module are its own place.
fn layer_of(module: &[String]) -> Option<(&'static Layer, usize)> {
    let depth = |of: &str| of.split("::").filter(|part| !part.is_empty()).count();
    let rows = LAYERS.iter().filter(|layer| layer.of.is_empty() == module.is_empty() && is_below(module, layer.of));
    let row = rows.max_by_key(|layer| (depth(layer.of), !layer.of.contains('*')))?;
    Some((row, depth(row.of)))
}

/// Fails with all faults, one a line.
fn none(faults: Vec<String>) {
    assert!(faults.is_empty(), "{} faults:\n{}\n", faults.len(), faults.join("\n"));
}

fn sources() -> Vec<Source> {
    crate_sources().0
}

/// Returns the modules that say PURE in their first paragraph; everything below them is, too.
fn pure(sources: &[Source]) -> Vec<String> {
    let marked = sources.iter().filter(|source| {
        let summary = source.summary();
        summary.starts_with("PURE") || [". PURE", "; PURE"].iter().any(|marker| summary.contains(marker))
    });
    marked.map(|source| path_of(&source.module)).collect()
}

#[test]
fn every_file_is_part_of_the_crate() {
    none(crate_sources().1);
}

#[test]
fn modules_import_only_what_their_layer_may() {
    let mut faults = Vec::new();
    for source in sources() {
        let Some((layer, own)) = layer_of(&source.module) else {
            faults.push(format!("{}: add a row for {} to LAYERS", source.at(1), path_of(&source.module)));
            continue;
        };
        let own = &source.module[..own];
        for reference in &source.references {
            let Target::Ours(target) = &reference.target else { continue };
            let itself = !own.is_empty() && target.starts_with(own);
            if !itself && !target.is_empty() && !layer.may.iter().any(|may| is_below(target, may)) {
                faults.push(format!(
                    "{}: {} imports {} ({}: {})",
                    source.at(reference.line),
                    path_of(&source.module),
                    path_of(target),
                    if layer.may.is_empty() {
                        "it may import nothing".to_owned()
                    } else {
                        format!("it may {:?}", layer.may)
                    },
                    layer.because,
                ));
            }
        }
    }
    none(faults);
}

/// Returns which members of a folder import which, outside of tests. `member`: the one that a module belongs to.
fn imports(
    sources: &[Source],
    folder: &str,
    member: impl Fn(&[String]) -> Option<String>,
) -> BTreeSet<(String, String)> {
    let files = sources.iter().filter(|one| !one.test && is_below(&one.module, folder));
    files
        .flat_map(|file| file.references.iter().map(move |reference| (file, reference)))
        .filter_map(|(file, reference)| match &reference.target {
            Target::Ours(target) if !reference.test => Some((member(&file.module)?, member(target)?)),
            _ => None,
        })
        .filter(|(from, to)| from != to)
        .collect()
}

/// Returns those that are in a circle of imports, or between two circles: one that imports no other of those that are
/// left, or that no other imports, is in no circle.
fn in_circles(imports: &BTreeSet<(String, String)>) -> BTreeSet<String> {
    let mut left: BTreeSet<String> = imports.iter().map(|(from, _)| from.clone()).collect();
    loop {
        let inner = imports.iter().filter(|(from, to)| left.contains(from) && left.contains(to));
        let (from, to): (BTreeSet<String>, BTreeSet<String>) = inner.cloned().unzip();
        let next: BTreeSet<String> = from.intersection(&to).cloned().collect();
        if next.len() == left.len() {
            return left;
        }
        left = next;
    }
}

#[test]
fn no_file_imports_one_that_imports_it() {
    let sources = sources();
    let mut faults = Vec::new();
    for folder in WITHOUT_CIRCLES {
        let files: Vec<&Source> = sources.iter().filter(|one| !one.test && is_below(&one.module, folder)).collect();
        assert!(files.len() > 1, "{folder} is not found any more");
        // Something belongs to the file whose module is the longest beginning of its path.
        let file_of = |target: &[String]| {
            let holders = files.iter().filter(|file| target.starts_with(&file.module));
            holders.max_by_key(|file| file.module.len()).map(|file| file.path.clone())
        };
        let found = in_circles(&imports(&sources, folder, file_of));
        faults.extend(found.iter().map(|file| format!("{file}:1: is in a circle of imports, or between two circles")));
    }
    none(faults);
}

#[test]
fn no_part_of_a_folder_imports_one_that_imports_it() {
    let sources = sources();
    let mut faults = Vec::new();
    for folder in PARTS_WITHOUT_CIRCLES {
        let depth = folder.split("::").count();
        let below = sources.iter().filter(|one| !one.test && is_below(&one.module, folder));
        let parts: BTreeSet<&String> = below.filter_map(|one| one.module.get(depth)).collect();
        assert!(parts.len() > 1, "{folder} is not found any more");
        let part_of = |target: &[String]| {
            let name = target.get(depth).filter(|name| is_below(target, folder) && parts.contains(name))?;
            Some(format!("src/{}/{name}", folder.replace("::", "/")))
        };
        let found = in_circles(&imports(&sources, folder, part_of));
        faults
            .extend(found.iter().map(|part| format!("{part}.rs:1: is in a circle of imports, or between two circles")));
    }
    none(faults);
}

#[test]
fn circles_of_imports_are_found() {
    let found = |pairs: &[(&str, &str)]| -> Vec<String> {
        let imports = pairs.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect();
        in_circles(&imports).into_iter().collect()
    };
    assert!(found(&[("a", "b"), ("b", "c"), ("a", "c")]).is_empty());
    assert_eq!(found(&[("a", "b"), ("b", "c"), ("c", "b"), ("c", "d")]), ["b", "c"]);
}

#[test]
fn crates_stay_where_they_belong() {
    let mut faults = Vec::new();
    for source in sources() {
        for reference in &source.references {
            let Target::Foreign(target) = &reference.target else { continue };
            let confined = CONFINED.iter().find(|row| row.crates.iter().any(|pattern| matches(&target[0], pattern)));
            if let Some(confined) = confined
                && !confined.to.iter().any(|place| is_below(&source.module, place))
            {
                let places = confined.to.join(", ");
                faults.push(format!("{}: {} belongs to {places}", source.at(reference.line), target[0]));
            }
        }
    }
    none(faults);
}

#[test]
fn pure_modules_know_no_media_no_tasks_and_no_clock() {
    let sources = sources();
    let pure = pure(&sources);
    assert!(pure.len() > 20, "the marker is not found any more: {pure:?}");
    let mut faults = Vec::new();
    for source in &sources {
        if source.test || !pure.iter().any(|module| is_below(&source.module, module)) {
            continue;
        }
        for reference in source.references.iter().filter(|reference| !reference.test) {
            let at = source.at(reference.line);
            match &reference.target {
                Target::Foreign(target) => {
                    let path = path_of(target);
                    let excused = PURE_BUT.iter().any(|(module, may)| {
                        is_below(&source.module, module) && (path == *may || path.starts_with(&format!("{may}::")))
                    });
                    if IMPURE.iter().any(|pattern| matches(&target[0], pattern)) && !excused {
                        faults.push(format!("{at}: PURE, and uses {path}"));
                    }
                    if target.last().is_some_and(|name| name == "now") {
                        faults.push(format!("{at}: PURE, and asks {path}; time is a parameter"));
                    }
                }
                Target::Ours(target) if is_below(target, "media::gst") => {
                    faults.push(format!("{at}: PURE, and uses {}", path_of(target)));
                }
                Target::Ours(_) => {}
            }
        }
    }
    none(faults);
}

#[test]
fn unsafe_code_says_why_it_is_safe() {
    let mut faults = Vec::new();
    for source in sources() {
        let lines: Vec<&str> = source.text.lines().collect();
        for line in &source.unsafe_lines {
            let above = &lines[line.saturating_sub(1 + REACH)..line - 1];
            if !above.iter().any(|text| text.trim_start().starts_with("// SAFETY:")) {
                faults.push(format!("{}: no `// SAFETY:` in the {REACH} lines above", source.at(*line)));
            }
        }
    }
    none(faults);
}

#[test]
fn nothing_is_left_to_be_written() {
    let mut faults = Vec::new();
    for source in sources() {
        for (name, line) in &source.macros {
            if ["todo", "unimplemented", "dbg"].contains(&name.as_str()) {
                faults.push(format!("{}: {name}!", source.at(*line)));
            }
        }
    }
    none(faults);
}

#[test]
fn files_have_one_role() {
    let mut faults = Vec::new();
    let folders = FOLDERS.into_iter().chain(["tests", "benches", "web"]);
    let files = folders.flat_map(|folder| files_below(folder, ""));
    for path in files {
        let code = [".rs", ".ts", ".mjs", ".js", ".css"].iter().any(|ending| path.ends_with(ending));
        let Ok(text) = fs::read_to_string(repository().join(&path)) else { continue };
        let lines = text.lines().count();
        if code && lines > LONGEST && !path.starts_with(GENERATED) {
            faults.push(format!("{path}:{LONGEST}: has {lines} lines; split it by role"));
        }
        let name = path.rsplit('/').next().unwrap_or_default();
        let stem = name.split('.').next().unwrap_or_default();
        if code && ["util", "utils", "common", "helper", "helpers", "manager", "prelude", "misc"].contains(&stem) {
            faults.push(format!("{path}:1: what has no noun has no home"));
        }
    }
    none(faults);
}

#[test]
fn every_launch_text_is_a_stage_is_described_and_is_used() {
    let named: BTreeSet<String> = launch::STAGES.iter().map(|(name, _)| (*name).to_owned()).collect();
    let stages = files_below("pipelines", "launch");
    let found: BTreeSet<String> = stages
        .iter()
        .filter_map(|path| Some(path.strip_prefix("pipelines/")?.strip_suffix(".launch")?.to_owned()))
        .collect();
    assert_eq!(named, found, "STAGES of src/media/gst/launch.rs, and pipelines/*.launch");
    let readme = fs::read_to_string(repository().join("pipelines/README.md")).expect("the graph is described");
    let code: Vec<Source> =
        sources().into_iter().filter(|source| !source.test && source.path != "src/media/gst/launch.rs").collect();
    let mut faults = Vec::new();
    for (name, text) in launch::STAGES {
        let path = format!("pipelines/{name}.launch");
        let on_disk = fs::read_to_string(repository().join(&path)).expect("the file was just found");
        if on_disk != *text {
            faults.push(format!("{path}:1: STAGES has another text under this name"));
        }
        if !readme.contains(&format!("`{name}.launch`")) {
            faults.push(format!("{path}:1: pipelines/README.md does not say what it is for"));
        }
        if !code.iter().any(|source| source.text.contains(&format!("\"{name}\""))) {
            faults.push(format!("{path}:1: no code uses it"));
        }
    }
    none(faults);
}

#[test]
fn every_launch_text_parses() {
    media::gst::init().expect("GStreamer and its plugins are installed");
    media::segment::register(None).expect("the element can be registered");
    let launches = launch::Launches::load(None).expect("the built-in texts need no folder");
    let mut faults = Vec::new();
    for (name, _) in launch::STAGES {
        match launches.bin(name) {
            Ok(bin) if bin.children().is_empty() => faults.push(format!("pipelines/{name}.launch:1: makes no element")),
            Ok(_) => {}
            Err(error) => faults.push(format!("pipelines/{name}.launch:1: {error}")),
        }
    }
    none(faults);
}

/// Returns text that belongs to one machine or to one way of getting packages. In pieces, because this file is looked
/// through, too.
fn private_texts() -> Vec<String> {
    let folders = ["work", "root", "home"].map(|name| format!("/{name}/"));
    let hosts = [
        ["registry", "npmjs", "org"],
        ["registry", "yarnpkg", "com"],
        ["index", "crates", "io"],
        ["static", "crates", "io"],
        ["files", "pythonhosted", "org"],
        ["deb", "debian", "org"],
    ];
    folders.into_iter().chain(hosts.map(|parts| parts.join("."))).collect()
}

#[test]
fn no_file_says_where_it_was_made() {
    let private = private_texts();
    let mut faults = Vec::new();
    for path in published_files() {
        // A file that has just been deleted is still listed.
        let Ok(content) = fs::read(repository().join(&path)) else { continue };
        // In a picture or a model, such a text would be chance.
        let Ok(text) = String::from_utf8(content) else { continue };
        for (index, line) in text.lines().enumerate() {
            if let Some(found) = private.iter().find(|found| line.contains(found.as_str())) {
                faults.push(format!("{path}:{}: {found}", index + 1));
            }
        }
    }
    none(faults);
}

/// Returns what is or would be committed: as git knows it, or all that is there where git is not.
fn published_files() -> Vec<String> {
    let listed = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(repository())
        .output();
    match listed {
        Ok(output) if output.status.success() => {
            let names = String::from_utf8(output.stdout).expect("the repository's paths are UTF-8");
            names.split('\0').filter(|name| !name.is_empty()).map(str::to_owned).collect()
        }
        _ => files_below("", ""),
    }
}
