/** Dragging boxes and handles with a pointer, and moving them with keys. */

import type { Boxes, Grip } from "./boxes";
import { boxArea, moveTo, type Facts } from "./facts";
import { resized, rotation, SMALLEST, turnedTo, withSize } from "./geometry";
import { canvasSize, findLayer, type Area, type Layer } from "./model";
import { snapMoved, snapResized, type Guides } from "./snap";
import type { LayoutStore } from "./store";

export interface DragHandlers {
  facts(): Facts;
  select(id: string): void;
  /** Makes a layer of someone placed by `auto`, at once in what is shown. Its id, or `null` for who is not placed so. */
  takeOver(name: string): string | null;
  tell(text: string): void;
  snapping(): boolean;
}

/** Shorter pulls are clicks. CSS pixels. */
const START = 4;
/** How near a line draws. CSS pixels. */
const REACH = 7;
const NO_GUIDES: Guides = { x: [], y: [] };
/** A pause in pressing arrow keys after which the move is done. */
const KEYS_MS = 700;

export class Drag {
  private keysDone: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly store: LayoutStore,
    private readonly boxes: Boxes,
    private readonly handlers: DragHandlers,
  ) {}

  /** The pointer went down on a box or a handle of the selected layer. */
  start(grip: Grip, down: PointerEvent, selected: string | null): void {
    if (down.button !== 0) return;
    // Alt takes the selected layer, also where another one lies over it.
    const covered = grip.kind === "move" && down.altKey && selected !== null;
    let id = grip.kind === "move" && !covered ? grip.id : selected;
    const auto = grip.kind === "move" && grip.auto && !covered;
    if (id === null) return;
    if (!auto) this.handlers.select(id);
    void this.store.release();
    // A box may be drawn again while it is dragged: what is under all of them gets the events.
    const surface = this.boxes.capture(down.pointerId);
    // Nothing is selected as text; the focus is given by hand then.
    down.preventDefault();
    if (grip.kind === "move") (down.currentTarget as HTMLElement).focus({ preventScroll: true });

    const from = this.boxes.point(down);
    let begun: { layer: Layer; area: Area; others: Area[]; degrees: number } | null = null;
    const begin = () => {
      if (auto) id = this.handlers.takeOver(id as string);
      const layer = id === null ? null : findLayer(this.store.layout, id);
      if (id === null || !layer || !this.store.hold(id, label(grip, id), auto)) return false;
      const facts = this.handlers.facts();
      const others = this.store.layout.layers
        .filter((other) => other.id !== id && !rotation(other))
        .map((other) => boxArea(other, this.store.layout, facts));
      begun = { layer, area: boxArea(layer, this.store.layout, facts), others, degrees: rotation(layer) };
      return true;
    };
    const move = (event: PointerEvent) => {
      if (event.pointerId !== down.pointerId) return;
      const far = Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY) >= START;
      if (!begun && (!far || !begin())) return;
      if (!begun || this.store.dragging === null) return;
      const to = this.boxes.point(event);
      this.drag(grip, event, begun, to.x - from.x, to.y - from.y, to);
    };
    const stop = () => {
      surface.removeEventListener("pointermove", move);
      surface.removeEventListener("pointerup", up);
      surface.removeEventListener("pointercancel", cancel);
      document.removeEventListener("keydown", escape, true);
      this.boxes.line(NO_GUIDES);
    };
    const up = () => {
      stop();
      if (begun) this.finish();
    };
    const cancel = () => {
      stop();
      void this.store.cancel();
    };
    const escape = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      cancel();
    };
    surface.addEventListener("pointermove", move);
    surface.addEventListener("pointerup", up);
    surface.addEventListener("pointercancel", cancel);
    document.addEventListener("keydown", escape, true);
  }

  private drag(
    grip: Grip,
    event: PointerEvent,
    { layer, area, others, degrees }: { layer: Layer; area: Area; others: Area[]; degrees: number },
    dx: number,
    dy: number,
    at: { x: number; y: number },
  ): void {
    if (grip.kind === "rotate") {
      const rotate = turnedTo(area, at.x, at.y, event.shiftKey);
      this.store.draft({ rotate: rotate === 0 ? null : rotate });
      return;
    }
    const canvas = canvasSize(this.store.layout);
    // Control leaves the lines alone for once.
    const reach = this.handlers.snapping() && !event.ctrlKey && !event.metaKey ? REACH / this.boxes.scale : 0;
    const turned = degrees !== 0;
    if (grip.kind === "move") {
      // Shift keeps to one axis.
      if (event.shiftKey) [dx, dy] = Math.abs(dx) > Math.abs(dy) ? [dx, 0] : [0, dy];
      const moved = { ...area, x: area.x + dx, y: area.y + dy };
      const { area: to, guides } = snapMoved(moved, turned, canvas, others, reach);
      this.show(layer, to, guides);
    } else {
      const keep = !event.shiftKey;
      const pulled = resized(area, degrees, grip.handle, dx, dy, keep);
      const { area: to, guides } = snapResized(pulled, turned, grip.handle, keep, canvas, others, reach);
      this.show(layer, to, guides);
    }
  }

  private show(layer: Layer, to: Area, guides: Guides): void {
    const { layout } = this.store;
    this.store.draft(moveTo(layer, layout, this.handlers.facts(), to));
    this.boxes.line(guides);
  }

  /** Moves (or with `size` resizes) a layer by whole pixels of the canvas. `joins`: see `LayoutStore.hold`. */
  nudge(id: string, dx: number, dy: number, size: boolean, joins: boolean): void {
    clearTimeout(this.keysDone);
    // Going on with what is held: the layer as it was taken, and the way so far.
    if (!this.store.hold(id, size ? `size of ${id}` : `move of ${id}`, joins)) return;
    const layer = findLayer(this.store.layout, id);
    if (!layer) return;
    const facts = this.handlers.facts();
    const area = boxArea(layer, this.store.layout, facts);
    const to = size
      ? withSize(area, rotation(layer), { x: 1, y: 1 }, Math.max(SMALLEST, area.width + dx), Math.max(SMALLEST, area.height + dy))
      : { ...area, x: area.x + dx, y: area.y + dy };
    this.store.draftMore(moveTo(layer, this.store.layout, facts, to));
    this.keysDone = setTimeout(() => this.finish(), KEYS_MS);
  }

  /** A nudge is over when the keyboard goes elsewhere. */
  settle(): void {
    clearTimeout(this.keysDone);
    void this.store.release();
  }

  private finish(): void {
    const id = this.store.dragging;
    void this.store.release();
    const layer = id === null ? null : findLayer(this.store.layout, id);
    if (layer) this.handlers.tell(placeWords(layer, boxArea(layer, this.store.layout, this.handlers.facts())));
  }
}

/** Returns where a layer is, for those who cannot see it. */
export function placeWords(layer: Layer, area: Area): string {
  const [x, y, width, height] = [area.x, area.y, area.width, area.height].map(Math.round);
  const turn = rotation(layer) ? `, turned by ${rotation(layer)} degrees` : "";
  return `${layer.id} at ${x}, ${y}, ${width} by ${height}${turn}`;
}

function label(grip: Grip, id: string): string {
  return { move: `move of ${id}`, resize: `size of ${id}`, rotate: `turn of ${id}` }[grip.kind];
}
