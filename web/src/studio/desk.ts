/** Everything that those who direct have: layout, scenes, background, images, outputs. Loaded when somebody directs. */

import "../studio.css";

import { BackgroundPicker } from "../background";
import type { Client } from "../client";
import { LayoutSchema } from "../complete";
import { element } from "../dom";
import { LayoutPanel } from "../layout";
import type { Mixed } from "../mixing";
import { errorText, warningText } from "../problem";
import type { Participant, RoomEvent, RoomState } from "../protocol";
import { Shelf } from "../shelf";
import type { Staged } from "../staging";
import { StudioApi } from "./api";
import { Drawer } from "./assets";
import { Firings } from "./firings";
import { OutputsPanel } from "./outputs";
import { SceneStrip } from "./scenes";
import { Studio } from "./studio";
import { Thumbnails } from "./thumbnail";

export interface DeskHandlers {
  /** Returns the room that this page is in. */
  room(): string | null;
  /** Something went wrong. */
  trouble(text: string): void;
  /** Hands a file to the person at this page. */
  save(file: Blob, ending: string): void;
}

export class Desk {
  private readonly api: StudioApi;
  private readonly shelf: Shelf;
  private readonly studio: Studio;
  private readonly background: BackgroundPicker;
  private readonly layout: LayoutPanel;
  private readonly outputs: OutputsPanel;
  private readonly scenes: SceneStrip;
  private readonly firings = new Firings();
  private readonly roomFile = element("room-file", HTMLInputElement);
  /** Empty until the server has sent it: without it nothing is completed, and all else works. */
  private schema = new LayoutSchema(null);

  constructor(
    client: Client,
    private readonly handlers: DeskHandlers,
  ) {
    const { api, where } = { api: new StudioApi(client), where: () => handlers.room() ?? "" };
    this.api = api;
    this.shelf = new Shelf(api, handlers.room);
    this.studio = new Studio(api, where, this.shelf, {
      layout: (now) => {
        this.layout.show(now);
        this.background.show(now);
      },
      selected: (id) => id !== null && this.layout.reveal(id),
      trouble: handlers.trouble,
    });
    this.background = new BackgroundPicker(this.shelf, (wanted) => this.studio.background(wanted));
    this.layout = new LayoutPanel({
      put: (wanted) => this.studio.replace(wanted),
      check: (wanted) => api.checkLayout(where(), wanted),
      offers: (spot) => (spot.kind === "key" ? this.schema.keys(spot.path, spot.taken) : this.schema.values(spot.path, this.studio.names)),
      opened: () => void api.openapi().then((document) => (this.schema = new LayoutSchema(document)), () => undefined),
    });
    const telling = { room: where, tell: (text: string) => this.studio.tell(text), trouble: handlers.trouble };
    this.outputs = new OutputsPanel(api, telling);
    this.scenes = new SceneStrip(api, new Thumbnails(this.shelf, element("mix", HTMLVideoElement)), {
      ...telling,
      exportRoom: () => void this.exportRoom(),
      importRoom: () => this.roomFile.click(),
    });
    this.shelf.listen(() => this.scenes.repaint());
    new Drawer(this.shelf, {
      ...telling,
      background: (name) => void this.studio.background(name),
      layer: (name) => this.studio.addImage(name),
    });
    this.roomFile.addEventListener("change", () => {
      const file = this.roomFile.files?.[0];
      if (file) void this.importRoom(file);
      this.roomFile.value = "";
    });
  }

  /** Another room, or a fresh start. */
  clear(): void {
    this.layout.clear();
    this.studio.clear();
    this.scenes.clear();
    this.firings.clear();
  }

  /** Starts in the room, also again after a lost connection. */
  enter(state: RoomState): void {
    void this.background.refresh();
    this.studio.enter(state);
    this.room(state);
  }

  /** Takes the tools away from one who does not direct any more. */
  close(): void {
    this.studio.edit(false);
  }

  event(event: RoomEvent, people: readonly Participant[]): void {
    this.outputs.event(event);
    this.scenes.event(event);
    this.studio.follow(people);
    if (event.type === "layout_changed") this.studio.take(event);
    if (event.type === "boxes_changed") this.studio.place(event);
    if (event.type === "trigger_fired") this.studio.tell(this.firings.add(event, people));
    if (event.type === "room_changed") this.room(event.room);
  }

  /** Changes somebody's volume or place in the mix, or takes them into the programme or out of it. */
  moderate(id: string, change: Mixed | Staged): void {
    this.api.moderate(this.handlers.room() ?? "", id, change).catch((error: unknown) => {
      this.handlers.trouble(`${"stage" in change ? "Nobody was moved" : "The mix was not changed"}: ${errorText(error)}`);
    });
  }

  private room(state: RoomState): void {
    this.studio.room(state);
    this.outputs.room(state);
    void this.scenes.room(state);
    const { segmentation } = state;
    const reason = segmentation && !segmentation.available ? segmentation.reason || "no model is loaded" : null;
    this.background.segmentationNote(reason && `People are not cut out: ${reason}`);
  }

  private async exportRoom(): Promise<void> {
    try {
      this.handlers.save(await this.api.exportRoom(this.handlers.room() ?? ""), "json");
    } catch (error) {
      this.handlers.trouble(`The room was not saved: ${errorText(error)}`);
    }
  }

  private async importRoom(file: File): Promise<void> {
    try {
      const warnings = warningText(await this.api.importRoom(this.handlers.room() ?? "", file));
      await this.shelf.refresh();
      this.studio.tell(`The room is as in ${file.name}`);
      if (warnings) this.handlers.trouble(`${file.name}: ${warnings}`);
    } catch (error) {
      this.handlers.trouble(`${file.name} was not loaded: ${errorText(error)}`);
    }
  }
}
