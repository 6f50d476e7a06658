// Pictures of people in a room: who stands where, and which part of their picture is kept.

import { OFF, RED, SUN, YELLOW, named } from "./draw.mjs";

/** Photographs are small, since there are many. */
const HALF = [126, 70];
const ROW = [256, 124];

/** Everybody's first mask may take its time on a busy machine. */
const MASKS_MS = 8000;

const ANN = { participant: "ann" };
const STUDIO = { background: "studio.jpg" };
const GREEN_SCREEN = { background: "#2f8f5b" };

/** Ann in some ways side by side, cut out; `width` of each. */
function beside(ways, { width = 80, height = 96, source = ANN, ...more } = {}) {
  return ways.flatMap(({ word, ...own }, index) => {
    const x = Math.round(((index + 0.5) * 256) / ways.length);
    return [
      { id: `ann-${index}`, source, x: x - width / 2, y: 4, width, height, ...more, ...own },
      named(index, word, x, 103),
    ];
  });
}

/** @type {import("./list.mjs").Picture[]} */
export const PEOPLE = [
  {
    name: "source",
    room: "people",
    keys: ["participant", "slot", "image", "video", "text", "color"].map((key) => `layers.source.${key}`),
    size: [256, 142],
    moments: [
      {
        layout: {
          layers: [
            { participant: "ann" },
            { slot: 1 },
            { image: "studio.jpg" },
            { video: "clip.mp4" },
            { text: "Friday", size: 24, align: "center" },
            { color: RED },
          ].flatMap((source, index) => {
            const [x, y] = [4 + (index % 3) * 84, 4 + Math.floor(index / 3) * 70];
            return [
              { id: `one-${index}`, source, x, y, width: 80, height: 45 },
              named(index, Object.keys(source)[0], x + 40, y + 47),
            ];
          }),
          auto: OFF,
        },
      },
    ],
  },
  {
    name: "cutout",
    room: "people",
    keys: ["layers.cutout"],
    size: ROW,
    moments: [
      {
        layout: {
          canvas: STUDIO,
          layers: beside([
            { word: "none", cutout: "none" },
            { word: "person", cutout: "person" },
            { word: "two parts", cutout: ["left_face", "right_face"] },
          ]),
          auto: OFF,
        },
      },
    ],
  },
  {
    name: "threshold",
    room: "alone",
    keys: ["layers.threshold"],
    size: ROW,
    moments: [
      {
        layout: {
          canvas: GREEN_SCREEN,
          layers: beside(
            [0.05, 0.5, 0.95].map((threshold) => ({ word: `${threshold}`, threshold })),
            { source: { participant: "cleo" }, cutout: "person", crop: { left: "6%", right: "28%" }, y: 18, height: 68 },
          ),
          auto: OFF,
        },
      },
    ],
  },
  {
    name: "feather",
    room: "people",
    keys: ["layers.feather"],
    size: ROW,
    moments: [
      {
        layout: {
          canvas: GREEN_SCREEN,
          layers: beside(
            [0, 0.33, 1].map((feather) => ({ word: `${feather}`, feather })),
            { cutout: "person", crop: { left: "59%", top: "12%", right: "32%", bottom: "70%" } },
          ),
          auto: OFF,
        },
      },
    ],
  },
  {
    name: "blur",
    room: "people",
    keys: ["layers.background.blur"],
    size: HALF,
    moments: [2, 12].map((blur) => ({
      layout: { layers: [{ id: "ann", source: ANN, cutout: "person", background: { blur } }], auto: OFF },
      label: `blur: ${blur}`,
    })),
  },
  {
    name: "fallback",
    room: "people",
    keys: ["layers.fallback"],
    size: HALF,
    moments: [
      { word: "ann is there", who: "ann" },
      { word: "dora is not", who: "dora" },
    ].map(({ word, who }) => ({
      layout: {
        canvas: STUDIO,
        layers: [
          {
            id: "guest",
            source: { participant: who },
            x: "10%",
            y: "5%",
            width: "80%",
            height: "80%",
            fit: "contain",
            fallback: "sun.png",
          },
        ],
        auto: OFF,
      },
      label: word,
    })),
  },
  {
    name: "follow",
    room: "people",
    keys: ["layer", "keypoint", "dx", "dy", "scale"].map((key) => `layers.follow.${key}`),
    size: HALF,
    moments: [
      ["ann", {}, "at the nose"],
      ["ben", {}, "somebody else"],
      ["ann", { dx: 36, dy: -24 }, "dx: 36, dy: -24"],
      ["ann", { scale: 0.2 }, "scale: 0.2"],
    ].map(([participant, more, label]) => ({
      sees: SUN,
      layout: {
        layers: [
          { id: "who", source: { participant } },
          { id: "sun", source: { image: "sun.png" }, follow: { layer: "who", keypoint: "nose", scale: 0.4, ...more }, z: 1 },
        ],
        auto: OFF,
      },
      label,
    })),
  },
  {
    name: "follow-anchor",
    room: "people",
    keys: ["layers.follow.anchor"],
    size: HALF,
    moments: ["center", "bottom", "left", "top-right"].map((anchor) => ({
      sees: YELLOW,
      layout: {
        layers: [
          { id: "who", source: ANN },
          {
            id: "card",
            source: { color: YELLOW },
            width: 26,
            height: 14,
            follow: { layer: "who", keypoint: "nose", anchor },
            z: 1,
          },
        ],
        auto: OFF,
      },
      label: anchor,
    })),
  },
  {
    name: "auto-mode",
    room: "people",
    keys: ["auto.mode"],
    size: HALF,
    moments: ["grid", "row", "spotlight", "off"].map((mode) => ({
      layout: { auto: { mode, cutout: "none" } },
      label: mode,
    })),
  },
  {
    name: "auto-gap",
    room: "people",
    keys: ["auto.gap"],
    size: HALF,
    moments: [0, "10%"].map((gap) => ({ layout: { auto: { mode: "grid", cutout: "none", gap } }, label: `gap: ${gap}` })),
  },
  {
    name: "auto-cutout",
    room: "people",
    keys: ["auto.cutout"],
    size: HALF,
    moments: ["none", "person"].map((cutout) => ({
      layout: { canvas: STUDIO, auto: { mode: "grid", cutout } },
      after: MASKS_MS,
      label: cutout,
    })),
  },
];
