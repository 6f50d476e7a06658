import { describe, expect, it } from "vitest";

import type { Answer } from "../src/studio/api";
import { ApiError, readProblem } from "../src/problem";
import { applied, merged, type Edit } from "../src/studio/edits";
import { readLayout, type Json, type Layer, type Layout } from "../src/studio/model";
import { LayoutStore, type LayoutApi } from "../src/studio/store";
import { Stream } from "../src/studio/stream";

/** A server in memory, which answers when it is asked to. */
class Server implements LayoutApi {
  layout: Layout = readLayout({ layers: [{ id: "a", source: {}, x: 0, y: 0 }, { id: "b", source: {}, x: 5 }] });
  revision = 1;
  log: [string, unknown][] = [];
  refuse: string | null = null;
  /** While set, requests wait. */
  gate: Promise<void> | null = null;
  running = 0;
  most = 0;

  private async change(what: string, body: unknown, next: () => unknown, revision: number | null = null): Promise<Answer> {
    this.log.push([what, body]);
    this.most = Math.max(this.most, (this.running += 1));
    await this.gate;
    this.running -= 1;
    if (this.refuse) throw new ApiError(readProblem({ detail: this.refuse }, 422));
    if (revision !== null && revision !== this.revision) throw new ApiError(readProblem({}, 412));
    this.layout = readLayout(next());
    this.revision += 1;
    return this.answer();
  }

  answer(): Answer {
    return { layout: structuredClone(this.layout), revision: this.revision };
  }

  async getLayout(): Promise<Answer> {
    return this.answer();
  }
  putLayout(layout: unknown): Promise<Answer> {
    return this.change("put", layout, () => layout);
  }
  patchLayout(patch: unknown, revision: number | null = null): Promise<Answer> {
    return this.change("patch", patch, () => merged(this.layout, patch), revision);
  }
  patchLayer(id: string, patch: unknown): Promise<Answer> {
    const edit: Edit = { kind: "layer", id, now: id, patch: patch as Json, back: {} };
    return this.change(id, patch, () => applied(this.layout, edit));
  }
  deleteLayer(id: string): Promise<Answer> {
    return this.change(`delete ${id}`, null, () => ({ ...this.layout, layers: this.layout.layers.filter((each) => each.id !== id) }));
  }
  layer(id: string): Layer | undefined {
    return this.layout.layers.find((each) => each.id === id);
  }
}

function setup() {
  const server = new Server();
  const troubles: unknown[] = [];
  const said: string[] = [];
  const store = new LayoutStore(server, { changed: () => undefined, trouble: (error) => troubles.push(error), tell: (text) => said.push(text) });
  store.reset(server.layout, server.revision);
  const x = (id = "a") => store.layout.layers.find((each) => each.id === id)?.x;
  return { server, store, troubles, said, x };
}

describe("the layout's store", () => {
  it("shows a drag at once, sends the newest only, and undoes it as one step", async () => {
    const { server, store, x, said } = setup();
    let open = () => undefined as void;
    server.gate = new Promise((resolve) => (open = resolve));
    expect(store.hold("a", "move of a")).toBe(true);
    for (let at = 1; at <= 20; at += 1) store.draft({ x: at });
    expect(x()).toBe(20);
    const released = store.release();
    expect(x()).toBe(20);
    open();
    await released;
    expect(server.log.length).toBeLessThanOrEqual(2);
    expect(server.most).toBe(1);
    expect(server.layer("a")?.x).toBe(20);
    await store.undo();
    expect(server.layer("a")?.x).toBe(0);
    expect(said).toEqual(["Undone: move of a"]);
    await store.redo();
    expect(server.layer("a")?.x).toBe(20);
  });

  it("waits for an answer to what was sent of a layer, and knows which revision it made", async () => {
    const { server, store } = setup();
    store.hold("a", "move of a");
    store.draft({ x: 7 });
    expect([store.waits("a"), store.waits("b"), store.answered]).toEqual([true, false, -1]);
    const released = store.release();
    expect(store.waits("a")).toBe(true);
    await released;
    expect([store.waits("a"), store.answered]).toEqual([false, server.revision]);
    const undone = store.undo();
    await Promise.resolve();
    expect([store.waits("a"), store.waits("b")]).toEqual([true, false]);
    await undone;
    expect([store.waits("a"), store.answered]).toEqual([false, server.revision]);
    const replaced = store.edit("layout", [{ kind: "whole", after: { layers: [] }, before: store.layout }]);
    expect(store.waits("b")).toBe(true);
    await replaced;
  });

  it("keeps what others change meanwhile", async () => {
    const { server, store, x } = setup();
    store.hold("a", "move");
    store.draft({ x: 7 });
    server.layout = applied(server.layout, { kind: "layer", id: "b", now: "b", patch: { x: 99 }, back: {} });
    server.revision += 5;
    store.take(server.answer());
    expect([x("a"), x("b")]).toEqual([7, 99]);
    await store.release();
    await store.undo();
    expect([server.layer("a")?.x, server.layer("b")?.x]).toEqual([0, 99]);
  });

  it("passes over older news", () => {
    const { server, store, x } = setup();
    store.take({ layout: { layers: [] }, revision: server.revision - 1 });
    expect(x()).toBe(0);
  });

  it("puts a layer back when a drag is given up", async () => {
    const { server, store } = setup();
    store.hold("a", "move");
    store.draft({ x: 7 });
    await store.cancel();
    expect(server.layer("a")?.x).toBe(0);
    expect(store.history.canUndo).toBe(false);
  });

  it("shows again what is, when the server refuses, and says why", async () => {
    const { server, store, troubles, x } = setup();
    server.refuse = "no";
    expect(await store.edit("change", [{ kind: "layer", id: "a", now: "a", patch: { x: 3 }, back: { x: 0 } }])).toBe(false);
    expect([x(), troubles.length, store.history.canUndo]).toEqual([0, 1, false]);
    store.hold("a", "move");
    store.draft({ x: 7 });
    await store.release();
    expect([x(), troubles.length, store.history.canUndo]).toEqual([0, 2, false]);
  });

  it("adds on top of what others added at the same time", async () => {
    const { server, store } = setup();
    server.layout = applied(server.layout, { kind: "add", layer: { id: "theirs", source: {} }, index: 0 });
    server.revision += 1;
    expect(await store.edit("adding", [{ kind: "add", layer: { id: "mine", source: {} }, index: 2 }])).toBe(true);
    expect(server.layout.layers.map(({ id }) => id).sort()).toEqual(["a", "b", "mine", "theirs"]);
  });

  it("undoes taking someone over together with the drag that did it", async () => {
    const { server, store } = setup();
    void store.edit("placing", [{ kind: "add", layer: { id: "ann", source: {}, x: 1 }, index: 0 }]);
    expect(store.hold("ann", "move of ann", true)).toBe(true);
    store.draft({ x: 50 });
    await store.release();
    expect(server.layer("ann")?.x).toBe(50);
    await store.undo();
    expect(server.layer("ann")).toBeUndefined();
    expect(store.history.canUndo).toBe(false);
    await store.redo();
    expect(server.layer("ann")?.x).toBe(50);
  });

  it("brings a deleted layer back to its place in the list", async () => {
    const { server, store } = setup();
    await store.edit("deletion", [{ kind: "remove", layer: server.layout.layers[0] as Layer, index: 0 }]);
    expect(server.layout.layers.map(({ id }) => id)).toEqual(["b"]);
    await store.undo();
    expect(server.layout.layers.map(({ id }) => id)).toEqual(["a", "b"]);
  });
});

describe("a stream of values", () => {
  it("has one under way, and the newest wins", async () => {
    const sent: number[] = [];
    const stream = new Stream<number>(async (value) => {
      await Promise.resolve();
      sent.push(value);
    }, 0);
    for (let at = 1; at <= 9; at += 1) stream.push(at);
    await stream.flush();
    expect(sent.length).toBeLessThanOrEqual(2);
    expect(sent.at(-1)).toBe(9);
  });
});
