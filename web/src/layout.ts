/** The room's layout as JSON: shown live, edited, applied, and refused at the right line. */

import type { Answer } from "./api";
import type { Offer, Spot } from "./complete";
import { element, say } from "./dom";
import { JsonEditor } from "./editor";
import { arranged, format, same } from "./format";
import { locate } from "./pointer";
import { ApiError, errorText, isObject, warningText, type Fault } from "./problem";

export interface LayoutHandlers {
  /** Makes a layout the room's. */
  put(layout: unknown): Promise<Answer>;
  /** Rejects as `put` would, and changes nothing. */
  check(layout: unknown): Promise<void>;
  /** What may be written at a place. */
  offers(spot: Spot): Offer[];
}

export class LayoutPanel {
  private readonly applyButton = element("layout-apply", HTMLButtonElement);
  private readonly revertButton = element("layout-revert", HTMLButtonElement);
  private readonly dirtyMark = element("layout-dirty", HTMLSpanElement);
  private readonly note = element("layout-note", HTMLParagraphElement);
  private readonly errors = element("layout-errors", HTMLUListElement);
  private readonly editor = new JsonEditor(
    element("layout-editor", HTMLDivElement),
    "Layout as JSON. Control Enter applies it, Control Space offers what may be written.",
    {
      edited: (dirty) => this.edited(dirty),
      apply: () => void this.apply(),
      offers: (spot) => this.handlers.offers(spot),
      paused: () => void this.check(),
    },
  );
  /** The layout that the room has now. */
  private current: unknown = null;
  private busy = false;

  constructor(private readonly handlers: LayoutHandlers) {
    this.applyButton.addEventListener("click", () => void this.apply());
    this.revertButton.addEventListener("click", () => this.revert());
  }

  /** The room has this layout now. Unsaved edits stay; the user is told that they are about an older one. */
  show(layout: unknown): void {
    if (same(layout, this.current)) return;
    this.current = layout;
    if (this.editor.dirty || this.busy) {
      if (this.editor.dirty) say(this.note, "The room's layout was changed while you were editing. Revert shows it, Apply replaces it.");
      return;
    }
    this.revert();
  }

  /** Another room, or a fresh start. */
  clear(): void {
    this.current = null;
    this.editor.load("");
    this.clearErrors();
    say(this.note, null);
  }

  /** Brings a layer's lines into view, unless somebody is writing. */
  reveal(id: string): void {
    const layers = isObject(this.current) && Array.isArray(this.current.layers) ? this.current.layers : [];
    const index = layers.findIndex((layer) => isObject(layer) && layer.id === id);
    if (index >= 0 && !this.editor.dirty) this.editor.look(locate(this.editor.text, `/layers/${index}`).from);
  }

  /** Marks what the server would refuse of what is written so far. */
  private async check(): Promise<void> {
    const { text } = this.editor;
    try {
      await this.handlers.check(JSON.parse(text));
      if (this.editor.text === text) this.clearErrors();
    } catch (error) {
      if (this.editor.text !== text || !(error instanceof ApiError)) return;
      this.clearErrors();
      this.mark(error.problem.errors, text);
    }
  }

  private mark(faults: Fault[], text: string): void {
    const places = faults.map((fault) => ({ fault, place: locate(text, fault.pointer) }));
    this.editor.mark(places.map(({ fault, place }) => ({ from: place.from, to: place.to, message: fault.detail })));
  }

  private edited(dirty: boolean): void {
    this.dirtyMark.hidden = !dirty;
    this.applyButton.disabled = !dirty || this.busy;
    this.revertButton.disabled = !dirty;
  }

  private revert(): void {
    this.editor.load(this.current === null ? "" : format(arranged(this.current)));
    this.clearErrors();
    say(this.note, null);
    this.edited(this.editor.dirty);
  }

  private async apply(): Promise<void> {
    if (this.busy) return;
    const text = this.editor.text;
    let layout: unknown;
    try {
      layout = JSON.parse(text);
    } catch (error) {
      this.showErrors([{ pointer: "", detail: `This is not JSON yet: ${errorText(error)}` }], text);
      return;
    }
    this.busy = true;
    this.applyButton.disabled = true;
    try {
      const kept = await this.handlers.put(layout);
      this.clearErrors();
      say(this.note, null);
      this.applied(text, kept.layout);
      say(this.note, warningText(kept.warnings ?? []));
    } catch (error) {
      if (error instanceof ApiError && error.problem.errors.length > 0) this.showErrors(error.problem.errors, text);
      else this.showErrors([{ pointer: "", detail: errorText(error) }], text);
    } finally {
      this.busy = false;
      this.edited(this.editor.dirty);
    }
  }

  /** Someone who went on typing while the request was under way keeps what they typed. */
  private applied(text: string, kept: unknown): void {
    this.current = kept;
    if (this.editor.text === text) this.revert();
  }

  private showErrors(faults: Fault[], text: string): void {
    const placed = faults.map((fault) => ({ fault, place: locate(text, fault.pointer) }));
    // Marks of the text that was sent fit only as long as it is still the text that is shown.
    if (this.editor.text === text) this.mark(faults, text);
    this.errors.replaceChildren(
      ...placed.map(({ fault, place }) => {
        const item = document.createElement("li");
        const button = document.createElement("button");
        button.type = "button";
        button.dataset.pointer = fault.pointer;
        button.dataset.line = String(place.line);
        const where = document.createElement("span");
        where.className = "where";
        where.textContent = fault.pointer ? `line ${place.line}  ${fault.pointer}` : "whole layout";
        button.append(where, ` ${fault.detail}`);
        button.addEventListener("click", () => this.editor.reveal(locate(this.editor.text, fault.pointer).from));
        item.append(button);
        return item;
      }),
    );
    this.errors.hidden = faults.length === 0;
  }

  private clearErrors(): void {
    this.editor.mark([]);
    this.errors.replaceChildren();
    this.errors.hidden = true;
  }
}
