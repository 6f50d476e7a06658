// The clients of this folder, and how to run one.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { inTime } from "../browser/wait.mjs";

const folder = fileURLToPath(new URL(".", import.meta.url));
/** A Python that has aiortc, and one that has GStreamer's bindings, which come with the system's only. */
const AIORTC_PYTHON = process.env.AIORTC_PYTHON || "python3";
const SYSTEM_PYTHON = "/usr/bin/python3";
const NODE = process.execPath;

/** A client watches for a while, and what it prints comes after it has gone. */
const SPARE_MS = 60_000;
/** Starting, and connecting, on a busy machine. */
const SEND_MS = 40_000;
const LEAVE_MS = 20_000;

const BOTH = { sends: true, watches: true };

/**
 * `sends`, `watches`: what it can. `again`: it asks for lost packets, and can be tried on a line that loses some.
 * `adapts`: it reports how fast packets arrive, and gets the whole picture on a good line. `loopback`: false where it
 * cannot reach a server that is on loopback only.
 */
export const CLIENTS = {
  "Chromium, H.264": { run: [NODE, "chromium.mjs", "--codec", "H264"], ...BOTH, again: true, adapts: true },
  "Chromium, VP8": { run: [NODE, "chromium.mjs", "--codec", "VP8"], ...BOTH, again: true, adapts: true },
  "Chromium, VP9": { run: [NODE, "chromium.mjs", "--codec", "VP9"], sends: true },
  Firefox: { run: [NODE, "firefox.mjs"], ...BOTH, again: true, adapts: true },
  Eyevinn: { run: [NODE, "eyevinn.mjs"], ...BOTH, adapts: true },
  "libdatachannel, H.264": { run: [NODE, "libdatachannel.mjs", "--codec", "H264"], ...BOTH },
  "libdatachannel, VP8": { run: [NODE, "libdatachannel.mjs", "--codec", "VP8"], ...BOTH },
  "werift, H.264": { run: [NODE, "werift.mjs", "--codec", "H264"], ...BOTH },
  "werift, VP8": { run: [NODE, "werift.mjs", "--codec", "VP8"], ...BOTH },
  "aiortc, H.264": { run: [AIORTC_PYTHON, "aiortc_client.py", "--codec", "H264"], ...BOTH, again: true },
  "aiortc, VP8": { run: [AIORTC_PYTHON, "aiortc_client.py", "--codec", "VP8"], ...BOTH, again: true },
  "FFmpeg, H.264": { run: [AIORTC_PYTHON, "ffmpeg_sender.py", "--codec", "H264"], sends: true },
  "GStreamer, H.264": {
    run: [SYSTEM_PYTHON, "gstreamer_client.py", "--codec", "H264"],
    ...BOTH,
    again: true,
    adapts: true,
    loopback: false,
  },
  "GStreamer, VP8": { run: [SYSTEM_PYTHON, "gstreamer_client.py", "--codec", "VP8"], ...BOTH, loopback: false },
};

/** Thrown where a client is not installed. */
export class NotInstalled extends Error {}

/** A client's program and its arguments. */
function command(name, wish) {
  const [program, file, ...rest] = CLIENTS[name].run;
  const wished = Object.entries(wish).filter(([, value]) => value !== undefined);
  return [program, [join(folder, file), ...rest, ...wished.flatMap(([key, value]) => [`--${key}`, `${value}`])]];
}

/** Why a client ended as it did. */
function reason(name, said, error) {
  if (error.code === 77) return new NotInstalled(said.trim());
  if (error.code === "ENOENT") return new NotInstalled(`${error.path} is not installed`);
  return new Error(`${name}: ${error.killed ? "took too long" : `exit code ${error.code}`}\n${said.trim()}`);
}

/**
 * Runs a client that watches to its end; resolves to what it saw.
 *
 * @param {string} name one of `CLIENTS`
 * @param {{endpoint: string, seconds: number, tones: number[], token?: string}} wish
 * @param {import("../network/line.mjs").End} [end] of a line, where it shall run
 */
export function watchAs(name, wish, end) {
  const [program, args] = command(name, wish);
  const [runs, all] = end ? end.command(program, args) : [program, args];
  return new Promise((resolve, reject) => {
    execFile(runs, all, { timeout: wish.seconds * 1_000 + SPARE_MS }, (error, stdout, stderr) => {
      if (error) reject(reason(name, stderr, error));
      else resolve(JSON.parse(stdout.trim().split("\n").at(-1)));
    });
  });
}

/**
 * Starts a client that sends; resolves to how it sends, and what ends it.
 *
 * @param {string} name one of `CLIENTS`
 * @param {{endpoint: string, color: number[], tone: number, token?: string}} wish
 * @returns {Promise<{version: string, codec: string, leave: () => Promise<void>, log: () => string}>}
 */
export async function sendAs(name, wish) {
  const child = spawn(...command(name, wish), { stdio: "pipe" });
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text) => (log += text));
  const ended = new Promise((resolve) => {
    child.once("error", resolve);
    child.once("close", (code, signal) => resolve({ code: code ?? signal }));
  });
  const gone = async () => {
    const end = await ended;
    throw reason(name, log, end);
  };
  const within = async (what, promise, ms) => {
    try {
      return await inTime(`${name} ${what}`, promise, ms);
    } catch (error) {
      if (child.exitCode === null) child.kill("SIGKILL");
      throw error instanceof NotInstalled ? error : new Error(`${error.message}\n${log.trim()}`);
    }
  };
  const told = once(createInterface({ input: child.stdout }), "line");
  const [line] = await within("sends", Promise.race([told, gone()]), SEND_MS);
  const leave = async () => {
    child.stdin.end();
    const end = await within("leaves", ended, LEAVE_MS);
    if (end.code !== 0) throw reason(name, log, end);
  };
  return { ...JSON.parse(line), leave, log: () => log };
}
