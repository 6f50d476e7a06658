// Measures how long a picture takes from a camera to the screen: through the server, and from one connection directly
// to another, turn by turn in the same browser. The camera is a clock, which is read back from what is shown.
//
//   VIRFIE_BIN=…/virfie node latency.mjs [--runs 6] [--seconds 6] [--send vp8] [--receive h264]
//
// How the ticks of camera and server stand to each other differs from connection to connection: hence several runs,
// each with new ones. `../browser/latency.mjs` says where the time through the server goes.

import { parseArgs } from "node:util";

import { startBrowser } from "../browser/browser.mjs";
import { BITS, clockCamera, quantile, readClock } from "../browser/clock.mjs";
import { startServer } from "../browser/server.mjs";

const ROOM = "latency";
/** Joining, the first keyframes and the bandwidth estimates' rise are not what is measured. */
const WARM_UP_MS = 5_000;

const { values: options } = parseArgs({
  options: {
    runs: { type: "string", default: "6" },
    seconds: { type: "string", default: "6" },
    send: { type: "string", default: "vp8" },
    receive: { type: "string", default: "h264" },
  },
});

/** Joins by the page, as the only one. */
async function throughServer(tab, server) {
  await tab.join(server, ROOM, "clock", `&send=${options.send}&receive=${options.receive}`);
}

/** Connects two connections of one page, and shows what the second gets. */
async function directly(tab, server) {
  await tab.page.goto(`${server.url}/healthz`);
  await tab.page.evaluate(async (codec) => {
    const [near, far] = [new RTCPeerConnection(), new RTCPeerConnection()];
    near.addEventListener("icecandidate", ({ candidate }) => far.addIceCandidate(candidate));
    far.addEventListener("icecandidate", ({ candidate }) => near.addIceCandidate(candidate));
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
    for (const track of stream.getTracks()) {
      const line = near.addTransceiver(track, { direction: "sendonly", streams: [stream] });
      if (track.kind === "audio") continue;
      const wanted = [`video/${codec}`, "video/rtx"];
      const known = RTCRtpReceiver.getCapabilities("video").codecs;
      line.setCodecPreferences(known.filter(({ mimeType }) => wanted.includes(mimeType)));
    }
    const video = Object.assign(document.createElement("video"), { autoplay: true });
    video.dataset.testid = "mix";
    document.body.replaceChildren(video);
    far.addEventListener("track", ({ streams }) => (video.srcObject = streams[0]));
    await near.setLocalDescription();
    await far.setRemoteDescription(near.localDescription);
    await far.setLocalDescription();
    await near.setRemoteDescription(far.localDescription);
    while (video.videoWidth === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  }, options.send.toUpperCase());
}

/** Milliseconds from the camera to the screen of each frame of one connection, and frames that could not be read. */
async function once(browser, server, connect) {
  const tab = await browser.tab();
  try {
    await tab.page.addInitScript(clockCamera, BITS);
    await connect(tab, server);
    await tab.mix.evaluate(readClock, { bits: BITS, duration: WARM_UP_MS });
    const duration = Number(options.seconds) * 1_000;
    const { frames, unreadable } = await tab.mix.evaluate(readClock, { bits: BITS, duration });
    return { times: frames.map(({ shown }) => shown), unreadable };
  } finally {
    await tab.page.context().close();
  }
}

const WAYS = { "through the server": throughServer, directly };
const server = await startServer();
const browser = await startBrowser();
try {
  await server.ask("PUT", `/rooms/${ROOM}`, {});
  await server.ask("PUT", `/rooms/${ROOM}/layout`, {
    layers: [{ id: "clock", source: { participant: "clock" }, x: 0, y: 0, width: 1280, height: 720 }],
    auto: { mode: "off" },
  });
  const all = Object.fromEntries(Object.keys(WAYS).map((way) => [way, { times: [], medians: [], unreadable: 0 }]));
  for (let run = 0; run < Number(options.runs); run += 1) {
    for (const [way, connect] of Object.entries(WAYS)) {
      const { times, unreadable } = await once(browser, server, connect);
      all[way].times.push(...times);
      all[way].medians.push(quantile(times.sort((a, b) => a - b), 0.5));
      all[way].unreadable += unreadable;
    }
  }
  console.log(`camera to screen, ms; ${options.send} sent, ${options.receive} received from the server\n`);
  console.log("| | median | p95 | medians of the runs | frames | unreadable |\n|---|--:|--:|---|--:|--:|");
  const [served, direct] = Object.entries(all).map(([way, { times, medians, unreadable }]) => {
    times.sort((a, b) => a - b);
    const [median, late] = [quantile(times, 0.5), quantile(times, 0.95)];
    const cells = [way, median.toFixed(0), late.toFixed(0), medians.map(Math.round).join(", "), times.length, unreadable];
    console.log(`| ${cells.join(" | ")} |`);
    return { median, late };
  });
  const [median, late] = ["median", "late"].map((key) => (served[key] - direct[key]).toFixed(0));
  console.log(`| more by the server | ${median} | ${late} | | | |`);
} finally {
  await browser.close();
  await server.stop();
}
