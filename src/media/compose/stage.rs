//! What is on the canvas: the picture in force, its images in the canvas's own format, and where everything goes.

use std::{sync::Arc, time::Duration};

use gstreamer_video::prelude::*;

use super::{
    canvas::{Geometry, LayerBlender},
    colour::{Matrix, rgba_to_i420},
    planes::{I420, Planes, PlanesMut, copy},
    slots::Slots,
};
use crate::{
    layout::{
        Background, Cut, Scene,
        solve::{Facts, Person, Placed, Placement, solve},
    },
    media::{
        gst::frame::{Shot, VideoFrame},
        port::{Image, ParticipantId, Picture},
    },
};

/// What the layers that show a participant need of their frames.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ask {
    /// Every mask that a layer uses, once.
    pub cuts: Vec<Cut>,
    /// Whether a layer shows the picture whole, too.
    pub whole: bool,
    /// Pixels of the canvas that the whole picture would cover, in the largest layer that cuts it out.
    pub pixels: u32,
}

impl Ask {
    /// Whether what was asked for before still does: the same masks, of about the same size.
    pub fn is_met_by(&self, before: &Self) -> bool {
        let (pixels, known) = (u64::from(self.pixels), u64::from(before.pixels));
        self.cuts == before.cuts && self.whole == before.whole && pixels * 4 <= known * 5 && known * 4 <= pixels * 5
    }
}

/// Composes frames of one picture after another. Pure but for the frames' mappings.
pub struct Stage {
    scene: Arc<Scene>,
    people: Vec<(ParticipantId, Arc<str>)>,
    images: Vec<Painted>,
    background: I420,
    can_cut: bool,
    shots: Vec<Option<Arc<Shot>>>,
    sizes: Vec<Option<(u32, u32)>>,
    placements: Option<Vec<Placement>>,
    asks: Vec<Ask>,
    blenders: Vec<LayerBlender>,
}

/// An image in the canvas's own format.
struct Painted {
    name: Arc<str>,
    /// What it was made of: the same pixels are not converted twice, others of the same name are.
    source: Arc<[u8]>,
    planes: I420,
}

impl std::fmt::Debug for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Stage({} people)", self.people.len())
    }
}

impl Stage {
    /// A stage that shows `picture`. `can_cut`: whether frames can come with masks.
    pub fn new(picture: Picture, can_cut: bool) -> Self {
        let mut stage = Self {
            scene: picture.scene.clone(),
            people: Vec::new(),
            images: Vec::new(),
            background: I420::new(2, 2, false),
            can_cut,
            shots: Vec::new(),
            sizes: Vec::new(),
            placements: None,
            asks: Vec::new(),
            blenders: Vec::new(),
        };
        stage.set(picture);
        stage
    }

    /// The canvas: width, height, frames a second.
    pub fn format(&self) -> (u32, u32, u32) {
        (self.scene.canvas.width, self.scene.canvas.height, self.scene.canvas.fps)
    }

    /// Shows another picture from the next frame on.
    pub fn set(&mut self, picture: Picture) {
        let old_images = std::mem::take(&mut self.images);
        self.images = picture
            .images
            .iter()
            .map(|image| {
                let kept = old_images.iter().find(|old| Arc::ptr_eq(&old.source, &image.rgba));
                let planes = kept.map_or_else(|| planes_of(image), |old| old.planes.clone());
                Painted { name: image.name.clone(), source: image.rgba.clone(), planes }
            })
            .collect();
        self.scene = picture.scene;
        self.people = picture.people.into_iter().map(|seat| (seat.participant, seat.name)).collect();
        self.background = self.paint_background();
        self.placements = None;
    }

    /// Whether this participant may be on the canvas.
    pub fn seats(&self, participant: &ParticipantId) -> bool {
        self.people.iter().any(|(seated, _)| seated == participant)
    }

    fn image(&self, name: &str) -> Option<&I420> {
        self.images.iter().find(|image| *image.name == *name).map(|image| &image.planes)
    }

    fn paint_background(&self) -> I420 {
        let canvas = &self.scene.canvas;
        let mut background = I420::new(canvas.width as usize, canvas.height as usize, false);
        let [y, u, v] = Matrix::Bt601.colour(match &canvas.background {
            Background::Color(rgb) => *rgb,
            Background::Image(_) => [0x11; 3],
        });
        background.fill(y, u, v);
        if let Background::Image(name) = &canvas.background
            && let Some(image) = self.image(name)
        {
            let geometry = cover(image, canvas.width, canvas.height);
            LayerBlender::new().blend(&mut background.planes_mut(), &image.planes(), &geometry, 255, true);
        }
        background
    }

    /// Takes the newest frames and places them anew if anything changed. Returns what the layers need of every person's
    /// frames.
    pub fn update(
        &mut self,
        slots: &Slots,
        now: Duration,
        hold: Duration,
    ) -> impl Iterator<Item = (&ParticipantId, &Ask)> {
        self.shots.clear();
        self.shots.extend(self.people.iter().map(|(participant, _)| slots.get(participant, now, hold)));
        let size = |shot: &Option<Arc<Shot>>| shot.as_ref().map(|shot| shot.size());
        if self.sizes.len() != self.shots.len()
            || self.shots.iter().zip(&self.sizes).any(|(shot, known)| size(shot) != *known)
        {
            self.sizes.clear();
            self.sizes.extend(self.shots.iter().map(size));
            self.placements = None;
        }
        if self.placements.is_none() {
            let placements = self.place();
            self.asks = (0..self.people.len()).map(|index| self.ask(&placements, index)).collect();
            self.placements = Some(placements);
        }
        self.people.iter().map(|(participant, _)| participant).zip(&self.asks)
    }

    /// What the layers of one person need.
    fn ask(&self, placements: &[Placement], person: usize) -> Ask {
        let mut ask = Ask::default();
        let Some(Some((width, height))) = self.sizes.get(person).copied() else { return ask };
        let own = placements.iter().filter(|one| matches!(one.source, Placed::Person(of) if of == person));
        for placement in own {
            let Some(cut) = placement.cut else {
                ask.whole = true;
                continue;
            };
            if !ask.cuts.contains(&cut) {
                ask.cuts.push(cut);
            }
            let across = placement.dst.width as f32 / placement.src.width.max(1.0) * width as f32;
            let down = placement.dst.height as f32 / placement.src.height.max(1.0) * height as f32;
            ask.pixels = ask.pixels.max((across * down) as u32);
        }
        ask
    }

    /// Of the masks that [`Stage::compose`] shows: how many, and how old the frames that the network saw for them are
    /// together.
    pub fn mask_ages(&self, now: Duration) -> (u32, Duration) {
        let shown = self.placements.iter().flatten().filter(|placement| placement.cut.is_some());
        let ages = shown.filter_map(|placement| {
            let Placed::Person(index) = placement.source else { return None };
            let inferred = self.shots.get(index)?.as_ref()?.found.as_ref()?.inferred?;
            Some(now.saturating_sub(inferred.into()))
        });
        ages.fold((0, Duration::ZERO), |(count, sum), age| (count + 1, sum + age))
    }

    fn place(&self) -> Vec<Placement> {
        let people: Vec<Person<'_>> =
            self.people.iter().zip(&self.sizes).map(|((_, name), size)| Person { name, size: *size }).collect();
        let image_size = |name: &str| self.image(name).map(|planes| (planes.width as u32, planes.height as u32));
        solve(&self.scene, &Facts { people: &people, image_size: &image_size, can_cut: self.can_cut })
    }

    /// Composes into a canvas of [`Stage::format`]'s size: what [`Stage::update`] saw last.
    pub fn compose(&mut self, canvas: &mut PlanesMut<'_>) {
        copy(canvas, &self.background.planes());
        let placements = self.placements.as_deref().unwrap_or_default();
        if self.blenders.len() < placements.len() {
            self.blenders.resize_with(placements.len(), LayerBlender::new);
        }
        for (placement, blender) in placements.iter().zip(&mut self.blenders) {
            let geometry = geometry_of(placement);
            let opacity = (placement.opacity.clamp(0.0, 1.0) * 255.0).round() as u8;
            match &placement.source {
                Placed::Person(index) => {
                    let Some(Some(shot)) = self.shots.get(*index) else { continue };
                    let Some(mut planes) = planes_of_frame(&shot.frame) else { continue };
                    if let Some(cut) = &placement.cut {
                        let mask = shot.found.as_ref().and_then(|found| found.mask(cut));
                        planes.alpha = mask.map(|mask| (mask.as_ref(), mask.stride())).or(planes.alpha);
                        // Somebody who is to be cut out is never shown with their room, not even for a frame.
                        if planes.alpha.is_none() {
                            continue;
                        }
                    }
                    blender.blend(canvas, &planes, &geometry, opacity, placement.cut.is_some());
                }
                Placed::Image(name) => {
                    if let Some(image) = self.images.iter().find(|image| *image.name == **name) {
                        blender.blend(canvas, &image.planes.planes(), &geometry, opacity, true);
                    }
                }
                Placed::Color(rgb) => {
                    let mut colour = I420::new(2, 2, false);
                    let [y, u, v] = Matrix::Bt601.colour(*rgb);
                    colour.fill(y, u, v);
                    let geometry = Geometry { src_x: 0.0, src_y: 0.0, src_width: 2.0, src_height: 2.0, ..geometry };
                    blender.blend(canvas, &colour.planes(), &geometry, opacity, false);
                }
            }
        }
    }
}

fn planes_of(image: &Image) -> I420 {
    rgba_to_i420(&image.rgba, image.width as usize, image.height as usize, Matrix::Bt601)
}

fn geometry_of(placement: &Placement) -> Geometry {
    Geometry {
        dst_x: placement.dst.x,
        dst_y: placement.dst.y,
        dst_width: placement.dst.width,
        dst_height: placement.dst.height,
        src_x: placement.src.x,
        src_y: placement.src.y,
        src_width: placement.src.width,
        src_height: placement.src.height,
        mirror: placement.mirror,
    }
}

/// The largest middle part of an image that fills the canvas.
fn cover(image: &I420, width: u32, height: u32) -> Geometry {
    let (from, to) = ((image.width as f32, image.height as f32), (width as f32, height as f32));
    let scale = (to.0 / from.0).max(to.1 / from.1);
    let (src_width, src_height) = ((to.0 / scale).min(from.0), (to.1 / scale).min(from.1));
    Geometry {
        dst_x: 0,
        dst_y: 0,
        dst_width: width as i32,
        dst_height: height as i32,
        src_x: (from.0 - src_width) / 2.0,
        src_y: (from.1 - src_height) / 2.0,
        src_width,
        src_height,
        mirror: false,
    }
}

fn planes_of_frame(frame: &VideoFrame) -> Option<Planes<'_>> {
    let stride = |index: usize| usize::try_from(frame.plane_stride()[index]).ok();
    Some(Planes {
        width: frame.info().width() as usize,
        height: frame.info().height() as usize,
        y: frame.plane_data(0).ok()?,
        y_stride: stride(0)?,
        u: frame.plane_data(1).ok()?,
        u_stride: stride(1)?,
        v: frame.plane_data(2).ok()?,
        v_stride: stride(2)?,
        alpha: if frame.n_planes() > 3 { Some((frame.plane_data(3).ok()?, stride(3)?)) } else { None },
    })
}
