/** The room's layout as JSON: shown live, edited, applied, and refused at the right line. */

import type { Answer } from "./studio/api";
import type { Offer, Spot } from "./complete";
import { element, say } from "./dom";
import type { JsonEditor } from "./editor";
import { arranged, format, same } from "./format";
import { ApiError, errorText, isObject, warningText, type Fault } from "./problem";

export interface LayoutHandlers {
  /** Makes a layout the room's. */
  put(layout: unknown): Promise<Answer>;
  /** Rejects as `put` would, and changes nothing. */
  check(layout: unknown): Promise<void>;
  /** Returns what may be written at a place. */
  offers(spot: Spot): Offer[];
  /** The editor is on the screen for the first time. */
  opened(): void;
}

export class LayoutPanel {
  private readonly applyButton = element("layout-apply", HTMLButtonElement);
  private readonly revertButton = element("layout-revert", HTMLButtonElement);
  private readonly dirtyMark = element("layout-dirty", HTMLSpanElement);
  private readonly note = element("layout-note", HTMLParagraphElement);
  private readonly errors = element("layout-errors", HTMLUListElement);
  private readonly place = element("layout-editor", HTMLDivElement);
  /** The largest part of the whole page: it is loaded when somebody can see it. */
  private editor: JsonEditor | null = null;
  /** The layout that the room has now. */
  private current: unknown = null;
  private busy = false;

  constructor(private readonly handlers: LayoutHandlers) {
    this.applyButton.addEventListener("click", () => void this.apply());
    this.revertButton.addEventListener("click", () => this.revert());
    const seeing = new IntersectionObserver((entries) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
      seeing.disconnect();
      void this.open();
    });
    seeing.observe(this.place);
  }

  private async open(): Promise<void> {
    try {
      const { JsonEditor } = await import("./editor");
      const label = "Layout as JSON. Control Enter applies it, Control Space offers what may be written.";
      const editor = new JsonEditor(this.place, label, {
        edited: (dirty) => this.edited(dirty),
        apply: () => void this.apply(),
        offers: (spot) => this.handlers.offers(spot),
        paused: () => void this.check(editor),
      });
      this.editor = editor;
    } catch (error) {
      console.warn("The editor could not be loaded:", error);
      say(this.note, "The editor could not be loaded. Reload the page.");
      return;
    }
    this.handlers.opened();
    this.revert();
  }

  /** The room has this layout now. Unsaved edits stay; a notice says that they are about an older one. */
  show(layout: unknown): void {
    if (same(layout, this.current)) return;
    this.current = layout;
    if (this.editor?.dirty || this.busy) {
      if (this.editor?.dirty) say(this.note, "The room's layout was changed while you were editing. Revert shows it, Apply replaces it.");
      return;
    }
    this.revert();
  }

  /** Another room, or a fresh start. */
  clear(): void {
    this.current = null;
    this.editor?.load("");
    this.clearErrors();
    say(this.note, null);
  }

  /** Brings a layer's lines into view, unless somebody is writing. */
  reveal(id: string): void {
    const layers = isObject(this.current) && Array.isArray(this.current.layers) ? this.current.layers : [];
    const index = layers.findIndex((layer) => isObject(layer) && layer.id === id);
    if (index >= 0 && this.editor && !this.editor.dirty) this.editor.look(this.editor.place(`/layers/${index}`).from);
  }

  /** Marks what the server would refuse of what is written so far. */
  private async check(editor: JsonEditor): Promise<void> {
    const { text } = editor;
    try {
      await this.handlers.check(JSON.parse(text));
      if (editor.text === text) this.clearErrors();
    } catch (error) {
      if (editor.text !== text || !(error instanceof ApiError)) return;
      this.clearErrors();
      mark(editor, error.problem.errors, text);
    }
  }

  private edited(dirty: boolean): void {
    this.dirtyMark.hidden = !dirty;
    this.applyButton.disabled = !dirty || this.busy;
    this.revertButton.disabled = !dirty;
  }

  private revert(): void {
    if (!this.editor) return;
    this.editor.load(this.current === null ? "" : format(arranged(this.current)));
    this.clearErrors();
    say(this.note, null);
    this.edited(this.editor.dirty);
  }

  private async apply(): Promise<void> {
    if (this.busy || !this.editor) return;
    const { editor } = this;
    const { text } = editor;
    let layout: unknown;
    try {
      layout = JSON.parse(text);
    } catch (error) {
      this.showErrors(editor, [{ pointer: "", detail: `This is not JSON yet: ${errorText(error)}` }], text);
      return;
    }
    this.busy = true;
    this.applyButton.disabled = true;
    try {
      const kept = await this.handlers.put(layout);
      this.clearErrors();
      say(this.note, null);
      this.applied(editor, text, kept.layout);
      say(this.note, warningText(kept.warnings ?? []));
    } catch (error) {
      if (error instanceof ApiError && error.problem.errors.length > 0) this.showErrors(editor, error.problem.errors, text);
      else this.showErrors(editor, [{ pointer: "", detail: errorText(error) }], text);
    } finally {
      this.busy = false;
      this.edited(editor.dirty);
    }
  }

  /** Someone who went on typing while the request was under way keeps what they typed. */
  private applied(editor: JsonEditor, text: string, kept: unknown): void {
    this.current = kept;
    if (editor.text === text) this.revert();
  }

  private showErrors(editor: JsonEditor, faults: Fault[], text: string): void {
    const placed = faults.map((fault) => ({ fault, place: editor.place(fault.pointer, text) }));
    // Marks of the text that was sent fit only as long as it is still the text that is shown.
    if (editor.text === text) mark(editor, faults, text);
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
        button.addEventListener("click", () => editor.reveal(editor.place(fault.pointer).from));
        item.append(button);
        return item;
      }),
    );
    this.errors.hidden = faults.length === 0;
  }

  private clearErrors(): void {
    this.editor?.mark([]);
    this.errors.replaceChildren();
    this.errors.hidden = true;
  }
}

/** Marks wrong places of a text that is in the editor. */
function mark(editor: JsonEditor, faults: Fault[], text: string): void {
  const places = faults.map((fault) => ({ fault, place: editor.place(fault.pointer, text) }));
  editor.mark(places.map(({ fault, place }) => ({ from: place.from, to: place.to, message: fault.detail })));
}
