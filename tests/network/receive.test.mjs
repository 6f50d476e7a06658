// On a bad line, a receiver gets a smaller picture instead of none, its sound goes on, and others notice nothing.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { whyNoLine } from "./line.mjs";
import { TRIED, isBusy, misses } from "./lines.mjs";
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

/** How often a line is measured at most: once more, and twice beyond that while the machine is busy. */
const TRIES = 2;
const TRIES_WHEN_BUSY = 4;

/**
 * Measures until all holds that must. What a machine does elsewhere is shown by the receiver on the good line: where that
 * one missed something, too, the row says nothing of the bad line.
 *
 * @param {() => Promise<object>} measure resolves to a row
 */
async function holds(line, measure, t) {
  for (let tried = 1; ; tried += 1) {
    const row = await measure();
    const missed = misses(line, row);
    const most = isBusy(row) ? TRIES_WHEN_BUSY : TRIES;
    // A picture that froze did freeze.
    const froze = !isBusy(row) && missed.some((miss) => miss.startsWith("freezeMs"));
    if (missed.length === 0 || froze || tried >= most) return judge(line, row, t);
    t.diagnostic(`again: ${missed.join("; ")}; the other receiver had ${row.otherFps.toFixed(1)} fps`);
  }
}

/** Takes a receiver through lines, each of which is a test. */
function through(lines, receiver, t) {
  return scene.receive(receiver, lines, (line, first, again) =>
    t.test(line.name, (t) => {
      const rows = [first];
      return holds(line, async () => rows.pop() ?? again(), t);
    }),
  );
}

/** Lets a receiver come on a line, each time it is measured. */
async function arrives(line, receiver, t) {
  const come = async () => {
    let row;
    await scene.receive(receiver, [line], (_, measured) => (row = measured));
    return row;
  };
  await holds(line, come, t);
}

for (const [receiver, { lines, arrivals }] of Object.entries(TRIED)) {
  if (lines.length > 0) test(`${receiver}, on good and bad lines`, { skip }, (t) => through(lines, receiver, t));
  for (const line of arrivals) test(`${receiver}, ${line.name}`, { skip }, (t) => arrives(line, receiver, t));
}
