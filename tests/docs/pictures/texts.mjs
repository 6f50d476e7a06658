// Pictures of what is written.

import { BLUE, GREEN, QUIET, RED, YELLOW, box } from "./draw.mjs";

/** A text in some ways, side by side or one below another. */
function written(name, key, size, sources, places, more = () => ({})) {
  return {
    name: `text-${name}`,
    keys: [`layers.source.${key}`],
    format: "png",
    same: true,
    size,
    moments: [
      {
        layout: {
          layers: sources.map((source, index) => ({
            id: `text-${index}`,
            source,
            x: places[index][0],
            y: places[index][1],
            anchor: "left",
            ...more(index),
          })),
        },
      },
    ],
  };
}

const SIZE = [260, 64];
const HALVES = [
  [20, 32],
  [130, 32],
];

/** @type {import("./list.mjs").Picture[]} */
export const TEXTS = [
  {
    name: "text",
    keys: ["layers.source.text"],
    format: "png",
    same: true,
    size: [256, 124],
    moments: [
      {
        layout: {
          layers: [
            { id: "free", source: { text: "as large as it comes", size: 14 }, x: 8, y: 6 },
            box("place", 8, 32, 100, 86, QUIET, { z: -1 }),
            { id: "broken", source: { text: "With a width, lines break there.", size: 14 }, x: 8, y: 32, width: 100 },
            box("band", 120, 32, 128, 32, QUIET, { z: -1 }),
            { id: "tall", source: { text: "height: 32" }, x: 120, y: 32, height: 32 },
            box("card", 120, 72, 128, 46, QUIET, { z: -1 }),
            { id: "middle", source: { text: "both: in the middle", size: 12 }, x: 120, y: 72, width: 128, height: 46 },
          ],
        },
      },
    ],
  },
  written(
    "font",
    "font",
    SIZE,
    ["Inter", "DejaVu Sans"].map((font) => ({ text: font, font, size: 18 })),
    HALVES,
  ),
  written(
    "size",
    "size",
    SIZE,
    [12, 24, 44].map((size) => ({ text: `${size}`, size })),
    [
      [20, 32],
      [90, 32],
      [180, 32],
    ],
  ),
  written(
    "weight",
    "weight",
    SIZE,
    [100, 400, 700, 900].map((weight) => ({ text: `${weight}`, weight, size: 24 })),
    [12, 74, 136, 200].map((x) => [x, 32]),
  ),
  written(
    "color",
    "color",
    SIZE,
    ["#ffffff", YELLOW, "#ff7a6a"].map((color) => ({ text: color, color, size: 17 })),
    [10, 94, 178].map((x) => [x, 32]),
  ),
  written(
    "align",
    "align",
    SIZE,
    ["left", "center", "right"].map((align) => ({ text: `${align}\nas this`, align, size: 14, background: QUIET })),
    [8, 92, 176].map((x) => [x, 32]),
    () => ({ width: 76 }),
  ),
  written(
    "line-height",
    "line_height",
    [260, 84],
    [0.9, 1.2, 2].map((line_height) => ({ text: `Friday\n${line_height}`, line_height, size: 18, background: QUIET })),
    [14, 100, 186].map((x) => [x, 42]),
  ),
  written(
    "background",
    "background",
    SIZE,
    [RED, GREEN, BLUE].map((background) => ({ text: background, background, padding: 4, size: 15 })),
    [8, 92, 176].map((x) => [x, 32]),
  ),
  written(
    "padding",
    "padding",
    [260, 84],
    [0, 8, 20].map((padding) => ({ text: `${padding}`, padding, background: BLUE, size: 24 })),
    [30, 100, 180].map((x) => [x, 42]),
  ),
];
