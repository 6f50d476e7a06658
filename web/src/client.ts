/** Requests to the server's interface, typed by its OpenAPI document: path, parameters, body and answer fit each other. */

import type { components, paths } from "./generated/api";
import { ApiError, readProblem } from "./problem";

/** The types of the interface by their names in the document. */
export type Schemas = components["schemas"];

type Method = "get" | "put" | "post" | "patch" | "delete";
/** The description of a request; `never` where there is no such one. */
type Operation<P extends keyof paths, M extends Method> = Extract<paths[P][M], { responses: unknown }>;
/** The paths that have this method. */
export type PathOf<M extends Method> = { [P in keyof paths]: [Operation<P, M>] extends [never] ? never : P }[keyof paths];

type Member<T, K extends string> = T extends { [key in K]: infer V } ? V : never;
type Optional<T, K extends string> = T extends { [key in K]?: infer V } ? V : never;
type Content<T> = T extends { content: infer C } ? C[keyof C] : never;
/** The answer of a request when all is well. */
export type Answer<P extends keyof paths, M extends Method> = Operation<P, M> extends { responses: infer R }
  ? R extends { 200: { content: { "application/json": infer A } } } | { 201: { content: { "application/json": infer A } } }
    ? A
    : undefined
  : never;
type PathParameters<P extends keyof paths, M extends Method> = Member<Member<Operation<P, M>, "parameters">, "path">;
type QueryParameters<P extends keyof paths, M extends Method> = NonNullable<Optional<Member<Operation<P, M>, "parameters">, "query">>;
type Body<P extends keyof paths, M extends Method> = Content<Member<Operation<P, M>, "requestBody">>;

/** The details of a request. */
export type Details<P extends keyof paths, M extends Method> = ([PathParameters<P, M>] extends [never]
  ? { path?: undefined }
  : { path: PathParameters<P, M> }) &
  ([QueryParameters<P, M>] extends [never] ? { query?: undefined } : { query?: QueryParameters<P, M> }) &
  ([Body<P, M>] extends [never] ? { body?: undefined } : { body?: Body<P, M> | Blob }) & {
    /** The revision that the room must be at. */
    revision?: number | null;
  };

export class Client {
  constructor(private readonly token: string | null) {}

  /** Sends a request. Rejects with an `ApiError` for every answer but a good one. */
  async send<M extends Method, P extends PathOf<M>>(method: M, path: P, details: Details<P, M>): Promise<Response> {
    const { body, revision } = details;
    const headers = this.headers();
    if (typeof revision === "number") headers.set("If-Match", `"${revision}"`);
    if (body !== undefined) headers.set("Content-Type", method === "patch" && isMerge(path) ? MERGE_TYPE : JSON_TYPE);
    const content = body === undefined || body instanceof Blob ? body : JSON.stringify(body);
    let response: Response;
    try {
      const sent = { method: method.toUpperCase(), headers, ...(content === undefined ? {} : { body: content }) };
      response = await fetch(address(path, details as Named), sent);
    } catch {
      throw new ApiError(readProblem({}, 0));
    }
    if (response.ok) return response;
    throw new ApiError(readProblem(await response.json().catch(() => null), response.status));
  }

  /** Sends a request and resolves to what it answers. */
  async ask<M extends Method, P extends PathOf<M>>(method: M, path: P, details: Details<P, M>): Promise<Answer<P, M>> {
    const response = await this.send(method, path, details);
    return (response.status === 204 ? undefined : await response.json()) as Answer<P, M>;
  }

  /** Returns the document that these types are made of. It is beside the interface, and needs no token. */
  async document(): Promise<Response> {
    const response = await fetch("openapi.json");
    if (!response.ok) throw new ApiError(readProblem({}, response.status));
    return response;
  }

  /** Uploads a file. `progress` is called with the share of it that is sent, 0 to 1. */
  upload<P extends PathOf<"put">>(path: P, details: Details<P, "put"> & { body: Blob }, progress: (share: number) => void): Promise<void> {
    // Only the older interface says how far an upload is.
    const request = new XMLHttpRequest();
    const { body } = details;
    request.open("PUT", address(path, details as Named));
    for (const [name, value] of this.headers()) request.setRequestHeader(name, value);
    request.setRequestHeader("Content-Type", body.type || "application/octet-stream");
    request.upload.onprogress = ({ lengthComputable, loaded, total }) => lengthComputable && progress(loaded / total);
    return new Promise((resolve, reject) => {
      const failed = () => reject(new ApiError(readProblem(parsed(request.responseText), request.status)));
      request.onload = () => (request.status >= 200 && request.status < 300 ? resolve() : failed());
      request.onerror = failed;
      request.send(body);
    });
  }

  private headers(): Headers {
    return new Headers(this.token ? { Authorization: `Bearer ${this.token}` } : {});
  }
}

const JSON_TYPE = "application/json";
const MERGE_TYPE = "application/merge-patch+json";

/** Layouts are changed by merge patches, other things by their own keys. */
function isMerge(path: string): boolean {
  return path.includes("/layout");
}

interface Named {
  path?: Record<string, string> | undefined;
  query?: object | undefined;
}

/** Returns the address of a request, relative to the page's `<base>`. */
export function address(path: string, { path: names, query }: Named): string {
  const filled = path.replace(/^\//, "").replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(names?.[name] ?? ""));
  const search = new URLSearchParams(Object.entries(query ?? {}).map(([name, value]) => [name, String(value)])).toString();
  return search ? `${filled}?${search}` : filled;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
