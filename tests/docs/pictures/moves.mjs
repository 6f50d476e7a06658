// Pictures of what changes by itself: transitions as some moments of one, and what triggers do.

import { BLUE, OFF, QUIET, SUN, box, named } from "./draw.mjs";

const ANN = { participant: "ann" };
const EASINGS = ["linear", "ease", "ease-in", "ease-out", "ease-in-out"];
const HALF = [126, 70];
/** Long, so that the moments of a busy machine are still those that are meant. */
const LONG_MS = 8000;

/** What `transition` goes from and to. */
const before = { layers: [{ id: "ann", source: { image: "ann.jpg" }, x: 0, y: 14, width: 60 }] };
const after = {
  layers: [
    { id: "ann", source: { image: "ann.jpg" }, x: 40, y: 8, width: 84, rotate: 10 },
    { id: "sun", source: { image: "sun.png" }, anchor: "top-left", width: 30, z: 1 },
  ],
  transition: { duration_ms: LONG_MS, easing: "linear" },
};

/** A track for each easing, and a card at one end of it. */
function race(x, transition) {
  return {
    layers: EASINGS.flatMap((easing, index) => [
      box(`track-${easing}`, 90, 16 + index * 34, 220, 4, QUIET, { z: -1 }),
      named(easing, easing, 82, 18 + index * 34, "right"),
      {
        ...box(`card-${easing}`, x, 6 + index * 34, 24, 24, BLUE),
        ...(transition ? { transition: { duration_ms: LONG_MS, easing } } : {}),
      },
    ]),
  };
}

/** Somebody in one half, and a layer that a nose in the left half shows. */
function greeting(x) {
  return {
    layers: [
      box("area", 0, 0, "50%", "100%", "#31465c", { z: -1 }),
      { id: "ann", source: ANN, x, y: 14, width: 60, height: 56, cutout: "person" },
      { id: "sun", source: { image: "sun.png" }, anchor: "right", width: 40, z: 1 },
    ],
    auto: OFF,
    triggers: [
      {
        id: "left",
        when: { keypoint: "nose", layers: ["ann"], area: { left: 0, top: 0, right: "50%", bottom: "100%" } },
        do: [{ show: "sun" }],
      },
    ],
  };
}

const crew = (more) => ({ canvas: { background: "studio.jpg" }, auto: { mode: "row" }, ...more });

/** @type {import("./list.mjs").Picture[]} */
export const MOVES = [
  {
    name: "transition",
    keys: ["transition.duration_ms"],
    size: HALF,
    moments: [
      { layout: before, label: "before" },
      { layout: after, after: LONG_MS / 3, label: "a third" },
      { after: LONG_MS / 3, label: "two thirds" },
      { label: "after" },
    ],
  },
  {
    name: "easing",
    keys: ["layers.transition.duration_ms", "layers.transition.easing"],
    format: "png",
    moments: [{ prepare: [race(90, false)], layout: race(286, true), after: LONG_MS * 0.2 }],
  },
  {
    name: "trigger",
    room: "people",
    keys: [
      "when.keypoint",
      "when.layers",
      "when.area.left",
      "when.area.top",
      "when.area.right",
      "when.area.bottom",
      "do.show",
    ].map((key) => `triggers.${key}`),
    size: HALF,
    moments: [
      { layout: greeting(64), label: "outside" },
      { layout: greeting(2), label: "in the area", sees: SUN },
    ],
  },
  {
    name: "twirl",
    room: "people",
    keys: ["triggers.do.twirl.angle"],
    size: HALF,
    moments: [
      { layout: crew({}), after: 5000, label: "without" },
      {
        layout: crew({ triggers: [{ id: "spin", when: "always", do: [{ twirl: { angle: 200, period_ms: 12000 } }] }] }),
        after: 3000,
        label: "angle: 200",
      },
    ],
  },
  {
    name: "icons",
    room: "people",
    keys: ["image", "width", "keypoint", "dx", "dy"].map((key) => `triggers.do.icons.${key}`),
    size: [256, 144],
    moments: [
      {
        layout: crew({
          triggers: [
            {
              id: "icons",
              when: "always",
              do: [
                {
                  icons: {
                    image: ["sun.png", "heart.png", "ball.png"],
                    width: 32,
                    keypoint: "nose",
                    dx: 26,
                    dy: -18,
                    shuffle_ms: 60000,
                  },
                },
              ],
            },
          ],
        }),
        sees: SUN,
      },
    ],
  },
  {
    name: "polaroid",
    room: "people",
    keys: ["image", "width", "height"].map((key) => `triggers.do.polaroid.${key}`),
    size: [256, 144],
    moments: [
      {
        layout: crew({
          triggers: [
            {
              id: "booth",
              when: "always",
              do: [
                {
                  polaroid: {
                    image: "frame.png",
                    width: 116,
                    height: 140,
                    photo_width: 100,
                    photo_height: 100,
                    every_ms: 60000,
                  },
                },
              ],
            },
          ],
        }),
      },
    ],
  },
];
