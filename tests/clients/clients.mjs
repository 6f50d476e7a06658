// The clients of this folder, and how to run one.

import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL(".", import.meta.url));
/** A Python that has aiortc, and one that has GStreamer's bindings, which come with the system's only. */
const AIORTC_PYTHON = process.env.AIORTC_PYTHON || "python3";
const SYSTEM_PYTHON = "/usr/bin/python3";

/** A client watches for a while, and what it prints comes after it has gone. */
const SPARE_MS = 60_000;

/**
 * `again`: it asks for lost packets, and can be tried on a line that loses some. `adapts`: it tells how fast packets
 * arrive, and gets the whole picture on a good line.
 */
export const CLIENTS = {
  "Chromium, H.264": { run: [process.execPath, "chromium.mjs", "--codec", "H264"], again: true, adapts: true },
  "Chromium, VP8": { run: [process.execPath, "chromium.mjs", "--codec", "VP8"], again: true, adapts: true },
  Firefox: { run: [process.execPath, "firefox.mjs"], again: true, adapts: true },
  "libdatachannel, H.264": { run: [process.execPath, "libdatachannel.mjs", "--codec", "H264"] },
  "libdatachannel, VP8": { run: [process.execPath, "libdatachannel.mjs", "--codec", "VP8"] },
  "aiortc, H.264": { run: [AIORTC_PYTHON, "aiortc_viewer.py", "--codec", "H264"], again: true },
  "aiortc, VP8": { run: [AIORTC_PYTHON, "aiortc_viewer.py", "--codec", "VP8"], again: true },
  "GStreamer, H.264": { run: [SYSTEM_PYTHON, "gstreamer_viewer.py", "--codec", "H264"], again: true, adapts: true },
};

/** Thrown where a client is not installed. */
export class NotInstalled extends Error {}

/**
 * Runs a client to its end; resolves to what it saw.
 *
 * @param {string} name one of `CLIENTS`
 * @param {{endpoint: string, seconds: number, tones: number[], token?: string}} wish
 * @param {import("../network/line.mjs").End} [end] of a line, where it shall run
 */
export function watchAs(name, { endpoint, seconds, tones, token }, end) {
  const [program, file, ...rest] = CLIENTS[name].run;
  const wish = ["--endpoint", endpoint, "--seconds", `${seconds}`, "--tones", tones.join()];
  const args = [join(folder, file), ...rest, ...wish, ...(token ? ["--token", token] : [])];
  const [runs, all] = end ? end.command(program, args) : [program, args];
  return new Promise((resolve, reject) => {
    execFile(runs, all, { timeout: seconds * 1_000 + SPARE_MS }, (error, stdout, stderr) => {
      if (!error) resolve(JSON.parse(stdout.trim().split("\n").at(-1)));
      else if (error.code === 77) reject(new NotInstalled(stderr.trim()));
      else if (error.code === "ENOENT") reject(new NotInstalled(`${program} is not installed`));
      else reject(new Error(`${name}: ${error.killed ? "took too long" : `exit code ${error.code}`}\n${stderr.trim()}`));
    });
  });
}
