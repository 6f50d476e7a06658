import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { ConnectionHandlers } from "../src/connection";
import type { Delivery, Shown } from "../src/protocol";
import type { ReceiverHandlers } from "../src/receiver";
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

interface FakeSender {
  handlers: ConnectionHandlers;
  closed: boolean;
  candidates: (string | null)[];
  shown: Shown[];
}

interface FakeReceiver {
  handlers: ReceiverHandlers;
  closed: boolean;
  answers: string[];
}

function session(resume: string | null = null, refused: string | null = null) {
  const states: [ConnectionState, string | null][] = [];
  const senders: FakeSender[] = [];
  const receivers: FakeReceiver[] = [];
  const told: { receiving: number; deliveries: Delivery[]; streams: MediaStream[] } = { receiving: 0, deliveries: [], streams: [] };
  const made = new Session(
    {
      name: "ann", resume, receive: ["h264"], send: ["vp8"], url: "ws://host/session",
      whyRefused: async () => refused,
      makeSender: (_servers, handlers) => {
        const sender: FakeSender = { handlers, closed: false, candidates: [], shown: [] };
        senders.push(sender);
        return {
          accept: async (sdp) => `answer to ${sdp}`,
          candidate: async (candidate) => void sender.candidates.push(candidate),
          useLocal: async () => undefined,
          shown: async ({ width, height, fps }) => void sender.shown.push({ width, height, fps }),
          close: () => void (sender.closed = true),
        };
      },
      makeReceiver: (_servers, handlers) => {
        const receiver: FakeReceiver = { handlers, closed: false, answers: [] };
        receivers.push(receiver);
        return {
          offer: async () => `offer ${receivers.length}`,
          accept: async (sdp) => {
            if (sdp === "broken") throw new Error("broken");
            receiver.answers.push(sdp);
          },
          close: () => void (receiver.closed = true),
        };
      },
    },
    {
      state: (state, why) => states.push([state, why]),
      welcome: () => undefined,
      event: () => undefined,
      stream: (stream) => told.streams.push(stream),
      receiving: () => void (told.receiving += 1),
      delivery: (message) => told.deliveries.push(message),
    },
  );
  made.start();
  return { session: made, states, senders, receivers, told };
}

/** From the open socket to media both ways. */
async function connects({ receivers }: { receivers: FakeReceiver[] }) {
  latest().opens();
  latest().says(welcome);
  await vi.advanceTimersByTimeAsync(0);
  latest().says({ type: "answer", sdp: "v=0" });
  await vi.advanceTimersByTimeAsync(0);
  receivers.at(-1)!.handlers.connected();
  latest().says({ type: "connected" });
}

const sentTypes = () => latest().sent.map(({ type }) => type);

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
  it("joins, answers the offer, makes its own and is connected when both stand", async () => {
    const { session: ann, states, senders, receivers, told } = session();
    ann.announce(true, false);
    latest().opens();
    expect(latest().sent[0]).toEqual({ type: "join", name: "ann", resume: null, receive: ["h264"], send: ["vp8"] });
    latest().says(welcome);
    expect(latest().sent[1]).toEqual({ type: "media", audio: true, video: false });
    await vi.advanceTimersByTimeAsync(0);
    expect(latest().sent[2]).toEqual({ type: "receive", sdp: "offer 1" });
    latest().says({ type: "candidate", candidate: "candidate:1", mline: 0 });
    latest().says({ type: "offer", sdp: "v=0" });
    await vi.advanceTimersByTimeAsync(0);
    expect(latest().sent[3]).toEqual({ type: "answer", sdp: "answer to v=0" });
    expect(senders[0]!.candidates).toEqual(["candidate:1"]);
    expect(told.receiving).toBe(0);
    latest().says({ type: "answer", sdp: "v=1" });
    await vi.advanceTimersByTimeAsync(0);
    expect(receivers[0]!.answers).toEqual(["v=1"]);
    expect(told.receiving).toBe(1);
    latest().says({ type: "connected" });
    expect(states).toEqual([["connecting", null]]);
    receivers[0]!.handlers.connected();
    expect(states).toEqual([["connecting", null], ["connected", null]]);
  });

  it("holds each connection's candidates until its description is sent", async () => {
    const { senders, receivers } = session();
    latest().opens();
    latest().says(welcome);
    senders[0]!.handlers.candidate("candidate:early", 0);
    receivers[0]!.handlers.candidate("candidate:mine", 1);
    expect(sentTypes()).toEqual(["join", "media"]);
    await vi.advanceTimersByTimeAsync(0);
    expect(latest().sent.slice(2)).toEqual([
      { type: "receive", sdp: "offer 1" },
      { type: "candidate", candidate: "candidate:mine", mline: 1, connection: "receive" },
    ]);
    latest().says({ type: "offer", sdp: "v=0" });
    await vi.advanceTimersByTimeAsync(0);
    senders[0]!.handlers.candidate(null, 0);
    expect(latest().sent.slice(4)).toEqual([
      { type: "answer", sdp: "answer to v=0" },
      { type: "candidate", candidate: "candidate:early", mline: 0 },
      { type: "candidate", candidate: null, mline: 0 },
    ]);
  });

  it("passes on what is shown and delivered, and says what it can use", async () => {
    const ann = session();
    await connects(ann);
    latest().says({ type: "shown", width: 640, height: 360, fps: 30 });
    const delivery: Delivery = { type: "delivery", rendition: "360p", reason: "slow network", renditions: ["720p", "360p"] };
    latest().says(delivery);
    expect(ann.senders[0]!.shown).toEqual([{ width: 640, height: 360, fps: 30 }]);
    expect(ann.told.deliveries).toEqual([delivery]);
    const view = { height: 720, hidden: false, dropped: 0, save_data: false, rendition: "auto" };
    ann.session.view(view);
    expect(latest().sent.at(-1)).toEqual({ type: "view", ...view });
    ann.session.ready(true);
    expect(latest().sent.at(-1)).toEqual({ type: "ready", ready: true });
  });

  it("makes only the receiving connection again when only that is lost", async () => {
    const ann = session();
    await connects(ann);
    ann.receivers[0]!.handlers.lost("media stopped");
    expect(ann.states.at(-1)).toEqual(["reconnecting", null]);
    expect(ann.receivers[0]!.closed).toBe(true);
    await vi.advanceTimersByTimeAsync(500);
    expect(latest().sent.at(-1)).toEqual({ type: "receive", sdp: "offer 2" });
    ann.receivers[0]!.handlers.lost("reported again by the old one");
    latest().says({ type: "answer", sdp: "v=2" });
    await vi.advanceTimersByTimeAsync(0);
    expect(ann.told.receiving).toBe(2);
    ann.receivers[1]!.handlers.connected();
    expect(ann.states.at(-1)).toEqual(["connected", null]);
    expect(ann.senders).toHaveLength(1);
    expect(ann.senders[0]!.closed).toBe(false);
    expect(FakeSocket.all).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(FakeSocket.all).toHaveLength(1);
  });

  it("starts over when the receiving connection is lost three times in a row", async () => {
    vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const ann = session();
    await connects(ann);
    ann.receivers[0]!.handlers.lost("no way through the network");
    await vi.advanceTimersByTimeAsync(500);
    latest().says({ type: "answer", sdp: "broken" });
    await vi.advanceTimersByTimeAsync(999);
    expect(ann.receivers).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1);
    expect(ann.receivers).toHaveLength(3);
    ann.receivers[2]!.handlers.lost("no way through the network");
    expect(ann.senders[0]!.closed).toBe(true);
    await vi.advanceTimersByTimeAsync(500);
    expect(FakeSocket.all).toHaveLength(2);
  });

  it("counts losses from one again after the receiving connection stood for long", async () => {
    const ann = session();
    await connects(ann);
    for (let loss = 1; loss <= 4; loss += 1) {
      await vi.advanceTimersByTimeAsync(10_000);
      ann.receivers.at(-1)!.handlers.lost("media stopped");
      await vi.advanceTimersByTimeAsync(500);
      ann.receivers.at(-1)!.handlers.connected();
    }
    expect(ann.receivers).toHaveLength(5);
    expect(FakeSocket.all).toHaveLength(1);
  });

  it("starts over when the receiving connection is not back in time", async () => {
    const ann = session();
    await connects(ann);
    ann.receivers[0]!.handlers.lost("media stopped");
    await vi.advanceTimersByTimeAsync(15_000 + 500);
    expect(FakeSocket.all).toHaveLength(2);
  });

  it("does not wait to receive again when the network is back", async () => {
    const ann = session();
    await connects(ann);
    ann.receivers[0]!.handlers.lost("media stopped");
    ann.session.hurry();
    expect(ann.receivers).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1000);
    expect(ann.receivers).toHaveLength(2);
  });

  it("takes its place back with the secret after the socket is lost", async () => {
    const ann = session();
    await connects(ann);
    latest().closes(1006);
    expect(ann.states.at(-1)).toEqual(["reconnecting", null]);
    expect([ann.senders[0]!.closed, ann.receivers[0]!.closed]).toEqual([true, true]);
    vi.advanceTimersByTime(499);
    expect(FakeSocket.all).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(FakeSocket.all).toHaveLength(2);
    latest().opens();
    expect(latest().sent[0]).toMatchObject({ type: "join", resume: "secret" });
  });

  it("waits longer after each failure, and starts small again after a stable connection", async () => {
    const ann = session();
    for (const wait of [500, 1000, 2000]) {
      latest().closes(1006);
      const before = FakeSocket.all.length;
      await vi.advanceTimersByTimeAsync(wait - 1);
      expect(FakeSocket.all).toHaveLength(before);
      await vi.advanceTimersByTimeAsync(1);
      expect(FakeSocket.all).toHaveLength(before + 1);
    }
    await connects(ann);
    await vi.advanceTimersByTimeAsync(20_000);
    latest().closes(4011);
    await vi.advanceTimersByTimeAsync(500);
    expect(FakeSocket.all).toHaveLength(5);
  });

  it("makes new connections when the sending one is lost", async () => {
    const ann = session();
    await connects(ann);
    ann.senders[0]!.handlers.lost("gone");
    expect(FakeSocket.all[0]!.readyState).toBe(3);
    vi.advanceTimersByTime(500);
    expect(FakeSocket.all).toHaveLength(2);
    ann.senders[0]!.handlers.lost("reported again by the old one");
    expect(latest().readyState).toBe(0);
  });

  it("gives up on connections of which one never stands", async () => {
    const { receivers } = session();
    latest().opens();
    await vi.advanceTimersByTimeAsync(15_000 + 500);
    expect(FakeSocket.all).toHaveLength(2);
    latest().opens();
    latest().says(welcome);
    receivers[0]!.handlers.connected();
    await vi.advanceTimersByTimeAsync(15_000 + 1000);
    expect(FakeSocket.all).toHaveLength(3);
    latest().opens();
    latest().says(welcome);
    latest().says({ type: "connected" });
    await vi.advanceTimersByTimeAsync(15_000 + 2000);
    expect(FakeSocket.all).toHaveLength(4);
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

  it("lets the room know when it leaves", () => {
    const { session: ann, states } = session();
    latest().opens();
    ann.leave();
    expect(latest().sent.at(-1)).toEqual({ type: "leave" });
    expect(states.at(-1)).toEqual(["closed", null]);
    vi.advanceTimersByTime(60_000);
    expect(FakeSocket.all).toHaveLength(1);
  });
});
