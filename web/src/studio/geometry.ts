/**
 * How boxes change under a pointer, and the layout's words for where they shall be. PURE. Where they are, the server says.
 */

import { number, text, type Area, type Json, type Layer, type Length, type Size } from "./model";
import { kindOf } from "./names";
import { isObject } from "../problem";

/** No box is made smaller than this by hand: it could hardly be grabbed again. */
export const SMALLEST = 8;

const ANCHORS: Record<string, [number, number]> = {
  "top-left": [0, 0],
  top: [0.5, 0],
  "top-right": [1, 0],
  left: [0, 0.5],
  center: [0.5, 0.5],
  right: [1, 0.5],
  "bottom-left": [0, 1],
  bottom: [0.5, 1],
  "bottom-right": [1, 1],
};

/** Returns the layer's anchor as shares of its width and height. */
export function anchorPoint(layer: Layer): [number, number] {
  return ANCHORS[text(layer.anchor)] ?? [0, 0];
}

/** Returns a length in the unit of `like`: percent stays percent, everything else is whole pixels. */
export function written(value: number, whole: number, like: unknown): Length {
  if (typeof like !== "string") return Math.round(value);
  return `${plain((value / whole) * 100)}%`;
}

/** Writes two decimals, without trailing zeros and without a negative zero. */
function plain(value: number): number {
  return Math.round(value * 100) / 100 + 0;
}

/** Returns the change (a merge patch) that puts the layer from `now` to `to`, in the units and with the keys that it uses. */
export function placing(layer: Layer, canvas: Size, now: Area, to: Area): Json {
  const patch: Json = {};
  const [ax, ay] = anchorPoint(layer);
  const differs = (a: number, b: number) => Math.abs(a - b) > 0.01;
  const put = (key: "x" | "y" | "width" | "height", value: number, whole: number, like: unknown = layer[key]) => {
    const next = written(value, whole, like);
    if (next !== layer[key]) patch[key] = next;
  };
  if (differs(to.x + to.width * ax, now.x + now.width * ax)) put("x", to.x + to.width * ax, canvas.width);
  if (differs(to.y + to.height * ay, now.y + now.height * ay)) put("y", to.y + to.height * ay, canvas.height);
  if (!differs(to.width, now.width) && !differs(to.height, now.height)) return patch;

  const has = (key: string) => layer[key] !== undefined && layer[key] !== null;
  // A length that follows from the other side's is not written, as long as it still does. A colour has no shape.
  const aspect = kindOf(layer.source) === "color" ? null : now.width / now.height;
  const follows = (expected: number, value: number) => Math.abs(expected - value) < 0.75;
  if (has("width") && !has("height")) {
    put("width", to.width, canvas.width);
    if (!follows(aspect ? to.width / aspect : canvas.height, to.height)) put("height", to.height, canvas.height, layer.width);
  } else if (has("height") && !has("width")) {
    put("height", to.height, canvas.height);
    if (!follows(aspect ? to.height * aspect : canvas.width, to.width)) put("width", to.width, canvas.width, layer.height);
  } else if (has("scale") && Math.abs(to.width / canvas.width - to.height / canvas.height) < 0.002) {
    const factor = to.width / canvas.width;
    patch.scale = typeof layer.scale === "string" ? `${plain(factor * 100)}%` : plain(factor);
  } else {
    if (has("scale")) patch.scale = null;
    put("width", to.width, canvas.width);
    put("height", to.height, canvas.height);
  }
  return patch;
}

/** Of texts that say nothing about it, as the server has it. */
const TEXT_SIZE = 48;

/** Returns the same, also for layers that place or size themselves: those that follow somebody, and texts. */
export function moveTo(layer: Layer, canvas: Size, now: Area, to: Area): Json {
  const grows = to.height / now.height;
  if (isObject(layer.follow)) {
    const { dx, dy, scale } = layer.follow;
    const by = { x: to.x + to.width / 2 - now.x - now.width / 2, y: to.y + to.height / 2 - now.y - now.height / 2 };
    const follow: Json = { dx: Math.round(number(dx, 0) + by.x), dy: Math.round(number(dy, 0) + by.y) };
    if (Math.abs(to.width / now.width - 1) > 0.01) follow.scale = Math.round(followScale(scale) * (to.width / now.width) * 100) / 100;
    return { follow: { ...layer.follow, ...follow } };
  }
  const free = layer.width === undefined && layer.height === undefined && layer.scale === undefined;
  if (kindOf(layer.source) !== "text" || !free || Math.abs(grows - 1) < 0.005) return placing(layer, canvas, now, to);
  // A text that is as large as it comes gets larger letters.
  const size = Math.max(4, Math.round(number(layer.source.size, TEXT_SIZE) * grows));
  const [ax, ay] = anchorPoint(layer);
  return { source: { ...layer.source, size }, x: Math.round(to.x + to.width * ax), y: Math.round(to.y + to.height * ay) };
}

function followScale(scale: unknown): number {
  const share = typeof scale === "string" ? Number.parseFloat(scale) / 100 : number(scale, 1);
  return Number.isFinite(share) ? share : 1;
}

/** The edges that a handle moves: -1 the left or top one, 1 the right or bottom one, 0 none. */
export interface Handle {
  x: -1 | 0 | 1;
  y: -1 | 0 | 1;
}

/**
 * Returns the area after a handle was pulled by (dx, dy) on the canvas. What lies opposite of the handle stays where it
 * is, also when the area is turned by `degrees`. With `keep` the shape stays.
 */
export function resized(area: Area, degrees: number, handle: Handle, dx: number, dy: number, keep: boolean): Area {
  const [across, down] = turned(dx, dy, -degrees);
  let width = Math.max(SMALLEST, area.width + handle.x * across);
  let height = Math.max(SMALLEST, area.height + handle.y * down);
  if (keep) {
    const scale =
      handle.x === 0
        ? height / area.height
        : handle.y === 0
          ? width / area.width
          : // The point of the diagonal that is nearest to the pointer.
            (width * area.width + height * area.height) / (area.width ** 2 + area.height ** 2);
    const least = Math.max(SMALLEST / area.width, SMALLEST / area.height);
    [width, height] = [area.width, area.height].map((side) => side * Math.max(scale, least)) as [number, number];
  }
  return withSize(area, degrees, handle, width, height);
}

/** Returns the area with another size; what lies opposite of the handle stays where it is. */
export function withSize(area: Area, degrees: number, handle: Handle, width: number, height: number): Area {
  const shift = turned((handle.x * (width - area.width)) / 2, (handle.y * (height - area.height)) / 2, degrees);
  const x = area.x + area.width / 2 + shift[0];
  const y = area.y + area.height / 2 + shift[1];
  return { x: x - width / 2, y: y - height / 2, width, height };
}

/** Returns a vector turned clockwise, as the canvas sees it (y grows downwards). */
function turned(x: number, y: number, degrees: number): [number, number] {
  if (degrees === 0) return [x, y];
  const angle = (degrees * Math.PI) / 180;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return [x * cos - y * sin, x * sin + y * cos];
}

/** Degrees clockwise by which an area is turned whose upper handle is pulled to (x, y), from -180 to 180. Near a multiple of 45 it is that. */
export function turnedTo(area: Area, x: number, y: number, free: boolean): number {
  const [dx, dy] = [x - (area.x + area.width / 2), y - (area.y + area.height / 2)];
  const degrees = (Math.atan2(dy, dx) * 180) / Math.PI + 90;
  const near = Math.round(degrees / 45) * 45;
  const chosen = !free && Math.abs(degrees - near) < 4 ? near : Math.round(degrees);
  return chosen > 180 ? chosen - 360 : chosen;
}
