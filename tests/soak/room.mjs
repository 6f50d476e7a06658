// Keeps a room of people for hours, and prints what it costs as time goes by: memory, threads, descriptors, missed frames.
//
//   node tests/soak/room.mjs PROGRAM [--minutes 120] [--people 4] [--size 640x360] [--warm-up 5] [--most-kb 2000]
//       [--bot PROGRAM] [--video FILE] [--serve "--flag value"]
//
// The people are bots (`--bot`: of another program) that send, receive and are cut out. There is a line each minute; from
// those after `--warm-up` minutes it makes the slope. The exit code is 1 when memory grows by more than `--most-kb` an
// hour, when there are more threads or descriptors at the end, or when GLib or Rust complained in the server's log. Missed
// frames are printed and no reason: a busy machine misses some.

import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";

import { startServer } from "../browser/server.mjs";
import { until } from "../browser/wait.mjs";
import { used } from "../network/used.mjs";
import { complaints, slope } from "./verdict.mjs";

const ROOM = "soak";
const MINUTE_MS = 60_000;
const JOIN_MS = 90_000;
/** What may be there by chance at the moment of looking. */
const SLACK = { threads: 4, descriptors: 4 };
const COUNTED = ["frames", "missed_frames", "late_frames", "dropped_frames"];

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: "string", default: "120" },
    people: { type: "string", default: "4" },
    size: { type: "string", default: "640x360" },
    "warm-up": { type: "string", default: "5" },
    "most-kb": { type: "string", default: "2000" },
    bot: { type: "string" },
    video: { type: "string" },
    serve: { type: "string", default: "" },
  },
});
const [program] = positionals;
if (!program) throw new Error("usage: node tests/soak/room.mjs PROGRAM [options]; see the top of the file");
process.env.VIRFIE_BIN = resolve(program);
const [minutes, people, warmUp, mostKb] =
  ["minutes", "people", "warm-up", "most-kb"].map((name) => Number(options[name]));

/** The server's counters, as Prometheus reads them. */
async function counters(server) {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const value = (name) => Number(new RegExp(`^virfie_${name}_total (\\S+)`, "m").exec(text)?.[1] ?? 0);
  return Object.fromEntries(COUNTED.map((name) => [name, value(name)]));
}

const server = await startServer(["--log-level", "warn", ...options.serve.split(" ").filter(Boolean)]);
const args = ["bot", "--server", server.url, "--room", ROOM, "--count", `${people}`, "--size", options.size];
if (options.video) args.push("--video", options.video);
let bots;
process.once("exit", () => [bots, server.child].forEach((child) => child?.kill("SIGKILL")));
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));
try {
  await server.ask("PUT", `/rooms/${ROOM}`, {});
  await server.ask("PUT", `/rooms/${ROOM}/layout`, { auto: { mode: "grid", cutout: "person" } });
  bots = spawn(options.bot ?? program, args, { stdio: "ignore" });
  const all = async () => {
    const inside = [...(await server.people(ROOM)).values()];
    return inside.filter(({ state, size }) => state === "connected" && size).length === people;
  };
  await until("everybody is in", all, { within: JOIN_MS, every: 500 });
  console.log("| minute | cores | memory, MB | threads | descriptors | in | frames | missed | late | dropped |");
  console.log("|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
  const begun = performance.now();
  const rows = [];
  for (let minute = 0; minute <= minutes; minute += 1) {
    await pause(begun + minute * MINUTE_MS - performance.now());
    const now = { minute, ...used(server.child.pid), ...(await counters(server)) };
    const cores = rows.length ? (now.cpu - rows.at(-1).cpu) / (MINUTE_MS / 1_000) : 0;
    rows.push(now);
    const inside = (await server.people(ROOM)).size;
    const { memory, threads, descriptors, frames, missed_frames: missed, late_frames: late, dropped_frames: dropped } = now;
    const cells = [minute, cores.toFixed(2), memory.toFixed(1), threads, descriptors, inside, frames, missed, late, dropped];
    console.log(`| ${cells.join(" | ")} |`);
  }
  const warm = rows.filter((row) => row.minute >= warmUp);
  const [first, last] = [warm[0] ?? rows[0], rows.at(-1)];
  const perHour = slope(warm.map(({ minute: x, memory: y }) => [x / 60, y * 1_024]));
  console.log(`\nAfter ${first.minute} minutes: ${perHour.toFixed(0)} kB more an hour`);
  if (perHour > mostKb) process.exitCode = 1;
  for (const [key, slack] of Object.entries(SLACK)) {
    const more = last[key] - first[key];
    console.log(`${key}: ${more} more${more > slack ? " (too many)" : ""}`);
    if (more > slack) process.exitCode = 1;
  }
  console.log(`missed frames: ${last.missed_frames - first.missed_frames} of ${last.frames - first.frames}`);
  const heard = complaints(server.log);
  console.log(`complaints in the server's log: ${heard.length}`);
  for (const line of heard.slice(0, 10)) console.log(`  ${line}`);
  if (heard.length > 0) process.exitCode = 1;
} finally {
  bots?.kill("SIGTERM");
  await server.stop();
}
