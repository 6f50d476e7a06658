// Measures how long a picture takes from a camera to the screen through the server, in one browser: the camera is a
// canvas that shows the time in black and white bars, and the time is read back from the mix.
//
//   node latency.mjs [--runs 4] [--seconds 5] [--send vp8] [--receive h264]
//
// Camera and server both tick 30 times a second, and a picture waits for the server's next tick. How long depends on how
// the two stand to each other, which stays as it is for the whole of a connection: hence several runs, each with a new
// one.
//
// A measurement, not a test: what it says depends on the machine and on what else runs there.

import { parseArgs } from "node:util";

import { startBrowser } from "./browser.mjs";
import { startServer } from "./server.mjs";

const ROOM = "latency";
/** Bars, one a bit: with 20 of them the clock, in milliseconds, starts anew after 17 minutes. */
const BITS = 20;
/** Joining, the first keyframes and the bandwidth estimate's rise are not what is measured. */
const WARM_UP_MS = 4_000;

const { values: options } = parseArgs({
  options: {
    runs: { type: "string", default: "4" },
    seconds: { type: "string", default: "5" },
    send: { type: "string", default: "vp8" },
    receive: { type: "string", default: "h264" },
  },
});

/**
 * Runs in the page before its own scripts: the camera becomes a clock. The upper half of the picture has a white bar
 * for each set bit, most significant first; the lower half has the opposite, which tells a clean picture from a broken
 * one.
 */
function clockCamera(bits) {
  const devices = navigator.mediaDevices;
  if (!devices) return;
  const original = devices.getUserMedia.bind(devices);
  devices.getUserMedia = async (constraints) => {
    const stream = constraints.audio ? await original({ audio: constraints.audio }) : new MediaStream();
    if (!constraints.video) return stream;
    const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 360 });
    const context = canvas.getContext("2d", { alpha: false });
    const bar = canvas.width / bits;
    const draw = () => {
      const time = Math.round(performance.now());
      for (let bit = 0; bit < bits; bit += 1) {
        const set = (time >> (bits - 1 - bit)) & 1;
        context.fillStyle = set ? "#fff" : "#000";
        context.fillRect(bit * bar, 0, bar, 180);
        context.fillStyle = set ? "#000" : "#fff";
        context.fillRect(bit * bar, 180, bar, 180);
      }
      requestAnimationFrame(draw);
    };
    draw();
    stream.addTrack(canvas.captureStream(30).getVideoTracks()[0]);
    return stream;
  };
}

/**
 * Runs in the page: reads the clock from every frame of the mix for some time.
 *
 * @returns per frame, in ms: `shown`, from the drawing to the expected display of the mix; `arrived`, to the last
 *   packet's receipt; and how many frames could not be read
 */
function readClock(mix, { bits, duration }) {
  const context = new OffscreenCanvas(bits * 4, 8).getContext("2d", { willReadFrequently: true });
  const frames = [];
  let unreadable = 0;
  const read = () => {
    context.drawImage(mix, 0, 0, bits * 4, 8);
    const { data } = context.getImageData(0, 0, bits * 4, 8);
    // The middle of each bar, away from the edges that scaling has mixed.
    const brightness = (bit, row) => data[(row * bits * 4 + bit * 4 + 1) * 4 + 1] + data[(row * bits * 4 + bit * 4 + 2) * 4 + 1];
    let time = 0;
    for (let bit = 0; bit < bits; bit += 1) {
      const difference = brightness(bit, 2) - brightness(bit, 6);
      if (Math.abs(difference) < 160) return null;
      time = time * 2 + (difference > 0 ? 1 : 0);
    }
    return time;
  };
  return new Promise((resolve) => {
    const end = performance.now() + duration;
    const next = (now, { expectedDisplayTime, receiveTime }) => {
      const time = read();
      const wrapped = (at) => at - Math.floor(performance.now() / 2 ** bits) * 2 ** bits;
      if (time === null) unreadable += 1;
      else frames.push({ shown: wrapped(expectedDisplayTime) - time, arrived: wrapped(receiveTime ?? now) - time });
      if (now < end) mix.requestVideoFrameCallback(next);
      else resolve({ frames, unreadable });
    };
    mix.requestVideoFrameCallback(next);
  });
}

/** The two connections' sums of times and their counts, of which two reports give the mean between them. */
async function counters() {
  const { virfie } = window;
  const [incoming, outgoing] = await Promise.all(
    [virfie.pc(), virfie.sender()].map(async (pc) => [...(await pc.getStats()).values()]),
  );
  const of = (report, type) => report.find((entry) => entry.type === type && entry.kind === "video") ?? {};
  const [sent, received] = [of(outgoing, "outbound-rtp"), of(incoming, "inbound-rtp")];
  const pair = incoming.find((entry) => entry.type === "candidate-pair" && entry.nominated) ?? {};
  return {
    encode: [sent.totalEncodeTime, sent.framesEncoded],
    pace: [sent.totalPacketSendDelay, sent.packetsSent],
    jitterBuffer: [received.jitterBufferDelay, received.jitterBufferEmittedCount],
    jitterBufferAim: [received.jitterBufferTargetDelay, received.jitterBufferEmittedCount],
    decode: [received.totalDecodeTime, received.framesDecoded],
    roundTrip: [pair.totalRoundTripTime, pair.responsesReceived],
  };
}

function quantile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

function spread(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const [median, p95] = [quantile(sorted, 0.5), quantile(sorted, 0.95)].map(Math.round);
  return `median ${median} ms, p95 ${p95} ms`;
}

const server = await startServer();
const browser = await startBrowser();
try {
  const full = { x: 0, y: 0, width: 1280, height: 720 };
  await server.ask("PUT", `/rooms/${ROOM}`, {});
  await server.ask("PUT", `/rooms/${ROOM}/layout`, {
    layers: [{ id: "clock", source: { participant: "clock" }, ...full }],
    auto: { mode: "off" },
  });
  const tab = await browser.tab();
  await tab.page.addInitScript(clockCamera, BITS);
  await tab.join(server, ROOM, "clock", `&send=${options.send}&receive=${options.receive}`);
  const duration = Number(options.seconds) * 1000;
  const frames = [];
  const sums = {};
  let unreadable = 0;
  console.log(`camera to screen through the server, ${options.send} in, ${options.receive} out:`);
  for (let run = 1; run <= Number(options.runs); run += 1) {
    if (run > 1) {
      await tab.page.reload();
      await tab.connected();
    }
    await tab.mix.evaluate(readClock, { bits: BITS, duration: WARM_UP_MS });
    const before = await tab.page.evaluate(counters);
    const read = await tab.mix.evaluate(readClock, { bits: BITS, duration });
    const after = await tab.page.evaluate(counters);
    console.log(`  run ${run}               ${spread(read.frames.map(({ shown }) => shown))}`);
    frames.push(...read.frames);
    unreadable += read.unreadable;
    for (const [name, values] of Object.entries(after)) {
      sums[name] = values.map((value, at) => (sums[name]?.[at] ?? 0) + value - before[name][at]);
    }
  }
  const mean = (name) => (sums[name][1] > 0 ? `${((sums[name][0] / sums[name][1]) * 1000).toFixed(1)} ms` : "not told");
  const { health } = await server.ask("GET", `/rooms/${ROOM}`);
  const rate = (frames.length / Number(options.runs) / duration) * 1000;
  console.log(`  drawn to shown      ${spread(frames.map(({ shown }) => shown))}`);
  console.log(`  n                   ${frames.length} frames (${rate.toFixed(1)} a second), ${unreadable} unreadable`);
  console.log("of which");
  console.log(`  drawn to received   ${spread(frames.map(({ arrived }) => arrived))}`);
  console.log(`  received to shown   ${spread(frames.map(({ shown, arrived }) => shown - arrived))}`);
  console.log("means by getStats and the server");
  console.log(`  browser encodes     ${mean("encode")}, then ${mean("pace")} a packet in its pacer`);
  console.log(`  server composes     ${health.compose_ms.toFixed(1)} ms, ${health.late_frames} frames late`);
  console.log(`  jitter buffer       ${mean("jitterBuffer")}, its aim ${mean("jitterBufferAim")}`);
  console.log(`  browser decodes     ${mean("decode")}`);
  console.log(`  round trip          ${mean("roundTrip")}`);
} finally {
  await browser.close();
  await server.stop();
}
