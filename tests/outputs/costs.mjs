// Prints what each kind of output costs the server, what eight of equal settings do, and one of another shape.
//
//   node tests/outputs/costs.mjs PROGRAM [--seconds 20] [--most 30]
//
// Only the server's own time and memory count, as the kernel has them. Somebody sends and receives all the time, so that
// the room composes and encodes for them, too: `more` is beside that, and after each kind has run once, which leaves libraries
// and pools. The exit code is 1 when eight outputs of equal settings have more than one encoder, when more than `--most`
// megabytes are left behind, or when the room missed a frame.

import { resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";

import { used } from "../network/used.mjs";
import { TITLES, kinds } from "./kinds.mjs";
import { Room } from "./room.mjs";
import { noRtmp } from "./rtmp.mjs";
import { certify, surround } from "./surroundings.mjs";
import { Verdict, head, write } from "./table.mjs";

/** After all are live, before anything is measured. */
const SETTLE_MS = 5_000;
/** Idle threads of pools live for 15 s. */
const GONE_MS = 17_000;
const EIGHT = 8;
const STANDING = { canvas: { width: 720, height: 1280 }, auto: { mode: "grid", cutout: "none" } };

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: "string", default: "20" }, most: { type: "string", default: "30" } },
});
const [program] = positionals;
if (!program) throw new Error("usage: node tests/outputs/costs.mjs PROGRAM [options]; see the top of the file");
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));
const lacks = noRtmp();
if (lacks) throw new Error(lacks);

/** What the server uses over some seconds, and what it encodes. */
async function measure(room) {
  const [before, from] = [used(room.pid), performance.now()];
  await pause(Number(options.seconds) * 1_000);
  const [after, to] = [used(room.pid), performance.now()];
  const health = await room.health();
  return {
    percent: ((after.cpu - before.cpu) * 100_000) / (to - from),
    memory: after.memory,
    threads: after.threads,
    encoders: health.encoders,
    missed: health.missed_frames,
  };
}

const verdict = new Verdict();
const certificate = certify(["127.0.0.1"]);
surround(program, certificate);
const room = await Room.open();
try {
  const ends = await kinds(room, { program: resolve(program), certificate, keeps: false });
  await pause(SETTLE_MS);
  head(["outputs", "CPU, % of a core>", "more>", "memory, MB>", "more>", "threads>", "missed frames>", "encoders"]);
  let none = await measure(room);
  let missed = none.missed;
  const row = (name, now) => {
    const more = [now.percent - none.percent, now.memory - none.memory];
    const encoders = now.encoders.filter((one) => !none.encoders.includes(one));
    const cells = [now.percent.toFixed(1), more[0].toFixed(1), now.memory.toFixed(0), more[1].toFixed(1), now.threads];
    write([name, ...cells, now.missed - missed, `${now.encoders.length - none.encoders.length}: ${encoders.join("; ")}`]);
    verdict.expect(now.missed === missed, `${name}: the room missed ${now.missed - missed} frames`);
    missed = now.missed;
    return { percent: more[0], encoders: now.encoders.length - none.encoders.length };
  };
  row("none yet", none);
  /** Sends to these while `act` runs, and ends them. */
  const sending = async (end, bodies, act) => {
    // A reader comes when there is something to read.
    if (!end.served) await end.start?.();
    const ids = [];
    for (const body of bodies) ids.push(await room.add(body));
    await end.served?.().then(() => end.start());
    await room.live(ids);
    await pause(SETTLE_MS);
    const done = await act?.();
    for (const id of ids) await room.remove(id);
    await end.kill?.();
    return done;
  };
  const costs = async (name, bodies, end) => {
    const cost = await sending(end, bodies, async () => row(name, await measure(room)));
    await pause(SETTLE_MS);
    return cost;
  };
  for (const end of Object.values(ends)) await sending(end, [end.body()]);
  await pause(GONE_MS);
  none = await measure(room);
  missed = none.missed;
  row("none", none);
  const cost = {};
  for (const [kind, end] of Object.entries(ends)) cost[kind] = await costs(TITLES[kind], [end.body()], end);
  const keys = Array.from({ length: EIGHT }, (_, number) => `key${number}`);
  const eight = await costs(`${EIGHT} of RTMP, equal settings`, keys.map((key) => ends.rtmp.body(key)), ends.rtmp);
  const standing = { ...ends.rtmp.body(), layout: STANDING };
  await costs("RTMP, another layout, 720x1280", [standing], ends.rtmp);
  await pause(GONE_MS);
  const again = await measure(room);
  row("none again", again);

  const each = (eight.percent - cost.rtmp.percent) / (EIGHT - 1);
  console.log(`\nEight RTMP outputs of equal settings have ${eight.encoders} encoder; each more costs ${each.toFixed(1)} % of a core.`);
  verdict.expect(eight.encoders === 1 && cost.rtmp.encoders === 1, `eight outputs of equal settings have ${eight.encoders} encoders`);
  const left = again.memory - none.memory;
  verdict.expect(left <= Number(options.most), `${left.toFixed(0)} MB are left behind`);
  verdict.say();
} finally {
  await room.close();
}
process.exit();
