//! The words of the room's texts: what their fields stand for, and when that has to be drawn again.
//!
//! The room knows what a text should say, and has it drawn outside of its task; until then the last one stays. Only one
//! drawing of a picture is out, also after the layout has become another, so that what changes faster than it is drawn is
//! left out. Every drawing comes back: by [`State::set_words`], or by [`State::miss_words`].

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{
    Asker, Effect, Job, MAX_IMAGE_BYTES, Now, State, Timers,
    chat::{ChatLine, NewChatLine},
    data::MAX_KEYS,
    timer::{MAX_TIMERS, TimerOrder, TimerView},
    view::Event,
};
use crate::{
    control::room::error::RoomError,
    layout::{Data, Lettering, Scene, Values},
    media::port::{AuxId, Image, MediaCommand},
};

/// Time after which the next drawing is ordered where one has failed, unless something changes: a font cannot be used
/// now.
pub(super) const MISSED_PERIOD: Duration = Duration::from_secs(10);

/// The shortest time between two drawings of a picture: nobody reads faster.
pub(super) const LEAST_REST: Duration = Duration::from_millis(100);

/// Times of a drawing that pass before the next one is ordered, so that texts leave the processor to
/// others.
const REST: u32 = 4;

/// Time between two steps of clocks while nobody is in and nothing is sent. Those who come get the right time at once.
const EMPTY_PERIOD: Duration = Duration::from_secs(30);

/// Time within which it is seen that the system's time was set, where clocks or timers go.
pub(super) const COMPARE_PERIOD: Duration = Duration::from_secs(10);

/// The smallest step of the system's time that counts as set. Where it is only steered, it goes off by far less in
/// [`COMPARE_PERIOD`].
const STEP: SignedDuration = SignedDuration::from_millis(500);

/// The pictures of a layout.
#[derive(Debug, Clone, Default)]
pub struct Drawn {
    /// Its images and the pictures of its texts.
    pub images: Vec<Image>,
    /// The layout with what its texts say in them; `None` where no text has fields.
    pub filled: Option<Arc<Scene>>,
}

impl From<Vec<Image>> for Drawn {
    fn from(images: Vec<Image>) -> Self {
        Self { images, filled: None }
    }
}

/// State of a picture's texts: how far they say what they should.
#[derive(Debug, Default)]
pub(super) struct Filling {
    /// A text has fields.
    lives: bool,
    /// Something that they stand for may have changed.
    due: bool,
    /// Moment at which it changes by itself, or is tried again.
    next_at: Option<Instant>,
    /// Its words were ordered. What is still drawn for another layout is not its own.
    ordered: bool,
}

impl Filling {
    /// Creates that of a layout; `due`: what it shows was not drawn just now.
    pub(super) fn of(scene: &Scene, due: bool) -> Self {
        let lives = scene.is_living();
        Self { lives, due: lives && due, next_at: None, ordered: false }
    }

    fn is_due(&self, now: Now) -> bool {
        self.lives && (self.due || self.next_at.is_some_and(|at| at <= now.clock))
    }

    fn change(&mut self) {
        self.due |= self.lives;
    }

    /// Notes that what was to be shown was not drawn.
    fn miss(&mut self, now: Now) {
        if self.ordered {
            (self.due, self.next_at) = (false, Some(now.clock + MISSED_PERIOD));
        }
    }
}

/// The last drawing of a picture's words.
#[derive(Debug, Clone, Copy)]
pub(super) enum Drawing {
    /// It was ordered then.
    Out(Instant),
    /// It has come back, and until then no other one is ordered.
    Resting(Instant),
}

/// Those of all pictures; `None` is the program. That of a picture that is not shown any more stays until it comes back.
pub(super) type Drawings = HashMap<Option<AuxId>, Drawing>;

/// The words of a picture that are to be drawn, or were.
#[derive(Debug)]
pub struct Words {
    /// The layout that they are of.
    pub of: Arc<Scene>,
    /// The same with the words.
    pub filled: Arc<Scene>,
    /// Pictures of texts that are drawn already; once they are drawn, those of its texts.
    pub texts: Vec<Image>,
    /// The bytes of its other images.
    pub others: usize,
    /// The images that the room shows beside it.
    pub beside: Vec<Image>,
}

impl State {
    /// Returns what the fields of texts stand for now.
    pub fn values(&self, now: Timestamp) -> Values {
        let people = self.members.iter().filter(|member| member.is_shown());
        Values {
            people: people.map(|member| Arc::clone(&member.name)).collect(),
            viewers: self.viewers.len(),
            data: self.data.clone(),
            timers: self.timers.iter().map(|(id, timer)| (Arc::clone(id), timer.read(now))).collect(),
            chat: self.chat.shown(),
            now,
        }
    }

    /// Notes that something has changed that fields may stand for.
    pub(super) fn change_words(&mut self) {
        self.filling.change();
        self.aux_pictures.iter_mut().for_each(|aux| aux.filling.change());
    }

    /// Returns whether the system's time was set since the last call: it has gone otherwise than the clock that nobody
    /// sets.
    fn is_time_set(&mut self, now: Now) -> bool {
        let last = std::mem::replace(&mut self.compared_at, now);
        let passed = SignedDuration::try_from(now.clock.saturating_duration_since(last.clock)).unwrap_or_default();
        let off = now.wall.duration_since(last.wall).saturating_sub(passed);
        off >= STEP || off <= -STEP
    }

    /// Has the words drawn that texts should say and do not.
    pub(super) fn settle_words(&mut self, now: Now) {
        let heads = (self.viewers.len(), self.is_empty());
        if self.is_time_set(now) || self.heads != heads {
            self.heads = heads;
            self.change_words();
        }
        self.drawings.retain(|_, last| !matches!(last, Drawing::Resting(until) if *until <= now.clock));
        if !self.fillings(now).any(|(from, filling)| from <= now.clock && filling.is_due(now)) {
            return;
        }
        let values = self.values(now.wall);
        let own = (None, &self.scene, Some(&self.filled), &mut self.filling);
        let beside = self.aux_pictures.iter_mut().map(|aux| {
            let filled = aux.shown.as_ref().map(|(filled, _)| filled);
            (Some(aux.id.clone()), &aux.scene, filled, &mut aux.filling)
        });
        let due = [own].into_iter().chain(beside).filter(|(.., filling)| filling.is_due(now));
        let pause = if heads.1 { EMPTY_PERIOD } else { Duration::ZERO };
        for (aux, scene, filled, filling) in due {
            if self.drawings.contains_key(&aux) {
                continue;
            }
            let (wanted, lasts) = scene.filled(&values);
            filling.due = false;
            filling.next_at = lasts.map(|lasts| now.clock + lasts.max(pause));
            // Before its first images are decoded a picture shows no words.
            if filled.is_some_and(|filled| !filled.words().eq(wanted.words())) {
                filling.ordered = true;
                self.drawings.insert(aux.clone(), Drawing::Out(now.clock));
                self.effects.push(Effect::Words(aux));
            }
        }
    }

    /// Returns those of all pictures whose words are not being drawn, and from when on they may be ordered.
    fn fillings(&self, now: Now) -> impl Iterator<Item = (Instant, &Filling)> {
        let own = (None, &self.filling);
        let all = [own].into_iter().chain(self.aux_pictures.iter().map(|aux| (Some(aux.id.clone()), &aux.filling)));
        all.filter_map(move |(aux, filling)| match self.drawings.get(&aux) {
            None => Some((now.clock, filling)),
            Some(Drawing::Resting(until)) => Some((*until, filling)),
            Some(Drawing::Out(_)) => None,
        })
    }

    /// Returns when [`State::settle_words`] or [`State::end_timers`] has something to do next.
    pub(super) fn words_deadline(&self, now: Now) -> Option<Instant> {
        let lives = self.fillings(now).filter(|(_, filling)| filling.lives);
        let changes = lives.filter_map(|(from, filling)| match filling.due {
            true => Some(from),
            false => filling.next_at.map(|at| at.max(from)),
        });
        let ends = self.timers.values().filter_map(|timer| timer.ends_in(now.wall)).map(|left| now.clock + left);
        // Until then the system's time may be set.
        changes.chain(ends).min().map(|at| at.min(now.clock + COMPARE_PERIOD))
    }

    /// Returns what texts of a picture are to say now; `None` for the program.
    pub fn wanted_words(&self, aux: Option<&AuxId>, now: Now) -> Option<Words> {
        let values = self.values(now.wall);
        let (of, known) = match aux {
            None => (&self.scene, &self.images),
            Some(id) => {
                let aux = self.aux_pictures.iter().find(|aux| aux.id == *id)?;
                (&aux.scene, &aux.shown.as_ref()?.1)
            }
        };
        let (texts, others): (Vec<_>, Vec<_>) = known.iter().partition(|image| Lettering::is_name(&image.name));
        Some(Words {
            of: Arc::clone(of),
            filled: Arc::new(of.filled(&values).0),
            texts: texts.into_iter().cloned().collect(),
            others: others.into_iter().map(|image| image.still.bytes()).sum(),
            beside: self.images_beside(aux),
        })
    }

    /// Lets a picture rest after a drawing.
    fn end_drawing(&mut self, aux: Option<&AuxId>, now: Now) {
        if let Some(last) = self.drawings.get_mut(&aux.cloned())
            && let Drawing::Out(since) = *last
        {
            let took = now.clock.saturating_duration_since(since);
            *last = Drawing::Resting(now.clock + LEAST_REST.max(took * REST));
        }
    }

    /// Shows words that were drawn. Late ones, after a change of the layout, are dropped.
    pub fn set_words(&mut self, aux: Option<&AuxId>, words: Words, now: Now) {
        self.end_drawing(aux, now);
        let Words { of, filled, texts, others: _, beside: _ } = words;
        let Some(id) = aux else {
            if Arc::ptr_eq(&of, &self.scene) {
                replace(&mut self.images, texts, &self.filled, MAX_IMAGE_BYTES);
                self.filled = filled;
                self.box_news.due = true;
                let picture = self.picture();
                self.effects.push(Effect::Media(MediaCommand::SetPicture(picture)));
            }
            return;
        };
        let Some(index) = self.aux_pictures.iter().position(|aux| aux.id == *id) else { return };
        let aux = &mut self.aux_pictures[index];
        if let Some((shown, images)) = aux.shown.as_mut().filter(|_| Arc::ptr_eq(&of, &aux.scene)) {
            replace(images, texts, shown, MAX_IMAGE_BYTES);
            *shown = filled;
            self.show_aux(index);
        }
    }

    /// Notes that words were not drawn: the last ones stay, and those of now are asked for later.
    pub fn miss_words(&mut self, aux: Option<&AuxId>, now: Now) {
        self.end_drawing(aux, now);
        match aux {
            None => self.filling.miss(now),
            Some(id) => {
                let missed = self.aux_pictures.iter_mut().find(|aux| aux.id == *id);
                missed.into_iter().for_each(|aux| aux.filling.miss(now));
            }
        }
    }

    /// Ends timers whose time is over, in the order of their ends. Of their scenes only the last is shown: several are over
    /// when the server was down.
    pub(super) fn end_timers(&mut self, now: Now) {
        let over = self.timers.iter().filter(|(_, timer)| timer.is_over(now.wall));
        let mut over: Vec<_> = over.map(|(id, timer)| (timer.ends_at(), Arc::clone(id))).collect();
        over.sort();
        let mut scene = None;
        for (_, id) in over {
            if let Some(timer) = self.timers.get_mut(&id) {
                timer.obey(TimerOrder::Stop, now.wall);
                scene = timer.scene().or(scene);
                let event = Event::TimerEnded { timer: timer.view(id) };
                self.effects.push(Effect::Event(event));
                self.note_words();
            }
        }
        self.effects.extend(scene.map(|choice| Effect::Job(Job::Show(choice, Asker::Timer))));
    }

    /// Notes that data or timers have changed.
    fn note_words(&mut self) {
        self.words_changed += 1;
        self.change_words();
    }

    /// Returns all timers, by id.
    pub fn timers(&self) -> Vec<TimerView> {
        self.timers.iter().map(|(id, timer)| timer.view(Arc::clone(id))).collect()
    }

    /// Returns one timer.
    ///
    /// # Errors
    /// [`RoomError::NoTimer`].
    pub fn timer(&self, id: &str) -> Result<TimerView, RoomError> {
        let (id, timer) = self.timers.get_key_value(id).ok_or(RoomError::NoTimer)?;
        Ok(timer.view(Arc::clone(id)))
    }

    /// Has a timer do something. One that there is not is made, unless it is to stop.
    ///
    /// # Errors
    /// [`RoomError::NoTimer`], [`RoomError::TooManyTimers`].
    pub fn order_timer(&mut self, id: &str, order: TimerOrder, now: Now) -> Result<TimerView, RoomError> {
        let is_new = !self.timers.contains_key(id);
        if is_new && order == TimerOrder::Stop {
            return Err(RoomError::NoTimer);
        }
        if is_new && self.timers.len() >= MAX_TIMERS {
            return Err(RoomError::TooManyTimers { max: MAX_TIMERS });
        }
        // One that is over has ended before it does something else.
        self.end_timers(now);
        let timer = self.timers.entry(id.into()).or_default();
        timer.obey(order, now.wall);
        let view = timer.view(id.into());
        self.stored = true;
        self.effects.push(Effect::Event(Event::TimerChanged { timer: view.clone() }));
        self.note_words();
        Ok(view)
    }

    /// Forgets a timer.
    ///
    /// # Errors
    /// [`RoomError::NoTimer`].
    pub fn remove_timer(&mut self, id: &str) -> Result<(), RoomError> {
        let (id, _) = self.timers.remove_entry(id).ok_or(RoomError::NoTimer)?;
        self.effects.push(Effect::Event(Event::TimerRemoved { id }));
        self.note_words();
        Ok(())
    }

    /// Returns all that was put.
    pub fn data(&self) -> Data {
        self.data.clone()
    }

    /// Returns what was put under a key.
    ///
    /// # Errors
    /// [`RoomError::NoData`].
    pub fn datum(&self, key: &str) -> Result<Value, RoomError> {
        self.data.get(key).map(|value| Value::clone(value)).ok_or(RoomError::NoData)
    }

    /// Puts a value under a key; whether there was none.
    ///
    /// # Errors
    /// [`RoomError::TooManyData`].
    pub fn put_data(&mut self, key: &str, value: Value) -> Result<bool, RoomError> {
        let before = self.data.get(key);
        let is_new = before.is_none();
        if is_new && self.data.len() >= MAX_KEYS {
            return Err(RoomError::TooManyData { max: MAX_KEYS });
        }
        self.stored = true;
        if before.is_none_or(|before| **before != value) {
            let key: Arc<str> = key.into();
            self.data.insert(Arc::clone(&key), Arc::new(value.clone()));
            self.effects.push(Effect::Event(Event::DataChanged { key, value }));
            self.note_words();
        }
        Ok(is_new)
    }

    /// Forgets what was put under a key.
    ///
    /// # Errors
    /// [`RoomError::NoData`].
    pub fn remove_data(&mut self, key: &str) -> Result<(), RoomError> {
        let (key, _) = self.data.remove_entry(key).ok_or(RoomError::NoData)?;
        self.effects.push(Effect::Event(Event::DataChanged { key, value: Value::Null }));
        self.note_words();
        Ok(())
    }

    /// Returns the last lines of the chat, oldest first.
    pub fn chat(&self) -> Vec<ChatLine> {
        self.chat.lines().cloned().collect()
    }

    /// Takes a line of the chat that was checked before.
    ///
    /// # Errors
    /// [`RoomError::TooManyLines`].
    pub fn add_chat(&mut self, line: NewChatLine, now: Now) -> Result<ChatLine, RoomError> {
        let line = self.chat.add(line, now)?;
        self.effects.push(Effect::Event(Event::ChatLine { line: line.clone() }));
        self.change_words();
        Ok(line)
    }

    /// Takes a line of the chat away, or all of them; whether there was one.
    pub fn remove_chat(&mut self, id: Option<u64>) -> bool {
        let was_there = self.chat.remove(id);
        if was_there {
            self.effects.push(Effect::Event(Event::ChatRemoved { id }));
            self.change_words();
        }
        was_there
    }

    /// Takes data and timers of a document; what is `None` stays. A timer that was over before is over, and nothing comes
    /// of its end here.
    pub(super) fn take_words(&mut self, data: Option<Data>, timers: Option<Timers>, now: Now) {
        if let Some(data) = data {
            self.data = data;
        }
        if let Some(timers) = timers {
            self.timers = timers;
            let over = self.timers.values_mut().filter(|timer| timer.is_over(now.wall));
            over.for_each(|timer| timer.obey(TimerOrder::Stop, now.wall));
        }
        self.note_words();
    }
}

/// Puts pictures of texts in place of older ones. Those that were shown until now stay once more, for they may fade out,
/// unless there were more than so many bytes of images then.
pub(super) fn replace(images: &mut Vec<Image>, texts: Vec<Image>, shown: &Scene, most: usize) {
    let last: Vec<String> = shown.letterings().map(|(_, lettering)| lettering.name()).collect();
    images.retain(|image| {
        let is_new = texts.iter().any(|text| text.name == image.name);
        !Lettering::is_name(&image.name) || (!is_new && last.iter().any(|name| **name == *image.name))
    });
    if images.iter().chain(&texts).map(|image| image.still.bytes()).sum::<usize>() > most {
        images.retain(|image| !Lettering::is_name(&image.name));
    }
    images.extend(texts);
}
