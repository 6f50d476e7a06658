// Chromium at the client's end of a line: as a WHEP viewer, and as a person on the room's page.

import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { startBrowser } from "../browser/browser.mjs";
import { scratch } from "../browser/place.mjs";
import { keepConnections } from "./probe.mjs";
import { ROOM } from "./studio.mjs";

const CHROMIUM = process.env.CHROMIUM || "/usr/bin/chromium";

/** From the connection to the first picture, on the worst of lines. */
const PATIENCE_MS = 20_000;

/** How each receiver comes to a tab that shows the room. */
export const RECEIVERS = {
  "viewer, H.264": (browser, studio) => viewer(browser, studio, "H264"),
  "viewer, VP8": (browser, studio) => viewer(browser, studio, "VP8"),
  "page, H.264": guest,
  "producer's page, H.264": producer,
};

/** Starts Chromium at one end of the line; pages of the studio count as secure there. */
export async function startBrowserAt(end, studio) {
  const file = join(scratch, `chromium-${end.name}`);
  const [program, args] = end.command(CHROMIUM, [`--unsafely-treat-insecure-origin-as-secure=${studio.url}`]);
  const line = [program, ...args].map((word) => `'${word}'`).join(" ");
  // What it leaves behind goes with our own things.
  writeFileSync(file, `#!/bin/sh\nTMPDIR='${scratch}' exec ${line} "$@"\n`);
  chmodSync(file, 0o755);
  process.env.CHROMIUM = file;
  return startBrowser();
}

async function openTab(browser) {
  const tab = await browser.tab();
  await tab.page.addInitScript(keepConnections);
  return tab;
}

/** The room's page, as a guest with camera and microphone, who was invited. */
async function guest(browser, studio) {
  const tab = await openTab(browser);
  await tab.page.goto(`${studio.url}/healthz`);
  const token = await tab.page.evaluate(async ({ key, room }) => {
    const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
    const body = JSON.stringify({ room, role: "participant", ttl_seconds: 3_600 });
    const answer = await fetch("/api/v1/tokens", { method: "POST", headers, body });
    if (!answer.ok) throw new Error(await answer.text());
    return (await answer.json()).token;
  }, { key: studio.key, room: ROOM });
  await tab.join(studio, ROOM, "guest", `&token=${token}`);
  return tab;
}

/** The same as a producer, to whom the tools come that direct the room. */
async function producer(browser, studio) {
  const tab = await openTab(browser);
  await tab.join(studio, ROOM, "producer", `&token=${studio.key}`);
  return tab;
}

/** A WHEP viewer in a plain page, which takes one codec only. */
async function viewer(browser, studio, codec) {
  const tab = await openTab(browser);
  await tab.page.goto(`${studio.url}/healthz`);
  await tab.page.evaluate(async ({ endpoint, mime, patience }) => {
    const connection = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    const stream = new MediaStream();
    for (const kind of ["audio", "video"]) {
      const line = connection.addTransceiver(kind, { direction: "recvonly" });
      stream.addTrack(line.receiver.track);
      if (kind === "audio") continue;
      const all = RTCRtpReceiver.getCapabilities("video").codecs;
      line.setCodecPreferences(all.filter(({ mimeType }) => [mime, "video/rtx"].includes(mimeType)));
    }
    const video = Object.assign(document.createElement("video"), { autoplay: true, srcObject: stream });
    video.dataset.testid = "mix";
    document.body.replaceChildren(video);
    await window.connect(connection, endpoint);
    const deadline = performance.now() + patience;
    while (video.videoWidth === 0) {
      if (performance.now() > deadline) throw new Error(`no picture within ${patience} ms`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }, { patience: PATIENCE_MS, endpoint: `/whep/${ROOM}?token=${studio.key}`, mime: `video/${codec}` });
  return tab;
}
