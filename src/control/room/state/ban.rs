//! Those whom a moderator has barred from the room. PURE.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Now, State, name::could_be_taken_for, participant::Caller, view::Participant};
use crate::control::room::error::RoomError;

/// How many a room may bar.
pub const MAX_BANS: usize = 1000;

/// Somebody who is barred, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RoomDocumentBan)]
pub struct KeptBan {
    /// Its id.
    #[schema(value_type = String)]
    pub id: Arc<str>,
    /// The name that they asked for.
    #[schema(value_type = String)]
    pub name: Arc<str>,
    /// What their token is known by; left out where they came without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub token: Option<Arc<str>>,
    /// When they were barred.
    #[schema(value_type = String, format = DateTime)]
    pub banned_at: Timestamp,
}

/// The mark by which somebody who is barred is known again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BannedBy {
    /// Their token: nobody who has it comes in.
    Token,
    /// Their name, as they had no token: nobody without one comes in under a name that could be taken for it.
    Name,
}

/// Somebody who is barred from the room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Ban {
    /// Its id.
    #[schema(value_type = String)]
    pub id: Arc<str>,
    /// The name that they asked for.
    #[schema(value_type = String)]
    pub name: Arc<str>,
    /// What they are known again by.
    pub by: BannedBy,
    /// When they were barred.
    #[schema(value_type = String, format = DateTime)]
    pub banned_at: Timestamp,
}

impl KeptBan {
    /// Returns whether this bars somebody who asks for a name, with their token or without one.
    fn bars(&self, token: Option<&str>, name: &str) -> bool {
        match (self.token.as_deref(), token) {
            (None, None) => could_be_taken_for(&self.name, name),
            (barred, token) => barred == token,
        }
    }

    /// Returns what moderators see.
    fn view(&self) -> Ban {
        let by = if self.token.is_some() { BannedBy::Token } else { BannedBy::Name };
        Ban { id: Arc::clone(&self.id), name: Arc::clone(&self.name), by, banned_at: self.banned_at }
    }
}

impl State {
    /// Returns all who are barred, in the order in which that was done.
    pub fn bans(&self) -> Vec<Ban> {
        self.bans.iter().map(KeptBan::view).collect()
    }

    /// Removes somebody, for a moderator, and keeps them out until the room ends. `fresh_id`: of the ban.
    ///
    /// # Errors
    /// [`RoomError::NoParticipant`], [`RoomError::TooManyBans`].
    pub fn ban(&mut self, id: &str, fresh_id: Arc<str>, now: Now) -> Result<Participant, RoomError> {
        let member = &self.members[self.find(id)?];
        let token = member.bearer.as_ref().map(|bearer| Arc::clone(&bearer.subject));
        let name: Arc<str> = member.asked.as_str().into();
        if !self.is_barred(token.as_deref(), &name) {
            if self.bans.len() >= MAX_BANS {
                return Err(RoomError::TooManyBans { max: MAX_BANS });
            }
            self.bans.push(KeptBan { id: fresh_id, name, token, banned_at: now.wall });
            self.others_changed += 1;
        }
        self.kick(id)
    }

    /// Lets somebody in again.
    ///
    /// # Errors
    /// [`RoomError::NoBan`].
    pub fn lift_ban(&mut self, id: &str) -> Result<(), RoomError> {
        let place = self.bans.iter().position(|ban| *ban.id == *id).ok_or(RoomError::NoBan)?;
        self.bans.remove(place);
        self.others_changed += 1;
        Ok(())
    }

    /// Checks that a newcomer, who asks for a name, is not barred.
    ///
    /// # Errors
    /// [`RoomError::Banned`].
    pub(super) fn check_bans(&self, caller: &Caller, name: &str) -> Result<(), RoomError> {
        let token = caller.bearer.as_ref().map(|bearer| &*bearer.subject);
        if self.is_barred(token, name) { Err(RoomError::Banned) } else { Ok(()) }
    }

    fn is_barred(&self, token: Option<&str>, name: &str) -> bool {
        self.bans.iter().any(|ban| ban.bars(token, name))
    }
}
