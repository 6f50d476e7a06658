// Makes the small pictures of `docs/pictures` with the program itself, one for each key of layouts that a picture can show.
//
//   VIRFIE_BIN=…/release/virfie node tests/docs/pictures/make.mjs [NAME…]
//
// It fails when a key of the program has no picture, or a picture no key. Without names it makes all pictures, and removes
// those that it no longer knows.

import * as fs from "node:fs";
import { join } from "node:path";

import { drift, layoutKeys } from "./keys.mjs";
import { PICTURES, WITHOUT } from "./list.mjs";
import { PROJECT, Studio } from "./studio.mjs";

const FOLDER = join(PROJECT, "docs/pictures");

const names = process.argv.slice(2);
const unknown = names.filter((name) => !PICTURES.some((picture) => picture.name === name));
if (unknown.length > 0) throw new Error(`there is no picture ${unknown.join(", ")}`);

const studio = await Studio.start();
try {
  const faults = drift(layoutKeys(await studio.document()), PICTURES, WITHOUT);
  if (faults.length > 0) throw new Error(`\n${faults.join("\n")}`);
  fs.mkdirSync(FOLDER, { recursive: true });
  let total = 0;
  for (const picture of PICTURES) {
    const file = `${picture.name}.${picture.format ?? "jpg"}`;
    if (names.length > 0 && !names.includes(picture.name)) continue;
    const bytes = await studio.take(picture);
    fs.writeFileSync(join(FOLDER, file), bytes);
    total += bytes.length;
    console.log(`${file}: ${bytes.length} bytes`);
  }
  console.log(`${total} bytes in all`);
  if (names.length === 0) {
    const known = new Set(PICTURES.map(({ name, format = "jpg" }) => `${name}.${format}`));
    for (const file of fs.readdirSync(FOLDER)) if (!known.has(file)) fs.rmSync(join(FOLDER, file));
  }
} finally {
  await studio.end();
}
