// Eyevinn's WHIP client and WHEP player for pages, in Chromium, as clients; see wish.mjs.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { runInChromium } from "./chromium-page.mjs";
import { lacking, readWish } from "./wish.mjs";

const missing = () => lacking("Eyevinn's clients are not installed: npm ci");
const { build } = await import("esbuild").catch(missing);

function versionOf(name) {
  try {
    const manifest = readFileSync(new URL(`node_modules/@eyevinn/${name}/package.json`, import.meta.url), "utf8");
    return JSON.parse(manifest).version;
  } catch {
    return missing();
  }
}

const name = readWish().color ? "whip-web-client" : "webrtc-player";
const version = `@eyevinn/${name} ${versionOf(name)}`;
const bundle = await build({
  entryPoints: [fileURLToPath(new URL("eyevinn-in-page.mjs", import.meta.url))],
  bundle: true,
  write: false,
});
await runInChromium((page) => page.evaluate(bundle.outputFiles[0].text), (chromium) => `${version}, ${chromium}`);
