//! The assets that the paths of a scenario file stand for.
//!
//! A path below `/static/` becomes an asset by its file name, with `-` for what asset names cannot have:
//! `scenarios/3. club virfie/images/Club Virfie Bar Beer Glass.png` is `Club-Virfie-Bar-Beer-Glass.png`. Of two files
//! of one name the second one has its folder in front, `cheers-1.png`, and a number where that is not enough.

use std::collections::{HashMap, HashSet};

use super::file::Node;
use crate::limits;

/// The asset of this name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asset {
    /// An image of this width and height in pixels.
    Image(u32, u32),
    /// A sound.
    Sound,
}

/// A file that a scenario names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Its path below `/static/`.
    pub path: String,
    /// The asset's name.
    pub name: String,
}

/// All files that a scenario names, in order, each once.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Files {
    list: Vec<Named>,
    places: HashMap<String, usize>,
}

impl Files {
    /// Returns those of this scenario.
    pub fn of(file: &Node) -> Self {
        let mut files = Self::default();
        let mut taken = HashSet::new();
        for (_, scene) in file.get("scenes").map_or_else(Vec::new, Node::values) {
            for key in ["background", "overlays"] {
                let Some(found) = scene.get(key) else { continue };
                let holders = if key == "background" { vec![(String::new(), found)] } else { found.values() };
                for (_, path) in holders.iter().filter_map(|(_, holder)| holder.get("files")).flat_map(Node::values) {
                    files.add(path, &mut taken);
                }
            }
            if let Some(audio) = scene.get("audio") {
                files.add(audio, &mut taken);
            }
            let actions = scene.get("triggers").map_or_else(Vec::new, Node::values).into_iter();
            let actions = actions.filter_map(|(_, trigger)| trigger.get("actions")).flat_map(Node::values);
            for (_, action) in actions {
                if let Some(sound) = action.get("params").and_then(|params| params.get("shutter_sound")) {
                    files.add(sound, &mut taken);
                }
            }
        }
        files
    }

    /// Returns them in order.
    pub fn iter(&self) -> impl Iterator<Item = &Named> {
        self.list.iter()
    }

    /// Returns the one of this path, as the scenario writes it.
    pub fn get(&self, path: &str) -> Option<&Named> {
        self.places.get(below(path)).map(|place| &self.list[*place])
    }

    fn add(&mut self, path: &Node, taken: &mut HashSet<String>) {
        let Some(path) = path.text().map(below).filter(|path| !path.is_empty()) else { return };
        if self.places.contains_key(path) {
            return;
        }
        let name = free_name(path, taken);
        taken.insert(name.clone());
        self.places.insert(path.to_owned(), self.list.len());
        self.list.push(Named { path: path.to_owned(), name });
    }
}

/// Returns the path below `/static/`.
fn below(path: &str) -> &str {
    let path = path.trim_start_matches('/');
    path.strip_prefix("static/").unwrap_or(path)
}

fn free_name(path: &str, taken: &HashSet<String>) -> String {
    let mut parts = path.rsplit('/');
    let file = clean(parts.next().unwrap_or_default());
    let folder = parts.next().map(clean).filter(|folder| !folder.is_empty());
    let longer = folder.map(|folder| with_prefix(&format!("{folder}-"), &file));
    let plain = [Some(file.clone()), longer].into_iter().flatten().find(|name| !taken.contains(name));
    plain.unwrap_or_else(|| {
        let numbered = (2u64..).map(|number| with_prefix(&format!("{number}-"), &file));
        numbered.into_iter().find(|name| !taken.contains(name)).expect("there is always a number that is free")
    })
}

/// Returns a longer name, by which files of the same name differ.
fn with_prefix(prefix: &str, file: &str) -> String {
    // Of the front as much as leaves half of the room to the file's own end.
    let prefix = &prefix[prefix.len().saturating_sub(limits::ASSET_LENGTH / 2)..];
    let prefix = prefix.trim_start_matches(['.', '-']);
    let rest = &file[file.len().saturating_sub(limits::ASSET_LENGTH - prefix.len())..];
    format!("{prefix}{rest}")
}

/// Returns it with `-` for each run of what an asset's name cannot have.
fn clean(text: &str) -> String {
    let mut name = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_ascii_alphanumeric() || matches!(c, '.' | '_') => name.push(c),
            _ if name.ends_with('-') => {}
            _ => name.push('-'),
        }
    }
    let name = shortened(name.trim_start_matches(['.', '-']));
    if name.is_empty() { "asset".to_owned() } else { name }
}

/// Returns the end of it: a type stands there. Of ASCII only.
fn shortened(name: &str) -> String {
    let name = &name[name.len().saturating_sub(limits::ASSET_LENGTH)..];
    name.trim_start_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn names(files: &[&str]) -> Vec<String> {
        let list = serde_json::json!({"scenes": [{"overlays": [{"files": files}]}]});
        let files = Files::of(&Node::parse(&list.to_string()).unwrap());
        files.iter().map(|named| named.name.clone()).collect()
    }

    #[test]
    fn a_file_is_called_by_its_own_name() {
        assert_eq!(
            names(&["scenarios/3. club virfie/images/Club Virfie Bar Beer Glass.png", "/static/a/camera-01.mp3"]),
            ["Club-Virfie-Bar-Beer-Glass.png", "camera-01.mp3"]
        );
        assert_eq!(
            names(&["a/1.png", "cheers/1.png", "x/cheers/1.png", "y/cheers/1.png", "/static/a/1.png"]),
            ["1.png", "cheers-1.png", "2-1.png", "3-1.png"]
        );
        let long = "x".repeat(128);
        let files = [format!("a/{long}"), format!("b/{long}"), format!("c/b/{long}"), format!("{long}/{long}")];
        let long = names(&files.each_ref().map(String::as_str));
        for (index, name) in long.iter().enumerate() {
            assert!(limits::is_asset(name) && !long[..index].contains(name), "{name} in {long:?}");
        }
        for odd in ["../..", "日本.png", ".hidden", "a/", "-", &"x".repeat(500), "C:\\dir\\a b.png"] {
            let name = &names(&[odd])[0];
            assert!(limits::is_asset(name), "{odd:?} becomes {name:?}");
        }
    }

    #[test]
    fn every_place_that_names_a_file_is_looked_at() {
        let scenario = serde_json::json!({"scenes": [{
            "audio": "/static/m.mp3",
            "background": {"name": "b", "files": ["b.jpg", 7]},
            "overlays": [{"name": "o", "files": ["o.png", "b.jpg"]}],
            "triggers": {"t": {"actions": {"a": {"params": {"shutter_sound": "/static/s.mp3"}}}}}
        }, {"audio": ""}, 3]});
        let files = Files::of(&Node::parse(&scenario.to_string()).unwrap());
        let paths: Vec<&str> = files.iter().map(|named| named.path.as_str()).collect();
        assert_eq!(paths, ["b.jpg", "o.png", "m.mp3", "s.mp3"]);
        assert_eq!(files.get("/static/m.mp3").unwrap().name, "m.mp3");
        assert!(files.get("x").is_none());
    }
}
