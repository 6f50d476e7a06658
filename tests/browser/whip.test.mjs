// A WHIP sender with H.264 and a WHEP viewer: WebRTC by the standard, without the room's page.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { startBrowser } from "./browser.mjs";
import { camera } from "./clips.mjs";
import { plainPage, publish, videoCodec, watch } from "./peers.mjs";
import { distance, likeness, lookSharp, pattern, SHARP_MS } from "./picture.mjs";
import { startServer } from "./server.mjs";
import { hears } from "./tones.mjs";
import { until } from "./wait.mjs";

const ROOM = "studio";
const TONE = 880;
const UNUSED_TONE = 2000;
const BOX = { x: 320, y: 160, width: 640, height: 360 };
const BLUE = [30, 80, 200];

let server;
let browser;
let sender;
let viewer;
let sending;
let viewing;

before(async () => {
  server = await startServer();
  await server.ask("PUT", `/assets/${pattern.name}`, pattern.png());
  await server.ask("PUT", `/rooms/${ROOM}`, {});
  await server.ask("PUT", `/rooms/${ROOM}/layout`, {
    canvas: { background: pattern.name },
    layers: [{ id: "cam", source: { participant: "cam" }, ...BOX }],
    auto: { mode: "off" },
  });
  browser = await startBrowser({ clip: "bob", tone: TONE });
  [sender, viewer] = [await plainPage(browser, server), await plainPage(browser, server)];
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

test("a viewer sees and hears what a sender sends in H.264", async (t) => {
  sending = await publish(sender, ROOM, "cam", { codec: "H264" });
  viewing = await watch(viewer, ROOM);
  const picture = await until("the viewer sees the sender's picture", async () => {
    const picture = await lookSharp(viewer.mix);
    const share = likeness(picture, BOX, camera("bob"));
    if (share > 0.7) return picture;
    throw new Error(`${share.toFixed(2)} of the box is like the camera`);
  }, { within: SHARP_MS });
  picture.keep("whip-seen-by-viewer.png");
  const outside = picture.share({ x: 0, y: 0, width: 1280, height: 150 }, pattern.shown);
  assert.ok(outside > 0.999, `the background is at ${outside} of the places above the box`);
  assert.equal(await videoCodec(sender, "send"), "H264");
  const decibels = await hears("the viewer", viewer.mix, TONE, UNUSED_TONE);
  t.diagnostic(`first frame ${(await viewer.firstFrame()).toFixed(0)} ms after the viewer's connection`);
  t.diagnostic(`the sender's tone is ${decibels.toFixed(0)} dB above what is not sent`);
  const state = await server.ask("GET", `/rooms/${ROOM}`);
  assert.deepEqual([state.viewers, state.participants.map(({ name }) => name)], [1, ["cam"]]);
});

test("a second POST of the same name takes the place over", async () => {
  const before = (await server.people(ROOM)).get("cam");
  const second = await plainPage(browser, server);
  const newer = await publish(second, ROOM, "cam", { color: `rgb(${BLUE})` });
  const people = await server.people(ROOM);
  assert.deepEqual([...people.keys()], ["cam"]);
  assert.equal(people.get("cam").id, before.id, "the place stays the same");
  const old = await fetch(sending, { method: "DELETE" });
  assert.equal(old.status, 404, "the first session is gone");
  await until("the viewer sees the second sender's picture", async () => {
    const picture = await lookSharp(viewer.mix);
    return picture.share(BOX, (color) => distance(color, BLUE) < 24) > 0.98;
  }, { within: SHARP_MS });
  sending = newer;
});

test("DELETE ends a sender and a viewer", async () => {
  assert.equal((await fetch(sending, { method: "DELETE" })).status, 200);
  assert.equal((await server.people(ROOM)).size, 0);
  await until("the viewer sees the background where the sender was", async () => {
    return (await lookSharp(viewer.mix)).share(BOX, pattern.shown) > 0.99;
  }, { within: SHARP_MS });
  assert.equal((await fetch(viewing, { method: "DELETE" })).status, 200);
  assert.equal((await server.ask("GET", `/rooms/${ROOM}`)).viewers, 0);
  assert.deepEqual([...sender.errors, ...viewer.errors], []);
});
