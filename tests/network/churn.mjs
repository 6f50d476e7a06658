// Lets viewers come and go, and prints what the server keeps of them: threads, descriptors, memory, complaints of GLib.
//
//   VIRFIE_BIN=…/virfie node churn.mjs [--joins 1000] [--at-once 20] [--without-sound]
//
// Half of them end their session; the others vanish: their process is killed. Viewers are libdatachannel's (`npm ci` in
// ../clients); `--without-sound` is as for load.mjs. The exit code is 1 when something was left behind.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { program } from "../browser/place.mjs";
import { startServer } from "../browser/server.mjs";
import { inTime, until } from "../browser/wait.mjs";
import { used } from "./used.mjs";

const ROOM = "churn";
const GUESTS = fileURLToPath(new URL("guests.mjs", import.meta.url));
/** The first ones fill caches and pools, up to what as many need who are there at once: those not yet found out, too. */
const WARM_UP = 300;
const WATCH_MS = 60_000;
/** Until those who vanished are found out. */
const GONE_MS = 120_000;
/** Idle threads of pools live for 15 s. */
const SETTLE_MS = 20_000;
/** What may be there by chance at the moment of looking. */
const SLACK = { threads: 4, descriptors: 4, memory: 60 };

const { values: options } = parseArgs({
  options: {
    joins: { type: "string", default: "1000" },
    "at-once": { type: "string", default: "20" },
    "without-sound": { type: "boolean", default: false },
  },
});

/** Guests who are here now. */
const here = new Set();

/** Some guests come and watch; resolves to a way to end them. */
async function come(server, count) {
  const how = options["without-sound"] ? ["--without-sound"] : [];
  const args = [GUESTS, `${server.url}/whep/${ROOM}`, `${count}`, ...how];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  here.add(child);
  const ended = once(child, "exit").finally(() => here.delete(child));
  const gaveUp = ended.then(() => Promise.reject(new Error("guests gave up")));
  gaveUp.catch(() => {});
  await inTime("guests watch", Promise.race([once(child.stdout, "data"), gaveUp]), WATCH_MS);
  return async (properly) => {
    if (properly) child.stdin.end();
    else child.kill("SIGKILL");
    const [code] = await ended;
    if (properly && code !== 0) throw new Error(`guests could not leave: exit code ${code}`);
  };
}

async function batch(server, count) {
  const half = Math.floor(count / 2);
  const parts = [[half, true], [count - half, false]].filter(([size]) => size > 0);
  await Promise.all(parts.map(async ([size, properly]) => (await come(server, size))(properly)));
}

/** Waits until no viewer is left and pools have shrunk; resolves to what is used then. */
async function settled(server) {
  const viewers = async () => (await server.ask("GET", `/rooms/${ROOM}`)).viewers;
  const from = performance.now();
  await until("no viewer is left", async () => (await viewers()) === 0, { within: GONE_MS, every: 250 });
  const gone = (performance.now() - from) / 1_000;
  await pause(SETTLE_MS);
  return { ...used(server.child.pid), gone };
}

const server = await startServer();
const person = spawn(program(), ["bot", "--server", server.url, "--room", ROOM], { stdio: "ignore" });
try {
  const inside = async () => [...(await server.people(ROOM)).values()][0]?.state === "connected";
  await until("somebody is in the room", inside);
  const size = Number(options["at-once"]);
  const joins = Number(options.joins);
  const wave = async (all) => {
    for (let come = 0; come < all; come += size) await batch(server, Math.min(size, all - come));
  };
  await wave(Math.min(WARM_UP, joins));
  const before = await settled(server);
  const from = performance.now();
  await wave(joins);
  const seconds = (performance.now() - from) / 1_000;
  const after = await settled(server);
  const took = `${joins} joins in ${seconds.toFixed(0)} s`;
  console.log(`${took}; the last of those who vanished was found out after ${after.gone.toFixed(0)} s\n`);
  console.log("| | before | after | more |\n|---|--:|--:|--:|");
  for (const key of Object.keys(SLACK)) {
    const more = after[key] - before[key];
    const name = key === "memory" ? "memory, MB" : key;
    const verdict = more > SLACK[key] ? " (too many)" : "";
    console.log(`| ${name} | ${before[key].toFixed(0)} | ${after[key].toFixed(0)} | ${more.toFixed(0)}${verdict} |`);
    if (more > SLACK[key]) process.exitCode = 1;
  }
  const complains = (line) => /GLib|GStreamer-CRITICAL|CRITICAL \*\*|panicked/.test(line);
  const complaints = server.log.split("\n").filter(complains);
  console.log(`\nComplaints in the server's log: ${complaints.length}`);
  for (const line of complaints.slice(0, 10)) console.log(`  ${line}`);
  if (complaints.length > 0) process.exitCode = 1;
} finally {
  for (const child of here) child.kill("SIGKILL");
  person.kill("SIGTERM");
  await server.stop();
}
