// What every client of this folder is: a program that gets a room's address, and either watches it by WHEP for some
// seconds and prints what it saw and heard, or sends to it by WHIP until its stdin ends. Both print one line of JSON:
//
//   CLIENT --endpoint URL [--codec H264|VP8|VP9] [--token TOKEN] --seconds N --tones HZ,HZ
//
//   {"version", "codec", "width", "height", "color": [red, green, blue] of the middle, "fps", "tones": dB of each,
//    "lost": packets, "retransmitted": packets that came again; both null where it is not known}
//
//   CLIENT --endpoint URL [--codec H264|VP8|VP9] [--token TOKEN] --color RED,GREEN,BLUE --tone HZ
//
//   {"version", "codec"} once it sends a plain picture of the colour, and the tone
//
// Exit code 77: what it needs is not installed; stderr says what.

import { parseArgs } from "node:util";

/** What is asked for; `color` is only there for one that shall send. */
export function readWish() {
  const names = ["endpoint", "codec", "token", "seconds", "tones", "color", "tone"];
  const { values } = parseArgs({ options: Object.fromEntries(names.map((name) => [name, { type: "string" }])) });
  const { endpoint, codec, token, seconds, tones, color, tone } = values;
  const common = { endpoint, codec, token };
  return color
    ? { ...common, color: color.split(",").map(Number), tone: Number(tone) }
    : { ...common, seconds: Number(seconds), tones: tones.split(",").map(Number) };
}

/** Prints the line that others wait for. */
export function say(seen) {
  console.log(JSON.stringify(seen));
}

/** Says that the program sends now; resolves when it shall go. */
export async function sending(how) {
  say(how);
  process.stdin.resume();
  await new Promise((resolve) => process.stdin.once("end", resolve));
}

/** Ends the program for want of something. */
export function lacking(what) {
  console.error(what);
  process.exit(77);
}
