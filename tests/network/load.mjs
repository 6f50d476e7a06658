// Prints what each receiver costs a server, as a table: one person sends, and more and more receive.
//
//   VIRFIE_BIN=…/virfie node load.mjs [--receivers 1,10,40,80] [--by libdatachannel|bots] [--seconds 20]
//       [--without-sound]
//
// Only the server's own time counts, as the kernel reports it. libdatachannel (`npm ci` in ../clients) works with any
// server; with one that names no SSRCs in its answers, only --without-sound. Bots are cheaper for the machine, which
// should have nothing else to do.

import { spawn } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";

import { program } from "../browser/place.mjs";
import { startServer } from "../browser/server.mjs";
import { until } from "../browser/wait.mjs";
import { CROWDS } from "./crowd.mjs";
import { used } from "./used.mjs";

const ROOM = "crowd";
/** After the last one has come, before anything is measured. */
const SETTLE_MS = 5_000;

const { values: options } = parseArgs({
  options: {
    receivers: { type: "string", default: "1,10,40,80" },
    by: { type: "string", default: "libdatachannel" },
    seconds: { type: "string", default: "20" },
    "without-sound": { type: "boolean", default: false },
  },
});
const crowd = CROWDS[options.by];
if (!crowd) throw new Error(`--by ${options.by}: there are ${Object.keys(CROWDS).join(", ")}`);

const COLUMNS = [
  "receivers",
  "CPU, cores",
  "each, % of a core",
  "threads",
  "memory, MB",
  "each, MB",
  "fps, slowest to fastest",
  "kbit/s each",
  "late",
  "lost",
  "renditions",
];

/** What the server uses and what each receiver gets over some seconds. */
async function measure(pid, receivers) {
  await pause(SETTLE_MS);
  const [before, got, from] = [used(pid), receivers?.tally() ?? [], performance.now()];
  await pause(Number(options.seconds) * 1_000);
  const [after, has, to] = [used(pid), receivers?.tally() ?? [], performance.now()];
  const seconds = (to - from) / 1_000;
  const grown = (key) => has.map((one, at) => (one[key] - got[at][key]) / seconds);
  const rates = grown("frames").sort((a, b) => a - b);
  const sum = (key) => has.reduce((all, one, at) => all + one[key] - got[at][key], 0);
  const renditions = [...new Set(has.map(({ rendition }) => rendition))].filter(Boolean);
  const getting = (name) => has.filter(({ rendition }) => rendition === name).length;
  return {
    cores: (after.cpu - before.cpu) / seconds,
    threads: after.threads,
    memory: after.memory,
    slowest: rates[0],
    fastest: rates.at(-1),
    kbps: grown("bytes").reduce((all, rate) => all + rate, 0) / (has.length || 1) / 125,
    late: sum("late_frames"),
    lost: sum("lost_packets"),
    renditions: renditions.map((name) => `${getting(name)} ${name}`).join(", "),
  };
}

function tell(cells) {
  console.log(`| ${cells.join(" | ")} |`);
}

const server = await startServer();
const { pid } = server.child;
const args = ["bot", "--server", server.url, "--room", ROOM, "--name", "person"];
const person = spawn(program(), args, { stdio: "ignore" });
let receivers;
try {
  await until("somebody is in the room", async () => (await server.people(ROOM)).get("person")?.state === "connected");
  tell(COLUMNS);
  tell(COLUMNS.map(() => "--:"));
  const none = await measure(pid);
  tell([0, none.cores.toFixed(2), "", none.threads, none.memory.toFixed(0), ...Array(6).fill("")]);
  for (const count of options.receivers.split(",").map(Number)) {
    receivers = await crowd.open(server, ROOM, count, { sound: !options["without-sound"] });
    const some = await measure(pid, receivers);
    await receivers.close();
    receivers = null;
    const each = (key) => (some[key] - none[key]) / count;
    tell([
      count,
      some.cores.toFixed(2),
      (each("cores") * 100).toFixed(2),
      some.threads,
      some.memory.toFixed(0),
      each("memory").toFixed(1),
      `${some.slowest.toFixed(1)} to ${some.fastest.toFixed(1)}`,
      some.kbps.toFixed(0),
      Number.isNaN(some.late) ? "" : some.late,
      Number.isNaN(some.lost) ? "" : some.lost,
      some.renditions,
    ]);
    const gone = async () => (await server.ask("GET", `/rooms/${ROOM}`)).viewers === 0;
    await until("all have gone", gone, { within: 60_000 });
  }
  await pause(SETTLE_MS);
  const after = used(pid);
  console.log(`\nAfterwards: ${after.threads} threads, ${after.memory.toFixed(0)} MB, ${after.descriptors} descriptors.`);
} finally {
  await receivers?.close();
  person.kill("SIGTERM");
  await server.stop();
}
process.exit(0);
