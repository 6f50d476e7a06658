/** Waits between attempts to reconnect: doubling, bounded, and spread so that a room's people do not return as one. */

const FIRST_MS = 500;
/** Long enough to spare a server that is down, short enough that nobody reloads the page out of impatience. */
const LONGEST_MS = 15_000;

/**
 * Milliseconds to wait before attempt `attempt` (0 is the first after a loss).
 * Half of the wait is fixed, the other half is chosen by `random` in 0..1.
 */
export function delayMs(attempt: number, random: number = Math.random()): number {
  const whole = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.max(0, attempt));
  return Math.round(whole / 2 + (whole / 2) * random);
}
