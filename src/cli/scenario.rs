//! `virfie scenario check FILE`: what a layout or a scenario becomes, or every wrong place of it.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use image::ImageReader;
use serde_json::{Value, json};

use crate::{
    error::ProgramError,
    layout::{
        self, Canvas, Fault,
        scenario::{Asset, Imported, Node, import},
    },
};

/// Largest file that is read, in bytes; what the server takes as a body.
const FILE_LIMIT: u64 = 1024 * 1024;

/// Checks layouts and scenarios.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Reads a layout, a list of scenes or a Virfie scenario and prints what it becomes, or every wrong place as
    /// `pointer: detail`
    Check {
        /// The file; - is the standard input
        file: PathBuf,
        /// The folder that a Virfie scenario calls `/static/`: its files are looked for there. Left out, the folder
        /// `static` beside the file
        #[arg(long = "static", value_name = "DIR")]
        assets: Option<PathBuf>,
    },
}

/// Runs the command.
///
/// # Errors
/// [`ProgramError::Usage`] when the file cannot be read or something in it is wrong.
pub fn run(args: Args) -> Result<(), ProgramError> {
    let Action::Check { file, assets } = args.action;
    let text = read(&file).map_err(|error| ProgramError::Usage(format!("{}: {error}", file.display())))?;
    let beside = || file.parent().unwrap_or(Path::new("")).join("static");
    match check(&text, &assets.unwrap_or_else(beside)) {
        Ok(canonical) => {
            print(&[canonical]);
            Ok(())
        }
        Err(lines) => {
            print(&lines);
            let places = if lines.len() == 1 { "is a wrong place" } else { "are wrong places" };
            Err(ProgramError::Usage(format!("{}: there {places} in it ({})", file.display(), lines.len())))
        }
    }
}

fn read(file: &Path) -> io::Result<String> {
    let source: Box<dyn io::Read> =
        if file.as_os_str() == "-" { Box::new(io::stdin()) } else { Box::new(fs::File::open(file)?) };
    let mut text = String::new();
    source.take(FILE_LIMIT + 1).read_to_string(&mut text)?;
    if text.len() as u64 > FILE_LIMIT {
        return Err(io::Error::other(format!("is larger than {FILE_LIMIT} bytes")));
    }
    Ok(text)
}

/// Returns what it becomes, or every wrong place as `pointer: detail`. A scenario becomes an object with `scenes`,
/// `assets` and `warnings`.
fn check(text: &str, assets: &Path) -> Result<String, Vec<String>> {
    let lines = |faults: Vec<Fault>| faults.iter().map(ToString::to_string).collect::<Vec<_>>();
    let file = Node::parse(text).map_err(|error| vec![error.to_string()])?;
    let scenes = file.get("scenes").map_or_else(Vec::new, Node::values);
    if file.get("scenes").is_some() && !scenes.iter().any(|(_, scene)| scene.get("layout").is_some()) {
        let imported = import(&file, &Canvas::default(), &|named| asset(&assets.join(&named.path))).map_err(lines)?;
        return Ok(format!("{:#}", described(&imported)));
    }
    let value: Value = serde_json::from_str(text).map_err(|error| vec![format!("not JSON: {error}")])?;
    if let Some(Value::Array(scenes)) = value.get("scenes") {
        return native(scenes).map_err(lines);
    }
    let scene = layout::read(&value, &Canvas::default()).map_err(lines)?;
    Ok(format!("{:#}", scene.to_json()))
}

/// Returns scenes of our own.
fn native(scenes: &[Value]) -> Result<String, Vec<Fault>> {
    let mut written = Vec::new();
    let mut faults = Vec::new();
    for (index, scene) in scenes.iter().enumerate() {
        match layout::read(&scene["layout"], &Canvas::default()) {
            Ok(layout) => written.push(json!({"name": scene["name"], "layout": layout.to_json()})),
            Err(own) => faults.extend(
                own.into_iter()
                    .map(|fault| Fault { pointer: format!("/scenes/{index}/layout{}", fault.pointer), ..fault }),
            ),
        }
    }
    if faults.is_empty() { Ok(format!("{:#}", json!({"scenes": written}))) } else { Err(faults) }
}

fn described(imported: &Imported) -> Value {
    let scenes: Vec<Value> =
        imported.scenes.iter().map(|scene| json!({"name": scene.name, "layout": scene.layout})).collect();
    let assets: Vec<Value> = imported
        .assets
        .iter()
        .map(|(named, found)| json!({"path": named.path, "name": named.name, "found": found}))
        .collect();
    let warnings: Vec<Value> =
        imported.warnings.iter().map(|fault| json!({"pointer": fault.pointer, "detail": fault.detail})).collect();
    json!({"scenes": scenes, "assets": assets, "warnings": warnings})
}

/// Returns what there is in a file.
fn asset(file: &Path) -> Option<Asset> {
    let size = ImageReader::open(file).ok()?.with_guessed_format().ok()?.into_dimensions();
    if let Ok((width, height)) = size {
        return Some(Asset::Image(width, height));
    }
    let kind = file.extension()?.to_str()?.to_ascii_lowercase();
    ["mp3", "wav", "ogg", "opus"].contains(&&*kind).then_some(Asset::Sound)
}

/// Prints lines, as far as there is somebody who reads them (`| head` closes the pipe).
fn print(lines: &[String]) {
    let mut out = io::stdout().lock();
    for line in lines {
        if writeln!(out, "{line}").is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn checked(text: &str) -> Result<String, Vec<String>> {
        check(text, Path::new("/nowhere"))
    }

    #[test]
    fn a_layout_is_printed_as_it_is_read_back() {
        let printed = checked(r#"{"layers": [{"id": "ann", "source": {"participant": "ann"}, "z": 3}]}"#).unwrap();
        let value: Value = serde_json::from_str(&printed).unwrap();
        assert_eq!(value["canvas"]["width"], 1280);
        assert_eq!(value["layers"][0]["id"], "ann");
        assert_eq!(checked(&printed).unwrap(), printed);
    }

    #[test]
    fn every_wrong_place_is_a_line() {
        let lines = checked(r#"{"layers": [{"id": "a", "source": {"slot": 0}}], "colour": 1}"#).unwrap_err();
        assert!(lines.len() >= 2, "{lines:?}");
        assert!(lines.iter().any(|line| line.starts_with("/layers/0/source")), "{lines:?}");
        assert!(checked("{").unwrap_err()[0].starts_with("neither JSON"));
    }

    #[test]
    fn a_virfie_scenario_is_printed_with_what_is_missing() {
        let scenario = r#"{"scenes": [{"title": "Bar", "players": {"1": {"x": "0%", "y": "0%", "scale": "50%"}},
            "background": {"name": "b", "files": ["bar.png"]}}]}"#;
        let printed: Value = serde_json::from_str(&checked(scenario).unwrap()).unwrap();
        assert_eq!(printed["scenes"][0]["name"], "Bar");
        assert_eq!(printed["scenes"][0]["layout"]["layers"][0]["id"], "player-1");
        assert_eq!(printed["warnings"][0]["pointer"], "/scenes/0/background/files/0");
        assert_eq!(printed["assets"][0], json!({"path": "bar.png", "name": "bar.png", "found": false}));
    }

    #[test]
    fn scenes_are_checked_with_their_places() {
        let scenes = r#"{"scenes": [{"name": "a", "layout": {"layers": []}}, {"name": "b", "layout": {"layers": 3}}]}"#;
        assert!(checked(scenes).unwrap_err()[0].starts_with("/scenes/1/layout/layers"));
        assert!(checked(&scenes.replace('3', "[]")).unwrap().contains("\"name\": \"b\""));
    }
}
