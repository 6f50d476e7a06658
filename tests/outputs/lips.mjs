// Lips: a page that flashes and beeps at once each second, and how far apart the two are in what comes of them.
//
// It is a browser's, whose picture and sound have one clock; a bot plays its two beside each other.

import { spawnSync } from "node:child_process";

import { startBrowser } from "../browser/browser.mjs";
import { plainPage } from "../browser/peers.mjs";
import { ROOM } from "./room.mjs";

const MOST = 64 * 1024 * 1024;
/** Of a gray pixel, 0 to 255. */
const LIGHT = 128;

/** Has a page of a browser of its own join as somebody who flashes and beeps; resolves to the browser. */
export async function clap(server, name) {
  const browser = await startBrowser();
  const { page } = await plainPage(browser, server);
  await page.evaluate(async (endpoint) => {
    const sound = new AudioContext({ sampleRate: 48_000 });
    const [beeps, microphone] = [new OscillatorNode(sound, { frequency: 1_000 }), sound.createMediaStreamDestination()];
    const gate = new GainNode(sound, { gain: 0 });
    beeps.connect(gate).connect(microphone);
    beeps.start();
    const begin = Math.ceil(sound.currentTime) + 1;
    for (let second = 0; second < 600; second += 1) {
      gate.gain.setValueAtTime(0.5, begin + second);
      gate.gain.setValueAtTime(0, begin + second + 0.1);
    }
    const picture = Object.assign(document.createElement("canvas"), { width: 640, height: 360 }).getContext("2d");
    let painted = 0;
    setInterval(() => {
      picture.fillStyle = sound.currentTime >= begin && sound.currentTime % 1 < 0.1 ? "#fff" : "#000";
      picture.fillRect(0, 0, 640, 360);
      // Something changes, or the canvas would give no new frames.
      picture.fillStyle = (painted += 1) % 2 ? "#333" : "#666";
      picture.fillRect(0, 0, 8, 8);
    }, 8);
    const stream = new MediaStream([...picture.canvas.captureStream(30).getTracks(), ...microphone.stream.getTracks()]);
    const pc = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    for (const track of stream.getTracks()) pc.addTransceiver(track, { direction: "sendonly", streams: [stream] });
    await window.connect(pc, endpoint);
  }, `/whip/${ROOM}?name=${name}`);
  return browser;
}

function run(file, filters) {
  const args = ["-v", "info", "-nostdin", "-nostats", "-copyts", "-i", file, ...filters, "-"];
  const { status, stdout, stderr } = spawnSync("ffmpeg", args, { encoding: "utf8", maxBuffer: MOST });
  if (status !== 0) throw new Error(`ffmpeg ${file}: ${stderr.slice(-2_000)}`);
  return { stdout, stderr };
}

/** When flashes begin in the middle of the picture, in seconds. */
function flashes(file) {
  // The checksum of a single byte is that byte.
  const pixel = ["-an", "-vf", "crop=16:16:iw/2-8:ih/2-8,scale=1:1,format=gray", "-fps_mode", "passthrough", "-f", "framecrc"];
  const lines = run(file, ["-map", "0:v:0", ...pixel]).stdout.split("\n");
  const [top, bottom] = /^#tb 0: (\d+)\/(\d+)/m.exec(lines.join("\n")).slice(1).map(Number);
  const frames = lines.filter((line) => line.startsWith("0,")).map((line) => line.split(",").map((cell) => cell.trim()));
  const seen = frames.map(([, , pts, , , sum]) => ({ at: (Number(pts) * top) / bottom, light: (Number(sum) & 0xff) > LIGHT }));
  return seen.filter(({ light }, index) => light && index > 0 && !seen[index - 1].light).map(({ at }) => at);
}

/** When beeps begin, in seconds. */
function beeps(file) {
  const { stderr } = run(file, ["-map", "0:a:0", "-vn", "-af", "silencedetect=noise=-30dB:duration=0.3", "-f", "null"]);
  return [...stderr.matchAll(/silence_end: ([\d.]+)/g)].map(([, at]) => Number(at));
}

/** How much later than its flash a beep is, in milliseconds, in the middle of all; and how many flashes there were. */
export function apart(file) {
  const heard = beeps(file);
  const late = flashes(file).map((flash) => heard.map((beep) => beep - flash).sort((a, b) => Math.abs(a) - Math.abs(b))[0]);
  const sorted = late.filter((one) => Math.abs(one) < 0.5).sort((a, b) => a - b);
  return { count: sorted.length, milliseconds: (sorted[Math.floor(sorted.length / 2)] ?? NaN) * 1_000 };
}
