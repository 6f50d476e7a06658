// What the page knows of the interface comes from the OpenAPI document: the committed files are those of this program.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { committed, generate } from "../../web/api.mjs";
import { startServer } from "./server.mjs";

let server;

before(async () => {
  server = await startServer([], { model: "none" });
});

after(() => server?.stop());

test("web/src/generated is what the program's document says", async () => {
  const [all, texts] = await Promise.all([committed(), generate(server.url)]);
  for (const [file, shall] of Object.entries(texts)) {
    const is = all[file];
    const [found, wanted] = [is, shall].map((text) => text.split("\n"));
    const at = wanted.findIndex((line, index) => line !== found[index]);
    const where = at < 0 && is === shall ? null : `${file}:${at + 1}: "${wanted[at]?.trim()}" in place of "${found[at]?.trim()}"; run make api`;
    assert.equal(where, null);
  }
});
