use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use tempfile::TempDir;

use super::frames::{shared, turn};

/// Returns the folder where cargo leaves the plugin, as one of the examples that it builds with the tests.
fn plugins() -> PathBuf {
    let test = env::current_exe().unwrap();
    test.parent().and_then(Path::parent).unwrap().join("examples")
}

/// Returns a tool of GStreamer's that knows the plugin, and nothing of what this machine's user has installed.
fn tool(name: &str, folder: &TempDir) -> Command {
    assert!(plugins().join("libgstbodypix.so").exists(), "no plugin in {}", plugins().display());
    let mut command = Command::new(name);
    command
        .env("GST_PLUGIN_PATH", plugins())
        .env("GST_REGISTRY", folder.path().join("registry.bin"))
        .env_remove("VIRFIE_MODEL")
        .current_dir(folder.path());
    command
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Runs a `gst-launch-1.0` line, which stands for itself but for the words in capitals.
fn launch(folder: &TempDir, line: &str, words: &[(&str, &Path)]) -> Output {
    let arguments = line.split_whitespace().map(|argument| {
        words.iter().fold(argument.to_owned(), |text, (word, path)| text.replace(word, path.to_str().unwrap()))
    });
    tool("gst-launch-1.0", folder).arg("-q").args(arguments).output().unwrap()
}

/// Returns packed RGB pictures of 640x480 that a line has written.
fn pictures(folder: &TempDir, name: &str) -> Vec<Vec<u8>> {
    let raw = fs::read(folder.path().join(name)).unwrap();
    assert_eq!(raw.len() % (640 * 480 * 3), 0, "whole pictures");
    raw.chunks(640 * 480 * 3).map(<[u8]>::to_vec).collect()
}

/// Returns the mean red, green and blue of a square of 20 pixels around a place.
fn colour(picture: &[u8], x: usize, y: usize) -> [i32; 3] {
    let mut sum = [0; 3];
    for row in y - 10..y + 10 {
        let start = (row * 640 + x - 10) * 3;
        for pixel in picture[start..start + 60].chunks(3) {
            (0..3).for_each(|channel| sum[channel] += i32::from(pixel[channel]));
        }
    }
    sum.map(|sum| sum / 400)
}

fn near(one: [i32; 3], other: [i32; 3], tolerance: i32) -> bool {
    one.iter().zip(other).all(|(one, other)| (one - other).abs() <= tolerance)
}

/// The first frames of the clip as they are, and put over green by the stock compositor.
const OVER_GREEN: &str = "filesrc location=CLIP ! decodebin ! videoconvert \
    ! video/x-raw,format=FORMAT,width=640,height=480 ! identity eos-after=5 ! tee name=t \
    t. ! queue ! videoconvert ! video/x-raw,format=RGB ! filesink location=plain.rgb \
    t. ! queue ! bodypix CUTOUT ! mix.sink_1 \
    videotestsrc pattern=solid-color foreground-color=0xff00ff00 num-buffers=4 \
    ! video/x-raw,width=640,height=480,framerate=30/1 ! mix.sink_0 \
    compositor name=mix sink_0::zorder=0 sink_1::zorder=1 \
    ! videoconvert ! video/x-raw,format=RGB,width=640,height=480 ! filesink location=mixed.rgb";

/// Runs [`OVER_GREEN`]; the first picture of the clip and of what is composed.
fn over_green(format: &str, cutout: &str) -> Option<(Vec<u8>, Vec<u8>)> {
    let clip = shared("video/asl_man_grey_tshirt.mp4")?;
    let folder = TempDir::new().unwrap();
    let line = OVER_GREEN.replace("FORMAT", format).replace("CUTOUT", cutout);
    let output = launch(&folder, &line, &[("CLIP", &clip)]);
    assert!(output.status.success(), "{format}: {}", text(&output));
    let (plain, mixed) = (pictures(&folder, "plain.rgb"), pictures(&folder, "mixed.rgb"));
    assert!(!mixed.is_empty(), "{format}: something was composed");
    Some((plain[0].clone(), mixed[0].clone()))
}

/// A man stands in the middle in front of a pale wall.
const PERSON: [(&str, usize, usize); 3] = [("face", 315, 95), ("shirt", 310, 320), ("trousers", 300, 430)];
const ROOM: [(&str, usize, usize); 3] = [("wall", 150, 40), ("ceiling", 430, 30), ("wall beside him", 140, 300)];

#[test]
fn gst_inspect_shows_the_pads_and_the_properties_with_their_ranges() {
    let _turn = turn();
    let folder = TempDir::new().unwrap();
    let output = tool("gst-inspect-1.0", &folder).args(["--no-colors", "bodypix"]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let shown = text(&output);
    let (pads, properties) = shown.split_once("Element Properties:").unwrap();
    let (_, pads) = pads.split_once("Pad Templates:").unwrap();
    let at = |name: &str| pads.find(name).unwrap_or_else(|| panic!("no {name} in {pads}"));
    let (sink, src) = (at("SINK template: 'sink'"), at("SRC template: 'src'"));
    let sink_pad = if sink < src { &pads[sink..src] } else { &pads[sink..] };
    let src_pad = if src < sink { &pads[src..sink] } else { &pads[src..] };
    assert!(sink_pad.contains("I420") && sink_pad.contains("NV12") && !sink_pad.contains("A420"), "{sink_pad}");
    assert!(src_pad.contains("A420"), "{src_pad}");

    // A property begins in the third column; what is said of it stands deeper.
    let of = |name: &str| {
        let mut lines = properties.lines().skip_while(|line| !line.starts_with(&format!("  {name} ")));
        let first = lines.next().unwrap_or_else(|| panic!("no {name} in {properties}"));
        let more = lines.take_while(|line| line.starts_with("   "));
        std::iter::once(first).chain(more).map(|line| format!("{} ", line.trim())).collect::<String>()
    };
    /// Returns the two numbers of `Range: A - B`.
    fn range(shown: &str) -> (f32, f32) {
        let (_, range) = shown.split_once("Range:").unwrap_or_else(|| panic!("no range: {shown}"));
        let mut numbers = range.split_whitespace().filter_map(|word| word.parse().ok());
        (numbers.next().unwrap(), numbers.next().unwrap())
    }
    for (name, wanted) in
        [("threshold", (0.05, 0.95)), ("feather", (0.0, 1.0)), ("smoothing", (0.0, 0.95)), ("every", (1.0, 60.0))]
    {
        let (low, high) = range(&of(name));
        assert!((low - wanted.0).abs() < 1e-6 && (high - wanted.1).abs() < 1e-6, "{}", of(name));
        assert!(of(name).contains("writable"), "{}", of(name));
    }
    for name in ["model", "cutout"] {
        assert!(of(name).contains("readable, writable"), "{}", of(name));
    }
    for name in ["inference-time", "masks", "total-time"] {
        assert!(of(name).contains("readable") && !of(name).contains("writable"), "{}", of(name));
    }
}

#[test]
fn the_stock_compositor_puts_the_person_over_another_background() {
    let _turn = turn();
    for format in ["I420", "NV12"] {
        let Some((plain, mixed)) = over_green(format, "") else { return };
        for (what, x, y) in PERSON {
            let (before, after) = (colour(&plain, x, y), colour(&mixed, x, y));
            assert!(near(before, after, 30), "{format}: {what} was {before:?} and is {after:?}");
        }
        for (what, x, y) in ROOM {
            let (before, after) = (colour(&plain, x, y), colour(&mixed, x, y));
            assert!(near(after, [0, 255, 0], 60) && !near(before, after, 60), "{format}: {what} is {after:?}");
        }
    }
}

#[test]
fn with_the_cutout_none_the_whole_picture_hides_the_background() {
    let _turn = turn();
    let Some((plain, mixed)) = over_green("I420", "cutout=none") else { return };
    for (what, x, y) in PERSON.into_iter().chain(ROOM) {
        let (before, after) = (colour(&plain, x, y), colour(&mixed, x, y));
        assert!(near(before, after, 6), "{what} was {before:?} and is {after:?}");
    }
}

#[test]
fn with_the_cutout_none_every_byte_passes_in_both_formats() {
    let _turn = turn();
    for format in ["I420", "NV12"] {
        let folder = TempDir::new().unwrap();
        let line = format!(
            "videotestsrc num-buffers=3 pattern=smpte ! video/x-raw,format={format},width=322,height=182 ! tee name=t \
             t. ! queue ! filesink location=before t. ! queue ! bodypix cutout=none ! filesink location=after"
        );
        let output = launch(&folder, &line, &[]);
        assert!(output.status.success(), "{format}: {}", text(&output));
        let (before, after) =
            (fs::read(folder.path().join("before")).unwrap(), fs::read(folder.path().join("after")).unwrap());
        assert!(before.len() >= 3 * 322 * 182 * 3 / 2, "{format}: three frames");
        assert!(before == after, "{format}: bytes differ");
    }
}

#[test]
fn a_wrong_model_ends_the_line_with_an_error_that_names_the_file() {
    let _turn = turn();
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("text.onnx"), "this is no model\n").unwrap();
    for name in ["missing.onnx", "text.onnx"] {
        let file = folder.path().join(name);
        let line = "videotestsrc num-buffers=3 ! video/x-raw,format=I420 ! bodypix model=FILE ! fakesink";
        let output = launch(&folder, line, &[("FILE", &file)]);
        // No code at all would mean that a signal ended it.
        assert!(output.status.code().is_some_and(|code| code != 0), "{:?}: {}", output.status, text(&output));
        let said = text(&output);
        assert!(said.contains("ERROR") && said.contains(file.to_str().unwrap()), "{said}");
        assert!(!said.contains("panicked"), "{said}");
    }
}
