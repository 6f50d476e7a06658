// Makes src/generated/api.ts, the types of the server's interface, from the OpenAPI document of a running program.
//
//     node api.mjs …/release/virfie      starts the program, and writes the file
//     node api.mjs http://127.0.0.1:8080 asks a server that runs

import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import openapiTS, { astToString } from "openapi-typescript";

const FILE = fileURLToPath(new URL("src/generated/api.ts", import.meta.url));
const HEAD = "/* Made by `make api` from the server's OpenAPI document. Changes by hand are lost. */\n\n";
/** A start takes a second or two on a busy machine. */
const START_MS = 20_000;

/** The file's text as it should be for the server at `url`. */
export async function generate(url) {
  const response = await fetch(new URL("/openapi.json", url));
  if (!response.ok) throw new Error(`${url} answers ${response.status} for its OpenAPI document`);
  // A key with a default may be left out of what is sent.
  return HEAD + astToString(await openapiTS(await response.text(), { defaultNonNullable: false }));
}

/** The committed text. */
export function committed() {
  return readFile(FILE, "utf8");
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
  await writeFile(FILE, /^https?:/.test(from) ? await generate(from) : await withServer(from, generate));
}
