import { afterEach, describe, expect, it, vi } from "vitest";

import { Api, type Photo } from "../src/api";
import { address, Client } from "../src/client";
import { photoWords } from "../src/photos";
import { ApiError } from "../src/problem";
import { StudioApi } from "../src/studio/api";
import { firingWords } from "../src/studio/firings";

afterEach(() => vi.unstubAllGlobals());

/** Answers every request alike, and keeps them. */
function server(status: number, body: unknown, headers: Record<string, string> = {}) {
  const asked: { url: string; init: RequestInit }[] = [];
  vi.stubGlobal("fetch", async (url: string, init: RequestInit = {}) => {
    asked.push({ url, init });
    return new Response(status === 204 ? null : JSON.stringify(body), { status, headers });
  });
  return asked;
}

describe("an address", () => {
  it("has its parameters escaped, and is relative to the page", () => {
    expect(address("/api/v1/rooms/{room}/scenes/{name}", { path: { room: "a", name: "b/c d" } })).toBe("api/v1/rooms/a/scenes/b%2Fc%20d");
    expect(address("/api/v1/assets", { query: { room: "a&b" } })).toBe("api/v1/assets?room=a%26b");
    expect(address("/api/v1/assets", { query: {} })).toBe("api/v1/assets");
  });
});

describe("a request", () => {
  it("carries token, revision and the kind of its body", async () => {
    const asked = server(200, { layers: [], warnings: [{ pointer: "/a", detail: "b" }] }, { ETag: '"8"' });
    const answer = await new StudioApi(new Client("secret")).patchLayout("demo", { music: "x" }, 7);
    expect(answer).toEqual({ layout: { layers: [] }, revision: 8, warnings: [{ pointer: "/a", detail: "b" }] });
    const { url, init } = asked[0]!;
    expect([url, init.method, init.body]).toEqual(["api/v1/rooms/demo/layout", "PATCH", '{"music":"x"}']);
    const headers = new Headers(init.headers);
    expect(["Authorization", "If-Match", "Content-Type"].map((name) => headers.get(name))).toEqual(["Bearer secret", '"7"', "application/merge-patch+json"]);
  });

  it("says what it sends of a participant as plain JSON, and nothing without a body", async () => {
    const asked = server(204, null);
    const api = new StudioApi(new Client(null));
    await api.moderate("demo", "p1", { volume: 0.5 });
    await api.deleteAsset({ name: "x.png", room: null });
    const headers = asked.map(({ init }) => new Headers(init.headers));
    expect(headers.map((each) => each.get("Content-Type"))).toEqual(["application/json", null]);
    expect(headers.map((each) => each.get("Authorization"))).toEqual([null, null]);
    expect(asked[1]!.url).toBe("api/v1/assets/x.png");
  });

  it("fails with the server's sentence, or with one of its own", async () => {
    server(403, { detail: "not in this room", status: 403 });
    const api = new Api(new Client(null));
    await expect(api.photos("demo")).rejects.toThrow("not in this room");
    expect(await api.probe("demo")).toEqual({ status: 403, text: "not in this room" });
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("no network")));
    await expect(api.photos("demo")).rejects.toThrow(ApiError);
    expect(await api.probe("demo")).toMatchObject({ status: 0 });
  });
});

describe("what triggers do", () => {
  it("is said with the names of people", () => {
    const fired = { type: "trigger_fired" as const, trigger: "wave", participants: ["1", "2", "9"], events: ["hello"] };
    const people = [{ id: "1", name: "ann" }, { id: "2", name: "eve" }];
    expect(firingWords(fired, people)).toBe("wave, by ann and eve and 9: hello");
    expect(firingWords({ ...fired, participants: [], events: [] }, people)).toBe("wave");
  });

  it("leaves photos with a time", () => {
    const photo: Photo = { id: "p", trigger: "smile", width: 1280, height: 720, taken_at: "2026-01-01T12:00:00Z" };
    expect(photoWords(photo)).toMatch(/^smile, .*\d/);
  });
});
