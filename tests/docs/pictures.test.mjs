// Every key of layouts has its small picture in `docs/pictures`, or a reason to have none, and the documentation shows
// it where it speaks of the key. `make docs-pictures` makes the pictures.
//
//   VIRFIE_BIN=…/release/virfie node --test tests/docs/pictures.test.mjs

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { blocks } from "./blocks.mjs";
import { drift, layoutKeys, usedKeys } from "./pictures/keys.mjs";
import { PICTURES, WITHOUT } from "./pictures/list.mjs";
import { PROJECT, Studio, pixels } from "./pictures/studio.mjs";

const FOLDER = join(PROJECT, "docs/pictures");
/** What all pictures and each of them may have: pages load them all at once. */
const ALL_BYTES = 400_000;
const [WIDTH, HEIGHT] = [320, 180];
/** These are made again: colours, letters and places, which no decoder and no network has changed. */
const AGAIN = ["position", "z", "text-color"];
/** How far the parts of colours may be apart, of 255, in the mean: letters differ a little from one machine to another. */
const APART = 3;

const fileOf = ({ name, format = "jpg" }) => `${name}.${format}`;

let studio;
before(async () => (studio = await Studio.start()), { timeout: 120_000 });
after(() => studio?.end());

test("each key of the program has a picture, or a reason to have none", async () => {
  const faults = drift(layoutKeys(await studio.document()), PICTURES, WITHOUT);
  if (faults.length > 0) assert.fail(`\n${faults.join("\n")}`);
});

test("each picture is there, small, and known", () => {
  const files = fs.readdirSync(FOLDER).sort();
  assert.deepEqual(files, PICTURES.map(fileOf).sort());
  const bytes = files.reduce((sum, file) => sum + fs.statSync(join(FOLDER, file)).size, 0);
  assert.ok(bytes <= ALL_BYTES, `${bytes} bytes in all`);
  for (const file of files) {
    const ask = ["-v", "error", "-show_entries", "stream=width,height", "-of", "csv=p=0", join(FOLDER, file)];
    const [width, height] = execFileSync("ffprobe", ask, { encoding: "utf8" }).trim().split(",").map(Number);
    assert.ok(width <= WIDTH && height <= HEIGHT, `${file} has ${width}x${height}`);
  }
});

test("the documentation shows each picture where it speaks of its keys", () => {
  const shown = new Map();
  const faults = [];
  for (const page of fs.readdirSync(join(PROJECT, "docs")).filter((name) => name.endsWith(".md"))) {
    for (const part of parts(fs.readFileSync(join(PROJECT, "docs", page), "utf8"))) {
      for (const [, words, file] of part.matchAll(/!\[([^\]]*)\]\(pictures\/([^)]+)\)/g)) {
        if (shown.has(file)) faults.push(`${page} shows ${file}, which is shown elsewhere, too`);
        if (words.trim().split(/\s+/).length < 4) faults.push(`${page}: the words for ${file} do not say what is seen`);
        shown.set(file, part);
      }
    }
  }
  for (const picture of PICTURES) {
    const part = shown.get(fileOf(picture));
    if (part === undefined) faults.push(`no page shows ${fileOf(picture)}`);
    for (const key of part === undefined ? [] : picture.keys) {
      const word = key.split(".").pop();
      const named = new RegExp("`[^`]*\\b" + word + "\\b[^`]*`").test(part);
      if (!named) faults.push(`${fileOf(picture)} does not stand beside \`${word}\``);
    }
  }
  if (faults.length > 0) assert.fail(`\n${faults.join("\n")}`);
});

for (const name of AGAIN) {
  test(`the picture ${name} comes out the same`, { timeout: 120_000 }, async () => {
    const picture = PICTURES.find((one) => one.name === name);
    assert.ok(picture?.same, `${name} is one that comes out the same`);
    const [now, kept] = [await studio.take(picture), fs.readFileSync(join(FOLDER, fileOf(picture)))].map(pixels);
    assert.equal(now.length, kept.length, "its size");
    const apart = now.reduce((sum, byte, index) => sum + Math.abs(byte - kept[index]), 0) / now.length;
    assert.ok(apart <= APART, `it is ${apart.toFixed(2)} apart`);
  });
}

test("a key that is new, gone, not used or half shown is found", () => {
  const document = {
    components: {
      schemas: {
        Layout: {
          properties: {
            layers: { type: "array", items: { $ref: "#/components/schemas/Layer" } },
            music: { type: "string" },
          },
        },
        Layer: {
          properties: {
            fit: { $ref: "#/components/schemas/Fit" },
            source: {
              oneOf: [{ properties: { slot: { type: "integer" } } }, { properties: { color: { type: "string" } } }],
            },
          },
        },
        Fit: { type: "string", enum: ["cover", "fill"] },
      },
    },
  };
  const keys = layoutKeys(document);
  assert.deepEqual([...keys.keys()].sort(), ["layers.fit", "layers.source.color", "layers.source.slot", "music"]);
  const layout = { layers: [{ fit: "cover", source: { slot: 1 } }, { source: { slot: 2 } }] };
  assert.deepEqual([...usedKeys([layout]).get("layers.source.slot")], [1, 2]);
  const picture = (own) => ({ name: "one", keys: own, moments: [{ layout }] });
  const found = (own, without) => drift(keys, [picture(own)], without).join("\n");
  assert.match(found(["layers.source.slot"], { music: "it is heard" }), /layers\.source\.color has no picture/);
  assert.match(found(["layers.source.slot"], { "layers.z": "gone" }), /layers\.z has a reason, but is no key/);
  assert.match(found(["layers.z"], {}), /shows layers\.z, which is no key/);
  assert.match(found(["layers.source.color"], {}), /its layouts do not use it/);
  assert.match(found(["layers.fit"], {}), /does not show fill of layers\.fit/);
  assert.match(found(["layers.fit"], { "layers.fit": "why" }), /has a picture, and a reason/);
});

/** Cuts a page at its headings; those in blocks do not count. */
function parts(text) {
  const inside = new Set(blocks(text).flatMap(({ line, lines }) => lines.map((_, index) => line + index)));
  const found = [""];
  for (const [index, line] of text.split("\n").entries()) {
    if (/^#+ /.test(line) && !inside.has(index + 1)) found.push("");
    found.push(`${found.pop()}${line}\n`);
  }
  return found;
}
