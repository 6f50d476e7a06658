/**
 * Where layers are on the canvas, and the layout's words for where they shall be. PURE. Mirrors `src/layout/solve.rs`:
 * a box on the stage must lie where the server draws the layer.
 */

import { number, type Area, type Layer, type Length, type Size } from "./model";
import { isObject } from "../problem";

/** No box is made smaller than this by hand: it could hardly be grabbed again. */
export const SMALLEST = 8;

/** Of cameras whose picture has not come yet. */
export const USUAL: Size = { width: 16, height: 9 };

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
  return ANCHORS[String(layer.anchor)] ?? [0, 0];
}

/** Returns a length in pixels, where 100 % is `whole`; `null` for an invalid one. */
export function pixels(length: unknown, whole: number): number | null {
  if (typeof length === "number") return Number.isFinite(length) ? length : null;
  const percent = percentOf(length);
  return percent === null ? null : (whole * percent) / 100;
}

function percentOf(length: unknown): number | null {
  if (typeof length !== "string" || !/^\s*[+-]?(\d+\.?\d*|\.\d+)\s*%\s*$/.test(length)) return null;
  return Number.parseFloat(length);
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

/** Width by height of what is shown of a source, after its crop. */
export function shownAspect(layer: Layer, source: Size | null): number | null {
  if (!source) return null;
  const crop = isObject(layer.crop) ? layer.crop : {};
  const edge = (key: string, whole: number) => pixels(crop[key], whole) ?? 0;
  const width = source.width - edge("left", source.width) - edge("right", source.width);
  const height = source.height - edge("top", source.height) - edge("bottom", source.height);
  return width > 0 && height > 0 ? width / height : source.width / source.height;
}

/** The shape that a source brings along. */
export interface Shape {
  /** Width by height of what is shown of it; `null` for what has no shape of its own. */
  aspect: number | null;
  /** How large it is where the layer says nothing; `null`: as the canvas. */
  size: Size | null;
}

/** Returns the layer's rectangle. */
export function areaOf(layer: Layer, canvas: Size, { aspect, size }: Shape): Area {
  const { width: across, height: down } = canvas;
  let width = pixels(layer.width, across);
  let height = pixels(layer.height, down);
  if (width === null && height === null) {
    const factor = scaleOf(layer.scale);
    [width, height] = size && layer.scale === undefined ? [size.width, size.height] : [across * factor, down * factor];
  } else if (height === null) {
    height = aspect ? (width ?? across) / aspect : down;
  } else if (width === null) {
    width = aspect ? height * aspect : across;
  }
  const [ax, ay] = anchorPoint(layer);
  const x = pixels(layer.x, across) ?? across * ax;
  const y = pixels(layer.y, down) ?? down * ay;
  const [w, h] = [width ?? across, height];
  return { x: x - w * ax, y: y - h * ay, width: w, height: h };
}

function scaleOf(scale: unknown): number {
  if (typeof scale === "number") return scale;
  const percent = percentOf(scale);
  return percent === null ? 1 : percent / 100;
}

/** Returns the change (a merge patch) that puts the layer to where `to` is, in the units and with the keys that it uses. */
export function placing(layer: Layer, canvas: Size, shape: Shape, to: Area): Record<string, unknown> {
  const { aspect } = shape;
  const now = areaOf(layer, canvas, shape);
  const patch: Record<string, unknown> = {};
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
  // What follows from the other side's length is not written, as long as it still does.
  const follows = (expected: number | null, value: number) => expected !== null && Math.abs(expected - value) < 0.75;
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

export function rotation(layer: Layer): number {
  return number(layer.rotate, 0);
}
