//! One stream's way from frame to masks and poses, for every caller.

use std::{sync::Arc, time::Duration};

use virfie_layout::Cut;

use super::{
    doubt::{SOMEBODY, View},
    grid::Grid,
    input::Yuv,
    mask::{MaskMaker, MaskOptions},
    model::{AREA, HeadRequest, Heads, Model, ModelError, Session},
    models, parts,
    pose::{MAX_POSES, Pose, PoseDecoder},
    spill::{Despill, YuvMut},
    window::{Bounds, Look, Region, Window},
};
use crate::gst::segmented::{Plane, Shelf};

/// The request for what is to be found in a stream's frames.
#[derive(Debug, Clone, PartialEq)]
pub struct MaskRequest {
    /// A mask for each; none: frames pass as they are.
    pub cuts: Vec<Cut>,
    /// Whether the old background's colours are taken out of the first mask's edge. Not for pictures that are shown
    /// whole, too.
    pub despill: bool,
    /// The poses of up to five people.
    pub poses: bool,
    /// Pixels of the network's input.
    pub area: usize,
    /// Pixels of the canvas that the picture is shown with.
    pub shown: u32,
}

impl Default for MaskRequest {
    /// Asks for nothing.
    fn default() -> Self {
        Self { cuts: Vec::new(), despill: true, poses: false, area: AREA, shown: 0 }
    }
}

impl MaskRequest {
    /// Returns whether frames pass untouched.
    pub fn is_empty(&self) -> bool {
        self.cuts.is_empty() && !self.poses
    }
}

/// Returns how a mask looks, for the mask pipeline.
pub fn options(cut: &Cut) -> MaskOptions {
    MaskOptions { threshold: cut.threshold, feather: cut.feather, smoothing: cut.smoothing }
}

/// Logit from which on the network is sure enough to look at the whole frame again: 0.73.
const SURE: f32 = 1.0;

/// One mask's memory of the frames before.
#[derive(Debug, Default)]
struct Maker {
    cut: Cut,
    maker: MaskMaker,
    /// Of body parts, which may be out of the picture while the person is in it: the share of the network's grid that
    /// is a person.
    person: Option<f32>,
}

/// A mask for each wish.
pub type Masks = Vec<(Cut, Arc<Plane>)>;

/// The outcome of a frame.
#[derive(Debug, Default)]
pub struct Outcome {
    /// A mask for each wish.
    pub masks: Masks,
    /// The frame without the old background's colours at the first mask's edge: luma, Cb and Cr without padding, one
    /// behind the other.
    pub colours: Option<Arc<Plane>>,
    /// The largest share of the frame that is a person by one of the masks, 0.0..=1.0; `None` without masks.
    pub kept: Option<f32>,
    /// Poses, if wished for.
    pub poses: Option<Arc<[Pose]>>,
    /// Whether the network saw this very frame.
    pub seen: bool,
    /// Whether masks and poses are of what it saw there, and not carried along: after a glance they are.
    pub fresh: bool,
}

/// See the module.
#[derive(Debug)]
pub struct Stream {
    model: Arc<Model>,
    /// One for each model that a mask is wished of, and the stream's own first where it is needed.
    sessions: Vec<Session>,
    makers: Vec<Maker>,
    logits: Vec<f32>,
    decoder: PoseDecoder,
    poses: Vec<Pose>,
    told: Option<Arc<[Pose]>>,
    since: u32,
    window: Window,
    despill: Despill,
    shelf: Arc<Shelf>,
    /// Of whole pictures, which are larger than masks.
    pictures: Arc<Shelf>,
}

impl Stream {
    /// Creates a stream of frames of any size.
    pub fn new(model: Arc<Model>) -> Self {
        Self {
            model,
            sessions: Vec::new(),
            makers: Vec::new(),
            logits: Vec::new(),
            decoder: PoseDecoder::default(),
            poses: Vec::with_capacity(MAX_POSES),
            told: None,
            since: 0,
            window: Window::default(),
            despill: Despill::default(),
            shelf: Arc::default(),
            pictures: Arc::default(),
        }
    }

    /// Forgets the masks and poses of the frames before: those of the next one stand for themselves. What was said of people
    /// who were doubtful stays for now: frames of another size mostly show the same ones.
    pub fn reset(&mut self) {
        self.since = 0;
        self.told = None;
        self.window.reset();
        self.makers.iter_mut().for_each(|one| one.maker.reset());
    }

    /// Segments the frame of this time. The network runs on one of `every` frames; the masks of the others are the last
    /// ones, carried along with the picture.
    ///
    /// # Errors
    /// When the model cannot do what is wished for, or fails.
    pub fn frame(
        &mut self,
        frame: &Yuv<'_>,
        wish: &MaskRequest,
        every: u32,
        now: Duration,
    ) -> Result<Outcome, ModelError> {
        self.since += 1;
        if self.since < every
            && let Some(outcome) = self.carried(frame, wish)
        {
            return Ok(outcome);
        }
        self.since = 0;
        self.inferred(frame, wish, now)
    }

    /// Returns whether frames of this size (width, height) can have what is wished for without the network.
    pub fn can_carry(&self, size: (usize, usize), wish: &MaskRequest) -> bool {
        self.sessions.first().is_some_and(|session| session.frame() == size)
            && wish.cuts.len() == self.makers.len()
            && wish.cuts.iter().zip(&self.makers).all(|(cut, own)| alike(cut, &own.cut) && own.maker.can_carry(size))
            && (!wish.poses || self.told.is_some())
    }

    /// Returns the frame with the last masks, carried along; `None` where no mask fits. Every frame must come here or
    /// to [`Stream::inferred`]: movement is found between neighbours.
    pub fn carried(&mut self, frame: &Yuv<'_>, wish: &MaskRequest) -> Option<Outcome> {
        if !self.can_carry((frame.width, frame.height), wish) {
            return None;
        }
        self.window.step((frame.width, frame.height));
        let masks = self.carry(frame, wish)?;
        let (poses, colours) = (self.told.clone().filter(|_| wish.poses), self.colours(frame, wish, &masks));
        Some(Outcome { masks, colours, kept: self.kept(), poses, seen: false, fresh: false })
    }

    /// Returns the frame of this time with what the network finds in it.
    ///
    /// # Errors
    /// As [`Stream::frame`].
    pub fn inferred(&mut self, frame: &Yuv<'_>, wish: &MaskRequest, now: Duration) -> Result<Outcome, ModelError> {
        let (masks, fresh) = self.infer(frame, wish, now)?;
        let colours = self.colours(frame, wish, &masks);
        Ok(Outcome {
            masks,
            colours,
            kept: self.kept(),
            poses: self.told.clone().filter(|_| wish.poses),
            seen: true,
            fresh,
        })
    }

    /// Returns the largest share of the last frame that is a person by one of the masks; `None` without masks.
    fn kept(&self) -> Option<f32> {
        self.makers.iter().map(|own| own.person.unwrap_or_else(|| own.maker.kept())).reduce(f32::max)
    }

    /// Returns the frame's colours without the old background's at the edge.
    fn colours(&mut self, frame: &Yuv<'_>, wish: &MaskRequest, masks: &[(Cut, Arc<Plane>)]) -> Option<Arc<Plane>> {
        let (_, alpha) = masks.first().filter(|_| wish.despill)?;
        let (width, height) = (frame.width, frame.height);
        let (columns, rows) = (width.div_ceil(2), height.div_ceil(2));
        let mut picture = self.pictures.plane((width * height + 2 * columns * rows, 1));
        let (y, chroma) = picture.bytes_mut().split_at_mut(width * height);
        let (u, v) = chroma.split_at_mut(columns * rows);
        copy(frame.y, width, y);
        copy(frame.u, columns, u);
        copy(frame.v, columns, v);
        let planes = YuvMut { y: (y, width), u: (u, columns), v: (v, columns) };
        self.despill.clean(frame, ((**alpha).as_ref(), alpha.stride()), planes);
        Some(Arc::new(picture))
    }

    /// Returns masks without the network, if all of them are available.
    fn carry(&mut self, frame: &Yuv<'_>, wish: &MaskRequest) -> Option<Masks> {
        let mut masks = Vec::with_capacity(wish.cuts.len());
        for (cut, own) in wish.cuts.iter().zip(&mut self.makers) {
            let mut plane = self.shelf.plane((frame.width, frame.height));
            let stride = plane.stride();
            if !own.maker.carry(frame, options(cut), plane.bytes_mut(), stride) {
                return None;
            }
            masks.push((*cut, Arc::new(plane)));
        }
        Some(masks)
    }

    /// Returns the masks of a frame that the network sees, and whether they are of what it saw; its poses are kept then.
    fn infer(&mut self, frame: &Yuv<'_>, wish: &MaskRequest, now: Duration) -> Result<(Masks, bool), ModelError> {
        let size = (frame.width, frame.height);
        let chosen: Vec<Arc<Model>> = wish.cuts.iter().map(|cut| self.chosen(cut)).collect();
        self.prepare(size, wish, &chosen)?;
        // A mask that is wished for again starts without memory; those that stay keep theirs, in the wishes' order.
        for (index, cut) in wish.cuts.iter().enumerate() {
            match self.makers.iter().skip(index).position(|own| alike(&own.cut, cut)) {
                Some(ahead) => self.makers.swap(index, index + ahead),
                None => self.makers.insert(index, Maker { cut: *cut, ..Maker::default() }),
            }
        }
        self.makers.truncate(wish.cuts.len());
        let look = self.look(size, wish);
        let region = match look {
            Look::Part(region) => region,
            Look::Whole | Look::Glance(_) => Region::whole(size),
        };
        let view = View { frame: size, region, now, glance: matches!(look, Look::Glance(_)) };
        for session in &mut self.sessions {
            session.see(frame, view)?;
        }
        // Through a window there is one session only.
        if let Look::Glance(region) = look
            && !is_outside(&self.sessions[0].believed()?, region, size)
            && let Some(masks) = self.carry(frame, wish)
        {
            self.window.goes_on();
            return Ok((masks, false));
        }
        let mut masks: Vec<Option<Plane>> = wish.cuts.iter().map(|_| None).collect();
        self.told = None;
        for session in &self.sessions {
            let model = session.model();
            let heads = session.believed()?;
            for (index, (cut, own)) in wish.cuts.iter().zip(&mut self.makers).enumerate() {
                if !Arc::ptr_eq(&chosen[index], model) {
                    continue;
                }
                own.cut = *cut;
                own.person = None;
                let logits = match (cut.parts, heads.parts) {
                    (Some(kept), Some(parts)) => {
                        parts::select(heads.segments, parts, kept, &mut self.logits);
                        own.person = Some(person(heads.segments));
                        self.logits.as_slice()
                    }
                    _ => heads.segments,
                };
                let mut plane = self.shelf.plane(size);
                let stride = plane.stride();
                let logits = (logits, region);
                own.maker.make_part(logits, heads.grid, frame, options(cut), plane.bytes_mut(), stride);
                masks[index] = Some(plane);
            }
            if heads.poses.is_some() {
                heads.find_poses(&mut self.decoder, &mut self.poses);
                self.poses.iter_mut().for_each(|pose| pose.enlarge(region, size));
                self.told = Some(Arc::from(self.poses.as_slice()));
            }
        }
        let bounds = self.makers.iter().filter_map(|own| own.maker.bounds()).reduce(Bounds::with);
        let input = self.sessions.first().map_or(size, Session::input_size);
        match look {
            Look::Part(_) => self.window.saw_part(bounds, input),
            Look::Whole | Look::Glance(_) => self.window.saw_all(bounds, input),
        }
        // Every wish has a session: see `prepare`.
        let masks = wish.cuts.iter().zip(masks).filter_map(|(cut, plane)| Some((*cut, Arc::new(plane?)))).collect();
        Ok((masks, true))
    }

    /// Returns the part of the next frame that the network sees. A window follows whole people, and one network.
    fn look(&mut self, size: (usize, usize), wish: &MaskRequest) -> Look {
        if wish.cuts.is_empty() || wish.cuts.iter().any(|cut| cut.parts.is_some()) || self.sessions.len() != 1 {
            self.window.reset();
        }
        self.window.step(size);
        self.window.look()
    }

    /// Returns the model that finds a cut: the named one, once it is loaded and if it can; else the stream's own.
    fn chosen(&self, cut: &Cut) -> Arc<Model> {
        let named = cut.model.and_then(models::named);
        let able = named.filter(|model| cut.parts.is_none() || model.has_parts());
        able.unwrap_or_else(|| self.model.clone())
    }

    /// Makes the sessions fit the frame and the wish. Those that fit already are kept.
    fn prepare(&mut self, size: (usize, usize), wish: &MaskRequest, chosen: &[Arc<Model>]) -> Result<(), ModelError> {
        let mut wanted: Vec<(Arc<Model>, HeadRequest)> = Vec::new();
        if wish.poses {
            wanted.push((self.model.clone(), HeadRequest { area: wish.area, parts: false, poses: true }));
        }
        for (cut, model) in wish.cuts.iter().zip(chosen) {
            let parts = cut.parts.is_some();
            match wanted.iter_mut().find(|(other, _)| Arc::ptr_eq(other, model)) {
                Some((_, needs)) => needs.parts |= parts,
                None => wanted.push((model.clone(), HeadRequest { area: wish.area, parts, poses: false })),
            }
        }
        let fits = |session: &Session, (model, needs): &(Arc<Model>, HeadRequest)| {
            session.frame() == size && session.needs() == *needs && Arc::ptr_eq(session.model(), model)
        };
        let mut pairs = self.sessions.iter().zip(&wanted);
        if self.sessions.len() == wanted.len() && pairs.all(|(session, want)| fits(session, want)) {
            return Ok(());
        }
        let mut old = std::mem::take(&mut self.sessions);
        for want in wanted {
            let session = match old.iter().position(|session| fits(session, &want)) {
                Some(index) => old.swap_remove(index),
                None => {
                    let mut session = want.0.session(size, want.1)?;
                    // At another size of input, the network doubts the same people.
                    if let Some(same) = old.iter_mut().find(|old| Arc::ptr_eq(old.model(), &want.0)) {
                        session.inherit(same);
                    }
                    session
                }
            };
            self.sessions.push(session);
        }
        Ok(())
    }
}

/// Returns whether the mask of one goes on where that of the other was.
fn alike(one: &Cut, other: &Cut) -> bool {
    (one.parts, one.model) == (other.parts, other.model)
}

/// Returns the share of the network's grid that is a person rather than not.
fn person(logits: &[f32]) -> f32 {
    logits.iter().filter(|logit| **logit > 0.0).count() as f32 / logits.len().max(1) as f32
}

/// Returns whether somebody is seen outside of a part of the frame.
fn is_outside(heads: &Heads<'_>, region: Region, (width, height): (usize, usize)) -> bool {
    let Grid { columns, rows, alignment } = heads.grid;
    let inside = |index: usize, points: usize, pixels: usize, begin: usize, side: usize| {
        let (step, first) = alignment.steps(pixels, points);
        let at = first + step * index as f32;
        // One step more on each side: the edge of somebody inside is no other.
        at >= begin as f32 - step && at <= (begin + side) as f32 + step
    };
    let outside = heads.segments.iter().enumerate().filter(|(point, logit)| {
        let (column, row) = (point % columns, point / columns);
        **logit >= SURE
            && !(inside(column, columns, width, region.x, region.width)
                && inside(row, rows, height, region.y, region.height))
    });
    outside.count() as f32 >= SOMEBODY * (columns * rows) as f32
}

/// Copies rows of `width` bytes close together.
fn copy((from, stride): (&[u8], usize), width: usize, to: &mut [u8]) {
    for (to, from) in to.chunks_exact_mut(width).zip(from.chunks(stride)) {
        to.copy_from_slice(&from[..width]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_that_says_nothing_looks_as_the_mask_pipeline_has_it() {
        assert_eq!(options(&Cut::default()), MaskOptions::default());
    }

    #[test]
    fn a_person_is_where_the_network_is_surer_than_not() {
        assert_eq!(person(&[-3.0, 0.1, f32::NAN, 7.0]), 0.5);
        assert_eq!(person(&[]), 0.0);
    }

    #[test]
    fn somebody_outside_of_the_window_is_seen_and_the_edge_of_those_inside_is_not() {
        let grid = Grid::cells(64, 36);
        let region = Region { x: 320, y: 180, width: 640, height: 360 };
        let outside = |columns: std::ops::Range<usize>, rows: std::ops::Range<usize>, logit: f32| {
            let is_there = |index: usize| columns.contains(&(index % 64)) && rows.contains(&(index / 64));
            let segments: Vec<f32> = (0..grid.len()).map(|index| if is_there(index) { logit } else { -8.0 }).collect();
            let input = (256, 144);
            let heads = Heads { grid, pose_grid: grid, input, segments: &segments, parts: None, poses: None };
            is_outside(&heads, region, (1280, 720))
        };
        assert!(!outside(16..48, 9..27, 8.0), "they fill the window");
        assert!(outside(2..8, 10..20, 8.0), "beside it");
        assert!(outside(20..30, 29..35, 8.0), "below it");
        assert!(!outside(2..8, 10..20, 0.5), "who is hardly seen does not count");
        assert!(!outside(2..4, 10..14, 8.0), "nor does what is tiny");
    }

    #[test]
    fn rows_are_copied_without_their_padding() {
        let mut to = [0; 6];
        copy((&[1, 2, 3, 9, 4, 5, 6, 9], 4), 3, &mut to);
        assert_eq!(to, [1, 2, 3, 4, 5, 6]);
    }
}
