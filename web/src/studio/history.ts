/** Changes that were made, to undo and redo them. PURE. */

import { inverse, type Edit } from "./edits";

export interface Step {
  /** The change in words, as it ends the sentence "Undone: …". */
  label: string;
  edits: Edit[];
}

/** Older steps are forgotten. */
const DEPTH = 100;
/** Steps of one kind that follow each other faster than this are one. */
const TOGETHER_MS = 900;

export class History {
  private done: Step[] = [];
  private undone: Step[] = [];
  private last = { key: "", at: 0 };

  /** Notes a step. Steps with the same `key` (not "") that follow quickly are undone together. */
  push(step: Step, key = "", now = Date.now()): void {
    if (key !== "" && key === this.last.key && now - this.last.at < TOGETHER_MS && this.undone.length === 0) this.join(step);
    else this.add(step);
    this.last = { key, at: now };
  }

  /** Makes a step one with the last. */
  join(step: Step): void {
    const before = this.done.at(-1);
    if (!before) {
      this.add(step);
      return;
    }
    before.label = step.label;
    before.edits.push(...step.edits);
    this.undone = [];
  }

  private add(step: Step): void {
    this.done.push({ label: step.label, edits: [...step.edits] });
    if (this.done.length > DEPTH) this.done.shift();
    this.undone = [];
  }

  /** Returns the edits that take the last step back, or `null`. */
  undo(): Step | null {
    const step = this.done.pop();
    if (!step) return null;
    this.undone.push(step);
    this.last = { key: "", at: 0 };
    return { label: step.label, edits: step.edits.map(inverse).reverse() };
  }

  redo(): Step | null {
    const step = this.undone.pop();
    if (!step) return null;
    this.done.push(step);
    return step;
  }

  get canUndo(): boolean {
    return this.done.length > 0;
  }

  get canRedo(): boolean {
    return this.undone.length > 0;
  }

  clear(): void {
    this.done = [];
    this.undone = [];
  }
}
