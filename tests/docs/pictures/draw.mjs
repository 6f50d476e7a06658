// Layers that pictures have in common.

import { label } from "./studio.mjs";

/** A word that says what stands above it, or to the right of it. */
export function named(id, text, x, y, anchor = "top") {
  return { id: `name-${id}`, source: label(text), x, y, anchor, z: 50 };
}

/** A rectangle of a colour. */
export function box(id, x, y, width, height, color, more = {}) {
  return { id, source: { color }, x, y, width, height, ...more };
}

/** The colour of what belongs to no layer that is meant: places, lines. */
export const QUIET = "#3b4a5a";

/** Something to look at, in the colours that pictures use. */
export const [RED, GREEN, BLUE, YELLOW] = ["#c8402e", "#2f8f5b", "#3a74c4", "#f2c230"];

/** Every picture is about layers that it names; nobody else is shown. */
export const OFF = { mode: "off" };

/** The colour of `sun.png`. */
export const SUN = "#ffc428";
