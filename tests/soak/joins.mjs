// Lets senders come and go, and prints what the server keeps of them: memory, threads, descriptors, complaints.
//
//   node tests/soak/joins.mjs PROGRAM [--joins 10000] [--at-once 10] [--lanes 2] [--every 500] [--warm-up 500]
//       [--most-kb 1000] [--serve "--flag value"]
//
// Each is a peer of libdatachannel (`npm ci` in tests/clients) that joins by WHIP, sends picture and sound until the room
// shows them, and goes: every second one says so, the others vanish as their process is killed. `--lanes` times
// `--at-once` of them come at the same time. After each `--every` joins it waits until nobody is left, and prints a line;
// from those after the warm-up it makes the slope. The exit code is 1 when something was left behind: more than
// `--most-kb` of memory a thousand joins, threads, descriptors, or a complaint of GLib or of Rust in the server's log.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { scratch } from "../browser/place.mjs";
import { startServer } from "../browser/server.mjs";
import { until } from "../browser/wait.mjs";
import { SSRCS } from "../clients/datachannel.mjs";
import { isReport, startPackets } from "../clients/packets.mjs";
import { used } from "../network/used.mjs";
import { complaints, slope } from "./verdict.mjs";

const ROOM = "soak";
const SENDERS = fileURLToPath(new URL("senders.mjs", import.meta.url));
/** A small picture and a few frames a second: joining is to be the work. */
const PICTURE = { size: "320x180", fps: 10 };
/** Length of the recording that is sent, with one keyframe in it. */
const ROUND_MS = 1_000;
const JOIN_MS = 60_000;
const LEAVE_MS = 30_000;
/** Until those who vanished are found out. */
const GONE_MS = 60_000;
/** Idle threads of pools live for 15 s. */
const SETTLE_MS = 17_000;
/** What may be there by chance at the moment of looking. */
const SLACK = { threads: 4, descriptors: 4 };
/** Batches that fail: on a busy machine one now and then does not come in in time. */
const FAILURES = 0.02;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    joins: { type: "string", default: "10000" },
    "at-once": { type: "string", default: "10" },
    lanes: { type: "string", default: "2" },
    every: { type: "string", default: "500" },
    "warm-up": { type: "string", default: "500" },
    "most-kb": { type: "string", default: "1000" },
    serve: { type: "string", default: "" },
  },
});
const [program] = positionals;
if (!program) throw new Error("usage: node tests/soak/joins.mjs PROGRAM [options]; see the top of the file");
process.env.VIRFIE_BIN = resolve(program);
const [joins, atOnce, lanes, every, warmUp, mostKb] =
  ["joins", "at-once", "lanes", "every", "warm-up", "most-kb"].map((name) => Number(options[name]));

/** Records a second of picture and sound as packets; resolves to the file that holds them. */
async function record(codec) {
  const packets = [];
  let from = 0;
  let whole = false;
  const end = await startPackets({ codec, color: [40, 120, 200], tone: 440, ...PICTURE }, SSRCS, (kind, packet) => {
    if (isReport(packet)) return;
    // The first picture is a keyframe.
    if (packets.length === 0) from = performance.now();
    const at = performance.now() - from;
    if (at >= ROUND_MS) whole = true;
    else packets.push({ at, kind, bytes: packet.toString("base64") });
  });
  await until("ffmpeg makes packets", () => whole, { within: 20_000 });
  await end();
  const file = join(scratch, `${codec}.json`);
  writeFileSync(file, JSON.stringify({ codec, milliseconds: ROUND_MS, packets }));
  return file;
}

const here = new Set();
let batches = 0;
let failures = 0;

/** Some senders come together, are seen, and go. */
async function batch(server, count, recordings) {
  const name = `guest-${(batches += 1)}`;
  const args = [SENDERS, `${server.url}/whip/${ROOM}`, name, `${count}`, recordings[batches % recordings.length]];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "pipe"] });
  here.add(child);
  let [said, log] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text) => (said += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (log += text));
  const ended = once(child, "exit").finally(() => here.delete(child));
  const says = (word, within) => until(`${name}: ${word}`, () => {
    if (child.exitCode !== null) throw new Error(log);
    return said.includes(`${word}\n`);
  }, { within });
  try {
    await says("sending", JOIN_MS);
    const seen = ({ name: own, size }) => size && own.startsWith(`${name}-`);
    const all = async () => [...(await server.people(ROOM)).values()].filter(seen).length === count;
    await until(`${name}: all are seen`, all, { within: JOIN_MS, every: 200 });
    child.stdin.end();
    await says("left", LEAVE_MS);
  } catch (error) {
    failures += 1;
    console.error(`${name} failed: ${error.message}`);
  } finally {
    child.kill("SIGKILL");
    await ended;
  }
}

async function come(server, count, recordings) {
  let left = count;
  await Promise.all(Array.from({ length: lanes }, async () => {
    while (left > 0) {
      const size = Math.min(atOnce, left);
      left -= size;
      await batch(server, size, recordings);
    }
  }));
}

async function settled(server) {
  const empty = async () => (await server.people(ROOM)).size === 0;
  await until("nobody is left", empty, { within: GONE_MS, every: 500 });
  await pause(SETTLE_MS);
  return used(server.child.pid);
}

const recordings = [await record("H264"), await record("VP8")];
const server = await startServer(["--log-level", "warn", ...options.serve.split(" ").filter(Boolean)]);
process.once("exit", () => [...here, server.child].forEach((child) => child.kill("SIGKILL")));
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));
try {
  const canvas = { width: 320, height: 180, fps: 10 };
  await server.ask("PUT", `/rooms/${ROOM}`, { canvas, max_participants: 500 });
  await server.ask("PUT", `/rooms/${ROOM}/layout`, { auto: { mode: "grid", cutout: "person" } });
  console.log("| joins | seconds | cpu s | memory, MB | threads | descriptors |\n|--:|--:|--:|--:|--:|--:|");
  const begun = performance.now();
  const rows = [];
  for (let done = 0; ; ) {
    const now = { joins: done, ...(await settled(server)) };
    rows.push(now);
    const { cpu, memory, threads, descriptors } = now;
    const seconds = (performance.now() - begun) / 1_000;
    console.log(`| ${done} | ${seconds.toFixed(0)} | ${cpu.toFixed(0)} | ${memory.toFixed(1)} | ${threads} | ${descriptors} |`);
    if (done >= joins) break;
    const next = Math.min(every, joins - done);
    await come(server, next, recordings);
    done += next;
  }
  const warm = rows.filter((row) => row.joins >= warmUp);
  const [first, last] = [warm[0] ?? rows[0], rows.at(-1)];
  const perThousand = slope(warm.map(({ joins: x, memory: y }) => [x / 1_000, y * 1_024]));
  console.log(`\nAfter ${first.joins} joins: ${perThousand.toFixed(0)} kB more a thousand joins`);
  if (perThousand > mostKb) process.exitCode = 1;
  for (const [key, slack] of Object.entries(SLACK)) {
    const more = last[key] - first[key];
    console.log(`${key}: ${more} more${more > slack ? " (too many)" : ""}`);
    if (more > slack) process.exitCode = 1;
  }
  console.log(`batches that failed: ${failures} of ${batches}`);
  if (failures > batches * FAILURES) process.exitCode = 1;
  const heard = complaints(server.log);
  console.log(`complaints in the server's log: ${heard.length}`);
  for (const line of heard.slice(0, 10)) console.log(`  ${line}`);
  if (heard.length > 0) process.exitCode = 1;
} finally {
  for (const child of here) child.kill("SIGKILL");
  await server.stop();
}
