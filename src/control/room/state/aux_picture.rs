//! A picture beside the program, as an output asks for it: a scene of the room, or a layout of the output's own. PURE.

use std::sync::Arc;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::scenes::{SceneName, Scenes};
use crate::{
    layout::{self, Canvas, Scene},
    media::port::AuxId,
};

/// The source of the layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuxSource {
    /// The room's scene of this name, as it is at the time.
    Scene(SceneName),
    /// This layout, as it was sent.
    Layout(Arc<Value>),
}

/// The picture that an output shows in place of the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuxWish {
    /// Source of the layout.
    pub source: AuxSource,
    /// Width and height of the canvas, where the layout does not say.
    pub size: Option<(u32, u32)>,
}

impl AuxWish {
    /// Names the picture. Equal wishes have equal names, and outputs of equal wishes share one picture.
    pub fn id(&self) -> AuxId {
        let size = self.size.map(|(width, height)| format!(" at {width}x{height}")).unwrap_or_default();
        AuxId(match &self.source {
            AuxSource::Scene(name) => format!("scene {name}{size}").into(),
            AuxSource::Layout(layout) => {
                let digest = Sha256::digest(layout.to_string());
                let short: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
                format!("layout {short}{size}").into()
            }
        })
    }

    /// Returns the key of the output that names it.
    pub const fn pointer(&self) -> &'static str {
        match self.source {
            AuxSource::Scene(_) => "/scene",
            AuxSource::Layout(_) => "/layout",
        }
    }

    /// Returns the layout as it is now; `None` where the room has no such scene.
    pub fn body(&self, scenes: &Scenes) -> Option<Value> {
        let mut body = match &self.source {
            AuxSource::Scene(name) => Value::clone(&scenes.get(name).ok()?.layout),
            AuxSource::Layout(layout) => Value::clone(layout),
        };
        if let (Some((width, height)), Some(members)) = (self.size, body.as_object_mut()) {
            let canvas = members.entry("canvas").or_insert_with(|| Value::Object(serde_json::Map::new()));
            // One that is no object is named when it is read.
            if let Some(canvas) = canvas.as_object_mut()
                && !canvas.contains_key("width")
                && !canvas.contains_key("height")
            {
                canvas.insert("width".to_owned(), width.into());
                canvas.insert("height".to_owned(), height.into());
            }
        }
        Some(body)
    }

    /// Returns the canvas of the picture in a room of this one. Nothing else of the layout is read.
    pub fn canvas(&self, scenes: &Scenes, room: &Canvas) -> Canvas {
        let layout = match &self.source {
            AuxSource::Scene(name) => scenes.get(name).ok().map(|stored| &stored.layout),
            AuxSource::Layout(layout) => Some(layout),
        };
        let own = layout.and_then(|layout| layout.get("canvas"));
        let says = |key| own.is_some_and(|own| own.get(key).is_some());
        let mut base = room.clone();
        if let Some(size) = self.size
            && !says("width")
            && !says("height")
        {
            (base.width, base.height) = size;
        }
        own.and_then(|own| layout::read_canvas(own, "", &base).ok()).unwrap_or(base)
    }

    /// Returns what the picture shows in a room of this canvas. What cannot be read, of a room that another program
    /// stored, is the default layout.
    pub fn read(&self, scenes: &Scenes, canvas: &Canvas) -> Scene {
        let read = self.body(scenes).and_then(|body| layout::read_kept(&body, canvas).ok());
        read.unwrap_or_else(|| Scene::default_for(canvas.clone()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;
    use crate::control::room::state::scenes::StoredScene;

    fn wish(source: AuxSource, size: Option<(u32, u32)>) -> AuxWish {
        AuxWish { source, size }
    }

    #[test]
    fn the_canvas_is_the_layouts_then_the_outputs_then_the_rooms() {
        let size = |layout: Value, size| {
            let wish = wish(AuxSource::Layout(Arc::new(layout)), size);
            let room = Canvas { fps: 25, ..Canvas::default() };
            let canvas = wish.read(&Scenes::default(), &room).canvas;
            assert_eq!(wish.canvas(&Scenes::default(), &room), canvas, "both ways");
            (canvas.width, canvas.height, canvas.fps)
        };
        let own = json!({"canvas": {"width": 1080, "height": 1920}});
        assert_eq!(size(own, Some((640, 360))), (1080, 1920, 25));
        assert_eq!(size(json!({}), Some((1080, 1920))), (1080, 1920, 25));
        assert_eq!(size(json!({"canvas": {"background": "#123456"}}), Some((1080, 1920))), (1080, 1920, 25));
        assert_eq!(size(json!({}), None), (1280, 720, 25));
    }

    #[test]
    fn a_scene_is_what_it_is_at_the_time() {
        let name = SceneName::parse("Tall").unwrap();
        let tall = wish(AuxSource::Scene(name.clone()), None);
        let mut scenes = Scenes::default();
        assert_eq!(tall.body(&scenes), None);
        let layout = Arc::new(json!({"canvas": {"width": 720, "height": 1280}}));
        scenes.put(StoredScene { name, layout }).unwrap();
        assert_eq!(tall.read(&scenes, &Canvas::default()).canvas.height, 1280);
        assert_eq!(tall.canvas(&scenes, &Canvas::default()).height, 1280);
    }

    #[test]
    fn equal_wishes_share_a_name_and_others_do_not() {
        let scene = |name: &str| AuxSource::Scene(SceneName::parse(name).unwrap());
        let layout = |fps: u32| AuxSource::Layout(Arc::new(json!({"canvas": {"fps": fps}})));
        assert_eq!(wish(layout(25), None).id(), wish(layout(25), None).id());
        let all = [
            wish(scene("a"), None),
            wish(scene("b"), None),
            wish(scene("a"), Some((640, 360))),
            wish(layout(25), None),
            wish(layout(30), None),
        ];
        let ids: std::collections::HashSet<_> = all.iter().map(AuxWish::id).collect();
        assert_eq!(ids.len(), all.len());
    }
}
