// Sends one room everywhere at once, and prints what comes at each other end.
//
//   node tests/outputs/every.mjs PROGRAM [--moving 40] [--still 48] [--lips] [--without-browser]
//
// For `--moving` seconds a bot moves in the picture, and for `--still` seconds only the background is shown while its tone
// goes on. All the while two viewers ask for a keyframe twenty times a second each. The bit rate is that of the last 30 s, over
// the still picture. With `--lips` there is a browser in place of the bot, which flashes and beeps, and two columns more; it
// takes much of a small machine. The exit code is 1 when one of the limits below does not hold.

import { setTimeout as pause } from "node:timers/promises";
import { resolve } from "node:path";
import { parseArgs } from "node:util";

import { Flood } from "./flood.mjs";
import { TITLES, begin, kinds } from "./kinds.mjs";
import { apart, clap } from "./lips.mjs";
import { Player } from "./player.mjs";
import { AUDIO, Room, VIDEO } from "./room.mjs";
import { noRtmp } from "./rtmp.mjs";
import { look } from "./stream.mjs";
import { certify, surround } from "./surroundings.mjs";
import { Verdict, head, near, write } from "./table.mjs";

/** The bit rate is measured over so many seconds, which are over before the last of it comes to a reader of HLS. */
const WINDOW = 30;
/** A time in milliseconds, as in FLV and Matroska, is rounded by half of one at both ends. */
const ROUNDED = 0.001_5;
/** What the bit rate may be off, as a share. */
const OFF = 0.05;
/** What a rate of pictures that is counted may be off: of ours; where WebRTC is between, which leaves out what is lost. */
const RATE_OFF = { ours: 0.1, webrtc: 1 };
/** What people do not see, in milliseconds. */
const LIPS = 40;
/** Flashes that are seen in any case: one a second, but those before a late reader came. */
const FLASHES = 20;

const SENT = { codec: "h264", profile: "High", size: "1280x720" };
const AAC = { codec: "aac", profile: "LC", sampleRate: AUDIO.sample_rate, channels: AUDIO.channels };
/** What WebRTC has of its own: keyframes come when the other server asks, too, and nothing is filled up. */
const WEBRTC = { video: { ...SENT, profile: "Constrained Baseline" }, audio: { codec: "opus", sampleRate: 48_000, channels: 2 } };
/** As the person sends it. */
const OWN = { video: { codec: "vp8", size: "640x360" }, audio: { codec: "opus", sampleRate: 48_000 } };
const MUST = { whip: WEBRTC, iso: OWN };

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    moving: { type: "string", default: "40" },
    still: { type: "string", default: "48" },
    lips: { type: "boolean", default: false },
    "without-browser": { type: "boolean", default: false },
  },
});
const [program] = positionals;
if (!program) throw new Error("usage: node tests/outputs/every.mjs PROGRAM [options]; see the top of the file");
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));
const lacks = noRtmp();
if (lacks) throw new Error(lacks);

const verdict = new Verdict();

/** Sends the room everywhere for the time; resolves to what is known beside the files. */
async function send(room, ends) {
  const ids = await begin(room, ends);
  const player = options["without-browser"] ? null : await Player.open(ends.hls.address);
  const flood = await Flood.open(room.url);
  const before = await room.health();
  await pause(Number(options.moving) * 1_000);
  await room.show(false);
  // The picture before is still on its way through the encoders, and in the readers' buffers.
  await pause((Number(options.still) - WINDOW) * 1_000);
  const started = await room.outputs();
  const from = performance.now();
  await pause(WINDOW * 1_000);
  const outputs = await room.outputs();
  const seconds = (performance.now() - from) / 1_000;
  const after = await room.health();
  const told = Object.fromEntries(Object.entries(ids).map(([kind, id]) => {
    const { state, behind, bytes } = outputs.get(id);
    return [kind, { state, behind, kilobits: ((bytes - started.get(id).bytes) * 8) / 1_000 / seconds }];
  }));
  const guest = await ends.whip.guest();
  const flooded = await flood.close();
  const played = await player?.close();
  // Ended by us, so that every file has its end.
  for (const id of Object.values(ids)) await room.remove(id);
  for (const end of Object.values(ends)) await end.kill?.();
  return { told, guest, flooded, played, before, after };
}

function compare(kind, what, found, must) {
  for (const [key, wanted] of Object.entries(must)) {
    verdict.expect(found[key] === wanted, `${TITLES[kind]}: ${what} has ${key} ${found[key]}, not ${wanted}`);
  }
}

/** Two cells of the row: how far apart flashes and beeps are, and of how many. */
function lips(kind, file) {
  const { count, milliseconds } = apart(file);
  verdict.expect(Math.abs(milliseconds) < LIPS, `${TITLES[kind]}: beeps come ${milliseconds.toFixed(0)} ms after their flashes`);
  verdict.expect(count >= FLASHES, `${TITLES[kind]}: only ${count} flashes with a beep`);
  return [milliseconds.toFixed(0), count];
}

/** Writes the row of a kind, and notes what does not hold of it. */
function row(kind, end, { state, behind, kilobits: told }) {
  const title = TITLES[kind];
  const files = end.files();
  verdict.expect(state === "live" && !behind, `${title}: it is ${state}${behind ? ", behind" : ""} at the end`);
  verdict.expect(files.length === 1, `${title}: there are ${files.length} files`);
  const { video, audio, idrs, kilobits } = look(files.at(-1), { seconds: WINDOW, gop: VIDEO.keyframe_seconds });
  const must = MUST[kind] ?? { video: SENT, audio: AAC };
  compare(kind, "the picture", video, must.video);
  compare(kind, "the sound", audio, must.audio);
  const rateOff = { whip: RATE_OFF.webrtc, iso: Infinity }[kind] ?? RATE_OFF.ours;
  verdict.expect(near(video.rate, 30, rateOff), `${title}: ${video.rate.toFixed(2)} pictures a second`);
  const distances = idrs.count ? `${idrs.least.toFixed(3)} to ${idrs.most.toFixed(3)}` : "";
  const share = kilobits / VIDEO.bitrate - 1;
  if (!MUST[kind]) {
    const even = idrs.gaps.every((gap) => near(gap, VIDEO.keyframe_seconds, ROUNDED));
    verdict.expect(even && idrs.count > 10, `${title}: ${idrs.count} IDRs, ${distances} s apart`);
    verdict.expect(Math.abs(share) <= OFF, `${title}: the picture has ${kilobits.toFixed(0)} kbit/s of ${VIDEO.bitrate}`);
  }
  write([
    title,
    behind ? `${state}, behind` : state,
    `${video.codec} ${video.profile ?? ""}`.trim(),
    video.size,
    `${video.rate.toFixed(2)} (${video.said})`,
    [audio.codec, audio.profile].filter(Boolean).join(" "),
    `${audio.sampleRate} x ${audio.channels}`,
    video.seconds.toFixed(1),
    idrs.count || "",
    distances,
    kilobits.toFixed(0),
    MUST[kind] ? "" : `${share < 0 ? "" : "+"}${(share * 100).toFixed(1)} %`,
    told.toFixed(0),
    ...(options.lips ? lips(kind, files.at(-1)) : []),
  ]);
}

const certificate = certify(["127.0.0.1"]);
surround(program, certificate);
let person;
const room = await Room.open(options.lips ? { join: async (...who) => (person = await clap(...who)) } : {});
try {
  const ends = await kinds(room, { program: resolve(program), certificate });
  const { told, guest, flooded, played, before, after } = await send(room, ends);
  head([
    "output", "state", "picture", "size", "pictures/s>", "sound", "Hz x channels", "seconds>", "IDRs>", "apart, s",
    `still: kbit/s of ${VIDEO.bitrate}>`, "off>", "all of it, kbit/s>",
    ...(options.lips ? ["beep after flash, ms>", "flashes>"] : []),
  ]);
  for (const [kind, end] of Object.entries(ends)) row(kind, end, told[kind]);

  const { asked, keyframes, pictures, seconds } = flooded;
  console.log(`\nThe flood: ${asked.toFixed(1)} requests for a keyframe (PLI) a second for ${seconds.toFixed(0)} s by two viewers of`);
  console.log(`libdatachannel, who got ${keyframes.toFixed(2)} keyframes a second of ${pictures.toFixed(1)} pictures.`);
  verdict.expect(asked > 20, `the flood has ${asked.toFixed(1)} requests a second`);
  verdict.expect(keyframes > 1, `viewers who ask all the time get ${keyframes.toFixed(2)} keyframes a second`);
  const { state, size, ...sends } = guest ?? {};
  console.log(`The second Virfie's room: ${state}, picture ${sends.video}, sound ${sends.audio}, ${size?.join("x")}.`);
  const whole = state === "connected" && sends.video && sends.audio && size?.join("x") === SENT.size;
  verdict.expect(whole, "the second Virfie has not all of it");
  if (played) {
    const { rate, dropped, stalls, trouble, errors, width, height } = played;
    console.log(`hls.js in Chromium: ${width}x${height}, ${played.seconds.toFixed(1)} s played, ${rate.toFixed(2)} pictures a second,`);
    console.log(`${dropped} dropped, ${stalls} stalls, errors: ${[...trouble, ...errors].join("; ") || "no"}.`);
    verdict.expect([...trouble, ...errors].length === 0 && stalls === 0, "hls.js stalled or failed");
    verdict.expect(near(rate, 30, 1.5), `hls.js plays ${rate.toFixed(2)} pictures a second`);
  }
  const grown = (key) => after[key] - before[key];
  console.log(`The room: ${grown("frames")} frames, ${grown("missed_frames")} missed, ${grown("late_frames")} late,`);
  console.log(`${grown("dropped_frames")} dropped before an encoder.`);
  console.log(`It encodes: ${after.encoders.join("; ")}.`);
  verdict.expect(grown("missed_frames") === 0, `the room missed ${grown("missed_frames")} frames`);
  verdict.say();
} finally {
  await person?.close();
  await room.close();
}
// What is left, of libdatachannel above all, shall not keep it.
process.exit();
