// Measures how long a picture takes from a camera to the screen through the server, in one browser: the camera is a
// canvas that shows the time in black and white bars, and the time is read back from the mix.
//
//   node latency.mjs [--runs 4] [--seconds 5] [--send vp8] [--receive h264]
//
// Camera and server both tick 30 times a second, and a picture waits for the server's next tick. How long depends on
// how the two stand to each other, which stays as it is for the whole of a connection: hence several runs, each with a
// new one.
//
// A measurement, not a test: what it says depends on the machine and on what else runs there.

import { parseArgs } from "node:util";

import { startBrowser } from "./browser.mjs";
import { BITS, clockCamera, readClock, spread } from "./clock.mjs";
import { startServer } from "./server.mjs";

const ROOM = "latency";
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
  const mean = (name) => (sums[name][1] > 0 ? `${((sums[name][0] / sums[name][1]) * 1000).toFixed(1)} ms` : "not reported");
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
