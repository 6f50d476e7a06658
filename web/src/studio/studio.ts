/** The graphical layout editor: wires the boxes on the picture, the tools, the fields and the layout's store. */

import type { Answer, StudioApi } from "./api";
import type { Names } from "../complete";
import { element } from "../dom";
import { errorText } from "../problem";
import type { Participant, RoomState } from "../protocol";
import type { Shelf } from "../shelf";
import * as additions from "./additions";
import { Bar } from "./bar";
import { canTurn } from "./beside";
import { Boxes } from "./boxes";
import { Drag } from "./drag";
import { layerEdit, layoutEdit, merged } from "./edits";
import { moveTo } from "./geometry";
import { Inspector } from "./inspector";
import type { MenuItem } from "./menu";
import { canvasSize, findLayer, number, readLayout, type Area, type Json, type Layer, type Layout } from "./model";
import { sourceWords } from "./names";
import { reordered } from "./order";
import { boxes, Places, type Box, type Placed } from "./placed";
import { READY } from "./ready";
import { LayoutStore } from "./store";

export interface StudioHandlers {
  /** The layout to show everywhere, with changes that are still under way. */
  layout(layout: Layout): void;
  /** A layer was selected. */
  selected(id: string | null): void;
  trouble(text: string): void;
}

/** Canvas pixels that an arrow key moves by, alone and with Shift. */
const NUDGE = 1;
const FAR_NUDGE = 10;

export class Studio {
  readonly store: LayoutStore;
  private readonly tools = element("studio-tools", HTMLDivElement);
  private readonly toggle = element("edit", HTMLButtonElement);
  private readonly says = element("studio-says", HTMLParagraphElement);
  private readonly boxes: Boxes;
  private readonly drag: Drag;
  private readonly bar: Bar;
  private readonly inspector: Inspector;
  private readonly places = new Places();
  private people: readonly Participant[] = [];
  private canCut = false;
  private selected: string | null = null;
  private drawn: number | null = null;

  constructor(
    private readonly api: StudioApi,
    private readonly where: () => string,
    private readonly shelf: Shelf,
    private readonly handlers: StudioHandlers,
  ) {
    this.store = new LayoutStore(
      {
        getLayout: () => api.getLayout(where()),
        putLayout: (layout) => api.putLayout(where(), layout),
        patchLayout: (patch, revision) => api.patchLayout(where(), patch, revision),
        patchLayer: (id, patch) => api.patchLayer(where(), id, patch),
        deleteLayer: (id) => api.deleteLayer(where(), id),
      },
      {
        changed: () => this.render(),
        trouble: (error) => this.handlers.trouble(`The layout was not changed: ${errorText(error)}`),
        tell: (text) => this.tell(text),
      },
    );
    this.boxes = new Boxes({
      press: (grip, event) => this.drag.start(grip, event, this.selected),
      focus: (id, auto) => this.select(auto ? null : id),
      key: (event, id, auto) => this.key(event, id, auto),
      nothing: () => this.select(null),
    });
    this.drag = new Drag(this.store, this.boxes, {
      shown: () => this.shown,
      knows: (id) => this.places.knows(id, this.store.answered, (of) => this.store.waits(of)),
      lay: (id, area, rotate) => {
        this.places.lay(id, area, rotate);
        this.render();
      },
      select: (id) => this.select(id),
      takeOver: (name) => this.takeOver(name),
      tell: (text) => this.tell(text),
      snapping: () => this.bar.snapping,
    });
    this.inspector = new Inspector({
      select: (id) => this.select(id),
      change: (label, patch, live) => this.change(label, patch, live),
      settle: () => void this.store.release(),
      place: (area) => this.moveTo(area),
      order: (by) => this.order(by),
      copy: () => this.copy(),
      remove: () => this.remove(),
    });
    this.bar = new Bar({
      undo: () => this.step("undo"),
      redo: () => this.step("redo"),
      additions: () => this.additions(),
      layouts: () => this.layouts(),
    }, this.inspector.head);
    this.tools.append(this.bar.block, this.inspector.block);
    this.toggle.addEventListener("click", () => this.edit(!this.boxes.shown));
    document.addEventListener("keydown", (event) => this.shortcut(event));
    shelf.listen(() => this.render());
    this.edit(false);
  }

  /** Another room, or a fresh start. */
  clear(): void {
    this.store.history.clear();
    this.selected = null;
  }

  /** Starts in the room, also again after a lost connection. */
  enter(state: RoomState): void {
    this.places.reset(state.boxes, state.revision);
    this.store.reset(state.layout, state.revision);
  }

  /** Takes the room's state. */
  room(state: RoomState): void {
    this.canCut = state.segmentation?.available ?? false;
    this.take(state);
    this.follow(state.participants);
  }

  /** Takes a layout that the server reports, and where all of it stands. */
  take({ layout, boxes, revision }: { layout: unknown; boxes: readonly Placed[]; revision: number }): void {
    this.places.take(boxes, revision);
    this.store.take({ layout, revision });
  }

  /** Takes where everything stands, of the same layout. */
  place({ boxes, revision }: { boxes: readonly Placed[]; revision: number }): void {
    this.places.take(boxes, revision);
    this.render();
  }

  /** Takes the people who are in the room now. */
  follow(people: readonly Participant[]): void {
    if (people === this.people) return;
    this.people = people;
    this.render();
  }

  /** Shows or hides the boxes and tools. */
  edit(on: boolean): void {
    this.boxes.shown = on;
    this.tools.hidden = !on;
    this.toggle.setAttribute("aria-pressed", String(on));
    if (!on) void this.store.release();
    this.render();
  }

  /** Returns the background of the canvas: a colour or an image's name. Resolves to whether the server took it. */
  background(background: string): Promise<boolean> {
    return this.store.edit("change of the background", [layoutEdit(this.store.layout, { canvas: { background } })]);
  }

  /** Makes a layout that somebody wrote the room's. Rejects as the request does. */
  async replace(layout: unknown): Promise<Answer> {
    const before = this.store.layout;
    const kept = await this.api.putLayout(this.where(), layout);
    this.store.take(kept);
    this.store.note({ label: "change of the JSON", edits: [{ kind: "whole", after: readLayout(kept.layout), before }] });
    return kept;
  }

  /** Puts an image on the canvas. */
  addImage(name: string): void {
    this.edit(true);
    this.add(additions.image(this.store.layout, name, this.shelf.sizes.get(name)));
  }

  /** Names that a layout may use here. */
  get names(): Names {
    return {
      people: this.people.map(({ name }) => name),
      images: [...this.shelf.sizes.keys()],
      layers: this.store.layout.layers.map(({ id }) => id),
    };
  }

  /** Where everything stands now. */
  private get shown(): Box[] {
    const { store } = this;
    return boxes(store.layout, this.places.now(store.answered, (id) => store.waits(id)));
  }

  /** Names of those who may be shown. */
  private get visible(): string[] {
    return this.people.filter(({ hidden }) => !hidden).map(({ name }) => name);
  }

  /** Where the selected layer is; `null` until the server has said so. */
  private get box(): Box | null {
    return this.shown.find((box) => !box.auto && box.id === this.selected) ?? null;
  }

  private get layer(): Layer | null {
    return this.selected === null ? null : findLayer(this.store.layout, this.selected);
  }

  private select(id: string | null): void {
    if (id === this.selected) return;
    this.drag.settle();
    this.selected = id;
    this.handlers.selected(id);
    this.render();
  }

  /** Says something to those who cannot see it. */
  tell(text: string): void {
    // The same text twice would not be read again.
    this.says.textContent = this.says.textContent === text ? `${text}\u00a0` : text;
  }

  private takeOver(name: string): string | null {
    const addition = this.taken(name);
    if (!addition) return null;
    this.lay(addition.layer);
    void this.store.edit(`placing of ${name}`, [addition]);
    this.selected = addition.layer.id;
    this.handlers.selected(this.selected);
    return addition.layer.id;
  }

  /** Returns a layer for someone whom `auto` places; `null` for others. */
  private taken(name: string): additions.Addition | null {
    const box = this.shown.find((each) => each.auto && each.id === name);
    return box ? additions.taken(this.store.layout, box, this.canCut) : null;
  }

  /** Shows a new layer where it says in pixels that it is. */
  private lay({ id, x, y, width, height, rotate }: Layer): void {
    const sides = [x, y, width, height].filter((side) => typeof side === "number");
    const [left = 0, top = 0, across = 0, down = 0] = sides;
    if (sides.length === 4) this.places.lay(id, { x: left, y: top, width: across, height: down }, number(rotate, 0));
  }

  private add(edit: additions.Addition): void {
    this.lay(edit.layer);
    const sending = this.store.edit(`adding of ${edit.layer.id}`, [edit]);
    // At once: one who chooses another one meanwhile keeps that.
    this.select(edit.layer.id);
    requestAnimationFrame(() => this.boxes.focus(edit.layer.id));
    void sending.then((sent) => {
      if (sent) this.tell(`Added ${edit.layer.id}, ${sourceWords(edit.layer.source)}`);
    });
  }

  private change(label: string, patch: Json, live: boolean): void {
    const { layer } = this;
    if (!layer) return;
    this.places.leave(layer.id);
    const whole = `${label} of ${layer.id}`;
    if (!live) {
      void this.store.edit(whole, [layerEdit(layer, merged(layer, patch) as Layer)]);
    } else if (this.store.hold(layer.id, whole)) this.store.draftMore(patch);
  }

  private moveTo(to: Area): void {
    const { layer, box } = this;
    if (!layer || !box) return;
    this.change("place", moveTo(layer, canvasSize(this.store.layout), box.area, to), false);
    this.places.lay(layer.id, to, box.rotate);
  }

  private step(way: "undo" | "redo"): void {
    this.places.leave();
    void this.store[way]();
  }

  private order(by: "forward" | "back"): void {
    const { layer } = this;
    if (!layer) return;
    const { layout } = this.store;
    const edits = [...reordered(layout, layer.id, by)].map(([id, z]) => {
      const before = findLayer(layout, id);
      return before && layerEdit(before, { ...before, z });
    });
    void this.store.edit(`order of ${layer.id}`, edits, `order ${layer.id}`).then((sent) => {
      if (!sent) return;
      const end = by === "forward" ? "at the front already" : "at the back already";
      this.tell(edits.length === 0 ? `${layer.id} is ${end}` : `${layer.id} moved ${by}`);
    });
  }

  private copy(): void {
    const { layer, box } = this;
    if (layer && box) this.add(additions.copy(this.store.layout, layer, box.area));
  }

  private remove(): void {
    const { layer } = this;
    if (!layer) return;
    const index = this.store.layout.layers.findIndex((each) => each.id === layer.id);
    this.select(null);
    void this.store.edit(`deletion of ${layer.id}`, [{ kind: "remove", layer, index }]).then((sent) => {
      if (sent) this.tell(`Deleted ${layer.id}`);
    });
  }

  private additions(): MenuItem[] {
    const { layout } = this.store;
    const person = (name: string) => this.add(this.taken(name) ?? additions.person(this.store.layout, name));
    const people = this.visible.map((name): MenuItem => ({ text: name, icon: "person", run: () => person(name) }));
    const images = [...this.shelf.sizes.keys()].map((name): MenuItem => ({ text: name, icon: "image", run: () => this.addImage(name) }));
    return [
      { text: "People" },
      ...people,
      { text: "Place for the next person", icon: "slot", run: () => this.add(additions.slot(layout)) },
      { text: "Shapes" },
      { text: "Text", icon: "text", run: () => this.add(additions.writing(layout)) },
      { text: "Colour", icon: "color", run: () => this.add(additions.color(layout)) },
      { text: "Images" },
      ...images,
    ];
  }

  private layouts(): MenuItem[] {
    return READY.map(({ name, layout }) => ({ text: name, icon: "layouts", run: () => this.use(name, layout) }));
  }

  private use(name: string, layout: Json): void {
    const before = this.store.layout;
    this.select(null);
    void this.store.edit(`layout “${name}”`, [{ kind: "whole", after: { canvas: before.canvas, ...layout }, before }]).then((sent) => {
      if (sent) this.tell(`The layout is “${name}” now`);
    });
  }

  /** Keys while a box has the focus. */
  private key(event: KeyboardEvent, id: string, auto: boolean): void {
    if (event.altKey || event.metaKey) return;
    const arrow = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (arrow || (auto && event.key === "Enter")) {
      const layer = auto ? this.takeOver(id) : id;
      if (layer === null) return;
      if (auto) {
        this.render();
        requestAnimationFrame(() => this.boxes.focus(layer));
        this.tell(`${id} is a layer now`);
      }
      const by = event.shiftKey ? FAR_NUDGE : NUDGE;
      const [dx = 0, dy = 0] = arrow ?? [];
      if (arrow) this.drag.nudge(layer, dx * by, dy * by, event.ctrlKey, auto);
    } else if (event.ctrlKey || auto) return;
    else if (event.key === "Delete" || event.key === "Backspace") this.remove();
    else if (event.key === "]" || event.key === "PageUp") this.order("forward");
    else if (event.key === "[" || event.key === "PageDown") this.order("back");
    else if (event.key === "Escape") this.leave(event);
    else if (event.key === "Enter") this.inspector.focus();
    else return;
    event.preventDefault();
  }

  private leave(event: KeyboardEvent): void {
    this.select(null);
    (event.currentTarget as HTMLElement).blur();
  }

  /** Keys anywhere in the room. */
  private shortcut(event: KeyboardEvent): void {
    const target = event.target as HTMLElement | null;
    const typing = target?.isContentEditable || /^(INPUT|SELECT|TEXTAREA)$/.test(target?.tagName ?? "");
    const number = target instanceof HTMLInputElement && ["range", "checkbox", "color"].includes(target.type);
    if ((typing && !number) || event.altKey || this.toggle.closest("[hidden]")) return;
    const key = event.key.toLowerCase();
    const command = event.ctrlKey || event.metaKey;
    if (command && key === "z") this.step(event.shiftKey ? "redo" : "undo");
    else if (command && key === "y") this.step("redo");
    else if (!command && key === "e" && !event.repeat) this.toggle.click();
    else return;
    event.preventDefault();
  }

  /** Shows what is, once a frame. */
  private render(): void {
    this.drawn ??= requestAnimationFrame(() => {
      this.drawn = null;
      this.draw();
    });
  }

  private draw(): void {
    const { layout, history } = this.store;
    if (this.selected !== null && !this.layer) this.select(null);
    this.handlers.layout(layout);
    if (!this.boxes.shown) return;
    const { layer } = this;
    this.drag.resume();
    this.boxes.show(this.shown, this.selected, layer !== null && canTurn(layer), canvasSize(layout));
    this.bar.show(history.canUndo, history.canRedo);
    this.inspector.show({
      layout,
      layer,
      area: this.box?.area ?? null,
      people: this.visible,
      images: [...this.shelf.sizes.keys()],
      canCut: this.canCut,
    });
  }
}
