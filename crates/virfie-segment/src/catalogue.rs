//! The models that can be fetched by name: BodyPix MobileNetV1 as Google publishes it for TensorFlow.js (Apache-2.0).
//! PURE.
//!
//! The publisher gives no checksums, and none is known to this program yet ([`Entry::sha256`] is `None` throughout).
//! The files of a first fetch are therefore trusted as far as TLS and the structure go (they must have exactly the
//! bytes that the manifest declares, and convert to a network that runs). Their SHA-256 is written beside the model,
//! and from then on nothing else is accepted under that name.

/// Address at which the entries' paths begin, if no mirror is named.
pub const BASE_URL: &str = "https://storage.googleapis.com/tfjs-models/savedmodel/bodypix";

/// A model that can be fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// `bodypix-mobilenet-<width>-<stride>`.
    pub name: &'static str,
    /// Path of its `model.json` below the base URL. The weight files lie beside it.
    pub path: &'static str,
    /// Width of the network in percent: 50, 75 or 100. Narrower is faster and coarser.
    pub width_percent: u32,
    /// Pixels of the network's input per value of its output: 8 or 16. 8 costs about three times as much.
    pub stride: u32,
    /// SHA-256 of the converted ONNX file in lower-case hex, where it is known. The conversion is deterministic, so
    /// this pins what was downloaded.
    pub sha256: Option<&'static str>,
}

/// All that can be fetched.
pub const ENTRIES: [Entry; 6] = [
    entry("bodypix-mobilenet-050-8", "mobilenet/float/050/model-stride8.json", 50, 8),
    entry("bodypix-mobilenet-050-16", "mobilenet/float/050/model-stride16.json", 50, 16),
    entry("bodypix-mobilenet-075-8", "mobilenet/float/075/model-stride8.json", 75, 8),
    entry("bodypix-mobilenet-075-16", "mobilenet/float/075/model-stride16.json", 75, 16),
    entry("bodypix-mobilenet-100-8", "mobilenet/float/100/model-stride8.json", 100, 8),
    entry("bodypix-mobilenet-100-16", "mobilenet/float/100/model-stride16.json", 100, 16),
];

const fn entry(name: &'static str, path: &'static str, width_percent: u32, stride: u32) -> Entry {
    Entry { name, path, width_percent, stride, sha256: None }
}

/// Finds the entry of a name.
pub fn find(name: &str) -> Option<&'static Entry> {
    ENTRIES.iter().find(|entry| entry.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_the_paths_say() {
        for entry in &ENTRIES {
            assert_eq!(entry.name, format!("bodypix-mobilenet-{:03}-{}", entry.width_percent, entry.stride));
            let path = format!("mobilenet/float/{:03}/model-stride{}.json", entry.width_percent, entry.stride);
            assert_eq!(entry.path, path);
            assert_eq!(find(entry.name), Some(entry));
        }
        assert_eq!(find("bodypix"), None);
    }
}
