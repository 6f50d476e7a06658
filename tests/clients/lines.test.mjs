// Clients of many makes watch a room on a line that loses packets: those that ask for them get them again.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { Line, whyNoLine } from "../network/line.mjs";
import { ROOM, Studio, TONE } from "../network/studio.mjs";
import { CLIENTS, watchAs } from "./clients.mjs";
import { assertHears, skipUnlessInstalled, SILENT } from "./verdict.mjs";

const LOSS = 5;

const skip = (await whyNoLine()) ?? false;
if (skip) console.log(`SKIPPED: no lines that lose packets: it ${skip}`);

describe(`on a line that loses ${LOSS} %`, { skip }, () => {
  let line;
  let studio;

  before(async () => {
    line = await Line.open();
    studio = await Studio.open(line);
    await line.set({ loss: LOSS });
  });

  after(async () => {
    await studio?.close();
    await line?.close();
  });

  for (const [name] of Object.entries(CLIENTS).filter(([, { again }]) => again)) {
    test(`${name} gets again what was lost`, async (t) => {
      const tones = [TONE, SILENT];
      const wish = { endpoint: `${studio.url}/whep/${ROOM}`, token: studio.key, seconds: 8, tones };
      const seen = await skipUnlessInstalled(t, name, () => watchAs(name, wish, line.client));
      if (!seen) return;
      t.diagnostic(`${seen.version}: ${seen.codec}, ${seen.width}x${seen.height}, ${seen.fps.toFixed(1)} fps`);
      assert.ok(seen.fps > 25, `${seen.fps} pictures a second`);
      if (seen.retransmitted !== null) assert.ok(seen.retransmitted > 0, "packets came again");
      t.diagnostic(`${seen.retransmitted ?? "an unknown number of"} packets came again, ${seen.lost} were lost`);
      assertHears(seen, TONE);
    });
  }
});
