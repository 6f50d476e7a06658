//! The types of images that are taken, their limits, and the reasons why one is refused. PURE.

/// Largest width and height, in pixels.
pub const MAX_SIDE: u32 = 8192;

/// Most pixels: 160 MB once decoded.
pub const MAX_PIXELS: u64 = 40_000_000;

/// Most pictures of an animation.
pub const MAX_FRAMES: usize = 600;

/// The reason why content is no image that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// Another type of content.
    #[error("this is not a PNG, JPEG, WebP or GIF image")]
    UnknownType,
    /// It says of itself that it is too large; it was not decoded.
    #[error("the image is too large: at most {MAX_SIDE} pixels wide and high, and {} megapixels", MAX_PIXELS / 1_000_000)]
    TooManyPixels,
    /// It would take more memory than its pixels need.
    #[error("the image needs too much memory: its pictures, colour profile or texts are too large")]
    TooMuchMemory,
    /// It moves for too long.
    #[error("the animation is too long: at most {MAX_FRAMES} pictures, and {} megapixels of all together", MAX_PIXELS / 1_000_000)]
    TooLong,
    /// It is broken, or uses something rare.
    #[error("the image cannot be decoded: {0}")]
    Broken(String),
}

/// The types of images that are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureFormat {
    /// PNG, perhaps animated.
    Png,
    /// JPEG.
    Jpeg,
    /// WebP, perhaps animated.
    WebP,
    /// GIF, perhaps animated.
    Gif,
}

impl PictureFormat {
    /// Reads the format from the first bytes.
    pub fn sniff(content: &[u8]) -> Option<Self> {
        match content {
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Self::Png),
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::WebP),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Self::Gif),
            _ => None,
        }
    }

    /// Returns the media type.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::WebP => "image/webp",
            Self::Gif => "image/gif",
        }
    }
}
