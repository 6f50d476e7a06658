//! The keys that an output may have, by its type. PURE.

use super::output::OutputDocument;
use crate::media::port::{AudioWish, OutputKind, VideoWish};

/// The keys of the types for which the room is encoded.
const ENCODED: [&str; 5] = ["/preset", "/video", "/audio", "/scene", "/layout"];

/// Names the keys that a type has, beside those of every type and [`ENCODED`].
const fn own(kind: OutputKind) -> &'static [&'static str] {
    match kind {
        OutputKind::Rtmp => &["/url", "/key"],
        OutputKind::Srt => &["/url"],
        OutputKind::Whip => &["/url", "/token"],
        OutputKind::Hls => &["/segment_seconds", "/window", "/segments"],
        OutputKind::File => &["/container", "/split", "/paused"],
        OutputKind::Iso => &["/cutouts"],
    }
}

impl OutputDocument {
    /// Returns the keys that are there, and that its type does not have.
    pub(super) fn stray_keys(&self) -> impl Iterator<Item = &'static str> {
        let kind = self.kind;
        let may = move |key| own(kind).contains(&key) || kind.is_encoded() && ENCODED.contains(&key);
        self.keys().into_iter().filter(move |(key, is_there)| *is_there && !may(*key)).map(|(key, _)| key)
    }

    /// Returns the keys that not every type has, and whether they are there. The pattern leaves nothing out, so that the
    /// compiler asks of a new key whether every type has it.
    fn keys(&self) -> [(&'static str, bool); 15] {
        let Self {
            kind: _,
            name: _,
            enabled: _,
            url,
            key,
            token,
            container,
            split,
            paused,
            cutouts,
            segment_seconds,
            window,
            segments,
            preset,
            video,
            audio,
            scene,
            layout,
        } = self;
        [
            ("/url", url.is_some()),
            ("/key", key.is_some()),
            ("/token", token.is_some()),
            ("/container", container.is_some()),
            ("/split", split.is_some()),
            ("/paused", *paused),
            ("/cutouts", *cutouts),
            ("/segment_seconds", segment_seconds.is_some()),
            ("/window", window.is_some()),
            ("/segments", segments.is_some()),
            ("/preset", preset.is_some()),
            ("/video", *video != VideoWish::default()),
            ("/audio", *audio != AudioWish::default()),
            ("/scene", scene.is_some()),
            ("/layout", layout.is_some()),
        ]
    }
}
