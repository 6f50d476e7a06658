//! The stage of the canvas: the picture in force, and where everything goes.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use gstreamer_video::prelude::*;

use super::{
    backdrop::{Backdrop, Show},
    canvas::Geometry,
    colour::Matrix,
    crawl::{self, Crawls},
    effects::{Effects, Photo, View},
    follow::Followers,
    latest_frames::LatestFrames,
    layer_request::LayerRequest,
    painter::LayerPainter,
    planes::{I420, Planes, PlanesMut, copy},
    reel::Reel,
    trigger::{Firing, Standings, need_poses},
};
use crate::{
    layout::{
        Key, Lost, Scene,
        solve::{Facts, Person, Placed, Placement, motion::Motion, solve},
    },
    media::{
        gst::frame::{Shot, VideoFrame},
        port::{Image, ParticipantId, Pose, Seat, Still},
    },
};

/// Most people who have left who may fade out at once. Each keeps a frame from its decoder.
const MOST_PARTING: usize = 32;

/// The ages of the masks of one composed frame.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MaskAges {
    /// Number of people who are shown.
    pub shown: u32,
    /// All ages together.
    pub sum: Duration,
    /// The greatest.
    pub oldest: Duration,
}

/// Composes frames of one picture after another. Pure but for the frames' mappings.
pub struct Stage {
    scene: Arc<Scene>,
    people: Vec<(ParticipantId, Arc<str>)>,
    /// Of `people`: who spoke, the last one first.
    speakers: Vec<usize>,
    /// In the order of their names.
    images: Vec<Image>,
    begun: Vec<Begun>,
    crawls: Crawls,
    backdrop: Backdrop,
    reels: Vec<(Arc<str>, Arc<Reel>)>,
    can_cut: bool,
    shots: Vec<Option<Arc<Shot>>>,
    /// Last frames of those who are gone and fade out: people, in their order, whose frames have ended, and behind them
    /// those who have left.
    parting: Vec<Option<Arc<Shot>>>,
    sizes: Vec<Option<(u32, u32)>>,
    /// Whether the place of everything has to be found again.
    stale: bool,
    /// The scene by which it was found last: one that came and went since then was never shown.
    placed: Arc<Scene>,
    motion: Motion,
    followers: Followers,
    standings: Standings,
    effects: Effects,
    /// Of what is shown: whether it waits for a trigger.
    waiting: Vec<bool>,
    photos: Vec<Photo>,
    now: Duration,
    asks: Vec<LayerRequest>,
    painters: Vec<LayerPainter>,
    /// One pixel of colour.
    dot: I420,
}

/// An animation that is shown, which began with its first picture when it came.
struct Begun {
    /// Weak: on its last place it would be freed here, which takes time.
    still: Weak<Still>,
    at: Duration,
    is_shown: bool,
}

impl std::fmt::Debug for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Stage({} people)", self.people.len())
    }
}

impl Stage {
    /// Creates a stage that shows this. `can_cut`: whether frames can come with masks.
    pub fn new(show: Show, can_cut: bool) -> Self {
        let Show { picture, backdrop, reels } = show;
        Self {
            effects: Effects::new(&picture.scene.triggers),
            standings: Standings::default(),
            waiting: Vec::new(),
            photos: Vec::new(),
            placed: Arc::clone(&picture.scene),
            scene: picture.scene,
            speakers: indices(&picture.speakers, &picture.people),
            people: seated(picture.people),
            images: picture.images,
            begun: Vec::new(),
            crawls: Crawls::default(),
            backdrop,
            reels,
            can_cut,
            shots: Vec::new(),
            parting: Vec::new(),
            sizes: Vec::new(),
            stale: true,
            motion: Motion::default(),
            followers: Followers::default(),
            now: Duration::ZERO,
            asks: Vec::new(),
            painters: Vec::new(),
            dot: I420::new(2, 2, false),
        }
    }

    /// Returns the canvas: width, height, frames a second.
    pub fn format(&self) -> (u32, u32, u32) {
        (self.scene.canvas.width, self.scene.canvas.height, self.scene.canvas.fps)
    }

    /// Shows something else from the next frame on. Gives back what is not shown any more: freeing it takes time.
    pub fn set(&mut self, show: Show) -> Spent {
        let Show { picture, mut backdrop, reels } = show;
        backdrop.go_on(&self.backdrop);
        self.speakers = indices(&picture.speakers, &picture.people);
        let people = seated(picture.people);
        let places = self.reseat(&people, picture.scene.transition.duration_ms > 0);
        self.motion.renumber(|before| places.get(before).copied().flatten());
        self.people = people;
        self.stale = true;
        if self.scene.triggers != picture.scene.triggers {
            self.standings.change(&self.scene.triggers, &picture.scene.triggers);
            self.effects = Effects::new(&picture.scene.triggers);
        }
        let scene = std::mem::replace(&mut self.scene, picture.scene);
        Spent {
            _backdrop: std::mem::replace(&mut self.backdrop, backdrop),
            _reels: std::mem::replace(&mut self.reels, reels),
            _images: std::mem::replace(&mut self.images, picture.images),
            _scene: scene,
        }
    }

    /// Moves everybody's frames to their new places, and returns these by the old ones. Those who have left keep their
    /// last frame if they fade.
    fn reseat(&mut self, people: &[(ParticipantId, Arc<str>)], fades: bool) -> Vec<Option<usize>> {
        let mut shots = vec![None; people.len()];
        let mut parting = vec![None; people.len()];
        let known = self.people.len().max(self.parting.len());
        let mut reseat = |before: usize| {
            let seated = self.people.get(before).and_then(|(id, _)| people.iter().position(|(own, _)| own == id));
            let shot = self.shots.get_mut(before).and_then(Option::take);
            let last = self.parting.get_mut(before).and_then(Option::take);
            if let Some(index) = seated {
                (shots[index], parting[index]) = (shot, last);
                return seated;
            }
            let last = shot.or(last).filter(|_| fades && parting.len() < people.len() + MOST_PARTING)?;
            parting.push(Some(last));
            Some(parting.len() - 1)
        };
        let places = (0..known).map(&mut reseat).collect();
        (self.shots, self.parting) = (shots, parting);
        places
    }

    /// Returns whether this participant may be on the canvas.
    pub fn seats(&self, participant: &ParticipantId) -> bool {
        self.people.iter().any(|(seated, _)| seated == participant)
    }

    /// Takes the newest frames and places them again if anything changed. Returns what the layers need of every
    /// person's frames.
    pub fn update(
        &mut self,
        slots: &LatestFrames,
        now: Duration,
        hold: Duration,
    ) -> impl Iterator<Item = (&ParticipantId, &LayerRequest)> {
        let fades = self.scene.transition.duration_ms > 0;
        self.shots.resize_with(self.people.len(), || None);
        self.parting.resize_with(self.parting.len().max(self.people.len()), || None);
        for (index, (participant, _)) in self.people.iter().enumerate() {
            let newest = slots.get(participant, now, hold);
            let is_gone = newest.is_none();
            let before = std::mem::replace(&mut self.shots[index], newest);
            if !is_gone {
                self.parting[index] = None;
            } else if fades && before.is_some() {
                self.parting[index] = before;
            }
        }
        let size = |shot: &Option<Arc<Shot>>| shot.as_ref().map(|shot| shot.size());
        if self.sizes.len() != self.shots.len()
            || self.shots.iter().zip(&self.sizes).any(|(shot, known)| size(shot) != *known)
        {
            self.sizes.clear();
            self.sizes.extend(self.shots.iter().map(size));
            self.stale = true;
        }
        self.now = now;
        let mut changed = self.stale;
        if self.stale {
            let targets = self.place();
            let same = Arc::ptr_eq(&self.scene, &self.placed);
            let reworded = if same { Vec::new() } else { self.scene.reworded(&self.placed) };
            self.motion.set(targets, now, self.scene.transition, &reworded);
            self.placed = Arc::clone(&self.scene);
            self.stale = false;
        }
        let before = self.motion.len();
        self.motion.at(now);
        changed |= self.motion.len() != before;
        if changed {
            self.let_go();
            self.asks = (0..self.people.len()).map(|index| self.ask(index)).collect();
        }
        let (shots, canvas) = (&self.shots, (self.scene.canvas.width as f32, self.scene.canvas.height as f32));
        let pose = |person: usize| pose(shots, person);
        self.followers.place(self.motion.shown_mut(), canvas, now, pose);
        let triggers = &self.scene.triggers;
        self.waiting.clear();
        if !triggers.is_empty() {
            self.standings.update(triggers, self.motion.shown(), canvas, now, pose);
            let (scene, standings) = (&self.scene, &self.standings);
            let waits = |one: &Placement| matches!(&one.key, Key::Layer(id) if scene.is_shown_by_trigger(id) && !standings.show(triggers, id, now));
            self.waiting.extend(self.motion.shown().iter().map(waits));
        }
        self.begin_animations();
        let (shown, waiting) = (self.motion.shown().iter(), &self.waiting);
        let runs = shown.enumerate().filter(|(index, _)| waiting.get(*index) != Some(&true));
        self.crawls.run(runs.map(|(_, placement)| placement), now);
        self.people.iter().map(|(participant, _)| participant).zip(&self.asks)
    }

    /// Begins animations that are shown from now on, and forgets those that are not shown any more.
    fn begin_animations(&mut self) {
        self.begun.iter_mut().for_each(|begun| begun.is_shown = false);
        for (index, placement) in self.motion.shown().iter().enumerate() {
            let names = match &placement.source {
                Placed::Image(name) => std::slice::from_ref(name),
                Placed::Images(images) => &images.names,
                _ => continue,
            };
            if self.waiting.get(index) == Some(&true) {
                continue;
            }
            for still in names.iter().filter_map(|name| image(&self.images, name)).filter(|still| still.is_animated()) {
                match self.begun.iter_mut().find(|begun| begun.still.as_ptr() == Arc::as_ptr(still)) {
                    Some(begun) => begun.is_shown = true,
                    None => {
                        self.begun.push(Begun { still: Arc::downgrade(still), at: self.now, is_shown: true });
                    }
                }
            }
        }
        self.begun.retain(|begun| begun.is_shown);
    }

    /// Drops last frames that have faded out.
    fn let_go(&mut self) {
        let shown = self.motion.shown();
        for (index, last) in self.parting.iter_mut().enumerate() {
            if last.is_some() && !shown.iter().any(|one| matches!(one.source, Placed::Person(of) if of == index)) {
                *last = None;
            }
        }
        while self.parting.len() > self.people.len() && self.parting.last().is_some_and(Option::is_none) {
            self.parting.pop();
        }
    }

    /// Returns what the layers of one person need.
    fn ask(&self, person: usize) -> LayerRequest {
        let mut ask = LayerRequest::default();
        let Some(Some((width, height))) = self.sizes.get(person).copied() else { return ask };
        let mut largest = (0, 0);
        let shown = self.motion.shown();
        let followed = |key: &Key| {
            let id = |key: &Key, id: &str| matches!(key, Key::Layer(own) if own == id);
            shown.iter().any(|one| one.following.as_ref().is_some_and(|follow| id(key, &follow.layer)))
        };
        // By where they belong: on their way they need no other masks.
        let own = self.motion.targets().filter(|one| matches!(one.source, Placed::Person(of) if of == person));
        for placement in own {
            ask.poses |= followed(&placement.key) || need_poses(&self.scene.triggers, &placement.key);
            ask.whole |= placement.cut.is_none() || placement.look.blur.is_some();
            let across = placement.dst.width as f32 / placement.src.width.max(1.0) * width as f32;
            let down = placement.dst.height as f32 / placement.src.height.max(1.0) * height as f32;
            if across * down > largest.0 as f32 * largest.1 as f32 {
                largest = (across as u32, down as u32);
            }
            let Some(cut) = placement.cut else { continue };
            if !ask.cuts.contains(&cut) {
                ask.cuts.push(cut);
            }
            ask.pixels = ask.pixels.max((across * down) as u32);
        }
        ask.shown = Some(largest);
        ask
    }

    /// Returns, of the masks that [`Stage::compose`] shows, how old the frames are that the network saw for them.
    pub fn mask_ages(&self, now: Duration) -> MaskAges {
        let shown = self.motion.shown().iter().filter(|placement| placement.cut.is_some());
        let ages = shown.filter_map(|placement| {
            let Placed::Person(index) = placement.source else { return None };
            let inferred = self.shots.get(index)?.as_ref()?.found.as_ref()?.inferred?;
            Some(now.saturating_sub(inferred.into()))
        });
        ages.fold(MaskAges::default(), |all, age| MaskAges {
            shown: all.shown + 1,
            sum: all.sum + age,
            oldest: all.oldest.max(age),
        })
    }

    fn place(&self) -> Vec<Placement> {
        let people: Vec<Person<'_>> =
            self.people.iter().zip(&self.sizes).map(|((_, name), size)| Person { name, size: *size }).collect();
        let image_size = |name: &str| image(&self.images, name).map(|still| still.size());
        let facts = Facts { people: &people, speakers: &self.speakers, image_size: &image_size, can_cut: self.can_cut };
        solve(&self.scene, &facts)
    }

    /// Composes into a canvas of [`Stage::format`]'s size: what [`Stage::update`] saw last.
    pub fn compose(&mut self, canvas: &mut PlanesMut<'_>) {
        self.compose_step_by_step(canvas, || {});
    }

    /// Does the same, and calls `drawn` before each layer: many large ones take long.
    pub fn compose_step_by_step(&mut self, canvas: &mut PlanesMut<'_>, drawn: impl Fn()) {
        self.backdrop.draw(canvas, self.now);
        let placements = self.motion.shown();
        // As many as are shown, or none where nothing waits for a trigger.
        let mut waiting = self.waiting.iter().copied().chain(std::iter::repeat(false));
        if self.painters.len() < placements.len() {
            self.painters.resize_with(placements.len(), LayerPainter::default);
        }
        for (placement, painter) in placements.iter().zip(&mut self.painters) {
            drawn();
            if waiting.next() == Some(true) {
                continue;
            }
            let geometry = geometry_of(placement);
            match &placement.source {
                Placed::Person(index) => {
                    let newest = self.shots.get(*index).and_then(Option::as_ref);
                    let last = || self.parting.get(*index).and_then(Option::as_ref);
                    let Some(shot) = newest.or_else(last) else { continue };
                    let Some(mut planes) = planes_of_frame(&shot.frame) else { continue };
                    match placement.look.lost {
                        Lost::Whole if shot.is_lost => {
                            painter.paint(canvas, &planes, &geometry, placement, false);
                            continue;
                        }
                        Lost::Blur if shot.is_lost => {
                            painter.paint_blurred(canvas, &planes, &geometry, placement);
                            continue;
                        }
                        _ => {}
                    }
                    if let Some(cut) = &placement.cut {
                        let mask = shot.found.as_ref().and_then(|found| found.mask(cut));
                        planes.alpha = mask.map(|mask| (mask.as_ref(), mask.stride())).or(planes.alpha);
                        // Somebody who is to be cut out is never shown with their room, not even for a frame.
                        if planes.alpha.is_none() {
                            continue;
                        }
                    }
                    painter.paint(canvas, &planes, &geometry, placement, placement.cut.is_some());
                }
                Placed::Image(name) => {
                    if let Some(still) = image(&self.images, name) {
                        let (picture, geometry) = still.at(since(&self.begun, still, self.now), geometry);
                        painter.paint(canvas, &picture.planes(), &geometry, placement, true);
                    }
                }
                Placed::Crawl(text) => {
                    if let Some(rgb) = text.ground {
                        paint_dot(&mut self.dot, rgb, painter, canvas, placement);
                    }
                    let Some(still) = image(&self.images, &text.name) else { continue };
                    let gone = self.crawls.gone(&placement.key);
                    if let Some((seen, geometry)) = crawl::part(&still.whole().planes(), placement.dst, gone) {
                        painter.paint(canvas, &seen, &geometry, placement, true);
                    }
                }
                Placed::Images(images) => {
                    let turn = self.now.as_millis() / u128::from(images.interval_ms.max(1));
                    let index = (turn % images.names.len().max(1) as u128) as usize;
                    let find = |name: Option<&String>| image(&self.images, name?);
                    if let (Some(first), Some(still)) = (find(images.names.first()), find(images.names.get(index))) {
                        let geometry = of_another_size(geometry, first.size(), still.size());
                        let (picture, geometry) = still.at(since(&self.begun, still, self.now), geometry);
                        painter.paint(canvas, &picture.planes(), &geometry, placement, true);
                    }
                }
                Placed::Clip(name) => {
                    let Some(poster) = image(&self.images, name) else { continue };
                    let reel = self.reels.iter().find(|(own, _)| **own == **name);
                    let shot = reel.and_then(|(_, reel)| reel.at(self.now));
                    if let Some(planes) = shot.as_ref().and_then(|shot| planes_of_frame(&shot.frame)) {
                        let size = (planes.width as u32, planes.height as u32);
                        let geometry = of_another_size(geometry, poster.size(), size);
                        painter.paint(canvas, &planes, &geometry, placement, true);
                    } else {
                        let (picture, geometry) = poster.at(self.now, geometry);
                        painter.paint(canvas, &picture.planes(), &geometry, placement, true);
                    }
                }
                Placed::Color(rgb) => {
                    paint_dot(&mut self.dot, *rgb, painter, canvas, placement);
                }
            }
        }
        self.draw_effects(canvas);
    }

    fn draw_effects(&mut self, canvas: &mut PlanesMut<'_>) {
        if self.effects.is_empty() {
            return;
        }
        let (shots, images) = (&self.shots, &self.images);
        let view = View {
            standings: &self.standings,
            placements: self.motion.shown(),
            image: &|name| image(images, name).map(|still| &**still),
            pose: &|person| pose(shots, person),
            now: self.now,
        };
        self.effects.draw(canvas, &view, &mut self.photos);
    }

    /// Returns those that fired with the last update: triggers of the layout, and indices of the people whom
    /// [`Stage::update`] names.
    pub fn firings(&self) -> &[Firing] {
        self.standings.firings()
    }

    /// Returns the layout.
    pub fn scene(&self) -> &Scene {
        &self.scene
    }

    /// Returns who this is.
    pub fn participant(&self, person: usize) -> Option<&ParticipantId> {
        self.people.get(person).map(|(participant, _)| participant)
    }

    /// Returns the pictures that triggers took since the last call.
    pub fn take_photos(&mut self) -> impl Iterator<Item = Photo> {
        self.photos.drain(..)
    }
}

/// Takes what is not shown any more, for a caller that has the time to free it.
#[derive(Debug)]
pub struct Spent {
    _backdrop: Backdrop,
    _reels: Vec<(Arc<str>, Arc<Reel>)>,
    _images: Vec<Image>,
    _scene: Arc<Scene>,
}

/// Fills a layer with a colour.
fn paint_dot(
    dot: &mut I420,
    rgb: [u8; 3],
    painter: &mut LayerPainter,
    canvas: &mut PlanesMut<'_>,
    placement: &Placement,
) {
    let [y, u, v] = Matrix::Bt601.colour(rgb);
    dot.fill(y, u, v);
    let own = Geometry { src_x: 0.0, src_y: 0.0, src_width: 2.0, src_height: 2.0, ..geometry_of(placement) };
    painter.paint(canvas, &dot.planes(), &own, placement, false);
}

/// Returns where in `people` these are.
fn indices(these: &[ParticipantId], people: &[Seat]) -> Vec<usize> {
    these.iter().filter_map(|one| people.iter().position(|seat| seat.participant == *one)).collect()
}

fn seated(people: Vec<Seat>) -> Vec<(ParticipantId, Arc<str>)> {
    people.into_iter().map(|seat| (seat.participant, seat.name)).collect()
}

/// Returns a person's surest pose, and the size of the frame that it was found in.
fn pose(shots: &[Option<Arc<Shot>>], person: usize) -> Option<(Pose, (u32, u32))> {
    let shot = shots.get(person)?.as_ref()?;
    Some((*shot.found.as_ref()?.poses.as_ref()?.first()?, shot.size()))
}

/// Returns the image of this name, of those in the order of their names.
fn image<'a>(images: &'a [Image], name: &str) -> Option<&'a Arc<Still>> {
    let index = images.binary_search_by(|image| (*image.name).cmp(name)).ok()?;
    Some(&images[index].still)
}

/// Returns for how long an image has been shown.
fn since(begun: &[Begun], still: &Arc<Still>, now: Duration) -> Duration {
    let begun = begun.iter().find(|begun| begun.still.as_ptr() == Arc::as_ptr(still));
    begun.map_or(Duration::ZERO, |begun| now.saturating_sub(begun.at))
}

/// Returns the same part of an image of another size.
fn of_another_size(geometry: Geometry, from: (u32, u32), to: (u32, u32)) -> Geometry {
    let (x, y) = (to.0 as f32 / from.0.max(1) as f32, to.1 as f32 / from.1.max(1) as f32);
    Geometry {
        src_x: geometry.src_x * x,
        src_y: geometry.src_y * y,
        src_width: geometry.src_width * x,
        src_height: geometry.src_height * y,
        ..geometry
    }
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

/// Returns a frame's picture, apart from its buffer; `None` where the buffer holds no picture.
pub fn copy_of(frame: &VideoFrame) -> Option<I420> {
    let planes = planes_of_frame(frame).filter(|planes| planes.is_whole() && planes.width > 0 && planes.height > 0)?;
    let mut picture = I420::new(planes.width, planes.height, planes.alpha.is_some());
    copy(&mut picture.planes_mut(), &planes);
    if let (Some(from), Some(to)) = (planes.alpha(), picture.alpha_mut()) {
        for (y, row) in to.chunks_exact_mut(planes.width).enumerate() {
            row.copy_from_slice(from.row(y));
        }
    }
    Some(picture)
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
