// A player of another site, hls.js in Chromium, plays what the server serves by HLS, to those with a token.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { after, before, test } from "node:test";

import { startBrowser } from "./browser.mjs";
import { distance, look, pattern } from "./picture.mjs";
import { artifact } from "./place.mjs";
import { startServer } from "./server.mjs";
import { until } from "./wait.mjs";

const ROOM = "show";
const KEY = "a-key-of-sixteen";
const AS_ADMIN = { authorization: `Bearer ${KEY}` };
const COLOR = [200, 60, 20];
/** The first segments, and three of them in the player's buffer. */
const PLAYS_MS = 30_000;
const SECONDS = 20;

const PAGE = `<!doctype html><title>Player</title><video muted width="1280" height="720"></video><script src="hls.js"></script>`;

let server;
let browser;
let site;
let token;
let output;

before(async () => {
  // Everything that the program itself can log, because the token must not be in it.
  server = await startServer(["--api-key", KEY, "--log-level", "info,virfie=trace"]);
  await ask("PUT", `/rooms/${ROOM}`, { canvas: { width: 1280, height: 720, fps: 30 } });
  await server.ask("PUT", `/assets/${pattern.name}`, pattern.png(), AS_ADMIN);
  await ask("PUT", `/rooms/${ROOM}/layout`, { canvas: { background: pattern.name }, auto: { mode: "off" } });
  ({ token } = await ask("POST", "/tokens", { room: ROOM, role: "viewer" }));
  output = await ask("POST", `/rooms/${ROOM}/outputs`, { type: "hls", name: "main", segment_seconds: 2 });
  site = createServer((request, response) => {
    const isScript = request.url === "/hls.js";
    response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
    response.end(isScript ? readFileSync(new URL("node_modules/hls.js/dist/hls.js", import.meta.url)) : PAGE);
  });
  await new Promise((resolve) => site.listen(0, "127.0.0.1", resolve));
  browser = await startBrowser();
});

after(async () => {
  await browser?.close();
  site?.close();
  await server?.stop();
});

function ask(method, path, body) {
  return server.ask(method, path, body, AS_ADMIN);
}

/** Opens a player. `by`: whether the token goes in a header or in the address. */
async function play(by) {
  const tab = await browser.tab();
  tab.asked = [];
  tab.page.on("request", (request) => tab.asked.push({ url: request.url(), headers: request.headers() }));
  await tab.page.goto(`http://127.0.0.1:${site.address().port}/`);
  const source = `${server.url}${output.url}${by === "query" ? `?token=${token}` : ""}`;
  // A playlist that is not there yet is asked for again.
  await until("the playlist is there", async () => (await fetch(`${source}`, { headers: AS_ADMIN })).ok, { within: PLAYS_MS });
  await tab.page.evaluate(({ source, bearer }) => {
    const xhrSetup = (xhr) => bearer && xhr.setRequestHeader("authorization", `Bearer ${bearer}`);
    const player = new window.Hls({ xhrSetup });
    window.player = player;
    window.trouble = [];
    player.on("hlsError", (_, { type, details, fatal }) => fatal && window.trouble.push(`${type} ${details}`));
    player.loadSource(source);
    const video = document.querySelector("video");
    player.attachMedia(video);
    player.on("hlsManifestParsed", () => video.play());
  }, { source, bearer: by === "header" ? token : null });
  tab.video = tab.page.locator("video");
  return tab;
}

function now(tab) {
  return tab.page.evaluate(() => {
    const video = document.querySelector("video");
    if (window.trouble.length > 0) throw new Error(window.trouble.join());
    const { totalVideoFrames: frames, droppedVideoFrames: dropped } = video.getVideoPlaybackQuality();
    const { width, height } = window.player.levels[0] ?? {};
    return { time: video.currentTime, frames, dropped, wide: video.videoWidth, high: video.videoHeight, width, height };
  });
}

/** Waits until the player has played so many seconds more; resolves to what it says then. */
async function plays(tab, seconds) {
  const { time } = await now(tab);
  return until(`the player plays ${seconds} s`, async () => {
    const then = await now(tab);
    return then.time >= time + seconds && then;
  }, { within: PLAYS_MS + seconds * 1000 });
}

test("hls.js plays a room for twenty seconds, and shows what the room shows", async (t) => {
  const tab = await play("header");
  const first = await plays(tab, 1);
  assert.deepEqual([first.wide, first.high, first.width, first.height], [1280, 720, 1280, 720]);
  const picture = await look(tab.video);
  picture.keep("hls-pattern.png");
  assert.ok(picture.share({ x: 0, y: 0, width: 1280, height: 720 }, pattern.shown) > 0.98, "the background is shown");
  const begun = Date.now();
  const then = await plays(tab, SECONDS);
  const rate = (then.frames - first.frames) / (then.time - first.time);
  t.diagnostic(`${rate.toFixed(1)} frames a second, ${then.dropped} dropped, ${then.time - first.time} s in ${Date.now() - begun} ms`);
  assert.ok(rate > 28.5 && rate < 31.5, `${rate} frames a second`);

  const changed = Date.now();
  const hex = `#${COLOR.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
  await ask("PUT", `/rooms/${ROOM}/layout`, { canvas: { background: hex }, auto: { mode: "off" } });
  await until("the new background is shown", async () => distance((await look(tab.video)).at(640, 360), COLOR) < 24, { within: PLAYS_MS });
  t.diagnostic(`a change is seen after ${Date.now() - changed} ms`);
  await tab.screenshot(artifact("hls-player.png"));

  // Another encoding begins with a discontinuity, over which the player goes.
  await ask("PATCH", `/rooms/${ROOM}/outputs/${output.id}`, { video: { size: "640x360" } });
  await until("the new size is shown", async () => (await now(tab)).wide === 640, { within: PLAYS_MS });
  await plays(tab, 3);
  assert.ok(tab.asked.every(({ url }) => !url.includes(token)));
  assert.deepEqual(tab.errors, []);
  await tab.page.close();
});

test("a token in the address is passed on to the segments, and an end is an end", async () => {
  const tab = await play("query");
  await plays(tab, 3);
  const segments = tab.asked.filter(({ url }) => url.includes(".ts"));
  assert.ok(segments.length > 0 && segments.every(({ url }) => url.endsWith(`.ts?token=${token}`)));
  assert.ok(segments.every(({ headers }) => !headers.authorization));
  await ask("POST", `/rooms/${ROOM}/outputs/${output.id}/stop`);
  await until("the player is at the end", () => tab.page.evaluate(() => document.querySelector("video").ended), { within: PLAYS_MS });
  assert.deepEqual(tab.errors, []);
});

test("without a token nothing is served, and the log shows no token", async () => {
  for (const file of ["index.m3u8", "live.m3u8"]) {
    const address = `${server.url}/hls/${ROOM}/main/${file}`;
    assert.equal((await fetch(address)).status, 401);
    assert.equal((await fetch(`${address}?token=${token}x`)).status, 401);
  }
  for (const text of [server.log, server.said]) assert.ok(!text.includes(token), "the token is shown");
});

test("the page adds an HLS output and shows what players open", async () => {
  const tab = await browser.joined(server, ROOM, "ann", { query: `&token=${KEY}` });
  await tab.page.locator("#outputs > summary").click();
  await tab.page.getByTestId("output-hls").click();
  const link = tab.page.locator('[data-testid="output-link"]', { hasText: `/hls/${ROOM}/${ROOM}/` });
  await link.waitFor();
  const address = `${server.url}/hls/${ROOM}/${ROOM}/index.m3u8`;
  assert.deepEqual([await link.getAttribute("href"), await link.textContent()], [address, address]);
  const shown = () => fetch(address, { headers: AS_ADMIN });
  await until("it is served", async () => (await shown()).status === 200, { within: PLAYS_MS });
  await tab.screenshot(artifact("page-hls.png"));
});
