/** The REST calls that the page makes. */

import type { Mixed } from "./mixing";
import { ApiError, isObject, readFaults, readProblem, type Fault } from "./problem";

export interface Asset {
  name: string;
  /** The room that it belongs to; null: it is every room's. */
  room: string | null;
  content_type: string;
  bytes: number;
  width: number | null;
  height: number | null;
  builtin: boolean;
}

/** What names an asset: its name, and the room that it belongs to if it is not every room's. */
export type AssetKey = Pick<Asset, "name" | "room">;

/** A stored layout. */
export interface Scene {
  name: string;
  /** Whether it was shown last. */
  active: boolean;
  /** Whether the layout or the scene has been changed since. */
  changed: boolean;
  layout: unknown;
}

/** Something that a room is sent to. Its URL comes without the stream key. */
export interface Output {
  id: string;
  type: OutputType;
  /** Null for those who do not direct the room. */
  url: string | null;
  name: string | null;
  /** The scene that it shows in place of the program. */
  scene?: string | null;
  /** Whether people are recorded cut out, too. */
  cutouts?: boolean;
  enabled: boolean;
  state: "connecting" | "live" | "paused" | "retrying" | "stopped" | "failed";
  attempt: number | null;
  next_retry_at: string | null;
  last_error: string | null;
  preset: string | null;
  /** Null where nothing is encoded. */
  video: { width: number; height: number; fps: number; bitrate: number } | null;
  encoder_preset: string | null;
  /** What goes out now, in kbit/s. */
  bitrate: number | null;
  bytes: number;
  /** Whether the other end takes less than is sent. */
  behind?: boolean;
  live_since: string | null;
}

/** What came of trying a destination. */
export interface OutputTrial {
  ok: boolean;
  steps: { name: string; milliseconds: number }[];
  milliseconds: number;
  step: string | null;
  detail: string | null;
}

export type OutputType = "rtmp" | "srt" | "file" | "iso" | "whip" | "hls";

/** What an output is to be. */
export interface NewOutput {
  type: OutputType;
  url?: string;
  token?: string;
  preset?: string;
  /** The scene that is shown in place of the program. */
  scene?: string;
  container?: string;
  /** Whether each participant is recorded cut out, too. */
  cutouts?: boolean;
}

/** A file that the room has recorded. */
export interface Recording {
  name: string;
  /** When it began, and how long it is, if that is known. */
  started_at: string | null;
  seconds: number | null;
  bytes: number;
  changed_at: string;
  growing: boolean;
  markers: { name: string; at_seconds: number }[];
}

/** A layout, and the room's revision if the server told it. */
export interface Answer {
  layout: unknown;
  revision: number | null;
  /** What of it can be shown, but not as it was meant. */
  warnings?: Fault[];
}

const JSON_TYPE = "application/json";
const MERGE_TYPE = "application/merge-patch+json";

export class Api {
  constructor(private readonly token: string | null) {}

  /** Asks whether this page may see the room. Resolves to the HTTP status; 0 is an unreachable server. */
  async probe(room: string): Promise<{ status: number; text: string }> {
    try {
      await this.request("GET", at(room));
      return { status: 200, text: "" };
    } catch (error) {
      if (error instanceof ApiError) return { status: error.problem.status, text: error.message };
      throw error;
    }
  }

  async getLayout(room: string): Promise<Answer> {
    return answer(await this.request("GET", `${at(room)}/layout`));
  }

  /** Replaces the layout. Resolves to the layout as the server keeps it. */
  async putLayout(room: string, layout: unknown): Promise<Answer> {
    return answer(await this.json("PUT", `${at(room)}/layout`, layout, JSON_TYPE));
  }

  /** Changes the layout by a JSON Merge Patch, if the room is at `revision` where that is given. */
  async patchLayout(room: string, patch: unknown, revision: number | null = null): Promise<Answer> {
    return answer(await this.json("PATCH", `${at(room)}/layout`, patch, MERGE_TYPE, revision));
  }

  /** Changes one layer by a JSON Merge Patch. */
  async patchLayer(room: string, id: string, patch: unknown): Promise<Answer> {
    return answer(await this.json("PATCH", `${at(room)}/layout/layers/${encodeURIComponent(id)}`, patch, MERGE_TYPE));
  }

  async deleteLayer(room: string, id: string): Promise<Answer> {
    return answer(await this.request("DELETE", `${at(room)}/layout/layers/${encodeURIComponent(id)}`));
  }

  /** The stored scenes, in order. */
  async scenes(room: string): Promise<Scene[]> {
    return (await (await this.request("GET", `${at(room)}/scenes`)).json()) as Scene[];
  }

  /** Stores these scenes in place of all others. */
  async putScenes(room: string, scenes: Pick<Scene, "name" | "layout">[]): Promise<void> {
    await this.json("PUT", `${at(room)}/scenes`, scenes.map(({ name, layout }) => ({ name, layout })), JSON_TYPE);
  }

  /** Stores the layout that is shown now under this name. */
  async storeScene(room: string, name: string): Promise<void> {
    await this.request("PUT", `${at(room)}/scenes/${encodeURIComponent(name)}`);
  }

  async deleteScene(room: string, name: string): Promise<void> {
    await this.request("DELETE", `${at(room)}/scenes/${encodeURIComponent(name)}`);
  }

  async activateScene(room: string, name: string): Promise<void> {
    await this.request("POST", `${at(room)}/scenes/${encodeURIComponent(name)}/activate`);
  }

  /** Switches to the scene beside the active one. */
  async stepScene(room: string, way: "next" | "previous"): Promise<void> {
    await this.request("POST", `${at(room)}/scenes/${way}`);
  }

  /** Changes somebody's volume or place in the mix. */
  async moderate(room: string, id: string, change: Mixed): Promise<void> {
    await this.json("PATCH", `${at(room)}/participants/${encodeURIComponent(id)}`, change, JSON_TYPE);
  }

  async outputs(room: string): Promise<Output[]> {
    return (await (await this.request("GET", `${at(room)}/outputs`)).json()) as Output[];
  }

  async addOutput(room: string, output: NewOutput): Promise<Output> {
    return (await (await this.json("POST", `${at(room)}/outputs`, output, JSON_TYPE)).json()) as Output;
  }

  async enableOutput(room: string, id: string, enabled: boolean): Promise<void> {
    await this.request("POST", `${at(room)}/outputs/${encodeURIComponent(id)}/${enabled ? "start" : "stop"}`);
  }

  async testOutput(room: string, output: NewOutput): Promise<OutputTrial> {
    return (await (await this.json("POST", `${at(room)}/outputs/test`, output, JSON_TYPE)).json()) as OutputTrial;
  }

  async pauseOutput(room: string, id: string, paused: boolean): Promise<void> {
    await this.request("POST", `${at(room)}/outputs/${encodeURIComponent(id)}/${paused ? "pause" : "resume"}`);
  }

  /** Names this moment in all recordings that run. */
  async mark(room: string, name: string): Promise<void> {
    await this.json("POST", `${at(room)}/markers`, { name }, JSON_TYPE);
  }

  async recordings(room: string): Promise<Recording[]> {
    return (await (await this.request("GET", `${at(room)}/recordings`)).json()) as Recording[];
  }

  /** The whole file. */
  async recording(room: string, name: string): Promise<Blob> {
    return (await this.request("GET", `${at(room)}/recordings/${encodeURIComponent(name)}`)).blob();
  }

  async removeRecording(room: string, name: string): Promise<void> {
    await this.request("DELETE", `${at(room)}/recordings/${encodeURIComponent(name)}`);
  }

  async removeOutput(room: string, id: string): Promise<void> {
    await this.request("DELETE", `${at(room)}/outputs/${encodeURIComponent(id)}`);
  }

  /** The room as a file: settings, layout, scenes, outputs and assets. */
  async exportRoom(room: string): Promise<Blob> {
    return (await this.request("GET", `${at(room)}/export`)).blob();
  }

  /** Makes the room what such a file says. Resolves to what of it cannot be shown as it was meant. */
  async importRoom(room: string, file: Blob): Promise<Fault[]> {
    const state: unknown = await (await this.request("POST", `${at(room)}/import`, file, JSON_TYPE)).json();
    return isObject(state) ? readFaults(state.warnings) : [];
  }

  /** What a layout would be refused for; resolves to nothing when it would be taken. */
  async checkLayout(room: string, layout: unknown): Promise<void> {
    await this.json("PUT", `${at(room)}/layout?dry_run=true`, layout, JSON_TYPE);
  }

  /** The server's own description of its interface. */
  async openapi(): Promise<unknown> {
    const response = await fetch("/openapi.json");
    if (!response.ok) throw new ApiError(readProblem({}, response.status));
    return response.json();
  }

  /** The canvas now, as PNG. */
  async snapshot(room: string): Promise<Blob> {
    return (await this.request("GET", `${at(room)}/snapshot.png`)).blob();
  }

  /** The assets that a room has; with none, those that every room has. */
  async assets(room: string | null): Promise<Asset[]> {
    const body = (await (await this.request("GET", `assets${ofRoom(room)}`)).json()) as { assets?: Asset[] };
    return body.assets ?? [];
  }

  /** An asset's file. */
  async asset({ name, room }: AssetKey): Promise<Blob> {
    return (await this.request("GET", assetPath(name, room))).blob();
  }

  async deleteAsset({ name, room }: AssetKey): Promise<void> {
    await this.request("DELETE", assetPath(name, room));
  }

  /** Uploads a file. `progress` is told the share of it that is sent, 0 to 1. */
  putAsset({ name, room }: AssetKey, file: Blob, progress: (share: number) => void = () => undefined): Promise<void> {
    // Only the older interface tells how far an upload is.
    const request = new XMLHttpRequest();
    request.open("PUT", API + assetPath(name, room));
    request.setRequestHeader("Content-Type", file.type || "application/octet-stream");
    if (this.token) request.setRequestHeader("Authorization", `Bearer ${this.token}`);
    request.upload.onprogress = ({ lengthComputable, loaded, total }) => lengthComputable && progress(loaded / total);
    return new Promise((resolve, reject) => {
      const failed = () => reject(new ApiError(readProblem(parsed(request.responseText), request.status)));
      request.onload = () => (request.status >= 200 && request.status < 300 ? resolve() : failed());
      request.onerror = failed;
      request.send(file);
    });
  }

  private json(method: string, path: string, body: unknown, type: string, revision: number | null = null): Promise<Response> {
    return this.request(method, path, JSON.stringify(body), type, revision);
  }

  private async request(
    method: string,
    path: string,
    body?: BodyInit,
    type?: string,
    revision: number | null = null,
  ): Promise<Response> {
    const headers = new Headers();
    if (revision !== null) headers.set("If-Match", `"${revision}"`);
    if (type) headers.set("Content-Type", type);
    if (this.token) headers.set("Authorization", `Bearer ${this.token}`);
    let response: Response;
    try {
      response = await fetch(`${API}${path}`, { method, headers, ...(body === undefined ? {} : { body }) });
    } catch {
      throw new ApiError(readProblem({}, 0));
    }
    if (response.ok) return response;
    throw new ApiError(readProblem(await response.json().catch(() => null), response.status));
  }
}

/** Where the interface is: relative to the page's `<base>`. */
const API = "api/v1/";

function ofRoom(room: string | null): string {
  return room ? `?room=${encodeURIComponent(room)}` : "";
}

function assetPath(name: string, room: string | null): string {
  return `assets/${encodeURIComponent(name)}${ofRoom(room)}`;
}

function at(room: string): string {
  return `rooms/${encodeURIComponent(room)}`;
}

async function answer(response: Response): Promise<Answer> {
  const revision = /^(?:W\/)?"(\d+)"$/.exec(response.headers.get("ETag") ?? "")?.[1];
  return { ...readAnswer(await response.json()), revision: revision === undefined ? null : Number(revision) };
}

/** A layout as it was answered: the warnings beside it are no part of it. */
export function readAnswer(body: unknown): Pick<Answer, "layout" | "warnings"> {
  if (!isObject(body)) return { layout: body, warnings: [] };
  const { warnings, ...layout } = body;
  return { layout, warnings: readFaults(warnings) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
