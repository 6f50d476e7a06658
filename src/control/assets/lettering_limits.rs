//! The limits of a text's picture, and the reasons why one is not drawn. PURE.

/// Largest width and height of a text's picture, in pixels.
pub const MAX_SIDE: u32 = 8192;

/// Largest width of one that runs through its layer.
pub const MAX_CRAWL: u32 = 65_536;

/// Most pixels of a text's picture.
pub const MAX_PIXELS: u64 = 16_000_000;

/// Most pixels of all letters of a text, however often each is drawn: a thousand letters of the largest size that a text
/// may ask for. It bounds the time; of what fits into a picture, letters have far fewer.
pub const MAX_DRAWN: u64 = 256_000_000;

/// The reason why a text has no picture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LetteringError {
    /// It would be too large.
    #[error("the text is too large: {width} x {height} pixels; {} wide and high, with `crawl` {} wide, and {} megapixels are \
        possible", MAX_SIDE, MAX_CRAWL, MAX_PIXELS / 1_000_000)]
    TooLarge {
        /// In pixels.
        width: u64,
        /// In pixels.
        height: u64,
    },
    /// Its letters would be too many of too large a size, though they lie over each other.
    #[error("the text is too large: its letters have more than {} megapixels together", MAX_DRAWN / 1_000_000)]
    TooMuch,
    /// A mistake of a font, or of ours.
    #[error("the text cannot be drawn with this font")]
    Failed,
    /// A font that somebody sent is like a trap.
    #[error("the text cannot be drawn with this font: it takes too much memory or time")]
    BroughtDown,
    /// The system gives no process to use a font in that somebody sent: the server's fault.
    #[error("the server cannot use this font now")]
    NotNow,
}
