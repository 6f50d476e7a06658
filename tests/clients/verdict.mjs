// What the tests of clients have in common.

import assert from "node:assert/strict";

import { NotInstalled } from "./clients.mjs";

/** A tone that nobody plays, Hz. */
export const SILENT = 2_000;

/** Runs a client; a test whose client is not installed is skipped, and says so. */
export async function skipUnlessInstalled(t, name, run) {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof NotInstalled)) throw error;
    console.log(`SKIPPED: ${name}: ${error.message}`);
    t.skip(error.message);
    return null;
  }
}

/** Asserts that what a client heard is a tone, and not `SILENT`. */
export function assertHears({ tones: [heard, silent] }, tone) {
  assert.ok(heard > -40 && heard - silent > 25, `${tone} Hz at ${heard} dB, and nobody's ${SILENT} Hz at ${silent} dB`);
}
