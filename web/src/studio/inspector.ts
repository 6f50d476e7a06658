/** The selected layer's properties as fields, and which layer that is. */

import { make } from "../dom";
import { tool } from "./bar";
import { canTurn, cutPatch, losses } from "./beside";
import { difference } from "./edits";
import { backToFront } from "./order";
import { kindOf, sourceWords } from "./names";
import { number, text, type Area, type Json, type Layer, type Layout } from "./model";

export interface InspectorHandlers {
  select(id: string | null): void;
  /** Changes the selected layer by a merge patch. `live`: more of the same follows (a slider is being pulled). */
  change(label: string, patch: Json, live: boolean): void;
  /** The last live change stays. */
  settle(): void;
  place(area: Area): void;
  order(by: "forward" | "back"): void;
  copy(): void;
  remove(): void;
}

export interface Shown {
  layout: Layout;
  layer: Layer | null;
  area: Area | null;
  people: readonly string[];
  images: readonly string[];
  canCut: boolean;
}

const SIDES = ["x", "y", "width", "height"] as const;
const SIDE_WORDS = { x: "X", y: "Y", width: "Width", height: "Height" };

export class Inspector {
  /** Which layer it is and what can be done with it as a whole. */
  readonly head = make("div", { class: "inspector-row", role: "group", "aria-label": "Layer" });
  readonly block = make("div", { class: "inspector", role: "group", "aria-label": "Selected layer", "data-testid": "inspector" });
  private readonly which = make("select", { "data-testid": "layer-select", "aria-label": "Layer" });
  private readonly fields = make("div", { class: "inspector-fields" });
  private readonly who = make("select", { "data-testid": "layer-who" });
  private readonly cutout = make("select", { "data-testid": "layer-cutout" });
  private readonly lost = make("select", { "data-testid": "layer-lost" });
  private readonly fit = make("select", { "data-testid": "layer-fit" });
  private readonly mirror = make("input", { type: "checkbox", role: "switch", "data-testid": "layer-mirror" });
  private readonly opacity = slider("layer-opacity", 0, 100);
  private readonly radius = slider("layer-radius", 0, 50);
  private readonly rotate = numeric("layer-rotate", -360, 360);
  private readonly words = make("input", {
    type: "text",
    maxlength: 1000,
    title: "Fields stand for what changes: {name}, {clock HH:mm}, {countdown 20:15}, {countdown TIMER}, {viewers}, {data.KEY}, {chat}",
    "data-testid": "layer-text",
  });
  private readonly size = numeric("layer-size", 4, 500);
  private readonly align = make("select", { "data-testid": "layer-align" });
  private readonly color = make("input", { type: "color", "data-testid": "layer-color" });
  private readonly sides = SIDES.map((side) => numeric(`layer-${side}`));
  private readonly forward = tool("forward", "Bring forward", "forward", "]");
  private readonly back = tool("back", "Send back", "back", "[");
  private readonly copy = tool("copy", "Duplicate", "duplicate");
  private readonly remove = tool("remove", "Delete layer", "delete-layer", "Delete");
  private readonly forPeople: HTMLElement[];
  private readonly forPictures: HTMLElement[];
  private readonly whoField: HTMLElement;
  private readonly lostField = field("If not found", this.lost);
  private readonly colorField: HTMLElement;
  private readonly forTexts: HTMLElement[];
  private readonly radiusField = field("Roundness", this.radius, "range");
  private shown: Shown | null = null;

  constructor(private readonly handlers: InspectorHandlers) {
    this.fit.append(...["cover", "contain", "fill"].map((way) => new Option(way, way)));
    const cutout = field("Cut-out", this.cutout);
    const fit = field("Fit", this.fit);
    this.whoField = field("Shows", this.who);
    this.colorField = field("Colour", this.color);
    this.align.append(...["left", "center", "right"].map((way) => new Option(way, way)));
    this.forTexts = [field("Text", this.words, "wide"), field("Size", this.size, "short"), field("Lines", this.align)];
    this.forPeople = [cutout];
    this.forPictures = [fit, field("Mirrored", this.mirror, "switch")];
    const sides = this.sides.map((input, at) => field(SIDE_WORDS[SIDES[at] as (typeof SIDES)[number]], input, "short"));
    this.fields.append(
      this.whoField,
      ...this.forTexts,
      this.colorField,
      cutout,
      this.lostField,
      fit,
      this.forPictures[1] as HTMLElement,
      field("Opacity", this.opacity, "range"),
      this.radiusField,
      ...sides,
      field("Turn °", this.rotate, "short"),
    );
    this.head.append(this.which, this.forward, this.back, this.copy, this.remove);
    this.block.append(this.fields);
    this.listen();
  }

  private listen(): void {
    const { handlers } = this;
    this.which.addEventListener("change", () => handlers.select(this.which.value || null));
    this.who.addEventListener("change", () => {
      const source = difference(this.shown?.layer?.source ?? {}, JSON.parse(this.who.value) as Json);
      handlers.change("source", { source }, false);
    });
    this.cutout.addEventListener("change", () => handlers.change("cut-out", cutPatch(this.cutout.value), false));
    this.lost.addEventListener("change", () => handlers.change("if not found", { lost: this.lost.value === "hide" ? null : this.lost.value }, false));
    this.fit.addEventListener("change", () => handlers.change("fit", { fit: this.fit.value === "cover" ? null : this.fit.value }, false));
    this.mirror.addEventListener("change", () => handlers.change("mirror", { mirror: this.mirror.checked || null }, false));
    const opacity = () => ({ opacity: this.opacity.value === "100" ? null : Number(this.opacity.value) / 100 });
    const radius = () => ({ radius: this.radius.value === "0" ? null : `${this.radius.value}%` });
    for (const [input, label, patch] of [
      [this.opacity, "opacity", opacity],
      [this.radius, "roundness", radius],
      [this.color, "colour", () => this.source({ color: this.color.value })],
      // A text of nothing is refused.
      [this.words, "text", () => this.source({ text: this.words.value || " " })],
    ] as const) {
      input.addEventListener("input", () => handlers.change(label, patch(), true));
      input.addEventListener("change", () => handlers.settle());
    }
    this.size.addEventListener("change", () => handlers.change("size", this.source({ size: Math.max(4, this.size.valueAsNumber || 48) }), false));
    this.align.addEventListener("change", () => handlers.change("lines", this.source({ align: this.align.value }), false));
    this.rotate.addEventListener("change", () => {
      const degrees = Math.max(-360, Math.min(360, this.rotate.valueAsNumber || 0));
      handlers.change("turn", { rotate: degrees || null }, false);
    });
    for (const input of this.sides) {
      input.addEventListener("change", () => {
        const [x, y, width, height] = this.sides.map((side) => side.valueAsNumber);
        const values = [x, y, width, height];
        if (values.every((value): value is number => Number.isFinite(value))) {
          handlers.place({ x: x as number, y: y as number, width: Math.max(1, width as number), height: Math.max(1, height as number) });
        } else if (this.shown) this.show(this.shown);
      });
    }
    this.forward.addEventListener("click", () => handlers.order("forward"));
    this.back.addEventListener("click", () => handlers.order("back"));
    this.copy.addEventListener("click", () => handlers.copy());
    this.remove.addEventListener("click", () => handlers.remove());
  }

  /** Returns the layer's source with some keys changed. */
  private source(keys: Json): Json {
    return { source: { ...this.shown?.layer?.source, ...keys } };
  }

  /** Goes to the first field. */
  focus(): void {
    this.which.focus();
  }

  show(shown: Shown): void {
    this.shown = shown;
    const { layout, layer, area } = shown;
    const byId = new Map(layout.layers.map((each) => [each.id, each]));
    const nearestFirst = backToFront(layout).reverse();
    const named = nearestFirst.map((id): [string, string] => {
      const words = sourceWords(byId.get(id)?.source ?? {});
      return [id, words === id ? id : `${id} · ${words}`];
    });
    options(this.which, [["", named.length === 0 ? "No layers yet" : "Choose a layer"], ...named], layer?.id ?? "");
    this.block.hidden = !layer || !area;
    for (const button of [this.forward, this.back, this.copy, this.remove]) button.disabled = !layer;
    if (!layer || !area) return;

    const kind = kindOf(layer.source);
    const person = kind === "participant" || kind === "slot";
    for (const field of this.forPeople) field.hidden = !person;
    for (const field of this.forPictures) field.hidden = kind === "color" || kind === "text";
    this.radiusField.hidden = kind === "text";
    const sources = this.sources(shown, layer);
    this.whoField.hidden = sources.length === 0;
    options(this.who, sources, JSON.stringify(layer.source));
    const cuts: [string, string][] = [["none", "none"], ["person", shown.canCut ? "person" : "person (no model)"]];
    const cutout = layer.cutout ?? "none";
    if (typeof cutout !== "string") cuts.push(["parts", "some parts"]);
    options(this.cutout, cuts, typeof cutout === "string" ? cutout : "parts");
    const lost = losses(layer);
    this.lostField.hidden = lost.length === 0;
    options(this.lost, lost, text(layer.lost) || "hide");
    set(this.fit, text(layer.fit) || "cover");
    this.mirror.checked = layer.mirror === true;
    set(this.opacity, String(Math.round(number(layer.opacity, 1) * 100)));
    set(this.radius, String(Math.round(roundness(layer, area))));
    set(this.rotate, String(number(layer.rotate, 0)));
    this.rotate.disabled = !canTurn(layer);
    this.rotate.title = this.rotate.disabled ? "What blurs its own picture cannot be turned" : "";
    this.colorField.hidden = kind !== "color" && kind !== "text";
    set(this.color, longColor(text(layer.source.color) || (kind === "text" ? "#ffffff" : "")));
    for (const each of this.forTexts) each.hidden = kind !== "text";
    set(this.words, text(layer.source.text));
    set(this.size, String(number(layer.source.size, 48)));
    set(this.align, text(layer.source.align) || "left");
    SIDES.forEach((side, at) => set(this.sides[at] as HTMLInputElement, String(Math.round(area[side]))));
  }

  /** Returns what else the layer may show, as values and words. */
  private sources({ people, images, layout }: Shown, layer: Layer): [string, string][] {
    const kind = kindOf(layer.source);
    const entry = (source: Json): [string, string] => [JSON.stringify(source), sourceWords(source)];
    if (kind === "image" && typeof layer.source.image === "string") {
      const names = images.includes(layer.source.image) ? images : [layer.source.image, ...images];
      return names.map((image) => [JSON.stringify({ image }), image]);
    }
    if (kind !== "participant" && kind !== "slot") return [];
    const own = text(layer.source.participant);
    const names = own && !people.includes(own) ? [own, ...people] : people;
    const slots = Math.max(people.length, layout.layers.length, number(layer.source.slot, 1));
    return [
      ...names.map((participant) => entry({ participant })),
      ...Array.from({ length: Math.min(slots, 16) }, (_, at) => entry({ slot: at + 1 })),
    ];
  }
}

/** Returns the layer's radius in percent of its shorter side. */
function roundness({ radius }: Layer, area: Area): number {
  const share = typeof radius === "number" ? (radius / Math.min(area.width, area.height)) * 100 : Number.parseFloat(text(radius)) || 0;
  return Math.min(50, share);
}

/** Returns a colour as a colour field takes it. */
function longColor(color: string): string {
  if (/^#[0-9a-f]{6}$/i.test(color)) return color;
  return /^#[0-9a-f]{3}$/i.test(color) ? `#${[...color.slice(1)].map((digit) => digit + digit).join("")}` : "#000000";
}

function field(label: string, input: HTMLElement, kind = ""): HTMLLabelElement {
  return make("label", { class: `small-field ${kind}` }, make("span", {}, label), input);
}

function slider(testid: string, min: number, max: number): HTMLInputElement {
  return make("input", { type: "range", min, max, step: 1, "data-testid": testid });
}

function numeric(testid: string, min?: number, max?: number): HTMLInputElement {
  return make("input", { type: "number", step: 1, min, max, "data-testid": testid });
}

/** Fills a select, unless it holds just that already: an open list would close. */
function options(select: HTMLSelectElement, entries: [string, string][], value: string): void {
  const signature = JSON.stringify(entries);
  if (select.dataset.entries !== signature) {
    select.dataset.entries = signature;
    select.replaceChildren(...entries.map(([key, words]) => new Option(words, key)));
  }
  set(select, value);
}

/** Writes a value that nobody is writing into just now. */
function set(input: HTMLInputElement | HTMLSelectElement, value: string): void {
  const typing = input === document.activeElement && input instanceof HTMLInputElement && ["number", "text"].includes(input.type);
  if (!typing && input.value !== value) input.value = value;
}
