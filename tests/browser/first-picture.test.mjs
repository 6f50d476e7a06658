// Newcomers see a picture at once, in the codec that they can decode.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { startBrowser } from "./browser.mjs";
import { camera } from "./clips.mjs";
import { plainPage, videoCodec, watch } from "./peers.mjs";
import { likeness, look, pattern } from "./picture.mjs";
import { startServer } from "./server.mjs";
import { until } from "./wait.mjs";

const ROOM = "codecs";
const BOX = { x: 320, y: 160, width: 640, height: 360 };
/** Aimed at is 1 s; a machine that runs tests beside other things may need more. */
const FIRST_FRAME_MS = 3_000;

let server;
let browser;
let ann;

before(async () => {
  server = await startServer();
  await server.ask("PUT", `/assets/${pattern.name}`, pattern.png());
  await server.ask("PUT", `/rooms/${ROOM}`, {});
  await server.ask("PUT", `/rooms/${ROOM}/layout`, {
    canvas: { background: pattern.name },
    layers: [{ id: "ann", source: { participant: "ann" }, ...BOX }],
    auto: { mode: "off" },
  });
  browser = await startBrowser({ clip: "ann" });
  ann = await browser.joined(server, ROOM, "ann");
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/** Waits until the tab shows ann's camera in its box, with the background around it. */
async function sees(tab, name) {
  const picture = await until(`${name} sees ann`, async () => {
    const picture = await look(tab.mix);
    const share = likeness(picture, BOX, camera("ann"));
    if (share > 0.7) return picture;
    throw new Error(`${share.toFixed(2)} of the box is like the camera`);
  });
  picture.keep(`first-picture-${name}.png`);
  const outside = picture.share({ x: 0, y: 0, width: 1280, height: 150 }, pattern.shown);
  assert.ok(outside > 0.999, `the background is at ${outside} of the places above the box`);
}

test("a participant who decodes only VP8 gets VP8", async (t) => {
  const tab = await browser.joined(server, ROOM, "vera", { query: "&receive=vp8" });
  const ms = await tab.firstFrame();
  t.diagnostic(`first VP8 frame ${ms.toFixed(0)} ms after the connection, the encoder's start included (aim 1000)`);
  await sees(tab, "vera");
  assert.equal((await tab.stats()).videoCodec, "vp8");
  assert.equal((await ann.stats()).videoCodec, "h264", "ann keeps H.264");
  assert.ok(ms < FIRST_FRAME_MS, `${ms} ms`);
  assert.deepEqual(tab.errors, []);
  await tab.page.context().close();
});

test("a viewer who comes later sees the first frame at once", async (t) => {
  const viewer = await plainPage(browser, server);
  await watch(viewer, ROOM);
  const ms = await viewer.firstFrame();
  t.diagnostic(`first frame ${ms.toFixed(0)} ms after the connection (aim 1000)`);
  await sees(viewer, "viewer");
  assert.equal(await videoCodec(viewer, "receive"), "H264");
  assert.ok(ms < FIRST_FRAME_MS, `${ms} ms`);
});
