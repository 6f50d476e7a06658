//! Triggers: those that hold, and those that fire now. PURE.

use std::time::Duration;

use super::follow::on_canvas;
use crate::{
    layout::{
        Key, Placed, Placement, Trigger,
        trigger::{Absent, Action, Condition, Whose},
    },
    media::port::Pose,
};

/// One trigger that fires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Firing {
    /// Its index in the layout.
    pub trigger: usize,
    /// People whose keypoints made it fire: their indices, each once.
    pub people: Vec<usize>,
}

/// The state of one trigger.
#[derive(Debug, Clone, Copy, Default)]
struct Standing {
    holds: bool,
    fired: Option<Duration>,
}

/// The states of all triggers of a layout.
#[derive(Debug, Default)]
pub struct Standings {
    list: Vec<Standing>,
    firings: Vec<Firing>,
}

impl Standings {
    /// Notes that the layout has other triggers from now on: those that are the same as before go on.
    pub fn change(&mut self, before: &[Trigger], after: &[Trigger]) {
        let same = |trigger: &Trigger| before.iter().position(|one| one == trigger);
        let go_on = |trigger: &Trigger| same(trigger).and_then(|index| self.list.get(index)).copied();
        self.list = after.iter().map(|trigger| go_on(trigger).unwrap_or_default()).collect();
        self.firings.clear();
    }

    /// Looks at all triggers. `canvas`: its size. `pose`: a person's surest pose and the size of the frame that it was
    /// found in. [`Standings::firings`] are those of this moment then.
    pub fn update(
        &mut self,
        triggers: &[Trigger],
        placements: &[Placement],
        canvas: (f32, f32),
        now: Duration,
        pose: impl Fn(usize) -> Option<(Pose, (u32, u32))>,
    ) {
        self.firings.clear();
        self.list.resize_with(triggers.len(), Standing::default);
        for (index, (trigger, standing)) in triggers.iter().zip(&mut self.list).enumerate() {
            let held = standing.holds;
            standing.holds = trigger.when.0.iter().all(|condition| is_true(condition, placements, canvas, &pose));
            if !standing.holds {
                continue;
            }
            let since = |ms: u32| {
                let after = Duration::from_millis(ms.into());
                standing.fired.is_none_or(|fired| now.saturating_sub(fired) >= after)
            };
            let again = held && trigger.every_ms.is_some_and(&since);
            if (!held || again) && since(trigger.hold_off_ms) {
                standing.fired = Some(now);
                self.firings.push(Firing { trigger: index, people: people_of(trigger, placements) });
            }
        }
    }

    /// Returns those that fired at the last update.
    pub fn firings(&self) -> &[Firing] {
        &self.firings
    }

    /// Returns whether a trigger was true at the last update.
    pub fn holds(&self, trigger: usize) -> bool {
        self.list.get(trigger).is_some_and(|standing| standing.holds)
    }

    /// Returns whether one of `triggers` shows the layer of this id now.
    pub fn show(&self, triggers: &[Trigger], id: &str, now: Duration) -> bool {
        triggers.iter().zip(&self.list).any(|(trigger, standing)| {
            trigger.actions.iter().any(|action| match action {
                Action::Show(show) if show.show == id => match show.for_ms {
                    None => standing.holds,
                    Some(ms) => {
                        standing.fired.is_some_and(|fired| now.saturating_sub(fired) < Duration::from_millis(ms.into()))
                    }
                },
                _ => false,
            })
        })
    }
}

/// Returns whether `triggers` need the pose of the person in the placement of this key.
pub fn need_poses(triggers: &[Trigger], key: &Key) -> bool {
    let named = |whose: &Whose| match (whose, key) {
        (Whose::All, _) => true,
        (Whose::Layers(ids), Key::Layer(own)) => ids.contains(own),
        (Whose::Layers(_), Key::Auto(_)) => false,
    };
    triggers.iter().any(|trigger| {
        let icons = trigger.actions.iter().any(|action| matches!(action, Action::Icons(_)));
        icons || trigger.when.0.iter().any(|condition| named(&condition.layers))
    })
}

fn person(placement: &Placement) -> Option<usize> {
    match placement.source {
        Placed::Person(person) => Some(person),
        _ => None,
    }
}

fn of_layer<'p>(placements: &'p [Placement], id: &str) -> Option<&'p Placement> {
    placements.iter().find(|one| matches!(&one.key, Key::Layer(own) if own == id) && person(one).is_some())
}

fn is_true(
    condition: &Condition,
    placements: &[Placement],
    canvas: (f32, f32),
    pose: impl Fn(usize) -> Option<(Pose, (u32, u32))>,
) -> bool {
    let size = (f64::from(canvas.0), f64::from(canvas.1));
    let inside = |placement: &Placement| {
        let place = on_canvas(placement, condition.keypoint, &pose);
        place.is_some_and(|(x, y)| condition.area.holds((x.into(), y.into()), size))
    };
    let without = condition.absent == Absent::Ignore;
    match &condition.layers {
        Whose::All => {
            let mut people = placements.iter().filter(|one| person(one).is_some()).peekable();
            match people.peek() {
                None => without,
                Some(_) => people.all(inside),
            }
        }
        Whose::Layers(ids) => ids.iter().all(|id| of_layer(placements, id).map_or(without, inside)),
    }
}

fn people_of(trigger: &Trigger, placements: &[Placement]) -> Vec<usize> {
    let mut people: Vec<usize> = Vec::new();
    for condition in &trigger.when.0 {
        match &condition.layers {
            Whose::All => people.extend(placements.iter().filter_map(person)),
            Whose::Layers(ids) => {
                people.extend(ids.iter().filter_map(|id| person(of_layer(placements, id)?)));
            }
        }
    }
    people.sort_unstable();
    people.dedup();
    people
}

#[cfg(test)]
mod tests;
