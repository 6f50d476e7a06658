// What every client of this folder is: a program that is told a room's WHEP address, watches it for some seconds, and
// prints what it saw and heard as one line of JSON:
//
//   CLIENT --endpoint URL --seconds N --tones HZ,HZ [--codec H264|VP8] [--token TOKEN]
//
//   {"version", "codec", "width", "height", "color": [red, green, blue] of the middle, "fps", "tones": dB of each,
//    "lost": packets, "retransmitted": packets that came again; both null where it is not known}
//
// Exit code 77: what it needs is not installed; stderr says what.

import { parseArgs } from "node:util";

export function readWish() {
  const text = { type: "string" };
  const { values } = parseArgs({ options: { endpoint: text, seconds: text, tones: text, codec: text, token: text } });
  const { endpoint, seconds, tones, codec, token } = values;
  return { endpoint, seconds: Number(seconds), tones: tones.split(",").map(Number), codec, token };
}

/** Ends the program for want of something. */
export function lacking(what) {
  console.error(what);
  process.exit(77);
}
