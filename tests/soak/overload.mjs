// How the server does when it has more to do than the machine can: a server, more and more bots that are all cut out,
// and a table of what suffered. It reads only what `virfie` reports and what Linux knows of its threads, so that an
// older program can be held against a newer one.
//
//   node tests/soak/overload.mjs PROGRAM [--people 4,8,12,16] [--seconds 30] [--size 640x360] [--video FILE]
//       [--bot PROGRAM] [--bot-nice 0] [--cpus 0,1] [--busy 0] [--warm 15] [--serve "--flag value"]
//
// --bot: the program of the bots, PROGRAM by default; name one for both when two servers are compared.  --busy: so many
// other programs that never rest.  --cpus: the cores that all of them share.  --warm: seconds before it is measured.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";

const { values: option, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    people: { type: "string", default: "4,8,12,16" },
    seconds: { type: "string", default: "30" },
    warm: { type: "string", default: "15" },
    size: { type: "string", default: "640x360" },
    video: { type: "string" },
    bot: { type: "string" },
    "bot-nice": { type: "string", default: "0" },
    cpus: { type: "string" },
    busy: { type: "string", default: "0" },
    serve: { type: "string", default: "" },
  },
});
const [program] = positionals;
if (!program) throw new Error("usage: node tests/soak/overload.mjs PROGRAM [options]; see the top of the file");

/** Ticks of a thread's CPU time in a second: the same on every Linux that is in use. */
const TICKS = 100;
/** Sound comes in blocks of 20 ms. */
const BLOCKS = 50;

/** Threads by the beginning of their names, and what they do. GStreamer names a thread after the pad that it drives. */
const WORK = [
  ["newest", "segment"],
  ["mix-", "mix"],
  ["sound-", "sound"],
  ["frames", "encode"],
  ["rtpjitterbuffer", "decode"],
  ["nicesrc", "deliver"],
  ["units", "deliver"],
  ["funnel", "deliver"],
  ["queue", "deliver"],
  ["deliver", "deliver"],
];

const children = new Set();

/** Starts a program on the chosen cores; it ends with this one. */
function start(command, args, nice = "0") {
  let line = [command, ...args];
  if (nice !== "0") line = ["nice", "-n", nice, ...line];
  if (option.cpus) line = ["taskset", "-c", option.cpus, ...line];
  const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith("VIRFIE_")));
  const child = spawn(line[0], line.slice(1), { env, stdio: ["ignore", "pipe", "pipe"] });
  child.said = "";
  child.log = "";
  child.stdout.setEncoding("utf8").on("data", (text) => (child.said += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (child.log += text));
  child.ended = new Promise((resolve) => child.once("exit", resolve));
  children.add(child);
  child.ended.then(() => children.delete(child));
  return child;
}

async function stop(child) {
  child.kill("SIGTERM");
  await Promise.race([child.ended, sleep(12_000)]);
  child.kill("SIGKILL");
  await child.ended;
}

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/** CPU seconds by stage, of all threads that a process has now. */
function cpu(pid) {
  const spent = new Map();
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    let stat;
    try {
      stat = readFileSync(`/proc/${pid}/task/${task}/stat`, "utf8");
    } catch {
      continue; // It has ended meanwhile.
    }
    const end = stat.lastIndexOf(")");
    const name = stat.slice(stat.indexOf("(") + 1, end);
    const fields = stat.slice(end + 2).split(" ");
    const stage = WORK.find(([start]) => name.startsWith(start))?.[1] ?? "other";
    spent.set(stage, (spent.get(stage) ?? 0) + (Number(fields[11]) + Number(fields[12])) / TICKS);
  }
  return spent;
}

async function room(url) {
  const response = await fetch(`${url}/api/v1/rooms/load`);
  if (!response.ok) throw new Error(`the room: ${response.status} ${await response.text()}`);
  return response.json();
}

/** The bots' lines since `from`, parsed. */
function lines(bots, from) {
  const whole = bots.said.slice(from, bots.said.lastIndexOf("\n") + 1);
  return whole.split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
}

/** The longest stall of sound that the server's log reports, in ms: what programs say that do not count gaps. */
function stalls(log) {
  const found = [...log.matchAll(/sound stalled.*?behind=([\d.]+)(ms|s)/g)];
  return Math.max(0, ...found.map(([, amount, unit]) => Number(amount) * (unit === "s" ? 1000 : 1)));
}

const mean = (list) => (list.length ? list.reduce((sum, value) => sum + value, 0) / list.length : 0);
const most = (list) => list.reduce((worst, value) => Math.max(worst, value ?? 0), 0);
const least = (list) => list.reduce((worst, value) => Math.min(worst, value), Infinity);

async function measure(people) {
  const data = mkdtempSync(join(tmpdir(), "virfie-overload-"));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const extra = option.serve.split(" ").filter(Boolean);
  const server = start(program, ["serve", "--listen", `127.0.0.1:${port}`, "--data-dir", data, "--max-participants", "64", ...extra]);
  const hogs = [];
  try {
    for (let tries = 0; ; tries++) {
      if (server.exitCode !== null || tries > 300) throw new Error(`the server does not start\n${server.log}`);
      try {
        if ((await fetch(`${url}/readyz`)).ok) break;
      } catch {}
      await sleep(100);
    }
    const json = { "content-type": "application/json" };
    const put = async (path, body) => {
      const response = await fetch(`${url}/api/v1${path}`, { method: "PUT", headers: json, body: JSON.stringify(body) });
      if (!response.ok) throw new Error(`PUT ${path}: ${response.status} ${await response.text()}`);
    };
    await put("/rooms/load", { max_participants: 64 });
    await put("/rooms/load/layout", { auto: { mode: "grid", cutout: "person" } });
    const args = ["bot", "--server", url, "--room", "load", "--count", String(people), "--size", option.size];
    if (option.video) args.push("--video", option.video);
    const bots = start(option.bot ?? program, args, option["bot-nice"]);
    for (let tries = 0; ; tries++) {
      if (bots.exitCode !== null || tries > 90) throw new Error(`not everybody came in\n${bots.log}\n${server.log}`);
      const state = await room(url);
      if (state.participants.filter((person) => person.state === "connected" && person.video).length >= people) break;
      await sleep(1000);
    }
    for (let hog = 0; hog < Number(option.busy); hog++) hogs.push(start("sh", ["-c", "while :; do :; done"]));
    await sleep(Number(option.warm) * 1000);

    const [begun, before, used, logged, said] = [Date.now(), (await room(url)).health, cpu(server.pid), server.log.length, bots.said.length];
    const states = [];
    while (Date.now() - begun < Number(option.seconds) * 1000) {
      await sleep(1000);
      states.push(await room(url));
    }
    const passed = (Date.now() - begun) / 1000;
    const after = cpu(server.pid);
    const { health } = states.at(-1);
    const segmentation = states.map((state) => state.segmentation);
    const healths = states.map((state) => state.health);
    const heard = lines(bots, said);
    const stages = ["mix", "sound", "deliver", "encode", "decode", "segment", "other"];
    const cores = stages.map((stage) => ((after.get(stage) ?? 0) - (used.get(stage) ?? 0)) / passed);
    const gap = "sound_gap_ms" in health ? most(healths.map((one) => one.sound_gap_ms)) : stalls(server.log.slice(logged));
    const degraded = [...new Set(healths.flatMap((one) => one.degraded ?? []))];
    return [
      people,
      health.missed_frames - before.missed_frames,
      health.late_frames - before.late_frames,
      health.dropped_frames - before.dropped_frames,
      mean(healths.map((one) => one.fps)).toFixed(1),
      gap.toFixed(0),
      `${least(heard.map((line) => line.audio_packets_received))}/${BLOCKS}`,
      mean(heard.map((line) => line.frames_received)).toFixed(1),
      (mean(segmentation.map((one) => one.masks_per_second)) / people).toFixed(1),
      (mean(segmentation.map((one) => one.carried_per_second)) / people).toFixed(1),
      mean(segmentation.map((one) => one.mask_age_ms)).toFixed(0),
      most(segmentation.map((one) => one.oldest_mask_ms ?? one.mask_age_ms)).toFixed(0),
      [most(segmentation.map((one) => one.inputs_smaller)), most(segmentation.map((one) => one.masks_every)),
        mean(segmentation.map((one) => one.thinned_per_second ?? 0)).toFixed(0),
        mean(healths.map((one) => one.skipped_per_second ?? 0)).toFixed(0)].join(" "),
      cores.map((share) => share.toFixed(2)).join(" "),
      degraded.join(" ") || "-",
    ];
  } finally {
    for (const child of [...children].reverse()) await stop(child);
    rmSync(data, { recursive: true, force: true });
  }
}

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    for (const child of children) child.kill("SIGKILL");
    process.exit(1);
  });
}

const columns = [
  "people", "missed", "late", "dropped", "fps", "sound gap ms", "packets a second, least", "fps received",
  "masks each", "carried each", "mask age ms", "oldest ms", "smaller every thinned skipped",
  "cores: mix sound deliver encode decode segment other", "degraded",
];
console.log(`${program}, ${option.size}, ${option.seconds} s each, ${option.busy} busy programs\n`);
console.log(`| ${columns.join(" | ")} |\n|${columns.map(() => "---").join("|")}|`);
for (const people of option.people.split(",").map(Number)) {
  console.log(`| ${(await measure(people)).join(" | ")} |`);
}
