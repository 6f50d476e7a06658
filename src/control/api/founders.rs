//! Rooms and the tokens that made them: one that opens every room shall not take all that the server has.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use super::{
    AppState,
    auth::{Access, Role},
    capacity::{self, Promise},
};
use crate::control::room::{RoomError, RoomHandle, RoomName};

/// Number of rooms that a participant's token may have made at once.
const ROOMS_OF_PARTICIPANT: usize = 4;

/// A room that is being made is counted for so long, whether it comes to be or not.
const MAKING: Duration = Duration::from_secs(5);

/// See the module.
#[derive(Debug, Default)]
pub struct Founders {
    rooms: Mutex<Made>,
}

/// The token that made a room, and the time since which it is being made.
type Made = HashMap<RoomName, (String, Option<Instant>)>;

impl Founders {
    /// Counts a room that is about to be made, if there is room for it and its maker's token may. The promise is to be
    /// kept when the room is there.
    ///
    /// # Errors
    /// [`RoomError::TooManyRoomsOfToken`], [`RoomError::Unavailable`].
    pub fn admit<'a>(&self, app: &'a AppState, access: &Access, name: &RoomName) -> Result<Promise<'a>, RoomError> {
        let mut rooms = self.rooms.lock();
        let promise = check(&mut rooms, app, access)?;
        rooms.insert(name.clone(), (access.subject.clone(), Some(Instant::now())));
        Ok(promise)
    }

    /// Finds a room, or makes it.
    ///
    /// # Errors
    /// As [`Founders::admit`], and as [`crate::control::room::Registry::get_or_create`].
    pub fn find_or_make(&self, app: &AppState, access: &Access, name: &RoomName) -> Result<RoomHandle, RoomError> {
        let mut rooms = self.rooms.lock();
        if let Some(room) = app.registry.get(name) {
            return Ok(room);
        }
        let promise = check(&mut rooms, app, access)?;
        let room = app.registry.get_or_create(name)?;
        rooms.insert(name.clone(), (access.subject.clone(), None));
        promise.keep(&room);
        Ok(room)
    }
}

/// Returns whether whose token this is may make one more room.
fn check<'a>(rooms: &mut Made, app: &'a AppState, access: &Access) -> Result<Promise<'a>, RoomError> {
    let is_being_made = |at: &Option<Instant>| at.is_some_and(|at| at.elapsed() < MAKING);
    rooms.retain(|name, (_, at)| is_being_made(at) || app.registry.get(name).is_some());
    if access.token.is_some() {
        let max = if access.role < Role::Producer { ROOMS_OF_PARTICIPANT } else { app.config.max_rooms.div_ceil(2) };
        if rooms.values().filter(|(subject, _)| *subject == access.subject).count() >= max {
            return Err(RoomError::TooManyRoomsOfToken { max });
        }
    }
    app.capacity.admit(capacity::ROOM, access).map_err(|problem| RoomError::Unavailable(problem.detail))
}
