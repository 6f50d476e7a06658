// Animated GIF, APNG and WebP of all kinds, and how this Chromium shows each of their pictures.
//
//     node animations.mjs
//
// makes src/control/assets/animation/tests/chromium.json, which the program's own tests compare with.

import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { deflateSync } from "node:zlib";

import { startBrowser } from "./browser.mjs";

const FILE = fileURLToPath(new URL("../../src/control/assets/animation/tests/chromium.json", import.meta.url));

/** Of every canvas. */
const [WIDTH, HEIGHT] = [4, 2];

/** Red, green, blue and nothing; half red, half green, and a quarter of blue. */
const COLOURS = {
  R: [255, 0, 0, 255],
  G: [0, 255, 0, 255],
  B: [0, 0, 255, 255],
  ".": [0, 0, 0, 0],
  r: [255, 0, 0, 128],
  g: [0, 255, 0, 128],
  b: [0, 0, 255, 64],
};

/** Pixels are written as rows with a slash between them. */
const rows = (text) => text.split("/");
const sizeOf = (text) => [rows(text)[0].length, rows(text).length];
const samples = (text) => [...rows(text).join("")].flatMap((letter) => COLOURS[letter]);
const le16 = (number) => [number & 255, number >> 8];
const le24 = (number) => [...le16(number & 65535), number >> 16];
const be32 = (number) => [number >>> 24, (number >> 16) & 255, (number >> 8) & 255, number & 255];

/** Numbers of colours as a stream of LZW that is cleared before it has codes of its own: three bits for each. */
function lzw(indices) {
  const codes = indices.flatMap((index, at) => (at % 2 ? [index] : [4, index])).concat(5);
  const bytes = [];
  codes.forEach((code, at) => {
    const place = at * 3;
    bytes[place >> 3] = (bytes[place >> 3] ?? 0) | ((code << (place & 7)) & 255);
    if ((place & 7) > 5) bytes[(place >> 3) + 1] = code >> (8 - (place & 7));
  });
  return [2, bytes.length, ...bytes, 0];
}

/** A GIF of parts `[pixels, disposal, left, top, hundredths, transparent]`; `loops`: what its extension says, if it has one. */
function gif(parts, { loops, name = "NETSCAPE2.0", background = 0 } = {}) {
  const table = [255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9];
  const loop = loops === undefined ? [] : [0x21, 0xff, 11, ...Buffer.from(name), 3, 1, ...le16(loops), 0];
  const frames = parts.flatMap(([pixels, disposal = 0, left = 0, top = 0, hundredths = 5, transparent = true]) => [
    ...[0x21, 0xf9, 4, (disposal << 2) | (transparent ? 1 : 0), ...le16(hundredths), 3, 0],
    ...[0x2c, ...[left, top, ...sizeOf(pixels)].flatMap(le16), 0],
    ...lzw([...rows(pixels).join("")].map((letter) => "RGB.".indexOf(letter))),
  ]);
  return [...Buffer.from("GIF89a"), ...le16(WIDTH), ...le16(HEIGHT), 0x81, background, 0, ...table, ...loop, ...frames, 0x3b];
}

/** The sum that a chunk of PNG ends with. */
function crc32(bytes) {
  const bit = (crc) => (crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1);
  return ~bytes.reduce((crc, byte) => [...Array(8)].reduce(bit, crc ^ byte), -1) >>> 0;
}

function chunk(kind, inside) {
  const body = [...Buffer.from(kind), ...inside];
  return [...be32(inside.length), ...body, ...be32(crc32(body))];
}

/**
 * An APNG of parts `[pixels, disposal, blend, left, top, numerator, denominator]`. `apart`: a picture before them, for
 * those who show no animations. `said`: how many it says that it has.
 */
function apng(parts, { plays = 0, apart, said = parts.length } = {}) {
  const packed = (pixels) => {
    const lines = rows(pixels).map((row) => [0, ...samples(row)]);
    return [...deflateSync(Buffer.from(lines.flat()))];
  };
  let number = 0;
  const frames = parts.flatMap(([pixels, disposal = 0, blend = 0, left = 0, top = 0, numerator = 5, denominator = 100], at) => {
    const place = [...sizeOf(pixels), left, top].flatMap(be32);
    const control = [...be32(number++), ...place, numerator >> 8, numerator & 255, denominator >> 8, denominator & 255];
    const head = chunk("fcTL", [...control, disposal, blend]);
    const isFirst = at === 0 && apart === undefined;
    return [...head, ...(isFirst ? chunk("IDAT", packed(pixels)) : chunk("fdAT", [...be32(number++), ...packed(pixels)]))];
  });
  return [
    ...[0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a],
    ...chunk("IHDR", [...be32(WIDTH), ...be32(HEIGHT), 8, 6, 0, 0, 0]),
    ...chunk("acTL", [...be32(said), ...be32(plays)]),
    ...(apart === undefined ? [] : chunk("IDAT", packed(apart))),
    ...frames,
    ...chunk("IEND", []),
  ];
}

function riff(kind, inside) {
  const length = [...le16(inside.length & 65535), ...le16(inside.length >> 16)];
  return [...Buffer.from(kind), ...length, ...inside, ...(inside.length % 2 ? [0] : [])];
}

/** A WebP of parts `[pixels, disposal, blend, left, top, milliseconds]`, which the browser encodes one by one. */
async function webp(page, parts, { loops = 0, background = [0, 0, 0, 0] } = {}) {
  const frames = [];
  for (const [pixels, disposal = 0, blend = 0, left = 0, top = 0, milliseconds = 50] of parts) {
    const [width, height] = sizeOf(pixels);
    const alone = await page.evaluate(encode, [samples(pixels), width, height]);
    const head = [left / 2, top / 2, width - 1, height - 1, milliseconds].flatMap(le24);
    // Behind the header of the file, and of its own extended header if it has one.
    const picture = Buffer.from(alone, "base64");
    const at = picture.indexOf("VP8L");
    const length = 8 + picture.readUInt32LE(at + 4);
    const lossless = [...picture.subarray(at, at + length + (length % 2))];
    frames.push(...riff("ANMF", [...head, (blend << 1) | disposal, ...lossless]));
  }
  const canvas = riff("VP8X", [0x12, 0, 0, 0, ...le24(WIDTH - 1), ...le24(HEIGHT - 1)]);
  const inside = [...Buffer.from("WEBP"), ...canvas, ...riff("ANIM", [...background, ...le16(loops)]), ...frames];
  return riff("RIFF", inside);
}

/** Runs in the page: a picture as WebP without loss. */
async function encode([pixels, width, height]) {
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext("2d").putImageData(new ImageData(new Uint8ClampedArray(pixels), width, height), 0, 0);
  const blob = await canvas.convertToBlob({ type: "image/webp", quality: 1 });
  const bytes = new Uint8Array(await blob.arrayBuffer());
  return btoa(String.fromCharCode(...bytes));
}

/** Everything that is tried: `[name, media type, bytes]`. */
async function inputs(page) {
  const [all, blue] = ["RRRR/RRRR", "GGGG/GGGG"];
  const made = [];
  const add = (name, type, bytes) => made.push([`${type} ${name}`, `image/${type}`, bytes]);
  for (const disposal of [0, 1, 2, 3, 4, 5]) {
    add(`disposal ${disposal} of a part`, "gif", gif([[all], ["BB", disposal, 1, 0], ["G", 1, 3, 1]]));
    add(`disposal ${disposal} of the first`, "gif", gif([["RRR/RRR", disposal], ["B", 1, 3, 0], ["G", 1, 0, 1]]));
    add(`disposal ${disposal} after 3`, "gif", gif([[all], ["BB", 3, 0, 0], ["GG", disposal, 1, 1], ["B", 1, 3, 1]]));
    add(`disposal ${disposal} after 2`, "gif", gif([[all], ["BB", 2, 0, 0], ["GG", disposal, 1, 1], ["B", 1, 3, 1]]));
    add(`disposal ${disposal} of holes`, "gif", gif([["R.R./.R.R"], ["B..B", disposal], [".GG.", 1, 0, 1]]));
  }
  add("a first one with an offset", "gif", gif([["RR", 1, 1, 1], ["B", 1, 0, 0]]));
  add("a first one with an offset, cleared", "gif", gif([["RR", 2, 1, 1], ["B", 1, 0, 0]]));
  add("a first one beyond the canvas", "gif", gif([["RRRR/RRRR", 1, 2, 1], ["B", 1, 0, 0]]));
  add("a part beyond the canvas", "gif", gif([[all], ["BBBB/BBBB", 1, 2, 1], ["G", 1, 0, 0]]));
  add("a part outside of the canvas", "gif", gif([[all], ["BB", 1, 9, 9], ["G", 1, 0, 0]]));
  add("no transparent colour", "gif", gif([["R.R./....", 1, 0, 0, 5, false], ["B", 2, 1, 0, 5, false], ["G", 1, 3, 1, 5, false]]));
  add("a background colour", "gif", gif([["RR", 2, 1, 1, 5, false], ["B", 2, 0, 0], ["G", 1, 3, 0]], { background: 2 }));
  for (const hundredths of [0, 1, 2, 5, 100]) {
    add(`${hundredths} hundredths`, "gif", gif([[all, 1, 0, 0, hundredths], [blue, 1, 0, 0, hundredths]], { loops: 0 }));
  }
  for (const loops of [undefined, 0, 1, 2, 65535]) {
    add(`repeats ${loops ?? "not said"}`, "gif", gif([[all], [blue]], { loops }));
  }
  add("repeats, of another name", "gif", gif([[all], [blue]], { loops: 2, name: "ANIMEXTS1.0" }));
  add("repeats, of an unknown name", "gif", gif([[all], [blue]], { loops: 2, name: "SOMETHING.0" }));
  add("one picture that repeats", "gif", gif([["R.R./.R.R"]], { loops: 0 }));

  for (const blend of [0, 1]) {
    for (const disposal of [0, 1, 2]) {
      const how = `disposal ${disposal}, blend ${blend}`;
      add(`${how}, of a part`, "apng", apng([[all], ["B.", disposal, blend, 1, 0], ["Gg", 0, blend, 2, 1], ["b", 0, 1]]));
      add(`${how}, of the first`, "apng", apng([["Rr.R/rRR.", disposal, blend], ["B.", 0, blend, 1, 0], ["G", 0, 1, 3, 1]]));
      add(`${how}, after 2`, "apng", apng([[all], ["B.", 2, 0], ["g.", disposal, blend, 1, 1], ["b", 0, 1, 3, 1]]));
      add(`${how}, after 1`, "apng", apng([[all], ["B.", 1, 0], ["g.", disposal, blend, 1, 1], ["b", 0, 1, 3, 1]]));
      add(`${how}, of half colours`, "apng", apng([["rrbb/gg.."], ["gbgb/gbgb", disposal, blend], ["r", 0, 1, 0, 1]]));
    }
  }
  add("a picture apart", "apng", apng([["RR", 0, 0, 1, 1], ["B", 0, 1, 0, 0]], { apart: blue }));
  add("a picture apart, cleared", "apng", apng([["RR", 1, 0, 1, 1], ["B", 0, 1, 0, 0]], { apart: blue }));
  add("a picture apart, restored", "apng", apng([["RR", 2, 0, 1, 1], ["B", 0, 1, 0, 0]], { apart: blue }));
  for (const said of [1, 2, 4]) add(`3 pictures that say ${said}`, "apng", apng([[all], [blue], ["B"]], { said }));
  for (const plays of [0, 1, 3]) add(`plays ${plays}`, "apng", apng([[all], [blue]], { plays }));
  for (const [numerator, denominator] of [[0, 0], [0, 100], [1, 0], [1, 100], [1, 30], [3, 7], [65535, 1]]) {
    const part = (pixels) => [pixels, 0, 0, 0, 0, numerator, denominator];
    add(`${numerator}/${denominator} s`, "apng", apng([part(all), part(blue)]));
  }

  for (const blend of [0, 1]) {
    for (const disposal of [0, 1]) {
      const how = `disposal ${disposal}, blend ${1 - blend}`;
      const tried = async (name, parts) => add(`${how}, ${name}`, "webp", await webp(page, parts));
      await tried("of a part", [[all], ["B.", disposal, blend, 2, 0], ["Gg", 0, blend, 0, 0], ["b", 0, 0]]);
      await tried("of the first", [["Rr.R/rRR.", disposal, blend], ["B.", 0, blend, 2, 0], ["G", 0, 0]]);
      await tried("after a cleared one", [[all], ["B.", 1, 1], ["g.", disposal, blend, 2, 0], ["b", 0, 0]]);
      await tried("of half colours", [["rrbb/gg.."], ["gbgb/gbgb", disposal, blend], ["r", 0, 0]]);
      await tried("with an offset", [["RR/Rr", disposal, blend, 2, 0], ["B", 0, 0]]);
    }
  }
  const ground = { background: [255, 0, 255, 255] };
  add("a background colour", "webp", await webp(page, [["RR", 1, 0, 2, 0], ["B", 0, 0]], ground));
  for (const loops of [0, 1, 3]) add(`loops ${loops}`, "webp", await webp(page, [[all], [blue]], { loops }));
  for (const ms of [0, 10, 11, 40]) {
    add(`${ms} ms`, "webp", await webp(page, [[all, 0, 0, 0, 0, ms], [blue, 0, 0, 0, 0, ms]]));
  }
  return made;
}

/** Runs in the page: all pictures of an animation, whole, and how often they are shown (null: for ever). */
async function decode([type, content]) {
  const data = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
  const decoder = new ImageDecoder({ type, data, premultiplyAlpha: "none" });
  try {
    await decoder.tracks.ready;
    const { frameCount, repetitionCount } = decoder.tracks.selectedTrack;
    const frames = [];
    for (let frameIndex = 0; frameIndex < frameCount; frameIndex++) {
      const { image } = await decoder.decode({ frameIndex });
      const bytes = new Uint8Array(image.codedWidth * image.codedHeight * 4);
      await image.copyTo(bytes, { format: "RGBA" });
      const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
      frames.push({ ms: Math.round((image.duration ?? 0) / 1000), width: image.codedWidth, pixels: hex });
      image.close();
    }
    return { plays: repetitionCount === Infinity ? null : repetitionCount + 1, frames };
  } finally {
    decoder.close();
  }
}

/** Has a Chromium at a page that may use `ImageDecoder`. */
export async function withPage(url, act) {
  const browser = await startBrowser({ color: [0, 0, 0] });
  try {
    const { page } = await browser.tab();
    await page.goto(url);
    return await act(page);
  } finally {
    await browser.close();
  }
}

/** How this browser shows an animation. */
export function seen(page, type, content) {
  return page.evaluate(decode, [type === "image/apng" ? "image/png" : type, content]);
}

/** What the program's tests compare with. */
export async function committed() {
  return JSON.parse(await readFile(FILE, "utf8"));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { startServer } = await import("./server.mjs");
  const server = await startServer([], { model: "none" });
  try {
    const lines = await withPage(server.url, async (page) => {
      const cases = [];
      for (const [name, type, bytes] of await inputs(page)) {
        const content = Buffer.from(bytes).toString("base64");
        cases.push(JSON.stringify({ name, type, content, ...(await seen(page, type, content)) }));
      }
      return cases;
    });
    await writeFile(FILE, `[\n${lines.join(",\n")}\n]\n`);
  } finally {
    await server.stop();
  }
}
