// Waiting for what must become true, with a deadline. Nothing in these tests sleeps for a fixed time and hopes.

import { setTimeout as pause } from "node:timers/promises";

/**
 * Calls `probe` until it gives something truthy, and resolves to that. A probe may reject: it is asked again, and its
 * last error is reported when time is up.
 *
 * @param {string} what ends the sentence "did not happen in time: …"
 * @param {() => unknown} probe
 * @param {{within?: number, every?: number}} times milliseconds
 */
export async function until(what, probe, { within = 10_000, every = 50 } = {}) {
  const deadline = performance.now() + within;
  let last;
  for (;;) {
    try {
      last = await probe();
      if (last) return last;
    } catch (error) {
      last = error;
    }
    if (performance.now() >= deadline) {
      const seen = last instanceof Error ? last.message : JSON.stringify(last);
      throw new Error(`did not happen within ${within} ms: ${what}; last seen: ${seen}`);
    }
    await pause(every);
  }
}

/** Resolves as `promise` does, or rejects when that takes longer than `within` milliseconds. */
export async function inTime(what, promise, within) {
  const stop = new AbortController();
  const late = pause(within, null, { signal: stop.signal }).then(
    () => Promise.reject(new Error(`did not happen within ${within} ms: ${what}`)),
    () => undefined,
  );
  try {
    return await Promise.race([promise, late]);
  } finally {
    stop.abort();
  }
}
