// What axe-core finds of faults that shut people out: in the form, in a room, in the studio.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { AxeBuilder } from "@axe-core/playwright";

import { startBrowser } from "./browser.mjs";
import { startServer } from "./server.mjs";
import { until } from "./wait.mjs";

const ROOM = "all";
const KEY = "only-for-this-test";
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };

let server;
let browser;
let host;

before(async () => {
  server = await startServer(["--api-key", KEY]);
  browser = await startBrowser({ clip: "ann" });
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/** Asserts that axe-core finds nothing wrong with the page as it is now. */
async function isSound(tab, where) {
  const { violations, passes } = await new AxeBuilder({ page: tab.page }).analyze();
  const faults = violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id} at ${target}: ${failureSummary}`));
  assert.deepEqual(faults, [], where);
  assert.ok(passes.length > 10, `${where}: only ${passes.length} rules were looked at`);
}

test("the form", async () => {
  const tab = await browser.tab();
  await tab.page.goto(`${server.url}/r/${ROOM}?processing=off`);
  await tab.page.getByTestId("join").waitFor();
  await isSound(tab, "the form");
  await tab.page.getByTestId("room-input").fill("no room");
  await tab.page.getByTestId("name-input").fill("ann");
  await tab.page.getByTestId("join").click();
  await tab.page.locator("#join-error").waitFor();
  await isSound(tab, "the form with a fault");
  await tab.page.context().close();
});

test("the room of those who direct, with all panels open", async () => {
  host = await browser.joined(server, ROOM, "host", { query: `&token=${await server.token("producer", ROOM, KEY)}` });
  await host.page.locator(".cm-content").waitFor();
  await host.page.getByTestId("scene-store").click();
  await host.page.keyboard.press("Enter");
  await host.page.getByTestId("scene").waitFor();
  await isSound(host, "the room");
  for (const summary of await host.page.locator("#room-view details.panel:visible > summary").all()) await summary.click();
  await host.page.getByTestId("person-mix").click();
  await until("the images are listed", async () => (await host.page.locator(".image-tile").count()) > 0);
  await isSound(host, "the room with its panels open");
});

test("the studio, with somebody chosen", async () => {
  await host.page.getByTestId("edit").click();
  await isSound(host, "the studio");
  await host.page.locator('[data-testid="auto-box"]').focus();
  await host.page.keyboard.press("Enter");
  await host.page.locator('[data-testid="box"][aria-pressed="true"]').waitFor();
  await isSound(host, "the studio with a layer chosen");
  await host.page.getByTestId("add").click();
  await isSound(host, "the studio with a menu");
  await host.page.keyboard.press("Escape");
});

test("a guest's room on a phone", async () => {
  const guest = await browser.joined(server, ROOM, "guest", { ...PHONE, query: `&token=${await server.token("participant", ROOM, KEY)}` });
  await isSound(guest, "the room on a phone");
  await guest.page.getByTestId("mute").tap();
  await isSound(guest, "the room on a phone, silent");
  assert.deepEqual(guest.errors, []);
});
