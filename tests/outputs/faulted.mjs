// The half of `faults.mjs` that is at the other ends of the outputs, in their network namespace.
//
//   node faulted.mjs PROGRAM NAMESPACE CARD ADDRESS OWN-CARD [--only …] [--faults …]
//
// NAMESPACE, CARD and ADDRESS are the server's.

import { execFileSync } from "node:child_process";
import { resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";

import { until } from "../browser/wait.mjs";
import { TITLES, begin, kinds } from "./kinds.mjs";
import { AUDIO, Room, VIDEO } from "./room.mjs";
import { certify, surround } from "./surroundings.mjs";
import { Verdict, head, write } from "./table.mjs";
import { Watch } from "./watch.mjs";
import { FAULTS, LASTS, Ways } from "./ways.mjs";

const KEY = "a-key-of-sixteen-and-more";
/** Of the other ends that the server calls. HLS's reader knows the server by an address that nobody else uses. */
const AT = { rtmp: "10.9.0.11", rtmps: "10.9.0.12", srtCalls: "10.9.0.13", whip: "10.9.0.14" };
const FOR_HLS = "10.9.0.9";
/** The UDP ports of WHIP's media, and the same as `tc` matches them: a block of 64. */
const [PORTS, BLOCK] = ["40960-41023", "40960 0xffc0"];

/** An output must be live again so many seconds after its other end is. */
const AGAIN = 15;
/** It is waited so long for that. */
const PATIENCE_MS = 90_000;
/** What it does to the others may show a little later. */
const AFTER_MS = 2_000;
/** Before the next one, all must have been well for a while. */
const REST_MS = 4_000;
/**
 * Seconds without anything that are nothing unusual: segments of HLS, fragments of MP4, the 32 kB that are written at
 * once, and a second until a keyframe comes that WebRTC asks for after a loss.
 */
const BEAT = { hls: 4, mp4: 1.2, iso: 2, whip: 1 };
/** And so many more are a disturbance. */
const STILL = 1;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: "string" }, faults: { type: "string" } },
});
const [program, namespace, card, address, ownCard] = positionals;
const chosen = (list, all) => (list ? list.split(",") : all);
const faults = chosen(options.faults, Object.keys(FAULTS));
const victims = chosen(options.only, ["rtmp", "rtmps", "srtCalls", "srtListens", "hls", "whip"]);
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

function addAddress(where, own, device) {
  execFileSync("ip", [...where, "address", "add", `${own}/24`, "dev", device]);
}

/** Where each end is on the line: what `nft` refuses of it, and what `tc` slows. */
function places({ srtListens: { port: called }, whip: { port: posted } }) {
  const udp = "ip protocol 17 0xff";
  return {
    rtmp: { refused: [`ip daddr ${AT.rtmp} meta l4proto tcp`], slowed: [[`ip dst ${AT.rtmp}/32`]] },
    rtmps: { refused: [`ip daddr ${AT.rtmps} meta l4proto tcp`], slowed: [[`ip dst ${AT.rtmps}/32`]] },
    srtCalls: { refused: [`ip daddr ${AT.srtCalls} meta l4proto udp`], slowed: [[`ip dst ${AT.srtCalls}/32`]] },
    srtListens: { refused: [`udp sport ${called}`], slowed: [[udp, `ip sport ${called} 0xffff`]] },
    hls: { refused: [`ip saddr ${FOR_HLS} meta l4proto tcp`], slowed: [[`ip src ${FOR_HLS}/32`]] },
    whip: { refused: [`tcp dport ${posted}`, `udp dport ${PORTS}`], slowed: [[udp, `ip dport ${BLOCK}`]] },
  };
}

/** Ends that the server sends to, as it says: one that takes less than is sent is `behind`. */
const SENT_TO = ["rtmp", "rtmps", "srtCalls", "srtListens", "whip"];

const verdict = new Verdict();

/** One fault of one end; resolves to what was seen. */
async function suffer({ watch, ways, ends, places, fault, kind }) {
  const victim = { end: ends[kind], place: places[kind], kilobits: VIDEO.bitrate + AUDIO.bitrate };
  await watch.begin();
  await FAULTS[fault].begin(ways, victim);
  const [from, before] = [performance.now(), ends[kind].bytes()];
  await pause(LASTS[fault] * 1_000);
  const meanwhile = [...watch.seen.get(kind).states];
  const came = ((ends[kind].bytes() - before) * 8) / (performance.now() - from);
  await FAULTS[fault].end(ways, victim);
  const back = performance.now();
  const again = await until("it flows again", () => watch.flows(kind, back), { within: PATIENCE_MS, every: 25 })
    .then(() => (performance.now() - back) / 1_000, () => Infinity);
  await pause(AFTER_MS);
  return { fault, kind, meanwhile, came, again, ...(await watch.end()) };
}

/** Writes the row of what was seen, and notes what does not hold of it. */
function judge({ fault, kind, meanwhile, came, again, kinds, missed, dropped, sound, idle }) {
  const title = `${fault}, ${TITLES[kind]}`;
  const others = Object.entries(kinds).filter(([other]) => other !== kind);
  const left = others.filter(([, { states }]) => states.some((state) => state !== "live"));
  const beyond = ([other, { gap }]) => gap / 1_000 - (BEAT[other] ?? 0);
  const [worst, { gap }] = others.toSorted((a, b) => beyond(b) - beyond(a))[0];
  const back = Number.isFinite(again) ? `after ${again.toFixed(1)} s` : "not at all";
  verdict.expect(missed === 0, `${title}: the room missed ${missed} frames`);
  verdict.expect(again <= AGAIN, `${title}: it flows again ${back}`);
  const notices = meanwhile.some((state) => state !== "live");
  const hidden = fault === "slowed" && SENT_TO.includes(kind) && !notices;
  verdict.expect(!hidden, `${title}: it gets ${came.toFixed(0)} kbit/s, and is reported as live and not behind`);
  for (const [other, { states, errors }] of left) {
    verdict.expect(false, `${title}: ${TITLES[other]} was ${states.join(", then ")} (${errors.join("; ") || "no error named"})`);
  }
  for (const [other, { gap }] of others.filter((other) => beyond(other) > STILL)) {
    verdict.expect(false, `${title}: nothing came of ${TITLES[other]} for ${gap.toFixed(0)} ms`);
  }
  const { attempts, errors, gap: without } = kinds[kind];
  const sum = (key) => others.reduce((all, [, one]) => all + one[key], 0);
  write([
    fault,
    TITLES[kind],
    meanwhile.join(" → "),
    came.toFixed(0),
    attempts,
    Number.isFinite(again) ? again.toFixed(1) : back,
    (without / 1_000).toFixed(1),
    missed,
    dropped,
    left.length === 0 ? "all live" : left.map(([other, { states }]) => `${other}: ${states.join(" → ")}`).join("; "),
    sum("attempts"),
    `${gap.toFixed(0)} (${worst})`,
    sound.toFixed(0),
    (idle * 100).toFixed(0),
    errors.join("; "),
  ]);
}

for (const own of Object.values(AT)) addAddress([], own, ownCard);
addAddress(["-n", namespace], FOR_HLS, card);
const certificate = certify(Object.values(AT));
surround(program, { ...certificate, namespace });
const room = await Room.open({ listen: "0.0.0.0", reach: address, key: KEY });
let watch;
try {
  const base = room.url.replace(address, FOR_HLS);
  const ends = await kinds(room, { program: resolve(program), certificate, at: AT, base, ports: PORTS, keeps: false });
  const ids = await begin(room, ends);
  const ways = new Ways(namespace, card);
  watch = new Watch(room, ends, ids);
  head([
    "fault", "of", "meanwhile it is", "and gets, kbit/s>", "attempts>", "flows again after, s>", "nothing came for, s>", "missed frames>",
    "dropped>", "others", "their attempts>", "their longest gap, ms>", "gap of sound, ms>", "machine idle, %>",
    "reported",
  ]);
  for (const fault of faults) {
    for (const kind of victims) {
      await room.live(Object.values(ids));
      await pause(REST_MS);
      const seen = await suffer({ watch, ways, ends, places: places(ends), fault, kind });
      judge(seen);
      if (Number.isFinite(seen.again)) continue;
      // What does not come back would spoil what follows: it begins from nothing.
      await room.remove(ids[kind]);
      await ends[kind].kill();
      await ends[kind].start();
      ids[kind] = await room.add(ends[kind].body());
    }
  }
} catch (error) {
  verdict.expect(false, error.message);
} finally {
  await watch?.close();
  verdict.say();
  await room.close();
}
process.exit();
