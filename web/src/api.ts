/** The REST calls that the page makes. */

import { ApiError, readProblem } from "./problem";

export interface Asset {
  name: string;
  content_type: string;
  bytes: number;
  width: number | null;
  height: number | null;
  builtin: boolean;
}

export class Api {
  constructor(private readonly token: string | null) {}

  /** Asks whether this page may see the room. Resolves to the HTTP status; 0 is an unreachable server. */
  async probe(room: string): Promise<{ status: number; text: string }> {
    try {
      await this.request("GET", `rooms/${encodeURIComponent(room)}`);
      return { status: 200, text: "" };
    } catch (error) {
      if (error instanceof ApiError) return { status: error.problem.status, text: error.message };
      throw error;
    }
  }

  /** Replaces the layout. Resolves to the layout as the server keeps it, if it says so. */
  async putLayout(room: string, layout: unknown): Promise<unknown> {
    const response = await this.json("PUT", `rooms/${encodeURIComponent(room)}/layout`, layout, "application/json");
    return response.json().catch(() => null);
  }

  /** Changes the layout by a JSON Merge Patch. */
  async patchLayout(room: string, patch: unknown): Promise<void> {
    await this.json("PATCH", `rooms/${encodeURIComponent(room)}/layout`, patch, "application/merge-patch+json");
  }

  /** The canvas now, as PNG. */
  async snapshot(room: string): Promise<Blob> {
    return (await this.request("GET", `rooms/${encodeURIComponent(room)}/snapshot.png`)).blob();
  }

  async assets(): Promise<Asset[]> {
    const body = (await (await this.request("GET", "assets")).json()) as { assets?: Asset[] };
    return body.assets ?? [];
  }

  async putAsset(name: string, file: Blob): Promise<void> {
    const type = file.type || "application/octet-stream";
    await this.request("PUT", `assets/${encodeURIComponent(name)}`, file, type);
  }

  private json(method: string, path: string, body: unknown, type: string): Promise<Response> {
    return this.request(method, path, JSON.stringify(body), type);
  }

  private async request(method: string, path: string, body?: BodyInit, type?: string): Promise<Response> {
    const headers = new Headers();
    if (type) headers.set("Content-Type", type);
    if (this.token) headers.set("Authorization", `Bearer ${this.token}`);
    let response: Response;
    try {
      response = await fetch(`/api/v1/${path}`, { method, headers, ...(body === undefined ? {} : { body }) });
    } catch {
      throw new ApiError(readProblem({}, 0));
    }
    if (response.ok) return response;
    throw new ApiError(readProblem(await response.json().catch(() => null), response.status));
  }
}
