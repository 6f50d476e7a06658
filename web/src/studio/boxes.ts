/** The boxes over the picture: one for each layer, handles for the selected one, and the lines that it sticks to. */

import { element, make } from "../dom";
import type { Handle } from "./geometry";
import type { Area, Size } from "./model";
import type { Box } from "./placed";
import type { Guides } from "./snap";

export type Grip = { kind: "move"; id: string; auto: boolean } | { kind: "resize"; handle: Handle } | { kind: "rotate" };

export interface BoxHandlers {
  /** A box or a handle was pressed. */
  press(grip: Grip, event: PointerEvent): void;
  /** A box has the focus, or none. */
  focus(id: string, auto: boolean): void;
  key(event: KeyboardEvent, id: string, auto: boolean): void;
  /** The picture beside all boxes was pressed. */
  nothing(): void;
}

const HANDLES: Handle[] = [
  { x: -1, y: -1 },
  { x: 0, y: -1 },
  { x: 1, y: -1 },
  { x: 1, y: 0 },
  { x: 1, y: 1 },
  { x: 0, y: 1 },
  { x: -1, y: 1 },
  { x: -1, y: 0 },
];

/** Boxes lower than this have their round handle outside. CSS pixels. */
const LOW = 84;

export class Boxes {
  private readonly stage = element("stage", HTMLDivElement);
  private readonly surface = element("boxes", HTMLDivElement);
  private readonly frame = make("div", { class: "box-frame", "aria-hidden": "true" });
  private readonly turn = make("span", { class: "handle turn", "data-handle": "rotate" });
  private readonly guides = make("div", { class: "guides", "aria-hidden": "true" });
  private readonly drawn = new Map<string, HTMLDivElement>();
  private canvas: Size = { width: 1280, height: 720 };

  constructor(private readonly handlers: BoxHandlers) {
    for (const handle of HANDLES) {
      const grip = make("span", { class: "handle", "data-handle": `${handle.x},${handle.y}` });
      grip.style.left = `${(handle.x + 1) * 50}%`;
      grip.style.top = `${(handle.y + 1) * 50}%`;
      grip.addEventListener("pointerdown", (event) => this.handlers.press({ kind: "resize", handle }, event));
      this.frame.append(grip);
    }
    this.turn.addEventListener("pointerdown", (event) => this.handlers.press({ kind: "rotate" }, event));
    this.frame.append(this.turn);
    this.frame.hidden = true;
    this.surface.append(this.frame, this.guides);
    this.surface.addEventListener("pointerdown", ({ target }) => {
      if (target === this.surface || target === this.guides) this.handlers.nothing();
    });
    new ResizeObserver(() => this.fit()).observe(this.stage);
  }

  set shown(shown: boolean) {
    this.surface.hidden = !shown;
    this.stage.dataset.editing = String(shown);
    this.fit();
  }

  get shown(): boolean {
    return !this.surface.hidden;
  }

  /** CSS pixels of a pixel of the canvas. */
  get scale(): number {
    return this.surface.clientWidth / this.canvas.width || 1;
  }

  /** Returns a point of the window on the canvas. */
  point({ clientX, clientY }: { clientX: number; clientY: number }): { x: number; y: number } {
    const { left, top } = this.surface.getBoundingClientRect();
    return { x: (clientX - left) / this.scale, y: (clientY - top) / this.scale };
  }

  /** Gets all further events of a pointer that is down, wherever it goes; gives the element that does. */
  capture(pointer: number): HTMLElement {
    this.surface.setPointerCapture(pointer);
    return this.surface;
  }

  /** Draws all boxes. `turns`: whether the selected one may be turned. */
  show(boxes: readonly Box[], selected: string | null, turns: boolean, canvas: Size): void {
    if (canvas.width !== this.canvas.width || canvas.height !== this.canvas.height) {
      this.canvas = canvas;
      this.fit();
    }
    const keys = new Set(boxes.map(key));
    for (const [name, node] of this.drawn) {
      if (keys.has(name)) continue;
      node.remove();
      this.drawn.delete(name);
    }
    for (const box of boxes) this.draw(box, !box.auto && box.id === selected);
    const framed = boxes.find((box) => !box.auto && box.id === selected);
    this.frame.hidden = !framed;
    this.turn.hidden = !turns;
    if (!framed) return;
    this.put(this.frame, framed.area, framed.rotate);
    const low = framed.area.height * this.scale < LOW;
    this.frame.dataset.turn = !low ? "inside" : framed.area.y * this.scale > LOW / 2 ? "above" : "below";
  }

  line(guides: Guides): void {
    const lines = (["x", "y"] as const).flatMap((axis) =>
      guides[axis].map((at) => {
        const line = make("span", { class: `guide ${axis}` });
        const whole = axis === "x" ? this.canvas.width : this.canvas.height;
        line.style[axis === "x" ? "left" : "top"] = `${(at / whole) * 100}%`;
        return line;
      }),
    );
    this.guides.replaceChildren(...lines);
  }

  focus(id: string, auto = false): void {
    this.drawn.get(key({ id, auto }))?.focus({ preventScroll: true });
  }

  private draw(box: Box, selected: boolean): void {
    let node = this.drawn.get(key(box));
    if (!node) {
      const { id, auto } = box;
      node = make("div", {
        class: "box",
        role: "button",
        tabindex: 0,
        "data-id": id,
        "data-testid": auto ? "auto-box" : "box",
        "aria-roledescription": auto ? "automatic place" : "layer",
        "aria-describedby": "boxes-help",
      });
      node.append(make("span", { class: "box-name" }));
      node.addEventListener("pointerdown", (event) => this.handlers.press({ kind: "move", id, auto }, event));
      node.addEventListener("focus", () => this.handlers.focus(id, auto));
      node.addEventListener("keydown", (event) => this.handlers.key(event, id, auto));
      this.drawn.set(key(box), node);
      this.surface.insertBefore(node, this.frame);
    }
    const label = box.auto ? `${box.words}, placed automatically` : `${box.id}, ${box.words}${box.empty ? `, nothing to see: ${box.empty}` : ""}`;
    if (node.getAttribute("aria-label") !== label) {
      node.setAttribute("aria-label", label);
      (node.firstChild as HTMLElement).textContent = box.auto ? box.words : box.id;
    }
    node.setAttribute("aria-pressed", String(selected));
    node.dataset.kind = box.kind;
    node.dataset.auto = String(box.auto);
    node.dataset.empty = String(box.empty !== null);
    node.style.zIndex = String(box.rank + 1);
    this.put(node, box.area, box.rotate);
  }

  private put(node: HTMLElement, { x, y, width, height }: Area, rotate: number): void {
    const { style } = node;
    const share = (value: number, whole: number) => `${(value / whole) * 100}%`;
    style.left = share(x, this.canvas.width);
    style.top = share(y, this.canvas.height);
    style.width = share(width, this.canvas.width);
    style.height = share(height, this.canvas.height);
    style.transform = rotate ? `rotate(${rotate}deg)` : "";
  }

  /** Lays the surface exactly over the picture, which does not fill a stage of another shape. */
  private fit(): void {
    const { clientWidth, clientHeight } = this.stage;
    const scale = Math.min(clientWidth / this.canvas.width, clientHeight / this.canvas.height);
    const [width, height] = [this.canvas.width * scale, this.canvas.height * scale];
    const { style } = this.surface;
    style.left = `${(clientWidth - width) / 2}px`;
    style.top = `${(clientHeight - height) / 2}px`;
    style.width = `${width}px`;
    style.height = `${height}px`;
  }
}

/** A layer may be called like someone whom `auto` places. */
function key({ id, auto }: { id: string; auto: boolean }): string {
  return `${auto ? "auto" : "layer"} ${id}`;
}
