// What the program's own tests take for right is what this Chromium shows: `node animations.mjs` asks it again.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { committed, seen, withPage } from "./animations.mjs";
import { startServer } from "./server.mjs";

let server;

before(async () => {
  server = await startServer([], { model: "none" });
});

after(() => server?.stop());

test("animations look here as they do in the program's tests", async () => {
  const cases = await committed();
  assert.ok(cases.length > 100);
  await withPage(server.url, async (page) => {
    for (const { name, type, content, plays, frames } of cases) {
      assert.deepEqual(await seen(page, type, content), { plays, frames }, name);
    }
  });
});
