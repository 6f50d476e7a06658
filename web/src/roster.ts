/** The people in the room, kept up to date from the room's events. */

import type { Participant, RoomEvent } from "./protocol";
import { stageWord, stageWords } from "./staging";

/** Returns people in order of joining after `event`; the same list when the event is about something else. */
export function follow(people: readonly Participant[], event: RoomEvent): readonly Participant[] {
  switch (event.type) {
    case "participant_joined":
    case "participant_changed": {
      const { participant } = event;
      const known = people.some((person) => person.id === participant.id);
      return known
        ? people.map((person) => (person.id === participant.id ? participant : person))
        : [...people, participant];
    }
    case "participant_left":
      return people.filter((person) => person.id !== event.id);
    case "speaking":
      return people.map((person) => (person.id === event.id ? { ...person, speaking: event.speaking } : person));
    case "room_changed":
      return event.room.participants;
    case "room_ended":
      return [];
    default:
      return people;
  }
}

/** Returns why someone is not seen, for themselves and for those who direct: nobody else can mend it. */
export function trouble(person: Participant, self: boolean, directs: boolean): string | null {
  return self || directs ? (person.problem ?? null) : null;
}

/** Returns whether nobody is found in the pictures of someone whose camera is on and whom a layer cuts out. */
export function lost(person: Participant): boolean {
  return person.lost && person.video && person.state === "connected";
}

/** Returns what to do for someone who is lost, in words to themselves. */
export function lostWords(self: Participant | undefined): string | null {
  return self && lost(self) ? "The camera sees nobody: sit where it sees you, or turn on a light." : null;
}

/** Returns why the person at this page is not seen, in words to themselves; `null`: they are. */
export function ownWords(self: Participant | undefined): string | null {
  return stageWords(self) ?? lostWords(self);
}

/** Returns what a screen reader and a tooltip say of someone, after the name. */
export function describe(person: Participant, self: boolean): string {
  const words = [
    self ? "you" : "",
    person.state === "away" ? "away" : person.state === "connecting" ? "connecting" : "",
    person.muted ? "silenced by a moderator" : person.audio ? "" : "muted",
    person.video ? "" : "no camera",
    lost(person) ? "the camera sees nobody" : "",
    stageWord(person),
    person.hidden ? "hidden" : "",
    person.speaking ? "speaking" : "",
  ];
  return words.filter(Boolean).join(", ");
}
