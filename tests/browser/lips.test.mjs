// Lips: what flashes and beeps at once in a page does so in what a room makes of it.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { startBrowser } from "./browser.mjs";
import { ffmpeg } from "./clips.mjs";
import { plainPage } from "./peers.mjs";
import { scratch } from "./place.mjs";
import { startServer } from "./server.mjs";
import { until } from "./wait.mjs";

const ROOM = "clap";
const SECONDS = 14;
/** The first seconds: the room learns how long a picture takes, and waits for a pause. */
const LEARNING = 4;
/** What people do not see, in seconds. */
const TOLERANCE = 0.04;
const [WIDTH, HEIGHT, FPS, RATE] = [64, 36, 30, 48_000];

let server;
let browser;

before(async () => {
  server = await startServer();
  await server.ask("PUT", `/rooms/${ROOM}`, { canvas: { width: 640, height: 360, fps: FPS } });
  browser = await startBrowser({ clip: "ann", tone: 440 });
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/** Sends a canvas that is white for the first tenth of each second of its sound's clock, and a beep as long. */
async function clap(tab) {
  await tab.page.evaluate(async (endpoint) => {
    const sound = new AudioContext({ sampleRate: 48_000 });
    const second = sound.createBuffer(1, 48_000, 48_000);
    const beep = second.getChannelData(0).subarray(0, 4800);
    beep.forEach((_, at) => (beep[at] = 0.5 * Math.sin((2 * Math.PI * 1000 * at) / 48_000)));
    const source = new AudioBufferSourceNode(sound, { buffer: second, loop: true });
    const microphone = sound.createMediaStreamDestination();
    source.connect(microphone);
    const begin = sound.currentTime + 0.1;
    source.start(begin);
    const picture = Object.assign(document.createElement("canvas"), { width: 640, height: 360 }).getContext("2d");
    let painted = 0;
    setInterval(() => {
      picture.fillStyle = (sound.currentTime - begin + 1) % 1 < 0.1 ? "#fff" : "#000";
      picture.fillRect(0, 0, 640, 360);
      // Something changes, or the canvas would give no new frames.
      picture.fillStyle = (painted += 1) % 2 ? "#333" : "#666";
      picture.fillRect(0, 0, 8, 8);
    }, 8);
    const [video] = picture.canvas.captureStream(30).getVideoTracks();
    const stream = new MediaStream([video, ...microphone.stream.getAudioTracks()]);
    const pc = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    for (const track of stream.getTracks()) pc.addTransceiver(track, { direction: "sendonly", streams: [stream] });
    await window.connect(pc, endpoint);
  }, `/whip/${ROOM}?name=clap`);
}

/** Raw media of a recording, on its own time line. */
function decoded(file, args) {
  return ffmpeg(["-copyts", "-i", file, ...args, "-"]);
}

/** When flashes begin, in seconds. */
function flashes(file) {
  const filter = `fps=${FPS}:start_time=0:round=near,scale=${WIDTH}:${HEIGHT},format=gray`;
  const pixels = decoded(file, ["-an", "-vf", filter, "-f", "rawvideo"]);
  const size = WIDTH * HEIGHT;
  const light = (frame) => pixels[frame * size + size / 2] > 128;
  const frames = Array.from({ length: pixels.length / size }, (_, frame) => frame);
  return frames.filter((frame) => frame > 0 && light(frame) && !light(frame - 1)).map((frame) => frame / FPS);
}

/** When beeps begin, in seconds. */
function beeps(file) {
  const bytes = decoded(file, ["-vn", "-af", "aresample=async=1:first_pts=0", "-ac", "1", "-ar", `${RATE}`, "-f", "s16le"]);
  const begun = [];
  let loud = -RATE;
  for (let at = 0; at < bytes.length / 2; at += 1) {
    if (Math.abs(bytes.readInt16LE(at * 2)) < 2000) continue;
    if (at - loud > RATE / 4) begun.push(at / RATE);
    loud = at;
  }
  return begun;
}

/** How much later than its flash each beep is, in seconds. */
async function apart(name, layers) {
  await server.ask("PUT", `/rooms/${ROOM}/layout`, { layers, auto: { mode: "off" } });
  const { id } = await server.ask("POST", `/rooms/${ROOM}/outputs`, { type: "file", name });
  await until("it is recorded", async () => {
    const { live_since: since, state } = await server.ask("GET", `/rooms/${ROOM}/outputs/${id}`);
    if (state === "live" && Date.now() - Date.parse(since) >= SECONDS * 1000) return true;
    throw new Error(`${state} since ${since}`);
  }, { within: 3 * SECONDS * 1000 });
  await server.ask("DELETE", `/rooms/${ROOM}/outputs/${id}`);
  const [recording] = (await server.ask("GET", `/rooms/${ROOM}/recordings`)).filter((one) => one.name.startsWith(name));
  const response = await fetch(`${server.url}/api/v1/rooms/${ROOM}/recordings/${recording.name}`);
  const file = join(scratch, recording.name);
  writeFileSync(file, Buffer.from(await response.arrayBuffer()));
  const heard = beeps(file);
  const late = (flash) => heard.map((beep) => beep - flash).sort((a, b) => Math.abs(a) - Math.abs(b))[0];
  return flashes(file).filter((flash) => flash > LEARNING && flash < SECONDS - 1).map(late);
}

const whole = { id: "whole", source: { participant: "clap" }, cutout: "none", x: 0, y: 0, width: "100%", height: "100%" };

for (const [name, how, layers] of [
  ["plain", "a picture that is shown as it comes", [whole]],
  ["cut", "one in which the network looks for people first", [whole, { ...whole, id: "cut", cutout: "person", width: "20%", z: 5 }]],
]) {
  test(`sound is beside ${how}`, async (t) => {
    if (name === "plain") await clap(await plainPage(browser, server));
    const found = await apart(name, layers);
    t.diagnostic(`sound after picture: ${found.map((late) => (late * 1000).toFixed(0)).join(" ")} ms`);
    assert.ok(found.length >= 7, `${found.length} flashes`);
    const middle = found.toSorted((a, b) => a - b)[Math.floor(found.length / 2)];
    assert.ok(Math.abs(middle) < TOLERANCE, `sound comes ${middle} s after its picture`);
  });
}
