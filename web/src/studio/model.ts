/** The layout as the studio works with it. Loosely typed: the server says what is right, and keys that this page does not know are kept. */

import { isObject } from "../problem";

/** Canvas pixels, or `"n%"` of a whole that depends on the key. */
export type Length = number | string;
export type Json = Record<string, unknown>;

export interface Layer extends Json {
  id: string;
  source: Json;
}

export interface Layout extends Json {
  canvas: Json;
  layers: Layer[];
  auto: Json;
}

export interface Size {
  width: number;
  height: number;
}

/** A rectangle on the canvas, in pixels, before rounding. */
export interface Area extends Size {
  x: number;
  y: number;
}

/** Returns any layout as the server reports it, with the parts that may be left out filled in. */
export function readLayout(value: unknown): Layout {
  const layout = isObject(value) ? value : {};
  const layers = Array.isArray(layout.layers) ? layout.layers : [];
  return {
    ...layout,
    canvas: isObject(layout.canvas) ? layout.canvas : {},
    layers: layers.filter((layer): layer is Layer => isObject(layer) && typeof layer.id === "string").map(withSource),
    auto: isObject(layout.auto) ? layout.auto : {},
  };
}

function withSource(layer: Layer): Layer {
  return isObject(layer.source) ? layer : { ...layer, source: {} };
}

export function canvasSize(layout: Layout): Size {
  return { width: number(layout.canvas.width, 1280), height: number(layout.canvas.height, 720) };
}

export function findLayer(layout: Layout, id: string): Layer | null {
  return layout.layers.find((layer) => layer.id === id) ?? null;
}

export function number(value: unknown, otherwise: number): number {
  return typeof value === "number" && Number.isFinite(value) ? value : otherwise;
}

export function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
