//! The faults that were logged of a room's texts, so that each is logged once.

use std::collections::HashMap;

use parking_lot::Mutex;

use crate::media::port::AuxId;

/// The faults that the log has of a room's pictures, `None` being the program: texts that cannot be drawn are tried again
/// with each change of their words.
#[derive(Debug, Default)]
pub(super) struct Warned(Mutex<HashMap<Option<AuxId>, Vec<Said>>>);

/// A place, and what is wrong there.
pub(super) type Said = (String, String);

/// Pictures that are remembered, at most: more than a room has outputs.
const MOST_WARNED: usize = 64;

impl Warned {
    /// Returns these faults, where they are others than the last ones.
    pub(super) fn news(&self, aux: Option<&AuxId>, faults: Vec<Said>) -> Vec<Said> {
        let mut said = self.0.lock();
        let key = aux.cloned();
        if faults.is_empty() {
            said.remove(&key);
            return faults;
        }
        if said.get(&key) == Some(&faults) {
            return Vec::new();
        }
        if said.len() >= MOST_WARNED {
            said.clear();
        }
        said.insert(key, faults.clone());
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_said_once_until_it_is_otherwise() {
        let warned = Warned::default();
        let fault = |detail: &str| vec![("/layers/0".to_owned(), detail.to_owned())];
        let is_said = |aux: Option<&AuxId>, faults: Vec<Said>| !warned.news(aux, faults).is_empty();
        assert!(is_said(None, fault("too large")) && !is_said(None, fault("too large")));
        let beside = AuxId("scene Tall".into());
        assert!(is_said(Some(&beside), fault("too large")), "of another picture");
        assert!(!is_said(None, fault("too large")));
        assert!(is_said(None, fault("no font")));
        assert!(!is_said(None, Vec::new()));
        assert!(is_said(None, fault("no font")), "it was right between");
    }
}
