// Coming, reloading and going by the page: who is in the room, under which name.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { startBrowser } from "./browser.mjs";
import { startServer } from "./server.mjs";
import { until } from "./wait.mjs";

const ROOM = "stay";

let server;
let browser;
let first;
let second;

before(async () => {
  server = await startServer();
  browser = await startBrowser();
  first = await browser.joined(server, ROOM, "alice");
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/** The names that a tab's list of people shows. */
function listed(tab) {
  return tab.page.getByTestId("participants").locator("li").evaluateAll((rows) => rows.map((row) => row.dataset.name));
}

test("a second alice becomes alice-2, for herself and for the others", async () => {
  second = await browser.joined(server, ROOM, "alice");
  assert.deepEqual([...(await server.people(ROOM)).keys()], ["alice", "alice-2"]);
  for (const tab of [first, second]) {
    await until("both are listed", async () => (await listed(tab)).join() === "alice,alice-2");
  }
  const own = second.page.getByTestId("participants").locator("li", { hasText: "you" });
  assert.equal(await own.getAttribute("data-name"), "alice-2");
});

test("a reload keeps the place, and nobody sees a going and coming", async (t) => {
  const before = (await server.people(ROOM)).get("alice");
  const feed = await server.events(ROOM);
  const started = performance.now();
  await first.page.reload();
  await first.connected();
  t.diagnostic(`connected again ${(performance.now() - started).toFixed(0)} ms after the reload`);
  const people = await server.people(ROOM);
  assert.deepEqual([...people.keys()], ["alice", "alice-2"]);
  const { id, joined_at, state } = people.get("alice");
  assert.deepEqual({ id, joined_at, state }, { id: before.id, joined_at: before.joined_at, state: "connected" });
  await until("the room reports that alice is back", () => {
    return feed.seen.some(({ type, participant }) => type === "participant_changed" && participant.id === id);
  });
  const comings = feed.seen.filter(({ type }) => type === "participant_joined" || type === "participant_left");
  assert.deepEqual(comings, []);
  await feed.close();
});

test("the second alice keeps her place over a reload, too", async () => {
  const before = (await server.people(ROOM)).get("alice-2");
  await second.page.reload();
  await second.connected();
  const people = await server.people(ROOM);
  assert.deepEqual([...people.keys()], ["alice", "alice-2"]);
  assert.equal(people.get("alice-2").id, before.id);
});

test("who leaves is gone at once", async (t) => {
  const started = performance.now();
  await first.page.getByTestId("leave").click();
  await until("alice is out of the room", async () => !(await server.people(ROOM)).has("alice"), { within: 1_000, every: 10 });
  t.diagnostic(`out of the room ${(performance.now() - started).toFixed(0)} ms after the click`);
  await until("the other one's list has her alone", async () => (await listed(second)).join() === "alice-2");
  assert.ok(await first.page.getByTestId("join").isVisible(), "the form is back");
  assert.equal(await first.page.getByTestId("connection-state").textContent(), "closed");
  assert.deepEqual([...first.errors, ...second.errors], []);
});

test("a server that is asked to end does so cleanly, and the page notices", async (t) => {
  const started = performance.now();
  assert.equal(await server.stop(), 0);
  t.diagnostic(`drained in ${(performance.now() - started).toFixed(0)} ms`);
  const state = second.page.getByTestId("connection-state");
  await until("the page knows", async () => (await state.textContent()) !== "connected");
  t.diagnostic(`the page says: ${await state.textContent()}`);
});
