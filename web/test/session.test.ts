import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { PeerHandlers } from "../src/peer";
import { Session, type ConnectionState } from "../src/session";

class FakeSocket {
  static readonly OPEN = 1;
  static all: FakeSocket[] = [];
  readyState = 0;
  sent: { type: string; [key: string]: unknown }[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  constructor(readonly url: string) {
    FakeSocket.all.push(this);
  }
  send(text: string) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.readyState = 3;
  }
  opens() {
    this.readyState = FakeSocket.OPEN;
    this.onopen?.();
  }
  says(message: object) {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
  closes(code: number) {
    this.readyState = 3;
    this.onclose?.({ code });
  }
}

const latest = () => FakeSocket.all.at(-1)!;
const welcome = { type: "welcome", participant: { id: "p" }, resume: "secret", room: { participants: [] }, ice_servers: [] };

function session(resume: string | null = null, refused: string | null = null) {
  const states: [ConnectionState, string | null][] = [];
  const peers: { handlers: PeerHandlers; closed: boolean; candidates: (string | null)[] }[] = [];
  const made = new Session(
    {
      name: "ann", resume, receive: ["h264"], send: ["vp8"], url: "ws://host/session",
      whyRefused: async () => refused,
      makePeer: (_servers, handlers) => {
        const peer = { handlers, closed: false, candidates: [] as (string | null)[] };
        peers.push(peer);
        return {
          accept: async (sdp) => `answer to ${sdp}`,
          candidate: async (candidate) => void peer.candidates.push(candidate),
          useLocal: async () => undefined,
          close: () => void (peer.closed = true),
        };
      },
    },
    { state: (state, why) => states.push([state, why]), welcome: () => undefined, event: () => undefined, stream: () => undefined },
  );
  made.start();
  return { session: made, states, peers };
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeSocket);
  vi.spyOn(Math, "random").mockReturnValue(1);
  FakeSocket.all = [];
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe("a session", () => {
  it("joins, answers the offer and is connected", async () => {
    const { session: ann, states, peers } = session();
    ann.announce(true, false);
    latest().opens();
    expect(latest().sent[0]).toEqual({ type: "join", name: "ann", resume: null, receive: ["h264"], send: ["vp8"] });
    latest().says(welcome);
    expect(latest().sent[1]).toEqual({ type: "media", audio: true, video: false });
    latest().says({ type: "candidate", candidate: "candidate:1", mline: 0 });
    latest().says({ type: "offer", sdp: "v=0" });
    await vi.advanceTimersByTimeAsync(0);
    expect(latest().sent[2]).toEqual({ type: "answer", sdp: "answer to v=0" });
    expect(peers[0]!.candidates).toEqual(["candidate:1"]);
    latest().says({ type: "connected" });
    expect(states).toEqual([["connecting", null], ["connected", null]]);
  });

  it("holds its candidates until the answer is sent", async () => {
    const { peers } = session();
    latest().opens();
    latest().says(welcome);
    peers[0]!.handlers.candidate("candidate:early", 0);
    latest().says({ type: "offer", sdp: "v=0" });
    await vi.advanceTimersByTimeAsync(0);
    peers[0]!.handlers.candidate(null, 0);
    const sent = latest().sent.slice(2).map((message) => message.candidate ?? message.type);
    expect(sent).toEqual(["answer", "candidate:early", "candidate"]);
  });

  it("takes its place back with the secret after the socket is lost", () => {
    const { states, peers } = session();
    latest().opens();
    latest().says(welcome);
    latest().says({ type: "connected" });
    latest().closes(1006);
    expect(states.at(-1)).toEqual(["reconnecting", null]);
    expect(peers[0]!.closed).toBe(true);
    vi.advanceTimersByTime(499);
    expect(FakeSocket.all).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(FakeSocket.all).toHaveLength(2);
    latest().opens();
    expect(latest().sent[0]).toMatchObject({ type: "join", resume: "secret" });
  });

  it("waits longer after each failure, and starts small again after a stable connection", async () => {
    session();
    for (const wait of [500, 1000, 2000]) {
      latest().closes(1006);
      const before = FakeSocket.all.length;
      await vi.advanceTimersByTimeAsync(wait - 1);
      expect(FakeSocket.all).toHaveLength(before);
      await vi.advanceTimersByTimeAsync(1);
      expect(FakeSocket.all).toHaveLength(before + 1);
    }
    latest().opens();
    latest().says(welcome);
    latest().says({ type: "connected" });
    await vi.advanceTimersByTimeAsync(20_000);
    latest().closes(4011);
    await vi.advanceTimersByTimeAsync(500);
    expect(FakeSocket.all).toHaveLength(5);
  });

  it("makes a new connection when the media is lost", () => {
    const { peers } = session();
    latest().opens();
    latest().says(welcome);
    latest().says({ type: "connected" });
    peers[0]!.handlers.lost("gone");
    expect(FakeSocket.all[0]!.readyState).toBe(3);
    vi.advanceTimersByTime(500);
    expect(FakeSocket.all).toHaveLength(2);
    peers[0]!.handlers.lost("told again by the old one");
    expect(latest().readyState).toBe(0);
  });

  it("gives up on a connection that never stands", () => {
    session();
    latest().opens();
    vi.advanceTimersByTime(15_000 + 500);
    expect(FakeSocket.all).toHaveLength(2);
  });

  it("stays away when it was replaced, and when the server refuses", async () => {
    const replaced = session();
    latest().opens();
    latest().closes(4008);
    expect(replaced.states.at(-1)?.[0]).toBe("closed");

    const refused = session(null, "wrong token");
    latest().closes(1006);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(refused.states.at(-1)).toEqual(["closed", "wrong token"]);
    expect(FakeSocket.all).toHaveLength(2);
  });

  it("tells the room when it leaves", () => {
    const { session: ann, states } = session();
    latest().opens();
    ann.leave();
    expect(latest().sent.at(-1)).toEqual({ type: "leave" });
    expect(states.at(-1)).toEqual(["closed", null]);
    vi.advanceTimersByTime(60_000);
    expect(FakeSocket.all).toHaveLength(1);
  });
});
