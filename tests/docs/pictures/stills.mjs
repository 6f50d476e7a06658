// Pictures of what stands still, made of images, colours and words.

import { BLUE, GREEN, QUIET, RED, YELLOW, box, named } from "./draw.mjs";

const ANN = { image: "ann.jpg" };

/** Photographs are small, since there are many. */
const ROW = [256, 108];
const HALF = [126, 70];
/** Three places side by side, each 80 wide: their left edges. */
const THREE = [4, 88, 172];

/** One layer in three ways: `key` has each of the values, and the words below say so. */
function thrice(key, values, { words = values.map(String), width = 80, height = 80, y = 4, ...more } = {}) {
  return THREE.flatMap((x, index) => [
    { id: `one-${index}`, source: ANN, x, y, width, height, ...more, [key]: values[index] },
    named(index, words[index], x + 40, y + height + 3),
  ]);
}

const ANCHORS = ["top-left", "top", "top-right", "left", "center", "right", "bottom-left", "bottom", "bottom-right"];

/** @type {import("./list.mjs").Picture[]} */
export const STILLS = [
  {
    name: "canvas-size",
    keys: ["canvas.width", "canvas.height"],
    moments: [
      [178, 100],
      [64, 100],
    ].map(([width, height]) => ({
      size: [width, height],
      layout: {
        canvas: { width, height },
        layers: [
          { id: "ann", source: ANN },
          { id: "sun", source: { image: "sun.png" }, anchor: "top-right", width: 26, z: 1 },
        ],
      },
      label: `${width} x ${height}`,
    })),
  },
  {
    name: "canvas-background",
    keys: ["canvas.background"],
    size: HALF,
    moments: ["#7a2f4b", "studio.jpg"].map((background) => ({
      layout: {
        canvas: { background },
        layers: [{ id: "sun", source: { image: "sun.png" }, anchor: "center", height: 40 }],
      },
      label: background,
    })),
  },
  {
    name: "position",
    keys: ["layers.x", "layers.y"],
    format: "png",
    same: true,
    moments: [
      {
        layout: {
          layers: [
            box("across", 0, 104, 96, 2, YELLOW),
            box("down", 170, 0, 2, 54, YELLOW),
            { id: "one", source: { color: BLUE }, x: "30%", y: "30%", width: 160, height: 100 },
            named("x", "x: 30%", 48, 108),
            named("y", "y: 30%", 178, 27, "left"),
          ],
        },
      },
    ],
  },
  {
    name: "anchor",
    keys: ["layers.anchor"],
    size: [256, 124],
    format: "png",
    same: true,
    moments: [
      {
        layout: {
          layers: ANCHORS.map((anchor) => ({
            id: anchor,
            source: { text: anchor, size: 11, background: BLUE, padding: 5 },
            anchor,
          })),
        },
      },
    ],
  },
  {
    name: "size",
    keys: ["layers.width", "layers.height", "layers.scale"],
    size: [256, 144],
    moments: [
      {
        layout: {
          layers: [
            { id: "width", source: ANN, x: 4, y: 4, width: 80 },
            named("width", "width: 80", 44, 51),
            { id: "height", source: ANN, x: 94, y: 4, height: 80 },
            named("height", "height: 80", 165, 86),
            { id: "both", source: ANN, x: 4, y: 74, width: 36, height: 50 },
            named("both", "both", 22, 126),
            { id: "scale", source: ANN, x: 94, y: 108, scale: "24%" },
            named("scale", 'scale: "24%"', 160, 125, "left"),
          ],
        },
      },
    ],
  },
  {
    name: "fit",
    keys: ["layers.fit"],
    size: [256, 136],
    moments: [
      {
        layout: {
          layers: [
            ...THREE.map((x, index) => box(`place-${index}`, x, 4, 80, 108, QUIET, { z: -1 })),
            ...thrice("fit", ["cover", "contain", "fill"], { height: 108 }),
          ],
        },
      },
    ],
  },
  {
    name: "crop",
    keys: ["layers.crop.left", "layers.crop.top", "layers.crop.right", "layers.crop.bottom"],
    size: ROW,
    moments: [
      {
        layout: {
          layers: [
            { id: "whole", source: ANN, x: 4, y: 4, width: 140, height: 80 },
            // What is cut off, by the edges that the other layer has.
            box("left", 4, 4, 42, 80, "#000000", { opacity: 0.6, z: 1 }),
            box("right", 102, 4, 42, 80, "#000000", { opacity: 0.6, z: 1 }),
            box("bottom", 46, 60, 56, 24, "#000000", { opacity: 0.6, z: 1 }),
            box("top", 46, 4, 56, 4, "#000000", { opacity: 0.6, z: 1 }),
            named("whole", "the source", 74, 87),
            {
              id: "part",
              source: ANN,
              x: 154,
              y: 4,
              height: 80,
              crop: { left: "30%", top: "5%", right: "30%", bottom: "30%" },
            },
            named("part", "the layer", 197, 87),
          ],
        },
      },
    ],
  },
  {
    name: "z",
    keys: ["layers.z"],
    format: "png",
    same: true,
    size: [158, 100],
    moments: [
      [1, 2, 3],
      [3, 2, 1],
    ].map((order) => ({
      layout: {
        layers: [RED, GREEN, BLUE].map((background, index) => ({
          id: `card-${index}`,
          source: { text: `z: ${order[index]}`, size: 13, align: "center", background, padding: 6 },
          x: 4 + index * 44,
          y: 10 + index * 20,
          width: 62,
          height: 40,
          z: order[index],
        })),
      },
    })),
  },
  {
    name: "mirror",
    keys: ["layers.mirror"],
    size: [256, 98],
    moments: [
      {
        layout: {
          layers: [false, true].flatMap((mirror, index) => [
            { id: `one-${index}`, source: ANN, x: 4 + index * 126, y: 4, width: 122, mirror },
            named(index, `mirror: ${mirror}`, 65 + index * 126, 76),
          ]),
        },
      },
    ],
  },
  {
    name: "opacity",
    keys: ["layers.opacity"],
    size: ROW,
    moments: [
      {
        layout: {
          canvas: { background: "studio.jpg" },
          layers: thrice("opacity", [1, 0.6, 0.2]),
        },
      },
    ],
  },
  {
    name: "radius",
    keys: ["layers.radius"],
    size: ROW,
    moments: [
      {
        layout: {
          layers: thrice("radius", [0, 20, "50%"], { words: ["0", "20", '"50%"'] }),
        },
      },
    ],
  },
  {
    name: "border",
    keys: ["layers.border.width", "layers.border.color"],
    size: ROW,
    moments: [
      {
        layout: {
          layers: thrice(
            "border",
            [
              { width: 2, color: "#ffffff" },
              { width: 6, color: YELLOW },
              { width: 12, color: RED },
            ],
            { words: ["2, white", "6, yellow", "12, red"], radius: 16 },
          ),
        },
      },
    ],
  },
  {
    name: "rotate",
    keys: ["layers.rotate"],
    size: ROW,
    moments: [
      {
        layout: {
          layers: thrice("rotate", [0, 15, -90], { height: 45, y: 24 }).map((layer) =>
            layer.rotate === undefined ? { ...layer, y: 87 } : layer,
          ),
        },
      },
    ],
  },
  {
    name: "interval",
    keys: ["layers.source.interval_ms"],
    size: HALF,
    moments: [
      {
        layout: {
          layers: [
            {
              id: "ads",
              source: { image: ["sun.png", "heart.png"], interval_ms: 4000 },
              anchor: "center",
              height: 60,
            },
          ],
        },
        after: 2000,
      },
      { after: 4000 },
    ],
  },
];
