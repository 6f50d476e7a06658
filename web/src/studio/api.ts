/** The requests of the pages of those who direct. */

import type { Client, Schemas } from "../client";
import { isObject, readFaults, type Fault } from "../problem";

export type Asset = Schemas["Asset"];
/** The key of an asset: its name, and the room that it belongs to if it is not every room's. */
export interface AssetKey {
  name: string;
  room?: string | null | undefined;
}
export type Scene = Schemas["Scene"];
export type Output = Schemas["Output"];
export type OutputType = Schemas["OutputKind"];
export type NewOutput = Schemas["NewOutput"];
export type OutputTrial = Schemas["OutputTrial"];
export type Recording = Schemas["Recording"];
/** The change of somebody's place in the mix or on the canvas. */
export type Moderation = Schemas["Moderation"];

/** A layout, and the room's revision if the server sent it. */
export interface Answer {
  layout: unknown;
  revision: number | null;
  /** Its parts that can be shown, but not as they were meant. */
  warnings?: Fault[];
}

/** Layouts are written by people, and keys that this page does not know are kept: the server checks them. */
type Written<Name extends "Layout" | "Layer"> = Schemas[Name];

export class StudioApi {
  constructor(private readonly client: Client) {}

  async getLayout(room: string): Promise<Answer> {
    return answer(await this.client.send("get", "/api/v1/rooms/{room}/layout", { path: { room } }));
  }

  /** Replaces the layout. Resolves to the layout as the server keeps it. */
  async putLayout(room: string, layout: unknown): Promise<Answer> {
    return answer(await this.client.send("put", "/api/v1/rooms/{room}/layout", { path: { room }, body: layout as Written<"Layout"> }));
  }

  /** Asks whether a layout would be taken: rejects with the reasons against it. */
  async checkLayout(room: string, layout: unknown): Promise<void> {
    const details = { path: { room }, query: { dry_run: true }, body: layout as Written<"Layout"> };
    await this.client.send("put", "/api/v1/rooms/{room}/layout", details);
  }

  /** Changes the layout by a JSON Merge Patch, if the room is at `revision` where that is given. */
  async patchLayout(room: string, patch: unknown, revision: number | null = null): Promise<Answer> {
    const details = { path: { room }, body: patch as Written<"Layout">, revision };
    return answer(await this.client.send("patch", "/api/v1/rooms/{room}/layout", details));
  }

  /** Changes one layer by a JSON Merge Patch. */
  async patchLayer(room: string, id: string, patch: unknown): Promise<Answer> {
    const details = { path: { room, id }, body: patch as Written<"Layer"> };
    return answer(await this.client.send("patch", "/api/v1/rooms/{room}/layout/layers/{id}", details));
  }

  async deleteLayer(room: string, id: string): Promise<Answer> {
    return answer(await this.client.send("delete", "/api/v1/rooms/{room}/layout/layers/{id}", { path: { room, id } }));
  }

  /** Returns the stored scenes, in order, with where everything of them would stand. */
  scenes(room: string): Promise<Scene[]> {
    return this.client.ask("get", "/api/v1/rooms/{room}/scenes", { path: { room }, query: { boxes: true } });
  }

  /** Stores these scenes in place of all others. */
  async putScenes(room: string, scenes: Pick<Scene, "name" | "layout">[]): Promise<void> {
    const body = scenes.map(({ name, layout }) => ({ name, layout }));
    await this.client.send("put", "/api/v1/rooms/{room}/scenes", { path: { room }, body });
  }

  /** Stores the layout that is shown now under this name. */
  async storeScene(room: string, name: string): Promise<void> {
    await this.client.send("put", "/api/v1/rooms/{room}/scenes/{name}", { path: { room, name } });
  }

  async deleteScene(room: string, name: string): Promise<void> {
    await this.client.send("delete", "/api/v1/rooms/{room}/scenes/{name}", { path: { room, name } });
  }

  async activateScene(room: string, name: string): Promise<void> {
    await this.client.send("post", "/api/v1/rooms/{room}/scenes/{name}/activate", { path: { room, name } });
  }

  /** Switches to the scene beside the active one. */
  async stepScene(room: string, way: "next" | "previous"): Promise<void> {
    await this.client.send("post", `/api/v1/rooms/{room}/scenes/${way}`, { path: { room } });
  }

  /** Changes somebody's volume or place in the mix. */
  async moderate(room: string, id: string, body: Moderation): Promise<void> {
    await this.client.send("patch", "/api/v1/rooms/{room}/participants/{id}", { path: { room, id }, body });
  }

  outputs(room: string): Promise<Output[]> {
    return this.client.ask("get", "/api/v1/rooms/{room}/outputs", { path: { room } });
  }

  addOutput(room: string, body: NewOutput): Promise<Output> {
    return this.client.ask("post", "/api/v1/rooms/{room}/outputs", { path: { room }, body });
  }

  testOutput(room: string, body: NewOutput): Promise<OutputTrial> {
    return this.client.ask("post", "/api/v1/rooms/{room}/outputs/test", { path: { room }, body });
  }

  async enableOutput(room: string, id: string, enabled: boolean): Promise<void> {
    await this.client.send("post", `/api/v1/rooms/{room}/outputs/{id}/${enabled ? "start" : "stop"}`, { path: { room, id } });
  }

  async pauseOutput(room: string, id: string, paused: boolean): Promise<void> {
    await this.client.send("post", `/api/v1/rooms/{room}/outputs/{id}/${paused ? "pause" : "resume"}`, { path: { room, id } });
  }

  async removeOutput(room: string, id: string): Promise<void> {
    await this.client.send("delete", "/api/v1/rooms/{room}/outputs/{id}", { path: { room, id } });
  }

  /** Names this moment in all recordings that run. */
  async mark(room: string, name: string): Promise<void> {
    await this.client.send("post", "/api/v1/rooms/{room}/markers", { path: { room }, body: { name } });
  }

  recordings(room: string): Promise<Recording[]> {
    return this.client.ask("get", "/api/v1/rooms/{room}/recordings", { path: { room } });
  }

  /** Returns the whole file. */
  async recording(room: string, id: string): Promise<Blob> {
    return (await this.client.send("get", "/api/v1/rooms/{room}/recordings/{id}", { path: { room, id } })).blob();
  }

  async removeRecording(room: string, id: string): Promise<void> {
    await this.client.send("delete", "/api/v1/rooms/{room}/recordings/{id}", { path: { room, id } });
  }

  /** Returns the room as a file: settings, layout, scenes, outputs and assets. */
  async exportRoom(room: string): Promise<Blob> {
    return (await this.client.send("get", "/api/v1/rooms/{room}/export", { path: { room } })).blob();
  }

  /** Makes the room what such a file says. Resolves to what of it cannot be shown as it was meant. */
  async importRoom(room: string, body: Blob): Promise<Fault[]> {
    const { warnings } = await this.client.ask("post", "/api/v1/rooms/{room}/import", { path: { room }, body });
    return readFaults(warnings);
  }

  /** Returns the assets that a room has; with none, those that every room has. */
  async assets(room: string | null): Promise<Asset[]> {
    return (await this.client.ask("get", "/api/v1/assets", { query: ofRoom(room) })).assets;
  }

  /** Returns an asset's file. */
  async asset({ name, room }: AssetKey): Promise<Blob> {
    return (await this.client.send("get", "/api/v1/assets/{name}", { path: { name }, query: ofRoom(room) })).blob();
  }

  async deleteAsset({ name, room }: AssetKey): Promise<void> {
    await this.client.send("delete", "/api/v1/assets/{name}", { path: { name }, query: ofRoom(room) });
  }

  /** Uploads a file. `progress` is called with the share of it that is sent, 0 to 1. */
  putAsset({ name, room }: AssetKey, body: Blob, progress: (share: number) => void = () => undefined): Promise<void> {
    return this.client.upload("/api/v1/assets/{name}", { path: { name }, query: ofRoom(room), body }, progress);
  }

  /** Returns the server's own description of its interface. */
  async openapi(): Promise<unknown> {
    return (await this.client.document()).json();
  }
}

function ofRoom(room: string | null | undefined): { room?: string } {
  return room ? { room } : {};
}

async function answer(response: Response): Promise<Answer> {
  const revision = /^(?:W\/)?"(\d+)"$/.exec(response.headers.get("ETag") ?? "")?.[1];
  return { ...readAnswer(await response.json()), revision: revision === undefined ? null : Number(revision) };
}

/** Returns a layout as it was answered: the warnings beside it are no part of it. */
export function readAnswer(body: unknown): Pick<Answer, "layout" | "warnings"> {
  if (!isObject(body)) return { layout: body, warnings: [] };
  const { warnings, ...layout } = body;
  return { layout, warnings: readFaults(warnings) };
}
