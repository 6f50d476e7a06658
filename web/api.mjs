// Makes what the page knows of the server's interface, from the OpenAPI document of a running program: its types
// (src/generated/api.ts), and the order of the keys of layouts (src/generated/order.ts).
//
//     node api.mjs …/release/virfie      starts the program, and writes the files
//     node api.mjs http://127.0.0.1:8080 asks a server that runs

import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import openapiTS, { astToString } from "openapi-typescript";

/** The files, by what makes the text of each from the document's text. */
const FILES = { "api.ts": types, "order.ts": order };
const place = (file) => fileURLToPath(new URL(`src/generated/${file}`, import.meta.url));
const HEAD = "/* Made by `make api` from the server's OpenAPI document. Changes by hand are lost. */\n\n";
/** A start takes a second or two on a busy machine. */
const START_MS = 20_000;

/** The files' texts as they should be for the server at `url`, by their names. */
export async function generate(url) {
  const response = await fetch(new URL("/openapi.json", url));
  if (!response.ok) throw new Error(`${url} answers ${response.status} for its OpenAPI document`);
  const document = await response.text();
  const texts = Object.entries(FILES).map(async ([file, make]) => [file, HEAD + (await make(document))]);
  return Object.fromEntries(await Promise.all(texts));
}

/** The committed texts, by the files' names. */
export async function committed() {
  const texts = Object.keys(FILES).map(async (file) => [file, await readFile(place(file), "utf8")]);
  return Object.fromEntries(await Promise.all(texts));
}

/** The types of the interface. */
async function types(document) {
  // A key with a default may be left out of what is sent.
  return astToString(await openapiTS(document, { defaultNonNullable: false }));
}

/** The keys of layouts in their order, as the extension `x-order` of their schemas says it. */
export function order(document) {
  const { schemas } = JSON.parse(document).components;
  /** The schemas of objects with ordered keys that a value of this schema may follow. */
  const objects = (schema) => {
    const named = schema.$ref === undefined ? [] : schemas[schema.$ref.replace("#/components/schemas/", "")];
    const parts = [named, schema.items ?? [], schema.oneOf ?? [], schema.allOf ?? [], schema.anyOf ?? []].flat();
    return [...(schema["x-order"] ? [schema] : []), ...parts.flatMap(objects)];
  };
  /** The lines of all keys of these objects, each key once. */
  const lines = (found, indent) => {
    const keys = new Map();
    for (const object of found) {
      for (const key of object["x-order"]) keys.set(key, [...(keys.get(key) ?? []), ...objects(object.properties[key])]);
    }
    return [...keys].map(([key, values]) => {
      const inner = lines(values, `${indent}  `);
      return `${indent}${key}: {${inner.length > 0 ? `\n${inner.join("\n")}\n${indent}` : ""}},`;
    });
  };
  return `/** Keys in the order in which people think of them, each with those below it. */
export interface KeyOrder {
  readonly [key: string]: KeyOrder;
}

/** Those of layouts. */
export const ORDER: KeyOrder = {
${lines(objects(schemas.Layout), "  ").join("\n")}
};
`;
}

/** Runs `act` with the address of a server that `program` is started as. */
async function withServer(program, act) {
  const data = await mkdtemp(join(tmpdir(), "virfie-api-"));
  const flags = ["serve", "--listen", "127.0.0.1:0", "--data-dir", data, "--model", "none"];
  const child = spawn(program, flags, { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const url = await new Promise((resolve, reject) => {
      let said = "";
      const late = setTimeout(() => reject(new Error(`${program} did not start in time`)), START_MS);
      child.once("error", reject);
      child.once("exit", (code) => reject(new Error(`${program} ended with ${code}`)));
      child.stdout.setEncoding("utf8").on("data", (text) => {
        said += text;
        const found = /open (http:\S+)\//.exec(said);
        if (!found) return;
        clearTimeout(late);
        resolve(found[1]);
      });
    });
    return await act(url);
  } finally {
    const ended = child.exitCode !== null || child.pid === undefined ? null : new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await ended;
    await rm(data, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , from] = process.argv;
  if (!from) throw new Error("Name the program, or the address of a server that runs");
  const texts = /^https?:/.test(from) ? await generate(from) : await withServer(from, generate);
  for (const [file, text] of Object.entries(texts)) await writeFile(place(file), text);
}
