import { describe, expect, it } from "vitest";

import { afterClose, parseMessage, sessionUrl, type Participant, type RoomEvent } from "../src/protocol";
import { describe as say, follow, lost, lostWords, ownWords, trouble } from "../src/roster";
import { isOffAir } from "../src/staging";

const person = (id: string, more: Partial<Participant> = {}): Participant => ({
  id, name: id, role: "participant", joined_at: "2026-01-01T00:00:00Z", state: "connected", audio: true, video: true, size: null, speaking: false,
  muted: false, volume: 1, pan: 0, hidden: false, stage: "on_air", problem: null, lost: false, ...more,
});

describe("parseMessage", () => {
  it("reads what the server sends", () => {
    expect(parseMessage('{"type":"offer","sdp":"v=0"}')).toEqual({ type: "offer", sdp: "v=0" });
    expect(parseMessage('{"type":"candidate","candidate":null}')).toEqual({ type: "candidate", candidate: "", mline: 0 });
    expect(parseMessage('{"type":"error","problem":{"detail":"room is full","status":403}}')).toMatchObject({
      type: "error", problem: { detail: "room is full" },
    });
    const welcome = { type: "welcome", participant: person("p"), resume: "s", room: { participants: [] } };
    expect(parseMessage(JSON.stringify(welcome))).toMatchObject({ type: "welcome", resume: "s", ice_servers: [] });
  });
  it("reads what belongs to the two connections", () => {
    const delivery = { type: "delivery", rendition: "360p", reason: "slow network", renditions: ["720p", "360p"] };
    const shown = { type: "shown", width: 640, height: 360, fps: 30 };
    for (const message of [{ type: "answer", sdp: "v=0" }, delivery, { ...delivery, rendition: null }, shown]) {
      expect(parseMessage(JSON.stringify(message))).toEqual(message);
    }
  });
  it("reads what triggers do", () => {
    const photo = { id: "p", trigger: "smile", width: 1280, height: 720, taken_at: "2026-01-01T12:00:00Z" };
    const events: RoomEvent[] = [
      { type: "trigger_fired", trigger: "wave", participants: ["1"], events: [] },
      { type: "photo_taken", photo },
    ];
    for (const event of events) expect(parseMessage(JSON.stringify({ type: "event", event }))).toEqual({ type: "event", event });
    for (const event of [{ type: "trigger_fired" }, { type: "photo_taken" }]) {
      expect(parseMessage(JSON.stringify({ type: "event", event }))).toBeNull();
    }
  });
  it("passes over what it does not know or what is broken", () => {
    for (const text of ["", "[]", "null", '{"type":"news"}', '{"type":"offer"}', '{"type":"welcome"}', '{"type":"answer"}',
      '{"type":"delivery","reason":"start","renditions":[]}', '{"type":"delivery","rendition":"360p","reason":"start"}',
      '{"type":"shown","width":640,"height":360}', '{"type":"event"}',
      '{"type":"event","event":{"type":"output_removed"}}', '{"type":"event","event":{"type":"speaking"}}']) {
      expect(parseMessage(text)).toBeNull();
    }
  });
});

describe("afterClose", () => {
  it("comes back after a lost network and failed media", () => {
    for (const code of [1000, 1001, 1006, 1011, 4000, 4011]) expect(afterClose(code, null, false).reconnect).toBe(true);
  });
  it("stays away when replaced, removed or refused", () => {
    for (const code of [4001, 4003, 4008, 4009]) expect(afterClose(code, null, false).reconnect).toBe(false);
    expect(afterClose(4003, "room is full", false)).toEqual({ reconnect: false, why: "room is full" });
  });
  it("tries once more without a place that the server has forgotten", () => {
    expect(afterClose(4003, null, true)).toEqual({ reconnect: true, fresh: true });
  });
});

describe("sessionUrl", () => {
  it("follows the page's scheme and passes the token", () => {
    expect(sessionUrl("https://host:8443", "demo", "a b")).toBe("wss://host:8443/api/v1/rooms/demo/session?token=a+b");
    expect(sessionUrl("http://localhost", "demo", null)).toBe("ws://localhost/api/v1/rooms/demo/session");
    expect(sessionUrl("https://host/studio/", "demo", null)).toBe("wss://host/studio/api/v1/rooms/demo/session");
  });
});

describe("the roster", () => {
  it("follows joins, changes, speaking and leaving", () => {
    const events: RoomEvent[] = [
      { type: "participant_joined", participant: person("b") },
      { type: "participant_changed", participant: person("a", { audio: false }) },
      { type: "speaking", id: "b", speaking: true },
      { type: "participant_joined", participant: person("c") },
      { type: "participant_left", id: "c", name: "c", reason: "left" },
    ];
    const people = events.reduce(follow, [person("a")] as readonly Participant[]);
    expect(people).toEqual([person("a", { audio: false }), person("b", { speaking: true })]);
  });
  it("leaves the list alone for other events", () => {
    const people = [person("a")];
    expect(follow(people, { type: "layout_changed", revision: 2, layout: {}, boxes: [] })).toBe(people);
  });
  it("has words for what the icons show", () => {
    expect(say(person("a", { audio: false, video: false, state: "away" }), true)).toBe("you, away, muted, no camera");
    expect(say(person("a", { muted: true, speaking: true }), false)).toBe("silenced by a moderator, speaking");
  });
  it("shows why someone is not seen to themselves and to those who direct", () => {
    const problem = "the picture is too large";
    const people = follow([person("a")], { type: "participant_changed", participant: person("a", { problem }) });
    const shown = ([self, directs]: [boolean, boolean]) => trouble(people[0]!, self, directs);
    expect(([[true, false], [false, true], [false, false]] as [boolean, boolean][]).map(shown)).toEqual([problem, problem, null]);
    const mended = follow(people, { type: "participant_changed", participant: person("a") });
    expect(trouble(mended[0]!, true, true)).toBeNull();
  });
  it("warns someone in whose pictures nobody is found while their camera is on", () => {
    const changed = (more: Partial<Participant>) =>
      follow([person("a"), person("b")], { type: "participant_changed", participant: person("a", more) })[0];
    const warning = "The camera sees nobody: sit where it sees you, or turn on a light.";
    expect(lostWords(changed({ lost: true }))).toBe(warning);
    for (const more of [{}, { lost: true, video: false }, { lost: true, state: "away" as const }]) {
      expect(lostWords(changed(more))).toBeNull();
      expect(lost(changed(more)!)).toBe(false);
    }
    expect(lostWords(undefined)).toBeNull();
    expect(say(changed({ lost: true })!, false)).toBe("the camera sees nobody");
    // A server of before knows nothing of it.
    const { lost: _, ...older } = person("a");
    expect(lostWords(older as Participant)).toBeNull();
  });
  it("says to people, and of them, that they are not on air", () => {
    const backstage = person("a", { stage: "backstage" });
    const ready = person("a", { stage: "ready", lost: true });
    expect([backstage, ready].map((one) => [isOffAir(one), say(one, true)])).toEqual([
      [true, "you, backstage"],
      [true, "you, the camera sees nobody, ready"],
    ]);
    expect(ownWords(backstage)).toBe("You are backstage: you are not in the programme until you are put on air.");
    expect(ownWords(ready)).toBe("You are ready: you are not in the programme until you are put on air.");
    expect([isOffAir(person("a")), ownWords(person("a")), ownWords(undefined)]).toEqual([false, null, null]);
    expect(ownWords(person("a", { lost: true }))).toBe(lostWords(person("a", { lost: true })));
    // A server of before knows nothing of it.
    const { stage: _, ...older } = person("a");
    expect([isOffAir(older as Participant), say(older as Participant, false)]).toEqual([false, ""]);
  });
});
