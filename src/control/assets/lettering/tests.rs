#![allow(clippy::unwrap_used)]
use super::*;

/// Luma of a letter's colour and of nothing: white on transparent.
struct Drawn(Still);

impl Drawn {
    fn of(text: Text, frame: TextFrame) -> Self {
        let family = text.font.clone();
        Self(letterer().draw(&Lettering { text: &text, frame }, &Face::Family(&family)).unwrap())
    }

    fn size(&self) -> (u32, u32) {
        self.0.size()
    }

    /// Returns how much of a pixel is covered by letters.
    fn cover(&self, x: u32, y: u32) -> u8 {
        let (alpha, stride) = self.0.whole().planes().alpha.unwrap();
        alpha[y as usize * stride + x as usize]
    }

    /// Returns the columns and rows that have something in them: left, top, right, bottom.
    fn bounds(&self) -> [u32; 4] {
        let (width, height) = self.size();
        let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        places.filter(|(x, y)| self.cover(*x, *y) > 64).fold([width, height, 0, 0], |bounds, (x, y)| {
            [bounds[0].min(x), bounds[1].min(y), bounds[2].max(x), bounds[3].max(y)]
        })
    }

    /// Runs of rows that have something in them.
    fn lines(&self) -> usize {
        let (width, height) = self.size();
        let inked = |y: u32| (0..width).any(|x| self.cover(x, y) > 64);
        (0..height).filter(|y| inked(*y) && (*y == 0 || !inked(y - 1))).count()
    }

    fn ink(&self) -> u64 {
        let (alpha, _) = self.0.whole().planes().alpha.unwrap();
        alpha.iter().map(|alpha| u64::from(*alpha)).sum()
    }
}

/// Returns one for all tests: the fonts of the system are looked for once.
fn letterer() -> &'static Letterer {
    static LETTERER: std::sync::OnceLock<Letterer> = std::sync::OnceLock::new();
    LETTERER.get_or_init(Letterer::default)
}

fn sized(text: &str, size: f64) -> Text {
    Text { size, ..Text::plain(text) }
}

#[test]
fn letters_are_as_large_as_they_should_be_and_crisp() {
    let drawn = Drawn::of(sized("H", 200.0), TextFrame::Natural);
    let [left, top, right, bottom] = drawn.bounds();
    // Inter's capitals are 0.727 of its size.
    assert!((bottom - top + 1).abs_diff(145) <= 2, "{:?}", drawn.bounds());
    assert!(drawn.size().1 == 240 && drawn.size().0 > right - left, "{:?}", drawn.size());
    // Stems are wholly covered, the space between them not at all, and little is between.
    assert_eq!((drawn.cover(left + 10, (top + bottom) / 2), drawn.cover((left + right) / 2, top + 10)), (255, 0));
    let (width, height) = drawn.size();
    let grey = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let grey = grey.filter(|(x, y)| (1..255).contains(&drawn.cover(*x, *y))).count();
    assert!(grey < 1200, "{grey} pixels are neither letter nor nothing");
}

#[test]
fn the_colour_is_right_up_to_the_edge() {
    let drawn = Drawn::of(Text { color: [255, 0, 0], ..sized("Äg", 80.0) }, TextFrame::Natural);
    let planes = drawn.0.whole().planes();
    // Red everywhere, shown or not: nothing else can bleed into an edge.
    assert!(
        planes.y.iter().all(|y| *y == 81) && planes.u.iter().all(|u| *u == 90) && planes.v.iter().all(|v| *v == 240)
    );
    let backed = Text { color: [255, 0, 0], background: Some([0, 0, 255]), ..sized("Äg", 80.0) };
    let drawn = Drawn::of(Text { padding: 20.0, ..backed }, TextFrame::Natural);
    let planes = drawn.0.whole().planes();
    assert!(planes.alpha.is_none(), "a background is opaque");
    assert_eq!((planes.y[0], planes.u[0], planes.v[0]), (41, 240, 110));
    assert!(planes.y.contains(&81));
}

#[test]
fn lines_are_broken_at_the_width() {
    let text = "The quick brown fox jumps over the lazy dog";
    let natural = Drawn::of(sized(text, 40.0), TextFrame::Natural);
    assert!(natural.size().0 > 700 && natural.lines() == 1, "{:?}", natural.size());
    let narrow = Drawn::of(sized(text, 40.0), TextFrame::Width(300));
    assert_eq!(narrow.size().0, 300);
    assert!(narrow.lines() >= 3 && narrow.size().1 == narrow.lines() as u32 * 48, "{:?}", narrow.size());
    let [_, _, right, _] = narrow.bounds();
    assert!(right < 300 && right > 200, "{right}");
    let one_word = Drawn::of(sized("Donaudampfschifffahrtsgesellschaft", 40.0), TextFrame::Width(200));
    assert!(one_word.size().0 == 200 && one_word.lines() >= 3, "a word that is too long is broken, too");
    let two = Drawn::of(sized("a\nb", 40.0), TextFrame::Natural);
    assert_eq!(two.lines(), 2);
}

#[test]
fn lines_stand_where_they_are_asked_to() {
    let at = |align: Option<TextAlign>, text: &str, frame: TextFrame| {
        let [left, _, right, _] = Drawn::of(Text { align, ..sized(text, 40.0) }, frame).bounds();
        (left, right)
    };
    let wide = TextFrame::Width(600);
    assert!(at(None, "left", wide).0 < 10 && at(Some(TextAlign::Left), "left", wide).0 < 10);
    let (left, right) = at(Some(TextAlign::Center), "middle", wide);
    assert!((left + right).abs_diff(600) < 8, "{left} {right}");
    assert!(at(Some(TextAlign::Right), "right", wide).1 > 590);
    // Hebrew and Arabic lines begin at the right.
    for text in ["שלום", "سلام"] {
        assert!(at(None, text, wide).1 > 585 && at(Some(TextAlign::Left), text, wide).0 < 15, "{text}");
    }
    // Without a width the widest line is the measure.
    let [_, _, right, _] =
        Drawn::of(Text { align: Some(TextAlign::Right), ..sized("wide line\nx", 40.0) }, TextFrame::Natural).bounds();
    let narrow = Drawn::of(Text { align: Some(TextAlign::Right), ..sized("wide line\nx", 40.0) }, TextFrame::Natural);
    let (width, height) = narrow.size();
    let lower_left = (height / 2..height).all(|y| (0..width / 2).all(|x| narrow.cover(x, y) == 0));
    assert!(lower_left && right > width - 8);
}

#[test]
fn a_box_holds_the_text_in_its_middle() {
    let drawn = Drawn::of(sized("mm", 40.0), TextFrame::Box(400, 300));
    let [_, top, _, bottom] = drawn.bounds();
    assert_eq!(drawn.size(), (400, 300));
    assert!((top + bottom).abs_diff(300) < 24, "{top} {bottom}");
    let high = Drawn::of(sized("a\nb\nc\nd", 40.0), TextFrame::Box(400, 100));
    assert_eq!(high.size(), (400, 192), "nothing is cut off");
    let tall = Drawn::of(sized("H", 40.0), TextFrame::Height(240));
    let [_, top, _, bottom] = tall.bounds();
    assert!(tall.size().1 == 240 && (bottom - top + 1).abs_diff(145) <= 3, "drawn at that size, not enlarged");
}

#[test]
fn a_text_is_measured_as_large_as_it_is_drawn() {
    let face = Face::Family("Inter");
    for text in ["Hi", "two\nlines of it", "Donaudampfschifffahrtsgesellschaft", "jf"] {
        let text = Text { padding: 3.5, ..sized(text, 40.0) };
        for frame in [TextFrame::Natural, TextFrame::Width(200), TextFrame::Height(90), TextFrame::Box(300, 20)] {
            let drawn = Drawn::of(text.clone(), frame).size();
            assert_eq!(letterer().size(&Lettering { text: &text, frame }, &face).unwrap(), drawn, "{text:?} {frame:?}");
        }
    }
    let huge = sized(&"m".repeat(1000), 500.0);
    let measured = letterer().size(&Lettering { text: &huge, frame: TextFrame::Natural }, &face);
    assert!(matches!(measured, Err(LetteringError::TooLarge { .. })));
}

#[test]
fn weights_and_paddings_are_kept() {
    let ink = |weight| Drawn::of(Text { weight, ..sized("Weight", 60.0) }, TextFrame::Natural).ink();
    assert!(ink(100) < ink(400) && ink(400) < ink(700) && ink(700) < ink(900));
    let dejavu = |weight| Text { weight, font: "DejaVu Sans".into(), ..sized("Weight", 60.0) };
    assert!(Drawn::of(dejavu(400), TextFrame::Natural).ink() < Drawn::of(dejavu(700), TextFrame::Natural).ink());
    let plain = Drawn::of(sized("x", 60.0), TextFrame::Natural);
    let padded = Drawn::of(Text { padding: 30.0, ..sized("x", 60.0) }, TextFrame::Natural);
    assert_eq!(padded.size(), (plain.size().0 + 60, plain.size().1 + 60));
    assert_eq!(padded.bounds().map(|edge| edge - 30), plain.bounds());
}

#[test]
fn every_script_that_the_fonts_have_is_drawn_in_its_own_way() {
    // Ink that differs from that of missing characters (boxes) of the same number.
    let missing = Drawn::of(sized("\u{e000}\u{e001}\u{e002}\u{e003}", 60.0), TextFrame::Natural);
    for text in ["Åsßé", "Жизнь", "Ωμέγ", "سلام", "שלום", "→★☺😀"] {
        let drawn = Drawn::of(sized(text, 60.0), TextFrame::Natural);
        assert!(drawn.ink() > 20_000 && drawn.ink() != missing.ink(), "{text}");
    }
    // Arabic letters join: together they are narrower than apart.
    let width = |text: &str| Drawn::of(sized(text, 60.0), TextFrame::Natural).size().0;
    assert!(width("سلام") + 20 < width("س\u{200c}ل\u{200c}ا\u{200c}م"));
    // A flag in the middle of a line, accents put together, and nothing at all.
    for odd in ["🏳️‍🌈 ok", "e\u{301}", "\u{202e}abc\u{202c}", "\u{feff}", "a\u{300}\u{300}\u{300}\u{300}\u{300}"]
    {
        Drawn::of(sized(odd, 60.0), TextFrame::Natural);
    }
}

#[test]
fn the_picture_covers_the_ink_wherever_that_goes() {
    let marks =
        ["ÅÖÑ Ế", "Ấ\nẪ", "a\u{300}\u{300}\u{300}\u{300}\u{300}", "g\u{304}\u{332}\u{332} j\u{323}\u{323}", "jf", "ﷺ"];
    for font in ["Inter", "DejaVu Sans"] {
        for (text, line_height) in marks.into_iter().flat_map(|text| [(text, 1.2), (text, 0.6)]) {
            let text = Text { font: font.into(), line_height, ..sized(text, 80.0) };
            // As much ink as with so much room that nothing could be cut off.
            let roomy = Text { padding: 200.0, ..text.clone() };
            let whole = Drawn::of(roomy.clone(), TextFrame::Natural);
            assert_eq!(Drawn::of(text.clone(), TextFrame::Natural).ink(), whole.ink(), "{text:?}");
            let broken = Drawn::of(roomy, TextFrame::Width(800));
            for frame in [TextFrame::Width(400), TextFrame::Box(400, 20)] {
                assert_eq!(Drawn::of(text.clone(), frame).ink(), broken.ink(), "{text:?} {frame:?}");
            }
            // In another size it has the same shape.
            let sides = |drawn: &Drawn| {
                let [left, top, right, bottom] = drawn.bounds();
                [right - left + 1, bottom - top + 1].map(f64::from)
            };
            let ([width, height], [across, down]) =
                (sides(&whole), sides(&Drawn::of(text.clone(), TextFrame::Height(300))));
            assert!((down - height * across / width).abs() <= 3.0 + down * 0.03, "{text:?}: {across} x {down}");
        }
    }
}

#[test]
fn slanted_letters_are_whole_at_both_sides() {
    // A font whose letters lean over to their neighbours.
    let font = Font::open(dejavu::serif::bold_italic().into()).unwrap();
    let face = Face::Asset(&font);
    let drawn = |text: &str, padding: f64, frame: TextFrame| {
        let text = Text { padding, ..sized(text, 120.0) };
        Drawn(letterer().draw(&Lettering { text: &text, frame }, &face).unwrap())
    };
    for text in ["f", "jf", "ff\nj"] {
        let whole = drawn(text, 100.0, TextFrame::Natural).ink();
        assert_eq!(drawn(text, 0.0, TextFrame::Natural).ink(), whole, "{text}");
        assert_eq!(drawn(text, 0.5, TextFrame::Natural).ink().abs_diff(whole) / (whole / 50), 0, "{text}");
        assert_eq!(drawn(text, 0.0, TextFrame::Width(500)).ink(), whole, "{text}");
    }
}

#[test]
fn characters_that_no_font_has_are_reported() {
    let lacking = |text: &str| letterer().lacking(&sized(text, 20.0), &Face::Family("Inter"));
    assert_eq!(lacking("Hi, Ünï → Ж ש\u{200b}\u{fe0f}\n"), "");
    // Nobody has these: they are for private use, or no characters yet.
    assert_eq!(lacking("a\u{f8ff3}b\u{f8ff4}\u{f8ff3}"), "\u{f8ff3}\u{f8ff4}");
}

#[test]
fn what_would_be_too_large_is_not_drawn() {
    let text = sized(&"m".repeat(1000), 500.0);
    let draw = |frame| letterer().draw(&Lettering { text: &text, frame }, &Face::Family("Inter"));
    assert!(matches!(draw(TextFrame::Natural), Err(LetteringError::TooLarge { .. })));
    assert!(matches!(draw(TextFrame::Width(1)), Err(LetteringError::TooLarge { .. })));
    assert!(matches!(draw(TextFrame::Width(16384)), Err(LetteringError::TooLarge { .. })));
    assert!(matches!(draw(TextFrame::Box(8000, 8000)), Err(LetteringError::TooLarge { .. })));
}

#[test]
fn letters_are_enlarged_only_where_their_picture_is_not_too_large() {
    let size = |text: &Text, frame| letterer().size(&Lettering { text, frame }, &Face::Family("DejaVu Sans"));
    let letters: String = (0xc0..).filter_map(char::from_u32).filter(|c| c.is_alphabetic()).take(900).collect();
    let line = sized(&letters, 48.0);
    // Each letter would have some fifty megabytes.
    for height in [9000, 8192, 8000, 2000] {
        let error = size(&line, TextFrame::Height(height)).unwrap_err();
        let LetteringError::TooLarge { width, height: high } = error else { panic!("{height}: {error:?}") };
        assert!(width > 100_000 && high == u64::from(height), "{height}: {width} x {high}");
    }
    assert!(size(&line, TextFrame::Height(10)).is_ok());
    // What is only high: a side is the bound.
    assert_eq!(size(&sized("i", 500.0), TextFrame::Height(4000)).map(|size| size.1), Ok(4000));
    assert!(matches!(
        size(&sized("i", 4.0), TextFrame::Height(8194)),
        Err(LetteringError::TooLarge { height: 8194, .. })
    ));
}

#[test]
fn one_letter_is_no_larger_than_a_picture_and_all_have_a_bound_together() {
    // The same font, with letters a hundred times as large as their lines.
    let mut content = dejavu::sans::regular().to_vec();
    let tables = usize::from(u16::from_be_bytes([content[4], content[5]]));
    let entry = content[12..12 + 16 * tables].chunks(16).find(|entry| entry.starts_with(b"head")).unwrap();
    let head = u32::from_be_bytes([entry[8], entry[9], entry[10], entry[11]]) as usize;
    content[head + 18..head + 20].copy_from_slice(&20u16.to_be_bytes());
    let font = Font::open(content.into()).unwrap();
    let size = |text: &str, size: f64, width: u32| {
        let text = sized(text, size);
        letterer().size(&Lettering { text: &text, frame: TextFrame::Width(width) }, &Face::Asset(&font))
    };
    assert!(matches!(size("M", 100.0, 100), Err(LetteringError::TooLarge { .. })), "{:?}", size("M", 100.0, 100));
    // A letter of two megapixels is not too large, and two hundred of them are too much.
    let stacked = "M".repeat(200);
    assert!(matches!(size(&stacked, 20.0, 8000), Err(LetteringError::TooMuch)), "{:?}", size(&stacked, 20.0, 8000));
}

#[test]
fn an_asset_s_font_is_used_where_it_is_named() {
    let font = Font::open(dejavu::serif::bold().into()).unwrap();
    let text = sized("Serif", 60.0);
    let lettering = Lettering { text: &text, frame: TextFrame::Natural };
    let face = Face::Asset(&font);
    let drawn = Drawn(letterer().draw(&lettering, &face).unwrap());
    assert_ne!(drawn.ink(), Drawn::of(text.clone(), TextFrame::Natural).ink());
    assert!(letterer().knows("Inter") && letterer().knows("DejaVu Sans") && !letterer().knows("No Such Font"));
}

#[test]
fn what_runs_through_its_layer_may_be_long_and_has_no_background() {
    let text = Text { background: Some([255, 0, 0]), ..sized(&"m".repeat(400), 40.0) };
    let draw = |frame| letterer().pixels(&Lettering { text: &text, frame }, &Face::Family("Inter"));
    assert!(matches!(draw(TextFrame::Natural), Err(LetteringError::TooLarge { .. })));
    let (pixels, width, _) = draw(TextFrame::Crawl).unwrap();
    assert!(width > 8192 && pixels[3] == 0, "{width}");
}
