import { beforeEach, describe, expect, it, vi } from "vitest";

import { Client } from "../src/client";
import { Directing } from "../src/directing";
import type { RoomEvent, RoomState } from "../src/protocol";

/** What the tools were asked for, in order. */
const done = vi.hoisted(() => [] as string[]);
const loads = vi.hoisted(() => ({ fail: false }));

vi.mock("../src/studio/desk", () => ({
  Desk: class {
    constructor() {
      if (loads.fail) throw new Error("gone");
    }
    clear = () => done.push("clear");
    close = () => done.push("close");
    enter = ({ room }: RoomState) => done.push(`enter ${room}`);
    event = ({ type }: RoomEvent) => done.push(type);
    moderate = (id: string) => done.push(`moderate ${id}`);
  },
}));

const ended: RoomEvent = { type: "room_ended" };
const state = (room: string) => ({ room }) as RoomState;

function directing() {
  const view = { dataset: {} } as HTMLElement;
  const troubles: string[] = [];
  const handlers = { room: () => "demo", save: () => undefined, trouble: (text: string) => troubles.push(text) };
  return { view, troubles, tools: new Directing(new Client(null), view, handlers) };
}

/** Tools on a page that shows its first picture already. */
function pictured() {
  const page = directing();
  page.tools.pictured();
  return page;
}

beforeEach(() => {
  done.length = 0;
  loads.fail = false;
});

describe("the tools of those who direct", () => {
  it("are not loaded for guests", async () => {
    const { tools, view } = directing();
    tools.enter(state("demo"), false);
    tools.event(ended, []);
    tools.moderate("p", { volume: 1 });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([done, view.dataset.directs]).toEqual([[], "false"]);
  });

  it("wait for the first picture", async () => {
    const { tools, view } = directing();
    vi.useFakeTimers();
    tools.enter(state("demo"), true);
    await vi.advanceTimersByTimeAsync(4_000);
    expect([done, view.dataset.directs]).toEqual([[], "false"]);
    tools.pictured();
    vi.useRealTimers();
    await vi.waitFor(() => expect(view.dataset.directs).toBe("true"));
    expect(done).toEqual(["enter demo"]);
  });

  it("come after five seconds where no picture comes", async () => {
    const { tools, view } = directing();
    vi.useFakeTimers();
    tools.enter(state("demo"), true);
    await vi.advanceTimersByTimeAsync(5_000);
    vi.useRealTimers();
    await vi.waitFor(() => expect(view.dataset.directs).toBe("true"));
    expect(done).toEqual(["enter demo"]);
  });

  it("hear what happened while they were on their way, in order", async () => {
    const { tools, view } = pictured();
    tools.enter(state("demo"), true);
    tools.event(ended, []);
    tools.moderate("p", { volume: 1 });
    expect(view.dataset.directs).toBe("false");
    await vi.waitFor(() => expect(view.dataset.directs).toBe("true"));
    tools.event({ type: "output_removed", id: "o" }, []);
    expect(done).toEqual(["enter demo", "room_ended", "moderate p", "output_removed"]);
  });

  it("start over in another room, and go for one who directs no more", async () => {
    const { tools, view } = pictured();
    tools.enter(state("first"), true);
    tools.clear();
    tools.enter(state("second"), true);
    await vi.waitFor(() => expect(view.dataset.directs).toBe("true"));
    expect(done).toEqual(["enter second"]);
    tools.enter(state("second"), false);
    expect([done.at(-1), view.dataset.directs]).toEqual(["close", "false"]);
  });

  it("are missed aloud, and tried again", async () => {
    const { tools, troubles, view } = pictured();
    loads.fail = true;
    tools.enter(state("demo"), true);
    await vi.waitFor(() => expect(troubles).toEqual([expect.stringContaining("Reload the page")]));
    loads.fail = false;
    tools.enter(state("demo"), true);
    await vi.waitFor(() => expect(view.dataset.directs).toBe("true"));
    expect(done).toEqual(["enter demo"]);
  });
});
