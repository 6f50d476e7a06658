/** The requests of everybody's page to the server; those who direct have studio/api.ts. */

import { Client, type Schemas } from "./client";
import { ApiError } from "./problem";

/** A picture that a trigger took. */
export type Photo = Schemas["Photo"];

export class Api {
  constructor(readonly client: Client) {}

  /** Asks whether this page may see the room. Resolves to the HTTP status; 0 is an unreachable server. */
  async probe(room: string): Promise<{ status: number; text: string }> {
    try {
      await this.client.send("get", "/api/v1/rooms/{room}", { path: { room } });
      return { status: 200, text: "" };
    } catch (error) {
      if (error instanceof ApiError) return { status: error.problem.status, text: error.message };
      throw error;
    }
  }

  /** Returns the canvas now, as PNG. */
  async snapshot(room: string): Promise<Blob> {
    return (await this.client.send("get", "/api/v1/rooms/{room}/snapshot.png", { path: { room } })).blob();
  }

  /** Returns the pictures that triggers took, the oldest first. */
  photos(room: string): Promise<Photo[]> {
    return this.client.ask("get", "/api/v1/rooms/{room}/photos", { path: { room } });
  }

  /** Returns one of them, as JPEG. */
  async photo(room: string, id: string): Promise<Blob> {
    return (await this.client.send("get", "/api/v1/rooms/{room}/photos/{id}", { path: { room, id } })).blob();
  }
}
