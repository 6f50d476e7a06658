/** The stored scenes as a strip of small pictures. */

import type { StudioApi, Scene } from "./api";
import { element, make } from "../dom";
import { errorText } from "../problem";
import type { ActiveScene, RoomEvent, RoomState } from "../protocol";
import { tool } from "./bar";
import { Menu } from "./menu";
import type { Thumbnails } from "./thumbnail";

export interface SceneHandlers {
  room(): string;
  tell(text: string): void;
  trouble(text: string): void;
  exportRoom(): void;
  importRoom(): void;
}

/** From when a scene is shown until the picture of it has arrived here: the way of the stream, and a transition. */
const SEEN_MS = 1_500;

interface Card {
  item: HTMLLIElement;
  show: HTMLButtonElement;
  name: HTMLSpanElement;
  canvas: HTMLCanvasElement;
  /** The picture that is on its canvas, as a key. */
  painted: string;
}

export class SceneStrip {
  private readonly list = make("ul", { class: "scene-strip", "data-testid": "scenes" });
  private readonly cards = new Map<string, Card>();
  private readonly previous = tool("previous", "Previous scene", "scene-previous");
  private readonly next = tool("next", "Next scene", "scene-next");
  private scenes: Scene[] = [];
  private reading = 0;
  /** The newest reading of the scenes. */
  private newest: Promise<void> = Promise.resolve();
  private seeing: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly api: StudioApi,
    private readonly thumbnails: Thumbnails,
    private readonly handlers: SceneHandlers,
  ) {
    const store = tool("store", "Store", "scene-store");
    store.className = "quiet with-icon";
    store.append("Store");
    store.title = "Keep what is shown now as a scene";
    const more = new Menu("more", "The whole room", "room-menu", () => [
      { text: "Save the room as a file", icon: "store", run: () => handlers.exportRoom() },
      { text: "Load a room's file", icon: "add", run: () => handlers.importRoom() },
    ], true);
    const title = make("h2", { id: "scenes-title" }, "Scenes", make("span", { class: "spacer" }), this.previous, this.next, store, more.block);
    element("scenes", HTMLElement).append(title, this.list);
    store.addEventListener("click", () => void this.storeNew());
    this.previous.addEventListener("click", () => void this.try("switched", () => this.api.stepScene(this.handlers.room(), "previous")));
    this.next.addEventListener("click", () => void this.try("switched", () => this.api.stepScene(this.handlers.room(), "next")));
    this.list.addEventListener("keydown", (event) => this.key(event));
    this.render();
  }

  /** Takes the room's state. */
  async room(state: RoomState): Promise<void> {
    if (state.scenes !== undefined) await this.read();
  }

  event(event: RoomEvent): void {
    if (event.type === "scenes_changed") void this.read();
    if (event.type === "scene_activated") this.handlers.tell(`Scene ${event.name} is shown`);
    if (event.type === "layout_changed" && event.active_scene !== undefined) this.active(event.active_scene);
  }

  clear(): void {
    this.reading += 1;
    this.newest = Promise.resolve();
    this.scenes = [];
    this.render();
  }

  /** Paints again what was drawn without images that are there by now. */
  repaint(): void {
    for (const card of this.cards.values()) card.painted = "";
    this.render();
  }

  /** Reads the scenes again. Resolves when those of the newest reading are shown, also when another call began it. */
  private read(): Promise<void> {
    this.reading += 1;
    return (this.newest = this.readIn(this.reading));
  }

  private async readIn(turn: number): Promise<void> {
    try {
      const scenes = await this.api.scenes(this.handlers.room());
      if (turn !== this.reading) return this.newest;
      this.scenes = scenes;
      this.render();
    } catch (error) {
      if (turn !== this.reading) return this.newest;
      this.handlers.trouble(`The scenes are not available: ${errorText(error)}`);
    }
  }

  private active(active: ActiveScene | null): void {
    this.scenes = this.scenes.map((scene) => {
      const mine = scene.name === active?.name;
      return { ...scene, active: mine, changed: mine && (active?.changed ?? false) };
    });
    this.render();
  }

  private render(): void {
    this.previous.disabled = this.next.disabled = this.scenes.length === 0;
    const names = new Set(this.scenes.map(({ name }) => name));
    for (const [name, { item }] of this.cards) {
      if (names.has(name)) continue;
      item.remove();
      this.cards.delete(name);
    }
    const items = this.scenes.map((scene) => this.fill(this.cards.get(scene.name) ?? this.card(scene.name), scene));
    // An item that is where it belongs stays, and so does the name that is being written in it.
    items.forEach((item, at) => {
      if (this.list.children[at] !== item) this.list.insertBefore(item, this.list.children[at] ?? null);
    });
    const shown = this.scenes.find(({ active, changed }) => active && !changed);
    clearTimeout(this.seeing);
    if (shown) this.seeing = setTimeout(() => void this.see(shown.layout), SEEN_MS);
  }

  private async see(layout: unknown): Promise<void> {
    await this.thumbnails.see(layout).catch(() => undefined);
    for (const [name, card] of this.cards) {
      const scene = this.scenes.find((each) => each.name === name);
      if (scene && JSON.stringify(scene.layout) === JSON.stringify(layout)) void this.thumbnails.paint(card.canvas, layout, scene.boxes);
    }
  }

  private card(name: string): Card {
    const canvas = make("canvas", { "aria-hidden": "true" });
    const words = make("span", {}, name);
    const show = make("button", { class: "scene-show", type: "button", "data-testid": "scene", "data-name": name }, canvas, words);
    const menu = new Menu("more", `More for ${name}`, "scene-menu", () => [
      { text: "Rename", icon: "edit", run: () => this.rename(name) },
      { text: "Store what is shown now in it", icon: "store", run: () => void this.try("stored", () => this.api.storeScene(this.handlers.room(), name)) },
      { text: "Delete", icon: "remove", run: () => void this.try("deleted", () => this.api.deleteScene(this.handlers.room(), name)) },
    ], true);
    show.addEventListener("click", () => void this.try("shown", () => this.api.activateScene(this.handlers.room(), name)));
    const card = { item: make("li", { class: "scene" }, show, menu.block), show, name: words, canvas, painted: "" };
    this.cards.set(name, card);
    return card;
  }

  private fill(card: Card, scene: Scene): HTMLLIElement {
    card.item.dataset.active = String(scene.active);
    card.item.dataset.changed = String(scene.changed);
    card.show.setAttribute("aria-current", String(scene.active));
    const state = scene.active ? (scene.changed ? ", shown, changed since" : ", shown") : "";
    card.show.setAttribute("aria-label", `Scene ${scene.name}${state}`);
    const look = JSON.stringify([scene.layout, scene.boxes]);
    if (card.painted !== look) {
      card.painted = look;
      void this.thumbnails.paint(card.canvas, scene.layout, scene.boxes);
    }
    return card.item;
  }

  private async storeNew(): Promise<void> {
    const names = new Set(this.scenes.map(({ name }) => name));
    let number = this.scenes.length + 1;
    while (names.has(`Scene ${number}`)) number += 1;
    const name = `Scene ${number}`;
    if (!(await this.try("stored", () => this.api.storeScene(this.handlers.room(), name)))) return;
    await this.read();
    this.handlers.tell(`Stored as ${name}`);
    this.rename(name);
  }

  /** Lets the name be written in the card itself. */
  private rename(name: string): void {
    const card = this.cards.get(name);
    if (!card) return;
    const input = make("input", { value: name, "aria-label": `New name of ${name}`, "data-testid": "scene-name", maxlength: 64 });
    card.item.append(input);
    input.focus();
    input.select();
    let done = false;
    const finish = (keep: boolean) => {
      if (done) return;
      done = true;
      const wish = input.value.trim();
      input.remove();
      card.show.focus();
      if (keep && wish && wish !== name) void this.renamed(name, wish);
    };
    input.addEventListener("blur", () => finish(true));
    input.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Enter") finish(true);
      if (event.key === "Escape") finish(false);
    });
  }

  private async renamed(name: string, wish: string): Promise<void> {
    if (this.scenes.some((scene) => scene.name === wish)) {
      this.handlers.trouble(`There is a scene called ${wish} already.`);
      return;
    }
    await this.try("renamed", async () => {
      const scenes = await this.api.scenes(this.handlers.room());
      await this.api.putScenes(this.handlers.room(), scenes.map((scene) => (scene.name === name ? { ...scene, name: wish } : scene)));
    });
  }

  private async try(what: string, act: () => Promise<void>): Promise<boolean> {
    try {
      await act();
      return true;
    } catch (error) {
      this.handlers.trouble(`The scene was not ${what}: ${errorText(error)}`);
      return false;
    }
  }

  /** Arrow keys go along the strip. */
  private key(event: KeyboardEvent): void {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const shows = [...this.cards.values()].map(({ show }) => show).filter((show) => show.isConnected);
    const order = [...this.list.querySelectorAll<HTMLButtonElement>(".scene-show")].filter((show) => shows.includes(show));
    const at = order.indexOf(document.activeElement as HTMLButtonElement);
    if (by === undefined || at < 0) return;
    order[at + by]?.focus();
    event.preventDefault();
  }
}
