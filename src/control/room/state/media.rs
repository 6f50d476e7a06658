//! The room's media as a whole: what it begins with, and what its end means for those in the room.

use std::{sync::Arc, time::Duration};

use super::{Effect, Now, State, note::Closing, participant::Member};
use crate::{
    control::room::error::RoomError,
    media::port::{Loudness, PeerId, RoomSpec},
};

impl State {
    /// Returns what the room's media needs to know at its start.
    pub fn media_spec(&self) -> RoomSpec {
        RoomSpec {
            room: self.name.shared(),
            hold: Duration::from_millis(self.settings.hold_ms),
            keypoints: self.settings.keypoints,
            picture: self.picture(),
        }
    }

    /// Sets how often something of the room was begun again, and why the last time.
    pub fn set_rebuilds(&mut self, rebuilds: u32, because: Option<Arc<str>>) {
        (self.rebuilds, self.rebuilt_because) = (rebuilds, because);
    }

    /// Notes that the media is gone, and every connection with it. Places of participants are kept for `hold_ms`; pages
    /// and players connect again.
    pub fn lose_media(&mut self, reason: &str, now: Now) {
        self.media_open = false;
        let senders: Vec<PeerId> = self.members.iter().filter_map(Member::peer).collect();
        for peer in senders {
            self.effects.push(Effect::Close(peer, Closing::MediaFailed(reason.to_owned())));
            self.lose(peer, now);
        }
        let viewers: Vec<PeerId> = self.viewers.iter().map(|viewer| viewer.receiver.connection.peer).collect();
        for peer in viewers {
            self.drop_viewer(peer);
        }
        self.lose_outputs(now);
        self.report_room();
    }

    /// Gives new media what [`State::media_spec`] does not contain.
    pub fn take_media(&mut self, now: Now) {
        self.media_open = true;
        self.show_aux_pictures();
        self.effects.extend(self.members.iter().map(|member| Effect::Media(member.order_gain())));
        self.start_outputs(now);
        self.music = None;
        self.loudness = Loudness::default();
        self.choose_music();
        self.report_room();
    }

    /// Returns whether connections can be made now.
    ///
    /// # Errors
    /// [`RoomError::Unavailable`] while new media is waited for.
    pub(super) fn check_media(&self) -> Result<(), RoomError> {
        if self.media_open {
            return Ok(());
        }
        Err(RoomError::Unavailable("the room's media broke and is opened again: try again in some seconds".to_owned()))
    }
}
