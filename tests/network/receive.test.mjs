// On a bad line, a receiver gets a smaller picture instead of none, its sound goes on, and others notice nothing.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { whyNoLine } from "./line.mjs";
import { TRIED, misses } from "./lines.mjs";
import { Scene } from "./scene.mjs";

const skip = (await whyNoLine()) ?? false;
if (skip) console.log(`SKIPPED: nothing here is tested, it ${skip}`);

let scene;

before(async () => {
  if (!skip) scene = await Scene.open();
});

after(async () => {
  await scene?.close();
});

/** Says what a row shows, and fails where something of it must not be so. */
function judge(line, row, t) {
  const { fps, lowest, highest, freezeMs, kbps, made, gapMs, retransmitted, firstMs } = row;
  t.diagnostic(`first picture after ${firstMs.toFixed(0)} ms`);
  t.diagnostic(`${fps.toFixed(1)} fps, ${lowest} to ${highest} lines, ${kbps.toFixed(0)} kbit/s`);
  t.diagnostic(`longest freeze ${freezeMs.toFixed(0)} ms; ${retransmitted} packets came again`);
  t.diagnostic(`sound: ${made.toFixed(1)} % made up, longest gap ${gapMs.toFixed(0)} ms`);
  assert.deepEqual(misses(line, row), []);
}

/** Takes a receiver through lines, each of which is a test. */
function through(lines, receiver, t) {
  return scene.receive(receiver, lines, (line, first, again) =>
    t.test(line.name, async (t) => {
      let row = first;
      const missed = misses(line, row);
      // Ten seconds in which the machine did something else say nothing. A picture that froze did freeze.
      if (missed.length > 0 && !missed.some((miss) => miss.startsWith("freezeMs"))) {
        t.diagnostic(`measured again: ${missed.join("; ")}`);
        row = await again();
      }
      judge(line, row, t);
    }),
  );
}

/** Lets a receiver come on a line. One that comes while the machine does something else says nothing, so it comes again. */
async function arrives(line, receiver, t) {
  const rows = [];
  const come = () => scene.receive(receiver, [line], (_, row) => rows.push(row));
  await come();
  const missed = misses(line, rows[0]);
  if (missed.length > 0) {
    t.diagnostic(`comes again: ${missed.join("; ")}`);
    await come();
  }
  judge(line, rows.at(-1), t);
}

for (const [receiver, { lines, arrivals }] of Object.entries(TRIED)) {
  if (lines.length > 0) test(`${receiver}, on good and bad lines`, { skip }, (t) => through(lines, receiver, t));
  for (const line of arrivals) test(`${receiver}, ${line.name}`, { skip }, (t) => arrives(line, receiver, t));
}
