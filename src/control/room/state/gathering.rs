//! The people and pictures that a layout is solved for, as the room knows them. PURE.

use std::{collections::HashMap, sync::Arc};

use crate::layout::{self, Facts, LayerBox, Person, Scene};

/// Somebody who may be shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Attendee {
    /// Unique in the room.
    pub name: Arc<str>,
    /// Of their picture; `None` while none comes.
    pub size: Option<(u32, u32)>,
}

/// Everybody who may be shown, and all pictures that are ready.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Gathering {
    /// In order of joining.
    pub people: Vec<Attendee>,
    /// Of them: who spoke, the last one first.
    pub speakers: Vec<usize>,
    /// Sizes by the names that [`Facts::image_size`] is asked for.
    pub pictures: HashMap<Arc<str>, (u32, u32)>,
    /// Whether people can be cut out.
    pub can_cut: bool,
}

impl Gathering {
    /// Returns where everything of a layout stands, back to front.
    pub fn boxes(&self, scene: &Scene) -> Vec<LayerBox> {
        let people: Vec<Person> = self.people.iter().map(|one| Person { name: &one.name, size: one.size }).collect();
        let image_size = |name: &str| self.pictures.get(name).copied();
        let facts = Facts { people: &people, speakers: &self.speakers, image_size: &image_size, can_cut: self.can_cut };
        layout::boxes(scene, &facts)
    }
}
