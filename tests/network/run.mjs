// Takes one receiver through all lines and measures it on each.

import { setTimeout as pause } from "node:timers/promises";

import { Probe, longestFreeze, longestGap } from "./probe.mjs";

const WHOLE = 720;
/** A picture that has been whole for so long is not a flicker. */
const STEADY_MS = 1_500;

/**
 * @param {{line: import("./line.mjs").Line, studio: import("./studio.mjs").Studio, tab: object}} scene
 * @param {object} step one of `LINES`
 * @returns the numbers: `fps` decoded and `shown`, `lowest` and `highest` picture, the longest standstill since the
 *   change (`freezeMs`) and in the window (`stillMs`), per cent of sound made up (`made`) and the longest gap in it
 *   (`gapMs`), packets that came `retransmitted`, keyframes and requests for them, kbit/s, round trip, jitter buffer,
 *   how long until the picture was whole again (`recoverMs`) and until there was any after the connection (`firstMs`), and
 *   how the other receiver fared since the change
 */
async function measure({ line, studio, probe, firstMs }, step) {
  const { at: changed } = await probe.count();
  const otherFrom = performance.now();
  await line.set(step.faults);
  const recoverMs = step.recover ? await recovered(probe, changed, step.recover * 1_000) : undefined;
  await pause(step.settle * 1_000);
  const before = await probe.count();
  await pause(step.window * 1_000);
  const after = await probe.count();
  const { frames, sound } = await probe.since(changed);
  const inside = frames.filter(({ at }) => at >= before.at && at <= after.at);
  const heights = inside.map(({ height }) => height);
  const seconds = (after.at - before.at) / 1_000;
  const grown = (key) => after[key] - before[key];
  const other = studio.other.between(otherFrom, performance.now());
  return {
    fps: grown("decoded") / seconds,
    shown: inside.length / seconds,
    lowest: Math.min(...heights),
    highest: Math.max(...heights),
    freezeMs: longestFreeze(frames, changed, after.at),
    stillMs: longestFreeze(frames, before.at, after.at),
    made: (100 * grown("made")) / grown("samples"),
    gapMs: longestGap(sound.filter(({ at }) => at >= before.at && at <= after.at)),
    retransmitted: grown("retransmitted"),
    keyframes: grown("keyframes"),
    plis: grown("plis"),
    kbps: (grown("bytes") * 8) / 1_000 / seconds,
    roundTripMs: after.roundTripMs,
    bufferMs: (1_000 * grown("buffered")) / grown("emitted"),
    recoverMs,
    firstMs,
    otherFps: other.fps,
    otherLowest: other.lowest,
  };
}

/** Waits until the picture is whole and stays so; how long that took, or nothing when it did not come in time. */
async function recovered(probe, changed, within) {
  for (;;) {
    const { since, until, now } = await probe.asHigh(WHOLE, changed);
    if (until - since >= STEADY_MS) return since - changed;
    if (now - changed > within + STEADY_MS) return undefined;
    await pause(200);
  }
}

/**
 * Goes through the lines; after each, `tell(step, row, again)` is called, where `again()` measures the same line once more.
 * The receiver is there already, on the first one.
 */
export async function takeThrough(steps, { line, studio, tab }, tell) {
  const probe = await Probe.on(tab);
  const firstMs = await tab.firstFrame();
  for (const step of steps) {
    const again = () => measure({ line, studio, probe, firstMs }, step);
    await tell(step, await again(), again);
  }
}
