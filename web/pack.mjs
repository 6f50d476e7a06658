// Packs the built page by Brotli and gzip, beside each file: the server sends what the browser takes, and packs nothing.

import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const DIST = fileURLToPath(new URL("dist", import.meta.url));
const TEXTS = /\.(html|js|css|svg|json|txt)$/;
/** Less saved is not worth a file. */
const WORTH = 64;

const brotli = (bytes) =>
  brotliCompressSync(bytes, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
      [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  });
const gzip = (bytes) => gzipSync(bytes, { level: constants.Z_BEST_COMPRESSION });

const names = (await readdir(DIST, { recursive: true })).filter((name) => TEXTS.test(name)).sort();
for (const name of names) {
  const bytes = await readFile(join(DIST, name));
  const packed = { br: brotli(bytes), gz: gzip(bytes) };
  const worth = Object.entries(packed).filter(([, content]) => content.length + WORTH <= bytes.length);
  for (const [ending, content] of worth) await writeFile(join(DIST, `${name}.${ending}`), content);
  const sizes = worth.map(([ending, content]) => `${ending} ${content.length}`).join(", ");
  console.log(`${name}: ${bytes.length} bytes, ${sizes || "as it is"}`);
}
