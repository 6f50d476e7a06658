// Some WHIP senders, in a process of their own that can be killed: the other half of `joins.mjs`.
//
//   node senders.mjs ENDPOINT NAME COUNT PACKETS
//
// They are called NAME-0, NAME-1 and so on, and send what the file PACKETS holds, again and again. It says `sending` when
// all are connected. When its standard input ends, every second one leaves properly; then it says `left`, and waits for
// its end with the others still sending.

import { randomInt } from "node:crypto";
import { readFileSync } from "node:fs";

import { DataChannelSender } from "../clients/datachannel.mjs";

/** With many at once, libdatachannel now and then has no transport yet when the answer comes. */
const ATTEMPTS = 3;

const [endpoint, name, count, file] = process.argv.slice(2);
const { codec, milliseconds, packets } = JSON.parse(readFileSync(file, "utf8"));
const recording = packets.map(({ at, kind, bytes }) => ({ at, kind, bytes: Buffer.from(bytes, "base64") }));

/** A sender who has joined, and the SSRCs of its own. */
async function join(index, attempt = 1) {
  const ssrcs = { audio: randomInt(1, 2 ** 32), video: randomInt(1, 2 ** 32) };
  try {
    return { sender: await DataChannelSender.send(`${endpoint}?name=${name}-${index}`, { codec, ssrcs }), ssrcs };
  } catch (error) {
    if (attempt === ATTEMPTS) throw error;
    return join(index, attempt + 1);
  }
}

/** Moves a packet of the recording to its round: numbers and times go on where the last round ended. */
function moved(packet, round, { sequence, ticks }) {
  const bytes = Buffer.from(packet);
  bytes.writeUInt16BE((bytes.readUInt16BE(2) + round * sequence) & 0xffff, 2);
  bytes.writeUInt32BE((bytes.readUInt32BE(4) + round * ticks) >>> 0, 4);
  return bytes;
}

/** What a round of the recording adds to the numbers and the times of each kind. */
const steps = Object.fromEntries([["audio", 48], ["video", 90]].map(([kind, ticks]) => {
  const sequence = recording.filter((packet) => packet.kind === kind).length;
  return [kind, { sequence, ticks: ticks * milliseconds }];
}));

function send(senders) {
  const begun = performance.now();
  let [round, next] = [0, 0];
  return setInterval(() => {
    while (begun + round * milliseconds + recording[next].at <= performance.now()) {
      const { kind, bytes } = recording[next];
      const packet = moved(bytes, round, steps[kind]);
      for (const { sender, ssrcs } of senders) {
        packet.writeUInt32BE(ssrcs[kind], 8);
        sender.pass(kind, packet);
      }
      next = (next + 1) % recording.length;
      if (next === 0) round += 1;
    }
  }, 20);
}

const senders = await Promise.all(Array.from({ length: Number(count) }, (_, index) => join(index)));
send(senders);
console.log("sending");
for await (const _ of process.stdin);
await Promise.all(senders.filter((_, index) => index % 2 === 0).map(({ sender }) => sender.leave()));
console.log("left");
