import { describe, expect, it } from "vitest";

import { color, copy, image, person, slot, taken } from "../src/studio/additions";
import { canTurn, cutPatch, losses } from "../src/studio/beside";
import { applied, difference, inverse, layerEdit, layoutEdit, merged } from "../src/studio/edits";
import { moveTo, placing, resized, turnedTo, withSize } from "../src/studio/geometry";
import { History } from "../src/studio/history";
import { readLayout, type Area, type Layer, type Layout } from "../src/studio/model";
import { freshId, sourceWords } from "../src/studio/names";
import { backToFront, reordered, topmost } from "../src/studio/order";
import { boxes, Places, type Box, type Placed } from "../src/studio/placed";
import { snapMoved, snapResized } from "../src/studio/snap";

const CANVAS = { width: 1280, height: 720 };

function layer(rest: Record<string, unknown> = {}): Layer {
  return { id: "a", source: { participant: "ann" }, ...rest };
}

function layout(layers: Layer[], rest: Record<string, unknown> = {}): Layout {
  return readLayout({ layers, ...rest });
}

/** A place as the server reports it. */
function placed(rest: Partial<Placed>): Placed {
  return { layer: null, person: null, x: 0, y: 0, width: 640, height: 360, rotate: 0, hidden: null, ...rest };
}

describe("geometry", () => {
  it("writes a place in the layer's own units and keys", () => {
    const now = { x: 0, y: 0, width: 320, height: 180 };
    const to = { x: 64, y: 72, width: 640, height: 360 };
    expect(placing(layer({ x: 0, y: 0, width: "25%" }), CANVAS, now, to)).toEqual({ x: 64, y: 72, width: "50%" });
    expect(placing(layer({ x: "0%", y: "0%", scale: "25%" }), CANVAS, now, to)).toEqual({ x: "5%", y: "10%", scale: "50%" });
    const anchored = layer({ anchor: "center", x: "50%", y: "50%", width: 640, height: 360 });
    expect(placing(anchored, CANVAS, { ...to, x: 320, y: 180 }, to)).toEqual({ x: "30%", y: "35%" });
    expect(placing(layer({ x: 64, y: 72, width: 640 }), CANVAS, to, { ...to, height: 200 })).toEqual({ height: 200 });
    expect(placing(layer({ x: 64, y: 72, width: 640, height: 360 }), CANVAS, to, to)).toEqual({});
    expect(placing(layer({ height: "25%" }), CANVAS, now, { ...now, width: 640, height: 360 })).toEqual({ height: "50%" });
  });

  it("knows that a colour has no shape", () => {
    const band = layer({ source: { color: "#000" }, width: 320 });
    const now = { x: 0, y: 0, width: 320, height: 720 };
    expect(placing(band, CANVAS, now, { ...now, width: 640 })).toEqual({ width: 640 });
    expect(placing(band, CANVAS, now, { ...now, width: 640, height: 360 })).toEqual({ width: 640, height: 360 });
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
  const moved = (id: string, by: "forward" | "back") => {
    const z = reordered(pile, id, by);
    return backToFront(layout(pile.layers.map((each) => (z.has(each.id) ? { ...each, z: z.get(each.id) } : each)))).join("");
  };

  it("is by z, then by the list", () => {
    expect(backToFront(pile).join("")).toBe("cabd");
    expect(topmost(pile.layers)).toBe(10);
  });
  it("changes by one place", () => {
    expect(moved("a", "forward")).toBe("cbad");
    expect(moved("b", "back")).toBe("cbad");
    expect(moved("a", "back")).toBe("acbd");
    expect(moved("c", "forward")).toBe("acbd");
    expect(moved("d", "back")).toBe("cadb");
    expect(reordered(pile, "d", "forward").size).toBe(0);
    expect(reordered(pile, "nobody", "forward").size).toBe(0);
  });
});

describe("people placed by auto", () => {
  const seat = (rest: Partial<Placed> = {}) => boxes(layout([]), [placed({ person: "bob", x: 1.4, ...rest })])[0] as Box;

  it("become layers where they are, behind all others", () => {
    const auto = { mode: "grid", cutout: "person", threshold: 0.3 };
    const front = layout([layer({ id: "logo", source: { color: "#fff" }, z: 1 })], { auto });
    const edit = taken(front, seat(), true);
    expect(edit.layer).toMatchObject({ id: "bob", source: { participant: "bob" }, x: 1, width: 640, cutout: "person", threshold: 0.3 });
    expect(backToFront(applied(front, edit))).toEqual(["bob", "logo"]);
    expect(taken(front, seat(), false).layer.cutout).toBeUndefined();
  });
  it("keep what the background says of cutting them out", () => {
    expect(taken(layout([], { canvas: { background: "club.jpg" } }), seat(), true).layer.cutout).toBe("person");
    expect(taken(layout([], { canvas: { background: "#204060" } }), seat(), true).layer.cutout).toBeUndefined();
  });
});

describe("additions", () => {
  it("lie nearer than everything, with an id of their own", () => {
    const some = layout([layer({ z: 4 }), layer({ id: "slot-1", source: { slot: 1 } })], { auto: { mode: "off" } });
    for (const edit of [person(some, "bob"), slot(some), image(some, "a logo.png", { width: 4000, height: 4000 }), color(some)]) {
      const after = applied(some, edit);
      expect(backToFront(after).at(-1)).toBe(edit.layer.id);
      expect(new Set(after.layers.map(({ id }) => id)).size).toBe(3);
      const { x, y, width, height } = edit.layer as unknown as Area;
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
  const mixed = layout([layer({ id: "back", source: { color: "#000" } }), layer({ id: "logo", source: { image: "l.png" }, z: 1 })]);
  const server = [placed({ layer: "back" }), placed({ person: "ann" }), placed({ layer: "logo", hidden: "no_asset" })];

  it("are there for layers and for people of auto, each at its height in the pile", () => {
    const found = boxes(mixed, server);
    expect(found.map(({ id, auto, rank }) => [id, auto, rank])).toEqual([["back", false, 0], ["logo", false, 2], ["ann", true, 1]]);
    expect(found.map(({ empty }) => empty)).toEqual([null, "its file is missing", null]);
  });
  it("are those of layers that are there, and of people whom no layer has taken", () => {
    const taken = layout([layer({ id: "logo", source: { participant: "ann" } })]);
    expect(boxes(taken, server).map(({ id }) => id)).toEqual(["logo"]);
  });
  it("say who is in a slot, and who is missing", () => {
    const slots = layout([layer({ id: "s", source: { slot: 1 } }), layer({ id: "t", source: { slot: 2 } })]);
    const found = boxes(slots, [placed({ layer: "s", person: "ann" }), placed({ layer: "t", hidden: "nobody" })]);
    expect(found.map(({ words, empty }) => [words, empty])).toEqual([["slot 1, ann", null], ["slot 2", "nobody is there"]]);
    expect(sourceWords({ image: ["a.png", "b.png"] })).toBe("image a.png, b.png");
  });

  it("stay where they were dragged until the server has said where that is", () => {
    const places = new Places();
    const x = (known: number, waits: boolean) => places.now(known, () => waits).map((place) => place.x);
    places.reset([placed({ layer: "a" }), placed({ layer: "b", x: 5 })], 1);
    places.lay("a", { x: 100, y: 0, width: 64, height: 36 }, 30);
    expect(places.now(1, () => true)[0]).toMatchObject({ layer: "a", x: 100, width: 64, rotate: 30 });
    places.take([placed({ layer: "a", x: 90 }), placed({ layer: "b", x: 5 })], 2);
    expect(x(2, true)).toEqual([100, 5]);
    expect(x(3, false)).toEqual([100, 5]);
    places.take([placed({ layer: "a", x: 99 }), placed({ layer: "b", x: 5 })], 3);
    expect(x(3, false)).toEqual([99, 5]);
  });
  it("are not taken for known while a change is under way that others may have answered", () => {
    const places = new Places();
    places.reset([placed({ layer: "a" })], 1);
    const knows = (known: number, waits: boolean) => places.knows("a", known, () => waits);
    expect([knows(1, false), knows(1, true), knows(2, false)]).toEqual([true, false, false]);
    places.lay("a", { x: 7, y: 0, width: 64, height: 36 }, 0);
    expect([knows(1, true), knows(2, false)]).toEqual([true, true]);
  });
  it("of new layers are there before the server knows them, and refused ones go back", () => {
    const places = new Places();
    places.reset([placed({ layer: "a" })], 1);
    places.lay("new", { x: 7, y: 0, width: 64, height: 36 }, 0);
    expect(places.now(1, () => true).map((place) => [place.layer, place.x])).toEqual([["a", 0], ["new", 7]]);
    expect(places.now(1, () => false).map((place) => place.layer)).toEqual(["a"]);
    places.lay("a", { x: 7, y: 0, width: 64, height: 36 }, 0);
    places.leave("a");
    expect(places.now(1, () => true)[0]?.x).toBe(0);
  });
});

describe("layers that place themselves", () => {
  it("follow someone: moving them changes the distance", () => {
    const beer = layer({ id: "beer", source: { image: "beer.png" }, follow: { layer: "a", keypoint: "nose", dx: 10, scale: 2 } });
    const area = { x: 380, y: 255, width: 100, height: 50 };
    expect(moveTo(beer, CANVAS, area, { ...area, x: area.x + 20, y: area.y - 5 })).toEqual({
      follow: { layer: "a", keypoint: "nose", dx: 30, dy: -5, scale: 2 },
    });
    expect(moveTo(beer, CANVAS, area, { x: 355, y: 242.5, width: 150, height: 75 })).toEqual({
      follow: { layer: "a", keypoint: "nose", dx: 10, dy: 0, scale: 3 },
    });
  });
  it("are texts: making them larger makes their letters larger", () => {
    const title = layer({ source: { text: "Hi", size: 50 }, x: 10, y: 20 });
    const area = { x: 10, y: 20, width: 100, height: 60 };
    const larger = moveTo(title, CANVAS, area, { x: 10, y: 20, width: 200, height: 120 });
    expect(larger).toEqual({ source: { text: "Hi", size: 100 }, x: 10, y: 20 });
    expect(moveTo(title, CANVAS, area, { ...area, x: 30 })).toEqual({ x: 30 });
  });
});

describe("keys beside each other", () => {
  const choices = (rest: Record<string, unknown>) => losses(layer(rest)).map(([value]) => value);

  it("offers a blurred picture only where it is not turned", () => {
    expect(choices({ cutout: "person" })).toEqual(["hide", "whole", "blur"]);
    expect(choices({ cutout: ["face"], rotate: -360 })).toEqual(["hide", "whole", "blur"]);
    expect(choices({ cutout: "person", rotate: 10 })).toEqual(["hide", "whole"]);
  });

  it("offers nothing for people who are not looked for", () => {
    expect(choices({})).toEqual([]);
    expect(choices({ cutout: "none" })).toEqual([]);
    expect(choices({ cutout: "person", source: { image: "a.png" } })).toEqual([]);
  });

  it("turns nothing that blurs its own picture", () => {
    expect(canTurn(layer({ cutout: "person", lost: "whole" }))).toBe(true);
    expect(canTurn(layer({ cutout: "person", lost: "blur" }))).toBe(false);
    expect(canTurn(layer({ cutout: "person", background: { blur: 12 } }))).toBe(false);
  });

  it("takes away with a cut-out what is seen only behind one", () => {
    const cut = layer({ cutout: "person", lost: "blur", background: { blur: 12 } });
    expect(merged(cut, cutPatch("none"))).toEqual(layer());
    expect(merged(layer(), cutPatch("person"))).toEqual(layer({ cutout: "person" }));
  });
});
