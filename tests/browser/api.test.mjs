// The page is typed by the OpenAPI document: the committed types are those of this program.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { committed, generate } from "../../web/api.mjs";
import { startServer } from "./server.mjs";

let server;

before(async () => {
  server = await startServer([], { model: "none" });
});

after(() => server?.stop());

test("web/src/generated/api.ts is what the program's document says", async () => {
  const [is, shall] = await Promise.all([committed(), generate(server.url)]);
  const [found, wanted] = [is, shall].map((text) => text.split("\n"));
  const at = wanted.findIndex((line, index) => line !== found[index]);
  const where = at < 0 && is === shall ? null : `line ${at + 1}: "${wanted[at]?.trim()}" in place of "${found[at]?.trim()}"; run make api`;
  assert.equal(where, null);
});
