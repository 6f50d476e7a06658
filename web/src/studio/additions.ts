/** New layers, as they are put on the canvas before anybody moves them. PURE. */

import { canvasSize, number, text, type Area, type Json, type Layer, type Layout, type Size } from "./model";
import { freshId } from "./names";
import { topmost } from "./order";
import type { Edit } from "./edits";
import type { Box } from "./placed";

/** How a mask is made may be said of everybody whom `auto` places. */
const CUT_OPTIONS = ["threshold", "feather", "smoothing", "model"] as const;
/** Every new layer lies a little beside the last one, so that none hides another. Canvas pixels, and how often before it starts over. */
const STEP = 24;
const STEPS = 6;

export type Addition = Extract<Edit, { kind: "add" }>;

/** Returns which part is kept of the pictures of people whom `auto` places. */
function autoCutout(layout: Layout): unknown {
  if (layout.auto.cutout !== undefined) return layout.auto.cutout;
  const background = text(layout.canvas.background);
  return background && !background.startsWith("#") ? "person" : "none";
}

/** Returns someone placed by `auto` as a layer of their own, where they are. */
export function taken(layout: Layout, { id: name, area }: Box, canCut: boolean): Addition {
  const layer: Layer = { id: freshId(layout.layers, name), source: { participant: name }, ...rounded(area), z: 1 };
  const cutout = canCut ? autoCutout(layout) : "none";
  if (cutout !== "none") {
    layer.cutout = cutout;
    for (const key of CUT_OPTIONS) if (layout.auto[key] !== undefined) layer[key] = layout.auto[key];
  }
  // `auto` shows people behind all layers of z 1 or more: first in the list, it still is.
  return { kind: "add", layer, index: 0 };
}

/** Returns a layer in the middle for someone. */
export function person(layout: Layout, name: string): Addition {
  const cutout = autoCutout(layout);
  const look: Json = cutout === "none" ? {} : { cutout };
  return added(layout, name, { participant: name }, { width: 0.4, height: 0.4 }, look);
}

/** Makes a place for the next one who comes without a place of their own. */
export function slot(layout: Layout): Addition {
  const used = new Set(layout.layers.map((layer) => layer.source.slot));
  let free = 1;
  while (used.has(free)) free += 1;
  return added(layout, `slot-${free}`, { slot: free }, { width: 0.4, height: 0.4 });
}

/** Returns an image as large as it is, or as half of the canvas if it is larger. */
export function image(layout: Layout, name: string, size: Size | undefined): Addition {
  const canvas = canvasSize(layout);
  const { width, height } = size ?? { width: canvas.width / 2, height: canvas.height / 2 };
  const scale = Math.min(1, canvas.width / 2 / width, canvas.height / 2 / height);
  const share = { width: (width * scale) / canvas.width, height: (height * scale) / canvas.height };
  return added(layout, name, { image: name }, share);
}

export function color(layout: Layout): Addition {
  return added(layout, "colour", { color: "#3c516d" }, { width: 0.3, height: 0.3 });
}

/** Returns a line of text, as large as it comes, in the lower third. */
export function writing(layout: Layout): Addition {
  const id = freshId(layout.layers, "text");
  const size = Math.max(8, Math.round(canvasSize(layout).height / 12));
  const source = { text: "Text", size, color: "#ffffff" };
  const layer: Layer = { id, source, x: "50%", y: "84%", anchor: "center", z: topmost(layout.layers) };
  return { kind: "add", layer, index: layout.layers.length };
}

/** Returns a layer with another one's looks, a little beside it. */
export function copy(layout: Layout, layer: Layer, area: Area): Addition {
  const id = freshId(layout.layers, layer.id);
  const { x, y, width, height } = rounded(area);
  const { follow: _follow, anchor: _anchor, scale: _scale, ...looks } = layer;
  const beside = { x: x + STEP, y: y + STEP, width, height };
  return { kind: "add", layer: { ...looks, id, ...beside, z: topmost(layout.layers) }, index: layout.layers.length };
}

/** Returns a layer in the middle of the canvas, `share` of its size, nearer than everything else. */
function added(layout: Layout, wish: string, source: Json, share: Size, look: Json = {}): Addition {
  const canvas = canvasSize(layout);
  const [width, height] = [canvas.width * share.width, canvas.height * share.height];
  const shift = ((layout.layers.length % STEPS) - (STEPS - 1) / 2) * STEP;
  const area = { x: (canvas.width - width) / 2 + shift, y: (canvas.height - height) / 2 + shift, width, height };
  const id = freshId(layout.layers, wish);
  const layer: Layer = { id, source, ...rounded(area), ...look, z: topmost(layout.layers) };
  return { kind: "add", layer, index: layout.layers.length };
}

function rounded({ x, y, width, height }: Area): Area {
  const whole = (value: number) => number(Math.round(value), 0);
  return { x: whole(x), y: whole(y), width: Math.max(1, whole(width)), height: Math.max(1, whole(height)) };
}
