/** The editor's tools over its fields: undo and redo, adding, ready layouts, snapping. */

import { make } from "../dom";
import { icon, type IconName } from "../icons";
import { Menu, type MenuItem } from "./menu";

export interface BarHandlers {
  undo(): void;
  redo(): void;
  additions(): MenuItem[];
  layouts(): MenuItem[];
}

export class Bar {
  readonly block: HTMLDivElement;
  private readonly undo = tool("undo", "Undo", "undo", "Control+Z");
  private readonly redo = tool("redo", "Redo", "redo", "Control+Shift+Z");
  private readonly snap = tool("snap", "Snap to edges, centre and thirds", "snap");

  /** `more` stands between what adds and what undoes. */
  constructor(handlers: BarHandlers, more: HTMLElement) {
    this.snap.setAttribute("aria-pressed", "true");
    this.undo.addEventListener("click", () => handlers.undo());
    this.redo.addEventListener("click", () => handlers.redo());
    this.snap.addEventListener("click", () => this.snap.setAttribute("aria-pressed", String(!this.snapping)));
    const add = new Menu("add", "Add", "add", () => handlers.additions());
    const layouts = new Menu("layouts", "Layouts", "layouts", () => handlers.layouts());
    const label = { class: "studio-bar", role: "toolbar", "aria-label": "Editing the layout" };
    this.block = make("div", label, add.block, layouts.block, more, make("span", { class: "spacer" }), this.snap, this.undo, this.redo);
  }

  get snapping(): boolean {
    return this.snap.getAttribute("aria-pressed") === "true";
  }

  show(canUndo: boolean, canRedo: boolean): void {
    this.undo.disabled = !canUndo;
    this.redo.disabled = !canRedo;
  }
}

/** Returns a button that shows only its icon. */
export function tool(name: IconName, text: string, testid: string, keys?: string): HTMLButtonElement {
  const title = keys ? `${text} (${keys.replace("Control", "Ctrl")})` : text;
  return make("button", { class: "quiet icon-only", type: "button", "data-testid": testid, "aria-label": text, title, "aria-keyshortcuts": keys }, icon(name));
}
