//! PURE: which islands of a mask are doubtful, and which of these are no person.
//!
//! ```text
//!   logits ─► islands ─► sure ones stay
//!                 └────► doubtful ones ─► judged there before ─► what was said then ─┬─► nobody: out of the logits
//!                               │                                                    └─► somebody: stays
//!                               └─► not judged yet, or a second ago ─► keypoints in it ─► judged ─┘
//! ```
//! A network that finds people in any framing also finds some in empty rooms. It is less sure of these, and finds no
//! keypoints of a person in them; a network that we have measured says in its file where the [`Bar`] lies. Keypoints
//! cost more than a mask, so they are looked for only where somebody is doubtful, and now and then (`PERIOD`,
//! `SOON`). In between, what was said holds: a map of the picture remembers where somebody was and where nobody was,
//! and moves along with the islands. Somebody stays somebody for some seconds (`PERSON`), even if keypoints fail
//! meanwhile: to lose a true person is worse than to show a false one. A newcomer is shown until they are judged, and
//! an island that grows is judged again.
//!
//! The map lies over the whole picture, so it holds for windows (`window`), too. A single picture is judged at
//! once: after [`Doubt::reset`] nothing is remembered. Nothing is allocated after the first frames of a size.

use std::time::Duration;

use super::{
    grid::Grid,
    parts::NOBODY,
    pose::{KEYPOINTS, sigmoid},
    window::Region,
};

#[cfg(test)]
mod tests;

/// Share of the picture that somebody who counts covers; smaller islands are not judged, and are dropped elsewhere.
pub const SOMEBODY: f32 = 0.004;
/// Between two judgements.
const PERIOD: Duration = Duration::from_secs(1);
/// The same where somebody came who was not judged yet.
const SOON: Duration = Duration::from_millis(250);
/// For so long somebody stays somebody after the network was sure or keypoints were found.
const PERSON: Duration = Duration::from_secs(4);
/// For so long nobody stays nobody without another judgement.
const FORGET: Duration = Duration::from_secs(6);
/// Share of the way from the bar to certainty that the network must go to take back a judgement by itself: at the bar
/// it would change its mind with every frame.
const BACK: f32 = 0.25;
/// Keypoints count that lie within so many points of the mask's grid of an island: they are often at its edge.
const REACH: usize = 2;
/// Logit down to which the surroundings of a dropped island go with it: below the least threshold that a mask may have
/// (0.05).
const FAINT: f32 = -4.0;
/// Cells of the map of the picture: the smallest island that counts covers some twenty.
const CELLS: (usize, usize) = (96, 54);
/// Share of an island's cells on which somebody was, so that it is them,
const WAS_PERSON: f32 = 0.25;
/// and share of those on which nobody was, so that it is no person.
const WAS_NOBODY: f32 = 0.5;
/// An island that was no person and is so many times as large now is looked at again soon: somebody may be coming in.
const GROWN: f32 = 1.5;
/// A picture of another size is the same one, scaled, if its aspect is another by no more than this share: senders send
/// fewer pixels on a bad line, and round the sides.
const SCALED: f32 = 0.02;
/// Islands of one mask. More are no people.
const MOST: usize = u16::MAX as usize - 1;

/// The bar that one of a network's islands must reach in one of two ways to be somebody. It was measured for that
/// network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bar {
    /// Mean probability in the island.
    pub mean: f32,
    /// Sum of the best probabilities of all keypoints in and around it.
    pub keypoints: f32,
    /// Mean probability below which keypoints are of no help: a flag's stars may be taken for faces.
    pub least: f32,
}

impl Bar {
    /// Returns the bar of a text such as `0.87,1.5` or `0.87,1.5,0.76`, in the order of the fields, if it is one.
    pub fn read(text: &str) -> Option<Self> {
        let mut numbers = text.split(',').map(|number| number.trim().parse::<f32>().ok());
        let (mean, keypoints) = (numbers.next()??, numbers.next()??);
        let least = numbers.next().unwrap_or(Some(0.0))?;
        let most = KEYPOINTS.len() as f32;
        let fits = (0.0..=1.0).contains(&mean) && (0.0..=most).contains(&keypoints) && (0.0..=mean).contains(&least);
        (fits && numbers.next().is_none()).then_some(Self { mean, keypoints, least })
    }
}

/// The part of a picture that the network has seen, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// Width and height of the picture.
    pub frame: (usize, usize),
    /// The part of it that was seen.
    pub region: Region,
    /// The picture's time.
    pub now: Duration,
    /// Whether it was only looked whether somebody is new: those who are known are seen better otherwise.
    pub glance: bool,
}

impl View {
    /// Returns that of a whole picture.
    pub fn whole(frame: (usize, usize), now: Duration) -> Self {
        Self { frame, region: Region::whole(frame), now, glance: false }
    }
}

/// The word on an island.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    /// Nothing yet.
    Unknown,
    Somebody,
    Nobody,
}

/// The reason for the word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Because {
    /// Of what was said before, or of nothing.
    Memory,
    /// The network is sure.
    Sure,
    /// Keypoints were looked for.
    Judged,
}

/// Connected points of the grid that are rather a person than not, four neighbours.
#[derive(Debug, Clone, Copy)]
struct Island {
    /// Its points in the queue.
    begin: usize,
    end: usize,
    mean: f32,
    /// Whether it covers enough of the picture to be judged.
    counts: bool,
    /// Cells of the map that it covers,
    cells: usize,
    /// those of them on which somebody was, and until when the last of these holds,
    person: (usize, u32),
    /// those on which nobody was, and the latest and largest of these.
    nobody: (usize, u32, u16),
    doubtful: bool,
    said: Said,
    because: Because,
}

impl Island {
    fn was_person(&self) -> bool {
        self.person.0 > 0 && self.person.0 as f32 >= WAS_PERSON * self.cells as f32
    }

    fn was_nobody(&self) -> bool {
        self.nobody.0 > 0 && self.nobody.0 as f32 >= WAS_NOBODY * self.cells as f32
    }

    /// Takes the word of before, unless the network is sure.
    fn recollect(&mut self, bar: Bar) {
        self.said = match (self.was_person(), self.was_nobody()) {
            (true, _) => Said::Somebody,
            (false, true) => Said::Nobody,
            (false, false) => Said::Unknown,
        };
        let least = if self.said == Said::Nobody { bar.mean + (1.0 - bar.mean) * BACK } else { bar.mean };
        self.doubtful = self.mean < least;
        if !self.doubtful {
            (self.said, self.because) = (Said::Somebody, Because::Sure);
        }
    }

    /// Returns whether there is no word on it, two that contradict each other, or one on something smaller.
    fn is_open(&self) -> bool {
        let grown = self.said == Said::Nobody && self.has_grown();
        self.said == Said::Unknown || self.was_person() && self.was_nobody() || grown
    }

    /// Returns whether it is much larger than who was judged to be nobody there.
    fn has_grown(&self) -> bool {
        self.cells as f32 > GROWN * f32::from(self.nobody.2)
    }

    /// Takes the word of its keypoints.
    fn judge(&mut self, keypoints: f32, bar: Bar) {
        if keypoints >= bar.keypoints && self.mean >= bar.least {
            (self.said, self.because) = (Said::Somebody, Because::Judged);
        } else if !self.was_person() || self.was_nobody() {
            (self.said, self.because) = (Said::Nobody, Because::Judged);
        }
    }
}

/// The word on a cell of the map.
#[derive(Debug, Clone, Copy, Default)]
struct Past {
    /// Until when there is somebody, and until when there is no person.
    person: u32,
    nobody: u32,
    /// Cells of the island that was judged to be no person.
    size: u16,
}

/// One stream's doubts about one network's masks. Of each frame that the network sees: [`Doubt::look`], then
/// [`Doubt::judge`] where it asks for that, then [`Doubt::settle`].
#[derive(Debug, Clone, Default)]
pub struct Doubt {
    frame: (usize, usize),
    /// Milliseconds; of the last frame, and of the last judgement.
    now: u32,
    judged: Option<u32>,
    /// By cell of the map. Empty before the first frame.
    past: Vec<Past>,
    /// The number of each cell's island in the last frame, from 1 on; 0 is no island.
    cells: Vec<u16>,
    grid: Grid,
    /// The same by point of the grid.
    labels: Vec<u16>,
    /// Points of islands in the order in which they were reached; those of one island are together.
    queue: Vec<u32>,
    islands: Vec<Island>,
    /// By point of the keypoints' grid: the island for which it was looked at.
    seen: Vec<u16>,
    bar: Option<Bar>,
    glance: bool,
    /// The logits without nobody, if somebody is left out.
    logits: Vec<f32>,
    dropped: bool,
}

impl Doubt {
    /// Forgets what was said: the next frame stands for itself.
    pub fn reset(&mut self) {
        self.judged = None;
        self.past.fill(Past::default());
        self.pass();
    }

    /// Leaves the last frame as it is, as of a network that has no bar.
    pub fn pass(&mut self) {
        self.islands.clear();
        self.bar = None;
        self.dropped = false;
    }

    /// Takes the logits (`grid.len()` values) of what was seen. Returns whether keypoints are to be looked for.
    pub fn look(&mut self, segments: &[f32], grid: Grid, bar: Bar, view: View) -> bool {
        self.pass();
        let Region { width, height, .. } = view.region;
        if grid.is_empty() || segments.len() != grid.len() || width * height == 0 {
            return false;
        }
        self.begin(grid, view);
        (self.bar, self.glance) = (Some(bar), view.glance);
        let share = (width * height) as f32 / (view.frame.0 * view.frame.1).max(1) as f32;
        self.find(segments, share);
        self.place(view);
        self.recall();
        for island in &mut self.islands {
            island.recollect(bar);
        }
        let since = self.judged.map(|judged| self.now - judged);
        let after = |time: Duration| since.is_none_or(|since| since >= millis(time));
        let mut doubtful = self.islands.iter().filter(|island| island.doubtful && island.counts);
        if view.glance {
            return after(SOON) && doubtful.any(|island| island.said == Said::Unknown);
        }
        after(SOON) && doubtful.any(|island| island.is_open() || after(PERIOD))
    }

    /// Judges the doubtful islands of the last look by the network's heatmaps: 17 logits for each point of `grid`, which
    /// lies where the mask's does. Heatmaps of another size say nothing.
    pub fn judge(&mut self, heatmaps: &[f32], grid: Grid) {
        let Some(bar) = self.bar else { return };
        if grid.is_empty() || grid.len().checked_mul(KEYPOINTS.len()) != Some(heatmaps.len()) {
            return;
        }
        self.judged = Some(self.now);
        self.seen.clear();
        self.seen.resize(grid.len(), 0);
        for index in 0..self.islands.len() {
            let island = self.islands[index];
            if island.doubtful && island.counts && (!self.glance || island.said == Said::Unknown) {
                let keypoints = self.keypoints(index, heatmaps, grid);
                self.islands[index].judge(keypoints, bar);
            }
        }
    }

    /// Remembers what is said now, and leaves nobody out of the logits, which are those of the last look.
    pub fn settle(&mut self, segments: &[f32]) {
        if self.bar.is_none() || segments.len() != self.labels.len() {
            return;
        }
        self.remember();
        self.dropped = self.islands.iter().any(|island| island.said == Said::Nobody);
        if self.dropped {
            self.spread(segments);
            self.logits.clear();
            let islands = &self.islands;
            let is_nobody = |label: u16| of(islands, label).is_some_and(|island| island.said == Said::Nobody);
            let kept = segments.iter().zip(&self.labels);
            self.logits.extend(kept.map(|(logit, label)| if is_nobody(*label) { NOBODY } else { *logit }));
        }
    }

    /// Returns the logits without nobody, after [`Doubt::settle`] of them.
    pub fn without<'a>(&'a self, segments: &'a [f32]) -> &'a [f32] {
        if self.dropped && self.logits.len() == segments.len() { &self.logits } else { segments }
    }

    /// Fits the buffers, and forgets everything where the picture is another. The map of one that is only scaled holds:
    /// its cells are shares of the picture.
    fn begin(&mut self, grid: Grid, view: View) {
        let now = millis(view.now);
        let cells = CELLS.0 * CELLS.1;
        if !is_scaled(self.frame, view.frame) || now < self.now || self.cells.len() != cells {
            self.judged = None;
            self.past.clear();
            self.past.resize(cells, Past::default());
            self.cells.resize(cells, 0);
        }
        (self.frame, self.now, self.grid) = (view.frame, now, grid);
        self.labels.clear();
        self.labels.resize(grid.len(), 0);
        self.queue.clear();
        self.queue.reserve(grid.len());
        self.logits.clear();
        self.logits.reserve(grid.len());
    }

    /// Finds the islands. `share`: that of the picture that the grid lies over.
    fn find(&mut self, segments: &[f32], share: f32) {
        let points = segments.len() as f32;
        for seed in 0..segments.len() {
            if !is_person(segments[seed]) || self.labels[seed] != 0 || self.islands.len() == MOST {
                continue;
            }
            let begin = self.queue.len();
            let label = self.islands.len() as u16 + 1;
            let mut sum = 0.0;
            self.labels[seed] = label;
            self.queue.push(seed as u32);
            let mut next = begin;
            while next < self.queue.len() {
                let point = self.queue[next] as usize;
                next += 1;
                sum += sigmoid(segments[point]);
                self.reach(point, is_person, segments);
            }
            let count = (next - begin) as f32;
            self.islands.push(Island {
                begin,
                end: next,
                mean: sum / count,
                counts: count / points * share >= SOMEBODY,
                cells: 0,
                person: (0, 0),
                nobody: (0, 0, 0),
                doubtful: false,
                said: Said::Unknown,
                because: Because::Memory,
            });
        }
    }

    /// Gives the neighbours of a point that belong to nothing yet its label, and queues them.
    fn reach(&mut self, point: usize, belongs: impl Fn(f32) -> bool, segments: &[f32]) {
        let Grid { columns, rows, .. } = self.grid;
        let (row, column) = (point / columns, point % columns);
        let near = [
            (column > 0, point.wrapping_sub(1)),
            (column + 1 < columns, point + 1),
            (row > 0, point.wrapping_sub(columns)),
            (row + 1 < rows, point + columns),
        ];
        for (_, other) in near.into_iter().filter(|(inside, _)| *inside) {
            if self.labels[other] == 0 && belongs(segments[other]) {
                self.labels[other] = self.labels[point];
                self.queue.push(other as u32);
            }
        }
    }

    /// Finds which cells of the map each island covers.
    fn place(&mut self, View { frame, region, .. }: View) {
        let Grid { columns, rows, alignment } = self.grid;
        // The grid's point at a cell's middle, if that was seen.
        let point = |cell: usize, cells: usize, pixels: usize, begin: usize, side: usize, points: usize| {
            let pixel = (cell as f32 + 0.5) * pixels as f32 / cells as f32 - begin as f32;
            (0.0..side as f32).contains(&pixel).then(|| nearest(alignment.place(pixel - 0.5, side, points), points))
        };
        let mut across = [None; CELLS.0];
        for (column, found) in across.iter_mut().enumerate() {
            *found = point(column, CELLS.0, frame.0, region.x, region.width, columns);
        }
        for (row, line) in self.cells.chunks_exact_mut(CELLS.0).enumerate() {
            let down = point(row, CELLS.1, frame.1, region.y, region.height, rows);
            for (cell, &across) in line.iter_mut().zip(&across) {
                *cell = down.zip(across).map_or(0, |(row, column)| self.labels[row * columns + column]);
            }
        }
        // Where points are closer together than cells, some lie at no cell's middle. Without a cell, an island of such
        // points would be new in every frame: it would be shown, and go for a frame each time that it is judged.
        if columns * frame.0 > CELLS.0 * region.width || rows * frame.1 > CELLS.1 * region.height {
            self.place_between(frame, region);
        }
    }

    /// Gives cells whose middles are on no island to the islands that have points elsewhere in them.
    fn place_between(&mut self, frame: (usize, usize), region: Region) {
        let Grid { columns, rows, alignment } = self.grid;
        let (right, down) = (alignment.steps(region.width, columns), alignment.steps(region.height, rows));
        let cell = |index: usize, (step, first): (f32, f32), begin: usize, pixels: usize, cells: usize| {
            let middle = begin as f32 + first + step * index as f32 + 0.5;
            ((middle * cells as f32 / pixels as f32) as usize).min(cells - 1)
        };
        for &point in &self.queue {
            let point = point as usize;
            let column = cell(point % columns, right, region.x, frame.0, CELLS.0);
            let row = cell(point / columns, down, region.y, frame.1, CELLS.1);
            let cell = &mut self.cells[row * CELLS.0 + column];
            if *cell == 0 {
                *cell = self.labels[point];
            }
        }
    }

    /// Counts each island's cells, and finds what was said of them.
    fn recall(&mut self) {
        for (past, label) in self.past.iter().zip(&self.cells) {
            let Some(island) = of_mut(&mut self.islands, *label) else { continue };
            island.cells += 1;
            if past.person > self.now {
                let (count, latest) = island.person;
                island.person = (count + 1, past.person.max(latest));
            }
            if past.nobody > self.now {
                let (count, latest, largest) = island.nobody;
                island.nobody = (count + 1, past.nobody.max(latest), past.size.max(largest));
            }
        }
    }

    /// Returns the sum of the best probabilities of all keypoints in and around an island.
    fn keypoints(&mut self, index: usize, heatmaps: &[f32], grid: Grid) -> f32 {
        const COUNT: usize = KEYPOINTS.len();
        let (island, own) = (self.islands[index], self.grid);
        let stamp = index as u16 + 1;
        let range = |at: usize, points: usize, others: usize| {
            let other = |at: usize| nearest(grid.alignment.place(at as f32, points, others), others);
            other(at.saturating_sub(REACH))..=other((at + REACH).min(points - 1))
        };
        let mut best = [f32::NEG_INFINITY; COUNT];
        for &point in &self.queue[island.begin..island.end] {
            let point = point as usize;
            let columns = range(point % own.columns, own.columns, grid.columns);
            for row in range(point / own.columns, own.rows, grid.rows) {
                for column in columns.clone() {
                    let at = row * grid.columns + column;
                    if std::mem::replace(&mut self.seen[at], stamp) != stamp {
                        let logits = &heatmaps[at * COUNT..][..COUNT];
                        best.iter_mut().zip(logits).for_each(|(best, logit)| *best = best.max(*logit));
                    }
                }
            }
        }
        best.into_iter().map(sigmoid).sum()
    }

    /// Writes into the map what is said of those who count.
    fn remember(&mut self) {
        let (person, nobody) = (self.now.saturating_add(millis(PERSON)), self.now.saturating_add(millis(FORGET)));
        for (past, label) in self.past.iter_mut().zip(&self.cells) {
            let Some(island) = of(&self.islands, *label).filter(|island| island.counts) else { continue };
            // What is only remembered moves along with the island, and ends when it would have.
            *past = match (island.said, island.because) {
                (Said::Unknown, _) => *past,
                (Said::Somebody, Because::Memory) => Past { person: island.person.1.max(past.person), ..*past },
                // Who was nobody by mistake would be judged again at once, and come and go with every frame.
                (Said::Somebody, Because::Sure) if island.was_nobody() && !island.has_grown() => {
                    Past { person, ..Past::default() }
                }
                (Said::Somebody, Because::Sure) => Past { person, ..*past },
                (Said::Somebody, Because::Judged) => Past { person, ..Past::default() },
                (Said::Nobody, Because::Judged) => Past { person: 0, nobody, size: island.cells as u16 },
                (Said::Nobody, _) => Past { nobody: island.nobody.1, size: island.nobody.2, ..*past },
            };
        }
    }

    /// Gives what is around islands, and no island, to the nearest one.
    fn spread(&mut self, segments: &[f32]) {
        let mut next = 0;
        while next < self.queue.len() {
            let point = self.queue[next] as usize;
            next += 1;
            self.reach(point, |logit| logit > FAINT, segments);
        }
    }
}

/// Returns whether a logit is rather a person than not.
fn is_person(logit: f32) -> bool {
    logit >= 0.0
}

/// Returns whether two sizes have the same aspect, or nearly.
fn is_scaled(one: (usize, usize), other: (usize, usize)) -> bool {
    let (one, other) = ((one.0 * other.1) as f32, (other.0 * one.1) as f32);
    (one - other).abs() <= SCALED * one.max(other)
}

/// Returns the island of a label.
fn of(islands: &[Island], label: u16) -> Option<&Island> {
    usize::from(label).checked_sub(1).and_then(|index| islands.get(index))
}

/// Works as [`of`], to change it.
fn of_mut(islands: &mut [Island], label: u16) -> Option<&mut Island> {
    usize::from(label).checked_sub(1).and_then(|index| islands.get_mut(index))
}

/// Returns the point that is nearest to a place among `points`.
fn nearest(place: f32, points: usize) -> usize {
    (place.max(0.0).round() as usize).min(points - 1)
}

/// Returns whole milliseconds. After seven weeks they begin again, which forgets what was said.
fn millis(time: Duration) -> u32 {
    time.as_millis() as u32
}
