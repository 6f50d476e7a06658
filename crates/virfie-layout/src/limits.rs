//! Limits of what a layout may ask for, where they are not about one key alone: the rows of `schema/keys.rs` say it of
//! theirs.

use std::ops::RangeInclusive;

use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{BidiControl, DefaultIgnorableCodePoint, GeneralCategory, GeneralCategoryGroup},
};

/// Layers of one layout. Each is one blend of up to the whole canvas per frame; 64 is far more than a picture needs
/// and still bounded work.
pub const LAYERS: usize = 64;
/// Length of a layer's id in characters; ids are written into URLs.
pub const ID_LENGTH: usize = 64;
/// Length of a participant's name in characters.
pub const NAME_LENGTH: usize = 128;
/// Length of an asset's name in characters; it is a file name, and 255 bytes is the usual limit of those.
pub const ASSET_LENGTH: usize = 128;
/// Slots are counted from 1; the upper end is more people than one canvas can show.
pub const SLOT: RangeInclusive<i64> = 1..=1000;

/// The range of one kind of length.
#[derive(Debug, Clone, PartialEq)]
pub struct LengthRange {
    /// Bounds of a plain number.
    pub number: RangeInclusive<f64>,
    /// Bounds of `n` in `"n%"`.
    pub percent: RangeInclusive<f64>,
    /// Whether zero itself is refused (sizes).
    pub above_zero: bool,
    /// The unit of a plain number, for messages: `px` or nothing.
    pub unit: &'static str,
}

/// `x` and `y`. Four times the largest canvas to either side is enough to fly something in from outside, and keeps
/// every later sum far inside 32 bits.
pub const POSITION: LengthRange =
    LengthRange { number: -16384.0..=16384.0, percent: -1000.0..=1000.0, above_zero: false, unit: " px" };
/// `width` and `height`; the same bounds as [`POSITION`], but something must be left to see.
pub const EXTENT: LengthRange =
    LengthRange { number: 0.0..=16384.0, percent: 0.0..=1000.0, above_zero: true, unit: " px" };
/// `scale`: a plain number is a factor of the canvas, with the same upper end as [`EXTENT`]'s percentages.
pub const SCALE: LengthRange = LengthRange { number: 0.0..=10.0, percent: 0.0..=1000.0, above_zero: true, unit: "" };
/// One edge of `crop`, in pixels or percent of the source: no more than all of it.
pub const INSET: LengthRange =
    LengthRange { number: 0.0..=16384.0, percent: 0.0..=100.0, above_zero: false, unit: " px" };
/// `auto.gap`: beyond a quarter of the canvas there would be more gap than picture.
pub const GAP: LengthRange = LengthRange { number: 0.0..=1000.0, percent: 0.0..=25.0, above_zero: false, unit: " px" };

/// `radius`: pixels, or percent of the shorter side; from half of that side on the ends are round.
pub const RADIUS: LengthRange =
    LengthRange { number: 0.0..=16384.0, percent: 0.0..=100.0, above_zero: false, unit: " px" };
/// `crawl`, a second: faster than this nobody can read.
pub const CRAWL: LengthRange =
    LengthRange { number: 0.0..=4096.0, percent: 0.0..=1000.0, above_zero: true, unit: " px" };
/// `dx`, `dy` of what triggers draw, in canvas pixels; as those of `follow`.
pub const OFFSET: RangeInclusive<f64> = -16384.0..=16384.0;
/// Images of one list.
pub const IMAGES: usize = 100;
/// Different clips of one layout: each is decoded beside everything else.
pub const CLIPS: usize = 4;
/// Characters of a text: more than fit on a canvas legibly.
pub const TEXT_LENGTH: usize = 1000;
/// Lines of the chat that a text may show: more are not read before they are gone.
pub const CHAT_LINES: usize = 20;
/// Time for which one image of a list is shown, in milliseconds: no faster than frames.
pub const INTERVAL_MS: RangeInclusive<i64> = 16..=3_600_000;

/// Scenes of one room or scenario: far more than anybody finds their way in.
pub const SCENES: usize = 100;
/// Triggers of one layout: each is looked at with every frame.
pub const TRIGGERS: usize = 32;
/// Conditions of one trigger.
pub const CONDITIONS: usize = 16;
/// Actions of one trigger.
pub const ACTIONS: usize = 8;
/// Time after which something happens again, in milliseconds.
pub const EVERY_MS: RangeInclusive<i64> = 100..=3_600_000;
/// Time for which a trigger rests after it fired, in milliseconds.
pub const HOLD_OFF_MS: RangeInclusive<i64> = 0..=3_600_000;
/// Time for which a trigger shows a layer, in milliseconds.
pub const FOR_MS: RangeInclusive<i64> = 1..=3_600_000;
/// Degrees that a twirl turns its middle by: ten whole turns either way are more than anybody can make out.
pub const TWIRL: RangeInclusive<f64> = -3600.0..=3600.0;
/// Time that a twirl takes for once to and fro, in milliseconds.
pub const PERIOD_MS: RangeInclusive<f64> = 100.0..=3_600_000.0;
/// Sides of what a trigger draws, in canvas pixels; as those of layers.
pub const DRAWN: RangeInclusive<f64> = 1.0..=16384.0;

/// Returns whether it is a control character, or one that turns the direction of the text around it: a name must not be
/// able to change how its neighbours read.
pub fn is_unprintable(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') || CodePointSetData::new::<BidiControl>().contains(c)
}

/// Returns whether a character shows nothing itself: it joins, parts or varies others, or is for machines. Unicode says
/// so of most (`Default_Ignorable_Code_Point`), but not of separators of lines and of annotations, and not of letters
/// and symbols that are drawn as blanks, as its charts of Braille, music and hieroglyphs show them.
pub fn is_silent(c: char) -> bool {
    let is_blank = matches!(c, '\u{2800}' | '\u{1d159}' | '\u{13441}' | '\u{13442}');
    is_blank
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{fff9}'..='\u{fffb}')
        || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

/// Returns whether people can read `name` where it stands among others: they see something of it, and it has nothing
/// that [`is_unprintable`]. A mark does not come first: it is
/// drawn upon what stands before it, which is another's.
pub fn is_readable(name: &str) -> bool {
    let categories = CodePointMapData::<GeneralCategory>::new();
    let is_mark = |c: char| GeneralCategoryGroup::Mark.contains(categories.get(c));
    let first = name.chars().find(|c| !c.is_whitespace() && !is_silent(*c));
    !name.chars().any(is_unprintable) && first.is_some_and(|first| !is_mark(first))
}

/// Returns whether `id` may name a layer: 1 to 64 of `A-Z a-z 0-9 _ -`.
pub fn is_id(id: &str) -> bool {
    (1..=ID_LENGTH).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}

/// Returns whether `name` may name an asset: 1 to 128 of `A-Z a-z 0-9 . _ -`, not beginning with a dot, so that it is
/// never a path or a hidden file.
pub fn is_asset(name: &str) -> bool {
    (1..=ASSET_LENGTH).contains(&name.len())
        && !name.starts_with('.')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

/// Returns whether `name` may be a participant's: 1 to 128 characters without control characters.
pub fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().count() <= NAME_LENGTH && !name.chars().any(char::is_control)
}

/// Reads `#rgb` or `#rrggbb`; `None` when it is neither.
pub fn color(text: &str) -> Option<[u8; 3]> {
    let digits: Vec<u8> =
        text.strip_prefix('#')?.chars().map(|c| c.to_digit(16).map(|d| d as u8)).collect::<Option<_>>()?;
    match digits[..] {
        [r, g, b] => Some([r * 17, g * 17, b * 17]),
        [r1, r0, g1, g0, b1, b0] => Some([r1 * 16 + r0, g1 * 16 + g0, b1 * 16 + b0]),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colors_are_read_in_both_lengths_and_any_case() {
        assert_eq!(color("#fa0"), Some([0xff, 0xaa, 0x00]));
        assert_eq!(color("#12aBeF"), Some([0x12, 0xab, 0xef]));
        for wrong in ["", "#", "#ff", "#ffff", "#fffff", "#fffffff", "fff", "#ggg", "red", "#äöü", "# ff"] {
            assert_eq!(color(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn asset_names_are_never_paths() {
        for right in ["club.jpg", "a", "A-1_2.png", "x..y", &"a".repeat(128)] {
            assert!(is_asset(right), "{right:?}");
        }
        for wrong in ["", ".", "..", ".hidden", "a/b", "a\\b", "../x", "a b", "ä.png", "a\0", &"a".repeat(129)] {
            assert!(!is_asset(wrong), "{wrong:?}");
        }
    }

    #[test]
    fn names_that_nobody_can_see_are_none() {
        for right in [
            "a",
            "Zoë",
            "王",
            "\u{645}\u{631}\u{64a}\u{645}",
            "\u{645}\u{6cc}\u{200c}\u{62e}\u{648}",
            "\u{1f469}\u{200d}\u{1f680}",
            "e\u{301}",
            "\u{b4}",
            "-",
            "1",
        ] {
            assert!(is_readable(right), "{right:?}");
        }
        for nothing in [
            "",
            " ",
            "\u{a0}",
            "\u{3000}",
            "\u{3164}",
            "\u{115f}",
            "\u{1160}",
            "\u{ffa0}",
            "\u{2800}",
            "\u{200b}",
            "\u{200c}\u{200d}",
            "\u{2060}",
            "\u{feff}",
            "\u{ad}",
            "\u{34f}",
            "\u{17b4}",
            "\u{180e}",
            "\u{fe0f}",
            "\u{fff9}",
            "\u{e0001}",
            "\u{e0100}",
            "\u{1bca0}",
            "\u{1d159}",
            "\u{1d173}",
            "\u{13441}",
            "\u{301}",
            "\u{20dd}",
            "\u{93e}",
            "\u{3164} \u{301}\u{2800}",
            "\u{301}ann",
            " \u{200d}\u{301}ann",
        ] {
            assert!(!is_readable(nothing), "{nothing:?}");
        }
        for control in
            "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}\n\0\u{85}"
                .chars()
        {
            assert!(!is_readable(&format!("a{control}b")), "{control:?}");
        }
    }

    #[test]
    fn ids_are_fit_for_urls() {
        assert!(is_id("ann_2-b") && is_id(&"x".repeat(64)));
        for wrong in ["", "a b", "a.b", "a/b", "ä", &"x".repeat(65)] {
            assert!(!is_id(wrong), "{wrong:?}");
        }
    }

    #[test]
    fn names_may_be_written_in_any_script() {
        assert!(is_name("Zoë 王") && is_name(&"王".repeat(128)));
        for wrong in ["", "a\nb", "\u{7}", &"王".repeat(129)] {
            assert!(!is_name(wrong), "{wrong:?}");
        }
    }
}
