// On a bad line, a receiver gets a smaller picture instead of none, its sound goes on, and others notice nothing.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { whyNoLine } from "./line.mjs";
import { ARRIVALS, LINES, misses } from "./lines.mjs";
import { RECEIVERS } from "./receivers.mjs";
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
      const { fps, lowest, highest, freezeMs, kbps, made, gapMs, retransmitted } = row;
      t.diagnostic(`${fps.toFixed(1)} fps, ${lowest} to ${highest} lines, ${kbps.toFixed(0)} kbit/s`);
      t.diagnostic(`longest freeze ${freezeMs.toFixed(0)} ms; ${retransmitted} packets came again`);
      t.diagnostic(`sound: ${made.toFixed(1)} % made up, longest gap ${gapMs.toFixed(0)} ms`);
      assert.deepEqual(misses(line, row), []);
    }),
  );
}

for (const receiver of Object.keys(RECEIVERS)) {
  test(`${receiver}, on good and bad lines`, { skip }, (t) => through(LINES, receiver, t));
  for (const line of ARRIVALS) test(`${receiver}, ${line.name}`, { skip }, (t) => through([line], receiver, t));
}
