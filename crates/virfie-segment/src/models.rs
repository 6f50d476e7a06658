//! Models by name, for layers that choose their own: `embedded`, and the files of one folder.
//!
//! A model is loaded when it is first asked for, on a thread of its own: until then, and where it cannot be loaded,
//! the one who asked goes on with the process's model. It stays loaded as long as the process lives.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
    thread,
};

use parking_lot::Mutex;
use tracing::{info, warn};
use virfie_layout::ModelName;

use super::model::{EMBEDDED, Model, ModelSource};

/// The progress of a named model.
#[derive(Debug, Clone)]
enum Entry {
    Loading,
    Ready(Arc<Model>),
    /// The log has said it. It is asked for again when the folder is set again.
    Failed,
}

#[derive(Debug, Default)]
struct Models {
    folder: Option<PathBuf>,
    entries: HashMap<ModelName, Entry>,
}

static MODELS: LazyLock<Mutex<Models>> = LazyLock::new(Mutex::default);

/// Sets where the files are.
pub fn set_folder(folder: Option<PathBuf>) {
    let mut models = MODELS.lock();
    models.folder = folder;
    models.entries.retain(|_, entry| matches!(entry, Entry::Ready(_)));
}

/// Returns what can be asked for now: `embedded`, and the names of the folder's `*.onnx` without their ending, in
/// order.
pub fn names() -> Vec<String> {
    let folder = MODELS.lock().folder.clone();
    let mut names: Vec<String> = folder.iter().flat_map(|folder| files(folder)).collect();
    names.sort();
    names.dedup();
    names.insert(0, EMBEDDED.to_owned());
    names
}

fn files(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let files = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let models = files.filter(|file| file.extension().is_some_and(|extension| extension == "onnx") && file.is_file());
    let names = models.filter_map(|file| Some(file.file_stem()?.to_str()?.to_owned()));
    names.filter(|name| name != EMBEDDED && ModelName::new(name).is_some()).collect()
}

/// Returns a model, if it is loaded; if nobody has asked for it before, it is loaded from now on.
pub fn named(name: ModelName) -> Option<Arc<Model>> {
    let mut models = MODELS.lock();
    match models.entries.get(&name) {
        Some(Entry::Ready(model)) => return Some(model.clone()),
        Some(Entry::Loading | Entry::Failed) => return None,
        None => {}
    }
    let source = match (name.as_str(), &models.folder) {
        (EMBEDDED, _) => ModelSource::Embedded,
        (file, Some(folder)) => ModelSource::File(folder.join(format!("{file}.onnx"))),
        (_, None) => return None,
    };
    let loading = thread::Builder::new().name("model".into()).spawn(move || {
        let entry = match Model::from_source(&source) {
            Ok(model) => {
                info!(%source, "model loaded");
                Entry::Ready(model)
            }
            Err(error) => {
                warn!(%error, "a layer's model cannot be loaded; it shows what the rooms' model finds");
                Entry::Failed
            }
        };
        self::MODELS.lock().entries.insert(name, entry);
    });
    let entry = if loading.is_ok() { Entry::Loading } else { Entry::Failed };
    models.entries.insert(name, entry);
    None
}
