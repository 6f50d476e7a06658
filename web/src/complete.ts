/** Completions at a place of a layout's JSON, as its JSON Schema says. PURE. */

import { isObject } from "./problem";

type Schema = Record<string, unknown>;

/** Something to offer: a key, or a value as JSON. */
export interface Offer {
  text: string;
  /** Its meaning. */
  about: string;
}

/** The names that the schema does not know: names of this room and server. */
export interface Names {
  people: readonly string[];
  images: readonly string[];
  layers: readonly string[];
}

/** The schema of layouts in an OpenAPI document; `null` when it is missing. */
export class LayoutSchema {
  private readonly schemas: Schema;

  constructor(openapi: unknown) {
    const components = isObject(openapi) && isObject(openapi.components) ? openapi.components : {};
    this.schemas = isObject(components.schemas) ? components.schemas : {};
  }

  /** Keys of the object at `path` that are not in `taken`. */
  keys(path: readonly string[], taken: readonly string[]): Offer[] {
    const found = new Map<string, Offer>();
    for (const schema of this.at(path)) {
      for (const [key, value] of Object.entries(isObject(schema.properties) ? schema.properties : {})) {
        if (!taken.includes(key) && !found.has(key)) found.set(key, { text: key, about: this.about(value) });
      }
    }
    return [...found.values()];
  }

  /** Values for the place `path`. */
  values(path: readonly string[], names: Names): Offer[] {
    const found = new Map<string, Offer>();
    const offer = (value: unknown, about: string) => {
      const text = JSON.stringify(value);
      if (!found.has(text)) found.set(text, { text, about });
    };
    for (const schema of this.at(path)) {
      if (Array.isArray(schema.enum)) for (const value of schema.enum) offer(value, "");
      if (schema.const !== undefined) offer(schema.const, "");
      if (schema.type === "boolean") [true, false].forEach((value) => offer(value, ""));
      if (schema["x-asset"] === "image") names.images.forEach((name) => offer(name, "image"));
    }
    const key = path.at(-1);
    const within = path.at(-2);
    if (key === "participant") names.people.forEach((name) => offer(name, "in this room"));
    if (key === "layer" && within === "follow") names.layers.forEach((name) => offer(name, "layer"));
    return [...found.values()];
  }

  /** Returns all schemas that a value at `path` may follow. */
  private at(path: readonly string[]): Schema[] {
    let schemas = this.spread(this.schemas.Layout);
    for (const step of path) {
      schemas = schemas.flatMap((schema) => {
        if (/^\d+$/.test(step) && schema.items !== undefined) return this.spread(schema.items);
        return isObject(schema.properties) ? this.spread(schema.properties[step]) : [];
      });
    }
    return schemas;
  }

  /** Returns a schema and all that it is made of or may be. */
  private spread(value: unknown, depth = 0): Schema[] {
    if (!isObject(value) || depth > 12) return [];
    const name = typeof value.$ref === "string" ? /^#\/components\/schemas\/(.+)$/.exec(value.$ref)?.[1] : undefined;
    const parts = [...["allOf", "oneOf", "anyOf"].flatMap((key) => (Array.isArray(value[key]) ? value[key] : []))];
    if (name !== undefined) parts.push(this.schemas[name]);
    return [value, ...parts.flatMap((part) => this.spread(part, depth + 1))];
  }

  /** Returns the first sentence that is said of a schema. */
  private about(value: unknown): string {
    const text = this.spread(value).map(({ description }) => description).find((description) => typeof description === "string");
    return (text ?? "").split(/\n|(?<=\.)\s/)[0] ?? "";
  }
}

/** The place of a cursor in JSON that may be half written. */
export interface Spot {
  /** Steps from the root to the object, or to the value that is being written. */
  path: string[];
  /** `key`: a key of the object at `path`; `value`: the value at `path`. */
  kind: "key" | "value";
  /** The place where its written part starts. */
  from: number;
  /** Keys that the object has. */
  taken: string[];
}

/** Finds the place at the end of `text`; `null` where nothing can be offered. Only what is before the cursor counts. */
export function spotAt(text: string): Spot | null {
  interface Level {
    array: boolean;
    key: string;
    index: number;
    keys: string[];
    value: boolean;
  }
  const levels: Level[] = [];
  let from = text.length;
  let open = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] as string;
    const level = levels.at(-1);
    if (char === '"') {
      const end = stringEnd(text, at);
      if (end === null) {
        from = at;
        open = true;
        break;
      }
      if (level && !level.array && !level.value) {
        level.key = parse(text.slice(at, end));
        level.keys.push(level.key);
      }
      at = end - 1;
    } else if (char === "{" || char === "[") levels.push({ array: char === "[", key: "", index: 0, keys: [], value: char === "[" });
    else if (char === "}" || char === "]") levels.pop();
    else if (char === ":" && level) level.value = true;
    else if (char === "," && level) {
      level.index += 1;
      level.value = level.array;
    }
  }
  const level = levels.at(-1);
  if (!level) return null;
  if (!open) {
    const word = /[A-Za-z0-9_.%#-]*$/.exec(text)?.[0] ?? "";
    from = text.length - word.length;
    // Behind a finished value, only a comma can follow.
    const before = text.slice(0, from).trimEnd().at(-1) ?? "";
    if (!"{[,:".includes(before)) return null;
  }
  const outer = levels.slice(0, -1).map((each) => (each.array ? String(each.index) : each.key));
  if (!level.value) return { path: outer, kind: "key", from, taken: level.keys };
  return { path: [...outer, level.array ? String(level.index) : level.key], kind: "value", from, taken: level.keys };
}

/** Returns the offset behind the string that starts at `at`; `null` when it is not closed on its line. */
function stringEnd(text: string, at: number): number | null {
  for (let end = at + 1; end < text.length && text[end] !== "\n"; end += 1) {
    if (text[end] === "\\") end += 1;
    else if (text[end] === '"') return end + 1;
  }
  return null;
}

function parse(quoted: string): string {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return "";
  }
}
