import { describe, expect, it } from "vitest";

import { color, copy, image, person, slot, taken } from "../src/studio/additions";
import { autoPlaces, waiting } from "../src/studio/autoplace";
import { applied, difference, inverse, layerEdit, layoutEdit, merged } from "../src/studio/edits";
import { boxArea, boxes, moveTo, type Facts } from "../src/studio/facts";
import { areaOf, placing, resized, turnedTo, withSize } from "../src/studio/geometry";
import { History } from "../src/studio/history";
import { readLayout, type Layer, type Layout } from "../src/studio/model";
import { freshId, sourceWords } from "../src/studio/names";
import { backToFront, reordered, topmost } from "../src/studio/order";
import { snapMoved, snapResized } from "../src/studio/snap";

const CANVAS = { width: 1280, height: 720 };
const WIDE = { aspect: 16 / 9, size: null };

function layer(rest: Record<string, unknown> = {}): Layer {
  return { id: "a", source: { participant: "ann" }, ...rest };
}

function layout(layers: Layer[], rest: Record<string, unknown> = {}): Layout {
  return readLayout({ layers, ...rest });
}

function facts(names: string[], rest: Partial<Facts> = {}): Facts {
  const people = names.map((name) => ({ name, size: { width: 640, height: 360 } }));
  return { people, speakers: [], images: new Map(), canCut: true, measure: (line, size) => line.length * size, ...rest };
}

describe("geometry", () => {
  it("finds a layer's rectangle as the server does", () => {
    expect(areaOf(layer(), CANVAS, WIDE)).toEqual({ x: 0, y: 0, width: 1280, height: 720 });
    expect(areaOf(layer({ x: "50%", y: 10, width: 320 }), CANVAS, WIDE)).toEqual({ x: 640, y: 10, width: 320, height: 180 });
    const corner = layer({ x: "98%", y: "98%", width: "25%", height: "25%", anchor: "bottom-right" });
    const area = areaOf(corner, CANVAS, WIDE);
    expect([area.x, area.y].map(Math.round)).toEqual([934, 526]);
    expect(areaOf(layer({ anchor: "bottom-right", scale: "50%" }), CANVAS, WIDE)).toEqual({ x: 640, y: 360, width: 640, height: 360 });
  });

  it("writes a place in the layer's own units and keys", () => {
    const to = { x: 64, y: 72, width: 640, height: 360 };
    expect(placing(layer({ x: 0, y: 0, width: "25%" }), CANVAS, WIDE, to)).toEqual({ x: 64, y: 72, width: "50%" });
    expect(placing(layer({ x: "0%", y: "0%", scale: "25%" }), CANVAS, WIDE, to)).toEqual({ x: "5%", y: "10%", scale: "50%" });
    const anchored = layer({ anchor: "center", x: "50%", y: "50%", width: 640, height: 360 });
    expect(placing(anchored, CANVAS, WIDE, to)).toEqual({ x: "30%", y: "35%" });
    const stretched = { ...to, height: 200 };
    expect(placing(layer({ x: 64, y: 72, width: 640 }), CANVAS, WIDE, stretched)).toEqual({ height: 200 });
    expect(placing(layer({ x: 64, y: 72, width: 640, height: 360 }), CANVAS, WIDE, to)).toEqual({});
  });

  it("lands where it was asked to, whatever the layer's keys are", () => {
    const to = { x: -100, y: 33, width: 333, height: 222 };
    for (const keys of [{}, { width: 10 }, { height: "10%" }, { scale: 0.5 }, { width: "3%", height: 4, anchor: "right" }]) {
      const before = layer(keys);
      const after = merged(before, placing(before, CANVAS, WIDE, to)) as Layer;
      const area = areaOf(after, CANVAS, WIDE);
      for (const key of ["x", "y", "width", "height"] as const) expect(Math.abs(area[key] - to[key]), key).toBeLessThan(1);
    }
  });

  it("resizes about the opposite corner, with the shape kept or not", () => {
    const area = { x: 100, y: 100, width: 320, height: 180 };
    expect(resized(area, 0, { x: 1, y: 1 }, 320, 180, true)).toEqual({ x: 100, y: 100, width: 640, height: 360 });
    const left = resized(area, 0, { x: -1, y: 0 }, 160, 0, true);
    expect([left.x + left.width, left.y + left.height / 2, left.width, left.height]).toEqual([420, 190, 160, 90]);
    expect(resized(area, 0, { x: 1, y: 1 }, 80, -80, false)).toEqual({ x: 100, y: 100, width: 400, height: 100 });
    const tiny = resized(area, 0, { x: 1, y: 1 }, -5000, -5000, true);
    expect(Math.min(tiny.width, tiny.height)).toBeGreaterThanOrEqual(8);
  });

  it("keeps the opposite corner of a turned area in place", () => {
    const area = { x: 100, y: 100, width: 200, height: 100 };
    const next = withSize(area, 90, { x: 1, y: 1 }, 300, 150);
    // Turned by 90°, the upper left corner is the upper right one on the canvas.
    const corner = (a: typeof area) => [a.x + a.width / 2 + a.height / 2, a.y + a.height / 2 - a.width / 2];
    expect(corner(next)).toEqual(corner(area));
  });

  it("turns to where the handle is, near a multiple of 45° to that", () => {
    const area = { x: 0, y: 0, width: 100, height: 100 };
    expect(turnedTo(area, 50, -100, false)).toBe(0);
    expect(turnedTo(area, 200, 52, false)).toBe(90);
    expect(turnedTo(area, 200, 52, true)).toBe(91);
    expect(turnedTo(area, -200, 50, false)).toBe(-90);
  });
});

describe("snapping", () => {
  it("draws edges and middle to the canvas's lines and to others", () => {
    const near = snapMoved({ x: 5, y: 300, width: 200, height: 113 }, false, CANVAS, [], 8);
    expect(near.area).toMatchObject({ x: 0, y: 303.5 });
    expect(near.guides).toEqual({ x: [0], y: [360] });
    const other = { x: 700, y: 500, width: 50, height: 50 };
    const beside = snapMoved({ x: 495, y: 50, width: 200, height: 100 }, false, CANVAS, [other], 8);
    expect(beside.area).toMatchObject({ x: 500, y: 50 });
    expect(beside.guides).toEqual({ x: [700], y: [] });
  });
  it("leaves alone what is farther, and everything when there is no reach", () => {
    const area = { x: 5, y: 5, width: 100, height: 100 };
    expect(snapMoved(area, false, CANVAS, [], 0).area).toEqual(area);
    expect(snapMoved({ ...area, x: 20, y: 20 }, false, CANVAS, [], 8).guides).toEqual({ x: [], y: [] });
  });
  it("keeps the shape of what is resized", () => {
    const area = { x: 0, y: 0, width: 636, height: 318 };
    const snapped = snapResized(area, false, { x: 1, y: 1 }, true, CANVAS, [], 8);
    expect(snapped.area).toEqual({ x: 0, y: 0, width: 640, height: 320 });
    expect(snapped.guides.x).toEqual([640]);
    expect(snapResized(area, true, { x: 1, y: 1 }, true, CANVAS, [], 8).area).toEqual(area);
  });
});

describe("edits", () => {
  it("merges and compares by RFC 7396", () => {
    expect(merged({ a: 1, b: { c: 2, d: 3 } }, { a: null, b: { c: 4 } })).toEqual({ b: { c: 4, d: 3 } });
    const [from, to] = [{ a: 1, b: { c: 2, d: 3 }, e: [1] }, { b: { c: 2 }, e: [2], f: 1 }];
    expect(difference(from, to)).toEqual({ a: null, b: { d: null }, e: [2], f: 1 });
    expect(merged(from, difference(from, to))).toEqual(to);
  });
  it("are taken back by their inverse", () => {
    const before = layout([layer({ x: 1, opacity: 0.5 }), layer({ id: "b" })], { auto: { mode: "off" } });
    const [first, second] = before.layers as [Layer, Layer];
    const edits = [
      layerEdit(first, { id: "a", source: first.source, x: 2, rotate: 3 }),
      layoutEdit(before, { canvas: { background: "#123456" }, auto: null }),
      { kind: "remove" as const, layer: first, index: 0 },
      { kind: "add" as const, layer: layer({ id: "c" }), index: 1 },
      { kind: "whole" as const, after: { layers: [second] }, before },
    ];
    for (const edit of edits) {
      if (!edit) throw new Error("an edit is missing");
      const after = applied(before, edit);
      expect(after).not.toEqual(before);
      expect(applied(after, inverse(edit))).toEqual(before);
      if (edit.kind !== "whole") expect(applied(after, edit)).toEqual(after);
    }
    expect(layerEdit(first, { ...first })).toBeNull();
  });
});

describe("history", () => {
  const step = (label: string) => ({ label, edits: [{ kind: "layer" as const, id: "a", now: "a", patch: { x: label }, back: { y: label } }] });
  const patches = (found: { edits: unknown[] } | null) => found?.edits.map((edit) => (edit as { patch: unknown }).patch);

  it("undoes and redoes, newest first", () => {
    const history = new History();
    history.push(step("1"));
    history.push(step("2"));
    expect(patches(history.undo())).toEqual([{ y: "2" }]);
    expect(patches(history.redo())).toEqual([{ x: "2" }]);
    history.undo();
    history.push(step("3"));
    expect(history.canRedo).toBe(false);
    expect(patches(history.undo())).toEqual([{ y: "3" }]);
    expect(patches(history.undo())).toEqual([{ y: "1" }]);
    expect(history.undo()).toBeNull();
  });
  it("takes quick steps of one kind for one, and joined ones", () => {
    const history = new History();
    history.push(step("1"), "move", 1000);
    history.push(step("2"), "move", 1500);
    history.push(step("3"), "move", 9000);
    history.join(step("4"));
    expect(patches(history.undo())).toEqual([{ y: "4" }, { y: "3" }]);
    expect(patches(history.undo())).toEqual([{ y: "2" }, { y: "1" }]);
  });
});

describe("order", () => {
  const pile = layout([layer({ id: "a" }), layer({ id: "b" }), layer({ id: "c", z: -1 }), layer({ id: "d", z: 9 })]);
  const moved = (id: string, by: "forward" | "back" | "front" | "bottom") => {
    const z = reordered(pile, id, by);
    return backToFront(layout(pile.layers.map((each) => (z.has(each.id) ? { ...each, z: z.get(each.id) } : each)))).join("");
  };

  it("is by z, then by the list", () => {
    expect(backToFront(pile).join("")).toBe("cabd");
    expect(topmost(pile.layers)).toBe(10);
  });
  it("changes by one place or all the way", () => {
    expect(moved("a", "forward")).toBe("cbad");
    expect(moved("b", "back")).toBe("cbad");
    expect(moved("a", "back")).toBe("acbd");
    expect(moved("c", "front")).toBe("abdc");
    expect(moved("d", "bottom")).toBe("dcab");
    expect(reordered(pile, "d", "forward").size).toBe(0);
    expect(reordered(pile, "nobody", "front").size).toBe(0);
  });
});

describe("people placed by auto", () => {
  const open = { auto: { mode: "grid", cutout: "none" } };

  it("are those whom no name and no slot takes", () => {
    const mixed = layout([layer(), { id: "s", source: { slot: 2 } }]);
    expect(waiting(mixed, facts(["ann", "bob", "eve", "kim"]).people).map(({ name }) => name)).toEqual(["bob", "kim"]);
  });
  it("have the server's tiles", () => {
    const areas = autoPlaces(layout([], open), facts(["a", "b", "c"])).map(({ area }) => area);
    expect(areas).toHaveLength(3);
    expect(areas[0]?.y).toBe(areas[1]?.y);
    expect(areas[2]?.x).toBeCloseTo((1280 - (areas[2]?.width ?? 0)) / 2);
    const row = autoPlaces(layout([], { auto: { mode: "row", cutout: "none" } }), facts(["a", "b", "c"]));
    expect(new Set(row.map(({ area }) => area.y)).size).toBe(1);
  });
  it("stand side by side where they are cut out", () => {
    const cut = layout([], { canvas: { background: "club.jpg" }, auto: { mode: "grid" } });
    const [left, right] = autoPlaces(cut, facts(["a", "b"]));
    expect(left).toMatchObject({ name: "a", cutout: "person" });
    expect(left && left.area.y + left.area.height).toBe(720);
    expect(left && right && right.area.x - left.area.x).toBe(640);
    expect(autoPlaces(cut, facts(["a", "b"], { canCut: false }))[0]?.cutout).toBe("none");
    expect(autoPlaces(layout([], { auto: { mode: "off" } }), facts(["a"]))).toEqual([]);
  });
  it("are large in the spotlight when they spoke last", () => {
    const spot = layout([], { auto: { mode: "spotlight", cutout: "none", gap: 0 } });
    const room = facts(["a", "b", "c"], { speakers: ["b", "a"] });
    const [large, ...small] = autoPlaces(spot, room);
    expect([large?.name, large?.area.x]).toEqual(["b", 0]);
    expect(small.map(({ name }) => name)).toEqual(["a", "c"]);
    for (const { area } of small) expect(area.x).toBeGreaterThanOrEqual(large?.area.width ?? 0);
    const cut = autoPlaces(layout([], { auto: { mode: "spotlight", cutout: "person" } }), room);
    expect(cut.map(({ name }) => name)).toEqual(["a", "c", "b"]);
    expect(cut.every(({ area }) => Math.abs(area.y + area.height - 720) < 1e-6)).toBe(true);
  });
  it("become layers where they are, behind all others", () => {
    const front = layout([layer({ id: "logo", source: { color: "#fff" }, z: 1 })], { ...open, auto: { mode: "grid", cutout: "person", threshold: 0.3 } });
    const edit = taken(front, facts(["bob"]), "bob");
    expect(edit?.layer).toMatchObject({ id: "bob", source: { participant: "bob" }, cutout: "person", threshold: 0.3 });
    expect(edit && backToFront(applied(front, edit))).toEqual(["bob", "logo"]);
    expect(taken(front, facts(["bob"]), "eve")).toBeNull();
  });
});

describe("additions", () => {
  it("lie nearer than everything, with an id of their own", () => {
    const some = layout([layer({ z: 4 }), layer({ id: "slot-1", source: { slot: 1 } })], { auto: { mode: "off" } });
    const room = facts(["ann", "bob"]);
    for (const edit of [person(some, room, "bob"), slot(some), image(some, "a logo.png", { width: 4000, height: 4000 }), color(some)]) {
      const after = applied(some, edit);
      expect(backToFront(after).at(-1)).toBe(edit.layer.id);
      expect(new Set(after.layers.map(({ id }) => id)).size).toBe(3);
      const { x, y, width, height } = boxArea(edit.layer, after, room);
      expect(x >= 0 && y >= 0 && x + width <= 1280 && y + height <= 720).toBe(true);
    }
    expect(slot(some).layer.source).toEqual({ slot: 2 });
    expect(image(some, "a logo.png", undefined).layer.id).toBe("a-logo");
    const twin = copy(some, layer({ cutout: "person", scale: 0.5 }), { x: 1, y: 2, width: 3, height: 4 });
    expect(twin.layer).toMatchObject({ id: "a-2", cutout: "person", x: 25, y: 26, width: 3, height: 4 });
  });
  it("have ids that the layout takes", () => {
    expect(freshId([], "Ünsere Bühne!.png")).toMatch(/^[A-Za-z0-9_-]+$/);
    expect(freshId([layer()], "a")).toBe("a-2");
    expect(freshId([], "¡¡")).toBe("layer");
  });
});

describe("boxes", () => {
  it("are there for layers and for people of auto, each at its height in the pile", () => {
    const mixed = layout([layer({ id: "back", source: { color: "#000" } }), layer({ id: "logo", source: { image: "l.png" }, z: 1 })]);
    const found = boxes(mixed, facts(["ann"]));
    const byRank = [...found].sort((a, b) => a.rank - b.rank).map(({ id, auto, empty }) => [id, auto, empty]);
    expect(byRank).toEqual([["back", false, false], ["ann", true, false], ["logo", false, true]]);
  });
  it("tell who is in a slot, and who is missing", () => {
    const slots = layout([layer({ id: "s", source: { slot: 1 } }), layer({ id: "t", source: { slot: 2 } })]);
    expect(boxes(slots, facts(["ann"])).map(({ words, empty }) => [words, empty])).toEqual([["slot 1, ann", false], ["slot 2", true]]);
    expect(sourceWords({ image: ["a.png", "b.png"] })).toBe("image a.png, b.png");
  });
});

describe("layers that place themselves", () => {
  it("follow someone: moving them changes the distance", () => {
    const beer = layer({ id: "beer", source: { image: "beer.png" }, follow: { layer: "a", keypoint: "nose", dx: 10, scale: 2 } });
    const scene = layout([layer({ x: 100, y: 100, width: 640, height: 360 }), beer]);
    const room = facts(["ann"], { images: new Map([["beer.png", { width: 100, height: 50 }]]) });
    const area = boxArea(beer, scene, room);
    expect(area).toEqual({ x: 380, y: 255, width: 100, height: 50 });
    const patch = moveTo(beer, scene, room, { ...area, x: area.x + 20, y: area.y - 5 });
    expect(patch).toEqual({ follow: { layer: "a", keypoint: "nose", dx: 30, dy: -5, scale: 2 } });
  });
  it("are texts: making them larger makes their letters larger", () => {
    const title = layer({ source: { text: "Hi", size: 50 }, x: 10, y: 20 });
    const scene = layout([title]);
    const area = boxArea(title, scene, facts([]));
    expect(area).toEqual({ x: 10, y: 20, width: 100, height: 60 });
    const larger = moveTo(title, scene, facts([]), { x: 10, y: 20, width: 200, height: 120 });
    expect(larger).toEqual({ source: { text: "Hi", size: 100 }, x: 10, y: 20 });
    expect(moveTo(title, scene, facts([]), { ...area, x: 30 })).toEqual({ x: 30 });
  });
});
