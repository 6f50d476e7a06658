// Watches all outputs and their other ends: states, how long nothing came, and what the room missed.

import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

/** How often it is looked what has come, and what the server says. */
const LOOK_MS = 25;
const ASK_MS = 100;

/** Of all that the machine's cores could do so far: how much was left, and all. */
function machine() {
  const times = /^cpu +(.*)/.exec(readFileSync("/proc/stat", "utf8"))[1].split(" ").map(Number);
  // What guests of the machine did is in the first two already.
  return { idle: times[3] + times[4], all: times.slice(0, 8).reduce((sum, time) => sum + time, 0) };
}

export class Watch {
  /** By kind: when something came last, the longest time without, and the states that were reported. */
  seen = new Map();
  failed = null;

  constructor(room, ends, ids) {
    Object.assign(this, { room, ends, ids, stopped: false });
    this.looking = this.#loop(LOOK_MS, () => this.#look());
    this.asking = this.#loop(ASK_MS, () => this.#ask());
  }

  async #loop(every, act) {
    try {
      while (!this.stopped) {
        await act();
        await pause(every);
      }
    } catch (error) {
      this.failed = error;
    }
  }

  #look() {
    const now = performance.now();
    // This process itself may have been held up: then nothing is known of that time.
    const late = now - (this.looked ?? now) > 4 * LOOK_MS;
    this.looked = now;
    for (const [kind, end] of Object.entries(this.ends)) {
      const bytes = end.bytes();
      const one = this.seen.get(kind) ?? { bytes, at: now, gap: 0, states: new Set(), attempts: new Set(), errors: new Set() };
      this.seen.set(kind, one);
      if (!late || bytes === one.bytes) one.gap = Math.max(one.gap, now - one.at);
      if (bytes !== one.bytes) Object.assign(one, { bytes, at: now });
    }
  }

  async #ask() {
    const [outputs, health] = [await this.room.outputs(), await this.room.health()];
    this.health = health;
    this.sound = Math.max(this.sound ?? 0, health.sound_gap_ms);
    for (const [kind, id] of Object.entries(this.ids)) {
      const one = this.seen.get(kind);
      const output = outputs.get(id);
      if (!one) continue;
      one.output = output;
      one.states.add(output.behind ? `${output.state}, behind` : output.state);
      if (output.attempt) one.attempts.add(output.attempt);
      if (output.last_error && output.state !== "live") one.errors.add(output.last_error);
    }
  }

  /** Begins counting again. */
  async begin() {
    await this.#look();
    const now = performance.now();
    for (const one of this.seen.values()) {
      Object.assign(one, { gap: 0, at: now, states: new Set(), attempts: new Set(), errors: new Set() });
    }
    this.before = await this.room.health();
    this.sound = 0;
    this.machine = machine();
  }

  /** Whether an output is live, keeps up, and something has come to its other end since a time. */
  flows(kind, since) {
    const { output, at } = this.seen.get(kind);
    return output.state === "live" && !output.behind && at > since;
  }

  /** What has come of it since `begin`. */
  async end() {
    if (this.failed) throw this.failed;
    const health = await this.room.health();
    const grown = (key) => health[key] - this.before[key];
    const kinds = Object.fromEntries([...this.seen].map(([kind, { gap, states, attempts, errors }]) => {
      return [kind, { gap, states: [...states], attempts: attempts.size, errors: [...errors] }];
    }));
    const [before, now] = [this.machine, machine()];
    const idle = (now.idle - before.idle) / (now.all - before.all);
    return { kinds, missed: grown("missed_frames"), dropped: grown("dropped_frames"), sound: this.sound, idle };
  }

  async close() {
    this.stopped = true;
    await Promise.all([this.looking, this.asking]);
  }
}
