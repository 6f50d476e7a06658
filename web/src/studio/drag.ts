/** Dragging boxes and handles with a pointer, and moving them with keys. */

import type { Boxes, Grip } from "./boxes";
import { moveTo, resized, SMALLEST, turnedTo, withSize } from "./geometry";
import { canvasSize, findLayer, type Area, type Layer } from "./model";
import type { Box } from "./placed";
import { snapMoved, snapResized, type Guides } from "./snap";
import type { LayoutStore } from "./store";

export interface DragHandlers {
  /** Returns where everything stands now. */
  shown(): readonly Box[];
  /** Returns whether that is so of this layer, also after what was sent last. */
  knows(id: string): boolean;
  /** Puts a layer's box somewhere until the server says where it is. */
  lay(id: string, area: Area, rotate: number): void;
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

/** A layer as it was when it was taken. */
interface Begun {
  layer: Layer;
  area: Area;
  others: Area[];
  degrees: number;
}

const NO_GUIDES: Guides = { x: [], y: [] };
/** A pause in pressing arrow keys after which the move is done. */
const KEYS_MS = 700;

export class Drag {
  private keysDone: ReturnType<typeof setTimeout> | undefined;
  /** Keys that were pressed before the server had said where their layer stands. */
  private readonly waiting: (() => void)[] = [];

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
    let begun: Begun | null = null;
    const begin = () => {
      if (auto) id = this.handlers.takeOver(id as string);
      const layer = id === null ? null : findLayer(this.store.layout, id);
      const own = id === null ? null : this.box(id);
      if (id === null || !layer || !own || !this.store.hold(id, label(grip, id), auto)) return false;
      const others = this.handlers.shown().filter((box) => !box.auto && box.id !== id && box.rotate === 0);
      begun = { layer, area: own.area, others: others.map(({ area }) => area), degrees: own.rotate };
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
      if (begun) this.handlers.lay(begun.layer.id, begun.area, begun.degrees);
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

  private drag(grip: Grip, event: PointerEvent, begun: Begun, dx: number, dy: number, at: { x: number; y: number }): void {
    const { layer, area, others, degrees } = begun;
    if (grip.kind === "rotate") {
      const rotate = turnedTo(area, at.x, at.y, event.shiftKey);
      this.store.draft({ rotate: rotate === 0 ? null : rotate });
      this.handlers.lay(layer.id, area, rotate);
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
      this.show(begun, to, guides);
    } else {
      const keep = !event.shiftKey;
      const pulled = resized(area, degrees, grip.handle, dx, dy, keep);
      const { area: to, guides } = snapResized(pulled, turned, grip.handle, keep, canvas, others, reach);
      this.show(begun, to, guides);
    }
  }

  private show({ layer, area, degrees }: Begun, to: Area, guides: Guides): void {
    this.store.draft(moveTo(layer, canvasSize(this.store.layout), area, to));
    this.handlers.lay(layer.id, to, degrees);
    this.boxes.line(guides);
  }

  /** Moves (or with `size` resizes) a layer by whole pixels of the canvas. `joins`: see `LayoutStore.hold`. */
  nudge(id: string, dx: number, dy: number, size: boolean, joins: boolean): void {
    clearTimeout(this.keysDone);
    const box = this.box(id);
    if (!box && findLayer(this.store.layout, id)) this.waiting.push(() => this.nudge(id, dx, dy, size, joins));
    // Going on with what is held: the layer as it was taken, and the way so far.
    if (!box || !this.store.hold(id, size ? `size of ${id}` : `move of ${id}`, joins)) return;
    const layer = findLayer(this.store.layout, id);
    if (!layer) return;
    const { area, rotate } = box;
    const to = size
      ? withSize(area, rotate, { x: 1, y: 1 }, Math.max(SMALLEST, area.width + dx), Math.max(SMALLEST, area.height + dy))
      : { ...area, x: area.x + dx, y: area.y + dy };
    this.store.draftMore(moveTo(layer, canvasSize(this.store.layout), area, to));
    this.handlers.lay(id, to, rotate);
    this.keysDone = setTimeout(() => this.finish(), KEYS_MS);
  }

  /** Something may be known now that was not. */
  resume(): void {
    for (const nudge of this.waiting.splice(0)) nudge();
  }

  /** A nudge is over when the keyboard goes elsewhere. */
  settle(): void {
    clearTimeout(this.keysDone);
    void this.store.release();
  }

  private finish(): void {
    const id = this.store.dragging;
    void this.store.release();
    const box = id === null ? null : this.box(id);
    if (box) this.handlers.tell(placeWords(box));
  }

  /** Returns where a layer is; `null` while only the server knows. */
  private box(id: string): Box | null {
    if (!this.handlers.knows(id)) return null;
    return this.handlers.shown().find((box) => !box.auto && box.id === id) ?? null;
  }
}

/** Returns where a layer is, for those who cannot see it. */
function placeWords({ id, area, rotate }: Box): string {
  const [x, y, width, height] = [area.x, area.y, area.width, area.height].map(Math.round);
  const turn = rotate ? `, turned by ${rotate} degrees` : "";
  return `${id} at ${x}, ${y}, ${width} by ${height}${turn}`;
}

function label(grip: Grip, id: string): string {
  return { move: `move of ${id}`, resize: `size of ${id}`, rotate: `turn of ${id}` }[grip.kind];
}
